//! By what one instance of the exchange is known to another: its name, where its directory is asked for and
//! by whose signature it is believed. Pure. Never trusted by its own word: its hash is compared by another
//! way, and a person says so.

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::certificate::{Certificate, Trust, Usage};
use seal::jws::{self, PublicKey};
use seal::key::Identity;
use serde::{Deserialize, Serialize};

use crate::registration::names;
use crate::snapshot::{self, Snapshot};

/// The type of the signed token.
const TYPE: &str = "sen-directory-anchor";
/// The version that this release writes.
const VERSION: u32 = 1;
/// Size of a signed anchor, in bytes.
pub(crate) const ANCHOR_BYTES_MAX: usize = 64 * 1024;
/// Addresses in one anchor, count.
const URLS_MAX: usize = 4;
/// Roots in one anchor, count.
const ROOTS_MAX: usize = 16;
/// Hexadecimal digits that are read out in one breath, count.
const GROUP: usize = 4;

/// What a hub says of its own instance; its name is the SHA-256 of its canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The version of its form.
    pub v: u32,
    /// The instance: `LA`.
    pub instance: String,
    /// The organisation that publishes its directory.
    #[schema(value_type = String)]
    pub hub: OrgCode,
    /// Where the directory is asked for: `https://portal.example`, and below it `/directory/head`.
    pub urls: Vec<String>,
    /// The certificate by which the directory is believed, then its issuers if any, PEM.
    pub certificate_pem: String,
    /// Roots of that certificate, and of the addresses that begin with `https`, PEM.
    pub roots: Vec<String>,
}

impl Anchor {
    /// What a hub says of the instance whose directory it publishes.
    #[must_use]
    pub fn of(snapshot: &Snapshot, hub: &Identity, urls: Vec<String>) -> Self {
        Self {
            v: VERSION,
            instance: snapshot.hub.instance().to_owned(),
            hub: snapshot.hub.clone(),
            urls,
            certificate_pem: hub.chain_pem(),
            roots: snapshot.anchors.clone(),
        }
    }

    fn text(&self) -> Result<String, Problem> {
        kernel::digest::canonical_json(self).map_err(Problem::internal)
    }

    /// Its name: what two operators compare by telephone. The same as long as it says the same.
    ///
    /// # Errors
    /// Never for an anchor; the error is serde's.
    pub fn hash(&self) -> Result<Digest, Problem> {
        Ok(Digest::of(self.text()?.as_bytes()))
    }

    /// The signed form.
    ///
    /// # Errors
    /// Never for an anchor; the error is serde's.
    pub fn sign(&self, hub: &Identity) -> Result<String, Problem> {
        let text = self.text()?;
        Ok(jws::sign_by_certificate(
            TYPE,
            &hub.certificate,
            text.as_bytes(),
            &hub.key,
        ))
    }

    /// Reads a signed anchor: whole, of one meaning, and signed with the key that it names. That this is
    /// the right key is what its hash is compared for.
    ///
    /// # Errors
    /// 422 `anchor-unreadable` at `anchor`.
    pub fn read(token: &str) -> Result<Self, Problem> {
        if token.len() > ANCHOR_BYTES_MAX {
            return Err(unreadable("too long"));
        }
        let payload = jws::peek(token).map_err(unreadable)?;
        let anchor: Self = serde_json::from_slice(&payload).map_err(unreadable)?;
        let certificate = anchor.certificate().map_err(unreadable)?;
        let (key, name) = (
            PublicKey::from_certificate(&certificate).map_err(unreadable)?,
            jws::thumbprint_text(&certificate),
        );
        let key_of = |asked: &str| (asked == name).then(|| key.clone());
        jws::verify(token, TYPE, key_of).map_err(unreadable)?;
        if anchor.text()?.as_bytes() != payload {
            return Err(unreadable("written in another way"));
        }
        anchor.check(&certificate)?;
        Ok(anchor)
    }

    fn check(&self, certificate: &Certificate) -> Result<(), Problem> {
        if self.v != VERSION {
            return Err(unreadable("another version"));
        }
        if self.hub.instance() != self.instance
            || certificate.organisation().as_deref() != Some(self.hub.as_str())
        {
            return Err(unreadable("its certificate names another organisation"));
        }
        if !(1..=URLS_MAX).contains(&self.urls.len()) || !(1..=ROOTS_MAX).contains(&self.roots.len()) {
            return Err(unreadable("no address, no root, or too many"));
        }
        for url in &self.urls {
            names::url("anchor", url).map_err(unreadable)?;
            if url.ends_with('/') {
                return Err(unreadable("an address with a slash at its end"));
            }
        }
        for root in self.trust()?.anchors {
            if !root.is_authority() {
                return Err(unreadable("a root that is none"));
            }
        }
        Ok(())
    }

    /// The certificate by which the directory is believed.
    ///
    /// # Errors
    /// When it is no certificate.
    pub fn certificate(&self) -> Result<Certificate, Problem> {
        snapshot::certificate(&self.certificate_pem)
    }

