//! `POST /desk/cases/{code}/post`: the result was handed over to the post, under the number of its parcel. That is how the
//! case ends (đã trả kết quả): what the post does then is told apart. Pressed twice, it is handed over once.

use axum::response::Response;
use kernel::{CaseCode, Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use super::{Fate, Parcel, store};
use crate::case::Case;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save_telling};
use crate::desk::view::{self, CaseView};
use crate::notice::Notice;
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::subject;

/// Length of a parcel's number, in characters; the post writes letters and digits, `RA123456785VN`.
const NUMBER_CHARS: std::ops::RangeInclusive<usize> = 8..=30;

/// What is handed over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandedToPost {
    /// The revision that was seen.
    revision: i64,
    /// The parcel's number, as the post gave it.
    #[schema(example = "RA123456785VN")]
    parcel: String,
}

/// Notes from the case's page that the result was handed over to the post.
#[utoipa::path(post, path = "/desk/cases/{code}/post", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    request_body(content = HandedToPost, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-posted", "case-returned"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    at.who.require(super::DESK)?;
    let number = fields.text("parcel").unwrap_or_default();
    let revision = view::revision(&fields)?;
    let done = at.cases.hand_to_post(&at.who, &at.code, revision, number).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Notes that the result was handed over to the post.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/post", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")), request_body = HandedToPost,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-posted", "case-returned"]))))]
pub(crate) async fn by_json(at: AtCase, Json(handed): Json<HandedToPost>) -> Result<Json<CaseView>, Refusal> {
    at.who.require(super::DESK)?;
    at.cases
        .hand_to_post(&at.who, &at.code, handed.revision, &handed.parcel)
        .await?;
    at.view().await
}

/// A parcel's number as it is kept: without blanks, in capitals.
///
/// # Errors
/// 422 `post-parcel-bad` at `parcel`.
fn parcel_number(text: &str) -> Result<String, Problem> {
    let number: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '-'))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let sound = NUMBER_CHARS.contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric());
    sound.then_some(number).ok_or_else(|| {
        Problem::invalid("parcel", "post-parcel-bad")
            .with("least", NUMBER_CHARS.start())
            .with("most", NUMBER_CHARS.end())
    })
}

impl Cases {
    async fn hand_to_post(
        &self,
        who: &Principal,
        code: &CaseCode,
        revision: i64,
        number: &str,
    ) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Return).await?;
                let wished = case.course.post.is_some();
                if !wished {
                    return Err(Problem::new(Kind::Conflict, "post-not-wished"));
                }
                let number = parcel_number(number)?;
                if is_done(&case, &number) {
                    return Ok(());
                }
                // What follows on a decision changes the case by itself: a page from before says as well what is given.
                let seen = revision.max(case.revision);
                let step = may(&case, &procedure, Verb::Return, who, seen)?;
                if store::is_taken(&tx, &number, code).await? {
                    return Err(Problem::invalid("parcel", "post-parcel-taken"));
                }
                let mut case = case.moved(step);
                case.returned_at = Some(tx.now());
                let mut days = 0;
                if let Some(by_post) = &mut case.course.post {
                    days = by_post.days;
                    by_post.parcel = Some(Parcel {
                        number: number.clone(),
                        at: tx.now(),
                        by: who.account.clone(),
                        by_name: who.name.clone(),
                        fate: Fate::OnItsWay,
                    });
                }
                let notice = Notice::Posted {
                    parcel: number.clone(),
                    days,
                };
                save_telling(&tx, &case, &procedure, Some(notice), Vec::new()).await?;
                let returned = Fact::CaseReturned { case: code.clone() };
                tx.fact(&subject(code), returned).await?;
                let posted = Fact::CasePosted {
                    case: code.clone(),
                    parcel: number,
                };
                tx.fact(&subject(code), posted).await?;
                Ok(())
            })
            .await
    }
}

/// The second press of the same.
fn is_done(case: &Case, number: &str) -> bool {
    let parcel = case
        .course
        .post
        .as_ref()
        .and_then(|by_post| by_post.parcel.as_ref());
    parcel.is_some_and(|parcel| parcel.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcels_number_is_letters_and_digits_however_it_is_typed() {
        let read = |text: &str| parcel_number(text).map_err(|problem| problem.code);
        assert_eq!(read(" ra 123 456 785 vn"), Ok("RA123456785VN".to_owned()));
        for bad in ["", "RA1", "RA123456785VN/..", "Bưu phẩm số 1", &"1".repeat(31)] {
            assert_eq!(read(bad), Err("post-parcel-bad"), "{bad}");
        }
    }
}
