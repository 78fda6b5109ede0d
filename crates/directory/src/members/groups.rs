//! `GET /exchange/groups`: the groups of systems in the directory this node holds. Programs read them at
//! `/api/v1/directory`. Never a right: an agreement names one consumer system.

use askama::Template;
use kernel::Problem;
use web::axum::extract::State;
use web::axum::response::Html;
use web::{Operator, Page, Refusal};

use super::Age;
use crate::DirectoryState;
use crate::snapshot::GroupEntry;

#[derive(Template)]
#[template(path = "groups.html")]
struct View<'a> {
    page: &'a Page,
    age: Age,
    is_hub: bool,
    groups: &'a [GroupEntry],
}

/// The groups of systems as a page.
#[utoipa::path(get, path = "/exchange/groups", tag = "directory", operation_id = "groups_page",
    security(("session" = ["operator"])),
    responses((status = 200, description = "the groups", content_type = "text/html")))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    _: Operator,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let snapshot = state.directory.snapshot();
    let view = View {
        age: Age::of(&state, &page),
        is_hub: state.registrar().is_hub(),
        groups: &snapshot.groups,
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("directory-groups"), body))
}
