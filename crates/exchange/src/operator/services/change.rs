//! `POST /exchange/services/{org}/{system}/{code}` and its twin: an operator changes how a service is
//! reached and what it has; and the form for it, filled with what is said now.

use askama::Template;
use axum::extract::Path;
use axum::response::{Html, Response};
use kernel::Problem;
use web::{Fields, Json, Page, Refusal};

use super::super::Acting;
use super::super::request::first;
use super::Named;
use super::list::ServiceLine;
use super::register::{View, told_in_a_form};
use super::text::{self, ServiceText};
use crate::gateway::Exchange;
use crate::ids::ServiceId;
use crate::offered::Entry;

/// The form as it stands, with what is wrong in it.
fn body(
    x: &Exchange,
    page: &Page,
    (id, text): (&ServiceId, &ServiceText),
    problems: &[Problem],
) -> Result<String, Problem> {
    let back = format!("{}/{id}", super::LIST);
    let view = View {
        errors: text::errors(page, problems),
        title: "exchange-service-change",
        action: back.clone(),
        back,
        items: text::boxes(page, text, problems, (true, x.service_ms_max())),
        name: Some(id.to_string()),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The form of a service, filled with what is said of it now.
#[utoipa::path(get, path = "/exchange/services/{org}/{system}/{code}/change", tag = "exchange",
    operation_id = "service_change_form",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form", content_type = "text/html"), (status = 404)))]
pub(crate) async fn form(
    Acting(x, _): Acting,
    page: Page,
    Path(named): Path<Named>,
) -> Result<Html<String>, Refusal> {
    let entry = x.registered_service(&super::id_of(&named)?).await?;
    let text = ServiceText::of(&entry.id, &entry.setup);
    let body = body(&x, &page, (&entry.id, &text), &[])?;
    Ok(page.html(&page.t("exchange-service-change"), body))
}

/// What is sent does not repeat an uploaded document: it stays until another takes its place, or it is
/// dropped in words.
async fn with_its_document(x: &Exchange, id: &ServiceId, text: ServiceText) -> Result<ServiceText, Problem> {
    let before = x.registered_service(id).await?.setup.wsdl;
    let stays = before.filter(|w| w.url == text.wsdl && text.wsdl_document.is_empty() && !text.wsdl_drop);
    Ok(match stays {
        Some(before) => ServiceText {
            wsdl_document: before.document,
            ..text
        },
        None => text,
    })
}

async fn change(
    x: &Exchange,
    id: &ServiceId,
    text: &ServiceText,
    who: &web::Principal,
) -> Result<Entry, Vec<Problem>> {
    let meant = text.meant();
    let mut faults = meant.faults;
    if meant.id.is_some_and(|named| named != *id) {
        faults.push(Problem::invalid("service", "service-renamed").with("service", id));
    }
    if faults.is_empty() {
        return x.change_service(id, meant.setup, &who.actor).await;
    }
    x.registered_service(id).await.map_err(|problem| vec![problem])?;
    faults.extend(x.setup_faults(id, &meant.setup));
    Err(faults)
}

/// Changes a service by the form.
#[utoipa::path(post, path = "/exchange/services/{org}/{system}/{code}", tag = "exchange",
    operation_id = "change_service_by_form",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["service-changed"]))),
    responses((status = 303, description = "to the service"), (status = 404),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(named): Path<Named>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let id = super::id_of(&named)?;
    let text = ServiceText {
        service: id.to_string(),
        ..ServiceText::read(&fields)
    };
    let text = with_its_document(&x, &id, text).await?;
    let problems = match change(&x, &id, &text, &who).await {
        Ok(_) => return Ok(super::see(&id)),
        Err(problems) => told_in_a_form(problems)?,
    };
    let body = body(&x, &page, (&id, &text), &problems)?;
    Ok(page.html_status(422, &page.t("exchange-service-change"), body))
}

/// Changes how a service is reached and what it has.
#[utoipa::path(post, path = "/api/v1/exchange/services/{org}/{system}/{code}", tag = "exchange",
    operation_id = "change_service",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    request_body = ServiceText,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["service-changed"]))),
    responses((status = 200, body = ServiceLine), (status = 404), (status = 422)))]
pub(crate) async fn by_json(
    Acting(x, who): Acting,
    Path(named): Path<Named>,
    Json(text): Json<ServiceText>,
) -> Result<axum::Json<ServiceLine>, Refusal> {
    let id = super::id_of(&named)?;
    let text = with_its_document(&x, &id, text).await?;
    let entry = change(&x, &id, &text, &who).await.map_err(first)?;
    Ok(axum::Json(ServiceLine::of(&entry.into(), x.0.now())))
}
