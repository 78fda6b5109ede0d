//! A node's keys on disk: its own TLS identity, the seals of its organisations, the signatures of
//! its officials. Never sends a key anywhere, and refuses a key file that others may read.
//!
//! `node.key` and `node.pem`, `seals/H56.key` and `seals/H56.pem`, `signers/ACCOUNT.key` and
//! `signers/ACCOUNT.pem`; a `.pem` holds the certificate and then its issuers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kernel::OrgCode;
use seal::key::Identity;

/// Why a folder of keys cannot be read or written; never carries a key.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct KeyringFault {
    /// The file or folder at fault.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl KeyringFault {
    fn of(path: &Path, why: impl std::fmt::Display) -> Self {
        Self {
            path: path.to_owned(),
            why: why.to_string(),
        }
    }
}

/// A node's keys.
#[derive(Clone)]
pub struct Keyring {
    /// The node's TLS identity.
    pub node: Identity,
    /// The seals of the organisations it hosts.
    pub seals: BTreeMap<OrgCode, Identity>,
    /// The signatures of its officials, by account id.
    pub signers: BTreeMap<String, Identity>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seals, signers) = (self.seals.len(), self.signers.len());
        write!(f, "Keyring({seals} seals, {signers} signers)")
    }
}

impl Keyring {
    /// Reads a folder.
    ///
    /// # Errors
    /// When a file is missing, unreadable or open to others, when a key does not fit its
    /// certificate, or when a seal's certificate names another organisation than its file.
    pub fn read_folder(folder: &Path) -> Result<Self, KeyringFault> {
        let node = read_identity(folder, "node")?;
        let mut seals = BTreeMap::new();
        for name in names(&folder.join("seals"))? {
            let path = folder.join("seals").join(&name);
            let code: OrgCode = name
                .parse()
                .map_err(|_| KeyringFault::of(&path, "no organisation code"))?;
            let seal = read_identity(&folder.join("seals"), &name)?;
            if seal.certificate.organisation().as_deref() != Some(code.as_str()) {
                return Err(KeyringFault::of(
                    &path,
                    "the certificate names another organisation",
                ));
            }
            seals.insert(code, seal);
        }
        let mut signers = BTreeMap::new();
        for name in names(&folder.join("signers"))? {
            let signer = read_identity(&folder.join("signers"), &name)?;
            signers.insert(name, signer);
        }
        Ok(Self { node, seals, signers })
    }

    /// Writes a folder; key files are for their owner alone.
    ///
    /// # Errors
    /// When a file cannot be written, or an account id is no file name.
    pub fn write_folder(&self, folder: &Path) -> Result<(), KeyringFault> {
        for sub in [folder.to_owned(), folder.join("seals"), folder.join("signers")] {
            make_private_folder(&sub).map_err(|e| KeyringFault::of(&sub, e))?;
        }
        write_identity(folder, "node", &self.node)?;
        for (code, seal) in &self.seals {
            write_identity(&folder.join("seals"), code.as_str(), seal)?;
        }
        for (account, signer) in &self.signers {
            write_identity(&folder.join("signers"), account, signer)?;
        }
        Ok(())
    }
}

/// Names with a key file in a folder, in order; none when there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>, KeyringFault> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| KeyringFault::of(folder, e))? {
        let entry = entry.map_err(|e| KeyringFault::of(folder, e))?;
        if let Some(name) = entry.file_name().to_str().and_then(|n| n.strip_suffix(".key")) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn read_identity(folder: &Path, name: &str) -> Result<Identity, KeyringFault> {
    let (key, chain) = (
        folder.join(format!("{name}.key")),
        folder.join(format!("{name}.pem")),
    );
    refuse_open_key(&key)?;
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| KeyringFault::of(path, e));
    Identity::from_pem(&read(&key)?, &read(&chain)?).map_err(|e| KeyringFault::of(&key, e))
}

fn write_identity(folder: &Path, name: &str, identity: &Identity) -> Result<(), KeyringFault> {
    let safe = !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_@".contains(&b));
    if !safe {
        return Err(KeyringFault::of(folder, "an account id is no file name"));
    }
    let files = [
        (format!("{name}.pem"), identity.chain_pem()),
        (format!("{name}.key"), identity.key.to_pkcs8_pem()),
    ];
    for (file, text) in files {
        let path = folder.join(file);
        write_private(&path, text.as_bytes()).map_err(|e| KeyringFault::of(&path, e))?;
    }
    Ok(())
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn refuse_open_key(path: &Path) -> Result<(), KeyringFault> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = std::fs::metadata(path).map_err(|e| KeyringFault::of(path, e))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(KeyringFault::of(path, "others may read this key: chmod 600"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_key(_: &Path) -> Result<(), KeyringFault> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use seal::{Authority, Profile, Subject};

    fn keyring() -> Keyring {
        let ca = Authority::new("Trial root", testkit::START).expect("a root");
        let issue = |profile, name: &str, organisation: Option<&str>, serial: u8| {
            let subject = Subject {
                common_name: name.to_owned(),
                organisation: organisation.map(str::to_owned),
                position: None,
            };
            ca.issue(profile, &subject, testkit::START, 365, [serial; 16])
                .expect("issued")
        };
        let names = vec!["localhost".to_owned()];
        let code: OrgCode = "H56".parse().expect("a code");
        Keyring {
            node: issue(Profile::Node { names }, "province", None, 1),
            seals: [(code, issue(Profile::OrganisationSeal, "UBND", Some("H56"), 2))].into(),
            signers: [(
                "chairman-1".to_owned(),
                issue(Profile::PersonalSignature, "Chairman", Some("H56"), 3),
            )]
            .into(),
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let (dir, ring) = (testkit::TempDir::new(), keyring());
        ring.write_folder(dir.path()).expect("written");
        ring.write_folder(dir.path()).expect("written again");
        let read = Keyring::read_folder(dir.path()).expect("read");
        assert_eq!(read.node.certificate, ring.node.certificate);
        assert!(read.seals.keys().eq(ring.seals.keys()));
        assert!(read.signers.keys().eq(ring.signers.keys()));
        let message = b"x";
        let signature = read.signers["chairman-1"].key.sign_raw(message);
        assert!(
            ring.signers["chairman-1"]
                .certificate
                .verify_raw(message, &signature)
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = testkit::TempDir::new();
        keyring().write_folder(dir.path()).expect("written");
        let key = dir.path().join("seals/H56.key");
        let mode = std::fs::metadata(&key).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("set");
        let fault = Keyring::read_folder(dir.path()).expect_err("refused");
        assert_eq!(fault.path, key);
    }

    #[test]
    fn a_seal_of_another_organisation_is_refused() {
        let dir = testkit::TempDir::new();
        keyring().write_folder(dir.path()).expect("written");
        let seals = dir.path().join("seals");
        for end in ["key", "pem"] {
            std::fs::rename(seals.join(format!("H56.{end}")), seals.join(format!("G15.{end}")))
                .expect("moved");
        }
        assert!(Keyring::read_folder(dir.path()).is_err());
    }

    #[test]
    fn an_account_id_cannot_lead_out_of_the_folder() {
        let dir = testkit::TempDir::new();
        for id in ["../x", "a/b", "", ".hidden"] {
            let mut ring = keyring();
            let signer = ring.signers.pop_first().expect("one").1;
            ring.signers.insert(id.to_owned(), signer);
            assert!(ring.write_folder(dir.path()).is_err(), "{id}");
        }
    }

    #[test]
    fn a_keyring_shows_no_key_in_a_log() {
        assert_eq!(format!("{:?}", keyring()), "Keyring(1 seals, 1 signers)");
    }
}
