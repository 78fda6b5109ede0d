//! The command line of Sen. Each command says what it does, what it needs and what to do next.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use kernel::World;
use sen::config::Config;
use sen::up::nation::Place;

/// Sen: an open digital-government platform in one binary.
#[derive(Parser)]
#[command(
    name = "sen",
    version,
    about,
    after_help = "Start with `sen up`: a nation of three nodes on this machine, with synthetic people."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a nation of three nodes on this machine
    #[command(
        after_help = "Ports, counted from N: portals N to N+2 (national, ministry, province), information systems N+10 to N+12,\nnode to node N+20 to N+22, simulators from N+30, health and metrics N+40 to N+42."
    )]
    Up(Up),
    /// Live one birth registration through the three nodes, step by step, and prove each step
    Story(Story),
    /// Check a PDF, an ASiC-E container, an evidence log or a data folder
    #[command(
        after_help = "Exit code: 0 TOTAL-PASSED, 1 TOTAL-FAILED, 2 INDETERMINATE, 64 wrong call.\nWithout --trust nothing is trusted, so a whole but unanchored signature is INDETERMINATE."
    )]
    Verify(Verify),
    /// Print the OpenAPI description of all nodes
    Openapi(Openapi),
    /// A part of what `cargo xtask bench exchange` measures
    #[command(hide = true)]
    BenchNode(BenchNode),
}

#[derive(Args)]
struct Up {
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

#[derive(Args)]
struct Story {
    /// The national portal of a nation that runs; without it three child processes are started
    #[arg(long, value_name = "BASE")]
    url: Option<String>,
    /// One JSON object a step
    #[arg(long)]
    json: bool,
    /// Leave certificate.pdf, receipt.pdf, exchange.asice, ca.pem and tsa.pem here
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

#[derive(Args)]
struct Verify {
    /// What to check
    path: PathBuf,
    /// Certificates to trust, PEM
    #[arg(long, value_name = "PEM")]
    trust: Option<PathBuf>,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Openapi {
    /// The pack of the country [default: packs/vn]
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
}

#[derive(Args)]
struct BenchNode {
    /// What to run
    #[command(subcommand)]
    part: BenchPart,
}

#[derive(Subcommand)]
enum BenchPart {
    /// Make a data folder whose nodes hold an agreement for the echo service
    Prepare(BenchFolder),
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
struct BenchFolder {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    port: u16,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) => {
            let wrong = asked.use_stderr();
            asked.print().ok();
            return if wrong {
                ExitCode::from(sen::verify::USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    logs();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return told(&anyhow::anyhow!("no threads can be started: {cause}")),
    };
    let world = World::of_this_machine();
    let code = runtime.block_on(async {
        match cli.command {
            Command::Up(up) => up.run(&world).await.map(|()| 0),
            Command::Story(story) => sen::story::run(story.url, story.json, story.keep, &world).await,
            Command::Verify(verify) => Ok(verify.run(&world).await),
            Command::Openapi(wanted) => sen::up::openapi::print(wanted.pack, &world).await.map(|()| 0),
            Command::BenchNode(bench) => bench.part.run(&world).await.map(|()| 0),
        }
    });
    match code {
        Ok(code) => ExitCode::from(code),
        Err(cause) => told(&cause),
    }
}

/// Logs go to standard error as JSON, one event a line; `SEN_LOG` sets what is logged.
fn logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

fn told(cause: &anyhow::Error) -> ExitCode {
    eprintln!("sen: {cause:#}");
    ExitCode::FAILURE
}

impl Up {
    async fn run(self, world: &World) -> anyhow::Result<()> {
        let mut config = self
            .config
            .as_deref()
            .map_or_else(|| Ok(Config::default()), Config::read)?;
        config.data = self.data.unwrap_or(config.data);
        config.pack = self.pack.unwrap_or(config.pack);
        config.port = self.port.unwrap_or(config.port);
        config.people = self.people.unwrap_or(config.people);
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

impl BenchPart {
    async fn run(self, world: &World) -> anyhow::Result<()> {
        match self {
            Self::Prepare(folder) => sen::bench::prepare_folder(&folder.config(), world),
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

impl Verify {
    async fn run(self, world: &World) -> u8 {
        match sen::verify::verify(&self.path, self.trust.as_deref(), world).await {
            Ok(verdict) => {
                if self.json {
                    println!("{}", sen::verify::as_json(&verdict));
                } else {
                    println!("{}", sen::verify::as_text(&verdict));
                }
                sen::verify::exit_code(&verdict)
            }
            Err(cause) => {
                eprintln!("sen: {cause:#}");
                sen::verify::USAGE
            }
        }
    }
}
