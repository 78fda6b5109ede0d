//! What an applicant is asked about how a case was handled (tiêu chí đánh giá, Circular 01/2018/TT-VPCP, articles 13 to
//! 15): the criteria of a day, and the points a rating may give. Pure; which criteria there are the pack says.

use std::collections::BTreeMap;

use kernel::time::parse_iso;
use kernel::{Date, Problem};
use serde::Deserialize;

use crate::procedure::Text;

/// Points by the numbers of the criteria; what was not answered is left out.
pub type Points = BTreeMap<u8, u8>;

/// The criteria that hold from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// First day on which they hold.
    pub valid_from: String,
    /// In the order of the law.
    pub criteria: Vec<Criterion>,
}

/// One criterion.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Its number in the law.
    pub number: u8,
    /// What is rated.
    pub name: Text,
    /// What an applicant can answer; nothing where the systems count the points.
    #[serde(default)]
    pub answers: Vec<Worth>,
}

/// An answer to a criterion.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worth {
    /// The points it gives.
    pub points: u8,
    /// The answer.
    pub text: Text,
}

impl Criterion {
    /// The best there is.
    #[must_use]
    pub fn points_max(&self) -> u8 {
        self.answers.iter().map(|a| a.points).max().unwrap_or(0)
    }

    /// The answer that gives these points.
    #[must_use]
    pub fn answer(&self, points: u8) -> Option<&Worth> {
        self.answers.iter().find(|a| a.points == points)
    }
}

/// All editions of the criteria.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Criteria {
    /// By first day.
    editions: Vec<(Date, Vec<Criterion>)>,
}

impl Criteria {
    /// The editions of a pack; `None` when a first day is no date.
    #[must_use]
    pub fn of(editions: Vec<Edition>) -> Option<Self> {
        let dated = |edition: Edition| Some((parse_iso(&edition.valid_from)?, edition.criteria));
        let mut editions: Vec<_> = editions.into_iter().map(dated).collect::<Option<_>>()?;
        editions.sort_by_key(|(from, _)| *from);
        Some(Self { editions })
    }

    /// What an applicant is asked on a day, in order.
    pub fn asked(&self, on: Date) -> impl Iterator<Item = &Criterion> {
        let newest = self.editions.iter().rev().find(|(from, _)| *from <= on);
        let all = newest.into_iter().flat_map(|(_, criteria)| criteria);
        all.filter(|criterion| !criterion.answers.is_empty())
    }

    /// What is asked on a day under a number.
    #[must_use]
    pub fn of_number(&self, number: u8, on: Date) -> Option<&Criterion> {
        self.asked(on).find(|criterion| criterion.number == number)
    }

    /// Holds the points of a rating against what is asked on a day.
    ///
    /// # Errors
    /// `case-criterion-unknown`, `case-criterion-points` (422) at the criterion: `criteria.3`.
    pub fn check(&self, points: &Points, on: Date) -> Result<(), Problem> {
        for (number, given) in points {
            let field = format!("criteria.{number}");
            let Some(criterion) = self.of_number(*number, on) else {
                return Err(self.unknown(&field, on));
            };
            if criterion.answer(*given).is_none() {
                let wanted = criterion.answers.iter().map(|a| a.points.to_string());
                let wanted = wanted.collect::<Vec<_>>().join(", ");
                let problem = Problem::invalid(&field, "case-criterion-points");
                return Err(problem.with("number", number).with("wanted", wanted));
            }
        }
        Ok(())
    }

    /// That a field names no criterion asked on a day.
    #[must_use]
    pub fn unknown(&self, field: &str, on: Date) -> Problem {
        let asked = self.asked(on).map(|criterion| criterion.number.to_string());
        let asked = asked.collect::<Vec<_>>().join(", ");
        Problem::invalid(field, "case-criterion-unknown").with("wanted", asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        parse_iso(text).expect("a day")
    }

    fn text(word: &str) -> Text {
        Text {
            vi: word.to_owned(),
            en: word.to_owned(),
        }
    }

    /// A criterion that is asked, and one that is counted.
    fn edition(valid_from: &str, number: u8, best: u8) -> Edition {
        let answers = (0..=best).map(|points| Worth {
            points,
            text: text("x"),
        });
        let asked = Criterion {
            number,
            name: text("a"),
            answers: answers.collect(),
        };
        let counted = Criterion {
            number: number + 1,
            name: text("b"),
            answers: Vec::new(),
        };
        Edition {
            valid_from: valid_from.to_owned(),
            criteria: vec![asked, counted],
        }
    }

    #[test]
    fn a_rating_is_held_against_the_criteria_of_its_day() {
        let editions = vec![edition("2026-01-01", 4, 4), edition("2019-01-08", 1, 2)];
        let criteria = Criteria::of(editions).expect("days");
        let of = |points: &[(u8, u8)], on: &str| {
            let points = points.iter().copied().collect();
            let problem = criteria.check(&points, day(on)).err();
            problem.map(|p| (p.code, p.field.unwrap_or_default()))
        };
        let unknown = |field: &str| Some(("case-criterion-unknown", field.to_owned()));
        let points = |field: &str| Some(("case-criterion-points", field.to_owned()));
        assert_eq!(of(&[], "2018-12-31"), None, "nothing is asked, and nothing said");
        assert_eq!(of(&[(1, 2)], "2019-01-07"), unknown("criteria.1"));
        assert_eq!(of(&[(1, 2)], "2019-01-08"), None);
        assert_eq!(of(&[(1, 3)], "2025-12-31"), points("criteria.1"));
        assert_eq!(
            of(&[(2, 1)], "2025-12-31"),
            unknown("criteria.2"),
            "counted, not asked"
        );
        assert_eq!(of(&[(1, 2)], "2026-01-01"), unknown("criteria.1"));
        assert_eq!(of(&[(4, 4)], "2026-01-01"), None);
        assert!(Criteria::of(vec![edition("2019-02-30", 1, 2)]).is_none());
    }

    #[test]
    fn an_applicant_is_asked_four_of_the_nine_criteria_of_vietnam() {
        let criteria = crate::testing::nouns().catalogue.criteria();
        let asked = |on: &str| criteria.asked(day(on)).map(|c| c.number).collect::<Vec<_>>();
        assert_eq!(asked("2019-01-07"), Vec::<u8>::new());
        assert_eq!(asked("2026-11-23"), [1, 3, 4, 7]);
        let whole = |c: &Criterion| c.points_max() == 2 && c.answers.len() == 3;
        assert!(criteria.asked(day("2026-11-23")).all(whole));
    }
}
