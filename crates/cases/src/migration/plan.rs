//! `GET` and `POST /migrations` with their twins: the migrations of a place, and a new one: from which version to
//! which, and which state becomes which. For who designs; nothing moves before somebody else has started it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Digest, Fact, Kind, Problem};
use serde::{Deserialize, Serialize};
use web::auth::DESIGNER;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use crate::citizen::render;
use crate::design::office;
use crate::migration::{Plan, Stage, States};
use crate::state::Cases;
use crate::store as rows;

/// States of a table at most, count.
const STATES_MAX: usize = 200;

/// Where the list goes on.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    after: String,
}

/// A migration to plan.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMigration {
    /// The version that cases leave.
    was: String,
    /// The version of the same procedure under which they go on.
    version: String,
    /// Which state becomes which, a line each: `accepted = accepted`. Left out: each state that both have stays.
    #[serde(default)]
    states: String,
}

/// The migrations of a place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Migrations {
    items: Vec<MigrationItem>,
    /// The value of `after` for the next page.
    next: Option<String>,
}

/// A migration.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MigrationItem {
    /// Its id.
    pub(crate) id: String,
    /// The procedure.
    pub(crate) procedure: String,
    /// The version that cases leave.
    pub(crate) was: String,
    /// The version under which they go on.
    pub(crate) version: String,
    /// `planned`, `running` or `done`.
    pub(crate) stage: &'static str,
    /// Which state becomes which.
    pub(crate) states: BTreeMap<String, String>,
    /// Cases that went, count.
    pub(crate) moved: u64,
    /// Cases that stayed, count.
    pub(crate) refused: u64,
}

impl MigrationItem {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            id: plan.id.clone(),
            procedure: plan.code.to_string(),
            was: plan.was.to_string(),
            version: plan.version.to_string(),
            stage: plan.stage.as_str(),
            states: plan.states.clone(),
            moved: plan.moved,
            refused: plan.refused,
        }
    }
}

#[derive(Template)]
#[template(path = "migrations.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    problems: Vec<Problem>,
    items: Vec<(MigrationItem, String)>,
    next: Option<String>,
    first: bool,
    /// True for who plans.
    plans: bool,
    was: &'a str,
    version: &'a str,
    states: &'a str,
}

/// The table of a text: a state and what it becomes on each line.
fn table(text: &str) -> Result<States, Problem> {
    let bad = || Problem::invalid("states", "migration-table");
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.len() > STATES_MAX {
        return Err(bad());
    }
    let mut states = States::new();
    for line in lines {
        let (from, to) = line.split_once('=').ok_or_else(bad)?;
        let twice = states.insert(from.trim().to_owned(), to.trim().to_owned());
        if twice.is_some() {
            return Err(bad());
        }
    }
    Ok(states)
}

impl Cases {
    async fn migrations(&self, who: &Principal, from: &From) -> Result<(Vec<Plan>, Option<String>), Problem> {
        office(self, who)?;
        let limit = self.store.limits().page_rows_max;
        let reader = self.store.read(&self.tenant).await?;
        let mut found = rows::plans(&reader, &from.after, limit + 1).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.id.clone());
        Ok((found, next))
    }

    async fn plan_migration(&self, who: &Principal, asked: &NewMigration) -> Result<Plan, Problem> {
        office(self, who)?;
        who.require(DESIGNER)?;
        let named = |field: &str, text: &str| {
            let digest =
                Digest::parse(text.trim()).ok_or_else(|| Problem::invalid(field, "version-unknown"))?;
            let procedure = self.version(&digest);
            let procedure = procedure.map_err(|_| Problem::invalid(field, "version-unknown"))?;
            Ok::<_, Problem>((digest, procedure))
        };
        let (was_name, was) = named("was", &asked.was)?;
        let (new_name, new) = named("version", &asked.version)?;
        if was_name == new_name || was.code != new.code {
            return Err(Problem::invalid("version", "migration-versions"));
        }
        let states = if asked.states.trim().is_empty() {
            let both = was.states.keys().filter(|state| new.states.contains_key(*state));
            both.map(|state| (state.clone(), state.clone())).collect()
        } else {
            table(&asked.states)?
        };
        for (from, to) in &states {
            if !was.states.contains_key(from) || !new.states.contains_key(to) {
                let unknown = Problem::invalid("states", "migration-state");
                return Err(unknown.with("from", from).with("to", to));
            }
        }
        let (code, states) = (&was.code, &states);
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let plan = Plan {
                    id: tx.id(),
                    code: code.clone(),
                    was: was_name,
                    version: new_name,
                    states: states.clone(),
                    stage: Stage::Planned,
                    author: who.account.clone(),
                    moved: 0,
                    refused: 0,
                    at: tx.now(),
                };
                rows::insert_plan(&tx, &plan).await?;
                let fact = Fact::MigrationPlanned {
                    migration: plan.id.clone(),
                    procedure: plan.code.clone(),
                    was: plan.was,
                    version: plan.version,
                };
                tx.fact(&format!("migration/{}", plan.id), fact).await?;
                Ok(plan)
            })
            .await
    }
}

