//! The pieces of a change: systems, services, certificates, members and classes of a snapshot, each
//! checked as it is written. Never decides which change is made: see [`super::apply`].

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::certificate::{Certificate, Usage};

use super::change::ToldService;
use super::names;
use crate::anchor::Anchor;
use crate::snapshot::{
    self, DisabledMember, Further, GOVERNMENT, InstanceEntry, ServiceEntry, Snapshot, Stopped, SystemEntry,
    TimestampEntry,
};

/// Earlier certificates that stay good beside a new one, of one node or seal, count.
const FURTHER_MAX: usize = 2;
/// Services of one system that one change may name, count.
const SERVICES_MAX: usize = 500;

pub(super) fn register_system(
    s: &mut Snapshot,
    org: &OrgCode,
    system: &str,
    name: &str,
) -> Result<(), Problem> {
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

pub(super) fn delete_system(s: &mut Snapshot, org: &OrgCode, system: &str) {
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

pub(super) fn offer(
    s: &mut Snapshot,
    org: &OrgCode,
    system: &str,
    told: &[ToldService],
) -> Result<(), Problem> {
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

pub(super) fn certify_node(s: &mut Snapshot, node: &str, pem: &str, now: Time) -> Result<(), Problem> {
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
    note_node(s, "certificate", pem)?;
    if !s.revoked.iter().any(|r| r.thumbprint == before) {
        s.further.push(Further::Node {
            node: node.to_owned(),
            certificate: before,
        });
    }
    keep_newest(s, |f| matches!(f, Further::Node { node: of, .. } if of == node));
    Ok(())
}

pub(super) fn certify_seal(s: &mut Snapshot, org: &OrgCode, pem: &str, now: Time) -> Result<(), Problem> {
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
        |f| !matches!(f, Further::Seal { org: of, certificate_pem, .. } if of == org && thumbprint_of(certificate_pem) == Some(new.thumbprint())),
    );
    if let Some(entry) = s.members.iter_mut().find(|m| m.org == *org) {
        entry.certificate_pem = names::pem("certificate", pem)?;
    }
    let revoked = |thumbprint| s.revoked.iter().any(|r| Some(r.thumbprint) == thumbprint);
    if !revoked(thumbprint_of(&before)) {
        s.further.push(Further::Seal {
            org: org.clone(),
            certificate_pem: before,
            replaced: Some(now),
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

pub(super) fn disable(s: &mut Snapshot, org: &OrgCode, reason: &str, now: Time) -> Result<(), Problem> {
    s.member(org).ok_or_else(|| no_entry("org"))?;
    if *org == s.hub {
        return Err(Problem::new(Kind::Conflict, "directory-needed"));
    }
    names::reason(reason)?;
    if s.disabled_member(org).is_some() {
        return Err(there("org"));
    }
    s.disabled.push(DisabledMember {
        org: org.clone(),
        since: now,
        reason: reason.to_owned(),
    });
    s.disabled.sort_by(|a, b| a.org.cmp(&b.org));
    Ok(())
}

pub(super) fn enable(s: &mut Snapshot, org: &OrgCode) -> Result<(), Problem> {
    s.member(org).ok_or_else(|| no_entry("org"))?;
    let before = s.disabled.len();
    s.disabled.retain(|entry| entry.org != *org);
    (s.disabled.len() < before)
        .then_some(())
        .ok_or_else(|| there("org"))
}

pub(super) fn leave(s: &mut Snapshot, org: &OrgCode) -> Result<(), Problem> {
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
    s.disabled.retain(|entry| entry.org != *org);
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

pub(super) fn set_class(s: &mut Snapshot, org: &OrgCode, class: &str) -> Result<(), Problem> {
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

pub(super) fn add_timestamps(
    s: &mut Snapshot,
    url: &str,
    certificate: &str,
    now: Time,
) -> Result<(), Problem> {
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

pub(super) fn trust_instance(
    s: &mut Snapshot,
    token: &str,
    hash: &Digest,
    reason: &str,
    now: Time,
) -> Result<(), Problem> {
    let anchor = Anchor::read(token)?;
    if anchor.hash()? != *hash {
        return Err(Problem::invalid("hash", "anchor-hash"));
    }
    anchor.may_be_trusted(s.instance(), now)?;
    names::reason(reason)?;
    if s.instances.iter().any(|entry| entry.hash == *hash) {
        return Err(there("anchor"));
    }
    s.instances.retain(|entry| entry.instance != anchor.instance);
    s.instances.push(InstanceEntry {
        instance: anchor.instance,
        anchor: token.to_owned(),
        hash: *hash,
        since: now,
        reason: reason.to_owned(),
    });
    s.instances.sort_by(|a, b| a.instance.cmp(&b.instance));
    Ok(())
}

/// A certificate that a member may seal with now.
pub(super) fn check_seal(s: &Snapshot, org: &OrgCode, pem: &str, now: Time) -> Result<Certificate, Problem> {
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
pub(super) fn check_node(s: &Snapshot, field: &str, pem: &str, now: Time) -> Result<Certificate, Problem> {
    let (leaf, issuers) = names::chain(field, pem)?;
    let path = s.trust()?.path(&leaf, &issuers, now, Usage::NodeTls);
    path.map_err(|fault| bad_certificate(field).because(fault))?;
    Ok(leaf)
}

/// Notes who issued a node's certificate: the node's entry has its digest only.
pub(super) fn note_node(s: &mut Snapshot, field: &str, pem: &str) -> Result<(), Problem> {
    let (leaf, issuers) = names::chain(field, pem)?;
    s.note_issued(&leaf, &issuers);
    Ok(())
}

pub(super) fn stops(s: &Snapshot, org: &OrgCode, system: &str) -> bool {
    s.stopped.iter().any(|e| e.org == *org && e.system == system)
}

pub(super) fn known_root(s: &Snapshot, thumbprint: &Digest) -> bool {
    s.anchors
        .iter()
        .any(|pem| thumbprint_of(pem) == Some(*thumbprint))
}

pub(super) fn thumbprint_of(pem: &str) -> Option<Digest> {
    snapshot::certificate(pem).ok().map(|c| c.thumbprint())
}

pub(super) fn rename(name: &mut String, new: &str) -> Result<(), Problem> {
    names::name("name", new)?;
    if name == new {
        return Err(there("name"));
    }
    new.clone_into(name);
    Ok(())
}

pub(super) fn no_entry(field: &str) -> Problem {
    Problem::invalid(field, "directory-no-entry")
}

pub(super) fn there(field: &str) -> Problem {
    Problem::new(Kind::Conflict, "directory-there").at(field)
}

pub(super) fn bad_certificate(field: &str) -> Problem {
    Problem::invalid(field, "directory-certificate")
}
