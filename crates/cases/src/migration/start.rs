//! `POST /migrations/{id}/start` and its twin: what was planned is done, by somebody else than who planned it. The
//! job moves the cases.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Kind, Problem};
use web::auth::PUBLISHER;
use web::openapi::utoipa;
use web::{Json, Principal, Refusal, SignedIn};

use crate::design::office;
use crate::migration::Stage;
use crate::migration::job::load;
use crate::migration::show::{self, MigrationView};
use crate::state::Cases;
use crate::store as rows;

impl Cases {
    async fn start_migration(&self, who: &Principal, id: &str) -> Result<(), Problem> {
        office(self, who)?;
        who.require(PUBLISHER)?;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let plan = load(&tx, id).await?;
                if plan.author == who.account {
                    return Err(Problem::new(Kind::Forbidden, "design-own"));
                }
                if !rows::move_plan(&tx, id, (Stage::Planned, Stage::Running), (0, 0)).await? {
                    return Err(Problem::new(Kind::Conflict, "migration-started"));
                }
                let fact = Fact::MigrationStarted {
                    migration: plan.id.clone(),
                    procedure: plan.code,
                };
                tx.fact(&format!("migration/{}", plan.id), fact).await?;
                Ok(())
            })
            .await
    }
}

/// Starts a migration by the form.
#[utoipa::path(post, path = "/migrations/{id}/start", tag = "designs", security(("session" = ["publisher"])),
    params(("id" = String, Path, description = "the migration")),
    responses((status = 303, description = "back to the migration"), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["migration-started"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    cases.start_migration(&who, &id).await?;
    Ok(Redirect::to(&format!("/migrations/{id}")).into_response())
}

/// Starts a migration.
#[utoipa::path(post, path = "/api/v1/migrations/{id}/start", tag = "designs", security(("session" = ["publisher"])),
    params(("id" = String, Path, description = "the migration")),
    responses((status = 200, description = "the migration", body = MigrationView), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["migration-started"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<MigrationView>, Refusal> {
    cases.start_migration(&who, &id).await?;
    Ok(Json(show::view(&cases, &who, &id).await?))
}
