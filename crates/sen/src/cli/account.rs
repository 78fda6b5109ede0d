//! `sen account`: its flags. Never a password among them.

use clap::{Args, Subcommand};
use kernel::{OrgCode, World};
use sen::account::{self, Wanted};
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
}

#[derive(Args)]
struct Add {
    #[command(flatten)]
    of: Of,
    /// `operator`, `observer`, `receptionist`, `officer`, `chairman`, `deputy-chairman`, `clerk`, `supervisor`; may be given several times
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
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        let Command::Add(add) = self.command;
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
