//! `sen import`: its flags. Never a rule of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::World;
use sen::import::{self, Order};
use sen::serve::secrets::Secrets;

use super::serve::Of;

/// What is to be taken over from another system.
#[derive(Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Running cases, by the fields of DongBoHoSoMC; without `--yes` only shown
    Cases(Cases),
}

#[derive(Args)]
struct Cases {
    #[command(flatten)]
    of: Of,
    /// CSV with the fields as columns, or the message as JSON
    file: PathBuf,
    /// How its statuses and units are called here, TOML
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Do it; without this it is only shown
    #[arg(long)]
    yes: bool,
    /// Take the other lines over when some have a fault
    #[arg(long)]
    skip_faulty: bool,
}

impl Import {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<u8> {
        let Command::Cases(cases) = self.command;
        let settings = cases.of.read()?;
        let order = Order {
            file: cases.file,
            table: cases.table,
            yes: cases.yes,
            skip_faulty: cases.skip_faulty,
        };
        let told = import::run(&settings, &Secrets::of_environment(), &order, world).await?;
        print!("{}", told.text);
        Ok(u8::from(told.faults > 0))
    }
}
