//! SQL of a citizen's own documents, their uses and their links. A document is read with its account, or by a link's
//! digest; never the content itself.

use ::store::{Row, Tx, params};
use kernel::time::{iso, parse_iso};
use kernel::{Date, Digest, Problem, Time};

use super::{Entry, EntryKind, Share, Use};
use crate::store::{Rows, number};

/// Writes a document; false when it is there.
pub(super) async fn insert(tx: &Tx, account: &str, entry: &Entry) -> Result<bool, Problem> {
    let new = tx
        .exec(
            "insert into cases_wallet (tenant, account, id, kind, title, issuer, number, dated, valid_until, digest, origin,
                 reference, kept_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (tenant, account, id) do nothing",
            params![
                tx.tenant(),
                account,
                &entry.id,
                entry.kind.word(),
                &entry.title,
                &entry.issuer,
                &entry.number,
                entry.dated.map(iso),
                entry.valid_until.map(iso),
                entry.digest,
                &entry.origin,
                &entry.reference,
                entry.kept_at
            ],
        )
        .await?;
    Ok(new == 1)
}

/// How many documents a citizen keeps that no agency gave.
pub(super) async fn count_kept(rows: &impl Rows, account: &str) -> Result<u64, Problem> {
    let row = rows
        .one(
            "select count(*) as kept from cases_wallet where tenant = $1 and account = $2 and kind <> 'issued'",
            params![rows.tenant(), account],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("kept"))
}

