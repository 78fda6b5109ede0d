//! Paying a fee, or what the owner of a running case asks for: the page with amount and QR code, the order at the bank,
//! the bank's call back, the way back. A case with a fee goes to its owner once the fee is paid; never twice, however often
//! the bank says so.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::{Actor, CaseCode, Fact, Kind, Problem, Time};
use serde_json::json;
use web::openapi::utoipa;
use web::{Page, Refusal};

use crate::citizen::{OwnCase, charge, render};
use crate::payment::{Bank, FEE, Notice, Order, OrderState, Paid, Payment, Wanted, dong};
use crate::shown::say;
use crate::state::Cases;
use crate::store::{self as rows, Held, StatusRow};
use crate::submission::is_said;

/// How long after an order's end the bank is still asked about it, in milliseconds (1 hour).
const ASKED_AFTER_MS: i64 = 3_600_000;
/// Orders that the job reads in one go, count; it asks about all of them.
const ROUND: usize = 100;

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage<'a> {
    page: &'a Page,
    code: String,
    procedure: String,
    unit: String,
    fee: String,
    /// What becomes of the case once it is paid.
    lead: String,
    /// Of a charge: how it comes about, the act that it rests on, and by when it is to be paid; else empty.
    ground: &'a str,
    legal_basis: &'a str,
    until: String,
    amount: String,
    order: Option<OrderView>,
    /// The payer came back, and the bank has not said that the money is there.
    unconfirmed: bool,
    errors: String,
}

struct OrderView {
    pay_url: String,
    qr: String,
    until: String,
}

/// Shows what is to be paid.
#[utoipa::path(get, path = "/cases/{code}/pay", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "amount, QR code and the way to the bank", content_type = "text/html"),
              (status = 303, description = "paid: to the case"), (status = 404)))]
pub(crate) async fn show(own: OwnCase, page: Page) -> Result<Response, Refusal> {
    let owed = owed(&own).await?;
    if !owed.open || own.cases.looked_up(&owed.payment).await {
        return Ok(own.back());
    }
    Ok(own.cases.pay_page(&page, &own.held, &owed, false, &[], 200)?)
}

/// Makes an order at the bank and shows it.
#[utoipa::path(post, path = "/cases/{code}/pay", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "to the page with the order; to the case when it is paid"),
              (status = 404), (status = 409, description = "it is not owed any more"),
              (status = 503, description = "the bank does not answer", content_type = "text/html")),
    extensions(("x-facts" = json!(["fee-ordered"]))))]
pub(crate) async fn start(own: OwnCase, page: Page) -> Result<Response, Refusal> {
    let OwnCase { cases, held, .. } = &own;
    let owed = owed(&own).await?;
    if owed.payment.paid.is_some() {
        return Ok(own.back());
    }
    if !owed.open {
        return Err(Problem::new(Kind::Conflict, "case-charge-closed").into());
    }
    match cases.order(held, &owed.payment).await {
        Ok(()) => Ok(Redirect::to(&format!("/cases/{}/pay", held.case.code)).into_response()),
        Err(problem) if problem.kind == Kind::Unavailable => {
            Ok(cases.pay_page(&page, held, &owed, false, &[problem], 503)?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Takes a payer back from the bank: asks it where the order stands, and shows the case.
#[utoipa::path(get, path = "/cases/{code}/paid", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "not paid: the fee again", content_type = "text/html"),
              (status = 303, description = "paid: to the case"), (status = 404)))]
pub(crate) async fn back(own: OwnCase, page: Page) -> Result<Response, Refusal> {
    let owed = owed(&own).await?;
    if !owed.open || own.cases.looked_up(&owed.payment).await {
        return Ok(own.back());
    }
    Ok(own.cases.pay_page(&page, &own.held, &owed, true, &[], 200)?)
}

/// The bank's call back: a compact JWS of the bank's key. Said twice, it counts once.
#[utoipa::path(post, path = "/payments/notify", tag = "cases", security(()),
    request_body(content = String, content_type = "application/jose"),
    responses((status = 204, description = "noted, now or before"), (status = 403, description = "not the bank's"),
              (status = 404, description = "no such fee"), (status = 409, description = "another amount")),
    extensions(("x-facts" = json!(["fee-paid", "fee-to-return"]))))]
