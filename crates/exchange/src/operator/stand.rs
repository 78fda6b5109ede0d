//! `POST …/suspend`, `POST …/resume` and `POST …/revoke`: a party stops an agreement for the time
//! being, goes on with it, or ends it. Each with the reason the other party reads.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::{OrgCode, Problem, Time};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Fields, Json, Page, Principal, Refusal};

use super::Acting;
use super::DAY_MS;
use super::one::after;
use crate::gateway::Exchange;
use crate::life::Span;

/// Why an agreement ends, and by which of this node's organisations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementStop {
    /// The organisation that ends it.
    #[schema(example = "G22")]
    by: String,
    /// Why; the other party reads it.
    reason: String,
}

/// Why an agreement is suspended, by which of this node's organisations, and for how long.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementSuspension {
    /// The organisation that suspends it.
    #[schema(example = "G22")]
    by: String,
    /// Why; the other party reads it.
    reason: String,
    /// Its first instant, milliseconds since 1970; at once when left out.
    from: Option<i64>,
    /// The first instant behind it, milliseconds since 1970; until it is resumed when left out.
    to: Option<i64>,
}

/// Which of this node's organisations goes on with an agreement.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementResumption {
    /// The organisation that had suspended it.
    #[schema(example = "G22")]
    by: String,
}

/// What a party does, with its reason.
enum Verb {
    Suspend(String, Span),
    Resume,
    Revoke(String),
}

impl Verb {
    /// Its name among the forms of the page.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Suspend(..) => "suspend",
            Self::Resume => "resume",
            Self::Revoke(_) => "revoke",
        }
    }
}

impl Exchange {
    async fn stand(&self, name: &str, by: &str, verb: &Verb, who: &Principal) -> Result<(), Problem> {
        let by: OrgCode = by
            .trim()
            .parse()
            .map_err(|_| Problem::invalid("by", "organisation-code"))?;
        self.known(name).await?;
        let hash = super::name_of(name)?;
        match verb {
            Verb::Suspend(reason, span) => {
                self.plan_suspension(&hash, &by, (reason, *span), &who.actor)
                    .await
            }
            Verb::Resume => self.resume_agreement(&hash, &by, &who.actor).await,
            Verb::Revoke(reason) => {
                let reason = crate::life::reason(reason)?;
                let seal = self.seal_of(&by)?;
                let held = self.agreements();
                held.revoke(hash, &by, reason, &who.actor, &seal.key).await
            }
        }
    }

    async fn stand_by_form(
        &self,
        (name, verb): (&str, Verb),
        who: &Principal,
        page: &Page,
        fields: &Fields,
    ) -> Result<Response, Refusal> {
        let by = fields.text("by").unwrap_or_default();
        let done = self.stand(name, by, &verb, who).await;
        after(self, page, (name, verb.as_str()), done).await
    }
}

/// The reason as it was typed.
fn reason(fields: &Fields) -> String {
    fields.lines("reason").unwrap_or_default()
}

/// The stretch that a form asks for; days count from their first instant to their last.
fn span(fields: &Fields) -> Result<Span, Problem> {
    let day = |field: &str, plus_ms: i64| -> Result<Option<Time>, Problem> {
        let day = fields.date(field)?;
        Ok(day.map(|day| Time::at(day, 0).plus_ms(plus_ms)))
    };
    Ok(Span {
        from: day("from", 0)?,
        to: day("to", DAY_MS)?,
    })
}

/// Suspends an agreement, at once or from a later instant on; the other party is told.
#[utoipa::path(post, path = "/api/v1/exchange/agreements/{hash}/suspend", tag = "exchange",
    operation_id = "suspend_agreement",
    params(("hash" = String, Path,)), request_body = AgreementSuspension,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-suspended"]))),
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn suspend_by_json(
    Acting(x, who): Acting,
    Path(name): Path<String>,
    Json(asked): Json<AgreementSuspension>,
) -> Result<StatusCode, Refusal> {
    let span = Span {
        from: asked.from.map(Time),
        to: asked.to.map(Time),
    };
    let verb = Verb::Suspend(asked.reason, span);
    x.stand(&name, &asked.by, &verb, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspends an agreement by a form.
#[utoipa::path(post, path = "/exchange/agreements/{hash}/suspend", tag = "exchange",
    operation_id = "suspend_agreement_by_form", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-suspended"]))),
    responses((status = 303, description = "to the agreement"), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
pub(crate) async fn suspend_by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let span = match span(&fields) {
        Ok(span) => span,
        Err(problem) => return after(&x, &page, (&name, "suspend"), Err(problem)).await,
    };
    let verb = Verb::Suspend(reason(&fields), span);
    x.stand_by_form((&name, verb), &who, &page, &fields).await
}

/// Goes on with an agreement that the organisation had suspended; the other party is told.
#[utoipa::path(post, path = "/api/v1/exchange/agreements/{hash}/resume", tag = "exchange",
    operation_id = "resume_agreement",
    params(("hash" = String, Path,)), request_body = AgreementResumption,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-resumed"]))),
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn resume_by_json(
    Acting(x, who): Acting,
    Path(name): Path<String>,
    Json(asked): Json<AgreementResumption>,
) -> Result<StatusCode, Refusal> {
    x.stand(&name, &asked.by, &Verb::Resume, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Goes on with an agreement by a form.
#[utoipa::path(post, path = "/exchange/agreements/{hash}/resume", tag = "exchange",
    operation_id = "resume_agreement_by_form", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-resumed"]))),
    responses((status = 303, description = "to the agreement"), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn resume_by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    x.stand_by_form((&name, Verb::Resume), &who, &page, &fields).await
}

/// Ends an agreement now; the other party is told.
#[utoipa::path(post, path = "/api/v1/exchange/agreements/{hash}/revoke", tag = "exchange",
    operation_id = "revoke_agreement",
    params(("hash" = String, Path,)), request_body = AgreementStop,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-revoked"]))),
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn revoke_by_json(
    Acting(x, who): Acting,
    Path(name): Path<String>,
    Json(asked): Json<AgreementStop>,
) -> Result<StatusCode, Refusal> {
    let verb = Verb::Revoke(asked.reason);
    x.stand(&name, &asked.by, &verb, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends an agreement by a form.
#[utoipa::path(post, path = "/exchange/agreements/{hash}/revoke", tag = "exchange",
    operation_id = "revoke_agreement_by_form", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["agreement-revoked"]))),
    responses((status = 303, description = "to the agreement"), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
pub(crate) async fn revoke_by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let verb = Verb::Revoke(reason(&fields));
    x.stand_by_form((&name, verb), &who, &page, &fields).await
}
