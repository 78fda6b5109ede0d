//! What is filed for somebody, on its way from the draft to the desk, and what becomes of it when the mandate ends.

use std::sync::Arc;

use ::store::Deliver as _;
use serde_json::{Value, json};

use super::{CHILD, DAY_MS, LAN, ask, authorised, child, choose, draft, petition, step};
use crate::Catalogue;
use crate::handover::{HandOver, Handover};
use crate::procedure::{Proof, Represent, Whom};
use crate::testing::{PDF, Portal, Who, birth, foreign, lan, mai, nam, officer};

/// Copies of somebody's entry, with nothing missing.
async fn copies(portal: &Portal, who: &Who, number: &str) -> String {
    let person: &[(&str, &str)] = &[
        ("person_name", "Lê Thị Lan"),
        ("person_number", number),
        ("relation", "other"),
    ];
    let copies: &[(&str, &str)] = &[("copies", "1"), ("receive_at", "xã Hoằng Hóa, tỉnh Thanh Hóa")];
    draft(portal, who, "2.000635", &[("person", person), ("copies", copies)]).await
}

/// A petition that Mai filed for Lan, who confirmed that: the mandate and the case.
async fn filed(portal: &Portal) -> (String, String) {
    let mandate = authorised(portal, &[]).await;
    assert_eq!(step(portal, &lan(), &mandate, "confirm").await.status, 200);
    let path = petition(portal, &mai()).await;
    assert_eq!(choose(portal, &mai(), &path, &mandate).await.status, 303);
    let went = portal.file(&mai(), &path).await;
    assert_eq!(went.status, 303, "{}", went.body);
    let code = went.location();
    let code = code.trim_start_matches("/cases/").trim_end_matches("?filed=1");
    (mandate, code.to_owned())
}

async fn codes(portal: &Portal, who: &Who) -> Vec<String> {
    let list = portal.get(Some(who), "/api/v1/cases").await.json();
    let items = list["items"].as_array().expect("a list");
    items
        .iter()
        .map(|item| item["code"].as_str().expect("a code").to_owned())
        .collect()
}

#[tokio::test]
async fn a_case_is_its_applicants_and_names_who_filed_it_on_the_way_to_its_owner() {
    let portal = Portal::new().await;
    let (mandate, code) = filed(&portal).await;
    let subject = format!("case/{code}");
    assert_eq!(portal.facts(&subject).await, ["case-filed", "case-filed-for"]);
    let path = format!("/api/v1/cases/{code}");
    for who in [lan(), mai()] {
        let case = portal.get(Some(&who), &path).await.json();
        assert_eq!(
            (
                &case["representative"]["applicant"],
                &case["representative"]["name"]
            ),
            (&json!("Lê Thị Lan"), &json!("Lê Thị Mai"))
        );
        assert_eq!(codes(&portal, &who).await, std::slice::from_ref(&code));
    }
    assert_eq!(portal.get(Some(&nam()), &path).await.status, 404);
    assert_eq!(codes(&portal, &nam()).await, Vec::<String>::new());
    let page = portal.get(Some(&mai()), &format!("/cases/{code}")).await.body;
    assert!(page.contains("người được đại diện tự xác nhận"), "{page}");
    let viewed = portal.facts(&subject).await;
    let viewed = viewed.iter().filter(|fact| *fact == "case-viewed").count();
    assert_eq!(
        viewed, 2,
        "each look of the representative, and none of the applicant"
    );
    for who in [lan(), mai()] {
        let inbox = portal.get(Some(&who), "/inbox").await.body;
        assert!(inbox.contains(&code), "both are told: {inbox}");
    }
    portal.answer("H56", Ok((200, json!({"case": code, "received": true}))));
    let deliver = HandOver(portal.cases.clone());
    deliver.deliver(&portal.line(&code)).await.expect("handed over");
    let (_, body) = portal.asked().pop().expect("asked");
    let sent: Handover = serde_json::from_value(body).expect("the agreed body");
    assert_eq!(
        (sent.applicant.name.as_str(), sent.applicant.number.as_str()),
        ("Lê Thị Lan", LAN)
    );
    let by = sent.representative.expect("who filed it");
    assert_eq!(
        (by.mandate, by.name, by.confirmed),
        (mandate, "Lê Thị Mai".to_owned(), true)
    );
}

