//! A node in maintenance makes and answers no call, over a restart too; who calls is told why and when
//! to come back, and both ends of it are facts.

use kernel::{Actor, Fact, OrgCode};
use serde_json::json;

use crate::face::{CLIENT, Face, Told, face};
use crate::nation::{LOOKUP, Nation};
use crate::node::Node;
use crate::operator::desk_at;

const WHY: &str = "Nâng cấp cơ sở dữ liệu";
/// How far ahead an end may be, in milliseconds.
const YEAR_MS: i64 = 366 * 86_400_000;

/// A call at the face, in the native form or X-Road's.
async fn call(face: &Face, form: &str) -> Told {
    let request = web::http::Request::post("/").header(CLIENT.0, CLIENT.1);
    face.send(request, &format!("{form}/{LOOKUP}"), "{}").await
}

fn operator() -> Actor {
    Actor::Official("operator-1".to_owned())
}

async fn closes(node: &Node, hours: Option<i64>) {
    let until = hours.map(|hours| node.now().plus_ms(hours * 3_600_000));
    let by = operator();
    let begun = node.exchange.begin_maintenance(WHY, until, &by).await;
    begun.expect("in maintenance");
}

/// What a node's facts say of its maintenance: how it began and ended, and by whom.
async fn facts(node: &Node) -> Vec<(bool, Actor)> {
    let tenant: &OrgCode = node.keyring.seals.keys().next().expect("one");
    let subject = format!("node/{}", node.id);
    let all = node.temp.store.facts_of(tenant, &subject).await.expect("reads");
    let began = |fact: &Fact| matches!(fact, Fact::NodeMaintenanceBegan { .. });
    all.into_iter().map(|f| (began(&f.fact), f.actor)).collect()
}

