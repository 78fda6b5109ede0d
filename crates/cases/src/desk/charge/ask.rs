//! `ask-payment`: the officer asks the applicant to pay what has become known to be owed. A signed notice says what for, how
//! much, on which ground and by when; the clock stands still until it is paid, where the rule of the day of filing says so.

use axum::response::Response;
use kernel::{CaseCode, Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use super::notice_id;
use crate::case::Case;
use crate::clock::fold::Event;
use crate::course::Charge;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save_telling};
use crate::desk::view::{self, CaseView};
use crate::notice::Notice;
use crate::procedure::{ChargeKind, Procedure, Verb};
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// What is to be paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeAsked {
    /// The revision of the case the officer has seen.
    revision: i64,
    /// The kind of charge, by its code in the procedure.
    charge: String,
    /// The amount in whole dong.
    dong: u64,
    /// How it comes about, in words the applicant understands.
    ground: String,
}

/// Asks from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/ask-payment", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-charge-asked", "obligation-lifted", "document-issued"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    at.who.require("officer")?;
    let asked = ChargeAsked {
        revision: view::revision(&fields)?,
        charge: fields.text("charge").unwrap_or_default().to_owned(),
        dong: dong(fields.text("dong").unwrap_or_default()),
        ground: fields.lines("ground").unwrap_or_default(),
    };
    let done = at.cases.ask_payment(&at.who, &at.code, &asked).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Asks the applicant to pay.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/ask-payment", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = ChargeAsked,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-charge-asked", "obligation-lifted", "document-issued"]))))]
pub(crate) async fn by_json(at: AtCase, Json(asked): Json<ChargeAsked>) -> Result<Json<CaseView>, Refusal> {
    at.who.require("officer")?;
    at.cases.ask_payment(&at.who, &at.code, &asked).await?;
    at.view().await
}

impl Cases {
    /// Asks for a payment. Pressed twice, it is asked once.
    async fn ask_payment(
        &self,
        who: &Principal,
        code: &CaseCode,
        asked: &ChargeAsked,
    ) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::AskPayment).await?;
                if is_done(&case, who, asked) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::AskPayment, who, asked.revision)?;
                let rule = case.charge_rule(&procedure)?;
                let kind = kind(&procedure, asked)?;
                let ground = words("ground", &asked.ground, true)?;
                let calendar = self.calendars.of(&case.unit);
                let until = calendar.days_after(tx.now(), rule.pay_days).end;
                let number = u32::try_from(case.course.charges.len()).map_err(Problem::internal)? + 1;
                let mut case = case.moved(step);
                let event = Event::ChargeAsked {
                    at: tx.now(),
                    counts: rule.counts,
                };
                self.tell_clock(&mut case, &procedure, event)?;
                let notice = notice_id(code, number);
                case.course.charges.push(Charge {
                    number,
                    code: kind.code.clone(),
                    dong: asked.dong,
                    ground: ground.clone(),
                    by: who.account.clone(),
                    at: tx.now(),
                    until,
                    notice: notice.clone(),
                    counts: rule.counts,
                    paid: None,
                    ended_at: None,
                });
                let said = Notice::Charge {
                    number,
                    name: kind.name.clone(),
                    dong: asked.dong,
                    ground,
                    legal_basis: kind.legal_basis.clone(),
                    until,
                    counts: rule.counts,
                };
                save_telling(&tx, &case, &procedure, Some(said), Vec::new()).await?;
                if !rule.counts {
                    // Nothing is owed while the agency waits: the obligation is taken up again with the payment.
                    obligations::lift(&tx, &subject(code), "payment").await?;
                }
                let fact = Fact::CaseChargeAsked {
                    case: code.clone(),
                    charge: number,
                    dong: asked.dong,
                    notice,
                    until,
                    counts: rule.counts,
                };
                tx.fact(&subject(code), fact).await.map(drop)
            })
            .await?;
        self.slips_now(code).await;
        Ok(())
    }
}

/// The kind that is asked for, and an amount that it may have.
fn kind<'p>(procedure: &'p Procedure, asked: &ChargeAsked) -> Result<&'p ChargeKind, Problem> {
    let kind = procedure.charge(&asked.charge);
    let kind = kind.ok_or_else(|| Problem::invalid("charge", "case-charge-unknown"))?;
    if !(1..=kind.most).contains(&asked.dong) {
        let most = crate::payment::dong(kind.most);
        return Err(Problem::invalid("dong", "case-charge-dong").with("most", most));
    }
    Ok(kind)
}

/// An amount as it is typed, `75.000` or `75 000`; 0 for what is none.
fn dong(typed: &str) -> u64 {
    let digits: String = typed
        .chars()
        .filter(|c| !matches!(c, ' ' | '.' | '₫' | '\u{a0}'))
        .collect();
    digits.parse().unwrap_or(0)
}

/// The second click of the one who has just asked for the same.
fn is_done(case: &Case, who: &Principal, asked: &ChargeAsked) -> bool {
    case.course.charge().is_some_and(|charge| {
        charge.by == who.account
            && (&charge.code, charge.dong) == (&asked.charge, asked.dong)
            && asked.revision < case.revision
    })
}
