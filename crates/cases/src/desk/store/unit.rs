//! SQL of one unit's part of the list, and of how much is in it. Each statement walks over an index of that
//! unit alone, so a page costs a page however much the province has. Never changes a row.

use ::store::params;
use kernel::{OrgCode, Problem, Time};

use super::{Place, Which};
use crate::store::{Held, Rows, held};

/// A page of the cases of one unit, the most urgent first, after a place.
pub(super) async fn list(
    rows: &impl Rows,
    unit: &OrgCode,
    which: &Which,
    (after, now): (Option<&Place>, Time),
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let (at, code) = after.map_or((i64::MIN, String::new()), |(at, code)| {
        (at.ms(), code.to_string())
    });
    let tenant = rows.tenant();
    let found = match which {
        Which::Overdue | Which::Soon(_) => {
            let (from, to) = span(which, now);
            // A place before the span is its beginning.
            let (at, code) = if at < from {
                (from, String::new())
            } else {
                (at, code)
            };
            rows.all(CLOCKED, params![tenant, unit, at, code, limit, to])
                .await?
        }
        Which::Paused => rows.all(PAUSED, params![tenant, unit, at, code, limit]).await?,
        _ => rows.all(OPEN, params![tenant, unit, at, code, limit]).await?,
    };
    found.iter().map(held).collect()
}

/// How many cases of one unit a part has, up to a limit.
pub(super) async fn count(
    rows: &impl Rows,
    unit: &OrgCode,
    which: &Which,
    (now, limit): (Time, usize),
) -> Result<u64, Problem> {
    let tenant = rows.tenant();
    let found = match which {
        Which::Overdue | Which::Soon(_) => {
            let (from, to) = span(which, now);
            rows.one(COUNT_CLOCKED, params![tenant, unit, limit, from, to])
                .await?
        }
        Which::Paused => {
            // The range is everything: it says which index to walk.
            rows.one(COUNT_PAUSED, params![tenant, unit, limit, i64::MIN])
                .await?
        }
        _ => rows.one(COUNT_OPEN, params![tenant, unit, limit]).await?,
    };
    found.map_or(Ok(0), |row| row.count("cases"))
}

/// The due instants of what is late, or soon: first and last, in milliseconds.
fn span(which: &Which, now: Time) -> (i64, i64) {
    match which {
        Which::Soon(until) => (now.ms(), until.ms()),
        _ => (i64::MIN, now.ms() - 1),
    }
}

const OPEN: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and unit = $2 and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
         and coalesce(due_at, filed_at) >= $3 and (coalesce(due_at, filed_at) > $3 or code > $4)
     order by coalesce(due_at, filed_at), code limit $5";

const CLOCKED: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and unit = $2 and status in (2, 4) and due_at is not null
         and coalesce(due_at, filed_at) >= $3 and coalesce(due_at, filed_at) <= $6
         and (coalesce(due_at, filed_at) > $3 or code > $4)
     order by coalesce(due_at, filed_at), code limit $5";

const PAUSED: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and unit = $2 and status in (5, 6)
         and coalesce(due_at, filed_at) >= $3 and (coalesce(due_at, filed_at) > $3 or code > $4)
     order by coalesce(due_at, filed_at), code limit $5";

const COUNT_OPEN: &str = "select count(*) as cases from (
         select code from cases_cases
         where tenant = $1 and unit = $2 and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
         limit $3) as counted";

const COUNT_CLOCKED: &str = "select count(*) as cases from (
         select code from cases_cases
         where tenant = $1 and unit = $2 and status in (2, 4) and due_at is not null
             and coalesce(due_at, filed_at) >= $4 and coalesce(due_at, filed_at) <= $5
         limit $3) as counted";

const COUNT_PAUSED: &str = "select count(*) as cases from (
         select code from cases_cases where tenant = $1 and unit = $2 and status in (5, 6)
             and coalesce(due_at, filed_at) >= $4
         limit $3) as counted";

#[cfg(test)]
mod tests {
    use ::store::{Engine, Value};

    use super::*;

    #[tokio::test]
    async fn the_list_of_a_unit_walks_over_no_other_units_cases() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let reader = temp.store.read(&"H56".parse().expect("a code")).await;
        let reader = reader.expect("a reader");
        let unit: OrgCode = "H56.14".parse().expect("a code");
        if temp.store.engine() == Engine::Postgres {
            // A walk over no rows is cheaper than any index there: a plan says nothing. That both engines give
            // the same lists is tested by the worklist.
            for which in [Which::Open, Which::Overdue, Which::Paused] {
                let none = list(&reader, &unit, &which, (None, Time(5)), 5)
                    .await
                    .expect("none");
                assert!(none.is_empty());
                assert_eq!(
                    count(&reader, &unit, &which, (Time(5), 5)).await.expect("none"),
                    0
                );
            }
            return;
        }
        let own = || params![reader.tenant(), &unit];
        let with = |more: Vec<Value>| -> Vec<Value> { [own(), more].concat() };
        for (sql, index, values) in [
            (OPEN, "cases_cases_unit_running", with(params![0, "", 5])),
            (CLOCKED, "cases_cases_unit_clocked", with(params![0, "", 5, 9])),
            (PAUSED, "cases_cases_unit_paused", with(params![0, "", 5])),
            (COUNT_OPEN, "cases_cases_unit_running", with(params![5])),
            (COUNT_CLOCKED, "cases_cases_unit_clocked", with(params![5, 0, 9])),
            (COUNT_PAUSED, "cases_cases_unit_paused", with(params![5, 0])),
        ] {
            let explain: &'static str = Box::leak(format!("explain query plan {sql}").into_boxed_str());
            let rows = reader.all(explain, values).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|r| r.text("detail").expect("a line")).collect();
            let plan = plan.join("; ");
            assert!(plan.contains(index), "{sql}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
            assert!(!plan.contains("SCAN cases_cases"), "{sql}: {plan}");
        }
    }
}
