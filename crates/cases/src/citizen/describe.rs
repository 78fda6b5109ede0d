//! `GET /procedures/{code}`: what a procedure needs, how long it takes, and where to begin. Public.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use kernel::{OrgCode, Problem, ProcedureCode};
use web::openapi::utoipa;
use web::{Page, Refusal};

use crate::citizen::render;
use crate::citizen::view::term;
use crate::pack::Entry;
use crate::shown::{UnitLink, say};
use crate::state::Cases;

#[derive(Template)]
#[template(path = "procedure.html")]
struct ProcedurePage<'a> {
    page: &'a Page,
    entry: &'a Entry,
    name: &'a str,
    /// The publishing agency, where the lists have it.
    agency: Option<UnitLink>,
    /// What can be filed here.
    document: Option<Document<'a>>,
    /// True for a signed-in citizen: the button begins a form; others sign in first.
    citizen: bool,
}

struct Document<'a> {
    needs: Vec<&'a str>,
    papers: Vec<(&'a str, bool)>,
    terms: Vec<String>,
    legal_basis: &'a [String],
}

/// Describes a procedure.
#[utoipa::path(get, path = "/procedures/{code}", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code")),
    responses((status = 200, description = "the procedure", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Path(code): Path<String>,
) -> Result<Html<String>, Refusal> {
    let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
    let entry = cases.catalogue.entry(&code).ok_or_else(Problem::not_found)?;
    let procedure = cases.procedure_today(&code).ok();
    let lang = page.lang;
    let document = procedure.as_deref().map(|p| Document {
        needs: p.before_you_start.iter().map(|t| say(t, lang)).collect(),
        papers: p
            .papers
            .iter()
            .map(|paper| (say(&paper.name, lang), paper.required))
            .collect(),
        terms: p.terms.iter().map(|t| term(&page, t)).collect(),
        legal_basis: &p.legal_basis,
    });
    let name = procedure
        .as_deref()
        .map_or(entry.name.as_str(), |p| say(&p.name, lang));
    let citizen = page.user.as_ref().is_some_and(|user| user.has("citizen"));
    let today = cases.today();
    let known = |code: &&OrgCode| cases.organisations.get(code, today).is_some();
    let agency = entry.agency_code.as_ref().filter(known);
    let body = render(&ProcedurePage {
        page: &page,
        entry,
        name,
        agency: agency.map(|code| UnitLink::new(&cases, code, today)),
        document,
        citizen,
    })?;
    Ok(page.html(name, body))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, lan};

    #[tokio::test]
    async fn a_procedure_says_what_it_needs_and_where_to_begin() {
        let portal = Portal::new().await;
        let page = portal.get(None, "/procedures/1.001193").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Giấy chứng sinh") && page.body.contains("15:00"));
        assert!(
            page.body.contains("/units/G15?on=2026-11-21"),
            "the agency as it is today: {}",
            page.body
        );
        assert!(
            page.body.contains("/sign-in?next=/procedures/1.001193"),
            "who is not signed in signs in first"
        );
        assert!(
            portal
                .get(Some(&lan()), "/procedures/1.001193")
                .await
                .body
                .contains("/procedures/1.001193/start")
        );
        let other = portal.get(Some(&lan()), "/procedures/1.000005").await;
        assert!(
            other.status == 200 && !other.body.contains("/start"),
            "described, and not filed here"
        );
        assert_eq!(portal.get(None, "/procedures/9.999999").await.status, 404);
        assert_eq!(portal.get(None, "/procedures/x").await.status, 404);
    }
}
