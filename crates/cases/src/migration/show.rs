//! `GET /migrations/{id}` and its twin: what a migration would do now, case by case and without writing anything;
//! and what it did once it was started. For who designs and who publishes; codes and states, no person.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use kernel::Problem;
use serde::Serialize;
use web::auth::PUBLISHER;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Principal, Refusal, SignedIn};

use crate::citizen::render;
use crate::design::office;
use crate::migration::job::{DryRun, load};
use crate::migration::plan::MigrationItem;
use crate::migration::{Plan, Stage};
use crate::state::Cases;

/// A migration and what it would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MigrationView {
    /// The migration.
    migration: MigrationItem,
    /// Running cases looked at, count.
    looked: usize,
    /// True when there are more than were looked at.
    more: bool,
    /// Cases that would go, by states.
    goes: Vec<MigrationMove>,
    /// Cases of these whose date would come nearer, count.
    sooner: usize,
    /// Cases that would stay, by why.
    stays: Vec<MigrationStay>,
    /// The first of these.
    first_refused: Vec<RefusedCase>,
}

/// Cases that would go from one state to another.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MigrationMove {
    /// The state that they leave.
    from: String,
    /// The state that they take.
    to: String,
    /// How many.
    count: usize,
}

/// Cases that would stay.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MigrationStay {
    /// Why: `no-state`, `other-clock`, `waits`, `decided`, `answer`, `form`, `fee`, `later`, `status`.
    why: &'static str,
    /// How many.
    count: usize,
}

/// A case that would stay.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedCase {
    /// Its code.
    code: String,
    /// Why.
    why: &'static str,
}

#[derive(Template)]
#[template(path = "migration.html")]
struct View<'a> {
    page: &'a Page,
    item: MigrationItem,
    stage: String,
    planned: bool,
    looked: String,
    more: bool,
    goes: Vec<MigrationMove>,
    sooner: String,
    /// Why in words, and how many.
    stays: Vec<(String, usize)>,
    refused: Vec<(String, String)>,
    done: String,
    /// True for who may start it.
    starts: bool,
}

async fn looked_up(cases: &Cases, who: &Principal, id: &str) -> Result<(Plan, DryRun), Problem> {
    office(cases, who)?;
    let reader = cases.store.read(&cases.tenant).await?;
    let plan = load(&reader, id).await?;
    drop(reader);
    let run = match plan.stage {
        Stage::Planned => cases.dry_run(&plan).await?,
        Stage::Running | Stage::Done => DryRun::default(),
    };
    Ok((plan, run))
}

fn moves(run: &DryRun) -> Vec<MigrationMove> {
    let one = |((from, to), count): (&(String, String), &usize)| MigrationMove {
        from: from.clone(),
        to: to.clone(),
        count: *count,
    };
    run.goes.iter().map(one).collect()
}

/// A migration as programs read it.
///
/// # Errors
/// 403, 404.
pub(crate) async fn view(cases: &Cases, who: &Principal, id: &str) -> Result<MigrationView, Problem> {
    let (plan, run) = looked_up(cases, who, id).await?;
    let stays = run.stays.iter().map(|(why, count)| MigrationStay {
        why: why.as_str(),
        count: *count,
    });
    let refused = run.named.iter().map(|(code, why)| RefusedCase {
        code: code.to_string(),
        why: why.as_str(),
    });
    Ok(MigrationView {
        migration: MigrationItem::of(&plan),
        looked: run.looked,
        more: run.more,
        goes: moves(&run),
        sooner: run.sooner,
        stays: stays.collect(),
        first_refused: refused.collect(),
    })
}

/// A migration and what it would do, as a page.
#[utoipa::path(get, path = "/migrations/{id}", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the migration")),
    responses((status = 200, description = "the migration", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(id): Path<String>,
) -> Result<Html<String>, Refusal> {
    let (plan, run) = looked_up(&cases, &who, &id).await?;
    let count = |key: &str, n: usize| page.tw(key, &[("n", n.to_string())]);
    let why = |why: crate::migration::Why| page.t(&format!("migration-why-{}", why.as_str()));
    let done = [
        ("moved", plan.moved.to_string()),
        ("refused", plan.refused.to_string()),
    ];
    let body = render(&View {
        page: &page,
        stage: page.t(&format!("migration-stage-{}", plan.stage.as_str())),
        planned: plan.stage == Stage::Planned,
        looked: count("migration-looked", run.looked),
        more: run.more,
        goes: moves(&run),
        sooner: count("migration-sooner", run.sooner),
        stays: run.stays.iter().map(|(one, count)| (why(*one), *count)).collect(),
        refused: run
            .named
            .iter()
            .map(|(code, one)| (code.to_string(), why(*one)))
            .collect(),
        done: page.tw("migration-done", &done),
        starts: who.has(PUBLISHER) && who.account != plan.author,
        item: MigrationItem::of(&plan),
    })?;
    Ok(page.html(&page.t("migration-one"), body))
}

/// A migration and what it would do.
#[utoipa::path(get, path = "/api/v1/migrations/{id}", tag = "designs", security(("session" = ["designer", "publisher"])),
    params(("id" = String, Path, description = "the migration")),
    responses((status = 200, body = MigrationView), (status = 403), (status = 404)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<MigrationView>, Refusal> {
    Ok(Json(view(&cases, &who, &id).await?))
}
