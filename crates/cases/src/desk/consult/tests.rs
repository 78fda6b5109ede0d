//! Other units are asked for an opinion: who may ask, whom and what; who may answer; what an asked unit sees; what is
//! told when it is late; and what becomes of a question when its unit is merged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::Time;
use kernel::limits::Limits;
use obligations::Which;
use serde_json::{Value, json};

use crate::desk::testing::{API, CASE, Desk, UNIT, handover, pack_templates, paper, plain_templates};
use crate::testing::{Answer, PDF, nouns};

/// The unit of the neighbours who are asked: `ban` is its officer, `chu-ban` leads it.
pub(super) const NEIGHBOUR: &str = "H56.14797";
/// What is asked of the official's unit, for programs.
const LIST: &str = "/api/v1/desk/consults";

/// The body of `receive-case` for a building permit.
pub(super) fn permit() -> Value {
    let code = "1.013225".parse().expect("a code");
    let procedure = nouns().catalogue.procedure(&code, testkit::START.date());
    let procedure = procedure.expect("in force");
    let mut body = handover();
    body["procedure"] = json!(procedure.code);
    body["version"] = json!(procedure.version());
    body["answers"] = json!({
        "investor_role": "owner", "investor_name": "Lê Thị Lan", "residence_commune": "15865",
        "receive_at": "15865", "site_line": "Thôn Mẫu", "plot_number": "12", "map_sheet": "3", "plot_area": "150",
        "work_kind": "house", "work_name": "Nhà ở gia đình", "building_area": "80", "floor_area": "240",
        "floors": "3", "height": "12", "designer": "Công ty thiết kế mẫu",
    });
    body["papers"] = json!([paper("QSDD", PDF.as_bytes()), paper("BV", PDF.as_bytes())]);
    body
}

/// A desk that has taken a building permit in.
pub(super) async fn accepted() -> Desk {
    let desk = Desk::with(pack_templates(), Limits::default()).await;
    desk.receive(&permit()).await.expect("received");
    desk.accept().await;
    desk
}

/// One question.
pub(super) fn question(unit: &str, topic: &str) -> Value {
    json!({"unit": unit, "topic": topic, "question": "Có phù hợp không?"})
}

/// Asks by JSON.
pub(super) async fn ask(desk: &Desk, who: &str, asks: Value) -> Answer {
    let body = json!({"revision": desk.revision().await, "asks": asks});
    desk.post(who, &format!("{API}/consults"), &body).await
}

/// Asked of the province and of the neighbours.
pub(super) async fn asked() -> Desk {
    let desk = accepted().await;
    let asks = json!([question("H56", "planning"), question(NEIGHBOUR, "fire")]);
    let answer = ask(&desk, "tich", asks).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    desk
}

/// Answers a question by JSON.
pub(super) async fn answer(desk: &Desk, who: &str, number: u32, body: Value) -> Answer {
    desk.post(who, &format!("{LIST}/{CASE}/{number}/answer"), &body)
        .await
}

fn agrees() -> Value {
    json!({"opinion": "agrees"})
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.problem())
}

#[tokio::test]
async fn several_units_are_asked_at_once_each_with_a_question_a_date_and_an_obligation_of_its_own() {
    let desk = asked().await;
    assert_eq!(desk.state().await, "consulting");
    let view = desk.get("tich", &format!("{API}/consults")).await.json();
    let items = view["items"].as_array().expect("items");
    assert_eq!(items.len(), 2);
    assert_eq!(
        (&items[0]["unit"], &items[1]["unit"], &items[1]["state"]),
        (&json!("H56"), &json!(NEIGHBOUR), &json!("open"))
    );
    // Twelve days end on Saturday, the fifth of December: the next day with work.
    assert_eq!(items[1]["due"], "2026-12-07T10:00:00.000Z");
    let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
    let unit = NEIGHBOUR.parse().expect("a code");
    let owed = obligations::list(&reader, &unit, Which::Open, desk.temp.store.world().now()).await;
    let owed = owed.expect("a list");
    assert_eq!(
        owed.first()
            .map(|o| (o.obligation.kind.as_str(), o.obligation.about.as_str())),
        Some(("case-consult", CASE))
    );
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(
        page.contains("Phòng cháy, chữa cháy")
            && page.contains("/consults\"")
            && page.contains("hạn trả lời"),
        "{page}"
    );
    assert!(
        page.contains("Lấy ý kiến UBND"),
        "a line of the bar's table: {page}"
    );
}

