//! The receipt with the appointment (Giấy tiếp nhận hồ sơ và hẹn trả kết quả): made once from what
//! acceptance wrote down, given out from then on. Never says anything the case's row does not.

use axum::response::Response;
use documents::{Issued, NewDocument, Signer};
use kernel::fact::Channel;
use kernel::time::day_month_year;
use kernel::{Actor, CaseCode, Fact, Problem};
use serde_json::{Value, json};
use web::Refusal;
use web::openapi::utoipa;

use crate::case::{Accepted, Case};
use crate::desk::official::AtCase;
use crate::desk::papers::pdf;
use crate::procedure::{Procedure, Starts, Term, TermRule, Whom};
use crate::state::Cases;
use crate::store::{self as rows, subject};

/// The receipt as PDF.
#[utoipa::path(get, path = "/desk/cases/{code}/receipt", tag = "desk",
    security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the receipt", content_type = "application/pdf"), (status = 404)),
    extensions(("x-facts" = json!(["document-delivered"]))))]
pub(crate) async fn receipt(at: AtCase) -> Result<Response, Refusal> {
    let AtCase { cases, who, code } = &at;
    let reader = cases.store.read(&cases.tenant).await?;
    cases.seen(&reader, who, code).await?;
    let issued = cases.receipt_of(code, &who.actor).await?;
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
        let agency = self.agency(&case.unit, accepted.at.date());
        json!({
            "agency": {"name": agency.name, "unit": "Trung tâm Phục vụ hành chính công", "place": agency.place},
            "case_code": case.code,
            "applicant": {"full_name": case.applicant.name, "address": null, "phone": null, "email": null},
            "representative": representative(case),
            "procedure": {"code": procedure.code, "name": procedure.name.vi},
            "papers": handed_in(case, procedure, papers),
            "received_at": accepted.at,
            "due_at": accepted.due,
            "term": procedure
                .term_for(case.channel, &case.answers, case.filed_at.date())
                .map(term)
                .unwrap_or_default(),
            "working": accepted.working_out.lines,
            "return_by": return_by(case),
            "fee": fee(case),
            "track_url": format!("{}/track", self.base_url),
            "receptionist": {"name": accepted.by_name},
        })
    }
}

/// Who filed it for its applicant, and until when that holds; null where the applicant did.
fn representative(case: &Case) -> Value {
    let Some(by) = &case.course.representative else {
        return Value::Null;
    };
    let right = match by.whom {
        Whom::Child | Whom::Company => "đại diện theo pháp luật",
        Whom::Person => "đại diện theo ủy quyền",
    };
    let until = by.last_day().map(day_month_year);
    json!({"full_name": by.name, "right": right, "until": until.unwrap_or_default()})
}

/// The papers that are attached, and those that were handed in and stay on paper.
fn handed_in(case: &Case, procedure: &Procedure, attached: &[&str]) -> Vec<Value> {
    let line = |code: &str, kind: &str| {
        let paper = procedure.paper(code);
        let name = match code {
            crate::mandate::PAPER => "Văn bản ủy quyền".to_owned(),
            code => paper.map_or_else(|| code.to_owned(), |p| p.name.vi.clone()),
        };
        json!({"name": name, "kind": kind, "count": 1})
    };
    let attached_lines = attached.iter().map(|code| line(code, "electronic"));
    let kept = case.course.intake.iter().flat_map(|intake| &intake.on_paper);
    let kept = kept.filter(|code| !attached.contains(&code.as_str()));
    attached_lines
        .chain(kept.map(|code| line(code, "paper")))
        .collect()
}

/// Where the result is given: by post where that was chosen when the receipt was made, else as it is of the channel.
fn return_by(case: &Case) -> &'static str {
    match (&case.course.post, case.channel) {
        (Some(_), _) => "Nhận qua dịch vụ bưu chính công ích",
        (None, Channel::Online) => "Nhận bản điện tử trên Cổng Dịch vụ công quốc gia",
        (None, Channel::Counter | Channel::Post) => "Nhận tại Trung tâm Phục vụ hành chính công",
    }
}

/// The fee that was paid; the template writes that there is none for 0.
fn fee(case: &Case) -> Value {
    match &case.course.paid {
        Some(paid) if case.course.intake.is_some() => {
            json!({"amount": paid.dong, "note": format!("Biên lai số {}", paid.bank_reference)})
        }
        Some(paid) => json!({"amount": paid.dong, "note": "Đã thanh toán trực tuyến"}),
        None => json!({"amount": 0, "note": null}),
    }
}

