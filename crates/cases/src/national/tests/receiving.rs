//! What a portal does with the messages of owners.

use exchange::Service as _;
use kernel::Problem;
use serde_json::{Value, json};

use crate::national::message::Message;
use crate::national::receive::National;
use crate::testing::{Portal, lan, wire};

const OWNER: &str = "H56/one-stop";
const CODE: &str = "H56-261120-0001";

/// What a portal answers to a message of a system.
pub(in crate::national) async fn tell(
    portal: &Portal,
    by: &str,
    message: Message,
    data: Value,
) -> Result<Value, Problem> {
    let unit = by.split('/').next().expect("an organisation");
    let body = json!({"madonvi": unit, "service": message.name(), "data": data});
    say(portal, by, message, &body).await
}

async fn say(portal: &Portal, by: &str, message: Message, body: &Value) -> Result<Value, Problem> {
    let service = National {
        cases: portal.cases.clone(),
        message,
    };
    let call = wire::call(by, &service.id(), CODE, body, testkit::START);
    let answer = service.call(call).await?;
    Ok(serde_json::from_slice(&answer.body).expect("json"))
}

/// A case of another system, whole.
fn whole(code: &str, status: &str) -> Value {
    json!({"MaHoSo": code, "MaTTHC": "1.001193", "TenTTHC": "Đăng ký khai sinh", "ChuHoSo": "Lê Thị Lan",
        "LoaiDoiTuong": "1", "MaDoiTuong": "038198000001", "NgayTiepNhan": "20261120080000",
        "NgayHenTra": "20261124163000", "TrangThaiHoSo": status, "DonViXuLy": "UBND xã Hoằng Hóa"})
}

fn step(code: &str, status: u8, at: &str) -> Value {
    json!({"MaHoSo": code, "TrangThai": status, "ThoiDiemXuLy": at, "NguoiXuLy": "Nguyễn Văn Tịch"})
}

/// The word of each item's answer.
pub(in crate::national) fn words(answer: &Value) -> Vec<&str> {
    let items = answer["data"].as_array().expect("items").iter();
    items
        .map(|item| item["message"].as_str().expect("a word"))
        .collect()
}

async fn track(portal: &Portal, code: &str) -> Value {
    let wish = json!({"code": code, "digits": "0001"});
    let found = portal.post_json(None, "/api/v1/track", &wish).await;
    assert_eq!(found.status, 200, "{}", found.body);
    found.json()
}

