//! Signing in batches: what is waiting when a key is free becomes one batch with one signature, and
//! the records that are made of it one flush. No timer: an idle gateway signs at once, a busy one lets
//! those who are ready ask first. Never a key on disk: see `directory::keyring`.

use std::sync::Arc;

use kernel::{Kind, Problem, World};
use seal::batch::{Parts, Sealed};
use seal::key::Identity;
use store::log::RecordLog;
use tokio::sync::{mpsc, oneshot};

use crate::grounds::Seals;

/// Messages that may wait for one key, count; more wait at the sender.
const WAITING_MAX: usize = 4_096;

/// Looks round for others that are about to ask, before a batch is closed. Measured with 64
/// connections: with six looks a batch holds fifteen messages (docs/performance.md).
const LOOKS: usize = 6;

/// What becomes of a message once it is sealed.
enum Then {
    /// Its seal is handed over.
    Tell(oneshot::Sender<Sealed>),
    /// A record is made with its seal and flushed; both are handed over then.
    Keep(Record, Told),
}

/// Makes a record of a seal.
type Record = Box<dyn FnOnce(&Sealed) -> Vec<u8> + Send>;
/// Where it is told that the record is flushed.
type Told = oneshot::Sender<Result<Sealed, Problem>>;

/// A message that waits for its seal.
type Waiting = (Parts, Then);

/// The queue in front of one organisation's key.
#[derive(Clone, Debug)]
pub struct Sealer {
    queue: mpsc::Sender<Waiting>,
}

/// What all keys of a gateway share: one log, one way of sealing.
pub struct Desk {
    /// Time.
    pub world: World,
    /// Where records are flushed.
    pub log: Arc<dyn RecordLog>,
    /// How messages are sealed.
    pub seals: Arc<dyn Seals>,
    /// Messages one signature may stand for, count.
    pub batch_max: usize,
}

impl Desk {
    /// Starts the queue in front of a key.
    #[must_use]
    pub fn open(&self, identity: Identity) -> Sealer {
        let (queue, mut waiting) = mpsc::channel::<Waiting>(WAITING_MAX);
        let (world, log, seals) = (self.world.clone(), Arc::clone(&self.log), Arc::clone(&self.seals));
        let batch_max = self.batch_max.clamp(1, WAITING_MAX);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(batch_max);
            while waiting.recv_many(&mut batch, batch_max).await > 0 {
                gather(&mut waiting, &mut batch, batch_max).await;
                let (parts, thens): (Vec<Parts>, Vec<Then>) = batch.drain(..).unzip();
                let sealed = seals.seal(&identity, &parts, world.now());
                metrics::counter!("sen_exchange_seal_batches_total").increment(1);
                metrics::counter!("sen_exchange_sealed_total").increment(parts.len() as u64);
                let mut kept = Vec::new();
                for (then, sealed) in thens.into_iter().zip(sealed) {
                    match then {
                        // A caller that has gone away no longer needs its signature.
                        Then::Tell(reply) => drop(reply.send(sealed)),
                        Then::Keep(record, reply) => kept.push((record(&sealed), sealed, reply)),
                    }
                }
                if !kept.is_empty() {
                    // The next batch is signed while this one is flushed.
                    tokio::spawn(keep(Arc::clone(&log), kept));
                }
            }
        });
        Sealer { queue }
    }
}

impl Sealer {
    /// Signs one message, in whatever batch it falls.
    ///
    /// # Errors
    /// When the node is shutting down.
    pub async fn seal(&self, parts: Parts) -> Result<Sealed, Problem> {
        let (reply, answer) = oneshot::channel();
        self.queue
            .send((parts, Then::Tell(reply)))
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }

