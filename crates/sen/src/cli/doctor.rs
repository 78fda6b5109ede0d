//! `sen doctor`: its flags, and the findings printed. Never a judgement of its own.

use std::path::PathBuf;

use clap::Args;
use kernel::World;
use sen::backup::site::Site;
use sen::config::Config;
use sen::doctor;

/// Flags of `sen doctor`.
#[derive(Args)]
pub(crate) struct Doctor {
    /// The data folder [default: ./sen-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file that names the data folder, the database and the limits
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<u8> {
        let config = self
            .config
            .as_deref()
            .map_or_else(|| Ok(Config::default()), Config::read)?;
        let site = Site::named(self.data, self.config.as_deref())?;
        let findings = doctor::examine(&site, &config.limits, world).await;
        if self.json {
            println!("{}", serde_json::json!({ "findings": findings }));
        } else {
            println!("{}", doctor::as_text(&findings));
        }
        Ok(u8::from(!findings.is_empty()))
    }
}
