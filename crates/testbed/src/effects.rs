//! Numbered calls of an agency's system through the exchange, and the service behind another gateway that
//! counts what they did: the province's records office posts numbers to the ministry. Every second call
//! carries an `Idempotency-Key`. Each side remembers by itself; [`audit`] holds the one against the other.
//! Never part of a release, and never what a service of people is like.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use kernel::World;
use kernel::limits::Limits;
use sen::up::nation::Place;
use serde_json::{Value, json};
use tokio::sync::watch;
use web::Listener;
use web::axum::extract::State;
use web::axum::routing::post;
use web::axum::{Json, Router};
use web::http::HeaderMap;

use crate::audit::Found;
use crate::ground;
use crate::people::Person;
use crate::raw::{Answer, Asked};
use crate::site::Site;

/// The service that counts.
pub const SERVICE: &str = "G01/population/effects";
/// The system that calls it.
pub const CONSUMER: &str = "H56/records";
/// Where both sides of its exchanges are recorded: the consumer's node, then the provider's.
pub const NODES: [Place; 2] = [Place::Province, Place::Ministry];
/// Between two calls, and between two tries of one.
const BETWEEN: Duration = Duration::from_millis(250);
/// How long the agreement is in force, in milliseconds.
const TERM_MS: i64 = 30 * 86_400_000;

/// What came to the service of one number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// The ids of the exchanges that brought it, one for each time.
    pub requests: Vec<String>,
    /// What it did, count: a key that is known does nothing again.
    pub effects: usize,
}

/// The service: each number that came, and the keys that it knows.
#[derive(Debug, Default)]
pub struct Counter(Mutex<(BTreeMap<u64, Came>, BTreeSet<String>)>);

impl Counter {
    fn kept(&self) -> MutexGuard<'_, (BTreeMap<u64, Came>, BTreeSet<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, number: u64, request: String, key: Option<String>) {
        let (numbers, keys) = &mut *self.kept();
        let came = numbers.entry(number).or_default();
        came.requests.push(request);
        if key.is_none_or(|key| keys.insert(key)) {
            came.effects += 1;
        }
    }

    /// Everything that came, by its number.
    #[must_use]
    pub fn came(&self) -> BTreeMap<u64, Came> {
        self.kept().0.clone()
    }
}

async fn take(
    State(counter): State<Arc<Counter>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Json<Value> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    if let Some(number) = body["number"].as_u64() {
        let request = header("x-road-request-id").unwrap_or_default();
        counter.take(number, request, header("idempotency-key"));
    }
    Json(json!({"number": body["number"]}))
}

/// Runs the service on a free port of this machine until `shutdown`; its address.
///
/// # Errors
/// When no port is free.
pub async fn serve(counter: Arc<Counter>, shutdown: watch::Receiver<bool>) -> anyhow::Result<String> {
    let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await?;
    let address = format!("http://{}", listener.local_addr());
    let router = Router::new().route("/effects", post(take)).with_state(counter);
    tokio::spawn(async move { web::serve(listener, None, router, &Limits::default(), shutdown).await });
    Ok(address)
}

/// What the callers remember.
#[derive(Debug, Default)]
pub struct Calls(Mutex<Remembered>);

#[derive(Clone, Debug, Default)]
struct Remembered {
    /// The number of each exchange whose answer was seen, by its id.
    acknowledged: BTreeMap<String, u64>,
    /// Numbers that were sent without a key and whose answer was never seen.
    unknown: BTreeSet<u64>,
}

