//! `POST /procedures/{code}/start`: a citizen begins a form. Never asks a register yet.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::fact::Channel;
use kernel::{Fact, Kind, Problem, ProcedureCode};
use web::Refusal;
use web::openapi::utoipa;

use crate::citizen::Citizen;
use crate::draft::Draft;
use crate::state::Cases;
use crate::store as rows;

/// Forms one person may have open, count.
const OPEN_DRAFTS_MAX: u64 = 20;

/// Begins a form.
#[utoipa::path(post, path = "/procedures/{code}/start", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the procedure's code")),
    responses((status = 303, description = "to the draft"), (status = 404), (status = 409, description = "too many open forms, or it is handed in at a desk only")),
    extensions(("x-facts" = json!(["case-drafted"]))))]
pub(crate) async fn start(
    State(cases): State<Cases>,
    citizen: Citizen,
    Path(code): Path<String>,
) -> Result<Response, Refusal> {
    let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
    let procedure = cases.procedure_today(&code)?;
    if !procedure.takes(Channel::Online) {
        return Err(Problem::new(Kind::Conflict, "procedure-not-online").into());
    }
    let (version, account, code) = (procedure.version(), &citizen.who.account, &procedure.code);
    let id = cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            if rows::open_drafts(&tx, account).await? >= OPEN_DRAFTS_MAX {
                return Err(Problem::new(Kind::Conflict, "too-many-drafts").with("max", OPEN_DRAFTS_MAX));
            }
            let draft = Draft {
                id: tx.id(),
                account: account.clone(),
                procedure: code.clone(),
                version,
                answers: Default::default(),
                prefilled: Default::default(),
                revision: 1,
                filed_as: None,
                mandate: None,
                created_at: tx.now(),
                changed_at: tx.now(),
            };
            rows::insert_draft(&tx, &draft).await?;
            tx.fact(
                &Draft::subject(&draft.id),
                Fact::CaseDrafted {
                    procedure: code.clone(),
                },
            )
            .await?;
            Ok(draft.id)
        })
        .await?;
    Ok(Redirect::to(&format!("/drafts/{id}")).into_response())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, foreign, lan, officer};

    #[tokio::test]
    async fn a_citizen_begins_a_form_and_nobody_else_does() {
        let portal = Portal::new().await;
        let path = "/procedures/1.001193/start";
        assert!(portal.start(&lan()).await.starts_with("/drafts/"));
        let out = portal.post(None, path, &[]).await;
        assert!(
            out.status == 303 && out.location().starts_with("/sign-in"),
            "a way to sign in, not an error"
        );
        assert_eq!(portal.post(Some(&officer()), path, &[]).await.status, 403);
        assert_eq!(portal.post(Some(&foreign()), path, &[]).await.status, 404);
        assert_eq!(
            portal
                .post(Some(&lan()), "/procedures/1.000005/start", &[])
                .await
                .status,
            404
        );
        let facts = portal.facts_of_drafts().await;
        assert_eq!(facts, ["case-drafted"], "one fact, for the one form");
    }

    #[tokio::test]
    async fn what_is_handed_in_at_a_desk_only_is_not_begun_online() {
        let portal = Portal::new().await;
        let refused = portal.post(Some(&lan()), "/procedures/2.000815/start", &[]).await;
        assert_eq!(refused.status, 409);
        assert!(refused.body.contains("không nộp trực tuyến"), "{}", refused.body);
        assert!(portal.facts_of_drafts().await.is_empty());
        let page = portal.get(Some(&lan()), "/procedures/2.000815").await.body;
        assert!(
            page.contains("chỉ nộp tại Bộ phận Một cửa") && !page.contains("/start"),
            "{page}"
        );
        let fee = "2.000\u{a0}₫ mỗi trang, từ trang thứ 3 trở đi 1.000\u{a0}₫ mỗi trang, tối đa 200.000\u{a0}₫ một bản";
        assert!(page.contains(fee), "{page}");
        let described = portal.get(None, "/api/v1/procedures/2.000815").await.json();
        assert_eq!(
            (&described["filed_here"], &described["online"]),
            (&false.into(), &"information".into())
        );
    }

    #[tokio::test]
    async fn open_forms_are_bounded() {
        let portal = Portal::new().await;
        for _ in 0..super::OPEN_DRAFTS_MAX {
            portal.start(&lan()).await;
        }
        assert_eq!(
            portal
                .post(Some(&lan()), "/procedures/1.001193/start", &[])
                .await
                .status,
            409
        );
    }
}
