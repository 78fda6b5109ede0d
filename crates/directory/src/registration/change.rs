//! What is to become of the directory, as one enum, and what each change does to a snapshot. Pure:
//! never says who may, never signs and never publishes.

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::certificate::{Certificate, Usage};
use serde::{Deserialize, Serialize};

use super::names;
use crate::snapshot::{
    self, ClassEntry, Further, GOVERNMENT, GroupEntry, MemberEntry, NodeEntry, ServiceEntry, Snapshot,
    Stopped, SystemEntry, TimestampEntry,
};

/// Earlier certificates that stay good beside a new one, of one node or seal, count.
const FURTHER_MAX: usize = 2;
/// Services of one system that one change may name, count.
const SERVICES_MAX: usize = 500;

/// A service as its owner tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToldService {
    /// Its code within the system.
    pub code: String,
    /// What it does.
    pub title: String,
}

/// One change of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(
    tag = "change",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum Change {
    /// A system takes part.
    RegisterSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code within the organisation.
        system: String,
        /// Its name.
        name: String,
    },
    /// A system is called otherwise.
    RenameSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
        /// Its new name.
        name: String,
    },
    /// A system neither calls nor answers for a time.
    DisableSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
    },
    /// It does again.
    EnableSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
    },
    /// A system takes part no more; its services and its places in groups go with it.
    DeleteSystem {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
    },
    /// What a system offers, in the place of what the directory says.
    OfferServices {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its code.
        system: String,
        /// All its services.
        services: Vec<ToldService>,
    },
    /// A node is reached elsewhere.
    MoveNode {
        /// Its id.
        node: String,
        /// Where, `host:port`.
        peer: String,
    },
    /// A node has a new certificate; the one before stays good until it is dropped, revoked or over.
    CertifyNode {
        /// Its id.
        node: String,
        /// The certificate, then its issuers if any, PEM.
        certificate: String,
    },
    /// An earlier certificate of a node counts no more.
    DropNodeCertificate {
        /// Its id.
        node: String,
        /// SHA-256 of the certificate.
        #[schema(value_type = String)]
        thumbprint: Digest,
    },
    /// A member's seal has a new certificate; as with a node's, the one before stays good for a time.
    CertifySeal {
        /// Whose.
        #[schema(value_type = String)]
        org: OrgCode,
        /// The certificate, then its issuers if any, PEM.
        certificate: String,
    },
    /// An organisation takes part, at a node that is there or at a new one.
    Join {
        /// Its code.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its name.
        name: String,
        /// Its class.
        class: String,
        /// The certificate of its seal, then its issuers if any, PEM.
        certificate: String,
        /// The id of the node that hosts it.
        node: String,
        /// Where a new node is reached, `host:port`; empty for a node that is there.
        peer: String,
        /// The certificate of a new node, PEM; empty for a node that is there.
        node_certificate: String,
    },
    /// A member is called otherwise.
    RenameMember {
        /// Who.
        #[schema(value_type = String)]
        org: OrgCode,
        /// Its new name.
        name: String,
    },
    /// A member is of another class.
    ClassMember {
        /// Who.
        #[schema(value_type = String)]
        org: OrgCode,
        /// The class.
        class: String,
    },
    /// A member takes part no more; its systems and services go with it, and its node when nobody else is there.
    Leave {
        /// Who.
        #[schema(value_type = String)]
        org: OrgCode,
    },
    /// A class of members is new, or called otherwise.
    NameClass {
        /// Its code.
        class: String,
        /// Its name.
        name: String,
    },
    /// A root of certificates is trusted.
    TrustRoot {
        /// Its certificate, PEM.
        certificate: String,
    },
    /// A root is trusted no more.
    WithdrawRoot {
        /// SHA-256 of its certificate.
        #[schema(value_type = String)]
        thumbprint: Digest,
    },
    /// A timestamp service may be used.
    AddTimestamps {
        /// Where it listens.
        url: String,
        /// Its certificate, PEM.
        certificate: String,
    },
    /// A timestamp service is used no more.
    WithdrawTimestamps {
        /// Where it listens.
        url: String,
    },
    /// A group of systems is new, or called otherwise.
    NameGroup {
        /// Its code.
        group: String,
        /// Its name.
        name: String,
    },
    /// A group is no more.
    EndGroup {
        /// Its code.
        group: String,
    },
    /// A system comes into a group.
    AddToGroup {
        /// The group's code.
        group: String,
        /// The system, `H56/one-stop`.
        system: String,
    },
    /// A system leaves a group.
    RemoveFromGroup {
        /// The group's code.
        group: String,
        /// The system, `H56/one-stop`.
        system: String,
    },
}

