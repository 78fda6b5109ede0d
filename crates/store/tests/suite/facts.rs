//! Facts: chained per subject, sealed once, in order.

use kernel::{Fact, FactRecord, Problem};
use store::{Database, Engine, Store, StoreError, params};
use testkit::TempStore;
use tokio::task::JoinSet;

use crate::{officer, tenant};

async fn record(store: &Store, subject: &str) -> u64 {
    let fact = Fact::SignedIn {
        account: subject.to_owned(),
        level: 2,
    };
    let fact = &fact;
    store
        .write(tenant(), officer(), |tx| async move {
            tx.fact(subject, fact.clone()).await
        })
        .await
        .expect("a fact is recorded")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_writers_of_one_subject_make_one_chain() {
    let temp = testkit::store(&[]).await;
    let mut writes = JoinSet::new();
    for i in 0..48 {
        let store = temp.store.clone();
        writes.spawn(async move { record(&store, if i % 3 == 0 { "account/a" } else { "account/b" }).await });
    }
    let mut numbers = writes.join_all().await;
    numbers.sort_unstable();
    let a = temp
        .store
        .facts_of(tenant(), "account/a")
        .await
        .expect("a whole chain");
    let b = temp
        .store
        .facts_of(tenant(), "account/b")
        .await
        .expect("a whole chain");
    assert_eq!((a.len(), b.len()), (16, 32));
    assert_eq!(a[1].prev, FactRecord::digest(&a[0].to_json().expect("json")));
    assert_eq!(&a[0].actor, officer());
    assert_eq!(numbers.last(), Some(&32));
}

#[tokio::test]
async fn a_refused_write_records_nothing() {
    let temp = testkit::store(&[]).await;
    let refused = temp.store.write(tenant(), officer(), |tx| async move {
        tx.fact(
            "account/a",
            Fact::SignedOut {
                account: "a".to_owned(),
            },
        )
        .await?;
        Err::<(), _>(Problem::stale())
    });
    assert!(refused.await.is_err());
    assert!(
        temp.store
            .facts_of(tenant(), "account/a")
            .await
            .expect("an answer")
            .is_empty()
    );
    assert_eq!(temp.store.seal_facts_now().await.expect("sealed"), 0);
}

#[tokio::test]
async fn a_changed_fact_breaks_its_subjects_chain() {
    let temp = testkit::store(&[]).await;
    record(&temp.store, "account/a").await;
    record(&temp.store, "account/a").await;
    let forge = temp.store.write(tenant(), officer(), |tx| async move {
        let sql = "update store_facts set record = replace(record, '\"level\":2', '\"level\":3') where tenant = $1 and seq = 1";
        tx.exec(sql, params![tx.tenant()]).await
    });
    assert_eq!(forge.await.expect("forged"), 1);
    let problem = temp
        .store
        .facts_of(tenant(), "account/a")
        .await
        .expect_err("found");
    assert_eq!(problem.code, "facts-broken");
}

#[tokio::test]
async fn a_clock_set_back_does_not_turn_a_subjects_facts_around() {
    let temp = testkit::store(&[]).await;
    record(&temp.store, "account/a").await;
    temp.clock.advance_ms(-3_600_000);
    record(&temp.store, "account/a").await;
    let facts = temp.store.facts_of(tenant(), "account/a").await.expect("a chain");
    assert!(facts[0].at <= facts[1].at);
    temp.store.seal_facts_now().await.expect("sealed");
    let sealed = temp.store.facts_from(0, 10).await.expect("sealed facts");
    assert_eq!(
        sealed.iter().map(|(_, fact)| fact.seq).collect::<Vec<_>>(),
        [1, 2]
    );
}

#[tokio::test]
async fn the_sealer_works_by_itself_and_wakes_followers() {
    let temp = testkit::store(&[]).await;
    let mut sealed = temp.store.facts_watch();
    record(&temp.store, "account/a").await;
    record(&temp.store, "account/b").await;
    let waited = tokio::time::timeout(
        std::time::Duration::from_secs(20),
        sealed.wait_for(|len| *len == 2),
    )
    .await;
    assert_eq!(*waited.expect("in time").expect("the store is open"), 2);
    assert_eq!(temp.store.facts_len().await, 2);
}

/// A thousand facts, sealed and closed, and the root of their log.
async fn sealed() -> (TempStore, kernel::Digest) {
    let temp = testkit::store(&[]).await;
    for turn in 0..4 {
        let write = temp.store.write(tenant(), officer(), |tx| async move {
            for i in 0..30 {
                let account = format!("{turn}-{i}");
                tx.fact(
                    &format!("account/{account}"),
                    Fact::SignedOut {
                        account: account.clone(),
                    },
                )
                .await?;
            }
            Ok(())
        });
        write.await.expect("recorded");
        temp.store.seal_facts_now().await.expect("sealed");
    }
    let log = temp.store.log("facts").await.expect("the log");
    assert_eq!(log.len().await, 120);
    let root = log.root(120).await.expect("a root");
    temp.store.close().await;
    (temp, root)
}

/// What a crash between the database and the log leaves: the log's last records are missing.
async fn lose_the_logs_end(temp: &mut TempStore) {
    match temp.config.database {
        Database::Sqlite(_) => {
            let path = temp.dir.path().join("logs/facts/00000000000000000000.seg");
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .expect("the segment");
            let length = file.metadata().expect("its length").len();
            file.set_len(length / 2).expect("cut");
        }
        Database::Postgres { .. } => {
            temp.reopen().await.expect("opened");
            let cut = temp.store.write(tenant(), officer(), |tx| async move {
                tx.exec(
                    "delete from store_log where stream = 'facts' and first >= 30",
                    params![],
                )
                .await
            });
            assert!(cut.await.expect("cut") > 0);
            temp.store.close().await;
        }
    }
}

#[tokio::test]
async fn after_a_crash_between_database_and_log_the_log_is_completed() {
    let (mut temp, root) = sealed().await;
    lose_the_logs_end(&mut temp).await;
    temp.reopen().await.expect("the log is repaired");
    let log = temp.store.log("facts").await.expect("the log");
    assert_eq!(log.len().await, 120);
    assert_eq!(
        log.root(120).await.expect("a root"),
        root,
        "the same records at the same places"
    );
    let facts = temp.store.facts_from(118, 10).await.expect("facts");
    assert_eq!(
        facts.iter().map(|(position, _)| *position).collect::<Vec<_>>(),
        [118, 119]
    );
    record(&temp.store, "account/after").await;
    assert_eq!(temp.store.seal_facts_now().await.expect("sealed"), 121);
}

#[tokio::test]
async fn a_log_that_is_longer_than_the_database_is_damage() {
    let (mut temp, _) = sealed().await;
    temp.reopen().await.expect("opened");
    let log = temp.store.log("facts").await.expect("the log");
    log.append(vec![b"{}".to_vec()])
        .await
        .expect("appended behind the sealer's back");
    temp.store.close().await;
    let opened = temp.reopen().await;
    assert!(
        matches!(opened, Err(StoreError::DamagedLog { position: 120, .. })),
        "{opened:?}"
    );
}

#[tokio::test]
async fn what_was_committed_and_not_sealed_is_sealed_at_the_next_opening() {
    let mut temp = testkit::store(&[]).await;
    record(&temp.store, "account/a").await;
    temp.reopen()
        .await
        .expect("opened beside the old one, as after a crash");
    let mut sealed = temp.store.facts_watch();
    let waited = tokio::time::timeout(
        std::time::Duration::from_secs(20),
        sealed.wait_for(|len| *len == 1),
    )
    .await;
    assert!(waited.is_ok(), "on {:?}", temp.store.engine());
    assert!(matches!(temp.store.engine(), Engine::Sqlite | Engine::Postgres));
}
