//! Declared schemas, records with two times, lookups with a purpose and a trace. Nobody reads a
//! record but through the exchange, and no read is answered before its trace is written.
//!
//! | module | holds |
//! |---|---|
//! | [`schema`] | what a register is, as the pack declares it |
//! | [`check`] | a record handed in, against its schema |
//! | [`record`] | the noun: versions with two times, and how a record changes |
//! | [`service`] | [`Registers`]: the registers of a node and their services |
//! | [`asks`] | how a register asks another one |
//! | `describe` | a service as an OpenAPI document, made of the schema |
//! | `lookup` | one record, its granted fields, and the trace |
//! | `assign`, `release` | giving out a personal number, and its undo |
//! | `change` | changing fields of a record by a case, and its undo |
//! | `claims` | what only one record may have: one act a child |
//! | `enter`, `obtain`, `withdraw` | entering an act in three steps, and its undo |
//! | [`load`] | filling a register from the pack in bulk |
//! | [`usage`] | who read my data |
//! | [`store`] | all SQL |
//! | [`pack`] | the rules of the registers' files |

pub mod asks;
mod assign;
mod change;
pub mod check;
mod claims;
mod describe;
mod enter;
#[cfg(test)]
mod fixtures;
mod issue;
pub mod load;
mod lookup;
mod obtain;
pub mod pack;
pub mod record;
mod release;
pub mod schema;
pub mod service;
pub mod store;
pub mod usage;
mod withdraw;

use web::openapi::{OpenApiRouter, routes};

pub use asks::Asks;
pub use load::{Entry, Loaded};
pub use schema::Schema;
pub use service::{Land, NameOf, ProvinceOf, Registers};
pub use store::MIGRATIONS;

/// The texts of this crate.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "registers",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// The pages and interfaces of this crate.
pub fn router(registers: Registers) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(usage::page))
        .routes(routes!(usage::api))
        .with_state(registers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_stands_in_both_languages() {
        web::Texts::new(&[web::TEXTS, TEXTS]).expect("the texts agree");
    }

    #[tokio::test]
    async fn every_operation_says_who_may_call_it_and_what_it_changes() {
        let house = fixtures::House::empty().await;
        let (_, api) = router(house.registers.clone()).split_for_parts();
        assert_eq!(web::openapi::faults(&api), Vec::<String>::new());
    }

    /// Every problem code of this crate has its text, its rule and its remedy.
    #[test]
    fn every_problem_tells_its_rule_and_its_remedy() {
        let texts = web::Texts::new(&[web::TEXTS, TEXTS]).expect("the texts agree");
        let sources = [
            include_str!("assign.rs"),
            include_str!("change.rs"),
            include_str!("check.rs"),
            include_str!("enter.rs"),
            include_str!("lookup.rs"),
            include_str!("obtain.rs"),
            include_str!("release.rs"),
            include_str!("service.rs"),
            include_str!("withdraw.rs"),
        ];
        let mut codes = std::collections::BTreeSet::new();
        for source in sources {
            codes.extend(
                source
                    .split('"')
                    .filter(|t| t.starts_with("record-") && !t.ends_with('-')),
            );
        }
        assert!(codes.len() > 15, "{codes:?}");
        for code in codes {
            for key in [
                format!("problem-{code}"),
                format!("problem-{code}.rule"),
                format!("problem-{code}.remedy"),
            ] {
                assert!(texts.has(&key), "{key}");
            }
        }
    }
}
