//! Who takes part in the exchange, where, and with which certificates: one document, signed by the
//! hub. Never trusted before [`read`] has checked the hub's signature and the document's own sense.

use std::collections::BTreeSet;

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::certificate::{Certificate, Trust, Usage};
use seal::jws::{self, PublicKey};
use seal::key::Identity;
use serde::{Deserialize, Serialize};

use crate::anchor::Anchor;
use crate::authorities::{AuthorityEntry, NodeIssued};

/// The type of the signed token.
pub const TYPE: &str = seal::asice::DIRECTORY_TYPE;

/// The whole directory at a serial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Snapshot {
    /// Grows with every publication.
    pub serial: u64,
    /// When it was published, milliseconds.
    #[schema(value_type = i64)]
    pub issued: Time,
    /// Who published it.
    #[schema(value_type = String)]
    pub hub: OrgCode,
    /// The machines.
    pub nodes: Vec<NodeEntry>,
    /// The organisations.
    pub members: Vec<MemberEntry>,
    /// Their systems.
    pub systems: Vec<SystemEntry>,
    /// What the systems offer.
    pub services: Vec<ServiceEntry>,
    /// Roots of all certificates, PEM.
    pub anchors: Vec<String>,
    /// Timestamp services.
    pub timestamp_authorities: Vec<TimestampEntry>,
    /// Certificates that are good no more.
    pub revoked: Vec<Revoked>,
    /// Certificates that count beside the first one of a node or a member: while a new one takes the
    /// place of an old one, both do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Further>,
    /// Systems that are stopped, and those that were here and are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<Stopped>,
    /// Members that take part in no exchange for a time; what they agreed stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disabled: Vec<DisabledMember>,
    /// Classes of members; who stands in none of them is of the first, [`GOVERNMENT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassEntry>,
    /// Groups of systems, of any members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupEntry>,
    /// Other instances of the exchange that are trusted, each by its anchor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<InstanceEntry>,
    /// What is said of roots, and of authorities that stand between a root and certificates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<AuthorityEntry>,
    /// Who issued the nodes' certificates, as far as it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_certificates: Vec<NodeIssued>,
}

/// Instances that one directory trusts, count.
const INSTANCES_MAX: usize = 32;

/// The class of every member that stands in no other.
pub const GOVERNMENT: &str = "GOV";

/// A further certificate of a node or of a member's seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Further {
    /// Of a node.
    Node {
        /// Its id.
        node: String,
        /// SHA-256 of the certificate.
        #[schema(value_type = String)]
        certificate: Digest,
    },
    /// Of a member's seal.
    Seal {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// The certificate, then its issuers if any.
        certificate_pem: String,
        /// When another one took its place as the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<i64>)]
        replaced: Option<Time>,
    },
}

/// A system that may neither call nor be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stopped {
    /// Whose.
    #[schema(value_type = String)]
    pub org: OrgCode,
    /// Its code within the organisation.
    pub system: String,
    /// True when it was deleted; false when it is disabled for a time.
    pub deleted: bool,
}

/// A member whose calls are refused, and that nobody calls, until it is enabled again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DisabledMember {
    /// Who.
    #[schema(value_type = String)]
    pub org: OrgCode,
    /// Since when, milliseconds.
    #[schema(value_type = i64)]
    pub since: Time,
    /// Why.
    pub reason: String,
}

/// A class of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClassEntry {
    /// Its code, `COM`.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Who is of it.
    #[schema(value_type = Vec<String>)]
    pub members: Vec<OrgCode>,
}

/// A group of systems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GroupEntry {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Who is in it, `H56/one-stop`.
    pub systems: Vec<String>,
}

/// Another instance of the exchange that is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InstanceEntry {
    /// Its identifier: `LA`.
    pub instance: String,
    /// Its anchor, as its hub signed it.
    pub anchor: String,
    /// The anchor's hash, which the operators of the two hubs compared.
    #[schema(value_type = String)]
    pub hash: Digest,
    /// Since when, milliseconds.
    #[schema(value_type = i64)]
    pub since: Time,
    /// Why.
    pub reason: String,
}

/// A machine that hosts organisations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NodeEntry {
    /// Its id.
    pub id: String,
    /// Where other nodes reach it, `host:port`.
    pub peer: String,
    /// SHA-256 of its TLS certificate.
    #[schema(value_type = String)]
    pub certificate: Digest,
}

