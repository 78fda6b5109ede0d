//! The testbed's own command, called by `cargo xtask crash` and `cargo xtask bench services`: runs a
//! load against a nation of the program it is given. Never part of a release.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use kernel::World;
use testbed::filing::{ready, spike};
use testbed::{crash, filing, power, scale, slow};

#[derive(Parser)]
#[command(name = "testbed", about = "Loads against a nation of the program sen")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Kill random nodes under load, then audit what was acknowledged
    Crash {
        /// The program sen
        program: PathBuf,
        /// How often a node is killed
        rounds: usize,
        /// What decides who dies and when
        seed: u64,
    },
    /// Cut the power under load, as a copied disk shows it, then look for what was acknowledged
    Power {
        /// The program sen
        program: PathBuf,
        /// How often
        cuts: usize,
    },
    /// Hold thousands of slow connections from several addresses, and tell how long honest calls take
    Slow {
        /// The program sen
        program: PathBuf,
        /// What honest calls may wait, in milliseconds
        p99_ms_max: i64,
    },
    /// Ask every page of a nation with a long past, and print how it went as JSON
    Scale {
        /// The program sen
        program: PathBuf,
        /// Synthetic people
        people: usize,
        /// Past cases
        cases: usize,
        /// Open cases of the sample commune
        open: usize,
    },
    /// Fill the forms of many citizens, then file them all at once, and print how fast they were filed as JSON
    Ready {
        /// The program sen
        program: PathBuf,
        /// Citizens at once
        citizens: usize,
        /// A PostgreSQL server; SQLite otherwise
        #[arg(long)]
        database: Option<String>,
    },
    /// File cases with some citizens, with five times as many, with some again, and print how it went as JSON
    Spike {
        /// The program sen
        program: PathBuf,
        /// Citizens at once, before and after
        citizens: usize,
        /// A PostgreSQL server; SQLite otherwise
        #[arg(long)]
        database: Option<String>,
    },
    /// File cases for some time, and print how it went as JSON
    File {
        /// The program sen
        program: PathBuf,
        /// Citizens at once
        clients: usize,
        /// For how long
        seconds: u64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let world = World::of_this_machine();
    let done = match Cli::parse().command {
        Command::Crash {
            program,
            rounds,
            seed,
        } => crash::run(&program, rounds, seed, &world)
            .await
            .map(|run| tell(&run)),
        Command::Power { program, cuts } => power::run(&program, cuts, &world).await.map(|run| {
            println!(
                "{} cuts; acknowledged and looked for: {} filings, {} signatures, {} exchanges",
                run.cuts, run.filed, run.signed, run.exchanges
            );
            for (what, count) in &run.counts {
                println!("{count:>6} × {what}");
            }
            for fault in &run.faults {
                println!("FAULT {fault}");
            }
            run.faults.is_empty()
        }),
        Command::Slow { program, p99_ms_max } => slow::run(&program, &world)
            .await
            .map(|all| in_time(&all, p99_ms_max)),
        Command::Scale {
            program,
            people,
            cases,
            open,
        } => scale::measure(&program, scale::Size { people, cases, open }, &world)
            .await
            .map(|report| {
                println!("{report}");
                true
            }),
        Command::Ready {
            program,
            citizens,
            database,
        } => ready::measure(&program, citizens, database, &world)
            .await
            .map(|report| {
                println!("{report}");
                true
            }),
        Command::Spike {
            program,
            citizens,
            database,
        } => spike::measure(&program, citizens, database, &world)
            .await
            .map(|report| {
                println!("{report}");
                true
            }),
        Command::File {
            program,
            clients,
            seconds,
        } => filing::measure(&program, clients, Duration::from_secs(seconds), &world)
            .await
            .map(|report| {
                println!("{report}");
                true
            }),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(cause) => {
            eprintln!("testbed: {cause:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what a crash run came to; true when everything holds.
fn tell(run: &crash::Run) -> bool {
    let mut ready = run.ready_ms.clone();
    ready.sort_unstable();
    if let (Some(median), Some(longest)) = (ready.get(ready.len() / 2), ready.last()) {
        println!(
            "{} kills; ready again after {median} ms (median), {longest} ms (longest)",
            ready.len()
        );
    }
    for line in run.sites.lines() {
        println!("{line}");
    }
    for (what, count) in &run.found.counts {
        println!("{count:>6} × {what}");
    }
    for fault in &run.found.faults {
        println!("FAULT {fault}");
    }
    println!(
        "{}",
        if run.found.faults.is_empty() {
            "nothing lost, nothing twice"
        } else {
            "the audit failed"
        }
    );
    run.found.faults.is_empty()
}

/// Prints what honest clients met; true when all of them were served in time.
fn in_time(all: &[slow::Met], p99_ms_max: i64) -> bool {
    println!(
        "at    {} clients   p50 ms  p99 ms  max ms  refused   held at the end",
        slow::CLIENTS
    );
    let mut in_time = true;
    for met in all {
        println!(
            "{:<5} {:<14} {:>6} {:>7} {:>7} {:>8}   {}",
            met.target,
            met.way.name(),
            met.at(50),
            met.at(99),
            met.at(100),
            met.refused,
            met.held
        );
        in_time &= met.at(99) <= p99_ms_max && met.refused == 0;
    }
    in_time
}
