//! Agreements between nodes: signed by one party after the other with the seals of the organisations
//! hosted here, and kept for the next start. Never signs a text that the pack of this node does not hold.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use directory::keyring::Keyring;
use exchange::holdings::{Asked, Holdings};
use exchange::{Agreement, SignedAgreement};
use kernel::{OrgCode, Problem, Time, World};
use seal::jws::PublicKey;

use crate::node::Plan;
use crate::serve::secrets::Secrets;
use crate::serve::settings::Settings;
use crate::serve::{check, plan};
use crate::up::prepare::{private_folder, write};

/// The folder, within the data folder, from which a start takes agreements over.
pub const FOLDER: &str = "agreements";

/// What came of signing.
#[derive(Debug)]
pub struct Signed {
    /// The agreements with what is signed of them: an acceptance that is not there yet is empty.
    pub agreements: Vec<SignedAgreement>,
    /// Those that both parties have signed now, as they lie in the data folder.
    pub kept: Vec<PathBuf>,
}

/// A line for each agreement of the pack that concerns an organisation of this node.
///
/// # Errors
/// When the configuration or the pack cannot be used.
pub fn list(settings: &Settings) -> anyhow::Result<String> {
    check::settings(settings)?;
    let mut text = format!("{:<18} {:<20} {:<36} STATE\n", "ID", "CONSUMER", "SERVICE");
    for agreement in of_pack(settings)? {
        let parties = [&agreement.provider, &agreement.consumer.org];
        let here = |party: &&OrgCode| settings.tenants.iter().any(|tenant| tenant.holds(party));
        if !parties.iter().any(here) {
            continue;
        }
        let state = if file(settings, &agreement).is_file() {
            "signed by both"
        } else {
            "to be signed"
        };
        let (consumer, service) = (agreement.consumer.to_string(), agreement.service.to_string());
        writeln!(text, "{:<18} {consumer:<20} {service:<36} {state}", agreement.id)?;
    }
    Ok(text)
}

/// Signs for every party hosted here what has no word of that party yet: the agreements of the pack
/// with an id, or those of a file that the other side printed. What both have signed is kept.
///
/// # Errors
/// When nothing is meant, a text is not the pack's, or the other side's signature does not hold.
pub fn sign(settings: &Settings, secrets: &Secrets, what: &str, world: &World) -> anyhow::Result<Signed> {
    check::settings(settings)?;
    let plan = plan::plan(settings, secrets, world)?;
    let known = of_pack(settings)?;
    let mut agreements = if Path::new(what).is_file() {
        handed(Path::new(what), &known)?
    } else {
        let meant = known
            .into_iter()
            .filter(|agreement| is_meant(&agreement.id, what));
        meant.map(unsigned).collect()
    };
    ensure!(
        !agreements.is_empty(),
        "{what}: neither a file nor the id of an agreement of the pack: `sen agreement list` shows them"
    );
    let mut kept = Vec::new();
    for signed in &mut agreements {
        accept(signed, &plan.keyring, world)?;
        if signed.provider_acceptance.is_empty() || signed.consumer_acceptance.is_empty() {
            continue;
        }
        holds(signed, settings, &plan)?;
        private_folder(&settings.data.join(FOLDER))?;
        let file = file(settings, &signed.agreement);
        write(&file, &serde_json::to_vec_pretty(signed)?, 0o600)?;
        kept.push(file);
    }
    Ok(Signed { agreements, kept })
}

/// Whether a call would be allowed by what the node's rows hold, read beside the node: the agreement's
/// number and hash.
///
/// # Errors
/// When it would be refused, with the reason; when the configuration or the rows cannot be read.
pub async fn allowed(
    settings: &Settings,
    secrets: &Secrets,
    asked: &Asked,
    at: Time,
) -> anyhow::Result<String> {
    check::settings(settings)?;
    let database = plan::database(settings, secrets)?;
    let mut readers = Vec::new();
    for tenant in &settings.tenants {
        let reader = store::check::reader(&database, tenant).await;
        readers.push(reader.with_context(|| plan::remedy(settings, &database))?);
    }
    let held = Holdings::read(&readers).await?;
    match held.allows(&settings.id, asked, at) {
        Ok((hash, agreement)) => Ok(format!("allowed under {} ({hash})", agreement.id)),
        Err(problem) => {
            let said = told(&problem)?;
            anyhow::bail!("refused ({}): {said}", problem.code)
        }
    }
}

