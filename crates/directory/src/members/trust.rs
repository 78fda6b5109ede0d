//! `GET /exchange/trust`: the roots and timestamp services of the directory this node holds, and the
//! classes of members. Programs read them at `/api/v1/directory`. Never trusts a thing by itself.

use askama::Template;
use kernel::Problem;
use web::axum::extract::State;
use web::axum::response::Html;
use web::{Operator, Page, Refusal};

use super::{Age, Shown};
use crate::DirectoryState;
use crate::snapshot::{self, GOVERNMENT};

#[derive(Template)]
#[template(path = "trust.html")]
struct View<'a> {
    page: &'a Page,
    age: Age,
    is_hub: bool,
    roots: Vec<Shown>,
    timestamps: Vec<(String, Option<Shown>)>,
    classes: Vec<(String, String, usize)>,
}

/// Trust services and classes of members as a page.
#[utoipa::path(get, path = "/exchange/trust", tag = "directory", operation_id = "trust_page",
    security(("session" = ["operator"])),
    responses((status = 200, description = "roots, timestamp services, classes", content_type = "text/html")))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let snapshot = state.directory.snapshot();
    let now = state.directory.store().world().now();
    let shown = |pem: &String| {
        let certificate = snapshot::certificate(pem).ok()?;
        Some(Shown::of(&page, &snapshot, &certificate, now))
    };
    let others: usize = snapshot.classes.iter().map(|class| class.members.len()).sum();
    let mut classes: Vec<_> = snapshot
        .classes
        .iter()
        .map(|class| (class.code.clone(), class.name.clone(), class.members.len()))
        .collect();
    if let Some(first) = classes.iter_mut().find(|class| class.0 == GOVERNMENT) {
        first.2 = snapshot.members.len() - others;
    } else {
        let name = page.t("directory-class-gov");
        classes.insert(0, (GOVERNMENT.to_owned(), name, snapshot.members.len() - others));
    }
    let view = View {
        age: Age::of(&state, &page),
        is_hub: state.decides(&who),
        roots: snapshot.anchors.iter().filter_map(shown).collect(),
        timestamps: snapshot
            .timestamp_authorities
            .iter()
            .map(|t| (t.url.clone(), shown(&t.certificate_pem)))
            .collect(),
        classes,
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("directory-trust"), body))
}
