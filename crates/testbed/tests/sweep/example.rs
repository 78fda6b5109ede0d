//! Examples of what a description leaves open: a path's parameters and the smallest bodies.

use testbed::api::Operation;
use testbed::birth::PROCEDURE;
use testbed::raw::{Asked, multipart};

/// Ids of things that exist, and are somebody's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    /// The mother's open draft.
    pub(crate) draft: String,
    /// The mother's case, decided by the sample unit.
    pub(crate) case: String,
    /// The mother's case whose fee is paid.
    pub(crate) paid: String,
    /// The mother's case whose result went by post.
    pub(crate) posted: String,
    /// The receipt of the decided case.
    pub(crate) receipt: String,
    /// Its result.
    pub(crate) result: String,
    /// The same among the mother's own documents.
    pub(crate) entry: String,
    /// An agreement's hash.
    pub(crate) agreement: String,
    /// An exchange's request id.
    pub(crate) request: String,
}

/// Whose the thing named in a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A citizen's own, at the portal.
    Citizen,
    /// A unit's own, at the desk.
    Unit,
}

/// The owner of what a path names; `None` for what is nobody's own.
pub(crate) fn owner(operation: &Operation) -> Option<Owner> {
    let path = operation.path.trim_start_matches("/api/v1");
    if path.starts_with("/desk/cases/{") || path.starts_with("/documents/{") {
        Some(Owner::Unit)
    } else if path.starts_with("/drafts/{") || path.starts_with("/cases/{") || path.starts_with("/wallet/{") {
        Some(Owner::Citizen)
    } else {
        None
    }
}

/// True for what is only there for a case with a fee.
fn is_paid_for(operation: &Operation) -> bool {
    operation.path.ends_with("/pay") || operation.path.ends_with("/paid")
}

/// An operation's path with something that exists in the place of each parameter.
pub(crate) fn path(operation: &Operation, ids: &Ids) -> Result<String, String> {
    let mut filled = Vec::new();
    let mut before = "";
    for part in operation.path.split('/') {
        let example = match (before, part) {
            ("procedures", "{code}") | ("intake", "{procedure}") => PROCEDURE,
            ("areas", "{code}") => "38",
            ("cases", "{code}") if is_paid_for(operation) => &ids.paid,
            ("cases", "{code}") if operation.path.ends_with("/shipping-slip") => &ids.posted,
            ("cases" | "moves" | "consults" | "reconciliation", "{code}") => &ids.case,
            ("consults" | "{code}", "{number}") => "1",
            ("units", "{code}") => "14797",
            ("drafts", "{id}") => &ids.draft,
            ("documents" | "verify", "{id}") => &ids.receipt,
            ("results", "{document}") => &ids.result,
            ("agreements", "{hash}") => &ids.agreement,
            ("exchanges" | "evidence", "{request}") => &ids.request,
            ("certificates", "{thumbprint}") | ("delegations" | "group-offers", "{hash}") => {
                "00000000000000000000000000000000000000000000000000000000000000aa"
            }
            ("versions", "{version}") => "00000000000000000000000000000000000000000000000000000000000000dd",
            ("designs" | "migrations" | "asked", "{id}") => "none",
            ("form", "{part}") => "head",
            ("preview", "{page}") => "child",
            ("parts", "{digest}") => "00000000000000000000000000000000000000000000000000000000000000cc",
            ("instances" | "federation", "{instance}") => "LA",
            ("members", "{org}") => "G01",
            ("groups" | "local-groups", "{group}") => "sample",
            ("registrations", "{request}") => {
                "00000000000000000000000000000000000000000000000000000000000000bb"
            }
            ("pages", "{page}") => "child",
            ("figures" | "indicators", "{figure}") => "cases-received",
            ("boards", "{org}") => "H56",
            ("services", "{org}") => "G01",
            ("contact", "{way}") => "email",
            ("wallet", "{entry}") => &ids.entry,
            ("mandates", "{mandate}") => "none",
            ("shares", "{share}") => "none",
            ("records", "{record}") => "residence",
            ("shared", "{token}") => "00000000000000000000000000000000000000000000000000000000000000ee",
            ("{org}", "{system}") => "population",
            ("{system}", "{code}") => "sample",
            ("papers", "{paper}") => "GCS",
            ("filters", "{id}") => "sample",
            ("queue", "{unit}") => "H56.14797",
            ("appointments", "{id}") => "sample",
            ("queue" | "tickets", "{number}") => "1",
            ("answers", "{number}") => "H56-0000000000",
            ("keys", "{key}") => "000000000000000000000000000000cc",
            (_, part) if part.starts_with('{') => {
                return Err(format!("{}: no example of {part}", operation.name()));
            }
            (_, part) => part,
        };
        filled.push(example);
        before = part;
    }
    Ok(filled.join("/"))
}

/// The smallest body that an operation reads, so that a refusal is not one of the body.
pub(crate) fn asked(operation: &Operation, cookie: &str) -> Asked {
    let mut asked = Asked {
        cookie: cookie.to_owned(),
        same_site: true,
        ..Asked::default()
    };
    if operation.method == "GET" {
        return asked;
    }
    match operation.media.as_str() {
        "multipart/form-data" => (asked.media, asked.body) = multipart("file", "a.pdf", b"%PDF-1.4\n"),
        "application/json" => asked = asked.json(operation.body.to_string()),
        _ if operation.is_api() => asked = asked.json("{}"),
        _ => asked = asked.form("revision=1&outcome=granted&note=x"),
    }
    asked
}
