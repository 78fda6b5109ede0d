//! Mergers of units in the middle of running cases, in a small country of the tests' own.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use directory::{Areas, Organisations};
use kernel::limits::Limits;
use kernel::{OrgCode, Time};
use obligations::Which;
use serde_json::{Value, json};

use super::job::Done;
use crate::desk::testing::{API, CASE, Desk, UNIT, code, handover, plain_templates};
use crate::store as rows;
use crate::testing::{Portal, lan};

const AREAS: &str = "code,full_name,kind,parent\n";
const THEN: &str = "\
38,Tỉnh Thanh Hóa,Tỉnh,
40,Tỉnh Nghệ An,Tỉnh,
14797,Phường Hạc Thành,Phường,38
14800,Xã Đông Sơn,Xã,38
14803,Xã Quảng Yên,Xã,38
14815,Xã Hải Hòa,Xã,38
15865,Xã Hoằng Hóa,Xã,38
16000,Xã Vinh Lộc,Xã,40
";
const AFTER: &str = "\
38,Tỉnh Thanh Hóa,Tỉnh,
40,Tỉnh Nghệ An,Tỉnh,
14797,Phường Hạc Thành,Phường,38
14806,Xã Đông Tiến,Xã,38
14809,Xã Đông Lĩnh,Xã,38
16000,Xã Vinh Lộc,Xã,40
";
const LATER: &str = "\
38,Tỉnh Thanh Hóa,Tỉnh,
40,Tỉnh Nghệ An,Tỉnh,
14806,Xã Đông Tiến,Xã,38
14809,Xã Đông Lĩnh,Xã,38
14999,Phường Thanh Hóa,Phường,38
16000,Xã Vinh Lộc,Xã,40
";
const SUCCESSION: &str = "old_code,old_name,old_district,old_province,new_code,how,default\n";
const FIRST: &str = "\
15865,,,38,14797,whole,1
14797,,,38,14797,whole,1
14800,,,38,14806,part,1
14800,,,38,14809,part,0
14815,,,38,16000,whole,1
16000,,,40,16000,whole,1
";
const SECOND: &str = "14797,,,38,14999,whole,1\n";
const PACK: &str = r#"
id = "vn"
name = "Việt Nam"
country = "VN"
language = "vi"
languages = ["vi", "en"]
time_zone = "Asia/Ho_Chi_Minh"
utc_offset_minutes = 420
version = "2026.11"
area_acts = "acts.csv"
[[area_editions]]
from = "2021-11-01"
file = "1.csv"
[[area_editions]]
from = "2026-12-01"
file = "2.csv"
succession = "s2.csv"
[[area_editions]]
from = "2026-12-15"
file = "3.csv"
succession = "s3.csv"
"#;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

/// The small country: on the first of December 2026 Hoằng Hóa goes to Hạc Thành, Đông Sơn is split,
/// Hải Hòa goes to another province, and nobody says where Quảng Yên went; in mid-December Hạc
/// Thành goes to Thanh Hóa.
pub(crate) fn country() -> (Arc<Areas>, Arc<Organisations>) {
    static COUNTRY: OnceLock<(Arc<Areas>, Arc<Organisations>)> = OnceLock::new();
    let (areas, organisations) = COUNTRY.get_or_init(|| {
        let dir = testkit::TempDir::new();
        let pack = dir.path();
        write(pack, "pack.toml", PACK);
        write(pack, "1.csv", &format!("{AREAS}{THEN}"));
        write(pack, "2.csv", &format!("{AREAS}{AFTER}"));
        write(pack, "3.csv", &format!("{AREAS}{LATER}"));
        write(pack, "s2.csv", &format!("{SUCCESSION}{FIRST}"));
        write(pack, "s3.csv", &format!("{SUCCESSION}{SECOND}"));
        write(pack, "acts.csv", "from,level,act,evidence\n2026-12-01,commune,Nghị quyết số 1,seen\n");
        let crosswalk = "area_until_2025,full_name,organisation,birth_place,area_from_2025,organisation_from_2025,evidence\n";
        write(pack, "organisations/provinces-crosswalk.csv", crosswalk);
        let agencies = "code,name,area,valid_from,valid_to,successor,evidence\n\
            H40,UBND tỉnh Nghệ An,40,2018-01-01,,,seen\nH56,UBND tỉnh Thanh Hóa,38,2018-01-01,,,seen\n";
        write(pack, "organisations/agencies.csv", agencies);
        let areas = Arc::new(Areas::load(pack).expect("areas"));
        let organisations = Organisations::load(pack, &areas).expect("organisations");
        (areas, Arc::new(organisations))
    });
    (areas.clone(), organisations.clone())
}

