//! The draft of the result, for the officials of the case: what is signed if it is found right. Never
//! without the fact that somebody looked.

use axum::response::Response;
use kernel::Problem;
use web::Refusal;
use web::openapi::utoipa;

use crate::desk::official::AtCase;
use crate::desk::papers::pdf;

/// The newest draft of a case's result as PDF, unsigned.
#[utoipa::path(get, path = "/desk/cases/{code}/draft", tag = "desk",
    security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the draft", content_type = "application/pdf"), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn draft(at: AtCase) -> Result<Response, Refusal> {
    let (held, _) = at.cases.looked(&at.who, &at.code).await?;
    let draft = held.case.course.draft.ok_or_else(Problem::not_found)?;
    let bytes = at.cases.store.blobs().get(&draft.digest).await?;
    Ok(pdf("draft.pdf", bytes))
}

#[cfg(test)]
mod tests {
    use crate::desk::testing::{CASE, Desk, handover, pack_templates};

    #[tokio::test]
    async fn who_signs_reads_the_draft_first_and_leaves_a_trace() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&handover()).await.expect("received");
        let path = format!("/desk/cases/{CASE}/draft");
        assert_eq!(desk.get("chu", &path).await.status, 404, "there is none yet");
        desk.to_draft().await;
        let looks = async || {
            let all = desk.facts_of(&format!("case/{CASE}")).await;
            all.iter().filter(|kind| *kind == "case-viewed").count()
        };
        let before = looks().await;
        let got = desk.get("chu", &path).await;
        assert_eq!(got.status, 200);
        assert!(got.body.starts_with("%PDF"));
        assert_eq!(looks().await, before + 1);
        let page = desk.get("chu", &format!("/desk/cases/{CASE}")).await;
        assert!(page.body.contains(&path), "{}", page.body);
    }
}
