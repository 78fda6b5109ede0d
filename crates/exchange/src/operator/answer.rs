//! `POST …/refuse`, `POST …/accept` and `POST …/withdraw`: the provider says no to a request, the
//! consumer says yes to an offer, or takes its request back.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::{Digest, Problem};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Fields, Json, Page, Principal, Refusal};

use super::Acting;
use super::one::after;
use crate::gateway::Exchange;

/// Why a request is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementRefusal {
    /// Why; the consumer reads it.
    reason: String,
}

/// What is accepted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementAcceptance {
    /// The hash of the text that was offered and looked at.
    agreement: String,
}

impl Exchange {
    async fn refuse(&self, name: &str, reason: &str, who: &Principal) -> Result<(), Problem> {
        let request = self.request_behind(name).await?;
        self.refuse_agreement(&request, reason, &who.actor).await
    }

    async fn take_back(&self, name: &str, reason: &str, who: &Principal) -> Result<(), Problem> {
        let request = self.request_behind(name).await?;
        self.withdraw_request(&request, reason, &who.actor).await
    }

    async fn accept(&self, name: &str, agreement: &str, who: &Principal) -> Result<Digest, Problem> {
        let request = self.request_behind(name).await?;
        let hash = Digest::parse(agreement).ok_or_else(|| Problem::invalid("agreement", "malformed"))?;
        self.accept_agreement(&request, &hash, &who.actor).await?;
        Ok(hash)
    }
}

/// Refuses a request.
#[utoipa::path(post, path = "/api/v1/exchange/agreements/{hash}/refuse", tag = "exchange",
    operation_id = "refuse_agreement",
    params(("hash" = String, Path, description = "the request's name")), request_body = AgreementRefusal,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-refused"]))),
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn refuse_by_json(
    Acting(x, who): Acting,
    Path(name): Path<String>,
    Json(asked): Json<AgreementRefusal>,
) -> Result<StatusCode, Refusal> {
    x.refuse(&name, &asked.reason, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a request by a form.
#[utoipa::path(post, path = "/exchange/agreements/{hash}/refuse", tag = "exchange",
    operation_id = "refuse_agreement_by_form",
    params(("hash" = String, Path, description = "the request's name")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-refused"]))),
    responses((status = 303, description = "to the request"), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
pub(crate) async fn refuse_by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let reason = fields.lines("reason").unwrap_or_default();
    let done = x.refuse(&name, &reason, &who).await;
    after(&x, &page, (&name, "refuse"), done).await
}

/// Why a request is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementWithdrawal {
    /// Why; the provider reads it.
    reason: String,
}

/// Takes a request back that was not accepted; the provider is told.
#[utoipa::path(post, path = "/api/v1/exchange/agreements/{hash}/withdraw", tag = "exchange",
    operation_id = "withdraw_agreement_request",
    params(("hash" = String, Path, description = "the request's name")), request_body = AgreementWithdrawal,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-withdrawn"]))),
    responses((status = 204), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn withdraw_by_json(
    Acting(x, who): Acting,
    Path(name): Path<String>,
    Json(asked): Json<AgreementWithdrawal>,
) -> Result<StatusCode, Refusal> {
    x.take_back(&name, &asked.reason, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a request back by a form.
#[utoipa::path(post, path = "/exchange/agreements/{hash}/withdraw", tag = "exchange",
    operation_id = "withdraw_agreement_request_by_form",
    params(("hash" = String, Path, description = "the request's name")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-withdrawn"]))),
    responses((status = 303, description = "to the request"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
pub(crate) async fn withdraw_by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let reason = fields.lines("reason").unwrap_or_default();
    let done = x.take_back(&name, &reason, &who).await;
    after(&x, &page, (&name, "withdraw"), done).await
}

/// Accepts what was offered; both signatures are there then.
#[utoipa::path(post, path = "/api/v1/exchange/agreements/{hash}/accept", tag = "exchange",
    operation_id = "accept_agreement",
    params(("hash" = String, Path, description = "the request's name")), request_body = AgreementAcceptance,
    security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["agreement-accepted", "agreement-in-force"]))),
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn accept_by_json(
    Acting(x, who): Acting,
    Path(name): Path<String>,
    Json(asked): Json<AgreementAcceptance>,
) -> Result<StatusCode, Refusal> {
    x.accept(&name, &asked.agreement, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accepts what was offered by a form.
#[utoipa::path(post, path = "/exchange/agreements/{hash}/accept", tag = "exchange",
    operation_id = "accept_agreement_by_form",
    params(("hash" = String, Path, description = "the request's name")),
    security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["agreement-accepted", "agreement-in-force"]))),
    responses((status = 303, description = "to the agreement"), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn accept_by_form(
    Acting(x, who): Acting,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let hash = x.accept(&name, fields.need("agreement")?, &who).await?;
    Ok(super::see(&hash))
}
