//! A node whose clock is a day ahead or behind, and an exchange whose timestamp authority is gone for hours:
//! what is refused says why, nothing passes twice, the order of the records stays.

use exchange::export::Which;
use exchange::message::RequestHead;
use exchange::{Agreement, STREAM};
use kernel::limits::Limits;
use testkit::START;

use crate::nation::Nation;
use crate::timestamps::authority;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// An agreement that holds on both days.
async fn nation() -> Nation {
    let nation = Nation::without_agreement(Limits::default()).await;
    let agreement = Agreement {
        valid_from: START.plus_ms(-10 * DAY_MS),
        valid_to: START.plus_ms(10 * DAY_MS),
        ..nation.agreement()
    };
    nation.agree(agreement).await;
    // Certificates hold on both days, too.
    nation.advance_ms(2 * DAY_MS);
    nation
}

#[tokio::test]
async fn a_node_whose_clock_is_a_day_off_is_refused_with_the_reason_and_nothing_passes_twice() {
    for (off, consumer_is_off) in [(DAY_MS, false), (-DAY_MS, false), (DAY_MS, true), (-DAY_MS, true)] {
        let nation = nation().await;
        let odd = if consumer_is_off {
            &nation.national
        } else {
            &nation.ministry
        };
        nation.ask("{}").await.expect("an answer");
        let before = nation.national.evidence().await;
        let before = RequestHead::parse(&before[0].request.head).expect("a head");
        let head = RequestHead {
            agreement: before.agreement,
            ..nation.head()
        };
        let sent = nation.sealed(&head, b"{}", &nation.hub, nation.national.now());
        assert_eq!(nation.told(&sent).await, "");
        odd.temp.clock.advance_ms(off);
        assert_eq!(
            nation.refused("{}").await,
            "clock-skew",
            "{off} {consumer_is_off}"
        );
        assert_eq!(nation.effects(), 2);
        odd.temp.clock.advance_ms(-off);
        assert_eq!(nation.told(&sent).await, "replayed", "{off} {consumer_is_off}");
        nation.ask("{}").await.expect("an answer");
        assert_eq!(nation.effects(), 3);
        // The log stands in the order in which things happened, whatever the clock said.
        assert_eq!(
            nation.ministry.faults().await,
            ["", "", "clock-skew", "replayed", ""]
        );
        let log = nation.ministry.temp.store.log(STREAM).await.expect("a log");
        let positions: Vec<u64> = log
            .read(0, 10)
            .await
            .expect("reads")
            .iter()
            .map(|(p, _)| *p)
            .collect();
        assert_eq!(positions, [0, 1, 2, 3, 4]);
        let facts = nation.ministry.temp.store.log("facts").await.expect("a log");
        let mut last = kernel::Time(0);
        for (_, bytes) in facts.read(0, 1_000).await.expect("reads") {
            let fact: kernel::FactRecord = serde_json::from_slice(&bytes).expect("a fact");
            assert!(fact.at >= last || fact.seq == 1, "{fact:?}");
            last = fact.at;
        }
    }
}

#[tokio::test]
async fn an_authority_that_is_gone_for_four_hours_stops_nothing_and_all_is_stamped_after() {
    let mut nation = nation().await;
    let tsa = authority(&mut nation).await;
    let x = nation.national.exchange.clone();
    tsa.stop();
    let mut requests = Vec::new();
    for quarter in 0..16 {
        for _ in 0..3 {
            requests.push(nation.ask("{}").await.expect("amber, not red").request);
        }
        let problem = x.stamp_now().await.expect_err("no token");
        assert_eq!(problem.code, "timestamp-unavailable", "{quarter}");
        nation.advance_ms(15 * MINUTE_MS);
    }
    assert_eq!(nation.effects(), 48);
    x.fold_evidence().await.expect("folded");
    let trust = nation.national.directory.trust();
    let bare = x
        .container(&requests[0], Which::Answer)
        .await
        .expect("a container");
    assert!(seal::asice::verify(&bare, &trust, nation.national.now()).is_passed());
    tsa.go_on(nation.national.now());
    assert_eq!(x.stamp_now().await.expect("back-filled"), 48);
    assert_eq!(x.stamp_now().await.expect("all done"), 0);
    for request in [&requests[0], &requests[23], &requests[47]] {
        for which in Which::BOTH {
            let zip = x.container(request, which).await.expect("a container");
            let verdict = seal::asice::verify(&zip, &trust, nation.national.now());
            assert!(verdict.is_passed(), "{verdict:?}");
            // Stamped when the authority was back: four hours late, and it says so.
            let stamped = verdict.signed_at.expect("a time");
            assert_eq!(stamped, nation.national.now());
        }
    }
}
