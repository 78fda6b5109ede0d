//! `GET /procedures` and its twin: finding a procedure. Public; never says who asked.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Refusal};

use crate::citizen::render;
use crate::pack::Entry;
use crate::shown::say;
use crate::state::Cases;

/// What is looked for.
#[derive(Debug, Deserialize)]
pub struct Wish {
    /// Words, or a code.
    #[serde(default)]
    q: String,
    /// How many at most.
    limit: Option<usize>,
}

/// Procedures that fit, best first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// The procedures.
    items: Vec<ProcedureItem>,
}

/// One procedure.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcedureItem {
    /// Its code.
    code: String,
    /// Its name.
    name: String,
    /// The publishing agency.
    agency: String,
    /// Its field.
    field: String,
    /// True when the catalogue says it may be filed online.
    online: bool,
    /// True when this portal takes it.
    filed_here: bool,
}

#[derive(Template)]
#[template(path = "procedures.html")]
struct ProceduresPage<'a> {
    page: &'a Page,
    q: &'a str,
    items: Vec<ProcedureItem>,
}

/// Searches the catalogue.
#[utoipa::path(get, path = "/procedures", tag = "cases", security(()),
    params(("q" = Option<String>, Query, description = "words or a code")),
    responses((status = 200, description = "what fits", content_type = "text/html")))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Query(wish): Query<Wish>,
) -> Result<Html<String>, Refusal> {
    let q: String = kernel::text::clean(&wish.q).chars().take(200).collect();
    let mut items = find(&cases, &q, wish.limit);
    // What is filed here is called as on its own page, in the reader's language; the catalogue has one.
    for item in items.iter_mut().filter(|item| item.filed_here) {
        if let Some(procedure) = item
            .code
            .parse()
            .ok()
            .and_then(|code| cases.procedure_today(&code).ok())
        {
            say(&procedure.name, page.lang).clone_into(&mut item.name);
        }
    }
    let body = render(&ProceduresPage {
        page: &page,
        q: &q,
        items,
    })?;
    Ok(page.html(&page.t("cases-procedures-title"), body))
}

/// Searches the catalogue.
#[utoipa::path(get, path = "/api/v1/procedures", tag = "cases", security(()),
    params(("q" = Option<String>, Query, description = "words or a code"),
           ("limit" = Option<usize>, Query, description = "how many at most")),
    responses((status = 200, body = Found)))]
pub(crate) async fn api(State(cases): State<Cases>, Query(wish): Query<Wish>) -> Json<Found> {
    Json(Found {
        items: find(&cases, &wish.q, wish.limit),
    })
}

fn find(cases: &Cases, q: &str, limit: Option<usize>) -> Vec<ProcedureItem> {
    let most = cases.store.limits().page_rows_max;
    let item = |entry: &Entry| ProcedureItem {
        code: entry.code.to_string(),
        name: entry.name.clone(),
        agency: entry.agency.clone(),
        field: entry.field.clone(),
        online: entry.online(),
        filed_here: cases.procedure_today(&entry.code).is_ok(),
    };
    cases
        .catalogue
        .search(q, limit.unwrap_or(20).min(most))
        .into_iter()
        .map(item)
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, lan};

    #[tokio::test]
    async fn anyone_finds_a_procedure_by_its_name() {
        let portal = Portal::new().await;
        let found = portal
            .get(None, "/api/v1/procedures?q=dang+ky+khai+sinh&limit=3")
            .await
            .json();
        assert_eq!(found["items"][0]["code"], "1.001193");
        assert_eq!(found["items"][0]["filed_here"], true);
        assert_eq!(found["items"].as_array().map(Vec::len), Some(3));
        let page = portal.get(None, "/procedures?q=khai%20sinh%20%3Cscript%3E").await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<script>"), "what was asked is shown escaped");
        assert!(
            portal
                .get(Some(&lan()), "/procedures")
                .await
                .body
                .contains("/procedures/1.001193")
        );
    }
}
