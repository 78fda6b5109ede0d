//! A draft that a second person signs, from the asking to the case.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Catalogue;
use crate::testing::{Answer, Portal, Who, birth, foreign, lan, mai, nam, officer};

/// The father's personal number.
const FATHER: &str = "038096000002";

/// A portal whose birth registration waits for both parents.
async fn both_parents() -> Portal {
    let mut procedure = (*birth()).clone();
    procedure.cosign = vec!["mother_number".to_owned(), "father_number".to_owned()];
    let catalogue = Catalogue::of(Vec::new(), vec![procedure], Vec::new()).expect("a day");
    Portal::new().await.with_catalogue(Arc::new(catalogue))
}

async fn ask(portal: &Portal, path: &str, number: &str) -> Answer {
    let api = format!("/api/v1{path}/cosigners");
    portal
        .post_json(Some(&lan()), &api, &json!({ "number": number }))
        .await
}

fn asked(path: &str) -> String {
    path.replace("/drafts/", "/api/v1/asked/")
}

async fn look(portal: &Portal, who: &Who, path: &str) -> Value {
    portal.get(Some(who), &asked(path)).await.json()
}

async fn sign(portal: &Portal, who: &Who, path: &str, revision: i64) -> Answer {
    let path = format!("{}/sign", asked(path));
    portal
        .post_json(Some(who), &path, &json!({ "revision": revision }))
        .await
}

#[tokio::test]
async fn filing_waits_for_the_other_parent_who_signs_what_they_were_shown() {
    let portal = both_parents().await;
    let path = portal.whole(&lan()).await;
    let told = portal.file(&lan(), &path).await;
    assert!(
        told.status == 422 && told.body.contains("còn chờ 1 người cùng ký"),
        "{}",
        told.body
    );
    let page = portal.get(Some(&lan()), &format!("{path}/cosigners")).await.body;
    assert!(page.contains(FATHER) && page.contains("còn thiếu 1"), "{page}");
    let list = ask(&portal, &path, FATHER).await;
    assert_eq!((list.status, &list.json()["missing"]), (200, &json!(1)));
    assert_eq!(
        portal.file(&lan(), &path).await.status,
        422,
        "asked is not signed"
    );
    let mine = portal.get(Some(&nam()), "/api/v1/asked").await.json();
    assert_eq!(
        (&mine["items"][0]["standing"], &mine["items"][0]["asker"]),
        (&json!("waiting"), &json!("Lê Thị Lan"))
    );
    let shown = look(&portal, &nam(), &path).await;
    assert_eq!(shown["answers"]["child_name"], "Nguyễn Minh Anh");
    let revision = shown["revision"].as_i64().expect("a number");
    assert_eq!(sign(&portal, &nam(), &path, revision).await.status, 200);
    assert_eq!(
        sign(&portal, &nam(), &path, revision).await.status,
        200,
        "once more is the same"
    );
    let filed = portal.file(&lan(), &path).await;
    assert_eq!(filed.status, 303, "{}", filed.body);
    let code = filed.location();
    let code = code.trim_start_matches("/cases/").trim_end_matches("?filed=1");
    let reader = portal
        .cases
        .store
        .read(&portal.cases.tenant)
        .await
        .expect("a reader");
    let held = crate::store::case(&reader, &code.parse().expect("a code")).await;
    let cosigned = held.expect("read").expect("a case").case.course.cosigned;
    let names: Vec<&str> = cosigned.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Nguyễn Văn Nam"]);
    let over = portal.get(Some(&nam()), &asked(&path)).await;
    assert_eq!((over.status, over.problem().as_str()), (409, "cosign-over"));
    assert_eq!(ask(&portal, &path, "038192000003").await.status, 409);
}

