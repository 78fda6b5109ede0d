//! Five times as many citizens at once as before, and as many as before again: who is not served is told so and
//! when to come again, nothing that was acknowledged is lost, and soon after all is as it was.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use kernel::{Time, World};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::crowd::Crowd;
use crate::birth::{self, Answers, Desk};
use crate::people::Person;

/// How many times as many come at once.
const TIMES: usize = 5;
/// Length of what is before and of the spike, and of what is after it, in milliseconds.
const STEADY_MS: i64 = 20_000;
const AFTER_MS: i64 = 60_000;
/// Length of a piece of time in which it is looked whether all is as before, in milliseconds.
const LOOK_MS: i64 = 5_000;
/// How many times as long as before a case may take for things to be as before.
const AS_BEFORE: f64 = 1.5;

/// A case: when it was begun, how long it took in milliseconds, and its code; none when it was turned away.
struct Tried {
    began: Time,
    took_ms: i64,
    code: Option<String>,
}

/// Lives a spike, and says how it went.
///
/// # Errors
/// When the nation cannot be started, or something is refused in any other way than by saying when to come again.
pub async fn measure(
    program: &Path,
    citizens: usize,
    database: Option<String>,
    world: &World,
) -> anyhow::Result<Value> {
    let crowd = Crowd::of(program, citizens * TIMES, database, world).await?;
    let done = lived(&crowd, citizens, world).await;
    crowd.leave().await;
    done
}

async fn lived(crowd: &Crowd, citizens: usize, world: &World) -> anyhow::Result<Value> {
    let answers = Answers::of_households(citizens * TIMES + 1, world)?;
    let paper = Arc::new(birth::paper(world)?);
    let mut people = crowd.citizens().await?;
    let began = world.now();
    let (spike, calm) = (began.plus_ms(STEADY_MS), began.plus_ms(2 * STEADY_MS));
    let end = calm.plus_ms(AFTER_MS);
    let mut all = JoinSet::new();
    for (nth, me) in people.drain(..).enumerate() {
        let (from, until) = if nth < citizens {
            (began, end)
        } else {
            (spike, calm)
        };
        let (answers, paper) = (answers[me.household].clone(), Arc::clone(&paper));
        all.spawn(file(me, answers, paper, (from, until), world.clone()));
    }
    let mut tried = Vec::new();
    while let Some(one) = all.join_next().await {
        tried.extend(one??);
    }
    let last = tried
        .iter()
        .filter(|t| t.code.is_some())
        .max_by_key(|t| t.began.ms() + t.took_ms);
    let code = last.and_then(|t| t.code.clone()).context("nothing was filed")?;
    let ended = world.now();
    let mut desk = Desk::of(&crowd.site).await?;
    birth::at_desk(&mut desk.receptionist, &code, |_| true).await?;
    let handed_over_ms = world.now().ms() - ended.ms();

    let before = part(&tried, began, spike);
    let usual = before["p95_ms"].as_f64().context("a time")?;
    let settled = (0..AFTER_MS / LOOK_MS).find(|piece| {
        let from = calm.plus_ms(piece * LOOK_MS);
        let piece = part(&tried, from, from.plus_ms(LOOK_MS));
        piece["p95_ms"].as_f64().is_some_and(|ms| ms <= usual * AS_BEFORE)
    });
    let settled = settled.context("it is not over after a minute")?;
    Ok(json!({
        "citizens": citizens, "times": TIMES,
        "before": before, "spike": part(&tried, spike, calm), "after": part(&tried, calm, end),
        "over_after_s": (settled + 1) * LOOK_MS / 1_000,
        "last_handed_over_after_ms": handed_over_ms,
    }))
}

/// What was begun in a part of the time.
fn part(tried: &[Tried], from: Time, until: Time) -> Value {
    let within: Vec<&Tried> = tried
        .iter()
        .filter(|t| from <= t.began && t.began < until)
        .collect();
    let filed: Vec<&&Tried> = within.iter().filter(|t| t.code.is_some()).collect();
    let mut took: Vec<i64> = filed.iter().map(|t| t.took_ms).collect();
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
    let per_second = i64::try_from(took.len()).unwrap_or(i64::MAX) * 1_000 / (until.ms() - from.ms()).max(1);
    json!({"filed": took.len(), "turned_away": within.len() - filed.len(), "per_second": per_second,
        "p50_ms": at(50), "p95_ms": at(95), "p99_ms": at(99)})
}

async fn file(
    mut me: Person,
    answers: Answers,
    paper: Arc<Vec<u8>>,
    (from, until): (Time, Time),
    world: World,
) -> anyhow::Result<Vec<Tried>> {
    let wait = u64::try_from(from.ms() - world.now().ms()).unwrap_or_default();
    tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
    let mut tried = Vec::new();
    while world.now() < until {
        let began = world.now();
        let answers = answers.another(&world);
        let code = match birth::whole(&mut me, &answers, &paper).await {
            Ok(code) => Some(code),
            Err(cause) if is_turned_away(&cause) => None,
            Err(cause) => bail!(cause),
        };
        tried.push(Tried {
            began,
            took_ms: world.now().ms() - began.ms(),
            code,
        });
    }
    Ok(tried)
}

/// A node that is full says so: 429 or 503.
fn is_turned_away(cause: &anyhow::Error) -> bool {
    let told = format!("{cause:#}");
    told.contains(" 429") || told.contains(" 503")
}
