//! No agreement, no exchange: at the consumer, and again at the provider when the consumer's node
//! looks away.

use std::sync::Arc;

use exchange::Notices;
use exchange::agreement::{Agreement, revocation};
use exchange::message::RequestHead;
use kernel::limits::Limits;
use kernel::{Actor, Digest, OrgCode};
use store::outbox::Deliver;
use testkit::START;
use tokio::sync::watch;

use crate::between::{Between, Mode};
use crate::nation::Nation;

const ACTOR: Actor = Actor::Platform;

fn org(code: &str) -> OrgCode {
    code.parse().expect("a code")
}

#[tokio::test]
async fn without_an_agreement_nothing_leaves_the_consumer() {
    let nation = Nation::without_agreement(Limits::default()).await;
    assert_eq!(nation.refused("{}").await, "agreement-missing");
    assert!(nation.national.evidence().await.is_empty());
    assert!(nation.ministry.evidence().await.is_empty());
}

#[tokio::test]
async fn an_agreement_held_only_by_the_consumer_is_refused_by_the_provider_with_evidence() {
    let nation = Nation::without_agreement(Limits::default()).await;
    let signed = nation.signed(nation.agreement());
    nation
        .national
        .exchange
        .agreements()
        .adopt(signed)
        .await
        .expect("adopted");
    let problem = nation.ask("{}").await.expect_err("refused");
    assert_eq!(problem.code, "agreement-missing");
    assert_eq!(nation.national.faults().await, ["agreement-missing"]);
    assert_eq!(nation.ministry.faults().await, ["agreement-missing"]);
    assert_eq!(nation.effects(), 0);
    // The words' places are filled from what was asked.
    assert!(
        problem
            .args
            .contains(&("service", crate::nation::LOOKUP.to_owned()))
    );
}

#[tokio::test]
async fn a_head_that_names_nobodys_agreement_or_another_pairs_is_refused_with_evidence() {
    let nation = Nation::new().await;
    let of_another_system = Agreement {
        consumer: "G22/other".parse().expect("an id"),
        ..nation.agreement()
    };
    let of_another_service = Agreement {
        service: "G01/population/other".parse().expect("an id"),
        ..nation.agreement()
    };
    for other in [&of_another_system, &of_another_service] {
        nation.agree(other.clone()).await;
    }
    let named = [
        Digest::of(b"held by nobody"),
        // That of the metadata services, which rest on none.
        Digest([0; 32]),
        of_another_system.hash(),
        of_another_service.hash(),
    ];
    for agreement in named {
        let head = RequestHead {
            agreement,
            ..nation.head()
        };
        let sent = nation.sealed(&head, b"{}", &nation.hub, nation.national.now());
        assert_eq!(nation.told(&sent).await, "agreement-missing", "{agreement}");
    }
    assert_eq!(nation.ministry.faults().await, ["agreement-missing"; 4]);
    assert_eq!(nation.effects(), 0);
}

#[tokio::test]
async fn an_agreement_ends_with_its_term_at_both_nodes() {
    let nation = Nation::new().await;
    let end = nation.agreement().valid_to;
    for node in [&nation.national, &nation.ministry] {
        node.temp.clock.set(end.plus_ms(-1));
    }
    nation.ask("{}").await.expect("the last millisecond");
    nation.national.temp.clock.set(end);
    assert_eq!(nation.refused("{}").await, "agreement-expired");
    // A consumer's node whose clock is behind asks, and is refused over there.
    nation.national.temp.clock.set(end.plus_ms(-1));
    nation.ministry.temp.clock.set(end);
    let problem = nation.ask("{}").await.expect_err("refused");
    assert_eq!(problem.code, "agreement-expired");
    assert!(
        problem
            .args
            .contains(&("agreement", "01/2026/TT-CSDL".to_owned()))
    );
    assert_eq!(nation.ministry.faults().await, ["", "agreement-expired"]);
    assert_eq!(nation.effects(), 1);
}

