//! `sen story`: its flags. Never a step of the story.

use std::path::PathBuf;

use clap::Args;
use kernel::World;

/// Flags of `sen story`.
#[derive(Args)]
pub(crate) struct Story {
    /// The national portal of a nation that runs; without it three child processes are started
    #[arg(long, value_name = "BASE")]
    url: Option<String>,
    /// One JSON object a step
    #[arg(long)]
    json: bool,
    /// Leave certificate.pdf, receipt.pdf, exchange.asice, ca.pem and tsa.pem here
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Story {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<u8> {
        sen::story::run(self.url, self.json, self.keep, world).await
    }
}
