//! What a citizen is told of each step of a case (thông báo): the inbox at the portal. The noun, and how a step gets
//! in: in the same write as the step itself, once. Never holds a person, an answer or a reason: those stand with the case.

mod mark;
pub mod page;
pub mod read;

use ::store::Tx;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::Lang;

use crate::case::Case;
use crate::mandate;
use crate::notice::Notice;
use crate::portal::note_status::StatusNote;
use crate::store as rows;
use crate::store::inbox::EntryRow;
use crate::telling::words::{Place, moment};

pub use mark::Unread;

/// What stands for an instant that is not known.
const NO_TIME: &str = "–";

/// A step of a case, as its applicant is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Step {
    /// It was filed.
    Filed,
    /// A fee is owed.
    FeeAsked,
    /// The fee was received.
    FeePaid,
    /// The agency took it in.
    Accepted {
        /// By when the result is owed.
        due: Option<Time>,
    },
    /// The agency did not take it in.
    Declined,
    /// Something is missing.
    Supplement {
        /// The last instant at which it can be given; unknown where the owner tells the status alone.
        until: Option<Time>,
    },
    /// Something has become known to be owed.
    Charge {
        /// By when it is to be paid.
        until: Time,
    },
    /// The charge was received.
    ChargePaid,
    /// Money came that is not owed any more.
    PaymentReturned,
    /// What was waited for is there.
    Resumed {
        /// By when the result is owed.
        due: Option<Time>,
    },
    /// The draft of the result waits for a look.
    Draft {
        /// From then on silence is consent.
        until: Time,
    },
    /// The date will be missed.
    Apology {
        /// By when the result is owed now.
        due: Time,
    },
    /// The date was counted anew.
    Recounted {
        /// By when the result was owed before.
        was: Time,
        /// By when it is owed now.
        due: Time,
    },
    /// Another unit handles it.
    Moved,
    /// The result is there.
    Ready,
    /// What was asked is refused.
    Refused,
    /// The result was handed over to the post.
    Posted {
        /// The parcel's number.
        parcel: String,
    },
    /// The parcel came back; the result waits at the desk.
    ParcelBack,
    /// Another agency did its part.
    FollowedUp,
    /// Another agency refused to do its part.
    FollowFailed,
    /// The applicant took it back.
    Withdrawn,
    /// The agency stopped.
    Stopped,
}

impl Step {
    /// The words of all steps.
    pub const KINDS: [&'static str; 22] = [
        "filed",
        "fee-asked",
        "fee-paid",
        "accepted",
        "declined",
        "supplement",
        "charge",
        "charge-paid",
        "payment-returned",
        "resumed",
        "draft",
        "apology",
        "recounted",
        "moved",
        "ready",
        "refused",
        "posted",
        "parcel-back",
        "followed-up",
        "follow-failed",
        "withdrawn",
        "stopped",
    ];

