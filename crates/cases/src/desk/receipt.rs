//! The receipt with the appointment (Giấy tiếp nhận hồ sơ và hẹn trả kết quả): made once from what
//! acceptance wrote down, given out from then on. Never says anything the case's row does not.

use axum::extract::{Path, State};
use axum::response::Response;
use documents::{Issued, NewDocument, Signer};
use kernel::{Actor, CaseCode, Fact, Problem};
use serde_json::{Value, json};
use web::openapi::utoipa;
use web::{Refusal, SignedIn};

use crate::case::{Accepted, Case};
use crate::desk::official::code;
use crate::desk::papers::pdf;
use crate::procedure::{Procedure, TermRule};
use crate::state::Cases;
use crate::store::{self as rows, subject};

/// The receipt as PDF.
#[utoipa::path(get, path = "/desk/cases/{code}/receipt", tag = "desk",
    security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the receipt", content_type = "application/pdf"), (status = 404)),
    extensions(("x-facts" = json!(["document-delivered"]))))]
pub(crate) async fn receipt(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(path): Path<String>,
) -> Result<Response, Refusal> {
    let code = code(&path)?;
    let reader = cases.store.read(&cases.tenant).await?;
    cases.seen(&reader, &who, &code).await?;
    let issued = cases.receipt_of(&code, &who.actor).await?;
    let (issued, to) = (&issued, &who.actor.to_string());
    cases
        .store
        .write(&cases.tenant, &who.actor, |tx| async move {
            let fact = Fact::DocumentDelivered {
                document: issued.id.clone(),
                to: to.clone(),
            };
            tx.fact(&format!("document/{}", issued.id), fact).await
        })
        .await?;
    let bytes = cases.store.blobs().get(&issued.digest).await?;
    Ok(pdf("receipt.pdf", bytes))
}

impl Cases {
    /// The receipt of an accepted case, made now when it was not made yet.
    ///
    /// # Errors
    /// 404 for a case that is not accepted; as [`documents::Documents::issue`].
    pub(crate) async fn receipt_of(&self, code: &CaseCode, actor: &Actor) -> Result<Issued, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let (case, procedure) = self.opened_by_platform(&reader, code).await?;
        let papers = rows::papers(&reader, &subject(code)).await?;
        drop(reader);
        let accepted = case.accepted.as_ref().ok_or_else(Problem::not_found)?;
        let papers: Vec<&str> = papers.iter().map(|p| p.code.as_str()).collect();
        let new = NewDocument {
            tenant: self.tenant.clone(),
            unit: case.unit.clone(),
            id: format!("receipt-{code}"),
            kind: "receipt".to_owned(),
            template: "receipt.typ".to_owned(),
            number: code.to_string(),
            about: code.to_string(),
            owner: Some(case.applicant.number.clone()),
            data: self.receipt_data(&case, &procedure, accepted, &papers),
            signer: Signer::Organisation,
            reason: "Tiếp nhận hồ sơ và hẹn trả kết quả".to_owned(),
        };
        self.documents()?.issue(new, actor).await
    }

    fn receipt_data(
        &self,
        case: &Case,
        procedure: &Procedure,
        accepted: &Accepted,
        papers: &[&str],
    ) -> Value {
        let name = |code: &str| {
            let paper = procedure.papers.iter().find(|p| p.code == code);
            paper.map_or_else(|| code.to_owned(), |p| p.name.vi.clone())
        };
        let papers: Vec<Value> = papers
            .iter()
            .map(|code| json!({"name": name(code), "kind": "electronic", "count": 1}))
            .collect();
        let agency = self.agency(&case.unit, accepted.at.date());
        json!({
            "agency": {"name": agency.name, "unit": "Trung tâm Phục vụ hành chính công", "place": agency.place},
            "case_code": case.code,
            "applicant": {"full_name": case.applicant.name, "address": null, "phone": null, "email": null},
            "procedure": {"code": procedure.code, "name": procedure.name.vi},
            "papers": papers,
            "received_at": accepted.at,
            "due_at": accepted.due,
            "term": procedure.term(case.channel).map(term).unwrap_or_default(),
            "working": accepted.working_out.lines,
            "return_by": "Nhận bản điện tử trên Cổng Dịch vụ công quốc gia",
            "fee": {"amount": 0, "note": null},
            "track_url": format!("{}/track", self.base_url),
            "receptionist": {"name": accepted.by_name},
        })
    }
}

/// A term in words.
fn term(rule: &TermRule) -> String {
    match rule {
        TermRule::WorkingDays { days } => format!("{days} ngày làm việc"),
        TermRule::SameDay { cutoff } => format!(
            "Trong ngày làm việc; tiếp nhận từ {:02} giờ {:02} thì trả trong ngày làm việc tiếp theo",
            cutoff / 60,
            cutoff % 60
        ),
    }
}
