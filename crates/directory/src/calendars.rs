//! Holidays and dated working hours, read from the pack and given as the calendar of an agency on
//! a day. Never counts: see `kernel::calendar`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use kernel::calendar::{Calendar, Span, SpecialDay};
use kernel::{Date, OrgCode};

use crate::pack::calendars::{COLUMNS, HOLIDAYS, HOURS, HoursToml};
use crate::pack::{PackFault, PackFile, day, read_table, read_toml};

#[derive(Debug)]
struct Rule {
    organisation: Option<OrgCode>,
    from: Date,
    calendar: Arc<Calendar>,
}

/// The calendars of a pack.
#[derive(Debug)]
pub struct Calendars {
    /// By first day.
    rules: Vec<Rule>,
    first_year: i32,
    last_year: i32,
    files: Vec<PackFile>,
}

impl Calendars {
    /// Reads holidays and hours.
    ///
    /// # Errors
    /// When a file cannot be read, a weekday does not fit its day, or hours overlap.
    pub fn load(pack: &Path) -> Result<Self, PackFault> {
        crate::pack::sound(pack, &[], crate::pack::check_calendars)?;
        let mut days: BTreeMap<String, SpecialDay> = BTreeMap::new();
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
            match days.insert(row[0].to_owned(), SpecialDay { working, name }) {
                None => Ok(()),
                Some(_) => Err(format!("{} twice", &row[0])),
            }
        })?;
        let year = |text: Option<&String>| text.and_then(|t| t.get(..4)?.parse().ok()).unwrap_or(0);
        let (first_year, last_year) = (year(days.keys().next()), year(days.keys().last()));
        let fault = |why: String| PackFault::of(&pack.join(HOURS), why);
        let mut rules = Vec::new();
        for rule in read_toml::<HoursToml>(pack, HOURS)?.hours {
            let hours = spans(&rule.spans).map_err(fault)?;
            let days = days.clone();
            rules.push(Rule {
                organisation: rule.organisation,
                from: day(&rule.from).map_err(fault)?,
                calendar: Arc::new(Calendar { hours, days }),
            });
        }
        rules.sort_by_key(|rule| rule.from);
        if !rules.iter().any(|rule| rule.organisation.is_none()) {
            return Err(fault("no rule for every agency".to_owned()));
        }
        Ok(Self {
            rules,
            first_year,
            last_year,
            files: vec![file],
        })
    }

    /// The calendar of an agency as its hours stood on a day: its own rule, else that of an
    /// organisation above it, else the one for all. Holidays of all years are in it.
    #[must_use]
    pub fn of(&self, organisation: &OrgCode, on: Date) -> Arc<Calendar> {
        let mut whose = Some(organisation.clone());
        while let Some(code) = whose {
            if let Some(calendar) = self.in_force(Some(&code), on) {
                return calendar;
            }
            whose = code.parent();
        }
        self.in_force(None, on)
            .or_else(|| {
                self.rules
                    .iter()
                    .find(|r| r.organisation.is_none())
                    .map(|r| r.calendar.clone())
            })
            .expect("load refuses hours without a rule for all")
    }

    fn in_force(&self, organisation: Option<&OrgCode>, on: Date) -> Option<Arc<Calendar>> {
        let mut rules = self.rules.iter().rev();
        rules
            .find(|rule| rule.organisation.as_ref() == organisation && rule.from <= on)
            .map(|rule| rule.calendar.clone())
    }

    /// First and last year whose holidays are known.
    #[must_use]
    pub const fn years(&self) -> (i32, i32) {
        (self.first_year, self.last_year)
    }

    /// The files read, with their rows and roots.
    #[must_use]
    pub fn files(&self) -> &[PackFile] {
        &self.files
    }
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
    use kernel::calendar::DAY_MINUTES;
    use kernel::time::civil_date;

    fn on(y: i32, m: u8, d: u8) -> Date {
        civil_date(y, m, d).expect("a day")
    }

    fn vietnam() -> Arc<Calendar> {
        let calendars = Calendars::load(&vn()).expect("the pack");
        assert_eq!(calendars.years(), (2020, 2027));
        calendars.of(&"H56.14857".parse().expect("a code"), on(2026, 11, 21))
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
        let counted = c.count(Time::at(on(2026, 2, 13), 9 * 60), DAY_MINUTES);
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
        assert_eq!(c.hours.iter().map(|s| s.to - s.from).sum::<i64>(), DAY_MINUTES);
        assert_eq!(c.hours, Calendar::standard().hours);
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
        let begin = |org: &str, day| calendars.of(&org.parse().expect("a code"), day).hours[0].from;
        assert_eq!(begin("H56.14857", on(2026, 1, 5)), 450);
        assert_eq!(begin("H56.14857", on(2023, 1, 5)), 420);
        assert_eq!(begin("G22", on(2026, 1, 5)), 420);
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