    /// The step's word, as rows and the pack write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::FeeAsked => "fee-asked",
            Self::FeePaid => "fee-paid",
            Self::Accepted { .. } => "accepted",
            Self::Declined => "declined",
            Self::Supplement { .. } => "supplement",
            Self::Charge { .. } => "charge",
            Self::ChargePaid => "charge-paid",
            Self::PaymentReturned => "payment-returned",
            Self::Resumed { .. } => "resumed",
            Self::Draft { .. } => "draft",
            Self::Apology { .. } => "apology",
            Self::Recounted { .. } => "recounted",
            Self::Moved => "moved",
            Self::Ready => "ready",
            Self::Refused => "refused",
            Self::Posted { .. } => "posted",
            Self::ParcelBack => "parcel-back",
            Self::FollowedUp => "followed-up",
            Self::FollowFailed => "follow-failed",
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
        }
    }

    /// True when the applicant has to do something, or the date or the outcome is another one than before.
    #[must_use]
    pub const fn matters(&self) -> bool {
        !matches!(
            self,
            Self::Filed
                | Self::FeePaid
                | Self::ChargePaid
                | Self::Accepted { .. }
                | Self::Resumed { .. }
                | Self::Moved
        )
    }

    /// What an owner's note says to the applicant; `None` when nothing changes for them. `before` is the status until
    /// now.
    #[must_use]
    pub fn of_note(note: &StatusNote, before: Option<u8>) -> Option<Self> {
        if let Some(notice) = &note.notice {
            return Self::of_notice(notice);
        }
        if before == Some(note.status) {
            return None;
        }
        let due = note.due;
        match (before, note.status) {
            (Some(5 | 6), 2 | 4) => Some(Self::Resumed { due }),
            (_, 2) | (None | Some(1), 4) => Some(Self::Accepted { due }),
            (_, 3) => Some(Self::Declined),
            (_, 5) => Some(Self::Supplement { until: None }),
            (_, 6) => Some(Self::FeeAsked),
            (_, 7) => Some(Self::Withdrawn),
            (_, 8) => Some(Self::Stopped),
            // Online the result is there with the decision; what follows only says that it was given.
            (Some(9), 10) => None,
            (_, 9 | 10) => Some(Self::Ready),
            _ => None,
        }
    }

    fn of_notice(notice: &Notice) -> Option<Self> {
        Some(match notice {
            Notice::Declined { .. } => Self::Declined,
            Notice::Refused { .. } => Self::Refused,
            Notice::Stopped { .. } => Self::Stopped,
            Notice::Supplement { until, .. } => Self::Supplement { until: Some(*until) },
            Notice::Charge { until, .. } => Self::Charge { until: *until },
            Notice::Draft { until } => Self::Draft { until: *until },
            Notice::Apology { due, .. } => Self::Apology { due: *due },
            Notice::Recounted { was, due, .. } => Self::Recounted { was: *was, due: *due },
            Notice::Posted { parcel, .. } => Self::Posted {
                parcel: parcel.clone(),
            },
            Notice::ParcelEnded { outcome, .. } if outcome == "came-back" => Self::ParcelBack,
            // Who has it knows.
            Notice::ParcelEnded { .. } => return None,
            Notice::FollowedUp { .. } => Self::FollowedUp,
            Notice::FollowFailed { .. } => Self::FollowFailed,
            Notice::Moved { .. } => Self::Moved,
            // The applicant has the answer itself.
            Notice::AnswerPublished { .. } | Notice::AnswerUnpublished { .. } => return None,
        })
    }

    /// What fills the places of its text.
    pub(crate) fn places(&self, code: &str, lang: Lang) -> Vec<Place> {
        let time = |at: Option<Time>| at.map_or_else(|| NO_TIME.to_owned(), |at| moment(at, lang));
        let mut places = vec![("code", code.to_owned())];
        match self {
            Self::Accepted { due } | Self::Resumed { due } => places.push(("due", time(*due))),
            Self::Supplement { until } => places.push(("until", time(*until))),
            Self::Draft { until } | Self::Charge { until } => places.push(("until", time(Some(*until)))),
            Self::Apology { due } => places.push(("due", time(Some(*due)))),
            Self::Recounted { was, due } => {
                places.push(("was", time(Some(*was))));
                places.push(("due", time(Some(*due))));
            }
            Self::Posted { parcel } => places.push(("parcel", parcel.clone())),
            _ => {}
        }
        places
    }
}

/// Writes a step of a case into its applicant's inbox and into that of who acts for them now, and puts it in line for
/// each way by which they want to be told. `mark` tells the steps of a case apart: one that was written before is left as
/// it is.
///
/// # Errors
/// Unavailable.
pub(crate) async fn tell(tx: &Tx, case: &Case, mark: &str, step: Step) -> Result<(), Problem> {
    let account = case.filed_by();
    if case.applicant.account != account && mandate::acts(tx, account, case, tx.now().date()).await? {
        tell_one(tx, case, account, (mark, step.clone())).await?;
    }
    tell_one(tx, case, &case.applicant.account, (mark, step)).await
}

