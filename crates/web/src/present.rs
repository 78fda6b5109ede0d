//! The middleware around every node's router: request id, trace, language, same-origin check,
//! wording of refusals, security headers, metrics and the access log. Never logs a path, a query
//! or anything a person typed: the log carries the route's template.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use futures_util::FutureExt as _;
use hyper::body::Body as _;
use kernel::{Kind, Problem};
use tracing::Instrument as _;

use crate::auth::Known;
use crate::i18n::Lang;
use crate::page::Page;
use crate::problem::{Refusal, as_json, as_page, of_status};
use crate::shared::{NodeFace, Shared};
use crate::trace::{RequestId, Trace};

/// Wraps a node's whole router; every handler then finds [`Shared`], [`Lang`], [`RequestId`] and
/// [`Trace`] in its request.
pub fn present(router: Router, shared: Shared) -> Router {
    router
        .merge(crate::assets::router())
        .merge(crate::problem::router())
        .layer(DefaultBodyLimit::max(shared.limits.body_bytes_max))
        .layer(from_fn_with_state(shared, around))
}

/// What is remembered of a request while its handler has it.
struct Asked {
    method: Method,
    route: String,
    request: String,
    for_program: bool,
    back: String,
    page: Page,
    known: Known,
    chosen: Option<Lang>,
}

async fn around(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let started = shared.world.now();
    let (mut parts, body) = request.into_parts();
    let trace = Trace::of(&parts.headers, &shared.world);
    let mut asked = remember(&parts, &shared);
    let extensions = &mut parts.extensions;
    extensions.insert(shared.clone());
    extensions.insert(asked.page.lang);
    extensions.insert(asked.known.clone());
    extensions.insert(RequestId(asked.request.clone()));
    extensions.insert(trace.clone());
    let span = tracing::info_span!("request", request = %asked.request, trace = %trace.trace_id);
    let (body, form) = match held(&parts, body, &asked).await {
        Ok(held) => held,
        Err(problem) => return finish(Refusal(problem).into_response(), &asked, started),
    };
    let sent = form.map(|form| (parts.clone(), form));

    let answered = match same_origin(&parts) {
        Err(problem) => Refusal(problem).into_response(),
        Ok(()) => {
            let handler = AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind();
            let deadline = Duration::from_millis(shared.limits.request_ms_max);
            let handler = trace.during(handler.instrument(span.clone()));
            let refusal = match tokio::time::timeout(deadline, handler).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(_)) => Err(Problem::internal(
                    "a handler panicked; see the panic's own message",
                )),
                Err(_) => Err(Problem::new(Kind::Timeout, "timeout")),
            };
            refusal.unwrap_or_else(|problem| Refusal(problem).into_response())
        }
    };
    if let Some((parts, form)) = sent
        && is_not_signed_in(&answered)
        && let Some(path) = shared
            .authenticate
            .keep(&parts, form)
            .instrument(span.clone())
            .await
    {
        asked.back = path;
    }
    let _in_request = span.enter();
    finish(answered, &asked, started)
}

fn finish(answered: Response, asked: &Asked, started: kernel::Time) -> Response {
    let shared = &asked.page.shared;
    let mut response = word(answered, asked);
    furnish(response.headers_mut(), asked, &shared.node);
    record(asked, response.status(), shared.world.now().ms() - started.ms());
    response
}

/// Holds a person's form while its handler has it: when their session turns out to have ended, what
/// they typed must not be lost. Large bodies and files pass unheld.
async fn held(parts: &Parts, body: Body, asked: &Asked) -> Result<(Body, Option<Bytes>), Problem> {
    let size = body.size_hint().upper();
    let limits = &asked.page.shared.limits;
    let is_form = parts.method == Method::POST
        && !asked.for_program
        && parts.headers.contains_key(header::COOKIE)
        && crate::body::media(parts) == "application/x-www-form-urlencoded"
        && size.is_some_and(|size| size <= limits.kept_form_bytes_max);
    if !is_form {
        return Ok((body, None));
    }
    let form = crate::body::read(body, limits.body_bytes_max).await?;
    Ok((Body::from(form.clone()), Some(form)))
}

fn is_not_signed_in(answered: &Response) -> bool {
    let problem = answered.extensions().get::<Problem>();
    problem.is_some_and(|p| p.code == "not-signed-in")
}

/// The page a request came from, when it is one of ours.
fn came_from(parts: &Parts) -> Option<String> {
    let referer: Uri = parts.headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    let ours = referer.authority().is_some_and(|a| a.as_str() == host);
    ours.then(|| referer.path_and_query().map_or("/", |p| p.as_str()).to_owned())
}

fn remember(parts: &Parts, shared: &Shared) -> Asked {
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map_or("none", |m| m.as_str())
        .to_owned();
    let back = match parts.method {
        Method::GET => parts.uri.path_and_query().map(|p| p.as_str().to_owned()),
        _ => came_from(parts),
    };
    Asked {
        method: parts.method.clone(),
        route,
        request: shared.world.id(),
        for_program: for_program(parts),
        back: back.unwrap_or_else(|| "/".to_owned()),
        page: Page {
            lang: Lang::of(parts),
            user: None,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            marks: Vec::new(),
            banners: Vec::new(),
            shared: shared.clone(),
        },
        known: Known::default(),
        chosen: Lang::asked(parts),
    }
}

