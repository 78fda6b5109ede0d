//! SQL of where citizens are told besides the inbox, and of each use of such an address. Every statement is for one
//! account: an address is read for its owner and for nobody else.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, Digest, Problem, Time};

use crate::contact::{Contact, Scope, State, Telling, Way};
use crate::store::{Rows, number};

/// The addresses of a citizen, by way.
///
/// # Errors
/// As [`super::case`].
pub(crate) async fn contacts(rows: &impl Rows, account: &str) -> Result<Vec<Contact>, Problem> {
    let rows = rows
        .all(
            "select way, address, confirmed_at, pending, code, code_until, tries, scope, lang, changed_at
             from cases_contacts where tenant = $1 and account = $2 order by way",
            params![rows.tenant(), account],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// A citizen's address by one way.
///
/// # Errors
/// As [`super::case`].
pub(crate) async fn contact(rows: &impl Rows, account: &str, way: Way) -> Result<Option<Contact>, Problem> {
    let row = rows
        .one(
            "select way, address, confirmed_at, pending, code, code_until, tries, scope, lang, changed_at
             from cases_contacts where tenant = $1 and account = $2 and way = $3",
            params![rows.tenant(), account, way.word()],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// Writes a citizen's address as it is now.
///
/// # Errors
/// Unavailable.
pub(crate) async fn save(tx: &Tx, account: &str, contact: &Contact) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_contacts
           (tenant, account, way, address, confirmed_at, pending, code, code_until, tries, scope, lang, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (tenant, account, way) do update set address = excluded.address,
           confirmed_at = excluded.confirmed_at, pending = excluded.pending, code = excluded.code,
           code_until = excluded.code_until, tries = excluded.tries, scope = excluded.scope, lang = excluded.lang,
           changed_at = excluded.changed_at",
        params![
            tx.tenant(),
            account,
            contact.way.word(),
            contact.address.clone(),
            contact.confirmed_at,
            contact.pending.clone(),
            contact.code,
            contact.code_until,
            contact.tries,
            contact.scope.word(),
            contact.lang.code(),
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// Forgets a citizen's address by one way; false when there was none.
///
/// # Errors
/// Unavailable.
pub(crate) async fn remove(tx: &Tx, account: &str, way: Way) -> Result<bool, Problem> {
    let gone = tx
        .exec(
            "delete from cases_contacts where tenant = $1 and account = $2 and way = $3",
            params![tx.tenant(), account, way.word()],
        )
        .await?;
    Ok(gone == 1)
}

/// Writes a use of an address; false when it is there.
///
/// # Errors
/// Unavailable.
pub(crate) async fn insert_telling(tx: &Tx, account: &str, telling: &Telling) -> Result<bool, Problem> {
    let new = tx
        .exec(
            "insert into cases_tellings (tenant, account, way, id, kind, code, at, state)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (tenant, account, way, id) do nothing",
            params![
                tx.tenant(),
                account,
                telling.way.word(),
                &telling.id,
                &telling.kind,
                telling.code.clone(),
                telling.at,
                telling.state.word()
            ],
        )
        .await?;
    Ok(new == 1)
}

/// Notes what came of a use that waits; false when that was noted before.
///
/// # Errors
/// Unavailable.
pub(crate) async fn note_telling(
    tx: &Tx,
    account: &str,
    (way, id): (Way, &str),
    state: State,
    why: Option<&str>,
) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_tellings set state = $5, done_at = $6, why = $7
             where tenant = $1 and account = $2 and way = $3 and id = $4 and state = 'waiting'",
            params![tx.tenant(), account, way.word(), id, state.word(), tx.now(), why],
        )
        .await?;
    Ok(changed == 1)
}

/// A use of an address.
///
/// # Errors
/// As [`super::case`].
pub(crate) async fn telling(
    rows: &impl Rows,
    account: &str,
    (way, id): (Way, &str),
) -> Result<Option<Telling>, Problem> {
    let row = rows
        .one(
            "select way, id, kind, code, at, state, done_at, why from cases_tellings
             where tenant = $1 and account = $2 and way = $3 and id = $4",
            params![rows.tenant(), account, way.word(), id],
        )
        .await?;
    row.map(|row| read_telling(&row)).transpose()
}

/// The uses of a citizen's addresses within some time, newest first.
///
/// # Errors
/// As [`super::case`].
pub(crate) async fn tellings(
    rows: &impl Rows,
    account: &str,
    (from, to): (Time, Time),
    limit: usize,
) -> Result<Vec<Telling>, Problem> {
    let rows = rows
        .all(
            "select way, id, kind, code, at, state, done_at, why from cases_tellings
             where tenant = $1 and account = $2 and at >= $3 and at <= $4 order by at desc, id desc, way limit $5",
            params![rows.tenant(), account, from, to, limit],
        )
        .await?;
    rows.iter().map(read_telling).collect()
}

/// How many uses by a way since an instant stand in a state.
///
/// # Errors
/// As [`super::case`].
pub(crate) async fn count_tellings(
    rows: &impl Rows,
    account: &str,
    (way, state): (Way, State),
    (from, to): (Time, Time),
) -> Result<u64, Problem> {
    let row = rows
        .one(
            "select count(*) as told from cases_tellings
             where tenant = $1 and account = $2 and at >= $3 and at < $4 and way = $5 and state = $6",
            params![rows.tenant(), account, from, to, way.word(), state.word()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("told"))
}

fn read(row: &Row) -> Result<Contact, Problem> {
    let bad = |column: &str| Problem::internal(format_args!("bad row: cases_contacts.{column}"));
    let digest = |text: String| Digest::parse(&text).ok_or_else(|| bad("code"));
    Ok(Contact {
        way: Way::of(&row.text("way")?).ok_or_else(|| bad("way"))?,
        address: row.opt_text("address")?,
        confirmed_at: row.opt_int("confirmed_at")?.map(Time),
        pending: row.opt_text("pending")?,
        code: row.opt_text("code")?.map(digest).transpose()?,
        code_until: row.opt_int("code_until")?.map(Time),
        tries: number(row, "tries")?,
        scope: Scope::of(&row.text("scope")?).ok_or_else(|| bad("scope"))?,
        lang: crate::contact::lang(&row.text("lang")?).ok_or_else(|| bad("lang"))?,
        changed_at: row.time("changed_at")?,
    })
}

fn read_telling(row: &Row) -> Result<Telling, Problem> {
    let bad = |column: &str| Problem::internal(format_args!("bad row: cases_tellings.{column}"));
    let code = |text: String| text.parse::<CaseCode>().map_err(|_| bad("code"));
    Ok(Telling {
        way: Way::of(&row.text("way")?).ok_or_else(|| bad("way"))?,
        id: row.text("id")?,
        kind: row.text("kind")?,
        code: row.opt_text("code")?.map(code).transpose()?,
        at: row.time("at")?,
        state: State::of(&row.text("state")?).ok_or_else(|| bad("state"))?,
        done_at: row.opt_int("done_at")?.map(Time),
        why: row.opt_text("why")?,
    })
}