#[tokio::test]
async fn a_double_click_asks_once_and_an_old_page_is_refused() {
    let desk = accepted().await;
    let path = format!("/desk/cases/{CASE}/consults");
    let fields = [
        ("revision", "2"),
        ("unit-planning", "H56"),
        ("question-planning", "Có phù hợp không?"),
        ("unit-fire", ""),
        ("question-fire", "Bỏ qua"),
    ];
    let (one, two) = tokio::join!(
        desk.form("tich", &path, &fields),
        desk.form("tich", &path, &fields)
    );
    assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
    let view = desk.get("tich", &format!("{API}/consults")).await.json();
    assert_eq!(view["items"].as_array().map(Vec::len), Some(1));
    let old = json!({"revision": 2, "asks": [question(NEIGHBOUR, "fire")]});
    let old = desk.post("tich", &format!("{API}/consults"), &old).await;
    assert_eq!(refused(&old), (409, "stale".to_owned()));
}

#[tokio::test]
async fn who_may_not_ask_is_refused_and_so_is_who_cannot_be_asked() {
    let desk = accepted().await;
    let one = || json!([question(NEIGHBOUR, "fire")]);
    for (who, status, code) in [
        ("tiep", 403, "role-missing"),
        ("chu", 403, "role-missing"),
        ("ban", 404, "not-found"),
        ("xa", 404, "not-found"),
        ("", 401, "not-signed-in"),
    ] {
        let answer = ask(&desk, who, one()).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.body);
        if status == 403 {
            assert_eq!(answer.problem(), code, "{who}");
        }
    }
    let long = "a".repeat(2_001);
    for (asks, code) in [
        (json!([]), "consult-nothing"),
        (json!([question(UNIT, "fire")]), "consult-unit-own"),
        (json!([question("H56.99999", "fire")]), "consult-unit"),
        (json!([question("G01", "fire")]), "consult-unit"),
        (json!([question("nowhere", "fire")]), "consult-unit"),
        (json!([question(NEIGHBOUR, "noise")]), "consult-topic"),
        (
            json!([question(NEIGHBOUR, "fire"), question(NEIGHBOUR, "fire")]),
            "consult-asked",
        ),
        (
            json!([{"unit": NEIGHBOUR, "topic": "fire", "question": " "}]),
            "case-note-missing",
        ),
        (
            json!([{"unit": NEIGHBOUR, "topic": "fire", "question": long}]),
            "case-note-too-long",
        ),
    ] {
        let answer = ask(&desk, "tich", asks).await;
        assert_eq!(refused(&answer), (422, code.to_owned()));
    }
    let eleven: Vec<Value> = (0..11).map(|_| question(NEIGHBOUR, "fire")).collect();
    let answer = ask(&desk, "tich", json!(eleven)).await;
    assert_eq!(refused(&answer), (409, "consult-too-many".to_owned()));
    assert_eq!(desk.state().await, "accepted");
}

#[tokio::test]
async fn nobody_is_asked_before_acceptance_or_under_a_procedure_that_names_nothing() {
    let desk = Desk::with(plain_templates(), Limits::default()).await;
    desk.receive(&permit()).await.expect("received");
    let early = ask(&desk, "tich", json!([question(NEIGHBOUR, "fire")])).await;
    assert_eq!(refused(&early), (409, "case-verb-not-now".to_owned()));
    let birth = Desk::new().await;
    birth.accept().await;
    let none = ask(&birth, "tich", json!([question(NEIGHBOUR, "fire")])).await;
    assert_eq!(refused(&none), (409, "case-verb-not-now".to_owned()));
    let page = birth.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(!page.contains("/consults\""), "and nothing is said of it");
}

#[tokio::test]
async fn the_form_is_shown_again_with_what_was_typed_and_what_is_wrong() {
    let desk = accepted().await;
    let path = format!("/desk/cases/{CASE}/consults");
    let page = desk.get("tich", &path).await.body;
    assert!(
        page.contains("name=\"unit-fire\"")
            && page.contains("value=\"H56.14797\"")
            && page.contains("12 ngày"),
        "{page}"
    );
    let fields = [("revision", "2"), ("unit-fire", NEIGHBOUR), ("question-fire", "")];
    let wrong = desk.form("tich", &path, &fields).await;
    assert!(
        wrong.status == 422
            && wrong.body.contains("href=\"#question-fire\"")
            && wrong.body.contains("value=\"H56.14797\" selected"),
        "{}",
        wrong.body
    );
    let nothing = desk.form("tich", &path, &[("revision", "2")]).await;
    assert!(nothing.status == 422 && nothing.body.contains("href=\"#asks\""));
    let reader = desk.get("tiep", &path).await.body;
    assert!(
        !reader.contains("name=\"unit-fire\""),
        "who cannot ask has no form"
    );
}

