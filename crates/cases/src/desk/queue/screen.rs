//! `/queue/{unit}/screen`: which number is called where, for a screen in the waiting room. The page asks for itself anew by
//! a header, without script. Never changes anything.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{HeaderName, REFRESH};
use axum::response::{IntoResponse, Response};
use web::openapi::utoipa;
use web::{Page, Refusal};

use super::take::QueueView;
use crate::citizen::render;
use crate::shown::UnitLink;
use crate::state::Cases;

/// Seconds after which the screen asks anew.
const ANEW: (HeaderName, &str) = (REFRESH, "10");

#[derive(Template)]
#[template(path = "queue_screen.html")]
struct View<'a> {
    page: &'a Page,
    unit: UnitLink,
    queue: &'a QueueView,
}

/// What is called now, for a screen.
#[utoipa::path(get, path = "/queue/{unit}/screen", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code")),
    responses((status = 200, description = "what is called now", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Path(unit): Path<String>,
) -> Result<Response, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let body = render(&View {
        page: &page,
        unit: UnitLink::new(&cases, &unit, cases.today()),
        queue: &cases.queue(&unit).await?,
    })?;
    Ok(([ANEW], page.html(&page.t("queue-screen"), body)).into_response())
}
