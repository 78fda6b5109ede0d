//! The outbox: in order per key, at least once, never dropped.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Kind, Problem};
use store::{Deliver, OutboxLag, OutboxLine, Store};
use tokio::sync::watch;

use crate::{officer, tenant};

/// What reached the other side: key and order of each line, and a rule for failing.
struct Other {
    seen: Mutex<Vec<(String, u64)>>,
    refuse: Box<dyn Fn(&OutboxLine) -> bool + Send + Sync>,
}

impl Other {
    fn new(refuse: impl Fn(&OutboxLine) -> bool + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            seen: Mutex::default(),
            refuse: Box::new(refuse),
        })
    }

    fn seen(&self) -> Vec<(String, u64)> {
        self.seen.lock().expect("not poisoned").clone()
    }

    fn of(&self, key: &str) -> Vec<u64> {
        self.seen()
            .into_iter()
            .filter(|(k, _)| k == key)
            .map(|(_, seq)| seq)
            .collect()
    }

    async fn wait_for(&self, lines: usize) {
        for _ in 0..1_000 {
            if self.seen().len() >= lines {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("only {} of {lines} lines came", self.seen().len());
    }
}

#[async_trait]
impl Deliver for Other {
    fn topic(&self) -> &'static str {
        "case-status"
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        assert_eq!(line.payload["n"], line.seq, "the payload is the line's own");
        if (self.refuse)(line) {
            return Err(Problem::new(Kind::Upstream, "refused"));
        }
        self.seen
            .lock()
            .expect("not poisoned")
            .push((line.key.clone(), line.seq));
        Ok(())
    }
}

async fn leave(store: &Store, key: &str, lines: std::ops::RangeInclusive<u64>) {
    for n in lines {
        let payload = serde_json::json!({ "n": n });
        let payload = &payload;
        let left = store.write(tenant(), officer(), |tx| async move {
            tx.outbox("case-status", key, payload).await
        });
        left.await.expect("left for delivery");
    }
}

#[tokio::test]
async fn lines_of_a_key_come_in_order_and_leave_nothing_behind() {
    let temp = testkit::store(&[]).await;
    let other = Other::new(|_| false);
    let (stop, stopped) = watch::channel(false);
    let runner = temp.store.run_outbox(vec![other.clone()], stopped);
    for key in ["a", "b", "c"] {
        leave(&temp.store, key, 1..=10).await;
    }
    other.wait_for(30).await;
    for key in ["a", "b", "c"] {
        assert_eq!(other.of(key), (1..=10).collect::<Vec<u64>>());
    }
    stop.send_replace(true);
    runner.await.expect("it ends when told");
    assert!(
        temp.store
            .outbox_waiting(tenant())
            .await
            .expect("an answer")
            .is_empty()
    );
}

#[tokio::test]
async fn a_line_that_is_left_while_the_one_before_goes_is_never_forgotten() {
    let temp = testkit::store(&[]).await;
    let other = Other::new(|_| false);
    let (stop, stopped) = watch::channel(false);
    let runner = temp.store.run_outbox(vec![other.clone()], stopped);
    // Eight leave lines of their own key, each while the one before is under way or has just gone.
    let mut leaving = tokio::task::JoinSet::new();
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let store = temp.store.clone();
        leaving.spawn(async move { leave(&store, key, 1..=40).await });
    }
    while let Some(left) = leaving.join_next().await {
        left.expect("left");
    }
    other.wait_for(320).await;
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        assert_eq!(other.of(key), (1..=40).collect::<Vec<u64>>());
    }
    stop.send_replace(true);
    runner.await.expect("it ends when told");
}

#[tokio::test]
async fn lines_of_an_earlier_release_that_are_marked_wrongly_still_come_in_order() {
    let temp = testkit::store(&[]).await;
    leave(&temp.store, "a", 1..=3).await;
    leave(&temp.store, "b", 1..=2).await;
    let turned = temp.store.write(tenant(), officer(), |tx| async move {
        tx.exec("update store_outbox set behind = 1 - behind", vec![])
            .await
    });
    assert_eq!(turned.await.expect("turned"), 5);
    let other = Other::new(|_| false);
    let (stop, stopped) = watch::channel(false);
    let runner = temp.store.run_outbox(vec![other.clone()], stopped);
    other.wait_for(5).await;
    assert_eq!((other.of("a"), other.of("b")), (vec![1, 2, 3], vec![1, 2]));
    stop.send_replace(true);
    runner.await.expect("it ends when told");
}

