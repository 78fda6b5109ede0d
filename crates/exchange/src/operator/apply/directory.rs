//! What is to be done about declared members, systems and what is trusted, and doing it: published at the hub,
//! asked for elsewhere, by the functions of the pages. Never a removal, and never twice asked for.

use directory::Registrar;
use directory::registration::State;
use directory::registration::change::Change;
use directory::registration::wanted::WantedSystem;
use directory::snapshot::Snapshot;
use kernel::{Kind, Problem};
use web::{Page, Principal};

use super::{Declared, DeclaredDifference, DeclaredStep, Meant, step, to_do};
use crate::gateway::Exchange;

impl Exchange {
    /// What is trusted first, then who takes part, then their systems: each may rest on the one before.
    pub(super) async fn declared_directory(
        &self,
        page: &Page,
        declared: &Declared,
        who: Option<&Principal>,
        steps: &mut Vec<DeclaredStep>,
    ) {
        // As the directory would be by then: what is only shown rests on what was shown above it.
        let mut next = (*self.0.directory.snapshot()).clone();
        for trust in &declared.trust {
            let changes = trust.changes(&next);
            let named = ("trust", trust.name());
            steps.push(self.of_the_hub(page, named, changes, (&mut next, who)).await);
        }
        for member in &declared.member {
            let changes = member.changes(&next);
            let named = ("member", member.org.clone());
            steps.push(self.of_the_hub(page, named, changes, (&mut next, who)).await);
        }
        for system in &declared.system {
            let named = ("system", system.system.clone());
            let meant = self.system_meant(system, &mut next).await;
            let done = match to_do(&meant, who) {
                Some((_, who)) => Some(self.do_system(system, who).await),
                None => None,
            };
            steps.push(step(page, named, meant, done.as_ref()));
        }
    }

    /// True for who decides at the hub, and this is it.
    fn decides(&self, registrar: &Registrar) -> bool {
        registrar.is_hub() && self.of_the_node().is_ok()
    }

