//! An old checkpoint against the log of today: whoever kept one learns whether what it was signed over is
//! still there, record for record. Reads files only; never takes the log's own word for its past.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use seal::certificate::Trust;
use seal::jws;
use seal::merkle::{Frontier, leaf_hash};
use seal::verdict::{Indication, Verdict};
use serde_json::Value;
use store::log::checkpoint::Checkpoint;
use store::log::files;

use super::folder::{self, Signer};

/// Checkpoints that somebody kept.
pub(super) struct Old {
    file: String,
    tokens: Vec<(String, Checkpoint)>,
}

impl Old {
    /// Reads a file of tokens, one a line, or the answer of `GET /api/v1/exchange/checkpoints`.
    ///
    /// # Errors
    /// When it cannot be read, or holds none.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
        let answer: Option<Value> = serde_json::from_str(&text).ok();
        let token = answer.as_ref().and_then(|answer| answer["token"].as_str());
        let lines = token.unwrap_or(&text).lines().map(str::trim);
        let mut tokens = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let said = jws::peek(line).ok();
            let said = said.and_then(|said| serde_json::from_slice(&said).ok());
            let said = said.with_context(|| format!("{file} is no checkpoint of a log"))?;
            tokens.push((line.to_owned(), said));
        }
        anyhow::ensure!(!tokens.is_empty(), "{file} holds no checkpoint");
        Ok(Self { file, tokens })
    }

    /// Checks them against the logs that a path names: one log, a node's folder or a nation's.
    ///
    /// # Errors
    /// When the path is none of these, or one is of no log there.
    pub(super) fn folder(&self, path: &Path, trust: &Trust) -> anyhow::Result<Verdict> {
        if !folder::has_segments(path) {
            let nodes = folder::nodes_of(path)?.into_iter();
            return self.nodes(nodes.map(|folder| (folder.join("keys"), folder)), trust);
        }
        // A log alone: there is no certificate to check a signature by.
        let found = self.tokens.iter().map(|(_, said)| match self.covers(path, said) {
            Ok(doubt) => doubt.unwrap_or_else(|| unknown(said)),
            Err(bad) => bad,
        });
        found.reduce(worst).context("one at least")
    }

    /// Checks them against nodes, each given by the folder of its keys and its own.
    ///
    /// # Errors
    /// When one is of no log there.
    pub(super) fn nodes(
        &self,
        nodes: impl Iterator<Item = (PathBuf, PathBuf)>,
        trust: &Trust,
    ) -> anyhow::Result<Verdict> {
        let mut seen: Vec<Option<Verdict>> = vec![None; self.tokens.len()];
        for (keys, folder) in nodes {
            let (certificate, chain) = match folder::own(&folder, &keys) {
                Ok(own) => own,
                Err(bad) => return Ok(bad),
            };
            let signer = Signer::of(&certificate, &chain, &folder);
            for ((token, said), seen) in self.tokens.iter().zip(&mut seen) {
                if seen.is_none() && made(&signer, token, said, &folder) {
                    let found = self.signed(&folder, (token, said), &signer, trust);
                    *seen = Some(found.unwrap_or_else(|bad| bad));
                }
            }
        }
        let mut all = None;
        for ((_, said), seen) in self.tokens.iter().zip(seen) {
            let (origin, stream) = (&said.origin, &said.stream);
            let found =
                seen.with_context(|| format!("{} is of {stream} of {origin}, which is not here", self.file))?;
            all = Some(match all {
                Some(before) => worst(before, found),
                None => found,
            });
        }
        all.context("one at least")
    }

    /// By a node's certificate: the signature, and what it was made over.
    fn signed(
        &self,
        node: &Path,
        (token, said): (&str, &Checkpoint),
        signer: &Signer<'_>,
        trust: &Trust,
    ) -> Result<Verdict, Verdict> {
        let undecided = folder::signed(token, &self.file, signer, trust)?;
        let doubt = self.covers(&node.join("logs").join(&said.stream), said)?;
        let passed = || Verdict::passed(signer.certificate.common_name(), said.at);
        Ok(doubt.or(undecided).unwrap_or_else(passed))
    }

    /// Whether a log begins with what it was made over; gives why that cannot be told.
    fn covers(&self, dir: &Path, said: &Checkpoint) -> Result<Option<Verdict>, Verdict> {
        let failed = |why: String| Verdict::failed(why, format!("{} against {}", dir.display(), self.file));
        let (mut tree, mut begins) = (Frontier::new(), None);
        let read: Result<(), (u64, String)> = files::each(dir, |position, bytes| {
            begins.get_or_insert(position);
            if tree.len() < said.size {
                tree.push(leaf_hash(bytes));
            }
            Ok(())
        });
        read.map_err(|(position, why)| failed(format!("record {position}: {why}")))?;
        let size = said.size;
        if let Some(first) = begins.filter(|first| *first > 0) {
            let why = format!("the log begins at record {first}: what was before is in its archives");
            return Ok(Some(Verdict::indeterminate(why).by(&said.origin, Some(said.at))));
        }
        if tree.len() < size {
            let records = tree.len();
            return Err(failed(format!(
                "the log has {records} records, the checkpoint {size}"
            )));
        }
        if tree.root() != said.root {
            let why = format!("the first {size} records are not those that the checkpoint was signed over");
            return Err(failed(why));
        }
        Ok(None)
    }
}

/// The log is what it was, but whose word the checkpoint is cannot be told.
fn unknown(said: &Checkpoint) -> Verdict {
    Verdict::indeterminate("NO_CERTIFICATE_CHAIN_FOUND").by(&said.origin, Some(said.at))
}

