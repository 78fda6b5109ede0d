//! Signing in batches: what is waiting when a key is free becomes one batch with one signature.
//! No timer: an idle gateway signs at once. Never a key on disk: see `directory::keyring`.

use kernel::{Kind, Problem, World};
use seal::batch::{Parts, Sealed, seal_batch};
use seal::key::Identity;
use tokio::sync::{mpsc, oneshot};

/// Messages one batch may hold, count.
const BATCH_MAX: usize = 256;
/// Messages that may wait for one key, count; more wait at the sender.
const WAITING_MAX: usize = 4_096;

/// The queue in front of one organisation's key.
#[derive(Clone, Debug)]
pub struct Sealer {
    queue: mpsc::Sender<(Parts, oneshot::Sender<Sealed>)>,
}

impl Sealer {
    /// Starts the queue of a key.
    #[must_use]
    pub fn start(identity: Identity, world: World) -> Self {
        let (queue, mut waiting) = mpsc::channel::<(Parts, oneshot::Sender<Sealed>)>(WAITING_MAX);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH_MAX);
            while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
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