async fn body(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    from: &From,
    (asked, problems): (&NewMigration, &[Problem]),
) -> Result<String, Problem> {
    let (found, next) = cases.migrations(who, from).await?;
    let row = |plan: &Plan| {
        let stage = page.t(&format!("migration-stage-{}", plan.stage.as_str()));
        (MigrationItem::of(plan), stage)
    };
    render(&View {
        page,
        errors: page.errors(problems),
        problems: problems.to_vec(),
        items: found.iter().map(row).collect(),
        next: next.map(|next| format!("/migrations?after={next}")),
        first: from.after.is_empty(),
        plans: who.has(DESIGNER),
        was: &asked.was,
        version: &asked.version,
        states: &asked.states,
    })
}

/// The migrations, as a page.
#[utoipa::path(get, path = "/migrations", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("after" = Option<String>, Query, description = "next of the page before")),
    responses((status = 200, description = "the migrations", content_type = "text/html"), (status = 403)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let body = body(&cases, &who, &page, &from, (&NewMigration::default(), &[])).await?;
    Ok(page.html(&page.t("migration-title"), body))
}

/// The migrations.
#[utoipa::path(get, path = "/api/v1/migrations", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("after" = Option<String>, Query, description = "next of the page before")),
    responses((status = 200, body = Migrations), (status = 403)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(from): Query<From>,
) -> Result<Json<Migrations>, Refusal> {
    let (found, next) = cases.migrations(&who, &from).await?;
    Ok(Json(Migrations {
        items: found.iter().map(MigrationItem::of).collect(),
        next,
    }))
}

/// Plans a migration by the form.
#[utoipa::path(post, path = "/migrations", tag = "designs", security(("session" = ["designer"])),
    responses((status = 303, description = "to its dry run"), (status = 403),
              (status = 422, description = "the page again, with what is wrong")),
    extensions(("x-facts" = json!(["migration-planned"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let asked = NewMigration {
        was: fields.text("was").unwrap_or_default().to_owned(),
        version: fields.text("version").unwrap_or_default().to_owned(),
        states: fields.lines("states").unwrap_or_default(),
    };
    match cases.plan_migration(&who, &asked).await {
        Ok(plan) => Ok(Redirect::to(&format!("/migrations/{}", plan.id)).into_response()),
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = body(&cases, &who, &page, &From::default(), (&asked, &[problem])).await?;
            Ok(page.html_status(422, &page.t("migration-title"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Plans a migration.
#[utoipa::path(post, path = "/api/v1/migrations", tag = "designs", security(("session" = ["designer"])),
    request_body = NewMigration,
    responses((status = 200, description = "the plan", body = MigrationItem), (status = 403), (status = 422)),
    extensions(("x-facts" = json!(["migration-planned"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Json(asked): Json<NewMigration>,
) -> Result<Json<MigrationItem>, Refusal> {
    let plan = cases.plan_migration(&who, &asked).await?;
    Ok(Json(MigrationItem::of(&plan)))
}
