//! The information-system face: an agency's own system calls `/r1/VN/GOV/{org}/{system}/{service}`
//! with `X-Road-Client`, over plain HTTP on the loopback. Only POST with a JSON body for now. Never
//! a page: programs call this face, and are told in problem+json.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kernel::{Kind, Problem};

use crate::client::Ask;
use crate::export::Which;
use crate::gateway::Exchange;
use crate::ids::{ServiceId, SystemId};
use crate::service::Answer;

impl Exchange {
    /// What information systems of this node's tenants call.
    pub fn face_router(&self) -> Router {
        Router::new()
            .route("/r1/VN/GOV/{org}/{system}/{service}", post(call))
            .route("/asic/{request}", get(container))
            .with_state(self.clone())
    }
}

async fn call(
    State(exchange): State<Exchange>,
    Path((org, system, service)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let name = format!("{org}/{system}/{service}");
    ask(&exchange, &name, &headers, body)
        .await
        .unwrap_or_else(|problem| refused(&problem))
}

/// The container of a request, or of its answer under the request's id with `-answer`.
async fn container(State(exchange): State<Exchange>, Path(name): Path<String>) -> Response {
    let (request, which) = match name.strip_suffix("-answer") {
        Some(request) => (request, Which::Answer),
        None => (name.as_str(), Which::Request),
    };
    match exchange.container(request, which).await {
        Ok(zip) => {
            // Only an id of ours was found, so that it can stand in a header.
            let file = format!("attachment; filename=\"{request}.asice\"");
            let media = seal::asice::MIME_TYPE.to_owned();
            ([(CONTENT_TYPE, media), (CONTENT_DISPOSITION, file)], zip).into_response()
        }
        Err(problem) => refused(&problem),
    }
}

fn refused(problem: &Problem) -> Response {
    tracing::warn!(%problem, "a call at the information-system face was refused");
    let answer = Answer::of_problem(problem);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(CONTENT_TYPE, answer.media)], answer.body).into_response()
}

async fn ask(
    exchange: &Exchange,
    service: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let unknown = || Problem::new(Kind::NotFound, "service-unknown").with("service", service);
    let service: ServiceId = service.parse().map_err(|_| unknown())?;
    let consumer = text(headers, "x-road-client")?
        .and_then(|c| SystemId::from_header(&c).ok())
        .ok_or_else(|| Problem::invalid("X-Road-Client", "client-header"))?;
    let media = text(headers, "content-type")?.unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.is_empty() && !media.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Kind::WrongMedia, "wrong-media").with("wanted", "application/json"));
    }
    let ask = Ask {
        on_behalf: text(headers, "x-road-userid")?.unwrap_or_else(|| format!("system:{consumer}")),
        issue: text(headers, "x-road-issue")?,
        idempotency: text(headers, "idempotency-key")?,
        body: web::body::read(body, exchange.0.store.limits().exchange_body_bytes_max).await?,
        consumer,
        service,
    };
    let heard = exchange.ask(ask).await?;
    let status = StatusCode::from_u16(heard.status).map_err(Problem::internal)?;
    let mut response = (status, heard.body).into_response();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    };
    put("content-type", &heard.media);
    put("x-road-request-id", &heard.request);
    put(
        "sen-evidence",
        &format!("{}/{}", heard.position.0, heard.position.1),
    );
    Ok(response)
}

/// A header's text. One that cannot be read is refused: left out, the exchange would be for another
/// person, case or change than the caller said.
fn text(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|e| Problem::new(Kind::Malformed, "malformed").at(name).because(e))?;
    Ok(Some(text.to_owned()))
}
