//! What programs are told of where a citizen is reached. The address itself is its owner's, who asks for it.

use serde::Serialize;
use web::openapi::ToSchema;

use crate::contact::{Contact, Telling, Way};

/// Where a citizen is told of their cases.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactJson {
    /// Each way.
    pub(crate) ways: Vec<ContactWayJson>,
    /// The last uses of the addresses, newest first.
    pub(crate) uses: Vec<ContactUseJson>,
}

/// A way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactWayJson {
    /// `email` or `sms`.
    way: &'static str,
    /// False where the portal sends nothing this way.
    offered: bool,
    /// The confirmed address.
    address: Option<String>,
    /// When it was confirmed, RFC 3339.
    confirmed_at: Option<String>,
    /// The address that waits for the code that was sent to it.
    pending: Option<String>,
    /// `all` steps, or those that `matters`.
    scope: &'static str,
    /// `vi` or `en`.
    lang: &'static str,
}

/// A use of an address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactUseJson {
    /// `email` or `sms`.
    way: &'static str,
    /// The step's word, `code` or `digest`.
    kind: String,
    /// The case.
    case: Option<String>,
    /// When it was put in line, RFC 3339.
    at: String,
    /// `waiting`, `sent`, `gathered` or `failed`.
    state: &'static str,
    /// Why it could not be delivered: a problem's key.
    why: Option<String>,
}

impl ContactWayJson {
    pub(crate) fn new(way: Way, contact: Option<&Contact>, offered: bool) -> Self {
        Self {
            way: way.word(),
            offered,
            address: contact.and_then(|c| c.address.clone()),
            confirmed_at: contact.and_then(|c| c.confirmed_at).map(kernel::Time::rfc3339),
            pending: contact.and_then(|c| c.pending.clone()),
            scope: contact.map(|c| c.scope).unwrap_or_default().word(),
            lang: contact.map(|c| c.lang).unwrap_or_default().code(),
        }
    }
}

impl ContactUseJson {
    pub(crate) fn new(telling: &Telling) -> Self {
        Self {
            way: telling.way.word(),
            kind: telling.kind.clone(),
            case: telling.code.as_ref().map(ToString::to_string),
            at: telling.at.rfc3339(),
            state: telling.state.word(),
            why: telling.why.clone(),
        }
    }
}
