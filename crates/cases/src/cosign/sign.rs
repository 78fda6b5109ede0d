//! `POST /asked/{id}/sign`, `…/refuse` and their twins: who was asked signs what they were shown, or refuses. A draft that
//! was changed since is shown again first.

use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Kind, Problem};
use web::openapi::utoipa;
use web::{Fields, Json, Page, Refusal};

use super::api::{CosignDone, CosignWish};
use super::{AskedDraft, Signed, Standing, show, store};
use crate::citizen::draft::revision;
use crate::draft::Draft;

/// Signs the draft.
#[utoipa::path(post, path = "/asked/{id}/sign", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    request_body(content = CosignWish, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to what is asked"), (status = 404),
              (status = 409, description = "changed since it was shown, or filed", content_type = "text/html")),
    extensions(("x-facts" = json!(["draft-cosigned"]))))]
pub(crate) async fn sign_by_form(asked: AskedDraft, page: Page, fields: Fields) -> Result<Response, Refusal> {
    match sign(&asked, revision(&fields)).await {
        Ok(()) => Ok(Redirect::to("/asked").into_response()),
        Err(problem) if problem.code == "cosign-changed" => {
            Ok(show::shown(&asked, &page, &[problem], 409).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Signs the draft.
#[utoipa::path(post, path = "/api/v1/asked/{id}/sign", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")), request_body = CosignWish,
    responses((status = 200, description = "signed", body = CosignDone), (status = 401), (status = 404),
              (status = 409, description = "changed since it was shown, or filed")),
    extensions(("x-facts" = json!(["draft-cosigned"]))))]
pub(crate) async fn sign_by_json(
    asked: AskedDraft,
    Json(wish): Json<CosignWish>,
) -> Result<Json<CosignDone>, Refusal> {
    sign(&asked, wish.revision).await?;
    Ok(Json(CosignDone {
        draft: asked.draft.id,
        standing: Standing::Signed.word(),
    }))
}

/// Refuses to sign the draft.
#[utoipa::path(post, path = "/asked/{id}/refuse", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 303, description = "to what is asked"), (status = 404), (status = 409, description = "it is filed")),
    extensions(("x-facts" = json!(["draft-cosign-refused"]))))]
pub(crate) async fn refuse_by_form(asked: AskedDraft) -> Result<Response, Refusal> {
    refuse(&asked).await?;
    Ok(Redirect::to("/asked").into_response())
}

/// Refuses to sign the draft.
#[utoipa::path(post, path = "/api/v1/asked/{id}/refuse", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, description = "refused", body = CosignDone), (status = 401), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["draft-cosign-refused"]))))]
pub(crate) async fn refuse_by_json(asked: AskedDraft) -> Result<Json<CosignDone>, Refusal> {
    refuse(&asked).await?;
    Ok(Json(CosignDone {
        draft: asked.draft.id,
        standing: Standing::Refused.word(),
    }))
}

/// What was shown is what the draft is, and what is signed; signed once more, the first time stands.
async fn sign(asked: &AskedDraft, revision: i64) -> Result<(), Problem> {
    let AskedDraft { cases, citizen, .. } = asked;
    let id = &asked.draft.id;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let (cosign, draft) = super::at(&tx, id, &citizen.number).await?;
            if cosign.seen != Some(revision) || draft.revision != revision {
                return Err(Problem::new(Kind::Conflict, "cosign-changed"));
            }
            if cosign.standing(revision) == Standing::Signed {
                return Ok(());
            }
            let signed = Signed {
                revision,
                at: tx.now(),
                name: citizen.who.name.clone(),
            };
            store::sign(&tx, (id, &citizen.number), &signed).await?;
            let fact = Fact::DraftCosigned {
                who: cases.store.digest(&cases.tenant, citizen.number.as_str()),
                revision: u64::try_from(revision).unwrap_or_default(),
            };
            tx.fact(&Draft::subject(id), fact).await?;
            Ok(())
        })
        .await
}

async fn refuse(asked: &AskedDraft) -> Result<(), Problem> {
    let AskedDraft { cases, citizen, .. } = asked;
    let id = &asked.draft.id;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let (cosign, draft) = super::at(&tx, id, &citizen.number).await?;
            if cosign.standing(draft.revision) == Standing::Refused {
                return Ok(());
            }
            store::refuse(&tx, id, &citizen.number).await?;
            let fact = Fact::DraftCosignRefused {
                who: cases.store.digest(&cases.tenant, citizen.number.as_str()),
            };
            tx.fact(&Draft::subject(id), fact).await?;
            Ok(())
        })
        .await
}
