//! The information-system face: an agency's own system calls `/r1/VN/GOV/{org}/{system}/{service}`
//! with `X-Road-Client`, over plain HTTP on the loopback. Only POST with a JSON body for now.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kernel::{Kind, Problem};

use crate::client::Ask;
use crate::gateway::Exchange;
use crate::ids::{ServiceId, SystemId};
use crate::service::Answer;

impl Exchange {
    /// What information systems of this node's tenants call.
    pub fn face_router(&self) -> Router {
        let limit = self.0.store.limits().exchange_body_bytes_max;
        Router::new()
            .route("/r1/VN/GOV/{org}/{system}/{service}", post(call))
            .route("/asic/{request}", get(crate::export::asic_of_face))
            .layer(axum::extract::DefaultBodyLimit::max(limit))
            .with_state(self.clone())
    }
}

async fn call(
    State(exchange): State<Exchange>,
    Path((org, system, service)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match ask(&exchange, (org, system, service), &headers, body).await {
        Ok(response) => response,
        // Programs call this face: they are told in problem+json, with proper status codes.
        Err(problem) => {
            tracing::warn!(%problem, "a call at the information-system face was refused");
            answer(&Answer::of_problem(&problem))
        }
    }
}

fn answer(answer: &Answer) -> Response {
    let status = axum::http::StatusCode::from_u16(answer.status).unwrap_or(axum::http::StatusCode::BAD_GATEWAY);
    (status, [(axum::http::header::CONTENT_TYPE, answer.media.clone())], answer.body.clone()).into_response()
}

async fn ask(
    exchange: &Exchange,
    (org, system, service): (String, String, String),
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let service: ServiceId = format!("{org}/{system}/{service}").parse().map_err(|_| {
        Problem::new(Kind::NotFound, "service-unknown").with("service", format!("{org}/{system}/{service}"))
    })?;
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let consumer = text("x-road-client")
        .and_then(|c| SystemId::from_header(&c).ok())
        .ok_or_else(|| Problem::invalid("X-Road-Client", "client-header"))?;
    let ask = Ask {
        on_behalf: text("x-road-userid").unwrap_or_else(|| format!("system:{consumer}")),
        issue: text("x-road-issue"),
        idempotency: text("idempotency-key"),
        consumer,
        service,
        body,
    };
    let heard = exchange.ask(ask).await?;
    let status = axum::http::StatusCode::from_u16(heard.status).map_err(Problem::internal)?;
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
