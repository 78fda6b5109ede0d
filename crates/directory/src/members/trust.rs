//! `GET /exchange/trust`: the roots, authorities and timestamp services of the directory this node holds, what
//! is revoked, and the classes of members. Programs read them with the dates at `/api/v1/directory/trust`,
//! the certificates themselves at `/api/v1/directory`. Never trusts a thing by itself.

use askama::Template;
use kernel::{Problem, Time};
use serde::Serialize;
use web::axum::extract::State;
use web::axum::response::Html;
use web::openapi::ToSchema;
use web::{Operator, Page, Refusal};

use super::{Age, Shown};
use crate::DirectoryState;
use crate::authorities::{AuthorityEntry, ListRead, Use};
use crate::lists::{ListFailure, ListState};
use crate::snapshot::{self, GOVERNMENT, Revoked, Snapshot};

/// Revoked certificates that the page shows, the newest first, count.
const REVOKED_SHOWN: usize = 100;

#[derive(Template)]
#[template(path = "trust.html")]
struct View<'a> {
    page: &'a Page,
    age: Age,
    is_hub: bool,
    roots: Vec<(Shown, Said)>,
    between: Vec<(Shown, Said)>,
    revoked: Vec<Vec<String>>,
    timestamps: Vec<(String, Option<Shown>)>,
    classes: Vec<(String, String, usize)>,
}

/// Trust services and classes of members as a page.
#[utoipa::path(get, path = "/exchange/trust", tag = "directory", operation_id = "trust_page",
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "roots, timestamp services, classes", content_type = "text/html")))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let snapshot = state.directory.snapshot();
    let now = state.directory.store().world().now();
    let with_said = |pem: &String| {
        let certificate = snapshot::certificate(pem).ok()?;
        let entry = snapshot.authority(&certificate.thumbprint());
        let said = entry.map(|entry| Said::of(&state, &page, entry, now));
        let shown = Shown::of(&page, &snapshot, &certificate, now);
        Some((shown, said.unwrap_or_default()))
    };
    let between = snapshot
        .authorities
        .iter()
        .filter_map(|a| a.certificate_pem.as_ref());
    let shown = |pem: &String| {
        let certificate = snapshot::certificate(pem).ok()?;
        Some(Shown::of(&page, &snapshot, &certificate, now))
    };
    let classes = classes(&snapshot, &page.t("directory-class-gov"));
    let view = View {
        age: Age::of(&state, &page),
        is_hub: state.decides(&who),
        roots: snapshot.anchors.iter().filter_map(with_said).collect(),
        between: between.filter_map(with_said).collect(),
        revoked: revoked(&page, &snapshot),
        timestamps: snapshot
            .timestamp_authorities
            .iter()
            .map(|t| (t.url.clone(), shown(&t.certificate_pem)))
            .collect(),
        classes,
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("directory-trust"), body))
}

/// What is said of an authority, line by line, and what an operator has to know of its list.
#[derive(Default)]
struct Said {
    lines: Vec<String>,
    note: Option<(String, &'static str)>,
}

impl Said {
    fn of(state: &DirectoryState, page: &Page, entry: &AuthorityEntry, now: Time) -> Self {
        let mut lines = Vec::new();
        if !entry.uses.is_empty() {
            let uses = entry.uses.iter();
            let uses: Vec<String> = uses
                .map(|one| page.t(&format!("directory-use-{}", one.as_str())))
                .collect();
            lines.push(page.tw("directory-authority-uses", &[("uses", uses.join(", "))]));
        }
        for (key, url) in [("crl", &entry.crl), ("ocsp", &entry.ocsp)] {
            let said = url.clone().map(|url| [("url", url)]);
            lines.extend(said.map(|url| page.tw(&format!("directory-authority-{key}"), &url)));
        }
        if let Some(list) = &entry.list {
            let said = [
                ("made", page.time(list.this_update)),
                ("next", page.time(list.next_update)),
                ("count", list.listed.to_string()),
            ];
            lines.push(page.tw("directory-authority-list", &said));
        }
        let failure = state.directory.asked(&entry.certificate).and_then(|asked| {
            let failure = asked.failure?;
            let why = page.t(&format!("directory-list-{}", failure.as_str()));
            Some([("why", why), ("time", page.time(asked.at))])
        });
        lines.extend(failure.map(|said| page.tw("directory-authority-failure", &said)));
        if !entry.note.is_empty() {
            lines.push(entry.note.clone());
        }
        let note = match entry.state(now) {
            ListState::None | ListState::Good => None,
            ListState::Unread => Some("directory-authority-unread"),
            ListState::Overdue => Some("directory-authority-overdue"),
        };
        let note = note.map(|key| (page.t(key), "tag tag-wait"));
        Self { lines, note }
    }
}

/// The newest revocations: thumbprint, since when, why and on whose word.
fn revoked(page: &Page, snapshot: &Snapshot) -> Vec<Vec<String>> {
    let newest = snapshot.revoked.iter().rev().take(REVOKED_SHOWN);
    let row = |one: &Revoked| {
        let by = one.source.clone().map(|url| [("url", url)]);
        vec![
            one.thumbprint.hex(),
            page.time(one.at),
            one.reason.clone(),
            by.map_or_else(
                || page.t("directory-revoked-by-hub"),
                |url| page.tw("directory-revoked-by", &url),
            ),
        ]
    };
    newest.map(row).collect()
}

/// The classes of members: code, name, how many; the first is that of who is in no other.
fn classes(snapshot: &Snapshot, government: &str) -> Vec<(String, String, usize)> {
    let others: usize = snapshot.classes.iter().map(|class| class.members.len()).sum();
    let mut classes: Vec<_> = snapshot
        .classes
        .iter()
        .map(|class| (class.code.clone(), class.name.clone(), class.members.len()))
        .collect();
    if let Some(first) = classes.iter_mut().find(|class| class.0 == GOVERNMENT) {
        first.2 = snapshot.members.len() - others;
    } else {
        let first = snapshot.members.len() - others;
        classes.insert(0, (GOVERNMENT.to_owned(), government.to_owned(), first));
    }
    classes
}

/// A certificate of a trust service.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrustCertificate {
    /// Whom it names.
    name: String,
    /// SHA-256 of the certificate, in hex.
    thumbprint: String,
    /// Until when it holds, milliseconds since 1970.
    valid_to: i64,
    /// `good`, `ends-soon` (within thirty days), `over` or `revoked`.
    state: &'static str,
}

