//! `/keys`: the API keys of an operator's unit, a form for a new one, and the end of each. The key itself is
//! on the page that answers the form, and on no other.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Problem, Time};
use web::auth::OPERATOR;
use web::openapi::utoipa;
use web::{Fields, Operator, Page, Principal, Refusal};

use super::{Wanted, may_give};
use crate::Site;

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// The list.
const LIST: &str = "/keys";

#[derive(Template)]
#[template(path = "api_keys.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    rows: Vec<Row>,
    /// The key that was just made.
    made: Option<String>,
    name: String,
    name_error: String,
    roles: Vec<(String, bool)>,
    roles_error: String,
    expires: String,
    expires_error: String,
}

struct Row {
    id: String,
    name: String,
    account: String,
    roles: String,
    until: String,
    used: Option<String>,
    state: String,
    class: &'static str,
    good: bool,
}

async fn body(
    site: &Site,
    who: &Principal,
    page: &Page,
    (fields, problems): (&Fields, &[Problem]),
    made: Option<String>,
) -> Result<String, Problem> {
    let now = site.store.world().now();
    let rows = site.sessions.keys_of(who).await?.into_iter().map(|key| {
        let state = key.state(now);
        Row {
            state: page.t(&format!("identity-key-{state}")),
            class: match state {
                "good" => "tag tag-good",
                "expired" => "tag tag-none",
                _ => "tag tag-bad",
            },
            good: state == "good",
            until: page.date(key.expires.plus_ms(-1).date()),
            used: key.used.map(|at| page.time(at)),
            roles: key.roles.join(", "),
            account: key.maker.id,
            name: key.name,
            id: key.id,
        }
    });
    let sent: Vec<&str> = fields.texts("roles").collect();
    let view = View {
        errors: page.errors_named(problems, |field| {
            let known = matches!(field, "name" | "roles" | "expires");
            known.then(|| page.t(&format!("identity-key-{field}")))
        }),
        rows: rows.collect(),
        name: fields.text("name").unwrap_or_default().to_owned(),
        name_error: page.field_error(problems, "name"),
        roles: may_give(who)
            .into_iter()
            .map(|role| (role.to_owned(), sent.contains(&role)))
            .collect(),
        roles_error: page.field_error(problems, "roles"),
        expires: fields.text("expires").unwrap_or_default().to_owned(),
        expires_error: page.field_error(problems, "expires"),
        made,
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The keys as a page, with the form for a new one.
#[utoipa::path(get, path = "/keys", tag = "identity", operation_id = "api_keys_page",
    security(("session" = ["operator"])),
    responses((status = 200, description = "the keys", content_type = "text/html")))]
pub(crate) async fn show(
    State(site): State<Arc<Site>>,
    Operator(who): Operator,
    page: Page,
) -> Result<Response, Refusal> {
    who.require(OPERATOR)?;
    let body = body(&site, &who, &page, (&Fields::default(), &[]), None).await?;
    Ok(page.html(&page.t("identity-keys"), body).into_response())
}

/// Makes a key by the form; the page that answers shows it, once.
#[utoipa::path(post, path = "/keys", tag = "identity", operation_id = "make_api_key_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["api-key-made"]))),
    responses((status = 200, description = "the keys, and the new one itself", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn make(
    State(site): State<Arc<Site>>,
    Operator(who): Operator,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let mut problems = Vec::new();
    // The last day counts whole.
    let expires = match fields.date("expires") {
        Ok(Some(day)) => Some(Time::at(day, 0).plus_ms(DAY_MS)),
        Ok(None) => None,
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let wanted = Wanted {
        name: fields.text("name").unwrap_or_default().to_owned(),
        roles: fields.texts("roles").map(str::to_owned).collect(),
        expires: expires.unwrap_or(Time(0)),
    };
    let made = site.sessions.make_key(&who, &wanted).await;
    let title = page.t("identity-keys");
    match made {
        Ok((_, key)) => {
            let body = body(&site, &who, &page, (&Fields::default(), &[]), Some(key)).await?;
            let mut response = page.html(&title, body).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        }
        Err(faults) => {
            if let Some(other) = faults.iter().find(|p| p.field.is_none()) {
                return Err(other.clone().into());
            }
            let told = problems.len();
            problems.extend(
                faults
                    .into_iter()
                    .filter(|p| told == 0 || p.code != "api-key-end"),
            );
            let body = body(&site, &who, &page, (&fields, &problems), None).await?;
            Ok(page.html_status(422, &title, body))
        }
    }
}

/// Revokes a key by a form.
#[utoipa::path(post, path = "/keys/{key}/revoke", tag = "identity", operation_id = "revoke_api_key_by_form",
    params(("key" = String, Path, description = "its id")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["api-key-revoked"]))),
    responses((status = 303, description = "to the keys"), (status = 404)))]
pub(crate) async fn revoke(
    State(site): State<Arc<Site>>,
    Operator(who): Operator,
    Path(key): Path<String>,
) -> Result<Redirect, Refusal> {
    site.sessions.revoke_key(&who, &key).await?;
    Ok(Redirect::to(LIST))
}