/// An organisation that takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MemberEntry {
    /// Its code.
    #[schema(value_type = String)]
    pub org: OrgCode,
    /// Its name.
    pub name: String,
    /// The node that hosts it.
    pub node: String,
    /// The certificate of its seal, then its issuers if any.
    pub certificate_pem: String,
}

/// A system of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SystemEntry {
    /// Whose.
    #[schema(value_type = String)]
    pub org: OrgCode,
    /// Its code within the organisation.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A service of a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServiceEntry {
    /// Whose.
    #[schema(value_type = String)]
    pub org: OrgCode,
    /// The system that offers it.
    pub system: String,
    /// Its code within the system.
    pub code: String,
    /// What it does, in Vietnamese.
    pub title: String,
}

/// A timestamp service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TimestampEntry {
    /// Where it listens.
    pub url: String,
    /// Its certificate.
    pub certificate_pem: String,
}

/// A certificate that is good no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Revoked {
    /// SHA-256 of the certificate.
    #[schema(value_type = String)]
    pub thumbprint: Digest,
    /// Since when, milliseconds.
    #[schema(value_type = i64)]
    pub at: Time,
    /// Why.
    pub reason: String,
    /// The address of the authority's own list on which the hub found it; none when a person said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Snapshot {
    /// A directory of nobody, before the first publication.
    #[must_use]
    pub const fn empty(hub: OrgCode) -> Self {
        Self {
            serial: 0,
            issued: Time(0),
            hub,
            nodes: Vec::new(),
            members: Vec::new(),
            systems: Vec::new(),
            services: Vec::new(),
            anchors: Vec::new(),
            timestamp_authorities: Vec::new(),
            revoked: Vec::new(),
            further: Vec::new(),
            stopped: Vec::new(),
            disabled: Vec::new(),
            classes: Vec::new(),
            groups: Vec::new(),
            instances: Vec::new(),
            authorities: Vec::new(),
            node_certificates: Vec::new(),
        }
    }

    /// The instance of the exchange whose directory it is.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.hub.instance()
    }

    /// The entry of a member.
    #[must_use]
    pub fn member(&self, org: &OrgCode) -> Option<&MemberEntry> {
        self.members.iter().find(|m| m.org == *org)
    }

    /// The entry of a node.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&NodeEntry> {
        self.nodes.iter().find(|n| n.id == id)
    }

    /// The entry of a system.
    #[must_use]
    pub fn system(&self, org: &OrgCode, code: &str) -> Option<&SystemEntry> {
        self.systems.iter().find(|s| s.org == *org && s.code == code)
    }

    /// The class of a member.
    #[must_use]
    pub fn class_of(&self, org: &OrgCode) -> &str {
        let of = self.classes.iter().find(|class| class.members.contains(org));
        of.map_or(GOVERNMENT, |class| &class.code)
    }

    /// That a member is disabled, and why; none when it is not.
    #[must_use]
    pub fn disabled_member(&self, org: &OrgCode) -> Option<&DisabledMember> {
        self.disabled.iter().find(|entry| entry.org == *org)
    }

    /// The further certificates of a node.
    pub fn further_of_node<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Digest> {
        self.further.iter().filter_map(move |further| match further {
            Further::Node { node, certificate } => (node == id).then_some(certificate),
            Further::Seal { .. } => None,
        })
    }

    /// The further certificates of a member's seal, PEM.
    pub fn further_of_seal<'a>(&'a self, whose: &'a OrgCode) -> impl Iterator<Item = &'a str> {
        self.further.iter().filter_map(move |further| match further {
            Further::Seal {
                org, certificate_pem, ..
            } => (org == whose).then_some(certificate_pem.as_str()),
            Further::Node { .. } => None,
        })
    }

    /// True when two snapshots say the same, serial and time of issue aside.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let (serial, issued) = (self.serial, self.issued);
        *self
            == Self {
                serial,
                issued,
                ..other.clone()
            }
    }

    /// The roots and what is revoked.
    ///
    /// # Errors
    /// When a root is no certificate.
    pub fn trust(&self) -> Result<Trust, Problem> {
        let mut trust = Trust::default();
        for pem in &self.anchors {
            trust.anchors.push(certificate(pem)?);
        }
        trust.revoked = self.revoked.iter().map(|r| r.thumbprint).collect();
        self.limit(&mut trust);
        Ok(trust)
    }

    /// Refuses a directory that contradicts itself: a name twice, a member without its node, a
    /// certificate of another organisation or without a path to a root.
    ///
    /// # Errors
    /// 422 `directory-unsound`, the fault as its cause.
    pub fn check(&self) -> Result<(), Problem> {
        let nodes: BTreeSet<&str> = self.nodes.iter().map(|n| n.id.as_str()).collect();
        let mut certificates: BTreeSet<&Digest> = self.nodes.iter().map(|n| &n.certificate).collect();
        let members: BTreeSet<&OrgCode> = self.members.iter().map(|m| &m.org).collect();
        let systems: BTreeSet<(&OrgCode, &str)> =
            self.systems.iter().map(|s| (&s.org, s.code.as_str())).collect();
        let services: BTreeSet<_> = self
            .services
            .iter()
            .map(|s| (&s.org, &s.system, &s.code))
            .collect();
        if nodes.len() != self.nodes.len() || certificates.len() != self.nodes.len() {
            return Err(unsound("a node twice"));
        }
        for further in &self.further {
            match further {
                Further::Node { node, certificate } => {
                    if !nodes.contains(node.as_str()) || !certificates.insert(certificate) {
                        return Err(unsound(format!("{node}: a certificate twice or of no node")));
                    }
                }
                Further::Seal { org, .. } if !members.contains(org) => {
                    return Err(unsound(format!("a certificate of {org}, which is no member")));
                }
                Further::Seal { .. } => {}
            }
        }
        let disabled: BTreeSet<&OrgCode> = self.disabled.iter().map(|d| &d.org).collect();
        if disabled.len() != self.disabled.len() || !disabled.is_subset(&members) {
            return Err(unsound("a disabled member twice, or of no member"));
        }
        if members.len() != self.members.len() || systems.len() != self.systems.len() {
            return Err(unsound("a member or a system twice"));
        }
        if services.len() != self.services.len() {
            return Err(unsound("a service twice"));
        }
        if let Some(s) = self.systems.iter().find(|s| !members.contains(&s.org)) {
            return Err(unsound(format!("{}/{} of no member", s.org, s.code)));
        }
        if let Some(s) = self
            .services
            .iter()
            .find(|s| !systems.contains(&(&s.org, s.system.as_str())))
        {
            return Err(unsound(format!("{}/{}/{} of no system", s.org, s.system, s.code)));
        }
        // What is revoked still has to be sound: it stays listed until it is replaced.
        let trust = Trust {
            revoked: BTreeSet::new(),
            ..self.trust()?
        };
        self.check_instances()?;
        self.check_authorities()?;
        for member in &self.members {
            if member.org.instance() != self.instance() {
                return Err(unsound(format!("{} of another instance", member.org)));
            }
            if !nodes.contains(member.node.as_str()) {
                return Err(unsound(format!("{} at no node", member.org)));
            }
            let first = std::iter::once(member.certificate_pem.as_str());
            for pem in first.chain(self.further_of_seal(&member.org)) {
                self.check_seal(&member.org, pem, &trust)?;
            }
        }
        Ok(())
    }

    /// Another instance is there once, by an anchor of its own.
    fn check_instances(&self) -> Result<(), Problem> {
        let mut seen = BTreeSet::from([self.instance()]);
        if self.instances.len() > INSTANCES_MAX {
            return Err(unsound("too many instances"));
        }
        for entry in &self.instances {
            let anchor = Anchor::read(&entry.anchor).map_err(unsound)?;
            let whole = anchor.instance == entry.instance && anchor.hash()? == entry.hash;
            if !whole || !seen.insert(&entry.instance) {
                return Err(unsound(format!(
                    "{}: an anchor twice or of another",
                    entry.instance
                )));
            }
        }
        Ok(())
    }

    /// A seal's certificate names its organisation and leads to a root. One that is over stays listed
    /// until it is replaced, and its seal is refused wherever it is met: it must not keep the hub from
    /// saying anything else.
    fn check_seal(&self, org: &OrgCode, pem: &str, trust: &Trust) -> Result<(), Problem> {
        let (seal, issuers) = chain(pem)?;
        if seal.organisation().as_deref() != Some(org.as_str()) {
            return Err(unsound(format!("{org}: another organisation's certificate")));
        }
        let at = self.issued.min(seal.not_after());
        trust
            .path(&seal, &issuers, at, Usage::Seal)
            .map_err(|fault| unsound(format!("{org}: {fault}")))
    }

    /// The signed form.
    ///
    /// # Errors
    /// Never for a snapshot; the error is serde's.
    pub fn sign(&self, hub: &Identity) -> Result<String, Problem> {
        let payload = kernel::digest::canonical_json(self).map_err(Problem::internal)?;
        Ok(jws::sign_by_certificate(
            TYPE,
            &hub.certificate,
            payload.as_bytes(),
            &hub.key,
        ))
    }
}

