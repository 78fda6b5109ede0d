//! `GET /sign-in` and `POST /sign-in`: the form, or the way to the identity provider. Never sends
//! anyone to another site afterwards: see [`crate::next`].

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use serde::Deserialize;
use web::openapi::utoipa;
use web::{Fields, Page, Refusal};

use crate::{Site, client, next, query};

/// What the sign-in page is asked with.
#[derive(Debug, Deserialize)]
pub struct Wish {
    /// Where to go afterwards: a path of this site.
    next: Option<String>,
    /// `password` shows the form where the provider is the usual way.
    with: Option<String>,
}

/// The form's fields.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub struct SignInForm {
    /// User name.
    user: String,
    /// Password.
    password: String,
    /// Where to go afterwards: a path of this site.
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    page: &'a Page,
    problems: &'a [Problem],
    user: &'a str,
    next: &'a str,
    /// The way to the identity provider, where there is one.
    provider: Option<String>,
}

impl SignInPage<'_> {
    fn bad(&self, field: &str) -> bool {
        self.problems.iter().any(|p| p.field.as_deref() == Some(field))
    }
}

/// Shows the form, or sends the reader to the identity provider.
#[utoipa::path(get, path = "/sign-in", tag = "identity", security(()),
    params(("next" = Option<String>, Query, description = "path to go to afterwards"),
           ("with" = Option<String>, Query, description = "`password` for the form")),
    responses((status = 200, description = "the form", content_type = "text/html"),
              (status = 303, description = "to the identity provider")))]
pub(crate) async fn show(
    State(site): State<Arc<Site>>,
    page: Page,
    headers: HeaderMap,
    Query(wish): Query<Wish>,
) -> Result<Response, Refusal> {
    let next = next::local(wish.next.as_deref());
    match &site.client {
        Some(upstream) if wish.with.as_deref() != Some("password") => {
            Ok(client::begin::begin(&site, upstream, &headers, next).await?)
        }
        _ => Ok(render(&site, &page, 200, &[], "", next)?),
    }
}

/// Checks the password, begins a session and goes on.
#[utoipa::path(post, path = "/sign-in", tag = "identity", security(()),
    request_body(content = SignInForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "signed in; to `next`"),
              (status = 401, description = "wrong user or password", content_type = "text/html"),
              (status = 429, description = "too many tries", content_type = "text/html")),
    extensions(("x-facts" = json!(["signed-in", "sign-in-refused"]))))]
pub(crate) async fn submit(
    State(site): State<Arc<Site>>,
    page: Page,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Refusal> {
    let next = next::local(fields.text("next"));
    let user = fields.text("user").unwrap_or_default();
    let password = fields.raw("password").unwrap_or_default();
    let missing: Vec<Problem> = [("user", user), ("password", password)]
        .iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(name, _)| Problem::invalid(name, missing(name)))
        .collect();
    if !missing.is_empty() {
        return Ok(render(&site, &page, 422, &missing, user, next)?);
    }
    match super::sign_in(&site, &headers, user, password).await {
        Ok(started) => Ok((
            StatusCode::SEE_OTHER,
            [
                (header::LOCATION, header_value(next)?),
                (header::SET_COOKIE, started.cookie),
            ],
        )
            .into_response()),
        Err(problem) if problem.kind.status() < 500 => {
            let status = problem.kind.status();
            Ok(render(&site, &page, status, &[problem.at("user")], user, next)?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Each field names itself: in a list of two alike nobody knows which is which.
fn missing(field: &str) -> &'static str {
    match field {
        "user" => "user-missing",
        _ => "password-missing",
    }
}

fn header_value(next: &str) -> Result<header::HeaderValue, Problem> {
    header::HeaderValue::from_str(next).map_err(Problem::internal)
}

fn render(
    site: &Site,
    page: &Page,
    status: u16,
    problems: &[Problem],
    user: &str,
    next: &str,
) -> Result<Response, Problem> {
    let body = SignInPage {
        page,
        problems,
        user,
        next,
        provider: site
            .client
            .as_ref()
            .map(|_| format!("/sign-in?{}", query::write(&[("next", next)]))),
    }
    .render()
    .map_err(Problem::internal)?;
    Ok(page.html_status(status, &page.t("identity-sign-in-title"), body))
}