    /// Signs one message, and flushes the record that `record` makes of the seal: nothing may leave
    /// before this returns.
    ///
    /// # Errors
    /// When the node is shutting down or the log cannot be written.
    pub async fn seal_kept(
        &self,
        parts: Parts,
        record: impl FnOnce(&Sealed) -> Vec<u8> + Send + 'static,
    ) -> Result<Sealed, Problem> {
        let (reply, answer) = oneshot::channel();
        self.queue
            .send((parts, Then::Keep(Box::new(record), reply)))
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn gone() -> Problem {
    Problem::new(Kind::Unavailable, "shutting-down")
}

/// Flushes the records of a batch at once and tells everybody.
async fn keep(log: Arc<dyn RecordLog>, kept: Vec<(Vec<u8>, Sealed, Told)>) {
    let mut records = Vec::with_capacity(kept.len());
    let mut told = Vec::with_capacity(kept.len());
    for (record, sealed, reply) in kept {
        records.push(record);
        told.push((sealed, reply));
    }
    let flushed = log.append(records).await;
    for (sealed, reply) in told {
        let outcome = match &flushed {
            Ok(_) => Ok(sealed),
            Err(problem) => Err(problem.clone()),
        };
        reply.send(outcome).ok();
    }
}

/// Lets everybody who is ready go first, and takes what they leave; each look polls the sockets too.
async fn gather(waiting: &mut mpsc::Receiver<Waiting>, batch: &mut Vec<Waiting>, batch_max: usize) {
    for _ in 0..LOOKS {
        if batch.len() >= batch_max {
            return;
        }
        tokio::task::yield_now().await;
        while batch.len() < batch_max {
            match waiting.try_recv() {
                Ok(more) => batch.push(more),
                Err(_) => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::future::join_all;
    use kernel::Digest;
    use seal::authority::{Profile, Subject};

    use super::*;
    use crate::grounds::BatchSeals;

    async fn sealer(batch_max: usize) -> (testkit::TempStore, Sealer) {
        let temp = testkit::store(&[]).await;
        let world = temp.store.world().clone();
        let subject = Subject {
            common_name: "seal".to_owned(),
            organisation: None,
            position: None,
        };
        let identity = testkit::authority()
            .issue(Profile::OrganisationSeal, &subject, world.now(), 10, [7; 16])
            .expect("a seal");
        let log = temp.store.log("evidence-0").await.expect("a log");
        let desk = Desk {
            world,
            log,
            seals: Arc::new(BatchSeals::default()),
            batch_max,
        };
        (temp, desk.open(identity))
    }

    fn parts(number: u8) -> Parts {
        let digest = Digest::of(&[number]);
        Parts {
            head: digest,
            body: digest,
        }
    }

    #[tokio::test]
    async fn who_asks_at_the_same_time_shares_a_signature() {
        let (_temp, sealer) = sealer(256).await;
        let all = join_all((0..100).map(|number| {
            let sealer = sealer.clone();
            tokio::spawn(async move { sealer.seal(parts(number)).await.expect("sealed") })
        }))
        .await;
        let signatures: BTreeSet<_> = all
            .into_iter()
            .map(|sealed| sealed.expect("a task").signature)
            .collect();
        assert!(signatures.len() <= 2, "{} signatures", signatures.len());
    }

    #[tokio::test]
    async fn where_one_message_is_a_batch_each_has_a_signature_of_its_own() {
        let (_temp, sealer) = sealer(1).await;
        let all = join_all((0..20).map(|number| sealer.seal(parts(number)))).await;
        let signatures: BTreeSet<_> = all
            .into_iter()
            .map(|sealed| sealed.expect("sealed"))
            .inspect(|sealed| assert!(sealed.path.is_empty()))
            .map(|sealed| sealed.signature)
            .collect();
        assert_eq!(signatures.len(), 20);
    }

    #[tokio::test]
    async fn who_asks_alone_waits_for_nobody() {
        let (_temp, sealer) = sealer(256).await;
        let sealed = sealer.seal(parts(1)).await.expect("sealed");
        assert!(sealed.path.is_empty());
    }

    #[tokio::test]
    async fn a_record_is_in_the_log_with_its_seal_before_anybody_hears_of_it() {
        let (temp, sealer) = sealer(256).await;
        let log = temp.store.log("evidence-0").await.expect("the log");
        let all = join_all((0..20).map(|number| {
            let (sealer, log) = (sealer.clone(), Arc::clone(&log));
            tokio::spawn(async move {
                let record = move |sealed: &Sealed| [&[number][..], &sealed.signature].concat();
                let sealed = sealer.seal_kept(parts(number), record).await.expect("sealed");
                let records = log.read(0, 100).await.expect("read");
                let wanted = [&[number][..], &sealed.signature].concat();
                assert!(records.iter().any(|(_, record)| *record == wanted));
            })
        }))
        .await;
        assert!(all.into_iter().all(|done| done.is_ok()));
        let refused = sealer.seal_kept(parts(1), |_| Vec::new()).await;
        assert!(
            refused.is_err(),
            "what the log does not take is not sealed for anybody"
        );
    }
}
