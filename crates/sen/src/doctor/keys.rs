//! Keys, certificates and the directory on disk. Never shows a key.

use std::fs;
use std::path::Path;

use directory::keyring::Keyring;
use directory::snapshot::{self, Snapshot};
use kernel::Time;
use seal::certificate::Certificate;

use super::{Finding, Round};
use crate::backup::site::NodeAt;

/// A certificate that ends within this time is near its end, in milliseconds.
const NEAR_MS: i64 = 30 * 86_400_000;

/// A node's keys, their certificates and its directory.
pub(super) fn of_node(node: &NodeAt, newest: Option<u64>, round: &Round) -> Vec<Finding> {
    let mut found = Vec::new();
    match &Keyring::read_folder(&node.keys) {
        Ok(ring) => {
            for (name, certificate) in certificates(ring) {
                found.extend(ends_soon(&node.name, &name, certificate.not_after(), round));
            }
        }
        // Who may read a key is told by the check of rights, once.
        Err(fault) if fault.why.contains("others") => {}
        Err(fault) => found.push(Finding {
            check: "keys",
            node: node.name.clone(),
            what: fault.to_string(),
            why: "without a key that fits its certificate the node does not start, and nobody takes its messages",
            remedy: "bring the file back from the backup: sen restore FILE --data ELSEWHERE, then copy keys/; a real node may \
                     have a new key certified (sen keys csr), or be handed it as a credential, which is not looked at here"
                .to_owned(),
        }),
    }
    match directory(node) {
        Ok(snapshot) => {
            found.extend(aged(node, &snapshot, newest, round));
            found.extend(of_snapshot(node, &snapshot, round));
        }
        Err(cause) => found.push(Finding {
            check: "directory",
            node: node.name.clone(),
            what: format!("{cause:#}"),
            why: "the directory says who takes part and by which keys; a node without one trusts nobody",
            remedy: "bring directory.jws back from the backup, or let the node fetch it from the hub"
                .to_owned(),
        }),
    }
    found
}

/// The directory on disk, checked by the hub's certificate.
pub(super) fn directory(node: &NodeAt) -> anyhow::Result<Snapshot> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|e| anyhow::anyhow!("cannot read {}: {e}", path.display()))
    };
    let hub = Certificate::from_pem(&read(&node.hub())?)?;
    let token = read(&node.folder.join("directory.jws"))?;
    snapshot::read(token.trim(), &hub).map_err(|p| anyhow::anyhow!("directory.jws: {p}"))
}

fn certificates(ring: &Keyring) -> Vec<(String, &Certificate)> {
    let mut all = vec![("node.pem".to_owned(), &ring.node.certificate)];
    let seals = ring.seals.iter();
    all.extend(seals.map(|(org, seal)| (format!("seals/{org}.pem"), &seal.certificate)));
    let signers = ring.signers.iter();
    all.extend(signers.map(|(account, signer)| (format!("signers/{account}.pem"), &signer.certificate)));
    all
}

fn ends_soon(node: &str, name: &str, end: Time, round: &Round) -> Option<Finding> {
    let left = end.ms() - round.now.ms();
    (left < NEAR_MS).then(|| Finding {
        check: "certificate",
        node: node.to_owned(),
        what: if left < 0 {
            format!("{name} ended on {}", end.rfc3339())
        } else {
            format!("{name} ends on {}, in {} days", end.rfc3339(), left / 86_400_000)
        },
        why: "after its end nobody takes what it signs, and no connection is made with it",
        remedy:
            "have a new one issued and installed (sen keys csr, sen keys install), and hand the node's new entry to the hub \
             (sen entry)"
                .to_owned(),
    })
}

fn aged(node: &NodeAt, snapshot: &Snapshot, newest: Option<u64>, round: &Round) -> Option<Finding> {
    let finding = |what: String| Finding {
        check: "directory-age",
        node: node.name.clone(),
        what,
        why: "who was revoked or has moved since is not known here",
        remedy: "see that the hub is reached from this machine; the node takes the new directory by itself"
            .to_owned(),
    };
    if let Some(newest) = newest.filter(|newest| *newest > snapshot.serial) {
        return Some(finding(format!(
            "the directory has serial {}, another node's has {newest}",
            snapshot.serial
        )));
    }
    // By the certificate: the hub's key may be handed over by the service manager.
    let seal = format!("{}.pem", snapshot.hub);
    let is_hub = node.keys.join("seals").join(seal).is_file();
    // A node that does not run asks nobody.
    if is_hub || !is_held(&node.folder) {
        return None;
    }
    let touched = fs::metadata(node.folder.join("directory.jws"))
        .ok()?
        .modified()
        .ok()?;
    let since = touched.duration_since(std::time::UNIX_EPOCH).ok()?;
    let age = round.now.ms() - i64::try_from(since.as_millis()).ok()?;
    (age > round.limits.directory_age_ms_max).then(|| {
        finding(format!(
            "the hub confirmed the directory last {} minutes ago",
            age / 60_000
        ))
    })
}

/// True when a process holds the node's folder.
fn is_held(folder: &Path) -> bool {
    fs::File::open(folder.join("held")).is_ok_and(|file| file.try_lock().is_err())
}

/// What the directory itself names that will end, and whether its time has come at all.
fn of_snapshot(node: &NodeAt, snapshot: &Snapshot, round: &Round) -> Vec<Finding> {
    let mut found = Vec::new();
    let ahead = snapshot.issued.ms() - round.now.ms();
    if ahead > round.limits.clock_skew_ms_max {
        found.push(Finding {
            check: "clock",
            node: node.name.clone(),
            what: format!(
                "the directory was signed {} s in this machine's future",
                ahead / 1_000
            ),
            why: "this machine's clock is behind: messages it sends will be refused as old",
            remedy: "set the clock by a time service (timedatectl set-ntp true)".to_owned(),
        });
    }
    let authorities = snapshot.timestamp_authorities.iter();
    for authority in authorities {
        if let Ok(certificate) = Certificate::from_pem(&authority.certificate_pem) {
            let name = format!("the timestamp authority {}", authority.url);
            found.extend(ends_soon(&node.name, &name, certificate.not_after(), round));
        }
    }
    found
}
