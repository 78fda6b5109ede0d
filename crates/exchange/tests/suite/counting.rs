//! The service of the tests: it does what it is told to, and counts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use exchange::{Answer, Call, Headers, Service, ServiceId};
use kernel::{Kind, Problem};
use tokio::sync::Notify;

use crate::nation::LOOKUP;

/// The service of the tests: does what the body's `do` says, and counts its effects.
/// What `waits` goes on when it is told to.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) effects: AtomicUsize,
    pub(crate) keys: std::sync::Mutex<Vec<Option<String>>>,
    pub(crate) waits: Notify,
    pub(crate) go_on: Notify,
}
#[async_trait]
impl Service for Counting {
    fn id(&self) -> ServiceId {
        LOOKUP.parse().expect("an id")
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        self.keys.lock().expect("a lock").push(call.idempotency.clone());
        self.effects.fetch_add(1, Ordering::SeqCst);
        let asked: serde_json::Value = call.json()?;
        let raw = |status: u16, body: Vec<u8>| Answer {
            status,
            media: "application/json".to_owned(),
            headers: Headers::default(),
            fault: None,
            body: body.into(),
        };
        match asked["do"].as_str().unwrap_or_default() {
            "hang" => std::future::pending().await,
            "wait" => {
                self.waits.notify_one();
                self.go_on.notified().await;
                Answer::json(&serde_json::json!({"record": {"full_name": "đợi"}}))
            }
            "slow" => {
                tokio::time::sleep(Duration::from_millis(150)).await;
                Answer::json(&serde_json::json!({"record": {"full_name": "chậm"}}))
            }
            "panic" => panic!("a service of the tests panics when told to"),
            "refuse" => Err(Problem::new(Kind::NotFound, "record-not-found")),
            "500" => Ok(raw(500, b"{\"code\":\"broken-inside\"}".to_vec())),
            "garbage" => Ok(raw(200, b"<html>\xff".to_vec())),
            "large" => Ok(raw(200, vec![b'1'; 300_000])),
            _ => Answer::json(&serde_json::json!({"record": {
                "full_name": "Lê Thị Mẫu", "residence": "14857", "asked": asked,
            }})),
        }
    }
}