impl Change {
    /// Its kind, as its JSON calls it: `register-system`.
    #[must_use]
    pub fn kind(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        let kind = json.get("change").and_then(|kind| kind.as_str());
        kind.unwrap_or_default().to_owned()
    }

    /// What facts and lists say it is about: `system/H56/one-stop`, `node/province`, `member/H56`.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::RegisterSystem { org, system, .. }
            | Self::RenameSystem { org, system, .. }
            | Self::DisableSystem { org, system }
            | Self::EnableSystem { org, system }
            | Self::DeleteSystem { org, system }
            | Self::OfferServices { org, system, .. } => format!("system/{org}/{system}"),
            Self::MoveNode { node, .. }
            | Self::CertifyNode { node, .. }
            | Self::DropNodeCertificate { node, .. } => format!("node/{node}"),
            Self::CertifySeal { org, .. }
            | Self::Join { org, .. }
            | Self::RenameMember { org, .. }
            | Self::ClassMember { org, .. }
            | Self::Leave { org } => format!("member/{org}"),
            Self::NameClass { class, .. } => format!("class/{class}"),
            Self::TrustRoot { certificate } => {
                let root = snapshot::certificate(certificate).map(|root| root.thumbprint());
                format!("root/{}", root.unwrap_or_default())
            }
            Self::WithdrawRoot { thumbprint } => format!("root/{thumbprint}"),
            Self::AddTimestamps { url, .. } | Self::WithdrawTimestamps { url } => format!("timestamps/{url}"),
            Self::NameGroup { group, .. }
            | Self::EndGroup { group }
            | Self::AddToGroup { group, .. }
            | Self::RemoveFromGroup { group, .. } => format!("group/{group}"),
        }
    }

    /// The organisation whose own thing it is; `None` for a node's.
    #[must_use]
    pub const fn owner(&self) -> Option<&OrgCode> {
        match self {
            Self::RegisterSystem { org, .. }
            | Self::RenameSystem { org, .. }
            | Self::DisableSystem { org, .. }
            | Self::EnableSystem { org, .. }
            | Self::DeleteSystem { org, .. }
            | Self::OfferServices { org, .. }
            | Self::CertifySeal { org, .. } => Some(org),
            _ => None,
        }
    }

    /// The node whose own thing it is.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::MoveNode { node, .. }
            | Self::CertifyNode { node, .. }
            | Self::DropNodeCertificate { node, .. } => Some(node),
            _ => None,
        }
    }

    /// True for what the hub may approve by itself when it is told to: systems and what they offer.
    /// Addresses and certificates always need a person.
    #[must_use]
    pub const fn may_be_automatic(&self) -> bool {
        matches!(
            self,
            Self::RegisterSystem { .. }
                | Self::RenameSystem { .. }
                | Self::DisableSystem { .. }
                | Self::EnableSystem { .. }
                | Self::DeleteSystem { .. }
                | Self::OfferServices { .. }
        )
    }

    /// Does what it says to a snapshot.
    ///
    /// # Errors
    /// 422 at the field that names something that is not there (`directory-no-entry`) or is badly
    /// written; 409 `directory-there` when the snapshot says so already.
    pub fn apply(&self, s: &mut Snapshot, now: Time) -> Result<(), Problem> {
        match self {
            Self::RegisterSystem { org, system, name } => register_system(s, org, system, name),
            Self::RenameSystem { org, system, name } => {
                let entry = s.systems.iter_mut().find(|e| e.org == *org && e.code == *system);
                let entry = entry.ok_or_else(|| no_entry("system"))?;
                rename(&mut entry.name, name)
            }
            Self::DisableSystem { org, system } => {
                s.system(org, system).ok_or_else(|| no_entry("system"))?;
                if stops(s, org, system) {
                    return Err(there("system"));
                }
                s.stopped.push(Stopped {
                    org: org.clone(),
                    system: system.clone(),
                    deleted: false,
                });
                Ok(())
            }
            Self::EnableSystem { org, system } => {
                s.system(org, system).ok_or_else(|| no_entry("system"))?;
                if !stops(s, org, system) {
                    return Err(there("system"));
                }
                s.stopped.retain(|e| !(e.org == *org && e.system == *system));
                Ok(())
            }
            Self::DeleteSystem { org, system } => {
                s.system(org, system).ok_or_else(|| no_entry("system"))?;
                delete_system(s, org, system);
                Ok(())
            }
            Self::OfferServices {
                org,
                system,
                services,
            } => offer(s, org, system, services),
            Self::MoveNode { node, peer } => {
                let entry = s.nodes.iter_mut().find(|n| n.id == *node);
                let entry = entry.ok_or_else(|| no_entry("node"))?;
                names::address("peer", peer)?;
                if entry.peer == *peer {
                    return Err(there("peer"));
                }
                entry.peer.clone_from(peer);
                Ok(())
            }
            Self::CertifyNode { node, certificate } => certify_node(s, node, certificate, now),
            Self::DropNodeCertificate { node, thumbprint } => {
                let before = s.further.len();
                s.further
                    .retain(|f| !matches!(f, Further::Node { node: of, certificate } if of == node && certificate == thumbprint));
                if s.further.len() == before {
                    return Err(no_entry("thumbprint"));
                }
                Ok(())
            }
            Self::CertifySeal { org, certificate } => certify_seal(s, org, certificate, now),
            _ => self.apply_of_the_hub(s, now),
        }
    }

    /// What only the hub says.
    fn apply_of_the_hub(&self, s: &mut Snapshot, now: Time) -> Result<(), Problem> {
        match self {
            Self::Join { .. } => self.join(s, now),
            Self::RenameMember { org, name } => {
                let entry = s.members.iter_mut().find(|m| m.org == *org);
                rename(&mut entry.ok_or_else(|| no_entry("org"))?.name, name)
            }
            Self::ClassMember { org, class } => {
                s.member(org).ok_or_else(|| no_entry("org"))?;
                set_class(s, org, class)
            }
            Self::Leave { org } => leave(s, org),
            Self::NameClass { class, name } => {
                names::upper("class", class)?;
                let entry = s.classes.iter_mut().find(|e| e.code == *class);
                if let Some(entry) = entry {
                    return rename(&mut entry.name, name);
                }
                names::name("name", name)?;
                s.classes.push(ClassEntry {
                    code: class.clone(),
                    name: name.clone(),
                    members: Vec::new(),
                });
                Ok(())
            }
            Self::TrustRoot { certificate } => {
                let root = names::certificate("certificate", certificate)?;
                if !root.is_authority() || root.not_after() <= now {
                    return Err(bad_certificate("certificate"));
                }
                if known_root(s, &root.thumbprint()) {
                    return Err(there("certificate"));
                }
                s.anchors.push(root.pem());
                Ok(())
            }
            Self::WithdrawRoot { thumbprint } => {
                if !known_root(s, thumbprint) {
                    return Err(no_entry("thumbprint"));
                }
                s.anchors.retain(|pem| thumbprint_of(pem) != Some(*thumbprint));
                s.check()
                    .map_err(|e| Problem::new(Kind::Conflict, "directory-needed").because(e))
            }
            Self::AddTimestamps { url, certificate } => add_timestamps(s, url, certificate, now),
            Self::WithdrawTimestamps { url } => {
                let before = s.timestamp_authorities.len();
                s.timestamp_authorities.retain(|t| t.url != *url);
                (s.timestamp_authorities.len() < before)
                    .then_some(())
                    .ok_or_else(|| no_entry("url"))
            }
            _ => self.apply_to_groups(s),
        }
    }

    fn apply_to_groups(&self, s: &mut Snapshot) -> Result<(), Problem> {
        match self {
            Self::NameGroup { group, name } => {
                names::code("group", group)?;
                if let Some(entry) = s.groups.iter_mut().find(|g| g.code == *group) {
                    return rename(&mut entry.name, name);
                }
                names::name("name", name)?;
                s.groups.push(GroupEntry {
                    code: group.clone(),
                    name: name.clone(),
                    systems: Vec::new(),
                });
                Ok(())
            }
            Self::EndGroup { group } => {
                let before = s.groups.len();
                s.groups.retain(|g| g.code != *group);
                (s.groups.len() < before)
                    .then_some(())
                    .ok_or_else(|| no_entry("group"))
            }
            Self::AddToGroup { group, system } => {
                let (org, code) = system.split_once('/').ok_or_else(|| no_entry("system"))?;
                let org: OrgCode = org.parse().map_err(|_| no_entry("system"))?;
                s.system(&org, code).ok_or_else(|| no_entry("system"))?;
                let entry = s.groups.iter_mut().find(|g| g.code == *group);
                let entry = entry.ok_or_else(|| no_entry("group"))?;
                if entry.systems.contains(system) {
                    return Err(there("system"));
                }
                entry.systems.push(system.clone());
                entry.systems.sort();
                Ok(())
            }
            Self::RemoveFromGroup { group, system } => {
                let entry = s.groups.iter_mut().find(|g| g.code == *group);
                let entry = entry.ok_or_else(|| no_entry("group"))?;
                let before = entry.systems.len();
                entry.systems.retain(|other| other != system);
                (entry.systems.len() < before)
                    .then_some(())
                    .ok_or_else(|| no_entry("system"))
            }
            other => Err(Problem::internal(format!(
                "{} is no change of a group",
                other.about()
            ))),
        }
    }

    fn join(&self, s: &mut Snapshot, now: Time) -> Result<(), Problem> {
        let Self::Join {
            org,
            name,
            class,
            certificate,
            node,
            peer,
            node_certificate,
        } = self
        else {
            return Err(Problem::internal("a joining is one"));
        };
        if s.member(org).is_some() {
            return Err(there("org"));
        }
        names::name("name", name)?;
        check_seal(s, org, certificate, now)?;
        if s.node(node).is_none() {
            names::code("node", node)?;
            names::address("peer", peer)?;
            let tls = check_node(s, "node_certificate", node_certificate, now)?;
            s.nodes.push(NodeEntry {
                id: node.clone(),
                peer: peer.clone(),
                certificate: tls.thumbprint(),
            });
        } else if !peer.is_empty() || !node_certificate.is_empty() {
            return Err(there("node"));
        }
        s.members.push(MemberEntry {
            org: org.clone(),
            name: name.clone(),
            node: node.clone(),
            certificate_pem: names::pem("certificate", certificate)?,
        });
        if class != GOVERNMENT {
            set_class(s, org, class)?;
        }
        Ok(())
    }
}

