//! Tests of migrations at a desk: planned by one, tried, started by another, done by the job; and what stays.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::desk::testing::{CASE, Desk};
use crate::procedure::{Procedure, TermRule};
use crate::testing::birth;

const API: &str = "/api/v1/migrations";

/// A desk with an accepted case, and with another version of its procedure.
async fn with_version(change: impl Fn(&mut Procedure)) -> (Desk, Arc<Procedure>) {
    let desk = Desk::new().await;
    desk.accept().await;
    let mut new = Procedure::clone(&birth());
    new.valid_from = "2026-11-01".to_owned();
    change(&mut new);
    desk.cases.kept_versions().put(new.version(), new.clone());
    (desk, Arc::new(new))
}

fn versions(new: &Procedure) -> Value {
    json!({"was": birth().version(), "version": new.version()})
}

async fn planned(desk: &Desk, body: &Value) -> String {
    let plan = desk.post("thiet", API, body).await;
    assert_eq!(plan.status, 200, "{}", plan.body);
    plan.json()["id"].as_str().expect("an id").to_owned()
}

/// The birth registration whose accepted cases stand in a state of another name.
fn renamed(procedure: &mut Procedure) {
    let state = procedure.states.remove("accepted").expect("a state");
    procedure.states.insert("taken-in".to_owned(), state);
    for step in &mut procedure.transitions {
        for end in [&mut step.from, &mut step.to] {
            if end == "accepted" {
                "taken-in".clone_into(end);
            }
        }
    }
}

#[tokio::test]
async fn a_running_case_goes_on_under_the_version_and_the_state_that_the_table_names() {
    let (desk, new) = with_version(renamed).await;
    let mut body = versions(&new);
    body["states"] = json!("received = received\naccepted = taken-in");
    let id = planned(&desk, &body).await;
    let path = format!("{API}/{id}");
    let dry = desk.get("cong", &path).await.json();
    assert_eq!(
        dry["goes"],
        json!([{"from": "accepted", "to": "taken-in", "count": 1}])
    );
    assert_eq!(dry["stays"], json!([]));
    assert_eq!(
        desk.row().await.case.version,
        birth().version(),
        "a dry run changes nothing"
    );
    let page = desk.get("cong", &format!("/migrations/{id}")).await;
    assert!(
        page.status == 200 && page.body.contains("taken-in"),
        "{}",
        page.body
    );

    let start = format!("{path}/start");
    assert_eq!(
        desk.post("thiet", &start, &json!({})).await.status,
        403,
        "not who planned it"
    );
    assert_eq!(desk.post("cong", &start, &json!({})).await.status, 200);
    assert_eq!(desk.post("cong", &start, &json!({})).await.status, 409, "once");
    desk.cases.run_migrations().await.expect("done");
    let case = desk.row().await.case;
    assert_eq!((case.version, case.state.as_str()), (new.version(), "taken-in"));
    assert_eq!(desk.state().await, "taken-in", "the row is the fold of its facts");
    let done = desk.get("cong", &path).await.json();
    assert_eq!(
        (
            &done["migration"]["stage"],
            &done["migration"]["moved"],
            &done["migration"]["refused"]
        ),
        (&json!("done"), &json!(1), &json!(0))
    );
    desk.cases.run_migrations().await.expect("nothing twice");
    let moved = desk
        .facts()
        .await
        .into_iter()
        .filter(|kind| kind == "case-migrated");
    assert_eq!(moved.count(), 1);
    let subject = format!("migration/{id}");
    assert_eq!(
        desk.facts_of(&subject).await,
        ["migration-planned", "migration-started"]
    );
    let more = json!({"outcome": "granted", "note": "Đủ điều kiện"});
    let proposed = desk.verb("tich", "propose", more).await;
    assert_eq!(proposed.status, 200, "{}", proposed.body);
}

#[tokio::test]
async fn no_date_is_put_off_by_a_migration() {
    let (desk, new) = with_version(|procedure| {
        for term in &mut procedure.terms {
            term.rule = TermRule::WorkingDays { days: 5 };
        }
    })
    .await;
    let due = desk.row().await.due_at;
    let id = planned(&desk, &versions(&new)).await;
    let dry = desk.get("thiet", &format!("{API}/{id}")).await.json();
    assert_eq!(dry["stays"], json!([{"why": "later", "count": 1}]));
    assert_eq!(dry["first_refused"], json!([{"code": CASE, "why": "later"}]));
    let start = format!("{API}/{id}/start");
    assert_eq!(desk.post("cong", &start, &json!({})).await.status, 200);
    desk.cases.run_migrations().await.expect("done");
    let held = desk.row().await;
    assert_eq!(
        (held.case.version, held.due_at),
        (birth().version(), due),
        "it stays"
    );
    let done = desk.get("cong", &format!("{API}/{id}")).await.json();
    assert_eq!(done["migration"]["refused"], 1);
}

#[tokio::test]
async fn a_case_stays_whose_new_status_its_portal_would_refuse() {
    let (desk, new) = with_version(|procedure| {
        procedure.states.get_mut("accepted").expect("a state").status = 1;
    })
    .await;
    let id = planned(&desk, &versions(&new)).await;
    let dry = desk.get("thiet", &format!("{API}/{id}")).await.json();
    assert_eq!(dry["stays"], json!([{"why": "status", "count": 1}]));
}

#[tokio::test]
async fn a_migration_is_planned_by_who_designs_between_two_versions_of_one_procedure() {
    let (desk, new) = with_version(renamed).await;
    for path in ["/migrations", API] {
        assert_eq!(desk.get("tich", path).await.status, 403);
        assert_eq!(desk.get("thiet", path).await.status, 200);
    }
    assert_eq!(desk.get("", API).await.status, 401);
    let refused = desk.post("cong", API, &versions(&new)).await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (403, "role-missing")
    );
    let with = |key: &str, value: Value| {
        let mut body = versions(&new);
        body[key] = value;
        body
    };
    for (body, code) in [
        (with("version", json!(birth().version())), "migration-versions"),
        (with("was", json!("x")), "version-unknown"),
        (with("states", json!("accepted")), "migration-table"),
        (with("states", json!("accepted = nowhere")), "migration-state"),
    ] {
        let refused = desk.post("thiet", API, &body).await;
        assert_eq!((refused.status, refused.problem().as_str()), (422, code));
    }
    let form = desk.form("thiet", "/migrations", &[("was", "x")]).await;
    assert!(
        form.status == 422 && form.body.contains("was-error"),
        "{}",
        form.body
    );
    let (was, version) = (birth().version().to_string(), new.version().to_string());
    let fields = [("was", was.as_str()), ("version", version.as_str())];
    let went = desk.form("thiet", "/migrations", &fields).await;
    assert_eq!(went.status, 303, "{}", went.body);
    let started = desk
        .form("cong", &format!("{}/start", went.location()), &[])
        .await;
    assert_eq!(started.status, 303, "{}", started.body);
    assert_eq!(desk.get("cong", &format!("{API}/none")).await.status, 404);
    assert_eq!(
        desk.post("cong", &format!("{API}/none/start"), &json!({}))
            .await
            .status,
        404
    );
}
