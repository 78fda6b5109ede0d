//! `POST /exchange/services/{org}/{system}/{code}/stand` and its twin: an operator disables a service,
//! enables it, announces a stop, takes that back, sets a sunset, or takes the service off the node.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Kind, Problem, Time};
use web::{Fields, Json, Page, Refusal};

use super::super::Acting;
use super::super::DAY_MS;
use super::Named;
use super::one;
use crate::offered::Verb;
use crate::offered::entry::notice;

/// The day in a field: its first instant and some milliseconds, since 1970.
fn day(fields: &Fields, field: &str, plus_ms: i64) -> Result<Option<i64>, Problem> {
    let day = fields.date(field)?;
    Ok(day.map(|day| Time::at(day, 0).plus_ms(plus_ms).ms()))
}

/// What a form asks for; days count from their first instant to their last.
fn read(fields: &Fields) -> Result<Verb, Vec<Problem>> {
    let words = || fields.lines("notice").unwrap_or_default();
    Ok(match fields.text("do") {
        Some("disable") => Verb::Disable { notice: words() },
        Some("enable") => Verb::Enable,
        Some("sunset") => Verb::Sunset {
            at: day(fields, "at", 0).map_err(|problem| vec![problem])?,
        },
        Some("announce-stop") => return announced(fields),
        Some("lift-stop") => Verb::LiftStop,
        Some("remove") => Verb::Remove,
        _ => return Err(vec![Problem::new(Kind::Malformed, "malformed").at("do")]),
    })
}

/// A stop as a form announces it, with all that cannot be read.
fn announced(fields: &Fields) -> Result<Verb, Vec<Problem>> {
    let missing = || Problem::invalid("from", "field-missing").with("field", "from");
    let from = day(fields, "from", 0).and_then(|from| from.ok_or_else(missing));
    let to = day(fields, "to", DAY_MS);
    let reason = fields.lines("reason").unwrap_or_default();
    match (from, to) {
        (Ok(from), Ok(to)) => Ok(Verb::AnnounceStop { from, to, reason }),
        (from, to) => {
            let mut faults: Vec<Problem> = from.err().into_iter().chain(to.err()).collect();
            faults.extend(notice("reason", &reason).err());
            Err(faults)
        }
    }
}

/// Does something with a service by a form.
#[utoipa::path(post, path = "/exchange/services/{org}/{system}/{code}/stand", tag = "exchange",
    operation_id = "stand_service_by_form",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["service-disabled", "service-enabled", "service-sunset-set",
        "service-stop-announced", "service-stop-lifted", "service-removed"]))),
    responses((status = 303, description = "to the service, or to the list when it is gone"), (status = 404),
              (status = 409), (status = 422, description = "the page again, with what is wrong")))]
pub(crate) async fn by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(named): Path<Named>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let id = super::id_of(&named)?;
    let done = async {
        let verb = read(&fields)?;
        let faults = verb.faults(x.0.now(), x.first_stop(&id));
        if !faults.is_empty() {
            return Err(faults);
        }
        let stood = x.stand_service(&id, &verb, &who.actor).await;
        stood.map_err(|problem| vec![problem])?;
        Ok::<Verb, Vec<Problem>>(verb)
    };
    match done.await {
        Ok(Verb::Remove) => Ok(Redirect::to(super::LIST).into_response()),
        Ok(_) => Ok(super::see(&id)),
        Err(problems) => one::refused(&x, &page, &id, (problems, Some(&fields))).await,
    }
}

/// Does something with a service.
#[utoipa::path(post, path = "/api/v1/exchange/services/{org}/{system}/{code}/stand", tag = "exchange",
    operation_id = "stand_service",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    request_body = Verb, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["service-disabled", "service-enabled", "service-sunset-set",
        "service-stop-announced", "service-stop-lifted", "service-removed"]))),
    responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn by_json(
    Acting(x, who): Acting,
    Path(named): Path<Named>,
    Json(verb): Json<Verb>,
) -> Result<StatusCode, Refusal> {
    let id = super::id_of(&named)?;
    x.stand_service(&id, &verb, &who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
