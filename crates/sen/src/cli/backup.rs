//! `sen backup` and `sen restore`: their flags, and what came of it in words. Never a byte of a backup.

use std::path::PathBuf;

use clap::Args;
use kernel::World;
use sen::backup::{self, site::Configured};
use sen::doctor::mark;
use sen::serve::secrets::Secrets;

/// Flags of `sen backup`.
#[derive(Args)]
pub(crate) struct Backup {
    /// The data folder [default: ./sen-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file that names the data folder and the database: of `sen serve`, or of `sen up`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The file to write, or the folder to put a new one into
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// A file whose first line is the passphrase [default: $SEN_BACKUP_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Print what was taken as JSON
    #[arg(long)]
    json: bool,
}

/// Flags of `sen restore`.
#[derive(Args)]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
    /// The data folder to make; it must be new or empty
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The configuration file that names the database: of `sen serve`, or of `sen up`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A file whose first line is the passphrase [default: $SEN_BACKUP_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Backup {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        let phrase = backup::passphrase(self.passphrase_file.as_deref())?;
        let configured = Configured::read(self.config.as_deref())?;
        let site = configured.site(self.data.as_deref(), &Secrets::of_environment())?;
        let taken = backup::take::take(&site, &self.to, &phrase, world, |words| eprintln!("{words}")).await?;
        mark::set(&site.data, mark::BACKED_UP, world.now());
        let manifest = &taken.manifest;
        if self.json {
            let nodes: Vec<_> = manifest
                .nodes
                .iter()
                .map(|n| serde_json::json!({"name": n.name, "engine": n.engine, "facts": n.sealed, "streams": n.streams}))
                .collect();
            println!(
                "{}",
                serde_json::json!({"file": taken.file, "bytes": taken.bytes, "files": manifest.files.len(), "made": manifest.made.rfc3339(), "nodes": nodes})
            );
            return Ok(());
        }
        println!(
            "{}: {} bytes, {} files, {} node(s)",
            taken.file.display(),
            taken.bytes,
            manifest.files.len(),
            manifest.nodes.len()
        );
        for node in &manifest.nodes {
            let name = if node.name.is_empty() {
                "the node"
            } else {
                &node.name
            };
            println!("  {name:<10} {} facts", node.sealed);
        }
        println!("Keep the passphrase elsewhere: without it the backup cannot be opened by anybody.");
        Ok(())
    }
}

impl Restore {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        let phrase = backup::passphrase(self.passphrase_file.as_deref())?;
        let configured = Configured::read(self.config.as_deref())?;
        let rows = configured.rows(&Secrets::of_environment())?;
        let manifest = backup::restore::restore(&self.file, &self.data, &phrase, &rows, world, |words| {
            eprintln!("{words}");
        })
        .await?;
        println!(
            "{}: the backup of {} is restored and checked, {} node(s)",
            self.data.display(),
            manifest.made.rfc3339(),
            manifest.nodes.len()
        );
        let flags = self
            .config
            .map_or_else(String::new, |file| format!(" --config {}", file.display()));
        println!(
            "Check it once more with `sen verify {}{flags} --trust ROOT.pem`, then start it.",
            self.data.display()
        );
        Ok(())
    }
}
