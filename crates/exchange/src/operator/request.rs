//! `POST /exchange/agreements` and its twin: an organisation of this node asks for an agreement; and
//! the form for it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use kernel::Problem;
use serde::Serialize;
use utoipa::ToSchema;
use web::{Fields, Json, Page, Refusal};

use super::Acting;
use super::draft::{self, AgreementText, Item};
use crate::gateway::Exchange;

/// What was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgreementRequested {
    /// The request's name.
    pub(crate) request: String,
}

/// Asks a provider for an agreement.
#[utoipa::path(post, path = "/api/v1/exchange/agreements", tag = "exchange",
    operation_id = "request_agreement", request_body = AgreementText,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-requested"]))),
    responses((status = 201, body = AgreementRequested),
              (status = 200, description = "the very same was asked for already", body = AgreementRequested),
              (status = 404), (status = 409), (status = 422), (status = 429)))]
pub(crate) async fn by_json(
    Acting(x, who): Acting,
    Json(text): Json<AgreementText>,
) -> Result<Response, Refusal> {
    let draft = text.agreement(x.0.now()).map_err(first)?;
    let (request, is_new) = x.asked_for(draft, &who.actor).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let request = request.hex();
    Ok((status, axum::Json(AgreementRequested { request })).into_response())
}

/// A program is told the first fault.
pub(crate) fn first(faults: Vec<Problem>) -> Problem {
    let first = faults.into_iter().next();
    first.unwrap_or_else(|| Problem::internal("a text is refused without a fault"))
}

#[derive(Template)]
#[template(path = "agreement_draft.html")]
pub(crate) struct View<'a> {
    pub(crate) page: &'a Page,
    pub(crate) errors: String,
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    /// What its button says.
    pub(crate) send: &'static str,
    pub(crate) back: String,
    pub(crate) action: String,
    pub(crate) items: Vec<Item>,
    /// What the parties and the service are; asked for when empty.
    pub(crate) fixed: bool,
    /// The systems and the services to choose from.
    pub(crate) systems: Vec<(String, String)>,
    pub(crate) services: Vec<(String, String)>,
}

fn body(x: &Exchange, page: &Page, fields: &Fields, problems: &[Problem]) -> Result<String, Problem> {
    let view = View {
        errors: draft::errors(page, problems),
        title: "exchange-request-title",
        lead: "exchange-request-lead",
        send: "exchange-request-send",
        back: super::LIST.to_owned(),
        action: super::LIST.to_owned(),
        items: draft::boxes(page, fields, problems),
        fixed: false,
        systems: x
            .own_systems()
            .into_iter()
            .map(|(id, org)| (id, x.organisation(&org)))
            .collect(),
        services: x.services_known(),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The form of a request.
#[utoipa::path(get, path = "/exchange/agreements/new", tag = "exchange",
    operation_id = "agreement_request_form", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form", content_type = "text/html")))]
pub(crate) async fn form(Acting(x, _): Acting, page: Page) -> Result<Html<String>, Refusal> {
    let body = body(&x, &page, &Fields::default(), &[])?;
    Ok(page.html(&page.t("exchange-request-title"), body))
}

/// Asks a provider for an agreement by the form.
#[utoipa::path(post, path = "/exchange/agreements", tag = "exchange",
    operation_id = "request_agreement_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-requested"]))),
    responses((status = 303, description = "to the request"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn by_form(Acting(x, who): Acting, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let problems = match draft::read(&fields, x.0.now()) {
        Err(problems) => problems,
        Ok(draft) => match x.request_agreement(draft, &who.actor).await {
            Ok(request) => return Ok(super::see(&request)),
            Err(problem)
                if matches!(
                    problem.code,
                    "member-unknown" | "member-elsewhere" | "member-not-yours"
                ) =>
            {
                // At the box of the organisation that is not hosted here, or takes no part.
                let field = match problem.kind {
                    kernel::Kind::NotFound => "service",
                    _ => "consumer",
                };
                vec![problem.at(field)]
            }
            Err(problem) if crate::offered::is_of_a_field(&problem) => vec![problem],
            Err(problem) => return Err(problem.into()),
        },
    };
    let body = body(&x, &page, &fields, &problems)?;
    Ok(page.html_status(422, &page.t("exchange-request-title"), body))
}
