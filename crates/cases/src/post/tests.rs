//! The result by post from the choice to the parcel, a sentence a test; at the portal and at the desk.

use serde_json::{Value, json};

use super::{Fate, Outcome};
use crate::desk::testing::{API, CASE, Desk, handover, pack_templates};
use crate::testing::{Answer, Portal, lan, mai, officer};

const ADDRESS: &str = "15865 Thôn 3";
const NUMBER: &str = "RA123456785VN";

fn wish(address: &str) -> Value {
    json!({"by_post": true, "post_address": address, "post_phone": "+84 912 345 678"})
}

/// A desk that was handed a case whose result is wished by post.
async fn wished() -> Desk {
    let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
    let mut body = handover();
    body["post"] = json!({"address": ADDRESS, "phone": "0912345678"});
    desk.receive(&body).await.expect("received");
    desk
}

/// A desk whose result waits for the post.
async fn ready() -> Desk {
    let desk = wished().await;
    desk.to_sign().await;
    let sealed = desk.sign_and_seal().await;
    assert_eq!(sealed.status, 200, "{}", sealed.body);
    desk
}

async fn hand_over(desk: &Desk, who: &str, number: &str) -> Answer {
    desk.verb(who, "post", json!({"parcel": number})).await
}

async fn heard_of(desk: &Desk, outcome: &str, on: &str) -> Answer {
    desk.verb("tiep", "parcel", json!({"outcome": outcome, "on": on}))
        .await
}

#[test]
fn only_what_came_back_is_given_at_the_desk_and_what_was_delivered_stays_so() {
    let day = "2026-11-25";
    let back = Fate::OnItsWay.with(Outcome::CameBack, day).expect("it came back");
    assert_eq!(Fate::OnItsWay.with(Outcome::Given, day), None);
    assert_eq!(back.next(), [Outcome::Given]);
    let delivered = Fate::OnItsWay.with(Outcome::Delivered, day).expect("delivered");
    assert_eq!(delivered.next(), []);
    let given = back.with(Outcome::Given, "2026-11-26").expect("given");
    assert_eq!((given.word(), given.on()), ("given", Some("2026-11-26")));
    let text = serde_json::to_string(&given).expect("json");
    assert_eq!(serde_json::from_str::<Fate>(&text).expect("reads back"), given);
}

#[tokio::test]
async fn an_applicant_chooses_the_post_before_filing_and_it_goes_with_the_case() {
    let portal = Portal::new().await;
    let path = portal.whole(&lan()).await;
    let form = portal.get(Some(&lan()), &format!("{path}/post")).await;
    assert!(
        form.status == 200 && form.body.contains("30.000") && form.body.contains("45.000"),
        "what the post takes stands there: {}",
        form.body
    );
    let boxes = [
        ("return_by", "post"),
        ("post_address-province", "38"),
        ("post_address-commune", "hoang hoa"),
        ("post_phone", "12"),
    ];
    let wrong = portal.post(Some(&lan()), &format!("{path}/post"), &boxes).await;
    assert_eq!(wrong.status, 422);
    for shown in [
        r##"href="#post_address""##,
        r##"href="#post_phone""##,
        r#"value="hoang hoa""#,
    ] {
        assert!(wrong.body.contains(shown), "{shown}: {}", wrong.body);
    }
    let right = [
        ("return_by", "post"),
        ("post_address-province", "38"),
        ("post_address-commune", "hoang hoa"),
        ("post_address-line", "Thôn 3"),
    ];
    let kept = portal.post(Some(&lan()), &format!("{path}/post"), &right).await;
    assert_eq!((kept.status, kept.location()), (303, format!("{path}/check")));
    let check = portal.get(Some(&lan()), &format!("{path}/check")).await.body;
    assert!(check.contains("Thôn 3, Xã Hoằng Hóa, Tỉnh Thanh Hóa"), "{check}");
    let told = portal
        .get(Some(&lan()), &format!("/api/v1{path}/post"))
        .await
        .json();
    assert_eq!(
        (&told["by_post"], &told["dong"], &told["days"]),
        (&json!(true), &json!(30_000), &json!(2)),
        "the commune is of the agency's province"
    );
    let filed = portal.file(&lan(), &path).await.location();
    let code = filed.trim_start_matches("/cases/").trim_end_matches("?filed=1");
    let line = portal.line(code);
    portal.answer("H56", Ok((200, json!({"case": code, "received": true}))));
    let deliver = crate::handover::HandOver(portal.cases.clone());
    ::store::Deliver::deliver(&deliver, &line)
        .await
        .expect("handed over");
    let asked = portal.asked();
    let (_, body) = asked.last().expect("asked");
    assert_eq!(body["post"], json!({"address": ADDRESS}));
    let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
    assert!(page.contains("Thôn 3, Xã Hoằng Hóa") && page.contains(&format!("/cases/{code}/post")));
}