async fn tell_one(tx: &Tx, case: &Case, account: &str, (mark, step): (&str, Step)) -> Result<(), Problem> {
    // A case that was handed in at a desk has no account at the portal, and of a child or a company none is known.
    if account.is_empty() {
        return Ok(());
    }
    let entry = EntryRow {
        id: format!("{}/{mark}", case.code),
        code: case.code.clone(),
        at: tx.now(),
        step,
        read_at: None,
    };
    if !rows::inbox::insert(tx, account, &entry).await? {
        return Ok(());
    }
    crate::telling::queue(tx, account, &entry).await
}

/// Tells what an owner's note says to the applicant, if it says anything.
///
/// # Errors
/// Unavailable.
pub(crate) async fn heard(tx: &Tx, note: &StatusNote, before: Option<u8>) -> Result<(), Problem> {
    let Some(step) = Step::of_note(note, before) else {
        return Ok(());
    };
    let held = rows::case(tx, &note.code).await?.ok_or_else(Problem::not_found)?;
    tell(tx, &held.case, &note.seq.to_string(), step).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(status: u8, notice: Option<Notice>) -> StatusNote {
        StatusNote {
            code: "G22-261121-0001".parse().expect("a code"),
            seq: 1,
            status,
            at: testkit::START,
            due: Some(testkit::START),
            working_out: None,
            notice,
            worked: None,
            case: None,
            results: Vec::new(),
        }
    }

    #[test]
    fn a_status_tells_what_it_means_to_the_applicant_and_nothing_twice() {
        for (before, status, told) in [
            (Some(1), 2, Some("accepted")),
            (Some(2), 4, None),
            (Some(1), 4, Some("accepted")),
            (Some(5), 4, Some("resumed")),
            (Some(4), 4, None),
            (Some(1), 3, Some("declined")),
            (Some(2), 5, Some("supplement")),
            (Some(4), 6, Some("fee-asked")),
            (Some(4), 7, Some("withdrawn")),
            (Some(4), 8, Some("stopped")),
            (Some(4), 9, Some("ready")),
            (Some(9), 10, None),
            (Some(4), 10, Some("ready")),
        ] {
            let step = Step::of_note(&note(status, None), before);
            assert_eq!(step.as_ref().map(Step::kind), told, "{before:?} to {status}");
        }
        let asked = Notice::Supplement {
            items: vec!["x".to_owned()],
            reason: "y".to_owned(),
            until: testkit::START,
        };
        let step = Step::of_note(&note(5, Some(asked)), Some(2));
        assert_eq!(
            step.map(|step| (step.kind(), step.matters())),
            Some(("supplement", true))
        );
    }

    #[test]
    fn every_step_has_its_word_and_reads_back() {
        let at = testkit::START;
        let all = [
            Step::Filed,
            Step::FeeAsked,
            Step::FeePaid,
            Step::Accepted { due: Some(at) },
            Step::Declined,
            Step::Supplement { until: Some(at) },
            Step::Charge { until: at },
            Step::ChargePaid,
            Step::PaymentReturned,
            Step::Resumed { due: None },
            Step::Draft { until: at },
            Step::Apology { due: at },
            Step::Recounted { was: at, due: at },
            Step::Moved,
            Step::Ready,
            Step::Refused,
            Step::Posted {
                parcel: "RA123456785VN".to_owned(),
            },
            Step::ParcelBack,
            Step::FollowedUp,
            Step::FollowFailed,
            Step::Withdrawn,
            Step::Stopped,
        ];
        let words: Vec<&str> = all.iter().map(Step::kind).collect();
        assert_eq!(words, Step::KINDS);
        for step in all {
            let text = serde_json::to_string(&step).expect("json");
            assert!(text.contains(step.kind()), "{text}");
            assert_eq!(serde_json::from_str::<Step>(&text).expect("reads back"), step);
        }
    }
}
