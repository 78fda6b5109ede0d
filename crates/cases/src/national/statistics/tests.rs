//! The figures of a month: how a portal takes them, and how an owner counts and tells them.

use std::sync::Arc;

use exchange::Service as _;
use kernel::{Actor, Time};
use serde_json::{Value, json};

use super::store::count;
use super::{Counts, Figures, Month, differences};
use crate::case::Case;
use crate::national::message::Message;
use crate::national::receive::National;
use crate::national::tests::line::{Fate, Line, quiet, speaks};
use crate::national::tests::receiving::{tell, words};
use crate::national::tests::sending::place;
use crate::store::{self as rows, StatusRow};
use crate::testing::{Portal, case, lan, nouns, officer, wire};
use crate::{Cases, Place};

const OWNER: &str = "H56/one-stop";
const PAGE: &str = "/api/v1/national/statistics";

fn item(unit: &str, received: u64, handled: u64) -> Value {
    json!({"MaDonVi": unit, "Thang": "10", "Nam": "2026", "SoNhanTrongKy": received, "SoTonKyTruoc": 2,
        "TongSoXuLy": received + 2, "TongDaXuLy": handled, "TongXuLyDungHan": handled})
}

#[test]
fn a_month_begins_and_ends_in_civil_time_in_vietnam() {
    let month: Month = "2026-12".parse().expect("a month");
    assert_eq!(month.begins().rfc3339(), "2026-11-30T17:00:00.000Z");
    assert_eq!(month.ends(), month.after().begins());
    assert_eq!(
        (month.after().to_string(), month.before().to_string()),
        ("2027-01".to_owned(), "2026-11".to_owned())
    );
    assert_eq!(Month::of(month.last_day()), month);
    for bad in [
        "",
        "2026",
        "2026-13",
        "2026-1",
        "1026-01",
        "2026-+1",
        "2026-01-01",
    ] {
        assert!(bad.parse::<Month>().is_err(), "{bad}");
    }
}

#[test]
fn in_what_two_counts_differ_is_said_figure_by_figure() {
    let own = Counts {
        received: 3,
        carried: 1,
        handled: 2,
        on_time: 2,
    };
    assert_eq!(differences(&Figures::of(own), &own), [""; 0]);
    let told = Figures {
        counts: Counts { on_time: 1, ..own },
        to_handle: 5,
    };
    assert_eq!(differences(&told, &own), ["to-handle", "on-time"]);
    assert!(told.are_sound());
}

#[tokio::test]
async fn figures_are_kept_by_unit_and_month_once_and_a_later_count_takes_their_place() {
    let portal = Portal::new().await;
    let told = async |items: Value| {
        let answer = tell(&portal, OWNER, Message::Statistics, items)
            .await
            .expect("answered");
        words(&answer).join(" ")
    };
    assert_eq!(
        told(json!([item("H56", 9, 5), item("H56.15865", 4, 4)])).await,
        "taken taken"
    );
    assert_eq!(told(json!([item("H56", 9, 5)])).await, "heard-before");
    let mut corrected = item("H56", 10, 6);
    corrected["NgayTongHop"] = json!("20261120080000");
    assert_eq!(
        told(json!([corrected])).await,
        "late",
        "it was counted before what is here was heard"
    );
    corrected["NgayTongHop"] = json!("");
    assert_eq!(told(json!([corrected])).await, "replaced");
    let (theirs, mut unsound) = (item("H01", 1, 1), item("H56.15865", 1, 4));
    let mut coming = item("H56", 1, 1);
    coming["Thang"] = json!("11");
    let refused = told(json!([theirs, unsound, coming, {"Thang": 13, "Nam": 2026}])).await;
    assert_eq!(refused, "unit-unknown figures-unsound in-the-future unreadable");
    unsound["Thang"] = json!("9");
    unsound["TongSoXuLy"] = json!(9);
    let two_months = told(json!([item("H56.15865", 4, 4), unsound])).await;
    assert_eq!(two_months, "heard-before unreadable", "a message is of one month");
    assert_eq!(portal.facts("synced/H56").await, ["cases-synced"; 2]);
}