#[tokio::test]
async fn a_provider_in_maintenance_answers_nobody_and_callers_read_why_and_when_to_come_back() {
    let nation = Nation::new().await;
    nation.ask("{}").await.expect("an answer");
    closes(&nation.ministry, Some(2)).await;
    let refused = nation.ask("{}").await.expect_err("refused");
    let arg = |name: &str| {
        let found = refused.args.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    assert_eq!(refused.code, "node-maintenance");
    assert_eq!((arg("notice"), arg("node"), arg("hop")), (WHY, "ministry", "G01"));
    assert_eq!(arg("seconds"), "7200");
    assert_eq!(nation.effects(), 1, "nothing was done");
    assert_eq!(
        nation.ministry.faults().await,
        ["", "node-maintenance"],
        "a call that came is in the evidence"
    );
    let face = face(&nation).await;
    let native = call(&face, "/exchange/v1/call").await;
    assert_eq!(
        (native.status, native.code()),
        (503, "node-maintenance".to_owned())
    );
    let said = String::from_utf8_lossy(&native.body).into_owned();
    assert!(said.contains(WHY), "{said}");
    assert_eq!(native.header("retry-after"), "7200");
    let x_road = call(&face, "/r1/VN/GOV").await;
    assert_eq!(x_road.status, 500);
    assert_eq!(
        x_road.header("x-road-error"),
        "Server.ServerProxy.MaintenanceMode"
    );
    assert_eq!(x_road.header("retry-after"), "7200");
}

#[tokio::test]
async fn a_consumers_node_in_maintenance_sends_nothing() {
    let nation = Nation::new().await;
    closes(&nation.national, None).await;
    assert_eq!(nation.refused("{}").await, "node-maintenance");
    assert!(nation.ministry.evidence().await.is_empty() && nation.national.evidence().await.is_empty());
    let told = call(&face(&nation).await, "/r1/VN/GOV").await;
    assert_eq!(told.header("x-road-error"), "Server.ClientProxy.MaintenanceMode");
    assert_eq!(told.header("retry-after"), "300", "nobody knows the end");
    let end = nation.national.exchange.end_maintenance(&operator()).await;
    end.expect("ended");
    nation.ask("{}").await.expect("an answer");
    let again = nation.national.exchange.end_maintenance(&operator()).await;
    assert_eq!(again.expect_err("in none").code, "maintenance-none");
    assert_eq!(
        facts(&nation.national).await,
        [(true, operator()), (false, operator())]
    );
}

#[tokio::test]
async fn a_maintenance_outlives_a_restart_and_ends_by_itself_at_its_end() {
    let mut nation = Nation::new().await;
    closes(&nation.ministry, Some(1)).await;
    nation.restart_ministry().await;
    assert_eq!(nation.refused("{}").await, "node-maintenance");
    assert!(nation.ministry.exchange.maintenance().is_some());
    nation.advance_ms(3_599_999);
    assert_eq!(nation.refused("{}").await, "node-maintenance");
    nation.advance_ms(1);
    nation.ask("{}").await.expect("an answer from that instant on");
    assert_eq!(facts(&nation.ministry).await.len(), 1, "nobody has noted it yet");
    for _ in 0..2 {
        let noted = nation.ministry.exchange.note_maintenance_over().await;
        noted.expect("noted");
    }
    assert_eq!(
        facts(&nation.ministry).await,
        [(true, operator()), (false, Actor::Platform)]
    );
    nation.restart_ministry().await;
    nation.ask("{}").await.expect("an answer");
}

#[tokio::test]
async fn a_maintenance_that_is_prolonged_while_its_end_is_noted_goes_on_over_a_restart_too() {
    let mut nation = Nation::new().await;
    closes(&nation.ministry, Some(1)).await;
    nation.advance_ms(3_600_000);
    let (node, by) = (&nation.ministry.exchange, operator());
    let until = Some(nation.ministry.now().plus_ms(3_600_000));
    let (begun, noted) = tokio::join!(
        node.begin_maintenance(WHY, until, &by),
        node.note_maintenance_over()
    );
    begun.expect("prolonged");
    noted.expect("nothing is over");
    assert!(node.maintenance().is_some());
    nation.restart_ministry().await;
    assert_eq!(nation.refused("{}").await, "node-maintenance");
}

#[tokio::test]
async fn an_operator_puts_the_node_in_maintenance_by_page_and_program_and_nobody_else_does() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    let now = nation.ministry.now().ms();
    let text = json!({"notice": WHY, "until": now + 60_000}).to_string();
    let send = async |role: Option<&str>, text: &str| desk.send("POST", "maintenance", role, text).await.0;
    assert_eq!(send(None, &text).await, 401);
    assert_eq!(send(Some("officer"), &text).await, 403);
    assert!(nation.ministry.exchange.maintenance().is_none());
    for (wrong, field) in [
        (json!({"notice": " "}), "notice"),
        (json!({"notice": WHY, "until": now}), "until"),
        (json!({"notice": WHY, "until": now + YEAR_MS + 1}), "until"),
        (json!({"notice": WHY, "until": i64::MAX}), "until"),
    ] {
        let (status, body) = desk
            .send("POST", "maintenance", Some("operator"), &wrong.to_string())
            .await;
        assert_eq!(status, 422);
        assert!(String::from_utf8_lossy(&body).contains(field), "{body:?}");
    }
    assert_eq!(send(Some("operator"), &text).await, 204);
    assert_eq!(send(Some("operator"), &text).await, 409, "it is so already");
    let seen = desk.get("standing").await;
    assert_eq!(seen["maintenance"]["notice"], WHY);
    assert_ne!(seen["light"], "good");
    let (_, _, page) = desk.page("/exchange/standing", None).await;
    assert!(page.contains(WHY) && page.contains("/exchange/maintenance/end"));
    let (status, to, _) = desk.page("/exchange/maintenance/end", Some(&[])).await;
    assert_eq!((status, to.as_str()), (303, "/exchange/standing"));
    let (status, _, page) = desk
        .page(
            "/exchange/maintenance",
            Some(&[("notice", ""), ("until", "2027-01-01T08:00")]),
        )
        .await;
    assert_eq!(status, 422);
    assert!(
        page.contains("notice-error") && page.contains("error-summary"),
        "{page}"
    );
    let sent = [("notice", WHY), ("until", "2027-01-01T08:00")];
    assert_eq!(desk.page("/exchange/maintenance", Some(&sent)).await.0, 303);
    let held = nation.ministry.exchange.maintenance().expect("in maintenance");
    assert!(held.until.is_some() && held.notice == WHY);
    let call = desk.send("POST", "maintenance/end", Some("operator"), "").await;
    assert_eq!(call.0, 204);
    nation.ask("{}").await.expect("an answer");
}
