//! The job that runs at start and every day: running cases of units that have ended go to their
//! successors, each in a write of its own, so that a crash leaves some moved and the rest for the
//! next run. Run twice, it changes nothing the second time.

use ::store::Tx;
use directory::succession::Answer;
use kernel::{Actor, CaseCode, Date, Fact, OrgCode, Problem, Time};
use obligations::Obligation;

use crate::case::Case;
use crate::desk::view::is_decided;
use crate::merger::store::{self as list, Waiting};
use crate::merger::{Where, belongs};
use crate::notice::Notice;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, Rows, StatusRow, subject};

/// What a run did, count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Cases that went to a successor.
    pub moved: u64,
    /// Cases newly put on the list.
    pub listed: u64,
    /// Cases left for the next run: their result is being made.
    pub later: u64,
}

/// What became of one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    Nothing,
    Moved,
    Listed,
    Later,
}

impl Cases {
    /// Moves the running cases of ended units, lists those that somebody has to assign, and takes
    /// off the list what has ended meanwhile.
    ///
    /// # Errors
    /// The store's own problems; what was moved before stays moved.
    pub async fn move_merged(&self) -> Result<Done, Problem> {
        let (mut done, today) = (Done::default(), self.today());
        let limit = self.store.limits().batch_records_max.max(1);
        let reader = self.store.read(&self.tenant).await?;
        // A unit that is there since before the case was filed has had it all along.
        let stays = |case: &list::Running| {
            let form = self.organisations.get(&case.unit, today);
            form.is_some_and(|form| form.valid_from <= case.filed)
        };
        let mut after = (Time(i64::MIN), String::new());
        loop {
            let page = list::running(&reader, (after.0, &after.1), limit).await?;
            for case in page.iter().filter(|case| !stays(case)) {
                match self.move_one(&case.code).await? {
                    Became::Nothing => {}
                    Became::Moved => done.moved += 1,
                    Became::Listed => done.listed += 1,
                    Became::Later => done.later += 1,
                }
            }
            match page.last() {
                Some(last) if page.len() == limit => after = (last.at, last.code.to_string()),
                _ => break,
            }
        }
        drop(reader);
        self.drop_ended(limit).await?;
        if done != Done::default() {
            tracing::info!(
                moved = done.moved,
                listed = done.listed,
                later = done.later,
                "units were merged"
            );
        }
        Ok(done)
    }

    /// Moves a case that has just come in for a unit that has ended meanwhile.
    ///
    /// # Errors
    /// As [`Cases::move_merged`].
    pub(crate) async fn move_received(&self, code: &CaseCode) -> Result<(), Problem> {
        self.move_one(code).await.map(|_| ())
    }

