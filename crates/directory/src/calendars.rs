//! Holidays and dated working hours, read from the pack and given as the calendar of an agency on
//! a day. Never counts: see `kernel::calendar`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kernel::calendar::{Calendar, Hours, Season, Span, SpecialDay};
use kernel::{Date, Digest, OrgCode};

use crate::pack::calendars::{COLUMNS, HOLIDAYS, HOURS, HoursToml, RuleToml};
use crate::pack::{PackFault, PackFile, day, read_table, read_toml};

/// The calendars of a pack.
#[derive(Debug)]
pub struct Calendars {
    /// Of every organisation that has hours of its own.
    own: BTreeMap<OrgCode, Arc<Calendar>>,
    /// Of all others.
    common: Arc<Calendar>,
    first_year: i32,
    last_year: i32,
    files: Vec<PackFile>,
    digest: Digest,
}

impl Calendars {
    /// Reads holidays and hours.
    ///
    /// # Errors
    /// When a file cannot be read, a weekday does not fit its day, or hours overlap.
    pub fn load(pack: &Path) -> Result<Self, PackFault> {
        crate::pack::sound(pack, &[], crate::pack::check_calendars)?;
        let mut days: BTreeMap<Date, SpecialDay> = BTreeMap::new();
        let file = read_table(pack, HOLIDAYS, &COLUMNS, |row| {
            let date = day(&row[0])?;
            if row[1] != date.weekday().number_from_monday().to_string() {
                return Err(format!("{} is not weekday {}", &row[0], &row[1]));
            }
            let name = match &row[5] {
                "to_confirm" => format!("{} (dự kiến)", &row[2]),
                _ => row[2].to_owned(),
            };
            let working = &row[4] == "1";
            match days.insert(date, SpecialDay { working, name }) {
                None => Ok(()),
                Some(_) => Err(format!("{} twice", &row[0])),
            }
        })?;
        let year = |day: Option<&Date>| day.map_or(0, |day| day.year());
        let (first_year, last_year) = (year(days.keys().next()), year(days.keys().last()));
        let fault = |why: String| PackFault::of(&pack.join(HOURS), why);
        let mut rules: BTreeMap<Option<OrgCode>, Vec<Hours>> = BTreeMap::new();
        for rule in read_toml::<HoursToml>(pack, HOURS)?.hours {
            let hours = hours(&rule).map_err(fault)?;
            rules.entry(rule.organisation).or_default().push(hours);
        }
        for of_one in rules.values_mut() {
            // The latest goes before those it follows, a season before the rest of the year from the same day.
            of_one.sort_by_key(|hours| (hours.from, hours.season.is_some()));
            of_one.reverse();
        }
        let Some(for_all) = rules.get(&None) else {
            return Err(fault("no rule for every agency".to_owned()));
        };
        let calendar = |hours| {
            Arc::new(Calendar {
                hours,
                days: days.clone(),
            })
        };
        let own = rules.keys().flatten().map(|org| {
            let above = std::iter::successors(Some(org.clone()), OrgCode::parent).map(Some);
            let in_order = above.chain([None]).filter_map(|whose| rules.get(&whose));
            (org.clone(), calendar(in_order.flatten().cloned().collect()))
        });
        Ok(Self {
            own: own.collect(),
            common: calendar(for_all.clone()),
            first_year,
            last_year,
            digest: digest(pack)?,
            files: vec![file],
        })
    }

    /// The calendar of an agency: on each day its own rule, else that of an organisation above it, else
    /// the one for all. Holidays of all years are in it.
    #[must_use]
    pub fn of(&self, organisation: &OrgCode) -> Arc<Calendar> {
        let own = std::iter::successors(Some(organisation.clone()), OrgCode::parent)
            .find_map(|code| self.own.get(&code).cloned());
        own.unwrap_or_else(|| Arc::clone(&self.common))
    }

    /// First and last year whose holidays are known.
    #[must_use]
    pub const fn years(&self) -> (i32, i32) {
        (self.first_year, self.last_year)
    }

    /// True when a day lies in a year whose holidays nobody has announced yet: what is counted over it may
    /// be counted otherwise one day.
    #[must_use]
    pub fn is_unannounced(&self, day: Date) -> bool {
        day.year() > self.last_year
    }

