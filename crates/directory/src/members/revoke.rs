//! `POST /exchange/certificates/revoke`: the hub's operator revokes a certificate by the form on a
//! member's page. Programs do it at `/api/v1/directory/certificates/{thumbprint}/revoke`. Never takes a
//! revocation back.

use kernel::{Digest, Kind, Problem};
use web::axum::extract::State;
use web::axum::http::{StatusCode, header};
use web::axum::response::{IntoResponse, Response};
use web::{Fields, Page, Refusal};

use super::one;
use super::reach::Keeper;
use crate::DirectoryState;

/// Revokes a certificate by the form: it is refused here at once, and by other nodes when they follow.
#[utoipa::path(post, path = "/exchange/certificates/revoke", tag = "directory",
    operation_id = "revoke_certificate_by_form", security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["certificate-revoked", "directory-published", "directory-adopted"]))),
    responses((status = 303, description = "to the member"), (status = 404, description = "No thumbprint, or no hub here"),
              (status = 409, description = "The hub's own seal"), (status = 422, description = "No reason")))]
pub(crate) async fn by_form(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let hub = state.hub.as_ref().ok_or_else(Problem::not_found)?;
    let text = |field: &str| fields.text(field).unwrap_or_default();
    let thumbprint = Digest::parse(text("thumbprint")).ok_or_else(Problem::not_found)?;
    let org = text("org");
    match hub.revoke(&who.actor, thumbprint, text("reason")).await {
        Ok(_) => {
            let known = org.parse::<kernel::OrgCode>().is_ok();
            let to = if known {
                format!("/exchange/members/{org}")
            } else {
                "/exchange/members".to_owned()
            };
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
        }
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
            let status = problem.kind.status();
            let (name, body) = one::body(&state, &page, (org, &[problem]), &who).await?;
            Ok(page.html_status(status, &name, body))
        }
        Err(problem) => Err(problem.into()),
    }
}
