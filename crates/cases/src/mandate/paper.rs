//! `GET /mandates/{mandate}/paper`: the paper of a mandate, for its two sides alone; each look leaves a trace.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use kernel::{Fact, Problem};
use web::Refusal;
use web::openapi::utoipa;

use super::{AtMandate, subject};

/// The authorisation on paper.
#[utoipa::path(get, path = "/mandates/{mandate}/paper", tag = "cases", security(("session" = ["citizen"])),
    params(("mandate" = String, Path, description = "the mandate")),
    responses((status = 200, description = "the PDF", content_type = "application/pdf"), (status = 404)),
    extensions(("x-facts" = json!(["mandate-viewed"]))))]
pub(crate) async fn file(at: AtMandate) -> Result<Response, Refusal> {
    let AtMandate {
        cases,
        citizen,
        mandate,
    } = &at;
    let paper = mandate.paper.as_ref().ok_or_else(Problem::not_found)?;
    let bytes = cases.store.blobs().get(&paper.digest).await?;
    let id = &mandate.id;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let fact = Fact::MandateViewed { mandate: id.clone() };
            tx.fact(&subject(id), fact).await
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"uy-quyen.pdf\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, bytes).into_response())
}
