//! `POST /exchange/maintenance` and `…/end`, and their twins: the operator puts the whole node in
//! maintenance and takes that back. It is seen at `/exchange/standing`. Never a rule of its own: see
//! [`crate::maintenance`].

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Kind, Problem, Time};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Fields, Json, Page, Refusal};

use super::Keeper;
use super::standing;
use super::way::WayAsked;
use crate::gateway::Exchange;

/// Why the node answers no call, and until when.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaintenanceText {
    /// What callers are told.
    #[schema(example = "Nâng cấp cơ sở dữ liệu")]
    pub(super) notice: String,
    /// The first instant behind it, milliseconds since 1970; until it is taken back when left out.
    pub(super) until: Option<i64>,
}

/// Puts the node in maintenance, or changes its notice and its end: no call is made or answered.
#[utoipa::path(post, path = "/api/v1/exchange/maintenance", tag = "exchange",
    operation_id = "begin_maintenance", request_body = MaintenanceText,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["node-maintenance-began"]))),
    responses((status = 204), (status = 409), (status = 422)))]
pub(crate) async fn begin_by_json(
    Keeper(x, who): Keeper,
    Json(text): Json<MaintenanceText>,
) -> Result<StatusCode, Refusal> {
    let until = text.until.map(Time);
    x.begin_maintenance(&text.notice, until, &who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by the form.
#[utoipa::path(post, path = "/exchange/maintenance", tag = "exchange",
    operation_id = "begin_maintenance_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["node-maintenance-began"]))),
    responses((status = 303, description = "to how the node stands"), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
pub(crate) async fn begin_by_form(
    Keeper(x, who): Keeper,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let told = fields.lines("notice").unwrap_or_default();
    let done = match until(fields.text("until").unwrap_or_default()) {
        Ok(until) => x.begin_maintenance(&told, until, &who.actor).await,
        Err(problem) => Err(problem),
    };
    after(&x, &page, (&fields, done)).await
}

/// Ends the maintenance: calls are made and answered again.
#[utoipa::path(post, path = "/api/v1/exchange/maintenance/end", tag = "exchange",
    operation_id = "end_maintenance", security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["node-maintenance-ended"]))),
    responses((status = 204), (status = 409, description = "The node is in none")))]
pub(crate) async fn end_by_json(Keeper(x, who): Keeper) -> Result<StatusCode, Refusal> {
    x.end_maintenance(&who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/maintenance/end", tag = "exchange",
    operation_id = "end_maintenance_by_form", security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["node-maintenance-ended"]))),
    responses((status = 303, description = "to how the node stands"), (status = 409)))]
pub(crate) async fn end_by_form(
    Keeper(x, who): Keeper,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let done = x.end_maintenance(&who.actor).await;
    after(&x, &page, (&fields, done)).await
}

/// Back to the page; where the form was wrong, the page with what is wrong.
async fn after(
    x: &Exchange,
    page: &Page,
    (sent, done): (&Fields, Result<(), Problem>),
) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(Redirect::to("/exchange/standing").into_response()),
        Err(problem) if problem.kind == Kind::Invalid => {
            let seen = x.standing(None).await?;
            let body = standing::body(
                page,
                (&seen, true),
                (None, &WayAsked::default()),
                (sent, &[problem]),
            )?;
            Ok(page.html_status(422, &page.t("exchange-standing"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// The day and time of a box, `2026-11-22T18:30`; none when it is empty.
fn until(text: &str) -> Result<Option<Time>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    Time::parse_minute(text)
        .map(Some)
        .ok_or_else(|| Problem::invalid("until", "maintenance-until"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_day_and_a_time_or_none() {
        assert_eq!(until("").expect("none"), None);
        let at = until("2026-11-22T18:30").expect("one").expect("some");
        assert_eq!(
            at,
            Time::at(
                kernel::time::parse_iso("2026-11-22").expect("a day"),
                18 * 60 + 30
            )
        );
        for bad in [
            "2026-11-22",
            "2026-02-31T10:00",
            "2026-11-22T24:00",
            "x",
            "T",
            "2026-11-22Tx",
        ] {
            assert_eq!(until(bad).expect_err(bad).code, "maintenance-until");
        }
    }
}
