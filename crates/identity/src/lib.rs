//! Accounts, sign-in, sessions, roles and the OpenID Connect provider and client. Never decides
//! what a role may do: each operation says that itself, by `Principal::require`.
//!
//! | module | holds |
//! |---|---|
//! | [`accounts`] | the noun: accounts and how one is opened |
//! | [`sessions`] | [`Sessions`]: who is signed in (implements [`web::Authenticate`]) |
//! | [`sheet`] | the officials of a place as one sheet says them, all at once or not at all |
//! | [`password`], [`tries`], [`next`] | hashing, wrong tries of an hour, where to go afterwards |
//! | `keys` | API keys, with which programs call the management API (exchange, directory) in an operator's name |
//! | [`sign_in`] | the form, its JSON twin, signing out, `GET /api/v1/me` |
//! | [`client`] | signing in with another organisation's provider |
//! | [`provider`] | being that provider: code flow with PKCE S256 and nothing else |
//! | `store` | all SQL |

pub mod accounts;
pub mod client;
mod keys;
pub mod next;
pub mod password;
pub mod provider;
mod query;
pub mod sessions;
pub mod sheet;
pub mod sign_in;
mod store;
#[cfg(test)]
mod testing;
pub mod tries;

use std::sync::Arc;

use ::store::{Migrations, Store};
use kernel::{Digest, Tenant};
use tokio::sync::{Mutex, MutexGuard};
use web::openapi::{OpenApiRouter, routes};

pub use crate::accounts::{Account, Accounts, NewAccount, open};
pub use crate::client::ClientConfig;
pub use crate::provider::{Client, Provider};
pub use crate::sessions::Sessions;

/// This crate's schema.
pub const MIGRATIONS: Migrations = Migrations {
    name: "identity",
    files: &[
        ("0001_identity", include_str!("../migrations/0001_identity.sql")),
        ("0002_kept", include_str!("../migrations/0002_kept.sql")),
        ("0003_api_keys", include_str!("../migrations/0003_api_keys.sql")),
        ("0004_terms", include_str!("../migrations/0004_terms.sql")),
    ],
};

/// This crate's texts.
pub const TEXTS: web::i18n::Source = web::i18n::Source {
    name: "identity",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};

/// How people sign in at this node. Accounts that have a password may use it in both.
#[expect(clippy::large_enum_variant, reason = "one value a node, made at the start")]
#[derive(Clone)]
pub enum Mode {
    /// `/sign-in` shows a form.
    Passwords,
    /// `/sign-in` sends people to an identity provider; the form stands at `/sign-in?with=password`.
    OpenId(ClientConfig),
}

/// What the routes need.
#[derive(Clone)]
pub struct IdentityState {
    /// Where accounts and sessions are kept.
    pub store: Store,
    /// Whose accounts they are.
    pub tenant: Tenant,
    /// The sessions that `web::Shared` authenticates by: the same tenant and node.
    pub sessions: Sessions,
    /// How people sign in here.
    pub mode: Mode,
    /// Set at the node that signs people in for others.
    pub provider: Option<Provider>,
}

/// [`IdentityState`] made ready: what handlers hold.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) tenant: Tenant,
    pub(crate) sessions: Sessions,
    pub(crate) checker: password::Checker,
    pub(crate) client: Option<client::Upstream>,
    pub(crate) provider: Option<Provider>,
    /// One at a time for one account: see [`Site::queue`].
    queues: Vec<Mutex<()>>,
}

/// Queues for sign-ins, count; accounts share them by chance.
const QUEUES: usize = 64;

/// All routes of this crate.
pub fn router(state: IdentityState) -> OpenApiRouter {
    let site = Arc::new(Site::new(state));
    let mut router = OpenApiRouter::new()
        .routes(routes!(sign_in::form::show, sign_in::form::submit))
        .routes(routes!(sign_in::api::sign_in))
        .routes(routes!(sign_in::kept::show))
        .routes(routes!(sign_in::out::page))
        .routes(routes!(sign_in::out::api))
        .routes(routes!(sign_in::me::me))
        .routes(routes!(keys::api::list, keys::api::make))
        .routes(routes!(keys::api::revoke))
        .routes(routes!(keys::page::show, keys::page::make))
        .routes(routes!(keys::page::revoke));
    if site.client.is_some() {
        router = router.routes(routes!(client::callback::callback));
    }
    if site.provider.is_some() {
        router = router
            .routes(routes!(provider::metadata::configuration))
            .routes(routes!(provider::metadata::keys))
            .routes(routes!(provider::authorize::authorize))
            .routes(routes!(provider::token::token))
            .routes(routes!(provider::userinfo::userinfo));
    }
    router.with_state(site)
}

impl Site {
    fn new(state: IdentityState) -> Self {
        let client = match state.mode {
            Mode::Passwords => None,
            Mode::OpenId(config) => Some(client::Upstream::new(config)),
        };
        Self {
            checker: password::Checker::new(state.store.world()),
            store: state.store,
            tenant: state.tenant,
            sessions: state.sessions,
            client,
            provider: state.provider,
            queues: std::iter::repeat_with(Mutex::default).take(QUEUES).collect(),
        }
    }

    /// Waits until no other sign-in of this account writes. Their writes touch the same rows, and
    /// on PostgreSQL a crowd of them would undo each other until the store gives up.
    pub(crate) async fn queue(&self, who: &Digest) -> MutexGuard<'_, ()> {
        let at = usize::from(who.bytes()[0]) % self.queues.len();
        self.queues[at].lock().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_operation_says_who_may_call_it_and_what_it_leaves() {
        let pair = testing::Pair::new().await;
        for node in [&pair.ministry, &pair.portal] {
            let (_, api) = router(node.state.clone()).split_for_parts();
            assert_eq!(web::openapi::faults(&api), Vec::<String>::new());
            assert!(api.paths.paths.contains_key("/sign-in"));
        }
    }
}
