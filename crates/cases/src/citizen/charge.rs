//! A charge at the portal (nghĩa vụ tài chính): what the owner of a running case asks its applicant to pay. The applicant
//! pays it as the first fee; on the bank's word the payment goes down like anything else they send, in order and once. Money
//! that comes when nothing is owed any more goes back. Never decides whether the case goes on: its owner does.

use ::store::Tx;
use kernel::{CaseCode, Digest, Fact, Problem, Time};

use crate::citizen::pay::receipt_id;
use crate::inbox::{self, Step};
use crate::notice::Notice;
use crate::payment::{FEE, Paid, Payment};
use crate::portal::note_status::StatusNote;
use crate::procedure::Text;
use crate::store::{self as rows, Held, StatusRow};
use crate::submission::{self, Said};

/// The status of a case whose applicant is asked to pay: `Yêu cầu thực hiện nghĩa vụ tài chính`.
pub(crate) const PAYMENT: u8 = 6;
/// The greatest amount that a notice can ask for, in dong: that of a question about money.
const DONG_MAX: u64 = 1_000_000_000_000_000;
/// Length of what an owner says about a charge, each part in characters.
const CHARS_MAX: usize = 2_000;

/// What the owner said with a charge.
pub(crate) struct Told<'a> {
    pub(crate) number: u32,
    pub(crate) name: &'a Text,
    pub(crate) dong: u64,
    pub(crate) ground: &'a str,
    pub(crate) legal_basis: &'a str,
    pub(crate) until: Time,
    pub(crate) counts: bool,
}

/// What was said with the newest charge that has a number, or with the newest of all.
pub(crate) fn told(statuses: &[StatusRow], wanted: Option<u32>) -> Option<Told<'_>> {
    statuses.iter().rev().find_map(|row| match &row.notice {
        Some(Notice::Charge {
            number,
            name,
            dong,
            ground,
            legal_basis,
            until,
            counts,
        }) if wanted.is_none_or(|wanted| wanted == *number) => Some(Told {
            number: *number,
            name,
            dong: *dong,
            ground,
            legal_basis,
            until: *until,
            counts: *counts,
        }),
        _ => None,
    })
}

/// Refuses a charge that could not be shown or collected.
///
/// # Errors
/// `case-charge-bad` (422).
pub(crate) fn check(note: &StatusNote) -> Result<(), Problem> {
    let Some(Notice::Charge {
        number,
        name,
        dong,
        ground,
        legal_basis,
        ..
    }) = &note.notice
    else {
        return Ok(());
    };
    let words = [&name.vi, &name.en, ground, legal_basis];
    let short = words.iter().all(|text| text.chars().count() <= CHARS_MAX);
    let sound = note.status == PAYMENT && *number > FEE && (1..=DONG_MAX).contains(dong) && short;
    match sound {
        true => Ok(()),
        false => Err(Problem::invalid("notice", "case-charge-bad").with("max", DONG_MAX)),
    }
}

/// Takes what the owner says: a charge is owed from now on, and one that the case no longer waits for is not.
///
/// # Errors
/// Unavailable.
pub(crate) async fn heard(
    tx: &Tx,
    held: &Held,
    (status, notice): (u8, Option<&Notice>),
) -> Result<(), Problem> {
    let code = &held.case.code;
    if status != PAYMENT {
        return match held.status {
            PAYMENT => rows::close_charges(tx, code).await,
            _ => Ok(()),
        };
    }
    let Some(Notice::Charge { number, dong, .. }) = notice else {
        return Ok(());
    };
    if rows::charge_of(tx, code, *number).await?.is_some() {
        return Ok(());
    }
    // One at a time: what was asked for before is not waited for any more.
    rows::close_charges(tx, code).await?;
    let payment = Payment {
        id: payment_id(code, *number),
        case: code.clone(),
        charge: *number,
        dong: *dong,
        asked_at: tx.now(),
        order: None,
        paid: None,
        closed_at: None,
    };
    rows::insert_payment(tx, &payment).await?;
    let fact = Fact::FeeAsked {
        case: code.clone(),
        payment: payment.id,
        dong: *dong,
        to: held.case.unit.clone(),
    };
    tx.fact(&rows::subject(code), fact).await.map(drop)
}

/// The id of the payment of a charge, 32 hex digits: the same however often the charge is told.
fn payment_id(code: &CaseCode, number: u32) -> String {
    let digest = Digest::of(format!("charge/{code}/{number}").as_bytes()).hex();
    digest.chars().take(32).collect()
}

