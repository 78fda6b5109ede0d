//! SQL of the cases beside a case in its unit's list of what is open. Each statement reads one row of an index. Never
//! another unit's.

use ::store::params;
use kernel::{CaseCode, OrgCode, Problem};

use super::Place;
use crate::store::Rows;

/// The open cases of a unit before and after a place of its list.
pub(crate) async fn of(
    rows: &impl Rows,
    unit: &OrgCode,
    (at, code): &Place,
) -> Result<(Option<CaseCode>, Option<CaseCode>), Problem> {
    let place = || params![rows.tenant(), unit, *at, code];
    let before = rows.one(BEFORE, place()).await?;
    let after = rows.one(AFTER, place()).await?;
    Ok((
        before.map(|row| row.parse("code")).transpose()?,
        after.map(|row| row.parse("code")).transpose()?,
    ))
}

const BEFORE: &str = "select code from cases_cases
     where tenant = $1 and unit = $2 and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
         and coalesce(due_at, filed_at) <= $3 and (coalesce(due_at, filed_at) < $3 or code < $4)
     order by coalesce(due_at, filed_at) desc, code desc limit 1";

const AFTER: &str = "select code from cases_cases
     where tenant = $1 and unit = $2 and (case when status in (3, 7, 8, 10) then 1 else 0 end) = 0
         and coalesce(due_at, filed_at) >= $3 and (coalesce(due_at, filed_at) > $3 or code > $4)
     order by coalesce(due_at, filed_at), code limit 1";

#[cfg(test)]
mod tests {
    use ::store::Engine;
    use kernel::Time;
    use serde_json::json;

    use super::*;
    use crate::desk::testing::{CASE, Desk, handover};

    #[tokio::test]
    async fn a_cases_page_leads_to_the_one_before_and_the_one_after() {
        let desk = Desk::new().await;
        for number in 2..=3 {
            let mut body = handover();
            body["code"] = json!(format!("G22-261121-{number:04}"));
            desk.receive(&body).await.expect("received");
        }
        let links = async |code: &str| {
            let page = desk.get("tich", &format!("/desk/cases/{code}")).await.body;
            let leads = |rel: &str| {
                let found = page.split_once(&format!("rel=\"{rel}\""));
                let href = found.and_then(|(_, rest)| rest.split_once("href=\"/desk/cases/"));
                href.and_then(|(_, rest)| rest.split_once('"'))
                    .map(|(code, _)| code.to_owned())
            };
            (leads("prev"), leads("next"))
        };
        let code = |number: u8| Some(format!("G22-261121-{number:04}"));
        assert_eq!(links(CASE).await, (None, code(2)));
        assert_eq!(links("G22-261121-0002").await, (code(1), code(3)));
        assert_eq!(links("G22-261121-0003").await, (code(2), None));
    }

    #[tokio::test]
    async fn the_neighbours_of_a_case_are_read_from_the_units_own_index() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let reader = temp.store.read(&"H56".parse().expect("a code")).await;
        let reader = reader.expect("a reader");
        let unit: OrgCode = "H56.14".parse().expect("a code");
        let code: CaseCode = "G22-261121-0001".parse().expect("a code");
        let none = of(&reader, &unit, &(Time(5), code.clone())).await;
        assert_eq!(none.expect("none"), (None, None));
        if temp.store.engine() == Engine::Postgres {
            return;
        }
        for sql in [BEFORE, AFTER] {
            let explain: &'static str = Box::leak(format!("explain query plan {sql}").into_boxed_str());
            let values = params![reader.tenant(), &unit, 5, &code];
            let rows = reader.all(explain, values).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|r| r.text("detail").expect("a line")).collect();
            let plan = plan.join("; ");
            assert!(plan.contains("cases_cases_unit_running"), "{sql}: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
        }
    }
}
