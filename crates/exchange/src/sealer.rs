//! Signing in batches: what is waiting when a key is free becomes one batch with one signature.
//! No timer: an idle gateway signs at once, a busy one lets those who are ready ask first. Never a
//! key on disk: see `directory::keyring`.

use kernel::{Kind, Problem, World};
use seal::batch::{Parts, Sealed, seal_batch};
use seal::key::Identity;
use tokio::sync::{mpsc, oneshot};

/// Messages one batch may hold, count.
const BATCH_MAX: usize = 256;
/// Messages that may wait for one key, count; more wait at the sender.
const WAITING_MAX: usize = 4_096;

/// Looks round for others that are about to ask, before a batch is closed. Measured with 64
/// connections: with six looks a batch holds fifteen messages (docs/performance.md).
const LOOKS: usize = 6;

/// A message and where its seal is awaited.
type Waiting = (Parts, oneshot::Sender<Sealed>);

/// The queue in front of one organisation's key.
#[derive(Clone, Debug)]
pub struct Sealer {
    queue: mpsc::Sender<Waiting>,
}

impl Sealer {
    /// Starts the queue of a key.
    #[must_use]
    pub fn start(identity: Identity, world: World) -> Self {
        let (queue, mut waiting) = mpsc::channel::<Waiting>(WAITING_MAX);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH_MAX);
            while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
                gather(&mut waiting, &mut batch).await;
                let (parts, replies): (Vec<Parts>, Vec<_>) = batch.drain(..).unzip();
                let sealed = seal_batch(&identity, &parts, world.now());
                metrics::counter!("sen_exchange_seal_batches_total").increment(1);
                metrics::counter!("sen_exchange_sealed_total").increment(parts.len() as u64);
                for (reply, sealed) in replies.into_iter().zip(sealed) {
                    // A caller that has gone away no longer needs its signature.
                    reply.send(sealed).ok();
                }
            }
        });
        Self { queue }
    }

    /// Signs one message, in whatever batch it falls.
    ///
    /// # Errors
    /// When the node is shutting down.
    pub async fn seal(&self, parts: Parts) -> Result<Sealed, Problem> {
        let (reply, answer) = oneshot::channel();
        let gone = || Problem::new(Kind::Unavailable, "shutting-down");
        self.queue.send((parts, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

/// Lets everybody who is ready go first, and takes what they leave; each look polls the sockets too.
async fn gather(waiting: &mut mpsc::Receiver<Waiting>, batch: &mut Vec<Waiting>) {
    for _ in 0..LOOKS {
        tokio::task::yield_now().await;
        while batch.len() < BATCH_MAX {
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

    fn sealer() -> Sealer {
        let (world, _clock) = testkit::world(1);
        let subject = Subject {
            common_name: "seal".to_owned(),
            organisation: None,
            position: None,
        };
        let identity = testkit::authority()
            .issue(Profile::OrganisationSeal, &subject, world.now(), 10, [7; 16])
            .expect("a seal");
        Sealer::start(identity, world)
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
        let sealer = sealer();
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
    async fn who_asks_alone_waits_for_nobody() {
        let sealed = sealer().seal(parts(1)).await.expect("sealed");
        assert!(sealed.path.is_empty());
    }
}
