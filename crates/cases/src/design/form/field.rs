//! What is asked about each part of a document: keys, and what stands in them. Never what is right: the rules of
//! documents say that.

use super::{List, Part};
use crate::pack::ROLES;

/// What an answer about a part looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A line.
    Line,
    /// A line of a rule or a code; never read as words.
    Code,
    /// A line in each language.
    Words,
    /// A whole number.
    Number,
    /// Yes or no.
    Tick,
    /// One of some words, or nothing.
    One(&'static [&'static str]),
    /// One of the document's states.
    OneState,
    /// Lines, each a value of its own.
    Lines,
    /// Lines, each a sentence in both languages, parted by `|`.
    Pairs,
    /// Lines, each a value and its name in both languages, parted by `|`.
    Choices,
}

/// A field of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its key in the document; of a term's length, `amount`.
    pub(crate) key: &'static str,
    /// What stands in it.
    pub(crate) input: Input,
    /// True where the document cannot be read without it.
    pub(crate) needed: bool,
}

/// The kinds of questions, in the order in which they are offered.
pub(crate) const KINDS: [&str; 15] = [
    "text",
    "long-text",
    "name",
    "date",
    "number",
    "money",
    "yes-no",
    "choice",
    "many-of",
    "personal-number",
    "business-id",
    "phone",
    "email",
    "commune",
    "address",
];
/// What the clock does in a state.
pub(crate) const CLOCKS: [&str; 4] = ["off", "run", "pause", "stop"];
/// What can be done with a case.
pub(crate) const VERBS: [&str; 16] = [
    "accept",
    "decline",
    "ask-supplement",
    "supplement",
    "ask-payment",
    "pay",
    "consult",
    "propose",
    "check-draft",
    "enter-act",
    "send-back",
    "sign",
    "seal",
    "withdraw",
    "stop",
    "return",
];
/// How a term is counted.
pub(crate) const RULES: [&str; 6] = [
    "working-days",
    "working-hours",
    "calendar-days",
    "hours",
    "months",
    "same-day",
];
/// How the clock of a step is counted.
pub(crate) const STEP_RULES: [&str; 2] = ["working-days", "working-hours"];
/// The fields of a state's own clock, which the document has as `term`.
pub(crate) const STEP_RULE: &str = "step_rule";
pub(crate) const STEP_AMOUNT: &str = "step_amount";
/// How a case is filed.
pub(crate) const CHANNELS: [&str; 3] = ["online", "counter", "post"];
/// From when a term counts, where that is not acceptance.
pub(crate) const STARTS: [&str; 1] = ["next-day"];
/// Which units receive a case.
pub(crate) const LEVELS: [&str; 2] = ["commune", "province"];
/// What a personal number says.
pub(crate) const SEXES: [&str; 2] = ["male", "female"];

const fn needed(key: &'static str, input: Input) -> Field {
    Field {
        key,
        input,
        needed: true,
    }
}

const fn free(key: &'static str, input: Input) -> Field {
    Field {
        key,
        input,
        needed: false,
    }
}

const HEAD: [Field; 7] = [
    needed("name", Input::Words),
    needed("level", Input::One(&LEVELS)),
    needed("receiver", Input::Code),
    needed("first_state", Input::OneState),
    needed("valid_from", Input::Code),
    needed("legal_basis", Input::Lines),
    needed("before_you_start", Input::Pairs),
];
const FEE: [Field; 6] = [
    needed("name", Input::Words),
    needed("dong", Input::Number),
    free("per", Input::Code),
    free("most", Input::Number),
    free("times", Input::Code),
    needed("legal_basis", Input::Line),
];
const STATE: [Field; 7] = [
    needed("code", Input::Code),
    needed("label", Input::Words),
    needed("status", Input::Number),
    needed("clock", Input::One(&CLOCKS)),
    free("role", Input::One(&ROLES)),
    free(STEP_RULE, Input::One(&STEP_RULES)),
    free(STEP_AMOUNT, Input::Number),
];
const TERM: [Field; 4] = [
    needed("channel", Input::One(&CHANNELS)),
    needed("rule", Input::One(&RULES)),
    needed("amount", Input::Number),
    free("starts", Input::One(&STARTS)),
];
const PAPER: [Field; 3] = [
    needed("code", Input::Code),
    needed("name", Input::Words),
    needed("required", Input::Tick),
];
const PAGE: [Field; 3] = [
    needed("code", Input::Code),
    needed("title", Input::Words),
    free("show", Input::Code),
];
const QUESTION: [Field; 14] = [
    needed("code", Input::Code),
    needed("label", Input::Words),
    free("heading", Input::Words),
    free("hint", Input::Words),
    needed("kind", Input::One(&KINDS)),
    free("required", Input::Tick),
    free("choices", Input::Choices),
    free("choices_from", Input::Code),
    free("least", Input::Number),
    free("greatest", Input::Number),
    free("unit", Input::Words),
    free("born", Input::Code),
    free("sex", Input::One(&SEXES)),
    free("show", Input::Code),
];
const TRANSITION: [Field; 4] = [
    needed("verb", Input::One(&VERBS)),
    needed("from", Input::OneState),
    needed("to", Input::OneState),
    needed("role", Input::One(&ROLES)),
];

impl Part {
    /// What is asked about it.
    pub(crate) const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Head => &HEAD,
            Self::Fee => &FEE,
            Self::State(_) => &STATE,
            Self::Item(List::Terms, _) => &TERM,
            Self::Item(List::Papers, _) => &PAPER,
            Self::Item(List::Pages, _) => &PAGE,
            Self::Item(List::Questions(_), _) => &QUESTION,
            Self::Item(List::Transitions, _) => &TRANSITION,
        }
    }
}

/// The key under which a term keeps its length, by its rule.
pub(crate) fn amount_key(rule: &str) -> &'static str {
    match rule {
        "working-hours" | "hours" => "hours",
        "months" => "months",
        "same-day" => "cutoff",
        _ => "days",
    }
}

/// The keys under which a term can keep its length.
pub(crate) const AMOUNTS: [&str; 4] = ["days", "hours", "months", "cutoff"];

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;
    use crate::procedure::{Clock, QuestionKind, TermRule, Verb};

    fn all_read<T: DeserializeOwned>(words: &[&str]) {
        for word in words {
            assert!(serde_json::from_value::<T>(json!(word)).is_ok(), "{word}");
        }
    }

    #[test]
    fn every_word_that_the_form_offers_is_one_of_documents() {
        all_read::<QuestionKind>(&KINDS);
        all_read::<Clock>(&CLOCKS);
        all_read::<Verb>(&VERBS);
        all_read::<kernel::fact::Channel>(&CHANNELS);
        all_read::<crate::procedure::Starts>(&STARTS);
        all_read::<kernel::codes::Sex>(&SEXES);
        for rule in RULES {
            let term = json!({"rule": rule, amount_key(rule): 3});
            assert!(serde_json::from_value::<TermRule>(term).is_ok(), "{rule}");
            assert!(AMOUNTS.contains(&amount_key(rule)));
        }
    }
}
