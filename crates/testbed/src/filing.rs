//! How many cases citizens can file in a time, through the pages: the service half of the benchmarks.
//! A filing that fails ends the measurement: there is nothing to measure then.

mod crowd;
pub mod ready;
pub mod spike;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Time, World};
use sen::story::nation::Nation;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::birth::{self, Answers};
use crate::people::Person;
use crate::site::Site;

/// Requests of one filing: begin, three pages and a paper each shown and sent (the paper only sent),
/// the check, the filing, each with the page it leads to.
const REQUESTS: u32 = 2 + 3 * 3 + 2 + 1 + 2;

/// Files with some citizens at once for some time, and says how it went.
///
/// # Errors
/// When the nation cannot be started or a filing is refused.
pub async fn measure(program: &Path, clients: usize, time: Duration, world: &World) -> anyhow::Result<Value> {
    let nation = Nation::start(program, world).await?;
    let site = Site::of(nation.data.clone(), nation.port)?;
    let answers = Answers::usual(world)?;
    let paper = Arc::new(birth::paper(world)?);
    let mut people = Vec::new();
    for _ in 0..clients {
        people.push(Person::mother(&site).await?);
    }
    let began = world.now();
    let until = began.plus_ms(i64::try_from(time.as_millis())?);
    let mut all = JoinSet::new();
    for person in people {
        all.spawn(file(person, answers.clone(), paper.clone(), until, world.clone()));
    }
    let mut took = Vec::new();
    while let Some(one) = all.join_next().await {
        took.extend(one??);
    }
    let ms = world.now().ms() - began.ms();
    nation.stop().await;
    took.sort_unstable();
    let at = |percent: usize| {
        took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)))
            .copied()
    };
    let filed = u32::try_from(took.len())?;
    Ok(json!({
        "filed": filed,
        "per_second": f64::from(filed) * 1000.0 / f64::from(u32::try_from(ms)?),
        "requests_per_case": REQUESTS,
        "p50_ms": at(50),
        "p99_ms": at(99),
    }))
}

async fn file(
    mut me: Person,
    answers: Answers,
    paper: Arc<Vec<u8>>,
    until: Time,
    world: World,
) -> anyhow::Result<Vec<i64>> {
    let mut took = Vec::new();
    while world.now() < until {
        let began = world.now();
        let draft = birth::start(&mut me).await?;
        birth::fill(&mut me, &draft, &answers.another(&world), &paper).await?;
        birth::file(&mut me, &draft).await?;
        took.push(world.now().ms() - began.ms());
    }
    Ok(took)
}
