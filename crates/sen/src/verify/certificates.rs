//! The certificates by which a node's folder is checked: those of the directory on disk, and those that the
//! node kept from before a renewal. A kept one is believed for its path to a root at the instant it was
//! used, never for lying there.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use directory::Snapshot;
use directory::anchor::Anchor;
use directory::snapshot::InstanceEntry;
use kernel::{Digest, OrgCode, Time};
use seal::certificate::{Certificate, PathFault, Trust, Usage};
use store::Blobs;

use crate::backup::site::hub_of;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The certificates among a node's blobs.
pub(super) struct Kept {
    blobs: PathBuf,
    seen: RefCell<HashMap<Digest, Option<Certificate>>>,
}

impl Kept {
    pub(super) fn of(node: &Path) -> Self {
        Self {
            blobs: node.join("blobs"),
            seen: RefCell::default(),
        }
    }

    /// Those of an archive.
    pub(super) fn these(certificates: &[Certificate]) -> Self {
        let seen = certificates
            .iter()
            .map(|one| (one.thumbprint(), Some(one.clone())));
        Self {
            blobs: PathBuf::new(),
            seen: RefCell::new(seen.collect()),
        }
    }

    pub(super) fn get(&self, thumbprint: &Digest) -> Option<Certificate> {
        let mut seen = self.seen.borrow_mut();
        let look = || Certificate::from_der(&Blobs::look(&self.blobs, thumbprint)?).ok();
        seen.entry(*thumbprint).or_insert_with(look).clone()
    }
}

/// What one instance of the exchange says of its own members' seals.
#[derive(Default)]
struct Side {
    /// Those that its directory lists today.
    members: HashMap<Digest, Certificate>,
    /// The issuers beside them.
    issuers: Vec<Certificate>,
    /// Its roots, and those of whoever checks.
    roots: Trust,
    /// Since when a certificate is good no more.
    revoked: HashMap<Digest, Time>,
}

impl Side {
    fn of(snapshot: &Snapshot, trust: &Trust) -> anyhow::Result<Self> {
        let (mut members, mut issuers) = (HashMap::new(), Vec::new());
        for member in &snapshot.members {
            let mut chain = Certificate::list_from_pem(&member.certificate_pem)?.into_iter();
            members.extend(chain.next().map(|seal| (seal.thumbprint(), seal)));
            issuers.extend(
                chain
                    .filter(|issuer| !issuers.contains(issuer))
                    .collect::<Vec<_>>(),
            );
        }
        Ok(Self {
            members,
            issuers,
            roots: roots(&snapshot.anchors, trust)?,
            revoked: snapshot.revoked.iter().map(|r| (r.thumbprint, r.at)).collect(),
        })
    }
}

fn roots(pems: &[String], trust: &Trust) -> anyhow::Result<Trust> {
    let mut all = Trust::of(trust.anchors.clone());
    for pem in pems {
        all.anchors.push(Certificate::from_pem(pem)?);
    }
    Ok(all)
}

/// What the messages of a node's evidence were sealed with.
pub(super) struct Sealers {
    /// By instance: the node's own, and those that its directory trusts.
    sides: HashMap<String, Side>,
    /// For an instance of which the folder says nothing: whom the one who checks trusts.
    others: Side,
    kept: Kept,
    /// The paths that were sought, by certificate and day.
    paths: RefCell<HashMap<(Digest, i64), Option<PathFault>>>,
}

/// A signed directory, checked against its hub's certificate.
fn read(hub: &str, token: &str) -> anyhow::Result<Snapshot> {
    let hub = Certificate::list_from_pem(hub)?;
    let hub = hub.first().context("the hub has no certificate")?;
    directory::snapshot::read(token, hub).map_err(|p| anyhow::anyhow!("directory.jws: {p}"))
}

fn anchor(entry: &InstanceEntry) -> anyhow::Result<Anchor> {
    Anchor::read(&entry.anchor).map_err(|p| anyhow::anyhow!("the anchor of {}: {p}", entry.instance))
}

/// A certificate, and why it is not known to have been good when it was used.
pub(super) type Found = (Certificate, Option<PathFault>);

impl Sealers {
    /// Reads the directory on disk, checked against the hub's certificate.
    pub(super) fn of(node: &Path, trust: &Trust) -> anyhow::Result<Self> {
        let hub = hub_of(node);
        let hub = std::fs::read_to_string(&hub).with_context(|| format!("cannot read {}", hub.display()))?;
        let token = std::fs::read_to_string(node.join("directory.jws"))?;
        let mut all = Self::by(&hub, &token, Kept::of(node), trust)?;
        for entry in &read(&hub, &token)?.instances {
            let kept = directory::instances::kept(node, entry);
            let kept = kept.map_err(|p| anyhow::anyhow!("the directory of {}: {p}", entry.instance))?;
            if let Some(snapshot) = kept {
                all.sides
                    .insert(entry.instance.clone(), Side::of(&snapshot, trust)?);
            }
        }
        Ok(all)
    }