#[tokio::test]
async fn an_operator_and_an_observer_see_what_was_told_beside_what_the_portal_counted_and_nobody_else_does() {
    let portal = Portal::new().await;
    let answer = tell(
        &portal,
        OWNER,
        Message::Statistics,
        json!([item("H56.15865", 4, 4)]),
    )
    .await;
    assert_eq!(words(&answer.expect("answered")), ["taken"]);
    for who in [lan(), officer()] {
        assert_eq!(portal.get(Some(&who), PAGE).await.status, 403);
        assert_eq!(portal.get(Some(&who), "/national/statistics").await.status, 403);
    }
    assert_eq!(portal.get(None, PAGE).await.status, 401);
    assert_eq!(portal.get(None, "/national/statistics").await.status, 303);
    for role in ["operator", "observer"] {
        let who = crate::testing::in_role(role);
        let part = portal.get(Some(&who), PAGE).await.json();
        assert_eq!(part["month"], "2026-10", "the month that is over");
        let line = &part["items"][0];
        assert_eq!(
            (&line["unit"], &line["sender"]),
            (&json!("H56.15865"), &json!("H56"))
        );
        assert_eq!(
            (&line["told"]["received"], &line["own"]["received"]),
            (&json!(4), &json!(0))
        );
        assert_eq!(
            line["differs"],
            json!(["received", "carried", "to-handle", "handled", "on-time"])
        );
        let page = portal.get(Some(&who), "/national/statistics").await;
        assert!(
            page.status == 200 && page.body.contains("Số nhận trong kỳ"),
            "{}",
            page.body
        );
        let empty = portal
            .get(Some(&who), &format!("{PAGE}?month=2026-09"))
            .await
            .json();
        assert_eq!(empty["items"], json!([]));
        assert_eq!(
            portal.get(Some(&who), &format!("{PAGE}?month=x")).await.status,
            422
        );
    }
}

/// A working morning.
fn at(day: &str) -> Time {
    Time::parse_minute(&format!("{day}T09:00")).expect("a time")
}

/// A province's cases in October and before: filed on a day, and ended on a day on time or not.
async fn october(cases: &Cases, all: &[(&str, Option<&str>, bool)]) {
    let procedure = {
        let code = "1.004873".parse().expect("a code");
        let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
        procedure.expect("in force")
    };
    for (number, (filed, ended, on_time)) in (1..).zip(all) {
        let new = Case {
            code: format!("H56-261001-{number:04}").parse().expect("a code"),
            filed_at: at(filed),
            ..case(&procedure)
        };
        let (new, clerk) = (&new, Actor::Official("clerk".to_owned()));
        let write = cases.store.write(&cases.tenant, &clerk, |tx| async move {
            rows::insert_case(&tx, new, 1).await?;
            let Some(ended) = ended else { return Ok(()) };
            let due = at(ended).plus_ms(if *on_time { 1 } else { -1 });
            let row = StatusRow {
                seq: 1,
                status: 9,
                at: at(ended),
                due: Some(due),
                notice: None,
            };
            rows::note_status(&tx, &new.code, &row, true, None).await
        });
        write.await.expect("written");
    }
}

const OCTOBER: [(&str, Option<&str>, bool); 6] = [
    ("2026-09-20", Some("2026-09-25"), true),
    ("2026-09-28", Some("2026-10-02"), true),
    ("2026-09-29", None, true),
    ("2026-10-01", Some("2026-10-30"), false),
    ("2026-10-31", Some("2026-11-02"), true),
    ("2026-11-01", None, true),
];

#[tokio::test]
async fn a_month_is_counted_from_what_came_in_was_there_and_ended() {
    let (cases, _temp) = place(Place::Desk, quiet(), speaks("2026-01-01")).await;
    october(&cases, &OCTOBER).await;
    let reader = cases.store.read(&cases.tenant).await.expect("a reader");
    let unit = "H56.15865".parse().expect("a code");
    let counted = count(&reader, &unit, "2026-10".parse().expect("a month")).await;
    let expected = Counts {
        received: 2,
        carried: 2,
        handled: 2,
        on_time: 1,
    };
    assert_eq!(counted, Ok(expected));
}

