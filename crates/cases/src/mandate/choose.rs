//! `GET/POST /drafts/{id}/mandate`: for whom a draft is filed: for its citizen, or for somebody for whom they act. What
//! registers answered about the one is taken out as it becomes the other's.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Kind, PersonalNumber, Problem};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Page, Refusal};

use super::list::whom_key;
use super::{Mandate, Side, store};
use crate::citizen::{Citizen, OpenDraft, OwnDraft, render};
use crate::draft::Draft;
use crate::procedure::{Procedure, Whom};
use crate::shown::say;
use crate::state::Cases;
use crate::store::{self as rows, Rows};

#[derive(Template)]
#[template(path = "draft_mandate.html")]
struct ChoicePage<'a> {
    page: &'a Page,
    id: &'a str,
    name: &'a str,
    /// The mandates under which it can be filed: id, text, whether it is chosen.
    mandates: Vec<(String, String, bool)>,
    /// It is filed for the citizen themselves.
    own: bool,
    /// Whom it may be filed for.
    kinds: Vec<String>,
    problems: &'a [Problem],
}

/// The form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form for OpenAPI; `Fields` reads it")]
pub(crate) struct ChoiceForm {
    /// The mandate; empty for oneself.
    mandate: Option<String>,
}

/// For whom the draft is filed.
#[utoipa::path(get, path = "/drafts/{id}/mandate", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, description = "the choice", content_type = "text/html"), (status = 404)))]
pub(crate) async fn show(OpenDraft(own): OpenDraft, page: Page) -> Result<Response, Refusal> {
    Ok(shown(&own, &page, &[]).await?)
}

/// Says for whom the draft is filed.
#[utoipa::path(post, path = "/drafts/{id}/mandate", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    request_body(content = ChoiceForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "to the draft"), (status = 404),
              (status = 422, description = "a mandate that does not stand for it", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-draft-changed"]))))]
pub(crate) async fn by_form(
    OpenDraft(own): OpenDraft,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    match choose(&own, fields.text("mandate").unwrap_or_default()).await {
        Ok(()) => Ok(Redirect::to(&format!("/drafts/{}", own.draft.id)).into_response()),
        Err(problem) if problem.kind == Kind::Invalid => Ok(shown(&own, &page, &[problem]).await?),
        Err(problem) => Err(problem.into()),
    }
}

async fn shown(own: &OwnDraft, page: &Page, problems: &[Problem]) -> Result<Response, Problem> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = own;
    let procedure = beginning(own)?;
    let reader = cases.store.read(&cases.tenant).await?;
    let max = cases.store.limits().mandates_max;
    let open = store::open_of(&reader, &citizen.who.account, citizen.today, max).await?;
    let standing = open
        .iter()
        .filter(|mandate| mandate.stands_for(&procedure, citizen.today).is_ok());
    let line = |mandate: &Mandate| {
        let args = [
            ("name", mandate.name.clone()),
            ("kind", page.t(&whom_key(mandate.whom))),
            ("to", page.date(mandate.to)),
        ];
        let chosen = draft.mandate.as_ref() == Some(&mandate.id);
        (mandate.id.clone(), page.tw("mandate-choice", &args), chosen)
    };
    let body = render(&ChoicePage {
        page,
        id: &draft.id,
        name: say(&procedure.name, page.lang),
        mandates: standing.map(line).collect(),
        own: draft.mandate.is_none(),
        kinds: procedure
            .represent
            .iter()
            .map(|one| page.t(&whom_key(one.whom)))
            .collect(),
        problems,
    })?;
    let title = page.t("mandate-choose-title");
    Ok(match problems.is_empty() {
        true => page.html(&title, body).into_response(),
        false => page.html_status(422, &title, body),
    })
}

/// The procedure of a draft that begins a case; a supplement goes to the one that there is.
fn beginning(own: &OwnDraft) -> Result<std::sync::Arc<Procedure>, Problem> {
    match own.draft.supplements() {
        Some(_) => Err(Problem::not_found()),
        None => own.procedure(),
    }
}

/// Takes a choice; the same one once more changes nothing.
async fn choose(own: &OwnDraft, id: &str) -> Result<(), Problem> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = own;
    let procedure = &beginning(own)?;
    let chosen = &Some(id).filter(|id| !id.is_empty()).map(str::to_owned);
    let digest = cases.store.digest(&cases.tenant, id);
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            if let Some(id) = chosen {
                let mandate = held(&tx, citizen, id).await?.ok_or_else(Problem::not_found)?;
                mandate.stands_for(procedure, tx.now().date())?;
            }
            let newest = rows::draft(&tx, &citizen.who.account, &draft.id).await?;
            let mut newest = newest.ok_or_else(Problem::not_found)?;
            if newest.mandate == *chosen {
                return Ok(());
            }
            newest.mandate.clone_from(chosen);
            newest.prefilled.clear();
            rows::save_draft(&tx, &newest).await?;
            let fact = Fact::CaseDraftChanged {
                part: "mandate".to_owned(),
                digest,
            };
            tx.fact(&Draft::subject(&draft.id), fact).await?;
            Ok(())
        })
        .await
}

/// A mandate that a citizen holds as the representative.
pub(super) async fn held(rows: &impl Rows, citizen: &Citizen, id: &str) -> Result<Option<Mandate>, Problem> {
    let found = store::one(rows, id).await?;
    Ok(found.filter(|mandate| mandate.side(citizen) == Some(Side::Representative)))
}

/// For whom a draft is filed, in words; nothing where its procedure is filed for nobody else.
///
/// # Errors
/// Unavailable.
pub(crate) async fn words(own: &OwnDraft, page: &Page) -> Result<Option<String>, Problem> {
    if own.draft.supplements().is_some() || own.procedure()?.represent.is_empty() {
        return Ok(None);
    }
    let Some(id) = &own.draft.mandate else {
        return Ok(Some(page.t("mandate-own")));
    };
    let reader = own.cases.store.read(&own.cases.tenant).await?;
    let mandate = held(&reader, &own.citizen, id).await?;
    Ok(mandate.map(|mandate| page.tw("mandate-for", &[("name", mandate.name)])))
}

/// The personal number by which registers are asked for a draft’s applicant: of a company that of who speaks for it; of
/// somebody who has not said themselves, and of whom no register did, nothing is asked.
///
/// # Errors
/// Unavailable.
pub(crate) async fn applicant(
    cases: &Cases,
    citizen: &Citizen,
    draft: &Draft,
) -> Result<Option<PersonalNumber>, Problem> {
    let Some(id) = &draft.mandate else {
        return Ok(Some(citizen.number.clone()));
    };
    let reader = cases.store.read(&cases.tenant).await?;
    let Some(mandate) = held(&reader, citizen, id).await? else {
        return Ok(None);
    };
    if mandate.whom == Whom::Company {
        return Ok(Some(citizen.number.clone()));
    }
    let said = mandate.state == super::State::Confirmed && mandate.is_in_force(citizen.today);
    Ok(mandate.represented.parse().ok().filter(|_| said))
}
