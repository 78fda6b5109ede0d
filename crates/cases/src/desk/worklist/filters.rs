//! `/desk/filters`: the parts of the worklist that an official opens again and again, under names of their own. Keeps
//! which part, never whom somebody searched for; never another's.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Fact, Kind, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{OpenApiRouter, ToSchema, routes, utoipa};
use web::page::query_value;
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use crate::citizen::render;
use crate::desk::store::filters::{self as rows, FilterRow};
use crate::state::Cases;

/// Length of a name, characters.
const NAME_CHARS_MAX: usize = 60;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(page, by_form))
        .routes(routes!(json, by_json))
        .routes(routes!(drop_by_form))
        .routes(routes!(drop_by_json))
}

/// A part of the list under a name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeepFilter {
    /// What it is called, 1 to 60 characters.
    #[schema(example = "Sáng nay")]
    name: String,
    /// The part, as `state` of the list names it.
    #[schema(example = "soon")]
    state: String,
}

/// A part that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptFilter {
    /// Its id.
    pub(super) id: String,
    /// What it is called.
    pub(super) name: String,
    /// The part, as `state` of the list names it.
    pub(super) state: String,
}

/// Everything that somebody keeps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptFilters {
    /// The oldest first.
    items: Vec<KeptFilter>,
}

/// Which part is to be kept.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Here {
    #[serde(default)]
    state: String,
}

#[derive(Template)]
#[template(path = "desk_filters.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    problems: &'a [Problem],
    kept: Vec<KeptFilter>,
    name: &'a str,
    /// Part, words, chosen.
    parts: Vec<(String, String, bool)>,
}

impl KeptFilter {
    /// Where it leads.
    pub(super) fn href(&self) -> String {
        format!("/desk?state={}", query_value(&self.state))
    }
}

/// What is kept, and the form that keeps more.
#[utoipa::path(get, path = "/desk/filters", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("state" = Option<String>, Query, description = "the part that is to be kept")),
    responses((status = 200, description = "what is kept", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(here): Query<Here>,
) -> Result<Html<String>, Refusal> {
    let body = body(&cases, &who, &page, ("", &here.state), &[]).await?;
    Ok(page.html(&page.t("desk-filters"), body))
}

/// Keeps a part of the list by the form.
#[utoipa::path(post, path = "/desk/filters", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    responses((status = 303, description = "to the list"), (status = 403), (status = 404),
              (status = 422, description = "the form again, with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["desk-filter-saved"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let text = |name: &str| fields.text(name).unwrap_or_default().trim();
    let (name, state) = (text("name"), text("state"));
    match cases.keep_filter(&who, name, state).await {
        Ok(kept) => Ok(Redirect::to(&kept.href()).into_response()),
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = body(&cases, &who, &page, (name, state), &[problem]).await?;
            Ok(page.html_status(422, &page.t("desk-filters"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// What the caller keeps.
#[utoipa::path(get, path = "/api/v1/desk/filters", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    responses((status = 200, description = "what is kept", body = KeptFilters), (status = 403), (status = 404)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
) -> Result<Json<KeptFilters>, Refusal> {
    let items = cases.kept_filters(&who).await?;
    Ok(Json(KeptFilters { items }))
}

/// Keeps a part of the list.
#[utoipa::path(post, path = "/api/v1/desk/filters", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    request_body = KeepFilter,
    responses((status = 200, description = "what is kept now", body = KeptFilter), (status = 403), (status = 404), (status = 422)),
    extensions(("x-facts" = json!(["desk-filter-saved"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Json(asked): Json<KeepFilter>,
) -> Result<Json<KeptFilter>, Refusal> {
    let name = kernel::text::clean(&asked.name);
    Ok(Json(cases.keep_filter(&who, &name, &asked.state).await?))
}

/// Drops what was kept, by the form.
#[utoipa::path(post, path = "/desk/filters/{id}/drop", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("id" = String, Path, description = "its id")),
    responses((status = 303, description = "to what is kept"), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["desk-filter-dropped"]))))]
pub(crate) async fn drop_by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(id): Path<String>,
) -> Result<Redirect, Refusal> {
    cases.drop_filter(&who, &id).await?;
    Ok(Redirect::to("/desk/filters"))
}

/// Drops what was kept.
#[utoipa::path(post, path = "/api/v1/desk/filters/{id}/drop", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("id" = String, Path, description = "its id")),
    responses((status = 200, description = "what is kept now", body = KeptFilters), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["desk-filter-dropped"]))))]
pub(crate) async fn drop_by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<KeptFilters>, Refusal> {
    cases.drop_filter(&who, &id).await?;
    let items = cases.kept_filters(&who).await?;
    Ok(Json(KeptFilters { items }))
}

async fn body(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    (name, state): (&str, &str),
    problems: &[Problem],
) -> Result<String, Problem> {
    render(&View {
        page,
        errors: page.errors(problems),
        problems,
        kept: cases.kept_filters(who).await?,
        name,
        parts: cases.parts(page, state),
    })
}

/// A name within bounds.
fn checked(name: &str) -> Result<&str, Problem> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Problem::invalid("name", "field-missing"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(Problem::invalid("name", "filter-name-long").with("max", NAME_CHARS_MAX));
    }
    Ok(name)
}

