//! SQL of the steps that have a clock of their own. Never touches a case.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, OrgCode, Problem, Time};

use super::{Held, Rows, held};

/// The step in which a case is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The case.
    pub(crate) code: CaseCode,
    /// The state.
    pub(crate) state: String,
    /// When the case came into it.
    pub(crate) since: Time,
    /// Until when it should be done; `None` until that is counted.
    pub(crate) due: Option<Time>,
}

/// Writes down that a case came into a step now.
///
/// # Errors
/// Unavailable.
pub(crate) async fn begin_step(tx: &Tx, code: &CaseCode, state: &str) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_steps (tenant, code, state, since, due_at) values ($1, $2, $3, $4, null)
         on conflict (tenant, code) do update set state = excluded.state, since = excluded.since, due_at = null",
        params![tx.tenant(), code, state, tx.now()],
    )
    .await?;
    Ok(())
}

/// Forgets the step of a case that went on.
///
/// # Errors
/// Unavailable.
pub(crate) async fn end_step(tx: &Tx, code: &CaseCode) -> Result<(), Problem> {
    tx.exec(
        "delete from cases_steps where tenant = $1 and code = $2",
        params![tx.tenant(), code],
    )
    .await?;
    Ok(())
}

/// Writes down until when a step should be done, as long as the case is in it.
///
/// # Errors
/// Unavailable.
pub(crate) async fn date_step(tx: &Tx, step: &Step) -> Result<(), Problem> {
    tx.exec(
        "update cases_steps set due_at = $5 where tenant = $1 and code = $2 and state = $3 and since = $4",
        params![tx.tenant(), &step.code, step.state.as_str(), step.since, step.due],
    )
    .await?;
    Ok(())
}

/// The step of a case; `None` where it has no clock of its own.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub(crate) async fn step(rows: &impl Rows, code: &CaseCode) -> Result<Option<Step>, Problem> {
    rows.one(
        "select code, state, since, due_at from cases_steps where tenant = $1 and code = $2",
        params![rows.tenant(), code],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// Steps by their cases' codes, at most `limit` of those after one.
///
/// # Errors
/// As [`step`].
pub(crate) async fn steps(rows: &impl Rows, after: &str, limit: usize) -> Result<Vec<Step>, Problem> {
    let found = rows
        .all(
            "select code, state, since, due_at from cases_steps where tenant = $1 and code > $2
             order by code limit $3",
            params![rows.tenant(), after, limit],
        )
        .await?;
    found.iter().map(read).collect()
}

/// The cases of a unit and of those below it whose step should have been done, the longest late first, with until
/// when it should; at most `limit` of those after a place.
///
/// # Errors
/// As [`step`].
pub(crate) async fn late_steps(
    rows: &impl Rows,
    unit: &OrgCode,
    (after, now): ((Time, &str), Time),
    limit: usize,
) -> Result<Vec<(Held, Time)>, Problem> {
    let below = format!("{unit}.%");
    let found = rows
        .all(
            "select c.code as code, c.procedure as procedure, c.version as version, c.unit as unit,
                 c.channel as channel, c.applicant as applicant, c.answers as answers, c.state as state,
                 c.status as status, c.revision as revision, c.filed_at as filed_at, c.due_at as due_at,
                 c.ended_at as ended_at, c.details as details, s.due_at as step_due_at
             from cases_steps s join cases_cases c on c.tenant = s.tenant and c.code = s.code
             where s.tenant = $1 and s.due_at is not null and s.due_at < $2 and (c.unit = $3 or c.unit like $4)
                 and s.due_at >= $5 and (s.due_at > $5 or s.code > $6)
             order by s.due_at, s.code limit $7",
            params![rows.tenant(), now, unit, below, after.0, after.1, limit],
        )
        .await?;
    found
        .iter()
        .map(|row| Ok((held(row)?, row.time("step_due_at")?)))
        .collect()
}

/// How many there are, up to a limit.
///
/// # Errors
/// Unavailable.
pub(crate) async fn count_late_steps(
    rows: &impl Rows,
    unit: &OrgCode,
    (now, limit): (Time, usize),
) -> Result<u64, Problem> {
    let below = format!("{unit}.%");
    let found = rows
        .one(
            "select count(*) as cases from (
                 select s.code from cases_steps s join cases_cases c on c.tenant = s.tenant and c.code = s.code
                 where s.tenant = $1 and s.due_at is not null and s.due_at < $2
                     and (c.unit = $3 or c.unit like $4)
                 limit $5) as counted",
            params![rows.tenant(), now, unit, below, limit],
        )
        .await?;
    found.map_or(Ok(0), |row| row.count("cases"))
}

fn read(row: &Row) -> Result<Step, Problem> {
    Ok(Step {
        code: row.parse("code")?,
        state: row.text("state")?,
        since: row.time("since")?,
        due: row.opt_int("due_at")?.map(Time),
    })
}
