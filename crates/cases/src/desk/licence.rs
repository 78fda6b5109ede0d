//! The licence for transport business (1.000703) at the desk of a province, by the articles as far as they were read: of
//! Decree 61/2018/NĐ-CP articles 17 and 19; of Decree 10/2020/NĐ-CP article 17 as a public summary tells it. Of Decree
//! 158/2024/NĐ-CP nothing was read, so what rests on memory alone is named without an article. How the form is filled in
//! from the business register is tried beside [`crate::citizen::prefill`].

use kernel::limits::Limits;
use serde_json::{Value, json};

use crate::desk::testing::{API, CASE, Desk, handover, pack_templates, paper};
use crate::testing::{PDF, nouns};

/// The body of `receive-case` for a licence.
fn licence() -> Value {
    let code = "1.000703".parse().expect("a code");
    let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
    let procedure = procedure.expect("in force");
    let mut body = handover();
    body["procedure"] = json!(procedure.code);
    body["version"] = json!(procedure.version());
    body["unit"] = json!("H56");
    body["answers"] = json!({
        "tax_code": "9900000016", "company_name": "Công ty TNHH Vận tải Mẫu", "company_founded": "2020-02-10",
        "company_status": "active", "representative_name": "Lê Thị Lan", "receive_at": "15865",
        "transport_kinds": "goods", "goods_vehicles": "3", "operator_name": "Trần Văn Mẫu",
        "operator_certificate": "VT-001",
    });
    body["papers"] = json!([paper("VB", PDF.as_bytes())]);
    body
}

async fn accepted() -> Desk {
    let desk = Desk::with(pack_templates(), Limits::default()).await;
    desk.receive(&licence()).await.expect("received");
    let answer = desk.verb("tiep-tinh", "accept", json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    desk
}

/// Proposed, signed and sealed at the province; the clerk’s answer.
async fn decided(desk: &Desk, outcome: &str) -> Value {
    for (who, verb, body) in [
        (
            "tinh",
            "propose",
            json!({"outcome": outcome, "note": "Theo hồ sơ"}),
        ),
        ("chu-tinh", "sign", json!({})),
        ("thu-tinh", "seal", json!({})),
    ] {
        let answer = desk.verb(who, verb, body).await;
        assert_eq!(answer.status, 200, "{verb}: {}", answer.body);
    }
    desk.json().await
}

#[tokio::test]
async fn decree_61_2018_article_17_the_province_accepts_its_case_and_no_commune_sees_it() {
    let desk = Desk::with(pack_templates(), Limits::default()).await;
    desk.receive(&licence()).await.expect("received");
    for who in ["tiep", "tich", "chu"] {
        assert_eq!(desk.get(who, API).await.status, 404, "{who} is of a commune");
    }
    assert_eq!(desk.verb("tiep", "accept", json!({})).await.status, 404);
    let answer = desk.verb("tiep-tinh", "accept", json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // Four working days after Monday, 23 November 2026, of which Tuesday is a holiday.
    assert_eq!(desk.json().await["accepted"]["due"], "2026-11-30T02:30:00.000Z");
    let receipt = desk
        .get("tiep-tinh", &format!("/desk/cases/{CASE}/receipt"))
        .await;
    assert_eq!(receipt.status, 200);
}

#[tokio::test]
async fn decree_61_2018_article_19_clause_4_what_is_missing_is_asked_for_once_and_the_term_starts_anew() {
    let desk = accepted().await;
    let slip = json!({"items": ["Chứng chỉ còn hạn"], "reason": "Chứng chỉ đã hết hạn"});
    let asked = desk.verb("tinh", "ask-supplement", slip.clone()).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    desk.temp.clock.advance_ms(3 * 86_400_000);
    let said =
        json!({"kind": "supplement", "answers": {"operator_certificate": "VT-009"}, "note": "Đã thay"});
    assert_eq!(desk.submit(1, said, &json!([])).await["taken"], true);
    assert_eq!(desk.state().await, "accepted");
    assert_eq!(
        desk.json().await["accepted"]["due"],
        "2026-12-02T02:30:00.000Z",
        "four working days from Thursday, 26 November"
    );
    let again = desk.verb("tinh", "ask-supplement", slip).await;
    assert_eq!(
        (again.status, again.problem().as_str()),
        (409, "case-supplement-once")
    );
}

#[tokio::test]
async fn decree_10_2020_article_17_the_province_gives_a_licence_with_a_number_of_its_own() {
    let desk = accepted().await;
    let case = decided(&desk, "granted").await;
    assert_eq!(desk.state().await, "returned");
    let given = desk.results().await;
    assert_eq!(given.len(), 1, "{case}");
    assert_eq!(given[0].name, "Giấy phép kinh doanh vận tải bằng xe ô tô");
    let seal = desk.row().await.case.decided.and_then(|decided| decided.seal);
    assert!(
        seal.as_ref().is_some_and(|seal| seal.number.starts_with("01/")),
        "{seal:?}"
    );
}

#[tokio::test]
async fn a_licence_has_the_term_that_its_version_says_and_none_where_it_says_none() {
    let code = "1.000703".parse().expect("a code");
    let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
    let valid = procedure.expect("in force").result.valid;
    let until = valid.and_then(|valid| valid.until(testkit::START.date()));
    assert_eq!(until.map(kernel::time::iso).as_deref(), Some("2033-11-21"));
    assert_eq!(crate::testing::birth().result.valid, None);
}

#[tokio::test]
async fn a_licence_that_is_refused_is_refused_by_a_notice_with_the_reason() {
    let desk = accepted().await;
    decided(&desk, "refused").await;
    let given = desk.results().await;
    let names: Vec<&str> = given.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["Thông báo từ chối giải quyết hồ sơ"]);
    assert!(desk.facts().await.contains(&"case-decided".to_owned()));
}
