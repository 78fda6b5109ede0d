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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::request::{Wanted, request};
    use crate::serve::secrets::Secrets;
    use kernel::{OrgCode, World};
    use rcgen::KeyUsagePurpose;
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, IsCa, KeyPair,
    };
    use std::path::PathBuf;

    const DAY_MS: i64 = 86_400_000;

    struct Office {
        folder: PathBuf,
        root: CertifiedIssuer<'static, KeyPair>,
        now: Time,
    }

    impl Office {
        fn new() -> Self {
            let world = World::of_this_machine();
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            params.not_before = world.now().plus_ms(-DAY_MS * 400).utc();
            params.not_after = world.now().plus_ms(DAY_MS * 400).utc();
            let key = KeyPair::generate().expect("a key");
            Self {
                folder: std::env::temp_dir().join(format!("sen-keys-{}", world.id())),
                root: CertifiedIssuer::self_signed(params, key).expect("a root"),
                now: world.now(),
            }
        }

        fn trust(&self) -> Trust {
            Trust::of(vec![
                Certificate::from_pem(&self.root.pem()).expect("the root reads"),
            ])
        }

        /// What the authority answers to a request.
        fn answer(&self, request: &str, from_days: i64, to_days: i64) -> String {
            let mut asked = CertificateSigningRequestParams::from_pem(request).expect("a request");
            asked.params.not_before = self.now.plus_ms(from_days * DAY_MS).utc();
            asked.params.not_after = self.now.plus_ms(to_days * DAY_MS).utc();
            asked.signed_by(&self.root).expect("signed").pem()
        }

        fn ask(&self, holder: &Holder) -> String {
            let wanted = Wanted {
                hosts: match holder {
                    Holder::Node | Holder::Public => vec!["127.0.0.1".to_owned()],
                    _ => Vec::new(),
                },
                ..Wanted::default()
            };
            request(&self.folder, holder, &wanted).expect("a request")
        }

        fn install(&self, pem: &str) -> anyhow::Result<Installed> {
            install(&self.folder, pem, &self.trust(), self.now)
        }
    }

    impl Drop for Office {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.folder).ok();
        }
    }

    fn seal() -> Holder {
        Holder::Seal("H56".parse().expect("a code"))
    }

    #[test]
    fn a_node_starts_with_the_certificates_of_an_outside_authority() {
        let office = Office::new();
        for holder in [Holder::Node, seal()] {
            let done = office
                .install(&office.answer(&office.ask(&holder), -1, 90))
                .expect("installed");
            assert_eq!(done.holder, holder);
            assert!(
                !holder.requested(&office.folder).exists(),
                "the request is done with"
            );
        }
        let tenants: Vec<OrgCode> = vec!["H56".parse().expect("a code")];
        let ring = ring::read(
            &office.folder,
            &Secrets::default(),
            &tenants,
            &office.trust(),
            office.now,
        );
        assert_eq!(ring.expect("the keys of a node").seals.len(), 1);
    }

    #[test]
    fn a_renewed_certificate_takes_the_place_of_the_old_one_only_when_it_came() {
        let office = Office::new();
        let first = office
            .install(&office.answer(&office.ask(&Holder::Node), -1, 90))
            .expect("installed");
        let again = office.ask(&Holder::Node);
        let waiting = || fs::read_to_string(Holder::Node.requested(&office.folder)).expect("a key waits");
        let key = waiting();
        office.ask(&Holder::Node);
        assert_eq!(
            key,
            waiting(),
            "one key waits, however often its request is printed"
        );
        let in_use = fs::read_to_string(Holder::Node.certificate(&office.folder)).expect("in use");
        assert_eq!(in_use, first.certificate.pem());
        let second = office
            .install(&office.answer(&again, -1, 180))
            .expect("installed");
        assert_ne!(
            first.certificate.public_key_point(),
            second.certificate.public_key_point()
        );
    }

    #[test]
    fn an_expired_a_strange_and_a_misused_certificate_are_refused() {
        let office = Office::new();
        let refused = |pem: &str| office.install(pem).expect_err("refused").to_string();
        let request = office.ask(&seal());
        assert!(refused(&office.answer(&request, -90, -1)).contains("expired"));
        assert!(refused(&office.answer(&request, 1, 90)).contains("clock"));
        let stranger = Office::new();
        assert!(refused(&stranger.answer(&stranger.ask(&seal()), -1, 90)).contains("no key in"));
        assert!(refused(&stranger.answer(&request, -1, 90)).contains("keys.trusted"));
        assert!(refused("no certificate").contains("no key in"));
        office
            .install(&office.answer(&request, -1, 90))
            .expect("the right one");
    }
}
