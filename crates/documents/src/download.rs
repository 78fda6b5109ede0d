//! Giving a document out: to its owner and to officials of its tenant, and each time a fact.

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use kernel::{Fact, Problem};
use web::auth::{Principal, SignedIn};
use web::problem::Refusal;

use crate::Documents;
use crate::store::{self as rows, Held};

/// Gives out a document as PDF.
#[utoipa::path(get, path = "/documents/{id}", tag = "documents", params(("id" = String, Path,)),
    security(("session" = ["citizen", "receptionist", "officer", "chairman"])),
    extensions(("x-facts" = json!(["document-delivered"]))),
    responses((status = 200, content_type = "application/pdf"), (status = 404)))]
pub(crate) async fn download(
    State(documents): State<Documents>,
    SignedIn(who): SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let store = &documents.0.store;
    let held = rows::find(&store.read(&who.tenant).await?, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    may_have(&who, &held)?;
    let (id, to) = (&held.id, who.actor.to_string());
    let to = &to;
    store
        .write(&who.tenant, &who.actor, |tx| async move {
            let fact = Fact::DocumentDelivered {
                document: id.clone(),
                to: to.clone(),
            };
            tx.fact(&format!("document/{id}"), fact).await
        })
        .await?;
    let pdf = documents.bytes(&held.digest).await?;
    let name = format!("inline; filename=\"{}.pdf\"", held.kind);
    Ok((
        [
            (CONTENT_TYPE, "application/pdf".to_owned()),
            (CONTENT_DISPOSITION, name),
        ],
        pdf,
    )
        .into_response())
}

/// To anybody else the document does not exist.
fn may_have(who: &Principal, held: &Held) -> Result<(), Problem> {
    let owner = held.owner.is_some() && who.subject == held.owner;
    let office = ["receptionist", "officer", "chairman"]
        .iter()
        .any(|role| who.has(role));
    if owner || office {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}
