//! Whom an officer may ask for an opinion while a case runs: about what, for how long, and what of the case the
//! asked units see. Pure data; what was asked and answered stands in [`crate::consult`].

use kernel::fact::Channel;
use serde::{Deserialize, Serialize};

use super::{Starts, Term, TermRule, Text};

/// What a procedure says about asking other units for an opinion (lấy ý kiến).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsultRule {
    /// Opinions that may be asked for in one case, count.
    pub most: usize,
    /// True where nothing is proposed before all who were asked have answered or their time is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
    /// True where who has not answered in time counts as having agreed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silence_agrees: bool,
    /// The pages of the form that an asked unit sees, by code.
    pub pages: Vec<String>,
    /// The papers that an asked unit sees, by code.
    pub papers: Vec<String>,
    /// What can be asked about.
    pub topics: Vec<Topic>,
}

/// What an opinion is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// No `deny_unknown_fields`: serde cannot combine it with `flatten`; the rule below denies them.
pub struct Topic {
    /// Its code within the procedure.
    pub code: String,
    /// Its name: `Phòng cháy, chữa cháy`.
    pub name: Text,
    /// What is asked, where the officer writes nothing else.
    pub question: Text,
    /// How long the asked unit has, counted from the question by its own calendar.
    #[serde(flatten)]
    pub rule: TermRule,
}

impl Topic {
    /// How long the asked unit has, as terms are counted.
    #[must_use]
    pub fn term(&self, channel: Channel) -> Term {
        Term {
            channel,
            starts: Starts::Acceptance,
            when: None,
            rule: self.rule.clone(),
        }
    }
}

impl ConsultRule {
    /// The topic of a code.
    #[must_use]
    pub fn topic(&self, code: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.code == code)
    }
}