#[tokio::test]
async fn an_owner_tells_a_month_once_and_again_only_what_is_otherwise() {
    let line = Arc::new(Line::default());
    let (cases, temp) = place(Place::Desk, line.clone(), speaks("2026-01-01")).await;
    october(&cases, &OCTOBER).await;
    line.fate(&[Fate::Lost]);
    let lost = cases.tell_statistics().await.expect_err("it never got there");
    assert_eq!(lost.code, "provider-unreachable");
    drop(line.heard());
    assert_eq!(
        cases.tell_statistics().await.expect("told"),
        2,
        "the province and its unit"
    );
    let heard = std::mem::take(&mut *line.heard.lock().expect("whole"));
    let (service, body) = heard.first().expect("told");
    assert_eq!((service.as_str(), heard.len()), ("dong-bo-thong-ke-ho-so", 1));
    assert_eq!(body["data"][0]["MaDonVi"], "H56");
    assert_eq!(body["data"][1]["SoNhanTrongKy"], "2");
    assert_eq!(cases.tell_statistics().await.expect("nothing"), 0, "once");
    // One that was there all the time was taken back in the middle of the month, and that is heard late.
    let (code, clerk) = (
        "H56-261001-0003".parse().expect("a code"),
        Actor::Official("clerk".to_owned()),
    );
    let (code, taken_back) = (&code, at("2026-10-15"));
    let write = cases.store.write(&cases.tenant, &clerk, |tx| async move {
        let row = StatusRow {
            seq: 1,
            status: 7,
            at: taken_back,
            due: None,
            notice: None,
        };
        rows::note_status(&tx, code, &row, true, None).await
    });
    write.await.expect("written");
    assert_eq!(cases.tell_statistics().await.expect("nothing"), 0, "once a day");
    temp.clock.advance_ms(86_400_000);
    assert_eq!(cases.tell_statistics().await.expect("told"), 2);
    let heard = std::mem::take(&mut *line.heard.lock().expect("whole"));
    let (_, body) = heard.first().expect("told");
    assert_eq!(
        (&body["isUpdating"], &body["data"][1]["TongDaXuLy"]),
        (&json!("True"), &json!("3"))
    );
    let facts = cases.store.facts_of(&cases.tenant, "statistics/G22/portal").await;
    assert_eq!(facts.expect("facts").len(), 2);
}

#[tokio::test]
async fn an_owner_that_the_pack_does_not_name_tells_no_figures() {
    let line = Arc::new(Line::default());
    let (cases, _temp) = place(Place::Desk, line.clone(), speaks("2027-01-01")).await;
    october(&cases, &OCTOBER).await;
    assert_eq!(cases.tell_statistics().await.expect("nothing"), 0);
    assert_eq!(line.heard(), []);
}

#[tokio::test]
async fn what_an_owner_tells_our_portal_takes_and_counts_beside() {
    let (portal, _portal_store) = place(Place::Portal, quiet(), Default::default()).await;
    let whole = json!({"MaHoSo": "H56-261001-0001", "MaTTHC": "1.001193", "MaDoiTuong": "038198000001",
        "NgayTiepNhan": "20261001090000", "NgayHenTra": "20261020163000", "NgayKetThucXuLy": "20261019100000",
        "TrangThaiHoSo": "9"});
    let service = National {
        cases: portal.clone(),
        message: Message::Cases,
    };
    let body = json!({"madonvi": "H56", "service": "DongBoHoSoMC", "data": [whole]});
    let call = wire::call(OWNER, &service.id(), "H56-261001-0001", &body, testkit::START);
    service.call(call).await.expect("taken");
    let line = Arc::new(Line {
        portal: Some(portal.clone()),
        ..Line::default()
    });
    let (cases, _temp) = place(Place::Desk, line, speaks("2026-01-01")).await;
    october(&cases, &OCTOBER).await;
    assert_eq!(cases.tell_statistics().await.expect("told"), 2);
    let reader = portal.store.read(&portal.tenant).await.expect("a reader");
    let (unit, month) = (
        "H56".parse().expect("a code"),
        "2026-10".parse().expect("a month"),
    );
    let heard = super::store::heard(&reader, month, &unit)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(heard.told.counts.received, 2);
    let own = Counts {
        received: 1,
        carried: 0,
        handled: 1,
        on_time: 1,
    };
    assert_eq!(heard.own, own, "what the owner told of its cases by name");
}
