//! SQL of which late cases were told to whom. Why a case is late stands with the case: nothing of it is here.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, OrgCode, Problem, Time};

use crate::store::{Held, Rows, held};

/// The place of a line in a list: by when something is owed or when it ended, its case, its step.
pub(crate) type Place = (Time, CaseCode, u32);

/// Which lines a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those about which something is owed.
    Open,
    /// Those of them whose own time is over.
    Late,
    /// Those that ended.
    Ended,
}

/// A case that has missed its date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Overdue {
    pub(crate) code: CaseCode,
    pub(crate) unit: OrgCode,
    pub(crate) due: Time,
    /// Steps that were told of this date, count.
    pub(crate) told: u32,
}

/// A line that has not ended.
pub(crate) struct Open {
    pub(crate) missed: Time,
    pub(crate) step: u32,
}

/// A line of a list.
pub(crate) struct Told {
    pub(crate) step: u32,
    pub(crate) missed: Time,
    pub(crate) owed: Time,
    pub(crate) at: Time,
    /// When it ended, and how.
    pub(crate) ended: Option<(Time, String)>,
    pub(crate) held: Held,
}

/// What is told.
pub(crate) struct New<'a> {
    pub(crate) code: &'a CaseCode,
    pub(crate) missed: Time,
    pub(crate) step: u32,
    pub(crate) told: &'a OrgCode,
    pub(crate) role: &'a str,
    pub(crate) owed: Time,
}

/// A page of the running cases that have missed their date and do not wait for their applicants, the latest first,
/// after a place. Walks over what is late and no more.
pub(crate) async fn overdue(
    rows: &impl Rows,
    (at, code): (Time, &str),
    (now, limit): (Time, usize),
) -> Result<Vec<Overdue>, Problem> {
    let found = rows
        .all(OVERDUE, params![rows.tenant(), at, code, now, limit])
        .await?;
    let read = |row: &Row| -> Result<Overdue, Problem> {
        Ok(Overdue {
            code: row.parse("code")?,
            unit: row.parse("unit")?,
            due: row.time("due_at")?,
            told: small(row, "told")?,
        })
    };
    found.iter().map(read).collect()
}