/// Checks a signed snapshot against the hub's certificate and against itself.
///
/// # Errors
/// 422 `directory-seal-broken` when it is not the hub's; `directory-unsound` when it contradicts
/// itself.
pub fn read(token: &str, hub: &Certificate) -> Result<Snapshot, Problem> {
    let key = PublicKey::from_certificate(hub).map_err(broken)?;
    let name = jws::thumbprint_text(hub);
    let payload = jws::verify(token, TYPE, |asked| (asked == name).then(|| key.clone())).map_err(broken)?;
    let snapshot: Snapshot = serde_json::from_slice(&payload).map_err(unsound)?;
    if hub.organisation().as_deref() != Some(snapshot.hub.as_str()) {
        return Err(broken("the hub names itself otherwise than its certificate"));
    }
    if snapshot.issued < hub.not_before() || snapshot.issued > hub.not_after() {
        return Err(broken("issued outside the time of the hub's certificate"));
    }
    snapshot.check()?;
    Ok(snapshot)
}

/// The first certificate of a PEM text.
pub(crate) fn certificate(pem: &str) -> Result<Certificate, Problem> {
    chain(pem).map(|(leaf, _)| leaf)
}

/// A certificate and its issuers, from one PEM text.
pub(crate) fn chain(pem: &str) -> Result<(Certificate, Vec<Certificate>), Problem> {
    let mut all = Certificate::list_from_pem(pem).map_err(unsound)?.into_iter();
    let leaf = all.next().ok_or_else(|| unsound("no certificate"))?;
    Ok((leaf, all.collect()))
}

