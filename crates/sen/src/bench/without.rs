//! What is left out to see what it costs: a node that keeps no log, or whose messages bear no signature.
//! Only a node of a measured nation is ever opened on these; what they let pass proves nothing to anybody.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use exchange::Grounds;
use exchange::grounds::{BatchSeals, Seals};
use kernel::{Digest, Kind, Problem, Time};
use seal::batch::{Parts, Sealed};
use seal::certificate::Certificate;
use seal::error::SealFault;
use seal::key::Identity;
use store::log::RecordLog;

/// What a measured node goes without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// Nothing.
    Nothing,
    /// A log: messages are signed and checked, records are dropped.
    Log,
    /// A log and signatures: digests, agreements, rates and replays are looked at as always.
    Signatures,
}

impl FromStr for Without {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "nothing" => Ok(Self::Nothing),
            "log" => Ok(Self::Log),
            "signatures" => Ok(Self::Signatures),
            _ => Err(format!("{text:?}: nothing, log or signatures")),
        }
    }
}

impl Without {
    /// What such a node's exchange is opened on.
    #[must_use]
    pub fn grounds(self) -> Grounds {
        let log: Arc<dyn RecordLog> = Arc::new(NoLog::default());
        match self {
            Self::Nothing => Grounds::default(),
            Self::Log => Grounds {
                log: Some(log),
                seals: Arc::new(BatchSeals::default()),
            },
            Self::Signatures => Grounds {
                log: Some(log),
                seals: Arc::new(NoSeals),
            },
        }
    }
}

/// Seals of nothing; all of them are believed.
struct NoSeals;

impl Seals for NoSeals {
    fn seal(&self, identity: &Identity, parts: &[Parts], at: Time) -> Vec<Sealed> {
        let blank = Sealed {
            template: 0,
            signing_time: at.ms(),
            certificate: identity.certificate.thumbprint().0,
            path: Vec::new(),
            signature: [0; 64],
        };
        vec![blank; parts.len()]
    }

    fn check(&self, _: &Parts, _: &Sealed, _: &Certificate) -> Result<(), SealFault> {
        Ok(())
    }
}

/// A log that drops what it is given, and so has nothing to read.
#[derive(Default)]
struct NoLog {
    dropped: AtomicU64,
}

impl NoLog {
    fn nothing() -> Problem {
        Problem::new(Kind::NotFound, "exchange-not-found")
    }
}

#[async_trait]
impl RecordLog for NoLog {
    async fn append(&self, records: Vec<Vec<u8>>) -> Result<u64, Problem> {
        Ok(self.dropped.fetch_add(records.len() as u64, Ordering::Relaxed))
    }

    async fn append_at(&self, _: u64, _: Vec<Vec<u8>>) -> Result<(), Problem> {
        Ok(())
    }

    async fn read(&self, _: u64, _: usize) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        Ok(Vec::new())
    }

    async fn len(&self) -> u64 {
        0
    }

    async fn first(&self) -> u64 {
        0
    }

    async fn forget(&self, _: u64) -> Result<(), Problem> {
        Ok(())
    }

    async fn root(&self, _: u64) -> Result<Digest, Problem> {
        Err(Self::nothing())
    }

    async fn inclusion(&self, _: u64, _: u64) -> Result<Vec<Digest>, Problem> {
        Err(Self::nothing())
    }

    async fn consistency(&self, _: u64, _: u64) -> Result<Vec<Digest>, Problem> {
        Err(Self::nothing())
    }
}