    /// The digest of holidays and hours: another one when anything is counted otherwise.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The files read, with their rows and roots.
    #[must_use]
    pub fn files(&self) -> &[PackFile] {
        &self.files
    }
}

/// The digest of the files that say when is worked.
fn digest(pack: &Path) -> Result<Digest, PackFault> {
    let mut both = Vec::new();
    for name in [HOLIDAYS, HOURS] {
        let path = pack.join(name);
        let bytes = std::fs::read(&path).map_err(|cause| PackFault::of(&path, cause.to_string()))?;
        both.extend_from_slice(&Digest::of(&bytes).0);
    }
    Ok(Digest::of(&both))
}

/// Reads a rule: the spans of Monday to Friday, those of the weekend when it is worked, its season.
pub(crate) fn hours(rule: &RuleToml) -> Result<Hours, String> {
    let mut hours = Hours::weekdays(day(&rule.from)?, &spans(&rule.spans)?);
    for (weekday, texts) in [(5, &rule.saturday), (6, &rule.sunday)] {
        if !texts.is_empty() {
            hours.week[weekday] = spans(texts)?;
        }
    }
    hours.season = rule.season.as_ref().map(season).transpose()?;
    Ok(hours)
}

/// Reads the first and the last day of a season, `["04-16", "10-15"]`.
fn season([first, last]: &[String; 2]) -> Result<Season, String> {
    let read = |text: &String| {
        // A year that has every day.
        let date = day(&format!("2024-{text}")).map_err(|_| format!("{text:?}: MM-DD"))?;
        Ok::<_, String>((u8::from(date.month()), date.day()))
    };
    Ok(Season {
        first: read(first)?,
        last: read(last)?,
    })
}

