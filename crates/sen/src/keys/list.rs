//! What keys there are and until when their certificates hold. Never a private key.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use kernel::Time;
use seal::certificate::Certificate;

use super::holder::{Holder, holders, names};

/// A line for each key: whose, whose name, until when, and what is to be done.
///
/// # Errors
/// When a file cannot be read.
pub fn list(folder: &Path, now: Time) -> anyhow::Result<String> {
    let mut text = format!("{:<24} {:<28} {:<26} STATE\n", "KEY", "NAME", "HOLDS UNTIL");
    for holder in holders(folder, "pem")? {
        let file = holder.certificate(folder);
        let pem = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let certificate =
            Certificate::from_pem(&pem).with_context(|| format!("{} is damaged", file.display()))?;
        let days = (certificate.not_after().ms() - now.ms()) / 86_400_000;
        let state = match days {
            _ if certificate.not_after() < now => "EXPIRED: ask for a new one".to_owned(),
            days if days < super::ring::WARN_DAYS => format!("{days} days left: ask for a new one"),
            days => format!("{days} days left"),
        };
        let until = certificate.not_after().to_string();
        writeln!(
            text,
            "{:<24} {:<28} {until:<26} {state}",
            holder.name(),
            certificate.common_name()
        )?;
    }
    for name in names(&folder.join("requests"), "key")? {
        if let Some(holder) = Holder::of_name(&name) {
            writeln!(text, "{:<24} {:<28} {:<26} requested", holder.name(), "", "")?;
        }
    }
    Ok(text)
}
