//! How it stands with what authorities have revoked: for each that has an address of a list, the one that counts.
//! An authority that is away stops nothing; its light turns when it has promised a newer list. Asks nobody.

use directory::lists::{ListFailure, ListState};
use kernel::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::seen::Light;
use crate::gateway::Exchange;

/// What an authority has revoked, as the directory has it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingAuthority {
    /// Whom its certificate names.
    pub(crate) name: String,
    /// Where its list is.
    pub(crate) source: String,
    /// When the list that counts was made, milliseconds since 1970; none before one was read.
    pub(crate) made: Option<i64>,
    /// By when there is a newer one, milliseconds since 1970.
    pub(crate) next: Option<i64>,
    /// At the hub: why the last one that was asked for is not used.
    pub(crate) failure: Option<&'static str>,
    pub(crate) light: Light,
}

impl Exchange {
    pub(super) fn authorities_seen(&self, now: Time) -> Vec<StandingAuthority> {
        let directory = &self.0.directory;
        let snapshot = directory.snapshot();
        let seen = |entry: &directory::authorities::AuthorityEntry| {
            let source = entry.crl.clone()?;
            let certificate = snapshot.authority_certificate(&entry.certificate);
            let asked = directory.asked(&entry.certificate);
            let light = match entry.state(now) {
                ListState::None | ListState::Good => Light::Good,
                ListState::Unread | ListState::Overdue => Light::Amber,
            };
            Some(StandingAuthority {
                name: certificate.map(|c| c.common_name()).unwrap_or_default(),
                source,
                made: entry.list.as_ref().map(|list| list.this_update.ms()),
                next: entry.list.as_ref().map(|list| list.next_update.ms()),
                failure: asked.and_then(|asked| asked.failure).map(ListFailure::as_str),
                light,
            })
        };
        snapshot.authorities.iter().filter_map(seen).collect()
    }
}
