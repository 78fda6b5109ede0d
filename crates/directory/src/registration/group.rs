//! A global group as it is written whole: which changes make it so, and those made one after another.
//! Never a change of its own: what is published are the changes that everybody knows.

use std::collections::BTreeSet;

use kernel::{Actor, Kind, Problem};

use super::Registrar;
use super::change::Change;
use crate::groups::LocalGroup;
use crate::snapshot::Snapshot;

impl Registrar {
    /// The changes that make a global group as it is written, in their order; none when it is so.
    ///
    /// # Errors
    /// 403 `directory-hub-only` elsewhere than at the hub; what [`Change::apply`] refuses.
    pub fn group_changes(&self, group: &LocalGroup) -> Result<Vec<Change>, Problem> {
        if !self.is_hub() {
            return Err(Problem::new(Kind::Forbidden, "directory-hub-only"));
        }
        let mut next = (*self.0.directory.snapshot()).clone();
        let changes = changes(&next, group);
        for change in &changes {
            change.apply(&mut next, self.now())?;
        }
        Ok(changes)
    }

    /// Makes a global group as it is written. What is done before a failure stays done; a second time
    /// does the rest.
    ///
    /// # Errors
    /// As [`Registrar::group_changes`] and [`Registrar::enact`].
    pub async fn save_group(&self, group: &LocalGroup, actor: &Actor) -> Result<(), Problem> {
        for change in self.group_changes(group)? {
            self.enact(change, actor).await?;
        }
        Ok(())
    }
}

fn changes(snapshot: &Snapshot, wanted: &LocalGroup) -> Vec<Change> {
    let there = snapshot.groups.iter().find(|entry| entry.code == wanted.code);
    let group = &wanted.code;
    let mut changes = Vec::new();
    if there.is_none_or(|entry| entry.name != wanted.name) {
        changes.push(Change::NameGroup {
            group: group.clone(),
            name: wanted.name.clone(),
        });
    }
    let now: BTreeSet<&String> = there.into_iter().flat_map(|entry| &entry.systems).collect();
    let then: BTreeSet<&String> = wanted.systems.iter().collect();
    changes.extend(now.difference(&then).map(|system| Change::RemoveFromGroup {
        group: group.clone(),
        system: (*system).clone(),
    }));
    changes.extend(then.difference(&now).map(|system| Change::AddToGroup {
        group: group.clone(),
        system: (*system).clone(),
    }));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;

    fn group(name: &str, systems: &[&str]) -> LocalGroup {
        LocalGroup {
            code: "land".to_owned(),
            name: name.to_owned(),
            systems: systems.iter().map(|&s| s.to_owned()).collect(),
        }
    }

    #[tokio::test]
    async fn the_hub_makes_a_global_group_as_it_is_written_and_a_second_time_says_nothing_new() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let nation = Nation::new();
        let hub = crate::hub::tests::hub(&temp, &nation).await;
        hub.publish(&nation.snapshot(0)).await.expect("published");
        let registrar = crate::registration::tests::registrar(&hub, &nation);
        let by = Actor::Official("operator-1".to_owned());
        let full = group("Đất đai", &["G01/population"]);
        registrar.save_group(&full, &by).await.expect("made");
        let held = || hub.directory().snapshot().groups[0].clone();
        assert_eq!((held().name.as_str(), held().systems.len()), ("Đất đai", 1));
        assert_eq!(registrar.group_changes(&full).expect("sound"), []);
        let serial = hub.directory().snapshot().serial;
        registrar.save_group(&full, &by).await.expect("nothing to do");
        assert_eq!(hub.directory().snapshot().serial, serial);
        registrar
            .save_group(&group("Đất", &[]), &by)
            .await
            .expect("changed");
        assert_eq!((held().name.as_str(), held().systems.len()), ("Đất", 0));
        for (bad, field) in [(group("Đất", &["G01/none"]), "system"), (group("", &[]), "name")] {
            let refused = registrar.group_changes(&bad).expect_err("refused");
            assert_eq!(refused.field.as_deref(), Some(field));
        }
        assert_eq!(held().name, "Đất", "nothing was done of what was refused");
    }
}