    /// By a signed directory and the hub's certificate.
    pub(super) fn by(hub: &str, token: &str, kept: Kept, trust: &Trust) -> anyhow::Result<Self> {
        let snapshot = read(hub, token)?;
        let own = Side::of(&snapshot, trust)?;
        let mut sides = HashMap::from([(snapshot.instance().to_owned(), own)]);
        for entry in &snapshot.instances {
            let side = Side {
                roots: roots(&anchor(entry)?.roots, trust)?,
                ..Side::default()
            };
            sides.insert(entry.instance.clone(), side);
        }
        Ok(Self {
            sides,
            others: Side {
                roots: Trust::of(trust.anchors.clone()),
                ..Side::default()
            },
            kept,
            paths: RefCell::default(),
        })
    }

    /// The certificate by which a message of an organisation was sealed at an instant.
    ///
    /// # Errors
    /// When there is none, or it is another organisation's.
    pub(super) fn of_message(&self, org: &OrgCode, thumbprint: &Digest, at: Time) -> Result<Found, String> {
        let side = self.sides.get(org.instance()).unwrap_or(&self.others);
        let listed = side.members.get(thumbprint);
        let known = listed.cloned().or_else(|| self.kept.get(thumbprint));
        let certificate = known.ok_or("a message is sealed by a certificate that is not known")?;
        if certificate.organisation().as_deref() != Some(org.top().as_str()) {
            return Err(format!("a message of {org} is sealed by another organisation"));
        }
        // The hub vouches for what it lists; a certificate that was renewed speaks for itself.
        let fault = match listed {
            Some(_) => None,
            None => self.fault(side, &certificate, at),
        };
        Ok((certificate, fault))
    }

    fn fault(&self, side: &Side, certificate: &Certificate, at: Time) -> Option<PathFault> {
        let thumbprint = certificate.thumbprint();
        if side.revoked.get(&thumbprint).is_some_and(|since| *since <= at) {
            return Some(PathFault::Revoked);
        }
        if at < certificate.not_before() {
            return Some(PathFault::NotYetValid);
        }
        if at >= certificate.not_after().plus_ms(1000) {
            return Some(PathFault::Expired);
        }
        let path = || side.roots.path(certificate, &side.issuers, at, Usage::Seal).err();
        let mut paths = self.paths.borrow_mut();
        *paths.entry((thumbprint, at.ms() / DAY_MS)).or_insert_with(path)
    }
}

#[cfg(test)]
mod tests {
    use seal::authority::{Authority, Profile, Subject};
    use seal::key::Identity;

    use super::*;

    const NOW: Time = Time(1_795_226_400_000);

    fn issue(ca: &Authority, org: &str, serial: u8) -> Identity {
        let subject = Subject {
            common_name: org.to_owned(),
            organisation: Some(org.to_owned()),
            position: None,
        };
        ca.issue(Profile::OrganisationSeal, &subject, NOW, 30, [serial; 16])
            .expect("issued")
    }

    #[test]
    fn a_seal_is_believed_by_the_roots_of_its_own_instance_alone() {
        let authority = || Authority::new("Gốc mẫu", NOW).expect("a root");
        let (ours, theirs) = (authority(), authority());
        let (hub, other) = (issue(&ours, "G22", 1), issue(&theirs, "LA-X01", 2));
        let mut there = Snapshot::empty("LA-X01".parse().expect("a code"));
        there.anchors = vec![theirs.certificate().pem()];
        let anchor = Anchor::of(&there, &other, vec!["http://hub.example".to_owned()]);
        let mut here = Snapshot::empty("G22".parse().expect("a code"));
        (here.serial, here.issued) = (1, NOW);
        here.anchors = vec![ours.certificate().pem()];
        here.instances = vec![InstanceEntry {
            instance: "LA".to_owned(),
            hash: anchor.hash().expect("a hash"),
            anchor: anchor.sign(&other).expect("signed"),
            since: NOW,
            reason: "Hiệp định mẫu".to_owned(),
        }];
        let token = here.sign(&hub).expect("signed");
        let seals = [
            ("G01", issue(&ours, "G01", 3), true),
            ("LA-G01", issue(&theirs, "LA-G01", 4), true),
            ("G01", issue(&theirs, "G01", 5), false),
            ("LA-G01", issue(&ours, "LA-G01", 6), false),
        ];
        let kept: Vec<Certificate> = seals
            .iter()
            .map(|(_, seal, _)| seal.certificate.clone())
            .collect();
        let sealers = Sealers::by(
            &hub.certificate.pem(),
            &token,
            Kept::these(&kept),
            &Trust::default(),
        )
        .expect("read");
        for (org, seal, believed) in &seals {
            let org = org.parse().expect("a code");
            let found = sealers.of_message(&org, &seal.certificate.thumbprint(), NOW);
            let (_, fault) = found.expect("the organisation's own name");
            assert_eq!(fault.is_none(), *believed, "{org}: {fault:?}");
        }
        let stranger = issue(&theirs, "G01", 7).certificate.thumbprint();
        let nobody = "KH-G01".parse().expect("a code");
        assert!(sealers.of_message(&nobody, &stranger, NOW).is_err());
    }
}
