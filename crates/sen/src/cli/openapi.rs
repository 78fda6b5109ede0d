//! `sen openapi`: its flags. Never a description of its own.

use std::path::PathBuf;

use clap::Args;
use kernel::World;

/// Flags of `sen openapi`.
#[derive(Args)]
pub(crate) struct Openapi {
    /// The pack of the country [default: packs/vn]
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
}

impl Openapi {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        sen::up::openapi::print(self.pack, world).await
    }
}
