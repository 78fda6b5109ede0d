//! What becomes known to be owed while a building permit (1.013225) is handled: asked for with a notice, waited for while the
//! clock stands still, paid at the bank or at the desk, and what becomes of a case whose applicant does not pay.

use std::sync::Arc;

use kernel::limits::Limits;
use serde_json::{Value, json};

use crate::Catalogue;
use crate::desk::testing::{API, CASE, Desk, MONDAY, handover, pack_templates, paper};
use crate::procedure::Procedure;
use crate::testing::{PDF, nouns};

const DAY_MS: i64 = 86_400_000;
/// When the permit is owed that is accepted on Monday, 23 November 2026: twenty days later is a Sunday.
const DUE: &str = "2026-12-14T10:00:00.000Z";

fn procedure() -> Arc<Procedure> {
    let code = "1.013225".parse().expect("a code");
    let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
    procedure.expect("in force")
}

/// A desk that has taken a building permit in, of this version.
async fn accepted_under(procedure: &Procedure) -> Desk {
    let mut body = handover();
    body["procedure"] = json!(procedure.code);
    body["version"] = json!(procedure.version());
    body["answers"] = json!({
        "investor_role": "owner", "investor_name": "Lê Thị Lan", "residence_commune": "15865",
        "receive_at": "15865", "site_line": "Thôn Mẫu", "plot_number": "12", "map_sheet": "3", "plot_area": "150",
        "work_kind": "house", "work_name": "Nhà ở gia đình", "building_area": "80", "floor_area": "240",
        "floors": "3", "height": "12", "designer": "Công ty thiết kế mẫu",
    });
    body["papers"] = json!([paper("QSDD", PDF.as_bytes()), paper("BV", PDF.as_bytes())]);
    let catalogue = Catalogue::of(Vec::new(), vec![procedure.clone()], Vec::new()).expect("days");
    let desk = Desk::with(pack_templates(), Limits::default()).await;
    let desk = desk.with_catalogue(Arc::new(catalogue));
    desk.receive(&body).await.expect("received");
    desk.accept().await;
    desk
}

async fn accepted() -> Desk {
    accepted_under(&procedure()).await
}

fn charge() -> Value {
    json!({"charge": "permit-fee", "dong": 75_000, "ground": "Nhà ở riêng lẻ, một giấy phép (mẫu)"})
}

