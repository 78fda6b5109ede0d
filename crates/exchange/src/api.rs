//! The operator's operations: agreements held and ended, exchanges found and proved. Every one asks
//! for the role `operator`; ending an agreement is a fact.

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use kernel::{Digest, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::auth::SignedIn;
use web::json::Json;
use web::problem::Refusal;

use crate::export::{Inclusion, Which};
use crate::gateway::Exchange;
use crate::store::{self as rows, Indexed};

/// The exchange's operations on a node's portal.
pub fn router(exchange: Exchange) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_agreements))
        .routes(routes!(revoke_agreement))
        .routes(routes!(list_exchanges))
        .routes(routes!(prove_exchange))
        .routes(routes!(export_exchange))
        .with_state(exchange)
}

/// An agreement as the operator sees it.
#[derive(Serialize, ToSchema)]
struct AgreementLine {
    hash: String,
    id: String,
    provider: String,
    consumer: String,
    service: String,
    fields: Vec<String>,
    purpose: String,
    legal_basis: String,
    valid_from: i64,
    valid_to: i64,
    /// `in-force`, `expired` or `revoked`.
    state: &'static str,
}

/// Lists the agreements this node holds.
#[utoipa::path(get, path = "/api/v1/exchange/agreements", tag = "exchange",
    security(("session" = ["operator"])), responses((status = 200, body = Vec<AgreementLine>)))]
async fn list_agreements(
    State(x): State<Exchange>,
    SignedIn(who): SignedIn,
) -> Result<axum::Json<Vec<AgreementLine>>, Refusal> {
    who.require("operator")?;
    let now = x.0.now();
    let lines = x
        .agreements()
        .list()
        .into_iter()
        .map(|(hash, a, revoked)| AgreementLine {
            hash: hash.hex(),
            state: if revoked {
                "revoked"
            } else if a.in_term(now).is_ok() {
                "in-force"
            } else {
                "expired"
            },
            id: a.id.clone(),
            provider: a.provider.to_string(),
            consumer: a.consumer.to_string(),
            service: a.service.to_string(),
            fields: a.fields.clone(),
            purpose: a.purpose.clone(),
            legal_basis: a.legal_basis.clone(),
            valid_from: a.valid_from.ms(),
            valid_to: a.valid_to.ms(),
        });
    Ok(axum::Json(lines.collect()))
}

/// Why an agreement ends, and by which of this node's organisations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AgreementRevocation {
    /// The organisation that ends it.
    #[schema(example = "G22")]
    by: String,
    /// Why; the other party reads it.
    reason: String,
}

/// Ends an agreement now; the other party is told.
#[utoipa::path(post, path = "/api/v1/exchange/agreements/{hash}/revoke", tag = "exchange",
    params(("hash" = String, Path,)), request_body = AgreementRevocation,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-revoked"]))),
    responses((status = 204), (status = 404), (status = 409)))]
async fn revoke_agreement(
    State(x): State<Exchange>,
    SignedIn(who): SignedIn,
    Path(hash): Path<String>,
    Json(asked): Json<AgreementRevocation>,
) -> Result<axum::http::StatusCode, Refusal> {
    who.require("operator")?;
    let hash = Digest::parse(&hash).ok_or_else(Problem::not_found)?;
    let by: OrgCode = asked
        .by
        .parse()
        .map_err(|_| Problem::invalid("by", "organisation-code"))?;
    if asked.reason.trim().is_empty() {
        return Err(Problem::invalid("reason", "field-missing")
            .with("field", "reason")
            .into());
    }
    let unknown = || Problem::new(Kind::Forbidden, "member-unknown").with("member", &by);
    let seal = x.0.keyring.seals.get(&by).ok_or_else(unknown)?;
    x.agreements()
        .revoke(hash, &by, asked.reason.trim(), &who.actor, &seal.key)
        .await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
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