/// What is said of an authority.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrustAuthority {
    /// SHA-256 of its certificate, in hex.
    thumbprint: String,
    /// Whom its certificate names.
    name: String,
    /// True when it stands between a root and certificates.
    between: bool,
    /// What it vouches for; everything when it does not say.
    uses: Vec<Use>,
    /// Where its list of revoked certificates is.
    crl: Option<String>,
    /// Where it answers for one certificate.
    ocsp: Option<String>,
    /// A word of the hub's operator.
    note: String,
    /// The last good list that the hub has read; it counts.
    list: Option<ListRead>,
    /// `none` without an address, `unread`, `good`, or `overdue` when there ought to be a newer one.
    state: &'static str,
    /// At the hub: why the last one that was asked for is not used.
    failure: Option<&'static str>,
    /// At the hub: when it was last asked, milliseconds since 1970.
    asked_at: Option<i64>,
}

impl TrustAuthority {
    fn of(state: &DirectoryState, snapshot: &Snapshot, entry: &AuthorityEntry, now: Time) -> Self {
        let certificate = snapshot.authority_certificate(&entry.certificate);
        let asked = state.directory.asked(&entry.certificate);
        Self {
            thumbprint: entry.certificate.hex(),
            name: certificate.map(|c| c.common_name()).unwrap_or_default(),
            between: entry.certificate_pem.is_some(),
            uses: entry.uses.clone(),
            crl: entry.crl.clone(),
            ocsp: entry.ocsp.clone(),
            note: entry.note.clone(),
            list: entry.list.clone(),
            state: match entry.state(now) {
                ListState::None => "none",
                ListState::Unread => "unread",
                ListState::Good => "good",
                ListState::Overdue => "overdue",
            },
            failure: asked
                .as_ref()
                .and_then(|asked| asked.failure)
                .map(ListFailure::as_str),
            asked_at: asked.map(|asked| asked.at.ms()),
        }
    }
}

/// A timestamp service.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrustTimestamps {
    /// Where it is asked.
    url: String,
    /// Its certificate; none when it does not read.
    certificate: Option<TrustCertificate>,
}

/// A class of members.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrustClass {
    /// Its code.
    class: String,
    /// Its name.
    name: String,
    /// How many members are of it.
    members: usize,
}

/// Whom everybody trusts, and the classes of members.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrustSeen {
    /// The serial of the directory that says so.
    serial: u64,
    /// The roots.
    roots: Vec<TrustCertificate>,
    /// What is said of roots, and of authorities between a root and certificates.
    authorities: Vec<TrustAuthority>,
    /// Certificates that are good no more, each with the address of its authority's list when it was found there.
    revoked: Vec<Revoked>,
    /// The timestamp services, in the order in which they are asked.
    timestamps: Vec<TrustTimestamps>,
    /// The classes of members.
    classes: Vec<TrustClass>,
}

/// Tells roots and timestamp services with how each stands, and the classes of members.
#[utoipa::path(get, path = "/api/v1/directory/trust", tag = "directory", operation_id = "show_trust",
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "Roots, timestamp services, classes", body = TrustSeen)))]
pub(crate) async fn json(
    State(state): State<DirectoryState>,
    _: Operator,
    page: Page,
) -> web::axum::Json<TrustSeen> {
    let snapshot = state.directory.snapshot();
    let now = state.directory.store().world().now();
    let told = |pem: &String| {
        let certificate = snapshot::certificate(pem).ok()?;
        Some(TrustCertificate {
            name: certificate.common_name(),
            thumbprint: certificate.thumbprint().hex(),
            valid_to: certificate.not_after().ms(),
            state: super::standing(&snapshot, &certificate, now),
        })
    };
    let timestamps = snapshot.timestamp_authorities.iter();
    let classes = classes(&snapshot, &page.t("directory-class-gov")).into_iter();
    web::axum::Json(TrustSeen {
        serial: snapshot.serial,
        roots: snapshot.anchors.iter().filter_map(told).collect(),
        authorities: snapshot
            .authorities
            .iter()
            .map(|entry| TrustAuthority::of(&state, &snapshot, entry, now))
            .collect(),
        revoked: snapshot.revoked.clone(),
        timestamps: timestamps
            .map(|t| TrustTimestamps {
                url: t.url.clone(),
                certificate: told(&t.certificate_pem),
            })
            .collect(),
        classes: classes
            .map(|(class, name, members)| TrustClass { class, name, members })
            .collect(),
    })
}
