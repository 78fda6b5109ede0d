//! A key made on the node, and its certificate request (PKCS #10). The key waits apart until its
//! certificate is installed, so that what is in use stays in use.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use seal::key::SigningKey;

use super::holder::Holder;
use crate::up::prepare::{private_folder, write};

/// organizationIdentifier, EN 319 412-1 section 5.1.4.
const ORGANISATION_IDENTIFIER: &[u64] = &[2, 5, 4, 97];

/// What the request asks to be certified.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The name shown; the holder's own when empty.
    pub common_name: String,
    /// The organisation's code; a seal has its own.
    pub organisation: Option<String>,
    /// DNS names and addresses, for TLS.
    pub hosts: Vec<String>,
}

/// Makes the key if no request waits for this holder, and gives the request as PEM.
///
/// # Errors
/// When the folder cannot be written, or TLS names are missing.
pub fn request(folder: &Path, holder: &Holder, wanted: &Wanted) -> anyhow::Result<String> {
    let tls = matches!(holder, Holder::Node | Holder::Public);
    ensure!(
        !tls || !wanted.hosts.is_empty(),
        "a TLS certificate names the hosts it is for: add --host NAME, as often as needed"
    );
    let file = holder.requested(folder);
    private_folder(folder)?;
    private_folder(&folder.join("requests"))?;
    if !file.exists() {
        write(&file, SigningKey::generate().to_pkcs8_pem().as_bytes(), 0o600)?;
    }
    let key = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let pair = KeyPair::from_pem(&key).with_context(|| format!("{} holds no key", file.display()))?;
    let mut params = CertificateParams::new(wanted.hosts.clone()).context("a host's name cannot be used")?;
    params.distinguished_name = name(holder, wanted);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    match holder {
        Holder::Node => {
            params.extended_key_usages = vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ];
        }
        Holder::Public => params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        Holder::Seal(_) | Holder::Signer(_) => params.key_usages.push(KeyUsagePurpose::ContentCommitment),
    }
    let made = params
        .serialize_request(&pair)
        .context("the request cannot be made")?;
    Ok(made.pem()?)
}

fn name(holder: &Holder, wanted: &Wanted) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "VN");
    let organisation = match holder {
        Holder::Seal(org) => Some(org.to_string()),
        _ => wanted.organisation.clone(),
    };
    if let Some(organisation) = organisation {
        name.push(DnType::OrganizationName, organisation.as_str());
        name.push(
            DnType::CustomDnType(ORGANISATION_IDENTIFIER.to_vec()),
            organisation,
        );
    }
    let own = match holder {
        Holder::Seal(org) => org.to_string(),
        Holder::Signer(account) => account.clone(),
        Holder::Node | Holder::Public => wanted.hosts.first().cloned().unwrap_or_default(),
    };
    let shown = if wanted.common_name.is_empty() {
        own
    } else {
        wanted.common_name.clone()
    };
    name.push(DnType::CommonName, shown);
    name
}
