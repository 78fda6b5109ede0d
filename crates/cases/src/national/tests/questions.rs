//! Answers for everybody that are told by the national message: to our portal, and by an owner that speaks so.

use std::sync::Arc;

use ::store::Deliver as _;
use kernel::{Actor, CaseCode};
use serde_json::{Value, json};

use super::line::{Line, quiet, speaks};
use super::receiving::{tell, words};
use super::sending::place;
use crate::national::dialect::Dialects;
use crate::national::message::Message;
use crate::notice::Notice;
use crate::store::{self as rows, StatusRow};
use crate::sync::Sync;
use crate::testing::{Portal, case, lan, nouns};
use crate::{Cases, Place};

const OWNER: &str = "H56/one-stop";
const NUMBER: &str = "H56-0123456789";

fn published(answer: &str, at: &str) -> Value {
    json!({"MaHoiDap": NUMBER, "MaDonVi": "H56.15865", "ChuDe": "Giao thông", "NoiDungHoi": "Đường thôn hỏng nặng.",
        "NoiDungTraLoi": answer, "NgayTraLoi": "20261119080000", "NgayDang": at})
}

fn down(at: &str) -> Value {
    let mut item = published("Đã giao sửa mặt đường.", "20261120080000");
    item["NgayGo"] = json!(at);
    item["LyDoGo"] = json!("Nội dung cần sửa lại.");
    item
}

async fn told(portal: &Portal, by: &str, items: Value) -> String {
    let answer = tell(portal, by, Message::Questions, items)
        .await
        .expect("answered");
    words(&answer).join(" ")
}

#[tokio::test]
async fn an_answer_of_another_system_is_shown_as_of_its_agency_until_the_same_message_takes_it_down() {
    let portal = Portal::new().await;
    let item = published("Đã giao sửa mặt đường.", "20261120080000");
    assert_eq!(told(&portal, OWNER, json!([item])).await, "taken");
    assert_eq!(told(&portal, OWNER, json!([item])).await, "heard-before");
    let list = portal.get(None, "/answers?q=mat duong").await.body;
    assert!(list.contains(NUMBER), "{list}");
    let page = portal.get(None, &format!("/answers/{NUMBER}")).await.body;
    assert!(
        page.contains("Đã giao sửa mặt đường.") && page.contains("trên hệ thống của mình"),
        "{page}"
    );
    let json = portal
        .get(None, &format!("/api/v1/answers/{NUMBER}"))
        .await
        .json();
    assert_eq!(
        (&json["unit"], &json["heard_from"]),
        (&json!("H56.15865"), &json!("H56"))
    );
    let other = published("Đã sửa xong mặt đường.", "20261120090000");
    assert_eq!(
        told(&portal, OWNER, json!([other])).await,
        "taken",
        "in other words"
    );
    assert_eq!(
        told(&portal, OWNER, json!([item])).await,
        "late",
        "what is older does not come back"
    );
    assert_eq!(
        told(&portal, OWNER, json!([down("20261120100000")])).await,
        "taken-down"
    );
    let left = portal.get(None, &format!("/answers/{NUMBER}")).await.body;
    assert!(
        left.contains("Nội dung cần sửa lại.") && !left.contains("mặt đường"),
        "{left}"
    );
    assert!(!portal.get(None, "/answers").await.body.contains(NUMBER));
    assert_eq!(told(&portal, OWNER, json!([other])).await, "late");
    assert_eq!(
        portal.facts("synced/H56").await,
        ["cases-synced"; 3],
        "one for what was kept"
    );
}

#[tokio::test]
async fn what_was_never_heard_of_is_taken_down_without_its_words() {
    let portal = Portal::new().await;
    assert_eq!(
        told(&portal, OWNER, json!([down("20261120100000")])).await,
        "taken-down"
    );
    let left = portal.get(None, &format!("/answers/{NUMBER}")).await;
    assert!(
        left.status == 200 && !left.body.contains("mặt đường"),
        "{}",
        left.body
    );
}

#[tokio::test]
async fn each_answer_is_judged_by_itself_and_nobody_publishes_for_another() {
    let portal = Portal::new().await;
    let with = |field: &str, value: &str| {
        let mut item = published("Đã giao sửa mặt đường.", "20261120080000");
        item[field] = json!(value);
        item
    };
    let items = json!([
        published("Đã giao sửa mặt đường.", "20261120080000"),
        with("MaHoiDap", "H01-1"),
        with("MaDonVi", "H01"),
        with("MaDonVi", "H56.99999"),
        with("NoiDungHoi", "Gọi 0912 345 678"),
        with("NgayDang", "20270101000000"),
        with("NoiDungTraLoi", ""),
    ]);
    let answer = tell(&portal, OWNER, Message::Questions, items)
        .await
        .expect("answered");
    let expected = [
        "taken",
        "unreadable",
        "unit-unknown",
        "unit-unknown",
        "names-somebody",
        "in-the-future",
        "unreadable",
    ];
    assert_eq!(words(&answer), expected);
    assert_eq!(
        (&answer["error_code"], &answer["data"][0]["MaHoiDap"]),
        (&json!(1), &json!(NUMBER))
    );
    assert_eq!(answer["data"][4]["field"], "NoiDungHoi");
    let theirs = told(&portal, "H01/one-stop", json!([down("20261120100000")])).await;
    assert_eq!(theirs, "unreadable", "the number is another's");
    assert!(portal.get(None, "/answers").await.body.contains(NUMBER));
}

