//! What programs read: the signed snapshot, the directory, areas as of a day; and the one thing an
//! operator changes, a revocation. Never a page: see `pages`.

use kernel::{AreaCode, Date, Digest, Kind, Problem};
use serde::{Deserialize, Serialize};
use web::axum::extract::{Path, Query, State};
use web::axum::http::{HeaderMap, StatusCode, header};
use web::axum::response::{IntoResponse, Response};
use web::openapi::ToSchema;
use web::{Json, Refusal};

use crate::areas::{Area, Successor};
use crate::members::reach::Keeper;
use crate::snapshot::Snapshot;
use crate::{Directory, DirectoryState};

/// The signed snapshot, for other nodes.
#[utoipa::path(
    get, path = "/directory/snapshot", tag = "directory", security(()),
    responses(
        (status = 200, description = "The snapshot held, signed by the hub", content_type = "application/jose", body = String),
        (status = 304, description = "The caller holds it already"),
        (status = 503, description = "Nothing was adopted yet"),
    )
)]
pub(crate) async fn signed_snapshot(
    State(directory): State<Directory>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (token, hash) = directory.token();
    if token.is_empty() {
        return Err(Problem::new(Kind::Unavailable, "directory-empty").into());
    }
    Ok(unless_held(
        &headers,
        &hash,
        "application/jose",
        token.to_string(),
    ))
}

/// What is asked for, or that the caller holds it already.
fn unless_held(headers: &HeaderMap, name: &Digest, media: &str, body: String) -> Response {
    let tag = format!("\"{name}\"");
    let held = headers.get(header::IF_NONE_MATCH);
    if held.is_some_and(|held| held.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let head = [(header::CONTENT_TYPE, media.to_owned()), (header::ETAG, tag)];
    (head, body).into_response()
}

/// Which snapshot counts and how it is put together, signed by the hub within the last minute.
#[utoipa::path(
    get, path = "/directory/head", tag = "directory", security(()),
    responses(
        (status = 200, description = "The head of the snapshot held", content_type = "application/jose", body = String),
        (status = 304, description = "The caller holds it already"),
        (status = 503, description = "None is known for what is held"),
    )
)]
pub(crate) async fn signed_head(
    State(directory): State<Directory>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let head = directory.head()?;
    let token = head.ok_or_else(|| Problem::new(Kind::Unavailable, "directory-empty"))?;
    let name = Digest::of(token.as_bytes());
    Ok(unless_held(
        &headers,
        &name,
        "application/jose",
        token.to_string(),
    ))
}

/// A part of the snapshot, or the list of them, by the digest of its bytes.
#[utoipa::path(
    get, path = "/directory/parts/{digest}", tag = "directory", security(()),
    params(("digest" = String, Path, description = "SHA-256 of the bytes, 64 hex digits")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/json", body = String),
        (status = 404, description = "No part of the snapshot held"),
    )
)]
pub(crate) async fn part(
    State(directory): State<Directory>,
    headers: HeaderMap,
    Path(digest): Path<String>,
) -> Result<Response, Refusal> {
    let name = Digest::parse(&digest).ok_or_else(Problem::not_found)?;
    let part = directory.parts()?.and_then(|parts| parts.get(&name));
    let bytes = part.ok_or_else(Problem::not_found)?;
    Ok(unless_held(
        &headers,
        &name,
        "application/json",
        bytes.to_string(),
    ))
}

/// The directory: nodes, members, systems, services, certificates, revocations.
#[utoipa::path(
    get, path = "/api/v1/directory", tag = "directory", security(()),
    responses((status = 200, description = "The snapshot this node holds", body = Snapshot))
)]
pub(crate) async fn directory(State(state): State<DirectoryState>) -> web::axum::Json<Snapshot> {
    web::axum::Json((*state.directory.snapshot()).clone())
}

/// Why a certificate is revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateRevocation {
    /// In words; everybody can read it.
    reason: String,
}

/// What a revocation did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevocationAnswer {
    /// The serial of the snapshot that carries it.
    serial: u64,
}

