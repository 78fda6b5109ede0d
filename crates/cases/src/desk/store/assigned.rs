//! SQL of whose desk a case lies on. A case without anybody is its unit's. Never touches what else a case is.

use ::store::{Tx, params};
use kernel::{CaseCode, Problem};

use super::Place;
use crate::store::{Held, Rows, held};

/// Whose a case is.
pub(crate) async fn of(rows: &impl Rows, code: &CaseCode) -> Result<Option<String>, Problem> {
    let row = rows
        .one(
            "select assignee from cases_cases where tenant = $1 and code = $2",
            params![rows.tenant(), code],
        )
        .await?;
    row.map_or(Ok(None), |row| row.opt_text("assignee"))
}

/// Lays a case on somebody's desk.
pub(crate) async fn set(tx: &Tx, code: &CaseCode, to: &str) -> Result<(), Problem> {
    tx.exec(
        "update cases_cases set assignee = $3 where tenant = $1 and code = $2",
        params![tx.tenant(), code, to],
    )
    .await?;
    Ok(())
}

/// A page of somebody's open cases, the most urgent first, after a place.
pub(crate) async fn list(
    rows: &impl Rows,
    account: &str,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let (at, code) = after.map_or((i64::MIN, String::new()), |(at, code)| {
        (at.ms(), code.to_string())
    });
    let found = rows
        .all(LIST, params![rows.tenant(), account, at, code, limit])
        .await?;
    found.iter().map(held).collect()
}

/// How many open cases somebody has, up to a limit.
pub(crate) async fn count(rows: &impl Rows, account: &str, limit: usize) -> Result<u64, Problem> {
    let found = rows.one(COUNT, params![rows.tenant(), account, limit]).await?;
    found.map_or(Ok(0), |row| row.count("cases"))
}

const LIST: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and assignee = $2 and assignee is not null
         and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
         and coalesce(due_at, filed_at) >= $3 and (coalesce(due_at, filed_at) > $3 or code > $4)
     order by coalesce(due_at, filed_at), code limit $5";

const COUNT: &str = "select count(*) as cases from (
         select code from cases_cases
         where tenant = $1 and assignee = $2 and assignee is not null
             and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
         limit $3) as counted";

#[cfg(test)]
mod tests {
    use ::store::Engine;

    use super::*;

    #[tokio::test]
    async fn somebodys_list_walks_over_their_own_cases_alone() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let reader = temp.store.read(&"H56".parse().expect("a code")).await;
        let reader = reader.expect("a reader");
        if temp.store.engine() == Engine::Postgres {
            assert_eq!(count(&reader, "tich", 5).await.expect("none"), 0);
            return;
        }
        for (sql, values) in [
            (LIST, params![reader.tenant(), "tich", 0, "", 5]),
            (COUNT, params![reader.tenant(), "tich", 5]),
        ] {
            let explain: &'static str = Box::leak(format!("explain query plan {sql}").into_boxed_str());
            let rows = reader.all(explain, values).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|r| r.text("detail").expect("a line")).collect();
            let plan = plan.join("; ");
            assert!(plan.contains("cases_cases_assigned"), "{sql}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
        }
    }
}
