//! `sen keys`: its flags. Never a private key in what it prints.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use kernel::World;
use seal::certificate::Trust;
use sen::keys::holder::Holder;
use sen::keys::{install, list, request, ring};

use super::serve::Of;

/// What is to be done with keys.
#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key on this node and print its certificate request, for an outside authority to sign
    #[command(
        after_help = "Examples:\n  sen keys csr node --host exchange.example.vn\n  sen keys csr seal H56 --common-name \"UBND tỉnh Thanh Hóa\"\n  sen keys csr public --host dichvucong.example.vn\n  sen keys csr signer ACCOUNT --common-name \"Phạm Minh Chủ\" --organisation H56"
    )]
    Csr(Csr),
    /// Check a certificate that came back and put it beside its key
    Install(Install),
    /// What keys there are and until when their certificates hold
    List(List),
}

#[derive(Args)]
struct Csr {
    #[command(flatten)]
    of: Of,
    /// `node`, `public`, `seal` or `signer`
    kind: String,
    /// The organisation of a seal, the account of a signer
    whose: Option<String>,
    /// The name shown
    #[arg(long, value_name = "TEXT", default_value = "")]
    common_name: String,
    /// The organisation of a signer
    #[arg(long, value_name = "CODE")]
    organisation: Option<String>,
    /// A DNS name or address the certificate is for; may be given several times
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
}

#[derive(Args)]
struct Install {
    #[command(flatten)]
    of: Of,
    /// The certificate, PEM, with the authorities between it and the root
    certificate: PathBuf,
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    of: Of,
}

impl Keys {
    pub(crate) fn run(self, world: &World) -> anyhow::Result<()> {
        match self.command {
            Command::Csr(csr) => {
                let holder = Holder::parse(&csr.kind, csr.whose.as_deref())?;
                let wanted = request::Wanted {
                    common_name: csr.common_name,
                    organisation: csr.organisation,
                    hosts: csr.hosts,
                };
                print!(
                    "{}",
                    request::request(&csr.of.read()?.keys_folder(), &holder, &wanted)?
                );
            }
            Command::Install(given) => {
                let settings = given.of.read()?;
                let pem = std::fs::read_to_string(&given.certificate)
                    .with_context(|| format!("cannot read {}", given.certificate.display()))?;
                let trust = Trust::of(ring::roots("keys.trusted", &settings.keys.trusted)?);
                let done = install::install(&settings.keys_folder(), &pem, &trust, world.now())?;
                println!(
                    "{}: installed, holds until {}; it is used from the next start on",
                    done.holder.name(),
                    done.certificate.not_after()
                );
            }
            Command::List(asked) => print!("{}", list::list(&asked.of.read()?.keys_folder(), world.now())?),
        }
        Ok(())
    }
}
