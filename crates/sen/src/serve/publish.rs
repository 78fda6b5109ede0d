//! What the hub publishes: itself, and the entries that other nodes' operators handed to it. An entry
//! holds certificates and addresses, never a key.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use directory::authorities::NodeIssued;
use directory::keyring::Keyring;
use directory::snapshot::{MemberEntry, NodeEntry, ServiceEntry, Snapshot, SystemEntry, TimestampEntry};
use kernel::{OrgCode, Time, World};
use registers::Schema;
use serde::{Deserialize, Serialize};

use super::plan::certificate;
use super::secrets::Secrets;
use super::settings::{Face, Settings};
use super::{check, run};
use crate::node::{Country, Node};

/// The folder, within the hub's data, of the entries of other nodes.
pub const FOLDER: &str = "directory.d";

/// A node's part of the directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The node.
    pub node: NodeEntry,
    /// The organisations it hosts.
    pub members: Vec<MemberEntry>,
    /// Their systems.
    pub systems: Vec<SystemEntry>,
    /// What the systems offer.
    pub services: Vec<ServiceEntry>,
    /// Who issued the node's certificate; none in an entry of an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<NodeIssued>,
}

/// The entry of a node.
///
/// # Errors
/// When the pack's registers cannot be read, or it does not know an organisation.
pub fn entry(settings: &Settings, keyring: &Keyring, country: &Country, now: Time) -> anyhow::Result<Entry> {
    let mut entry = Entry {
        node: NodeEntry {
            id: settings.id.clone(),
            peer: settings.peer(),
            certificate: keyring.node.certificate.thumbprint(),
        },
        members: Vec::new(),
        systems: Vec::new(),
        services: Vec::new(),
        issued: Some(NodeIssued::of(&keyring.node.certificate, &keyring.node.chain)),
    };
    for (org, seal) in &keyring.seals {
        let known = country.organisations.get(org, now.date());
        entry.members.push(MemberEntry {
            org: org.clone(),
            name: known
                .with_context(|| format!("the pack does not know {org}"))?
                .name
                .to_string(),
            node: settings.id.clone(),
            certificate_pem: seal.chain_pem(),
        });
    }
    for schema in Schema::load_all(&settings.pack)? {
        if settings.tenants.contains(&schema.tenant) {
            for service in &schema.services {
                entry.offer(&schema.tenant, &schema.system, &service.code);
            }
        }
    }
    for face in &settings.faces {
        let (system, services) = match face {
            Face::Portal => (
                "portal",
                &[
                    "note-status",
                    "case-digests",
                    "restate-case",
                    "dong-bo-ho-so-mc",
                    "cap-nhat-tien-do-ho-so-mc",
                    "tra-cuu-ho-so",
                    "lay-thu-tuc",
                    "dong-bo-danh-gia",
                    "dong-bo-hoi-dap",
                    "dong-bo-thong-ke-ho-so",
                ][..],
            ),
            Face::Desk => ("one-stop", &["receive-case", "take-submission"][..]),
        };
        for service in services {
            entry.offer(&settings.tenants[0], system, service);
        }
    }
    Ok(entry)
}

/// The entry of a node that need not run.
///
/// # Errors
/// As a start's: what is wrong with the configuration, the pack, keys or certificates.
pub fn of_settings(settings: &Settings, secrets: &Secrets, world: &World) -> anyhow::Result<Entry> {
    check::settings(settings)?;
    let country = run::country(settings, world)?;
    let plan = super::plan::plan(settings, secrets, world)?;
    entry(settings, &plan.keyring, &country, world.now())
}

impl Entry {
    fn offer(&mut self, org: &OrgCode, system: &str, service: &str) {
        if !self.systems.iter().any(|s| s.org == *org && s.code == system) {
            self.systems.push(SystemEntry {
                org: org.clone(),
                code: system.to_owned(),
                name: system.to_owned(),
            });
        }
        self.services.push(ServiceEntry {
            org: org.clone(),
            system: system.to_owned(),
            code: service.to_owned(),
            title: service.to_owned(),
        });
    }
}

/// Publishes the hub's own entry and those handed to it; nothing when nothing is new.
///
/// # Errors
/// When an entry cannot be read, or the directory would contradict itself.
pub async fn publish(node: &Node, settings: &Settings, country: &Country, now: Time) -> anyhow::Result<()> {
    let Some(hub) = node.hub() else {
        return Ok(());
    };
    let mut entries = vec![entry(settings, &node.plan().keyring, country, now)?];
    entries.extend(handed(&settings.data.join(FOLDER))?);
    let mut wanted = Snapshot::empty(settings.tenants[0].clone());
    for entry in entries {
        wanted.nodes.push(entry.node);
        wanted.members.extend(entry.members);
        wanted.systems.extend(entry.systems);
        wanted.services.extend(entry.services);
        wanted.node_certificates.extend(entry.issued);
    }
    wanted.anchors = node
        .plan()
        .anchors
        .iter()
        .map(seal::certificate::Certificate::pem)
        .collect();
    if !settings.timestamps.url.is_empty() {
        let authority = certificate("timestamps.certificate", &settings.timestamps.certificate)?;
        wanted.timestamp_authorities.push(TimestampEntry {
            url: settings.timestamps.url.clone(),
            certificate_pem: authority.pem(),
        });
    }
    let published = hub.publish(&wanted).await;
    published.with_context(|| {
        format!(
            "the directory is not published: its entries are this node's and those of {}",
            settings.data.join(FOLDER).display()
        )
    })?;
    Ok(())
}

/// The entries in a folder, in the order of their names.
fn handed(folder: &Path) -> anyhow::Result<Vec<Entry>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let found = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<_> = found.filter_map(Result::ok).map(|f| f.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json"));
    files.sort();
    let mut entries = Vec::new();
    for file in files {
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let entry = serde_json::from_slice(&text).with_context(|| {
            format!(
                "{} is no entry of the directory: `sen entry` prints one at each node",
                file.display()
            )
        })?;
        entries.push(entry);
    }
    Ok(entries)
}
