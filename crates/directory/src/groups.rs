//! Groups of systems, global ones of the signed directory and local ones that this node keeps: who is
//! in which, asked in memory. Never a right by itself: an offer to a group is taken up by each member
//! in an agreement of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use ::store::Reader;
use kernel::{Actor, Fact, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::Directory;
use crate::registration::names;
use crate::snapshot::GroupEntry;

/// Systems in one local group, count.
const SYSTEMS_MAX: usize = 2_000;
/// Local groups of a node, count.
const GROUPS_MAX: usize = 1_000;

/// A group that this node keeps for itself, as its operator writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalGroup {
    /// Its code: small letters, digits, `-`.
    #[schema(example = "one-stops")]
    pub code: String,
    /// Its name.
    pub name: String,
    /// Who is in it.
    #[schema(value_type = Vec<String>, example = json!(["H56/one-stop"]))]
    pub systems: BTreeSet<String>,
}

/// The local groups in memory, and the word that the groups have changed, global ones too.
pub(crate) struct Local {
    held: RwLock<Arc<BTreeMap<String, LocalGroup>>>,
    changed: watch::Sender<u64>,
    /// One change at a time, so that memory and rows say the same.
    changing: tokio::sync::Mutex<()>,
}

impl Local {
    /// Reads what the node keeps.
    pub(crate) async fn read(reader: &Reader) -> Result<Self, Problem> {
        let groups = crate::store::local_groups(reader).await?.into_iter();
        let held = groups.map(|group| (group.code.clone(), group)).collect();
        Ok(Self {
            held: RwLock::new(Arc::new(held)),
            changed: watch::Sender::new(0),
            changing: tokio::sync::Mutex::new(()),
        })
    }

    /// Of a directory for which this node keeps no groups.
    pub(crate) fn none() -> Self {
        Self {
            held: RwLock::default(),
            changed: watch::Sender::new(0),
            changing: tokio::sync::Mutex::new(()),
        }
    }

    /// Says that some group has changed.
    pub(crate) fn say_changed(&self) {
        self.changed.send_modify(|times| *times += 1);
    }

    fn held(&self) -> Arc<BTreeMap<String, LocalGroup>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, groups: BTreeMap<String, LocalGroup>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(groups);
        self.say_changed();
    }
}

/// The members of the global groups, ready for questions.
pub(crate) fn members(groups: &[GroupEntry]) -> HashMap<String, HashSet<String>> {
    let group = |entry: &GroupEntry| (entry.code.clone(), entry.systems.iter().cloned().collect());
    groups.iter().map(group).collect()
}

impl Directory {
    /// True when a system (`H56/one-stop`) is in a local group of this node.
    #[must_use]
    pub fn in_local_group(&self, group: &str, system: &str) -> bool {
        let held = self.local().held();
        held.get(group)
            .is_some_and(|group| group.systems.contains(system))
    }

    /// The local groups of this node, by their codes.
    #[must_use]
    pub fn local_groups(&self) -> Vec<LocalGroup> {
        self.local().held().values().cloned().collect()
    }

    /// Who is in a group now: a global one, or a local one of this node; none when there is no such group.
    #[must_use]
    pub fn in_group_now(&self, group: &str, local: bool) -> Option<BTreeSet<String>> {
        if local {
            return self.local().held().get(group).map(|group| group.systems.clone());
        }
        let snapshot = self.snapshot();
        let entry = snapshot.groups.iter().find(|entry| entry.code == group);
        entry.map(|entry| entry.systems.iter().cloned().collect())
    }

    /// Tells whenever the members of some group may have changed: a local one, or the directory.
    #[must_use]
    pub fn groups_changed(&self) -> watch::Receiver<u64> {
        self.local().changed.subscribe()
    }

    /// Keeps a local group as it is written, new or in the place of the one before.
    ///
    /// # Errors
    /// 422 at `code`, `name` or `systems`: badly written, too many, or a system that the directory does
    /// not name; 409 `directory-there` when the group is so already.
    pub async fn save_local_group(&self, group: LocalGroup, actor: &Actor) -> Result<(), Problem> {
        self.check_local_group(&group)?;
        let local = self.local();
        let _turn = local.changing.lock().await;
        let mut groups = (*local.held()).clone();
        let before = groups.insert(group.code.clone(), group.clone());
        if before.as_ref() == Some(&group) {
            return Err(Problem::new(kernel::Kind::Conflict, "directory-there").at("name"));
        }
        if groups.len() > GROUPS_MAX {
            return Err(Problem::invalid("code", "directory-too-many").with("max", GROUPS_MAX));
        }
        let before = before.unwrap_or_default().systems;
        let fact = Fact::GroupSaved {
            group: group.code.clone(),
            added: group.systems.difference(&before).cloned().collect(),
            removed: before.difference(&group.systems).cloned().collect(),
        };
        let (group, fact) = (&group, &fact);
        self.store()
            .write(self.tenant(), actor, |tx| async move {
                crate::store::save_local_group(&tx, group).await?;
                tx.fact(&format!("group/{}", group.code), fact.clone())
                    .await
                    .map(drop)
            })
            .await?;
        local.hold(groups);
        Ok(())
    }

