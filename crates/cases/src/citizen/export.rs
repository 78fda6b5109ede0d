//! `GET /api/v1/procedures/{code}/schema` and `/formio`: what a procedure asks, for others' tools. Public;
//! never an answer of anybody.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use kernel::{Digest, Problem, ProcedureCode};
use serde::Deserialize;
use serde_json::Value;
use web::openapi::utoipa;
use web::{Json, Page, Refusal};

use crate::export::{formio, schema};
use crate::procedure::Procedure;
use crate::state::Cases;

/// Of which version.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Of {
    /// Its name; the version in force today when nothing is said.
    #[serde(default)]
    version: String,
}

fn asked(cases: &Cases, code: &str, of: &Of) -> Result<Arc<Procedure>, Problem> {
    let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
    if of.version.is_empty() {
        return cases.procedure_today(&code);
    }
    let unknown = || Problem::invalid("version", "version-unknown");
    let wanted = Digest::parse(&of.version).ok_or_else(unknown)?;
    let versions = cases.versions_of(&code);
    let found = versions.into_iter().find(|(_, version, _)| *version == wanted);
    found.map(|(_, _, procedure)| procedure).ok_or_else(unknown)
}

/// The answers of a case as JSON Schema 2020-12, as they are kept; words in the reader's language.
#[utoipa::path(get, path = "/api/v1/procedures/{code}/schema", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code"),
           ("version" = Option<String>, Query, description = "a version; that in force today when left out")),
    responses((status = 200, description = "the schema", content_type = "application/json"), (status = 404), (status = 422)))]
pub(crate) async fn json_schema(
    State(cases): State<Cases>,
    page: Page,
    Path(code): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<Value>, Refusal> {
    let procedure = asked(&cases, &code, &of)?;
    Ok(Json(schema::of(&procedure, page.lang)))
}

/// The form as Form.io draws it; words in the reader's language.
#[utoipa::path(get, path = "/api/v1/procedures/{code}/formio", tag = "cases", security(()),
    params(("code" = String, Path, description = "the procedure's code"),
           ("version" = Option<String>, Query, description = "a version; that in force today when left out")),
    responses((status = 200, description = "the form", content_type = "application/json"), (status = 404), (status = 422)))]
pub(crate) async fn form_io(
    State(cases): State<Cases>,
    page: Page,
    Path(code): Path<String>,
    Query(of): Query<Of>,
) -> Result<Json<Value>, Refusal> {
    let procedure = asked(&cases, &code, &of)?;
    Ok(Json(formio::of(&procedure, page.lang)))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, birth};

    #[tokio::test]
    async fn others_tools_are_given_the_schema_and_the_form_of_the_version_in_force() {
        let portal = Portal::new().await;
        let version = birth().version();
        for (what, key) in [("schema", "$id"), ("formio", "name")] {
            let path = format!("/api/v1/procedures/1.001193/{what}");
            let today = portal.get(None, &path).await.json();
            let name = today[key].as_str().expect("a name");
            assert!(name.contains(&version.to_string()), "{name}");
            let named = portal.get(None, &format!("{path}?version={version}")).await;
            assert_eq!(named.json(), today);
        }
        let english = portal
            .get(None, "/api/v1/procedures/1.001193/schema?lang=en")
            .await
            .json();
        assert_eq!(english["title"], birth().name.en.as_str());
    }

    #[tokio::test]
    async fn what_is_not_filed_here_has_no_form_and_another_version_is_refused() {
        let portal = Portal::new().await;
        for what in ["schema", "formio"] {
            for unknown in ["1.000005", "9.999999", "x"] {
                let refused = portal
                    .get(None, &format!("/api/v1/procedures/{unknown}/{what}"))
                    .await;
                assert_eq!(refused.status, 404, "{unknown}");
            }
            let path = format!("/api/v1/procedures/1.001193/{what}?version=x");
            assert_eq!(portal.get(None, &path).await.status, 422);
        }
    }
}