/// A desk that waits for the fee of the permit.
async fn asked() -> Desk {
    let desk = accepted().await;
    let answer = desk.verb("tich", "ask-payment", charge()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(desk.state().await, "payment");
    desk
}

/// The portal says, as the next thing that the applicant sends, that the bank has the money.
async fn paid(desk: &Desk, seq: u32, number: u32, dong: u64) -> Value {
    let paid = json!({"payment": "1".repeat(32), "dong": dong, "at": MONDAY, "bank_reference": "SIM1"});
    let said = json!({"kind": "payment", "charge": number, "paid": paid});
    desk.submit(seq, said, &json!([])).await
}

async fn due(desk: &Desk) -> String {
    let due = desk.json().await["accepted"]["due"].clone();
    due.as_str().expect("a date").to_owned()
}

async fn count(desk: &Desk, kind: &str) -> usize {
    let facts = desk.facts().await;
    facts.iter().filter(|fact| *fact == kind).count()
}

/// The reasons of the lines with which the date was counted.
async fn reasons(desk: &Desk) -> Vec<Value> {
    let case = desk.json().await;
    let lines = case["accepted"]["working_out"]["lines"].as_array().cloned();
    let lines = lines.expect("lines").into_iter();
    lines.map(|line| line["reason"].clone()).collect()
}

#[tokio::test]
async fn an_officer_asks_with_a_notice_and_the_portal_is_told_how_much_why_and_until_when() {
    let desk = asked().await;
    let case = desk.json().await;
    assert_eq!(
        (&case["status"], &case["charges"][0]["dong"]),
        (&json!(6), &json!(75_000))
    );
    let notice = format!("charge-1-{CASE}");
    assert_eq!(
        desk.facts_of(&format!("document/{notice}")).await,
        ["document-issued"]
    );
    assert!(desk.deliver().await.is_empty());
    let told = desk.nation.asked_of("note-status").pop().expect("told");
    assert_eq!(
        (&told["status"], &told["notice"]["kind"]),
        (&json!(6), &json!("charge"))
    );
    assert_eq!(
        (&told["notice"]["dong"], &told["notice"]["ground"]),
        (&json!(75_000), &charge()["ground"])
    );
    assert_eq!(told["results"][0]["document"], json!(notice));
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(
        page.contains("75.000") && page.contains(&format!("/documents/{notice}")),
        "{page}"
    );
    assert!(!page.contains("/ask-payment\""), "one at a time");
    assert_eq!(
        desk.facts_of(&format!("obligation/case/{CASE}")).await,
        ["obligation-opened", "obligation-lifted"],
        "nothing is owed while the agency waits"
    );
}

#[tokio::test]
async fn the_clock_stands_still_until_the_money_is_there_and_goes_on_with_what_was_left() {
    let desk = asked().await;
    assert_eq!(due(&desk).await, DUE);
    desk.temp.clock.set(MONDAY.plus_ms(3 * DAY_MS));
    assert_eq!(paid(&desk, 1, 1, 75_000).await["taken"], true);
    assert_eq!(desk.state().await, "reworking");
    assert_eq!(due(&desk).await, "2026-12-16T10:00:00.000Z", "three days later");
    let waits = reasons(&desk)
        .await
        .into_iter()
        .filter(|reason| reason == "unpaid");
    assert_eq!(waits.count(), 4, "Monday to Thursday, line by line");
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(
        page.contains("Chờ người nộp thực hiện nghĩa vụ tài chính"),
        "{page}"
    );
    assert!(
        page.contains("Chờ người nộp, không tính"),
        "the bar says for whom it waited"
    );
    assert_eq!(
        desk.facts_of(&format!("obligation/case/{CASE}")).await,
        ["obligation-opened", "obligation-lifted", "obligation-opened"]
    );
}

#[tokio::test]
async fn a_payment_moves_the_case_on_once_and_the_agency_gives_a_receipt() {
    let desk = asked().await;
    for _ in 0..2 {
        assert_eq!(
            paid(&desk, 1, 1, 75_000).await["taken"],
            true,
            "the same word again"
        );
    }
    let again = paid(&desk, 2, 1, 75_000).await;
    assert_eq!(
        (&again["taken"], &again["why"]),
        (&json!(false), &json!("case-verb-not-now"))
    );
    assert_eq!(count(&desk, "case-charge-paid").await, 1);
    assert!(desk.deliver().await.is_empty());
    assert_eq!(
        desk.facts_of(&format!("document/fee-receipt-1-{CASE}")).await,
        ["document-issued"]
    );
}

#[tokio::test]
async fn a_payment_of_another_charge_or_another_amount_is_not_taken() {
    let desk = asked().await;
    let other = paid(&desk, 1, 2, 75_000).await;
    assert_eq!(other["why"], "case-verb-not-now");
    let less = paid(&desk, 2, 1, 74_999).await;
    assert_eq!(less["why"], "payment-amount");
    assert_eq!(desk.state().await, "payment");
}

#[tokio::test]
async fn a_receptionist_takes_the_money_with_the_number_of_its_receipt() {
    let desk = asked().await;
    let receipt = json!({"receipt": "BL-0007"});
    for number in [String::new(), "x".repeat(61)] {
        let told = desk.verb("tiep", "pay", json!({"receipt": number})).await;
        assert_eq!(
            (told.status, told.problem().as_str()),
            (422, "case-charge-receipt")
        );
    }
    let path = format!("/desk/cases/{CASE}/pay");
    let revision = desk.revision().await;
    let page = desk
        .form(
            "tiep",
            &path,
            &[("revision", &revision.to_string()), ("receipt", " ")],
        )
        .await;
    assert!(
        page.status == 422 && page.body.contains("href=\"#receipt\""),
        "{}",
        page.body
    );
    let answer = desk.verb("tiep", "pay", receipt.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let again = desk.verb_at("tiep", "pay", revision, receipt).await;
    assert_eq!(again.status, 200, "a second click");
    assert_eq!(desk.state().await, "reworking");
    for kind in ["case-charge-paid", "fee-paid"] {
        assert_eq!(count(&desk, kind).await, 1, "{kind}");
    }
    assert!(
        desk.lines("case-fee-receipt").await.is_empty(),
        "its receipt is that of the counter"
    );
    let late = paid(&desk, 1, 1, 75_000).await;
    assert_eq!(
        late["why"], "case-verb-not-now",
        "what comes from the bank besides goes back"
    );
}

#[tokio::test]
async fn only_an_officer_asks_only_a_receptionist_takes_and_nobody_else_learns_of_it() {
    let desk = accepted().await;
    for (who, status) in [
        ("tiep", 403),
        ("chu", 403),
        ("ban", 404),
        ("xa", 404),
        ("nobody", 401),
    ] {
        let answer = desk.verb(who, "ask-payment", charge()).await;
        assert_eq!(answer.status, status, "{who}");
    }
    let path = format!("/desk/cases/{CASE}/ask-payment");
    assert_eq!(desk.form("nobody", &path, &[]).await.status, 303);
    assert_eq!(desk.verb("tich", "ask-payment", charge()).await.status, 200);
    for (who, status) in [("tich", 403), ("chu", 403), ("xa", 404), ("nobody", 401)] {
        let answer = desk.verb(who, "pay", json!({"receipt": "BL-1"})).await;
        assert_eq!(answer.status, status, "{who}");
    }
    assert_eq!(desk.state().await, "payment");
}

#[tokio::test]
async fn an_officer_says_what_how_much_and_on_which_ground() {
    let desk = accepted().await;
    for (field, value, code) in [
        ("charge", json!("none"), "case-charge-unknown"),
        ("dong", json!(0), "case-charge-dong"),
        ("dong", json!(1_000_001), "case-charge-dong"),
        ("ground", json!(" "), "case-note-missing"),
    ] {
        let mut bad = charge();
        bad[field] = value;
        let answer = desk.verb("tich", "ask-payment", bad).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, code));
        assert_eq!(answer.json()["field"], field);
    }
    let path = format!("/desk/cases/{CASE}/ask-payment");
    let revision = desk.revision().await.to_string();
    let typed = |dong: &'static str| {
        [
            ("revision", revision.as_str()),
            ("charge", "permit-fee"),
            ("dong", dong),
            ("ground", "Nhà ở riêng lẻ (mẫu)"),
        ]
    };
    let page = desk.form("tich", &path, &typed("nhiều")).await;
    assert!(
        page.status == 422
            && page.body.contains("href=\"#dong\"")
            && page.body.contains("Nhà ở riêng lẻ (mẫu)"),
        "{}",
        page.body
    );
    assert_eq!(desk.form("tich", &path, &typed("75.000")).await.status, 303);
    assert_eq!(desk.state().await, "payment");
}

