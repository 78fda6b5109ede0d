//! `sen up`: flags over the configuration file. Never a rule of its own.

use std::path::PathBuf;

use clap::Args;
use kernel::World;
use sen::config::Config;
use sen::up::nation::Place;

/// Flags of `sen up`.
#[derive(Args)]
pub(crate) struct Up {
    /// Where everything is kept [default: ./sen-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The pack of the country [default: packs/vn]
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
    /// The first port [default: 8080]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Synthetic people in the population register [default: 100000]
    #[arg(long, value_name = "N")]
    people: Option<usize>,
    /// Synthetic ended cases of the two years before [default: 0]
    #[arg(long, value_name = "N")]
    past_cases: Option<usize>,
    /// Synthetic cases that the sample commune is at work on [default: 0]
    #[arg(long, value_name = "N")]
    open_cases: Option<usize>,
    /// A configuration file; flags win over it (see docs/sen.example.toml)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Begin with an empty data folder
    #[arg(long)]
    fresh: bool,
    /// Print one JSON line when ready
    #[arg(long)]
    json: bool,
    /// Only this node of a prepared folder
    #[arg(long, value_name = "NODE", hide = true)]
    only: Option<String>,
}

impl Up {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        let mut config = self
            .config
            .as_deref()
            .map_or_else(|| Ok(Config::default()), Config::read)?;
        config.data = self.data.unwrap_or(config.data);
        config.pack = self.pack.unwrap_or(config.pack);
        config.port = self.port.unwrap_or(config.port);
        config.people = self.people.unwrap_or(config.people);
        config.past_cases = self.past_cases.unwrap_or(config.past_cases);
        config.open_cases = self.open_cases.unwrap_or(config.open_cases);
        if let Ok(url) = std::env::var("SEN_DATABASE") {
            config.database = url;
        }
        anyhow::ensure!(
            config.port <= 65_400,
            "--port must leave room for the ports counted from it: 65400 at most"
        );
        let only = match self.only.as_deref() {
            Some(id) => Some(Place::parse(id).ok_or_else(|| anyhow::anyhow!("there is no node {id}"))?),
            None => None,
        };
        sen::up::run::run(
            sen::up::run::Wish {
                config,
                fresh: self.fresh,
                json: self.json,
                only,
            },
            world,
        )
        .await
    }
}