pub(crate) async fn notify(State(cases): State<Cases>, body: String) -> Result<Response, Refusal> {
    let notice = cases.bank()?.read(&body)?;
    cases.settle_fee(&notice).await?;
    Ok(axum::http::StatusCode::NO_CONTENT.into_response())
}

/// What is to be paid now of a case of mine, and what its owner said with it where the owner asked for it.
struct Owed {
    payment: Payment,
    statuses: Vec<StatusRow>,
    /// False when it was paid, or is not owed any more.
    open: bool,
}

/// The newest of the payments of a case of mine.
async fn owed(own: &OwnCase) -> Result<Owed, Problem> {
    let reader = own.cases.store.read(&own.cases.tenant).await?;
    let code = &own.held.case.code;
    let payment = rows::last_payment(&reader, code)
        .await?
        .ok_or_else(Problem::not_found)?;
    let (mut statuses, mut open) = (Vec::new(), payment.paid.is_none());
    if payment.charge != FEE {
        statuses = rows::statuses(&reader, code).await?;
        // Who has asked for the case back does not pay for it any more.
        let back = is_said(&rows::submissions(&reader, code).await?, "withdrawal");
        open = open && payment.closed_at.is_none() && !back;
    }
    Ok(Owed {
        payment,
        statuses,
        open,
    })
}

impl Cases {
    /// The bank that collects here.
    fn bank(&self) -> Result<&std::sync::Arc<dyn Bank>, Problem> {
        self.bank
            .as_ref()
            .ok_or(Problem::new(Kind::Unavailable, "bank-missing"))
    }

    fn pay_page(
        &self,
        page: &Page,
        held: &Held,
        owed: &Owed,
        unconfirmed: bool,
        problems: &[Problem],
        status: u16,
    ) -> Result<Response, Problem> {
        let payment = &owed.payment;
        let procedure = self.procedure_of(&held.case)?;
        let now = self.store.world().now();
        let told = charge::told(&owed.statuses, Some(payment.charge));
        let fee = match &told {
            Some(told) => Some(told.name),
            None => procedure.fee.as_ref().map(|fee| &fee.name),
        };
        let lead = match payment.charge {
            FEE => "cases-pay-lead",
            _ => "cases-charge-lead",
        };
        let order = payment.order.as_ref().filter(|order| order.until > now);
        let body = render(&PayPage {
            page,
            code: held.case.code.to_string(),
            procedure: say(&procedure.name, page.lang).to_owned(),
            unit: self.organisation_name(&held.case.unit),
            fee: fee.map_or_else(String::new, |fee| say(fee, page.lang).to_owned()),
            lead: page.t(lead),
            ground: told.as_ref().map_or("", |told| told.ground),
            legal_basis: told.as_ref().map_or("", |told| told.legal_basis),
            until: told
                .as_ref()
                .map_or_else(String::new, |told| page.time(told.until)),
            amount: dong(payment.dong),
            order: order.map(|order| order_view(page, order)).transpose()?,
            unconfirmed,
            errors: page.errors(problems),
        })?;
        let title = page.tw("cases-pay-title", &[("code", held.case.code.to_string())]);
        Ok(if status == 200 {
            page.html(&title, body).into_response()
        } else {
            page.html_status(status, &title, body).into_response()
        })
    }

