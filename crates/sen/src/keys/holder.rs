//! Whose key it is, and where it stands in the folder of keys. Never a key itself.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use kernel::OrgCode;

/// Who holds a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The node: TLS with other nodes, checkpoints of its logs.
    Node,
    /// The portal's TLS.
    Public,
    /// An organisation's seal.
    Seal(OrgCode),
    /// An official's signature, by account id.
    Signer(String),
}

impl Holder {
    /// Reads `node`, `public`, `seal CODE`, `signer ACCOUNT`.
    ///
    /// # Errors
    /// When it is none of them: the message says what may be written.
    pub fn parse(kind: &str, whose: Option<&str>) -> anyhow::Result<Self> {
        match (kind, whose) {
            ("node", None) => Ok(Self::Node),
            ("public", None) => Ok(Self::Public),
            ("seal", Some(code)) => {
                let code = code.parse();
                Ok(Self::Seal(code.map_err(|e| {
                    anyhow::anyhow!("an organisation's code is written as H56: {e}")
                })?))
            }
            ("signer", Some(account)) => {
                let safe = |b: u8| b.is_ascii_alphanumeric() || b".-_@".contains(&b);
                ensure!(
                    !account.starts_with('.') && !account.is_empty() && account.bytes().all(safe),
                    "an account's id has letters, digits and . - _ @ only: `sen account add` prints it"
                );
                Ok(Self::Signer(account.to_owned()))
            }
            _ => anyhow::bail!("whose key? `node`, `public`, `seal CODE` or `signer ACCOUNT`"),
        }
    }

    /// The key's name among credentials and requests: `node`, `seal-H56`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Node => "node".to_owned(),
            Self::Public => "public".to_owned(),
            Self::Seal(org) => format!("seal-{org}"),
            Self::Signer(account) => format!("signer-{account}"),
        }
    }

    /// The key of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name.split_once('-') {
            Some(("seal", code)) => Self::parse("seal", Some(code)).ok(),
            Some(("signer", account)) => Self::parse("signer", Some(account)).ok(),
            _ => Self::parse(name, None).ok(),
        }
    }

    fn stem(&self, folder: &Path) -> PathBuf {
        match self {
            Self::Node => folder.join("node"),
            Self::Public => folder.join("public"),
            Self::Seal(org) => folder.join("seals").join(org.as_str()),
            Self::Signer(account) => folder.join("signers").join(account),
        }
    }

    /// Its private key.
    #[must_use]
    pub fn key(&self, folder: &Path) -> PathBuf {
        with_end(self.stem(folder), "key")
    }

    /// Its certificate and issuers.
    #[must_use]
    pub fn certificate(&self, folder: &Path) -> PathBuf {
        with_end(self.stem(folder), "pem")
    }

    /// The private key of a request that waits for its certificate.
    #[must_use]
    pub fn requested(&self, folder: &Path) -> PathBuf {
        with_end(folder.join("requests").join(self.name()), "key")
    }
}

/// `with_extension` would cut an account's id at its last point.
fn with_end(stem: PathBuf, end: &str) -> PathBuf {
    let mut path = stem.into_os_string();
    path.push(".");
    path.push(end);
    PathBuf::from(path)
}

/// The holders that have a file with an end in a folder of keys.
///
/// # Errors
/// When a folder cannot be read.
pub fn holders(folder: &Path, end: &str) -> anyhow::Result<Vec<Holder>> {
    let mut found = Vec::new();
    for single in [Holder::Node, Holder::Public] {
        if with_end(single.stem(folder), end).is_file() {
            found.push(single);
        }
    }
    for (sub, kind) in [("seals", "seal"), ("signers", "signer")] {
        for name in names(&folder.join(sub), end)? {
            let holder = Holder::parse(kind, Some(&name));
            found.push(holder.with_context(|| format!("{}/{name}.{end}", folder.join(sub).display()))?);
        }
    }
    Ok(found)
}

/// The stems of files with an end in a folder, in order; none when there is no such folder.
pub(super) fn names(folder: &Path, end: &str) -> anyhow::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let end = format!(".{end}");
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|e| e.file_name().to_str()?.strip_suffix(&end).map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_written_and_read_back() {
        for (kind, whose) in [
            ("node", None),
            ("public", None),
            ("seal", Some("H56")),
            ("signer", Some("a.b")),
        ] {
            let holder = Holder::parse(kind, whose).expect("a holder");
            assert_eq!(Holder::of_name(&holder.name()), Some(holder));
        }
        for (kind, whose) in [
            ("seal", None),
            ("node", Some("x")),
            ("signer", Some("../x")),
            ("other", None),
        ] {
            assert!(Holder::parse(kind, whose).is_err(), "{kind} {whose:?}");
        }
        let dotted = Holder::parse("signer", Some("a.b")).expect("a holder");
        assert!(dotted.key(Path::new("k")).ends_with("signers/a.b.key"));
    }
}
