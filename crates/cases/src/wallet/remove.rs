//! `POST /wallet/{entry}/remove` and its twin: a document is no longer among the citizen's own, and its links open no more.
//! What was handed in with a case stays with the case, and a result stays at its case's page.

use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Fact, Problem};
use serde::Serialize;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Refusal};

use super::{OwnEntry, store, subject};

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletRemovedJson {
    /// The document's id.
    removed: String,
}

/// Removes a document of mine.
#[utoipa::path(post, path = "/wallet/{entry}/remove", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document")),
    responses((status = 303, description = "to the list"), (status = 404)),
    extensions(("x-facts" = json!(["wallet-removed"]))))]
pub(crate) async fn by_form(own: OwnEntry) -> Result<Response, Refusal> {
    remove(&own).await?;
    Ok(Redirect::to("/wallet").into_response())
}

/// Removes a document of mine.
#[utoipa::path(post, path = "/api/v1/wallet/{entry}/remove", tag = "cases", security(("session" = ["citizen"])),
    params(("entry" = String, Path, description = "the document")),
    responses((status = 200, description = "removed", body = WalletRemovedJson), (status = 401), (status = 404)),
    extensions(("x-facts" = json!(["wallet-removed"]))))]
pub(crate) async fn by_json(own: OwnEntry) -> Result<Json<WalletRemovedJson>, Refusal> {
    remove(&own).await?;
    Ok(Json(WalletRemovedJson {
        removed: own.entry.id,
    }))
}

async fn remove(own: &OwnEntry) -> Result<(), Problem> {
    let (cases, account, id) = (&own.cases, &own.citizen.who.account, &own.entry.id);
    cases
        .store
        .write(&cases.tenant, &own.citizen.who.actor, |tx| async move {
            if store::remove(&tx, account, id).await? {
                let fact = Fact::WalletRemoved { entry: id.clone() };
                tx.fact(&subject(account), fact).await?;
            }
            Ok(())
        })
        .await
}
