//! SQL of which opinions a unit is asked for, in the order in which they are due. What was asked and answered stands
//! with the case: nothing of it is here.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, OrgCode, Problem, Time};

use crate::consult::Consult;
use crate::store::{Held, Rows, held};

/// The place of a consult in a list: when it is due or ended, its case, its number.
pub(crate) type Place = (Time, CaseCode, u32);

/// Which consults of a unit a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that wait for an answer.
    Open,
    /// Those of them that are late.
    Late,
    /// Those that were answered or ended.
    Ended,
}

/// An open consult, as the job looks through them.
pub(crate) struct Open {
    pub(crate) code: CaseCode,
    pub(crate) number: u32,
    pub(crate) unit: OrgCode,
    pub(crate) due: Time,
    /// Its lateness was told.
    pub(crate) is_told: bool,
}

/// Notes that a unit is asked.
pub(crate) async fn insert(tx: &Tx, code: &CaseCode, consult: &Consult) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_consults (tenant, code, number, unit, due_at) values ($1, $2, $3, $4, $5)",
        params![tx.tenant(), code, consult.number, &consult.unit, consult.due],
    )
    .await?;
    Ok(())
}

/// Notes that nothing is waited for any more.
pub(crate) async fn end(tx: &Tx, code: &CaseCode, number: u32) -> Result<(), Problem> {
    tx.exec(
        "update cases_consults set ended_at = $4 where tenant = $1 and code = $2 and number = $3",
        params![tx.tenant(), code, number, tx.now()],
    )
    .await?;
    Ok(())
}

/// Notes that another unit is asked now, whose own lateness nobody has been told of.
pub(crate) async fn change_unit(tx: &Tx, code: &CaseCode, number: u32, to: &OrgCode) -> Result<(), Problem> {
    tx.exec(
        "update cases_consults set unit = $4, told_at = null where tenant = $1 and code = $2 and number = $3",
        params![tx.tenant(), code, number, to],
    )
    .await?;
    Ok(())
}

/// Notes that lateness was told; false when it was before, or nothing is waited for any more.
pub(crate) async fn note_told(tx: &Tx, code: &CaseCode, number: u32) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_consults set told_at = $4
             where tenant = $1 and code = $2 and number = $3 and ended_at is null and told_at is null",
            params![tx.tenant(), code, number, tx.now()],
        )
        .await?;
    Ok(changed == 1)
}