fn register_system(s: &mut Snapshot, org: &OrgCode, system: &str, name: &str) -> Result<(), Problem> {
    s.member(org).ok_or_else(|| no_entry("org"))?;
    names::code("system", system)?;
    names::name("name", name)?;
    if s.system(org, system).is_some() {
        return Err(there("system"));
    }
    s.stopped.retain(|e| !(e.org == *org && e.system == system));
    s.systems.push(SystemEntry {
        org: org.clone(),
        code: system.to_owned(),
        name: name.to_owned(),
    });
    Ok(())
}

fn delete_system(s: &mut Snapshot, org: &OrgCode, system: &str) {
    s.systems.retain(|e| !(e.org == *org && e.code == system));
    s.services.retain(|e| !(e.org == *org && e.system == system));
    let named = format!("{org}/{system}");
    for group in &mut s.groups {
        group.systems.retain(|other| *other != named);
    }
    s.stopped.retain(|e| !(e.org == *org && e.system == system));
    s.stopped.push(Stopped {
        org: org.clone(),
        system: system.to_owned(),
        deleted: true,
    });
}

fn offer(s: &mut Snapshot, org: &OrgCode, system: &str, told: &[ToldService]) -> Result<(), Problem> {
    s.system(org, system).ok_or_else(|| no_entry("system"))?;
    if told.len() > SERVICES_MAX {
        return Err(Problem::invalid("services", "directory-many").with("max", SERVICES_MAX));
    }
    let mut services = Vec::with_capacity(told.len());
    for one in told {
        names::service("services", &one.code)?;
        names::name("services", &one.title)?;
        if services.iter().any(|e: &ServiceEntry| e.code == one.code) {
            return Err(there("services"));
        }
        services.push(ServiceEntry {
            org: org.clone(),
            system: system.to_owned(),
            code: one.code.clone(),
            title: one.title.clone(),
        });
    }
    let of_system = |e: &&ServiceEntry| e.org == *org && e.system == system;
    if s.services.iter().filter(of_system).eq(services.iter()) {
        return Err(there("services"));
    }
    s.services.retain(|e| !of_system(&e));
    s.services.extend(services);
    Ok(())
}

