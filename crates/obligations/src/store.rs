//! All SQL of this crate, and the four verbs over it. Never decides: see [`crate::obligation`].

use kernel::{Fact, OrgCode, Problem, Time};
use store::{Reader, Row, Tx, params};

use crate::obligation::{Obligation, Owed, State, Step};

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

/// The obligations of one debtor in one standing, the most urgent first, at most
/// `limits.page_rows_max` of the store's caller: `rows_max` says how many.
///
/// # Errors
/// The store's own problems.
pub async fn list(
    reader: &Reader,
    debtor: &OrgCode,
    which: Which,
    now: Time,
    rows_max: usize,
) -> Result<Vec<Owed>, Problem> {
    // Only `Late` bounds the due instant; the others take every one.
    let due_before = if which == Which::Late { now } else { Time(i64::MAX) };
    let rows = reader
        .all(
            "select id, kind, debtor, about, due, opened, state, ended, on_time, reason \
             from obligations_owed \
             where tenant = $1 and debtor = $2 and state = $3 and due < $4 \
             order by due, id limit $5",
            params![reader.tenant(), debtor, which.column(), due_before, rows_max],
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
