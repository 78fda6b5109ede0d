//! `GET /procedures/{code}/versions` and its twin: since when a procedure is filed here in which form, so
//! that a running case's own version can be told from today's. Public; never the form itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use kernel::time::iso;
use kernel::{Date, Digest, Problem, ProcedureCode};
use serde::Serialize;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Refusal};

use crate::citizen::render;
use crate::procedure::Procedure;
use crate::shown::say;
use crate::state::Cases;

#[derive(Template)]
#[template(path = "versions.html")]
struct View<'a> {
    page: &'a Page,
    code: &'a ProcedureCode,
    name: &'a str,
    items: Vec<Row>,
}

struct Row {
    version: String,
    from: String,
    in_force: bool,
    basis: String,
}

/// Lists the versions of a procedure, newest first.
#[utoipa::path(get, path = "/procedures/{code}/versions", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code")),
    responses((status = 200, description = "the versions", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Path(code): Path<String>,
) -> Result<Html<String>, Refusal> {
    let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
    let entry = cases.catalogue.entry(&code).ok_or_else(Problem::not_found)?;
    let today = cases.procedure_today(&code).ok();
    let in_force = today.as_ref().map(|p| p.version());
    let name = today
        .as_deref()
        .map_or(entry.name.as_str(), |p| say(&p.name, page.lang));
    let row = |(from, version, procedure): (Date, Digest, Arc<Procedure>)| Row {
        version: version.to_string(),
        from: page.date(from),
        in_force: in_force == Some(version),
        basis: procedure.legal_basis.join(", "),
    };
    let body = render(&View {
        page: &page,
        code: &code,
        name,
        items: cases.versions_of(&code).into_iter().rev().map(row).collect(),
    })?;
    Ok(page.html(&page.t("diff-versions"), body))
}

/// The versions of a procedure, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    /// The versions; none when it is not filed here.
    items: Vec<Version>,
}

/// One version.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// First day on which cases are filed under it, `2025-07-01`.
    valid_from: String,
    /// Its name: the SHA-256 of its document.
    version: String,
    /// True for the one that a case filed today would have.
    in_force: bool,
    /// The acts it rests on.
    legal_basis: Vec<String>,
}

/// Lists the versions of a procedure.
#[utoipa::path(get, path = "/api/v1/procedures/{code}/versions", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code")),
    responses((status = 200, body = Versions), (status = 404)))]
pub(crate) async fn api(
    State(cases): State<Cases>,
    Path(code): Path<String>,
) -> Result<Json<Versions>, Refusal> {
    let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
    cases.catalogue.entry(&code).ok_or_else(Problem::not_found)?;
    let today = cases.procedure_today(&code).ok().map(|p| p.version());
    let items = cases
        .versions_of(&code)
        .into_iter()
        .map(|(from, version, procedure)| Version {
            valid_from: iso(from),
            version: version.to_string(),
            in_force: today == Some(version),
            legal_basis: procedure.legal_basis.clone(),
        });
    Ok(Json(Versions {
        items: items.collect(),
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, birth};

    #[tokio::test]
    async fn anyone_learns_which_version_of_a_procedure_is_in_force() {
        let portal = Portal::new().await;
        let answer = portal.get(None, "/api/v1/procedures/1.001193/versions").await;
        assert_eq!(answer.status, 200);
        let items = &answer.json()["items"];
        assert_eq!(items.as_array().map(Vec::len), Some(1));
        assert_eq!(items[0]["valid_from"], "2025-07-01");
        assert_eq!(items[0]["version"], birth().version().to_string());
        assert_eq!(items[0]["in_force"], true);
    }

    #[tokio::test]
    async fn what_is_not_filed_here_has_no_version_and_what_is_not_there_is_not_found() {
        let portal = Portal::new().await;
        let described = portal.get(None, "/api/v1/procedures/1.000005/versions").await;
        assert_eq!(
            (
                described.status,
                described.json()["items"].as_array().map(Vec::len)
            ),
            (200, Some(0))
        );
        assert_eq!(
            portal.get(None, "/procedures/1.000005/versions").await.status,
            200
        );
        for unknown in ["9.999999", "x"] {
            let page = portal.get(None, &format!("/procedures/{unknown}/versions")).await;
            assert_eq!(page.status, 404);
            let refused = portal
                .get(None, &format!("/api/v1/procedures/{unknown}/versions"))
                .await;
            assert_eq!(refused.status, 404);
        }
    }
}
