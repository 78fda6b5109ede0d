//! `POST …/compare` and `POST …/endpoints`: what a service's document lists, OpenAPI or WSDL, beside what
//! is offered; and what was seen of it taken over.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use kernel::{Digest, Kind, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Fields, Json, Page, Refusal};

use super::super::Acting;
use super::Named;
use super::one::{self, Beside};
use super::text;
use crate::offered::Difference;

/// What a document lists besides what is offered, or no more.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceDifference {
    /// Endpoints, or operations of a SOAP service, that are not offered yet.
    added: Vec<String>,
    /// Those that are offered and not listed any more.
    removed: Vec<String>,
    /// True when a WSDL is another document, whatever it lists.
    is_other: bool,
    /// Names what the document lists: to take over just this.
    seen: String,
}

impl ServiceDifference {
    fn of(d: Difference) -> Self {
        Self {
            seen: d.seen.hex(),
            is_other: d.is_other,
            added: d.added,
            removed: d.removed,
        }
    }
}

/// What was seen of a document.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceSeenEndpoints {
    /// As the comparison named it.
    seen: String,
    /// The WSDL document that was compared, when it was not read from its address.
    #[serde(default)]
    document: Option<String>,
}

/// What a service is compared with.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceComparison {
    /// A WSDL document; left out, the one at its address.
    #[serde(default)]
    document: Option<String>,
}

fn seen(text: &str) -> Result<Digest, Problem> {
    Digest::parse(text).ok_or_else(|| Problem::new(Kind::Malformed, "malformed").at("seen"))
}

/// Compares a service's endpoints with those of its OpenAPI document as it stands now, or the operations of a
/// SOAP service with those of its WSDL.
#[utoipa::path(post, path = "/api/v1/exchange/services/{org}/{system}/{code}/compare", tag = "exchange",
    operation_id = "compare_service",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    request_body = ServiceComparison,
    security(("session" = ["operator"])), extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, body = ServiceDifference), (status = 404), (status = 422)))]
pub(crate) async fn compare_by_json(
    Acting(x, _): Acting,
    Path(named): Path<Named>,
    body: Bytes,
) -> Result<axum::Json<ServiceDifference>, Refusal> {
    // Nothing at all is as good as an empty object: there is something to say for a WSDL only.
    let asked: Option<ServiceComparison> = match body.is_empty() {
        true => None,
        false => web::json::read(&body, x.0.store.limits().json_depth_max)?,
    };
    let asked = asked.unwrap_or_default();
    let id = super::id_of(&named)?;
    let difference = x.compare_service(&id, asked.document.as_deref()).await?;
    Ok(axum::Json(ServiceDifference::of(difference)))
}

/// The same on the page of the service.
#[utoipa::path(post, path = "/exchange/services/{org}/{system}/{code}/compare", tag = "exchange",
    operation_id = "compare_service_by_form",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-changes-nothing" = json!(true))),
    responses((status = 200, description = "the page with the difference", content_type = "text/html"),
              (status = 404), (status = 422, description = "the page with what is wrong")))]
pub(crate) async fn compare_by_form(
    Acting(x, _): Acting,
    page: Page,
    Path(named): Path<Named>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let id = super::id_of(&named)?;
    let document = text::document(&fields, "wsdl_document");
    match x.compare_service(&id, Some(&document)).await {
        Ok(difference) => {
            let beside = Beside {
                difference: Some((&difference, &document)),
                ..Beside::default()
            };
            one::again(&x, &page, &id, beside).await
        }
        Err(problem) => one::refused(&x, &page, &id, (vec![problem], None)).await,
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
    Acting(x, who): Acting,
    Path(named): Path<Named>,
    Json(asked): Json<ServiceSeenEndpoints>,
) -> Result<StatusCode, Refusal> {
    let id = super::id_of(&named)?;
    let seen = seen(&asked.seen)?;
    x.accept_endpoints(&id, (&seen, asked.document.as_deref()), &who.actor)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/services/{org}/{system}/{code}/endpoints", tag = "exchange",
    operation_id = "accept_endpoints_by_form",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["service-changed"]))),
    responses((status = 303, description = "to the service"), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn accept_by_form(
    Acting(x, who): Acting,
    Path(named): Path<Named>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let id = super::id_of(&named)?;
    let seen = seen(fields.text("seen").unwrap_or_default())?;
    let document = text::document(&fields, "document");
    x.accept_endpoints(&id, (&seen, Some(&document)), &who.actor)
        .await?;
    Ok(super::see(&id))
}
