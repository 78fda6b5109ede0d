//! The applicant's papers, for the officials of the case. Never without the fact that somebody
//! looked.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use serde::Deserialize;
use web::openapi::utoipa;
use web::{Refusal, SignedIn};

use crate::desk::official::code;
use crate::state::Cases;
use crate::store::{self as rows, subject};

/// Which version of a paper.
#[derive(Debug, Deserialize)]
pub(crate) struct Version {
    earlier: Option<String>,
}

/// A paper of a case as PDF.
#[utoipa::path(get, path = "/desk/cases/{code}/papers/{paper}", tag = "desk",
    security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code"), ("paper" = String, Path, description = "the paper's code"),
           ("earlier" = Option<String>, Query, description = "set for the one that a supplement took the place of")),
    responses((status = 200, description = "the paper", content_type = "application/pdf"), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn paper(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path((path, paper)): Path<(String, String)>,
    Query(which): Query<Version>,
) -> Result<Response, Refusal> {
    let code = code(&path)?;
    cases.looked(&who, &code).await?;
    let reader = cases.store.read(&cases.tenant).await?;
    let holder = match which.earlier {
        Some(_) => super::supplement::earlier(&subject(&code)),
        None => subject(&code),
    };
    let attached = rows::paper(&reader, &holder, &paper)
        .await?
        .ok_or_else(Problem::not_found)?;
    let bytes = cases.store.blobs().get(&attached.digest).await?;
    Ok(pdf(&format!("{}.pdf", attached.code), bytes))
}

/// A PDF under a plain name; a browser must take it for nothing else.
pub(crate) fn pdf(name: &str, bytes: Vec<u8>) -> Response {
    let plain: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        .collect();
    (
        [
            (header::CONTENT_TYPE, "application/pdf".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("inline; filename=\"{plain}\""),
            ),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
        bytes,
    )
        .into_response()
}
