//! All SQL of this crate, and the four verbs over it. Never decides: see [`crate::obligation`].

use kernel::{Fact, OrgCode, Problem, Time};
use store::{Reader, Row, Tx, params};

use crate::obligation::{Obligation, Owed, State, Step};

/// Rows of one list, count: more than that is for a report, not for a page.
pub const ROWS_MAX: usize = 500;

/// Which obligations a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that are still owed.
    Open,
    /// Those still owed past their due instant.
    Late,
    /// Those done.
    Met,
    /// Those no longer owed.
    Lifted,
}

impl Which {
    const fn column(self) -> &'static str {
        match self {
            Self::Open | Self::Late => "open",
            Self::Met => "met",
            Self::Lifted => "lifted",
        }
    }
}

/// The subject an obligation's facts hang on.
#[must_use]
pub fn subject(id: &str) -> String {
    format!("obligation/{id}")
}

/// Opens an obligation from the transaction's moment.
///
/// # Errors
/// Conflict `already-there` when the id is taken; the store's own problems.
pub async fn open(tx: &Tx, obligation: &Obligation) -> Result<(), Problem> {
    tx.exec(
        "insert into obligations_owed (tenant, id, kind, debtor, about, due, opened, state) \
         values ($1, $2, $3, $4, $5, $6, $7, 'open')",
        params![
            tx.tenant(),
            &obligation.id,
            &obligation.kind,
            &obligation.debtor,
            &obligation.about,
            obligation.due,
            tx.now()
        ],
    )
    .await?;
    note_open(tx, obligation).await
}

/// The fact that something is owed by an instant from now on.
async fn note_open(tx: &Tx, obligation: &Obligation) -> Result<(), Problem> {
    let fact = Fact::ObligationOpened {
        obligation: obligation.id.clone(),
        kind: obligation.kind.clone(),
        debtor: obligation.debtor.clone(),
        due: obligation.due,
    };
    tx.fact(&subject(&obligation.id), fact).await?;
    Ok(())
}

/// Records that an obligation was done now; answers whether that was on time. Done twice, it
/// answers as the first time and writes nothing.
///
/// # Errors
/// Not found; conflict `obligation-lifted`; the store's own problems.
pub async fn meet(tx: &Tx, id: &str) -> Result<bool, Problem> {
    let (owed, changed) = match find(tx, id).await?.meet(tx.now())? {
        Step::Changed(owed) => (owed, true),
        Step::Already(owed) => (owed, false),
    };
    if changed {
        save(tx, &owed).await?;
        let fact = Fact::ObligationMet {
            obligation: id.to_owned(),
            due: owed.obligation.due,
        };
        tx.fact(&subject(id), fact).await?;
    }
    owed.met_on_time()
        .ok_or_else(|| Problem::internal("an obligation just met has no moment"))
}

/// Records that an obligation is no longer owed; done twice, it writes nothing.
///
/// # Errors
/// Not found; conflict `obligation-met`; the store's own problems.
pub async fn lift(tx: &Tx, id: &str, reason: &str) -> Result<(), Problem> {
    if let Step::Changed(owed) = find(tx, id).await?.lift(tx.now(), reason)? {
        save(tx, &owed).await?;
        let fact = Fact::ObligationLifted {
            obligation: id.to_owned(),
            reason: reason.to_owned(),
        };
        tx.fact(&subject(id), fact).await?;
    }
    Ok(())
}

/// Takes up an obligation that was lifted, with another due instant.
///
/// # Errors
/// Not found; conflict `stale` when it is not lifted; the store's own problems.
pub async fn reopen(tx: &Tx, id: &str, due: Time) -> Result<(), Problem> {
    let owed = find(tx, id).await?.obligation;
    let changed = tx
        .exec(
            "update obligations_owed set state = 'open', due = $3, opened = $4, ended = null, on_time = null, \
                 reason = null \
             where tenant = $1 and id = $2 and state = 'lifted'",
            params![tx.tenant(), id, due, tx.now()],
        )
        .await?;
    if changed != 1 {
        return Err(Problem::stale());
    }
    note_open(tx, &Obligation { due, ..owed }).await
}