/// Whether a checkpoint names a node's certificate, or one that it had; in one of an earlier release the node
/// itself.
fn made(signer: &Signer<'_>, token: &str, said: &Checkpoint, folder: &Path) -> bool {
    match jws::certificate_named(token) {
        Some(named) if named == signer.certificate.thumbprint() => true,
        Some(named) => {
            let former = signer.kept.get(&named);
            former.is_some_and(|former| former.common_name() == signer.certificate.common_name())
        }
        None => folder
            .file_name()
            .is_some_and(|name| name == said.origin.as_str()),
    }
}

/// What failed beats what is undecided, and that what passed.
pub(super) fn worst(one: Verdict, other: Verdict) -> Verdict {
    if one.is_passed() || other.indication == Indication::TotalFailed {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Time, World};
    use seal::authority::{Authority, Profile, Subject};
    use seal::key::Identity;

    use super::*;

    const RECORDS: [&[u8]; 4] = [b"one", b"two", b"three", b"four"];

    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    /// A node's folder with a certificate and these records of evidence.
    fn node(identity: &Identity, records: &[&[u8]]) -> Folder {
        let name = format!("sen-old-{}", World::of_this_machine().id());
        let folder = std::env::temp_dir().join(name);
        let log = folder.join("logs/evidence-0");
        fs::create_dir_all(&log).expect("a folder");
        fs::create_dir_all(folder.join("keys")).expect("a folder");
        fs::write(folder.join("keys/node.pem"), identity.chain_pem()).expect("written");
        let bytes = files::segment(records.iter().copied());
        fs::write(log.join("00000000000000000000.seg"), bytes).expect("written");
        Folder(folder)
    }

    fn identity(ca: &Authority, serial: u8) -> Identity {
        let subject = Subject {
            common_name: "ministry".to_owned(),
            organisation: None,
            position: None,
        };
        let names = vec!["127.0.0.1".to_owned()];
        let issued = ca.issue(Profile::Node { names }, &subject, Time(0), 365, [serial; 16]);
        issued.expect("issued")
    }

    /// A checkpoint over the first so many of some records, kept in a file.
    fn kept(at: &Folder, identity: &Identity, records: &[&[u8]]) -> Old {
        let mut tree = Frontier::new();
        for record in records {
            tree.push(leaf_hash(record));
        }
        let said = Checkpoint {
            origin: "ministry".to_owned(),
            stream: "evidence-0".to_owned(),
            size: records.len() as u64,
            root: tree.root(),
            at: Time(1_000),
        };
        let text = kernel::digest::canonical_json(&said).expect("json");
        let name = jws::thumbprint_text(&identity.certificate);
        let token = jws::sign(store::log::checkpoint::TYP, &name, text.as_bytes(), &identity.key);
        let file = at.0.join("old.jws");
        fs::write(&file, format!("{token}\n")).expect("written");
        let old = Old::read(&file).expect("read");
        let answer = serde_json::json!({"size": said.size, "token": token}).to_string();
        fs::write(&file, answer).expect("written");
        assert_eq!(Old::read(&file).expect("an answer of the API").tokens, old.tokens);
        old
    }

    #[test]
    fn a_log_that_was_rewritten_or_cut_fails_against_an_old_checkpoint_and_one_that_grew_does_not() {
        let ca = Authority::new("Gốc (mẫu)", Time(0)).expect("a root");
        let identity = identity(&ca, 1);
        let trust = Trust::default();
        let grown = node(&identity, &RECORDS);
        let old = kept(&grown, &identity, &RECORDS[..2]);
        let found = old.folder(&grown.0, &trust).expect("checked");
        assert!(found.is_passed(), "{found:?}");
        assert_eq!(found.signed_at, Some(Time(1_000)));
        // The log alone: it is the same, but nobody says whose word the checkpoint is.
        let alone = old
            .folder(&grown.0.join("logs/evidence-0"), &trust)
            .expect("checked");
        assert_eq!(alone.indication, Indication::Indeterminate, "{alone:?}");
        let rewritten = node(&identity, &[RECORDS[0], b"TWO", RECORDS[2], RECORDS[3]]);
        let cut = node(&identity, &RECORDS[..1]);
        for changed in [&rewritten, &cut] {
            for path in [changed.0.clone(), changed.0.join("logs/evidence-0")] {
                let found = old.folder(&path, &trust).expect("checked");
                assert_eq!(found.indication, Indication::TotalFailed, "{found:?}");
            }
        }
        // What was not signed at all says nothing of records behind it.
        let later = kept(&grown, &identity, &[]);
        assert!(later.folder(&cut.0, &trust).expect("checked").is_passed());
    }

    #[test]
    fn a_checkpoint_of_another_node_or_with_a_word_changed_is_told() {
        let ca = Authority::new("Gốc (mẫu)", Time(0)).expect("a root");
        let (own, other) = (identity(&ca, 1), identity(&ca, 2));
        let here = node(&own, &RECORDS);
        let old = kept(&here, &other, &RECORDS[..2]);
        assert!(old.folder(&here.0, &Trust::default()).is_err(), "of no log here");
        let mut old = kept(&here, &own, &RECORDS[..2]);
        let forged = kept(&here, &own, &RECORDS[..3]);
        let (head, tail) = (&old.tokens[0].0, &forged.tokens[0].0);
        let mut parts: Vec<&str> = head.split('.').collect();
        parts[1] = tail.split('.').nth(1).expect("what it says");
        let token = parts.join(".");
        old.tokens = vec![(token, forged.tokens[0].1.clone())];
        let found = old.folder(&here.0, &Trust::default()).expect("checked");
        assert_eq!(found.indication, Indication::TotalFailed, "{found:?}");
        let file = here.0.join("none");
        fs::write(&file, "no token").expect("written");
        assert!(Old::read(&file).is_err());
    }
}
