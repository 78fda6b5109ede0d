//! How far a procedure can be done online, computed from what is configured, with the reasons: information,
//! partial (một phần) or full (toàn trình), beside the levels 1 to 4 of before Decree 42/2022/NĐ-CP. Never
//! takes anybody's word for it.

use kernel::fact::Channel;
use kernel::{Date, ProcedureCode};
use serde::Serialize;

use super::Catalogue;
use crate::pack::Entry;
use crate::procedure::{Procedure, Verb};

/// How far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Online {
    /// It is described, and not filed here.
    Information,
    /// Some steps are online.
    Partial,
    /// Every step is, from filing to the result.
    Full,
}

impl Online {
    /// Its name in texts and answers.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Partial => "partial",
            Self::Full => "full",
        }
    }
}

/// A level and why it is that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// How far.
    pub online: Online,
    /// The level of the scale before 2022, 1 to 4.
    pub old: u8,
    /// The reasons, by their key: those that hold it down first.
    pub why: Vec<&'static str>,
}

impl Level {
    /// The level of a procedure by its document, where there is one, and by whether fees are taken online.
    #[must_use]
    pub fn of(entry: &Entry, document: Option<&Procedure>, takes_fees: bool) -> Self {
        let Some(document) = document else {
            let elsewhere = if entry.online() {
                "said-online"
            } else {
                "not-said-online"
            };
            return Self {
                online: Online::Information,
                old: 1,
                why: vec!["not-filed-here", elsewhere],
            };
        };
        if !document.terms.iter().any(|term| term.channel == Channel::Online) {
            return Self {
                online: Online::Information,
                old: 2,
                why: vec!["no-online-term"],
            };
        }
        let signs = |verb: Verb| document.transitions.iter().any(|t| t.verb == verb);
        let parts = [
            (true, "filed-online", "filed-online"),
            (
                document.fee.is_none() || takes_fees,
                if document.fee.is_none() {
                    "no-fee"
                } else {
                    "fee-online"
                },
                "fee-not-online",
            ),
            (signs(Verb::Sign), "result-electronic", "result-not-electronic"),
        ];
        let full = parts.iter().all(|(good, _, _)| *good);
        let lacking = parts.iter().filter(|(good, _, _)| !good).map(|(_, _, why)| *why);
        let there = parts.iter().filter(|(good, _, _)| *good).map(|(_, why, _)| *why);
        Self {
            online: if full { Online::Full } else { Online::Partial },
            old: if full { 4 } else { 3 },
            why: lacking.chain(there).collect(),
        }
    }
}

impl Catalogue {
    /// How far each version of what is filed here can be done online, from its first day on. Nothing with a fee
    /// is filed where fees are not taken, so here they are.
    pub fn levels(&self) -> impl Iterator<Item = (ProcedureCode, Date, Online)> {
        self.procedures.iter().flat_map(|(code, versions)| {
            let entry = self.entry(code);
            versions.iter().filter_map(move |(from, document)| {
                let level = Level::of(entry?, Some(&**document), true);
                Some((code.clone(), *from, level.online))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::nouns;

    fn of(code: &str, change: impl FnOnce(&mut Procedure), takes_fees: bool) -> Level {
        let catalogue = &nouns().catalogue;
        let code = code.parse().expect("a code");
        let mut document = catalogue.versions_of(&code).first().map(|(_, p)| (**p).clone());
        if let Some(document) = document.as_mut() {
            change(document);
        }
        let entry = catalogue.entry(&code).expect("an entry");
        Level::of(entry, document.as_ref(), takes_fees)
    }

    #[test]
    fn the_boards_count_each_version_by_its_own_level() {
        let levels: Vec<_> = nouns().catalogue.levels().collect();
        let at_a_desk = |code: &str| code == "2.000815";
        assert_eq!(levels.len(), 8);
        for (code, _, level) in levels {
            let wanted = if at_a_desk(code.as_str()) {
                Online::Information
            } else {
                Online::Full
            };
            assert_eq!(level, wanted, "{code}");
        }
    }

    #[test]
    fn a_procedure_is_full_when_filing_fee_and_result_are_online_and_else_says_what_is_not() {
        let birth = of("1.001193", |_| {}, false);
        assert_eq!((birth.online, birth.old), (Online::Full, 4));
        assert_eq!(birth.why, ["filed-online", "no-fee", "result-electronic"]);
        let copy = of("2.000635", |_| {}, true);
        assert_eq!(
            (copy.online, copy.why.get(1)),
            (Online::Full, Some(&"fee-online"))
        );
        let unpaid = of("2.000635", |_| {}, false);
        assert_eq!(
            (unpaid.online, unpaid.old, unpaid.why.first()),
            (Online::Partial, 3, Some(&"fee-not-online"))
        );
        let on_paper = of(
            "1.001193",
            |p| p.transitions.retain(|t| t.verb != Verb::Sign),
            true,
        );
        assert_eq!(
            (on_paper.online, on_paper.why.first()),
            (Online::Partial, Some(&"result-not-electronic"))
        );
        let at_the_counter = of(
            "1.001193",
            |p| p.terms.retain(|t| t.channel != Channel::Online),
            true,
        );
        assert_eq!(
            (at_the_counter.online, at_the_counter.old),
            (Online::Information, 2)
        );
        let other = of("1.000894", |_| {}, true);
        assert_eq!((other.online, other.old), (Online::Information, 1));
        assert_eq!(other.why.first(), Some(&"not-filed-here"));
    }
}