    /// Asks the bank for an order, and keeps it; a good one is kept as it is.
    async fn order(&self, held: &Held, payment: &Payment) -> Result<(), Problem> {
        let now = self.store.world().now();
        if payment.order.as_ref().is_some_and(|order| order.until > now) {
            return Ok(());
        }
        let code = &held.case.code;
        let order = &self
            .bank()?
            .order(&Wanted {
                reference: payment.id.clone(),
                dong: payment.dong,
                description: code.to_string(),
                return_url: format!("{}/cases/{code}/paid", self.base_url),
                notify_url: format!("{}/payments/notify", self.base_url),
            })
            .await?;
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                rows::keep_order(&tx, &payment.id, order).await?;
                let fact = Fact::FeeOrdered {
                    case: code.clone(),
                    payment: payment.id.clone(),
                    until: order.until,
                };
                tx.fact(&rows::subject(code), fact).await?;
                Ok(())
            })
            .await
    }

    /// Asks the bank about an order that nobody has reported; true when it is paid. A bank that does not
    /// answer has reported nothing: its call back will.
    async fn looked_up(&self, payment: &Payment) -> bool {
        let (Some(order), Ok(bank)) = (&payment.order, self.bank()) else {
            return false;
        };
        let notice = match bank.state(&order.order).await {
            Ok(notice) if notice.state == OrderState::Paid => notice,
            Ok(_) => return false,
            Err(problem) => {
                tracing::info!(%problem, "the bank says nothing about an order yet");
                return false;
            }
        };
        match self.settle_fee(&notice).await {
            Ok(()) => true,
            Err(problem) => {
                tracing::warn!(%problem, payment = %payment.id, "a paid order does not settle its fee");
                false
            }
        }
    }

    /// Asks the bank about every order that is open or has just ended: for notices that got lost.
    ///
    /// # Errors
    /// Unavailable.
    pub async fn settle_open_orders(&self) -> Result<(), Problem> {
        if self.bank.is_none() {
            return Ok(());
        }
        let since = Time(self.store.world().now().ms() - ASKED_AFTER_MS);
        let mut after = (since, String::new());
        loop {
            let reader = self.store.read(&self.tenant).await?;
            let open = rows::open_orders(&reader, (after.0, &after.1), ROUND).await?;
            drop(reader);
            for payment in &open {
                self.looked_up(payment).await;
            }
            let last = open.last().filter(|_| open.len() == ROUND);
            match last.and_then(|fee| Some((fee.order.as_ref()?.until, fee.id.clone()))) {
                Some(place) => after = place,
                None => return Ok(()),
            }
        }
    }

    /// Takes the bank's word: the fee is paid, and the case goes to its owner; or a charge is, and its owner is told. Once.
    async fn settle_fee(&self, notice: &Notice) -> Result<(), Problem> {
        if notice.state != OrderState::Paid {
            return Ok(());
        }
        let reader = self.store.read(&self.tenant).await?;
        let payment = rows::payment(&reader, &notice.reference)
            .await?
            .ok_or_else(Problem::not_found)?;
        drop(reader);
        if payment.dong != notice.dong {
            return Err(Problem::new(Kind::Conflict, "payment-amount")
                .with("owed", payment.dong)
                .with("paid", notice.dong));
        }
        let (paid, payment) = (&paid(notice, &payment)?, &payment);
        let code = &payment.case;
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                if !rows::note_paid(&tx, paid).await? {
                    return Ok(());
                }
                let held = rows::case(&tx, code).await?.ok_or_else(Problem::not_found)?;
                if payment.charge != FEE {
                    // Whether it is still owed is what the row says now.
                    let newest = rows::payment(&tx, &payment.id).await?;
                    let newest = newest.ok_or_else(Problem::not_found)?;
                    return charge::settled(&tx, &held, &newest, paid).await;
                }
                let fact = Fact::FeePaid {
                    case: code.clone(),
                    payment: paid.payment.clone(),
                    dong: paid.dong,
                    to: held.case.unit.clone(),
                    receipt: receipt_id(code, FEE),
                };
                tx.fact(&rows::subject(code), fact).await?;
                crate::inbox::tell(&tx, &held.case, "0-paid", crate::inbox::Step::FeePaid).await?;
                tx.outbox(crate::handover::TOPIC, code.as_str(), &json!({ "code": code }))
                    .await
            })
            .await
    }
}

/// The id of the money receipt that the owner issues for one of a case's payments.
pub(crate) fn receipt_id(code: &CaseCode, charge: u32) -> String {
    match charge {
        FEE => format!("fee-receipt-{code}"),
        charge => format!("fee-receipt-{charge}-{code}"),
    }
}