/// Reads `07:00-11:30` and so on: in order, not overlapping.
pub(crate) fn spans(texts: &[String]) -> Result<Vec<Span>, String> {
    let minute = |text: &str| -> Option<i64> {
        let (h, m) = text.split_once(':')?;
        let (h, m): (i64, i64) = (h.parse().ok()?, m.parse().ok()?);
        ((0..24).contains(&h) && (0..60).contains(&m)).then_some(h * 60 + m)
    };
    let mut spans: Vec<Span> = Vec::new();
    for text in texts {
        let span = text
            .split_once('-')
            .and_then(|(from, to)| {
                Some(Span {
                    from: minute(from)?,
                    to: minute(to)?,
                })
            })
            .filter(|span| span.from < span.to && spans.last().is_none_or(|last| last.to <= span.from))
            .ok_or_else(|| format!("{text:?}: HH:MM-HH:MM, in order"))?;
        spans.push(span);
    }
    if spans.is_empty() {
        return Err("no working hours".to_owned());
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::tests::vn;
    use kernel::Time;
    use kernel::time::civil_date;

    fn on(y: i32, m: u8, d: u8) -> Date {
        civil_date(y, m, d).expect("a day")
    }

    fn vietnam() -> Arc<Calendar> {
        let calendars = Calendars::load(&vn()).expect("the pack");
        assert_eq!(calendars.years(), (2020, 2027));
        calendars.of(&"H56.14857".parse().expect("a code"))
    }

    #[test]
    fn tet_2026_is_off_from_the_eve_to_the_fourth_day() {
        let c = vietnam();
        assert!(c.works_on(on(2026, 2, 13)), "the Friday before");
        for d in 14..=22 {
            assert!(!c.works_on(on(2026, 2, d)), "{d} February");
        }
        assert!(c.works_on(on(2026, 2, 23)), "the Monday after");
        assert_eq!(c.reason(on(2026, 2, 17)), "Tết Nguyên Đán");
        let counted = c.days_after(Time::at(on(2026, 2, 13), 9 * 60), 1);
        assert_eq!(counted.end, Time::at(on(2026, 2, 23), 9 * 60));
    }

    #[test]
    fn the_national_day_of_2026_is_two_days_with_a_bridge_worked_on_a_saturday() {
        let c = vietnam();
        for (m, d, works) in [
            (8, 22, true),
            (8, 28, true),
            (8, 31, false),
            (9, 1, false),
            (9, 2, false),
            (9, 3, true),
        ] {
            assert_eq!(c.works_on(on(2026, m, d)), works, "{d}/{m}");
        }
        assert_eq!(c.reason(on(2026, 9, 2)), "Quốc khánh");
        assert_eq!(c.reason(on(2026, 8, 22)), "Làm bù cho ngày 31/08/2026");
    }

    #[test]
    fn a_holiday_on_a_sunday_is_made_up_on_monday() {
        let c = vietnam();
        assert!(!c.works_on(on(2026, 4, 27)), "Hùng Vương fell on Sunday");
        assert!(c.works_on(on(2026, 4, 28)));
    }

    #[test]
    fn a_day_that_awaits_its_announcement_says_so() {
        assert!(vietnam().reason(on(2027, 2, 6)).ends_with("(dự kiến)"));
    }

    #[test]
    fn a_working_day_has_eight_hours_and_begins_at_seven() {
        let c = vietnam();
        let day = on(2026, 11, 23);
        assert_eq!(c.minutes_of(day), 8 * 60);
        assert_eq!(c.spans(day), Calendar::standard().spans(day));
    }

    #[test]
    fn an_agencys_own_hours_go_before_those_for_all() {
        let dir = testkit::TempDir::new();
        std::fs::create_dir(dir.path().join("calendars")).expect("made");
        std::fs::copy(vn().join(HOLIDAYS), dir.path().join(HOLIDAYS)).expect("copied");
        let rule = |from, org: &str, spans| {
            format!("[[hours]]\nfrom = {from:?}\n{org}spans = {spans}\nsource = \"x\"\n")
        };
        let text = rule("2018-01-01", "", "[\"07:00-11:30\", \"13:30-17:00\"]")
            + &rule(
                "2024-01-01",
                "organisation = \"H56\"\n",
                "[\"07:30-12:00\", \"13:00-16:30\"]",
            );
        std::fs::write(dir.path().join(HOURS), text).expect("written");
        let calendars = Calendars::load(dir.path()).expect("read");
        let begin = |org: &str, day| calendars.of(&org.parse().expect("a code")).spans(day)[0].from;
        assert_eq!(begin("H56.14857", on(2026, 1, 5)), 450);
        assert_eq!(begin("H56.14857", on(2023, 1, 5)), 420);
        assert_eq!(begin("G22", on(2026, 1, 5)), 420);
    }

    #[test]
    fn a_season_and_a_saturday_go_before_the_hours_of_the_year() {
        let dir = testkit::TempDir::new();
        std::fs::create_dir(dir.path().join("calendars")).expect("made");
        std::fs::copy(vn().join(HOLIDAYS), dir.path().join(HOLIDAYS)).expect("copied");
        let text = "[[hours]]\nfrom = \"2018-01-01\"\nspans = [\"07:00-11:30\", \"13:30-17:00\"]\nsource = \"x\"\n\
            [[hours]]\nfrom = \"2026-01-01\"\norganisation = \"H56\"\nseason = [\"04-16\", \"10-15\"]\n\
            spans = [\"06:30-11:00\", \"13:30-17:00\"]\nsaturday = [\"07:00-11:00\"]\nsource = \"x\"\n";
        std::fs::write(dir.path().join(HOURS), text).expect("written");
        let calendar = Calendars::load(dir.path())
            .expect("read")
            .of(&"H56".parse().expect("a code"));
        let begins = |day| calendar.spans(day).first().map(|span| span.from);
        assert_eq!(begins(on(2026, 4, 15)), Some(420));
        assert_eq!(begins(on(2026, 4, 16)), Some(390));
        assert_eq!(begins(on(2026, 10, 16)), Some(420));
        assert_eq!(begins(on(2025, 6, 2)), Some(420), "not before it begins");
        assert_eq!(begins(on(2026, 6, 6)), Some(420), "Saturday");
        assert_eq!(begins(on(2026, 11, 21)), None, "not in winter");
    }

    #[test]
    fn overlapping_or_unreadable_hours_are_refused() {
        let bad: [&[&str]; 4] = [
            &[],
            &["07:00-11:30", "11:00-17:00"],
            &["17:00-07:00"],
            &["7h-11h"],
        ];
        for texts in bad {
            let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
            assert!(spans(&texts).is_err(), "{texts:?}");
        }
    }
}