/// The bank has the money for a charge: it is on its way to the owner, or goes back where nothing is owed any more.
///
/// # Errors
/// Unavailable.
pub(crate) async fn settled(tx: &Tx, held: &Held, payment: &Payment, paid: &Paid) -> Result<(), Problem> {
    let code = &held.case.code;
    if payment.closed_at.is_some() {
        return goes_back(tx, held, (payment.charge, paid)).await;
    }
    let fact = Fact::FeePaid {
        case: code.clone(),
        payment: paid.payment.clone(),
        dong: paid.dong,
        to: held.case.unit.clone(),
        receipt: receipt_id(code, payment.charge),
    };
    tx.fact(&rows::subject(code), fact).await?;
    let mark = format!("charge-{}-paid", payment.charge);
    inbox::tell(tx, &held.case, &mark, Step::ChargePaid).await?;
    let said = Said::Payment {
        charge: payment.charge,
        paid: paid.clone(),
    };
    submission::keep(tx, &held.case, &said, &[]).await.map(drop)
}

/// The money for a charge goes back: the owner does not wait for it any more. Noted once.
///
/// # Errors
/// Unavailable.
pub(crate) async fn goes_back(tx: &Tx, held: &Held, (charge, paid): (u32, &Paid)) -> Result<(), Problem> {
    if !rows::note_return(tx, &paid.payment).await? {
        return Ok(());
    }
    let code = &held.case.code;
    let fact = Fact::FeeToReturn {
        case: code.clone(),
        payment: paid.payment.clone(),
        dong: paid.dong,
        to: held.case.unit.clone(),
    };
    tx.fact(&rows::subject(code), fact).await?;
    let mark = format!("charge-{charge}-returned");
    inbox::tell(tx, &held.case, &mark, Step::PaymentReturned).await
}

#[cfg(test)]
mod tests {
    use ::store::{Deliver as _, OutboxLine};
    use serde_json::{Value, json};

    use super::*;
    use crate::payment::{Notice as BankNotice, OrderState};
    use crate::submission::Submit;
    use crate::testing::{FakeBank, Portal, Who, lan, mai, officer};

    /// What an owner says with status 6.
    fn asked() -> Value {
        json!({"kind": "charge", "number": 1, "name": {"vi": "Lệ phí cấp giấy phép xây dựng", "en": "Fee for the permit"},
            "dong": 75_000, "ground": "Nhà ở riêng lẻ, một giấy phép", "legal_basis": "97/2015/QH13",
            "until": testkit::START.plus_ms(10 * 86_400_000).ms()})
    }

    /// A case whose agency asks for money.
    async fn charged() -> (Portal, String) {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        for note in [
            json!({"seq": 1, "status": 2}),
            json!({"seq": 2, "status": 6, "notice": asked()}),
        ] {
            portal.note(&code, note).await.expect("noted");
        }
        (portal, code)
    }

    /// The bank's word that so much was paid.
    async fn says(portal: &Portal, code: &str, dong: u64) -> u16 {
        let notice = BankNotice {
            reference: payment_id(&code.parse().expect("a code"), 1),
            merchant: "G22".to_owned(),
            dong,
            state: OrderState::Paid,
            paid_at: Some(testkit::START),
            bank_reference: Some("SIM1".to_owned()),
        };
        let word = FakeBank::sign(&notice);
        portal
            .send_text(None::<&Who>, "/payments/notify", &word)
            .await
            .status
    }

    async fn count(portal: &Portal, code: &str, kind: &str) -> usize {
        let facts = portal.facts(&format!("case/{code}")).await;
        facts.iter().filter(|fact| *fact == kind).count()
    }

    /// The payment goes down, and the owner answers so.
    async fn goes_down(portal: &Portal, code: &str, answer: Value) {
        portal.answer("H56", Ok((200, answer)));
        let line = OutboxLine {
            topic: submission::TOPIC.to_owned(),
            payload: json!({"seq": 1}),
            ..portal.line(code)
        };
        for _ in 0..2 {
            Submit(portal.cases.clone()).deliver(&line).await.expect("sent");
        }
    }