#[tokio::test]
async fn a_case_of_another_system_is_kept_apart_and_found_by_its_code_and_digits() {
    let portal = Portal::new().await;
    let told = tell(&portal, OWNER, Message::Cases, json!([whole(CODE, "2")])).await;
    let told = told.expect("taken");
    assert_eq!((&told["error_code"], words(&told)), (&json!(0), vec!["begun"]));
    let steps = json!([step(CODE, 4, "20261120090000"), step(CODE, 9, "20261120100000")]);
    let told = tell(&portal, OWNER, Message::Progress, steps)
        .await
        .expect("taken");
    assert_eq!(words(&told), ["moved", "moved"]);
    let found = track(&portal, CODE).await;
    assert_eq!((&found["status"], &found["unit"]), (&json!(9), &json!("H56")));
    let statuses = found["statuses"].as_array().expect("a list").iter();
    let statuses: Vec<_> = statuses.map(|row| row["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(2), Some(4), Some(9)]);
    assert_eq!(found["due_at"], "2026-11-24T09:30:00.000Z");
    let page = portal
        .post(None, "/track", &[("code", CODE), ("digits", "0001")])
        .await;
    assert!(
        page.status == 200 && page.body.contains("UBND xã Hoằng Hóa"),
        "{}",
        page.body
    );
    for person in ["Lê Thị Lan", "Nguyễn Văn Tịch", "038198000001"] {
        assert!(!page.body.contains(person), "{person}");
    }
    let wrong = json!({"code": CODE, "digits": "0002"});
    let wrong = portal.post_json(None, "/api/v1/track", &wrong).await;
    assert_eq!((wrong.status, wrong.problem().as_str()), (422, "track-not-found"));
    assert_eq!(portal.facts("synced/H56").await, ["cases-synced", "cases-synced"]);
    let looks = portal.facts(&format!("case/{CODE}")).await;
    assert_eq!(looks, ["case-viewed", "case-viewed"], "each look leaves a fact");
    let mine = portal.get(Some(&lan()), &format!("/cases/{CODE}")).await;
    assert_eq!(mine.status, 404, "it is no account's");
}

#[tokio::test]
async fn each_item_of_a_message_is_judged_by_itself_and_the_same_message_changes_nothing_more() {
    let portal = Portal::new().await;
    let (second, third) = ("H56-261120-0002", "H56-261120-0003");
    let cases = json!([whole(CODE, "2"), whole(second, "2"), {"MaHoSo": "x"}, whole(third, "12")]);
    let told = tell(&portal, OWNER, Message::Cases, cases.clone())
        .await
        .expect("answered");
    assert_eq!(told["error_code"], 1);
    assert_eq!(words(&told), ["begun", "begun", "unreadable", "status-unknown"]);
    assert_eq!(told["data"][3]["field"], "TrangThaiHoSo");
    let again = tell(&portal, OWNER, Message::Cases, cases)
        .await
        .expect("answered");
    assert_eq!(words(&again)[..2], ["heard-before", "heard-before"]);

    // Out of order, twice, one that may not follow, one of a case that nobody told of, one of tomorrow.
    let steps = json!([
        step(CODE, 9, "20261120100000"),
        step(CODE, 4, "20261120090000"),
        step(CODE, 4, "20261120090000"),
        step(second, 10, "20261120090000"),
        step(third, 4, "20261120090000"),
        step(second, 4, "20270101000000"),
    ]);
    let told = tell(&portal, OWNER, Message::Progress, steps.clone())
        .await
        .expect("answered");
    let expected = [
        "moved",
        "moved",
        "heard-before",
        "status-move",
        "case-unknown",
        "in-the-future",
    ];
    assert_eq!(words(&told), expected);
    let again = tell(&portal, OWNER, Message::Progress, steps)
        .await
        .expect("answered");
    assert_eq!(
        words(&again)[..3],
        ["heard-before", "heard-before", "heard-before"]
    );

    let late = json!([step(CODE, 5, "20261120093000")]);
    let late = tell(&portal, OWNER, Message::Progress, late)
        .await
        .expect("answered");
    assert_eq!(words(&late), ["late"]);
    let found = track(&portal, CODE).await;
    assert_eq!(found["status"], 9, "what is older does not move it back");
    assert_eq!(found["statuses"].as_array().map(Vec::len), Some(3));
    let whole_list = json!([{"MaHoSo": CODE}]);
    let told = tell(&portal, OWNER, Message::LookUp, whole_list)
        .await
        .expect("answered");
    let history = told["data"][0]["DanhSachTienDo"]
        .as_array()
        .expect("a list")
        .iter();
    let history: Vec<_> = history.map(|one| one["TrangThai"].as_str()).collect();
    assert_eq!(
        history,
        [Some("4"), Some("5"), Some("9")],
        "what came late is kept"
    );
}

#[tokio::test]
async fn a_case_that_was_filed_here_moves_by_its_owners_steps_as_by_its_own_word() {
    let portal = Portal::new().await;
    let code = portal.filed(&lan()).await;
    let mut accepted = step(&code, 2, "20261121093010");
    accepted["NgayKetThucTheoQuyDinh"] = json!("20261123163000");
    let steps = json!([accepted, step(&code, 4, "20261121093020")]);
    for expected in [["moved", "moved"], ["heard-before", "heard-before"]] {
        let told = tell(&portal, OWNER, Message::Progress, steps.clone())
            .await
            .expect("taken");
        assert_eq!(words(&told), expected);
    }
    let case = portal
        .get(Some(&lan()), &format!("/api/v1/cases/{code}"))
        .await
        .json();
    let expected = (json!(4), json!("2026-11-23T09:30:00.000Z"));
    assert_eq!((case["status"].clone(), case["due_at"].clone()), expected);
    let subject = format!("case/{code}");
    let noted = ["case-filed", "case-status-noted", "case-status-noted"];
    assert_eq!(portal.facts(&subject).await, noted);
    // Both ways of telling go on from where the other one was.
    portal
        .note(
            &code,
            json!({"seq": 3, "status": 9, "at": testkit::START.plus_ms(30_000).ms()}),
        )
        .await
        .expect("noted");
    let told = json!([step(&code, 10, "20261121093040")]);
    let told = tell(&portal, OWNER, Message::Progress, told)
        .await
        .expect("taken");
    assert_eq!(words(&told), ["moved"]);
    let apart = json!([whole(&code, "10")]);
    let apart = tell(&portal, OWNER, Message::Cases, apart).await.expect("taken");
    assert_eq!(words(&apart), ["told"], "it is a case of the portal's own");
}

#[tokio::test]
async fn nobody_tells_of_or_looks_up_the_case_of_another() {
    let portal = Portal::new().await;
    let filed = portal.filed(&lan()).await;
    let begun = tell(&portal, OWNER, Message::Cases, json!([whole(CODE, "2")])).await;
    assert_eq!(words(&begun.expect("taken")), ["begun"]);
    let other = "H01/one-stop";
    let theirs = json!([
        whole(CODE, "4"),
        whole(&filed, "2"),
        whole("G22-261121-0099", "2")
    ]);
    let told = tell(&portal, other, Message::Cases, theirs)
        .await
        .expect("answered");
    assert_eq!(words(&told), ["case-unknown"; 3]);
    let steps = json!([step(CODE, 4, "20261120090000"), step(&filed, 2, "20261121093010")]);
    let told = tell(&portal, other, Message::Progress, steps)
        .await
        .expect("answered");
    assert_eq!(words(&told), ["case-unknown"; 2]);
    for code in [CODE, filed.as_str(), "H56-261120-0099"] {
        let wish = json!([{"MaHoSo": code}]);
        let told = tell(&portal, other, Message::LookUp, wish)
            .await
            .expect("answered");
        assert_eq!(words(&told), ["case-unknown"], "{code}");
    }
    let own_code_of_the_portal = json!([whole("G22-261121-0099", "2")]);
    let told = tell(&portal, OWNER, Message::Cases, own_code_of_the_portal).await;
    assert_eq!(words(&told.expect("answered")), ["case-unknown"]);
    assert_eq!(portal.facts(&format!("case/{filed}")).await, ["case-filed"]);
    assert_eq!(track(&portal, CODE).await["status"], 2);
}

#[tokio::test]
async fn a_message_of_another_name_sender_or_size_is_refused_whole() {
    let portal = Portal::new().await;
    let item = step(CODE, 4, "20261120090000");
    let many = vec![item.clone(); portal.cases.store.limits().national_items_max + 1];
    let few = json!([item]);
    for (body, wanted, status) in [
        (
            json!({"madonvi": "H56", "service": "DongBoHoSoMC", "data": few}),
            "national-service",
            422,
        ),
        (
            json!({"madonvi": "H01", "service": "CapNhatTienDoHoSoMC", "data": few}),
            "national-unit",
            403,
        ),
        (
            json!({"service": "CapNhatTienDoHoSoMC", "data": few}),
            "national-unit",
            403,
        ),
        (
            json!({"madonvi": "H56", "service": "CapNhatTienDoHoSoMC", "data": many}),
            "national-too-many",
            413,
        ),
    ] {
        let refused = say(&portal, OWNER, Message::Progress, &body)
            .await
            .expect_err("refused");
        assert_eq!((refused.code, refused.kind.status()), (wanted, status));
    }
    let text = json!("no message");
    assert!(say(&portal, OWNER, Message::Progress, &text).await.is_err());
    let older = json!({"madonvi": "000.00.00.H56", "service": "CapNhatTienDoHoSoMC", "data": []});
    let told = say(&portal, OWNER, Message::Progress, &older)
        .await
        .expect("the older form of a code");
    assert_eq!(told, json!({"error_code": 0, "message": "ok", "data": []}));
    assert_eq!(portal.facts("synced/H56").await, Vec::<String>::new());
}

#[tokio::test]
async fn an_owner_looks_its_case_up_and_leaves_a_trace_and_anybody_reads_a_procedure() {
    let portal = Portal::new().await;
    let filed = portal.filed(&lan()).await;
    let wish = json!([{"MaHoSo": filed}]);
    let told = tell(&portal, OWNER, Message::LookUp, wish)
        .await
        .expect("answered");
    let case = &told["data"][0];
    assert_eq!(
        (&case["TrangThaiHoSo"], &case["MaTTHC"]),
        (&json!("1"), &json!("1.001193"))
    );
    assert_eq!(
        portal.facts(&format!("case/{filed}")).await,
        ["case-filed", "case-viewed"]
    );

    let wish = json!([{"MaTTHC": "1.001193"}, {"MATTHC": "9.999999"}]);
    let told = tell(&portal, OWNER, Message::Procedure, wish)
        .await
        .expect("answered");
    assert_eq!(told["error_code"], 1);
    assert_eq!(told["data"][0]["MATTHC"], "1.001193");
    let papers = told["data"][0]["THANHPHANHOSO"][0]["GIAYTO"].as_array();
    assert!(papers.is_some_and(|papers| papers.iter().any(|paper| paper["MAGIAYTO"] == "GCS")));
    assert_eq!(told["data"][1]["message"], "procedure-unknown");
}

#[tokio::test]
async fn a_case_of_another_system_is_rated_once_and_after_its_end() {
    let portal = Portal::new().await;
    let rating = |code: &str, score: &str| {
        json!([{"MaHoSo": code, "ThoiDiemDanhGia": "20261121080000", "MucDoHaiLong": score,
            "DanhSachTieuChi": [{"SoTieuChi": "1", "Diem": "2"}]}])
    };
    let rate = async |data: Value| {
        let told = tell(&portal, OWNER, Message::Ratings, data)
            .await
            .expect("answered");
        words(&told).join(" ")
    };
    assert_eq!(rate(rating(CODE, "5")).await, "case-unknown");
    let begun = tell(&portal, OWNER, Message::Cases, json!([whole(CODE, "4")])).await;
    assert_eq!(words(&begun.expect("taken")), ["begun"]);
    assert_eq!(rate(rating(CODE, "5")).await, "not-to-be-rated", "it runs");
    let ended = json!([step(CODE, 9, "20261120100000")]);
    let ended = tell(&portal, OWNER, Message::Progress, ended)
        .await
        .expect("taken");
    assert_eq!(words(&ended), ["moved"]);
    let mut wrong = rating(CODE, "5");
    wrong[0]["DanhSachTieuChi"][0]["Diem"] = json!("9");
    assert_eq!(rate(wrong).await, "unreadable", "no such points");
    assert_eq!(rate(rating(CODE, "5")).await, "taken");
    assert_eq!(rate(rating(CODE, "5")).await, "heard-before");
    assert_eq!(rate(rating(CODE, "1")).await, "not-to-be-rated", "once is enough");
    let filed = portal.filed(&lan()).await;
    assert_eq!(
        rate(rating(&filed, "5")).await,
        "case-unknown",
        "who filed here rates here"
    );
    assert_eq!(portal.facts(&format!("case/{CODE}")).await, ["case-rated"]);
}