    /// One thing that only the hub says, and the directory behind it.
    async fn of_the_hub(
        &self,
        page: &Page,
        named: (&'static str, String),
        changes: Result<Vec<Change>, Problem>,
        (next, who): (&mut Snapshot, Option<&Principal>),
    ) -> DeclaredStep {
        let found = changes.and_then(|changes| {
            let registrar = self.0.registrar.get().ok_or_else(Problem::not_found)?;
            if !changes.is_empty() && !self.decides(registrar) {
                return Err(Problem::new(Kind::Forbidden, "directory-hub-only"));
            }
            let meant = taken(registrar, next, (&changes, true))?;
            Ok((registrar, changes, meant))
        });
        let (registrar, changes, meant) = match found {
            Ok(found) => found,
            Err(problem) => return step(page, named, Err(problem), None),
        };
        let meant = Ok(meant);
        let done = match to_do(&meant, who) {
            Some((_, who)) => Some(registrar.enact_all(changes, &who.actor).await),
            None => None,
        };
        step(page, named, meant, done.as_ref())
    }

    async fn system_meant(&self, system: &WantedSystem, next: &mut Snapshot) -> Meant {
        let registrar = self.0.registrar.get().ok_or_else(Problem::not_found)?;
        let changes = system.changes(next)?;
        self.may_say(registrar, &changes)?;
        let decides = self.decides(registrar);
        let before = next.clone();
        let meant = taken(registrar, next, (&changes, decides))?;
        if decides || changes.is_empty() {
            return Ok(meant);
        }
        let left = not_said(registrar, changes).await?;
        Ok(match left.as_slice() {
            [] => ("wait", Vec::new()),
            left => ("ask", meant_by(left, &before).1),
        })
    }

    async fn do_system(&self, system: &WantedSystem, who: &Principal) -> Result<(), Problem> {
        let registrar = self.0.registrar.get().ok_or_else(Problem::not_found)?;
        let changes = system.changes(&self.0.directory.snapshot())?;
        self.may_say(registrar, &changes)?;
        if self.decides(registrar) {
            return registrar.enact_all(changes, &who.actor).await;
        }
        registrar.ask_all(changes, &who.actor).await
    }

    /// Refuses what is another's to say: the hub's own operator may say all of it.
    fn may_say(&self, registrar: &Registrar, changes: &[Change]) -> Result<(), Problem> {
        if self.decides(registrar) {
            return Ok(());
        }
        let mut owners = changes.iter().filter_map(Change::owner);
        owners.try_for_each(|org| self.1.may_act_for(org).map_err(|problem| problem.at("system")))
    }
}

/// The changes that the hub was not asked for yet.
///
/// # Errors
/// Conflict `directory-declined` when it has declined one.
async fn not_said(registrar: &Registrar, changes: Vec<Change>) -> Result<Vec<Change>, Problem> {
    let mut left = Vec::new();
    for change in changes {
        match registrar.said_of(&change).await? {
            None => left.push(change),
            Some(said) if said.state == State::Declined => {
                let declined = Problem::new(Kind::Conflict, "directory-declined");
                return Err(declined.with("reason", said.reason).at("system"));
            }
            Some(_) => {}
        }
    }
    Ok(left)
}

/// What changes do to a directory, done to it.
fn taken(
    registrar: &Registrar,
    next: &mut Snapshot,
    (changes, decides): (&[Change], bool),
) -> Result<(&'static str, Vec<DeclaredDifference>), Problem> {
    let meant = meant_by(changes, next);
    let mut tried = next.clone();
    registrar.would_take(&mut tried, changes, decides)?;
    *next = tried;
    Ok(meant)
}

/// What changes of the directory do, as a step says it.
fn meant_by(changes: &[Change], snapshot: &Snapshot) -> (&'static str, Vec<DeclaredDifference>) {
    let Some(first) = changes.first() else {
        return ("keep", Vec::new());
    };
    let is_new = matches!(
        first,
        Change::RegisterSystem { .. }
            | Change::Join { .. }
            | Change::TrustRoot { .. }
            | Change::AddTimestamps { .. }
    );
    let differences = changes.iter().filter_map(|change| difference(change, snapshot));
    (if is_new { "register" } else { "change" }, differences.collect())
}

/// What a change makes otherwise; none of what is new as a whole.
fn difference(change: &Change, s: &Snapshot) -> Option<DeclaredDifference> {
    let text = |flag: bool| flag.to_string();
    let (field, now, then) = match change {
        Change::RenameSystem { org, system, name } => {
            let there = s.system(org, system).map(|entry| entry.name.clone());
            ("name", there.unwrap_or_default(), name.clone())
        }
        Change::OfferServices {
            org,
            system,
            services,
        } => {
            let there = s.services.iter().filter(|e| e.org == *org && e.system == *system);
            let there: Vec<&str> = there.map(|e| e.code.as_str()).collect();
            let then: Vec<&str> = services.iter().map(|e| e.code.as_str()).collect();
            ("services", there.join(", "), then.join(", "))
        }
        Change::DisableSystem { .. } => ("disabled", text(false), text(true)),
        Change::EnableSystem { .. } => ("disabled", text(true), text(false)),
        Change::RenameMember { org, name } => {
            let there = s.member(org).map(|entry| entry.name.clone());
            ("name", there.unwrap_or_default(), name.clone())
        }
        Change::ClassMember { org, class } => ("class", s.class_of(org).to_owned(), class.clone()),
        Change::DisableMember { reason, .. } => ("disabled", String::new(), reason.clone()),
        Change::EnableMember { org } => {
            let there = s.disabled_member(org).map(|entry| entry.reason.clone());
            ("disabled", there.unwrap_or_default(), String::new())
        }
        Change::WithdrawTimestamps { .. } => ("certificate", "-".to_owned(), "+".to_owned()),
        _ => return None,
    };
    Some(DeclaredDifference { field, now, then })
}
