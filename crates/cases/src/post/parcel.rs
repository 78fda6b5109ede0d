//! `POST /desk/cases/{code}/parcel`: what became of a parcel: it was delivered, it came back to the desk, or what came back
//! was given there. Each once, on its day; the case was over before. Pressed twice, it is noted once.

use axum::response::Response;
use kernel::time::{iso, parse_iso};
use kernel::{CaseCode, Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use super::{Outcome, Parcel};
use crate::desk::official::AtCase;
use crate::desk::step::save_telling;
use crate::desk::view::{self, CaseView};
use crate::notice::Notice;
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::subject;

/// What was heard of a parcel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeardOf {
    /// The revision that was seen.
    revision: i64,
    /// `delivered`, `came-back`, or `given` for what came back and was given at the desk.
    outcome: String,
    /// On which day, `2026-11-25`; today when left out.
    #[serde(default)]
    on: String,
}

/// Notes from the case's page what became of the parcel.
#[utoipa::path(post, path = "/desk/cases/{code}/parcel", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = HeardOf, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-parcel-ended"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    at.who.require(super::DESK)?;
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    let heard = HeardOf {
        revision: view::revision(&fields)?,
        outcome: text("outcome"),
        on: text("on"),
    };
    let done = at.cases.heard_of_parcel(&at.who, &at.code, &heard).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Notes what became of the parcel.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/parcel", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")), request_body = HeardOf,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-parcel-ended"]))))]
pub(crate) async fn by_json(at: AtCase, Json(heard): Json<HeardOf>) -> Result<Json<CaseView>, Refusal> {
    at.who.require(super::DESK)?;
    at.cases.heard_of_parcel(&at.who, &at.code, &heard).await?;
    at.view().await
}

impl Cases {
    async fn heard_of_parcel(
        &self,
        who: &Principal,
        code: &CaseCode,
        heard: &HeardOf,
    ) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (mut case, procedure) = self.opened(&tx, who, code, Verb::Return).await?;
                let revision = case.revision;
                let parcel = case
                    .course
                    .post
                    .as_mut()
                    .and_then(|by_post| by_post.parcel.as_mut());
                let parcel = parcel.ok_or(Problem::new(Kind::Conflict, "post-not-posted"))?;
                let outcome = Outcome::of(heard.outcome.trim())
                    .ok_or_else(|| Problem::invalid("outcome", "post-outcome"))?;
                if parcel.fate.word() == outcome.word() {
                    return Ok(());
                }
                let day = day(parcel, heard.on.trim(), self.today())?;
                let fate = parcel.fate.with(outcome, &day);
                parcel.fate = fate.ok_or(Problem::new(Kind::Conflict, "post-outcome-not-now"))?;
                let number = parcel.number.clone();
                if heard.revision != revision {
                    return Err(Problem::stale());
                }
                case.revision += 1;
                let notice = Notice::ParcelEnded {
                    parcel: number.clone(),
                    outcome: outcome.word().to_owned(),
                    on: day.clone(),
                };
                save_telling(&tx, &case, &procedure, Some(notice), Vec::new()).await?;
                let fact = Fact::CaseParcelEnded {
                    case: code.clone(),
                    parcel: number,
                    outcome: outcome.word().to_owned(),
                    day,
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await
    }
}

/// The day of something that became of a parcel: from what was heard of it before on, and not after today.
fn day(parcel: &Parcel, text: &str, today: kernel::Date) -> Result<String, Problem> {
    let day = match text {
        "" => today,
        text => parse_iso(text).ok_or_else(|| Problem::invalid("on", "date-bad"))?,
    };
    let first = parcel
        .fate
        .on()
        .and_then(parse_iso)
        .unwrap_or_else(|| parcel.at.date());
    if day < first || day > today {
        return Err(Problem::invalid("on", "post-day")
            .with("first", kernel::time::day_month_year(first))
            .with("last", kernel::time::day_month_year(today)));
    }
    Ok(iso(day))
}