    fn trust(&self) -> Result<Trust, Problem> {
        let roots = self.roots.iter().map(|pem| names::certificate("anchor", pem));
        Ok(Trust::of(roots.collect::<Result<_, _>>().map_err(unreadable)?))
    }

    /// Refuses an anchor by which nothing could be believed now, or of the instance itself that reads it.
    ///
    /// # Errors
    /// 409 `anchor-own-instance`; 422 `anchor-over` at `anchor`.
    pub fn may_be_trusted(&self, own: &str, now: Time) -> Result<(), Problem> {
        if self.instance == own {
            return Err(Problem::new(Kind::Conflict, "anchor-own-instance")
                .with("instance", own)
                .at("anchor"));
        }
        let (leaf, issuers) = snapshot::chain(&self.certificate_pem)?;
        let path = self.trust()?.path(&leaf, &issuers, now, Usage::Seal);
        path.map_err(|fault| {
            Problem::invalid("anchor", "anchor-over")
                .with("day", kernel::time::iso(leaf.not_after().date()))
                .because(fault)
        })
    }
}

/// A digest as it is read out by telephone: `1A2B 3C4D …`.
#[must_use]
pub fn readable(digest: &Digest) -> String {
    let hex = digest.hex().to_ascii_uppercase();
    let mut out = String::with_capacity(hex.len() + hex.len() / GROUP);
    for (at, digit) in hex.chars().enumerate() {
        if at > 0 && at % GROUP == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Reads a digest in whatever groups and letters somebody wrote it down.
#[must_use]
pub fn written(text: &str) -> Option<Digest> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    Digest::parse(&plain.to_ascii_lowercase())
}

fn unreadable(why: impl std::fmt::Display) -> Problem {
    Problem::invalid("anchor", "anchor-unreadable").because(why)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;

    /// The anchor of a nation, signed.
    pub(crate) fn anchor(nation: &Nation, url: &str) -> (Anchor, String) {
        let anchor = Anchor::of(&nation.snapshot(1), &nation.hub, vec![url.to_owned()]);
        let token = anchor.sign(&nation.hub).expect("signed");
        (anchor, token)
    }

    #[test]
    fn an_anchor_reads_back_and_keeps_its_hash_however_often_it_is_signed() {
        let nation = Nation::of("LA");
        let (first, token) = anchor(&nation, "http://hub.example");
        let (_, again) = anchor(&nation, "http://hub.example");
        let read = Anchor::read(&token).expect("read");
        assert_eq!((&read, read.instance.as_str()), (&first, "LA"));
        let (one, two) = (read.hash(), Anchor::read(&again).expect("read").hash());
        assert_eq!(one.expect("a hash"), two.expect("a hash"));
        assert!(read.may_be_trusted("VN", testkit::START).is_ok());
    }

    #[test]
    fn an_anchor_that_is_bent_or_signed_by_another_key_is_refused() {
        let (nation, other) = (Nation::of("LA"), Nation::of("LA"));
        let (good, token) = anchor(&nation, "http://hub.example");
        let refused = |token: &str| Anchor::read(token).expect_err("refused").code;
        assert_eq!(
            refused(&good.sign(&other.hub).expect("signed")),
            "anchor-unreadable"
        );
        for at in (0..token.len()).step_by(7) {
            let mut bent = token.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).expect("text");
            assert!(bent == token || Anchor::read(&bent).is_err(), "bent at {at}");
        }
        for change in [
            |a: &mut Anchor| a.instance = "KH".to_owned(),
            |a: &mut Anchor| a.urls.clear(),
            |a: &mut Anchor| a.urls = vec!["ftp://hub.example".to_owned()],
            |a: &mut Anchor| a.urls = vec!["http://hub.example/".to_owned()],
            |a: &mut Anchor| a.roots.clear(),
            |a: &mut Anchor| a.v = 2,
        ] {
            let mut bad = good.clone();
            change(&mut bad);
            assert_eq!(
                refused(&bad.sign(&nation.hub).expect("signed")),
                "anchor-unreadable"
            );
        }
    }

    #[test]
    fn an_anchor_of_our_own_instance_or_out_of_its_term_is_not_trusted() {
        let (anchor, _) = anchor(&Nation::of("LA"), "http://hub.example");
        let refused = |own: &str, now| anchor.may_be_trusted(own, now).expect_err("refused").code;
        assert_eq!(refused("LA", testkit::START), "anchor-own-instance");
        assert_eq!(
            refused("VN", testkit::START.plus_ms(400 * 86_400_000)),
            "anchor-over"
        );
    }

    #[test]
    fn a_hash_is_read_out_in_groups_of_four_and_written_down_in_any() {
        let digest = Digest::of(b"x");
        let told = readable(&digest);
        assert_eq!((told.len(), told.split(' ').count()), (79, 16));
        assert_eq!(written(&told.to_lowercase()), Some(digest));
        assert_eq!(written(&digest.hex()), Some(digest));
        assert_eq!(written("1A2B"), None);
    }
}