#[tokio::test]
async fn a_revocation_holds_at_once_here_and_reaches_the_other_side_through_the_outbox() {
    let nation = Nation::new().await;
    let (hash, by) = (nation.agreement().hash(), org("G01"));
    let ministry = &nation.ministry;
    let key = &ministry.seal("G01").key;
    ministry
        .exchange
        .agreements()
        .revoke(hash, &by, "vi phạm cam kết", &ACTOR, key)
        .await
        .expect("revoked");
    // The consumer has not heard yet: the provider's gateway refuses.
    assert_eq!(nation.refused("{}").await, "agreement-revoked");
    assert_eq!(ministry.faults().await, ["agreement-revoked"]);
    assert_eq!(
        ministry
            .temp
            .store
            .outbox_waiting(&by)
            .await
            .expect("reads")
            .len(),
        1
    );

    let (stop, shutdown) = watch::channel(false);
    let notices: Arc<dyn Deliver> = Arc::new(Notices(ministry.exchange.clone()));
    let outbox = ministry.temp.store.run_outbox(vec![notices], shutdown);
    let heard = async {
        while !nation.national.exchange.agreements().list()[0].2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), heard)
        .await
        .expect("heard");
    stop.send_replace(true);
    outbox.await.expect("stops");
    // Now it does not even leave, and both sides have the fact.
    let before = ministry.evidence().await.len();
    assert_eq!(nation.refused("{}").await, "agreement-revoked");
    assert_eq!(ministry.evidence().await.len(), before);
    for (node, tenant) in [(&nation.national, "G22"), (ministry, "G01")] {
        let facts = node
            .temp
            .store
            .facts_of(&org(tenant), &format!("agreement/{hash}"))
            .await
            .expect("reads");
        assert_eq!(facts.len(), 2, "in force, then revoked");
        let told = facts[1].to_json().expect("json");
        assert!(told.contains("\"word\":") && !told.contains("vi phạm"), "{told}");
    }
    let again = ministry
        .exchange
        .agreements()
        .revoke(hash, &by, "lần nữa", &ACTOR, key)
        .await;
    assert_eq!(again.expect_err("once").code, "stale");
}

