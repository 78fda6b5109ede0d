//! `GET/POST /drafts/{id}/cosigners`, `POST …/remove` and their twins: the citizen of a draft asks others to sign it too, by
//! their personal numbers, sees who has, and asks no more. Never says whether a number is somebody's.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Kind, PersonalNumber, Problem};
use web::openapi::utoipa;
use web::{Fields, Json, Page, Refusal};

use super::api::{CosignerJson, CosignerWish, CosignersJson};
use super::{Cosign, Standing, store, wanted};
use crate::citizen::file::filed;
use crate::citizen::{OwnDraft, render};
use crate::draft::Draft;
use crate::shown::say;
use crate::store as rows;

#[derive(Template)]
#[template(path = "cosigners.html")]
struct CosignersPage<'a> {
    page: &'a Page,
    id: &'a str,
    name: &'a str,
    items: Vec<Line>,
    /// The numbers that filing waits for and nobody was asked by.
    unasked: Vec<String>,
    missing: usize,
    typed: &'a str,
    problems: &'a [Problem],
}

struct Line {
    number: String,
    at: String,
    standing: String,
    class: &'static str,
}

/// Who was asked to sign my draft.
#[utoipa::path(get, path = "/drafts/{id}/cosigners", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, description = "the list", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(own: OwnDraft, page: Page) -> Result<Response, Refusal> {
    Ok(shown(&own, &page, ("", &[])).await?)
}

/// Who was asked to sign my draft.
#[utoipa::path(get, path = "/api/v1/drafts/{id}/cosigners", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, body = CosignersJson), (status = 401), (status = 404)))]
pub(crate) async fn api(own: OwnDraft) -> Result<Json<CosignersJson>, Refusal> {
    Ok(Json(json(&own).await?))
}

/// Asks somebody to sign my draft.
#[utoipa::path(post, path = "/drafts/{id}/cosigners", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    request_body(content = CosignerWish, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the list"), (status = 404), (status = 409, description = "it is filed"),
              (status = 422, description = "no number, one's own, or too many", content_type = "text/html")),
    extensions(("x-facts" = json!(["draft-cosign-asked"]))))]
pub(crate) async fn by_form(own: OwnDraft, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let typed = fields.text("number").unwrap_or_default();
    match ask(&own, typed).await {
        Ok(()) => Ok(back(&own)),
        Err(problem) if problem.kind == Kind::Invalid => Ok(shown(&own, &page, (typed, &[problem])).await?),
        Err(problem) => Err(problem.into()),
    }
}

/// Asks somebody to sign my draft.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/cosigners", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")), request_body = CosignerWish,
    responses((status = 200, description = "the list", body = CosignersJson), (status = 401), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["draft-cosign-asked"]))))]
pub(crate) async fn by_json(
    own: OwnDraft,
    Json(wish): Json<CosignerWish>,
) -> Result<Json<CosignersJson>, Refusal> {
    ask(&own, &wish.number).await?;
    Ok(Json(json(&own).await?))
}

/// Asks somebody no more to sign my draft.
#[utoipa::path(post, path = "/drafts/{id}/cosigners/remove", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    request_body(content = CosignerWish, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the list"), (status = 404), (status = 409, description = "it is filed")),
    extensions(("x-facts" = json!(["draft-cosign-ended"]))))]
pub(crate) async fn remove_by_form(own: OwnDraft, fields: Fields) -> Result<Response, Refusal> {
    remove(&own, fields.text("number").unwrap_or_default()).await?;
    Ok(back(&own))
}

/// Asks somebody no more to sign my draft.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/cosigners/remove", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")), request_body = CosignerWish,
    responses((status = 200, description = "the list", body = CosignersJson), (status = 401), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["draft-cosign-ended"]))))]
pub(crate) async fn remove_by_json(
    own: OwnDraft,
    Json(wish): Json<CosignerWish>,
) -> Result<Json<CosignersJson>, Refusal> {
    remove(&own, &wish.number).await?;
    Ok(Json(json(&own).await?))
}

fn back(own: &OwnDraft) -> Response {
    Redirect::to(&format!("/drafts/{}/cosigners", own.draft.id)).into_response()
}

async fn json(own: &OwnDraft) -> Result<CosignersJson, Problem> {
    let (all, unsigned) = standings(own).await?;
    let line = |one: &Cosign| CosignerJson::new(one, own.draft.revision);
    Ok(CosignersJson {
        items: all.iter().map(line).collect(),
        missing: unsigned.len(),
    })
}

