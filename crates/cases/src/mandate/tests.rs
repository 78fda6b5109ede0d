//! Saying for whom somebody acts, and who may say whether it is so; what is filed under it is in `filed`.

mod filed;

use serde_json::{Value, json};

use crate::testing::{Answer, Portal, Who, foreign, lan, mai, nam, officer};

/// The personal numbers of the mother and of the father.
const LAN: &str = "038198000001";
const NAM: &str = "038096000002";
const CHILD: &str = "038315000001";
const COMPANY: &str = "9900000016";
const DAY_MS: i64 = 86_400_000;

async fn ask(portal: &Portal, who: &Who, body: &Value) -> Answer {
    portal.post_json(Some(who), "/api/v1/mandates", body).await
}

/// Mai says that Lan authorised her.
async fn authorised(portal: &Portal, more: &[(&str, Value)]) -> String {
    let mut body = json!({"whom": "person", "number": LAN, "name": "Lan"});
    for (name, value) in more {
        body[*name] = value.clone();
    }
    let asked = ask(portal, &mai(), &body).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    asked.json()["id"].as_str().expect("an id").to_owned()
}

async fn step(portal: &Portal, who: &Who, mandate: &str, step: &str) -> Answer {
    portal
        .post_json(
            Some(who),
            &format!("/api/v1/mandates/{mandate}/{step}"),
            &json!({}),
        )
        .await
}

async fn choose(portal: &Portal, who: &Who, path: &str, mandate: &str) -> Answer {
    portal
        .post(Some(who), &format!("{path}/mandate"), &[("mandate", mandate)])
        .await
}

/// A draft of a procedure with these pages answered.
async fn draft(portal: &Portal, who: &Who, procedure: &str, pages: &[(&str, &[(&str, &str)])]) -> String {
    let begun = portal
        .post(Some(who), &format!("/procedures/{procedure}/start"), &[])
        .await;
    let path = begun.location();
    for (page, fields) in pages {
        let revision = portal.revision(who, &path).await;
        let went = portal.page(who, &path, page, revision, fields).await;
        assert_eq!(went.status, 303, "{page}: {}", went.body);
    }
    path
}

/// A petition with nothing missing.
async fn petition(portal: &Portal, who: &Who) -> String {
    let told: &[(&str, &str)] = &[
        ("about", "place"),
        ("field", "transport"),
        ("content", "Đường hỏng"),
    ];
    let you: &[(&str, &str)] = &[
        ("address", "15865 Số 1"),
        ("phone", "0912345678"),
        ("unnamed", "no"),
        ("receive_at", "xã Hoằng Hóa, tỉnh Thanh Hóa"),
    ];
    draft(portal, who, "9.000001", &[("petition", told), ("you", you)]).await
}

fn child(born: &str, mother: &str) -> (u16, Value) {
    let record = json!({"act_number": "1/2015", "child": {"full_name": "Nguyễn Minh Anh", "date_of_birth": born,
        "personal_number": CHILD}, "mother": {"personal_number": mother}, "father": {"personal_number": NAM}});
    (200, json!({ "record": record }))
}

fn company(status: &str) -> (u16, Value) {
    let record = json!({"tax_code": COMPANY, "name": "Công ty Một (mẫu)", "status": status,
        "representative": {"personal_number": LAN, "full_name": "Lê Thị Lan"}});
    (200, json!({ "record": record }))
}

#[tokio::test]
async fn a_father_or_a_mother_acts_for_a_child_until_the_day_before_it_is_of_age() {
    let portal = Portal::new().await;
    let wish = json!({"whom": "child", "number": CHILD});
    portal.answer("G15", Ok(child("2015-05-06", LAN)));
    let asked = ask(&portal, &lan(), &wish).await;
    let told = asked.json();
    assert_eq!(asked.status, 200, "{told}");
    assert_eq!(
        (&told["standing"], &told["proof"], &told["to"], &told["name"]),
        (
            &json!("confirmed"),
            &json!("register"),
            &json!("2033-05-05"),
            &json!("Nguyễn Minh Anh")
        )
    );
    let id = told["id"].as_str().expect("an id");
    let facts = portal.facts(&format!("mandate/{id}")).await;
    assert_eq!(facts, ["mandate-asked", "mandate-confirmed"]);
    assert_eq!(ask(&portal, &nam(), &wish).await.status, 200, "the father too");
    let stranger = ask(&portal, &mai(), &wish).await;
    assert_eq!(
        (stranger.status, stranger.problem().as_str()),
        (422, "mandate-register")
    );
    portal.answer("G15", Ok(child("2008-11-21", LAN)));
    let grown = ask(&portal, &lan(), &wish).await;
    assert_eq!((grown.status, grown.problem().as_str()), (422, "mandate-of-age"));
    portal.answer("G15", Ok((404, json!({"code": "record-not-found"}))));
    let nobody = ask(&portal, &lan(), &wish).await;
    assert_eq!(nobody.problem(), "mandate-register", "nobody is told why");
    let own = ask(&portal, &lan(), &json!({"whom": "child", "number": LAN})).await;
    assert_eq!(own.problem(), "mandate-self");
}

