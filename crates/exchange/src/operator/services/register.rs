//! `POST /exchange/services` and its twin: an operator registers a service; and the form for it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use kernel::Problem;
use web::{Fields, Json, Page, Refusal};

use super::super::Acting;
use super::super::request::first;
use super::list::ServiceLine;
use super::text::{self, Item, ServiceText};
use crate::gateway::Exchange;
use crate::offered::Entry;

/// The form of a service.
#[derive(Template)]
#[template(path = "service_form.html")]
pub(super) struct View<'a> {
    pub(super) page: &'a Page,
    pub(super) errors: String,
    pub(super) title: &'static str,
    pub(super) back: String,
    pub(super) action: String,
    pub(super) items: Vec<Item>,
    /// The name of a service that has one.
    pub(super) name: Option<String>,
}

/// The form as it stands, with what is wrong in it.
fn body(x: &Exchange, page: &Page, text: &ServiceText, problems: &[Problem]) -> Result<String, Problem> {
    let view = View {
        errors: text::errors(page, problems),
        title: "exchange-service-new",
        back: super::LIST.to_owned(),
        action: super::LIST.to_owned(),
        items: text::boxes(page, text, problems, (false, x.service_ms_max())),
        name: None,
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The form of a new service.
#[utoipa::path(get, path = "/exchange/services/new", tag = "exchange", operation_id = "service_form",
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form", content_type = "text/html")))]
pub(crate) async fn form(Acting(x, _): Acting, page: Page) -> Result<Html<String>, Refusal> {
    let body = body(&x, &page, &text::empty(), &[])?;
    Ok(page.html(&page.t("exchange-service-new"), body))
}

async fn register(x: &Exchange, text: &ServiceText, who: &web::Principal) -> Result<Entry, Vec<Problem>> {
    let meant = text.meant();
    match meant.id {
        Some(id) if meant.faults.is_empty() => x.register_service(id, meant.setup, &who.actor).await,
        id => {
            let mut faults = meant.faults;
            faults.extend(x.service_faults(id.as_ref(), &meant.setup));
            Err(faults)
        }
    }
}

/// Registers a service by the form.
#[utoipa::path(post, path = "/exchange/services", tag = "exchange",
    operation_id = "register_service_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["service-registered"]))),
    responses((status = 303, description = "to the service"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn by_form(Acting(x, who): Acting, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let text = ServiceText::read(&fields);
    let problems = match register(&x, &text, &who).await {
        Ok(entry) => return Ok(super::see(&entry.id)),
        Err(problems) => told_in_a_form(problems)?,
    };
    let body = body(&x, &page, &text, &problems)?;
    Ok(page.html_status(422, &page.t("exchange-service-new"), body))
}

/// Faults that stand at fields of the form.
///
/// # Errors
/// The first that does not: it stands in place of the page.
pub(super) fn told_in_a_form(problems: Vec<Problem>) -> Result<Vec<Problem>, Problem> {
    let other = problems.iter().find(|p| !crate::offered::is_of_a_field(p));
    match other {
        Some(other) => Err(other.clone()),
        None => Ok(problems),
    }
}

/// Registers a service of an organisation of this node; it answers from then on to those whose
/// agreements allow it.
#[utoipa::path(post, path = "/api/v1/exchange/services", tag = "exchange",
    operation_id = "register_service", request_body = ServiceText,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["service-registered"]))),
    responses((status = 201, body = ServiceLine), (status = 409), (status = 422)))]
pub(crate) async fn by_json(
    Acting(x, who): Acting,
    Json(text): Json<ServiceText>,
) -> Result<Response, Refusal> {
    let entry = register(&x, &text, &who).await.map_err(first)?;
    let line = ServiceLine::of(&entry.into(), x.0.now());
    Ok((StatusCode::CREATED, axum::Json(line)).into_response())
}
