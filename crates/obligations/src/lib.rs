//! What is owed, by whom, by when: one engine for results of cases, replies and reports. Never
//! computes a term (see `cases::clock`) and never acts on lateness: it tells.
//!
//! | module | holds |
//! |---|---|
//! | [`obligation`] | the noun: open, then met or lifted; when it is on time |
//! | [`mod@transfer`] | what a merged unit owed goes to who took over |
//! | [`store`] | the verbs [`open`], [`meet`], [`lift`], [`reopen`], [`redate`], [`list`] and their SQL |

pub mod obligation;
pub mod store;
pub mod transfer;

pub use crate::obligation::{Obligation, Owed, State};
pub use crate::store::{Which, get, lift, list, meet, open, redate, reopen};
pub use crate::transfer::transfer;

/// This crate's schema.
pub const MIGRATIONS: ::store::Migrations = ::store::Migrations {
    name: "obligations",
    files: &[(
        "0001_obligations",
        include_str!("../migrations/0001_obligations.sql"),
    )],
};

/// This crate's texts: what its problems say.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "obligations",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};
