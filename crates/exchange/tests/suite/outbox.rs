//! What waits to be sent, as an operator sees it, and trying it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Actor, Fact, Kind, OrgCode, Problem};
use serde_json::{Value, json};
use store::{Deliver, OutboxLine};
use tokio::sync::watch;

use crate::nation::Nation;
use crate::node::Node;
use crate::operator::desk_at;

/// The other side: away until it is there.
#[derive(Default)]
struct Other {
    is_there: AtomicBool,
    came: AtomicU32,
}

#[async_trait]
impl Deliver for Other {
    fn topic(&self) -> &'static str {
        "case-status"
    }

    async fn deliver(&self, _: &OutboxLine) -> Result<(), Problem> {
        if !self.is_there.load(Ordering::SeqCst) {
            return Err(Problem::new(Kind::Upstream, "provider-unreachable"));
        }
        self.came.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

async fn leave(node: &Node, org: &str, key: &str, lines: usize) {
    let org: OrgCode = org.parse().expect("a code");
    for _ in 0..lines {
        let write = node.temp.store.write(&org, &Actor::Platform, |tx| async move {
            tx.outbox("case-status", key, &json!({"name": "Lê Thị Hoa"}))
                .await
        });
        write.await.expect("left");
    }
}

/// Waits until something holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1_500 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} did not happen");
}

#[tokio::test]
async fn an_operator_sees_what_waits_and_why_and_has_it_sent_again() {
    let nation = Nation::new().await;
    let node = &nation.ministry;
    let desk = desk_at(node).await;
    assert_eq!(
        desk.get("outbox").await,
        json!({"topics": [], "lines": [], "next": null})
    );
    let (status, _, empty) = desk.page("/exchange/outbox", None).await;
    assert!(
        status == 200 && empty.contains("Không có tin nào đang chờ"),
        "{empty}"
    );
    leave(node, "G01", "H56-261121-0001", 2).await;
    leave(node, "G01", "H56-261121-0002", 1).await;
    let other = Arc::new(Other::default());
    let (stop, stopped) = watch::channel(false);
    let runner = node.temp.store.run_outbox(vec![other.clone()], stopped);
    until("two tries", async || {
        desk.get("outbox").await["topics"][0]["failed"] == 2
    })
    .await;
    let seen = desk.get("outbox?org=G01&topic=case-status").await;
    let lines = seen["lines"].as_array().expect("lines");
    let states: Vec<_> = lines
        .iter()
        .map(|l| (&l["seq"], &l["state"], &l["why"]))
        .collect();
    assert_eq!(
        states,
        [
            (&json!(1), &json!("failed"), &json!("provider-unreachable")),
            (&json!(2), &json!("behind"), &Value::Null),
            (&json!(1), &json!("failed"), &json!("provider-unreachable")),
        ]
    );
    let (_, _, page) = desk
        .page("/exchange/outbox?org=G01&topic=case-status", None)
        .await;
    assert!(
        page.contains("H56-261121-0002") && page.contains("gửi không được"),
        "{page}"
    );
    assert!(
        !page.contains("Lê Thị Hoa"),
        "what a line carries is nobody's to see here"
    );
    // The clock stands, so nothing is tried by itself.
    other.is_there.store(true, Ordering::SeqCst);
    let one = json!({"org": "G01", "topic": "case-status", "key": "H56-261121-0001"});
    assert_eq!(desk.post("outbox/again", &one).await, (200, json!({"lines": 1})));
    until("its two lines", async || other.came.load(Ordering::SeqCst) == 2).await;
    let form = [("org", "G01"), ("topic", "case-status")];
    let (status, to, _) = desk.page("/exchange/outbox/again", Some(&form)).await;
    assert_eq!(
        (status, to.as_str()),
        (303, "/exchange/outbox?org=G01&topic=case-status")
    );
    until("the last one", async || other.came.load(Ordering::SeqCst) == 3).await;
    until("an empty outbox", async || {
        desk.get("outbox").await["topics"] == json!([])
    })
    .await;
    assert_eq!(desk.post("outbox/again", &one).await.0, 404, "it has gone");
    stop.send_replace(true);
    runner.await.expect("it ends when told");
    let home = "G01".parse().expect("a code");
    let told = node
        .temp
        .store
        .facts_of(&home, "outbox/case-status")
        .await
        .expect("facts");
    let told: Vec<_> = told
        .iter()
        .map(|fact| match &fact.fact {
            Fact::OutboxRetried { key, lines, .. } => (key.as_deref(), *lines),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(Some("H56-261121-0001"), 1), (None, 1)]);
}

#[tokio::test]
async fn the_outbox_is_for_operators_and_each_sees_their_own_organisations_lines() {
    let nation = Nation::new().await;
    let node = &nation.ministry;
    let desk = desk_at(node).await;
    leave(node, "G15", "H56-261121-0001", 1).await;
    for role in [None, Some("officer")] {
        let refused = if role.is_some() { 403 } else { 401 };
        assert_eq!(desk.send("GET", "outbox", role, "").await.0, refused);
        let again = r#"{"org":"G15","topic":"case-status"}"#;
        assert_eq!(desk.send("POST", "outbox/again", role, again).await.0, refused);
    }
    for (query, status) in [
        ("?org=H56&topic=case-status", 404),
        ("?org=G15&topic=case-status&after=x", 422),
        ("?org=G15&topic=nothing", 200),
    ] {
        let (found, _) = desk
            .send("GET", &format!("outbox{query}"), Some("operator"), "")
            .await;
        assert_eq!(found, status, "{query}");
    }
    // Of a hosted organisation: its own, and no other's.
    let (_, own) = desk.told("G15", "outbox").await;
    assert_eq!(own["topics"][0]["org"], "G15");
    let (status, none) = desk.told("G15", "outbox?org=G01&topic=case-status").await;
    assert_eq!(status, 404, "{none}");
}