#[tokio::test]
async fn while_there_is_time_to_pay_nothing_is_decided_and_after_it_the_case_may_be_refused_or_stopped() {
    let refused = || json!({"outcome": "refused", "note": "Không nộp lệ phí trong thời hạn"});
    let why = || json!({"why": "Không thực hiện nghĩa vụ tài chính trong thời hạn"});
    let desk = asked().await;
    assert_eq!(
        desk.verb("tich", "propose", refused()).await.problem(),
        "case-charge-waits"
    );
    let early = desk.verb("tich", "stop", why()).await;
    assert_eq!(
        (early.status, early.problem().as_str()),
        (409, "case-charge-waits")
    );
    desk.temp.clock.set(MONDAY.plus_ms(20 * DAY_MS));
    let granted = desk.verb("tich", "propose", json!({"outcome": "granted"})).await;
    assert_eq!(granted.problem(), "case-charge-waits");
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(page.contains("/propose\"") && page.contains("/stop\""), "{page}");
    assert_eq!(desk.verb("tich", "stop", why()).await.status, 200);
    assert_eq!(desk.state().await, "stopped");
    assert_eq!(
        desk.facts_of(&format!("obligation/case/{CASE}")).await,
        ["obligation-opened", "obligation-lifted"]
    );
    let late = paid(&desk, 1, 1, 75_000).await;
    assert_eq!(late["why"], "case-verb-not-now", "and the money goes back");
    let desk = asked().await;
    desk.temp.clock.set(MONDAY.plus_ms(20 * DAY_MS));
    desk.propose("refused", "Không nộp lệ phí trong thời hạn").await;
    assert_eq!(desk.state().await, "to-sign");
    let charges = desk.json().await["charges"].clone();
    assert!(
        charges[0]["paid_at"].is_null() && charges[0]["ended_at"].is_string(),
        "{charges}"
    );
}