    #[tokio::test]
    async fn what_the_agency_asks_for_is_seen_paid_at_the_bank_and_told_once_however_often_the_bank_says_so()
    {
        let (portal, code) = charged().await;
        let (page, pay) = (format!("/cases/{code}"), format!("/cases/{code}/pay"));
        let seen = portal.get(Some(&lan()), &page).await.body;
        for said in ["75.000", "Nhà ở riêng lẻ", "97/2015/QH13", pay.as_str()] {
            assert!(seen.contains(said), "{said}: {seen}");
        }
        let inbox = portal.get(Some(&lan()), "/inbox").await.body;
        assert!(inbox.contains("Cần thực hiện nghĩa vụ tài chính"), "{inbox}");
        let form = portal.get(Some(&lan()), &pay).await.body;
        assert!(
            form.contains("75.000") && form.contains("Lệ phí cấp giấy phép xây dựng"),
            "{form}"
        );
        let went = portal.post(Some(&lan()), &pay, &[]).await;
        assert_eq!((went.status, went.location()), (303, pay.clone()));
        assert_eq!(
            says(&portal, &code, 74_999).await,
            409,
            "another amount settles nothing"
        );
        for _ in 0..3 {
            assert_eq!(says(&portal, &code, 75_000).await, 204);
        }
        for kind in ["fee-asked", "fee-ordered", "fee-paid", "case-submission-made"] {
            assert_eq!(count(&portal, &code, kind).await, 1, "{kind}");
        }
        goes_down(&portal, &code, json!({"case": code, "seq": 1, "taken": true})).await;
        let (service, body) = portal.asked().pop().expect("asked");
        assert_eq!(service, "H56/one-stop/take-submission");
        assert_eq!(
            (
                &body["said"]["kind"],
                &body["said"]["charge"],
                &body["said"]["paid"]["dong"]
            ),
            (&json!("payment"), &json!(1), &json!(75_000))
        );
        assert_eq!(count(&portal, &code, "fee-to-return").await, 0);
        let seen = portal.get(Some(&lan()), &page).await.body;
        assert!(!seen.contains(&format!("href=\"{pay}\"")), "{seen}");
        assert_eq!(portal.get(Some(&lan()), &pay).await.location(), page);
    }

    #[tokio::test]
    async fn nobody_pays_for_the_case_of_another() {
        let (portal, code) = charged().await;
        let pay = format!("/cases/{code}/pay");
        assert_eq!(portal.get(Some(&mai()), &pay).await.status, 404);
        assert_eq!(portal.post(Some(&mai()), &pay, &[]).await.status, 404);
        assert_eq!(portal.post(Some(&officer()), &pay, &[]).await.status, 403);
        assert_eq!(portal.get(None, &pay).await.status, 303);
        assert_eq!(count(&portal, &code, "fee-ordered").await, 0);
    }

    #[tokio::test]
    async fn what_comes_for_a_case_that_went_on_or_ended_goes_back_and_is_never_passed_on() {
        for status in [4, 7, 8] {
            let (portal, code) = charged().await;
            let note = json!({"seq": 3, "status": status});
            portal.note(&code, note).await.expect("noted");
            let pay = format!("/cases/{code}/pay");
            assert_eq!(portal.post(Some(&lan()), &pay, &[]).await.status, 409, "{status}");
            assert_eq!(portal.get(Some(&lan()), &pay).await.status, 303);
            for _ in 0..2 {
                assert_eq!(
                    says(&portal, &code, 75_000).await,
                    204,
                    "the money is there all the same"
                );
            }
            for (kind, times) in [("fee-to-return", 1), ("fee-paid", 0), ("case-submission-made", 0)] {
                assert_eq!(count(&portal, &code, kind).await, times, "{status}: {kind}");
            }
            let inbox = portal.get(Some(&lan()), "/inbox").await.body;
            assert!(inbox.contains("Khoản tiền sẽ được trả lại"), "{inbox}");
        }
    }

    #[tokio::test]
    async fn who_has_asked_for_the_case_back_does_not_pay_for_it_any_more() {
        let (portal, code) = charged().await;
        let back = format!("/cases/{code}/withdraw");
        assert_eq!(portal.post(Some(&lan()), &back, &[]).await.status, 303);
        let pay = format!("/cases/{code}/pay");
        let late = portal.post(Some(&lan()), &pay, &[]).await;
        assert_eq!(late.status, 409, "{}", late.body);
    }

    #[tokio::test]
    async fn a_payment_that_the_owner_does_not_wait_for_goes_back_once() {
        let (portal, code) = charged().await;
        assert_eq!(says(&portal, &code, 75_000).await, 204);
        let refused = json!({"case": code, "seq": 1, "taken": false, "why": "case-verb-not-now"});
        goes_down(&portal, &code, refused).await;
        assert_eq!(count(&portal, &code, "fee-to-return").await, 1);
    }

    #[tokio::test]
    async fn a_charge_that_could_not_be_collected_is_refused_and_one_told_twice_is_one() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        portal
            .note(&code, json!({"seq": 1, "status": 2}))
            .await
            .expect("noted");
        for (status, field, value) in [
            (4, "dong", json!(75_000)),
            (6, "dong", json!(0)),
            (6, "number", json!(0)),
            (6, "ground", json!("x".repeat(2_001))),
        ] {
            let mut notice = asked();
            notice[field] = value;
            let told = portal
                .note(&code, json!({"seq": 2, "status": status, "notice": notice}))
                .await;
            assert_eq!(
                told.expect_err("refused").code,
                "case-charge-bad",
                "{status} {field}"
            );
        }
        for seq in [2, 2, 3] {
            let note = json!({"seq": seq, "status": 6, "notice": asked()});
            portal.note(&code, note).await.expect("noted");
        }
        assert_eq!(count(&portal, &code, "fee-asked").await, 1);
    }
}
