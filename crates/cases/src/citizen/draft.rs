//! `GET /drafts/{id}` and its twin: the list of what is to be done before a case can be filed.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use kernel::{OrgCode, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Refusal};

use crate::citizen::{OpenDraft, OwnDraft, course, own_case, render};
use crate::draft::{Attached, Draft};
use crate::mandate;
use crate::procedure::Procedure;
use crate::rules::Asked;
use crate::shown::say;
use crate::state::Cases;

/// What a redirect to the list may say.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// What became of asking the registers: see [`crate::citizen::prefill`].
    #[serde(default)]
    prefill: String,
    /// The organisation that did not answer.
    #[serde(default)]
    from: String,
}

#[derive(Template)]
#[template(path = "draft.html")]
struct DraftPage<'a> {
    page: &'a Page,
    id: &'a str,
    name: &'a str,
    notice: Option<(&'static str, String)>,
    tasks: Vec<Task<'a>>,
    done: usize,
    ready: bool,
    prefill: bool,
    prefilled: bool,
    changed: String,
    /// What the agency asked for, in a supplement.
    asked: Vec<String>,
    /// For whom it is filed, where it can be filed for others.
    acting: Option<String>,
}

struct Task<'a> {
    href: String,
    title: &'a str,
    /// `done`, `begun`, `todo`; in a supplement `kept` for what stays as it was filed.
    state: &'static str,
}

/// Shows what is left to do.
#[utoipa::path(get, path = "/drafts/{id}", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, description = "the task list", content_type = "text/html"),
              (status = 303, description = "filed: to its case"), (status = 404)))]
pub(crate) async fn page(
    OpenDraft(own): OpenDraft,
    page: Page,
    Query(told): Query<Told>,
) -> Result<Response, Refusal> {
    let OwnDraft {
        cases,
        citizen,
        draft,
    } = &own;
    let papers = own.papers().await?;
    let procedure = own.procedure()?;
    let on_form = Asked::of(&procedure, &draft.values(), cases.today());
    let mut tasks = tasks(&page, &procedure, &on_form, draft, &papers);
    let mut asked = Vec::new();
    if let Some(code) = draft.supplements() {
        let reader = cases.store.read(&cases.tenant).await?;
        let held = own_case(&reader, citizen, &code).await?;
        let statuses = crate::store::statuses(&reader, &code).await?;
        asked = course::supplement(&held, &statuses).map_or_else(Vec::new, |(items, ..)| items);
        let filed = &held.case.answers;
        mark_changes(&procedure, (&on_form, filed), draft, &papers, &mut tasks);
    }
    let done = tasks.iter().filter(|t| t.state == "done").count();
    let body = DraftPage {
        page: &page,
        id: &draft.id,
        name: say(&procedure.name, page.lang),
        notice: notice(cases, &page, &told),
        done,
        ready: done == tasks.len() || !asked.is_empty(),
        tasks,
        prefill: !procedure.prefill.is_empty() && draft.supplements().is_none(),
        asked,
        prefilled: !draft.prefilled.is_empty(),
        acting: mandate::choose::words(&own, &page).await?,
        changed: page.time(draft.changed_at),
    };
    Ok(page.html(body.name, render(&body)?).into_response())
}

/// In a supplement a part is done when it brings something new, and kept otherwise.
fn mark_changes(
    procedure: &Procedure,
    (asked, filed): (&Asked, &BTreeMap<String, String>),
    draft: &Draft,
    papers: &[Attached],
    tasks: &mut [Task<'_>],
) {
    let before = |field: &str| filed.get(field).map(String::as_str).filter(|v| !v.is_empty());
    let differs = |field: &str| draft.value(field) != before(field);
    let forms = asked
        .pages(procedure)
        .map(|form| asked.on(form).any(|q| differs(&q.code)));
    let attached = procedure.papers.iter().map(|p| course::is_attached(papers, p));
    for (task, changed) in tasks.iter_mut().zip(forms.chain(attached)) {
        task.state = course::kept_or_new(changed);
    }
}

fn tasks<'a>(
    page: &Page,
    procedure: &'a Procedure,
    asked: &Asked,
    draft: &Draft,
    papers: &[Attached],
) -> Vec<Task<'a>> {
    let pages = asked.pages(procedure).map(|form| {
        let begun = asked.on(form).any(|q| draft.value(&q.code).is_some());
        let whole = !draft.missing(form).any(|q| asked.has(&q.code));
        Task {
            href: format!("/drafts/{}/pages/{}", draft.id, form.code),
            title: say(&form.title, page.lang),
            state: if whole && begun {
                "done"
            } else if begun {
                "begun"
            } else {
                "todo"
            },
        }
    });
    let papers = procedure.papers.iter().map(|paper| Task {
        href: format!("/drafts/{}/papers/{}", draft.id, paper.code),
        title: say(&paper.name, page.lang),
        state: if course::is_attached(papers, paper) || !paper.required {
            "done"
        } else {
            "todo"
        },
    });
    pages.chain(papers).collect()
}