async fn desk() -> Desk {
    let (areas, organisations) = country();
    Desk::among(plain_templates(), Limits::default(), areas, organisations).await
}

async fn receive(desk: &Desk, number: u32, unit: &str) -> String {
    let (mut body, code) = (handover(), format!("G22-261121-{number:04}"));
    body["code"] = json!(code);
    body["unit"] = json!(unit);
    desk.receive(&body).await.expect("received");
    code
}

fn day(text: &str) -> Time {
    Time::parse_rfc3339(&format!("{text}T00:05:00+07:00")).expect("a time")
}

async fn run(desk: &Desk) -> Done {
    desk.cases.move_merged().await.expect("ran")
}

async fn unit_of(desk: &Desk, code: &str) -> String {
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let code = code.parse().expect("a code");
    rows::case(&reader, &code)
        .await
        .expect("read")
        .expect("a case")
        .case
        .unit
        .to_string()
}

async fn owed(desk: &Desk, debtor: &str, which: Which) -> Vec<String> {
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let debtor: OrgCode = debtor.parse().expect("a code");
    let now = desk.temp.store.world().now();
    let found = obligations::list(&reader, &debtor, which, now)
        .await
        .expect("read");
    found.into_iter().map(|o| o.obligation.id).collect()
}

#[tokio::test]
async fn a_running_case_goes_to_the_successor_with_its_code_its_version_and_its_due_date() {
    let desk = desk().await;
    desk.receive(&handover()).await.expect("received");
    desk.accept().await;
    let before = desk.json().await;
    assert_eq!(run(&desk).await, Done::default(), "not before the day");
    desk.temp.clock.set(day("2026-12-01"));
    assert_eq!(
        run(&desk).await,
        Done {
            moved: 1,
            ..Done::default()
        }
    );
    let after = desk.json().await;
    assert_eq!(after["unit"], "H56.14797");
    for kept in ["code", "procedure", "state", "status", "accepted", "filed_at"] {
        assert_eq!(before[kept], after[kept], "{kept}");
    }
    assert_eq!(desk.facts().await.last().map(String::as_str), Some("case-moved"));
    assert_eq!(owed(&desk, UNIT, Which::Open).await, Vec::<String>::new());
    assert_eq!(
        owed(&desk, "H56.14797", Which::Open).await,
        [format!("case/{CASE}")]
    );
    assert_eq!(
        desk.get("tich", API).await.status,
        404,
        "no longer the old unit's"
    );
    assert_eq!(
        desk.get("ban", API).await.status,
        200,
        "the successor's officials see it"
    );
    let page = desk.get("ban", &format!("/desk/cases/{CASE}")).await;
    assert!(
        page.body.contains("Chuyển từ H56.15865 sang H56.14797"),
        "{}",
        page.body
    );
    let list = desk.get("ban", "/api/v1/desk/cases").await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(desk.state().await, "accepted", "the row is the fold of its facts");
}

#[tokio::test]
async fn the_job_changes_nothing_the_second_time_and_goes_on_after_a_crash() {
    let desk = desk().await;
    let (one, two) = (receive(&desk, 1, UNIT).await, receive(&desk, 2, UNIT).await);
    desk.temp.clock.set(day("2026-12-01"));
    desk.cases
        .move_received(&one.parse().expect("a code"))
        .await
        .expect("moved");
    assert_eq!(
        unit_of(&desk, &two).await,
        UNIT,
        "the node went down between the two"
    );
    assert_eq!(
        run(&desk).await,
        Done {
            moved: 1,
            ..Done::default()
        }
    );
    assert_eq!(run(&desk).await, Done::default());
    for case in [&one, &two] {
        assert_eq!(unit_of(&desk, case).await, "H56.14797");
        let facts = desk.facts_of(&format!("case/{case}")).await;
        assert_eq!(facts.iter().filter(|f| *f == "case-moved").count(), 1);
    }
    let (a, b) = tokio::join!(desk.cases.move_merged(), desk.cases.move_merged());
    assert_eq!(
        (a.expect("ran"), b.expect("ran")),
        (Done::default(), Done::default())
    );
}

