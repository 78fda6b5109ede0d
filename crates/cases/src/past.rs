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
                chunk.push(&past.case, &statuses)?;
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