/// Revokes a certificate: it is refused here at once, and by other nodes when they follow.
#[utoipa::path(
    post, path = "/api/v1/directory/certificates/{thumbprint}/revoke", tag = "directory",
    security(("session" = ["operator"])),
    params(("thumbprint" = String, Path, description = "SHA-256 of the certificate, 64 hex digits")),
    request_body = CertificateRevocation,
    responses(
        (status = 200, description = "Revoked", body = RevocationAnswer),
        (status = 403, description = "Not an operator"),
        (status = 404, description = "No thumbprint, or no hub here"),
        (status = 409, description = "The hub's own seal"),
        (status = 422, description = "No reason"),
    ),
    extensions(("x-facts" = json!(["certificate-revoked", "directory-published", "directory-adopted"])))
)]
pub(crate) async fn revoke(
    State(state): State<DirectoryState>,
    Keeper(principal): Keeper,
    Path(thumbprint): Path<String>,
    Json(body): Json<CertificateRevocation>,
) -> Result<web::axum::Json<RevocationAnswer>, Refusal> {
    let hub = state.hub.ok_or_else(Problem::not_found)?;
    let thumbprint = Digest::parse(&thumbprint).ok_or_else(Problem::not_found)?;
    let snapshot = hub.revoke(&principal.actor, thumbprint, &body.reason).await?;
    Ok(web::axum::Json(RevocationAnswer {
        serial: snapshot.serial,
    }))
}

/// Which day, and below what.
#[derive(Debug, Deserialize)]
pub(crate) struct AreasQuery {
    on: Option<String>,
    parent: Option<String>,
}

/// Units of a day and the day.
#[derive(Debug, Serialize)]
pub(crate) struct AreasAnswer<'a> {
    on: String,
    areas: Vec<&'a Area>,
}

/// The units below one on a day, or the provinces.
#[utoipa::path(
    get, path = "/api/v1/areas", tag = "directory", security(()),
    params(
        ("on" = Option<String>, Query, description = "A day, 2025-07-01; today when left out"),
        ("parent" = Option<String>, Query, description = "Code of the unit above; the provinces when left out"),
    ),
    responses((status = 200, description = "The units, by code"), (status = 422, description = "No day, or no code"))
)]
pub(crate) async fn areas(
    State(state): State<DirectoryState>,
    Query(query): Query<AreasQuery>,
) -> Result<Response, Refusal> {
    let on = day(&state, query.on.as_deref())?;
    let parent = query
        .parent
        .as_deref()
        .filter(|p| !p.is_empty())
        .map(area_code)
        .transpose()?;
    let answer = AreasAnswer {
        on: kernel::time::iso(on),
        areas: state.areas.children(parent.as_ref(), on),
    };
    Ok(web::axum::Json(answer).into_response())
}

/// One unit of a day with what it was made of and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct AreaAnswer<'a> {
    on: String,
    area: &'a Area,
    full_path: String,
    predecessors: Vec<Successor>,
    successors: Vec<Successor>,
}

/// One unit as of a day.
#[utoipa::path(
    get, path = "/api/v1/areas/{code}", tag = "directory", security(()),
    params(
        ("code" = String, Path, description = "Statistics code: 2, 3 or 5 digits"),
        ("on" = Option<String>, Query, description = "A day, 2025-07-01; today when left out"),
    ),
    responses((status = 200, description = "The unit"), (status = 404, description = "No such unit on that day"))
)]
pub(crate) async fn area(
    State(state): State<DirectoryState>,
    Path(code): Path<String>,
    Query(query): Query<AreasQuery>,
) -> Result<Response, Refusal> {
    let on = day(&state, query.on.as_deref())?;
    let code: AreaCode = code.parse().map_err(|_| Problem::not_found())?;
    let area = state.areas.area(&code, on).ok_or_else(Problem::not_found)?;
    let answer = AreaAnswer {
        on: kernel::time::iso(on),
        area,
        full_path: state.areas.full_path(&code, on),
        predecessors: state.areas.predecessors(&code, on),
        successors: state.areas.successors(&code, on),
    };
    Ok(web::axum::Json(answer).into_response())
}

/// The day asked for; today when none is.
pub(crate) fn day(state: &DirectoryState, text: Option<&str>) -> Result<Date, Problem> {
    match text.map(str::trim).filter(|t| !t.is_empty()) {
        None => Ok(state.directory.store().world().now().date()),
        Some(text) => kernel::time::parse_iso(text).ok_or_else(|| Problem::invalid("on", "directory-no-day")),
    }
}

/// The area code asked for.
pub(crate) fn area_code(text: &str) -> Result<AreaCode, Problem> {
    text.trim()
        .parse()
        .map_err(|_| Problem::invalid("parent", "directory-no-area"))
}
