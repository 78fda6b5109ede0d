//! `sen serve`, `sen entry`: their flags. Never a rule of its own.

use std::path::PathBuf;

use clap::Args;
use kernel::World;
use sen::serve::secrets::Secrets;
use sen::serve::settings::{FILE, Settings};

/// The configuration that a command works on.
#[derive(Args)]
pub(crate) struct Of {
    /// The node's configuration (see docs/sen-serve.example.toml)
    #[arg(long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
}

impl Of {
    /// Reads it.
    pub(crate) fn read(&self) -> anyhow::Result<Settings> {
        Settings::read(&self.config)
    }
}

/// Flags of `sen serve`.
#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    of: Of,
    /// Only read the configuration, the pack, keys and certificates, and say what is wrong
    #[arg(long)]
    check: bool,
}

impl Serve {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        let (settings, secrets) = (self.of.read()?, Secrets::of_environment());
        if self.check {
            sen::serve::run::check_only(&settings, &secrets, world)?;
            println!(
                "{}: nothing is wrong with the configuration, the pack, keys and certificates",
                settings.id
            );
            return Ok(());
        }
        sen::serve::run::run(&settings, &secrets, world).await
    }
}

/// Flags of `sen entry`.
#[derive(Args)]
pub(crate) struct Entry {
    #[command(flatten)]
    of: Of,
}

impl Entry {
    pub(crate) fn run(self, world: &World) -> anyhow::Result<()> {
        let entry = sen::serve::publish::of_settings(&self.of.read()?, &Secrets::of_environment(), world)?;
        println!("{}", serde_json::to_string_pretty(&entry)?);
        Ok(())
    }
}
