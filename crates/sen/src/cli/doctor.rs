//! `sen doctor`: its flags, and the findings printed. Never a judgement of its own.

use std::path::PathBuf;

use clap::Args;
use kernel::World;
use sen::backup::site::Configured;
use sen::doctor;
use sen::serve::secrets::Secrets;

/// Flags of `sen doctor`.
#[derive(Args)]
pub(crate) struct Doctor {
    /// The data folder [default: ./sen-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file that names the data folder, the database and the limits: of `sen serve`, or of `sen up`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<u8> {
        let configured = Configured::read(self.config.as_deref())?;
        let site = configured.site(self.data.as_deref(), &Secrets::of_environment())?;
        let findings = doctor::examine(&site, configured.limits(), world).await;
        if self.json {
            println!("{}", serde_json::json!({ "findings": findings }));
        } else {
            println!("{}", doctor::as_text(&findings));
        }
        Ok(u8::from(!findings.is_empty()))
    }
}
