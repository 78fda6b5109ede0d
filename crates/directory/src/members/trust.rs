//! `GET /exchange/trust`: the roots and timestamp services of the directory this node holds, and the
//! classes of members. Programs read them with the dates at `/api/v1/directory/trust`,
//! the certificates themselves at `/api/v1/directory`. Never trusts a thing by itself.

use askama::Template;
use kernel::Problem;
use serde::Serialize;
use web::axum::extract::State;
use web::axum::response::Html;
use web::openapi::ToSchema;
use web::{Operator, Page, Refusal};

use super::{Age, Shown};
use crate::DirectoryState;
use crate::snapshot::{self, GOVERNMENT, Snapshot};

#[derive(Template)]
#[template(path = "trust.html")]
struct View<'a> {
    page: &'a Page,
    age: Age,
    is_hub: bool,
    roots: Vec<Shown>,
    timestamps: Vec<(String, Option<Shown>)>,
    classes: Vec<(String, String, usize)>,
}

/// Trust services and classes of members as a page.
#[utoipa::path(get, path = "/exchange/trust", tag = "directory", operation_id = "trust_page",
    security(("session" = ["operator"])),
    responses((status = 200, description = "roots, timestamp services, classes", content_type = "text/html")))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let snapshot = state.directory.snapshot();
    let now = state.directory.store().world().now();
    let shown = |pem: &String| {
        let certificate = snapshot::certificate(pem).ok()?;
        Some(Shown::of(&page, &snapshot, &certificate, now))
    };
    let classes = classes(&snapshot, &page.t("directory-class-gov"));
    let view = View {
        age: Age::of(&state, &page),
        is_hub: state.decides(&who),
        roots: snapshot.anchors.iter().filter_map(shown).collect(),
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
    /// The timestamp services, in the order in which they are asked.
    timestamps: Vec<TrustTimestamps>,
    /// The classes of members.
    classes: Vec<TrustClass>,
}

/// Tells roots and timestamp services with how each stands, and the classes of members.
#[utoipa::path(get, path = "/api/v1/directory/trust", tag = "directory", operation_id = "show_trust",
    security(("session" = ["operator"])),
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
