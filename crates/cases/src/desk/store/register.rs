//! SQL of a unit's register of a day: what came in, in its order. Walks over that unit's days alone. Never changes a row.

use ::store::params;
use kernel::{OrgCode, Problem, Time};

use super::Place;
use crate::store::{Held, Rows, held};

/// The place of a case in the register: when it came in.
pub(crate) fn place(held: &Held) -> Place {
    (held.case.filed_at, held.case.code.clone())
}

/// A part of what came in to one unit from an instant up to another, after a place.
pub(crate) async fn of_day(
    rows: &impl Rows,
    unit: &OrgCode,
    (from, to): (Time, Time),
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let (at, code) = after.map_or((from.ms(), String::new()), |(at, code)| {
        (at.ms().max(from.ms()), code.to_string())
    });
    let found = rows
        .all(OF_DAY, params![rows.tenant(), unit, at, to, code, limit])
        .await?;
    found.iter().map(held).collect()
}

const OF_DAY: &str =
    "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at,
         due_at, ended_at, details from cases_cases
     where tenant = $1 and unit = $2 and filed_at >= $3 and filed_at < $4 and (filed_at > $3 or code > $5)
     order by filed_at, code limit $6";

#[cfg(test)]
mod tests {
    use ::store::Engine;

    use super::*;

    #[tokio::test]
    async fn the_register_walks_over_the_units_own_days() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let reader = temp.store.read(&"H56".parse().expect("a code")).await;
        let reader = reader.expect("a reader");
        let unit: OrgCode = "H56.14".parse().expect("a code");
        let none = of_day(&reader, &unit, (Time(0), Time(9)), None, 5).await;
        assert!(none.expect("none").is_empty());
        if temp.store.engine() == Engine::Postgres {
            return;
        }
        let explain: &'static str = Box::leak(format!("explain query plan {OF_DAY}").into_boxed_str());
        let values = params![reader.tenant(), &unit, 0, 9, "", 5];
        let rows = reader.all(explain, values).await.expect("a plan");
        let plan: Vec<String> = rows.iter().map(|r| r.text("detail").expect("a line")).collect();
        let plan = plan.join("; ");
        assert!(
            plan.contains("cases_cases_unit_filed") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}
