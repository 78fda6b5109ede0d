//! A refusal and its wording: problem+json (RFC 9457) for programs, a page for people. Never words
//! an inner cause: that goes to the log, once, with the request's id.

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use kernel::{Kind, Problem};
use serde_json::json;

use crate::page::{Page, escape};
pub use crate::present::present;

/// What handlers return: `Result<_, Refusal>`; `?` turns a [`Problem`] into it.
#[derive(Clone, Debug)]
pub struct Refusal(pub Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    /// A bare status that carries the problem; `present` words it.
    fn into_response(self) -> Response {
        let mut response = status_of(&self.0).into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

fn status_of(problem: &Problem) -> StatusCode {
    match problem.code {
        // The one status that no kind of problem stands for: a route without that method.
        "method" => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::from_u16(problem.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The problem that stands for a bare error status, as routing and axum's own extractors give.
pub(crate) fn of_status(status: StatusCode) -> Problem {
    match status.as_u16() {
        401 => Problem::new(Kind::NotSignedIn, "not-signed-in"),
        403 => Problem::new(Kind::Forbidden, "refused"),
        404 => Problem::not_found(),
        405 => Problem::new(Kind::NotFound, "method"),
        409 => Problem::stale(),
        413 => Problem::new(Kind::TooLarge, "body-too-large"),
        415 => Problem::new(Kind::WrongMedia, "wrong-media").with("wanted", "application/json"),
        422 => Problem::new(Kind::Invalid, "refused"),
        429 => Problem::new(Kind::TooMany, "too-many"),
        504 | 408 => Problem::new(Kind::Timeout, "timeout"),
        503 => Problem::new(Kind::Unavailable, "store-unavailable"),
        400..500 => Problem::new(Kind::Malformed, "malformed"),
        _ => Problem::internal(format!("bare status {status}")),
    }
}

/// Title, rule and remedy of a problem in the reader's language. A code without a text gets a
/// general one: a reader is never shown a key.
pub(crate) fn words(page: &Page, problem: &Problem) -> [String; 3] {
    let mut key = format!("problem-{}", problem.code);
    if !page.shared.texts.has(&format!("{key}.rule")) {
        tracing::error!(code = problem.code, "a problem has no text");
        (if problem.kind.status() < 500 {
            "problem-refused"
        } else {
            "problem-internal"
        })
        .clone_into(&mut key);
    }
    let args: Vec<(&str, String)> = problem
        .args
        .iter()
        .map(|(name, value)| match *name {
            "role" => (*name, roles(page, value)),
            _ => (*name, value.clone()),
        })
        .collect();
    ["", ".rule", ".remedy"].map(|part| {
        let key = format!("{key}{part}");
        if page.shared.texts.has(&key) {
            page.tw(&key, &args)
        } else {
            String::new()
        }
    })
}

/// Roles as people call them: `officer, clerk` is how the code does.
fn roles(page: &Page, codes: &str) -> String {
    let worded = codes.split(", ").map(|code| {
        let key = format!("web-role-{code}");
        if page.shared.texts.has(&key) {
            page.t(&key)
        } else {
            code.to_owned()
        }
    });
    worded.collect::<Vec<_>>().join(", ")
}

/// The answer for a program.
pub(crate) fn as_json(page: &Page, problem: &Problem, request: &str) -> Response {
    let status = status_of(problem);
    let [title, rule, remedy] = words(page, problem);
    let mut body = json!({
        "type": format!("/problems/{}", problem.code),
        "title": title,
        "status": status.as_u16(),
        "detail": rule,
        "remedy": remedy,
        "instance": format!("urn:request:{request}"),
    });
    if let Some(field) = &problem.field {
        body["field"] = json!(field);
    }
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    retry_after(&mut response, problem);
    response
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    rule: &'a str,
    remedy: &'a str,
    request_label: String,
    request_hint: String,
    request: &'a str,
    home: String,
    /// The list of what was looked for, and its name.
    list: Option<(String, String)>,
    /// The way back to the form that was sent, and its words.
    again: Option<(String, String)>,
}

/// The answer for a person: a page, or the way to sign in and come back. `sent` says that a form was
/// sent, so that `back` is where it stands.
pub(crate) fn as_page(page: &Page, problem: &Problem, request: &str, back: &str, sent: bool) -> Response {
    if problem.code == "not-signed-in" {
        return Redirect::to(&format!("/sign-in?next={}", percent(back))).into_response();
    }
    let [title, rule, remedy] = words(page, problem);
    let body = ProblemPage {
        title: &title,
        rule: &rule,
        remedy: &remedy,
        request_label: page.t("web-request-id"),
        request_hint: page.t("web-request-id-hint"),
        request,
        home: page.t("web-home"),
        list: page
            .place()
            .filter(|_| problem.kind == Kind::NotFound)
            .map(|item| (item.href.clone(), page.t(&item.key))),
        // Two slashes at the start would name another site.
        again: (sent && back != "/")
            .then(|| (format!("/{}", back.trim_start_matches('/')), page.t("web-back"))),
    };
    let body = body.render().unwrap_or_default();
    let mut response = (status_of(problem), page.html(&title, body)).into_response();
    retry_after(&mut response, problem);
    response
}

/// `/problems/{code}`: what the `type` of an answer means, for who looks it up.
pub(crate) fn router() -> Router {
    Router::new().route("/problems/{code}", get(explain))
}

async fn explain(page: Page, Path(code): Path<String>) -> Result<Html<String>, Refusal> {
    let key = format!("problem-{code}");
    if code.contains('.') || !page.shared.texts.has(&format!("{key}.rule")) {
        return Err(Problem::not_found().into());
    }
    let [title, rule, remedy] =
        ["", ".rule", ".remedy"].map(|part| without_places(&page.t(&format!("{key}{part}"))));
    let escaped = [&title, &rule, &remedy].map(|text| escape(text));
    let [heading, rule, remedy] = escaped;
    Ok(page.html(
        &title,
        format!("<h1>{heading}</h1>\n<p class=\"lead\">{rule}</p>\n<p>{remedy}</p>"),
    ))
}

/// A text whose places have no value here: what stands there differs from refusal to refusal.
fn without_places(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, place)) = rest.split_once("{$") {
        let Some((_, after)) = place.split_once('}') else {
            break;
        };
        out.push_str(before);
        out.push('…');
        rest = after;
    }
    out + rest
}

/// Tells a client when to come back, when the problem knows (`seconds`) or the kind implies it.
fn retry_after(response: &mut Response, problem: &Problem) {
    let known = problem
        .args
        .iter()
        .find(|(name, _)| *name == "seconds")
        .map(|(_, v)| v.as_str());
    let wait = match problem.kind {
        Kind::TooMany | Kind::Unavailable | Kind::Full => known.unwrap_or("5"),
        _ => return,
    };
    if let Ok(value) = HeaderValue::from_str(wait) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
}

/// Percent-encodes a value for a query.
#[must_use]
pub fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without_places;

    #[test]
    fn a_meaning_shows_no_place_by_its_inner_name() {
        for (text, shown) in [
            ("At most {$max} MB, not {$size}.", "At most … MB, not …."),
            ("Nothing to fill.", "Nothing to fill."),
            ("{$open", "{$open"),
        ] {
            assert_eq!(without_places(text), shown);
        }
    }
}
