//! An opinion that another unit is asked for while a case runs (lấy ý kiến): asked, then answered once, or ended
//! without an answer. Pure: no row, no request, no clock inside; the case's own time runs on meanwhile.

use kernel::{Kind, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::procedure::{ConsultRule, Procedure};

/// An opinion that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consult {
    /// Its number within the case, from 1.
    pub number: u32,
    /// The unit that is asked.
    pub unit: OrgCode,
    /// About what: a topic's code in the procedure.
    pub topic: String,
    /// What is asked.
    pub question: String,
    /// The officer's account.
    pub by: String,
    /// The officer's name.
    pub by_name: String,
    /// When it was asked.
    pub at: Time,
    /// The last instant at which an answer is in time.
    pub due: Time,
    /// How that was counted: the name of a [`crate::procedure::TermRule`].
    pub rule: String,
    /// What was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// That no answer is wanted any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// What an asked unit answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Yes, yes but, or no.
    pub opinion: Opinion,
    /// In words; may be empty for who agrees.
    pub text: String,
    /// True when a paper came with it.
    #[serde(default)]
    pub paper: bool,
    /// The official's account.
    pub by: String,
    /// The official's name.
    pub by_name: String,
    /// When.
    pub at: Time,
}

/// What an asked unit thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opinion {
    /// It agrees.
    Agrees,
    /// It has remarks that the decision has to look at.
    Remarks,
    /// It is against it.
    Objects,
}

impl Opinion {
    /// The opinion of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "agrees" => Self::Agrees,
            "remarks" => Self::Remarks,
            "objects" => Self::Objects,
            _ => return None,
        })
    }

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Remarks => "remarks",
            Self::Objects => "objects",
        }
    }
}

/// That no answer is wanted any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Why.
    pub why: Why,
    /// When.
    pub at: Time,
    /// In the officer's words; empty where the platform ended it.
    #[serde(default)]
    pub note: String,
}

/// Why no answer is wanted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The applicant took the case back.
    Withdrawn,
    /// The officer took the question back.
    TakenBack,
    /// The officer proposed an outcome without it, its time being over.
    GoneOn,
    /// The agency stopped handling the case.
    Stopped,
    /// The asked unit has ended, and nobody here can answer in its place.
    UnitGone,
}

impl Why {
    /// Its word in facts and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::TakenBack => "taken-back",
            Self::GoneOn => "gone-on",
            Self::Stopped => "stopped",
            Self::UnitGone => "unit-gone",
        }
    }
}

impl Consult {
    /// True while an answer is wanted.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.answer.is_none() && self.ended.is_none()
    }

    /// True when it is answered too late, or is not answered and late by now.
    #[must_use]
    pub fn is_late(&self, now: Time) -> bool {
        match (&self.answer, &self.ended) {
            (Some(answer), _) => answer.at > self.due,
            (None, Some(ended)) => ended.at > self.due,
            (None, None) => now > self.due,
        }
    }
}

impl Case {
    /// A consult by its number.
    #[must_use]
    pub fn consult(&self, number: u32) -> Option<&Consult> {
        self.course.consults.iter().find(|one| one.number == number)
    }

