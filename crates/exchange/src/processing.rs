//! What the receiver of data may do with it beyond its purpose: for how long it keeps it, and who else may
//! process it (items 6 and 10). Pure: what this node keeps by it is `keeping`'s.

use kernel::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Days that an agreement can say, count at most: a hundred years.
pub(crate) const RETENTION_DAYS_MAX: u32 = 36_500;
/// Organisations that one agreement lets process, count.
const NAMES_MAX: usize = 50;
/// Size of the code or the name of one, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// Nobody, as an agreement's text says it.
const NOBODY: &str = "none";

/// Who else may process what was received: nobody, or organisations by their codes or names. An agreement
/// without it says nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SubProcessingText", into = "SubProcessingText")]
pub struct SubProcessing(Vec<String>);

/// As it is written: `none`, or a list of organisations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SubProcessingText {
    /// `none`: nobody else.
    Nobody(String),
    /// Their codes or names.
    By(Vec<String>),
}

impl From<SubProcessing> for SubProcessingText {
    fn from(said: SubProcessing) -> Self {
        if said.0.is_empty() {
            Self::Nobody(NOBODY.to_owned())
        } else {
            Self::By(said.0)
        }
    }
}

impl TryFrom<SubProcessingText> for SubProcessing {
    type Error = String;

    fn try_from(text: SubProcessingText) -> Result<Self, String> {
        text.read()
            .map_err(|_| format!("sub_processing: \"{NOBODY}\", or 1 to {NAMES_MAX} organisations"))
    }
}

impl SubProcessingText {
    /// The lines of a form: none for nothing said, the word alone for nobody.
    pub(crate) fn of_lines(lines: Vec<String>) -> Option<Self> {
        match lines.as_slice() {
            [] => None,
            [one] if one == NOBODY => Some(Self::Nobody(one.clone())),
            _ => Some(Self::By(lines)),
        }
    }

    /// What it says.
    ///
    /// # Errors
    /// 422 `agreement-sub-processing` at `sub_processing`.
    pub(crate) fn read(self) -> Result<SubProcessing, Problem> {
        let bad = || Problem::invalid("sub_processing", "agreement-sub-processing").with("max", NAMES_MAX);
        let names = match self {
            Self::Nobody(word) if word == NOBODY => return Ok(SubProcessing(Vec::new())),
            Self::Nobody(_) => return Err(bad()),
            Self::By(names) => names,
        };
        let is_name = |name: &String| {
            let plain = !name.is_empty() && name.trim() == name && !name.chars().any(char::is_control);
            plain && name.len() <= NAME_BYTES_MAX && name != NOBODY
        };
        let mut once = names.clone();
        once.sort();
        once.dedup();
        let good = (1..=NAMES_MAX).contains(&names.len()) && once.len() == names.len();
        if good && names.iter().all(is_name) {
            Ok(SubProcessing(names))
        } else {
            Err(bad())
        }
    }
}

impl SubProcessing {
    /// The organisations; none for nobody.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The lines of a form.
    pub(crate) fn lines(&self) -> String {
        if self.0.is_empty() {
            NOBODY.to_owned()
        } else {
            self.0.join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_else_may_process_is_nobody_or_organisations_and_is_written_in_one_way_only() {
        let read = |text: &str| serde_json::from_str::<SubProcessing>(text).ok();
        let nobody = read("\"none\"").expect("nobody");
        assert!(nobody.names().is_empty());
        assert_eq!(serde_json::to_string(&nobody).expect("json"), "\"none\"");
        let two = read(r#"["G15","Công ty A"]"#).expect("two");
        assert_eq!(two.names(), ["G15", "Công ty A"]);
        assert_eq!(
            serde_json::to_string(&two).expect("json"),
            r#"["G15","Công ty A"]"#
        );
        for wrong in [
            "\"nobody\"",
            "[]",
            r#"[""]"#,
            r#"["none"]"#,
            r#"["G15","G15"]"#,
            r#"[" G15"]"#,
            "[1]",
            "null",
            "{}",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let many: Vec<String> = (0..=NAMES_MAX).map(|n| format!("O{n}")).collect();
        assert!(SubProcessingText::By(many).read().is_err());
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        assert!(SubProcessingText::By(vec![long]).read().is_err());
    }
}
