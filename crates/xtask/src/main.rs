//! The project's own commands: everything that must pass, the generated files, the benchmarks and the
//! crash loop. Never part of a release, and never a place for a rule of the platform.

mod axe;
mod bench;
mod clock;
mod crash;
mod deb;
mod debian;
mod openapi;
mod postgres;
mod power;
mod programs;
mod said;
mod shell;
mod slow;
mod soak;
mod suites;
mod sync;
mod tally;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that must pass: format, lints, bans, documents, generated files, both suites
    Test,
    /// Only what is read and not run: manifests, licences, sources, SQL, links
    Tidy,
    /// Write openapi.json anew from the code
    Openapi,
    /// Kill random nodes of a nation under load, then audit what was acknowledged
    Crash {
        /// How often a node is killed
        #[arg(long, default_value_t = 200)]
        rounds: usize,
        /// What decides who dies and when; a fresh one when left out
        #[arg(long)]
        seed: Option<u64>,
        /// With the release build
        #[arg(long)]
        release: bool,
    },
    /// Build the Debian package; with --check install, run and remove it in a root of its own
    Deb {
        /// With the release build
        #[arg(long)]
        release: bool,
        /// Install it in a temporary root, run it there, remove it
        #[arg(long)]
        check: bool,
    },
    /// Live through many mixed actions, then hold every figure against a rebuild from the first fact
    Soak {
        /// How many
        #[arg(long, default_value_t = 100_000)]
        actions: u64,
        /// With the release build
        #[arg(long)]
        release: bool,
    },
    /// Cut the power under load, as a copied disk shows it, then look for what was acknowledged
    Power {
        /// How often
        #[arg(long, default_value_t = 20)]
        cuts: usize,
    },
    /// Slow clients from one address, then thousands from several, and how long honest ones wait; a bad neighbour
    Slow {
        /// The first port of the nation that is attacked
        #[arg(long, default_value_t = 18_080)]
        port: u16,
        /// With the release build
        #[arg(long)]
        release: bool,
    },
    /// Let a province tell the portal many changes of cases over a failing line, then compare both
    Sync {
        /// How many changes
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
        /// With the release build
        #[arg(long)]
        release: bool,
    },
    /// Measurements, each beside its peer where there is one
    Bench {
        /// What to measure; everything when left out
        #[arg(value_enum)]
        what: Option<bench::What>,
        #[command(flatten)]
        size: bench::Size,
        #[command(flatten)]
        exchange: bench::Options,
        /// One JSON object a figure
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test => test::run(),
        Command::Tidy => test::tidy_only(),
        Command::Openapi => openapi::write().map(|()| true),
        Command::Crash {
            rounds,
            seed,
            release,
        } => crash::run(rounds, seed, release),
        Command::Deb { release, check } => deb::run(release, check).map(|()| true),
        Command::Soak { actions, release } => soak::run(actions, release),
        Command::Power { cuts } => power::run(cuts),
        Command::Slow { port, release } => slow::run(port, release),
        Command::Sync { events, release } => sync::run(events, release),
        Command::Bench {
            what,
            size,
            exchange,
            json,
        } => bench::run(what, size, &exchange, json),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(cause) => {
            eprintln!("xtask: {cause:#}");
            ExitCode::FAILURE
        }
    }
}
