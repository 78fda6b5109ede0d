//! A case handed in at the desk, from the form to its result, and what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::fact::Channel;
use serde_json::{Value, json};

use crate::desk::testing::{Desk, UNIT, pack_templates};
use crate::store as rows;
use crate::testing::{PDF, birth, case};

const INTAKES: &str = "/api/v1/desk/intakes";

/// A birth told at the desk, as a program sends it.
fn handed_in(number: &str) -> Value {
    let answers = case(&birth()).answers;
    json!({
        "intake": number, "procedure": "1.001193", "applicant_number": "038196000001",
        "applicant_name": "Lê Thị Lan", "answers": answers,
        "papers": [{"code": "GCS", "name": "giay.pdf", "pdf_base64": STANDARD.encode(PDF)}],
    })
}

/// A copy of an entry for a fee, as a program sends it.
fn paid_for(receipt: &str) -> Value {
    json!({
        "intake": "c-1", "procedure": "2.000635", "applicant_number": "038196000001",
        "applicant_name": "Lê Thị Lan", "receipt": receipt,
        "answers": {"person_name": "Nguyễn Minh Anh", "person_number": "038326000001", "relation": "parent",
            "copies": "2", "receive_at": "15865"},
    })
}

/// The whole form of a birth, as it is typed.
fn typed(number: &str) -> Vec<(String, String)> {
    let answers = case(&birth()).answers;
    let slip = [
        ("intake", number),
        ("applicant_number", "038 196 000 001"),
        ("applicant_name", "Lê Thị Lan"),
    ];
    let slip = slip.map(|(name, value)| (name.to_owned(), value.to_owned()));
    slip.into_iter().chain(answers).collect()
}