/// Who was asked, and the numbers that filing still waits for.
async fn standings(own: &OwnDraft) -> Result<(Vec<Cosign>, Vec<PersonalNumber>), Problem> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = own;
    let reader = cases.store.read(&cases.tenant).await?;
    let all = store::of_draft(&reader, &draft.id).await?;
    let signed = |number: &PersonalNumber| {
        all.iter()
            .any(|one| one.number == *number && one.standing(draft.revision) == Standing::Signed)
    };
    let procedure = own.procedure()?;
    let answers = filed(&procedure, draft, cases.today());
    let mut unsigned = wanted(&procedure, &answers, &citizen.number);
    unsigned.retain(|number| !signed(number));
    Ok((all, unsigned))
}

async fn shown(
    own: &OwnDraft,
    page: &Page,
    (typed, problems): (&str, &[Problem]),
) -> Result<Response, Problem> {
    let (all, unsigned) = standings(own).await?;
    let procedure = own.procedure()?;
    let line = |one: &Cosign| {
        let standing = one.standing(own.draft.revision);
        Line {
            number: one.number.as_str().to_owned(),
            at: page.time(one.asked_at),
            standing: page.t(&format!("cosign-{}", standing.word())),
            class: match standing {
                Standing::Signed => "tag tag-good",
                Standing::Waiting => "tag tag-wait",
                Standing::Undone | Standing::Refused => "tag tag-bad",
            },
        }
    };
    let asked = |number: &PersonalNumber| all.iter().any(|one| one.number == *number);
    let unasked = unsigned.iter().filter(|number| !asked(number));
    let body = render(&CosignersPage {
        page,
        id: &own.draft.id,
        name: say(&procedure.name, page.lang),
        unasked: unasked.map(|number| number.as_str().to_owned()).collect(),
        missing: unsigned.len(),
        items: all.iter().map(line).collect(),
        typed,
        problems,
    })?;
    let title = page.t("cosign-title");
    Ok(match problems.is_empty() {
        true => page.html(&title, body).into_response(),
        false => page.html_status(422, &title, body),
    })
}

async fn ask(own: &OwnDraft, typed: &str) -> Result<(), Problem> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = own;
    if draft.supplements().is_some() {
        return Err(Problem::not_found());
    }
    let plain: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let bad = |_| Problem::invalid("number", "cosign-number");
    let number: PersonalNumber = plain.parse().map_err(bad)?;
    if number == citizen.number {
        return Err(Problem::invalid("number", "cosign-self"));
    }
    let max = cases.store.limits().cosigners_max;
    let number = &number;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            open(rows::draft(&tx, &citizen.who.account, &draft.id).await?.as_ref())?;
            let cosign = Cosign {
                draft: draft.id.clone(),
                account: citizen.who.account.clone(),
                asker: citizen.who.name.clone(),
                number: number.clone(),
                asked_at: tx.now(),
                seen: None,
                signed: None,
                refused_at: None,
            };
            if store::of_draft(&tx, &draft.id).await?.len() >= max {
                return Err(Problem::invalid("number", "cosign-many").with("max", max));
            }
            if store::insert(&tx, &cosign).await? {
                let fact = Fact::DraftCosignAsked {
                    who: cases.store.digest(&cases.tenant, number.as_str()),
                };
                tx.fact(&Draft::subject(&draft.id), fact).await?;
            }
            Ok(())
        })
        .await
}

async fn remove(own: &OwnDraft, typed: &str) -> Result<(), Problem> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = own;
    let number: PersonalNumber = typed.trim().parse().map_err(|_| Problem::not_found())?;
    let number = &number;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            open(rows::draft(&tx, &citizen.who.account, &draft.id).await?.as_ref())?;
            if !store::remove(&tx, &draft.id, number).await? {
                return Err(Problem::not_found());
            }
            let fact = Fact::DraftCosignEnded {
                who: cases.store.digest(&cases.tenant, number.as_str()),
            };
            tx.fact(&Draft::subject(&draft.id), fact).await?;
            Ok(())
        })
        .await
}

/// Nothing is asked of anybody about a draft that is filed.
fn open(draft: Option<&Draft>) -> Result<(), Problem> {
    match draft {
        None => Err(Problem::not_found()),
        Some(draft) if draft.filed_as.is_some() => Err(Problem::new(Kind::Conflict, "cosign-over")),
        Some(_) => Ok(()),
    }
}
