//! Organisations, areas, systems, certificates and calendars: dated, published as a signed
//! snapshot that every node keeps. Never knows an account, a case or a record.
//!
//! | module | holds |
//! |---|---|
//! | [`areas`] | administrative units as of a day, and what became of them |
//! | [`organisations`] | ministries, provinces and communes as of a day |
//! | [`succession`] | what became of a unit, and who handles what was opened with it |
//! | [`collate`] | the order of Vietnamese names |
//! | [`calendars`] | holidays and dated working hours |
//! | [`people`] | synthetic households for the sample registers |
//! | [`pack`] | reading of pack files, and the fact that they were loaded |
//! | [`keyring`] | a node's keys on disk |
//! | [`snapshot`] | who takes part, where, and with which certificates |
//! | `parts` | the snapshot as nodes fetch it: a small signed head, and only what changed |
//! | [`anchor`] | by what another instance of the exchange is known |
//! | [`authorities`] | what is said of roots and other authorities |
//! | [`lists`] | the authorities' own lists of revoked certificates, read by the hub |
//! | [`instances`] | the directories of other instances that are trusted, beside our own |
//! | [`adopted`] | the snapshot this node holds: [`Directory`] |
//! | [`hub`] | publishing and revoking |
//! | [`mod@follow`] | keeping up with the hub |
//! | [`groups`] | who is in which group, global or of this node |
//! | [`registration`] | how an owner has its part of the directory changed |
//! | `members` | pages of who takes part, and what can be done about it |
//! | `pages`, `units`, `api` | what people and programs read |

pub mod adopted;
pub mod anchor;
mod api;
pub mod areas;
pub mod authorities;
pub mod calendars;
pub mod collate;
pub mod follow;
pub mod groups;
pub mod hub;
pub mod instances;
pub mod keyring;
pub mod lists;
mod members;
pub mod organisations;
pub mod pack;
mod pages;
mod parts;
pub mod people;
pub mod registration;
pub mod snapshot;
mod store;
pub mod succession;
mod units;

use std::sync::Arc;

use web::openapi::{OpenApiRouter, routes};

pub use adopted::Directory;
pub use areas::{Area, Areas};
pub use calendars::Calendars;
pub use follow::{follow, follow_instances};
pub use hub::Hub;
pub use keyring::Keyring;
pub use organisations::{Organisation, Organisations};
pub use pack::{PackFault, PackFile, rows_root};
pub use registration::Registrar;
pub use snapshot::Snapshot;
pub use units::href as unit_href;

/// The tables of this crate.
pub const MIGRATIONS: ::store::Migrations = ::store::Migrations {
    name: "directory",
    files: &[
        ("0001_directory", include_str!("../migrations/0001_directory.sql")),
        (
            "0002_registrations",
            include_str!("../migrations/0002_registrations.sql"),
        ),
        (
            "0003_local_groups",
            include_str!("../migrations/0003_local_groups.sql"),
        ),
        (
            "0004_federation",
            include_str!("../migrations/0004_federation.sql"),
        ),
        ("0005_lists", include_str!("../migrations/0005_lists.sql")),
    ],
};

/// The texts of this crate.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "directory",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// What this node's systems offer now, whoever announced it: organisation, system, service.
pub type Offers = Arc<dyn Fn() -> Vec<(kernel::OrgCode, String, String)> + Send + Sync>;

/// What the routes need.
#[derive(Clone)]
pub struct DirectoryState {
    /// The snapshot this node holds.
    pub directory: Directory,
    /// The pack's areas.
    pub areas: Arc<Areas>,
    /// The pack's organisations.
    pub organisations: Arc<Organisations>,
    /// The hub, on the one node that publishes.
    pub hub: Option<Hub>,
    /// How owners' changes are asked for, heard and decided.
    pub registrar: Registrar,
    /// What this node offers, to be announced in the directory.
    pub offers: Offers,
    /// How the portal is reached, without a slash at the end: there other instances ask for the directory.
    pub base_url: String,
}

/// The routes of a portal: the look-up of areas, the public directory, and revocation at the hub.
pub fn router(state: DirectoryState) -> OpenApiRouter {
    let router = OpenApiRouter::new()
        .routes(routes!(pages::units))
        .routes(routes!(api::areas))
        .routes(routes!(api::area))
        .routes(routes!(units::unit::show))
        .routes(routes!(units::list::show))
        .routes(routes!(units::list::answer))
        .routes(routes!(units::drawing::show))
        .routes(routes!(units::handled::show))
        .routes(routes!(units::handled::answer))
        .routes(routes!(api::directory))
        .merge(members::router());
    let router = if state.hub.is_some() {
        router.routes(routes!(api::revoke))
    } else {
        router
    };
    let followed = peer_router(state.directory.clone());
    router.with_state(state).merge(followed)
}

/// Where other nodes bring what they ask of the hub, and the hub its answers.
pub fn word_router(registrar: Registrar) -> web::axum::Router {
    registration::deliver::routes().with_state(registrar)
}

/// The signed snapshot, whole or by its head and parts, which any node may hand on: on a node-to-node
/// listener for the nodes of the instance, on a portal for those of others. It vouches for itself.
pub fn peer_router(directory: Directory) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(api::signed_snapshot))
        .routes(routes!(api::signed_head))
        .routes(routes!(api::part))
        .with_state(directory)
}