#[tokio::test]
async fn a_mandate_that_ends_takes_the_case_from_the_representative_and_leaves_it_its_applicant() {
    for by_day in [false, true] {
        let portal = Portal::new().await;
        let (mandate, code) = filed(&portal).await;
        let asked = json!({"seq": 2, "status": 5, "notice": {"kind": "supplement", "items": ["Ảnh"], "reason": "Thiếu",
            "until": testkit::START.plus_ms(400 * DAY_MS).ms()}});
        portal
            .note(&code, json!({"seq": 1, "status": 2}))
            .await
            .expect("noted");
        portal.note(&code, asked).await.expect("noted");
        let begin = format!("/cases/{code}/supplement");
        let draft = portal.post(Some(&mai()), &begin, &[]).await.location();
        assert_eq!(portal.get(Some(&mai()), &draft).await.status, 200);
        if by_day {
            portal.later(366 * DAY_MS);
        } else {
            assert_eq!(step(&portal, &lan(), &mandate, "revoke").await.status, 200);
            assert_eq!(step(&portal, &lan(), &mandate, "confirm").await.status, 409);
        }
        for path in [format!("/cases/{code}"), draft.clone(), format!("{draft}/check")] {
            assert_eq!(portal.get(Some(&mai()), &path).await.status, 404, "{path}");
        }
        for path in [
            begin.clone(),
            format!("/cases/{code}/withdraw"),
            format!("{draft}/file"),
        ] {
            assert_eq!(portal.post(Some(&mai()), &path, &[]).await.status, 404, "{path}");
        }
        assert_eq!(codes(&portal, &mai()).await, Vec::<String>::new());
        assert_eq!(codes(&portal, &lan()).await, std::slice::from_ref(&code));
        let went = portal.post(Some(&lan()), &begin, &[]).await;
        assert_eq!(
            (went.status, went.location()),
            (303, draft.clone()),
            "she goes on with it"
        );
        let page = portal.get(Some(&lan()), &draft).await;
        assert!(page.status == 200 && page.body.contains("Ảnh"), "{}", page.body);
        let new = petition(&portal, &mai()).await;
        let over = choose(&portal, &mai(), &new, &mandate).await;
        let said = if by_day {
            "hết hiệu lực"
        } else {
            "đã chấm dứt"
        };
        assert!(over.status == 422 && over.body.contains(said), "{}", over.body);
    }
}

#[tokio::test]
async fn what_is_filed_is_held_against_the_mandate_in_that_instant() {
    let portal = Portal::new().await;
    let scope = json!(["9.000001"]);
    let mandate = authorised(&portal, &[("procedures", scope), ("to", json!("2026-11-30"))]).await;
    step(&portal, &lan(), &mandate, "confirm").await;
    let copy = copies(&portal, &mai(), LAN).await;
    let narrow = choose(&portal, &mai(), &copy, &mandate).await;
    assert!(
        narrow.status == 422 && narrow.body.contains("không gồm thủ tục 2.000635"),
        "{}",
        narrow.body
    );
    let path = petition(&portal, &mai()).await;
    choose(&portal, &mai(), &path, &mandate).await;
    portal.later(10 * DAY_MS);
    let late = portal.file(&mai(), &path).await;
    assert!(
        late.status == 422 && late.body.contains(&mandate[..8]) && late.body.contains("30-11-2026"),
        "it is named: {}",
        late.body
    );
    assert!(portal.waiting().await.is_empty());
    for (wish, wanted) in [
        (
            json!({"whom": "person", "number": LAN, "name": "Lan", "to": "2027-12-02"}),
            "mandate-to",
        ),
        (
            json!({"whom": "person", "number": LAN, "name": "Lan", "to": "2026-11-30"}),
            "mandate-to",
        ),
        (json!({"whom": "person", "number": LAN}), "field-missing"),
        (
            json!({"whom": "person", "number": "1", "name": "Lan"}),
            "cosign-number",
        ),
        (
            json!({"whom": "guardian", "number": LAN, "name": "Lan"}),
            "mandate-whom",
        ),
        (
            json!({"whom": "person", "number": LAN, "name": "Lan", "procedures": ["1.001193"]}),
            "mandate-procedure",
        ),
    ] {
        let told = ask(&portal, &mai(), &wish).await;
        assert_eq!((told.status, told.problem().as_str()), (422, wanted), "{wish}");
    }
}

