//! Procedures and cases: catalogue, forms, filing, desk, clock, results and status sync. Asks
//! registers only through the exchange: this crate has no way to read one.
//!
//! | read | for |
//! |---|---|
//! | [`procedure`], [`case`], [`clock`], [`draft`], [`act`] | the nouns, pure |
//! | [`catalogue`], [`places`], [`pack`] | what the pack says, in memory |
//! | [`store`] | all SQL |
//! | [`state`] | what every verb is handed |

pub mod act;
pub mod answers;
pub mod case;
pub mod catalogue;
pub mod clock;
pub mod draft;
pub mod pack;
pub mod places;
pub mod procedure;
pub mod state;
pub mod store;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;

use ::store::{Deliver, Migrations};
use web::openapi::OpenApiRouter;

pub use crate::case::Case;
pub use crate::catalogue::Catalogue;
pub use crate::procedure::Procedure;
pub use crate::state::{Asker, Cases, Parts, Place};

/// This crate's schema.
pub const MIGRATIONS: Migrations = Migrations {
    name: "cases",
    files: &[("0001_cases", include_str!("../migrations/0001_cases.sql"))],
};

/// The portal's texts and those of this crate's common problems.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "cases",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// The routes of the place.
pub fn router(cases: Cases) -> OpenApiRouter {
    let routes = match cases.place() {
        Place::Portal => OpenApiRouter::new(),
        Place::Desk => OpenApiRouter::new(),
    };
    routes.with_state(cases)
}

impl Cases {
    /// What the place offers on the exchange.
    #[must_use]
    pub fn services(&self) -> Vec<Arc<dyn exchange::Service>> {
        match self.place() {
            Place::Portal => Vec::new(),
            Place::Desk => Vec::new(),
        }
    }

    /// What the place does with lines of the outbox.
    #[must_use]
    pub fn deliverers(&self) -> Vec<Arc<dyn Deliver>> {
        match self.place() {
            Place::Portal => Vec::new(),
            Place::Desk => Vec::new(),
        }
    }
}
