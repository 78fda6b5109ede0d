//! Figures computed from what really happened: facts in, counters, figures with their formulas out.
//! Knows no other domain crate: a fact is all it ever sees of one.
//!
//! | read | for |
//! |---|---|
//! | [`project`] | the one exhaustive match: what each fact counts |
//! | [`figure`] | what is shown: numerator, denominator, formula |
//! | [`follow`] | folding facts by position, and so once |
//! | [`rebuild`] | the same from zero, compared |
//! | [`api`] | what people and programs read |

pub mod api;
pub mod figure;
pub mod follow;
pub mod project;
pub mod rebuild;
mod store;

use std::sync::Arc;

use ::store::{Migrations, Store};
use kernel::{Problem, Tenant};

pub use api::router;

/// The crate's tables.
pub const MIGRATIONS: Migrations = Migrations {
    name: "indicators",
    files: &[(
        "0001_indicators",
        include_str!("../migrations/0001_indicators.sql"),
    )],
};

/// The crate's texts.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "indicators",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// The figures of a node. Cheap to clone.
#[derive(Clone)]
pub struct Indicators(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) home: Tenant,
}

impl Indicators {
    /// The figures of a node whose own rows belong to `home`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(store: Store, home: Tenant) -> Result<Self, Problem> {
        store.read(&home).await?;
        Ok(Self(Arc::new(Inner { store, home })))
    }
}
