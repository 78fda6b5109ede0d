//! `sen account`: its flags. Never a password among them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::{OrgCode, World};
use sen::account::{self, Wanted, sheet};
use sen::serve::secrets::Secrets;

use super::serve::Of;

/// What is to be done with accounts.
#[derive(Args)]
pub(crate) struct Account {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add an account; the password is read from standard input or asked for
    Add(Add),
    /// Bring the officials of all units to what one sheet says; without `--yes` only shown
    Sheet(Sheet),
}

#[derive(Args)]
struct Sheet {
    #[command(flatten)]
    of: Of,
    /// CSV with the columns user, name, unit, roles, from, until
    file: PathBuf,
    /// Do it; without this it is only shown
    #[arg(long)]
    yes: bool,
    /// End the accounts of officials that the sheet does not name
    #[arg(long)]
    end_missing: bool,
    /// Where the first passwords of new accounts are written, a file that is not there yet
    #[arg(long, value_name = "FILE")]
    passwords: Option<PathBuf>,
}

#[derive(Args)]
struct Add {
    #[command(flatten)]
    of: Of,
    /// `operator`, `observer`, `receptionist`, `officer`, `chairman`, `deputy-chairman`, `clerk`, `supervisor`, `designer`, `publisher`; may be given several times
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    /// What the owner types to sign in
    #[arg(long, value_name = "NAME")]
    user: String,
    /// The name shown
    #[arg(long, value_name = "TEXT", default_value = "")]
    name: String,
    /// The unit of an official's position, H56.14797
    #[arg(long, value_name = "CODE")]
    unit: Option<OrgCode>,
    /// The hosted organisation that an operator looks after or an observer sees, G15; without it, the whole node
    #[arg(long, value_name = "CODE")]
    organisation: Option<OrgCode>,
}

impl Account {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<u8> {
        match self.command {
            Command::Add(add) => add.run(world).await.map(|()| 0),
            Command::Sheet(sheet) => sheet.run(world).await,
        }
    }
}

impl Sheet {
    async fn run(self, world: &World) -> anyhow::Result<u8> {
        let settings = self.of.read()?;
        let order = sheet::Order {
            file: self.file,
            yes: self.yes,
            end_missing: self.end_missing,
            passwords: self.passwords,
        };
        let told = sheet::run(&settings, &Secrets::of_environment(), &order, world).await?;
        print!("{}", told.text);
        Ok(u8::from(told.faults > 0))
    }
}

impl Add {
    async fn run(self, world: &World) -> anyhow::Result<()> {
        let add = self;
        let settings = add.of.read()?;
        let wanted = Wanted {
            roles: add.roles,
            user: add.user,
            name: add.name,
            unit: add.unit,
            organisation: add.organisation,
        };
        let password = account::password()?;
        let id = account::add(&settings, &Secrets::of_environment(), &wanted, password, world).await?;
        println!("{id}");
        Ok(())
    }
}