#[tokio::test]
async fn the_asked_unit_finds_the_question_in_its_list_and_reads_what_it_is_shown_and_no_more() {
    let desk = asked().await;
    let list = desk.get("ban", LIST).await.json();
    assert_eq!(
        (
            &list["open"],
            &list["late"],
            &list["items"][0]["code"],
            &list["items"][0]["number"]
        ),
        (&json!(1), &json!(0), &json!(CASE), &json!(2))
    );
    let tabs = desk.get("ban", "/desk").await.body;
    assert!(
        tabs.contains("href=\"/desk/consults\"") && tabs.contains("(1)"),
        "{tabs}"
    );
    let page = desk.get("ban", "/desk/consults").await.body;
    assert!(
        page.contains(CASE) && !page.contains("Lê Thị Lan"),
        "no person in the list"
    );
    assert_eq!(
        desk.get("tich", LIST).await.json()["items"],
        json!([]),
        "another unit's list"
    );
    let looks = async || {
        let facts = desk.facts_of(&format!("case/{CASE}")).await;
        facts.iter().filter(|fact| *fact == "case-viewed").count()
    };
    let before = looks().await;
    let path = format!("/desk/consults/{CASE}/2");
    let page = desk.get("ban", &path).await.body;
    for said in ["Thửa đất", "Nhà ở gia đình", "Có phù hợp không?", "/papers/BV\""] {
        assert!(page.contains(said), "{said}: {page}");
    }
    for hidden in ["038198000001", "Chủ đầu tư", "Lê Thị Lan"] {
        assert!(!page.contains(hidden), "{hidden}: {page}");
    }
    let sheet = desk.get("ban", &format!("{path}/papers/BV")).await;
    assert_eq!((sheet.status, sheet.bytes.as_slice()), (200, PDF.as_bytes()));
    let json = desk.get("ban", &format!("{LIST}/{CASE}/2")).await.json();
    assert_eq!(
        (
            &json["answers"]["plot_number"],
            &json["papers"],
            &json["answers"]["investor_name"]
        ),
        (&json!("12"), &json!(["BV", "QSDD"]), &Value::Null)
    );
    for hidden in [
        API.to_owned(),
        format!("/desk/cases/{CASE}"),
        format!("/desk/cases/{CASE}/consults"),
    ] {
        assert_eq!(desk.get("ban", &hidden).await.status, 404, "{hidden}");
    }
    assert_eq!(looks().await, before + 3, "each look at the case leaves a fact");
}

#[tokio::test]
async fn what_another_unit_is_asked_does_not_exist() {
    let desk = asked().await;
    for path in [
        format!("/desk/consults/{CASE}/1"),
        format!("/desk/consults/{CASE}/9"),
        format!("/desk/consults/{CASE}/nothing"),
        format!("/desk/consults/{CASE}/1/papers/BV"),
        format!("/desk/consults/{CASE}/2/papers/XX"),
        format!("/desk/consults/{CASE}/2/opinion"),
        "/desk/consults?state=none".to_owned(),
        "/desk/consults?after=none".to_owned(),
    ] {
        assert_eq!(desk.get("ban", &path).await.status, 404, "{path}");
    }
    assert_eq!(answer(&desk, "ban", 1, agrees()).await.status, 404);
    assert_eq!(
        answer(&desk, "tich", 2, agrees()).await.status,
        404,
        "nor its asker’s unit"
    );
    assert_eq!(
        answer(&desk, "tiep", 2, agrees()).await.status,
        403,
        "nor who decides nothing"
    );
    assert_eq!(answer(&desk, "", 2, agrees()).await.status, 401);
    let own = json!([question("H56", "land")]);
    assert_eq!(
        ask(&desk, "tinh", own).await.status,
        200,
        "a province’s officer asks for the commune"
    );
    let answered = answer(&desk, "tinh", 3, agrees()).await;
    assert_eq!(refused(&answered), (403, "consult-own".to_owned()));
}