#[tokio::test]
async fn a_register_that_denies_at_filing_what_it_said_ends_the_mandate() {
    let portal = Portal::new().await;
    portal.answer("G15", Ok(child("2015-05-06", LAN)));
    let told = ask(&portal, &lan(), &json!({"whom": "child", "number": CHILD})).await;
    let mandate = told.json()["id"].as_str().expect("an id").to_owned();
    let path = copies(&portal, &lan(), "038192000003").await;
    choose(&portal, &lan(), &path, &mandate).await;
    let other = portal.file(&lan(), &path).await;
    assert!(
        other.status == 422 && other.body.contains("Số ghi trong tờ khai"),
        "{}",
        other.body
    );
    let path = copies(&portal, &lan(), CHILD).await;
    choose(&portal, &lan(), &path, &mandate).await;
    portal.answer("G15", Ok(child("2015-05-06", "038192000003")));
    let denied = portal.file(&lan(), &path).await;
    assert!(
        denied.status == 422 && denied.body.contains("Cơ sở dữ liệu phải ghi bạn"),
        "{}",
        denied.body
    );
    let facts = portal.facts(&format!("mandate/{mandate}")).await;
    assert_eq!(facts.last().map(String::as_str), Some("mandate-ended"));
    let list = portal.get(Some(&lan()), "/api/v1/mandates").await.json();
    assert_eq!(list["items"][0]["standing"], "ended");
    portal.answer("G15", Ok(child("2015-05-06", LAN)));
    let again = ask(&portal, &lan(), &json!({"whom": "child", "number": CHILD})).await;
    let mandate = again.json()["id"].as_str().expect("an id").to_owned();
    choose(&portal, &lan(), &path, &mandate).await;
    let went = portal.file(&lan(), &path).await;
    assert_eq!(went.location(), "/cases/G22-261121-0001/pay", "{}", went.body);
}

