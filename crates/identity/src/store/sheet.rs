//! Rows of accounts as a sheet of officials changes them: their SQL. Never a citizen's account, and never decides
//! which change is right: see [`crate::sheet`].

use kernel::{Problem, Time};
use store::{Reader, Tx, params};

use super::{account_of, roles_text};
use crate::sheet::{Held, Row};

/// The accounts of level 0, by user name: officials, operators and observers.
pub(crate) async fn officials(reader: &Reader) -> Result<Vec<Held>, Problem> {
    let rows = reader
        .all(
            "select id, name, subject, born, level, roles, unit, user_name, begins, ends \
             from identity_accounts where tenant = $1 and level = 0 order by user_name",
            params![reader.tenant()],
        )
        .await?;
    let all = rows.iter().map(|row| {
        Ok(Held {
            account: account_of(row)?,
            user: row.text("user_name")?,
            begins: row.opt_int("begins")?.map(Time),
            ends: row.opt_int("ends")?.map(Time),
        })
    });
    all.collect()
}

/// True when a user name is anybody's.
pub(crate) async fn is_taken(reader: &Reader, user: &str) -> Result<bool, Problem> {
    let row = reader
        .one(
            "select id from identity_accounts where tenant = $1 and user_name = $2",
            params![reader.tenant(), user],
        )
        .await?;
    Ok(row.is_some())
}

/// Brings an official's account to what a row of a sheet says.
pub(crate) async fn change(tx: &Tx, id: &str, row: &Row) -> Result<(), Problem> {
    let changed = tx
        .exec(
            "update identity_accounts set name = $3, roles = $4, unit = $5, begins = $6, ends = $7 \
             where tenant = $1 and id = $2 and level = 0",
            params![
                tx.tenant(),
                id,
                &row.name,
                roles_text(&row.roles)?,
                &row.unit,
                row.begins,
                row.ends
            ],
        )
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Problem::stale())
    }
}

/// Ends an account at this moment and takes away its sessions.
pub(crate) async fn end(tx: &Tx, id: &str) -> Result<(), Problem> {
    let changed = tx
        .exec(
            "update identity_accounts set ends = $3 where tenant = $1 and id = $2 and level = 0",
            params![tx.tenant(), id, tx.now()],
        )
        .await?;
    if changed != 1 {
        return Err(Problem::stale());
    }
    tx.exec(
        "delete from identity_sessions where tenant = $1 and account = $2",
        params![tx.tenant(), id],
    )
    .await?;
    Ok(())
}
