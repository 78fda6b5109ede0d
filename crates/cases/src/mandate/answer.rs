//! `POST /mandates/{mandate}/confirm`, `…/refuse`, `…/revoke` and their twins: the represented person says whether it is so,
//! and either side ends it. From then on nothing is done under it. Said twice, it is said once.

use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Problem};
use web::openapi::utoipa;
use web::{Json, Refusal};

use super::api::MandateJson;
use super::{AtMandate, Mandate, Side, Step, store, subject};

/// Confirms that somebody acts for me.
#[utoipa::path(post, path = "/mandates/{mandate}/confirm", tag = "cases", security(("session" = ["citizen"])),
    params(("mandate" = String, Path, description = "the mandate")),
    responses((status = 303, description = "to my mandates"), (status = 403, description = "not mine to answer"), (status = 404),
              (status = 409, description = "there is nothing to answer any more")),
    extensions(("x-facts" = json!(["mandate-confirmed"]))))]
pub(crate) async fn confirm_by_form(at: AtMandate) -> Result<Response, Refusal> {
    back(step(&at, Step::Confirm).await)
}

/// Confirms that somebody acts for me.
#[utoipa::path(post, path = "/api/v1/mandates/{mandate}/confirm", tag = "cases", security(("session" = ["citizen"])),
    params(("mandate" = String, Path, description = "the mandate")),
    responses((status = 200, description = "the mandate", body = MandateJson), (status = 401), (status = 403), (status = 404),
              (status = 409)),
    extensions(("x-facts" = json!(["mandate-confirmed"]))))]
pub(crate) async fn confirm_by_json(at: AtMandate) -> Result<Json<MandateJson>, Refusal> {
    let mandate = step(&at, Step::Confirm).await?;
    Ok(Json(MandateJson::new(&mandate, &at.citizen)))
}

/// Refuses that somebody acts for me.
#[utoipa::path(post, path = "/mandates/{mandate}/refuse", tag = "cases", security(("session" = ["citizen"])),
    params(("mandate" = String, Path, description = "the mandate")),
    responses((status = 303, description = "to my mandates"), (status = 403, description = "not mine to answer"), (status = 404),
              (status = 409, description = "there is nothing to answer any more")),
    extensions(("x-facts" = json!(["mandate-refused"]))))]
pub(crate) async fn refuse_by_form(at: AtMandate) -> Result<Response, Refusal> {
    back(step(&at, Step::Refuse).await)
}

/// Refuses that somebody acts for me.
#[utoipa::path(post, path = "/api/v1/mandates/{mandate}/refuse", tag = "cases", security(("session" = ["citizen"])),
    params(("mandate" = String, Path, description = "the mandate")),
    responses((status = 200, description = "the mandate", body = MandateJson), (status = 401), (status = 403), (status = 404),
              (status = 409)),
    extensions(("x-facts" = json!(["mandate-refused"]))))]
pub(crate) async fn refuse_by_json(at: AtMandate) -> Result<Json<MandateJson>, Refusal> {
    let mandate = step(&at, Step::Refuse).await?;
    Ok(Json(MandateJson::new(&mandate, &at.citizen)))
}

/// Ends a mandate, mine or one that I gave.
#[utoipa::path(post, path = "/mandates/{mandate}/revoke", tag = "cases", security(("session" = ["citizen"])),
    params(("mandate" = String, Path, description = "the mandate")),
    responses((status = 303, description = "to my mandates"), (status = 403, description = "the law itself lets them act"),
              (status = 404), (status = 409, description = "it is over")),
    extensions(("x-facts" = json!(["mandate-revoked"]))))]
pub(crate) async fn revoke_by_form(at: AtMandate) -> Result<Response, Refusal> {
    back(step(&at, Step::Revoke).await)
}

/// Ends a mandate, mine or one that I gave.
#[utoipa::path(post, path = "/api/v1/mandates/{mandate}/revoke", tag = "cases", security(("session" = ["citizen"])),
    params(("mandate" = String, Path, description = "the mandate")),
    responses((status = 200, description = "the mandate", body = MandateJson), (status = 401), (status = 403), (status = 404),
              (status = 409)),
    extensions(("x-facts" = json!(["mandate-revoked"]))))]
pub(crate) async fn revoke_by_json(at: AtMandate) -> Result<Json<MandateJson>, Refusal> {
    let mandate = step(&at, Step::Revoke).await?;
    Ok(Json(MandateJson::new(&mandate, &at.citizen)))
}

fn back(done: Result<Mandate, Problem>) -> Result<Response, Refusal> {
    done?;
    Ok(Redirect::to("/mandates").into_response())
}

async fn step(at: &AtMandate, step: Step) -> Result<Mandate, Problem> {
    let AtMandate {
        cases,
        citizen,
        mandate,
    } = at;
    let id = &mandate.id;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let mut newest = store::one(&tx, id).await?.ok_or_else(Problem::not_found)?;
            let side = newest.side(citizen).ok_or_else(Problem::not_found)?;
            let Some(state) = newest.after(step, side, tx.now().date())? else {
                return Ok(newest);
            };
            newest.state = state;
            newest.changed_at = tx.now();
            if side == Side::Represented {
                // Their own word: now it is known who they are.
                newest.name.clone_from(&citizen.who.name);
                newest.represented_account = Some(citizen.who.account.clone());
            }
            store::save(&tx, &newest).await?;
            let mandate = id.clone();
            let fact = match step {
                Step::Confirm => Fact::MandateConfirmed { mandate },
                Step::Refuse => Fact::MandateRefused { mandate },
                Step::Revoke => Fact::MandateRevoked {
                    mandate,
                    by: side.word().to_owned(),
                },
            };
            tx.fact(&subject(id), fact).await?;
            Ok(newest)
        })
        .await
}
