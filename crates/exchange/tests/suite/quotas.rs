//! So many calls a day and a month: the provider's node counts those that were answered, and a restart
//! forgets none.

use exchange::message::RequestHead;
use exchange::quota::Per;
use exchange::{Agreement, Quota};
use kernel::limits::Limits;
use serde_json::json;

use crate::nation::{LOOKUP, Nation, PORTAL};
use crate::operator::desk_at;

async fn bounded(quota: Quota) -> (Nation, Agreement) {
    let nation = Nation::without_agreement(Limits::default()).await;
    let agreement = Agreement {
        quota,
        ..nation.agreement()
    };
    nation.agree(agreement.clone()).await;
    (nation, agreement)
}

fn left(nation: &Nation, agreement: &Agreement) -> Vec<(Per, u32)> {
    let node = &nation.ministry;
    let all = node
        .exchange
        .agreements()
        .quota_left(&agreement.hash(), node.now());
    all.into_iter().map(|quota| (quota.per, quota.left)).collect()
}

#[tokio::test]
async fn an_agreement_allows_so_many_calls_a_day_and_a_restart_forgets_none() {
    let (mut nation, agreement) = bounded(Quota {
        per_day: Some(5),
        per_month: Some(100),
    })
    .await;
    for _ in 0..2 {
        nation.ask("{}").await.expect("within the day's calls");
    }
    // Two are in rows when the node stops; one is in the log alone, one was refused by the service.
    nation.ministry.exchange.fold_evidence().await.expect("folded");
    nation.ask("{}").await.expect("the third");
    nation
        .ask(r#"{"do":"refuse"}"#)
        .await
        .expect("an answer, though a refusal");
    nation.restart_ministry().await;
    assert_eq!(left(&nation, &agreement), [(Per::Day, 1), (Per::Month, 96)]);
    nation.ministry.exchange.fold_evidence().await.expect("folded");
    nation.restart_ministry().await;
    assert_eq!(left(&nation, &agreement), [(Per::Day, 1), (Per::Month, 96)]);
    nation.ask("{}").await.expect("the fifth");
    let problem = nation.ask("{}").await.expect_err("the sixth");
    assert_eq!((problem.code, problem.kind.status()), ("quota-day", 429));
    for (name, value) in [
        ("agreement", "01/2026/TT-CSDL"),
        ("max", "5"),
        ("frees", "22-11-2026 00:00"),
        ("seconds", "52200"),
        ("hop", "G01"),
    ] {
        assert!(problem.args.contains(&(name, value.to_owned())), "{problem:?}");
    }
    assert_eq!(nation.effects(), 5);
    // A refused call costs nothing, and the next day begins anew.
    for node in [&nation.national, &nation.ministry] {
        node.temp.clock.advance_ms(52_200_000);
    }
    nation.ask("{}").await.expect("the next day");
    assert_eq!(left(&nation, &agreement), [(Per::Day, 4), (Per::Month, 94)]);
}

#[tokio::test]
async fn the_months_calls_are_used_up_whatever_the_day_would_allow() {
    let (nation, agreement) = bounded(Quota {
        per_day: None,
        per_month: Some(2),
    })
    .await;
    let sent = {
        let head = RequestHead {
            agreement: agreement.hash(),
            ..nation.head()
        };
        nation.sealed(&head, b"{}", &nation.hub, nation.national.now())
    };
    assert_eq!(nation.told(&sent).await, "");
    for _ in 0..5 {
        assert_eq!(
            nation.told(&sent).await,
            "replayed",
            "and costs nothing of the quota"
        );
    }
    nation.ask("{}").await.expect("the second");
    let problem = nation.ask("{}").await.expect_err("the third");
    assert_eq!(problem.code, "quota-month");
    assert!(problem.args.contains(&("frees", "01-12-2026 00:00".to_owned())));
    assert_eq!(nation.effects(), 2);
    // The operator sees what is left, and that a call would be refused.
    let desk = desk_at(&nation.ministry).await;
    let seen = desk
        .get(&format!("allowed?consumer={PORTAL}&service={LOOKUP}"))
        .await;
    assert_eq!(
        (&seen["allowed"], &seen["code"]),
        (&false.into(), &"quota-month".into())
    );
    let frees = first_of_december();
    assert_eq!(
        seen["quota_left"],
        json!([{"per": "month", "max": 2, "left": 0, "frees": frees}])
    );
}

#[tokio::test]
async fn what_is_refused_or_comes_again_costs_no_call_of_the_minute() {
    let nation = Nation::without_agreement(Limits::default()).await;
    let agreement = Agreement {
        rate_per_minute: 2,
        endpoints: vec!["POST /".parse().expect("an endpoint")],
        ..nation.agreement()
    };
    nation.agree(agreement.clone()).await;
    let sealed = |target: &str| {
        let rest = exchange::Rest {
            target: target.to_owned(),
            ..exchange::Rest::default()
        };
        let head = RequestHead {
            agreement: agreement.hash(),
            rest,
            ..nation.head()
        };
        nation.sealed(&head, b"{}", &nation.hub, nation.national.now())
    };
    // A consumer's node that looks away sends what its agreement does not grant.
    for _ in 0..3 {
        assert_eq!(nation.told(&sealed("/others")).await, "agreement-endpoint");
    }
    let good = sealed("");
    assert_eq!(nation.told(&good).await, "");
    for _ in 0..3 {
        assert_eq!(nation.told(&good).await, "replayed");
    }
    assert_eq!(
        nation.told(&sealed("")).await,
        "",
        "the second call of the minute"
    );
    assert_eq!(nation.told(&sealed("")).await, "quota-minute");
    assert_eq!(nation.effects(), 2);
}

/// The first of December in Vietnam, in milliseconds since 1970.
fn first_of_december() -> i64 {
    let first = kernel::time::parse_iso("2026-12-01").expect("a day");
    kernel::Time::at(first, 0).ms()
}
