//! SQL of the comparison: what a place shows and what differs; how far it has come, in `runs`. Never decides what is right.

mod runs;

use ::store::{Row, Tx, params};
use kernel::digest::canonical_json;
use kernel::{CaseCode, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};

use super::{Shown, Step, What};
use crate::store::{Held, Rows, held, number};
pub(crate) use runs::{Part, Run, advance, begin, run};

/// A place in a list: an instant and a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// The instant by which the list is ordered.
    pub at: Time,
    /// The code among those of one instant.
    pub code: String,
}

impl After {
    /// Before everything.
    #[must_use]
    pub fn start() -> Self {
        Self {
            at: Time(i64::MIN),
            code: String::new(),
        }
    }
}

/// Whose cases a list has: an owner's, or all of the place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    Of(&'a OrgCode),
    All,
}

impl Whose<'_> {
    fn params(&self) -> (String, String) {
        match self {
            Self::Of(owner) => (owner.to_string(), format!("{owner}.%")),
            Self::All => (String::new(), "%".to_owned()),
        }
    }
}

/// The changes of a case, in order; from where its owner said it anew, if ever.
pub(crate) async fn steps(rows: &impl Rows, code: &CaseCode) -> Result<Vec<Step>, Problem> {
    let rows = rows
        .all(
            "select seq, status, at, due_at from cases_statuses where tenant = $1 and code = $2 and seq >= (
                 select coalesce(max(r.seq), 0) from cases_restated r where r.tenant = $1 and r.code = $2)
             order by seq",
            params![rows.tenant(), code],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Step {
                seq: number(row, "seq")?,
                status: number(row, "status")?,
                at: row.time("at")?,
                due: row.opt_int("due_at")?.map(Time),
            })
        })
        .collect()
}

/// A page of the open cases, after a place.
pub(crate) async fn open(
    rows: &impl Rows,
    whose: Whose<'_>,
    after: &After,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    page(rows, OPEN, whose, after, limit).await
}

/// A page of the cases that have ended, or been decided, since the instant of a place, after it.
pub(crate) async fn ended(
    rows: &impl Rows,
    whose: Whose<'_>,
    after: &After,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    page(rows, ENDED, whose, after, limit).await
}

async fn page(
    rows: &impl Rows,
    sql: &'static str,
    whose: Whose<'_>,
    after: &After,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let (unit, below) = whose.params();
    let params = params![rows.tenant(), after.at, &after.code, unit, below, limit];
    rows.all(sql, params).await?.iter().map(held).collect()
}

const OPEN: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
         and coalesce(due_at, filed_at) >= $2 and (coalesce(due_at, filed_at) > $2 or code > $3)
         and (unit = $4 or unit like $5)
     order by coalesce(due_at, filed_at), code limit $6";

const ENDED: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and ended_at >= $2 and (ended_at > $2 or code > $3)
         and (unit = $4 or unit like $5)
     order by ended_at, code limit $6";

/// Notes that an owner said a case anew with one of its changes.
pub(crate) async fn insert_restated(tx: &Tx, code: &CaseCode, seq: u32, at: Time) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_restated (tenant, code, seq, at) values ($1, $2, $3, $4)",
        params![tx.tenant(), code, seq, at],
    )
    .await?;
    Ok(())
}

/// True when a change of a case is one by which its owner said it anew.
pub(crate) async fn is_restated(rows: &impl Rows, code: &CaseCode, seq: u32) -> Result<bool, Problem> {
    let row = rows
        .one(
            "select seq from cases_restated where tenant = $1 and code = $2 and seq = $3",
            params![rows.tenant(), code, seq],
        )
        .await?;
    Ok(row.is_some())
}

/// Gives a case the status, the date and the end that its owner says it has.
pub(crate) async fn set_shown(
    tx: &Tx,
    code: &CaseCode,
    status: u8,
    due: Option<Time>,
    ended: Option<Time>,
) -> Result<(), Problem> {
    tx.exec(
        "update cases_cases set status = $3, due_at = $4, ended_at = $5, revision = revision + 1
         where tenant = $1 and code = $2",
        params![tx.tenant(), code, status, due, ended],
    )
    .await?;
    Ok(())
}

/// A case of which the two sides say different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) code: CaseCode,
    pub(crate) what: Vec<What>,
    pub(crate) ours: Option<Shown>,
    pub(crate) theirs: Option<Shown>,
    /// When it was found first.
    pub(crate) since: Time,
    /// When it was compared last.
    pub(crate) compared: Time,
    /// Since when the portal is being told again.
    pub(crate) mending: Option<Time>,
}