impl Cases {
    /// What somebody keeps.
    pub(super) async fn kept_filters(&self, who: &Principal) -> Result<Vec<KeptFilter>, Problem> {
        self.official(who)?;
        let reader = self.store.read(&self.tenant).await?;
        let kept = rows::of(&reader, &who.account).await?;
        Ok(kept.into_iter().map(KeptFilter::from).collect())
    }

    /// True for what `state` of the list may name.
    fn is_part(&self, state: &str) -> bool {
        let named = ["", "all", super::NEEDS_LETTER, super::tabs::MINE].contains(&state);
        named || super::PARTS.iter().any(|(part, _)| *part == state) || self.states().contains_key(state)
    }

    /// Keeps a part under a name. Sent twice, it is kept once.
    async fn keep_filter(&self, who: &Principal, name: &str, state: &str) -> Result<KeptFilter, Problem> {
        self.official(who)?;
        let name = checked(name)?;
        if !self.is_part(state) {
            return Err(Problem::invalid("state", "filter-part"));
        }
        let max = self.store.limits().desk_filters_max;
        let row = self
            .store
            .write(&self.tenant, &who.actor, |tx| async move {
                let kept = rows::of(&tx, &who.account).await?;
                let same = |row: &&FilterRow| row.name == name && row.part == state;
                if let Some(row) = kept.iter().find(same) {
                    return Ok(row.clone());
                }
                if kept.len() >= max {
                    return Err(Problem::invalid("name", "filters-many").with("max", max));
                }
                let row = FilterRow {
                    id: tx.id(),
                    name: name.to_owned(),
                    part: state.to_owned(),
                };
                rows::insert(&tx, &who.account, &row).await?;
                let fact = Fact::DeskFilterSaved {
                    account: who.account.clone(),
                    filter: row.id.clone(),
                };
                tx.fact(&format!("account/{}/filters", who.account), fact).await?;
                Ok(row)
            })
            .await?;
        Ok(KeptFilter::from(row))
    }

    async fn drop_filter(&self, who: &Principal, id: &str) -> Result<(), Problem> {
        self.official(who)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                if !rows::delete(&tx, &who.account, id).await? {
                    return Err(Problem::not_found());
                }
                let fact = Fact::DeskFilterDropped {
                    account: who.account.clone(),
                    filter: id.to_owned(),
                };
                let subject = format!("account/{}/filters", who.account);
                tx.fact(&subject, fact).await.map(drop)
            })
            .await
    }
}

impl From<FilterRow> for KeptFilter {
    fn from(row: FilterRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            state: row.part,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::limits::Limits;
    use serde_json::json;

    use crate::desk::testing::{Desk, plain_templates};

    const API: &str = "/api/v1/desk/filters";
    const PAGE: &str = "/desk/filters";

    #[tokio::test]
    async fn an_official_keeps_a_part_of_the_list_under_a_name_and_drops_it() {
        let desk = Desk::empty().await;
        let fields = [("name", "Sáng nay"), ("state", "soon")];
        for press in ["first", "second"] {
            let kept = desk.form("tich", PAGE, &fields).await;
            assert_eq!(
                (kept.status, kept.location().as_str()),
                (303, "/desk?state=soon"),
                "{press}"
            );
        }
        let list = desk.get("tich", "/desk").await.body;
        assert!(
            list.contains("Sáng nay") && list.contains("/desk?state=soon"),
            "{list}"
        );
        let all = desk.get("tich", API).await.json();
        assert_eq!(all["items"].as_array().map(Vec::len), Some(1));
        let id = all["items"][0]["id"].as_str().expect("an id").to_owned();
        let other = desk.get("hai", API).await.json();
        assert_eq!(other, json!({"items": []}), "each keeps their own");
        let drop = format!("{PAGE}/{id}/drop");
        assert_eq!(desk.form("hai", &drop, &[]).await.status, 404);
        assert_eq!(desk.form("tich", &drop, &[]).await.status, 303);
        assert_eq!(desk.form("tich", &drop, &[]).await.status, 404, "it is gone");
        assert_eq!(
            desk.facts_of("account/tich/filters").await,
            ["desk-filter-saved", "desk-filter-dropped"]
        );
    }

    #[tokio::test]
    async fn a_part_that_is_none_a_name_that_is_missing_and_one_too_many_are_told() {
        let limits = Limits {
            desk_filters_max: 1,
            ..Limits::default()
        };
        let desk = Desk::with(plain_templates(), limits).await;
        let empty = desk.form("tich", PAGE, &[("name", " "), ("state", "soon")]).await;
        assert!(
            empty.status == 422 && empty.body.contains("href=\"#name\""),
            "{}",
            empty.body
        );
        let long = "x".repeat(61);
        for (name, state, code) in [
            ("a", "nonsense", "filter-part"),
            (long.as_str(), "soon", "filter-name-long"),
        ] {
            let told = desk
                .post("tich", API, &json!({"name": name, "state": state}))
                .await;
            assert_eq!((told.status, told.problem().as_str()), (422, code));
        }
        let keep = async |name: &str| desk.post("tich", API, &json!({"name": name, "state": ""})).await;
        assert_eq!(keep("a").await.status, 200);
        assert_eq!(keep("b").await.problem(), "filters-many");
        for (who, status) in [("xa", 404), ("", 401)] {
            let told = desk.post(who, API, &json!({"name": "a", "state": ""})).await;
            assert_eq!(told.status, status, "{who}");
        }
    }
}
