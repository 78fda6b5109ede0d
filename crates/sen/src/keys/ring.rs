//! All keys of a node, read and checked at its start: each with its certificate, its path to a
//! trusted root and its dates. A node that could not prove who it is does not start.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use directory::keyring::Keyring;
use kernel::{OrgCode, Time};
use seal::certificate::{Certificate, PathFault, Trust, Usage};
use seal::key::Identity;

use super::holder::{Holder, names};
use crate::serve::secrets::Secrets;

/// From so many days before its end a certificate is warned of.
pub const WARN_DAYS: i64 = 30;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Reads the roots of the PEM files that a key of the configuration names.
///
/// # Errors
/// When a file cannot be read or holds no certificate: the message names the key.
pub fn roots(key: &str, files: &[PathBuf]) -> anyhow::Result<Vec<Certificate>> {
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(file)
            .with_context(|| format!("{key}: cannot read {}: name the file of a root", file.display()))?;
        let found = Certificate::list_from_pem(&text)
            .with_context(|| format!("{key}: {} holds no certificates in PEM", file.display()))?;
        ensure!(
            !found.is_empty(),
            "{key}: {} holds no certificate in PEM",
            file.display()
        );
        all.extend(found);
    }
    Ok(all)
}

/// Reads the keys of a node and checks each.
///
/// # Errors
/// The first key or certificate that cannot be used, and what to do about it.
pub fn read(
    folder: &Path,
    secrets: &Secrets,
    tenants: &[OrgCode],
    trust: &Trust,
    now: Time,
) -> anyhow::Result<Keyring> {
    let checked = |holder: &Holder| -> anyhow::Result<Identity> {
        let identity = identity(folder, secrets, holder)?;
        check(holder, &identity.certificate, &identity.chain, trust, now)?;
        Ok(identity)
    };
    let mut seals = BTreeMap::new();
    for org in tenants {
        seals.insert(org.clone(), checked(&Holder::Seal(org.clone()))?);
    }
    let mut signers = BTreeMap::new();
    for account in names(&folder.join("signers"), "pem")? {
        let holder = Holder::parse("signer", Some(&account))?;
        signers.insert(account, checked(&holder)?);
    }
    Ok(Keyring {
        node: checked(&Holder::Node)?,
        seals,
        signers,
    })
}

fn identity(folder: &Path, secrets: &Secrets, holder: &Holder) -> anyhow::Result<Identity> {
    let file = holder.certificate(folder);
    let chain = fs::read_to_string(&file).with_context(|| {
        format!(
            "the certificate {} cannot be read: `sen keys csr` makes the key and its request, `sen keys install` \
             puts the certificate in place",
            file.display()
        )
    })?;
    let key = secrets.key(&format!("{}.key", holder.name()), &holder.key(folder))?;
    Identity::from_pem(&key, &chain).with_context(|| {
        format!(
            "{}: key and certificate do not belong together: install the certificate again",
            file.display()
        )
    })
}

/// Refuses a certificate that does not serve its holder now.
///
/// # Errors
/// What is wrong, and what to do.
pub fn check(
    holder: &Holder,
    certificate: &Certificate,
    chain: &[Certificate],
    trust: &Trust,
    now: Time,
) -> anyhow::Result<()> {
    let name = holder.name();
    let (from, to) = (certificate.not_before(), certificate.not_after());
    ensure!(
        now <= to,
        "the certificate of {name} expired at {to}: ask for a new one with `sen keys csr`"
    );
    ensure!(
        from <= now,
        "the certificate of {name} holds from {from} only, and it is {now}: wait, or set this machine's clock right"
    );
    if to.ms() - now.ms() < WARN_DAYS * DAY_MS {
        tracing::warn!(key = name, until = %to, "a certificate ends soon: ask for a new one with `sen keys csr`");
    }
    let usage = match holder {
        Holder::Node => Usage::NodeTls,
        Holder::Seal(_) | Holder::Signer(_) => Usage::Seal,
        // Browsers have roots of their own: only the chain itself is ours to check.
        Holder::Public => {
            ensure!(
                certificate.is_issued_along(chain),
                "the certificate of the portal does not lead to the ones after it: put the leaf first, then its issuers"
            );
            return Ok(());
        }
    };
    match trust.path(certificate, chain, now, usage) {
        Ok(()) => {}
        Err(PathFault::Constraints) => bail!(
            "the certificate of {name} is not meant for this use: {}",
            match usage {
                Usage::NodeTls => "a node's names serverAuth and clientAuth",
                _ => "a seal or signature names contentCommitment (nonRepudiation)",
            }
        ),
        Err(fault) => bail!(
            "the certificate of {name}: {fault}: the root of its authority stands in keys.trusted, and the \
             authorities between stand after the certificate in its file"
        ),
    }
    if let Holder::Seal(org) = holder {
        let named = certificate.organisation().unwrap_or_default();
        ensure!(
            named == org.as_str(),
            "the certificate of {name} names the organisation {named:?}: its subject must name {org} as organizationIdentifier or O"
        );
    }
    Ok(())
}
