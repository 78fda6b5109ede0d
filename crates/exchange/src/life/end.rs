//! What is noted when the term of an agreement is over: a fact, once; and looked after when groups
//! change. Never what refuses a call: it is refused from the term's last instant on, and once its system
//! has left its group, whether this has run or not.

use std::time::Duration;

use kernel::{Actor, Digest, Fact, Problem, Time};
use store::{Reader, Row, Tx, params};
use tokio::sync::watch;

use crate::gateway::Exchange;

/// How often it is looked for terms that are over.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// Agreements whose end is noted in one transaction, count.
const AT_ONCE: u64 = 200;
/// What ends within this many milliseconds is told beforehand: thirty days.
pub(crate) const SOON_MS: i64 = 30 * 86_400_000;
/// Agreements that are named beforehand at most, of one organisation, count.
const SOON_MAX: u64 = 10;

/// An agreement whose term ends soon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ending {
    pub(crate) valid_to: Time,
    pub(crate) hash: Digest,
}

impl Exchange {
    /// Notes the end of terms, and follows the groups, for as long as the node runs.
    pub async fn follow_terms(self, mut shutdown: watch::Receiver<bool>) {
        let mut groups = self.0.directory.groups_changed();
        while !*shutdown.borrow() {
            if let Err(problem) = self.note_maintenance_over().await {
                tracing::warn!(%problem, "the end of the maintenance is not noted yet; it is tried again");
            }
            if let Err(problem) = self.follow_groups().await {
                tracing::warn!(%problem, "members of groups are not told yet; it is tried again");
            }
            if let Err(problem) = self.note_ends().await {
                tracing::warn!(%problem, "the end of agreements is not noted yet; it is tried again");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = groups.changed() => {}
                _ = shutdown.changed() => {}
            }
        }
    }

    /// Notes the end of every term that is over and was not noted; gives how many.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn note_ends(&self) -> Result<u64, Problem> {
        let mut noted = 0;
        for tenant in self.own_tenants() {
            loop {
                let some = self.0.store.write(tenant, &Actor::Platform, note_some).await?;
                noted += some;
                if some < AT_ONCE {
                    break;
                }
            }
        }
        Ok(noted)
    }

    /// The agreements in force that end within thirty days, the next one first.
    pub(crate) async fn ending_soon(&self) -> Result<Vec<Ending>, Problem> {
        let now = self.0.now();
        let mut all = Vec::new();
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            all.extend(ending(&reader, now).await?);
        }
        all.sort();
        all.dedup();
        Ok(all)
    }
}

async fn note_some(tx: Tx) -> Result<u64, Problem> {
    let over = over(&tx).await?;
    for hash in &over {
        note(&tx, hash).await?;
        let fact = Fact::AgreementExpired { agreement: *hash };
        tx.fact(&super::subject(hash), fact).await?;
    }
    Ok(over.len() as u64)
}

/// Agreements whose term is over and whose end is not noted.
async fn over(tx: &Tx) -> Result<Vec<Digest>, Problem> {
    let rows = tx
        .all(
            "select hash from exchange_agreements \
             where tenant = $1 and valid_to <= $2 and expired_at is null and revoked_at is null \
             order by valid_to, hash limit $3",
            params![tx.tenant(), tx.now(), AT_ONCE],
        )
        .await?;
    rows.iter().map(|row| row.digest("hash")).collect()
}

async fn note(tx: &Tx, hash: &Digest) -> Result<(), Problem> {
    tx.exec(
        "update exchange_agreements set expired_at = $3 where tenant = $1 and hash = $2",
        params![tx.tenant(), hash, tx.now()],
    )
    .await?;
    Ok(())
}

async fn ending(reader: &Reader, now: Time) -> Result<Vec<Ending>, Problem> {
    let rows = reader
        .all(
            "select hash, valid_to from exchange_agreements \
             where tenant = $1 and valid_to > $2 and valid_to <= $3 and expired_at is null and revoked_at is null \
             order by valid_to, hash limit $4",
            params![reader.tenant(), now, now.plus_ms(SOON_MS), SOON_MAX],
        )
        .await?;
    let ending = |row: &Row| {
        Ok(Ending {
            valid_to: row.time("valid_to")?,
            hash: row.digest("hash")?,
        })
    };
    rows.iter().map(ending).collect()
}