fn certify_node(s: &mut Snapshot, node: &str, pem: &str, now: Time) -> Result<(), Problem> {
    let before = s.node(node).ok_or_else(|| no_entry("node"))?.certificate;
    let new = check_node(s, "certificate", pem, now)?.thumbprint();
    // One of its own that had been set aside comes back; one of another node is taken.
    s.further.retain(
        |f| !matches!(f, Further::Node { node: of, certificate } if of == node && *certificate == new),
    );
    let elsewhere = |f: &Further| matches!(f, Further::Node { certificate, .. } if *certificate == new);
    if s.nodes.iter().any(|n| n.certificate == new) || s.further.iter().any(elsewhere) {
        return Err(there("certificate"));
    }
    if let Some(entry) = s.nodes.iter_mut().find(|n| n.id == node) {
        entry.certificate = new;
    }
    if !s.revoked.iter().any(|r| r.thumbprint == before) {
        s.further.push(Further::Node {
            node: node.to_owned(),
            certificate: before,
        });
    }
    keep_newest(s, |f| matches!(f, Further::Node { node: of, .. } if of == node));
    Ok(())
}

fn certify_seal(s: &mut Snapshot, org: &OrgCode, pem: &str, now: Time) -> Result<(), Problem> {
    let before = s
        .member(org)
        .ok_or_else(|| no_entry("org"))?
        .certificate_pem
        .clone();
    let new = check_seal(s, org, pem, now)?;
    if thumbprint_of(&before) == Some(new.thumbprint()) {
        return Err(there("certificate"));
    }
    // The hub's own seal signs the directory: every node was told of it outside the directory.
    if *org == s.hub && new.public_key_point() != snapshot::certificate(&before)?.public_key_point() {
        return Err(Problem::new(Kind::Conflict, "directory-hub-seal"));
    }
    s.further.retain(
        |f| !matches!(f, Further::Seal { org: of, certificate_pem } if of == org && thumbprint_of(certificate_pem) == Some(new.thumbprint())),
    );
    if let Some(entry) = s.members.iter_mut().find(|m| m.org == *org) {
        entry.certificate_pem = names::pem("certificate", pem)?;
    }
    let revoked = |thumbprint| s.revoked.iter().any(|r| Some(r.thumbprint) == thumbprint);
    if !revoked(thumbprint_of(&before)) {
        s.further.push(Further::Seal {
            org: org.clone(),
            certificate_pem: before,
        });
    }
    keep_newest(s, |f| matches!(f, Further::Seal { org: of, .. } if of == org));
    Ok(())
}

