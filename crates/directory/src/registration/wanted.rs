//! A system, a member and what is trusted as they are written in a file: which changes make them so, and those
//! made one after another, or asked for. What is left out stays as it is. Never a removal.

use kernel::{Actor, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};

use super::change::{Change, ToldService};
use super::entries::{no_entry, stops, thumbprint_of};
use super::{Registrar, Registration, Side, names};
use crate::snapshot::{GOVERNMENT, Snapshot};

/// Registrations of one organisation that are looked through, count.
const LOOKED_MAX: usize = 1_000;

/// A system as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedSystem {
    /// Whose it is, and its code.
    #[schema(example = "H56/one-stop")]
    pub system: String,
    /// Its name.
    pub name: String,
    /// Whether it neither calls nor answers for a time.
    #[serde(default)]
    pub disabled: Option<bool>,
    /// All that it offers.
    #[serde(default)]
    pub services: Option<Vec<ToldService>>,
}

/// A member as it is written; only at the hub.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedMember {
    /// Its code.
    #[schema(example = "H57")]
    pub org: String,
    /// Its name.
    pub name: String,
    /// Its class; `GOV` for a new member.
    #[serde(default)]
    pub class: Option<String>,
    /// The id of the node that hosts it.
    pub node: String,
    /// The certificate of a new member's seal, then its issuers if any, PEM.
    pub certificate: String,
    /// Where a new node is reached, `host:port`; empty for a node that is there.
    #[serde(default)]
    pub peer: String,
    /// The certificate of a new node, PEM; empty for a node that is there.
    #[serde(default)]
    pub node_certificate: String,
    /// Why it takes part in no exchange for a time; empty when it is to take part.
    #[serde(default)]
    pub disabled: Option<String>,
}

/// A root of certificates, or a timestamp service by its address; only at the hub.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedTrust {
    /// Where a timestamp service listens; left out for a root.
    #[serde(default)]
    pub url: Option<String>,
    /// Its certificate, PEM.
    pub certificate: String,
}

impl WantedSystem {
    /// The changes that make it so, in their order; none when it is so.
    ///
    /// # Errors
    /// 422 at `system`.
    pub fn changes(&self, snapshot: &Snapshot) -> Result<Vec<Change>, Problem> {
        let named = self.system.trim().split_once('/');
        let (org, system) = named.ok_or_else(|| no_entry("system"))?;
        let org: OrgCode = org.parse().map_err(|_| no_entry("system"))?;
        let own = || (org.clone(), system.to_owned());
        let mut changes = Vec::new();
        let name = self.name.clone();
        match snapshot.system(&org, system) {
            None => {
                let (org, system) = own();
                changes.push(Change::RegisterSystem { org, system, name });
            }
            Some(there) if there.name != name => {
                let (org, system) = own();
                changes.push(Change::RenameSystem { org, system, name });
            }
            Some(_) => {}
        }
        let told = snapshot.services.iter();
        let told = told.filter(|s| s.org == org && s.system == system);
        if let Some(services) = &self.services
            && !told
                .map(|s| (&s.code, &s.title))
                .eq(services.iter().map(|s| (&s.code, &s.title)))
        {
            let ((org, system), services) = (own(), services.clone());
            changes.push(Change::OfferServices {
                org,
                system,
                services,
            });
        }
        let is_disabled = snapshot.system(&org, system).is_some() && stops(snapshot, &org, system);
        match self.disabled {
            Some(true) if !is_disabled => {
                let (org, system) = own();
                changes.push(Change::DisableSystem { org, system });
            }
            Some(false) if is_disabled => {
                let (org, system) = own();
                changes.push(Change::EnableSystem { org, system });
            }
            _ => {}
        }
        Ok(changes)
    }
}

