//! `sen apply`: its flags, the password or the key read, and what came of it printed. Never a secret as an
//! argument.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use kernel::World;
use sen::account;
use sen::apply::{self, Site, Who};

/// A file and the node it is for.
#[derive(Args)]
pub(crate) struct Apply {
    /// What is declared: [[trust]], [[member]], [[system]], [[service]], [[client]], [[delegation]],
    /// [[request]], [[accept]] and more, with the fields of the pages' forms
    file: PathBuf,
    /// The node's portal
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The operator who does it; the password is asked for, or read from standard input
    #[arg(long, required_unless_present = "key_file", conflicts_with = "key_file")]
    user: Option<String>,
    /// An API key in place of an operator and a password: alone on the first line of this file
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Roots of the portal's certificate, PEM; needed for https
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Do it; without this it is only shown
    #[arg(long)]
    yes: bool,
}

impl Apply {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<u8> {
        let who = match (self.key_file, self.user) {
            (Some(file), _) => Who::of_key_file(&file)?,
            (None, user) => Who::Operator {
                user: user.context("--user or --key-file")?,
                password: account::known_password()?,
            },
        };
        let site = Site {
            url: self.url,
            who,
            trust: self.trust,
        };
        let told = apply::run(&self.file, &site, self.yes, world).await?;
        print!("{}", told.text);
        Ok(u8::from(told.problems > 0))
    }
}
