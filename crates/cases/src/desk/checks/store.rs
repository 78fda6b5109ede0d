//! SQL of what is compared with registers. What was typed stands with the case: nothing of it is here.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, OrgCode, Problem, Time};

use super::{Check, CheckState, Details};
use crate::store::{Rows, number};

/// Lines counted in a part; one more stands for more.
pub(crate) const COUNTED_MAX: usize = 1_000;

/// The place of a comparison in a list: since when it stands as it does, its case, its number.
pub(crate) type Place = (Time, CaseCode, u32);

/// A part of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Waits for the register.
    Waits,
    /// Waits for an official to look at it.
    Open,
    /// Over.
    Done,
}

impl Part {
    /// As rows name it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Open => "open",
            Self::Done => "done",
        }
    }
}

/// Writes a new comparison.
pub(crate) async fn insert(tx: &Tx, check: &Check) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_checks (tenant, code, number, unit, part, state, at, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            tx.tenant(),
            &check.code,
            check.number,
            &check.unit,
            check.state.part().as_str(),
            check.state.as_str(),
            check.at,
            text(&check.details)?
        ],
    )
    .await?;
    Ok(())
}

/// Writes how a comparison stands from now on.
pub(crate) async fn save(
    tx: &Tx,
    code: &CaseCode,
    number: u32,
    state: CheckState,
    details: &Details,
) -> Result<(), Problem> {
    tx.exec(
        "update cases_checks set part = $4, state = $5, at = $6, details = $7
         where tenant = $1 and code = $2 and number = $3",
        params![
            tx.tenant(),
            code,
            number,
            state.part().as_str(),
            state.as_str(),
            tx.now(),
            text(details)?
        ],
    )
    .await?;
    Ok(())
}

/// What is compared of a case goes with it to another unit.
pub(crate) async fn change_unit(tx: &Tx, code: &CaseCode, to: &OrgCode) -> Result<(), Problem> {
    tx.exec(
        "update cases_checks set unit = $3 where tenant = $1 and code = $2",
        params![tx.tenant(), code, to],
    )
    .await?;
    Ok(())
}

/// One comparison of a case.
pub(crate) async fn one(rows: &impl Rows, code: &CaseCode, number: u32) -> Result<Option<Check>, Problem> {
    let found = rows
        .one(
            "select code, number, unit, state, at, details from cases_checks
             where tenant = $1 and code = $2 and number = $3",
            params![rows.tenant(), code, number],
        )
        .await?;
    found.as_ref().map(read).transpose()
}

/// All comparisons of a case, in order.
pub(crate) async fn of_case(rows: &impl Rows, code: &CaseCode) -> Result<Vec<Check>, Problem> {
    let found = rows
        .all(
            "select code, number, unit, state, at, details from cases_checks
             where tenant = $1 and code = $2 order by number",
            params![rows.tenant(), code],
        )
        .await?;
    found.iter().map(read).collect()
}

/// A page of a part of a unit's list after a place, what stands longest in front.
pub(crate) async fn list(
    rows: &impl Rows,
    unit: &OrgCode,
    part: Part,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<Check>, Problem> {
    let (at, code, number) = after.map_or((Time(i64::MIN), String::new(), 0), |(at, code, number)| {
        (*at, code.to_string(), *number)
    });
    let found = rows
        .all(
            "select code, number, unit, state, at, details from cases_checks
             where tenant = $1 and unit = $2 and part = $3
                 and at >= $4 and (at > $4 or code > $5 or (code = $5 and number > $6))
             order by at, code, number limit $7",
            params![rows.tenant(), unit, part.as_str(), at, code, number, limit],
        )
        .await?;
    found.iter().map(read).collect()
}

/// How much is in a part of a unit's list, up to one more than a thousand.
pub(crate) async fn count(rows: &impl Rows, unit: &OrgCode, part: Part) -> Result<u64, Problem> {
    let found = rows
        .one(
            "select count(*) as lines from (
               select number from cases_checks where tenant = $1 and unit = $2 and part = $3 limit $4) as counted",
            params![rows.tenant(), unit, part.as_str(), COUNTED_MAX + 1],
        )
        .await?;
    found.map_or(Ok(0), |row| row.count("lines"))
}

fn read(row: &Row) -> Result<Check, Problem> {
    let state = row.text("state")?;
    let state = CheckState::ALL.into_iter().find(|one| one.as_str() == state);
    Ok(Check {
        code: row.parse("code")?,
        number: number(row, "number")?,
        unit: row.parse("unit")?,
        state: state.ok_or_else(|| Problem::internal("bad row: cases_checks.state"))?,
        at: row.time("at")?,
        details: row.json("details")?,
    })
}

fn text(details: &Details) -> Result<String, Problem> {
    kernel::digest::canonical_json(details).map_err(Problem::internal)
}