/// Of the further certificates of one owner the newest few stay.
fn keep_newest(s: &mut Snapshot, of: impl Fn(&Further) -> bool) {
    let mut surplus = s
        .further
        .iter()
        .filter(|f| of(f))
        .count()
        .saturating_sub(FURTHER_MAX);
    s.further.retain(|f| {
        let goes = surplus > 0 && of(f);
        surplus -= usize::from(goes);
        !goes
    });
}

fn leave(s: &mut Snapshot, org: &OrgCode) -> Result<(), Problem> {
    let node = s.member(org).ok_or_else(|| no_entry("org"))?.node.clone();
    if *org == s.hub {
        return Err(Problem::new(Kind::Conflict, "directory-needed"));
    }
    let systems: Vec<String> = s
        .systems
        .iter()
        .filter(|e| e.org == *org)
        .map(|e| e.code.clone())
        .collect();
    for system in &systems {
        delete_system(s, org, system);
    }
    s.members.retain(|m| m.org != *org);
    for class in &mut s.classes {
        class.members.retain(|member| member != org);
    }
    s.further
        .retain(|f| !matches!(f, Further::Seal { org: of, .. } if of == org));
    if !s.members.iter().any(|m| m.node == node) {
        s.nodes.retain(|n| n.id != node);
        s.further
            .retain(|f| !matches!(f, Further::Node { node: of, .. } if *of == node));
    }
    Ok(())
}