fn broken(why: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Invalid, "directory-seal-broken").because(why)
}

pub(crate) fn unsound(why: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Invalid, "directory-unsound").because(why)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use seal::{Authority, Profile, Subject};

    /// A small nation: a root, a hub, one member and one node.
    pub(crate) struct Nation {
        pub(crate) ca: Authority,
        pub(crate) hub: Identity,
        pub(crate) member: Identity,
        pub(crate) node: Identity,
    }

    impl Nation {
        pub(crate) fn new() -> Self {
            Self::of(kernel::codes::INSTANCE)
        }

        /// A nation of another instance, with the same codes.
        pub(crate) fn of(instance: &str) -> Self {
            let ca = Authority::new("Trial root", testkit::START).expect("a root");
            let names = vec!["localhost".to_owned()];
            let code = |code| OrgCode::of_instance(instance, code).expect("a code").to_string();
            Self {
                hub: issue(&ca, Profile::OrganisationSeal, &code("G22"), 1),
                member: issue(&ca, Profile::OrganisationSeal, &code("G01"), 2),
                node: issue(&ca, Profile::Node { names }, &code("G01"), 3),
                ca,
            }
        }

        /// Whose a certificate is.
        fn code(identity: &Identity) -> OrgCode {
            let organisation = identity.certificate.organisation().expect("an organisation");
            organisation.parse().expect("a code")
        }

        pub(crate) fn snapshot(&self, serial: u64) -> Snapshot {
            let member = |identity: &Identity| MemberEntry {
                org: Self::code(identity),
                name: Self::code(identity).within().to_owned(),
                node: "ministry".to_owned(),
                certificate_pem: identity.chain_pem(),
            };
            Snapshot {
                serial,
                issued: testkit::START,
                nodes: vec![NodeEntry {
                    id: "ministry".to_owned(),
                    peer: "127.0.0.1:8101".to_owned(),
                    certificate: self.node.certificate.thumbprint(),
                }],
                members: vec![member(&self.hub), member(&self.member)],
                systems: vec![SystemEntry {
                    org: Self::code(&self.member),
                    code: "population".to_owned(),
                    name: "Dân cư".to_owned(),
                }],
                anchors: vec![self.ca.certificate().pem()],
                ..Snapshot::empty(Self::code(&self.hub))
            }
        }
    }

    pub(crate) fn issue(ca: &Authority, profile: Profile, organisation: &str, serial: u8) -> Identity {
        let subject = Subject {
            common_name: format!("Trial {organisation}"),
            organisation: Some(organisation.to_owned()),
            position: None,
        };
        ca.issue(profile, &subject, testkit::START, 365, [serial; 16])
            .expect("issued")
    }

    fn code(answer: Result<Snapshot, Problem>) -> &'static str {
        answer.expect_err("refused").code
    }

    #[test]
    fn a_snapshot_is_read_when_the_hub_signed_it() {
        let nation = Nation::new();
        let snapshot = nation.snapshot(1);
        let token = snapshot.sign(&nation.hub).expect("signed");
        assert_eq!(read(&token, &nation.hub.certificate).expect("read"), snapshot);
    }

    #[test]
    fn a_snapshot_signed_by_another_key_is_refused() {
        let nation = Nation::new();
        let token = nation.snapshot(1).sign(&nation.member).expect("signed");
        assert_eq!(
            code(read(&token, &nation.hub.certificate)),
            "directory-seal-broken"
        );
        // Another key under the hub's own name.
        let thief = Identity {
            key: seal::SigningKey::generate(),
            ..nation.hub.clone()
        };
        let token = nation.snapshot(1).sign(&thief).expect("signed");
        assert_eq!(
            code(read(&token, &nation.hub.certificate)),
            "directory-seal-broken"
        );
    }

    #[test]
    fn an_altered_snapshot_is_refused_at_every_letter() {
        let nation = Nation::new();
        let token = nation.snapshot(1).sign(&nation.hub).expect("signed");
        for at in (0..token.len()).step_by(token.len() / 60) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bytes).expect("text");
            assert_eq!(
                code(read(&bent, &nation.hub.certificate)),
                "directory-seal-broken"
            );
        }
    }

    #[test]
    fn a_snapshot_that_contradicts_itself_is_refused_even_when_signed() {
        let nation = Nation::new();
        let good = nation.snapshot(1);
        let mut foreign = good.clone();
        foreign.members[1].certificate_pem = nation.hub.chain_pem();
        let mut twice = good.clone();
        twice.nodes.push(twice.nodes[0].clone());
        let mut nowhere = good.clone();
        nowhere.members[1].node = "nowhere".to_owned();
        let mut rootless = good.clone();
        rootless.anchors.clear();
        let mut unowned = good;
        unowned.systems[0].org = "G15".parse().expect("a code");
        for bad in [foreign, twice, nowhere, rootless, unowned] {
            let token = bad.sign(&nation.hub).expect("signed");
            assert_eq!(code(read(&token, &nation.hub.certificate)), "directory-unsound");
        }
    }

    #[test]
    fn a_directory_of_before_there_were_groups_and_further_certificates_still_reads() {
        let nation = Nation::new();
        let good = nation.snapshot(1);
        let json = kernel::digest::canonical_json(&good).expect("json");
        for later in [
            "further",
            "stopped",
            "classes",
            "groups",
            "authorities",
            "node_certificates",
        ] {
            assert!(
                !json.contains(&format!("\"{later}\"")),
                "{later} is said only when there is some"
            );
        }
        let (hub, key) = (&nation.hub.certificate, &nation.hub.key);
        let token = jws::sign_by_certificate(TYPE, hub, json.as_bytes(), key);
        assert_eq!(read(&token, hub).expect("read"), good);
        // And a node of before reads what says more: it passes over what it does not know.
        let more = json.replacen("{", "{\"a_part_of_later\":[{\"x\":1}],", 1);
        let token = jws::sign_by_certificate(TYPE, hub, more.as_bytes(), key);
        assert_eq!(read(&token, hub).expect("read"), good);
    }

    #[test]
    fn a_seal_that_is_over_does_not_keep_the_hub_from_publishing() {
        let nation = Nation::new();
        let mut late = nation.snapshot(1);
        late.issued = nation.member.certificate.not_after().plus_ms(86_400_000);
        assert!(late.check().is_ok());
        late.members[1].certificate_pem = nation.hub.chain_pem();
        assert!(late.check().is_err(), "but another's still does");
    }

    #[test]
    fn serial_and_time_are_not_part_of_what_is_said() {
        let nation = Nation::new();
        let (one, mut two) = (nation.snapshot(1), nation.snapshot(2));
        assert!(one.says_the_same(&two));
        two.nodes[0].peer = "127.0.0.1:1".to_owned();
        assert!(!one.says_the_same(&two));
    }
}
