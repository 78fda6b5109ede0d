//! `sen apply`: its flags, the password read, and what came of it printed. Never a password as an argument.

use std::path::PathBuf;

use clap::Args;
use kernel::World;
use sen::account;
use sen::apply::{self, Site};

/// A file and the node it is for.
#[derive(Args)]
pub(crate) struct Apply {
    /// What is declared: [[service]], [[client]], [[request]], with the fields of the pages' forms
    file: PathBuf,
    /// The node's portal
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The operator who does it; the password is asked for, or read from standard input
    #[arg(long)]
    user: String,
    /// Roots of the portal's certificate, PEM; needed for https
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Do it; without this it is only shown
    #[arg(long)]
    yes: bool,
}

impl Apply {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<u8> {
        let site = Site {
            url: self.url,
            user: self.user,
            password: account::known_password()?,
            trust: self.trust,
        };
        let told = apply::run(&self.file, &site, self.yes, world).await?;
        print!("{}", told.text);
        Ok(u8::from(told.problems > 0))
    }
}