fn set_class(s: &mut Snapshot, org: &OrgCode, class: &str) -> Result<(), Problem> {
    if s.class_of(org) == class {
        return Err(there("class"));
    }
    if class != GOVERNMENT && !s.classes.iter().any(|e| e.code == class) {
        return Err(no_entry("class"));
    }
    for entry in &mut s.classes {
        entry.members.retain(|member| member != org);
        if entry.code == class {
            entry.members.push(org.clone());
            entry.members.sort();
        }
    }
    Ok(())
}

fn add_timestamps(s: &mut Snapshot, url: &str, certificate: &str, now: Time) -> Result<(), Problem> {
    names::url("url", url)?;
    let (leaf, issuers) = names::chain("certificate", certificate)?;
    let path = s.trust()?.path(&leaf, &issuers, now, Usage::Timestamp);
    path.map_err(|fault| bad_certificate("certificate").because(fault))?;
    if s.timestamp_authorities.iter().any(|t| t.url == url) {
        return Err(there("url"));
    }
    s.timestamp_authorities.push(TimestampEntry {
        url: url.to_owned(),
        certificate_pem: leaf.pem(),
    });
    Ok(())
}

/// A certificate that a member may seal with now.
fn check_seal(s: &Snapshot, org: &OrgCode, pem: &str, now: Time) -> Result<Certificate, Problem> {
    let (leaf, issuers) = names::chain("certificate", pem)?;
    let bad = || bad_certificate("certificate");
    if leaf.organisation().as_deref() != Some(org.as_str()) {
        return Err(bad().because("it names another organisation"));
    }
    let path = s.trust()?.path(&leaf, &issuers, now, Usage::Seal);
    path.map_err(|fault| bad().because(fault))?;
    Ok(leaf)
}

/// A certificate with which a node may meet others now.
fn check_node(s: &Snapshot, field: &str, pem: &str, now: Time) -> Result<Certificate, Problem> {
    let (leaf, issuers) = names::chain(field, pem)?;
    let path = s.trust()?.path(&leaf, &issuers, now, Usage::NodeTls);
    path.map_err(|fault| bad_certificate(field).because(fault))?;
    Ok(leaf)
}

fn stops(s: &Snapshot, org: &OrgCode, system: &str) -> bool {
    s.stopped.iter().any(|e| e.org == *org && e.system == system)
}

fn known_root(s: &Snapshot, thumbprint: &Digest) -> bool {
    s.anchors
        .iter()
        .any(|pem| thumbprint_of(pem) == Some(*thumbprint))
}

fn thumbprint_of(pem: &str) -> Option<Digest> {
    snapshot::certificate(pem).ok().map(|c| c.thumbprint())
}

fn rename(name: &mut String, new: &str) -> Result<(), Problem> {
    names::name("name", new)?;
    if name == new {
        return Err(there("name"));
    }
    new.clone_into(name);
    Ok(())
}

fn no_entry(field: &str) -> Problem {
    Problem::invalid(field, "directory-no-entry")
}

fn there(field: &str) -> Problem {
    Problem::new(Kind::Conflict, "directory-there").at(field)
}

fn bad_certificate(field: &str) -> Problem {
    Problem::invalid(field, "directory-certificate")
}
