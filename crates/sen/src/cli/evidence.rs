//! `sen evidence`: its flags, and what was found or written printed. Never a rule of its own.

mod archive;

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, Subcommand, ValueEnum};
use exchange::evidence::Wanted;
use exchange::export::Which;
use kernel::World;
use sen::backup::site::{Configured, Site};
use sen::evidence::bodies::{Asked, Bodies};
use sen::evidence::{self, Shelf};
use sen::serve::secrets::Secrets;

/// What is to be done with evidence.
#[derive(Args)]
pub(crate) struct Evidence {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find exchanges, newest first
    #[command(
        after_help = "Example:\n  sen evidence search --member G01 --result fault --from 2026-11-01\n  sen evidence search --case G22-261121-0001 --json"
    )]
    Search(SearchFlags),
    /// Write the signed containers (ASiC-E) of an exchange, or of all that are found
    #[command(
        after_help = "Example:\n  sen evidence export --request 0123…cdef\n  sen evidence export --from 2026-11-01 --to 2026-11-30 --member G01 --out november\n  sen verify november --trust ca.pem\n  sen evidence export --request 0123…cdef --with-bodies --purpose \"Thanh tra 12/QĐ\" --key-file key --url https://portal --portal-trust ca.pem"
    )]
    Export(ExportFlags),
    /// Write old exchanges into archive files, each linked to the one before, and take off the live log what is
    /// archived and older than its retention class
    #[command(
        after_help = "Example:\n  sen evidence archive --out archive --days 90\n  sen verify archive --trust ca.pem\n  sen evidence archive --out archive --live-days 365 --forget --dry-run"
    )]
    Archive(archive::Flags),
}

/// The data that a command works on.
#[derive(Args)]
struct Of {
    /// The data folder [default: ./sen-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file that names the data folder and the database: of `sen serve`, or of `sen up`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One node of a sample nation: national, ministry, province
    #[arg(long)]
    node: Option<String>,
}

/// What is looked for: all that is named must hold.
#[derive(Args)]
struct Filter {
    /// Began on this day (2026-11-22) or at this instant (2026-11-22T09:30:00Z) or later
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Began on this day or earlier, or before this instant
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// The other party: G01
    #[arg(long, value_name = "ORG")]
    member: Option<String>,
    /// The service: G01/population/person-lookup
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// The agreement's hash
    #[arg(long, value_name = "HASH")]
    agreement: Option<String>,
    /// ok, refused or fault
    #[arg(long)]
    result: Option<String>,
    /// The case that caused it (X-Road-Issue)
    #[arg(long)]
    case: Option<String>,
    /// The exchange's id, or the consumer's id of its message (X-Road-Id)
    #[arg(long, value_name = "ID")]
    request: Option<String>,
}

#[derive(Args)]
struct SearchFlags {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    filter: Filter,
    /// Exchanges that are printed of each node at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Go on where an earlier search said that there is more
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ExportFlags {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    filter: Filter,
    /// Out of this archive file instead of a node's data
    #[arg(long, value_name = "FILE", requires = "request", conflicts_with_all = ["data", "config", "node"])]
    archive: Option<PathBuf>,
    /// Of one exchange: only this message
    #[arg(long, requires = "request")]
    part: Option<Part>,
    /// Of one exchange: the file [default: ID-request.asice and ID-answer.asice]; of many: the folder [default: evidence]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// With the bodies that the agreements have kept, asked of the running node, which writes down who reads each and why
    #[arg(long, requires_all = ["purpose", "key_file"], conflicts_with = "archive")]
    with_bodies: bool,
    /// With --with-bodies: what they are read for; no person is named in it
    #[arg(long, value_name = "TEXT", requires = "with_bodies")]
    purpose: Option<String>,
    /// With --with-bodies: the node's portal
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// With --with-bodies: a file with an operator's API key (`/keys`)
    #[arg(long, value_name = "FILE", requires = "with_bodies")]
    key_file: Option<PathBuf>,
    /// With --with-bodies: roots of the portal's certificate, PEM; needed for https
    #[arg(long, value_name = "FILE", requires = "with_bodies")]
    portal_trust: Option<PathBuf>,
}

impl ExportFlags {
    /// Whom bodies are asked of; nobody when none are wanted.
    fn bodies(&self, world: &World) -> anyhow::Result<Option<Bodies>> {
        let (true, Some(purpose), Some(key_file)) = (self.with_bodies, &self.purpose, &self.key_file) else {
            return Ok(None);
        };
        let asked = Asked {
            url: self.url.clone(),
            key_file: key_file.clone(),
            trust: self.portal_trust.clone(),
            purpose: purpose.clone(),
        };
        Bodies::of(&asked, world).map(Some)
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// The consumer's request
    Request,
    /// The provider's answer
    Answer,
}

impl Of {
    fn configured(&self) -> anyhow::Result<(Configured, Site)> {
        let configured = Configured::read(self.config.as_deref())?;
        let site = configured.site(self.data.as_deref(), &Secrets::of_environment())?;
        Ok((configured, site))
    }

    async fn open(&self) -> anyhow::Result<Vec<Shelf>> {
        let (_, site) = self.configured()?;
        evidence::open(&site, self.node.as_deref()).await
    }
}

impl Filter {
    fn wanted(self, after: Option<String>) -> Wanted {
        Wanted {
            from: self.from,
            to: self.to,
            member: self.member,
            service: self.service,
            agreement: self.agreement,
            result: self.result,
            case: self.case,
            request: self.request,
            after,
        }
    }
}

impl Evidence {
    pub(crate) async fn run(self, world: &World) -> anyhow::Result<()> {
        match self.command {
            Command::Search(flags) => search(flags).await,
            Command::Export(flags) => export(flags, world).await,
            Command::Archive(flags) => flags.run(world).await,
        }
    }
}

async fn search(flags: SearchFlags) -> anyhow::Result<()> {
    let search = evidence::search_of(&flags.filter.wanted(flags.after))?;
    let found = evidence::find(&flags.of.open().await?, &search, flags.limit).await?;
    if flags.json {
        println!("{}", evidence::as_json(&found));
    } else {
        print!("{}", evidence::as_text(&found));
    }
    Ok(())
}

async fn export(flags: ExportFlags, world: &World) -> anyhow::Result<()> {
    let bodies = flags.bodies(world)?;
    let wanted = flags.filter.wanted(None);
    let part = flags.part.map(|part| match part {
        Part::Request => Which::Request,
        Part::Answer => Which::Answer,
    });
    if let (Some(archive), Some(request)) = (&flags.archive, &wanted.request) {
        for file in evidence::archived::export(archive, request, part, flags.out.as_deref())? {
            println!("{}", file.display());
        }
        return Ok(());
    }
    let search = evidence::search_of(&wanted)?;
    let shelves = flags.of.open().await?;
    ensure!(
        bodies.is_none() || shelves.len() == 1,
        "--with-bodies: name the one node that --url leads to: --node"
    );
    if let Some(request) = &wanted.request {
        for file in
            evidence::export::one(&shelves, request, part, flags.out.as_deref(), bodies.as_ref()).await?
        {
            println!("{}", file.display());
        }
        return Ok(());
    }
    let out = flags.out.unwrap_or_else(|| PathBuf::from("evidence"));
    let manifest = evidence::export::many(&shelves, &search, &out, bodies.as_ref(), world).await?;
    println!(
        "{}: {} containers and their list; check them with `sen verify {} --trust ROOT.pem`",
        out.display(),
        manifest.files.len(),
        out.display()
    );
    Ok(())
}
