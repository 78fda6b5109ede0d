//! `GET /drafts/{id}/check`: everything once more before it is filed, with what is missing. Never
//! files: see [`crate::citizen::file`].

use askama::Template;
use axum::response::Response;
use kernel::Problem;
use web::openapi::utoipa;
use web::{Page, Refusal};

use crate::citizen::file::faults;
use crate::citizen::view::labelled;
use crate::citizen::{OpenDraft, render};
use crate::draft::{Attached, Draft};
use crate::rules::Asked;
use crate::shown::{say, shown};
use crate::state::Cases;

#[derive(Template)]
#[template(path = "check.html")]
struct CheckPage<'a> {
    page: &'a Page,
    draft: &'a Draft,
    name: &'a str,
    parts: Vec<Part<'a>>,
    unit: Option<String>,
    missing: Vec<(String, String)>,
    stale: String,
    /// True for what answers a request of the agency.
    supplement: bool,
    /// True for what can be filed for somebody else.
    acts: bool,
    /// How the result is wished, where it can be sent; empty where only the way to the choice is shown.
    post: Option<String>,
}

/// A page of the form or a paper, as it is shown once more.
pub(crate) struct Part<'a> {
    pub(crate) href: String,
    pub(crate) title: &'a str,
    pub(crate) lines: Vec<Line>,
}

impl Part<'_> {
    /// The one source of all its answers, said once instead of at each.
    pub(crate) fn source(&self) -> Option<&str> {
        let first = self.lines.first().map(|l| l.source.as_str())?;
        let one = !first.is_empty() && self.lines.iter().all(|l| l.source == first);
        one.then_some(first)
    }
}

/// One answer of a [`Part`].
pub(crate) struct Line {
    pub(crate) field: String,
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) source: String,
}

/// Shows everything once more.
#[utoipa::path(get, path = "/drafts/{id}/check", tag = "cases", security(("session" = ["citizen"])),
    params(("id" = String, Path, description = "the draft")),
    responses((status = 200, description = "the check", content_type = "text/html"), (status = 404)))]
pub(crate) async fn check(OpenDraft(own): OpenDraft, page: Page) -> Result<Response, Refusal> {
    let papers = own.papers().await?;
    let post = crate::post::for_check(&own, &page).await?.unwrap_or_default();
    Ok(put_together(
        &own.cases,
        &page,
        &own.draft,
        &papers,
        &[],
        &[],
        (200, post),
    )?)
}

/// The page; `missing` are faults by address, `problems` what else is wrong (a stale page).
pub(crate) fn show(
    cases: &Cases,
    page: &Page,
    draft: &Draft,
    papers: &[Attached],
    missing: &[(String, Problem)],
    problems: &[Problem],
    status: u16,
) -> Result<Response, Problem> {
    let post = String::new();
    put_together(cases, page, draft, papers, missing, problems, (status, post))
}

fn put_together(
    cases: &Cases,
    page: &Page,
    draft: &Draft,
    papers: &[Attached],
    missing: &[(String, Problem)],
    problems: &[Problem],
    (status, post): (u16, String),
) -> Result<Response, Problem> {
    let procedure = cases.version(&draft.version)?;
    let (lang, id) = (page.lang, &draft.id);
    let parts = parts(cases, page, &procedure, draft, papers);
    let receiver = draft.value(&procedure.receiver).and_then(|at| at.parse().ok());
    let missing: Vec<(String, String)> = if status == 200 {
        faults(cases, &procedure, draft, papers)
    } else {
        missing.to_vec()
    }
    .iter()
    .map(|(href, problem)| (format!("/drafts/{id}/{href}"), named(page, &procedure, problem)))
    .collect();
    let body = CheckPage {
        page,
        draft,
        name: say(&procedure.name, lang),
        parts,
        unit: receiver
            .and_then(|at| cases.receiver(&procedure, &at).ok())
            .map(|unit| cases.organisation_name(&unit)),
        missing,
        stale: page.errors(problems),
        supplement: draft.supplements().is_some(),
        acts: draft.supplements().is_none() && !procedure.represent.is_empty(),
        post: (draft.supplements().is_none() && cases.offers_post(&procedure, cases.today())).then_some(post),
    };
    let body = render(&body)?;
    Ok(page.html_status(status, &page.t("cases-check-title"), body))
}

