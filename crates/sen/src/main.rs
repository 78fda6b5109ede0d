//! The command line of Sen. Each command says what it does, what it needs and what to do next.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kernel::World;

/// Many small messages come and go at once on every core: the system's allocator made them wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod cli;

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
    Up(cli::up::Up),
    /// Run one real node from its configuration file
    #[command(
        after_help = "SEN_DATABASE names the database when the file should not; SEN_LOG=info sets what is logged.\nSIGTERM finishes what has begun and closes; sockets of the service manager (LISTEN_FDS) are taken over."
    )]
    Serve(cli::serve::Serve),
    /// Certificate requests, certificates of an outside authority, and until when they hold
    Keys(cli::keys::Keys),
    /// Accounts of operators and officials of a real node
    Account(cli::account::Account),
    /// Take running cases over from another system
    #[command(
        after_help = "The table names the other system, and for each procedure the version and the states in which its statuses go on; docs/operating.md has one.\nLines: + to take over, = here already, ! a fault with its rule and remedy. All that has no fault is taken over once; promised dates stay.\nExit code: 0 done or shown, 1 with faults."
    )]
    Import(cli::import::Import),
    /// Agreements with other nodes: which there are, and signing them one side after the other
    Agreement(cli::agreement::Agreement),
    /// Show what a file declares against what a running node has, and carry it out with --yes
    #[command(
        after_help = "The file declares what is trusted, members, systems, groups, services, clients' certificates, delegations, requests for agreements and the answers to them; docs/operating.md has one.\nLines: + new, ~ changed, = as it is, ? waits for somebody else, ! a problem. Nothing is removed; a second time changes nothing.\nExit code: 0 done or shown, 1 with problems.\n\nExample:\n  sen apply federation.toml --user vanhanh < password          what would change\n  sen apply federation.toml --user vanhanh --yes < password    does it\n  sen apply federation.toml --key-file vanhanh.key --yes       the same with an API key"
    )]
    Apply(cli::apply::Apply),
    /// Find exchanges in a node's data, write their signed containers, archive old ones
    Evidence(cli::evidence::Evidence),
    /// The anchor by which another instance of the exchange trusts this one, and theirs to look at
    Directory(cli::directory::Directory),
    /// Print this node's entry for the directory, for the hub's operator
    Entry(cli::serve::Entry),
    /// Live one birth registration through the three nodes, step by step, and prove each step
    Story(cli::story::Story),
    /// Check a PDF, an ASiC-E container, exported or archived evidence, an evidence log or a data folder
    #[command(
        after_help = "Exit code: 0 TOTAL-PASSED, 1 TOTAL-FAILED, 2 INDETERMINATE, 64 wrong call.\nWithout --trust nothing is trusted, so a whole but unanchored signature is INDETERMINATE."
    )]
    Verify(cli::verify::Verify),
    /// Take a backup of a data folder while its nodes run: one encrypted file
    #[command(
        after_help = "A backup holds rows, logs, blobs, keys, agreements and the directory, of one position.\nIt is encrypted with a passphrase (12 characters at least), from --passphrase-file or $SEN_BACKUP_PASSPHRASE."
    )]
    Backup(cli::backup::Backup),
    /// Bring a backup back into an empty folder, after checking all of it
    Restore(cli::backup::Restore),
    /// Look at a data folder for what will be trouble: findings, why they matter, what to do
    #[command(after_help = "Exit code: 0 nothing found, 1 findings.")]
    Doctor(cli::doctor::Doctor),
    /// Check a pack: areas, organisations, calendars, registers, agreements, procedures, templates
    Pack(cli::pack::Pack),
    /// Print the OpenAPI description of all nodes
    Openapi(cli::openapi::Openapi),
    /// A part of what `cargo xtask bench exchange` measures
    #[command(hide = true)]
    BenchNode(cli::bench::BenchNode),
}

fn main() -> ExitCode {
    end_with_the_reader();
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
            Command::Serve(serve) => serve.run(&world).await.map(|()| 0),
            Command::Keys(keys) => keys.run(&world).map(|()| 0),
            Command::Account(account) => account.run(&world).await,
            Command::Import(import) => import.run(&world).await,
            Command::Agreement(agreement) => agreement.run(&world).await.map(|()| 0),
            Command::Apply(apply) => apply.run(&world).await,
            Command::Evidence(evidence) => evidence.run(&world).await.map(|()| 0),
            Command::Directory(directory) => directory.run(&world).map(|()| 0),
            Command::Entry(entry) => entry.run(&world).map(|()| 0),
            Command::Story(story) => story.run(&world).await,
            Command::Verify(verify) => Ok(verify.run(&world).await),
            Command::Backup(backup) => backup.run(&world).await.map(|()| 0),
            Command::Restore(restore) => restore.run(&world).await.map(|()| 0),
            Command::Doctor(doctor) => doctor.run(&world).await,
            Command::Pack(pack) => Ok(pack.run(&world)),
            Command::Openapi(openapi) => openapi.run(&world).await.map(|()| 0),
            Command::BenchNode(bench) => bench.run(&world).await.map(|()| 0),
        }
    });
    match code {
        Ok(code) => ExitCode::from(code),
        Err(cause) => told(&cause),
    }
}

/// What a shell shows for a program that a closed pipe ended (128 and the number of SIGPIPE).
const PIPE_CLOSED: i32 = 141;

/// Whoever reads our output may stop (`sen ... | head`): then this program ends without a word, as others do.
/// Printing is where it is noticed, and `println!` tells it by a panic.
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or_default();
        if said.starts_with("failed printing to std") && said.contains("Broken pipe") {
            std::process::exit(PIPE_CLOSED);
        }
        usual(panic);
    }));
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
