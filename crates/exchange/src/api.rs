//! The operator's operations: exchanges found and proved; those on agreements are in
//! `operator`. Every one asks for the role `operator`, or for `observer` where
//! nothing is changed.

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use kernel::{Problem, Time};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::auth::{OPERATOR, SEEING, SignedIn};
use web::problem::Refusal;

use crate::evidence::{Search, file_safe};
use crate::export::{Inclusion, Which};
use crate::gateway::Exchange;
use crate::index::{Indexed, Look};

/// The exchange's operations on a node's portal.
pub fn router(exchange: &Exchange) -> OpenApiRouter {
    let routes = OpenApiRouter::new()
        .merge(crate::operator::router())
        .merge(crate::evidence::router())
        .routes(routes!(crate::left::page::page))
        .routes(routes!(crate::left::page::json))
        .routes(routes!(list_exchanges))
        .routes(routes!(prove_exchange))
        .routes(routes!(export_exchange))
        .with_state(exchange.clone());
    exchange.audited(routes)
}

impl Exchange {
    /// Routes of this crate or another one: what is refused there of administrative acts stands in the
    /// audit.
    #[must_use]
    pub fn audited(&self, routes: OpenApiRouter) -> OpenApiRouter {
        routes.layer(axum::middleware::from_fn_with_state(
            self.clone(),
            crate::audit::note,
        ))
    }
}

/// What to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only exchanges that began before this instant, milliseconds since 1970: the next page.
    before: Option<i64>,
    /// Only exchanges that this case caused.
    issue: Option<String>,
    /// The position of the last one of the page before: the next page.
    after: Option<u64>,
}

/// Lists exchanges in the order in which they were recorded, newest first, a page at a time.
#[utoipa::path(get, path = "/api/v1/exchange/exchanges", tag = "exchange", params(Wanted),
    security(("session" = ["operator", "observer"])), responses((status = 200, body = Vec<Indexed>)))]
async fn list_exchanges(
    State(x): State<Exchange>,
    SignedIn(who): SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Vec<Indexed>>, Refusal> {
    who.require_any(&SEEING)?;
    x.index_up().await?;
    let reader = x.0.store.read(&x.0.home).await?;
    let search = Search {
        to: wanted.before.map(Time),
        case: wanted.issue,
        after: wanted.after,
        own: x.seen_by(&who),
        ..Search::default()
    };
    let look = Look::of(&reader, x.0.index.tail());
    let found = search.run(&look, x.0.store.limits().page_rows_max).await?;
    Ok(axum::Json(found.exchanges))
}

/// Proves that an exchange's record is in this node's log.
#[utoipa::path(get, path = "/api/v1/exchange/exchanges/{request}/proof", tag = "exchange",
    params(("request" = String, Path,)), security(("session" = ["operator", "observer"])),
    responses((status = 200, body = Inclusion), (status = 404)))]
async fn prove_exchange(
    State(x): State<Exchange>,
    SignedIn(who): SignedIn,
    Path(request): Path<String>,
) -> Result<axum::Json<Inclusion>, Refusal> {
    who.require_any(&SEEING)?;
    let sides = x.sides(&who, &request).await?;
    let side = sides.into_iter().next().ok_or_else(Problem::not_found)?;
    Ok(axum::Json(x.inclusion_of(side).await?))
}

/// Which message to export.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Part {
    /// `request` (the default) or `answer`.
    part: Option<String>,
    /// With the body, where the agreement has it kept; without it stands as its digest.
    body: Option<bool>,
    /// What the body is read for; stands in the fact of the reading, so no person is named in it.
    purpose: Option<String>,
}

/// Exports one message of an exchange as an ASiC-E container; only with the body it leaves a fact.
#[utoipa::path(get, path = "/api/v1/exchange/exchanges/{request}/asice", tag = "exchange",
    params(("request" = String, Path,), Part), security(("session" = ["operator", "observer"])),
    extensions(("x-facts" = json!(["body-read"]))),
    responses((status = 200, content_type = "application/vnd.etsi.asic-e+zip"), (status = 404),
              (status = 422, description = "with a body and without a purpose")))]
async fn export_exchange(
    State(x): State<Exchange>,
    SignedIn(who): SignedIn,
    Path(request): Path<String>,
    Query(part): Query<Part>,
) -> Result<Response, Refusal> {
    who.require_any(&SEEING)?;
    let which = match part.part.as_deref() {
        None | Some("request") => Which::Request,
        Some("answer") => Which::Answer,
        Some(_) => return Err(Problem::invalid("part", "malformed").into()),
    };
    let zip = if part.body == Some(true) {
        // A body that is read leaves a fact: who only observes does not.
        who.require(OPERATOR)?;
        let purpose = part.purpose.as_deref();
        x.container_with_body(&who, &request, which, purpose).await?
    } else {
        x.sides(&who, &request).await?;
        x.container(&request, which).await?
    };
    let name = format!("{}-{}.asice", file_safe(&request), which.as_str());
    let headers = [
        (CONTENT_TYPE, seal::asice::MIME_TYPE.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, zip).into_response())
}
