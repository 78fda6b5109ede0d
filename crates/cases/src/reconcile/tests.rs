//! A desk and a whole portal, compared: what is broken on either side on purpose is listed with what differs, mended, and gone.

use ::store::params;
use kernel::limits::Limits;
use kernel::{Actor, CaseCode, Problem};
use serde_json::{Value, json};

use super::digests::CaseDigests;
use super::restate::RestateCase;
use super::store::Part;
use crate::Cases;
use crate::course::Intake;
use crate::desk::step;
use crate::desk::testing::{API, CASE, Desk, plain_templates};
use crate::handover::HandOver;
use crate::store::{self as rows, StatusRow};
use crate::testing::{Portal, birth, case, lan, wire};

const LIST: &str = "/desk/reconciliation";
const DAY_MS: i64 = 86_400_000;

/// A desk with the portal's case, accepted and told, and that portal.
async fn both() -> (Desk, Portal) {
    let (desk, portal) = apart(Limits::default()).await;
    let code = portal.filed(&lan()).await;
    assert_eq!(code, CASE);
    portal.answer("H56", Ok((200, json!({"case": code, "received": true}))));
    let handing = HandOver(portal.cases.clone());
    let handed = ::store::Deliver::deliver(&handing, &portal.line(&code)).await;
    handed.expect("handed over");
    let (_, body) = portal.asked().pop().expect("asked");
    desk.receive(&body).await.expect("received");
    desk.accept().await;
    assert!(desk.deliver_topic("case-status").await.is_none());
    (desk, portal)
}

/// A desk and a portal that know of no case.
async fn apart(limits: Limits) -> (Desk, Portal) {
    let desk = Desk::with(plain_templates(), limits).await;
    let portal = Portal::new().await;
    *desk.nation.portal.lock().expect("whole") = Some(portal.cases.clone());
    (desk, portal)
}

/// Changes one row behind everybody's back.
async fn broken(cases: &Cases, sql: &'static str) {
    let changed = cases
        .store
        .write(&cases.tenant, &Actor::Platform, |tx| async move {
            tx.exec(sql, params![tx.tenant(), CASE]).await
        })
        .await;
    assert!(changed.expect("written") > 0, "{sql}");
}

/// A case that was handed in at the desk and accepted, of which the portal has not heard.
async fn at_desk(desk: &Desk, number: u32) -> String {
    let procedure = birth();
    let cases = &desk.cases;
    let now = cases.store.world().now();
    let mut new = case(&procedure);
    new.code = CaseCode::number(&cases.tenant, now.date(), number);
    new.filed_at = now;
    new.applicant.account = String::new();
    new.course.intake = Some(Intake {
        by: "tiep".to_owned(),
        by_name: "Lê Thị Tiếp".to_owned(),
        at: new.unit.clone(),
        on_paper: Vec::new(),
    });
    let mut accepted = new.clone();
    accepted.state = "accepted".to_owned();
    accepted.revision += 1;
    let (new, accepted, procedure) = (&new, &accepted, &procedure);
    let written = cases
        .store
        .write(&cases.tenant, &Actor::Platform, |tx| async move {
            rows::insert_case(&tx, new, 1).await?;
            let filed = StatusRow {
                seq: 0,
                status: 1,
                at: new.filed_at,
                due: None,
                notice: None,
            };
            rows::insert_status(&tx, &new.code, &filed).await?;
            step::save(&tx, accepted, procedure).await
        });
    written.await.expect("written");
    new.code.to_string()
}

/// The list as the supervisor of the province gets it.
async fn listed(desk: &Desk) -> Vec<Value> {
    let told = desk.get("giam", &format!("/api/v1{LIST}")).await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.json()["items"].as_array().expect("a list").clone()
}

/// The next day's comparison, and what it lists.
async fn compared(desk: &Desk) -> Vec<Value> {
    desk.temp.clock.advance_ms(DAY_MS);
    desk.cases.reconcile().await.expect("compared");
    listed(desk).await
}