#[tokio::test]
async fn an_opinion_is_given_once_with_its_words_and_its_paper() {
    let desk = asked().await;
    for (body, code) in [
        (json!({"opinion": ""}), "consult-opinion"),
        (json!({"opinion": "objects"}), "case-note-missing"),
        (
            json!({"opinion": "remarks", "text": "a".repeat(2_001)}),
            "case-note-too-long",
        ),
        (
            json!({"opinion": "agrees", "paper": {"name": "a.pdf", "pdf_base64": STANDARD.encode("no pdf")}}),
            "paper-not-pdf",
        ),
        (
            json!({"opinion": "agrees", "paper": {"name": "a.pdf", "pdf_base64": "?"}}),
            "case-paper-damaged",
        ),
    ] {
        let wrong = answer(&desk, "ban", 2, body).await;
        assert_eq!(refused(&wrong), (422, code.to_owned()));
    }
    let given = json!({"opinion": "remarks", "text": "Mở rộng lối thoát nạn",
        "paper": {"name": "tra-loi.pdf", "pdf_base64": STANDARD.encode(PDF)}});
    for _ in 0..2 {
        let told = answer(&desk, "ban", 2, given.clone()).await;
        assert_eq!(told.status, 200, "{}", told.body);
        assert_eq!(
            (told.json()["state"].clone(), told.json()["late"].clone()),
            (json!("answered"), json!(false))
        );
    }
    let again = answer(&desk, "ban", 2, agrees()).await;
    assert_eq!(refused(&again), (409, "consult-answered".to_owned()));
    assert_eq!(desk.state().await, "consulting", "the case stands where it stood");
    for who in ["tich", "ban"] {
        let sheet = desk.get(who, &format!("/desk/consults/{CASE}/2/opinion")).await;
        assert_eq!(
            (sheet.status, sheet.bytes.as_slice()),
            (200, PDF.as_bytes()),
            "{who}"
        );
    }
    let page = desk
        .get("tich", &format!("/desk/cases/{CASE}/consults"))
        .await
        .body;
    assert!(
        page.contains("Mở rộng lối thoát nạn") && page.contains("Trần Văn Bạn"),
        "{page}"
    );
    let facts = desk.facts().await;
    assert_eq!(
        facts.iter().filter(|f| *f == "case-consult-answered").count(),
        1,
        "{facts:?}"
    );
    let done = desk.get("ban", &format!("{LIST}?state=ended")).await.json();
    assert_eq!(
        (&done["items"][0]["number"], &done["open"]),
        (&json!(2), &json!(0))
    );
}

#[tokio::test]
async fn the_form_of_an_answer_keeps_what_was_typed() {
    let desk = asked().await;
    let path = format!("/desk/consults/{CASE}/2/answer");
    let wrong = desk
        .form("ban", &path, &[("opinion", ""), ("text", "Xem lại lối vào")])
        .await;
    assert!(
        wrong.status == 422
            && wrong.body.contains("href=\"#opinion\"")
            && wrong.body.contains("Xem lại lối vào"),
        "{}",
        wrong.body
    );
    let sent = desk
        .upload(
            "ban",
            &path,
            &[("opinion", "objects"), ("text", "Không đủ khoảng cách")],
            ("paper", "a.pdf", PDF.as_bytes()),
        )
        .await;
    assert_eq!(
        (sent.status, sent.location()),
        (303, format!("/desk/consults/{CASE}/2")),
        "{}",
        sent.body
    );
    let page = desk.get("ban", &format!("/desk/consults/{CASE}/2")).await.body;
    assert!(
        page.contains("Không đồng ý") && !page.contains("/answer\""),
        "{page}"
    );
}

#[tokio::test]
async fn who_leads_the_unit_is_told_once_of_what_is_late() {
    let desk = asked().await;
    assert_eq!(desk.cases.tend_consults().await.expect("tended").told, 0);
    desk.temp.clock.advance_ms(15 * 86_400_000);
    assert_eq!(desk.cases.tend_consults().await.expect("tended").told, 2);
    assert_eq!(
        desk.cases.tend_consults().await.expect("tended").told,
        0,
        "told once"
    );
    let facts = desk.facts().await;
    assert_eq!(
        facts.iter().filter(|f| *f == "case-consult-late").count(),
        2,
        "{facts:?}"
    );
    let leader = desk.get("chu-ban", "/desk").await.body;
    assert!(leader.contains("href=\"/desk/consults?state=late\""), "{leader}");
    let officer = desk.get("ban", "/desk").await.body;
    assert!(
        !officer.contains("href=\"/desk/consults?state=late\""),
        "who leads is told"
    );
    let list = desk.get("chu-ban", "/desk/consults?state=late").await.body;
    assert!(list.contains("1 ý kiến quá hạn") && list.contains(CASE), "{list}");
    let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(
        page.contains("coi như đồng ý") && page.contains("đã báo lãnh đạo"),
        "{page}"
    );
}

