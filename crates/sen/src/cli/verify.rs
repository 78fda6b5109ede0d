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
    /// The configuration of the node whose data folder it is: needed when its rows are on a server or its keys elsewhere
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A checkpoint that was kept, as signed (JWS): the log must still begin with what it was signed over
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) async fn run(self, world: &World) -> u8 {
        let (trust, config) = (self.trust.as_deref(), self.config.as_deref());
        let kept = self.checkpoint.as_deref();
        match sen::verify::verify_since(&self.path, trust, config, kept, world).await {
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
