//! Rows of accounts, sessions and tries: their SQL. Codes and flows stand in [`codes`], API keys in [`keys`],
//! officials as a sheet says them in [`sheet`]. Never decides who may sign in.

pub(crate) mod codes;
pub(crate) mod keys;
pub(crate) mod sheet;

use kernel::time::{iso, parse_iso};
use kernel::{Digest, OrgCode, Problem, Time};
use store::{Reader, Row, Tx, params};

use crate::accounts::{Account, NewAccount, user_key};
use crate::tries::{Tries, WINDOW_MS};

/// A session with its account.
pub(crate) struct SessionRow {
    pub(crate) account: Account,
    /// Assurance level of this sign-in.
    pub(crate) level: u8,
    pub(crate) started: Time,
    pub(crate) seen: Time,
}

pub(crate) async fn insert_account(tx: &Tx, new: &NewAccount, hash: Option<String>) -> Result<(), Problem> {
    tx.exec(
        "insert into identity_accounts \
         (tenant, id, user_name, password, name, subject, born, level, roles, unit, opened) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            tx.tenant(),
            &new.id,
            user_key(&new.user),
            hash,
            &new.name,
            new.subject.clone(),
            new.born.map(iso),
            new.level,
            roles_text(&new.roles)?,
            &new.unit,
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// Brings an account whose owner signs in elsewhere up to date; `false` when there is none.
pub(crate) async fn update_account(tx: &Tx, new: &NewAccount) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update identity_accounts set name = $3, subject = $4, born = $5, level = $6 \
             where tenant = $1 and id = $2",
            params![
                tx.tenant(),
                &new.id,
                &new.name,
                new.subject.clone(),
                new.born.map(iso),
                new.level
            ],
        )
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn account(reader: &Reader, id: &str) -> Result<Option<Account>, Problem> {
    let row = reader
        .one(
            "select id, name, subject, born, level, roles, unit \
             from identity_accounts where tenant = $1 and id = $2",
            params![reader.tenant(), id],
        )
        .await?;
    row.as_ref().map(account_of).transpose()
}

/// The accounts of a unit, count at most.
const OF_UNIT_MAX: usize = 200;

/// The accounts of a unit that are in force, by id.
pub(crate) async fn of_unit(reader: &Reader, unit: &OrgCode, now: Time) -> Result<Vec<Account>, Problem> {
    let rows = reader
        .all(
            "select id, name, subject, born, level, roles, unit \
             from identity_accounts where tenant = $1 and unit = $2 \
             and (begins is null or begins <= $4) and (ends is null or ends > $4) order by id limit $3",
            params![reader.tenant(), unit, OF_UNIT_MAX, now],
        )
        .await?;
    rows.iter().map(account_of).collect()
}

/// An account that is in force and its password's hash, by user name.
pub(crate) async fn account_by_user(
    reader: &Reader,
    user: &str,
    now: Time,
) -> Result<Option<(Account, Option<String>)>, Problem> {
    let row = reader
        .one(
            "select id, name, subject, born, level, roles, unit, password \
             from identity_accounts where tenant = $1 and user_name = $2 \
             and (begins is null or begins <= $3) and (ends is null or ends > $3)",
            params![reader.tenant(), user, now],
        )
        .await?;
    row.map(|row| Ok((account_of(&row)?, row.opt_text("password")?)))
        .transpose()
}

pub(crate) async fn insert_session(tx: &Tx, token: &Digest, account: &str, level: u8) -> Result<(), Problem> {
    tx.exec(
        "insert into identity_sessions (tenant, token, account, level, started, seen) \
         values ($1, $2, $3, $4, $5, $6)",
        params![tx.tenant(), token, account, level, tx.now(), tx.now()],
    )
    .await?;
    Ok(())
}

/// A session of an account that is in force.
pub(crate) async fn session(
    reader: &Reader,
    token: &Digest,
    now: Time,
) -> Result<Option<SessionRow>, Problem> {
    let row = reader
        .one(
            "select s.level as session_level, s.started, s.seen, \
             a.id, a.name, a.subject, a.born, a.level, a.roles, a.unit \
             from identity_sessions s \
             join identity_accounts a on a.tenant = s.tenant and a.id = s.account \
             where s.tenant = $1 and s.token = $2 \
             and (a.begins is null or a.begins <= $3) and (a.ends is null or a.ends > $3)",
            params![reader.tenant(), token, now],
        )
        .await?;
    row.map(|row| {
        Ok(SessionRow {
            account: account_of(&row)?,
            level: level_of(row.int("session_level")?)?,
            started: Time(row.int("started")?),
            seen: Time(row.int("seen")?),
        })
    })
    .transpose()
}

pub(crate) async fn touch_session(tx: &Tx, token: &Digest) -> Result<(), Problem> {
    tx.exec(
        "update identity_sessions set seen = $3 where tenant = $1 and token = $2 and seen < $3",
        params![tx.tenant(), token, tx.now()],
    )
    .await?;
    Ok(())
}

/// Ends a session; whose it was, when there was one.
pub(crate) async fn end_session(tx: &Tx, token: &Digest) -> Result<Option<String>, Problem> {
    let row = tx
        .one(
            "select account from identity_sessions where tenant = $1 and token = $2",
            params![tx.tenant(), token],
        )
        .await?;
    tx.exec(
        "delete from identity_sessions where tenant = $1 and token = $2",
        params![tx.tenant(), token],
    )
    .await?;
    row.map(|row| row.text("account")).transpose()
}

/// Keeps a form for an account, in the place of the one before.
pub(crate) async fn keep_form(tx: &Tx, account: &str, path: &str, form: &[u8]) -> Result<(), Problem> {
    tx.exec(
        "insert into identity_kept (tenant, account, path, form, kept) values ($1, $2, $3, $4, $5) \
         on conflict (tenant, account) do update \
         set path = excluded.path, form = excluded.form, kept = excluded.kept",
        params![tx.tenant(), account, path, form, tx.now()],
    )
    .await?;
    Ok(())
}

/// The form kept for an account since an instant: its path and its body.
pub(crate) async fn kept_form(
    reader: &Reader,
    account: &str,
    since: Time,
) -> Result<Option<(String, Vec<u8>)>, Problem> {
    let row = reader
        .one(
            "select path, form from identity_kept where tenant = $1 and account = $2 and kept > $3",
            params![reader.tenant(), account, since],
        )
        .await?;
    row.map(|row| Ok((row.text("path")?, row.bytes("form")?)))
        .transpose()
}

/// Forgets the form of an account and every form that was kept until an instant.
pub(crate) async fn forget_forms(tx: &Tx, account: &str, until: Time) -> Result<(), Problem> {
    tx.exec(
        "delete from identity_kept where tenant = $1 and (account = $2 or kept <= $3)",
        params![tx.tenant(), account, until],
    )
    .await?;
    Ok(())
}

/// Sweeps forms that waited too long.
pub(crate) async fn sweep_forms(tx: &Tx, until: Time) -> Result<(), Problem> {
    tx.exec(
        "delete from identity_kept where tenant = $1 and kept <= $2",
        params![tx.tenant(), until],
    )
    .await?;
    Ok(())
}

/// Sweeps sessions nobody can use any more.
pub(crate) async fn sweep_sessions(tx: &Tx, seen: Time, started: Time) -> Result<(), Problem> {
    tx.exec(
        "delete from identity_sessions where tenant = $1 and (seen <= $2 or started <= $3)",
        params![tx.tenant(), seen, started],
    )
    .await?;
    Ok(())
}

/// The tries of somebody, and whether the hour's last refusal was told as a fact already.
pub(crate) async fn tries(tx: &Tx, who: &Digest) -> Result<(Tries, bool), Problem> {
    let row = tx
        .one(
            "select tries, told from identity_tries where tenant = $1 and who = $2",
            params![tx.tenant(), who],
        )
        .await?;
    match row {
        Some(row) => Ok((row.json("tries")?, row.int("told")? == 1)),
        None => Ok((Tries::default(), false)),
    }
}

pub(crate) async fn save_tries(tx: &Tx, who: &Digest, tries: &Tries, told: bool) -> Result<(), Problem> {
    let text = serde_json::to_string(tries).map_err(Problem::internal)?;
    tx.exec(
        "insert into identity_tries (tenant, who, tries, told, latest) values ($1, $2, $3, $4, $5) \
         on conflict (tenant, who) do update \
         set tries = excluded.tries, told = excluded.told, latest = excluded.latest",
        params![tx.tenant(), who, text, told, tx.now()],
    )
    .await?;
    Ok(())
}

pub(crate) async fn clear_tries(tx: &Tx, who: &Digest) -> Result<(), Problem> {
    let stale = tx.now().plus_ms(-WINDOW_MS);
    tx.exec(
        "delete from identity_tries where tenant = $1 and (who = $2 or latest <= $3)",
        params![tx.tenant(), who, stale],
    )
    .await?;
    Ok(())
}

fn account_of(row: &Row) -> Result<Account, Problem> {
    let bad = |column: &str| Problem::internal(format!("identity_accounts.{column}: not readable"));
    let subject = row.opt_text("subject")?;
    let born = row.opt_text("born")?;
    Ok(Account {
        id: row.text("id")?,
        name: row.text("name")?,
        subject: subject
            .map(|s| s.parse().map_err(|_| bad("subject")))
            .transpose()?,
        born: born
            .map(|b| parse_iso(&b).ok_or_else(|| bad("born")))
            .transpose()?,
        level: level_of(row.int("level")?)?,
        roles: row.json("roles")?,
        unit: row.text("unit")?.parse().map_err(|_| bad("unit"))?,
    })
}

fn roles_text(roles: &[String]) -> Result<String, Problem> {
    serde_json::to_string(roles).map_err(Problem::internal)
}

pub(crate) fn level_of(level: i64) -> Result<u8, Problem> {
    u8::try_from(level).map_err(|_| Problem::internal("identity: a level is 0 to 255"))
}
