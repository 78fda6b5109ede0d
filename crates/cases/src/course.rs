//! What happens to a case on its way besides the straight line: what was asked for, the draft of
//! the result, letters, the applicant's own steps. Pure data kept with the case; the facts say the
//! same, and [`crate::case::state_after`] folds them.

use kernel::fact::{DraftAnswer, points_by_number};
use kernel::{Digest, Time};
use serde::{Deserialize, Serialize};

use crate::clock::fold::Event;
use crate::consult::Consult;
use crate::cosign::Cosigned;
use crate::criteria::Points;
use crate::mandate::Representative;
use crate::payment::Paid;
use crate::post::ByPost;

/// Everything that happened on a case's way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Course {
    /// Why it was not taken in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declined: Option<Declined>,
    /// What the applicant was asked for: once, so at most one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplement: Option<Supplement>,
    /// What the applicant was asked to pay while the case was handled, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// The newest draft of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<ResultDraft>,
    /// The letter that a date will be missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apology: Option<Apology>,
    /// That the applicant took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawn>,
    /// That the agency stopped handling it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// That it was handed in at a desk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intake: Option<Intake>,
    /// That the originals that were kept went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub originals: Option<OriginalsReturned>,
    /// That its result goes by post.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<ByPost>,
    /// Who signed it besides its applicant, before it was filed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cosigned: Vec<Cosigned>,
    /// Who filed it for its applicant, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<Representative>,
    /// The fee that was paid for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<Paid>,
    /// The act that the result repeats, as the register answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<serde_json::Value>,
    /// What other agencies did once the result was there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub followed_up: Vec<FollowedUp>,
    /// What other agencies refused to do, until they are asked again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub follow_failed: Vec<FollowFailed>,
    /// The opinions that other units were asked for, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consults: Vec<Consult>,
    /// How the applicant rated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// What happened to its clock, in order: what its due date is counted from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clock: Vec<Event>,
}

/// That a case was handed in at a desk, and by whom it was typed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intake {
    /// The receptionist's account.
    pub by: String,
    /// The receptionist's name.
    pub by_name: String,
    /// At whose desk.
    pub at: kernel::OrgCode,
    /// Codes of the papers that are kept on paper.
    pub on_paper: Vec<String>,
}

/// What another agency did once the result was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedUp {
    /// The follow-up's code in the procedure.
    pub code: String,
    /// What the agency answered: the number of a card.
    pub number: String,
    /// When.
    pub at: Time,
}

/// What another agency refused to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowFailed {
    /// The follow-up's code in the procedure.
    pub code: String,
    /// Why, as the agency's system names it.
    pub why: String,
    /// When.
    pub at: Time,
}

/// The desk did not take a case in (từ chối tiếp nhận).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// Why.
    pub reason: String,
    /// The official's account.
    pub by: String,
    /// When.
    pub at: Time,
    /// The refusal slip's document id.
    pub slip: String,
}

/// A supplement asked for (yêu cầu bổ sung).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplement {
    /// What is missing or wrong, one sentence each.
    pub items: Vec<String>,
    /// Why it is needed.
    pub reason: String,
    /// The official's account.
    pub by: String,
    /// When.
    pub at: Time,
    /// The last instant at which it can be given.
    pub until: Time,
    /// The slip's document id (Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ).
    pub slip: String,
    /// When the applicant gave it.
    #[serde(default)]
    pub given_at: Option<Time>,
}

/// What became known to be owed while the case was handled, and was asked for (nghĩa vụ tài chính).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Its number within the case, from 1.
    pub number: u32,
    /// Its kind's code in the procedure.
    pub code: String,
    /// The amount in dong.
    pub dong: u64,
    /// How it comes about, in the officer's words.
    pub ground: String,
    /// The officer's account.
    pub by: String,
    /// When.
    pub at: Time,
    /// By when it is to be paid. It can be paid later as long as the case waits for it.
    pub until: Time,
    /// The notice's document id.
    pub notice: String,
    /// True where the agency's time runs on until it is paid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts: bool,
    /// That it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Paid>,
    /// When it was awaited no longer: it was paid, or the case went on or ended without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

/// A draft of the result that the applicant looks at (bản dự thảo).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultDraft {
    /// The document's id, as the applicant was given it.
    #[serde(default)]
    pub document: String,
    /// The unsigned PDF, a blob.
    pub digest: Digest,
    /// When it went out.
    pub at: Time,
    /// From then on silence is consent.
    pub until: Time,
    /// What came of it.
    #[serde(default)]
    pub answer: Option<DraftAnswer>,
    /// When.
    #[serde(default)]
    pub answered_at: Option<Time>,
    /// What the applicant finds wrong.
    #[serde(default)]
    pub note: String,
}

/// A letter of apology before a date is missed (thư xin lỗi và hẹn lại).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apology {
    /// Why.
    pub reason: String,
    /// By when the result was owed.
    pub was_due: Time,
    /// By when it is owed now.
    pub due: Time,
    /// When.
    pub at: Time,
    /// The official's account.
    pub by: String,
    /// The letter's document id.
    pub letter: String,
}

/// The applicant took the case back (rút hồ sơ).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// Why, in the applicant's words; may be empty.
    pub reason: String,
    /// When.
    pub at: Time,
}

/// The agency stopped handling a case (dừng giải quyết hồ sơ).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Why.
    pub reason: String,
    /// The official's account.
    pub by: String,
    /// When.
    pub at: Time,
    /// The notice's document id.
    pub notice: String,
}

/// The originals that were kept with a case went back to its applicant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginalsReturned {
    /// The receptionist's account.
    pub by: String,
    /// The receptionist's name.
    pub by_name: String,
    /// When.
    pub at: Time,
}

/// How the applicant rates the handling (đánh giá sự hài lòng).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// 1 (very dissatisfied) to 5 (very satisfied).
    pub score: u8,
    /// In the applicant's words; may be empty.
    pub note: String,
    /// Points by the criteria that were asked and answered.
    #[serde(
        default,
        skip_serializing_if = "Points::is_empty",
        deserialize_with = "points_by_number"
    )]
    pub criteria: Points,
    /// When.
    pub at: Time,
}

impl Course {
    /// The charge that is awaited now: one at a time.
    #[must_use]
    pub fn charge(&self) -> Option<&Charge> {
        self.charges.last().filter(|charge| charge.ended_at.is_none())
    }

    /// The charge that is awaited, ended at an instant; for its payment to be written down.
    pub fn end_charge(&mut self, at: Time) -> Option<&mut Charge> {
        let awaited = |charge: &&mut Charge| charge.ended_at.is_none();
        let charge = self.charges.last_mut().filter(awaited)?;
        charge.ended_at = Some(at);
        Some(charge)
    }

    /// True while nothing happened besides the straight line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