/// A term in words.
fn term(term: &Term) -> String {
    let next = match term.starts {
        Starts::Acceptance => "",
        Starts::NextDay => ", tính từ ngày làm việc sau ngày tiếp nhận",
    };
    match &term.rule {
        TermRule::WorkingDays { days } => format!("{days} ngày làm việc{next}"),
        TermRule::WorkingHours { hours } => format!("{hours} giờ làm việc{next}"),
        TermRule::CalendarDays { days } => {
            format!("{days} ngày; hết hạn vào ngày nghỉ thì trả vào ngày làm việc tiếp theo")
        }
        TermRule::Hours { hours } => {
            format!("{hours} giờ; hết hạn ngoài giờ làm việc thì trả khi làm việc trở lại")
        }
        TermRule::Months { months } => {
            format!("{months} tháng; hết hạn vào ngày nghỉ thì trả vào ngày làm việc tiếp theo")
        }
        TermRule::SameDay { cutoff } => format!(
            "Trong ngày làm việc; tiếp nhận từ {:02} giờ {:02} thì trả trong ngày làm việc tiếp theo",
            cutoff / 60,
            cutoff % 60
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::Paid;
    use crate::testing::{birth, case};

    #[test]
    fn a_receipt_says_each_term_as_it_is_counted() {
        let said = |starts, rule| {
            term(&Term {
                channel: Channel::Counter,
                starts,
                when: None,
                rule,
            })
        };
        let days = TermRule::WorkingDays { days: 3 };
        assert_eq!(said(Starts::Acceptance, days.clone()), "3 ngày làm việc");
        assert_eq!(
            said(Starts::NextDay, days),
            "3 ngày làm việc, tính từ ngày làm việc sau ngày tiếp nhận"
        );
        let said = |rule| said(Starts::Acceptance, rule);
        assert_eq!(said(TermRule::WorkingHours { hours: 4 }), "4 giờ làm việc");
        assert!(said(TermRule::CalendarDays { days: 20 }).starts_with("20 ngày; hết hạn vào ngày nghỉ"));
        assert!(said(TermRule::Hours { hours: 24 }).starts_with("24 giờ; hết hạn ngoài giờ"));
        assert!(said(TermRule::Months { months: 6 }).starts_with("6 tháng; hết hạn vào ngày nghỉ"));
    }

    #[test]
    fn a_receipt_says_what_was_paid_and_where_the_result_is_given() {
        let mut case = case(&birth());
        assert_eq!(fee(&case)["amount"], 0);
        case.course.paid = Some(Paid {
            payment: "1".repeat(32),
            dong: 16_000,
            at: testkit::START,
            bank_reference: "SIM1".to_owned(),
        });
        assert_eq!(
            fee(&case),
            json!({"amount": 16_000, "note": "Đã thanh toán trực tuyến"})
        );
        let online = return_by(&case);
        case.channel = Channel::Counter;
        assert_ne!(return_by(&case), online);
        case.course.post = Some(crate::post::ByPost {
            to: crate::post::Wish {
                address: "15865 Thôn 3".to_owned(),
                phone: String::new(),
            },
            dong: 30_000,
            days: 2,
            since: testkit::START,
            parcel: None,
        });
        assert_eq!(return_by(&case), "Nhận qua dịch vụ bưu chính công ích");
    }

    #[test]
    fn a_receipt_of_what_was_handed_in_lists_what_stays_on_paper_and_the_counters_own_receipt() {
        let procedure = birth();
        let mut case = case(&procedure);
        case.course.intake = Some(crate::course::Intake {
            by: "tiep".to_owned(),
            by_name: "Lê Thị Tiếp".to_owned(),
            at: case.unit.clone(),
            on_paper: vec!["GCS".to_owned()],
        });
        let line = |kind: &str| json!({"name": "Giấy chứng sinh", "kind": kind, "count": 1});
        assert_eq!(handed_in(&case, &procedure, &[]), [line("paper")]);
        assert_eq!(handed_in(&case, &procedure, &["GCS"]), [line("electronic")]);
        case.course.paid = Some(Paid {
            payment: "counter-1".to_owned(),
            dong: 16_000,
            at: testkit::START,
            bank_reference: "BL-0001".to_owned(),
        });
        assert_eq!(
            fee(&case),
            json!({"amount": 16_000, "note": "Biên lai số BL-0001"})
        );
    }
}