/// Everything that a draft says, page by page, then its papers.
pub(crate) fn parts<'a>(
    cases: &Cases,
    page: &Page,
    procedure: &'a crate::Procedure,
    draft: &Draft,
    papers: &[Attached],
) -> Vec<Part<'a>> {
    let (lang, id) = (page.lang, &draft.id);
    let mut parts = Vec::new();
    let asked = Asked::of(procedure, &draft.values(), cases.today());
    for form in asked.pages(procedure) {
        let line = |q: &crate::procedure::Question| {
            let value = draft.value(&q.code);
            let source = draft
                .prefilled
                .get(&q.code)
                .map(|f| say(&f.source, lang).to_owned());
            Line {
                field: q.code.clone(),
                label: say(&q.label, lang).to_owned(),
                value: value.map_or_else(
                    || page.t("cases-not-answered"),
                    |v| shown(cases, page, q, v, cases.today()),
                ),
                source: source.unwrap_or_default(),
            }
        };
        parts.push(Part {
            href: format!("/drafts/{id}/pages/{}", form.code),
            title: say(&form.title, lang),
            lines: asked.on(form).map(line).collect(),
        });
    }
    let none = match draft.supplements() {
        Some(_) => "cases-task-kept",
        None => "cases-paper-none",
    };
    for paper in &procedure.papers {
        let attached = papers.iter().find(|p| p.code == paper.code);
        let line = Line {
            field: "file".to_owned(),
            label: page.t("cases-paper-file"),
            value: attached.map_or_else(|| page.t(none), |a| a.name.clone()),
            source: String::new(),
        };
        parts.push(Part {
            href: format!("/drafts/{id}/papers/{}", paper.code),
            title: say(&paper.name, lang),
            lines: vec![line],
        });
    }
    parts
}

/// A fault with the question or the paper it is about.
fn named(page: &Page, procedure: &crate::Procedure, problem: &Problem) -> String {
    let text = page.problem_text(&labelled(page, procedure, problem));
    let field = problem.field.as_deref().unwrap_or_default();
    let paper = procedure.paper(field).map(|p| &p.name);
    // A missing answer's own text names its question.
    let question = procedure
        .question(field)
        .filter(|_| problem.code != "answer-missing")
        .map(|q| &q.label);
    match question.or(paper) {
        Some(label) => format!("{}: {text}", say(label, page.lang)),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, lan, mai};

    #[tokio::test]
    async fn everything_is_shown_once_more_with_its_source() {
        let portal = Portal::new().await;
        let path = portal.whole(&lan()).await;
        let page = portal.get(Some(&lan()), &format!("{path}/check")).await;
        assert_eq!(page.status, 200);
        for text in [
            "Nguyễn Minh Anh",
            "19/11/2026",
            "Xã Hoằng Hóa",
            "giay.pdf",
            "Cơ sở dữ liệu quốc gia về dân cư",
            "UBND",
        ] {
            assert!(page.body.contains(text), "{text}");
        }
        assert!(page.body.contains("/file\""), "it can be filed");
        assert_eq!(
            portal.get(Some(&mai()), &format!("{path}/check")).await.status,
            404
        );
    }

    #[tokio::test]
    async fn what_is_missing_is_listed_with_a_way_to_it() {
        let portal = Portal::new().await;
        let path = portal.start(&lan()).await;
        let page = portal.get(Some(&lan()), &format!("{path}/check")).await.body;
        assert!(page.contains(&format!("{path}/pages/child#child_name")));
        assert!(page.contains(&format!("{path}/papers/GCS#file")));
        assert!(!page.contains(&format!("action=\"{path}/file\"")));
    }
}
