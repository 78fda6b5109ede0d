//! What is made of the evidence: the index and its counts, proofs, and one signature and one flush
//! for many exchanges at once.

use std::collections::BTreeSet;

use exchange::STREAM;
use exchange::evidence::Search;
use futures_util::future::join_all;
use kernel::{Digest, Fact, OrgCode};

use crate::evidence_pages::beside;
use crate::figures;
use crate::nation::Nation;
use crate::node::Node;

async fn counted(node: &Node, tenant: &str) -> Vec<(u64, u64, u64)> {
    let tenant: OrgCode = tenant.parse().expect("a code");
    let facts = node
        .temp
        .store
        .facts_of(&tenant, &format!("stream/{STREAM}"))
        .await;
    let facts = facts.expect("reads").into_iter();
    facts
        .map(|record| match record.fact {
            Fact::ExchangesCounted { from, to, counts, .. } => {
                (from, to, counts.iter().map(|c| c.count).sum())
            }
            other => panic!("another fact: {other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn folding_again_and_after_a_restart_changes_nothing() {
    let mut nation = Nation::new().await;
    let mut requests = Vec::new();
    for body in ["{}", r#"{"do":"refuse"}"#, "{}"] {
        requests.push(nation.ask(body).await.expect("an answer").request);
    }
    assert_eq!(nation.ministry.exchange.fold_evidence().await.expect("folded"), 3);
    let index = |nation: &Nation| {
        let exchange = nation.ministry.exchange.clone();
        let requests = requests.clone();
        async move {
            let found = requests.iter().map(|request| exchange.find(request));
            let found = join_all(found).await;
            found
                .into_iter()
                .map(|f| format!("{:?}", f.expect("reads")))
                .collect::<Vec<_>>()
        }
    };
    let (first, facts) = (index(&nation).await, counted(&nation.ministry, "G01").await);
    assert_eq!(facts, [(0, 3, 3)]);
    assert!(
        first[1].contains("status: 404") && first[1].contains("provider"),
        "{}",
        first[1]
    );
    assert_eq!(
        nation
            .ministry
            .exchange
            .fold_evidence()
            .await
            .expect("nothing new"),
        0
    );
    nation.restart_ministry().await;
    assert_eq!(
        nation
            .ministry
            .exchange
            .fold_evidence()
            .await
            .expect("nothing new"),
        0
    );
    assert_eq!(index(&nation).await, first);
    nation.ask("{}").await.expect("an answer");
    let folds = [(); 3].map(|()| nation.ministry.exchange.fold_evidence());
    let folded: usize = join_all(folds)
        .await
        .into_iter()
        .map(|n| n.expect("folded"))
        .sum();
    assert!(folded >= 1, "at once, one of them does it");
    assert_eq!(counted(&nation.ministry, "G01").await, [(0, 3, 3), (3, 4, 1)]);
    assert_eq!(index(&nation).await, first);
}

/// All positions that a search beside the node gives, a page at a time.
async fn positions(node: &Node) -> Vec<u64> {
    let beside = beside(node).await;
    let (mut search, mut seen) = (Search::default(), Vec::new());
    loop {
        let page = beside.search(&search, 1_000).await.expect("found");
        seen.extend(page.exchanges.iter().map(|e| e.position));
        match page.next {
            Some(next) => search.after = Some(next.parse().expect("a position")),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn what_stands_in_blocks_of_the_index_and_what_does_not_yet_are_found_alike_also_after_a_restart() {
    let mut nation = Nation::new().await;
    let first = nation.ask("{}").await.expect("an answer").request;
    let node = &nation.ministry;
    let log = node.temp.store.log(STREAM).await.expect("the log");
    let (_, record) = log.read(0, 1).await.expect("read").remove(0);
    log.append(vec![record; 4_200]).await.expect("a past");
    let last = nation.ask("{}").await.expect("an answer").request;
    let place = async |node: &Node, request: &str| {
        let sides = node.exchange.find(request).await.expect("found");
        sides.iter().map(|e| e.position).collect::<Vec<_>>()
    };
    // Found at once, before anything is in a block; of so many records of one id it is one of the newest.
    assert_eq!(place(node, &first).await, [4_101]);
    while node.exchange.fold_evidence().await.expect("folded") > 0 {}
    let counts = counted(node, "G01").await;
    assert_eq!(counts.iter().map(|(_, _, count)| count).sum::<u64>(), 4_202);
    let all: Vec<u64> = (0..4_202).rev().collect();
    assert_eq!(positions(node).await, all);
    nation.restart_ministry().await;
    let node = &nation.ministry;
    assert_eq!(positions(node).await, all);
    assert_eq!(place(node, &last).await, [4_201]);
    assert_eq!(place(node, &first).await, [4_101]);
    while node.exchange.fold_evidence().await.expect("folded") > 0 {}
    assert_eq!(counted(node, "G01").await, counts, "nothing is counted twice");
}

#[tokio::test]
async fn a_record_is_provable_at_every_later_size_of_the_log() {
    let nation = Nation::new().await;
    let first = nation.ask("{}").await.expect("an answer").request;
    let log = nation.national.temp.store.log(STREAM).await.expect("the log");
    let mut roots = vec![(1, log.root(1).await.expect("a root"))];
    for _ in 0..6 {
        nation.ask("{}").await.expect("an answer");
        nation.national.exchange.fold_evidence().await.expect("folded");
        let proof = nation.national.exchange.inclusion(&first).await.expect("a proof");
        let size = roots.last().expect("one").0 + 1;
        assert_eq!((proof.size, proof.exchange.position), (size, 0));
        let digest = |hex: &String| Digest::parse(hex).expect("hex");
        let path: Vec<Digest> = proof.path.iter().map(digest).collect();
        let (leaf, root) = (digest(&proof.leaf), digest(&proof.root));
        assert!(seal::merkle::verify_inclusion(&leaf, 0, size, &path, &root));
        assert!(!seal::merkle::verify_inclusion(&leaf, 1, size, &path, &root));
        // And every earlier root is the beginning of this one: nothing was rewritten.
        for (old, earlier) in &roots {
            let steps = log.consistency(*old, size).await.expect("a proof");
            assert!(seal::merkle::verify_consistency(
                *old, size, earlier, &root, &steps
            ));
        }
        roots.push((size, root));
    }
    let unknown = nation.national.exchange.inclusion("0000").await;
    assert_eq!(unknown.expect_err("no such exchange").code, "not-found");
}

#[tokio::test]
async fn two_hundred_exchanges_at_once_share_signatures_and_flushes() {
    const CALLS: usize = 200;
    let figures = figures::figures();
    let nation = Nation::new().await;
    let before = figures.flushes();
    let answers = join_all((0..CALLS).map(|_| nation.ask("{}"))).await;
    let flushed = figures.flushes() - before;
    assert!(
        answers
            .iter()
            .all(|a| a.as_ref().is_ok_and(|heard| heard.status == 200))
    );
    assert_eq!(nation.effects(), CALLS);
    let records = nation.ministry.evidence().await;
    assert_eq!(
        (records.len(), nation.national.evidence().await.len()),
        (CALLS, CALLS)
    );
    let requests: BTreeSet<_> = records.iter().map(|r| r.request.sealed.signature).collect();
    let answers: BTreeSet<_> = records
        .iter()
        .map(|r| r.answer.as_ref().expect("one").sealed.signature)
        .collect();
    eprintln!(
        "{CALLS} exchanges: {} + {} signatures, {flushed} flushes",
        requests.len(),
        answers.len()
    );
    assert!(
        requests.len() <= CALLS / 10,
        "{} request signatures",
        requests.len()
    );
    assert!(answers.len() <= CALLS / 2, "{} answer signatures", answers.len());
    // Two logs of 200 records each: fewer flushes than records, whatever other tests flush meanwhile.
    assert!(
        flushed < 2 * CALLS as u64,
        "{flushed} flushes for {} records",
        2 * CALLS
    );
}
