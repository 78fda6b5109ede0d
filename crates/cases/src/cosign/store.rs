//! SQL of second signatures. A row is read by its draft, or by its draft and the number of who was asked.

use ::store::{Row, Tx, params};
use kernel::{PersonalNumber, Problem, Time};

use super::{Cosign, Signed};
use crate::store::Rows;

/// Asks somebody; who was asked before and has not signed or refused is left as they are.
pub(super) async fn insert(tx: &Tx, cosign: &Cosign) -> Result<bool, Problem> {
    let new = tx
        .exec(
            "insert into cases_cosigns (tenant, draft, number, account, asker, asked_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (tenant, draft, number) do nothing",
            params![
                tx.tenant(),
                &cosign.draft,
                &cosign.number,
                &cosign.account,
                &cosign.asker,
                cosign.asked_at
            ],
        )
        .await?;
    Ok(new == 1)
}

/// Asks somebody no more; false when they were not.
pub(super) async fn remove(tx: &Tx, draft: &str, number: &PersonalNumber) -> Result<bool, Problem> {
    let gone = tx
        .exec(
            "delete from cases_cosigns where tenant = $1 and draft = $2 and number = $3",
            params![tx.tenant(), draft, number],
        )
        .await?;
    Ok(gone == 1)
}

/// Notes which revision somebody was shown.
pub(super) async fn note_seen(
    tx: &Tx,
    (draft, number): (&str, &PersonalNumber),
    revision: i64,
) -> Result<(), Problem> {
    tx.exec(
        "update cases_cosigns set seen = $4 where tenant = $1 and draft = $2 and number = $3",
        params![tx.tenant(), draft, number, revision],
    )
    .await?;
    Ok(())
}

/// Notes a signature.
pub(super) async fn sign(
    tx: &Tx,
    (draft, number): (&str, &PersonalNumber),
    signed: &Signed,
) -> Result<(), Problem> {
    tx.exec(
        "update cases_cosigns set signed = $4, signed_at = $5, signer = $6, refused_at = null
         where tenant = $1 and draft = $2 and number = $3",
        params![
            tx.tenant(),
            draft,
            number,
            signed.revision,
            signed.at,
            &signed.name
        ],
    )
    .await?;
    Ok(())
}

/// Notes that somebody refused.
pub(super) async fn refuse(tx: &Tx, draft: &str, number: &PersonalNumber) -> Result<(), Problem> {
    tx.exec(
        "update cases_cosigns set signed = null, signed_at = null, signer = null, refused_at = $4
         where tenant = $1 and draft = $2 and number = $3",
        params![tx.tenant(), draft, number, tx.now()],
    )
    .await?;
    Ok(())
}

/// All who were asked to sign a draft, by when.
pub(crate) async fn of_draft(rows: &impl Rows, draft: &str) -> Result<Vec<Cosign>, Problem> {
    let rows = rows
        .all(
            "select draft, number, account, asker, asked_at, seen, signed, signed_at, signer, refused_at from cases_cosigns
             where tenant = $1 and draft = $2 order by asked_at, number",
            params![rows.tenant(), draft],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// One who was asked to sign a draft.
pub(super) async fn one(
    rows: &impl Rows,
    draft: &str,
    number: &PersonalNumber,
) -> Result<Option<Cosign>, Problem> {
    let row = rows
        .one(
            "select draft, number, account, asker, asked_at, seen, signed, signed_at, signer, refused_at from cases_cosigns
             where tenant = $1 and draft = $2 and number = $3",
            params![rows.tenant(), draft, number],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// What somebody was asked to sign before a place, newest first.
pub(super) async fn of_number(
    rows: &impl Rows,
    number: &PersonalNumber,
    (at, draft): (Time, &str),
    limit: usize,
) -> Result<Vec<Cosign>, Problem> {
    let rows = rows
        .all(
            "select draft, number, account, asker, asked_at, seen, signed, signed_at, signer, refused_at from cases_cosigns
             where tenant = $1 and number = $2 and (asked_at < $3 or (asked_at = $3 and draft < $4))
             order by asked_at desc, draft desc limit $5",
            params![rows.tenant(), number, at, draft, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Cosign, Problem> {
    let signed = match (row.opt_int("signed")?, row.opt_int("signed_at")?) {
        (Some(revision), Some(at)) => Some(Signed {
            revision,
            at: Time(at),
            name: row.opt_text("signer")?.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Cosign {
        draft: row.text("draft")?,
        account: row.text("account")?,
        asker: row.text("asker")?,
        number: row.parse("number")?,
        asked_at: row.time("asked_at")?,
        seen: row.opt_int("seen")?,
        signed,
        refused_at: row.opt_int("refused_at")?.map(Time),
    })
}