#[tokio::test]
async fn a_choice_exists_for_its_applicant_alone() {
    let portal = Portal::new().await;
    let code = portal.filed(&lan()).await;
    let draft = portal.whole(&lan()).await;
    for path in [format!("{draft}/post"), format!("/cases/{code}/post")] {
        let api = format!("/api/v1{path}");
        for at in [&path, &api] {
            assert_eq!(portal.get(Some(&mai()), at).await.status, 404, "{at}");
            assert_eq!(portal.get(Some(&officer()), at).await.status, 403, "{at}");
        }
        assert_eq!(portal.get(None, &path).await.status, 303);
        assert_eq!(portal.get(None, &api).await.status, 401);
        assert_eq!(
            portal.post_json(Some(&mai()), &api, &wish(ADDRESS)).await.status,
            404
        );
        assert_eq!(portal.post(Some(&mai()), &path, &[]).await.status, 404);
        assert_eq!(portal.post_json(None, &api, &wish(ADDRESS)).await.status, 401);
        let kept = portal.post_json(Some(&lan()), &api, &wish(ADDRESS)).await;
        assert_eq!(kept.status, 200, "{}", kept.body);
        assert_eq!(kept.json()["phone"], "0912345678");
    }
}

#[tokio::test]
async fn after_filing_the_choice_is_changed_until_the_result_is_there_and_so_often_at_most() {
    let portal = Portal::new().await;
    let code = portal.filed(&lan()).await;
    let api = format!("/api/v1/cases/{code}/post");
    let choose = async |body: Value| portal.post_json(Some(&lan()), &api, &body).await;
    for (body, refusal) in [
        (json!({"by_post": true}), "field-missing"),
        (wish("15865"), "post-address-line"),
        (wish("Xã Không Có, Tỉnh Không Có"), "commune-unknown"),
    ] {
        let refused = choose(body.clone()).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (422, refusal),
            "{body}"
        );
    }
    assert_eq!(choose(wish(ADDRESS)).await.status, 200);
    assert_eq!(choose(wish(ADDRESS)).await.status, 200, "sent twice, it is one");
    let none = json!({"by_post": false});
    assert_eq!(choose(none.clone()).await.json()["by_post"], false);
    let facts = portal.facts(&format!("case/{code}")).await;
    let sent = facts
        .iter()
        .filter(|fact| *fact == "case-submission-made")
        .count();
    assert_eq!(sent, 2);
    let max = portal.cases.store.limits().case_post_changes_max;
    for number in 2..max {
        let address = wish(&format!("15865 Thôn {number}"));
        assert_eq!(choose(address).await.status, 200);
    }
    let many = choose(wish("15865 Thôn cuối")).await;
    assert_eq!((many.status, many.problem().as_str()), (429, "post-changes-many"));
    for (seq, status) in [(1, 2), (2, 4), (3, 9)] {
        let note = json!({"seq": seq, "status": status});
        portal.note(&code, note).await.expect("noted");
    }
    let late = choose(none).await;
    assert_eq!(
        (late.status, late.problem().as_str()),
        (409, "case-post-too-late")
    );
    let page = portal.get(Some(&lan()), &format!("/cases/{code}/post")).await;
    assert_eq!((page.status, page.location()), (303, format!("/cases/{code}")));
}

