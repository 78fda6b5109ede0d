//! Telling a citizen of a step by e-mail and SMS: what goes out, who carries it, and the lane each person has in the
//! outbox. Never says more than a case's code and its step, and never holds the inbox up: what cannot be delivered is
//! shown there.

pub mod deliver;
pub mod gateway;
pub mod smtp;
#[cfg(test)]
mod tests;
pub mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::store::Tx;
use async_trait::async_trait;
use kernel::{Kind, Problem, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::contact::{State, Telling, Way};
use crate::store::contacts;
use crate::store::inbox::EntryRow;

pub use deliver::Tell;

/// Messages that one gateway is given at the same time, count: a quarter of what the outbox serves at all, so that a
/// slow gateway never holds up the cases themselves.
const SEATS: usize = 16;
/// The longest wait for a gateway, in milliseconds.
const WAIT_MS: u64 = 10_000;
/// How long a gateway that did not answer is left alone, in milliseconds.
const AWAY_MS: i64 = 5_000;
/// The code of what is said where a message, and it alone, cannot be taken now.
pub(crate) const BUSY: &str = "notice-gateway-busy";

/// What goes to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same for the same message, however often it is sent: the other side takes it once. 64 hex digits.
    pub id: String,
    /// The address. Personal data: never log it.
    pub to: String,
    /// The subject of an e-mail.
    pub subject: String,
    /// The text.
    pub text: String,
    /// When it goes out.
    pub at: Time,
}

/// Carries messages of one way.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Hands a message over.
    ///
    /// # Errors
    /// Invalid `notice-refused` when this message will never be taken, Unavailable `notice-gateway-busy` when it alone
    /// cannot be now; any other problem when nothing can be.
    async fn send(&self, message: &Message) -> Result<(), Problem>;
}

/// Who carries messages from here; nobody, where a node names nobody.
#[derive(Clone, Default)]
pub struct Messengers {
    email: Option<Arc<Gate>>,
    sms: Option<Arc<Gate>>,
}

impl std::fmt::Debug for Messengers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ways = Way::ALL.into_iter().filter(|way| self.of(*way).is_some());
        f.debug_list().entries(ways.map(Way::word)).finish()
    }
}

impl Messengers {
    /// Those that a node names.
    #[must_use]
    pub fn new(email: Option<Arc<dyn Messenger>>, sms: Option<Arc<dyn Messenger>>) -> Self {
        let gate = |messenger| Arc::new(Gate::new(messenger));
        Self {
            email: email.map(gate),
            sms: sms.map(gate),
        }
    }

    /// Who carries messages of a way.
    #[must_use]
    pub fn of(&self, way: Way) -> Option<&Gate> {
        match way {
            Way::Email => self.email.as_deref(),
            Way::Sms => self.sms.as_deref(),
        }
    }
}

/// A messenger with few seats that is left alone for a while after it did not answer.
pub struct Gate {
    messenger: Arc<dyn Messenger>,
    seats: Semaphore,
    away_until_ms: AtomicI64,
}

impl Gate {
    fn new(messenger: Arc<dyn Messenger>) -> Self {
        Self {
            messenger,
            seats: Semaphore::new(SEATS),
            away_until_ms: AtomicI64::new(0),
        }
    }

    /// Hands a message over.
    ///
    /// # Errors
    /// As [`Messenger::send`]; Unavailable `notice-gateway-away`, `notice-gateway-busy`.
    pub async fn send(&self, message: &Message) -> Result<(), Problem> {
        let away = || Problem::new(Kind::Unavailable, "notice-gateway-away");
        let left_ms = self.away_until_ms.load(Ordering::Relaxed) - message.at.ms();
        // A clock that was set back must not close the gate for longer.
        if (1..=AWAY_MS).contains(&left_ms) {
            return Err(away());
        }
        let Ok(_seat) = self.seats.try_acquire() else {
            return Err(Problem::new(Kind::Unavailable, BUSY));
        };
        let wait = Duration::from_millis(WAIT_MS);
        let sent = tokio::time::timeout(wait, self.messenger.send(message)).await;
        let sent = sent.unwrap_or_else(|_| Err(away().because("no answer in time")));
        let is_away = |problem: &Problem| problem.kind != Kind::Invalid && problem.code != BUSY;
        if sent.as_ref().is_err_and(is_away) {
            let until = message.at.plus_ms(AWAY_MS).ms();
            self.away_until_ms.store(until, Ordering::Relaxed);
        }
        sent
    }
}

/// Which use of whose address a line of the outbox is about.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) account: String,
    pub(crate) id: String,
}

/// Puts an inbox entry in line for each way by which its citizen wants to be told of it. Lines of one person and way
/// keep their order.
///
/// # Errors
/// Unavailable.
pub(crate) async fn queue(tx: &Tx, account: &str, entry: &EntryRow) -> Result<(), Problem> {
    for contact in contacts::contacts(tx, account).await? {
        if contact.address.is_none() || !contact.scope.wants(&entry.step) {
            continue;
        }
        let telling = Telling {
            way: contact.way,
            id: entry.id.clone(),
            kind: entry.step.kind().to_owned(),
            code: Some(entry.code.clone()),
            at: tx.now(),
            state: State::Waiting,
            done_at: None,
            why: None,
        };
        if contacts::insert_telling(tx, account, &telling).await? {
            let payload = json!({"account": account, "id": entry.id});
            tx.outbox(contact.way.topic(), account, &payload).await?;
        }
    }
    Ok(())
}
