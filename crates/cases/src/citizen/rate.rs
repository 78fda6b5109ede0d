//! `POST /cases/{code}/rating` and its twin: after the end the applicant says how the case was handled (đánh giá sự
//! hài lòng), once, from 1 to 5, with words if they like. Never changes where the case stands.

use axum::extract::{Path, State};
use axum::response::Response;
use kernel::{Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Refusal, SignedIn};

use crate::citizen::course::{ENDED, is_said};
use crate::citizen::mine::own_case;
use crate::citizen::withdraw::SentJson;
use crate::citizen::{Citizen, citizen, see_other};
use crate::state::Cases;
use crate::store::{self as rows, Held, subject};
use crate::submission::{self, Said};

/// The best score.
const SCORE_MAX: u8 = 5;
/// Length of the words, in characters.
const NOTE_CHARS_MAX: usize = 2_000;

/// A rating.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rating {
    /// 1 (very dissatisfied) to 5 (very satisfied).
    #[schema(minimum = 1, maximum = 5)]
    score: u8,
    /// In the applicant's words; may be empty.
    #[serde(default)]
    note: String,
}

/// Rates a case from its page.
#[utoipa::path(post, path = "/cases/{code}/rating", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = Rating, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made", "case-rated"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(code): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let citizen = citizen(&cases, &who)?;
    let reader = cases.store.read(&cases.tenant).await?;
    let held = own_case(&reader, &citizen, &code).await?;
    drop(reader);
    let rating = Rating {
        score: fields.text("score").and_then(|s| s.parse().ok()).unwrap_or(0),
        note: fields.lines("note").unwrap_or_default(),
    };
    rate(&cases, &citizen, &held, &rating).await?;
    Ok(see_other(&format!("/cases/{}", held.case.code)))
}

/// Rates a case.
#[utoipa::path(post, path = "/api/v1/cases/{code}/rating", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Rating,
    responses((status = 200, description = "on its way to the agency", body = SentJson), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made", "case-rated"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(code): Path<String>,
    Json(rating): Json<Rating>,
) -> Result<Json<SentJson>, Refusal> {
    let citizen = citizen(&cases, &who)?;
    let reader = cases.store.read(&cases.tenant).await?;
    let held = own_case(&reader, &citizen, &code).await?;
    drop(reader);
    rate(&cases, &citizen, &held, &rating).await?;
    Ok(Json(SentJson {
        case: held.case.code.to_string(),
        sent: "rating",
    }))
}

/// Keeps a rating. Sent twice, the first one stands.
async fn rate(cases: &Cases, citizen: &Citizen<'_>, held: &Held, rating: &Rating) -> Result<(), Problem> {
    if !(1..=SCORE_MAX).contains(&rating.score) {
        return Err(Problem::invalid("score", "case-score").with("max", SCORE_MAX));
    }
    let note = rating.note.trim();
    if note.chars().count() > NOTE_CHARS_MAX {
        return Err(Problem::invalid("note", "case-note-long").with("max", NOTE_CHARS_MAX));
    }
    let said = &Said::Rating {
        score: rating.score,
        note: note.to_owned(),
    };
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let code = &held.case.code;
            if is_said(&rows::submissions(&tx, code).await?, said.kind()) {
                return Ok(());
            }
            let status = rows::case(&tx, code).await?.map_or(0, |held| held.status);
            if !ENDED.contains(&status) {
                return Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", status));
            }
            submission::keep(&tx, &held.case, said, &[]).await?;
            let fact = Fact::CaseRated {
                case: code.clone(),
                owner: held.case.unit.clone(),
                score: rating.score,
            };
            tx.fact(&subject(code), fact).await?;
            Ok(())
        })
        .await
}