#[tokio::test]
async fn a_line_that_fails_holds_its_own_key_back_and_no_other() {
    let temp = testkit::store(&[]).await;
    let other = Other::new(|line| line.key == "bad" && line.seq == 2 && line.attempts < 3);
    let (stop, stopped) = watch::channel(false);
    leave(&temp.store, "bad", 1..=4).await;
    leave(&temp.store, "good", 1..=4).await;
    let runner = temp.store.run_outbox(vec![other.clone()], stopped);
    other.wait_for(5).await;
    assert_eq!((other.of("bad"), other.of("good")), (vec![1], vec![1, 2, 3, 4]));
    for tried in 0.. {
        let waiting = temp.store.outbox_waiting(tenant()).await.expect("an answer");
        if waiting.len() == 3 && waiting[0].attempts > 0 {
            break;
        }
        assert!(tried < 1_000, "{} lines wait", waiting.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The clock stands: the failed line's time does not come.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let waiting = temp.store.outbox_waiting(tenant()).await.expect("an answer");
    assert_eq!(
        waiting
            .iter()
            .map(|line| (line.seq, line.attempts))
            .collect::<Vec<_>>(),
        [(2, 1), (3, 0), (4, 0)]
    );
    for _ in 0..400 {
        if other.seen().len() >= 8 {
            break;
        }
        temp.clock.advance_ms(1_000);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    other.wait_for(8).await;
    assert_eq!(other.of("bad"), [1, 2, 3, 4]);
    stop.send_replace(true);
    runner.await.expect("it ends when told");
}

#[tokio::test]
async fn what_waits_survives_a_restart() {
    let mut temp = testkit::store(&[]).await;
    let refusing = Other::new(|line| line.seq >= 2);
    let (stop, stopped) = watch::channel(false);
    leave(&temp.store, "case/1", 1..=3).await;
    let runner = temp.store.run_outbox(vec![refusing.clone()], stopped);
    refusing.wait_for(1).await;
    stop.send_replace(true);
    runner.await.expect("it ends when told");
    temp.store.close().await;
    temp.reopen().await.expect("opened again");
    temp.clock.advance_ms(60_000);
    leave(&temp.store, "case/1", 4..=4).await;
    let willing = Other::new(|_| false);
    let (stop, stopped) = watch::channel(false);
    let runner = temp.store.run_outbox(vec![willing.clone()], stopped);
    willing.wait_for(3).await;
    assert_eq!(willing.of("case/1"), [2, 3, 4], "the order goes on where it was");
    stop.send_replace(true);
    runner.await.expect("it ends when told");
}

struct Panics;

#[async_trait]
impl Deliver for Panics {
    fn topic(&self) -> &'static str {
        "panics"
    }

    async fn deliver(&self, _: &OutboxLine) -> Result<(), Problem> {
        panic!("a handler that panics");
    }
}

#[tokio::test]
async fn a_handler_that_panics_has_failed_and_stops_nobody() {
    let temp = testkit::store(&[]).await;
    let other = Other::new(|_| false);
    let (stop, stopped) = watch::channel(false);
    let left = temp.store.write(tenant(), officer(), |tx| async move {
        tx.outbox("panics", "k", &serde_json::json!({ "n": 1 })).await
    });
    left.await.expect("left for delivery");
    let runner = temp
        .store
        .run_outbox(vec![Arc::new(Panics), other.clone()], stopped);
    leave(&temp.store, "a", 1..=2).await;
    other.wait_for(2).await;
    for tried in 0.. {
        let waiting = temp.store.outbox_waiting(tenant()).await.expect("an answer");
        let left: Vec<_> = waiting
            .iter()
            .map(|line| (line.topic.as_str(), line.attempts))
            .collect();
        if left == [("panics", 1)] {
            break;
        }
        assert!(tried < 1_000, "{left:?} wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.send_replace(true);
    runner.await.expect("it ends when told");
}

#[tokio::test]
async fn a_refused_write_leaves_no_line() {
    let temp = testkit::store(&[]).await;
    let refused = temp.store.write(tenant(), officer(), |tx| async move {
        tx.outbox("case-status", "a", &serde_json::json!({ "n": 1 }))
            .await?;
        Err::<(), _>(Problem::stale())
    });
    assert!(refused.await.is_err());
    assert!(
        temp.store
            .outbox_waiting(tenant())
            .await
            .expect("an answer")
            .is_empty()
    );
    leave(&temp.store, "a", 1..=1).await;
    assert_eq!(
        temp.store.outbox_waiting(tenant()).await.expect("an answer")[0].seq,
        1,
        "the order has no gap"
    );
}

#[tokio::test]
async fn what_failed_says_why_and_is_tried_again_at_a_word_without_its_wait() {
    let temp = testkit::store(&[]).await;
    let willing = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asked = Arc::clone(&willing);
    let other = Other::new(move |line| line.key == "bad" && !asked.load(std::sync::atomic::Ordering::SeqCst));
    let (stop, stopped) = watch::channel(false);
    leave(&temp.store, "bad", 1..=3).await;
    leave(&temp.store, "good", 1..=1).await;
    let runner = temp.store.run_outbox(vec![other.clone()], stopped);
    other.wait_for(1).await;
    let mut failed = Vec::new();
    for _ in 0..1_000 {
        failed = temp
            .store
            .outbox_lines(tenant(), "case-status", ("", 0), 10)
            .await
            .expect("lines");
        if failed.len() == 3 && failed[0].attempts == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let first = &failed[0];
    assert_eq!((first.key.as_str(), first.seq, first.attempts), ("bad", 1, 1));
    assert_eq!(
        (first.why.as_deref(), first.tried),
        (Some("refused"), Some(testkit::START))
    );
    assert!(first.next_at > testkit::START && failed[1].why.is_none());
    let behind = temp
        .store
        .outbox_lines(tenant(), "case-status", ("bad", 1), 1)
        .await
        .expect("lines");
    assert_eq!(behind[0].seq, 2, "a page goes on where the one before ended");
    let topics = temp.store.outbox_topics(tenant()).await.expect("topics");
    assert_eq!(
        (
            topics.len(),
            topics[0].lines,
            topics[0].failed,
            topics[0].attempts
        ),
        (1, 3, 1, 1)
    );
    let lag = async |why: &'static str, rows_max| {
        let whys = ["none", "neither", why, "nor"];
        let lag = temp.store.outbox_lag(tenant(), "case-status", whys, rows_max);
        lag.await.expect("a lag")
    };
    let behind = |lines, unheard, since| OutboxLag {
        lines,
        unheard,
        since,
    };
    assert_eq!(lag("refused", 10).await, behind(3, 1, Some(testkit::START)));
    assert_eq!(
        lag("unreachable", 10).await,
        behind(3, 0, None),
        "it failed otherwise"
    );
    assert_eq!(lag("unreachable", 2).await.lines, 2, "so many are looked at");
    // The clock stands: nothing goes by itself.
    willing.store(true, std::sync::atomic::Ordering::SeqCst);
    let again = |key: Option<&'static str>| {
        let store = temp.store.clone();
        async move {
            store
                .write(tenant(), officer(), |tx| async move {
                    tx.outbox_again("case-status", key).await
                })
                .await
        }
    };
    assert_eq!(
        again(Some("good")).await.expect_err("it has gone").kind,
        Kind::NotFound
    );
    assert_eq!(again(Some("bad")).await.expect("tried again"), 1);
    other.wait_for(4).await;
    assert_eq!(other.of("bad"), [1, 2, 3]);
    stop.send_replace(true);
    runner.await.expect("it ends when told");
}

#[tokio::test]
async fn a_term_is_never_brought_forward() {
    let temp = testkit::store(&[]).await;
    let day = testkit::START.plus_ms(86_400_000);
    let left = temp.store.write(tenant(), officer(), |tx| async move {
        tx.outbox_at("case-draft", "a", &serde_json::json!({}), day).await
    });
    left.await.expect("left for its day");
    let again = temp.store.write(tenant(), officer(), |tx| async move {
        tx.outbox_again("case-draft", None).await
    });
    assert_eq!(again.await.expect("it is there"), 0, "it has not failed");
    let waits = temp.store.outbox_waiting(tenant()).await.expect("an answer");
    assert_eq!((waits[0].next_at, waits[0].attempts), (day, 0));
}