/// An open obligation falls due at another instant, which is the fact of its opening once more; what is lifted
/// or met stays as it is.
///
/// # Errors
/// Not found; the store's own problems.
pub async fn redate(tx: &Tx, id: &str, due: Time) -> Result<(), Problem> {
    let owed = find(tx, id).await?.obligation;
    let changed = tx
        .exec(
            "update obligations_owed set due = $3
             where tenant = $1 and id = $2 and state = 'open' and due <> $3",
            params![tx.tenant(), id, due],
        )
        .await?;
    if changed == 0 {
        return Ok(());
    }
    note_open(tx, &Obligation { due, ..owed }).await
}

/// The obligations of one debtor in one standing, the most urgent first, at most [`ROWS_MAX`].
///
/// # Errors
/// The store's own problems.
pub async fn list(reader: &Reader, debtor: &OrgCode, which: Which, now: Time) -> Result<Vec<Owed>, Problem> {
    // Only `Late` bounds the due instant; the others take every one.
    let due_before = if which == Which::Late { now } else { Time(i64::MAX) };
    let rows = reader
        .all(
            "select id, kind, debtor, about, due, opened, state, ended, on_time, reason \
             from obligations_owed \
             where tenant = $1 and debtor = $2 and state = $3 and due < $4 \
             order by due, id limit $5",
            params![reader.tenant(), debtor, which.column(), due_before, ROWS_MAX],
        )
        .await?;
    rows.iter().map(owed_of).collect()
}

/// One obligation by its id.
///
/// # Errors
/// Not found; the store's own problems.
pub async fn get(reader: &Reader, id: &str) -> Result<Owed, Problem> {
    let row = reader
        .one(
            "select id, kind, debtor, about, due, opened, state, ended, on_time, reason \
             from obligations_owed where tenant = $1 and id = $2",
            params![reader.tenant(), id],
        )
        .await?;
    owed_of(&row.ok_or_else(Problem::not_found)?)
}

async fn find(tx: &Tx, id: &str) -> Result<Owed, Problem> {
    let row = tx
        .one(
            "select id, kind, debtor, about, due, opened, state, ended, on_time, reason \
             from obligations_owed where tenant = $1 and id = $2",
            params![tx.tenant(), id],
        )
        .await?;
    owed_of(&row.ok_or_else(Problem::not_found)?)
}

async fn save(tx: &Tx, owed: &Owed) -> Result<(), Problem> {
    let (state, ended, on_time, reason) = match &owed.state {
        State::Open => ("open", None, None, None),
        State::Met { at, on_time } => ("met", Some(*at), Some(*on_time), None),
        State::Lifted { at, reason } => ("lifted", Some(*at), None, Some(reason.as_str())),
    };
    let changed = tx
        .exec(
            "update obligations_owed set state = $3, ended = $4, on_time = $5, reason = $6 \
             where tenant = $1 and id = $2 and state = 'open'",
            params![tx.tenant(), &owed.obligation.id, state, ended, on_time, reason],
        )
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Problem::stale())
    }
}

fn owed_of(row: &Row) -> Result<Owed, Problem> {
    let debtor = row.text("debtor")?;
    let ended = || row.int("ended").map(Time);
    let state = match row.text("state")?.as_str() {
        "open" => State::Open,
        "met" => State::Met {
            at: ended()?,
            on_time: row.int("on_time")? == 1,
        },
        "lifted" => State::Lifted {
            at: ended()?,
            reason: row.text("reason")?,
        },
        other => return Err(Problem::internal(format!("obligations_owed.state: {other}"))),
    };
    Ok(Owed {
        obligation: Obligation {
            id: row.text("id")?,
            kind: row.text("kind")?,
            debtor: debtor
                .parse()
                .map_err(|_| Problem::internal(format!("obligations_owed.debtor: {debtor}")))?,
            about: row.text("about")?,
            due: Time(row.int("due")?),
        },
        opened: Time(row.int("opened")?),
        state,
    })
}

#[cfg(test)]
mod tests {
    use kernel::{Actor, Tenant};
    use testkit::TempStore;

    use super::*;

    fn tenant() -> Tenant {
        "H56".parse().unwrap()
    }

    fn owed(id: &str, due: Time) -> Obligation {
        Obligation {
            id: id.to_owned(),
            kind: "case-result".to_owned(),
            debtor: "H56.14857".parse().unwrap(),
            about: "H56.14857-261121-0001".to_owned(),
            due,
        }
    }

    async fn opened(due_in_ms: &[i64]) -> (TempStore, Time) {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let start = temp.store.world().now();
        for (i, ms) in due_in_ms.iter().enumerate() {
            let new = owed(&format!("o{i}"), start.plus_ms(*ms));
            write(&temp, move |tx| {
                let new = new.clone();
                async move { open(&tx, &new).await }
            })
            .await
            .unwrap();
        }
        (temp, start)
    }

