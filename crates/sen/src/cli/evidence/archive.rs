//! `sen evidence archive`: archives written, and what is archived taken off the live log by the node. Never a
//! rule of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use exchange::retention::{Chosen, Retention};
use kernel::World;
use seal::certificate::Trust;
use sen::backup::site::NodeAt;
use sen::evidence::leaving::{self, order};
use sen::evidence::{self, Shelf};
use serde_json::Value;

use super::Of;

/// How long the command waits for a node that runs.
const WAITS: Duration = Duration::from_secs(120);
/// Between two looks whether the node has done it.
const LOOKS: Duration = Duration::from_millis(200);

#[derive(Args)]
pub(super) struct Flags {
    #[command(flatten)]
    of: Of,
    /// The folder of the archives; of several nodes each has its own in it [default: archive.folder of the
    /// configuration, else ./archive]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only what stood under a signed root this many days ago
    #[arg(long, value_name = "N", default_value_t = 90)]
    days: u32,
    /// Then take off the live log what is archived, read again, found good, and older than its retention class
    #[arg(long)]
    forget: bool,
    /// With --forget: write nothing and take nothing off, show what would leave and what holds the rest back
    #[arg(long, requires = "forget")]
    dry_run: bool,
    /// With --forget: days in the live log at least, 0 for good [default: archive.live_days of the configuration,
    /// else 0]
    #[arg(long, value_name = "N", requires = "forget")]
    live_days: Option<u32>,
    /// With --forget: a root that seals, roots and timestamps of the archives must lead to, PEM
    #[arg(long, value_name = "PEM", requires = "forget")]
    trust: Option<PathBuf>,
    /// With --dry-run: print what would leave as JSON
    #[arg(long, requires = "dry_run")]
    json: bool,
}

/// What all nodes of a call have in common.
struct Rules {
    retention: Retention,
    trust: Trust,
}

impl Flags {
    pub(super) async fn run(self, world: &World) -> anyhow::Result<()> {
        let (configured, site) = self.of.configured()?;
        let kept = configured.archive();
        let chosen = Chosen {
            live_days: self.live_days.unwrap_or(kept.live_days),
            archive_days: kept.file_days,
        };
        let rules = Rules {
            retention: Retention::load(configured.pack(), chosen)?,
            trust: sen::verify::read_trust(self.trust.as_deref())?,
        };
        let is_named = !kept.folder.as_os_str().is_empty();
        let own = if is_named {
            kept.folder
        } else {
            PathBuf::from("archive")
        };
        let out = self.out.clone().unwrap_or(own);
        let shelves = evidence::open(&site, self.of.node.as_deref()).await?;
        let several = shelves.len() > 1;
        let mut told = Vec::new();
        for shelf in &shelves {
            let at = site.nodes.iter().find(|at| at.name == shelf.node);
            let Some(at) = at else { continue };
            let out = if several {
                out.join(&shelf.node)
            } else {
                out.clone()
            };
            told.extend(self.of_node(shelf, at, &out, &rules, world).await?);
        }
        if self.json {
            println!("{}", Value::from(told));
        }
        Ok(())
    }

    async fn of_node(
        &self,
        shelf: &Shelf,
        at: &NodeAt,
        out: &Path,
        rules: &Rules,
        world: &World,
    ) -> anyhow::Result<Option<Value>> {
        const DAY_MS: i64 = 86_400_000;
        if !self.dry_run {
            let until = world.now().plus_ms(-i64::from(self.days) * DAY_MS);
            let written = evidence::archive::write_all(shelf, at, out, until, world).await?;
            for file in &written {
                println!("{}", file.display());
            }
            if written.is_empty() {
                println!("{}: nothing new is that old and has its timestamp", out.display());
            }
        }
        if !self.forget {
            return Ok(None);
        }
        let rules = (&rules.retention, &rules.trust);
        let found = leaving::look(shelf, at, out, rules, world).await?;
        if self.json {
            return Ok(Some(leaving::as_json(&found)));
        }
        print!("{}", leaving::as_text(&found));
        let spans = found.leaving();
        if !self.dry_run && !spans.is_empty() {
            order::leave(&at.folder, out, spans)?;
            followed(shelf, at).await?;
        }
        match found.refused {
            Some((file, _)) => bail!("{file} cannot be relied on: bring a good copy back, and see why"),
            None => Ok(None),
        }
    }
}

/// Waits until the node has done it; one that does not run does it when it starts.
async fn followed(shelf: &Shelf, at: &NodeAt) -> anyhow::Result<()> {
    if !sen::up::is_held(&at.folder) {
        println!("The node does not run: it takes this off its log when it starts.");
        return Ok(());
    }
    let ended = async {
        while order::ended(&at.folder) == order::Ended::Waits {
            tokio::time::sleep(LOOKS).await;
        }
    };
    if tokio::time::timeout(WAITS, ended).await.is_err() {
        println!("The node has not done it yet: it goes on by itself.");
        return Ok(());
    }
    match order::ended(&at.folder) {
        order::Ended::Refused(why) => bail!("the node refused: {why}"),
        _ => println!(
            "The live log begins at {} now.",
            shelf.evidence.live_from().await?
        ),
    }
    Ok(())
}
