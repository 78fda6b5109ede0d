//! What an applicant sends about a running case: a supplement, an answer to the draft of the result,
//! a withdrawal, a payment, a rating. The noun, and the wire between portal and owner. The portal keeps and sends
//! each in order, once; whether it is still in time the owner decides.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use exchange::{Ask, ServiceId};
use kernel::fact::points_by_number;
use kernel::{Actor, CaseCode, Date, Fact, Kind, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::case::{Answers, Case};
use crate::case_of;
use crate::citizen::charge;
use crate::criteria::Points;
use crate::draft::Attached;
use crate::handover::{HandoverPaper, papers};
use crate::mandate;
use crate::payment::Paid;
use crate::post::Wish;
use crate::state::Cases;
use crate::store::{self as rows, SubmissionRow};

/// The outbox topic; its keys are case codes, so that a case's submissions keep their order.
pub const TOPIC: &str = "case-submission";

/// The best score of a rating; the worst is 1.
pub const SCORE_MAX: u8 = 5;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Said {
    /// What was asked for; papers travel beside it.
    Supplement {
        /// Answers that replace those of the form, by field.
        answers: Answers,
        /// In the applicant's words.
        note: String,
    },
    /// Is the draft of the result right?
    DraftAnswer {
        /// True when it is.
        agreed: bool,
        /// What is wrong with it.
        note: String,
        /// Which draft was looked at; empty for the one that waits.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        draft: String,
    },
    /// Take the case back.
    Withdrawal {
        /// Why; may be empty.
        reason: String,
    },
    /// How the applicant wishes to get the result.
    Post {
        /// Where to send it; none for the ordinary way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wish: Option<Wish>,
    },
    /// The bank has the money for a charge: said by the portal, on the bank's signed word.
    Payment {
        /// The charge's number within the case.
        charge: u32,
        /// What was paid.
        paid: Paid,
    },
    /// How it was handled.
    Rating {
        /// 1 to 5.
        score: u8,
        /// In the applicant's words.
        note: String,
        /// Points by the criteria that were asked and answered.
        #[serde(
            default,
            skip_serializing_if = "Points::is_empty",
            deserialize_with = "points_by_number"
        )]
        criteria: Points,
    },
}

impl Said {
    /// The kind's word, as facts and rows write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Supplement { .. } => "supplement",
            Self::DraftAnswer { .. } => "draft-answer",
            Self::Withdrawal { .. } => "withdrawal",
            Self::Post { .. } => "post",
            Self::Payment { .. } => "payment",
            Self::Rating { .. } => "rating",
        }
    }
}

/// The body of `take-submission`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The case.
    pub case: CaseCode,
    /// The order within the case, from 1.
    pub seq: u32,
    /// When the applicant sent it.
    pub at: Time,
    /// By which account at the portal, of a case that was filed for somebody: both sides of a mandate may send something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What is said.
    pub said: Said,
    /// What is attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub papers: Vec<HandoverPaper>,
}

/// The answer of `take-submission`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The case.
    pub case: CaseCode,
    /// The submission's number.
    pub seq: u32,
    /// False when it came too late or is not possible any more.
    pub taken: bool,
    /// The refusal's key, such as `case-verb-not-now`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The service that takes a unit's submissions.
///
/// # Errors
/// Never for an organisation's code; the error is the parser's.
pub fn service(unit: &OrgCode) -> Result<ServiceId, Problem> {
    format!("{}/one-stop/take-submission", unit.top())
        .parse()
        .map_err(Problem::internal)
}

/// Whose papers a submission's are.
#[must_use]
pub fn holder(code: &CaseCode, seq: u32) -> String {
    format!("submission/{code}/{seq}")
}

/// Keeps a submission at the portal and puts it in line for the owner, in one write with its fact.
///
/// # Errors
/// `mandate-over` (409) for a representative whose mandate is not in force any more; unavailable.
pub(crate) async fn keep(tx: &Tx, case: &Case, said: &Said, papers: &[Attached]) -> Result<u32, Problem> {
    mandate::still_acts(tx, case).await?;
    let code = &case.code;
    let seq = rows::last_submission(tx, code).await? + 1;
    let row = SubmissionRow {
        seq,
        at: tx.now(),
        said: said.clone(),
        outcome: None,
    };
    rows::insert_submission(tx, code, &row).await?;
    for paper in papers {
        rows::attach(tx, &holder(code, seq), paper).await?;
    }
    let fact = Fact::CaseSubmissionMade {
        case: code.clone(),
        submission: seq,
        kind: said.kind().to_owned(),
    };
    tx.fact(&rows::subject(code), fact).await?;
    let line = match (&case.course.representative, tx.actor()) {
        (Some(_), Actor::Citizen(by)) => json!({ "seq": seq, "by": by }),
        _ => json!({ "seq": seq }),
    };
    tx.outbox(TOPIC, code.as_str(), &line).await?;
    Ok(seq)
}