#[tokio::test]
async fn a_case_follows_its_unit_through_one_merger_after_another() {
    let desk = desk().await;
    let case = receive(&desk, 1, UNIT).await;
    desk.temp.clock.set(day("2026-12-20"));
    run(&desk).await;
    assert_eq!(
        unit_of(&desk, &case).await,
        "H56.14999",
        "both at once when nobody looked between"
    );
    let again = self::desk().await;
    let case = receive(&again, 1, UNIT).await;
    again.temp.clock.set(day("2026-12-01"));
    run(&again).await;
    again.temp.clock.set(day("2026-12-15"));
    assert_eq!(run(&again).await.moved, 1);
    assert_eq!(unit_of(&again, &case).await, "H56.14999");
    assert_eq!(run(&again).await, Done::default());
}

#[tokio::test]
async fn what_ended_before_the_merger_stays_where_it_was_counted() {
    let desk = desk().await;
    desk.receive(&handover()).await.expect("received");
    desk.to_sign().await;
    assert_eq!(desk.verb("chu", "sign", json!({})).await.status, 200);
    assert_eq!(desk.verb("thu", "seal", json!({})).await.status, 200);
    assert!(desk.deliver().await.is_empty());
    let (facts, met) = (desk.facts().await, owed(&desk, UNIT, Which::Met).await);
    assert_eq!(met, [format!("case/{CASE}")]);
    desk.temp.clock.set(day("2026-12-01"));
    assert_eq!(run(&desk).await, Done::default());
    assert_eq!(unit_of(&desk, CASE).await, UNIT);
    assert_eq!(
        (desk.facts().await, owed(&desk, UNIT, Which::Met).await),
        (facts, met)
    );
}

#[tokio::test]
async fn a_case_whose_result_is_being_made_waits_for_the_next_run() {
    let desk = desk().await;
    desk.receive(&handover()).await.expect("received");
    desk.to_sign().await;
    desk.claim("chu").await;
    desk.temp.clock.set(day("2026-12-01"));
    assert_eq!(
        run(&desk).await,
        Done {
            later: 1,
            ..Done::default()
        }
    );
    assert_eq!(unit_of(&desk, CASE).await, UNIT);
}

#[tokio::test]
async fn a_case_of_a_split_unit_waits_until_somebody_above_assigns_it() {
    let desk = desk().await;
    let case = receive(&desk, 7, "H56.14800").await;
    desk.temp.clock.set(day("2026-12-01"));
    assert_eq!(
        run(&desk).await,
        Done {
            listed: 1,
            ..Done::default()
        }
    );
    assert_eq!(run(&desk).await, Done::default(), "listed once");
    assert_eq!(unit_of(&desk, &case).await, "H56.14800", "nobody guesses");
    let obligation = owed(&desk, "H56", Which::Open).await;
    assert_eq!(obligation.len(), 1);
    let page = desk.get("tinh", "/desk/moves").await;
    assert_eq!(page.status, 200);
    for words in [
        &*case,
        "Nghị quyết số 1",
        "UBND xã Đông Tiến",
        "UBND xã Đông Lĩnh",
    ] {
        assert!(page.body.contains(words), "{words}");
    }
    let assign = format!("/api/v1/desk/moves/{case}/assign");
    for (who, to, status) in [
        ("tich", "H56.14806", 403),
        ("chu", "H56.14806", 403),
        ("xa", "H56.14806", 404),
        ("tinh", "H56.14797", 422),
        ("tinh", "H40.16000", 422),
        ("tinh", "nonsense", 422),
        ("tinh", "", 422),
    ] {
        assert_eq!(
            desk.post(who, &assign, &json!({"to": to})).await.status,
            status,
            "{who} {to}"
        );
    }
    for path in ["/desk/moves", "/api/v1/desk/moves"] {
        assert_eq!(desk.get("tich", path).await.status, 403);
        assert_eq!(desk.get("xa", path).await.status, 404);
    }
    assert_eq!(unit_of(&desk, &case).await, "H56.14800");
    let none = desk
        .form("tinh", &format!("/desk/moves/{case}/assign"), &[("to", "")])
        .await;
    assert_eq!(none.status, 422);
    assert!(none.body.contains("error-summary") && none.body.contains("Cần một đơn vị"));
    let done = desk
        .form(
            "tinh",
            &format!("/desk/moves/{case}/assign"),
            &[("to", "H56.14809")],
        )
        .await;
    assert_eq!((done.status, done.location().as_str()), (303, "/desk/moves"));
    assert_eq!(unit_of(&desk, &case).await, "H56.14809");
    assert_eq!(owed(&desk, "H56", Which::Met).await, obligation);
    let again = desk.post("tinh", &assign, &json!({"to": "H56.14809"})).await;
    assert_eq!(again.status, 200, "the second click");
    let other = desk.post("tinh", &assign, &json!({"to": "H56.14806"})).await;
    assert_eq!((other.status, &*other.problem()), (409, "case-move-not-waiting"));
    assert_eq!(run(&desk).await, Done::default());
    assert!(
        desk.get("tinh", "/desk/moves")
            .await
            .body
            .contains("Không có hồ sơ nào chờ phân công")
    );
}