impl Calls {
    fn kept(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of each exchange whose answer was seen, by its id.
    #[must_use]
    pub fn acknowledged(&self) -> BTreeMap<String, u64> {
        self.kept().acknowledged.clone()
    }
}

/// True for numbers that are sent with a key, and so again until they are answered.
fn is_keyed(number: u64) -> bool {
    number.is_multiple_of(2)
}

/// Sends one number through the province's face, as an X-Road client does.
///
/// # Errors
/// When nothing answers at all.
pub async fn send(site: &Site, number: u64) -> anyhow::Result<Answer> {
    send_as(site, number, "application/json").await
}

/// As [`send`], by a system that takes answers of these kinds: `application/problem+json` tells refusals with
/// their own status.
///
/// # Errors
/// As [`send`].
pub async fn send_as(site: &Site, number: u64, accept: &str) -> anyhow::Result<Answer> {
    let mut headers = vec![
        ("x-road-client", format!("VN/GOV/{CONSUMER}")),
        ("accept", accept.to_owned()),
    ];
    if is_keyed(number) {
        headers.push(("idempotency-key", format!("number-{number}")));
    }
    let asked = Asked {
        headers,
        ..Asked::default()
    };
    let face = Place::Province.ports(site.port).face;
    let url = format!("http://127.0.0.1:{face}/r1/VN/GOV/{SERVICE}/effects");
    let body = json!({"number": number}).to_string();
    asked.json(body).send("POST", &url).await
}

/// The id of the exchange that brought a number there and its answer back.
fn acknowledged(answer: &Answer, number: u64) -> anyhow::Result<String> {
    ensure!(answer.status == 200, "{}: {}", answer.status, answer.problem());
    if answer.json()["number"] != number {
        bail!("the answer is to another number: {}", answer.text());
    }
    let id = answer.headers.get("x-road-request-id").context("an id")?;
    Ok(id.to_str()?.to_owned())
}

/// Sends numbers, one after the other, until told to stop. One with a key is brought to its end; one
/// without is sent once, and whether it arrived stays open when its answer is lost.
pub async fn caller(site: Site, calls: Arc<Calls>, stop: watch::Receiver<bool>) {
    for number in 1.. {
        loop {
            if *stop.borrow() && !is_keyed(number) {
                return;
            }
            let answer = send(&site, number).await;
            match answer.and_then(|answer| acknowledged(&answer, number)) {
                Ok(id) => {
                    calls.kept().acknowledged.insert(id, number);
                    break;
                }
                Err(_) if is_keyed(number) => tokio::time::sleep(BETWEEN).await,
                Err(_) => {
                    calls.kept().unknown.insert(number);
                    break;
                }
            }
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// The ministry's operator registers the service; both operators agree that the province may call it.
///
/// # Errors
/// When one of them is refused, or the agreement is not in force in time.
pub async fn connect(site: &Site, service: &str, world: &World) -> anyhow::Result<()> {
    let mut ministry = Person::official(site, "operator", Place::Ministry).await?;
    let mut province = Person::official(site, "operator", Place::Province).await?;
    let text = json!({"service": SERVICE, "url": service, "endpoints": ["POST /effects"]});
    ministry.post_json("/api/v1/exchange/services", &text).await?;
    let asked = province
        .post_json("/api/v1/exchange/agreements", &terms(world))
        .await?;
    let request = asked["request"].as_str().context("a request")?;
    let path = format!("/api/v1/exchange/agreements/{request}");
    // Their words reach each other by themselves, a moment later.
    let offered = ground::until("the request is heard and offered", async || {
        let offered = ministry.post_json(&format!("{path}/offer"), &json!({})).await?;
        Ok(offered["agreement"].as_str().map(str::to_owned))
    })
    .await?;
    let accepted = json!({"agreement": offered});
    ground::until("the offer is heard and accepted", async || {
        let done = province.post_json(&format!("{path}/accept"), &accepted).await;
        done.map(Some)
    })
    .await?;
    // No number of the callers: with a key, so that trying it often does one thing.
    ground::until("the first call passes", async || {
        acknowledged(&send(site, 0).await?, 0).map(Some)
    })
    .await
    .map(drop)
}

/// What both sign: the items that no program reads say that this is a try.
fn terms(world: &World) -> Value {
    let words = "Thử nghiệm với dữ liệu giả định.";
    let day_ms = 86_400_000;
    let hanoi_ms = 7 * 3_600_000;
    let from = (world.now().ms() + hanoi_ms) / day_ms * day_ms - hanoi_ms;
    json!({
        "id": "00/TT-H56-G01-thu", "consumer": CONSUMER, "service": SERVICE, "endpoints": ["POST /effects"],
        "purpose": words, "legal_basis": words, "place": words,
        "valid_from": from, "valid_to": from + TERM_MS,
        "sharing_method": words, "handling": words, "conditions": words, "rate_per_minute": 1_000_000,
        "commitments": words, "protection": words, "storage": words, "deletion": words,
    })
}

/// Holds what callers saw against what came to the service: what was answered was done, once, by that
/// very exchange; what was not answered was done at most once; nothing without a key came twice.
pub fn audit(calls: &Calls, came: &BTreeMap<u64, Came>, found: &mut Found) {
    let Remembered {
        acknowledged,
        unknown,
    } = calls.kept().clone();
    for (request, number) in &acknowledged {
        let done = came
            .get(number)
            .is_some_and(|c| c.effects == 1 && c.requests.contains(request));
        found.hold(
            "acknowledged numbered calls with one effect, by their own exchange",
            done.then_some(())
                .with_context(|| format!("{number} by {request}: {:?}", came.get(number))),
        );
    }
    for (number, came) in came {
        let once = came.effects == 1 && (is_keyed(*number) || came.requests.len() == 1);
        found.hold(
            "numbers that came to the service with one effect",
            once.then_some(()).with_context(|| format!("{number}: {came:?}")),
        );
    }
    let done = unknown.iter().filter(|number| came.contains_key(number)).count();
    found.note("numbers without a key whose answer was lost", unknown.len());
    found.note("of these, done all the same", done);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(acknowledged: &[(&str, u64)], came: &Counter) -> usize {
        let calls = Calls::default();
        let list = acknowledged
            .iter()
            .map(|(id, number)| ((*id).to_owned(), *number));
        calls.kept().acknowledged.extend(list);
        let mut found = Found::default();
        audit(&calls, &came.came(), &mut found);
        found.faults.len()
    }

    #[test]
    fn an_acknowledged_number_that_was_lost_or_done_twice_is_a_fault() {
        let came = Counter::default();
        came.take(1, "a".to_owned(), None);
        came.take(2, "b".to_owned(), Some("number-2".to_owned()));
        came.take(2, "c".to_owned(), Some("number-2".to_owned()));
        assert_eq!(faults(&[("a", 1), ("c", 2)], &came), 0, "a key is known again");
        assert_eq!(faults(&[("a", 1), ("d", 3)], &came), 1, "3 was lost");
        assert_eq!(faults(&[("other", 1)], &came), 1, "done by another exchange");
        came.take(1, "e".to_owned(), None);
        assert_eq!(faults(&[("a", 1)], &came), 2, "1 was done twice");
        assert_eq!(faults(&[], &came), 1, "also when nobody heard of it");
    }
}
