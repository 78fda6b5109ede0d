//! Who above is told that a case is late: after how many working hours, in which role, at which level, and by when
//! something has to be done. By the rule of the day on which the case fell due. Pure; the steps are the pack's.

use kernel::time::parse_iso;
use kernel::{Date, OrgCode};
use serde::Deserialize;

/// The steps that hold from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// First day on which they hold.
    pub valid_from: String,
    /// In the order in which they come.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// Somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Working hours after the missed date, by the calendar of the unit that has the case.
    pub late_hours: u16,
    /// Where whoever is told works.
    pub level: Level,
    /// In which role.
    pub role: String,
    /// Working days within which the case is decided, or its applicant is sent an apology.
    pub answer_days: u16,
}

/// Where whoever is told works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// At the unit that has the case.
    Unit,
    /// At the organisation above all units: the province, the ministry.
    Organisation,
}

impl Step {
    /// The working minutes after which it comes.
    #[must_use]
    pub fn late_minutes(&self) -> i64 {
        i64::from(self.late_hours) * 60
    }

    /// The unit whose people are told of a case of a unit.
    #[must_use]
    pub fn told<'a>(&self, unit: &'a OrgCode, organisation: &'a OrgCode) -> &'a OrgCode {
        match self.level {
            Level::Unit => unit,
            Level::Organisation => organisation,
        }
    }
}

/// All editions of the steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Escalations {
    /// By first day.
    editions: Vec<(Date, Vec<Step>)>,
}

impl Escalations {
    /// The editions of a pack; `None` when a first day is no date.
    #[must_use]
    pub fn of(editions: Vec<Edition>) -> Option<Self> {
        let dated = |edition: Edition| Some((parse_iso(&edition.valid_from)?, edition.steps));
        let mut editions: Vec<_> = editions.into_iter().map(dated).collect::<Option<_>>()?;
        editions.sort_by_key(|(from, _)| *from);
        Some(Self { editions })
    }

    /// The steps for what fell due on a day, in order; none before the first edition.
    #[must_use]
    pub fn steps(&self, due: Date) -> &[Step] {
        let newest = self.editions.iter().rev().find(|(from, _)| *from <= due);
        newest.map_or(&[], |(_, steps)| steps.as_slice())
    }

    /// True when nobody is told of anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.editions.iter().all(|(_, steps)| steps.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_is_said_by_the_rule_of_the_day_on_which_the_case_fell_due() {
        let step = |late_hours| Step {
            late_hours,
            level: Level::Unit,
            role: "chairman".to_owned(),
            answer_days: 1,
        };
        let edition = |from: &str, hours: &[u16]| Edition {
            valid_from: from.to_owned(),
            steps: hours.iter().copied().map(step).collect(),
        };
        let all = vec![edition("2027-01-01", &[4]), edition("2026-01-01", &[0, 16])];
        let all = Escalations::of(all).expect("days");
        let hours = |day: &str| {
            let steps = all.steps(parse_iso(day).expect("a day")).iter();
            steps.map(|step| step.late_hours).collect::<Vec<_>>()
        };
        assert_eq!(hours("2025-12-31"), Vec::<u16>::new());
        assert_eq!(hours("2026-12-31"), [0, 16]);
        assert_eq!(hours("2027-01-01"), [4]);
        assert!(Escalations::of(vec![edition("2026-02-30", &[])]).is_none());
    }

    #[test]
    fn the_pack_of_vietnam_tells_the_head_of_the_unit_first_and_the_province_then() {
        let all = crate::testing::nouns().catalogue.escalations().clone();
        let steps = all.steps(parse_iso("2026-11-23").expect("a day"));
        let levels: Vec<Level> = steps.iter().map(|step| step.level).collect();
        assert_eq!(levels, [Level::Unit, Level::Organisation]);
    }
}
