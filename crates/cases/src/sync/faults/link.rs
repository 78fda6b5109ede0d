//! What lies between a province and the portal, and does what networks do: it loses what is asked and what
//! is answered, says a thing twice at once, keeps a word back until later ones have passed, and is down.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use exchange::{Answer, Ask, Call, Heard, Service as _, ServiceId, SystemId};
use kernel::{Kind, Problem, Time, World};

use crate::portal::note_status::NoteStatus;
use crate::testing::wire;
use crate::{Asker, Cases};

/// Of a hundred words, how many suffer each fate.
const LOST: u8 = 2;
const UNANSWERED: u8 = 2;
const DOUBLED: u8 = 2;
const REPEATED_LATE: u8 = 2;
const KEPT_BACK: u8 = 2;
/// How many later words pass before one that is kept back, at most.
const BACK_MAX: u64 = 500;

/// How often each thing happened.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) lost: AtomicU64,
    pub(super) unanswered: AtomicU64,
    pub(super) doubled: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) down: AtomicU64,
}

impl Counts {
    /// Each of them.
    pub(super) fn all(&self) -> [&AtomicU64; 5] {
        [
            &self.lost,
            &self.unanswered,
            &self.doubled,
            &self.late,
            &self.down,
        ]
    }
}

/// The way from the province to the portal.
pub(super) struct Link {
    portal: RwLock<Option<Cases>>,
    world: World,
    cut: AtomicBool,
    words: AtomicU64,
    under_way: AtomicU64,
    kept: Mutex<Vec<(u64, Call)>>,
    pub(super) counts: Counts,
}

impl Link {
    pub(super) fn to(portal: Cases, seed: u64) -> Self {
        Self {
            portal: RwLock::new(Some(portal)),
            world: testkit::world(seed).0,
            cut: AtomicBool::new(false),
            words: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            kept: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// Takes the line down, or up again.
    pub(super) fn cut(&self, down: bool) {
        self.cut.store(down, Ordering::SeqCst);
    }

    /// No portal any more: waits until what it had begun is over.
    pub(super) async fn portal_goes(&self) {
        *self.portal.write().expect("whole") = None;
        while self.under_way.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The portal is there again.
    pub(super) fn portal_comes(&self, portal: Cases) {
        *self.portal.write().expect("whole") = Some(portal);
    }

    /// Lets everything pass that is still kept back.
    pub(super) async fn all_kept_pass(&self) {
        self.pass_kept(u64::MAX).await;
    }

    async fn pass_kept(&self, words: u64) {
        let due: Vec<Call> = {
            let mut kept = self.kept.lock().expect("whole");
            kept.extract_if(.., |(at, _)| *at <= words)
                .map(|(_, call)| call)
                .collect()
        };
        for call in due {
            // Nobody waits for this answer: its sender gave up on it long ago.
            drop(self.pass(call).await);
        }
    }

    async fn pass(&self, call: Call) -> Result<Answer, Problem> {
        let (portal, _at_work) = {
            let portal = self.portal.read().expect("whole");
            (portal.clone(), AtWork::of(&self.under_way))
        };
        match portal {
            Some(portal) => NoteStatus(portal).call(call).await,
            None => Err(unreachable(&self.counts.down)),
        }
    }

    fn keep(&self, call: &Call, words: u64) {
        let [high, low] = self.world.random::<2>();
        let back = u64::from(u16::from_be_bytes([high, low])) % BACK_MAX;
        self.kept
            .lock()
            .expect("whole")
            .push((words + 1 + back, call.clone()));
    }
}

/// A word that is at the portal, until it is answered or its sender dies.
struct AtWork<'a>(&'a AtomicU64);

impl<'a> AtWork<'a> {
    fn of(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The refusal of a gateway that has had no answer.
fn unreachable(counted: &AtomicU64) -> Problem {
    counted.fetch_add(1, Ordering::SeqCst);
    Problem::new(Kind::Unavailable, "provider-unreachable")
}

#[async_trait]
impl Asker for Link {
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        let words = self.words.fetch_add(1, Ordering::SeqCst);
        if self.cut.load(Ordering::SeqCst) {
            return Err(unreachable(&self.counts.down));
        }
        self.pass_kept(words).await;
        let call = call(&ask, self.world.now());
        let [chance] = self.world.random::<1>();
        let fate = chance % 100;
        if fate < LOST {
            return Err(unreachable(&self.counts.lost));
        }
        let kept_back = LOST + UNANSWERED + DOUBLED + REPEATED_LATE + KEPT_BACK;
        let answer = match fate {
            f if f < LOST + UNANSWERED => {
                drop(self.pass(call).await);
                return Err(unreachable(&self.counts.unanswered));
            }
            f if f < LOST + UNANSWERED + DOUBLED => {
                self.counts.doubled.fetch_add(1, Ordering::SeqCst);
                let (one, other) = tokio::join!(self.pass(call.clone()), self.pass(call));
                one.or(other)
            }
            f if f < kept_back - KEPT_BACK => {
                self.keep(&call, words);
                self.pass(call).await
            }
            f if f < kept_back => {
                self.keep(&call, words);
                return Err(unreachable(&self.counts.late));
            }
            _ => self.pass(call).await,
        };
        heard(answer)
    }

    fn may_ask(&self, _: &SystemId, _: &ServiceId, _: Time) -> bool {
        true
    }
}

fn call(ask: &Ask, at: Time) -> Call {
    let case = ask.issue.clone().unwrap_or_default();
    let call = wire::call(
        &ask.consumer.to_string(),
        &ask.service,
        &case,
        &serde_json::Value::Null,
        at,
    );
    Call {
        idempotency: ask.idempotency.clone(),
        body: ask.body.clone(),
        ..call
    }
}

/// A service's refusal is an answer too, as the gateway hands it on.
fn heard(answer: Result<Answer, Problem>) -> Result<Heard, Problem> {
    let (status, body) = match answer {
        Ok(answer) => (200, answer.body),
        Err(problem) if problem.kind == Kind::Unavailable => return Err(problem),
        Err(problem) => (
            problem.kind.status(),
            Bytes::from(serde_json::json!({ "code": problem.code }).to_string()),
        ),
    };
    Ok(Heard {
        status,
        media: "application/json".to_owned(),
        body,
        request: "0".repeat(32),
        position: ("evidence-0".to_owned(), 0),
    })
}
