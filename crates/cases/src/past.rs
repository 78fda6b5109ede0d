//! Ended cases of an older system, taken over in bulk: one fact with the Merkle root over all of them,
//! not one a step. Figures of those months are what was reported then; nothing is counted again.

use kernel::{Actor, Fact, Problem, Time};
use seal::merkle;

use crate::case::Case;
use crate::state::Cases;
use crate::store as rows;

/// Cases that one write carries, count.
const CHUNK: usize = 2_000;

/// An ended case and its statuses: number, status, instant.
pub struct PastCase {
    /// The case.
    pub case: Case,
    /// Its statuses, from number 0.
    pub statuses: Vec<(u32, u8, Time)>,
}

impl Cases {
    /// Takes ended cases over, once: `name` stands for all of them. Says after each chunk how many are
    /// done. A load cut short is run again.
    ///
    /// # Errors
    /// Unavailable; Internal when a case cannot be written.
    pub async fn load_past(
        &self,
        name: &str,
        cases: impl Iterator<Item = PastCase> + Send,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<u64, Problem> {
        let subject = &format!("pack/cases/{name}");
        if !self.store.facts_of(&self.tenant, subject).await?.is_empty() {
            return Ok(0);
        }
        let (mut tree, mut count) = (merkle::Frontier::new(), 0);
        let mut cases = cases.peekable();
        while cases.peek().is_some() {
            let mut chunk = rows::Past::default();
            for past in cases.by_ref().take(CHUNK) {
                tree.push(merkle::leaf_hash(past.case.code.as_str().as_bytes()));
                count += 1;
                let statuses: Vec<_> = past.statuses.iter().map(|(n, s, at)| (*n, *s, at.ms())).collect();
                let procedure = self.procedure_of(&past.case)?;
                chunk.push(self.place(), (&past.case, &procedure), &statuses)?;
            }
            self.write_past(chunk).await?;
            told(count);
        }
        let fact = &Fact::PackLoaded {
            file: name.to_owned(),
            rows: count,
            root: tree.root(),
        };
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                tx.fact(subject, fact.clone()).await
            })
            .await?;
        Ok(count)
    }

    async fn write_past(&self, chunk: rows::Past) -> Result<(), Problem> {
        let chunk = &chunk.end()?;
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                rows::load(&tx, chunk).await.map(drop)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use kernel::fact::Outcome;

    use super::*;
    use crate::case::{Accepted, Capacity, Decided};
    use crate::clock;
    use crate::course::Rating;
    use crate::desk::testing::{CASE, Desk, UNIT};
    use crate::testing::{Portal, birth, case, nouns};

    /// Cases that were filed a day after another, and given.
    fn past(count: u32) -> impl Iterator<Item = PastCase> {
        let procedure = birth();
        let calendar = nouns().calendars.of(&UNIT.parse().expect("a code"));
        (1..=count).map(move |number| {
            let filed_at = testkit::START.plus_ms(-(i64::from(number) + 9) * 86_400_000);
            let at = calendar.opening(filed_at);
            let term = procedure.term(kernel::fact::Channel::Online);
            let working_out = clock::due(term, &calendar, at).expect("a term");
            let portal = "G22".parse().expect("a code");
            let ended = working_out.due;
            let decided = Decided {
                outcome: Outcome::Granted,
                at: ended,
                by: "old".to_owned(),
                by_name: "Hệ thống cũ".to_owned(),
                document: String::new(),
                capacity: Capacity::Chairman,
                seal: None,
            };
            let mut one = Case {
                code: kernel::CaseCode::number(&portal, filed_at.date(), number),
                state: "returned".to_owned(),
                filed_at,
                accepted: Some(Accepted {
                    at,
                    by: "old".to_owned(),
                    by_name: String::new(),
                    due: working_out.due,
                    working_out,
                }),
                decided: Some(decided),
                returned_at: Some(ended),
                ..case(&procedure)
            };
            one.course.rating = (number == 1).then(|| Rating {
                score: 2,
                note: String::new(),
                criteria: std::collections::BTreeMap::new(),
                at: ended,
            });
            let statuses = vec![
                (0, 1, filed_at),
                (1, 2, at),
                (2, 4, at),
                (3, 9, ended),
                (4, 10, ended),
            ];
            PastCase { case: one, statuses }
        })
    }

    #[tokio::test]
    async fn past_cases_are_taken_over_once_and_are_listed_found_and_shown_at_the_desk() {
        let desk = Desk::new().await;
        let told = std::sync::Mutex::new(Vec::new());
        let tell = |done| told.lock().expect("nobody panics").push(done);
        let count = 4_100;
        assert_eq!(
            desk.cases
                .load_past("past", past(count), &tell)
                .await
                .expect("loaded"),
            4_100
        );
        assert_eq!(*told.lock().expect("nobody panics"), [2_000, 4_000, 4_100]);
        assert_eq!(
            desk.cases
                .load_past("past", past(9), &tell)
                .await
                .expect("skipped"),
            0
        );
        let facts = desk
            .temp
            .store
            .facts_of(&desk.cases.tenant, "pack/cases/past")
            .await;
        let facts = facts.expect("facts");
        assert!(matches!(&facts[..], [one] if matches!(one.fact, Fact::PackLoaded { rows: 4_100, .. })));

        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        for one in past(count).step_by(997) {
            let held = rows::case(&reader, &one.case.code)
                .await
                .expect("readable")
                .expect("there");
            let accepted = one.case.accepted.clone().expect("accepted");
            assert_eq!(
                (held.status, held.due_at, held.ended_at),
                (10, Some(accepted.due), Some(accepted.due))
            );
            assert_eq!(held.case, one.case);
            let statuses = rows::statuses(&reader, &one.case.code).await.expect("readable");
            let told: Vec<_> = statuses.iter().map(|s| (s.seq, s.status, s.at)).collect();
            assert_eq!(told, one.statuses);
            assert_eq!((statuses[0].due, statuses[1].due), (None, Some(accepted.due)));
        }
        let code = past(1).next().expect("one").case.code;
        let page = desk.get("tich", &format!("/desk/cases/{code}")).await;
        assert!(
            page.status == 200 && page.body.contains("hệ thống trước đây"),
            "{}",
            page.body
        );
        let list = |part: &str| format!("/api/v1/desk/cases?{part}");
        let items = async |who: &str, part: &str| {
            let list = desk.get(who, &list(part)).await.json();
            let items = list["items"].as_array().expect("items").clone();
            items
                .iter()
                .map(|i| i["code"].as_str().expect("a code").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(items("tich", "").await, [CASE], "what is open");
        let rows = desk.temp.store.limits().page_rows_max;
        for part in ["state=returned", "state=all", "q=le%20thi%20lan", "q=lan"] {
            for who in ["tich", "giam"] {
                assert_eq!(items(who, part).await.len(), rows, "{part}");
                assert!(items("ban", part).await.is_empty(), "{part}");
            }
        }
        assert_eq!(items("giam", "state=rated-low").await, [code.as_str()]);
    }

    #[tokio::test]
    async fn a_portal_shows_its_past_cases_to_their_applicants_only() {
        let portal = Portal::new().await;
        let mine = |mut one: PastCase| {
            one.case.applicant.account = crate::testing::lan().0.account;
            one
        };
        let loaded = portal.cases.load_past("past", past(3).map(mine), &|_| ()).await;
        assert_eq!(loaded.expect("loaded"), 3);
        let code = past(1).next().expect("one").case.code;
        let reader = portal
            .cases
            .store
            .read(&portal.cases.tenant)
            .await
            .expect("a reader");
        let held = rows::case(&reader, &code)
            .await
            .expect("readable")
            .expect("there");
        assert_eq!(
            (held.status, held.case.state.as_str()),
            (10, birth().first_state.as_str())
        );
        assert!(held.handed_over_at.is_some() && held.working_out.is_some() && held.case.decided.is_none());
        assert!(held.case.course.rating.is_none(), "it may still be rated here");
    }
}
