//! `sen agreement`: its flags, and what was signed printed. Never a key.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use exchange::holdings::Asked;
use exchange::{ServiceId, SystemId};
use kernel::time::parse_iso;
use kernel::{OrgCode, Time, World};
use sen::agreement;
use sen::serve::secrets::Secrets;

use super::serve::Of;

/// Noon, in minutes of the day: a day is asked about by its middle.
const NOON: i64 = 12 * 60;

/// What is to be done with agreements.
#[derive(Args)]
pub(crate) struct Agreement {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The pack's agreements that concern this node, and which of them both parties have signed
    List(List),
    /// Sign for the organisations of this node and print the agreements, for the other side to sign
    #[command(
        after_help = "Example:\n  sen agreement sign 01/TT-H56-G22 > half.json     at one node\n  sen agreement sign half.json > whole.json       at the other, which keeps what both have signed\n  sen agreement sign whole.json                   at the first again, which keeps it too"
    )]
    Sign(Sign),
    /// Whether a call would be allowed, and under which agreement or why not: exit code 1 when refused
    #[command(
        after_help = "By the rows of this node: its maintenance, agreements, delegations, the services registered here and what was heard of\nothers. What the directory says, and what is left of a minute or a quota, is told by the page /exchange/allowed.\n\nExample:\n  sen agreement allowed G22/portal G01/population/person-lookup --endpoint \"GET /persons/42\""
    )]
    Allowed(Allowed),
}

#[derive(Args)]
struct Allowed {
    #[command(flatten)]
    of: Of,
    /// The calling system: G22/portal
    consumer: SystemId,
    /// The service: G01/population/person-lookup
    service: ServiceId,
    /// Method and path behind the service: "GET /persons/42"; any of its endpoints when left out
    #[arg(long)]
    endpoint: Option<String>,
    /// In whose name, an organisation's code: H56; the caller's own when left out
    #[arg(long)]
    represented: Option<OrgCode>,
    /// The day that is meant: 2026-12-01; now when left out
    #[arg(long)]
    on: Option<String>,
}

impl Allowed {
    fn call(&self) -> anyhow::Result<Asked> {
        let rest = self.endpoint.as_deref().map(Asked::endpoint).transpose();
        let rest = match rest {
            Ok(rest) => rest,
            Err(problem) => anyhow::bail!("--endpoint: {}", agreement::told(&problem)?),
        };
        Ok(Asked {
            consumer: self.consumer.clone(),
            service: self.service.clone(),
            rest,
            represented: self.represented.clone(),
        })
    }
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    of: Of,
}

#[derive(Args)]
struct Sign {
    #[command(flatten)]
    of: Of,
    /// The id of an agreement of the pack, or the file that the other side printed
    what: String,
}

impl Agreement {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        match self.command {
            Command::List(asked) => print!("{}", agreement::list(&asked.of.read()?)?),
            Command::Allowed(asked) => {
                let settings = asked.of.read()?;
                let at = match &asked.on {
                    None => world.now(),
                    Some(day) => {
                        let day = parse_iso(day).with_context(|| format!("{day} is no day: 2026-12-01"))?;
                        Time::at(day, NOON)
                    }
                };
                let secrets = Secrets::of_environment();
                let call = asked.call()?;
                println!("{}", agreement::allowed(&settings, &secrets, &call, at).await?);
            }
            Command::Sign(asked) => {
                let settings = asked.of.read()?;
                let signed = agreement::sign(&settings, &Secrets::of_environment(), &asked.what, world)?;
                println!("{}", serde_json::to_string_pretty(&signed.agreements)?);
                for file in &signed.kept {
                    eprintln!(
                        "{}: signed by both, in force from the next start on",
                        file.display()
                    );
                }
                if signed.kept.len() < signed.agreements.len() {
                    eprintln!("The other side signs what was printed: sen agreement sign FILE");
                }
            }
        }
        Ok(())
    }
}