    /// Ends a local group: nobody is in it any more.
    ///
    /// # Errors
    /// 404 when there is none of that code.
    pub async fn end_local_group(&self, code: &str, actor: &Actor) -> Result<(), Problem> {
        let local = self.local();
        let _turn = local.changing.lock().await;
        let mut groups = (*local.held()).clone();
        groups.remove(code).ok_or_else(Problem::not_found)?;
        self.store()
            .write(self.tenant(), actor, |tx| async move {
                crate::store::drop_local_group(&tx, code).await?;
                let fact = Fact::GroupEnded {
                    group: code.to_owned(),
                };
                tx.fact(&format!("group/{code}"), fact).await.map(drop)
            })
            .await?;
        local.hold(groups);
        Ok(())
    }

    /// Refuses a local group that could not be kept.
    ///
    /// # Errors
    /// 422 at `code`, `name` or `systems`, as [`Directory::save_local_group`].
    pub fn check_local_group(&self, group: &LocalGroup) -> Result<(), Problem> {
        names::code("code", &group.code)?;
        names::name("name", &group.name)?;
        self.check_systems(&group.systems)
    }

    fn check_systems(&self, systems: &BTreeSet<String>) -> Result<(), Problem> {
        if systems.len() > SYSTEMS_MAX {
            return Err(Problem::invalid("systems", "directory-too-many").with("max", SYSTEMS_MAX));
        }
        let snapshot = self.snapshot();
        let known: HashSet<(&OrgCode, &str)> = snapshot
            .systems
            .iter()
            .map(|s| (&s.org, s.code.as_str()))
            .collect();
        let named = |text: &String| {
            let (org, code) = text.split_once('/')?;
            let org: OrgCode = org.parse().ok()?;
            known.contains(&(&org, code)).then_some(())
        };
        match systems.iter().find(|system| named(system).is_none()) {
            None => Ok(()),
            Some(unknown) => {
                Err(Problem::invalid("systems", "directory-no-system").with("system", unknown.clone()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;

    fn group(code: &str, systems: &[&str]) -> LocalGroup {
        LocalGroup {
            code: code.to_owned(),
            name: "Nhóm mẫu".to_owned(),
            systems: systems.iter().map(|&s| s.to_owned()).collect(),
        }
    }

    fn code<T>(answer: Result<T, Problem>) -> (&'static str, Option<String>) {
        let problem = answer.map(drop).expect_err("refused");
        (problem.code, problem.field)
    }

    async fn open(temp: &testkit::TempStore) -> Directory {
        let nation = Nation::new();
        let hub = crate::hub::tests::hub(temp, &nation).await;
        hub.publish(&nation.snapshot(0)).await.expect("published");
        hub.directory().clone()
    }

    #[tokio::test]
    async fn a_local_group_is_kept_over_a_restart_and_each_change_of_it_is_a_fact() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let directory = open(&temp).await;
        let mut changed = directory.groups_changed();
        let by = Actor::Official("operator-1".to_owned());
        let full = group("partners", &["G01/population"]);
        directory
            .save_local_group(full.clone(), &by)
            .await
            .expect("saved");
        assert!(changed.has_changed().expect("open"));
        changed.mark_unchanged();
        assert!(directory.in_local_group("partners", "G01/population"));
        assert!(!directory.in_local_group("partners", "G01/other"));
        let again = directory.save_local_group(full, &by).await;
        assert_eq!(code(again).0, "directory-there");
        let tenant = "G22".parse().expect("a code");
        let local = Local::read(&temp.store.read(&tenant).await.expect("read")).await;
        assert_eq!(local.expect("read").held().len(), 1, "as after a restart");
        directory
            .save_local_group(group("partners", &[]), &by)
            .await
            .expect("emptied");
        assert!(!directory.in_local_group("partners", "G01/population"));
        directory.end_local_group("partners", &by).await.expect("ended");
        assert!(directory.local_groups().is_empty() && changed.has_changed().expect("open"));
        let facts = temp
            .store
            .facts_of(&tenant, "group/partners")
            .await
            .expect("read");
        let kinds: Vec<_> = facts.iter().map(|f| f.fact.clone()).collect();
        let moved = |added: &[&str], removed: &[&str]| Fact::GroupSaved {
            group: "partners".to_owned(),
            added: added.iter().map(|&s| s.to_owned()).collect(),
            removed: removed.iter().map(|&s| s.to_owned()).collect(),
        };
        let ended = Fact::GroupEnded {
            group: "partners".to_owned(),
        };
        let all = [
            moved(&["G01/population"], &[]),
            moved(&[], &["G01/population"]),
            ended,
        ];
        assert_eq!(kinds, all);
        assert!(facts.iter().all(|f| f.actor == by));
    }

    #[tokio::test]
    async fn a_local_group_names_only_systems_of_the_directory() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let directory = open(&temp).await;
        let refused = async |group| code(directory.save_local_group(group, &Actor::Platform).await);
        let at = |field: &str| Some(field.to_owned());
        for unknown in ["G01/other", "G01", "x/y/z"] {
            let told = refused(group("partners", &[unknown])).await;
            assert_eq!(told, ("directory-no-system", at("systems")), "{unknown}");
        }
        assert_eq!(refused(group("Partners", &[])).await.1, at("code"));
        let nameless = LocalGroup {
            name: String::new(),
            ..group("partners", &[])
        };
        assert_eq!(refused(nameless).await.1, at("name"));
        let missing = directory.end_local_group("partners", &Actor::Platform).await;
        assert_eq!(code(missing).0, "not-found");
    }
}
