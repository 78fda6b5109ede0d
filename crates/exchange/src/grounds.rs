//! What the evidence of a gateway rests on: the log that keeps it and the seals on its messages. A node
//! takes both from its store and its keys; a measurement puts others in their place to see what each costs.

use std::fmt;
use std::sync::Arc;

use kernel::Time;
use seal::batch::{self, Parts, RootCache, Sealed};
use seal::certificate::Certificate;
use seal::error::SealFault;
use seal::key::Identity;
use store::log::RecordLog;

/// Seals messages and checks seals.
pub trait Seals: Send + Sync {
    /// Seals some messages with a key at a time: one seal each, in their order.
    fn seal(&self, identity: &Identity, parts: &[Parts], at: Time) -> Vec<Sealed>;

    /// Checks that the holder of a certificate sealed exactly this message.
    ///
    /// # Errors
    /// What is wrong with the seal.
    fn check(&self, parts: &Parts, sealed: &Sealed, certificate: &Certificate) -> Result<(), SealFault>;
}

/// The seals of the exchange: one signature over many messages ([`seal::batch`]).
#[derive(Default)]
pub struct BatchSeals {
    roots: RootCache,
}

impl Seals for BatchSeals {
    fn seal(&self, identity: &Identity, parts: &[Parts], at: Time) -> Vec<Sealed> {
        batch::seal_batch(identity, parts, at)
    }

    fn check(&self, parts: &Parts, sealed: &Sealed, certificate: &Certificate) -> Result<(), SealFault> {
        batch::verify(parts, sealed, certificate, &self.roots)
    }
}

/// What a gateway is opened on in place of its store's log and of [`BatchSeals`].
#[derive(Clone)]
pub struct Grounds {
    /// Where evidence is kept; the store's own log when `None`.
    pub log: Option<Arc<dyn RecordLog>>,
    /// How messages are sealed and checked.
    pub seals: Arc<dyn Seals>,
}

impl Default for Grounds {
    fn default() -> Self {
        Self {
            log: None,
            seals: Arc::new(BatchSeals::default()),
        }
    }
}

impl fmt::Debug for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = if self.log.is_some() {
            "a log given"
        } else {
            "the store's log"
        };
        write!(f, "Grounds({log})")
    }
}