impl WantedMember {
    /// The changes that make it so, in their order; none when it is so. The certificate and the address
    /// of a member that is there are its owner's to change, so they are not looked at.
    ///
    /// # Errors
    /// 422 at `org`; 409 `directory-member-elsewhere` for a member of another node.
    pub fn changes(&self, snapshot: &Snapshot) -> Result<Vec<Change>, Problem> {
        let org: OrgCode = self.org.trim().parse().map_err(|_| no_entry("org"))?;
        let mut changes = Vec::new();
        match snapshot.member(&org) {
            None => changes.push(Change::Join {
                org: org.clone(),
                name: self.name.clone(),
                class: self.class.clone().unwrap_or_else(|| GOVERNMENT.to_owned()),
                certificate: self.certificate.clone(),
                node: self.node.clone(),
                peer: self.peer.clone(),
                node_certificate: self.node_certificate.clone(),
            }),
            Some(there) if there.node != self.node => {
                let elsewhere = Problem::new(Kind::Conflict, "directory-member-elsewhere");
                return Err(elsewhere.with("node", &there.node).at("node"));
            }
            Some(there) => {
                if there.name != self.name {
                    changes.push(Change::RenameMember {
                        org: org.clone(),
                        name: self.name.clone(),
                    });
                }
                let class = self
                    .class
                    .iter()
                    .filter(|class| snapshot.class_of(&org) != **class);
                changes.extend(class.map(|class| Change::ClassMember {
                    org: org.clone(),
                    class: class.clone(),
                }));
            }
        }
        let is_disabled = snapshot.disabled_member(&org).is_some();
        match self.disabled.as_deref().map(str::trim) {
            Some("") if is_disabled => changes.push(Change::EnableMember { org }),
            Some(reason) if !reason.is_empty() && !is_disabled => changes.push(Change::DisableMember {
                org,
                reason: reason.to_owned(),
            }),
            _ => {}
        }
        Ok(changes)
    }
}

impl WantedTrust {
    /// What it is called in a list: a root by the digest of its certificate, a timestamp service by its
    /// address.
    #[must_use]
    pub fn name(&self) -> String {
        let print = || thumbprint_of(&self.certificate).unwrap_or_default().hex();
        self.url.clone().unwrap_or_else(print)
    }

    /// The changes that make it so, in their order; none when it is so.
    ///
    /// # Errors
    /// 422 at `certificate`.
    pub fn changes(&self, snapshot: &Snapshot) -> Result<Vec<Change>, Problem> {
        let certificate = self.certificate.clone();
        let (leaf, _) = names::chain("certificate", &certificate)?;
        let is_this = |pem: &str| thumbprint_of(pem) == Some(leaf.thumbprint());
        let Some(url) = self.url.clone() else {
            let known = snapshot.anchors.iter().any(|pem| is_this(pem));
            return Ok(if known {
                Vec::new()
            } else {
                vec![Change::TrustRoot { certificate }]
            });
        };
        let there = snapshot.timestamp_authorities.iter().find(|t| t.url == url);
        Ok(match there {
            Some(there) if is_this(&there.certificate_pem) => Vec::new(),
            // Another certificate at the same address takes the place of the one before.
            Some(_) => vec![
                Change::WithdrawTimestamps { url: url.clone() },
                Change::AddTimestamps { url, certificate },
            ],
            None => vec![Change::AddTimestamps { url, certificate }],
        })
    }
}

impl Registrar {
    /// Makes changes of a directory that is only looked at, one after another, and refuses what it would not
    /// take: at the hub all of them, elsewhere also those that are not this node's to ask for.
    ///
    /// # Errors
    /// Those of [`Change::apply`]; `directory-not-ours`, `directory-hub-only`.
    pub fn would_take(&self, next: &mut Snapshot, changes: &[Change], decides: bool) -> Result<(), Problem> {
        for change in changes {
            if decides {
                self.hub()?;
            } else {
                self.party(change)?;
            }
            change.apply(next, self.now())?;
        }
        Ok(())
    }

    /// Publishes changes one after another. What is done before a failure stays done.
    ///
    /// # Errors
    /// As [`Registrar::enact`].
    pub async fn enact_all(&self, changes: Vec<Change>, actor: &Actor) -> Result<(), Problem> {
        for change in changes {
            self.enact(change, actor).await?;
        }
        Ok(())
    }

    /// Asks the hub for changes, each on top of the one before; not for one that was said of before.
    ///
    /// # Errors
    /// As [`Registrar::propose`].
    pub async fn ask_all(&self, changes: Vec<Change>, actor: &Actor) -> Result<(), Problem> {
        let mut next = (*self.0.directory.snapshot()).clone();
        for change in changes {
            if self.said_of(&change).await?.is_some() {
                change.apply(&mut next, self.now())?;
            } else {
                self.propose_on(&mut next, change, true, actor).await?;
            }
        }
        Ok(())
    }

