//! Rules in CEL (Common Expression Language) over the answers to a form: what is asked (`show`), what must hold
//! (`check`), what it costs (`fee`), when something may be done (`guard`), how long it may take (`duration`). One
//! evaluator for publishing, showing, filing and deciding. Pure: it sees answers and a day, nothing else.
//!
//! | read | for |
//! |---|---|
//! | `expression` | a rule's text, read and bounded |
//! | `types` | whether it fits the form |
//! | `evaluate` | its value over answers |
//! | `asked` | which questions are asked, by their `show` |
//! | `broken` | which `check` does not hold |
//! | `tried` | answers with which a document's rules are tried |

mod asked;
mod broken;
mod evaluate;
mod expression;
mod tried;
mod types;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use cel::Value;
use kernel::{Kind, Problem};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use asked::Asked;
pub(crate) use broken::broken;
pub use evaluate::Given;
pub use expression::{BRACKETS_MAX, CHARS_MAX, DEPTH_MAX, Expression, ITEMS_MAX, STEPS_MAX, Unusable};
pub(crate) use tried::Tries;
pub use types::{Misfit, Type, fits, of as type_of};

use crate::procedure::Text;

/// A rule of a procedure: a text of the document, read once for each version.
#[derive(Clone)]
pub struct Rule {
    text: String,
    read: OnceLock<Arc<Expression>>,
}

impl Rule {
    /// A rule with a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            read: OnceLock::new(),
        }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The rule as it was read; it is read when it is first asked for.
    ///
    /// # Errors
    /// Why it cannot be used: a document with such a rule is not published.
    pub fn expression(&self) -> Result<&Expression, Unusable> {
        if let Some(read) = self.read.get() {
            return Ok(read);
        }
        let read = Arc::new(Expression::read(&self.text)?);
        Ok(self.read.get_or_init(|| read))
    }

    /// The fields it takes or asks about, each once, by name; `count` of a fee is among them.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let Ok(expression) = self.expression() else {
            return Vec::new();
        };
        let all: std::collections::BTreeSet<&String> = expression.reads.union(&expression.asks).collect();
        all.into_iter().map(String::as_str).collect()
    }

    /// The fields whose values it takes.
    #[must_use]
    pub fn reads(&self) -> Vec<&str> {
        let read = self
            .expression()
            .map(|e| e.reads.iter().map(String::as_str).collect());
        read.unwrap_or_default()
    }

    /// The fields of which it asks whether they are answered.
    #[must_use]
    pub fn asks(&self) -> Vec<&str> {
        let read = self
            .expression()
            .map(|e| e.asks.iter().map(String::as_str).collect());
        read.unwrap_or_default()
    }

    /// Whether it holds; none when that cannot be said, as something it takes was not answered.
    #[must_use]
    pub fn holds(&self, given: &Given<'_>) -> Option<bool> {
        match evaluate::worked_out(self.expression().ok()?, given)? {
            Value::Bool(holds) => Some(holds),
            _ => None,
        }
    }

    /// The amount it gives, in dong; none when that cannot be said, or is below nothing.
    #[must_use]
    pub fn amount(&self, given: &Given<'_>) -> Option<u64> {
        match evaluate::worked_out(self.expression().ok()?, given)? {
            Value::Int(dong) => u64::try_from(dong).ok(),
            _ => None,
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({:?})", self.text)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Rule {}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Ok(Self {
            text,
            read: OnceLock::new(),
        })
    }
}

/// A rule with what is said of it: what is wrong when a `check` does not hold, why something cannot be done yet
/// where a `guard` does not, to which cases a term applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The rule.
    pub rule: Rule,
    /// What is said, in a sentence.
    pub says: Text,
}

impl Condition {
    /// A problem in the words of the condition.
    #[must_use]
    pub(crate) fn problem(&self, kind: Kind, code: &'static str) -> Problem {
        Problem::new(kind, code)
            .with("says_vi", &self.says.vi)
            .with("says_en", &self.says.en)
    }
}
