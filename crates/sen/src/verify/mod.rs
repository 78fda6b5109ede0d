//! `sen verify PATH`: a PDF, an ASiC-E container, a folder of exported ones, archived evidence, an evidence
//! log or a data folder, offline. Without
//! `--trust` nothing is trusted: what is whole is then undecided, never passed. A data folder whose rows
//! are on a PostgreSQL server is checked with the node's configuration, or, a sample nation's, with the
//! server's URL in `SEN_DATABASE`.

pub mod archive;
mod bodies;
mod certificates;
mod compare;
pub mod folder;
pub mod known;
mod old;
mod rows;

use std::path::Path;

use anyhow::Context as _;
use kernel::World;
use seal::certificate::{Certificate, Trust};
use seal::verdict::{Indication, Verdict};
use serde_json::{Value, json};
use store::Database;

use crate::backup::site::{Configured, HUB, NodeAt};
use crate::evidence::archive::Archive;
use crate::evidence::manifest;
use crate::serve::secrets::Secrets;
use old::{Old, worst};

/// The exit code of a wrong call (BSD sysexits: `EX_USAGE`).
pub const USAGE: u8 = 64;

/// Checks what is at a path; a data folder's rows are files, or those of the server that `SEN_DATABASE`
/// names.
///
/// # Errors
/// When the path cannot be read, or is nothing that can be checked.
pub async fn verify(path: &Path, trust: Option<&Path>, world: &World) -> anyhow::Result<Verdict> {
    verify_configured(path, trust, None, world).await
}

/// As [`verify`]; `config` is the configuration of the node whose data folder it is, which says where its
/// rows and keys are.
///
/// # Errors
/// As [`verify`]; when the configuration cannot be read.
pub async fn verify_configured(
    path: &Path,
    trust: Option<&Path>,
    config: Option<&Path>,
    world: &World,
) -> anyhow::Result<Verdict> {
    verify_since(path, trust, config, None, world).await
}

/// As [`verify_configured`]; `checkpoint` is one that was kept, against which the log or the data folder is
/// checked as well.
///
/// # Errors
/// As [`verify_configured`]; when the checkpoint cannot be read, or is of no log there.
pub async fn verify_since(
    path: &Path,
    trust: Option<&Path>,
    config: Option<&Path>,
    checkpoint: Option<&Path>,
    world: &World,
) -> anyhow::Result<Verdict> {
    let trust = read_trust(trust)?;
    let old = checkpoint.map(Old::read).transpose()?;
    let is_log = path.is_dir() && !archive::is_folder(path) && !manifest::is_export(path);
    anyhow::ensure!(
        old.is_none() || is_log,
        "a checkpoint is checked against an evidence log or a data folder, which {} is not",
        path.display()
    );
    if path.is_dir() && archive::is_folder(path) {
        return archive::folder(path, &trust, world.now());
    }
    if path.is_dir() && manifest::is_export(path) {
        return manifest::verify(path, &trust, world.now());
    }
    if path.is_dir() {
        let verdict = data(path, &trust, config, old.as_ref(), world).await?;
        let is_whole = ["prepared", HUB].iter().any(|own| path.join(own).is_file());
        if verdict.indication != Indication::TotalFailed && is_whole {
            crate::doctor::mark::set(path, crate::doctor::mark::VERIFIED, world.now());
        }
        return Ok(verdict);
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.starts_with(b"%PDF") {
        Ok(seal::pdf::verify(&bytes, &trust, world.now()))
    } else if Archive::is_one(&bytes) {
        Ok(archive::verify(&bytes, &trust, world.now()))
    } else if is_container(path, &bytes) {
        let verdict = seal::asice::verify(&bytes, &trust, world.now());
        Ok(known::judged(verdict, &bytes, &trust))
    } else {
        anyhow::bail!(
            "{} is neither a PDF, an ASiC-E container, an evidence log nor a data folder",
            path.display()
        )
    }
}

/// True for a zip file, a damaged one too: its name says what it was, or one of its ends what it is.
fn is_container(path: &Path, bytes: &[u8]) -> bool {
    let named = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("asice") || e.eq_ignore_ascii_case("archive"));
    named || bytes.starts_with(b"PK") || bytes.windows(4).rev().take(64).any(|end| end == b"PK\x05\x06")
}