#[tokio::test]
async fn a_company_is_spoken_for_by_its_legal_representative_while_it_is_there() {
    let portal = Portal::new().await;
    let wish = json!({"whom": "company", "number": COMPANY});
    portal.answer("G12", Ok(company("active")));
    let told = ask(&portal, &lan(), &wish).await.json();
    assert_eq!(
        (&told["standing"], &told["name"], &told["to"]),
        (
            &json!("confirmed"),
            &json!("Công ty Một (mẫu)"),
            &json!("2027-11-20")
        )
    );
    let (service, body) = portal.asked().pop().expect("asked");
    assert_eq!(service, "G12/business/business-lookup");
    assert_eq!(
        body,
        json!({"tax_code": COMPANY, "representative.personal_number": LAN})
    );
    portal.answer("G12", Ok(company("dissolved")));
    let over = ask(&portal, &lan(), &wish).await;
    assert_eq!(
        (over.status, over.problem().as_str()),
        (422, "mandate-company-over")
    );
    let open = json!({"record": {"tax_code": COMPANY, "name": "Công ty Một (mẫu)"}});
    portal.answer("G12", Ok((200, open)));
    assert_eq!(ask(&portal, &mai(), &wish).await.problem(), "mandate-register");
    let wrong = json!({"whom": "company", "number": "9900000017"});
    assert_eq!(ask(&portal, &lan(), &wrong).await.problem(), "mandate-tax-code");
}

#[tokio::test]
async fn who_authorised_somebody_says_so_in_a_session_of_their_own_and_nobody_else_does() {
    let portal = Portal::new().await;
    let mandate = authorised(&portal, &[]).await;
    let given = portal.get(Some(&lan()), "/api/v1/mandates").await.json();
    assert_eq!(
        (&given["items"][0]["side"], &given["items"][0]["standing"]),
        (&json!("represented"), &json!("asked"))
    );
    let page = portal.get(Some(&lan()), "/mandates").await.body;
    assert!(page.contains("Lê Thị Mai") && page.contains(&format!("/mandates/{mandate}/confirm")));
    let own = step(&portal, &mai(), &mandate, "confirm").await;
    assert_eq!((own.status, own.problem().as_str()), (403, "mandate-answer"));
    for verb in ["confirm", "refuse", "revoke"] {
        for (who, status) in [(nam(), 404), (foreign(), 404), (officer(), 403)] {
            assert_eq!(step(&portal, &who, &mandate, verb).await.status, status, "{verb}");
        }
        let path = format!("/mandates/{mandate}/{verb}");
        assert_eq!(portal.post(None, &path, &[]).await.status, 303);
        assert_eq!(
            portal
                .post_json(None, &format!("/api/v1{path}"), &json!({}))
                .await
                .status,
            401
        );
    }
    let path = petition(&portal, &mai()).await;
    let early = choose(&portal, &mai(), &path, &mandate).await;
    assert!(
        early.status == 422 && early.body.contains("chưa xác nhận"),
        "{}",
        early.body
    );
    for _ in 0..2 {
        let path = format!("/mandates/{mandate}/confirm");
        assert_eq!(portal.post(Some(&lan()), &path, &[]).await.status, 303);
    }
    let facts = portal.facts(&format!("mandate/{mandate}")).await;
    assert_eq!(facts, ["mandate-asked", "mandate-confirmed"], "said once");
    assert_eq!(choose(&portal, &mai(), &path, &mandate).await.status, 303);
    let page = portal.get(Some(&mai()), &path).await.body;
    assert!(page.contains("Cho Lê Thị Lan"), "by her own name now: {page}");
    assert_eq!(choose(&portal, &mai(), &path, "none").await.status, 404);
    let others = petition(&portal, &nam()).await;
    assert_eq!(
        choose(&portal, &nam(), &others, &mandate).await.status,
        404,
        "another's mandate does not exist"
    );
    assert_eq!(portal.get(None, "/mandates").await.status, 303);
    assert_eq!(portal.get(None, "/api/v1/mandates").await.status, 401);
    let none = portal.get(Some(&nam()), "/mandates").await.body;
    assert!(none.contains("Bạn không đại diện cho ai"), "{none}");
}

#[tokio::test]
async fn mandates_are_bounded_and_read_page_by_page() {
    let portal = Portal::with_page_rows(2).await;
    for number in [LAN, NAM, "038192000017"] {
        let wish = json!({"whom": "person", "number": number, "name": "Ai"});
        portal.later(1_000);
        assert_eq!(ask(&portal, &mai(), &wish).await.status, 200);
    }
    let first = portal.get(Some(&mai()), "/api/v1/mandates").await.json();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let next = first["next"].as_str().expect("a next page");
    let last = portal
        .get(Some(&mai()), &format!("/api/v1/mandates?after={next}"))
        .await
        .json();
    assert_eq!(
        (&last["items"][0]["represented"], &last["next"]),
        (&json!(LAN), &Value::Null)
    );
    assert_eq!(portal.get(Some(&mai()), "/mandates?after=x").await.status, 422);
    let max = portal.cases.store.limits().mandate_asks_max;
    for _ in 3..max {
        ask(
            &portal,
            &mai(),
            &json!({"whom": "person", "number": LAN, "name": "Ai"}),
        )
        .await;
    }
    let many = ask(
        &portal,
        &mai(),
        &json!({"whom": "person", "number": LAN, "name": "Ai"}),
    )
    .await;
    assert_eq!((many.status, many.problem().as_str()), (429, "mandate-asks-many"));
}
