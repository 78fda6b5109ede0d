//! `GET /asked/{id}` and its twin: a draft as it is shown to who is asked to sign it, everything once more. Only read, and
//! each look leaves a trace with the draft: what was looked at is what can be signed.

use askama::Template;
use axum::response::Response;
use kernel::{Fact, Problem};
use web::openapi::utoipa;
use web::{Json, Page, Refusal};

use super::api::CosignDraftJson;
use super::{AskedDraft, Standing, store};
use crate::citizen::check::{Part, parts};
use crate::citizen::file::filed;
use crate::citizen::render;
use crate::draft::{Attached, Draft};
use crate::shown::say;
use crate::store as rows;

#[derive(Template)]
#[template(path = "cosign.html")]
struct CosignPage<'a> {
    page: &'a Page,
    id: &'a str,
    name: &'a str,
    asker: String,
    revision: i64,
    parts: Vec<Part<'a>>,
    standing: String,
    /// It was signed as it is.
    signed: bool,
    errors: String,
}

/// What I am asked to sign.
#[utoipa::path(get, path = "/asked/{id}", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, description = "everything once more", content_type = "text/html"), (status = 404),
              (status = 409, description = "it is filed")),
    extensions(("x-facts" = json!(["draft-cosign-viewed"]))))]
pub(crate) async fn page(asked: AskedDraft, page: Page) -> Result<Response, Refusal> {
    Ok(shown(&asked, &page, &[], 200).await?)
}

/// What I am asked to sign.
#[utoipa::path(get, path = "/api/v1/asked/{id}", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, body = CosignDraftJson), (status = 401), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["draft-cosign-viewed"]))))]
pub(crate) async fn api(asked: AskedDraft) -> Result<Json<CosignDraftJson>, Refusal> {
    let (draft, papers) = looked(&asked).await?;
    let procedure = asked.cases.version(&draft.version)?;
    Ok(Json(CosignDraftJson {
        standing: asked.cosign.standing(draft.revision).word(),
        procedure: draft.procedure.to_string(),
        asker: asked.cosign.asker.clone(),
        revision: draft.revision,
        answers: filed(&procedure, &draft, asked.cases.today()),
        papers: papers.into_iter().map(|paper| (paper.code, paper.name)).collect(),
        draft: draft.id,
    }))
}

/// The page; with what is wrong with a signature.
///
/// # Errors
/// As [`looked`].
pub(super) async fn shown(
    asked: &AskedDraft,
    page: &Page,
    problems: &[Problem],
    status: u16,
) -> Result<Response, Problem> {
    let (draft, papers) = looked(asked).await?;
    let procedure = asked.cases.version(&draft.version)?;
    let standing = asked.cosign.standing(draft.revision);
    let body = render(&CosignPage {
        page,
        id: &draft.id,
        name: say(&procedure.name, page.lang),
        asker: asked.cosign.asker.clone(),
        revision: draft.revision,
        parts: parts(&asked.cases, page, &procedure, &draft, &papers),
        standing: page.t(&format!("cosign-{}", standing.word())),
        signed: standing == Standing::Signed,
        errors: page.errors(problems),
    })?;
    Ok(page.html_status(status, &page.t("cosign-sign-title"), body))
}

/// The draft with its papers as they are now, and the trace that they were looked at.
async fn looked(asked: &AskedDraft) -> Result<(Draft, Vec<Attached>), Problem> {
    let AskedDraft { cases, citizen, .. } = asked;
    let id = &asked.draft.id;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let (_, draft) = super::at(&tx, id, &citizen.number).await?;
            let papers = rows::papers(&tx, &Draft::subject(id)).await?;
            store::note_seen(&tx, (id, &citizen.number), draft.revision).await?;
            let fact = Fact::DraftCosignViewed {
                who: cases.store.digest(&cases.tenant, citizen.number.as_str()),
            };
            tx.fact(&Draft::subject(id), fact).await?;
            Ok((draft, papers))
        })
        .await
}