/// Checks the logs of a folder, and its rows against them.
async fn data(
    path: &Path,
    trust: &Trust,
    config: Option<&Path>,
    old: Option<&Old>,
    world: &World,
) -> anyhow::Result<Verdict> {
    let secrets = Secrets::of_environment();
    let site = match (config, secrets.database.as_deref()) {
        (Some(_), _) => Some(Configured::read(config)?.site(Some(path), &secrets)?),
        (None, Some(url)) if url != "sqlite" => Some(rows::named(path, url)?),
        (None, _) => None,
    };
    let Some(site) = site else {
        let mut logs = folder::verify(path, trust, world.now())?;
        if let Some(old) = old {
            logs = worst(logs, old.folder(path, trust)?);
        }
        return Ok(if logs.indication == Indication::TotalFailed {
            logs
        } else {
            compare::folder(path).await.err().unwrap_or(logs)
        });
    };
    // Logs that are a server's rows are taken away as files first; the check is the same.
    let are_rows = |node: &NodeAt| matches!(node.database, Database::Postgres { .. });
    if site.nodes.iter().any(are_rows) {
        return rows::verify(&site, trust, old, world).await;
    }
    let nodes = || site.nodes.iter().map(|n| (n.keys.clone(), n.folder.clone()));
    let mut logs = folder::nodes(nodes(), trust, world.now())?;
    if let Some(old) = old {
        logs = worst(logs, old.nodes(nodes(), trust)?);
    }
    Ok(if logs.indication == Indication::TotalFailed {
        logs
    } else {
        compare::nodes(&site).await.err().unwrap_or(logs)
    })
}

/// The roots of a PEM file; without one nothing is trusted.
///
/// # Errors
/// When the file cannot be read.
pub fn read_trust(pem: Option<&Path>) -> anyhow::Result<Trust> {
    let mut trust = Trust::default();
    if let Some(file) = pem {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        trust.anchors = Certificate::list_from_pem(&text)
            .with_context(|| format!("{} holds no certificates", file.display()))?;
    }
    Ok(trust)
}

/// The exit code of a verdict: 0 TOTAL-PASSED, 1 TOTAL-FAILED, 2 INDETERMINATE.
#[must_use]
pub const fn exit_code(verdict: &Verdict) -> u8 {
    match verdict.indication {
        Indication::TotalPassed => 0,
        Indication::TotalFailed => 1,
        Indication::Indeterminate => 2,
    }
}

/// The verdict as `--json` prints it.
#[must_use]
pub fn as_json(verdict: &Verdict) -> Value {
    json!({
        "verdict": verdict.indication.as_str(),
        "reason": verdict.reason,
        "signer": verdict.signer,
        "signed_at": verdict.signed_at.map(kernel::Time::rfc3339),
        "first_bad": verdict.first_bad,
        "stamped": verdict.stamped,
        "revocation": verdict.revocation.as_ref().map(|r| json!({
            "state": r.state,
            "reason": r.reason,
            "at": r.at.map(kernel::Time::rfc3339),
            "source": r.source,
            "directory": r.directory,
            "directory_at": r.directory_at.map(kernel::Time::rfc3339),
            "list": r.list,
            "list_at": r.list_at.map(kernel::Time::rfc3339),
        })),
        "signers": verdict.signers.iter().map(|s| json!({"name": s.name, "at": s.at.map(kernel::Time::rfc3339)})).collect::<Vec<_>>(),
    })
}

/// The verdict in words.
#[must_use]
pub fn as_text(verdict: &Verdict) -> String {
    let mut text = verdict.indication.as_str().to_owned();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            text.push_str(&format!("\n  {name:<10} {value}"));
        }
    };
    add("reason", Some(verdict.reason.clone()));
    for signed in &*verdict.signers {
        add("signed by", Some(signed.name.clone()));
        add("signed at", signed.at.map(kernel::Time::rfc3339));
    }
    if verdict.signers.is_empty() {
        add("signed by", verdict.signer.clone());
        add("signed at", verdict.signed_at.map(kernel::Time::rfc3339));
    }
    add("first bad", verdict.first_bad.clone());
    add("revocation", verdict.revocation.as_deref().map(known::as_text));
    if verdict.indication != Indication::TotalFailed {
        let said = verdict.stamped.map(|stamped| match stamped {
            true => "good: the time is the timestamp authority's",
            false => "not stamped yet: the time is the signer's own; fetch it again for a later proof",
        });
        add("timestamp", said.map(str::to_owned));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_without_a_timestamp_says_so_and_a_damaged_one_is_a_container_still() {
        let verdict = |stamped| Verdict {
            stamped,
            ..Verdict::passed("G01".to_owned(), kernel::Time(0))
        };
        assert!(as_text(&verdict(Some(false))).contains("not stamped yet"));
        assert!(as_text(&verdict(Some(true))).contains("timestamp  good"));
        assert!(!as_text(&verdict(None)).contains("stamped"));
        assert_eq!(as_json(&verdict(Some(false)))["stamped"], false);
        for (name, bytes, is_one) in [
            ("a.asice", &b"garbage"[..], true),
            ("a.bin", b"PK\x03\x04", true),
            ("a.bin", b"xK\x03\x04 ... PK\x05\x06 0123456789012345", true),
            ("a.bin", b"garbage", false),
            ("a.bin", b"", false),
        ] {
            assert_eq!(is_container(Path::new(name), bytes), is_one, "{name} {bytes:?}");
        }
    }
}
