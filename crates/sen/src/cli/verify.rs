//! `sen verify`: its flags, and the verdict printed. Never a judgement of its own.

use std::path::PathBuf;

use clap::Args;
use kernel::World;

/// Flags of `sen verify`.
#[derive(Args)]
pub(crate) struct Verify {
    /// What to check
    path: PathBuf,
    /// Certificates to trust, PEM
    #[arg(long, value_name = "PEM")]
    trust: Option<PathBuf>,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) async fn run(self, world: &World) -> u8 {
        match sen::verify::verify(&self.path, self.trust.as_deref(), world).await {
            Ok(verdict) => {
                if self.json {
                    println!("{}", sen::verify::as_json(&verdict));
                } else {
                    println!("{}", sen::verify::as_text(&verdict));
                }
                sen::verify::exit_code(&verdict)
            }
            Err(cause) => {
                eprintln!("sen: {cause:#}");
                sen::verify::USAGE
            }
        }
    }
}
