//! Tests of a version written as a form: by pages and by a program, by who may and by who may not.

use serde_json::{Value, json};

use crate::testing::{Portal, birth, designer, foreign, lan, officer, pack, publisher};

const API: &str = "/api/v1/designs";

fn text() -> String {
    let file = pack().join("procedures/1.001193.toml");
    std::fs::read_to_string(file).expect("a file of the pack")
}

/// A version with a document that the designer has begun.
async fn begun(portal: &Portal, document: &str) -> String {
    let new = portal
        .post_json(Some(&designer()), API, &json!({"document": document}))
        .await;
    assert_eq!(new.status, 200, "{}", new.body);
    new.json()["id"].as_str().expect("an id").to_owned()
}

async fn document(portal: &Portal, id: &str) -> String {
    let seen = portal.get(Some(&designer()), &format!("{API}/{id}")).await.json();
    seen["document"].as_str().expect("a text").to_owned()
}

fn part<'a>(form: &'a Value, address: &str) -> &'a Value {
    let parts = form["parts"].as_array().expect("parts");
    let found = parts.iter().find(|part| part["part"] == address);
    found.unwrap_or_else(|| panic!("{address} in {form}"))
}

#[tokio::test]
async fn a_question_is_changed_moved_and_taken_out_on_pages_without_script() {
    let portal = Portal::new().await;
    let id = begun(&portal, &text()).await;
    let path = format!("/designs/{id}/form");
    let page = portal.get(Some(&designer()), &path).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for seen in [
        "id=\"pages-0-questions-0\"",
        "role=\"img\"",
        "<caption>Các bước giữa các trạng thái</caption>",
        "/form/pages.0.questions.new",
        "value=\"down\"",
    ] {
        assert!(page.body.contains(seen), "{seen} in {}", page.body);
    }
    assert!(!page.body.contains("style="), "the content policy forbids it");
    let one = format!("{path}/pages.0.questions.0");
    let shown = portal.get(Some(&designer()), &one).await;
    assert!(shown.body.contains("for=\"label-vi\""), "{}", shown.body);
    let fields = [
        ("revision", "1"),
        ("act", "save"),
        ("code", "child_name"),
        ("label-vi", "Tên của trẻ"),
        ("label-en", "The child’s name"),
        ("heading-vi", "Họ tên và giới tính"),
        ("heading-en", "Name and sex"),
        ("kind", "name"),
        ("required", "yes"),
    ];
    let went = portal.post(Some(&designer()), &one, &fields).await;
    assert_eq!(
        (went.status, went.location()),
        (303, format!("{path}#pages-0-questions-0"))
    );
    let saved = document(&portal, &id).await;
    assert!(
        saved.contains("label = { vi = \"Tên của trẻ\", en = \"The child’s name\" }"),
        "{saved}"
    );
    assert!(
        !saved.contains("ví dụ: Nguyễn Thị Minh Anh"),
        "the hint was emptied"
    );
    for (revision, act) in [("2", "down"), ("3", "up"), ("4", "remove")] {
        let fields = [("revision", revision), ("act", act)];
        let address = if act == "up" {
            format!("{path}/pages.0.questions.1")
        } else {
            one.clone()
        };
        let went = portal.post(Some(&designer()), &address, &fields).await;
        assert_eq!(went.status, 303, "{act}: {}", went.body);
    }
    assert!(!document(&portal, &id).await.contains("code = \"child_name\""));
    assert_eq!(portal.facts(&format!("design/{id}")).await.len(), 5);
}

#[tokio::test]
async fn what_is_wrong_stands_beside_the_part_it_is_wrong_with() {
    let portal = Portal::new().await;
    let id = begun(&portal, &text().replacen("status = 9", "status = 99", 1)).await;
    let form = portal
        .get(Some(&designer()), &format!("{API}/{id}/form"))
        .await
        .json();
    assert_eq!(
        part(&form, "states.decided")["faults"][0]["rule"],
        "status-unknown",
        "{form}"
    );
    assert_eq!(part(&form, "states.accepted")["faults"], json!([]));
    let page = portal
        .get(Some(&designer()), &format!("/designs/{id}/form/states.decided"))
        .await;
    assert!(page.body.contains("status-unknown"), "{}", page.body);
    let wrong = [("revision", "1"), ("act", "save"), ("status", "chín")];
    let again = portal
        .post(
            Some(&designer()),
            &format!("/designs/{id}/form/states.decided"),
            &wrong,
        )
        .await;
    assert_eq!(again.status, 422, "{}", again.body);
    assert!(
        again.body.contains("value=\"chín\""),
        "nothing typed is lost: {}",
        again.body
    );
    let unread = begun(&portal, "code = \"1.001193\"\nname =").await;
    let page = portal
        .get(Some(&designer()), &format!("/designs/{unread}/form"))
        .await;
    assert!(page.status == 200 && page.body.contains("TOML"), "{}", page.body);
    let refused = portal
        .get(Some(&designer()), &format!("/designs/{unread}/form/head"))
        .await;
    assert_eq!(refused.status, 409);
}

