//! `POST …/compare` and `POST …/endpoints`: the endpoints of a service's OpenAPI document beside those
//! that are offered; and what was seen of them taken over.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use kernel::{Digest, Kind, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Fields, Json, Operator, Page, Refusal};

use super::Named;
use super::one::{self, Beside};
use crate::endpoint::Endpoint;
use crate::gateway::Exchange;
use crate::offered::Difference;

/// What a document lists besides what is offered, or no more.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceDifference {
    /// Endpoints that are not offered yet.
    added: Vec<String>,
    /// Endpoints that are offered and not listed any more.
    removed: Vec<String>,
    /// Names what the document lists: to take over just this.
    seen: String,
}

impl ServiceDifference {
    fn of(d: &Difference) -> Self {
        let texts = |all: &[Endpoint]| all.iter().map(ToString::to_string).collect();
        Self {
            added: texts(&d.added),
            removed: texts(&d.removed),
            seen: d.seen.hex(),
        }
    }
}

/// What was seen of a document.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceSeenEndpoints {
    /// As the comparison named it.
    seen: String,
}

fn seen(text: &str) -> Result<Digest, Problem> {
    Digest::parse(text).ok_or_else(|| Problem::new(Kind::Malformed, "malformed").at("seen"))
}

/// Compares a service's endpoints with those of its OpenAPI document as it stands now.
#[utoipa::path(post, path = "/api/v1/exchange/services/{org}/{system}/{code}/compare", tag = "exchange",
    operation_id = "compare_service",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, body = ServiceDifference), (status = 404), (status = 422)))]
pub(crate) async fn compare_by_json(
    State(x): State<Exchange>,
    _: Operator,
    Path(named): Path<Named>,
) -> Result<axum::Json<ServiceDifference>, Refusal> {
    let difference = x.compare_service(&super::id_of(&named)?).await?;
    Ok(axum::Json(ServiceDifference::of(&difference)))
}

/// The same on the page of the service.
#[utoipa::path(post, path = "/exchange/services/{org}/{system}/{code}/compare", tag = "exchange",
    operation_id = "compare_service_by_form",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, description = "the page with the difference", content_type = "text/html"),
              (status = 404), (status = 422, description = "the page with what is wrong")))]
pub(crate) async fn compare_by_form(
    State(x): State<Exchange>,
    _: Operator,
    page: Page,
    Path(named): Path<Named>,
) -> Result<Response, Refusal> {
    let id = super::id_of(&named)?;
    match x.compare_service(&id).await {
        Ok(difference) => {
            let beside = Beside {
                difference: Some(&difference),
                ..Beside::default()
            };
            one::again(&x, &page, &id, beside).await
        }
        Err(problem) => one::refused(&x, &page, &id, (problem, None)).await,
    }
}

/// Takes over the endpoints of the document, when it still lists what was seen.
#[utoipa::path(post, path = "/api/v1/exchange/services/{org}/{system}/{code}/endpoints", tag = "exchange",
    operation_id = "accept_endpoints",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    request_body = ServiceSeenEndpoints,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["service-changed"]))),
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn accept_by_json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Path(named): Path<Named>,
    Json(asked): Json<ServiceSeenEndpoints>,
) -> Result<StatusCode, Refusal> {
    let id = super::id_of(&named)?;
    x.accept_endpoints(&id, &seen(&asked.seen)?, &who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/services/{org}/{system}/{code}/endpoints", tag = "exchange",
    operation_id = "accept_endpoints_by_form",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["service-changed"]))),
    responses((status = 303, description = "to the service"), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn accept_by_form(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Path(named): Path<Named>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let id = super::id_of(&named)?;
    let seen = seen(fields.text("seen").unwrap_or_default())?;
    x.accept_endpoints(&id, &seen, &who.actor).await?;
    Ok(super::see(&id))
}
