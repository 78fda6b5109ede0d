//! `pay`: what was asked for is paid. The portal says so, on the bank's word, as something that the applicant sends; or a
//! receptionist takes the money and writes down the number of its receipt. The case goes on once, whoever says it first.

use ::store::Tx;
use axum::response::Response;
use kernel::{CaseCode, Fact, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use crate::case::Case;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView};
use crate::payment::Paid;
use crate::procedure::{APPLICANT, Procedure, Verb};
use crate::state::Cases;
use crate::store::subject;

/// Length of the number of a receipt, in characters.
const RECEIPT_CHARS_MAX: usize = 60;

/// That a charge was paid at the desk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeReceipt {
    /// The revision of the case the receptionist has seen.
    revision: i64,
    /// The number of the receipt that was given for the money.
    receipt: String,
}

/// Notes a payment from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/pay", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-charge-paid", "fee-paid", "obligation-opened"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    at.who.require("receptionist")?;
    let receipt = ChargeReceipt {
        revision: view::revision(&fields)?,
        receipt: fields.text("receipt").unwrap_or_default().to_owned(),
    };
    let done = at.cases.paid_at_desk(&at.who, &at.code, &receipt).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Notes a payment.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/pay", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")), request_body = ChargeReceipt,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-charge-paid", "fee-paid", "obligation-opened"]))))]
pub(crate) async fn by_json(
    at: AtCase,
    Json(receipt): Json<ChargeReceipt>,
) -> Result<Json<CaseView>, Refusal> {
    at.who.require("receptionist")?;
    at.cases.paid_at_desk(&at.who, &at.code, &receipt).await?;
    at.view().await
}

impl Cases {
    /// Takes a payment at the desk. Pressed twice, it is taken once.
    async fn paid_at_desk(
        &self,
        who: &Principal,
        code: &CaseCode,
        told: &ChargeReceipt,
    ) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Pay).await?;
                let number = kernel::text::clean(&told.receipt);
                if is_done(&case, told, &number) {
                    return Ok(());
                }
                may(&case, &procedure, Verb::Pay, who, told.revision)?;
                if number.is_empty() || number.chars().count() > RECEIPT_CHARS_MAX {
                    let missing = Problem::invalid("receipt", "case-charge-receipt");
                    return Err(missing.with("max", RECEIPT_CHARS_MAX));
                }
                let (charge, dong) = awaited(&case)?;
                let paid = Paid {
                    payment: at_counter(code, charge),
                    dong,
                    at: tx.now(),
                    bank_reference: number,
                };
                // The receipt was given where the money was: none is made a second time.
                let fact = Fact::FeePaid {
                    case: code.clone(),
                    payment: paid.payment.clone(),
                    dong,
                    to: case.unit.clone(),
                    receipt: paid.bank_reference.clone(),
                };
                self.paid(&tx, case, &procedure, (&who.roles, paid)).await?;
                tx.fact(&subject(code), fact).await.map(drop)
            })
            .await
    }

    /// Takes the portal's word that the bank has the money for a charge.
    ///
    /// # Errors
    /// `case-verb-not-now` when the case does not wait for that one; `payment-amount` for another amount.
    pub(crate) async fn paid_at_bank(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        (charge, paid): (u32, &Paid),
    ) -> Result<(), Problem> {
        let code = case.code.clone();
        let (number, dong) = awaited(&case)?;
        if number != charge {
            return Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", &case.state));
        }
        if paid.dong != dong {
            return Err(Problem::new(Kind::Conflict, "payment-amount")
                .with("owed", dong)
                .with("paid", paid.dong));
        }
        self.paid(tx, case, procedure, (&[APPLICANT.to_owned()], paid.clone()))
            .await?;
        crate::desk::fee_receipt::enqueue(tx, &code, charge).await
    }

    /// Lets a case go on whose charge is paid.
    async fn paid(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        (roles, paid): (&[String], Paid),
    ) -> Result<(), Problem> {
        let step = case.transition(procedure, Verb::Pay, roles)?;
        let mut case = case.moved(step);
        let dong = paid.dong;
        let charge = case.course.end_charge(tx.now()).ok_or_else(Problem::stale)?;
        charge.paid = Some(paid);
        let (number, counts) = (charge.number, charge.counts);
        let owed = self.charge_ended(&mut case, procedure, (tx.now(), counts))?;
        let due = case.accepted.as_ref().map(|accepted| accepted.due);
        save(tx, &case, procedure).await?;
        let holder = subject(&case.code);
        if let Some(owed) = owed {
            obligations::reopen(tx, &holder, owed).await?;
        }
        let fact = Fact::CaseChargePaid {
            case: case.code.clone(),
            charge: number,
            dong,
            due,
        };
        tx.fact(&holder, fact).await.map(drop)
    }
}

/// The number and the amount of the charge that a case waits for.
fn awaited(case: &Case) -> Result<(u32, u64), Problem> {
    let charge = case.course.charge();
    let charge = charge.map(|charge| (charge.number, charge.dong));
    charge.ok_or_else(|| Problem::new(Kind::Conflict, "case-verb-not-now").with("state", &case.state))
}

/// The payment of a charge that was paid at the desk.
fn at_counter(code: &CaseCode, charge: u32) -> String {
    format!("counter-{code}-{charge}")
}

/// The second click of the one who has just written the same receipt down.
fn is_done(case: &Case, told: &ChargeReceipt, number: &str) -> bool {
    let last = case.course.charges.last();
    let paid = last.and_then(|charge| Some((charge.number, charge.paid.as_ref()?)));
    paid.is_some_and(|(charge, paid)| {
        paid.payment == at_counter(&case.code, charge)
            && paid.bank_reference == number
            && told.revision < case.revision
    })
}
