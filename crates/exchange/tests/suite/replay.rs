//! One effect for one request, however often its bytes arrive; and nothing from another time.

use bytes::Bytes;
use exchange::envelope::Reply;
use exchange::message::RequestHead;
use exchange::{Agreement, envelope};
use futures_util::future::join_all;
use kernel::limits::Limits;

use crate::nation::Nation;
use crate::node::frames;

#[tokio::test]
async fn the_same_bytes_again_have_no_second_effect() {
    let nation = Nation::new().await;
    let sent = nation.good();
    assert_eq!(nation.told(&sent).await, "");
    assert_eq!(nation.told(&sent).await, "replayed");
    assert_eq!(nation.effects(), 1);
    assert_eq!(
        nation.ministry.faults().await,
        ["", "replayed"],
        "both are evidence"
    );
}

#[tokio::test]
async fn a_hundred_at_once_have_one_effect_and_the_index_names_the_answered_one() {
    let nation = Nation::new().await;
    let (slow, id) = {
        let head = nation.head();
        let id = head.request.clone();
        let now = nation.national.now();
        (nation.sealed(&head, br#"{"do":"slow"}"#, &nation.hub, now), id)
    };
    let told = join_all((0..100).map(|_| nation.told(&slow))).await;
    assert_eq!(told.iter().filter(|code| code.is_empty()).count(), 1);
    assert_eq!(told.iter().filter(|code| *code == "replayed").count(), 99);
    assert_eq!(nation.effects(), 1);
    // The answered one ended last: 99 refusals stand before it in the log.
    let faults = nation.ministry.faults().await;
    assert_eq!((faults.len(), faults.last().map(String::as_str)), (100, Some("")));
    nation.ministry.exchange.fold_evidence().await.expect("folded");
    let found = nation.ministry.exchange.find(&id).await.expect("reads");
    assert_eq!((found.len(), found[0].status, found[0].position), (1, 200, 99));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_replays_have_one_effect_each() {
    const REQUESTS: usize = 500;
    const TIMES: usize = 20;
    let mut nation = Nation::new().await;
    let sent: Vec<Bytes> = (0..REQUESTS)
        .map(|_| envelope::write(&nation.good()).into())
        .collect();
    for turn in 0..=TIMES {
        if turn == TIMES / 2 {
            nation.restart_ministry().await;
        }
        let from = &nation.national;
        let client = frames(&from.temp, &from.keyring.node, &from.directory, &nation.ca);
        let peer = &nation.ministry.peer;
        let told = join_all(sent.iter().map(|bytes| client.send(peer, bytes.clone(), 60_000))).await;
        for answer in told {
            let reply: Reply = envelope::read(&answer.expect("an answer")).expect("a reply");
            let code = reply.fault.map(|fault| fault.code);
            assert_eq!(code.as_deref(), (turn > 0).then_some("replayed"));
        }
    }
    assert_eq!(nation.effects(), REQUESTS);
    let faults = nation.ministry.faults().await;
    assert_eq!(faults.len(), REQUESTS * (TIMES + 1));
    assert_eq!(faults.iter().filter(|fault| fault.is_empty()).count(), REQUESTS);
}

#[tokio::test]
async fn a_replay_after_a_restart_has_no_second_effect() {
    let mut nation = Nation::new().await;
    let sent = nation.good();
    assert_eq!(nation.told(&sent).await, "");
    // More than one page of the log lies between, and a slow call that ended behind quick ones.
    for _ in 0..5 {
        nation.ask("{}").await.expect("an answer");
    }
    nation.restart_ministry().await;
    assert_eq!(nation.told(&sent).await, "replayed");
    assert_eq!(nation.effects(), 6);
    // Long after, the guard has forgotten it, and its own time refuses it.
    for node in [&nation.national, &nation.ministry] {
        node.temp.clock.advance_ms(600_000);
    }
    nation.restart_ministry().await;
    assert_eq!(nation.told(&sent).await, "clock-skew");
    assert_eq!(nation.effects(), 6);
}

#[tokio::test]
async fn a_message_from_another_time_is_refused_with_evidence() {
    let nation = Nation::new().await;
    let now = nation.ministry.now();
    let skew = nation.ministry.temp.store.limits().clock_skew_ms_max;
    for (sent_ms, signed_ms, expected) in [
        (-skew, -skew, ""),
        (skew, skew, ""),
        (-skew - 1, 0, "clock-skew"),
        (skew + 1, 0, "clock-skew"),
        (0, -skew - 1, "clock-skew"),
        (0, skew + 1, "clock-skew"),
    ] {
        let head = RequestHead {
            sent: now.plus_ms(sent_ms),
            ..nation.head()
        };
        let sent = nation.sealed(&head, b"{}", &nation.hub, now.plus_ms(signed_ms));
        assert_eq!(nation.told(&sent).await, expected, "{sent_ms} {signed_ms}");
    }
    assert_eq!(nation.effects(), 2);
    assert_eq!(nation.ministry.evidence().await.len(), 6);
    // And a consumer whose own clock runs away learns it from the provider.
    nation.national.temp.clock.advance_ms(skew + 1);
    assert_eq!(nation.refused("{}").await, "clock-skew");
    assert_eq!(nation.national.faults().await, ["clock-skew"]);
}

#[tokio::test]
async fn the_same_id_of_another_request_is_a_replay_too() {
    let nation = Nation::new().await;
    let head = nation.head();
    let now = nation.national.now();
    let first = nation.sealed(&head, b"{}", &nation.hub, now);
    let second = nation.sealed(&head, br#"{"who":"other"}"#, &nation.hub, now);
    assert_ne!(envelope::write(&first), envelope::write(&second));
    assert_eq!(nation.told(&first).await, "");
    assert_eq!(nation.told(&second).await, "replayed");
    assert_eq!(nation.effects(), 1);
}

#[tokio::test]
async fn a_request_refused_for_the_rate_and_answered_later_is_indexed_as_answered() {
    let nation = Nation::without_agreement(Limits::default()).await;
    let agreement = Agreement {
        rate_per_minute: 1,
        ..nation.agreement()
    };
    nation.agree(agreement.clone()).await;
    nation.ask("{}").await.expect("the minute's only call");
    let head = RequestHead {
        agreement: agreement.hash(),
        ..nation.head()
    };
    let sent = nation.sealed(&head, b"{}", &nation.hub, nation.national.now());
    assert_eq!(nation.told(&sent).await, "quota-minute");
    let ministry = &nation.ministry;
    ministry.exchange.fold_evidence().await.expect("folded");
    assert_eq!(
        ministry.exchange.find(&head.request).await.expect("reads")[0].status,
        0
    );
    ministry.temp.clock.advance_ms(60_000);
    assert_eq!(nation.told(&sent).await, "");
    assert_eq!(nation.told(&sent).await, "quota-minute");
    ministry.exchange.fold_evidence().await.expect("folded");
    let found = ministry.exchange.find(&head.request).await.expect("reads");
    assert_eq!((found.len(), found[0].status, found[0].position), (1, 200, 2));
    assert_eq!(nation.effects(), 2);
}
