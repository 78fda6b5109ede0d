//! `/desk/cases/{code}/unpublish`: a published answer is taken down. Its words go; its number, when and why stay for
//! everybody to read. Sent twice, it is taken down once.

use axum::response::Response;
use kernel::{CaseCode, Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use super::publish::{PublishedView, may_publish};
use super::{Published, forget_words, personal, store, tell};
use crate::desk::official::AtCase;
use crate::notice::Notice;
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// Why it is taken down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TakenDown {
    /// Why, for everybody to read.
    down: String,
}

/// Takes an answer down from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/unpublish", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = TakenDown, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-answer-unpublished"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let down = fields.lines("down").unwrap_or_default();
    let done = at.cases.unpublish(&at.who, &at.code, &down).await;
    at.back_or_faults(&page, done.map(|_| ()), &fields).await
}

/// Takes an answer down.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/unpublish", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = TakenDown,
    responses((status = 200, description = "taken down", body = PublishedView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-answer-unpublished"]))))]
pub(crate) async fn by_json(at: AtCase, Json(down): Json<TakenDown>) -> Result<Json<PublishedView>, Refusal> {
    let published = at.cases.unpublish(&at.who, &at.code, &down.down).await?;
    Ok(Json(PublishedView::from(&published)))
}

impl Cases {
    async fn unpublish(&self, who: &Principal, code: &CaseCode, reason: &str) -> Result<Published, Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let case = self.seen(&tx, who, code).await?.case;
                let procedure = self.procedure_of(&case)?;
                may_publish(who, &case, &procedure)?;
                let reason = words("down", reason, true)?;
                personal::check("down", &reason, &case, &procedure)?;
                let number = self.public_number(code);
                let published = store::published(&tx, &number).await?;
                let own = published.filter(|published| published.code.as_ref() == Some(code));
                let published = own.ok_or(Problem::new(Kind::Conflict, "case-publish-not-there"))?;
                if published.withdrawn.is_some() {
                    return Ok(published);
                }
                store::withdraw(&tx, &number, (tx.now(), &who.account, &reason)).await?;
                forget_words(&tx, code, u32::MAX).await?;
                let notice = Notice::AnswerUnpublished {
                    number: number.clone(),
                    reason: reason.clone(),
                };
                tell(&tx, &case, &procedure, notice).await?;
                let fact = Fact::CaseAnswerUnpublished {
                    case: code.clone(),
                    number,
                };
                tx.fact(&subject(code), fact).await?;
                Ok(Published {
                    withdrawn: Some((tx.now(), reason)),
                    ..published
                })
            })
            .await
    }
}