fn paid(notice: &Notice, payment: &Payment) -> Result<Paid, Problem> {
    let lacking = |what: &str| Problem::new(Kind::Forbidden, "bank-notice-bad").because(what);
    Ok(Paid {
        payment: payment.id.clone(),
        dong: notice.dong,
        at: notice.paid_at.ok_or_else(|| lacking("no time"))?,
        bank_reference: notice
            .bank_reference
            .clone()
            .ok_or_else(|| lacking("no reference"))?,
    })
}

fn order_view(page: &Page, order: &Order) -> Result<OrderView, Problem> {
    Ok(OrderView {
        pay_url: order.pay_url.clone(),
        qr: ::render::qr_svg(&order.qr).map_err(Problem::internal)?,
        until: page.time(order.until),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeBank, Portal, Who, lan, mai};

    /// A filed copy's code: two copies, 16,000 dong.
    async fn filed(portal: &Portal) -> String {
        let went = portal.post(Some(&lan()), "/procedures/2.000635/start", &[]).await;
        let path = went.location();
        let person = &[
            ("person_name", "Nguyễn Minh Anh"),
            ("person_number", "038326000001"),
            ("relation", "parent"),
        ];
        let copies = &[("copies", "2"), ("receive_at", "xã Hoằng Hóa, tỉnh Thanh Hóa")];
        for (page, fields) in [("person", &person[..]), ("copies", &copies[..])] {
            let revision = portal.revision(&lan(), &path).await;
            let went = portal.page(&lan(), &path, page, revision, fields).await;
            assert_eq!(went.status, 303, "{page}: {}", went.body);
        }
        let went = portal.file(&lan(), &path).await;
        assert_eq!(went.location(), "/cases/G22-261121-0001/pay", "{}", went.body);
        "G22-261121-0001".to_owned()
    }

    async fn notify(portal: &Portal, notice: &Notice) -> u16 {
        let token = FakeBank::sign(notice);
        portal
            .send_text(None::<&Who>, "/payments/notify", &token)
            .await
            .status
    }

    async fn payment(portal: &Portal, code: &str) -> Payment {
        let reader = portal
            .cases
            .store
            .read(&portal.cases.tenant)
            .await
            .expect("a reader");
        let payment = rows::payment_of(&reader, &code.parse().expect("a code")).await;
        payment.expect("read").expect("a fee")
    }

    fn notice(payment: &Payment, dong: u64) -> Notice {
        Notice {
            reference: payment.id.clone(),
            merchant: "G22".to_owned(),
            dong,
            state: OrderState::Paid,
            paid_at: Some(testkit::START),
            bank_reference: Some("SIM1".to_owned()),
        }
    }

    #[tokio::test]
    async fn a_case_with_a_fee_waits_for_its_money_and_goes_on_once_however_often_the_bank_says_so() {
        let portal = Portal::new().await;
        let code = filed(&portal).await;
        let subject = format!("case/{code}");
        assert_eq!(portal.facts(&subject).await, ["case-filed", "fee-asked"]);
        assert_eq!(
            portal.waiting().await,
            [],
            "nothing goes to the owner before the money is there"
        );
        let page = portal.get(Some(&lan()), &format!("/cases/{code}/pay")).await;
        assert!(
            page.status == 200 && page.body.contains("16.000"),
            "{}",
            page.body
        );
        assert_eq!(
            portal
                .get(Some(&mai()), &format!("/cases/{code}/pay"))
                .await
                .status,
            404
        );
        let went = portal
            .post(Some(&lan()), &format!("/cases/{code}/pay"), &[])
            .await;
        assert_eq!(
            (went.status, went.location()),
            (303, format!("/cases/{code}/pay"))
        );
        let page = portal.get(Some(&lan()), &format!("/cases/{code}/pay")).await;
        assert!(
            page.body.contains("<svg") && page.body.contains("http://bank.test/pay/"),
            "{}",
            page.body
        );
        let said = notice(&payment(&portal, &code).await, 16_000);
        for _ in 0..3 {
            assert_eq!(notify(&portal, &said).await, 204);
        }
        assert_eq!(
            portal.facts(&subject).await,
            ["case-filed", "fee-asked", "fee-ordered", "fee-paid"]
        );
        assert_eq!(portal.waiting().await.len(), 1, "one hand-over");
        let back = portal.get(Some(&lan()), &format!("/cases/{code}/pay")).await;
        assert_eq!(
            (back.status, back.location()),
            (303, format!("/cases/{code}")),
            "the back button after paying leads to the case"
        );
    }

    #[tokio::test]
    async fn a_case_whose_fee_is_not_paid_is_with_nobody_to_be_taken_back_from() {
        let portal = Portal::new().await;
        let code = filed(&portal).await;
        let path = format!("/cases/{code}/withdraw");
        let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await;
        assert!(page.status == 200 && !page.body.contains(&path));
        let asked = portal.get(Some(&lan()), &path).await;
        assert_eq!(asked.location(), format!("/cases/{code}"));
        assert_eq!(portal.post(Some(&lan()), &path, &[]).await.status, 409);
        assert_eq!(portal.waiting().await, [], "no line that no agency could answer");
        let owed = payment(&portal, &code).await;
        assert_eq!(notify(&portal, &notice(&owed, 16_000)).await, 204);
        assert_eq!(portal.post(Some(&lan()), &path, &[]).await.status, 303);
    }

    #[tokio::test]
    async fn what_is_not_the_banks_word_about_this_amount_settles_nothing() {
        let portal = Portal::new().await;
        let code = filed(&portal).await;
        let owed = payment(&portal, &code).await;
        assert_eq!(notify(&portal, &notice(&owed, 15_999)).await, 409);
        let waiting = Notice {
            state: OrderState::Waiting,
            ..notice(&owed, 16_000)
        };
        assert_eq!(notify(&portal, &waiting).await, 204, "heard, and nothing is paid");
        let foreign = Notice {
            merchant: "H01".to_owned(),
            ..notice(&owed, 16_000)
        };
        assert_eq!(notify(&portal, &foreign).await, 403);
        let unknown = Notice {
            reference: "0".repeat(32),
            ..notice(&owed, 16_000)
        };
        assert_eq!(notify(&portal, &unknown).await, 404);
        let forged = FakeBank::forge(&notice(&owed, 16_000));
        let answer = portal.send_text(None::<&Who>, "/payments/notify", &forged).await;
        assert_eq!(answer.status, 403);
        assert_eq!(
            portal.facts(&format!("case/{code}")).await,
            ["case-filed", "fee-asked"]
        );
    }

    #[tokio::test]
    async fn a_notice_that_got_lost_is_asked_for_by_the_job_and_by_the_way_back() {
        let portal = Portal::new().await;
        let code = filed(&portal).await;
        portal
            .post(Some(&lan()), &format!("/cases/{code}/pay"), &[])
            .await;
        let back = portal.get(Some(&lan()), &format!("/cases/{code}/paid")).await;
        assert_eq!(back.status, 200, "not paid yet");
        assert!(back.body.contains("notice-warning"), "the page says so");
        portal.bank.pay();
        portal.cases.settle_open_orders().await.expect("asked");
        let facts = portal.facts(&format!("case/{code}")).await;
        assert_eq!(facts.last().map(String::as_str), Some("fee-paid"));
        let back = portal.get(Some(&lan()), &format!("/cases/{code}/paid")).await;
        assert_eq!(back.location(), format!("/cases/{code}"));
    }

    #[tokio::test]
    async fn a_bank_that_is_away_costs_a_page_that_says_so() {
        let portal = Portal::new().await;
        let code = filed(&portal).await;
        portal.bank.goes_away();
        let page = portal
            .post(Some(&lan()), &format!("/cases/{code}/pay"), &[])
            .await;
        assert!(
            page.status == 503 && page.body.contains("ngân hàng không trả lời"),
            "{}",
            page.body
        );
    }
}
