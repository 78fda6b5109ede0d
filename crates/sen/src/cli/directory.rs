//! `sen directory`: its flags. Never a key in what it prints.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kernel::World;
use sen::anchor;
use sen::serve::secrets::Secrets;

use super::serve::Of;

/// What is to be done with the directory.
#[derive(Args)]
pub(crate) struct Directory {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print this instance's anchor, for the operator of another hub; what it says goes to standard error
    #[command(after_help = "Example:\n  sen directory anchor > anchor-VN.jws")]
    Anchor(Own),
    /// Show what another instance's anchor says, and its hash to compare by telephone
    Look(Look),
}

#[derive(Args)]
struct Own {
    #[command(flatten)]
    of: Of,
}

#[derive(Args)]
struct Look {
    /// The file that the other operator gave
    anchor: PathBuf,
}

impl Directory {
    pub(crate) fn run(self, world: &World) -> anyhow::Result<()> {
        match self.command {
            Command::Anchor(asked) => {
                let (said, token) = anchor::own(&asked.of.read()?, &Secrets::of_environment(), world)?;
                eprintln!("{}", anchor::as_text(&said, world.now())?);
                println!("{token}");
            }
            Command::Look(asked) => {
                println!(
                    "{}",
                    anchor::as_text(&anchor::given(&asked.anchor)?, world.now())?
                );
            }
        }
        Ok(())
    }
}
