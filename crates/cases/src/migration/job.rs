//! The job that moves the cases of started migrations, each in a write of its own: what a crash cut short is done
//! by the next run, nothing twice. A case that cannot go stays under its version and is counted. And the dry run,
//! which judges by the very same rules and writes nothing.

use std::collections::BTreeMap;

use ::store::Tx;
use kernel::{Actor, CaseCode, Fact, Kind, Problem};

use crate::case::Case;
use crate::desk::step::save_telling;
use crate::migration::{Plan, Stage, Why};
use crate::notice::Notice;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, Rows, subject};

/// Cases that a dry run looks at, count.
const LOOKED: usize = 2_000;
/// Refused cases that a dry run names, count.
const NAMED: usize = 20;

/// What a dry run finds.
#[derive(Debug, Default)]
pub(crate) struct DryRun {
    /// Running cases looked at, count.
    pub(crate) looked: usize,
    /// True when there are more.
    pub(crate) more: bool,
    /// Cases that would go, by the states they leave and take.
    pub(crate) goes: BTreeMap<(String, String), usize>,
    /// Cases of these whose date would come nearer, count.
    pub(crate) sooner: usize,
    /// Cases that would stay, by why.
    pub(crate) stays: BTreeMap<Why, usize>,
    /// The first of these.
    pub(crate) named: Vec<(CaseCode, Why)>,
}

/// Both versions of a plan.
pub(crate) struct Ends {
    pub(crate) was: std::sync::Arc<Procedure>,
    pub(crate) new: std::sync::Arc<Procedure>,
}

impl Cases {
    /// Both versions of a plan.
    ///
    /// # Errors
    /// As [`Cases::version`].
    pub(crate) fn ends(&self, plan: &Plan) -> Result<Ends, Problem> {
        Ok(Ends {
            was: self.version(&plan.was)?,
            new: self.version(&plan.version)?,
        })
    }

    /// What would come of a plan now; nothing is written.
    ///
    /// # Errors
    /// Unavailable.
    pub(crate) async fn dry_run(&self, plan: &Plan) -> Result<DryRun, Problem> {
        let ends = self.ends(plan)?;
        let reader = self.store.read(&self.tenant).await?;
        let mut found = rows::cases_of_version(&reader, &plan.was, "", LOOKED + 1).await?;
        let more = found.len() > LOOKED;
        found.truncate(LOOKED);
        let mut run = DryRun {
            looked: found.len(),
            more,
            ..DryRun::default()
        };
        for code in found {
            let Some(held) = rows::case(&reader, &code).await? else {
                continue;
            };
            match self.migrated(&held.case, &ends.was, &ends.new, &plan.states) {
                Ok(after) => {
                    let sooner = after.accepted.as_ref().map(|a| a.due) < held.due_at;
                    run.sooner += usize::from(sooner);
                    *run.goes.entry((held.case.state, after.state)).or_default() += 1;
                }
                Err(why) => {
                    *run.stays.entry(why).or_default() += 1;
                    if run.named.len() < NAMED {
                        run.named.push((code, why));
                    }
                }
            }
        }
        Ok(run)
    }

    /// Moves the cases of every migration that was started.
    ///
    /// # Errors
    /// The store's own problems; what was moved before stays moved.
    pub async fn run_migrations(&self) -> Result<(), Problem> {
        let limit = self.store.limits().batch_records_max.max(1);
        let mut after = String::new();
        loop {
            let reader = self.store.read(&self.tenant).await?;
            let page = rows::plans(&reader, &after, limit).await?;
            drop(reader);
            for plan in page.iter().filter(|plan| plan.stage == Stage::Running) {
                self.migrate_all(plan, limit).await?;
            }
            match page.last() {
                Some(last) if page.len() == limit => after.clone_from(&last.id),
                _ => return Ok(()),
            }
        }
    }

    async fn migrate_all(&self, plan: &Plan, limit: usize) -> Result<(), Problem> {
        let ends = self.ends(plan)?;
        let (mut after, mut refused) = (String::new(), 0_u64);
        loop {
            let reader = self.store.read(&self.tenant).await?;
            let page = rows::cases_of_version(&reader, &plan.was, &after, limit).await?;
            drop(reader);
            let mut moved = 0_u64;
            for code in &page {
                match self.migrate_one(plan, &ends, code).await {
                    Ok(true) => moved += 1,
                    Ok(false) => refused += 1,
                    Err(problem) if problem.kind == Kind::Unavailable => return Err(problem),
                    Err(problem) => {
                        tracing::error!(%problem, case = %code, "a case cannot go on under another version");
                        refused += 1;
                    }
                }
            }
            let whole = page.len() < limit;
            let to = if whole { Stage::Done } else { Stage::Running };
            self.store
                .write(&self.tenant, &Actor::Platform, |tx| async move {
                    rows::move_plan(&tx, &plan.id, (Stage::Running, to), (moved, refused)).await
                })
                .await?;
            match page.last() {
                Some(last) if !whole => after = last.to_string(),
                _ => return Ok(()),
            }
        }
    }

    /// True when the case went; false when it stays.
    async fn migrate_one(&self, plan: &Plan, ends: &Ends, code: &CaseCode) -> Result<bool, Problem> {
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let Some(held) = rows::case(&tx, code).await? else {
                    return Ok(false);
                };
                if held.case.version != plan.was {
                    return Ok(false);
                }
                match self.migrated(&held.case, &ends.was, &ends.new, &plan.states) {
                    Ok(after) => {
                        save(&tx, &held.case, &after, &ends.new).await?;
                        Ok(true)
                    }
                    Err(_) => Ok(false),
                }
            })
            .await
    }
}

/// Row, version, notice, obligation and facts at once.
async fn save(tx: &Tx, before: &Case, after: &Case, new: &Procedure) -> Result<(), Problem> {
    let due = |case: &Case| case.accepted.as_ref().map(|accepted| accepted.due);
    let dates = due(before).zip(due(after)).filter(|(was, due)| was != due);
    let notice = dates.map(|(was, due)| Notice::Recounted {
        was,
        due,
        days: Vec::new(),
    });
    save_telling(tx, after, new, notice, Vec::new()).await?;
    rows::change_version(tx, &after.code, after.revision, &after.version).await?;
    if let Some((_, due)) = dates {
        let owed_by = after.owed_by().unwrap_or(due);
        obligations::redate(tx, &subject(&after.code), owed_by).await?;
        let fact = Fact::CaseRecounted {
            case: after.code.clone(),
            due,
            owed_by,
        };
        tx.fact(&subject(&after.code), fact).await?;
    }
    let fact = Fact::CaseMigrated {
        case: after.code.clone(),
        was: before.version,
        version: after.version,
        state: after.state.clone(),
    };
    tx.fact(&subject(&after.code), fact).await?;
    Ok(())
}

/// A plan by its id.
///
/// # Errors
/// 404.
pub(crate) async fn load(rows: &impl Rows, id: &str) -> Result<Plan, Problem> {
    rows::plan(rows, id).await?.ok_or_else(Problem::not_found)
}
