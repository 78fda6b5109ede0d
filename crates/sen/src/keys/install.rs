//! A certificate that came back: whose key it is for, whether it leads to a trusted root and holds
//! now; only then it takes its place. What is in use is replaced whole or not at all.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use kernel::Time;
use seal::certificate::{Certificate, Trust};
use seal::key::{Identity, SigningKey};

use super::holder::{Holder, holders, names};
use super::ring;
use crate::up::prepare::{private_folder, write};

/// What was put in place.
#[derive(Debug)]
pub struct Installed {
    /// Whose it is.
    pub holder: Holder,
    /// What it is.
    pub certificate: Certificate,
}

/// Checks a certificate (PEM, its issuers beside it) and puts it beside its key.
///
/// # Errors
/// When no key here is its own, or it does not serve its holder: the message says what to do.
pub fn install(folder: &Path, pem: &str, trust: &Trust, now: Time) -> anyhow::Result<Installed> {
    let mut all = Certificate::list_from_pem(pem).context("this is no certificate in PEM")?;
    let mut found = None;
    for (holder, key) in keys(folder)? {
        if let Some(i) = all
            .iter()
            .position(|c| c.public_key_point() == key.public_point())
        {
            found = Some((holder, key, all.swap_remove(i)));
            break;
        }
    }
    let Some((holder, key, certificate)) = found else {
        bail!(
            "no key in {} is this certificate's: it answers a request of another node, or of before the key was made \
             anew; see `sen keys list`",
            folder.display()
        );
    };
    let chain = in_order(&certificate, all);
    ring::check(&holder, &certificate, &chain, trust, now)?;
    let identity = Identity {
        key,
        certificate,
        chain,
    };
    let place = holder.certificate(folder);
    if let Some(sub) = place.parent() {
        private_folder(sub)?;
    }
    // The request's key goes last: a crash between leaves everything to install again.
    write(&holder.key(folder), identity.key.to_pkcs8_pem().as_bytes(), 0o600)?;
    write(&place, identity.chain_pem().as_bytes(), 0o600)?;
    let request = holder.requested(folder);
    if request.exists() {
        fs::remove_file(&request).with_context(|| format!("cannot remove {}", request.display()))?;
    }
    Ok(Installed {
        holder,
        certificate: identity.certificate,
    })
}

/// The keys that a certificate may be for: those of requests first, then those in use.
fn keys(folder: &Path) -> anyhow::Result<Vec<(Holder, SigningKey)>> {
    let mut files = Vec::new();
    for name in names(&folder.join("requests"), "key")? {
        if let Some(holder) = Holder::of_name(&name) {
            files.push((holder.requested(folder), holder));
        }
    }
    for holder in holders(folder, "key")? {
        files.push((holder.key(folder), holder));
    }
    let mut keys = Vec::new();
    for (file, holder) in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let key =
            SigningKey::from_pkcs8_pem(&text).with_context(|| format!("{} holds no key", file.display()))?;
        keys.push((holder, key));
    }
    Ok(keys)
}

/// The issuers of a certificate among others, nearest first.
fn in_order(leaf: &Certificate, mut others: Vec<Certificate>) -> Vec<Certificate> {
    let mut chain: Vec<Certificate> = Vec::new();
    let mut child = leaf.clone();
    while let Some(i) = others
        .iter()
        .position(|c| child.is_issued_along(std::slice::from_ref(c)))
    {
        child = others.swap_remove(i);
        chain.push(child.clone());
    }
    chain
}