#[tokio::test]
async fn a_node_that_was_away_hears_of_a_revocation_within_a_minute_of_its_return() {
    const WITHIN: std::time::Duration = std::time::Duration::from_secs(20);
    let mut nation = Nation::new().await;
    let (hash, by) = (nation.agreement().hash(), org("G22"));
    let from = nation.national.exchange.clone();
    let store = nation.national.temp.store.clone();
    let (stop, shutdown) = watch::channel(false);
    let notices: Arc<dyn Deliver> = Arc::new(Notices(from.clone()));
    let outbox = store.run_outbox(vec![notices], shutdown);
    let between = Between::nodes(&mut nation).await;
    between.set(Mode::Refuses);
    let revoked = from.agreements().revoke(hash, &by, "x", &ACTOR, &nation.hub.key);
    revoked.await.expect("revoked");
    // Away so long that every wait is as long as it gets.
    for tries in 1..=12 {
        let tried = async {
            while store.outbox_waiting(&by).await.expect("reads")[0].attempts < tries {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(WITHIN, tried).await.expect("tried");
        nation.advance_ms(60_000);
    }
    between.set(Mode::Carries);
    // A third of a minute; one try takes five seconds at most.
    nation.advance_ms(20_000);
    let heard = async {
        while !nation.ministry.exchange.agreements().list()[0].2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(WITHIN, heard).await.expect("heard");
    stop.send_replace(true);
    outbox.await.expect("stops");
}

#[tokio::test]
async fn a_revocation_outlives_a_restart_and_a_second_adoption() {
    let mut nation = Nation::new().await;
    let (signed, by) = (nation.signed(nation.agreement()), org("G01"));
    let hash = nation.agreement().hash();
    let key = nation.ministry.seal("G01").key.clone();
    let held = nation.ministry.exchange.agreements();
    held.revoke(hash, &by, "lý do", &ACTOR, &key)
        .await
        .expect("revoked");
    assert!(!held.adopt(signed.clone()).await.expect("held already"));
    assert!(held.list()[0].2);
    nation.restart_ministry().await;
    let held = nation.ministry.exchange.agreements();
    assert!(held.list()[0].2);
    assert!(!held.adopt(signed).await.expect("held already"));
    assert_eq!(nation.refused("{}").await, "agreement-revoked");
}

#[tokio::test]
async fn a_stranger_ends_no_agreement() {
    let nation = Nation::new().await;
    let hash = nation.agreement().hash();
    let held = nation.ministry.exchange.agreements();
    let stranger = nation.ministry.seal("G15");
    let by_stranger = held.revoke(hash, &org("G15"), "x", &ACTOR, &stranger.key).await;
    assert_eq!(by_stranger.expect_err("no party").code, "not-found");
    let notices = [
        // A member that is no party; a party's name under another's key; a party's acceptance.
        revocation(hash, &org("G15"), START, "x", &stranger.key),
        revocation(hash, &org("G22"), START, "x", &stranger.key),
        nation.agreement().accept(&org("G22"), START, &nation.hub.key),
        "not a token".to_owned(),
    ];
    for notice in notices {
        assert_eq!(
            held.hear_revocation(&notice).await.expect_err("refused").code,
            "seal-broken"
        );
    }
    let real = revocation(hash, &org("G22"), START, "x", &nation.hub.key);
    for _ in 0..2 {
        held.hear_revocation(&real).await.expect("heard, and again");
    }
    assert!(held.list()[0].2);
}

#[tokio::test]
async fn an_agreement_without_both_signatures_is_not_adopted() {
    let nation = Nation::without_agreement(Limits::default()).await;
    let mut one_sided = nation.signed(nation.agreement());
    one_sided.consumer_acceptance = one_sided.provider_acceptance.clone();
    let mut widened = nation.signed(nation.agreement());
    widened.agreement.fields.push("residence".to_owned());
    for bad in [one_sided, widened] {
        let refused = nation.ministry.exchange.agreements().adopt(bad).await;
        assert_eq!(refused.expect_err("refused").code, "seal-broken");
    }
    assert!(nation.ministry.exchange.agreements().list().is_empty());
}

#[tokio::test]
async fn a_file_with_a_field_that_nobody_knows_is_no_agreement() {
    let nation = Nation::without_agreement(Limits::default()).await;
    let folder = testkit::TempDir::new();
    let file = folder.path().join("a.json");
    let text = serde_json::to_value(nation.signed(nation.agreement())).expect("json");
    let held = nation.ministry.exchange.agreements();
    for place in ["", "/agreement"] {
        let mut bad = text.clone();
        bad.pointer_mut(place).expect("there")["more"] = 1.into();
        std::fs::write(&file, bad.to_string()).expect("written");
        assert!(held.adopt_folder(folder.path()).await.is_err(), "{place}");
    }
    assert!(held.list().is_empty());
    std::fs::write(&file, text.to_string()).expect("written");
    assert_eq!(held.adopt_folder(folder.path()).await.expect("adopted"), 1);
}

#[tokio::test]
async fn an_agreement_allows_so_many_calls_a_minute_and_the_provider_counts() {
    let nation = Nation::without_agreement(Limits::default()).await;
    let agreement = Agreement {
        rate_per_minute: 3,
        ..nation.agreement()
    };
    nation.agree(agreement).await;
    for _ in 0..3 {
        nation.ask("{}").await.expect("within the minute's calls");
    }
    let problem = nation.ask("{}").await.expect_err("the fourth");
    assert_eq!((problem.code, problem.kind.status()), ("quota-minute", 429));
    for (name, value) in [
        ("agreement", "01/2026/TT-CSDL"),
        ("max", "3"),
        ("seconds", "20"),
        ("hop", "G01"),
    ] {
        assert!(problem.args.contains(&(name, value.to_owned())), "{problem:?}");
    }
    assert_eq!(nation.effects(), 3);
    assert_eq!(nation.ministry.faults().await, ["", "", "", "quota-minute"]);
    for node in [&nation.national, &nation.ministry] {
        node.temp.clock.advance_ms(20_000);
    }
    nation.ask("{}").await.expect("a third of a minute is one call");
    assert_eq!(nation.refused("{}").await, "quota-minute");
}