/// What became of asking the registers, in plain words.
fn notice(cases: &Cases, page: &Page, told: &Told) -> Option<(&'static str, String)> {
    let from = told.from.parse::<OrgCode>().ok();
    let known = from.filter(|code| cases.organisations.get(code, cases.today()).is_some());
    let from = known.map_or_else(
        || page.t("cases-prefill-register"),
        |code| cases.organisation_name(&code),
    );
    let (class, key) = match told.prefill.as_str() {
        "done" => ("notice notice-good", "cases-prefill-done"),
        "none" => ("notice", "cases-prefill-none"),
        "unreachable" => ("notice notice-warning", "cases-prefill-unreachable"),
        "refused" => ("notice notice-warning", "cases-prefill-refused"),
        "cleared" => ("notice", "cases-prefill-cleared"),
        _ => return None,
    };
    Some((class, page.tw(key, &[("from", from)])))
}

/// A draft as programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftJson {
    id: String,
    revision: i64,
    procedure: String,
    /// What was typed, by field.
    answers: BTreeMap<String, String>,
    /// What registers answered, by field.
    prefilled: BTreeMap<String, FilledJson>,
    papers: Vec<PaperJson>,
    /// The mandate under which it is to be filed for somebody else.
    mandate: Option<String>,
    /// The case it became.
    filed_as: Option<String>,
}

/// A register's answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct FilledJson {
    value: String,
    source: String,
    service: String,
    /// The exchange's request id.
    request: String,
}

/// An attached paper.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaperJson {
    code: String,
    name: String,
    media: String,
    size: u64,
    digest: String,
}

impl From<Attached> for PaperJson {
    fn from(paper: Attached) -> Self {
        Self {
            code: paper.code,
            name: paper.name,
            media: paper.media,
            size: paper.size,
            digest: paper.digest.hex(),
        }
    }
}

/// A draft's content.
#[utoipa::path(get, path = "/api/v1/drafts/{id}", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, body = DraftJson), (status = 401), (status = 404)))]
pub(crate) async fn api(own: OwnDraft, page: Page) -> Result<Json<DraftJson>, Refusal> {
    let papers = match &own.draft.filed_as {
        Some(code) => {
            let reader = own.cases.store.read(&own.cases.tenant).await?;
            crate::store::papers(&reader, &crate::store::subject(code)).await?
        }
        None => own.papers().await?,
    };
    let draft = own.draft;
    let filled = |filled: crate::draft::Filled| FilledJson {
        source: say(&filled.source, page.lang).to_owned(),
        value: filled.value,
        service: filled.service,
        request: filled.request,
    };
    Ok(Json(DraftJson {
        id: draft.id,
        revision: draft.revision,
        procedure: draft.procedure.to_string(),
        answers: draft.answers,
        prefilled: draft
            .prefilled
            .into_iter()
            .map(|(field, f)| (field, filled(f)))
            .collect(),
        papers: papers.into_iter().map(PaperJson::from).collect(),
        mandate: draft.mandate,
        filed_as: draft.filed_as.map(|c| c.to_string()),
    }))
}

/// The number a form was shown with; a page without one is as old as can be.
pub(crate) fn revision(fields: &web::Fields) -> i64 {
    fields.text("revision").and_then(|r| r.parse().ok()).unwrap_or(0)
}

/// Refuses a form that is older than the draft, or whose draft is filed.
pub(crate) fn current(draft: &Draft, revision: i64) -> Result<(), Problem> {
    if draft.revision == revision && draft.filed_as.is_none() {
        Ok(())
    } else {
        Err(Problem::stale())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, foreign, lan, mai, officer};

    #[tokio::test]
    async fn a_draft_exists_for_its_citizen_alone() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        let page = portal.get(Some(&lan()), &path).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("/pages/child") && page.body.contains("/papers/GCS"));
        let api = format!("/api/v1{path}");
        assert_eq!(portal.get(Some(&lan()), &api).await.json()["revision"], 1);
        for path in [&path, &api] {
            assert_eq!(portal.get(Some(&mai()), path).await.status, 404);
            assert_eq!(portal.get(Some(&foreign()), path).await.status, 404);
            assert_eq!(portal.get(Some(&officer()), path).await.status, 403);
        }
        assert_eq!(portal.get(None, &path).await.status, 303);
        assert_eq!(portal.get(None, &api).await.status, 401);
    }

    #[tokio::test]
    async fn a_notice_names_only_what_the_platform_knows() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        let told = portal
            .get(Some(&lan()), &format!("{path}?prefill=unreachable&from=G01"))
            .await
            .body;
        assert!(told.contains("Bộ Công an"));
        let made_up = portal
            .get(Some(&lan()), &format!("{path}?prefill=%3Cb%3E&from=Kẻ%20lạ"))
            .await
            .body;
        assert!(!made_up.contains("Kẻ lạ") && !made_up.contains("<b>"));
    }
}
