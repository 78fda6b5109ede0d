//! How many ready forms can be filed in a second: every form is filled and checked before, nothing but the
//! filing is timed. What is filed goes to the province meanwhile, as always.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use kernel::World;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use web::client::Client;

use super::crowd::{AT_ONCE, Crowd};
use crate::birth::{self, Answers};
use crate::people::Person;

/// Forms that each citizen has ready, count: an account may have twenty open.
const FORMS: usize = 18;
/// Time and size of an answer, in milliseconds and bytes.
const ANSWER_MS_MAX: u64 = 30_000;
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A citizen with forms that only have to be filed: the session, and address and revision of each.
struct Ready {
    cookie: String,
    forms: Vec<(String, String)>,
}

/// Files what many citizens have ready, and says how fast.
///
/// # Errors
/// When the nation cannot be started or a filing is refused.
pub async fn measure(
    program: &Path,
    citizens: usize,
    database: Option<String>,
    world: &World,
) -> anyhow::Result<Value> {
    let crowd = Crowd::of(program, citizens, database, world).await?;
    let done = filed(&crowd, world).await;
    crowd.leave().await;
    done
}

async fn filed(crowd: &Crowd, world: &World) -> anyhow::Result<Value> {
    let ready = filled(crowd.citizens().await?, world).await?;
    let citizens = ready.len();
    let client = Client::plain();
    let began = world.now();
    let mut all = JoinSet::new();
    for one in ready {
        all.spawn(file(client.clone(), one, world.clone()));
    }
    let mut took = Vec::new();
    while let Some(one) = all.join_next().await {
        took.extend(one??);
    }
    let ms = u32::try_from(world.now().ms() - began.ms())?;
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
    Ok(json!({
        "citizens": citizens,
        "filed": took.len(),
        "per_second": f64::from(u32::try_from(took.len())?) * 1_000.0 / f64::from(ms.max(1)),
        "p50_ms": at(50), "p95_ms": at(95), "p99_ms": at(99),
    }))
}

/// Fills the forms of everybody.
async fn filled(people: Vec<Person>, world: &World) -> anyhow::Result<Vec<Ready>> {
    let answers = Answers::of_households(people.len() + 1, world)?;
    let paper = Arc::new(birth::paper(world)?);
    let (few, mut all) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for person in people {
        let answers = answers[person.household].clone();
        let (paper, few) = (Arc::clone(&paper), Arc::clone(&few));
        let world = world.clone();
        all.spawn(async move {
            let _turn = few.acquire().await.context("nobody closes it")?;
            fill(person, &answers, &paper, &world).await
        });
    }
    let mut ready = Vec::new();
    while let Some(one) = all.join_next().await {
        ready.push(one??);
    }
    Ok(ready)
}

async fn fill(mut me: Person, answers: &Answers, paper: &[u8], world: &World) -> anyhow::Result<Ready> {
    let mut forms = Vec::new();
    for _ in 0..FORMS {
        let draft = birth::start(&mut me).await?;
        birth::fill(&mut me, &draft, &answers.another(world), paper).await?;
        let revision = birth::check(&mut me, &draft).await?;
        forms.push((
            me.site().url(me.place, &format!("/drafts/{draft}/file")),
            revision,
        ));
    }
    Ok(Ready {
        cookie: me.cookie(),
        forms,
    })
}

/// Files one after the other; how long each took, in milliseconds.
async fn file(client: Client, ready: Ready, world: World) -> anyhow::Result<Vec<i64>> {
    let mut took = Vec::new();
    for (url, revision) in &ready.forms {
        let began = world.now();
        let origin = url.split("/drafts/").next().unwrap_or_default();
        let request = web::http::Request::builder()
            .method("POST")
            .uri(url)
            .header("cookie", &ready.cookie)
            .header("accept", "text/html")
            .header("origin", origin)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(format!("revision={revision}")))?;
        let answer = client.send(request, ANSWER_MS_MAX, ANSWER_BYTES_MAX).await?;
        let to = answer.headers().get("location").and_then(|l| l.to_str().ok());
        ensure!(
            answer.status() == 303 && to.is_some_and(|to| to.contains("/cases/")),
            "{url} answers {} and leads to {to:?}",
            answer.status()
        );
        took.push(world.now().ms() - began.ms());
    }
    Ok(took)
}