#[tokio::test]
async fn the_number_of_a_case_of_the_portals_own_is_not_another_systems() {
    let portal = Portal::new().await;
    let code = portal.filed(&lan()).await;
    for (seq, status) in [(1, 2), (2, 4), (3, 9)] {
        let note = json!({"seq": seq, "status": status});
        portal.note(&code, note).await.expect("noted");
    }
    let notice = json!({"kind": "answer-published", "number": NUMBER, "unit": "H56.15865", "asked": "Đường hỏng.",
        "answer": "Đã giao sửa.", "answered": testkit::START.ms()});
    let note = json!({"seq": 4, "status": 9, "notice": notice});
    portal.note(&code, note).await.expect("noted");
    assert_eq!(
        told(&portal, OWNER, json!([down("20261120100000")])).await,
        "number-taken"
    );
    let page = portal.get(None, &format!("/answers/{NUMBER}")).await.body;
    assert!(page.contains("Đã giao sửa."), "{page}");
}

/// Keeps what an owner says of its case's answer with a status, and puts that in line for the portal.
async fn say(cases: &Cases, code: &CaseCode, seq: u32, notice: Notice) {
    let (owner, platform) = ("H56".parse().expect("a code"), Actor::Platform);
    let (owner, notice) = (&owner, &notice);
    let write = cases.store.write(&cases.tenant, &platform, |tx| async move {
        let row = StatusRow {
            seq,
            status: 9,
            at: tx.now(),
            due: None,
            notice: Some(notice.clone()),
        };
        rows::insert_status(&tx, code, &row).await?;
        crate::published::noted(&tx, (code, Some(notice)), (owner, tx.now())).await?;
        crate::sync::enqueue(&tx, code, seq).await
    });
    write.await.expect("written");
}

async fn deliver(cases: &Cases, temp: &testkit::TempStore) {
    let lines = temp.store.outbox_waiting(&cases.tenant).await;
    for line in lines.expect("lines") {
        Sync(cases.clone()).deliver(&line).await.expect("delivered");
        temp.store.outbox_done(&line).await.expect("taken away");
    }
}

#[tokio::test]
async fn an_owner_that_speaks_so_tells_its_answers_as_they_stand_when_the_line_gets_through() {
    let (portal, _portal_store) = place(Place::Portal, quiet(), Dialects::default()).await;
    let line = Arc::new(Line {
        portal: Some(portal.clone()),
        ..Line::default()
    });
    let (cases, temp) = place(Place::Desk, line.clone(), speaks("2026-01-01")).await;
    let procedure = nouns()
        .catalogue
        .procedure(&"1.004873".parse().expect("a code"), testkit::START.date());
    let new = case(&procedure.expect("in force"));
    let (new, platform) = (&new, Actor::Platform);
    let write = cases.store.write(&cases.tenant, &platform, |tx| async move {
        rows::insert_case(&tx, new, 9).await
    });
    write.await.expect("written");
    let code = &new.code;
    let published = Notice::AnswerPublished {
        number: NUMBER.to_owned(),
        unit: "H56.15865".to_owned(),
        about: None,
        asked: "Đường thôn hỏng nặng.".to_owned(),
        answer: "Đã giao sửa mặt đường.".to_owned(),
        answered: testkit::START,
    };
    say(&cases, code, 1, published).await;
    deliver(&cases, &temp).await;
    let services: Vec<String> = line.heard().into_iter().map(|(service, ..)| service).collect();
    assert_eq!(services, ["dong-bo-hoi-dap"]);
    let reader = portal.store.read(&portal.tenant).await.expect("a reader");
    let there = async || {
        let there = crate::published::published(&reader, NUMBER).await;
        there.expect("read").expect("there")
    };
    let heard = there().await;
    assert_eq!(heard.answer, "Đã giao sửa mặt đường.");
    assert_eq!(
        heard.heard_from.as_ref().map(ToString::to_string).as_deref(),
        Some("H56")
    );
    temp.clock.advance_ms(2_000);
    let down = Notice::AnswerUnpublished {
        number: NUMBER.to_owned(),
        reason: "Nội dung cần sửa lại.".to_owned(),
    };
    say(&cases, code, 2, down).await;
    deliver(&cases, &temp).await;
    let heard = there().await;
    assert_eq!((heard.answer.as_str(), heard.withdrawn.is_some()), ("", true));
}
