//! `POST /cases/{code}/rating` and its twin: after the end the applicant says how the case was handled (đánh giá sự
//! hài lòng), once, from 1 to 5, with words if they like. Never changes where the case stands.

use axum::response::Response;
use kernel::{Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Refusal};

use crate::citizen::OwnCase;
use crate::citizen::course::ENDED;
use crate::citizen::withdraw::SentJson;
use crate::store::subject;
use crate::submission::{self, SCORE_MAX, Said};
use crate::words::note;

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
pub(crate) async fn by_form(own: OwnCase, fields: Fields) -> Result<Response, Refusal> {
    let rating = Rating {
        score: fields.text("score").and_then(|s| s.parse().ok()).unwrap_or(0),
        note: fields.lines("note").unwrap_or_default(),
    };
    rate(&own, &rating).await?;
    Ok(own.back())
}

/// Rates a case.
#[utoipa::path(post, path = "/api/v1/cases/{code}/rating", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Rating,
    responses((status = 200, description = "on its way to the agency", body = SentJson), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-submission-made", "case-rated"]))))]
pub(crate) async fn by_json(own: OwnCase, Json(rating): Json<Rating>) -> Result<Json<SentJson>, Refusal> {
    rate(&own, &rating).await?;
    Ok(Json(SentJson {
        case: own.held.case.code.to_string(),
        sent: "rating",
    }))
}

/// Keeps a rating. Sent twice, the first one stands.
async fn rate(own: &OwnCase, rating: &Rating) -> Result<(), Problem> {
    let OwnCase { cases, citizen, held } = own;
    let score = rating.score;
    if !(1..=SCORE_MAX).contains(&score) {
        return Err(Problem::invalid("score", "case-score").with("max", SCORE_MAX));
    }
    let note = note(&rating.note, false)?;
    let (case, said) = (&held.case, &Said::Rating { score, note });
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            if !submission::keep_once(&tx, &case.code, said, &ENDED).await? {
                return Ok(());
            }
            let fact = Fact::CaseRated {
                case: case.code.clone(),
                owner: case.unit.clone(),
                score,
            };
            tx.fact(&subject(&case.code), fact).await?;
            Ok(())
        })
        .await
}