#[tokio::test]
async fn a_question_is_taken_back_by_the_officer_of_the_case_and_by_nobody_else() {
    let desk = asked().await;
    let path = format!("{API}/consults/2/take-back");
    let why = json!({"note": "Đã có văn bản của cơ quan này"});
    for (who, status) in [("tiep", 403), ("ban", 404), ("xa", 404), ("", 401)] {
        assert_eq!(desk.post(who, &path, &why).await.status, status, "{who}");
    }
    let silent = desk.post("tich", &path, &json!({"note": ""})).await;
    assert_eq!(refused(&silent), (422, "case-note-missing".to_owned()));
    assert_eq!(
        desk.post("tich", &format!("{API}/consults/9/take-back"), &why)
            .await
            .status,
        404
    );
    for _ in 0..2 {
        assert_eq!(desk.post("tich", &path, &why).await.status, 200);
    }
    let late = answer(&desk, "ban", 2, agrees()).await;
    assert_eq!(refused(&late), (409, "consult-ended".to_owned()));
    let page = desk.get("ban", &format!("/desk/consults/{CASE}/2")).await.body;
    assert!(
        page.contains("Đã có văn bản của cơ quan này") && !page.contains("Nhà ở gia đình"),
        "{page}"
    );
    assert_eq!(
        desk.get("ban", &format!("/desk/consults/{CASE}/2/papers/BV"))
            .await
            .status,
        404
    );
    assert_eq!(answer(&desk, "tinh", 1, agrees()).await.status, 200);
    let answered = desk
        .post("tich", &format!("{API}/consults/1/take-back"), &why)
        .await;
    assert_eq!(refused(&answered), (409, "consult-answered".to_owned()));
    let again = ask(&desk, "tich", json!([question(NEIGHBOUR, "fire")])).await;
    assert_eq!(
        again.json()["items"][2]["number"],
        3,
        "asked anew under a number of its own"
    );
}

fn day(text: &str) -> Time {
    Time::parse_rfc3339(&format!("{text}T00:05:00+07:00")).expect("a time")
}

/// A permit for a commune that nobody took over, in a country whose units are merged: asked of the others.
async fn among_merged(asks: Value) -> Desk {
    let (areas, organisations) = crate::merger::tests::country();
    let desk = Desk::among(plain_templates(), Limits::default(), areas, organisations).await;
    let mut body = permit();
    body["unit"] = json!("H56.14803");
    desk.receive(&body).await.expect("received");
    assert_eq!(desk.verb("tiep-tinh", "accept", json!({})).await.status, 200);
    let answer = ask(&desk, "tinh", asks).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    desk
}

#[tokio::test]
async fn what_was_asked_of_a_merged_unit_is_asked_of_who_took_over() {
    let desk = among_merged(json!([question(UNIT, "fire"), question("H56.14800", "land")])).await;
    desk.temp.clock.set(day("2026-12-01"));
    let done = desk.cases.tend_consults().await.expect("tended");
    assert_eq!(
        (done.moved, done.ended, done.told),
        (1, 1, 0),
        "one heir, and one that was split"
    );
    assert_eq!(desk.cases.tend_consults().await.expect("tended").moved, 0);
    let list = desk.get("ban", LIST).await.json();
    assert_eq!(list["items"][0]["number"], 1, "{list}");
    assert_eq!(answer(&desk, "ban", 1, agrees()).await.status, 200);
    let view = desk.get("tinh", &format!("{API}/consults")).await.json();
    assert_eq!(
        (&view["items"][0]["unit"], &view["items"][1]["ended"]),
        (&json!(NEIGHBOUR), &json!("unit-gone"))
    );
    let facts = desk.facts().await;
    for fact in [
        "case-consult-moved",
        "case-consult-ended",
        "case-consult-answered",
    ] {
        assert!(facts.iter().any(|f| f == fact), "{fact}: {facts:?}");
    }
}

#[tokio::test]
async fn who_looks_at_a_case_without_signing_in_is_not_told_who_is_asked() {
    let desk = asked().await;
    let number = desk.row().await.case.applicant.number;
    let digits = number.as_str().get(8..).expect("twelve digits");
    let shown = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
    assert!(shown.contains("Lấy ý kiến"), "{shown}");
    let fields = [("code", CASE), ("digits", digits)];
    let found = desk.form("", "/track", &fields).await;
    assert!(
        found.status == 200 && found.body.contains(CASE) && !found.body.contains("Lấy ý kiến"),
        "{}",
        found.body
    );
}
