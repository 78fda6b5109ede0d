//! SQL of moved cases and of those that wait to be assigned. Never decides where a case belongs.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, Date, OrgCode, Problem, Time};

use crate::merger::Why;
use crate::store::Rows;

/// A case that waits for somebody to assign it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) code: CaseCode,
    /// The unit that ended.
    pub(crate) unit: OrgCode,
    pub(crate) why: Why,
    /// Who took over, as far as the lists say.
    pub(crate) heirs: Vec<OrgCode>,
    /// What happened, in the list's own words: names and days, as JSON of the directory's steps.
    pub(crate) steps: String,
    /// The obligation to assign it.
    pub(crate) obligation: String,
    /// Since when it waits.
    pub(crate) at: Time,
}

/// A running case, as the job looks through them.
pub(crate) struct Running {
    pub(crate) code: CaseCode,
    pub(crate) unit: OrgCode,
    /// The day on which it was filed.
    pub(crate) filed: Date,
    /// Its place in the order of the list: by when it is owed, or when it was filed.
    pub(crate) at: Time,
}

/// A page of the running cases, after a place. Read by their own index: what has ended costs nothing,
/// however much of it there is.
pub(crate) async fn running(
    rows: &impl Rows,
    (at, code): (Time, &str),
    limit: usize,
) -> Result<Vec<Running>, Problem> {
    let rows = rows
        .all(
            "select code, unit, filed_at, coalesce(due_at, filed_at) as at from cases_cases
             where tenant = $1 and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
                 and coalesce(due_at, filed_at) >= $2 and (coalesce(due_at, filed_at) > $2 or code > $3)
             order by coalesce(due_at, filed_at), code limit $4",
            params![rows.tenant(), at, code, limit],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Running {
                code: row.parse("code")?,
                unit: row.parse("unit")?,
                filed: row.time("filed_at")?.date(),
                at: row.time("at")?,
            })
        })
        .collect()
}

/// Gives a case another unit; false when somebody has changed the case meanwhile.
pub(crate) async fn change_unit(
    tx: &Tx,
    code: &CaseCode,
    revision: i64,
    to: &OrgCode,
) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_cases set unit = $3, revision = revision + 1, assignee = null
             where tenant = $1 and code = $2 and revision = $4",
            params![tx.tenant(), code, to, revision],
        )
        .await?;
    if changed == 1 {
        name_at_unit(tx, code, to).await?;
    }
    Ok(changed == 1)
}

/// Lets a case be found by name at its new unit.
async fn name_at_unit(tx: &Tx, code: &CaseCode, unit: &OrgCode) -> Result<(), Problem> {
    tx.exec(
        "update cases_names set unit = $3 where tenant = $1 and code = $2",
        params![tx.tenant(), code, unit],
    )
    .await?;
    Ok(())
}

/// Gives the portal's row of a case the unit that its owner names.
pub(crate) async fn note_unit(tx: &Tx, code: &CaseCode, to: &OrgCode) -> Result<(), Problem> {
    tx.exec(
        "update cases_cases set unit = $3 where tenant = $1 and code = $2",
        params![tx.tenant(), code, to],
    )
    .await?;
    name_at_unit(tx, code, to).await
}

/// Keeps that a case went from a unit to another with a status of its.
pub(crate) async fn insert_move(
    tx: &Tx,
    code: &CaseCode,
    seq: u32,
    from: &OrgCode,
    to: &OrgCode,
    (at, by): (Time, &str),
) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_moves (tenant, code, seq, from_unit, to_unit, at, moved_by)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![tx.tenant(), code, seq, from, to, at, by],
    )
    .await?;
    Ok(())
}

/// The moves of a case, oldest first: from, to, when.
pub(crate) async fn moves(
    rows: &impl Rows,
    code: &CaseCode,
) -> Result<Vec<(OrgCode, OrgCode, Time)>, Problem> {
    let rows = rows
        .all(
            "select from_unit, to_unit, at from cases_moves where tenant = $1 and code = $2 order by seq",
            params![rows.tenant(), code],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.parse("from_unit")?, row.parse("to_unit")?, row.time("at")?)))
        .collect()
}

/// Puts a case on the list.
pub(crate) async fn insert_waiting(tx: &Tx, waiting: &Waiting) -> Result<(), Problem> {
    let heirs = serde_json::to_string(&waiting.heirs).map_err(Problem::internal)?;
    tx.exec(
        "insert into cases_to_assign (tenant, code, unit, why, heirs, steps, obligation, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            tx.tenant(),
            &waiting.code,
            &waiting.unit,
            waiting.why.as_str(),
            heirs,
            &waiting.steps,
            &waiting.obligation,
            waiting.at
        ],
    )
    .await?;
    Ok(())
}

/// Takes a case off the list.
pub(crate) async fn remove_waiting(tx: &Tx, code: &CaseCode) -> Result<(), Problem> {
    tx.exec(
        "delete from cases_to_assign where tenant = $1 and code = $2",
        params![tx.tenant(), code],
    )
    .await?;
    Ok(())
}

/// A case's place on the list.
pub(crate) async fn waiting(rows: &impl Rows, code: &CaseCode) -> Result<Option<Waiting>, Problem> {
    rows.one(
        "select code, unit, why, heirs, steps, obligation, at from cases_to_assign where tenant = $1 and code = $2",
        params![rows.tenant(), code],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// A page of the list, by code, after one.
pub(crate) async fn list(rows: &impl Rows, after: &str, limit: usize) -> Result<Vec<Waiting>, Problem> {
    let rows = rows
        .all(
            "select code, unit, why, heirs, steps, obligation, at from cases_to_assign
             where tenant = $1 and code > $2 order by code limit $3",
            params![rows.tenant(), after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Waiting, Problem> {
    Ok(Waiting {
        code: row.parse("code")?,
        unit: row.parse("unit")?,
        why: match row.text("why")?.as_str() {
            "split" => Why::Split,
            "unknown" => Why::Unknown,
            "elsewhere" => Why::Elsewhere,
            other => {
                return Err(Problem::internal(format_args!(
                    "bad row: cases_to_assign.why {other}"
                )));
            }
        },
        heirs: row.json("heirs")?,
        steps: row.text("steps")?,
        obligation: row.text("obligation")?,
        at: row.time("at")?,
    })
}