/// Mends a case by the button and delivers what that put in line.
async fn mended(desk: &Desk, code: &str) {
    let path = format!("/api/v1{LIST}/{code}/mend");
    let told = desk.post("giam", &path, &json!({})).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let again = desk.post("giam", &path, &json!({})).await;
    assert_eq!(again.json(), told.json(), "pressed twice");
    assert_eq!(desk.lines("case-mend").await.len(), 1);
    let failed = desk.deliver_topic("case-mend").await;
    assert!(failed.is_none(), "{failed:?}");
    assert_eq!(listed(desk).await, Vec::<Value>::new());
}

#[tokio::test]
async fn two_sides_that_say_the_same_are_compared_once_a_day_and_nothing_is_listed() {
    let (desk, _portal) = both().await;
    let page = desk.get("giam", LIST).await.body;
    assert!(page.contains("Chưa đối soát lần nào"), "{page}");
    assert_eq!(compared(&desk).await, Vec::<Value>::new());
    let asked = desk.nation.asked_of("case-digests").len();
    desk.cases.reconcile().await.expect("done for today");
    assert_eq!(desk.nation.asked_of("case-digests").len(), asked);
    let page = desk.get("giam", LIST).await.body;
    for words in ["đã so 1 hồ sơ", "Không có hồ sơ nào khác nhau"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    let facts = desk.facts_of("reconciliation/G22/portal").await;
    assert_eq!(facts, ["cases-compared"]);
}

#[tokio::test]
async fn a_row_that_is_broken_at_the_portal_is_listed_with_what_differs_and_gone_once_it_is_mended() {
    let (desk, portal) = both().await;
    for (sql, what) in [
        (
            "update cases_cases set status = 7 where tenant = $1 and code = $2",
            "status",
        ),
        (
            "update cases_cases set due_at = 60000 where tenant = $1 and code = $2",
            "due",
        ),
        (
            "update cases_cases set unit = 'H56.14797' where tenant = $1 and code = $2",
            "owner",
        ),
        (
            "update cases_statuses set at = at + 1 where tenant = $1 and code = $2",
            "steps",
        ),
    ] {
        broken(&portal.cases, sql).await;
        let found = compared(&desk).await;
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        assert_eq!(found[0]["what"], json!([what]), "{found:?}");
        assert_eq!(found[0]["code"], CASE);
        assert_ne!(found[0]["since"], Value::Null);
        let since = found[0]["since"].clone();
        assert_eq!(
            compared(&desk).await[0]["since"],
            since,
            "since it was found first"
        );
        let page = desk.get("giam", LIST).await.body;
        assert!(page.contains(&format!("{LIST}/{CASE}/mend")), "{page}");
        mended(&desk, CASE).await;
        assert_eq!(compared(&desk).await, Vec::<Value>::new(), "{what}");
        let shown = portal.get(Some(&lan()), &format!("/api/v1/cases/{CASE}")).await;
        assert_eq!(shown.json()["status"], 2);
    }
    let facts = desk.facts().await;
    assert_eq!(facts.iter().filter(|fact| *fact == "case-mended").count(), 4);
}

#[tokio::test]
async fn a_row_that_is_broken_at_the_desk_is_listed_and_the_owners_word_stands() {
    let (desk, portal) = both().await;
    for (sql, what) in [
        (
            "update cases_cases set unit = 'H56.14797' where tenant = $1 and code = $2",
            "owner",
        ),
        (
            "update cases_cases set status = 4 where tenant = $1 and code = $2",
            "status",
        ),
    ] {
        broken(&desk.cases, sql).await;
        let found = compared(&desk).await;
        assert_eq!(found[0]["what"], json!([what]), "{found:?}");
        mended(&desk, CASE).await;
        assert_eq!(compared(&desk).await, Vec::<Value>::new(), "{what}");
    }
    let row = desk.row().await;
    assert_eq!(row.status, 2, "the row says again what its state says");
    let reader = portal.cases.store.read(&portal.cases.tenant).await;
    let held = rows::case(&reader.expect("a reader"), &row.case.code).await;
    let held = held.expect("read").expect("a case");
    assert_eq!((held.case.unit.as_str(), held.status), ("H56.14797", 2));
}

#[tokio::test]
async fn what_a_portal_lacks_is_told_again_in_order() {
    let (desk, portal) = both().await;
    desk.propose("granted", "").await;
    assert!(desk.deliver_topic("case-status").await.is_none());
    let told = desk.nation.asked_of("note-status").len();
    broken(
        &portal.cases,
        "delete from cases_statuses where tenant = $1 and code = $2 and seq > 0",
    )
    .await;
    broken(
        &portal.cases,
        "update cases_cases set status = 1, due_at = null where tenant = $1 and code = $2",
    )
    .await;
    let found = compared(&desk).await;
    assert_eq!(found[0]["what"], json!(["status", "due"]));
    assert_eq!(
        (&found[0]["ours"]["seq"], &found[0]["theirs"]["seq"]),
        (&json!(2), &json!(0))
    );
    mended(&desk, CASE).await;
    let notes = desk.nation.asked_of("note-status");
    let again: Vec<_> = notes[told..].iter().map(|note| note["seq"].clone()).collect();
    assert_eq!(again, [1, 2]);
    assert_eq!(desk.nation.asked_of("restate-case"), Vec::<Value>::new());
    assert_eq!(compared(&desk).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_case_of_the_desks_own_of_which_the_portal_never_heard_is_told_whole() {
    let (desk, portal) = apart(Limits::default()).await;
    let code = at_desk(&desk, 1).await;
    let found = compared(&desk).await;
    assert_eq!(found[0]["what"], json!(["missing-there"]));
    assert_eq!(found[0]["theirs"], Value::Null);
    mended(&desk, &code).await;
    assert_eq!(
        portal.facts(&format!("case/{code}")).await,
        ["case-filed", "case-status-noted"]
    );
    assert!(
        desk.deliver_topic("case-status").await.is_none(),
        "what waited is known"
    );
    assert_eq!(compared(&desk).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_only_one_side_can_bring_back_is_listed_and_not_mended_from_here() {
    for (at_portal, what, why) in [
        (true, "missing-there", "case-mend-not-there"),
        (false, "missing-here", "case-mend-not-here"),
    ] {
        let (desk, portal) = both().await;
        let cases = if at_portal { &portal.cases } else { &desk.cases };
        broken(cases, "delete from cases_cases where tenant = $1 and code = $2").await;
        assert_eq!(compared(&desk).await[0]["what"], json!([what]));
        let path = format!("{LIST}/{CASE}/mend");
        let page = desk.get("giam", LIST).await.body;
        assert!(!page.contains(&path) && page.contains("khôi phục"), "{page}");
        let refused = desk.post("giam", &format!("/api/v1{path}"), &json!({})).await;
        assert_eq!((refused.status, refused.problem().as_str()), (409, why));
        let refused = desk.form("giam", &path, &[]).await;
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(refused.body.contains(CASE), "the list again: {}", refused.body);
    }
}

#[tokio::test]
async fn a_node_compares_from_the_day_after_it_first_ran_and_once_a_day() {
    let (desk, _portal) = both().await;
    for (days, comparisons) in [(0, 0), (0, 0), (1, 1), (0, 1)] {
        desk.temp.clock.advance_ms(days * DAY_MS);
        desk.cases.reconcile_daily().await.expect("no fault");
        let facts = desk.facts_of("reconciliation/G22/portal").await;
        assert_eq!(facts.len(), comparisons, "{facts:?}");
    }
}

#[tokio::test]
async fn what_is_on_its_way_is_no_difference_until_it_has_had_its_time() {
    let (desk, _portal) = both().await;
    desk.temp.clock.advance_ms(DAY_MS);
    desk.propose("granted", "").await;
    desk.cases.reconcile().await.expect("compared");
    assert_eq!(listed(&desk).await, Vec::<Value>::new(), "just changed");
    // Whoever asks is shown what is on its way too.
    let went = desk.form("giam", LIST, &[]).await;
    assert_eq!((went.status, went.location()), (303, LIST.to_owned()));
    assert_eq!(listed(&desk).await.len(), 1);
    assert!(desk.deliver_topic("case-status").await.is_none());
    let now = desk.post("giam", &format!("/api/v1{LIST}"), &json!({})).await;
    assert_eq!(now.json()["running"], false);
    assert_eq!(listed(&desk).await, Vec::<Value>::new(), "it has come");
    let facts = desk.facts_of("reconciliation/G22/portal").await;
    assert_eq!(
        facts,
        [
            "cases-compared",
            "cases-compare-asked",
            "cases-compared",
            "cases-compare-asked",
            "cases-compared"
        ]
    );
}

#[tokio::test]
async fn a_comparison_that_was_cut_short_goes_on_where_it_was() {
    let limits = Limits {
        reconcile_rows_max: 1,
        page_rows_max: 2,
        ..Limits::default()
    };
    let (desk, _portal) = apart(limits).await;
    for number in 1..=5 {
        at_desk(&desk, number).await;
    }
    desk.temp.clock.advance_ms(DAY_MS);
    let portal = desk.cases.compared_with().expect("a portal").expect("agreed");
    let until = desk.cases.store.world().now();
    let run = desk
        .cases
        .begin_run(portal, None, until, &Actor::Platform, false)
        .await
        .expect("begun");
    let run = desk
        .cases
        .go_on(run, &Actor::Platform, 2)
        .await
        .expect("two pages");
    assert_eq!((run.part, run.compared), (Part::OursOpen, 2));
    assert_eq!(desk.nation.asked_of("case-digests").len(), 2);
    desk.nation.away.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(desk.cases.reconcile().await.is_err(), "the portal is away");
    assert!(desk.get("giam", LIST).await.body.contains("đã so 2 hồ sơ"));
    desk.nation.away.store(false, std::sync::atomic::Ordering::SeqCst);
    desk.cases.reconcile().await.expect("goes on");
    let mut asked: Vec<Value> = desk.nation.asked_of("case-digests");
    asked.retain(|wanted| wanted["of"] == "codes");
    // Each once as ours, and once more as one of the list.
    assert_eq!(asked.len(), 10, "{asked:?}");

    // The list a page at a time.
    let first = desk.get("giam", &format!("/api/v1{LIST}")).await.json();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let after = first["next"].as_str().expect("more").to_owned();
    let second = desk
        .get("giam", &format!("/api/v1{LIST}?after={after}"))
        .await
        .json();
    assert!(second["items"][0]["code"].as_str() > Some(after.as_str()));
    let page = desk.get("giam", LIST).await.body;
    assert!(page.contains("rel=\"next\""), "{page}");
}

#[tokio::test]
async fn only_a_supervisor_of_the_province_sees_and_mends_what_differs() {
    let (desk, portal) = both().await;
    broken(
        &portal.cases,
        "update cases_cases set status = 4 where tenant = $1 and code = $2",
    )
    .await;
    assert_eq!(compared(&desk).await.len(), 1);
    let mend = format!("{LIST}/{CASE}/mend");
    for (who, status) in [("tich", 403), ("tinh", 403), ("chu", 403), ("xa", 404)] {
        for path in [LIST.to_owned(), format!("/api/v1{LIST}")] {
            assert_eq!(desk.get(who, &path).await.status, status, "{who} {path}");
        }
        for path in [LIST, mend.as_str()] {
            assert_eq!(desk.form(who, path, &[]).await.status, status, "{who} {path}");
            let path = format!("/api/v1{path}");
            assert_eq!(
                desk.post(who, &path, &json!({})).await.status,
                status,
                "{who} {path}"
            );
        }
    }
    assert_eq!(desk.get("", LIST).await.status, 303);
    assert_eq!(desk.get("", &format!("/api/v1{LIST}")).await.status, 401);
    assert_eq!(desk.lines("case-mend").await.len(), 0);
    let none = format!("/api/v1{LIST}/G22-261121-0099/mend");
    assert_eq!(
        desk.post("giam", &none, &json!({})).await.status,
        404,
        "it is not listed"
    );
    let bad = format!("/api/v1{LIST}/nonsense/mend");
    assert_eq!(desk.post("giam", &bad, &json!({})).await.status, 404);
    assert_eq!(desk.get("tinh", API).await.status, 200);
}

/// What a service of the portal answers to an owner.
async fn ask(service: &dyn exchange::Service, consumer: &str, body: &Value) -> Result<Value, Problem> {
    let call = wire::call(consumer, &service.id(), CASE, body, testkit::START);
    let answer = service.call(call).await?;
    Ok(serde_json::from_slice(&answer.body).expect("json"))
}

#[tokio::test]
async fn an_owner_learns_of_its_own_cases_only() {
    let (_desk, portal) = both().await;
    let digests = CaseDigests(portal.cases.clone());
    for wanted in [
        json!({"of": "open"}),
        json!({"of": "codes", "codes": [CASE, "G22-261121-0099"]}),
    ] {
        let own = ask(&digests, "H56/one-stop", &wanted).await.expect("told");
        assert_eq!(own["rows"].as_array().map(Vec::len), Some(1), "{own}");
        assert_eq!(own["rows"][0]["code"], CASE);
        let other = ask(&digests, "H01/one-stop", &wanted).await.expect("told");
        assert_eq!(other["rows"], json!([]), "{wanted}");
    }
    let ended = json!({"of": "ended", "since": 0});
    assert_eq!(
        ask(&digests, "H56/one-stop", &ended).await.expect("told")["rows"],
        json!([])
    );
    let many = vec![CASE; 501];
    let many = ask(&digests, "H56/one-stop", &json!({"of": "codes", "codes": many})).await;
    assert_eq!(many.expect_err("too many").code, "case-digests-many");
}

#[tokio::test]
async fn an_owners_last_word_is_taken_once_and_from_nobody_else() {
    let (_desk, portal) = both().await;
    let restate = RestateCase(portal.cases.clone());
    let said = json!({"code": CASE, "seq": 5, "status": 4, "at": testkit::START.ms(), "unit": "H56.15865"});
    let changed = |key: &str, value: Value| {
        let mut said = said.clone();
        said[key] = value;
        said
    };
    for (consumer, body, wanted) in [
        ("H01/one-stop", said.clone(), "not-found"),
        (
            "H56/one-stop",
            changed("code", json!("G22-261121-0099")),
            "not-found",
        ),
        (
            "H56/one-stop",
            changed("status", json!(11)),
            "case-status-unknown",
        ),
        ("H56/one-stop", changed("unit", json!("H01")), "case-unit-unknown"),
        (
            "H56/one-stop",
            changed("unit", json!("H56.99999")),
            "case-unit-unknown",
        ),
        ("H56/one-stop", changed("seq", json!(1)), "case-restated-late"),
        ("H56/one-stop", changed("more", json!(1)), "json-bad"),
    ] {
        let refused = ask(&restate, consumer, &body).await.expect_err("refused");
        assert_eq!(refused.code, wanted, "{consumer} {body}");
    }
    let before = portal.facts(&format!("case/{CASE}")).await.len();
    for _ in 0..2 {
        let noted = ask(&restate, "H56/one-stop", &said).await.expect("noted");
        assert_eq!(noted, json!({"noted": 5}));
    }
    assert_eq!(portal.facts(&format!("case/{CASE}")).await.len(), before + 1);
    let next = json!({"seq": 6, "status": 9});
    portal.note(CASE, next).await.expect("goes on from there");
}
