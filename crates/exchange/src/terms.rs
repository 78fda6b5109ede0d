//! The pack's dated terms of data sharing: within how many working days a request for an agreement is
//! answered, and how long before a planned stop the users are told. Never a date of a single request.

use std::path::Path;
use std::sync::Arc;

use directory::pack::document::document;
use directory::{Calendars, PackFault};
use kernel::fault::Faults;
use kernel::time::parse_iso;
use kernel::{Date, OrgCode, Time};
use serde::Deserialize;

/// The file within the pack; a pack without it sets no terms.
const FILE: &str = "exchange/terms.toml";
/// Working days of a term, count at most.
const DAYS_MAX: i64 = 250;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    terms: Vec<RuleToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleToml {
    from: String,
    answer_days: i64,
    notice_days: i64,
    #[serde(rename = "source")]
    _source: String,
}

/// The terms from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    from: Date,
    answer_days: i64,
    notice_days: i64,
}

/// The terms of a pack, by the working calendars of its organisations.
#[derive(Clone, Debug)]
pub struct Terms {
    /// By first day.
    rules: Vec<Rule>,
    calendars: Arc<Calendars>,
}

impl Terms {
    /// Reads the terms of a pack.
    ///
    /// # Errors
    /// The first fault of the file.
    pub fn load(pack: &Path, calendars: Arc<Calendars>) -> Result<Self, PackFault> {
        let rules = directory::pack::sound(pack, &[crate::pack::TEXTS], check)?;
        Ok(Self { rules, calendars })
    }

    /// By when a provider that is asked at an instant owes an answer; `None` before the first rule.
    #[must_use]
    pub fn answer_due(&self, provider: &OrgCode, asked: Time) -> Option<Time> {
        let rule = self.on(asked.date())?;
        let calendar = self.calendars.of(provider);
        Some(calendar.days_after(asked, rule.answer_days).end)
    }

    /// How many working days before a planned stop the users are told of it.
    #[must_use]
    pub fn notice_days(&self, on: Date) -> Option<i64> {
        self.on(on).map(|rule| rule.notice_days)
    }

    /// The first day on which a stop may begin that a provider announces at an instant: the whole notice
    /// lies before it. `None` before the first rule.
    #[must_use]
    pub fn stop_from(&self, provider: &OrgCode, announced: Time) -> Option<Date> {
        let rule = self.on(announced.date())?;
        let calendar = self.calendars.of(provider);
        let told = calendar.days_after(announced, rule.notice_days).end;
        told.date().next_day()
    }

    fn on(&self, day: Date) -> Option<Rule> {
        self.rules.iter().rev().find(|rule| rule.from <= day).copied()
    }
}

/// Checks the file and gives its rules by their first day; none when there is no file.
fn check(pack: &Path, faults: &mut Faults) -> Vec<Rule> {
    if !pack.join(FILE).exists() {
        return Vec::new();
    }
    let Some((file, places)) = document::<File>(pack, FILE, faults) else {
        return Vec::new();
    };
    let mut rules: Vec<Rule> = Vec::new();
    for (at, rule) in file.terms.iter().enumerate() {
        let mut bad = |key: &str, name: &'static str, value: String| {
            let names = vec![("value", value)];
            faults.add(places.fault(&format!("/terms/{at}/{key}"), name, names));
        };
        for (key, days) in [
            ("answer_days", rule.answer_days),
            ("notice_days", rule.notice_days),
        ] {
            if !(1..=DAYS_MAX).contains(&days) {
                bad(key, "terms-days", days.to_string());
            }
        }
        match parse_iso(&rule.from) {
            None => bad("from", "date-bad", rule.from.clone()),
            Some(from) if rules.iter().any(|r| r.from == from) => {
                bad("from", "terms-twice", rule.from.clone());
            }
            Some(from) => rules.push(Rule {
                from,
                answer_days: rule.answer_days,
                notice_days: rule.notice_days,
            }),
        }
    }
    rules.sort_by_key(|rule| rule.from);
    rules
}

/// The same for whoever checks the whole pack.
pub(crate) fn check_file(pack: &Path, faults: &mut Faults) {
    drop(check(pack, faults));
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::time::civil_date;

    fn vn() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn")
    }

    fn terms() -> Terms {
        let calendars = Arc::new(Calendars::load(&vn()).expect("calendars"));
        Terms::load(&vn(), calendars).expect("terms")
    }

    fn at(m: u8, d: u8, minute: i64) -> Time {
        Time::at(civil_date(2026, m, d).expect("a day"), minute)
    }

    #[test]
    fn an_answer_to_a_request_is_owed_in_five_working_days() {
        let provider = "G01".parse().expect("a code");
        let due = |asked| terms().answer_due(&provider, asked).expect("a rule");
        assert_eq!(due(at(11, 16, 7 * 60)), at(11, 20, 17 * 60), "Monday to Friday");
        assert_eq!(due(at(11, 11, 9 * 60)), at(11, 18, 9 * 60), "over a weekend");
        assert_eq!(due(at(11, 18, 9 * 60)), at(11, 26, 9 * 60), "over a holiday, too");
        assert_eq!(due(at(8, 28, 9 * 60)), at(9, 9, 9 * 60), "over the national day");
    }

    #[test]
    fn a_planned_stop_begins_when_its_seven_working_days_of_notice_are_over() {
        let provider = "G01".parse().expect("a code");
        let first = |announced| terms().stop_from(&provider, announced).expect("a rule");
        let day = |m, d| civil_date(2026, m, d).expect("a day");
        assert_eq!(
            first(at(11, 2, 7 * 60)),
            day(11, 11),
            "Monday to Tuesday, then it may stop"
        );
        assert_eq!(
            first(at(11, 2, 9 * 60)),
            day(11, 12),
            "the day of the notice is not whole"
        );
        assert_eq!(first(at(11, 18, 9 * 60)), day(12, 1), "over a holiday, too");
    }

    #[test]
    fn a_request_before_the_decree_is_owed_no_answer_by_a_day() {
        let before = Time::at(civil_date(2020, 5, 24).expect("a day"), 600);
        let provider = "G01".parse().expect("a code");
        assert_eq!(terms().answer_due(&provider, before), None);
        assert_eq!(terms().notice_days(before.date()), None);
        assert_eq!(terms().notice_days(at(1, 5, 0).date()), Some(7));
    }

    #[test]
    fn terms_without_a_length_or_with_a_day_twice_are_refused_with_their_line() {
        let dir = testkit::TempDir::new();
        std::fs::create_dir(dir.path().join("exchange")).expect("a folder");
        let rule = "[[terms]]\nfrom = \"2020-05-25\"\nanswer_days = 5\nnotice_days = 7\nsource = \"x\"\n";
        let text = format!("{rule}{}", rule.replace("answer_days = 5", "answer_days = 0"));
        std::fs::write(dir.path().join(FILE), text).expect("written");
        let mut faults = Faults::new();
        check_file(dir.path(), &mut faults);
        let told: Vec<(u64, &str)> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        assert_eq!(told, [(7, "terms-twice"), (8, "terms-days")]);
    }
}
