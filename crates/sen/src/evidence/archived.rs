//! Containers of exchanges out of an archive file, without the node that it came from. Never a container that
//! would not pass.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::envelope::{self, Evidence, Kept};
use exchange::export::Which;
use exchange::message::RequestHead;
use kernel::Digest;
use seal::asice::{ContainerInput, Known, TimestampProof};
use seal::batch::signatures_xml;
use seal::certificate::Certificate;
use seal::hashchain::Chain;
use seal::jws;

use super::archive::{Archive, HUB, Stamp, directory_file};
use super::export::{fresh, name};
use crate::up::prepare::write;

/// Writes the messages of an exchange that is in an archive: the one that is named to `out`, or both here.
///
/// # Errors
/// When the archive has no such exchange or message, or a file is there already.
pub fn export(
    file: &Path,
    request: &str,
    part: Option<Which>,
    out: Option<&Path>,
) -> anyhow::Result<Vec<PathBuf>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let archive = Archive::read(&bytes)
        .map_err(|(inside, why)| anyhow::anyhow!("{}: {inside}: {why}", file.display()))?;
    let wanted = match (part, out) {
        (Some(part), _) => vec![part],
        // One file holds one message.
        (None, Some(_)) => vec![Which::Request],
        (None, None) => Which::BOTH.to_vec(),
    };
    let mut written = Vec::new();
    for which in wanted {
        let Some(zip) = container(&archive, request, which)? else {
            continue;
        };
        let file = out.map_or_else(|| PathBuf::from(name(request, which)), Path::to_path_buf);
        fresh(&file)?;
        write(&file, &zip, 0o600)?;
        written.push(file);
    }
    ensure!(
        !written.is_empty(),
        "{request}: {} has no such exchange or message",
        file.display()
    );
    Ok(written)
}

fn container(archive: &Archive, request: &str, which: Which) -> anyhow::Result<Option<Vec<u8>>> {
    let records = archive.records();
    let records = records.map_err(|(at, why)| anyhow::anyhow!("record {at}: {why}"))?;
    for (position, bytes) in records {
        let record: Evidence = envelope::read(bytes)?;
        if RequestHead::parse(&record.request.head)?.request != request {
            continue;
        }
        let message = match which {
            Which::Request => Some(record.request),
            Which::Answer => record.answer,
        };
        if let Some(message) = message {
            return of_message(archive, position, &message).map(Some);
        }
    }
    Ok(None)
}

fn of_message(archive: &Archive, position: u64, kept: &Kept) -> anyhow::Result<Vec<u8>> {
    let thumbprint = Digest(kept.sealed.certificate);
    let mut certificates = archive.certificates().into_iter();
    let certificate = certificates.find(|one| one.thumbprint() == thumbprint);
    let certificate = certificate.context("the archive has no certificate of this seal")?;
    let stamps = archive.stamps();
    let stamp = stamps
        .iter()
        .find(|stamp| (stamp.first..stamp.next).contains(&position));
    let input = ContainerInput {
        head: kept.head.to_vec(),
        body: None,
        parts: kept.parts(),
        sealed: kept.sealed.clone(),
        timestamp: stamp.map(|stamp| proof(stamp, kept, &certificate)).transpose()?,
        certificate,
        chain: Vec::new(),
        known: stamp.and_then(|stamp| known(archive, stamp)),
    };
    Ok(seal::asice::export(&input)?)
}

/// The signed directory that a stamp covers; none of archives of earlier releases, and none that another hub signed
/// than the archive knows.
fn known(archive: &Archive, stamp: &Stamp) -> Option<Known> {
    // Behind all others.
    let hash = stamp.leaves.last()?;
    let directory = archive.text(&directory_file(hash)).to_owned();
    let hub = Certificate::from_pem(archive.text(HUB)).ok()?;
    if jws::certificate_named(&directory)? != hub.thumbprint() {
        return None;
    }
    let place = stamp.leaves.len() - 1;
    let path = Some(Chain::of_stamp(&stamp.leaves).path(place));
    Some(Known { directory, hub, path })
}

fn proof(stamp: &Stamp, kept: &Kept, certificate: &Certificate) -> anyhow::Result<TimestampProof> {
    let file = signatures_xml(&kept.sealed, &kept.parts(), certificate, &[]);
    let own = Digest::of(file.as_bytes());
    let place = stamp.leaves.iter().position(|leaf| *leaf == own);
    Ok(TimestampProof {
        token: STANDARD.decode(&stamp.token)?,
        path: Chain::of_stamp(&stamp.leaves).path(place.context("the signature is not under its timestamp")?),
    })
}
