//! `follow-ups`: an officer has an agency asked once more that refused its part, after what stood in the way was put
//! right. Never asks for what was not refused.

use axum::response::Response;
use kernel::{CaseCode, Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{OpenApiRouter, ToSchema, routes, utoipa};
use web::{Fields, Json, Principal, Refusal};

use super::enqueue_one;
use crate::desk::official::AtCase;
use crate::desk::step::save;
use crate::desk::view::{self, CaseView};
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::subject;

/// Which follow-up is asked once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    /// The case's revision that was seen.
    revision: i64,
    /// The follow-up's code in the procedure.
    step: String,
}

pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(by_form))
        .routes(routes!(by_json))
}

/// Has an agency asked once more, from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/follow-ups", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = Again, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-follow-up-again"]))))]
pub(crate) async fn by_form(at: AtCase, fields: Fields) -> Result<Response, Refusal> {
    at.who.require("officer")?;
    let again = Again {
        revision: view::revision(&fields)?,
        step: fields.text("step").unwrap_or_default().to_owned(),
    };
    at.cases.follow_up_again(&at.who, &at.code, &again).await?;
    Ok(at.back())
}

/// Has an agency asked once more.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/follow-ups", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Again,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-follow-up-again"]))))]
pub(crate) async fn by_json(at: AtCase, Json(again): Json<Again>) -> Result<Json<CaseView>, Refusal> {
    at.who.require("officer")?;
    at.cases.follow_up_again(&at.who, &at.code, &again).await?;
    at.view().await
}

impl Cases {
    async fn follow_up_again(&self, who: &Principal, code: &CaseCode, again: &Again) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (mut case, procedure) = self.opened(&tx, who, code, Verb::Propose).await?;
                if !procedure.follow_ups.iter().any(|one| one.code == again.step) {
                    return Err(Problem::not_found());
                }
                let refused = |one: &crate::course::FollowFailed| one.code == again.step;
                if !case.course.follow_failed.iter().any(refused) {
                    return Err(Problem::new(Kind::Conflict, "follow-up-not-failed"));
                }
                case.seen(again.revision)?;
                case.course.follow_failed.retain(|one| !refused(one));
                case.revision += 1;
                save(&tx, &case, &procedure).await?;
                enqueue_one(&tx, code, &again.step).await?;
                let fact = Fact::CaseFollowUpAgain {
                    case: code.clone(),
                    follow_up: again.step.clone(),
                };
                tx.fact(&subject(code), fact).await.map(drop)
            })
            .await
    }
}
