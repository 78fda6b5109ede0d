//! Documents: rendered from the pack's templates, signed, kept by hash, given out, checked by
//! anyone. Never numbered here when a register's book numbers them, never a case's rule.
//!
//! | read | for |
//! |---|---|
//! | [`document`] | the noun |
//! | `draw` | a template and its data become pages; a draft for a look |
//! | [`issue`] | number in, signed PDF out, once |
//! | [`seal`] | the clerk's number and the agency's signature behind it, once |
//! | [`download`] | the owner and the office get it |
//! | [`check`] | anyone checks it, by its QR or by upload |

pub mod check;
pub mod document;
pub mod download;
mod draw;
pub mod issue;
pub mod seal;
mod store;

use std::sync::Arc;

use directory::keyring::Keyring;
use directory::{Directory, Organisations};
use kernel::Tenant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use document::{Issued, NewDocument, Signer};
pub use seal::{SealMark, Sealing};

/// The crate's tables.
pub const MIGRATIONS: ::store::Migrations = ::store::Migrations {
    name: "documents",
    files: &[
        ("0001_documents", include_str!("../migrations/0001_documents.sql")),
        ("0002_sealed", include_str!("../migrations/0002_sealed.sql")),
    ],
};

/// The crate's texts.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "documents",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// What the crate works with. Cheap to clone.
#[derive(Clone)]
pub struct Documents(Arc<Parts>);

/// The parts [`Documents`] is made of.
pub struct Parts {
    /// The node's store.
    pub store: ::store::Store,
    /// The pack's templates.
    pub templates: render::Templates,
    /// The node's keys.
    pub keyring: Arc<Keyring>,
    /// Whom the node trusts.
    pub directory: Directory,
    /// The organisations, for the names of units.
    pub organisations: Arc<Organisations>,
    /// The tenants whose documents this node holds.
    pub tenants: Vec<Tenant>,
    /// The portal's address, for links and QR codes, without a slash at the end.
    pub base_url: String,
}

impl Documents {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

/// The crate's operations.
pub fn router(documents: Documents) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(download::download))
        .routes(routes!(check::by_id))
        .routes(routes!(check::upload_page, check::by_upload))
        .with_state(documents)
}
