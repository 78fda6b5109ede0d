//! `/desk/post`: the results of a desk that go by post: those that wait for it, those that it has, and those that came
//! back. It has names and addresses: each look leaves a fact. Never another unit's than the reader's own and those below.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{Fact, Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::page::query_value;
use web::{Json, Page, Principal, Refusal, SignedIn};

use super::store::{self as parcels, Place};
use super::{Stage, wish};
use crate::citizen::render;
use crate::desk::worklist::{place_of, text_of};
use crate::shown::say;
use crate::state::Cases;
use crate::store::Held;

/// Which results.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// `ready`, `posted` or `came-back`; those that wait for the post when left out.
    #[serde(default)]
    stage: String,
    /// The place after which to go on.
    #[serde(default)]
    after: String,
}

/// A result that goes by post.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PostLine {
    /// Its case.
    code: String,
    /// The procedure's code.
    procedure: String,
    /// Who gets it.
    name: String,
    /// Where to, in words.
    address: String,
    /// A telephone number for who brings it.
    phone: Option<String>,
    /// What the post takes from who gets it, in dong.
    dong: u64,
    /// The parcel's number, once there is one.
    parcel: Option<String>,
    /// Since when it is in this part of the list, RFC 3339.
    since: String,
}

/// A part of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PostList {
    /// `ready`, `posted` or `came-back`.
    stage: String,
    /// Those that are there longest first.
    items: Vec<PostLine>,
    /// The value of `after` for the next part.
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "desk_post.html")]
struct View<'a> {
    page: &'a Page,
    /// Its word, its name, and whether it is shown.
    stages: Vec<(&'static str, String, bool)>,
    items: Vec<Row>,
    first: bool,
    here: String,
    next: Option<String>,
}

/// A result on the page.
struct Row {
    line: PostLine,
    procedure: String,
    dong: String,
    since: String,
}

/// What was found.
struct Found {
    stage: Stage,
    items: Vec<(Held, Time)>,
    next: Option<String>,
}

/// The list as a page.
#[utoipa::path(get, path = "/desk/post", tag = "desk", security(("session" = ["receptionist"])),
    params(("stage" = Option<String>, Query, description = "`ready` (when left out), `posted` or `came-back`"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "the results that go by post", content_type = "text/html"), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["case-post-list-viewed"]))))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let found = cases.results_by_post(&who, &from).await?;
    let here = format!("/desk/post?stage={}", found.stage.word());
    let row = |(held, since): &(Held, Time)| {
        let line = line(&cases, held, *since)?;
        let procedure = cases.procedure_of(&held.case).ok();
        Some(Row {
            procedure: procedure
                .map_or_else(|| line.procedure.clone(), |p| say(&p.name, page.lang).to_owned()),
            dong: crate::payment::dong(line.dong),
            since: page.time(*since),
            line,
        })
    };
    let stages = Stage::LISTED.into_iter();
    let body = render(&View {
        page: &page,
        stages: stages
            .map(|stage| {
                (
                    stage.word(),
                    page.t(&format!("desk-post-{}", stage.word())),
                    stage == found.stage,
                )
            })
            .collect(),
        items: found.items.iter().filter_map(row).collect(),
        first: from.after.is_empty(),
        next: found
            .next
            .map(|next| format!("{here}&after={}", query_value(&next))),
        here,
    })?;
    Ok(page.html(&page.t("desk-post-title"), body))
}

/// The list.
#[utoipa::path(get, path = "/api/v1/desk/post", tag = "desk", security(("session" = ["receptionist"])),
    params(("stage" = Option<String>, Query, description = "`ready` (when left out), `posted` or `came-back`"),
           ("after" = Option<String>, Query, description = "go on after this place")),
    responses((status = 200, description = "the results that go by post", body = PostList), (status = 403), (status = 404)),
    extensions(("x-facts" = json!(["case-post-list-viewed"]))))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<PostList>, Refusal> {
    let found = cases.results_by_post(&who, &from).await?;
    let items = found.items.iter();
    Ok(Json(PostList {
        stage: found.stage.word().to_owned(),
        items: items
            .filter_map(|(held, since)| line(&cases, held, *since))
            .collect(),
        next: found.next,
    }))
}

impl Cases {
    /// A part of the list, and the fact that it was read.
    async fn results_by_post(&self, who: &Principal, from: &From) -> Result<Found, Problem> {
        self.official(who)?;
        who.require(super::DESK)?;
        let stage = match from.stage.as_str() {
            "" => Stage::Ready,
            word => Stage::listed(word).ok_or_else(Problem::not_found)?,
        };
        let after: Option<Place> = place_of(&from.after)?;
        let limit = self.store.limits().page_rows_max;
        let reader = self.store.read(&self.tenant).await?;
        let mut items = parcels::list(&reader, (&who.unit, stage), after.as_ref(), limit + 1).await?;
        drop(reader);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items
            .last()
            .filter(|_| more)
            .map(|(held, since)| text_of(&(*since, held.case.code.clone())));
        let rows = items.len() as u64;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let fact = Fact::CasePostListViewed {
                    unit: who.unit.clone(),
                    stage: stage.word().to_owned(),
                    rows,
                };
                tx.fact(&format!("post/{}", who.unit), fact).await?;
                Ok(())
            })
            .await?;
        Ok(Found { stage, items, next })
    }
}

fn line(cases: &Cases, held: &Held, since: Time) -> Option<PostLine> {
    let case = &held.case;
    let by_post = case.course.post.as_ref()?;
    Some(PostLine {
        code: case.code.to_string(),
        procedure: case.procedure.to_string(),
        name: case.applicant.name.clone(),
        address: wish::in_words(cases, &by_post.to),
        phone: Some(by_post.to.phone.clone()).filter(|phone| !phone.is_empty()),
        dong: by_post.dong,
        parcel: by_post.parcel.as_ref().map(|parcel| parcel.number.clone()),
        since: since.rfc3339(),
    })
}
