//! The crash loop: a node's process dies under load, at a random moment or at a place of a write, and is
//! started again, many times; then everything that was acknowledged is audited. The seed decides who
//! dies, where and when.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kernel::World;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sen::story::nation::Nation;
use sen::up::nation::Place;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::audit::{Found, audit};
use crate::birth::{self, Answers};
use crate::effects::{self, Calls, Counter};
use crate::load::{self, Form, Ledger};
use crate::people::Person;
use crate::site::Site;
use crate::sites::{self, Death, RANDOM, Tally};

/// Citizens at work.
const CITIZENS: usize = 3;
/// Between a node's being ready and the next kill, in milliseconds, at most.
const PAUSE_MS_MAX: u64 = 1_200;
/// How long the last cases may take to come to their end once nobody is killed any more.
const REST: Duration = Duration::from_secs(180);
/// How long the load may take to come by a site.
const COMES_BY: Duration = Duration::from_secs(5);
/// Segments so short that they are begun often: a node's configuration.
const CONFIG: &str = "[limits]\nsegment_bytes_max = 32768\n";
/// Rounds between two lines.
const TELL_EVERY: usize = 20;

/// What a run came to.
#[derive(Debug)]
pub struct Run {
    /// The audit.
    pub found: Found,
    /// Time from a restart to `ready`, in milliseconds, each.
    pub ready_ms: Vec<i64>,
    /// Where nodes died.
    pub sites: Tally,
}

/// Kills and restarts nodes under load, then audits. The data folder stays when something is wrong.
///
/// # Errors
/// When the nation cannot be started, a node does not come back, or the audit cannot be made.
pub async fn run(program: &Path, rounds: usize, seed: u64, world: &World) -> anyhow::Result<Run> {
    let mut nation = Nation::start(program, world).await?;
    let site = Site::of(nation.data.clone(), nation.port)?;
    let config = site.data.join("crash.toml");
    std::fs::write(&config, CONFIG)?;
    nation.extra = vec!["--config".into(), config.into()];
    println!("data folder {}", site.data.display());
    let ledger = Arc::new(Ledger::default());
    let form = Form {
        answers: Answers::usual(world)?,
        paper: Arc::new(birth::paper(world)?),
        world: world.clone(),
    };
    let (counter, calls) = (Arc::new(Counter::default()), Arc::new(Calls::default()));
    let (stop_service, service_ends) = watch::channel(false);
    let service = effects::serve(Arc::clone(&counter), service_ends).await?;
    effects::connect(&site, &service, world).await?;
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
    citizens.spawn(effects::caller(
        site.clone(),
        Arc::clone(&calls),
        no_more_filing.clone(),
    ));
    let mut officials = JoinSet::new();
    officials.spawn(load::officials(site.clone(), ledger.clone(), no_more_deciding));
    let (ready_ms, tally) = kills(&mut nation, rounds, seed, &ledger, world).await?;
    stop_citizens.send(true).ok();
    let filed = tokio::time::timeout(REST, async { while citizens.join_next().await.is_some() {} }).await;
    filed.context("a citizen cannot bring a draft to its end, or a system a call with a key")?;
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
    let called = calls.acknowledged().into_keys().collect();
    let mut found = audit(&site, &ledger, called, program, world).await?;
    effects::audit(&calls, &counter.came(), &mut found);
    stop_service.send(true).ok();
    if found.faults.is_empty() {
        nation.stop().await;
    }
    Ok(Run {
        found,
        ready_ms,
        sites: tally,
    })
}

async fn kills(
    nation: &mut Nation,
    rounds: usize,
    seed: u64,
    ledger: &Ledger,
    world: &World,
) -> anyhow::Result<(Vec<i64>, Tally)> {
    let mut chance = StdRng::seed_from_u64(seed);
    let (mut ready_ms, mut tally) = (Vec::with_capacity(rounds), Tally::default());
    for round in 1..=rounds {
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..PAUSE_MS_MAX))).await;
        let Death { place, site } = sites::next(&mut chance);
        let reached = match site {
            None => true,
            Some((site, nth)) => dies(nation, place, site, nth).await?,
        };
        if site.is_none() || !reached {
            nation.kill(place).await?;
        }
        tally.note(site.map_or(RANDOM, |(site, _)| site), reached);
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
    Ok((ready_ms, tally))
}

/// Starts a node so that it dies at a site, and waits; true when it did, maybe before it was ready.
async fn dies(nation: &mut Nation, place: Place, site: &str, nth: u64) -> anyhow::Result<bool> {
    nation.kill(place).await?;
    match nation.start_node_dying(place, &format!("{site}:{nth}")).await {
        Ok(()) => Ok(nation.ended(place, COMES_BY).await),
        Err(_) => Ok(true),
    }
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
