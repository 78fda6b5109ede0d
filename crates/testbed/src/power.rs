//! A power cut without cutting power: the nation lives on an ext4 in a file; all its processes are stopped
//! for a moment and the file is copied. What was not flushed is in the page cache of the inner file system
//! and so not in the copy. The copy is mounted, its journal played back, the nation started on it, and
//! what was acknowledged before the cut is looked for, every exchange on both its sides.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kernel::World;
use sen::story::nation::Nation;
use sen::up::nation::Place;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::audit::{self, Found, PREFILLED};
use crate::birth::{self, Answers};
use crate::effects::{self, Calls, Counter};
use crate::exchanges;
use crate::ground;
use crate::load::{self, Form, Ledger};
use crate::mounted::{self, Mounted};
use crate::people::Person;
use crate::site::Site;

/// The image, in megabytes: small, so that little is written back while it is copied.
const IMAGE_MB: u64 = 96;
/// Citizens at work.
const CITIZENS: usize = 3;
/// Between two cuts.
const BETWEEN: Duration = Duration::from_millis(2_500);

/// What a run came to.
#[derive(Debug, Default)]
pub struct Run {
    /// Cuts.
    pub cuts: usize,
    /// Acknowledged filings looked for, over all cuts.
    pub filed: usize,
    /// Acknowledged signatures looked for, over all cuts.
    pub signed: usize,
    /// Acknowledged exchanges looked for on both sides, over all cuts.
    pub exchanges: usize,
    /// What else was looked at, count.
    pub counts: BTreeMap<&'static str, usize>,
    /// What was not there, or did not hold.
    pub faults: Vec<String>,
}

/// What was acknowledged before a cut, and the disk as the cut left it.
struct Cut {
    image: PathBuf,
    filed: BTreeSet<String>,
    signed: BTreeSet<String>,
    /// With the consumer's node and the provider's.
    exchanges: BTreeMap<String, [Place; 2]>,
}

/// Cuts the power some times under load, then looks at every disk it left.
///
/// # Errors
/// When the disk cannot be mounted or the nation cannot be started.
pub async fn run(program: &Path, cuts: usize, world: &World) -> anyhow::Result<Run> {
    let folder = ground::folder("power", world)?;
    let image = folder.join("disk.img");
    mounted::image(&image, IMAGE_MB)?;
    let disk = Mounted::image(&image, folder.join("disk"))?;
    let nation = Nation::start_in(program, disk.path.join("data"), None, None, world).await?;
    let port = nation.port;
    let mut found = Found::default();
    let taken = take(&nation, &image, &folder, cuts, &mut found, world).await;
    nation.stop().await;
    drop(disk);
    let taken = taken?;
    let mut run = Run {
        faults: std::mem::take(&mut found.faults),
        ..Run::default()
    };
    for cut in taken {
        run.cuts += 1;
        run.filed += cut.filed.len();
        run.signed += cut.signed.len();
        run.exchanges += cut.exchanges.len();
        let number = run.cuts;
        if let Err(cause) = look(program, &folder, &cut, port, &mut found, world).await {
            run.faults.push(format!("cut {number}: {cause:#}"));
        }
        let faults = std::mem::take(&mut found.faults).into_iter();
        run.faults
            .extend(faults.map(|fault| format!("cut {number}: {fault}")));
        std::fs::remove_file(&cut.image)?;
    }
    run.counts = found.counts;
    if run.faults.is_empty() {
        std::fs::remove_dir_all(&folder).ok();
    }
    Ok(run)
}

