//! `GET /designs` and its twin: the versions on their way to publication, newest first, and where a new one is
//! begun. For who designs and who publishes.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::time::iso;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::auth::DESIGNER;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Principal, Refusal, SignedIn};

use crate::citizen::render;
use crate::design::{Design, office};
use crate::shown::say;
use crate::state::Cases;
use crate::store as rows;

/// Where the list goes on.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// The place of the last one: its moment and its id.
    #[serde(default)]
    before: String,
}

impl From {
    fn place(&self) -> Result<(Time, &str), Problem> {
        if self.before.is_empty() {
            return Ok((Time(i64::MAX), ""));
        }
        let malformed = || Problem::invalid("before", "malformed");
        let (at, id) = self.before.split_once('-').ok_or_else(malformed)?;
        Ok((Time(at.parse().map_err(|_| malformed())?), id))
    }
}

/// Versions on their way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Designs {
    items: Vec<DesignItem>,
    /// The value of `before` for the next page.
    next: Option<String>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignItem {
    /// Its id.
    pub(crate) id: String,
    /// The procedure.
    pub(crate) procedure: String,
    /// `draft`, `review`, `tested`, `published` or `withdrawn`.
    pub(crate) stage: &'static str,
    /// Once published: its version.
    pub(crate) version: Option<String>,
    /// Once published: the first day on which cases are filed under it.
    pub(crate) valid_from: Option<String>,
    /// How often it has changed.
    pub(crate) revision: i64,
    /// When it last changed, RFC 3339.
    pub(crate) at: String,
}

impl DesignItem {
    pub(crate) fn of(design: &Design) -> Self {
        Self {
            id: design.id.clone(),
            procedure: design.code.to_string(),
            stage: design.stage.as_str(),
            version: design.version.map(|version| version.to_string()),
            valid_from: design.valid_from.map(iso),
            revision: design.revision,
            at: design.at.rfc3339(),
        }
    }
}

#[derive(Template)]
#[template(path = "designs.html")]
struct View<'a> {
    page: &'a Page,
    items: Vec<Row>,
    next: Option<String>,
    first: bool,
    /// True for who writes versions.
    writes: bool,
}

struct Row {
    id: String,
    code: String,
    name: String,
    stage: String,
    from: String,
    at: String,
}

async fn list(cases: &Cases, who: &Principal, from: &From) -> Result<(Vec<Design>, Option<String>), Problem> {
    office(cases, who)?;
    let limit = cases.store.limits().page_rows_max;
    let reader = cases.store.read(&cases.tenant).await?;
    let mut found = rows::designs(&reader, from.place()?, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| format!("{}-{}", last.at.ms(), last.id));
    Ok((found, next))
}

/// The versions on their way, as a page.
#[utoipa::path(get, path = "/designs", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("before" = Option<String>, Query, description = "next of the page before")),
    responses((status = 200, description = "the versions on their way", content_type = "text/html"), (status = 403), (status = 422)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let (found, next) = list(&cases, &who, &from).await?;
    let row = |design: &Design| Row {
        id: design.id.clone(),
        code: design.code.to_string(),
        name: name(&cases, &page, design),
        stage: page.t(&format!("design-stage-{}", design.stage.as_str())),
        from: design
            .valid_from
            .map_or_else(|| "–".to_owned(), |day| page.date(day)),
        at: page.time(design.at),
    };
    let body = render(&View {
        page: &page,
        items: found.iter().map(row).collect(),
        next: next.map(|next| format!("/designs?before={next}")),
        first: from.before.is_empty(),
        writes: who.has(DESIGNER),
    })?;
    Ok(page.html(&page.t("design-title"), body))
}

/// What a design's procedure is called: as it is today, else as the catalogue has it.
pub(crate) fn name(cases: &Cases, page: &Page, design: &Design) -> String {
    let today = cases.procedure_today(&design.code).ok();
    let entry = cases.catalogue.entry(&design.code);
    match (today, entry) {
        (Some(procedure), _) => say(&procedure.name, page.lang).to_owned(),
        (None, Some(entry)) => entry.name.clone(),
        (None, None) => String::new(),
    }
}

/// The versions on their way.
#[utoipa::path(get, path = "/api/v1/designs", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("before" = Option<String>, Query, description = "next of the page before")),
    responses((status = 200, body = Designs), (status = 403), (status = 422)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<Designs>, Refusal> {
    let (found, next) = list(&cases, &who, &from).await?;
    Ok(Json(Designs {
        items: found.iter().map(DesignItem::of).collect(),
        next,
    }))
}