/// The documents of a citizen before a place, newest first.
pub(super) async fn list(
    rows: &impl Rows,
    account: &str,
    (at, id): (Time, &str),
    limit: usize,
) -> Result<Vec<Entry>, Problem> {
    let rows = rows
        .all(
            "select id, kind, title, issuer, number, dated, valid_until, digest, origin, reference, kept_at
             from cases_wallet
             where tenant = $1 and account = $2 and (kept_at < $3 or (kept_at = $3 and id < $4))
             order by kept_at desc, id desc limit $5",
            params![rows.tenant(), account, at, id, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// The newest documents of a citizen that can be handed in.
pub(super) async fn files(rows: &impl Rows, account: &str, limit: usize) -> Result<Vec<Entry>, Problem> {
    let rows = rows
        .all(
            "select id, kind, title, issuer, number, dated, valid_until, digest, origin, reference, kept_at
             from cases_wallet where tenant = $1 and account = $2 and kind <> 'register'
             order by kept_at desc, id desc limit $3",
            params![rows.tenant(), account, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// One document of a citizen.
pub(super) async fn entry(rows: &impl Rows, account: &str, id: &str) -> Result<Option<Entry>, Problem> {
    let row = rows
        .one(
            "select id, kind, title, issuer, number, dated, valid_until, digest, origin, reference, kept_at
             from cases_wallet where tenant = $1 and account = $2 and id = $3",
            params![rows.tenant(), account, id],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// Takes a document away with its links and uses; false when it was not there.
pub(super) async fn remove(tx: &Tx, account: &str, id: &str) -> Result<bool, Problem> {
    for sql in [
        "delete from cases_wallet_shares where tenant = $1 and account = $2 and entry = $3",
        "delete from cases_wallet_uses where tenant = $1 and account = $2 and entry = $3",
    ] {
        tx.exec(sql, params![tx.tenant(), account, id]).await?;
    }
    let gone = tx
        .exec(
            "delete from cases_wallet where tenant = $1 and account = $2 and id = $3",
            params![tx.tenant(), account, id],
        )
        .await?;
    Ok(gone == 1)
}

/// Writes down a use of a document.
pub(super) async fn insert_use(
    tx: &Tx,
    (account, entry): (&str, &str),
    (kind, what): (&str, &str),
) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_wallet_uses (tenant, account, entry, id, at, kind, what) values ($1, $2, $3, $4, $5, $6, $7)",
        params![tx.tenant(), account, entry, tx.id(), tx.now(), kind, what],
    )
    .await?;
    Ok(())
}

/// The newest uses of a document.
pub(super) async fn uses(
    rows: &impl Rows,
    account: &str,
    entry: &str,
    limit: usize,
) -> Result<Vec<Use>, Problem> {
    let rows = rows
        .all(
            "select at, kind, what from cases_wallet_uses where tenant = $1 and account = $2 and entry = $3
             order by at desc, id desc limit $4",
            params![rows.tenant(), account, entry, limit],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Use {
                at: row.time("at")?,
                kind: row.text("kind")?,
                what: row.text("what")?,
            })
        })
        .collect()
}

/// Writes a link.
pub(super) async fn insert_share(tx: &Tx, share: &Share) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_wallet_shares (tenant, id, account, entry, token, code, made_at, until, tries)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            tx.tenant(),
            &share.id,
            &share.account,
            &share.entry,
            share.token,
            share.code,
            share.made_at,
            share.until,
            share.tries
        ],
    )
    .await?;
    Ok(())
}

/// How many links of a citizen open at an instant.
pub(super) async fn open_shares(rows: &impl Rows, account: &str, now: Time) -> Result<u64, Problem> {
    let row = rows
        .one(
            "select count(*) as open from cases_wallet_shares
             where tenant = $1 and account = $2 and ended_at is null and until > $3",
            params![rows.tenant(), account, now],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("open"))
}

/// The newest links of a document.
pub(super) async fn shares(
    rows: &impl Rows,
    account: &str,
    entry: &str,
    limit: usize,
) -> Result<Vec<Share>, Problem> {
    let rows = rows
        .all(
            "select id, account, entry, token, code, made_at, until, ended_at, tries from cases_wallet_shares
             where tenant = $1 and account = $2 and entry = $3 order by made_at desc, id desc limit $4",
            params![rows.tenant(), account, entry, limit],
        )
        .await?;
    rows.iter().map(read_share).collect()
}

/// The link that is named so.
pub(super) async fn share_of(rows: &impl Rows, token: &Digest) -> Result<Option<Share>, Problem> {
    let row = rows
        .one(
            "select id, account, entry, token, code, made_at, until, ended_at, tries from cases_wallet_shares
             where tenant = $1 and token = $2",
            params![rows.tenant(), token],
        )
        .await?;
    row.map(|row| read_share(&row)).transpose()
}

/// Counts a wrong code.
pub(super) async fn note_try(tx: &Tx, id: &str) -> Result<(), Problem> {
    tx.exec(
        "update cases_wallet_shares set tries = tries + 1 where tenant = $1 and id = $2",
        params![tx.tenant(), id],
    )
    .await?;
    Ok(())
}

/// Ends a link of a document; false when it is none of it, or ended before.
pub(super) async fn end_share(tx: &Tx, (account, entry): (&str, &str), id: &str) -> Result<bool, Problem> {
    let ended = tx
        .exec(
            "update cases_wallet_shares set ended_at = $5
             where tenant = $1 and account = $2 and entry = $3 and id = $4 and ended_at is null",
            params![tx.tenant(), account, entry, id, tx.now()],
        )
        .await?;
    Ok(ended == 1)
}

fn day(row: &Row, column: &str) -> Result<Option<Date>, Problem> {
    let Some(text) = row.opt_text(column)? else {
        return Ok(None);
    };
    let bad = || Problem::internal(format_args!("bad row: cases_wallet.{column}"));
    parse_iso(&text).map(Some).ok_or_else(bad)
}

fn read(row: &Row) -> Result<Entry, Problem> {
    let kind = EntryKind::of(&row.text("kind")?);
    Ok(Entry {
        id: row.text("id")?,
        kind: kind.ok_or_else(|| Problem::internal("bad row: cases_wallet.kind"))?,
        title: row.text("title")?,
        issuer: row.text("issuer")?,
        number: row.text("number")?,
        dated: day(row, "dated")?,
        valid_until: day(row, "valid_until")?,
        digest: row.digest("digest")?,
        origin: row.text("origin")?,
        reference: row.text("reference")?,
        kept_at: row.time("kept_at")?,
    })
}

fn read_share(row: &Row) -> Result<Share, Problem> {
    Ok(Share {
        id: row.text("id")?,
        account: row.text("account")?,
        entry: row.text("entry")?,
        token: row.digest("token")?,
        code: row.digest("code")?,
        made_at: row.time("made_at")?,
        until: row.time("until")?,
        ended_at: row.opt_int("ended_at")?.map(Time),
        tries: number(row, "tries")?,
    })
}
