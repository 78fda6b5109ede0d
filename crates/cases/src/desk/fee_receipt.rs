//! The money receipt (biên lai thu phí, lệ phí): made by the agency whose fee or charge was paid, signed, and
//! sent to the applicant with a status. Once a payment; never for what was not paid.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use documents::{NewDocument, Signer};
use kernel::{Actor, CaseCode, Problem};
use serde::Deserialize;
use serde_json::json;

use crate::case::Case;
use crate::case_of;
use crate::citizen::pay::receipt_id;
use crate::desk::step::save_telling;
use crate::payment::{FEE, Paid};
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{GivenKind, ResultRow};

/// The outbox topic; its keys are case codes.
pub const TOPIC: &str = "case-fee-receipt";
/// The document's kind.
const KIND: &str = "fee-receipt";

/// Which of a case's payments a line is about.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    /// [`FEE`], or the number of a charge.
    charge: u32,
}

/// Puts the money receipt of one of a case's payments in line.
pub(crate) async fn enqueue(tx: &Tx, code: &CaseCode, charge: u32) -> Result<(), Problem> {
    tx.outbox(TOPIC, code.as_str(), &json!({ "charge": charge }))
        .await
}

/// What a receipt is made of.
struct Received<'a> {
    charge: u32,
    paid: &'a Paid,
    name: &'a str,
    legal_basis: &'a str,
}

/// Delivers money receipts.
#[derive(Debug)]
pub struct FeeReceipts(pub(crate) Cases);

#[async_trait]
impl Deliver for FeeReceipts {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let cases = &self.0;
        let code = &case_of(line)?;
        let reader = cases.store.read(&cases.tenant).await?;
        let (case, procedure) = cases.opened_by_platform(&reader, code).await?;
        drop(reader);
        let Payload { charge } = serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        let Some(received) = received(&case, &procedure, charge) else {
            return Ok(());
        };
        let issued = cases
            .documents()?
            .issue(cases.fee_receipt(&case, &procedure, &received), &Actor::Platform)
            .await?;
        let given = &ResultRow {
            document: issued.id,
            name: NAME.to_owned(),
            number: issued.number,
            digest: issued.digest,
            kind: GivenKind::Slip,
            with_seq: 0,
        };
        cases
            .store
            .write(&line.tenant, &Actor::Platform, |tx| async move {
                let (mut case, procedure) = cases.opened_by_platform(&tx, code).await?;
                let held = crate::store::results(&tx, &case.code).await?;
                if held.iter().any(|row| row.document == given.document) {
                    return Ok(());
                }
                case.revision += 1;
                save_telling(&tx, &case, &procedure, None, vec![given.clone()]).await
            })
            .await
    }
}

/// What the paper is called.
const NAME: &str = "Biên lai thu phí, lệ phí";

/// What was received by one of a case's payments; nothing while it is not paid.
fn received<'a>(case: &'a Case, procedure: &'a Procedure, charge: u32) -> Option<Received<'a>> {
    if charge == FEE {
        let fee = procedure.fee.as_ref();
        return Some(Received {
            charge,
            paid: case.course.paid.as_ref()?,
            name: fee.map_or("", |fee| fee.name.vi.as_str()),
            legal_basis: fee.map_or("", |fee| fee.legal_basis.as_str()),
        });
    }
    let asked = case.course.charges.iter().find(|asked| asked.number == charge)?;
    let kind = procedure.charge(&asked.code);
    Some(Received {
        charge,
        paid: asked.paid.as_ref()?,
        name: kind.map_or("", |kind| kind.name.vi.as_str()),
        legal_basis: kind.map_or("", |kind| kind.legal_basis.as_str()),
    })
}

impl Cases {
    fn fee_receipt(&self, case: &Case, procedure: &Procedure, received: &Received<'_>) -> NewDocument {
        let paid = received.paid;
        let agency = self.agency(&case.unit, paid.at.date());
        let data = json!({
            "agency": {"name": agency.name, "province": agency.province, "place": agency.place},
            "case_code": case.code,
            "payer": {"full_name": case.applicant.name},
            "procedure": {"code": procedure.code, "name": procedure.name.vi},
            "fee": {
                "name": received.name,
                "amount": paid.dong,
                "legal_basis": received.legal_basis,
            },
            "paid_at": paid.at,
            "bank_reference": paid.bank_reference,
        });
        NewDocument {
            tenant: self.tenant.clone(),
            unit: case.unit.clone(),
            id: receipt_id(&case.code, received.charge),
            kind: KIND.to_owned(),
            template: "fee-receipt.typ".to_owned(),
            number: case.code.to_string(),
            about: case.code.to_string(),
            owner: Some(case.applicant.number.clone()),
            data,
            signer: Signer::Organisation,
            reason: NAME.to_owned(),
        }
    }
}