#[tokio::test]
async fn who_pays_late_is_taken_as_long_as_the_case_waits() {
    let desk = asked().await;
    desk.temp.clock.set(MONDAY.plus_ms(20 * DAY_MS));
    assert_eq!(paid(&desk, 1, 1, 75_000).await["taken"], true);
    assert_eq!(desk.state().await, "reworking");
}

#[tokio::test]
async fn a_case_that_is_taken_back_waits_for_no_money() {
    let desk = asked().await;
    let withdrawal = json!({"kind": "withdrawal", "reason": "Chưa xây nữa"});
    assert_eq!(desk.submit(1, withdrawal, &json!([])).await["taken"], true);
    assert_eq!(desk.state().await, "withdrawn");
    let late = paid(&desk, 2, 1, 75_000).await;
    assert_eq!(late["why"], "case-verb-not-now");
}

#[tokio::test]
async fn a_case_is_asked_as_often_as_the_rule_says_and_each_wait_puts_its_date_off() {
    let desk = asked().await;
    desk.temp.clock.set(MONDAY.plus_ms(3 * DAY_MS));
    assert_eq!(paid(&desk, 1, 1, 75_000).await["taken"], true);
    assert_eq!(desk.verb("tich", "ask-payment", charge()).await.status, 200);
    assert_eq!(desk.state().await, "payment");
    desk.temp.clock.set(MONDAY.plus_ms(7 * DAY_MS));
    assert_eq!(paid(&desk, 2, 2, 75_000).await["taken"], true);
    assert_eq!(desk.state().await, "reworking");
    assert_eq!(
        due(&desk).await,
        "2026-12-21T10:00:00.000Z",
        "seven days later is a Sunday again"
    );
    let third = desk.verb("tich", "ask-payment", charge()).await;
    assert_eq!(
        (third.status, third.problem().as_str()),
        (409, "case-charge-times")
    );
}

#[tokio::test]
async fn where_the_rule_of_the_day_lets_that_time_count_the_date_stays_and_is_owed_meanwhile() {
    let mut counts = Procedure::clone(&procedure());
    counts.charge_rules[0].counts = true;
    let desk = accepted_under(&counts).await;
    assert_eq!(desk.verb("tich", "ask-payment", charge()).await.status, 200);
    desk.temp.clock.set(MONDAY.plus_ms(3 * DAY_MS));
    assert_eq!(paid(&desk, 1, 1, 75_000).await["taken"], true);
    assert_eq!(desk.state().await, "reworking");
    assert_eq!(due(&desk).await, DUE);
    assert!(reasons(&desk).await.iter().all(|reason| reason != "unpaid"));
    assert_eq!(
        desk.facts_of(&format!("obligation/case/{CASE}")).await,
        ["obligation-opened"]
    );
}

#[tokio::test]
async fn a_version_filed_before_the_rule_began_asks_for_nothing() {
    let mut later = Procedure::clone(&procedure());
    "2027-01-01".clone_into(&mut later.charge_rules[0].valid_from);
    let desk = accepted_under(&later).await;
    let told = desk.verb("tich", "ask-payment", charge()).await;
    assert_eq!((told.status, told.problem().as_str()), (409, "case-charge-never"));
    let not_now = desk.get("tich", API).await.json()["not_now"].clone();
    let all = not_now.as_array().expect("a list");
    let why = all
        .iter()
        .find(|told| told["verb"] == "ask-payment")
        .expect("told");
    assert_eq!(why["why"], "case-charge-never");
}