#[tokio::test]
async fn a_program_adds_a_paper_and_the_document_stays_sound() {
    let portal = Portal::new().await;
    let id = begun(&portal, &text()).await;
    let values = json!({"code": "CCCD", "name-vi": "Thẻ căn cước", "name-en": "Identity card"});
    let body = json!({"act": "save", "revision": 1, "values": values});
    let path = format!("{API}/{id}/form/papers.new");
    let done = portal.post_json(Some(&designer()), &path, &body).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let form = done.json();
    assert_eq!(part(&form, "papers.1")["values"]["name-en"], "Identity card");
    let faults = form["parts"]
        .as_array()
        .expect("parts")
        .iter()
        .flat_map(|p| p["faults"].as_array());
    assert_eq!(faults.flatten().count(), 0, "{form}");
    assert_eq!(form["faults"], json!([]));
}

#[tokio::test]
async fn a_page_is_seen_as_the_citizen_will_see_it() {
    let portal = Portal::new().await;
    let id = begun(&portal, &text()).await;
    let seen = portal
        .get(Some(&publisher()), &format!("/designs/{id}/preview/child"))
        .await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    let label = &birth().pages[0].questions[0].label.vi;
    assert!(seen.body.contains(label.as_str()) && seen.body.contains("/preview/parents"));
    assert!(
        !seen.body.contains("<form class=\"two-thirds\""),
        "nothing can be sent"
    );
    let none = portal
        .get(Some(&publisher()), &format!("/designs/{id}/preview/none"))
        .await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn the_form_is_written_by_designers_alone_while_it_is_a_draft() {
    let portal = Portal::new().await;
    let id = begun(&portal, &text()).await;
    let (page, one) = (format!("/designs/{id}/form"), format!("{API}/{id}/form/papers.0"));
    let body = json!({"act": "save", "revision": 1, "values": {"code": "X"}});
    for path in [
        &page,
        &format!("{API}/{id}/form"),
        &format!("{page}/head"),
        &format!("/designs/{id}/preview/child"),
    ] {
        let nobody = if path.starts_with("/api") { 401 } else { 303 };
        assert_eq!(portal.get(None, path).await.status, nobody, "{path}");
        assert_eq!(portal.get(Some(&foreign()), path).await.status, 404, "{path}");
        for who in [lan(), officer()] {
            assert_eq!(portal.get(Some(&who), path).await.status, 403, "{path}");
        }
    }
    let seen = portal.get(Some(&publisher()), &page).await;
    assert!(
        seen.status == 200 && !seen.body.contains("name=\"act\""),
        "a publisher reads"
    );
    let refused = portal.post_json(Some(&publisher()), &one, &body).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "role-missing")
    );
    let stale = json!({"act": "save", "revision": 7, "values": {"code": "X"}});
    assert_eq!(
        portal.post_json(Some(&designer()), &one, &stale).await.status,
        409
    );
    let unknown = json!({"act": "sing", "revision": 1});
    let refused = portal.post_json(Some(&designer()), &one, &unknown).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (422, "design-form-act")
    );
    let nowhere = portal
        .post_json(Some(&designer()), &format!("{API}/{id}/form/papers.9"), &body)
        .await;
    assert_eq!(nowhere.status, 404);
    let step = json!({"step": "submit", "revision": 1});
    let done = portal
        .post_json(Some(&designer()), &format!("{API}/{id}/steps"), &step)
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
    let handed = json!({"act": "save", "revision": 2, "values": {"code": "X"}});
    let refused = portal.post_json(Some(&designer()), &one, &handed).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (409, "design-step-not-now")
    );
}