#[tokio::test]
async fn where_no_list_names_a_successor_any_unit_may_be_chosen() {
    let desk = desk().await;
    let case = receive(&desk, 8, "H56.14803").await;
    desk.temp.clock.set(day("2026-12-01"));
    assert_eq!(run(&desk).await.listed, 1);
    let list = desk.get("tinh", "/api/v1/desk/moves").await.json();
    assert_eq!(list["items"][0]["why"], "unknown");
    let assign = format!("/api/v1/desk/moves/{case}/assign");
    let gone = desk.post("tinh", &assign, &json!({"to": "H56.14800"})).await;
    assert_eq!(gone.status, 422, "a unit that has ended itself");
    assert_eq!(
        desk.post("tinh", &assign, &json!({"to": "H56.14797"}))
            .await
            .status,
        200
    );
    assert_eq!(unit_of(&desk, &case).await, "H56.14797");
}

#[tokio::test]
async fn a_case_that_another_province_took_over_is_kept_and_told_never_lost() {
    let desk = desk().await;
    let case = receive(&desk, 9, "H56.14815").await;
    desk.temp.clock.set(day("2026-12-01"));
    assert_eq!(run(&desk).await.listed, 1);
    assert_eq!(unit_of(&desk, &case).await, "H56.14815");
    assert!(
        desk.get("tinh", "/desk/moves")
            .await
            .body
            .contains("UBND xã Vinh Lộc")
    );
    let refused = desk
        .post(
            "tinh",
            &format!("/api/v1/desk/moves/{case}/assign"),
            &json!({"to": "H40.16000"}),
        )
        .await;
    assert_eq!(
        (refused.status, &*refused.problem()),
        (409, "case-move-elsewhere")
    );
    assert_eq!(owed(&desk, "H56", Which::Open).await.len(), 1);
}

#[tokio::test]
async fn a_case_handed_over_after_its_unit_ended_is_received_by_the_successor() {
    let desk = desk().await;
    desk.temp.clock.set(day("2026-12-01"));
    desk.receive(&handover()).await.expect("received");
    assert_eq!(unit_of(&desk, CASE).await, "H56.14797");
    let again = desk.receive(&handover()).await.expect("the same case");
    assert_eq!(again["received"], true);
    let mut never = handover();
    never["code"] = json!("G22-261121-0005");
    never["unit"] = json!("H56.99999");
    assert!(desk.receive(&never).await.is_err());
}

#[tokio::test]
async fn the_portal_is_told_and_the_applicant_sees_who_handles_the_case_now() {
    let desk = desk().await;
    desk.receive(&handover()).await.expect("received");
    desk.accept().await;
    desk.temp.clock.set(day("2026-12-01"));
    run(&desk).await;
    assert!(desk.deliver().await.is_empty());
    let told: Vec<Value> = desk.nation.asked_of("note-status");
    let told = told.last().expect("told").clone();
    assert_eq!(
        (&told["notice"]["kind"], &told["notice"]["unit"]),
        (&json!("moved"), &json!("H56.14797"))
    );
    let portal = Portal::new().await;
    let case = portal.filed(&lan()).await;
    let note = json!({"code": case, "seq": 1, "status": 1, "at": told["at"], "notice": told["notice"]});
    portal.note(&case, note.clone()).await.expect("noted");
    portal.note(&case, note).await.expect("noted once");
    let facts = portal.facts(&format!("case/{case}")).await;
    assert_eq!(facts, ["case-filed", "case-moved"], "no status is counted");
    let page = portal.get(Some(&lan()), &format!("/cases/{case}")).await;
    assert!(
        page.body
            .contains("Từ ngày 01/12/2026, UBND phường Hạc Thành xử lý hồ sơ này"),
        "{}",
        page.body
    );
    let stranger = json!({"code": case, "seq": 2, "status": 1, "at": told["at"], "notice": {"kind": "moved", "unit": "H26.00004"}});
    assert!(
        portal.note(&case, stranger).await.is_err(),
        "not to another organisation"
    );
    assert_eq!(code().to_string(), CASE);
}