/// A page of the tenant's open consults, the one that is due first in front, after a place.
pub(crate) async fn open(
    rows: &impl Rows,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<Open>, Problem> {
    let (at, code, number) = place(after, Time(i64::MIN));
    let found = rows
        .all(
            "select code, number, unit, due_at, told_at from cases_consults
             where tenant = $1 and ended_at is null
                 and due_at >= $2 and (due_at > $2 or code > $3 or (code = $3 and number > $4))
             order by due_at, code, number limit $5",
            params![rows.tenant(), at, code, number, limit],
        )
        .await?;
    let read = |row: &Row| -> Result<Open, Problem> {
        Ok(Open {
            code: row.parse("code")?,
            number: number_of(row)?,
            unit: row.parse("unit")?,
            due: row.time("due_at")?,
            is_told: row.opt_int("told_at")?.is_some(),
        })
    };
    found.iter().map(read).collect()
}

/// A page of what a unit is asked, with its cases, after a place: what is open by when it is due, what has ended
/// with the newest in front.
pub(crate) async fn of_unit(
    rows: &impl Rows,
    unit: &OrgCode,
    which: Which,
    (after, now): (Option<&Place>, Time),
    limit: usize,
) -> Result<Vec<(u32, Held)>, Problem> {
    let tenant = rows.tenant();
    let found = match which {
        Which::Open | Which::Late => {
            let until = until(which, now);
            let (at, code, number) = place(after, Time(i64::MIN));
            rows.all(OPEN, params![tenant, unit, at, code, number, limit, until])
                .await?
        }
        Which::Ended => {
            let (at, code, number) = place(after, Time(i64::MAX));
            rows.all(ENDED, params![tenant, unit, at, code, number, limit])
                .await?
        }
    };
    let read = |row: &Row| -> Result<(u32, Held), Problem> { Ok((number_of(row)?, held(row)?)) };
    found.iter().map(read).collect()
}

/// How many open consults a unit has, up to a limit.
pub(crate) async fn count(
    rows: &impl Rows,
    unit: &OrgCode,
    which: Which,
    (now, limit): (Time, usize),
) -> Result<u64, Problem> {
    let found = rows
        .one(COUNT, params![rows.tenant(), unit, until(which, now), limit])
        .await?;
    found.map_or(Ok(0), |row| row.count("consults"))
}

/// The last due instant of a part of the list.
fn until(which: Which, now: Time) -> Time {
    match which {
        Which::Late => Time(now.ms() - 1),
        Which::Open | Which::Ended => Time(i64::MAX),
    }
}

/// A place in parts; without one, that before all others.
fn place(after: Option<&Place>, first: Time) -> (Time, String, u32) {
    after.map_or((first, String::new(), 0), |(at, code, number)| {
        (*at, code.to_string(), *number)
    })
}

fn number_of(row: &Row) -> Result<u32, Problem> {
    u32::try_from(row.int("number")?)
        .map_err(|_| Problem::internal("bad row: cases_consults.number is out of range"))
}

const OPEN: &str =
    "select n.number, c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status,
         c.revision, c.filed_at, c.due_at, c.ended_at, c.details
     from cases_consults n join cases_cases c on c.tenant = n.tenant and c.code = n.code
     where n.tenant = $1 and n.unit = $2 and n.ended_at is null and n.due_at <= $7
         and n.due_at >= $3 and (n.due_at > $3 or n.code > $4 or (n.code = $4 and n.number > $5))
     order by n.due_at, n.code, n.number limit $6";

const ENDED: &str =
    "select n.number, c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status,
         c.revision, c.filed_at, c.due_at, c.ended_at, c.details
     from cases_consults n join cases_cases c on c.tenant = n.tenant and c.code = n.code
     where n.tenant = $1 and n.unit = $2 and n.ended_at is not null
         and n.ended_at <= $3 and (n.ended_at < $3 or n.code < $4 or (n.code = $4 and n.number < $5))
     order by n.ended_at desc, n.code desc, n.number desc limit $6";

const COUNT: &str = "select count(*) as consults from (
         select number from cases_consults
         where tenant = $1 and unit = $2 and ended_at is null and due_at <= $3
         limit $4) as counted";

#[cfg(test)]
mod tests {
    use ::store::Engine;

    use super::*;

    #[tokio::test]
    async fn what_a_unit_is_asked_is_read_without_a_walk_over_what_others_are_asked() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let reader = temp.store.read(&"H56".parse().expect("a code")).await;
        let reader = reader.expect("a reader");
        let unit: OrgCode = "H56.14".parse().expect("a code");
        if temp.store.engine() == Engine::Postgres {
            for which in [Which::Open, Which::Late, Which::Ended] {
                let none = of_unit(&reader, &unit, which, (None, Time(5)), 5).await;
                assert!(none.expect("none").is_empty());
            }
            let none = count(&reader, &unit, Which::Late, (Time(5), 5)).await;
            assert_eq!(none.expect("none"), 0);
            assert!(open(&reader, None, 5).await.expect("none").is_empty());
            return;
        }
        let tenant = reader.tenant();
        for (sql, index, values) in [
            (
                OPEN,
                "cases_consults_asked",
                params![tenant, &unit, 0, "", 0, 5, 9],
            ),
            (ENDED, "cases_consults_ended", params![tenant, &unit, 0, "", 0, 5]),
            (COUNT, "cases_consults_asked", params![tenant, &unit, 9, 5]),
        ] {
            let explain: &'static str = Box::leak(format!("explain query plan {sql}").into_boxed_str());
            let rows = reader.all(explain, values).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|r| r.text("detail").expect("a line")).collect();
            let plan = plan.join("; ");
            assert!(plan.contains(index), "{sql}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
        }
    }
}