#[tokio::test]
async fn a_result_by_post_waits_for_it_and_handing_it_over_ends_the_case() {
    let desk = ready().await;
    assert_eq!(desk.state().await, "decided", "the platform gives it to nobody");
    let due = desk.row().await.due_at;
    let list = desk.get("tiep", "/api/v1/desk/post").await.json();
    assert_eq!(list["items"][0]["code"], CASE);
    assert_eq!(
        list["items"][0]["address"],
        "Thôn 3, Xã Hoằng Hóa, Tỉnh Thanh Hóa"
    );
    let page = desk.get("tiep", "/desk/post").await;
    assert!(
        page.status == 200 && page.body.contains("0912345678"),
        "{}",
        page.body
    );
    let looks = desk.facts_of("post/H56.15865").await;
    assert_eq!(looks, ["case-post-list-viewed", "case-post-list-viewed"]);
    let slip = desk
        .get("tiep", &format!("/desk/cases/{CASE}/shipping-slip"))
        .await;
    assert!(
        slip.status == 200 && slip.bytes.starts_with(b"%PDF"),
        "{}",
        slip.body
    );
    for (number, code) in [("", "post-parcel-bad"), ("số 1", "post-parcel-bad")] {
        let refused = hand_over(&desk, "tiep", number).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (422, code),
            "{number}"
        );
    }
    let handed = hand_over(&desk, "tiep", "ra 123456785 vn").await;
    assert_eq!(handed.status, 200, "{}", handed.body);
    let case = handed.json();
    assert_eq!(
        (&case["state"], &case["status"]),
        (&json!("returned"), &json!(10))
    );
    assert_eq!(
        (&case["post"]["parcel"], &case["post"]["fate"]),
        (&json!(NUMBER), &json!("on-its-way"))
    );
    assert_eq!(
        hand_over(&desk, "tiep", NUMBER).await.status,
        200,
        "pressed twice"
    );
    let facts = desk.facts().await;
    assert_eq!(facts.iter().filter(|fact| *fact == "case-posted").count(), 1);
    assert_eq!(desk.state().await, "returned");
    assert_eq!(desk.row().await.due_at, due, "the post's days move no date");
    assert!(desk.deliver().await.is_empty());
    let told = desk.nation.asked_of("note-status");
    let posted = json!({"kind": "posted", "parcel": NUMBER, "days": 2});
    assert!(told.iter().any(|note| note["notice"] == posted), "{told:?}");
    let gone = desk.get("tiep", "/api/v1/desk/post").await.json();
    assert_eq!(gone["items"], json!([]));
    let with_the_post = desk.get("tiep", "/api/v1/desk/post?stage=posted").await.json();
    assert_eq!(with_the_post["items"][0]["parcel"], NUMBER);
}

#[tokio::test]
async fn a_parcel_that_came_back_is_given_at_the_desk_and_each_has_its_day() {
    let desk = ready().await;
    let early = heard_of(&desk, "delivered", "").await;
    assert_eq!((early.status, early.problem().as_str()), (409, "post-not-posted"));
    assert_eq!(hand_over(&desk, "tiep", NUMBER).await.status, 200);
    desk.temp.clock.advance_ms(3 * 86_400_000);
    for (outcome, on, status, code) in [
        ("lost", "", 422, "post-outcome"),
        ("given", "", 409, "post-outcome-not-now"),
        ("came-back", "2026-11-20", 422, "post-day"),
        ("came-back", "2026-12-31", 422, "post-day"),
        ("came-back", "hôm qua", 422, "date-bad"),
    ] {
        let refused = heard_of(&desk, outcome, on).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (status, code),
            "{outcome} {on}"
        );
    }
    let back = heard_of(&desk, "came-back", "2026-11-25").await;
    assert_eq!(back.status, 200, "{}", back.body);
    assert_eq!(
        heard_of(&desk, "came-back", "").await.status,
        200,
        "pressed twice"
    );
    let list = desk.get("tiep", "/api/v1/desk/post?stage=came-back").await.json();
    assert_eq!(list["items"][0]["code"], CASE);
    let page = desk.get("tiep", &format!("/desk/cases/{CASE}")).await.body;
    assert!(page.contains("25/11/2026"), "{page}");
    let given = heard_of(&desk, "given", "").await.json();
    assert_eq!(
        (&given["post"]["fate"], &given["post"]["on"]),
        (&json!("given"), &json!("2026-11-26"))
    );
    let delivered = heard_of(&desk, "delivered", "").await;
    assert_eq!(delivered.problem(), "post-outcome-not-now");
    let facts = desk.facts().await;
    assert_eq!(
        facts.iter().filter(|fact| *fact == "case-parcel-ended").count(),
        2
    );
    assert_eq!(desk.state().await, "returned");
    assert!(desk.deliver().await.is_empty());
}