    async fn move_one(&self, code: &CaseCode) -> Result<Became, Problem> {
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let Some(held) = rows::case(&tx, code).await? else {
                    return Ok(Became::Nothing);
                };
                if ended(held.status) {
                    return Ok(Became::Nothing);
                }
                let case = held.case;
                let day = held_from(&tx, &case).await?;
                let (to, handling) =
                    belongs(&self.areas, &self.organisations, &case.unit, day, tx.now().date());
                let procedure = self.procedure_of(&case)?;
                match to {
                    Where::Stays => Ok(Became::Nothing),
                    _ if being_made(&case, &procedure) => Ok(Became::Later),
                    Where::Goes(unit) => {
                        self.relocate(&tx, &case, &procedure, &unit, "platform").await?;
                        Ok(Became::Moved)
                    }
                    // A case of another organisation's unit that came here is one of ours to move.
                    Where::Waits { heirs, .. } if self.own_heir(&case, &heirs).is_some() => {
                        let unit = self.own_heir(&case, &heirs).unwrap_or_else(|| case.unit.clone());
                        self.relocate(&tx, &case, &procedure, &unit, "platform").await?;
                        Ok(Became::Moved)
                    }
                    Where::Waits { why, heirs } => {
                        let why_steps = match &handling.answer {
                            Answer::Unknown { why } => {
                                serde_json::json!({"why": why, "steps": handling.steps})
                            }
                            _ => serde_json::json!({ "steps": handling.steps }),
                        };
                        let waiting = Waiting {
                            code: code.clone(),
                            unit: case.unit.clone(),
                            why,
                            heirs,
                            steps: why_steps.to_string(),
                            obligation: format!("assign/{code}/{}", case.revision),
                            at: tx.now(),
                        };
                        self.put_on_list(&tx, &waiting).await
                    }
                }
            })
            .await
    }

    /// The only heir, when the case's unit is another organisation's and the heir is ours.
    fn own_heir(&self, case: &Case, heirs: &[OrgCode]) -> Option<OrgCode> {
        match heirs {
            [only] if !self.tenant.holds(&case.unit) && self.tenant.holds(only) => Some(only.clone()),
            _ => None,
        }
    }

    async fn put_on_list(&self, tx: &Tx, waiting: &Waiting) -> Result<Became, Problem> {
        if list::waiting(tx, &waiting.code).await?.is_some() {
            return Ok(Became::Nothing);
        }
        list::insert_waiting(tx, waiting).await?;
        let calendar = self.calendars.of(&self.tenant);
        let assign = Obligation {
            id: waiting.obligation.clone(),
            kind: "case-assign".to_owned(),
            debtor: self.tenant.clone(),
            about: waiting.code.to_string(),
            due: calendar.days_after(tx.now(), 1).end,
        };
        obligations::open(tx, &assign).await?;
        tracing::warn!(case = %waiting.code, why = waiting.why.as_str(), "a case waits to be assigned to a unit");
        Ok(Became::Listed)
    }

    /// Gives a case to another unit: row, obligations, status line and fact at once.
    ///
    /// # Errors
    /// `stale` when somebody else has changed the case meanwhile.
    pub(crate) async fn relocate(
        &self,
        tx: &Tx,
        case: &Case,
        procedure: &Procedure,
        to: &OrgCode,
        by: &str,
    ) -> Result<(), Problem> {
        let (code, from) = (&case.code, &case.unit);
        if !list::change_unit(tx, code, case.revision, to).await? {
            return Err(Problem::stale());
        }
        let row = StatusRow {
            seq: rows::last_status(tx, code).await? + 1,
            status: case.status(procedure),
            at: tx.now(),
            due: case.accepted.as_ref().map(|a| a.due),
            notice: Some(Notice::Moved { unit: to.to_string() }),
        };
        rows::insert_status(tx, code, &row).await?;
        list::insert_move(tx, code, row.seq, from, to, (row.at, by)).await?;
        obligations::transfer(tx, code.as_str(), from, to).await?;
        crate::desk::escalation::store::change_unit(tx, code, from, to).await?;
        crate::desk::checks::store::change_unit(tx, code, to).await?;
        if let Some(waiting) = list::waiting(tx, code).await? {
            list::remove_waiting(tx, code).await?;
            obligations::meet(tx, &waiting.obligation).await?;
        }
        crate::sync::enqueue(tx, code, row.seq).await?;
        let fact = Fact::CaseMoved {
            case: code.clone(),
            from: from.clone(),
            to: to.clone(),
        };
        tx.fact(&subject(code), fact).await?;
        Ok(())
    }

    /// What has ended needs nobody to assign it.
    async fn drop_ended(&self, limit: usize) -> Result<(), Problem> {
        let mut after = String::new();
        loop {
            let reader = self.store.read(&self.tenant).await?;
            let page = list::list(&reader, &after, limit).await?;
            for waiting in &page {
                let held = rows::case(&reader, &waiting.code).await?;
                if held.is_some_and(|held| !ended(held.status)) {
                    continue;
                }
                self.store
                    .write(&self.tenant, &Actor::Platform, |tx| async move {
                        list::remove_waiting(&tx, &waiting.code).await?;
                        obligations::lift(&tx, &waiting.obligation, "the case has ended").await
                    })
                    .await?;
            }
            match page.last() {
                Some(last) if page.len() == limit => after = last.code.to_string(),
                _ => return Ok(()),
            }
        }
    }
}

/// Not taken in, taken back, stopped, or given out: nobody handles it any more.
pub(crate) const fn ended(status: u8) -> bool {
    matches!(status, 3 | 7 | 8 | 10)
}

/// Signed by somebody whose result is not there yet: nobody else may touch the case.
pub(crate) fn being_made(case: &Case, procedure: &Procedure) -> bool {
    case.decided.is_some() && !is_decided(case, procedure)
}

/// The day from which on a case's unit has held it.
async fn held_from(rows: &impl Rows, case: &Case) -> Result<Date, Problem> {
    let moves = list::moves(rows, &case.code).await?;
    Ok(moves.last().map_or(case.filed_at, |(_, _, at)| *at).date())
}

/// The unit to which a case was handed over, whatever unit holds it now.
pub(crate) async fn first_unit(rows: &impl Rows, case: &Case) -> Result<OrgCode, Problem> {
    let moves = list::moves(rows, &case.code).await?;
    Ok(moves
        .into_iter()
        .next()
        .map_or_else(|| case.unit.clone(), |(from, _, _)| from))
}

/// The steps kept with a case on the list, for its page.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Kept {
    #[serde(default)]
    pub(crate) steps: Vec<serde_json::Value>,
}

impl Kept {
    /// Day, from, to, act of each step.
    pub(crate) fn of(text: &str) -> Vec<[String; 4]> {
        let kept: Self = serde_json::from_str(text).unwrap_or(Self { steps: Vec::new() });
        let word = |step: &serde_json::Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
        kept.steps
            .iter()
            .map(|step| {
                let act = step["act"]["text"].as_str().unwrap_or_default().to_owned();
                [
                    word(step, "on"),
                    word(step, "from_name"),
                    word(step, "to_name"),
                    act,
                ]
            })
            .collect()
    }
}