fn pairs(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

async fn taken(desk: &Desk, body: &Value) -> String {
    let answer = desk.post("tiep", INTAKES, body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["case"].as_str().expect("a code").to_owned()
}

async fn row(desk: &Desk, code: &str) -> rows::Held {
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let held = rows::case(&reader, &code.parse().expect("a code")).await;
    held.expect("read").expect("a case")
}

#[tokio::test]
async fn what_is_handed_in_is_taken_in_at_once_with_its_papers_its_clock_and_its_receipt() {
    let desk = Desk::empty().await;
    let code = taken(&desk, &handed_in("a-1")).await;
    assert!(code.starts_with("H56-261123-"), "{code}");
    let held = row(&desk, &code).await;
    assert_eq!(held.case.channel, Channel::Counter);
    assert_eq!(held.case.unit.as_str(), UNIT);
    assert_eq!((held.status, held.case.state.as_str()), (2, "accepted"));
    assert!(held.due_at.is_some());
    assert_eq!(
        desk.facts_of(&format!("case/{code}")).await,
        ["case-received", "case-accepted"]
    );
    let receipt = desk.get("tiep", &format!("/desk/cases/{code}/receipt")).await;
    assert_eq!(receipt.status, 200);
    let page = desk.get("tich", &format!("/desk/cases/{code}")).await.body;
    assert!(page.contains("Nhận tại quầy: Lê Thị Tiếp"), "{page}");
    assert!(
        page.contains("Đã nhận hồ sơ tại quầy") && !page.contains("từ Cổng Dịch vụ công"),
        "{page}"
    );
    assert!(page.contains(&format!("/desk/cases/{code}/papers/GCS")), "{page}");
    let paper = desk.get("tich", &format!("/desk/cases/{code}/papers/GCS")).await;
    assert_eq!((paper.status, paper.bytes.as_slice()), (200, PDF.as_bytes()));
}

#[tokio::test]
async fn copies_are_certified_for_a_fee_by_page_and_given_by_the_receptionist() {
    let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
    let body = |receipt: &str| {
        json!({
            "intake": "b-1", "procedure": "2.000815", "applicant_number": "038196000001",
            "applicant_name": "Lê Thị Lan", "receipt": receipt, "on_paper": ["BC"],
            "answers": {"document_name": "Bằng tốt nghiệp", "issuer_kind": "vietnam", "issuer_name": "Sở Giáo dục và Đào tạo",
                "pages_of_original": "3", "copies": "2", "receive_at": "15865"},
        })
    };
    let unpaid = desk.post("tiep", INTAKES, &body("")).await;
    assert!(
        unpaid.status == 422 && unpaid.body.contains("10.000"),
        "{}",
        unpaid.body
    );
    let code = taken(&desk, &body("0000123")).await;
    let paid = row(&desk, &code).await.case.course.paid.expect("paid");
    assert_eq!(paid.dong, 10_000, "two pages for 2,000, one for 1,000, twice");
    for (who, verb, more) in [
        ("tich", "propose", json!({"outcome": "granted", "note": ""})),
        ("chu", "sign", json!({})),
        ("thu", "seal", json!({})),
        ("tiep", "return", json!({})),
    ] {
        let mut body = more;
        body["revision"] = row(&desk, &code).await.case.revision.into();
        let done = desk
            .post(who, &format!("/api/v1/desk/cases/{code}/{verb}"), &body)
            .await;
        assert_eq!(done.status, 200, "{verb}: {}", done.body);
    }
    let held = row(&desk, &code).await;
    assert_eq!((held.status, held.case.state.as_str()), (10, "returned"));
}

#[tokio::test]
async fn sent_twice_it_is_one_case_and_another_officials_number_is_another_one() {
    let desk = Desk::empty().await;
    let code = taken(&desk, &handed_in("a-1")).await;
    assert_eq!(taken(&desk, &handed_in("a-1")).await, code);
    let other = desk.post("tiep-2", INTAKES, &handed_in("a-1")).await;
    assert_ne!(other.json()["case"], json!(code));
}

#[tokio::test]
async fn every_fault_is_told_at_its_field() {
    let desk = Desk::empty().await;
    for (field, value, at, code) in [
        (
            "applicant_number",
            json!("12"),
            "applicant_number",
            "personal-number",
        ),
        ("applicant_number", json!(""), "applicant_number", "field-missing"),
        ("applicant_name", json!(""), "applicant_name", "field-missing"),
        (
            "applicant_name",
            json!("<b>"),
            "applicant_name",
            "name-characters",
        ),
        ("papers", json!([]), "paper-GCS", "intake-paper"),
        ("by_post", json!(true), "channel", "intake-channel"),
        ("intake", json!("a b"), "intake", "intake-number"),
        ("on_paper", json!(["XYZ"]), "on_paper", "case-paper-unknown"),
    ] {
        let mut body = handed_in("a-1");
        body[field] = value;
        let told = desk.post("tiep", INTAKES, &body).await;
        assert_eq!(told.status, 422, "{field}: {}", told.body);
        assert_eq!(
            (&told.json()["field"], told.problem().as_str()),
            (&json!(at), code)
        );
    }
    let mut body = handed_in("a-1");
    body["answers"]["nonsense"] = json!("x");
    assert_eq!(
        desk.post("tiep", INTAKES, &body).await.problem(),
        "case-answer-unknown"
    );
    body["answers"] = json!({});
    assert_eq!(
        desk.post("tiep", INTAKES, &body).await.problem(),
        "answer-missing"
    );
}

#[tokio::test]
async fn a_paper_that_is_kept_on_paper_needs_no_scan_and_stands_on_the_cases_page() {
    let desk = Desk::empty().await;
    let mut body = handed_in("a-1");
    body["papers"] = json!([]);
    body["on_paper"] = json!(["GCS"]);
    let code = taken(&desk, &body).await;
    let page = desk.get("tich", &format!("/desk/cases/{code}")).await.body;
    assert!(page.contains("Giữ bản giấy, không quét"), "{page}");
}

#[tokio::test]
async fn only_who_takes_cases_in_may_and_nobody_for_a_unit_outside_their_desk() {
    let desk = Desk::empty().await;
    for (who, status) in [("tich", 403), ("chu", 403), ("giam", 403), ("xa", 404)] {
        let told = desk.post(who, INTAKES, &handed_in("a-1")).await;
        assert_eq!(told.status, status, "{who}: {}", told.body);
        let form = desk.get(who, "/desk/intake/1.001193").await;
        assert_eq!(form.status, status, "{who}");
    }
    let mut body = handed_in("a-1");
    body["answers"]["receive_at"] = json!("14797");
    let told = desk.post("tiep", INTAKES, &body).await;
    assert_eq!((told.status, told.problem().as_str()), (422, "intake-elsewhere"));
    assert_eq!(desk.get("tiep", "/desk/intake/9.999999").await.status, 404);
}

#[tokio::test]
async fn the_form_tells_every_fault_and_loses_nothing_that_was_typed() {
    let desk = Desk::empty().await;
    let list = desk.get("tiep", "/desk/intake").await.body;
    assert!(list.contains("/desk/intake/1.001193"));
    assert!(desk.get("tiep", "/desk").await.body.contains("/desk/intake"));
    let form = desk.get("tiep", "/desk/intake/1.001193").await.body;
    assert!(form.contains(r#"name="child_name""#) && form.contains(r#"name="paper-GCS""#));
    let typed = [
        ("intake", "b-1"),
        ("applicant_name", "Trần <i> Hai"),
        ("child_name", "Nguyễn Minh"),
    ];
    let told = desk.form("tiep", "/desk/intake/1.001193", &typed).await;
    assert_eq!(told.status, 422);
    for link in [
        "#applicant_number",
        "#applicant_name",
        "#child_born",
        "#paper-GCS",
    ] {
        assert!(told.body.contains(&format!("href=\"{link}\"")), "{link}");
    }
    assert!(told.body.contains("Trần &#60;i&#62; Hai") && told.body.contains("Nguyễn Minh"));
}

#[tokio::test]
async fn the_portal_learns_of_it_with_its_first_status() {
    let desk = Desk::empty().await;
    let code = taken(&desk, &handed_in("a-1")).await;
    assert!(desk.deliver_topic("case-status").await.is_none());
    let told = desk.nation.asked_of("note-status");
    assert_eq!(told[0]["code"], json!(code));
    assert_eq!(told[0]["case"]["name"], "Lê Thị Lan");
    assert_eq!(
        told[0]["case"].get("answers"),
        None,
        "what was answered stays with its owner"
    );
    let revision = row(&desk, &code).await.case.revision;
    let path = format!("/api/v1/desk/cases/{code}/ask-supplement");
    let slip = json!({"revision": revision, "items": ["Giấy chứng sinh bị mờ"], "reason": "Không đọc được"});
    assert_eq!(desk.post("tich", &path, &slip).await.status, 200);
    assert!(desk.deliver_topic("case-status").await.is_none());
    let told = desk.nation.asked_of("note-status");
    assert_eq!(told.len(), 2);
    assert_eq!(told[1].get("case"), None, "it is told whose it is once");
}

#[tokio::test]
async fn the_form_takes_a_case_in_once_and_a_scan_is_sent_once() {
    let desk = Desk::empty().await;
    let path = "/desk/intake/1.001193";
    let fields = typed("b-1");
    let scan = ("paper-GCS", "giay.pdf", PDF.as_bytes());
    let without_name: Vec<_> = fields.iter().filter(|f| f.0 != "child_name").cloned().collect();
    let told = desk.upload("tiep", path, &pairs(&without_name), scan).await;
    assert_eq!(told.status, 422);
    assert!(
        told.body.contains("#child_name") && told.body.contains("giay.pdf"),
        "{}",
        told.body
    );
    // What was scanned before is still there.
    let went = desk.form("tiep", path, &pairs(&fields)).await;
    assert_eq!(went.status, 303, "{}", went.body);
    let again = desk.form("tiep", path, &pairs(&fields)).await;
    assert_eq!((again.status, again.location()), (303, went.location()));
    let code = went.location().trim_start_matches("/desk/cases/").to_owned();
    assert_eq!(row(&desk, &code).await.case.answers, case(&birth()).answers);
    let paper = desk.get("tich", &format!("/desk/cases/{code}/papers/GCS")).await;
    assert_eq!(paper.bytes, PDF.as_bytes());
    let other = desk.form("tiep", path, &pairs(&typed("b-2"))).await;
    assert_eq!(other.status, 422, "the scan went with its case");
}

#[tokio::test]
async fn a_file_that_is_no_pdf_is_told_once_at_its_paper() {
    let desk = Desk::empty().await;
    let scan = ("paper-GCS", "giay.pdf", b"MZ".as_slice());
    let told = desk
        .upload("tiep", "/desk/intake/1.001193", &pairs(&typed("b-1")), scan)
        .await;
    assert_eq!(told.status, 422);
    assert_eq!(
        told.body.matches("href=\"#paper-GCS\"").count(),
        1,
        "{}",
        told.body
    );
    let gcs = |code: &str, pdf: &str| json!({"code": code, "name": "a.pdf", "pdf_base64": pdf});
    let pdf = STANDARD.encode(PDF);
    for (papers, at, code) in [
        (json!([gcs("XYZ", &pdf)]), "paper-XYZ", "case-paper-unknown"),
        (
            json!([gcs("GCS", &pdf), gcs("GCS", &pdf)]),
            "paper-GCS",
            "case-paper-twice",
        ),
        (json!([gcs("GCS", "!")]), "paper-GCS", "case-paper-damaged"),
        (
            json!([gcs("GCS", &STANDARD.encode("MZ"))]),
            "paper-GCS",
            "paper-not-pdf",
        ),
    ] {
        let mut body = handed_in("a-1");
        body["papers"] = papers;
        let told = desk.post("tiep", INTAKES, &body).await;
        assert_eq!((told.status, told.problem().as_str()), (422, code));
        assert_eq!(told.json()["field"], at);
    }
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_and_uses_up_no_code() {
    let desk = Desk::empty().await;
    let own = desk.post("tiep-3", INTAKES, &handed_in("a-1")).await;
    assert_eq!((own.status, own.problem().as_str()), (403, "case-own"));
    let mut bad = handed_in("a-2");
    bad["applicant_name"] = json!("");
    assert_eq!(desk.post("tiep", INTAKES, &bad).await.status, 422);
    let code = taken(&desk, &handed_in("a-3")).await;
    assert_eq!(code, "H56-261123-0001");
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    for (account, id) in [("tiep-3", "a-1"), ("tiep", "a-2"), ("tiep", "a-3")] {
        let left = rows::papers(&reader, &super::take::holder(account, id)).await;
        assert_eq!(left.expect("read"), [], "{id}");
    }
}

#[tokio::test]
async fn two_sent_at_once_are_one_case() {
    let desk = Desk::empty().await;
    let body = handed_in("a-1");
    let (one, two) = tokio::join!(taken(&desk, &body), taken(&desk, &body));
    assert_eq!(one, two);
    assert_eq!(
        desk.facts_of(&format!("case/{one}")).await,
        ["case-received", "case-accepted"]
    );
    assert_eq!(taken(&desk, &handed_in("a-2")).await, "H56-261123-0002");
}

#[tokio::test]
async fn a_scan_may_be_larger_than_a_plain_body() {
    let desk = Desk::empty().await;
    let mut body = handed_in("a-1");
    let pdf = format!("{PDF}% {}\nstartxref\n186\n%%EOF\n", "x".repeat(2_000_000));
    body["papers"][0]["pdf_base64"] = json!(STANDARD.encode(&pdf));
    let code = taken(&desk, &body).await;
    let paper = desk.get("tich", &format!("/desk/cases/{code}/papers/GCS")).await;
    assert_eq!(paper.bytes.len(), pdf.len());
}

#[tokio::test]
async fn a_fee_is_collected_before_and_its_receipt_is_that_of_the_counter() {
    let desk = Desk::empty().await;
    for receipt in ["", "x".repeat(61).as_str()] {
        let told = desk.post("tiep", INTAKES, &paid_for(receipt)).await;
        assert_eq!((told.status, told.problem().as_str()), (422, "intake-fee"));
        assert_eq!(told.json()["field"], "receipt");
        assert!(told.body.contains("16.000"), "{}", told.body);
    }
    let code = taken(&desk, &paid_for("BL-0001")).await;
    let paid = row(&desk, &code).await.case.course.paid.expect("paid");
    assert_eq!((paid.dong, paid.bank_reference.as_str()), (16_000, "BL-0001"));
    assert_eq!(
        desk.facts_of(&format!("case/{code}")).await,
        ["case-received", "fee-paid", "case-accepted"]
    );
    let waiting = desk.lines("case-fee-receipt").await;
    assert!(waiting.is_empty(), "its receipt is that of the counter");
}

#[tokio::test]
async fn the_provinces_desk_takes_in_for_a_commune_and_its_people_see_it() {
    let desk = Desk::empty().await;
    let answer = desk.post("tiep-tinh", INTAKES, &handed_in("a-1")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let code = answer.json()["case"].as_str().expect("a code").to_owned();
    assert_eq!(row(&desk, &code).await.case.unit.as_str(), UNIT);
    let path = format!("/desk/cases/{code}");
    for (who, status) in [("tich", 200), ("tinh", 200), ("ban", 404)] {
        assert_eq!(desk.get(who, &path).await.status, status, "{who}");
    }
}

/// A case of the desk that waits for what was asked for.
async fn asked(desk: &Desk) -> String {
    let code = taken(desk, &handed_in("a-1")).await;
    let revision = row(desk, &code).await.case.revision;
    let slip = json!({"revision": revision, "items": ["Giấy chứng sinh bị mờ"], "reason": "Không đọc được"});
    let path = format!("/api/v1/desk/cases/{code}/ask-supplement");
    let answer = desk.post("tich", &path, &slip).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    code
}

#[tokio::test]
async fn what_was_asked_for_is_brought_to_the_desk_with_what_was_said() {
    let desk = Desk::empty().await;
    let code = asked(&desk).await;
    let path = format!("/desk/cases/{code}/supplement");
    let page = desk.get("tiep", &format!("/desk/cases/{code}")).await.body;
    assert!(page.contains(&format!("action=\"{path}\"")), "{page}");
    let clear = format!("{PDF}\n");
    let scan = ("paper-GCS", "ro.pdf", clear.as_bytes());
    let note = [("note", "Bản rõ hơn")];
    let went = desk.upload("tiep", &path, &note, scan).await;
    assert_eq!(went.status, 303, "{}", went.body);
    assert_eq!(row(&desk, &code).await.case.state, "accepted");
    let paper = desk.get("tich", &format!("/desk/cases/{code}/papers/GCS")).await;
    assert_eq!(paper.bytes, clear.as_bytes());
    let page = desk.get("tich", &format!("/desk/cases/{code}")).await.body;
    assert!(page.contains("Bản rõ hơn") && page.contains("?earlier"), "{page}");
    assert!(!page.contains(&path), "it is asked for once");
    let facts = desk.facts_of(&format!("case/{code}")).await;
    assert!(facts.contains(&"case-supplemented".to_owned()), "{facts:?}");
    assert_eq!(desk.upload("tiep", &path, &note, scan).await.status, 409);
}

#[tokio::test]
async fn what_was_asked_for_is_brought_only_to_who_takes_it_and_not_empty() {
    let desk = Desk::empty().await;
    let code = asked(&desk).await;
    let path = format!("/desk/cases/{code}/supplement");
    let note = [("note", "Bản rõ hơn")];
    for (who, status) in [("chu", 403), ("thu", 403), ("ban", 404), ("xa", 404)] {
        assert_eq!(desk.form(who, &path, &note).await.status, status, "{who}");
    }
    let long = "x".repeat(2_001);
    for said in ["", long.as_str()] {
        let told = desk.form("tiep", &path, &[("note", said)]).await;
        assert_eq!(told.status, 422);
        assert!(told.body.contains("href=\"#papers\""), "{}", told.body);
    }
    let scan = ("paper-GCS", "a.pdf", b"MZ".as_slice());
    let told = desk.upload("tiep", &path, &note, scan).await;
    assert_eq!(told.status, 422);
    assert!(told.body.contains("href=\"#paper-GCS\""), "{}", told.body);
    assert_eq!(row(&desk, &code).await.case.state, "supplement");
    // The portal's own cases are supplemented there.
    desk.receive(&crate::desk::testing::handover())
        .await
        .expect("received");
    desk.accept().await;
    let slip = json!({"items": ["Giấy chứng sinh bị mờ"], "reason": "Không đọc được"});
    assert_eq!(desk.verb("tich", "ask-supplement", slip).await.status, 200);
    let path = format!("/desk/cases/{}/supplement", crate::desk::testing::CASE);
    assert_eq!(desk.form("tiep", &path, &note).await.status, 409);
}