#[tokio::test]
async fn only_who_hands_results_over_sees_the_list_and_sends_them() {
    let desk = ready().await;
    for (who, status) in [("tich", 403), ("chu", 403), ("ban", 403), ("xa", 404), ("", 401)] {
        let list = desk.get(who, "/api/v1/desk/post").await;
        assert_eq!(list.status, status, "{who}");
        assert_eq!(hand_over(&desk, who, NUMBER).await.status, status, "{who}");
        let heard = desk.verb(who, "parcel", json!({"outcome": "delivered"})).await;
        assert_eq!(heard.status, status, "{who}");
        let slip = desk.get(who, &format!("/desk/cases/{CASE}/shipping-slip")).await;
        assert_eq!(slip.status, if who.is_empty() { 303 } else { status }, "{who}");
    }
    assert_eq!(desk.get("", "/desk/post").await.status, 303);
    assert_eq!(desk.get("tiep", "/desk/post?stage=lost").await.status, 404);
    let plain = Desk::new().await;
    plain.to_sign().await;
    let refused = hand_over(&plain, "tiep", NUMBER).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "post-not-wished")
    );
    let slip = plain
        .get("tiep", &format!("/desk/cases/{CASE}/shipping-slip"))
        .await;
    assert_eq!(slip.status, 404);
}

#[tokio::test]
async fn the_owner_takes_a_choice_until_the_result_is_signed() {
    let desk = Desk::new().await;
    desk.accept().await;
    let due = desk.row().await.due_at;
    let said = |address: Option<&str>| match address {
        Some(address) => json!({"kind": "post", "wish": {"address": address}}),
        None => json!({"kind": "post"}),
    };
    let bad = desk.submit(1, said(Some("15865")), &json!([])).await;
    assert_eq!(
        (&bad["taken"], &bad["why"]),
        (&json!(false), &json!("post-address-line"))
    );
    let taken = desk.submit(2, said(Some("14623 Thôn 1")), &json!([])).await;
    assert_eq!(taken["taken"], true, "{taken}");
    let post = desk.json().await["post"].clone();
    assert_eq!(
        (&post["dong"], &post["days"]),
        (&json!(45_000), &json!(4)),
        "to another province"
    );
    assert_eq!(desk.row().await.due_at, due);
    assert_eq!(desk.submit(3, said(None), &json!([])).await["taken"], true);
    assert_eq!(desk.json().await["post"], Value::Null);
    let facts = desk.facts().await;
    assert_eq!(facts.iter().filter(|fact| *fact == "case-post-wished").count(), 2);
    desk.granted("").await;
    desk.deliver().await;
    assert_eq!(desk.sign_and_seal().await.status, 200);
    let seq = {
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let code = crate::desk::testing::code();
        crate::store::last_submission(&reader, &code).await.expect("read") + 1
    };
    let late = desk.submit(seq, said(Some(ADDRESS)), &json!([])).await;
    assert_eq!(
        (&late["taken"], &late["why"]),
        (&json!(false), &json!("case-post-too-late"))
    );
}

#[tokio::test]
async fn a_number_is_one_parcels_and_an_address_that_is_none_is_not_received() {
    let desk = Desk::empty().await;
    let mut body = handover();
    body["post"] = json!({"address": "Thôn 3"});
    let refused = desk.receive(&body).await.expect_err("refused");
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        ("answer-address", Some("post"))
    );
    assert_eq!(desk.get("tich", API).await.status, 404);
}

#[tokio::test]
async fn the_applicant_is_told_of_the_parcel_by_its_number() {
    let portal = Portal::new().await;
    let code = portal.filed(&lan()).await;
    for (seq, status) in [(1, 2), (2, 4), (3, 9)] {
        let note = json!({"seq": seq, "status": status});
        portal.note(&code, note).await.expect("noted");
    }
    let posted = json!({"kind": "posted", "parcel": NUMBER, "days": 2});
    portal
        .note(&code, json!({"seq": 4, "status": 10, "notice": posted}))
        .await
        .expect("noted");
    let back = json!({"kind": "parcel-ended", "parcel": NUMBER, "outcome": "came-back", "on": "2026-11-25"});
    portal
        .note(&code, json!({"seq": 5, "status": 10, "notice": back}))
        .await
        .expect("noted");
    let page = portal.get(Some(&lan()), &format!("/cases/{code}")).await.body;
    assert!(page.contains(NUMBER) && page.contains("chuyển hoàn"), "{page}");
    let inbox = portal.get(Some(&lan()), "/inbox").await.body;
    assert!(
        inbox.contains(NUMBER) && inbox.contains("bộ phận một cửa"),
        "{inbox}"
    );
}