/// People at work, and the disk copied while they are.
async fn take(
    nation: &Nation,
    image: &Path,
    folder: &Path,
    cuts: usize,
    found: &mut Found,
    world: &World,
) -> anyhow::Result<Vec<Cut>> {
    let site = Site::of(nation.data.clone(), nation.port)?;
    // The service stands on another machine, whose power is not cut.
    let (counter, calls) = (Arc::new(Counter::default()), Arc::new(Calls::default()));
    let (_service, service_ends) = watch::channel(false);
    let service = effects::serve(Arc::clone(&counter), service_ends).await?;
    effects::connect(&site, &service, world).await?;
    let ledger = Arc::new(Ledger::default());
    let form = Form {
        answers: Answers::usual(world)?,
        paper: Arc::new(birth::paper(world)?),
        world: world.clone(),
    };
    let (stop, stopped) = watch::channel(false);
    let mut people = JoinSet::new();
    for number in 0..CITIZENS {
        let (site, ledger, form) = (site.clone(), Arc::clone(&ledger), form.clone());
        people.spawn(load::citizen(number, site, ledger, form, stopped.clone()));
    }
    people.spawn(effects::caller(site.clone(), Arc::clone(&calls), stopped.clone()));
    people.spawn(load::officials(site, Arc::clone(&ledger), stopped));
    let mut taken = Vec::new();
    for number in 1..=cuts {
        tokio::time::sleep(BETWEEN).await;
        if number == cuts {
            // Not before anything was done, however busy the machine is.
            ground::until("somebody filed and was answered", async || {
                let answered = !calls.acknowledged().is_empty() || !ledger.exchanges().is_empty();
                Ok((answered && !ledger.filed().is_empty()).then_some(()))
            })
            .await?;
        }
        let (filed, signed) = (ledger.filed(), ledger.signed());
        let seen = ledger.exchanges().into_iter().map(|id| (id, PREFILLED));
        let called = calls.acknowledged().into_keys().map(|id| (id, effects::NODES));
        let exchanges = seen.chain(called).collect();
        let copy = folder.join(format!("cut-{number}.img"));
        signal(nation, "-STOP")?;
        let copied = Command::new("cp")
            .arg("--sparse=always")
            .args([image, &copy])
            .status();
        signal(nation, "-CONT")?;
        ensure!(copied?.success(), "the disk cannot be copied");
        taken.push(Cut {
            image: copy,
            filed,
            signed,
            exchanges,
        });
    }
    stop.send(true).ok();
    people.shutdown().await;
    effects::audit(&calls, &counter.came(), found);
    Ok(taken)
}

fn signal(nation: &Nation, which: &str) -> anyhow::Result<()> {
    let ids: Vec<String> = nation.processes().iter().map(ToString::to_string).collect();
    let done = Command::new("kill").arg(which).args(ids).status()?;
    ensure!(done.success(), "the nodes cannot be stopped for a moment");
    Ok(())
}

/// Starts the nation on what a cut left, and looks for what was acknowledged.
async fn look(
    program: &Path,
    folder: &Path,
    cut: &Cut,
    port: u16,
    found: &mut Found,
    world: &World,
) -> anyhow::Result<()> {
    let disk = Mounted::image(&cut.image, folder.join("after"))?;
    let nation = Nation::start_in(program, disk.path.join("data"), Some(port), None, world)
        .await
        .context("after the cut")?;
    let site = Site::of(nation.data.clone(), nation.port)?;
    let is_there = there(&site, cut, found, program).await;
    nation.stop().await;
    drop(disk);
    is_there
}

async fn there(site: &Site, cut: &Cut, found: &mut Found, program: &Path) -> anyhow::Result<()> {
    let mut mother = Person::mother(site).await?;
    for code in &cut.filed {
        let case = mother.get(&format!("/api/v1/cases/{code}")).await?;
        case.ok()
            .with_context(|| format!("the filing of {code} is lost"))?;
    }
    let mut desk = Person::official(site, "receptionist", Place::Province).await?;
    for code in &cut.signed {
        let path = format!("/api/v1/desk/cases/{code}");
        let state = desk.get(&path).await?.json()?["state"].clone();
        let undone = ["received", "accepted", "reworking", "to-sign"];
        let is_undone = state.as_str().is_none_or(|state| undone.contains(&state));
        ensure!(!is_undone, "the signature of {code} is lost: it is {state}");
    }
    exchanges::audit(site, &cut.exchanges, found).await?;
    audit::logs(site, program)
}
