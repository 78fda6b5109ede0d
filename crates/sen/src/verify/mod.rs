//! `sen verify PATH`: a PDF, an ASiC-E container, an evidence log or a data folder, offline. Without
//! `--trust` nothing is trusted: what is whole is then undecided, never passed. A data folder whose rows
//! are on a PostgreSQL server is checked with the server's URL in `SEN_DATABASE`.

mod compare;
pub mod folder;
mod rows;

use std::path::Path;

use anyhow::Context as _;
use kernel::World;
use seal::certificate::{Certificate, Trust};
use seal::verdict::{Indication, Verdict};
use serde_json::{Value, json};

/// The exit code of a wrong call (BSD sysexits: `EX_USAGE`).
pub const USAGE: u8 = 64;

/// Checks what is at a path.
///
/// # Errors
/// When the path cannot be read, or is nothing that can be checked.
pub async fn verify(path: &Path, trust: Option<&Path>, world: &World) -> anyhow::Result<Verdict> {
    let trust = read_trust(trust)?;
    if path.is_dir() {
        // Logs that are a server's rows are taken away as files first; the check is the same.
        let verdict = match std::env::var("SEN_DATABASE") {
            Ok(url) if url != "sqlite" => rows::verify(path, &url, &trust, world).await?,
            _ => {
                let logs = folder::verify(path, &trust, world.now())?;
                if logs.indication == Indication::TotalFailed {
                    logs
                } else {
                    compare::folder(path).await.err().unwrap_or(logs)
                }
            }
        };
        if verdict.indication != Indication::TotalFailed && path.join("prepared").is_file() {
            crate::doctor::mark::set(path, crate::doctor::mark::VERIFIED, world.now());
        }
        return Ok(verdict);
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.starts_with(b"%PDF") {
        Ok(seal::pdf::verify(&bytes, &trust, world.now()))
    } else if bytes.starts_with(b"PK") {
        Ok(seal::asice::verify(&bytes, &trust, world.now()))
    } else {
        anyhow::bail!(
            "{} is neither a PDF, an ASiC-E container, an evidence log nor a data folder",
            path.display()
        )
    }
}

fn read_trust(pem: Option<&Path>) -> anyhow::Result<Trust> {
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
    for signed in &verdict.signers {
        add("signed by", Some(signed.name.clone()));
        add("signed at", signed.at.map(kernel::Time::rfc3339));
    }
    if verdict.signers.is_empty() {
        add("signed by", verdict.signer.clone());
        add("signed at", verdict.signed_at.map(kernel::Time::rfc3339));
    }
    add("first bad", verdict.first_bad.clone());
    text
}
