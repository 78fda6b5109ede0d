//! What an owner tells the applicant beside a bare status: that something is asked, a draft to look
//! at, a letter. Travels with the status it belongs to. Pure data.

use kernel::Time;
use kernel::calendar::Line;
use serde::{Deserialize, Serialize};

use crate::procedure::Text;

/// A notice to the applicant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Notice {
    /// The case is not taken in.
    Declined {
        /// Why.
        reason: String,
    },
    /// What was asked is refused; the notice of refusal travels as the result.
    Refused {
        /// Why.
        reason: String,
    },
    /// The agency stopped handling the case; the notice travels as a document.
    Stopped {
        /// Why.
        reason: String,
    },
    /// Something is missing; the slip travels as a document.
    Supplement {
        /// What, one sentence each.
        items: Vec<String>,
        /// Why.
        reason: String,
        /// The last instant at which it can be given.
        until: Time,
    },
    /// Something has become known to be owed; the notice travels as a document.
    Charge {
        /// Its number within the case, from 1.
        number: u32,
        /// What it is called.
        name: Text,
        /// The amount in dong.
        dong: u64,
        /// How it comes about.
        ground: String,
        /// The act that it rests on.
        legal_basis: String,
        /// By when it is to be paid.
        until: Time,
        /// True where the agency's time runs on until it is paid.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        counts: bool,
    },
    /// The draft of the result waits for a look; it travels as a document.
    Draft {
        /// From then on silence is consent.
        until: Time,
    },
    /// A date will be missed; the letter travels as a document.
    Apology {
        /// Why.
        reason: String,
        /// By when the result is owed now.
        due: Time,
    },
    /// Holidays or hours were announced otherwise, and the date was counted anew.
    Recounted {
        /// By when the result was owed before.
        was: Time,
        /// By when it is owed now.
        due: Time,
        /// The days that count otherwise now, in order.
        days: Vec<Line>,
    },
    /// Another agency did its part; what it gave.
    FollowedUp {
        /// Its name.
        name: Text,
        /// The number it gave.
        number: String,
    },
    /// Another agency refused to do its part; who decided the case looks into it.
    FollowFailed {
        /// Its name.
        name: Text,
    },
    /// The result was handed over to the post.
    Posted {
        /// The parcel's number.
        parcel: String,
        /// Working days that the post needs.
        days: u32,
    },
    /// What became of the parcel.
    ParcelEnded {
        /// Its number.
        parcel: String,
        /// `delivered`, `came-back`, `given`.
        outcome: String,
        /// On which day, `2026-11-25`.
        on: String,
    },
    /// Another unit handles the case from now on.
    Moved {
        /// The unit's code.
        unit: String,
    },
    /// The answer is there for everybody to read, in words that name nobody.
    AnswerPublished {
        /// Its number among published answers.
        number: String,
        /// The unit that is told as having answered.
        unit: String,
        /// What it is about, where that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Text>,
        /// What was asked.
        asked: String,
        /// What was answered.
        answer: String,
        /// When it was answered.
        answered: Time,
    },
    /// It is there no longer.
    AnswerUnpublished {
        /// Its number.
        number: String,
        /// Why, for everybody to read.
        reason: String,
    },
}