    async fn write<T, F, Fut>(temp: &TempStore, work: F) -> Result<T, Problem>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, Problem>> + Send,
        T: Send,
    {
        temp.store.write(&tenant(), &Actor::Platform, work).await
    }

    async fn ids(temp: &TempStore, which: Which) -> Vec<String> {
        let reader = temp.store.read(&tenant()).await.unwrap();
        let debtor = "H56.14857".parse().unwrap();
        let now = temp.store.world().now();
        let found = list(&reader, &debtor, which, now).await.unwrap();
        found.into_iter().map(|o| o.obligation.id).collect()
    }

    #[tokio::test]
    async fn what_is_done_by_its_instant_is_on_time_and_a_fact() {
        let (temp, start) = opened(&[1_000]).await;
        temp.clock.advance_ms(1_000);
        assert!(
            write(&temp, |tx| async move { meet(&tx, "o0").await })
                .await
                .unwrap()
        );
        let facts = temp.store.facts_of(&tenant(), &subject("o0")).await.unwrap();
        let met = Fact::ObligationMet {
            obligation: "o0".to_owned(),
            due: start.plus_ms(1_000),
        };
        assert_eq!(facts.len(), 2);
        assert_eq!(facts[1].fact, met);
    }

    #[tokio::test]
    async fn what_was_met_late_stays_late_when_met_again() {
        let (temp, _) = opened(&[1_000]).await;
        temp.clock.advance_ms(1_001);
        for _ in 0..2 {
            assert!(
                !write(&temp, |tx| async move { meet(&tx, "o0").await })
                    .await
                    .unwrap()
            );
        }
        let facts = temp.store.facts_of(&tenant(), &subject("o0")).await.unwrap();
        assert_eq!(facts.len(), 2, "the second time is no second fact");
    }

    #[tokio::test]
    async fn a_list_is_ordered_by_urgency_and_late_is_open_past_its_instant() {
        let (temp, _) = opened(&[3_000, 1_000, 2_000, 500]).await;
        write(&temp, |tx| async move { lift(&tx, "o3", "withdrawn").await })
            .await
            .unwrap();
        assert_eq!(ids(&temp, Which::Open).await, ["o1", "o2", "o0"]);
        assert!(ids(&temp, Which::Late).await.is_empty());
        temp.clock.advance_ms(2_000);
        assert_eq!(
            ids(&temp, Which::Late).await,
            ["o1"],
            "the due instant itself is on time"
        );
        write(&temp, |tx| async move { meet(&tx, "o1").await })
            .await
            .unwrap();
        assert_eq!(ids(&temp, Which::Met).await, ["o1"]);
        assert_eq!(ids(&temp, Which::Lifted).await, ["o3"]);
    }

    #[tokio::test]
    async fn an_obligation_of_one_tenant_is_unknown_to_another() {
        let (temp, _) = opened(&[1_000]).await;
        let other: Tenant = "G15".parse().unwrap();
        let reader = temp.store.read(&other).await.unwrap();
        assert_eq!(get(&reader, "o0").await.unwrap_err(), Problem::not_found());
        let met = temp
            .store
            .write(
                &other,
                &Actor::Platform,
                |tx| async move { meet(&tx, "o0").await },
            )
            .await;
        assert_eq!(met.unwrap_err(), Problem::not_found());
    }

    #[tokio::test]
    async fn an_id_is_taken_once() {
        let (temp, start) = opened(&[1_000]).await;
        let again = owed("o0", start);
        let taken = write(&temp, |tx| {
            let again = again.clone();
            async move { open(&tx, &again).await }
        })
        .await;
        assert_eq!(taken.unwrap_err().code, "already-there");
    }

    #[tokio::test]
    async fn a_lifted_obligation_reads_back_with_its_reason() {
        let (temp, start) = opened(&[1_000]).await;
        write(&temp, |tx| async move { lift(&tx, "o0", "withdrawn").await })
            .await
            .unwrap();
        let reader = temp.store.read(&tenant()).await.unwrap();
        let state = get(&reader, "o0").await.unwrap().state;
        let expected = State::Lifted {
            at: start,
            reason: "withdrawn".to_owned(),
        };
        assert_eq!(state, expected);
    }
}
