//! The process-control sheet of a case (Phiếu kiểm soát quá trình giải quyết hồ sơ): who did what and when, as the facts
//! say, drawn anew each time it is asked for. Never signed and never kept: the history is the record.

use axum::response::Response;
use kernel::Time;
use serde_json::{Value, json};
use web::openapi::utoipa;
use web::{Lang, Page, Refusal};

use super::history::{Event, names, timeline};
use crate::case::Case;
use crate::desk::official::AtCase;
use crate::desk::papers::pdf;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{Held, subject};

/// The sheet as PDF.
#[utoipa::path(get, path = "/desk/cases/{code}/process-sheet", tag = "desk",
    security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the sheet", content_type = "application/pdf"), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn sheet(at: AtCase, mut page: Page) -> Result<Response, Refusal> {
    // The paper is the agency's own, whatever language its pages are read in.
    page.lang = Lang::Vi;
    let AtCase { cases, who, code } = &at;
    let (held, procedure) = cases.looked(who, code).await?;
    let facts = cases.store.facts_of(&cases.tenant, &subject(code)).await?;
    let names = names(cases, &facts).await?;
    let steps = timeline(&page, &held.case, &facts, &names);
    let now = cases.store.world().now();
    let data = cases.sheet_data(&held, &procedure, &steps, now);
    let bytes = cases.documents()?.draft("process-sheet.typ", data, now).await?;
    Ok(pdf("process-sheet.pdf", bytes))
}

impl Cases {
    fn sheet_data(&self, held: &Held, procedure: &Procedure, steps: &[Event], now: Time) -> Value {
        let case = &held.case;
        let agency = self.agency(&case.unit, held.day(now));
        let step = |event: &Event| json!({"at": event.time, "what": event.text, "by": event.by});
        json!({
            "agency": {"name": agency.name, "place": agency.place},
            "case_code": case.code,
            "applicant": {"full_name": case.applicant.name},
            "procedure": {"code": procedure.code, "name": procedure.name.vi},
            "received_at": case.filed_at,
            "due_at": case.owed_by(),
            "standing": standing(held, now),
            "steps": steps.iter().map(step).collect::<Vec<_>>(),
            "written_at": now,
        })
    }
}

/// How a case stands by its term.
fn standing(held: &Held, now: Time) -> &'static str {
    let case: &Case = &held.case;
    match (case.owed_by(), held.ended_at) {
        (Some(due), Some(ended)) if case.decided.is_some() => match ended <= due {
            true => "Đúng hạn hoặc trước hạn",
            false => "Quá hạn",
        },
        (_, Some(_)) => "Kết thúc, không có kết quả",
        (Some(due), None) if now > due => "Đang giải quyết, đã quá hạn",
        (_, None) => "Đang giải quyết",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::testing::{CASE, Desk, handover, pack_templates};

    #[tokio::test]
    async fn the_sheet_has_every_step_with_who_did_it_and_reading_it_leaves_a_trace() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&handover()).await.expect("received");
        desk.to_sign().await;
        let path = format!("/desk/cases/{CASE}/process-sheet");
        let looks = async || {
            let all = desk.facts_of(&format!("case/{CASE}")).await;
            all.iter().filter(|kind| *kind == "case-viewed").count()
        };
        let before = looks().await;
        let got = desk.get("tich", &path).await;
        assert!(
            got.status == 200 && got.bytes.starts_with(b"%PDF"),
            "{}",
            got.body
        );
        assert_eq!(looks().await, before + 1);
        for (who, status) in [("ban", 404), ("xa", 404), ("", 401)] {
            assert!(
                [status, 303].contains(&desk.get(who, &path).await.status),
                "{who}"
            );
        }
    }

    #[tokio::test]
    async fn the_sheet_says_how_a_case_stands_by_its_term() {
        let desk = Desk::new().await;
        let stands = async |desk: &Desk| standing(&desk.row().await, desk.cases.store.world().now());
        assert_eq!(stands(&desk).await, "Đang giải quyết");
        desk.to_sign().await;
        desk.temp.clock.advance_ms(9 * 86_400_000);
        assert_eq!(stands(&desk).await, "Đang giải quyết, đã quá hạn");
        assert_eq!(desk.sign_and_seal().await.status, 200);
        assert_eq!(stands(&desk).await, "Quá hạn");
    }
}