    /// What the procedure says about asking, when so many more opinions can be asked for.
    ///
    /// # Errors
    /// `consult-never`, `consult-too-many` (409).
    pub fn may_consult<'p>(&self, procedure: &'p Procedure, more: usize) -> Result<&'p ConsultRule, Problem> {
        let rule = procedure.consult.as_ref();
        let rule = rule.ok_or(Problem::new(Kind::Conflict, "consult-never"))?;
        if self.course.consults.len().saturating_add(more) > rule.most {
            return Err(Problem::new(Kind::Conflict, "consult-too-many").with("most", rule.most));
        }
        Ok(rule)
    }

    /// Where the procedure waits for opinions, nothing is proposed before all are there or their time is over.
    ///
    /// # Errors
    /// `case-consult-waits` (409).
    pub fn consults_awaited(&self, procedure: &Procedure, now: Time) -> Result<(), Problem> {
        if procedure.consult.as_ref().is_none_or(|rule| !rule.waits) {
            return Ok(());
        }
        let awaited = self.course.consults.iter();
        let awaited = awaited.filter(|one| one.is_open() && !one.is_late(now)).count();
        match awaited {
            0 => Ok(()),
            count => Err(Problem::new(Kind::Conflict, "case-consult-waits").with("count", count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::{TermRule, Text, Topic};
    use crate::testing::{birth, case};

    fn text(words: &str) -> Text {
        Text {
            vi: words.to_owned(),
            en: words.to_owned(),
        }
    }

    fn procedure(waits: bool) -> Procedure {
        let mut procedure = Procedure::clone(&birth());
        procedure.consult = Some(ConsultRule {
            most: 2,
            waits,
            silence_agrees: false,
            pages: Vec::new(),
            papers: Vec::new(),
            topics: vec![Topic {
                code: "site".to_owned(),
                name: text("Địa điểm"),
                question: text("Có phù hợp không?"),
                rule: TermRule::WorkingDays { days: 3 },
            }],
        });
        procedure
    }

    fn asked(number: u32, due: i64) -> Consult {
        Consult {
            number,
            unit: "H56.14797".parse().expect("a code"),
            topic: "site".to_owned(),
            question: "Có phù hợp không?".to_owned(),
            by: "tich".to_owned(),
            by_name: "Nguyễn Văn Tịch".to_owned(),
            at: Time(0),
            due: Time(due),
            rule: "working-days".to_owned(),
            answer: None,
            ended: None,
        }
    }

    fn answered(number: u32, due: i64, at: i64) -> Consult {
        Consult {
            answer: Some(Answer {
                opinion: Opinion::Agrees,
                text: String::new(),
                paper: false,
                by: "ban".to_owned(),
                by_name: "Trần Văn Bạn".to_owned(),
                at: Time(at),
            }),
            ..asked(number, due)
        }
    }

    #[test]
    fn a_proposal_waits_until_all_have_answered_or_their_time_is_over_where_the_procedure_says_so() {
        let mut case = case(&birth());
        case.course.consults = vec![answered(1, 10, 5), asked(2, 20)];
        let waits = procedure(true);
        assert_eq!(
            case.consults_awaited(&waits, Time(20))
                .expect_err("one is awaited")
                .code,
            "case-consult-waits"
        );
        assert_eq!(case.consults_awaited(&waits, Time(21)), Ok(()));
        assert_eq!(case.consults_awaited(&procedure(false), Time(5)), Ok(()));
        assert_eq!(case.consults_awaited(&birth(), Time(5)), Ok(()));
        case.course.consults = vec![answered(1, 10, 5), answered(2, 20, 6)];
        assert_eq!(case.consults_awaited(&waits, Time(7)), Ok(()));
    }

    #[test]
    fn no_more_opinions_are_asked_for_than_the_procedure_allows_and_none_where_it_names_nothing() {
        let mut case = case(&birth());
        let rule = procedure(true);
        assert!(case.may_consult(&rule, 2).is_ok());
        case.course.consults = vec![asked(1, 10)];
        assert_eq!(
            case.may_consult(&rule, 2).expect_err("three").code,
            "consult-too-many"
        );
        assert_eq!(
            case.may_consult(&birth(), 1).expect_err("none").code,
            "consult-never"
        );
    }

    #[test]
    fn the_due_instant_itself_is_in_time_and_an_answer_stays_what_it_was() {
        assert!(!asked(1, 10).is_late(Time(10)));
        assert!(asked(1, 10).is_late(Time(11)));
        assert!(!answered(1, 10, 10).is_late(Time(99)));
        assert!(answered(1, 10, 11).is_late(Time(99)));
        for opinion in [Opinion::Agrees, Opinion::Remarks, Opinion::Objects] {
            assert_eq!(Opinion::of(opinion.as_str()), Some(opinion));
        }
        assert_eq!(Opinion::of("perhaps"), None);
    }
}
