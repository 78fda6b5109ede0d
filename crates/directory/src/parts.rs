//! The directory as a node fetches it: a small signed head, renewed each minute, and the parts of the
//! signed snapshot, each named by the digest of its bytes, so that only what changed is fetched. Never a
//! second truth: what is put together is the very token that the hub signed, checked as ever.
//!
//! A part holds entries of one list that stand beside each other. Where one ends is decided by the
//! entries' own digests and not by their number, so that an entry that comes or goes changes its part
//! and no other.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::certificate::Certificate;
use seal::jws::{self, PublicKey};
use seal::key::Identity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The type of the signed head.
const TYPE: &str = "sen-directory-head";
/// Mean size of a part, in bytes.
const PART_BYTES: u64 = 16 * 1024;
/// Parts of one snapshot, count.
const PARTS_MAX: usize = 20_000;
/// Size of a part, or of the list of them, in bytes.
pub(crate) const PART_BYTES_MAX: usize = 4 << 20;
/// Size of a head, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 8 * 1024;
/// For how long the hub hands out a head before it signs one anew, in milliseconds.
pub(crate) const RESIGN_MS: i64 = 60_000;

/// What the hub says each minute: which snapshot counts, and how it is put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Who says it.
    pub(crate) hub: OrgCode,
    /// The snapshot's serial.
    pub(crate) serial: u64,
    /// When the hub said so.
    pub(crate) at: Time,
    /// The digest of the snapshot's signed form.
    pub(crate) snapshot: Digest,
    /// The digest of the list of its parts.
    pub(crate) index: Digest,
}

impl Head {
    /// The signed form.
    ///
    /// # Errors
    /// Never for a head; the error is serde's.
    pub(crate) fn sign(&self, hub: &Identity) -> Result<String, Problem> {
        let payload = kernel::digest::canonical_json(self).map_err(Problem::internal)?;
        Ok(jws::sign_by_certificate(
            TYPE,
            &hub.certificate,
            payload.as_bytes(),
            &hub.key,
        ))
    }

    /// Checks a signed head against the hub's certificate.
    ///
    /// # Errors
    /// 422 `directory-seal-broken` when it is not the hub's.
    pub(crate) fn read(token: &str, hub: &Certificate) -> Result<Self, Problem> {
        let key = PublicKey::from_certificate(hub).map_err(broken)?;
        let name = jws::thumbprint_text(hub);
        let key_of = |asked: &str| (asked == name).then(|| key.clone());
        let payload = jws::verify(token, TYPE, key_of).map_err(broken)?;
        let head: Self = serde_json::from_slice(&payload).map_err(broken)?;
        if hub.organisation().as_deref() != Some(head.hub.as_str()) {
            return Err(broken("the hub names itself otherwise than its certificate"));
        }
        if head.at < hub.not_before() || head.at > hub.not_after() {
            return Err(broken("signed outside the time of the hub's certificate"));
        }
        Ok(head)
    }
}

/// How a snapshot is put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// The hub's signature over the snapshot, its payload left out (RFC 7515, appendix F).
    signature: String,
    /// What is no list.
    rest: Map<String, Value>,
    /// The lists' parts in their order: the list and the part's digest.
    pub(crate) parts: Vec<(String, Digest)>,
}

impl Index {
    /// Reads the list of parts that a head names.
    ///
    /// # Errors
    /// 422 `directory-seal-broken` when it is another or too long.
    pub(crate) fn read(text: &str, name: &Digest) -> Result<Self, Problem> {
        let index: Self = serde_json::from_str(&checked(text.to_owned(), name)?).map_err(broken)?;
        if index.parts.len() > PARTS_MAX {
            return Err(broken("too many parts"));
        }
        Ok(index)
    }

    /// Puts the signed snapshot together; `part` gives the bytes of a part.
    ///
    /// # Errors
    /// 422 `directory-seal-broken` when a part is missing, another, or no list.
    pub(crate) fn put_together(&self, part: impl Fn(&Digest) -> Option<Arc<str>>) -> Result<String, Problem> {
        let mut whole = self.rest.clone();
        for (list, name) in &self.parts {
            let bytes = part(name).ok_or_else(|| broken("a part is missing"))?;
            let entries: Vec<Value> = serde_json::from_str(&bytes).map_err(broken)?;
            match whole.entry(list).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(all) => all.extend(entries),
                _ => return Err(broken("a list that is none")),
            }
        }
        let payload = kernel::digest::canonical_json(&Value::Object(whole)).map_err(Problem::internal)?;
        jws::attach(&self.signature, payload.as_bytes()).map_err(broken)
    }
}

/// A signed snapshot in parts.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The digest of the list of parts.
    pub(crate) index: Digest,
    /// The list and the parts, by their digests.
    bytes: HashMap<Digest, Arc<str>>,
}

impl Parts {
    /// Cuts a signed snapshot.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn of(token: &str) -> Result<Self, Problem> {
        let (signature, payload) = jws::detach(token).map_err(broken)?;
        let Value::Object(whole) = serde_json::from_slice(&payload).map_err(broken)? else {
            return Err(broken("no snapshot"));
        };
        let (mut rest, mut parts, mut bytes) = (Map::new(), Vec::new(), HashMap::new());
        for (field, value) in whole {
            match value {
                Value::Array(entries) if !entries.is_empty() => {
                    for part in cut(&entries)? {
                        let name = Digest::of(part.as_bytes());
                        bytes.insert(name, part.into());
                        parts.push((field.clone(), name));
                    }
                }
                other => {
                    rest.insert(field, other);
                }
            }
        }
        let index = Index {
            signature,
            rest,
            parts,
        };
        let text = kernel::digest::canonical_json(&index).map_err(Problem::internal)?;
        let index = Digest::of(text.as_bytes());
        bytes.insert(index, text.into());
        Ok(Self { index, bytes })
    }

    /// A part, or the list of them, by its digest.
    pub(crate) fn get(&self, name: &Digest) -> Option<Arc<str>> {
        self.bytes.get(name).cloned()
    }
}

