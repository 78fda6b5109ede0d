//! What is to be done about a declared group, an offer to one and a maintenance, and doing it: by the
//! functions of the pages. A group is declared whole, so who is not named leaves it. Never ends a group,
//! an offer or a maintenance.

use std::collections::BTreeSet;

use directory::groups::LocalGroup;
use kernel::{Kind, Problem, Time};
use web::Principal;

use super::super::draft::AgreementText;
use super::super::first;
use super::super::maintenance::MaintenanceText;
use super::{Declared, DeclaredDifference, Meant};
use crate::agreement::Agreement;
use crate::gateway::Exchange;
use crate::grouped::{GroupName, KnownGroupOffer};
use crate::maintenance;

impl Exchange {
    /// What concerns the whole node is for an operator of its home organisation.
    ///
    /// # Errors
    /// 403 `node-not-yours`.
    pub(super) fn of_the_node(&self) -> Result<(), Problem> {
        match self.1.organisation() {
            None => Ok(()),
            Some(_) => Err(Problem::new(Kind::Forbidden, "node-not-yours").with("home", &self.0.home)),
        }
    }

    pub(super) fn global_group_meant(&self, group: &LocalGroup) -> Meant {
        self.of_the_node()?;
        let registrar = self.0.registrar.get().ok_or_else(Problem::not_found)?;
        let changes = registrar.group_changes(group)?;
        let snapshot = self.0.directory.snapshot();
        let there = snapshot.groups.iter().find(|entry| entry.code == group.code);
        let there = there.map(|entry| LocalGroup {
            code: entry.code.clone(),
            name: entry.name.clone(),
            systems: entry.systems.iter().cloned().collect(),
        });
        Ok(if changes.is_empty() {
            ("keep", Vec::new())
        } else {
            of_group(there.as_ref(), group)
        })
    }

    pub(super) async fn do_global_group(&self, group: &LocalGroup, who: &Principal) -> Result<(), Problem> {
        let registrar = self.0.registrar.get().ok_or_else(Problem::not_found)?;
        registrar.save_group(group, &who.actor).await
    }

    pub(super) fn local_group_meant(&self, group: &LocalGroup) -> Meant {
        self.of_the_node()?;
        self.0.directory.check_local_group(group)?;
        let all = self.0.directory.local_groups();
        let there = all.iter().find(|one| one.code == group.code);
        Ok(of_group(there, group))
    }

    pub(super) async fn do_local_group(&self, group: &LocalGroup, who: &Principal) -> Result<(), Problem> {
        let saved = self.0.directory.save_local_group(group.clone(), &who.actor);
        saved.await
    }

    /// An offer is there when the provider ever offered something under its number to the group, also when
    /// that has ended: a file must not offer again each time it is applied.
    pub(super) fn group_offer_meant(
        &self,
        text: &AgreementText,
        declared: &Declared,
        known: &[KnownGroupOffer],
    ) -> Meant {
        let offered = text.for_a_group(self.0.now()).map_err(first)?;
        let same = |there: &KnownGroupOffer| {
            let there = &there.text;
            there.id == offered.id
                && there.service == offered.service
                && group_of(there) == group_of(&offered)
        };
        if known.iter().any(same) {
            return Ok(("keep", Vec::new()));
        }
        self.voice(&offered.provider)
            .map_err(|problem| problem.at("service"))?;
        if group_of(&offered).is_some_and(|group| !self.will_be_there(group, declared)) {
            return Err(Problem::invalid("consumer", "group-unknown"));
        }
        Ok(("offer", Vec::new()))
    }

    /// True for a group that is there, and for one that the same file declares.
    fn will_be_there(&self, group: &GroupName, declared: &Declared) -> bool {
        let list = if group.local {
            &declared.local_group
        } else {
            &declared.global_group
        };
        let there = self.0.directory.in_group_now(&group.code, group.local);
        there.is_some() || list.iter().any(|one| one.code == group.code)
    }

    pub(super) async fn do_group_offer(&self, text: &AgreementText, who: &Principal) -> Result<(), Problem> {
        let offered = text.for_a_group(self.0.now()).map_err(first)?;
        self.offer_to_group(offered, &who.actor).await.map(drop)
    }

    /// A maintenance whose end has come is over and not begun again. So it names its end.
    pub(super) fn maintenance_meant(&self, text: &MaintenanceText) -> Meant {
        self.of_the_node()?;
        let now = self.0.now();
        let until = text.until.map(Time);
        let Some(end) = until else {
            return Err(Problem::invalid("until", "field-missing").with("field", "until"));
        };
        if end <= now {
            return Ok(("keep", Vec::new()));
        }
        let notice = maintenance::sound(&text.notice, until, now)?;
        let Some(held) = self.maintenance() else {
            return Ok(("begin", Vec::new()));
        };
        let said = |until: Option<Time>| until.map(|until| until.to_string()).unwrap_or_default();
        let differences = differing([
            ("notice", held.notice, notice.to_owned()),
            ("until", said(held.until), said(until)),
        ]);
        let does = if differences.is_empty() { "keep" } else { "change" };
        Ok((does, differences))
    }

    pub(super) async fn do_maintenance(
        &self,
        text: &MaintenanceText,
        who: &Principal,
    ) -> Result<(), Problem> {
        let until = text.until.map(Time);
        self.begin_maintenance(&text.notice, until, &who.actor).await
    }
}

fn group_of(text: &Agreement) -> Option<&GroupName> {
    text.group.as_ref().map(|under| &under.name)
}

/// What a group as it is written changes of the one that is there.
fn of_group(there: Option<&LocalGroup>, then: &LocalGroup) -> (&'static str, Vec<DeclaredDifference>) {
    let Some(now) = there else {
        return ("register", Vec::new());
    };
    let list = |systems: &BTreeSet<String>| {
        let all: Vec<&str> = systems.iter().map(String::as_str).collect();
        all.join(", ")
    };
    let differences = differing([
        ("name", now.name.clone(), then.name.clone()),
        ("systems", list(&now.systems), list(&then.systems)),
    ]);
    let does = if differences.is_empty() { "keep" } else { "change" };
    (does, differences)
}

/// What is declared otherwise than it is.
pub(super) fn differing(
    pairs: impl IntoIterator<Item = (&'static str, String, String)>,
) -> Vec<DeclaredDifference> {
    let pairs = pairs.into_iter().filter(|(_, now, then)| now != then);
    pairs
        .map(|(field, now, then)| DeclaredDifference { field, now, then })
        .collect()
}
