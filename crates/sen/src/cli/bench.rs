//! The hidden command that `cargo xtask bench exchange` starts. Never a measurement of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::World;
use sen::bench::without::Without;
use sen::config::Config;
use sen::up::nation::Place;
use sen::up::node::Measured;

/// What is to be run.
#[derive(Args)]
pub(crate) struct BenchNode {
    /// What to run
    #[command(subcommand)]
    part: BenchPart,
}

#[derive(Subcommand)]
pub(crate) enum BenchPart {
    /// Make a data folder whose nodes hold an agreement for the echo service
    Prepare(BenchFolder),
    /// Add synthetic members, services and agreements to that folder
    Crowd {
        #[command(flatten)]
        folder: BenchFolder,
        members: usize,
        services: usize,
        agreements: usize,
    },
    /// Add synthetic organisations to that folder as tenants of the national node
    Tenants {
        #[command(flatten)]
        folder: BenchFolder,
        count: usize,
    },
    /// Write a long past into the logs of that folder's nodes
    Past {
        #[command(flatten)]
        folder: BenchFolder,
        exchanges: usize,
    },
    /// Print how many records a second the log of a folder takes
    Log { folder: PathBuf, seconds: u32 },
    /// Print how many due dates a second one core counts with a pack's calendar
    Clock { pack: PathBuf, seconds: u32 },
    /// Print how many words about cases a portal takes a second, on a store in a folder
    Words {
        pack: PathBuf,
        folder: PathBuf,
        cases: u32,
        seconds: u32,
    },
    /// The echo service, on a port of this machine
    Echo { port: u16 },
    /// One node of that folder; the ministry offers the echo service that stands at a URL
    Run {
        #[command(flatten)]
        folder: BenchFolder,
        node: String,
        echo: String,
        /// What the node goes without: nothing, log, signatures
        #[arg(long, default_value = "nothing")]
        without: Without,
        /// Messages one signature may stand for
        #[arg(long)]
        batch: Option<usize>,
        /// How many organisations were added to it
        #[arg(long, default_value_t = 0)]
        tenants: usize,
    },
}

#[derive(Args)]
pub(crate) struct BenchFolder {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    port: u16,
}

impl BenchNode {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        self.part.run(world).await
    }
}

impl BenchPart {
    async fn run(self, world: &World) -> anyhow::Result<()> {
        match self {
            Self::Prepare(folder) => sen::bench::prepare_folder(&folder.config(), world),
            Self::Crowd {
                folder,
                members,
                services,
                agreements,
            } => {
                let crowd = sen::bench::crowd::Crowd {
                    members,
                    services,
                    agreements,
                };
                sen::bench::crowd::fill(&folder.config(), crowd, world).await
            }
            Self::Clock { pack, seconds } => sen::bench::clock::count(&pack, seconds, world),
            Self::Log { folder, seconds } => sen::bench::log::fill(&folder, seconds, world).await,
            Self::Words {
                pack,
                folder,
                cases,
                seconds,
            } => sen::bench::words::take(&pack, &folder, cases, seconds, world).await,
            Self::Echo { port } => sen::bench::echo(port).await,
            Self::Tenants { folder, count } => sen::bench::tenants::fill(&folder.config(), count, world),
            Self::Past { folder, exchanges } => {
                sen::bench::past::fill(&folder.config(), exchanges, world).await
            }
            Self::Run {
                folder,
                node,
                echo,
                without,
                batch,
                tenants,
            } => {
                let place = Place::parse(&node).ok_or_else(|| anyhow::anyhow!("there is no node {node}"))?;
                let mut config = folder.config();
                if let Some(batch) = batch {
                    config.limits.exchange_seal_batch_max = batch;
                }
                let tenants = match place {
                    Place::National => sen::bench::tenants::codes(tenants)?,
                    Place::Ministry | Place::Province => Vec::new(),
                };
                let measured = Measured {
                    tenants,
                    grounds: without.grounds(),
                };
                sen::bench::node(place, &config, &echo, measured, world).await
            }
        }
    }
}

impl BenchFolder {
    /// As few people as a nation can have: the registers are not what is measured.
    fn config(self) -> Config {
        Config {
            data: self.data,
            port: self.port,
            people: 4,
            ..Config::default()
        }
    }
}