/// A refusal in words, for who reads a terminal.
///
/// # Errors
/// When the texts cannot be read.
pub fn told(problem: &Problem) -> anyhow::Result<String> {
    let texts = [web::TEXTS, exchange::TEXTS];
    let texts = web::Texts::new(&texts).map_err(|faults| anyhow::anyhow!(faults.join("; ")))?;
    let said = |part: &str| {
        let key = format!("problem-{}{part}", problem.code);
        texts.get_with(web::Lang::En, &key, &problem.args)
    };
    Ok(format!("{} {}", said(""), said(".rule")))
}

fn of_pack(settings: &Settings) -> anyhow::Result<Vec<Agreement>> {
    exchange::pack::agreements(&settings.pack).with_context(|| {
        format!(
            "pack: the agreements of {} cannot be used",
            settings.pack.display()
        )
    })
}

fn file(settings: &Settings, agreement: &Agreement) -> PathBuf {
    let folder = settings.data.join(FOLDER);
    folder.join(format!("{}.json", agreement.hash()))
}

/// A file of the pack with several services gives an agreement for each: `01/TT-H56-G22-1`. Its own id
/// means all of them.
fn is_meant(id: &str, what: &str) -> bool {
    let number = |rest: &str| {
        let number = rest.strip_prefix('-').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    id == what || id.strip_prefix(what).is_some_and(number)
}

const fn unsigned(agreement: Agreement) -> SignedAgreement {
    SignedAgreement {
        agreement,
        provider_acceptance: String::new(),
        consumer_acceptance: String::new(),
    }
}

/// What the other side printed; every text must be this pack's own.
fn handed(file: &Path, known: &[Agreement]) -> anyhow::Result<Vec<SignedAgreement>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let all: Vec<SignedAgreement> = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} holds no agreements: `sen agreement sign ID` prints them at the other node",
            file.display()
        )
    })?;
    for signed in &all {
        let id = &signed.agreement.id;
        ensure!(
            known.contains(&signed.agreement),
            "{id}: the pack of this node has another text of it, or none: both sides sign the same text, so use one pack"
        );
    }
    Ok(all)
}

/// Adds the word of each party that is hosted here and has not given it.
fn accept(signed: &mut SignedAgreement, keys: &Keyring, world: &World) -> anyhow::Result<()> {
    let SignedAgreement {
        agreement,
        provider_acceptance,
        consumer_acceptance,
    } = signed;
    let mut is_ours = false;
    for (party, word) in [
        (&agreement.provider, provider_acceptance),
        (&agreement.consumer.org, consumer_acceptance),
    ] {
        let Some((_, seal)) = keys.seals.iter().find(|(tenant, _)| tenant.holds(party)) else {
            continue;
        };
        is_ours = true;
        if word.is_empty() {
            *word = agreement.accept(party, world.now(), &seal.key);
        }
    }
    ensure!(
        is_ours,
        "{}: {} and {} are both hosted elsewhere",
        agreement.id,
        agreement.provider,
        agreement.consumer.org
    );
    Ok(())
}

/// Refuses an agreement whose signatures do not hold by the directory on disk; before the first
/// directory the node itself checks them when one comes.
fn holds(signed: &SignedAgreement, settings: &Settings, plan: &Plan) -> anyhow::Result<()> {
    let Ok(token) = fs::read_to_string(settings.data.join("directory.jws")) else {
        return Ok(());
    };
    let snapshot = directory::snapshot::read(token.trim(), &plan.hub_certificate)
        .map_err(|problem| anyhow::anyhow!("directory.jws: {problem}"))?;
    let key_of = |party: &OrgCode| -> Option<PublicKey> {
        let own = plan.keyring.seals.iter().find(|(tenant, _)| tenant.holds(party));
        if let Some((_, seal)) = own {
            return Some(PublicKey::of(&seal.key));
        }
        let mut others = snapshot.instances.iter();
        let other = others.find(|entry| entry.instance == party.instance());
        let theirs = other.and_then(|entry| directory::instances::kept(&settings.data, entry).ok().flatten());
        let mut members = std::iter::once(&snapshot)
            .chain(&theirs)
            .flat_map(|said| &said.members);
        let member = members.find(|member| member.org.holds(party))?;
        let certificate = seal::certificate::Certificate::from_pem(&member.certificate_pem).ok()?;
        PublicKey::from_certificate(&certificate).ok()
    };
    let keys_of = |party: &OrgCode, _: Time| key_of(party).into_iter().collect();
    signed.check(&keys_of).map(drop).map_err(|problem| {
        anyhow::anyhow!(
            "{}: the other side's signature does not hold by the directory (serial {}): is its entry published by the hub? {problem}",
            signed.agreement.id,
            snapshot.serial
        )
    })
}
