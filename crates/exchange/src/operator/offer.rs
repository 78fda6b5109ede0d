//! `POST /exchange/agreements/{hash}/offer` and its twin: the provider signs a text for a request; and
//! the form for it, filled with what was asked for.

use askama::Template;
use axum::extract::Path;
use axum::response::{Html, Response};
use kernel::{Digest, Kind, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Fields, Json, Page, Refusal};

use super::Acting;
use super::draft::{self, AgreementText};
use super::request::{View, first};
use crate::gateway::Exchange;
use crate::life::Known;

/// What is offered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementOffer {
    /// The text; as it was asked for, or offered before, when left out.
    text: Option<AgreementText>,
}

/// What was offered.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgreementOffered {
    /// The hash of the text.
    agreement: String,
}

/// Offers a text for a request.
#[utoipa::path(post, path = "/api/v1/exchange/agreements/{hash}/offer", tag = "exchange",
    operation_id = "offer_agreement",
    params(("hash" = String, Path, description = "the request's name")), request_body = AgreementOffer,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-offered"]))),
    responses((status = 200, body = AgreementOffered), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn by_json(
    Acting(x, who): Acting,
    Path(name): Path<String>,
    Json(asked): Json<AgreementOffer>,
) -> Result<axum::Json<AgreementOffered>, Refusal> {
    let known = x.known(&name).await?;
    let request = request_of(&known)?;
    let text = match asked.text {
        Some(text) => text.agreement(x.0.now()).map_err(first)?,
        None => (*known.text).clone(),
    };
    let hash = x.offer_agreement(&request, text, &who.actor).await?;
    Ok(axum::Json(AgreementOffered {
        agreement: hash.hex(),
    }))
}

fn request_of(known: &Known) -> Result<Digest, Problem> {
    let talk = known.talk.as_ref().ok_or_else(Problem::not_found)?;
    Ok(talk.request)
}

/// The provider must be here: to anybody else there is no such form.
fn answered_here(x: &Exchange, known: &Known) -> Result<(), Problem> {
    if x.is_here(&known.text.provider) && known.talk.is_some() {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}

fn body(page: &Page, known: &Known, fields: &Fields, problems: &[Problem]) -> Result<String, Problem> {
    let back = format!("{}/{}", super::LIST, known.name);
    let view = View {
        errors: draft::errors(page, problems),
        title: "exchange-offer-title",
        lead: "exchange-offer-lead",
        send: "exchange-offer-sign",
        action: format!("{back}/offer"),
        back,
        items: draft::boxes(page, fields, problems),
        fixed: true,
        systems: Vec::new(),
        services: Vec::new(),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The form of an offer, filled with what was asked for.
#[utoipa::path(get, path = "/exchange/agreements/{hash}/offer", tag = "exchange",
    operation_id = "agreement_offer_form",
    params(("hash" = String, Path, description = "the request's name")), security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form", content_type = "text/html"), (status = 404)))]
pub(crate) async fn form(
    Acting(x, _): Acting,
    page: Page,
    Path(name): Path<String>,
) -> Result<Html<String>, Refusal> {
    let known = x.known(&name).await?;
    answered_here(&x, &known)?;
    let filled = draft::filled(&known.text);
    let pairs: Vec<(&str, &str)> = filled.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let body = body(&page, &known, &Fields::of(&pairs), &[])?;
    Ok(page.html(&page.t("exchange-offer-title"), body))
}

/// Offers a text for a request by the form.
#[utoipa::path(post, path = "/exchange/agreements/{hash}/offer", tag = "exchange",
    operation_id = "offer_agreement_by_form",
    params(("hash" = String, Path, description = "the request's name")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-offered"]))),
    responses((status = 303, description = "to the request"), (status = 404), (status = 409),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let known = x.known(&name).await?;
    answered_here(&x, &known)?;
    let request = request_of(&known)?;
    let problems = match draft::read(&fields, x.0.now()) {
        Err(problems) => problems,
        Ok(text) => match x.offer_agreement(&request, text, &who.actor).await {
            Ok(_) => return Ok(super::see(&request)),
            Err(problem) if problem.kind == Kind::Invalid => vec![problem],
            Err(problem) => return Err(problem.into()),
        },
    };
    let body = body(&page, &known, &fields, &problems)?;
    Ok(page.html_status(422, &page.t("exchange-offer-title"), body))
}
