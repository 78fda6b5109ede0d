//! The hidden command that `cargo xtask bench exchange` starts. Never a measurement of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::World;
use sen::config::Config;
use sen::up::nation::Place;

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
    /// Print how many records a second the log of a folder takes
    Log { folder: PathBuf, seconds: u32 },
    /// The echo service, on a port of this machine
    Echo { port: u16 },
    /// One node of that folder; the ministry offers the echo service that stands at a URL
    Run {
        #[command(flatten)]
        folder: BenchFolder,
        node: String,
        echo: String,
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
            Self::Log { folder, seconds } => sen::bench::log::fill(&folder, seconds, world).await,
            Self::Echo { port } => sen::bench::echo(port).await,
            Self::Run { folder, node, echo } => {
                let place = Place::parse(&node).ok_or_else(|| anyhow::anyhow!("there is no node {node}"))?;
                sen::bench::node(place, &folder.config(), &echo, world).await
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
