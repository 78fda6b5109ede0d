//! The slips that go to the applicant with a change of status: what is asked for (Phiếu yêu cầu bổ sung,
//! hoàn thiện hồ sơ), why a case is not taken in (Phiếu từ chối tiếp nhận giải quyết hồ sơ). Made from what
//! the case's row says, once, before the status that names them leaves. Never changes where a case stands.

use documents::{NewDocument, Signer};
use kernel::{Actor, CaseCode, Problem, Time};
use serde_json::{Value, json};

use crate::case::Case;
use crate::notice::Notice;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, GivenKind, ResultRow, StatusRow};

/// A slip to be made.
struct Slip {
    id: String,
    template: &'static str,
    name: &'static str,
    by: String,
    at: Time,
    data: Value,
}

impl Cases {
    /// Makes the slip of the newest status at once. The step stands whatever becomes of its paper: the
    /// status does not leave without it.
    pub(crate) async fn slips_now(&self, code: &CaseCode) {
        let made = async {
            let reader = self.store.read(&self.tenant).await?;
            match rows::statuses(&reader, code).await?.last() {
                Some(row) => self.slip_of(code, row).await,
                None => Ok(()),
            }
        };
        if let Err(problem) = made.await {
            tracing::error!(%problem, case = %code, "the slip could not be made yet");
        }
    }

    /// Makes the slip that a status promises, when it is not there yet.
    ///
    /// # Errors
    /// As [`documents::Documents::issue`].
    pub(crate) async fn slip_of(&self, code: &CaseCode, row: &StatusRow) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let there = rows::results(&reader, code).await?;
        if row.notice.is_none() || there.iter().any(|result| result.with_seq == row.seq) {
            return Ok(());
        }
        let (case, procedure) = self.opened_by_platform(&reader, code).await?;
        drop(reader);
        let Some(slip) = slip(&case, row) else {
            return Ok(());
        };
        let actor = Actor::Official(slip.by.clone());
        let name = slip.name.to_owned();
        let issued = self
            .documents()?
            .issue(self.slip_document(&case, &procedure, slip), &actor)
            .await?;
        let given = &ResultRow {
            document: issued.id,
            name,
            number: issued.number,
            digest: issued.digest,
            kind: GivenKind::Slip,
            with_seq: row.seq,
        };
        self.store
            .write(&self.tenant, &actor, |tx| async move {
                rows::insert_result(&tx, code, given).await
            })
            .await
    }

    fn slip_document(&self, case: &Case, procedure: &Procedure, slip: Slip) -> NewDocument {
        let agency = self.agency(&case.unit, slip.at.date());
        let mut data = json!({
            "agency": {"name": agency.name, "unit": "Trung tâm Phục vụ hành chính công", "place": agency.place},
            "case_code": case.code,
            "applicant": {"full_name": case.applicant.name},
            "procedure": {"code": procedure.code, "name": procedure.name.vi},
            "filed_at": case.filed_at,
            "written_at": slip.at,
        });
        if let (Value::Object(all), Value::Object(own)) = (&mut data, slip.data) {
            all.extend(own);
        }
        NewDocument {
            tenant: self.tenant.clone(),
            unit: case.unit.clone(),
            id: slip.id,
            kind: slip.template.to_owned(),
            template: format!("{}.typ", slip.template),
            number: case.code.to_string(),
            about: case.code.to_string(),
            owner: Some(case.applicant.number.clone()),
            data,
            signer: Signer::Organisation,
            reason: slip.name.to_owned(),
        }
    }
}

/// The slip that goes with a status.
fn slip(case: &Case, row: &StatusRow) -> Option<Slip> {
    match row.notice.as_ref()? {
        Notice::Supplement { items, reason, until } => {
            let asked = case.course.supplement.as_ref()?;
            Some(Slip {
                id: asked.slip.clone(),
                template: "supplement-slip",
                name: "Phiếu yêu cầu bổ sung, hoàn thiện hồ sơ",
                by: asked.by.clone(),
                at: asked.at,
                data: json!({"items": items, "reason": reason, "until": until}),
            })
        }
        Notice::Charge {
            number,
            name,
            dong,
            ground,
            legal_basis,
            until,
            counts,
        } => {
            let mut asked = case.course.charges.iter();
            let charge = asked.find(|charge| charge.number == *number)?;
            Some(Slip {
                id: charge.notice.clone(),
                template: "charge-notice",
                name: "Thông báo thực hiện nghĩa vụ tài chính",
                by: charge.by.clone(),
                at: charge.at,
                data: json!({
                    "charge": {"name": name.vi, "amount": dong, "ground": ground, "legal_basis": legal_basis},
                    "until": until,
                    "counts": counts,
                }),
            })
        }
        Notice::Declined { reason } => {
            let declined = case.course.declined.as_ref()?;
            Some(Slip {
                id: declined.slip.clone(),
                template: "decline-slip",
                name: "Phiếu từ chối tiếp nhận giải quyết hồ sơ",
                by: declined.by.clone(),
                at: declined.at,
                data: json!({"reason": reason}),
            })
        }
        Notice::Stopped { reason } => {
            let stopped = case.course.stopped.as_ref()?;
            Some(Slip {
                id: stopped.notice.clone(),
                template: "stop-notice",
                name: "Thông báo dừng giải quyết hồ sơ",
                by: stopped.by.clone(),
                at: stopped.at,
                data: json!({"reason": reason}),
            })
        }
        Notice::Apology { reason, due } => {
            let apology = case.course.apology.as_ref()?;
            Some(Slip {
                id: apology.letter.clone(),
                template: "apology-letter",
                name: "Thư xin lỗi và hẹn lại ngày trả kết quả",
                by: apology.by.clone(),
                at: apology.at,
                data: json!({"reason": reason, "was_due": apology.was_due, "due": due}),
            })
        }
        _ => None,
    }
}
