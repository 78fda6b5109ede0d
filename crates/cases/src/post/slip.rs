//! `GET /desk/cases/{code}/shipping-slip`: the paper that goes on the parcel (phiếu gửi): who sends, who gets it and where,
//! what is in it, and what the post takes. Drawn anew each time it is asked for; never signed and never kept.

use axum::response::Response;
use kernel::{Problem, Time};
use serde_json::{Value, json};
use web::Refusal;
use web::openapi::utoipa;

use super::{ByPost, wish};
use crate::case::Case;
use crate::desk::official::AtCase;
use crate::desk::papers::pdf;
use crate::procedure::Procedure;
use crate::state::Cases;

/// The slip as PDF.
#[utoipa::path(get, path = "/desk/cases/{code}/shipping-slip", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the slip", content_type = "application/pdf"), (status = 403),
              (status = 404, description = "no such case, or its result does not go by post")),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn slip(at: AtCase) -> Result<Response, Refusal> {
    at.who.require(super::DESK)?;
    let AtCase { cases, who, code } = &at;
    let (held, procedure) = cases.looked(who, code).await?;
    let case = &held.case;
    let by_post = case.course.post.as_ref().ok_or_else(Problem::not_found)?;
    let now = cases.store.world().now();
    let data = cases.slip_data(case, &procedure, by_post, now);
    let bytes = cases.documents()?.draft("shipping-slip.typ", data, now).await?;
    Ok(pdf("shipping-slip.pdf", bytes))
}

impl Cases {
    fn slip_data(&self, case: &Case, procedure: &Procedure, by_post: &ByPost, now: Time) -> Value {
        let agency = self.agency(&case.unit, now.date());
        json!({
            "agency": {"name": agency.name, "place": agency.place},
            "case_code": case.code,
            "applicant": {
                "full_name": case.applicant.name,
                "address": wish::in_words(self, &by_post.to),
                "phone": Some(&by_post.to.phone).filter(|phone| !phone.is_empty()),
            },
            "procedure": {"code": procedure.code, "name": procedure.name.vi},
            "parcel": by_post.parcel.as_ref().map(|parcel| &parcel.number),
            "handed_over_at": by_post.parcel.as_ref().map(|parcel| parcel.at),
            "dong": by_post.dong,
            "days": by_post.days,
            "written_at": now,
        })
    }
}
