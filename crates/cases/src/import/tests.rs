//! Running cases of another system: what becomes of each line, that promised dates stay, and that a second run changes
//! nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Done, Plan, Table, read};
use crate::desk::testing::{Desk, UNIT};

const CODE: &str = "H56.15865-261120-0007";

fn table() -> Table {
    let states = [("1", "received"), ("2", "accepted"), ("4", "accepted")];
    let states: BTreeMap<String, String> = states
        .into_iter()
        .map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned()))
        .collect();
    let procedure = json!([{"code": "1.001193", "version_of": "2026-11-20", "states": states}]);
    let table = json!({"from": "old-desk", "procedure": procedure, "units": {"xa-mau": UNIT}});
    serde_json::from_value(table).expect("a table")
}

/// A running case as the other system writes it.
fn item() -> Value {
    json!({
        "MaHoSo": CODE, "MaTTHC": "1.001193", "ChuHoSo": "Lê Thị Lan", "MaDoiTuong": "038196000001",
        "NgayTiepNhan": "20261120090000", "NgayHenTra": "20261125170000", "TrangThaiHoSo": "2",
        "HinhThuc": "0", "DonViXuLy": "xa-mau",
    })
}

async fn plan(desk: &Desk, items: &[Value]) -> Plan {
    let lines = read(&json!({"data": items}).to_string()).expect("read");
    desk.cases.plan_import(&lines, &table()).await.expect("a plan")
}

async fn import(desk: &Desk, items: &[Value]) -> Done {
    let plan = plan(desk, items).await;
    assert!(plan.refused.is_empty(), "{:?}", plan.refused);
    desk.cases
        .import(&plan, &table(), &|_| {})
        .await
        .expect("imported")
}

#[tokio::test]
async fn a_running_case_goes_on_here_with_the_date_that_was_promised_and_the_portal_hears_of_it() {
    let desk = Desk::empty().await;
    let done = import(&desk, &[item()]).await;
    assert_eq!(done, Done { taken: 1, there: 0 });
    let list = desk.get("tich", "/api/v1/desk/cases").await.json();
    assert_eq!(list["items"][0]["code"], CODE, "{list}");
    let case = desk
        .get("tich", &format!("/api/v1/desk/cases/{CODE}"))
        .await
        .json();
    assert_eq!((&case["state"], &case["status"]), (&json!("accepted"), &json!(2)));
    assert_eq!(case["accepted"]["due"], "2026-11-25T10:00:00.000Z");
    let page = desk.get("tich", &format!("/desk/cases/{CODE}")).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("old-desk"), "{}", page.body);
    assert!(desk.deliver_topic("case-status").await.is_none());
    let told = desk.nation.asked_of("note-status");
    let told: Vec<_> = told.iter().filter(|note| note["code"] == CODE).collect();
    assert_eq!(
        (told.len(), &told[0]["status"], &told[0]["seq"]),
        (1, &json!(2), &json!(1))
    );
    assert_eq!(
        told[0]["case"]["name"], "Lê Thị Lan",
        "the portal has never heard of it"
    );
    let facts = desk.facts_of(&format!("case/{CODE}")).await;
    assert_eq!(&facts[..2], ["case-received", "case-imported"]);
    assert_eq!(desk.facts_of("import/old-desk").await, ["cases-imported"]);
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_a_holiday_announced_late_leaves_what_was_promised() {
    let desk = Desk::empty().await;
    import(&desk, &[item()]).await;
    let again = plan(&desk, &[item()]).await;
    assert_eq!((again.ready.len(), again.there.len()), (0, 1));
    assert_eq!(desk.facts_of("import/old-desk").await, ["cases-imported"]);
    let code = CODE.parse().expect("a code");
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let held = crate::store::case(&reader, &code)
        .await
        .expect("read")
        .expect("a case");
    let subject = format!("case/{CODE}");
    let records = desk.temp.store.facts_of(&desk.cases.tenant, &subject).await;
    let records = records.expect("facts");
    let events = crate::clock::fold::events_of(&records, &desk.cases.tenant);
    assert_eq!(events, held.case.course.clock, "what the facts tell the clock");
    let procedure = desk.cases.procedure_of(&held.case).expect("its version");
    let clock = desk
        .cases
        .reckon(&held.case, &procedure, &events)
        .expect("a clock");
    assert_eq!((Some(clock.due), clock.judged_by()), (held.due_at, clock.due));
    let state = crate::case::state_after(&procedure, records.iter().map(|record| &record.fact));
    assert_eq!(state.as_deref(), Some("accepted"));
}

#[tokio::test]
async fn each_broken_line_is_told_with_its_field_and_what_has_ended_stays_where_it_is() {
    let desk = Desk::empty().await;
    let with = |field: &str, value: &str| {
        let mut item = item();
        item[field] = json!(value);
        item
    };
    let broken = [
        ("MaHoSo", "HS-1"),
        ("MaHoSo", "G22-261120-0007"),
        ("MaHoSo", "H56-261123-0001"),
        ("MaTTHC", "9.999999"),
        ("TrangThaiHoSo", "5"),
        ("TrangThaiHoSo", "12"),
        ("NgayTiepNhan", "2026-11-20"),
        ("NgayTiepNhan", "20261123080000"),
        ("NgayHenTra", ""),
        ("NgayHenTra", "20261119170000"),
        ("DonViXuLy", "xa-khac"),
        ("DonViXuLy", "G22"),
        ("HinhThuc", "7"),
        ("ChuHoSo", " "),
        ("MaDoiTuong", "123"),
    ];
    let items: Vec<Value> = broken.iter().map(|(field, value)| with(field, value)).collect();
    let found = plan(&desk, &items).await;
    let told: Vec<_> = found.refused.iter().map(|one| (one.number, one.field)).collect();
    let wanted: Vec<_> = (1..).zip(broken.iter().map(|(field, _)| *field)).collect();
    assert_eq!(told, wanted);
    let last = found.refused.last().expect("a fault");
    assert!(
        !last.rule.contains("123"),
        "no part of a personal number is said again"
    );
    let mut answered = item();
    answered["TraLoi"] = json!({"nobody_asks": "x"});
    let found = plan(&desk, &[answered, with("TrangThaiHoSo", "9"), item(), item()]).await;
    let told: Vec<_> = found.refused.iter().map(|one| (one.number, one.field)).collect();
    assert_eq!(told, [(1, "TraLoi"), (4, "MaHoSo")]);
    assert_eq!((found.ended.len(), found.ready.len()), (1, 1));
}

#[tokio::test]
async fn a_case_that_was_not_accepted_there_is_accepted_here_and_counted_from_then() {
    let desk = Desk::empty().await;
    let mut waiting = item();
    waiting["TrangThaiHoSo"] = json!("1");
    waiting["NgayHenTra"] = json!("");
    import(&desk, &[waiting]).await;
    let path = format!("/api/v1/desk/cases/{CODE}/accept");
    let answer = desk.post("tiep", &path, &json!({"revision": 1})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["accepted"]["due"], "2026-11-23T10:00:00.000Z");
    assert!(desk.deliver_topic("case-status").await.is_none());
    let told = desk.nation.asked_of("note-status");
    assert_eq!(told.last().expect("told")["case"]["name"], "Lê Thị Lan");
}