#[tokio::test]
async fn any_change_undoes_a_signature_and_only_what_was_shown_is_signed() {
    let portal = both_parents().await;
    let path = portal.whole(&lan()).await;
    ask(&portal, &path, FATHER).await;
    let now = portal.revision(&lan(), &path).await;
    let unseen = sign(&portal, &nam(), &path, now).await;
    assert_eq!(
        (unseen.status, unseen.problem().as_str()),
        (409, "cosign-changed")
    );
    look(&portal, &nam(), &path).await;
    assert_eq!(sign(&portal, &nam(), &path, now).await.status, 200);
    let relation = [
        ("declarant_relation", "mother"),
        ("receive_at", "xã Hoằng Hóa, tỉnh Thanh Hóa"),
    ];
    portal.page(&lan(), &path, "declarant", now, &relation).await;
    let list = portal
        .get(Some(&lan()), &format!("/api/v1{path}/cosigners"))
        .await
        .json();
    assert_eq!(
        (&list["items"][0]["standing"], &list["missing"]),
        (&json!("undone"), &json!(1))
    );
    assert_eq!(portal.file(&lan(), &path).await.status, 422);
    let form = path.replace("/drafts/", "/asked/");
    let now = now.to_string();
    let stale = portal
        .post(
            Some(&nam()),
            &format!("{form}/sign"),
            &[("revision", now.as_str())],
        )
        .await;
    assert!(
        stale.status == 409 && stale.body.contains("Chỉ ký được nội dung vừa xem"),
        "{}",
        stale.body
    );
}

#[tokio::test]
async fn a_draft_is_shown_to_who_was_asked_alone_and_each_look_leaves_a_trace() {
    let portal = Portal::new().await;
    let path = portal.whole(&lan()).await;
    ask(&portal, &path, FATHER).await;
    for (who, status) in [(mai(), 404), (lan(), 404), (foreign(), 404), (officer(), 403)] {
        assert_eq!(portal.get(Some(&who), &asked(&path)).await.status, status);
        assert_eq!(sign(&portal, &who, &path, 1).await.status, status);
        let refuse = format!("{}/refuse", asked(&path));
        assert_eq!(
            portal.post_json(Some(&who), &refuse, &json!({})).await.status,
            status
        );
    }
    assert_eq!(portal.get(None, &asked(&path)).await.status, 401);
    assert_eq!(portal.get(None, "/asked").await.status, 303);
    let list = portal.get(Some(&mai()), "/asked").await.body;
    assert!(list.contains("Không ai nhờ bạn ký"), "{list}");
    let page = portal
        .get(Some(&nam()), &path.replace("/drafts/", "/asked/"))
        .await;
    assert!(
        page.status == 200 && page.body.contains("Nguyễn Minh Anh"),
        "{}",
        page.body
    );
    let subject = path.trim_start_matches('/').replacen("drafts/", "draft/", 1);
    let facts = portal.facts(&subject).await;
    let last: Vec<&str> = facts.iter().rev().take(2).map(String::as_str).collect();
    assert_eq!(last, ["draft-cosign-viewed", "draft-cosign-asked"]);
}

#[tokio::test]
async fn who_is_asked_is_somebody_else_and_may_refuse_and_be_asked_no_more() {
    let portal = Portal::new().await;
    let path = portal.start(&lan()).await;
    for (number, wanted) in [("x", "cosign-number"), ("038198000001", "cosign-self")] {
        let told = ask(&portal, &path, number).await;
        assert_eq!((told.status, told.problem().as_str()), (422, wanted));
    }
    ask(&portal, &path, FATHER).await;
    let refuse = format!("{}/refuse", path.replace("/drafts/", "/asked/"));
    assert_eq!(portal.post(Some(&nam()), &refuse, &[]).await.status, 303);
    let api = format!("/api/v1{path}/cosigners");
    let list = portal.get(Some(&lan()), &api).await.json();
    assert_eq!(list["items"][0]["standing"], "refused");
    for who in [mai(), foreign()] {
        assert_eq!(portal.get(Some(&who), &api).await.status, 404);
        let number = json!({ "number": FATHER });
        for verb in ["", "/remove"] {
            let told = portal
                .post_json(Some(&who), &format!("{api}{verb}"), &number)
                .await;
            assert_eq!(told.status, 404);
        }
    }
    let number = [("number", FATHER)];
    let remove = format!("{path}/cosigners/remove");
    assert_eq!(portal.post(Some(&lan()), &remove, &number).await.status, 303);
    assert_eq!(portal.post(Some(&lan()), &remove, &number).await.status, 404);
    let mine = portal.get(Some(&nam()), "/api/v1/asked").await.json();
    assert_eq!(mine["items"], json!([]));
    let max = portal.cases.store.limits().cosigners_max;
    for nth in 0..=max {
        let told = ask(&portal, &path, &format!("0380960001{nth:02}")).await;
        assert_eq!(told.status, if nth < max { 200 } else { 422 }, "{}", told.body);
    }
}