/// Notes that somebody is told; false when they were before.
pub(crate) async fn insert(tx: &Tx, new: &New<'_>) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "insert into cases_escalations (tenant, code, missed_at, step, told, role, owed_at, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (tenant, code, missed_at, step) do nothing",
            params![
                tx.tenant(),
                new.code,
                new.missed,
                new.step,
                new.told,
                new.role,
                new.owed,
                tx.now()
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// What was told of a case and has not ended.
pub(crate) async fn open(rows: &impl Rows, code: &CaseCode) -> Result<Vec<Open>, Problem> {
    let found = rows
        .all(
            "select missed_at, step from cases_escalations
             where tenant = $1 and code = $2 and ended_at is null order by missed_at, step",
            params![rows.tenant(), code],
        )
        .await?;
    let read = |row: &Row| -> Result<Open, Problem> {
        Ok(Open {
            missed: row.time("missed_at")?,
            step: small(row, "step")?,
        })
    };
    found.iter().map(read).collect()
}

/// Notes that a line has ended, and how.
pub(crate) async fn end(tx: &Tx, code: &CaseCode, missed: Time, step: u32, why: &str) -> Result<(), Problem> {
    tx.exec(
        "update cases_escalations set ended_at = $5, why = $6
         where tenant = $1 and code = $2 and missed_at = $3 and step = $4 and ended_at is null",
        params![tx.tenant(), code, missed, step, tx.now(), why],
    )
    .await?;
    Ok(())
}

/// What a unit was told of a case goes with the case to another.
pub(crate) async fn change_unit(
    tx: &Tx,
    code: &CaseCode,
    from: &OrgCode,
    to: &OrgCode,
) -> Result<(), Problem> {
    tx.exec(
        "update cases_escalations set told = $4
         where tenant = $1 and code = $2 and told = $3 and ended_at is null",
        params![tx.tenant(), code, from, to],
    )
    .await?;
    Ok(())
}

/// A page of what a role of a unit was told, with its cases, after a place: what is open by when something is owed,
/// what has ended with the newest in front.
pub(crate) async fn told(
    rows: &impl Rows,
    (unit, role): (&OrgCode, &str),
    which: Which,
    (after, now): (Option<&Place>, Time),
    limit: usize,
) -> Result<Vec<Told>, Problem> {
    let tenant = rows.tenant();
    let found = match which {
        Which::Open | Which::Late => {
            let (at, code, step) = place(after, Time(i64::MIN));
            let until = until(which, now);
            rows.all(OPEN, params![tenant, unit, role, at, code, step, limit, until])
                .await?
        }
        Which::Ended => {
            let (at, code, step) = place(after, Time(i64::MAX));
            rows.all(ENDED, params![tenant, unit, role, at, code, step, limit])
                .await?
        }
    };
    found.iter().map(read).collect()
}

/// How much a role of a unit was told that is open, up to a limit.
pub(crate) async fn count(
    rows: &impl Rows,
    (unit, role): (&OrgCode, &str),
    which: Which,
    (now, limit): (Time, usize),
) -> Result<u64, Problem> {
    let until = until(which, now);
    let found = rows
        .one(COUNT, params![rows.tenant(), unit, role, until, limit])
        .await?;
    found.map_or(Ok(0), |row| row.count("lines"))
}

fn read(row: &Row) -> Result<Told, Problem> {
    let ended = row.opt_int("told_ended_at")?.map(Time);
    Ok(Told {
        step: small(row, "step")?,
        missed: row.time("missed_at")?,
        owed: row.time("owed_at")?,
        at: row.time("told_at")?,
        ended: ended.zip(row.opt_text("why")?),
        held: held(row)?,
    })
}

/// The last instant by which something is owed in a part of the list.
fn until(which: Which, now: Time) -> Time {
    match which {
        Which::Late => Time(now.ms() - 1),
        Which::Open | Which::Ended => Time(i64::MAX),
    }
}

/// A place in parts; without one, that before all others.
fn place(after: Option<&Place>, first: Time) -> (Time, String, u32) {
    after.map_or((first, String::new(), 0), |(at, code, step)| {
        (*at, code.to_string(), *step)
    })
}

fn small(row: &Row, column: &str) -> Result<u32, Problem> {
    u32::try_from(row.int(column)?).map_err(|_| {
        Problem::internal(format_args!(
            "bad row: cases_escalations.{column} is out of range"
        ))
    })
}

const OVERDUE: &str = "select c.code, c.unit, c.due_at,
         (select count(*) from cases_escalations e
          where e.tenant = c.tenant and e.code = c.code and e.missed_at = c.due_at) as told
     from cases_cases c
     where c.tenant = $1 and (case when c.status in (3, 7, 8, 10) then 1 else 0 end) = 0
         and c.status in (2, 4) and c.due_at is not null
         and coalesce(c.due_at, c.filed_at) < $4 and coalesce(c.due_at, c.filed_at) >= $2
         and (coalesce(c.due_at, c.filed_at) > $2 or c.code > $3)
     order by coalesce(c.due_at, c.filed_at), c.code limit $5";

const OPEN: &str =
    "select e.step, e.missed_at, e.owed_at, e.at as told_at, e.ended_at as told_ended_at, e.why,
         c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status,
         c.revision, c.filed_at, c.due_at, c.ended_at, c.details
     from cases_escalations e join cases_cases c on c.tenant = e.tenant and c.code = e.code
     where e.tenant = $1 and e.told = $2 and e.role = $3 and e.ended_at is null and e.owed_at <= $8
         and e.owed_at >= $4 and (e.owed_at > $4 or e.code > $5 or (e.code = $5 and e.step > $6))
     order by e.owed_at, e.code, e.step limit $7";

const ENDED: &str =
    "select e.step, e.missed_at, e.owed_at, e.at as told_at, e.ended_at as told_ended_at, e.why,
         c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status,
         c.revision, c.filed_at, c.due_at, c.ended_at, c.details
     from cases_escalations e join cases_cases c on c.tenant = e.tenant and c.code = e.code
     where e.tenant = $1 and e.told = $2 and e.role = $3 and e.ended_at is not null
         and e.ended_at <= $4 and (e.ended_at < $4 or e.code < $5 or (e.code = $5 and e.step < $6))
     order by e.ended_at desc, e.code desc, e.step desc limit $7";

const COUNT: &str = "select count(*) as lines from (
         select step from cases_escalations
         where tenant = $1 and told = $2 and role = $3 and ended_at is null and owed_at <= $4
         limit $5) as counted";