    /// The newest that was said here about this very change, when it still counts: put into words, asked,
    /// declined, or approved since the directory that is held was issued.
    ///
    /// # Errors
    /// As [`Registrar::propose`] for what is another's; when the store cannot be read.
    pub async fn said_of(&self, change: &Change) -> Result<Option<Registration>, Problem> {
        let party = self.party(change)?;
        let all = self
            .list(Side::Owner, (None, Some(&party)), None, LOOKED_MAX)
            .await?;
        let issued = self.0.directory.snapshot().issued;
        let newest = all.into_iter().find(|one| one.change == *change);
        Ok(newest.filter(|one| match one.state {
            super::State::Saved | super::State::Asked | super::State::Declined => true,
            super::State::Approved => one.changed_at > issued,
            super::State::Dropped => false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;

    fn kinds(changes: Result<Vec<Change>, Problem>) -> Vec<String> {
        changes.expect("sound").iter().map(Change::kind).collect()
    }

    fn system(name: &str, disabled: Option<bool>, services: Option<&[&str]>) -> WantedSystem {
        let told = |code: &&str| ToldService {
            code: (*code).to_owned(),
            title: (*code).to_owned(),
        };
        WantedSystem {
            system: "G01/population".to_owned(),
            name: name.to_owned(),
            disabled,
            services: services.map(|all| all.iter().map(told).collect()),
        }
    }

    /// Applied, nothing is left to do.
    fn settles(mut snapshot: Snapshot, wanted: impl Fn(&Snapshot) -> Result<Vec<Change>, Problem>) {
        for change in wanted(&snapshot).expect("sound") {
            change.apply(&mut snapshot, testkit::START).expect("applies");
        }
        assert_eq!(wanted(&snapshot).expect("sound"), []);
        snapshot.check().expect("a sound directory");
    }

    #[test]
    fn a_system_as_it_is_written_is_made_by_the_changes_that_everybody_knows() {
        let snapshot = Nation::new().snapshot(1);
        assert_eq!(kinds(system("Dân cư", None, None).changes(&snapshot)), [""; 0]);
        let all = system("Dân cư mới", Some(true), Some(&["a", "b"]));
        assert_eq!(
            kinds(all.changes(&snapshot)),
            ["rename-system", "offer-services", "disable-system"]
        );
        settles(snapshot.clone(), |s| all.changes(s));
        let mut new = all.clone();
        new.system = "G01/land".to_owned();
        assert_eq!(kinds(new.changes(&snapshot))[0], "register-system");
        settles(snapshot.clone(), |s| new.changes(s));
        new.system = "land".to_owned();
        assert_eq!(
            new.changes(&snapshot).expect_err("refused").field.as_deref(),
            Some("system")
        );
    }

    #[test]
    fn a_member_and_a_root_as_they_are_written_are_made_once() {
        let nation = Nation::new();
        let snapshot = nation.snapshot(1);
        let mut member = WantedMember {
            org: "G01".to_owned(),
            name: "G01".to_owned(),
            class: None,
            node: "ministry".to_owned(),
            certificate: nation.member.chain_pem(),
            peer: String::new(),
            node_certificate: String::new(),
            disabled: None,
        };
        assert_eq!(kinds(member.changes(&snapshot)), [""; 0]);
        member.name = "Bộ mẫu".to_owned();
        member.disabled = Some("Lộ khóa".to_owned());
        assert_eq!(
            kinds(member.changes(&snapshot)),
            ["rename-member", "disable-member"]
        );
        settles(snapshot.clone(), |s| member.changes(s));
        member.node = "elsewhere".to_owned();
        let refused = member.changes(&snapshot).expect_err("refused");
        assert_eq!(refused.code, "directory-member-elsewhere");
        let other = seal::Authority::new("Another root", testkit::START).expect("a root");
        let root = WantedTrust {
            url: None,
            certificate: other.certificate().pem(),
        };
        assert_eq!(root.name(), other.certificate().thumbprint().hex());
        settles(snapshot, |s| root.changes(s));
    }
}
