//! A version as a form: the same document as its text, part by part. Each change is the text with that part changed
//! and its comments kept. Pure below but for the verbs: never a second form of the document that is kept.
//!
//! | read | for |
//! |---|---|
//! | `field` | what is asked about each part |
//! | `text`, `value` | a part read from the text, and the text after a change |
//! | `flow` | states and steps as a drawing with its table |
//! | `show`, `part`, `preview` | the pages |
//! | `save` | the one verb |

mod field;
mod flow;
pub(crate) mod part;
pub(crate) mod preview;
pub(crate) mod save;
pub(crate) mod show;
mod text;
mod value;
mod words;

use std::fmt;

/// The lists of a document whose parts are written by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    /// Terms, by channel.
    Terms,
    /// Papers to attach.
    Papers,
    /// Pages of the form.
    Pages,
    /// Questions of a page, counted from 0.
    Questions(usize),
    /// Steps between states.
    Transitions,
}

impl List {
    /// Those that are not in another one.
    pub(crate) const OUTER: [Self; 4] = [Self::Terms, Self::Papers, Self::Pages, Self::Transitions];

    /// Its key in the document.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Papers => "papers",
            Self::Pages => "pages",
            Self::Questions(_) => "questions",
            Self::Transitions => "transitions",
        }
    }

    fn of(key: &str) -> Option<Self> {
        Self::OUTER.into_iter().find(|list| list.key() == key)
    }
}

/// A part of a document that is written by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Name, level, receiver and what else is said once.
    Head,
    /// What it costs.
    Fee,
    /// A state by its code; nothing for a new one.
    State(Option<String>),
    /// One of a list, counted from 0; nothing for a new one.
    Item(List, Option<usize>),
}

/// The word for a part that is not there yet.
const NEW: &str = "new";

impl Part {
    /// The part of an address, `pages.0.questions.2`; `None` for what is no address.
    pub(crate) fn of(address: &str) -> Option<Self> {
        let at = |word: &str| match word {
            NEW => Some(None),
            number => number.parse().ok().map(Some),
        };
        let (first, rest) = match address.split_once('.') {
            Some((first, rest)) => (first, rest),
            None if address == "head" => return Some(Self::Head),
            None if address == "fee" => return Some(Self::Fee),
            None if address == "new-state" => return Some(Self::State(None)),
            None => return None,
        };
        if first == "states" {
            return Some(Self::State(Some(rest.to_owned())));
        }
        match rest.split_once(".questions.") {
            Some((page, question)) if first == "pages" => {
                Some(Self::Item(List::Questions(page.parse().ok()?), at(question)?))
            }
            _ => Some(Self::Item(List::of(first)?, at(rest)?)),
        }
    }

    /// Where it stands in the document, as faults say it; its list for a new one.
    pub(crate) fn pointer(&self) -> String {
        match self {
            Self::Head => String::new(),
            Self::Fee => "/fee".to_owned(),
            Self::State(Some(code)) => format!("/states/{code}"),
            Self::State(None) => "/states".to_owned(),
            Self::Item(List::Questions(page), Some(at)) => format!("/pages/{page}/questions/{at}"),
            Self::Item(List::Questions(page), None) => format!("/pages/{page}"),
            Self::Item(list, Some(at)) => format!("/{}/{at}", list.key()),
            Self::Item(list, None) => format!("/{}", list.key()),
        }
    }

    /// The word for its kind, in texts.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Fee => "fee",
            Self::State(_) => "state",
            Self::Item(List::Terms, _) => "term",
            Self::Item(List::Papers, _) => "paper",
            Self::Item(List::Pages, _) => "page",
            Self::Item(List::Questions(_), _) => "question",
            Self::Item(List::Transitions, _) => "transition",
        }
    }

    /// True for one that is not there yet.
    pub(crate) const fn is_new(&self) -> bool {
        matches!(self, Self::State(None) | Self::Item(_, None))
    }

    /// True for one that can be taken out.
    pub(crate) const fn is_removable(&self) -> bool {
        matches!(self, Self::Fee | Self::State(Some(_)) | Self::Item(_, Some(_)))
    }

    /// True for one whose place among the others says something.
    pub(crate) const fn is_movable(&self) -> bool {
        matches!(
            self,
            Self::Item(
                List::Pages | List::Questions(_) | List::Papers | List::Transitions,
                Some(_)
            )
        )
    }

    /// Its address as the id of an element.
    pub(crate) fn anchor(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        self.to_string().chars().map(plain).collect()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |at: &Option<usize>| at.map_or_else(|| NEW.to_owned(), |at| at.to_string());
        match self {
            Self::Head => f.write_str("head"),
            Self::Fee => f.write_str("fee"),
            Self::State(Some(code)) => write!(f, "states.{code}"),
            Self::State(None) => f.write_str("new-state"),
            Self::Item(List::Questions(page), at) => write!(f, "pages.{page}.questions.{}", number(at)),
            Self::Item(list, at) => write!(f, "{}.{}", list.key(), number(at)),
        }
    }
}

/// What is done with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Its fields are written, or it is added.
    Save,
    /// One place nearer to the beginning of its list.
    Up,
    /// One place nearer to the end.
    Down,
    /// It is taken out.
    Remove,
}

impl Act {
    /// The act of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "save" => Some(Self::Save),
            "up" => Some(Self::Up),
            "down" => Some(Self::Down),
            "remove" => Some(Self::Remove),
            _ => None,
        }
    }
}

#[cfg(test)]
mod trials;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_part_is_read_back() {
        for address in [
            "head",
            "fee",
            "new-state",
            "states.to-sign",
            "papers.new",
            "papers.0",
            "pages.1",
            "pages.1.questions.12",
            "pages.1.questions.new",
            "terms.2",
            "transitions.3",
        ] {
            let part = Part::of(address).expect(address);
            assert_eq!(part.to_string(), address);
        }
        for none in [
            "",
            "tail",
            "papers",
            "papers.x",
            "pages.x.questions.1",
            "acts.0",
            "papers.-1",
        ] {
            assert_eq!(Part::of(none), None, "{none}");
        }
    }
}
