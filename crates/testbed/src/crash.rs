//! The crash loop: a node's process is killed at a random moment under load and started again, many
//! times; then everything that was acknowledged is audited. The seed decides who dies and when.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kernel::World;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sen::story::nation::Nation;
use sen::up::nation::PLACES;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::audit::{Found, audit};
use crate::birth::{self, Answers};
use crate::load::{self, Form, Ledger};
use crate::people::Person;
use crate::site::Site;

/// Citizens at work.
const CITIZENS: usize = 3;
/// Between a node's being ready and the next kill, in milliseconds, at most.
const PAUSE_MS_MAX: u64 = 1_200;
/// How long the last cases may take to come to their end once nobody is killed any more.
const REST: Duration = Duration::from_secs(180);
/// Rounds between two lines.
const TELL_EVERY: usize = 20;

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    /// The audit.
    pub found: Found,
    /// Time from a restart to `ready`, in milliseconds, each.
    pub ready_ms: Vec<i64>,
}

/// Kills and restarts nodes under load, then audits. The data folder stays when something is wrong.
///
/// # Errors
/// When the nation cannot be started, a node does not come back, or the audit cannot be made.
pub async fn run(program: &Path, rounds: usize, seed: u64, world: &World) -> anyhow::Result<Run> {
    let mut nation = Nation::start(program, world).await?;
    let site = Site::of(nation.data.clone(), nation.port)?;
    println!("data folder {}", site.data.display());
    let ledger = Arc::new(Ledger::default());
    let form = Form {
        answers: Answers::usual(world)?,
        paper: Arc::new(birth::paper(world)?),
    };
    let (stop_citizens, no_more_filing) = watch::channel(false);
    let (stop_officials, no_more_deciding) = watch::channel(false);
    let mut citizens = JoinSet::new();
    for number in 0..CITIZENS {
        citizens.spawn(load::citizen(
            number,
            site.clone(),
            ledger.clone(),
            form.clone(),
            no_more_filing.clone(),
        ));
    }
    let mut officials = JoinSet::new();
    officials.spawn(load::officials(site.clone(), ledger.clone(), no_more_deciding));
    let ready_ms = kills(&mut nation, rounds, seed, &ledger, world).await?;
    stop_citizens.send(true).ok();
    let filed = tokio::time::timeout(REST, async { while citizens.join_next().await.is_some() {} }).await;
    filed.context("a citizen cannot bring a draft to its end")?;
    let ended = tokio::time::timeout(REST, settle(&site, &ledger)).await;
    stop_officials.send(true).ok();
    if ended.is_err() {
        println!(
            "some cases have not come to their end within {} s",
            REST.as_secs()
        );
    }
    for (reason, times) in ledger.again() {
        println!("tried again {times:>6} × {reason}");
    }
    let found = audit(&site, &ledger, program, world).await?;
    if found.faults.is_empty() {
        nation.stop().await;
    }
    Ok(Run { found, ready_ms })
}

async fn kills(
    nation: &mut Nation,
    rounds: usize,
    seed: u64,
    ledger: &Ledger,
    world: &World,
) -> anyhow::Result<Vec<i64>> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut ready_ms = Vec::with_capacity(rounds);
    for round in 1..=rounds {
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..PAUSE_MS_MAX))).await;
        let place = PLACES[chance.random_range(0..PLACES.len())];
        nation.kill(place).await?;
        let killed = world.now();
        nation
            .start_node(place)
            .await
            .with_context(|| format!("round {round}, {}", place.id()))?;
        ready_ms.push(world.now().ms() - killed.ms());
        if round.is_multiple_of(TELL_EVERY) {
            println!(
                "round {round}: {} filed, {} signed",
                ledger.filed().len(),
                ledger.signed().len()
            );
        }
    }
    Ok(ready_ms)
}

/// Waits until every case of the portal has reached its last status.
async fn settle(site: &Site, ledger: &Ledger) {
    loop {
        if let Ok(true) = settled(site, ledger).await {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn settled(site: &Site, ledger: &Ledger) -> anyhow::Result<bool> {
    let mut mother = Person::mother(site).await?;
    for code in ledger.filed() {
        let case = mother.get(&format!("/api/v1/cases/{code}")).await?.json()?;
        if case["status"] != 10 {
            return Ok(false);
        }
    }
    Ok(true)
}