/// True when something of this kind is on its way, or was taken.
pub(crate) fn is_said(sent: &[SubmissionRow], kind: &str) -> bool {
    let stands = |row: &&SubmissionRow| row.outcome.as_deref().is_none_or(|outcome| outcome == "taken");
    sent.iter().filter(stands).any(|row| row.said.kind() == kind)
}

/// Keeps what is said once of a case in one of some statuses; true when it is kept now, false when it was
/// said before and stands.
///
/// # Errors
/// `case-verb-not-now` (409) in any other status.
pub(crate) async fn keep_once(
    tx: &Tx,
    code: &CaseCode,
    said: &Said,
    statuses: &[u8],
) -> Result<bool, Problem> {
    if is_said(&rows::submissions(tx, code).await?, said.kind()) {
        return Ok(false);
    }
    let held = rows::case(tx, code).await?.ok_or_else(Problem::not_found)?;
    if !statuses.contains(&held.status) {
        return Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", held.status));
    }
    keep(tx, &held.case, said, &[]).await?;
    Ok(true)
}

impl Cases {
    /// Holds what a rating says against what is asked on a day: at the portal before it goes, at the owner as it comes.
    ///
    /// # Errors
    /// 422 at `score`, or at a criterion as [`crate::criteria::Criteria::check`].
    pub(crate) fn check_rating(&self, score: u8, criteria: &Points, on: Date) -> Result<(), Problem> {
        if !(1..=SCORE_MAX).contains(&score) {
            return Err(Problem::invalid("score", "case-score").with("max", SCORE_MAX));
        }
        self.catalogue.criteria().check(criteria, on)
    }
}

/// Which submission a line is about.
#[derive(Deserialize)]
struct Payload {
    seq: u32,
    /// Who sent it, of a case that was filed for somebody.
    #[serde(default)]
    by: Option<String>,
}

/// Delivers submissions to the owner.
#[derive(Clone, Debug)]
pub struct Submit(pub Cases);

#[async_trait]
impl Deliver for Submit {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let cases = &self.0;
        let code = case_of(line)?;
        let Payload { seq, by } = serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        let reader = cases.store.read(&line.tenant).await?;
        let held = rows::case(&reader, &code).await?.ok_or_else(Problem::not_found)?;
        let row = rows::submission(&reader, &code, seq)
            .await?
            .ok_or_else(|| Problem::internal(format_args!("case {code} has no submission {seq}")))?;
        let sender = by.clone().unwrap_or_else(|| held.case.filed_by().to_owned());
        let submission = Submission {
            case: code.clone(),
            seq,
            at: row.at,
            by,
            said: row.said,
            papers: papers(cases, &reader, &holder(&code, seq)).await?,
        };
        let ask = Ask {
            consumer: cases.system.clone(),
            service: service(&cases.top_now(&held.case))?,
            body: serde_json::to_vec(&submission).map_err(Problem::internal)?.into(),
            on_behalf: Actor::Citizen(sender).to_string(),
            issue: Some(code.to_string()),
            idempotency: Some(format!("{code}/submission/{seq}")),
        };
        let taken: Taken = cases.exchange.ask(ask).await?.json()?;
        if taken.case != code || taken.seq != seq {
            return Err(Problem::internal("the owner answered for another submission"));
        }
        let (code, taken, said) = (&code, &taken, &submission.said);
        cases
            .store
            .write(&line.tenant, &Actor::Platform, |tx| async move {
                let outcome = taken.why.as_deref().unwrap_or("taken");
                rows::note_outcome(&tx, code, seq, outcome).await?;
                if let (Said::Payment { charge, paid }, Some(_)) = (said, &taken.why) {
                    let held = rows::case(&tx, code).await?.ok_or_else(Problem::not_found)?;
                    charge::goes_back(&tx, &held, (*charge, paid)).await?;
                }
                Ok(())
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_sent_by_an_earlier_release_reads_and_is_written_as_it_was() {
        let earlier = r#"{"kind":"rating","score":4,"note":"Nhanh"}"#;
        let said: Said = serde_json::from_str(earlier).expect("the earlier form");
        assert!(matches!(&said, Said::Rating { criteria, .. } if criteria.is_empty()));
        assert_eq!(serde_json::to_string(&said).expect("json"), earlier);
        let now = r#"{"kind":"rating","score":4,"note":"","criteria":{"1":2,"3":0}}"#;
        let said: Said = serde_json::from_str(now).expect("the form of now");
        assert_eq!(serde_json::to_string(&said).expect("json"), now);
    }
}