/// The parts of one list.
fn cut(entries: &[Value]) -> Result<Vec<String>, Problem> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    for entry in entries {
        let text = kernel::digest::canonical_json(entry).map_err(Problem::internal)?;
        part.push(if part.is_empty() { '[' } else { ',' });
        part.push_str(&text);
        // A long entry ends a part oftener, so that parts are of one mean size whatever is in them.
        let mut first = [0_u8; 8];
        first.copy_from_slice(&Digest::of(text.as_bytes()).0[..8]);
        if u64::from_be_bytes(first) % PART_BYTES < text.len() as u64 {
            part.push(']');
            parts.push(std::mem::take(&mut part));
        }
    }
    if !part.is_empty() {
        part.push(']');
        parts.push(part);
    }
    Ok(parts)
}

/// Bytes that were fetched under a digest.
///
/// # Errors
/// 422 `directory-seal-broken` when they have another.
pub(crate) fn checked(text: String, name: &Digest) -> Result<String, Problem> {
    if Digest::of(text.as_bytes()) == *name {
        Ok(text)
    } else {
        Err(broken("a part is not what its digest says"))
    }
}

fn broken(why: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Invalid, "directory-seal-broken").because(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;
    use crate::snapshot::{ServiceEntry, Snapshot};

    fn many(nation: &Nation, services: usize) -> Snapshot {
        let mut snapshot = nation.snapshot(1);
        snapshot.services = (0..services)
            .map(|n| ServiceEntry {
                org: "G01".parse().expect("a code"),
                system: "population".to_owned(),
                code: format!("look-up-{n}"),
                title: format!("Tra cứu số {n}"),
            })
            .collect();
        snapshot
    }

    fn head(nation: &Nation) -> Head {
        Head {
            hub: "G22".parse().expect("a code"),
            serial: 7,
            at: testkit::START,
            snapshot: Digest::of(nation.hub.certificate.der()),
            index: Digest::of(b"i"),
        }
    }

    #[test]
    fn what_is_put_together_is_the_very_token_that_the_hub_signed() {
        let nation = Nation::new();
        for services in [0, 1, 3_000] {
            let token = many(&nation, services).sign(&nation.hub).expect("signed");
            let parts = Parts::of(&token).expect("cut");
            let index = parts.get(&parts.index).expect("the list");
            let index = Index::read(&index, &parts.index).expect("reads");
            let again = index.put_together(|name| parts.get(name)).expect("whole");
            assert_eq!(again, token);
        }
    }

    #[test]
    fn one_service_among_ten_thousand_changes_a_few_parts_of_many() {
        let nation = Nation::new();
        let mut snapshot = many(&nation, 10_000);
        let sign = |s: &Snapshot| Parts::of(&s.sign(&nation.hub).expect("signed")).expect("cut");
        let before = sign(&snapshot);
        snapshot.services.remove(5_000);
        snapshot.services[100].title = "Tên mới".to_owned();
        let after = sign(&snapshot);
        let new: Vec<_> = after
            .bytes
            .iter()
            .filter(|(name, _)| before.get(name).is_none())
            .collect();
        assert!(after.bytes.len() > 30, "{}", after.bytes.len());
        assert!(
            new.len() <= 5,
            "two parts, perhaps their neighbours, and the list"
        );
        let moved: usize = new.iter().map(|(_, part)| part.len()).sum();
        assert!(moved < 400_000, "{moved} bytes");
    }

    #[test]
    fn a_part_or_a_list_that_is_altered_in_any_byte_is_refused() {
        let nation = Nation::new();
        let token = many(&nation, 20).sign(&nation.hub).expect("signed");
        let parts = Parts::of(&token).expect("cut");
        let mut tried = 0;
        for (name, part) in &parts.bytes {
            for at in 0..part.len() {
                let mut bytes = part.as_bytes().to_vec();
                bytes[at] ^= 1;
                let bent = String::from_utf8_lossy(&bytes).into_owned();
                let refused = checked(bent, name).expect_err("refused");
                assert_eq!(refused.code, "directory-seal-broken");
                tried += 1;
            }
        }
        assert!(tried > 3_000, "{tried}");
    }

    #[test]
    fn a_head_of_another_key_or_altered_anywhere_is_refused() {
        let nation = Nation::new();
        let head = head(&nation);
        let token = head.sign(&nation.hub).expect("signed");
        assert!(token.len() < 700, "{} bytes", token.len());
        assert_eq!(Head::read(&token, &nation.hub.certificate).expect("reads"), head);
        let foreign = head.sign(&nation.member).expect("signed");
        let as_snapshot = nation.snapshot(1).sign(&nation.hub).expect("signed");
        let mut bent: Vec<String> = vec![foreign, as_snapshot];
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            bent.push(String::from_utf8(bytes).expect("text"));
        }
        for bad in bent {
            let refused = Head::read(&bad, &nation.hub.certificate).expect_err("refused");
            assert_eq!(refused.code, "directory-seal-broken");
        }
    }
}
