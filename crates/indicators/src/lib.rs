//! Figures computed from what really happened: facts in, counters, figures with their formulas out.
//! Knows no other domain crate: a fact is all it ever sees of one.
//!
//! | read | for |
//! |---|---|
//! | [`counter`] | what is counted |
//! | [`project`] | the one exhaustive match: what each fact counts; [`open`] is what it remembers |
//! | [`define`], [`figure`] | what is shown: above the line, below, formula |
//! | [`follow`] | folding facts by position, and so once |
//! | [`rebuild`] | the same from zero, compared |
//! | [`pack`], [`levels`] | targets, published figures, the grid of provinces, online levels |
//! | [`api`], [`pages`], [`behind`], [`live`] | what people and programs read |
//! | [`chart`] | pictures of numbers |

pub mod api;
pub mod behind;
pub mod chart;
pub mod counter;
pub mod define;
pub mod figure;
pub mod follow;
pub mod levels;
pub mod live;
pub mod open;
pub mod pack;
pub mod pages;
pub mod project;
mod reading;
pub mod rebuild;
mod store;
mod tally;
#[cfg(test)]
mod testing;
mod words;

use std::sync::Arc;

use ::store::{Migrations, Store};
use directory::Organisations;
use kernel::{Date, OrgCode, Problem, Tenant};
use tokio::sync::watch;

pub use api::router;
pub use pack::Pack;
pub use tally::ALL;

/// The crate's tables.
pub const MIGRATIONS: Migrations = Migrations {
    name: "indicators",
    files: &[
        (
            "0001_indicators",
            include_str!("../migrations/0001_indicators.sql"),
        ),
        ("0002_boards", include_str!("../migrations/0002_boards.sql")),
        ("0003_returned", include_str!("../migrations/0003_returned.sql")),
        ("0004_worked", include_str!("../migrations/0004_worked.sql")),
    ],
};

/// The crate's texts.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "indicators",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// What the figures of a node are made of.
pub struct Parts {
    /// Where the facts are.
    pub store: Store,
    /// Whose rows the node's own are.
    pub home: Tenant,
    /// Targets, published figures, the grid.
    pub pack: Arc<Pack>,
    /// The organisations' names.
    pub organisations: Arc<Organisations>,
}

/// The figures of a node. Cheap to clone.
#[derive(Clone)]
pub struct Indicators(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) home: Tenant,
    pub(crate) pack: Arc<Pack>,
    pub(crate) organisations: Arc<Organisations>,
    /// The position up to which facts were folded by this process.
    pub(crate) folded: watch::Sender<u64>,
    /// True once the node ends: streams end with it.
    pub(crate) stopping: watch::Sender<bool>,
    /// Readers that may be told of it at once.
    pub(crate) streams: Arc<tokio::sync::Semaphore>,
}

impl Indicators {
    /// The figures of a node.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(parts: Parts) -> Result<Self, Problem> {
        parts.store.read(&parts.home).await?;
        let streams = parts.store.limits().live_streams_max;
        Ok(Self(Arc::new(Inner {
            store: parts.store,
            home: parts.home,
            pack: parts.pack,
            organisations: parts.organisations,
            folded: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
            streams: Arc::new(tokio::sync::Semaphore::new(streams)),
        })))
    }

    /// The name of an organisation as it stands on a day; its code when it has none.
    pub(crate) fn name(&self, org: &str, on: Date) -> String {
        let tile = self.0.pack.tiles.iter().find(|t| t.org == org);
        tile.map(|t| t.name.clone())
            .or_else(|| {
                let code: OrgCode = org.parse().ok()?;
                self.0.organisations.get(&code, on).map(|o| o.name.to_string())
            })
            .unwrap_or_else(|| org.to_owned())
    }
}
