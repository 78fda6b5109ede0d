//! What each change of the directory does to a snapshot. Pure: never says who may, never signs and never
//! publishes.

use kernel::{Kind, OrgCode, Problem, Time};

use super::authorities::{self, Said};
use super::change::Change;
use super::entries::{
    add_timestamps, bad_certificate, certify_node, certify_seal, check_node, check_seal, delete_system,
    disable, enable, known_root, leave, no_entry, note_node, offer, register_system, rename, set_class,
    stops, there, thumbprint_of, trust_instance,
};
use super::names;
use crate::snapshot::{
    ClassEntry, Further, GOVERNMENT, GroupEntry, MemberEntry, NodeEntry, Snapshot, Stopped,
};

impl Change {
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
            Self::DisableMember { org, reason } => disable(s, org, reason, now),
            Self::EnableMember { org } => enable(s, org),
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
                s.authorities.retain(|a| a.certificate != *thumbprint);
                s.check()
                    .map_err(|e| Problem::new(Kind::Conflict, "directory-needed").because(e))
            }
            Self::NameIssuer { certificate } => authorities::name_issuer(s, certificate, now),
            Self::WithdrawIssuer { thumbprint } => authorities::withdraw_issuer(s, thumbprint),
            Self::DescribeAuthority {
                thumbprint,
                uses,
                crl,
                ocsp,
                note,
            } => {
                let said = Said {
                    uses,
                    crl,
                    ocsp,
                    note,
                };
                authorities::describe(s, thumbprint, &said)
            }
            Self::AddTimestamps { url, certificate } => add_timestamps(s, url, certificate, now),
            Self::WithdrawTimestamps { url } => {
                let before = s.timestamp_authorities.len();
                s.timestamp_authorities.retain(|t| t.url != *url);
                (s.timestamp_authorities.len() < before)
                    .then_some(())
                    .ok_or_else(|| no_entry("url"))
            }
            Self::TrustInstance { anchor, hash, reason } => trust_instance(s, anchor, hash, reason, now),
            Self::WithdrawInstance { instance, reason } => {
                names::reason(reason)?;
                let before = s.instances.len();
                s.instances.retain(|entry| entry.instance != *instance);
                (s.instances.len() < before)
                    .then_some(())
                    .ok_or_else(|| no_entry("instance"))
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
            note_node(s, "node_certificate", node_certificate)?;
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