#[tokio::test]
async fn an_authorisation_on_paper_goes_with_the_case_until_its_giver_refuses_it() {
    let portal = Portal::new().await;
    let fields = [("whom", "person"), ("number", LAN), ("name", "Lan")];
    let bad = portal
        .upload_with(&mai(), "/mandates", &fields, ("a.pdf", b"<html>"))
        .await;
    assert!(
        bad.status == 422 && bad.body.contains("href=\"#file\""),
        "{}",
        bad.body
    );
    let asked = portal
        .upload_with(&mai(), "/mandates", &fields, ("a.pdf", PDF.as_bytes()))
        .await;
    assert_eq!((asked.status, asked.location()), (303, "/mandates".to_owned()));
    let list = portal.get(Some(&mai()), "/api/v1/mandates").await.json();
    let mandate = list["items"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(
        (&list["items"][0]["proof"], &list["items"][0]["in_force"]),
        (&json!("paper"), &json!(true))
    );
    let paper = format!("/mandates/{mandate}/paper");
    for who in [lan(), mai()] {
        assert_eq!(portal.get(Some(&who), &paper).await.body, PDF);
    }
    for (who, status) in [(nam(), 404), (foreign(), 404), (officer(), 403)] {
        assert_eq!(portal.get(Some(&who), &paper).await.status, status);
    }
    assert_eq!(portal.get(None, &paper).await.status, 303);
    let petition = petition(&portal, &mai()).await;
    let word = choose(&portal, &mai(), &petition, &mandate).await;
    assert_eq!(word.status, 422, "a petition takes the giver's word alone");
    let path = copies(&portal, &mai(), LAN).await;
    assert_eq!(choose(&portal, &mai(), &path, &mandate).await.status, 303);
    let code = portal.file(&mai(), &path).await.location();
    let code = code
        .trim_start_matches("/cases/")
        .trim_end_matches("/pay")
        .to_owned();
    portal.answer("H56", Ok((200, json!({"case": code, "received": true}))));
    let deliver = HandOver(portal.cases.clone());
    deliver.deliver(&portal.line(&code)).await.expect("handed over");
    let (_, body) = portal.asked().pop().expect("asked");
    assert_eq!(body["papers"][0]["code"], "mandate");
    assert_eq!(body["representative"]["confirmed"], false);
    assert_eq!(step(&portal, &lan(), &mandate, "refuse").await.status, 200);
    let case = format!("/cases/{code}");
    assert_eq!(portal.get(Some(&mai()), &case).await.status, 404);
    assert_eq!(portal.get(Some(&mai()), &format!("{case}/pay")).await.status, 404);
    assert_eq!(portal.get(Some(&lan()), &case).await.status, 200);
}

#[tokio::test]
async fn registers_tell_of_the_applicant_once_they_have_said_themselves_who_acts_for_them() {
    let mut procedure = (*birth()).clone();
    procedure.represent = vec![Represent {
        whom: Whom::Person,
        proofs: vec![Proof::Paper],
        field: None,
    }];
    let catalogue = Catalogue::of(Vec::new(), vec![procedure], Vec::new()).expect("a day");
    let portal = Portal::new().await.with_catalogue(Arc::new(catalogue));
    let fields = [("whom", "person"), ("number", LAN), ("name", "Lan")];
    portal
        .upload_with(&mai(), "/mandates", &fields, ("a.pdf", PDF.as_bytes()))
        .await;
    let list = portal.get(Some(&mai()), "/api/v1/mandates").await.json();
    let mandate = list["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = portal.start(&mai()).await;
    assert_eq!(choose(&portal, &mai(), &path, &mandate).await.status, 303);
    let prefill = format!("{path}/prefill");
    let went = portal.post(Some(&mai()), &prefill, &[]).await;
    assert_eq!(
        (went.location(), portal.asked().len()),
        (format!("{path}?prefill=none"), 0)
    );
    step(&portal, &lan(), &mandate, "confirm").await;
    portal.post(Some(&mai()), &prefill, &[]).await;
    let asked = portal.asked();
    assert_eq!(asked[0].1, json!({ "personal_number": LAN }));
    assert_eq!(choose(&portal, &mai(), &path, "").await.status, 303);
    let draft = portal.get(Some(&mai()), &format!("/api/v1{path}")).await.json();
    assert_eq!(
        (&draft["mandate"], &draft["prefilled"]),
        (&Value::Null, &json!({})),
        "what was said of her is hers"
    );
}

/// A petition that Mai filed for Lan, as a portal hands it over.
fn handed() -> Value {
    let code = "9.000001".parse().expect("a code");
    let on = testkit::START.date();
    let petition = crate::testing::nouns().catalogue.procedure(&code, on);
    let petition = petition.expect("in force");
    let mut body = crate::desk::testing::handover();
    body["procedure"] = json!(petition.code);
    body["version"] = json!(petition.version());
    body["applicant"] = json!({"account": "", "number": LAN, "name": "Lê Thị Lan"});
    body["answers"] = json!({"about": "place", "field": "transport", "content": "Đường hỏng", "address": "15865 Số 1",
        "phone": "0912345678", "unnamed": "no", "receive_at": "15865"});
    body["papers"] = json!([]);
    body["representative"] = json!({"mandate": "m", "account": "mai", "number": "038192000003", "name": "Lê Thị Mai",
        "whom": "person", "represented": LAN, "from": "2026-11-01", "to": "2026-12-31", "proof": "word", "confirmed": true});
    body
}

#[tokio::test]
async fn a_desk_sees_for_whom_a_case_is_and_by_what_right_and_takes_no_other() {
    let desk = crate::desk::testing::Desk::empty().await;
    for (field, value) in [
        ("to", json!("2026-11-20")),
        ("from", json!("2026-11-22")),
        ("represented", json!("038192000017")),
        ("number", json!(LAN)),
        ("whom", json!("company")),
        ("proof", json!("paper")),
        ("confirmed", json!(false)),
    ] {
        let mut body = handed();
        if field == "proof" {
            body["representative"]["confirmed"] = json!(false);
        }
        body["representative"][field] = value;
        let refused = desk.receive(&body).await.expect_err("refused");
        assert_eq!(refused.code, "case-representative-wrong", "{field}");
    }
    desk.receive(&handed()).await.expect("received");
    desk.receive(&handed()).await.expect("and again");
    let mut other = handed();
    other["representative"]["name"] = json!("Ai đó");
    assert_eq!(
        desk.receive(&other).await.expect_err("altered").code,
        "case-altered"
    );
    let case = desk.json().await;
    assert_eq!(case["representative"]["name"], "Lê Thị Mai");
    let path = format!("/desk/cases/{}", crate::desk::testing::CASE);
    let page = desk.get("tich", &path).await.body;
    for said in ["Lê Thị Lan", "Lê Thị Mai", "người được đại diện tự xác nhận"] {
        assert!(page.contains(said), "{said}: {page}");
    }
}
