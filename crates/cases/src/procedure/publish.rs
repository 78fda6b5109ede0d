//! What a procedure says of answers that everybody can read, and of cases that came to the wrong unit. Pure data.

use serde::{Deserialize, Serialize};

/// The answer is published, once an official has confirmed words that name nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The question with what is asked or told, a text: the official begins with it.
    pub asked: String,
    /// The question, a choice, that says what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The question, yes or no, by which the applicant asks that it is not told which unit answered: of a commune
    /// everybody may know who asked. The organisation above is told then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnamed: Option<String>,
    /// How long after the answer, in working days.
    pub days: i64,
}

/// A case that came to a unit that is not competent goes on to the one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// How long after the filing, in working days.
    pub days: i64,
}