/// Programs call under `/api`, send JSON, or ask for JSON before HTML; all others are people.
fn for_program(parts: &Parts) -> bool {
    let names_json = |name| {
        let value = parts
            .headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
            .unwrap_or_default();
        value
            .find("json")
            .is_some_and(|json| value.find("text/html").is_none_or(|html| json < html))
    };
    let path = parts.uri.path();
    path == "/api"
        || path.starts_with("/api/")
        || names_json(header::ACCEPT)
        || names_json(header::CONTENT_TYPE)
}

/// A changing request must come from our own pages or from a program: browsers say where from.
fn same_origin(parts: &Parts) -> Result<(), Problem> {
    if matches!(
        parts.method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    ) {
        return Ok(());
    }
    let text = |name: &str| parts.headers.get(name).map(|v| v.to_str().unwrap_or_default());
    let ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            // HTTP/1.1 carries the authority in Host; an absolute target carries it itself.
            let asked = parts
                .uri
                .authority()
                .map(Authority::as_str)
                .or_else(|| text("host"));
            host.is_some() && host == asked
        }
        (None, None) => true,
    };
    if ours {
        Ok(())
    } else {
        Err(Problem::new(Kind::Forbidden, "cross-site"))
    }
}

/// Turns a refusal, or a bare error status, into its words.
fn word(mut response: Response, asked: &Asked) -> Response {
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if (status.is_client_error() || status.is_server_error()) && is_bare(response.headers()) => {
            of_status(status)
        }
        None => return response,
    };
    if problem.code == "method"
        && let Some(page) = page_of_action(asked)
    {
        return page;
    }
    log_cause(&problem);
    let page = Page {
        user: asked.known.seen(),
        ..asked.page.clone()
    };
    let mut worded = if asked.for_program {
        as_json(&page, &problem, &asked.request)
    } else {
        as_page(
            &page,
            &problem,
            &asked.request,
            &asked.back,
            asked.method == Method::POST,
        )
    };
    // What a handler or the router said besides (Allow, Set-Cookie) stays.
    let said = std::mem::take(response.headers_mut());
    for (name, value) in &said {
        if name != header::CONTENT_TYPE
            && name != header::CONTENT_LENGTH
            && !worded.headers().contains_key(name)
        {
            worded.headers_mut().append(name, value.clone());
        }
    }
    worded
}

/// The way to the page whose form posts to an address, for a person who opens the address itself: by
/// the language link of a form with errors, or from the history. The form stands one step above.
fn page_of_action(asked: &Asked) -> Option<Response> {
    if asked.method != Method::GET || asked.for_program {
        return None;
    }
    let (above, _) = asked.page.path.rsplit_once('/')?;
    let above = above.trim_start_matches('/');
    if above.is_empty() {
        return None;
    }
    let query = match asked.page.query.as_str() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    Some(Redirect::to(&format!("/{above}{query}")).into_response())
}

/// An error without content of its own: empty, or the plain text of routing and extractors.
fn is_bare(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_none_or(|v| {
        v.as_bytes().starts_with(b"text/plain") || v.as_bytes() == b"application/octet-stream"
    })
}

fn log_cause(problem: &Problem) {
    let (code, cause) = (problem.code, problem.cause.as_deref().unwrap_or_default());
    if problem.kind.status() >= 500 {
        tracing::error!(code, cause, "a request failed");
    } else if problem.cause.is_some() {
        tracing::info!(code, cause, "a request was refused");
    }
}

/// Fills in the headers that the handler did not set itself.
fn furnish(headers: &mut HeaderMap, asked: &Asked, node: &NodeFace) {
    const FIXED: [(&str, &str); 7] = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
        ("cache-control", "no-store"),
    ];
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let mut targets = String::new();
    for origin in &node.form_targets {
        targets.push(' ');
        targets.push_str(origin);
    }
    let policy = format!(
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'{targets}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    if let Ok(id) = HeaderValue::from_str(&asked.request) {
        headers.insert("x-request-id", id);
    }
    headers
        .entry(header::CONTENT_LANGUAGE)
        .or_insert(HeaderValue::from_static(asked.page.lang.code()));
    if let Some(lang) = asked.chosen {
        headers.append(
            header::SET_COOKIE,
            crate::cookie::set("lang", lang.code(), Some(31_536_000), false),
        );
    }
}

/// One line and two figures a request: the method, the route's template, the status, the time.
fn record(asked: &Asked, status: StatusCode, ms: i64) {
    let (method, route) = (asked.method.as_str(), asked.route.as_str());
    tracing::info!(target: "access", method, route, status = status.as_u16(), ms, "answered");
    let labels = [
        ("method", known_method(&asked.method).to_owned()),
        ("route", asked.route.clone()),
        ("status", status.as_str().to_owned()),
    ];
    metrics::counter!("sen_http_requests_total", &labels).increment(1);
    let seconds = f64::from(u32::try_from(ms.max(0)).unwrap_or(u32::MAX)) / 1000.0;
    metrics::histogram!("sen_http_request_seconds", &labels[..2]).record(seconds);
}

/// Method names are free text; a figure's labels must not be.
fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