/// Puts a case on the list, or what differs now in the place of what differed before.
pub(crate) async fn put(tx: &Tx, found: &Difference) -> Result<(), Problem> {
    let side = |side: &Option<Shown>| {
        let json = side.as_ref().map(canonical_json).transpose();
        json.map_err(Problem::internal)
    };
    tx.exec(
        "insert into cases_differences (tenant, code, what, ours, theirs, since_at, compared_at, mending_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (tenant, code) do update set what = excluded.what, ours = excluded.ours,
             theirs = excluded.theirs, compared_at = excluded.compared_at",
        params![
            tx.tenant(),
            &found.code,
            words(&found.what),
            side(&found.ours)?,
            side(&found.theirs)?,
            found.since,
            found.compared,
            found.mending
        ],
    )
    .await?;
    Ok(())
}

/// The words of what differs, as a row and a fact have them.
pub(crate) fn words(what: &[What]) -> String {
    let words: Vec<&str> = what.iter().map(|what| what.as_str()).collect();
    words.join(",")
}

/// Notes since when the portal is being told again; or that it is no more.
pub(crate) async fn set_mending(tx: &Tx, code: &CaseCode, at: Option<Time>) -> Result<(), Problem> {
    tx.exec(
        "update cases_differences set mending_at = $3 where tenant = $1 and code = $2",
        params![tx.tenant(), code, at],
    )
    .await?;
    Ok(())
}

/// Takes a case off the list.
pub(crate) async fn remove(tx: &Tx, code: &CaseCode) -> Result<(), Problem> {
    tx.exec(
        "delete from cases_differences where tenant = $1 and code = $2",
        params![tx.tenant(), code],
    )
    .await?;
    Ok(())
}

/// A case's place on the list.
pub(crate) async fn difference(rows: &impl Rows, code: &CaseCode) -> Result<Option<Difference>, Problem> {
    rows.one(
        "select code, what, ours, theirs, since_at, compared_at, mending_at from cases_differences
         where tenant = $1 and code = $2",
        params![rows.tenant(), code],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// A page of the list, by code, after one.
pub(crate) async fn list(rows: &impl Rows, after: &str, limit: usize) -> Result<Vec<Difference>, Problem> {
    let rows = rows
        .all(
            "select code, what, ours, theirs, since_at, compared_at, mending_at from cases_differences
             where tenant = $1 and code > $2 order by code limit $3",
            params![rows.tenant(), after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// How many cases are on the list.
pub(crate) async fn count(rows: &impl Rows) -> Result<u64, Problem> {
    let row = rows
        .one(
            "select count(*) as n from cases_differences where tenant = $1",
            params![rows.tenant()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("n"))
}

fn read(row: &Row) -> Result<Difference, Problem> {
    let side = |column: &str| -> Result<Option<Shown>, Problem> {
        match row.opt_text(column)? {
            Some(_) => row.json(column).map(Some),
            None => Ok(None),
        }
    };
    let what = row.text("what")?;
    Ok(Difference {
        code: row.parse("code")?,
        what: what.split(',').map(What::parse).collect::<Result<_, _>>()?,
        ours: side("ours")?,
        theirs: side("theirs")?,
        since: row.time("since_at")?,
        compared: row.time("compared_at")?,
        mending: row.opt_int("mending_at")?.map(Time),
    })
}

#[cfg(test)]
mod tests {
    use ::store::Engine;

    use super::*;

    #[tokio::test]
    async fn a_page_costs_a_page_however_much_has_ended() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let reader = temp.store.read(&"G22".parse().expect("a code")).await;
        let reader = reader.expect("a reader");
        let owner: OrgCode = "H56".parse().expect("a code");
        for whose in [Whose::Of(&owner), Whose::All] {
            let none = open(&reader, whose, &After::start(), 5).await;
            assert_eq!(none.expect("readable"), []);
            let none = ended(&reader, whose, &After::start(), 5).await;
            assert_eq!(none.expect("readable"), []);
        }
        if temp.store.engine() == Engine::Postgres {
            // A walk over no rows is cheaper than any index there: a plan says nothing.
            return;
        }
        for (sql, index) in [(OPEN, "cases_cases_running"), (ENDED, "cases_cases_ended")] {
            let explain: &'static str = Box::leak(format!("explain query plan {sql}").into_boxed_str());
            let values = params![reader.tenant(), 0, "", "H56", "H56.%", 5];
            let rows = reader.all(explain, values).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|r| r.text("detail").expect("a line")).collect();
            let plan = plan.join("; ");
            assert!(plan.contains(index), "{sql}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
        }
    }
}
