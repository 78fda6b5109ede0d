//! Cases of another system become rows here: each with its statuses, its clock, what is owed and its facts, and a chunk of
//! them with one fact that names their root, in one write.

use ::store::Tx;
use kernel::{Actor, Fact, Problem};
use obligations::Obligation;
use seal::merkle;

use super::judge::Ready;
use super::table::Table;
use crate::case::{Accepted, Case};
use crate::clock::fold::Event;
use crate::state::Cases;
use crate::store::{self as rows, StatusRow, subject};

/// Cases that one write carries, count.
pub(super) const CHUNK: usize = 100;

/// Filed: the status that every case begins with.
const FILED: u8 = 1;
/// Taken in.
const ACCEPTED: u8 = 2;

impl Cases {
    /// Writes a chunk; says how many of it were not here yet.
    pub(super) async fn import_chunk(&self, chunk: &[Ready], table: &Table) -> Result<u64, Problem> {
        let mut counted = Vec::with_capacity(chunk.len());
        for ready in chunk {
            counted.push(self.with_clock(ready, table)?);
        }
        let cases = &counted;
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let (mut tree, mut taken) = (merkle::Frontier::new(), 0);
                for case in cases {
                    if rows::case(&tx, &case.code).await?.is_some() {
                        continue;
                    }
                    self.import_case(&tx, case, &table.from).await?;
                    tree.push(merkle::leaf_hash(case.code.as_str().as_bytes()));
                    taken += 1;
                }
                if taken > 0 {
                    let fact = Fact::CasesImported {
                        from: table.from.clone(),
                        rows: taken,
                        root: tree.root(),
                    };
                    tx.fact(&format!("import/{}", table.from), fact).await?;
                }
                Ok(taken)
            })
            .await
    }

    /// The case with its clock as it was promised.
    fn with_clock(&self, ready: &Ready, table: &Table) -> Result<Case, Problem> {
        let mut case = ready.case.clone();
        let Some(due) = ready.promise.due else {
            return Ok(case);
        };
        let procedure = self.procedure_of(&case)?;
        let events = vec![Event::Promised {
            at: ready.promise.at,
            unit: case.unit.clone(),
            due,
        }];
        let clock = self.reckon(&case, &procedure, &events)?;
        case.accepted = Some(Accepted {
            at: ready.promise.at,
            by: String::new(),
            by_name: table.from.clone(),
            due: clock.due,
            working_out: clock.working_out,
        });
        case.course.clock = events;
        Ok(case)
    }

    async fn import_case(&self, tx: &Tx, case: &Case, from: &str) -> Result<(), Problem> {
        let procedure = self.procedure_of(case)?;
        let status = case.status(&procedure);
        rows::insert_case(tx, case, status).await?;
        self.import_statuses(tx, case, status).await?;
        let received = Fact::CaseReceived {
            case: case.code.clone(),
            procedure: case.procedure.clone(),
            version: case.version,
            channel: case.channel,
            from: self.tenant.clone(),
            unit: Some(case.unit.clone()),
        };
        tx.fact(&subject(&case.code), received).await?;
        let accepted = case.accepted.as_ref();
        if let Some(accepted) = accepted {
            let owed = Obligation {
                id: subject(&case.code),
                kind: "case".to_owned(),
                debtor: case.unit.clone(),
                about: case.code.to_string(),
                due: accepted.due,
            };
            obligations::open(tx, &owed).await?;
        }
        let imported = Fact::CaseImported {
            case: case.code.clone(),
            from: from.to_owned(),
            state: case.state.clone(),
            accepted_at: accepted.map(|accepted| accepted.at),
            due: accepted.map(|accepted| accepted.due),
        };
        tx.fact(&subject(&case.code), imported).await?;
        Ok(())
    }

    /// Filed, then taken in, then where it stands: no status is left out on the way. The portal hears of it with the first
    /// one after the filing.
    async fn import_statuses(&self, tx: &Tx, case: &Case, status: u8) -> Result<(), Problem> {
        let accepted = case.accepted.as_ref();
        let due = accepted.map(|accepted| accepted.due);
        let mut all = vec![(FILED, case.filed_at, None)];
        if let Some(accepted) = accepted {
            all.push((ACCEPTED, accepted.at, due));
        }
        if status > ACCEPTED {
            all.push((status, tx.now(), due));
        }
        for (seq, (status, at, due)) in (0u32..).zip(all) {
            let row = StatusRow {
                seq,
                status,
                at,
                due,
                notice: None,
            };
            rows::insert_status(tx, &case.code, &row).await?;
            if seq > 0 {
                crate::sync::enqueue(tx, &case.code, seq).await?;
            }
        }
        Ok(())
    }
}
