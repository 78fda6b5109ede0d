//! Who may speak for whom, and what happens when a node is revoked, down or silent.

use std::time::Duration;

use exchange::Ask;
use exchange::message::RequestHead;
use kernel::Kind;
use kernel::limits::Limits;

use crate::nation::{Nation, asking, system};
use crate::node::frames;

/// Well within the deadline of a call, which is 15 s.
const IN_TIME: Duration = Duration::from_secs(12);
/// Longer than anything that is waited for here.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody asks a service that waits, and goes away while it does.
async fn gone_while_it_waits<T>(nation: &Nation, asks: impl Future<Output = T>) {
    let waits = tokio::time::timeout(PATIENCE, nation.service.waits.notified());
    tokio::select! {
        _ = asks => panic!("the service waits, and was not told to go on"),
        begun = waits => begun.expect("the service is asked"),
    }
}

/// Lets a service go on whose caller has gone, once its node had time to notice.
async fn go_on(nation: &Nation) {
    tokio::time::sleep(Duration::from_millis(100)).await;
    nation.service.go_on.notify_one();
}

#[tokio::test]
async fn a_revoked_node_is_refused_also_on_a_connection_that_is_open() {
    let mut nation = Nation::new().await;
    nation.ask("{}").await.expect("a connection is open now");
    let certificate = nation.national.keyring.node.certificate.clone();
    let token = nation.sign_next(|s| s.revoked.push(Nation::revoked(&certificate)));
    // The ministry hears of it; the national node does not, and keeps using its connection.
    nation.ministry.directory.adopt(&token).await.expect("adopted");
    assert_eq!(nation.refused("{}").await, "node-revoked");
    assert_eq!(nation.effects(), 1);
    assert_eq!(nation.national.faults().await, ["", "node-revoked"]);
    // A new connection is not even made.
    let from = &nation.national;
    let client = frames(&from.temp, &from.keyring.node, &from.directory, &nation.ca);
    let refused = client
        .send(&nation.ministry.peer, bytes::Bytes::new(), 5_000)
        .await;
    assert_eq!(refused, Err(web::ClientError::Connect), "TLS refuses");
    // Once it knows, it says so itself and sends nothing.
    nation.national.directory.adopt(&token).await.expect("adopted");
    assert_eq!(nation.refused("{}").await, "node-revoked");
}

#[tokio::test]
async fn a_consumer_sends_nothing_to_a_revoked_node_even_over_an_open_connection() {
    let mut nation = Nation::new().await;
    nation.ask("{}").await.expect("a connection is open now");
    let certificate = nation.ministry.keyring.node.certificate.clone();
    let token = nation.sign_next(|s| s.revoked.push(Nation::revoked(&certificate)));
    nation.national.directory.adopt(&token).await.expect("adopted");
    assert_eq!(nation.refused("{}").await, "node-revoked");
    assert_eq!(nation.ministry.evidence().await.len(), 1);
    assert_eq!(nation.effects(), 1);
}

#[tokio::test]
async fn a_node_does_not_speak_for_a_member_of_another_node() {
    let nation = Nation::new().await;
    let mut agreement = nation.agreement();
    agreement.consumer = system("G15/civil-status");
    nation.agree(agreement.clone()).await;
    // Even with the member's own seal in its hands.
    let head = RequestHead {
        consumer: agreement.consumer.clone(),
        agreement: agreement.hash(),
        ..nation.head()
    };
    let stolen = nation.ministry.seal("G15").clone();
    let sent = nation.sealed(&head, b"{}", &stolen, nation.national.now());
    assert_eq!(nation.told(&sent).await, "member-unknown");
    // Nor with its own seal under the other's name.
    let own = nation.sealed(&nation.head(), b"{}", &stolen, nation.national.now());
    assert_eq!(nation.told(&own).await, "seal-broken");
    // And a node's own gateway does not try. (The agreement concerns no tenant of this node.)
    let ask = Ask {
        consumer: agreement.consumer,
        ..asking("{}")
    };
    let problem = nation.national.exchange.ask(ask).await.expect_err("refused");
    assert_eq!(problem.kind, Kind::Forbidden);
    assert_eq!(nation.effects(), 0);
    assert!(nation.ministry.evidence().await.is_empty());
}

#[tokio::test]
async fn a_member_nobody_knows_is_refused() {
    let nation = Nation::new().await;
    let head = RequestHead {
        consumer: system("G99/portal"),
        ..nation.head()
    };
    let sent = nation.sealed(&head, b"{}", &nation.hub, nation.national.now());
    assert_eq!(nation.told(&sent).await, "member-unknown");
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_within_the_deadline_and_in_the_evidence() {
    let nation = Nation::new().await;
    nation.ask("{}").await.expect("while it is up");
    nation.ministry.halt().await;
    let told = tokio::time::timeout(IN_TIME, nation.ask("{}")).await;
    let problem = told.expect("well within the deadline").expect_err("nobody there");
    assert_eq!(
        (problem.code, problem.kind),
        ("provider-unreachable", Kind::Unavailable)
    );
    assert!(problem.args.contains(&("hop", "G01".to_owned())));
    let records = nation.national.evidence().await;
    assert_eq!(
        (records.len(), records[1].fault.as_str()),
        (2, "provider-unreachable")
    );
    assert!(records[1].answer.is_none());
}

#[tokio::test]
async fn a_provider_that_never_says_who_it_is_is_given_up_at_the_deadline_and_nothing_was_sent() {
    let limits = Limits {
        exchange_call_ms_max: 300,
        ..Limits::default()
    };
    let mut nation = Nation::with(limits).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let peer = silent.local_addr().expect("an address").to_string();
    nation.publish(|s| s.nodes[1].peer = peer).await;
    let told = tokio::time::timeout(IN_TIME, nation.ask("{}")).await;
    let problem = told.expect("given up").expect_err("silence");
    assert_eq!(problem.code, "provider-unreachable");
    assert_eq!(nation.national.faults().await, ["provider-unreachable"]);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_whole_exchange_behind() {
    let nation = Nation::new().await;
    gone_while_it_waits(&nation, nation.ask(r#"{"do":"wait"}"#)).await;
    go_on(&nation).await;
    let whole = async {
        while nation.national.evidence().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, whole).await.expect("ended");
    assert_eq!(nation.national.faults().await, [""]);
    assert_eq!(nation.ministry.faults().await, [""]);
    assert_eq!(nation.effects(), 1);
}

#[tokio::test]
async fn a_consumers_node_that_hangs_up_leaves_the_providers_evidence() {
    let nation = Nation::new().await;
    let sent = nation.sealed(
        &nation.head(),
        br#"{"do":"wait"}"#,
        &nation.hub,
        nation.national.now(),
    );
    // The connection is closed with its client.
    gone_while_it_waits(&nation, nation.told(&sent)).await;
    go_on(&nation).await;
    let whole = async {
        while nation.ministry.evidence().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, whole).await.expect("ended");
    assert_eq!(
        (nation.ministry.faults().await, nation.effects()),
        (vec![String::new()], 1)
    );
}
