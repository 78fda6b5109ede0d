//! The operator's operations: exchanges found and proved; those on agreements are in
//! `operator`. Every one asks for the role `operator`.

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::auth::SignedIn;
use web::problem::Refusal;

use crate::export::{Inclusion, Which};
use crate::gateway::Exchange;
use crate::store::{self as rows, Indexed};

/// The exchange's operations on a node's portal.
pub fn router(exchange: Exchange) -> OpenApiRouter {
    OpenApiRouter::new()
        .merge(crate::operator::router())
        .routes(routes!(list_exchanges))
        .routes(routes!(prove_exchange))
        .routes(routes!(export_exchange))
        .with_state(exchange)
}

/// What to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only exchanges that began before this instant, milliseconds since 1970: the next page.
    before: Option<i64>,
    /// Only exchanges that this case caused.
    issue: Option<String>,
}

/// Lists exchanges, newest first, a page at a time.
#[utoipa::path(get, path = "/api/v1/exchange/exchanges", tag = "exchange", params(Wanted),
    security(("session" = ["operator"])), responses((status = 200, body = Vec<Indexed>)))]
async fn list_exchanges(
    State(x): State<Exchange>,
    SignedIn(who): SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Vec<Indexed>>, Refusal> {
    who.require("operator")?;
    let reader = x.0.store.read(&x.0.home).await?;
    let limit = x.0.store.limits().page_rows_max;
    let list = rows::latest(
        &reader,
        wanted.before.unwrap_or(i64::MAX),
        wanted.issue.as_deref(),
        limit,
    )
    .await?;
    Ok(axum::Json(list))
}

/// Proves that an exchange's record is in this node's log.
#[utoipa::path(get, path = "/api/v1/exchange/exchanges/{request}/proof", tag = "exchange",
    params(("request" = String, Path,)), security(("session" = ["operator"])),
    responses((status = 200, body = Inclusion), (status = 404)))]
async fn prove_exchange(
    State(x): State<Exchange>,
    SignedIn(who): SignedIn,
    Path(request): Path<String>,
) -> Result<axum::Json<Inclusion>, Refusal> {
    who.require("operator")?;
    Ok(axum::Json(x.inclusion(&request).await?))
}

/// Which message to export.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Part {
    /// `request` (the default) or `answer`.
    part: Option<String>,
}

/// Exports one message of an exchange as an ASiC-E container.
#[utoipa::path(get, path = "/api/v1/exchange/exchanges/{request}/asice", tag = "exchange",
    params(("request" = String, Path,), Part), security(("session" = ["operator"])),
    responses((status = 200, content_type = "application/vnd.etsi.asic-e+zip"), (status = 404)))]
async fn export_exchange(
    State(x): State<Exchange>,
    SignedIn(who): SignedIn,
    Path(request): Path<String>,
    Query(part): Query<Part>,
) -> Result<Response, Refusal> {
    who.require("operator")?;
    let which = match part.part.as_deref() {
        None | Some("request") => Which::Request,
        Some("answer") => Which::Answer,
        Some(_) => return Err(Problem::invalid("part", "malformed").into()),
    };
    let zip = x.container(&request, which).await?;
    Ok(([(CONTENT_TYPE, "application/vnd.etsi.asic-e+zip")], zip).into_response())
}
