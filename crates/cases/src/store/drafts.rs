//! SQL of drafts. Never gives a draft to anybody but its account: every reader asks for both.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, Problem, Time};

use crate::draft::Draft;
use crate::store::{Rows, json};

/// Writes a new draft.
///
/// # Errors
/// Conflict `already-there`.
pub async fn insert_draft(tx: &Tx, draft: &Draft) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_drafts (tenant, id, account, procedure, version, answers, prefilled, revision, filed_as,
             created_at, changed_at, mandate)
         values ($1, $2, $3, $4, $5, $6, $7, $8, null, $9, $10, $11)",
        params![
            tx.tenant(), &draft.id, &draft.account, &draft.procedure, draft.version, json(&draft.answers)?,
            json(&draft.prefilled)?, draft.revision, draft.created_at, draft.changed_at, draft.mandate.clone()
        ],
    )
    .await?;
    Ok(())
}

/// Saves a draft's answers and prefill as its next revision.
///
/// # Errors
/// `stale` (409) when the row is at another revision or filed.
pub async fn save_draft(tx: &Tx, draft: &Draft) -> Result<(), Problem> {
    let changed = tx
        .exec(
            "update cases_drafts set answers = $3, prefilled = $4, revision = revision + 1, changed_at = $5, mandate = $7
             where tenant = $1 and id = $2 and revision = $6 and filed_as is null",
            params![
                tx.tenant(),
                &draft.id,
                json(&draft.answers)?,
                json(&draft.prefilled)?,
                tx.now(),
                draft.revision,
                draft.mandate.clone()
            ],
        )
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Problem::stale())
    }
}

/// Marks a draft as filed.
///
/// # Errors
/// `stale` (409) when the row is at another revision or filed.
pub async fn mark_filed(tx: &Tx, draft: &Draft, code: &CaseCode) -> Result<(), Problem> {
    let changed = tx
        .exec(
            "update cases_drafts set filed_as = $3, revision = revision + 1, changed_at = $4
             where tenant = $1 and id = $2 and revision = $5 and filed_as is null",
            params![tx.tenant(), &draft.id, code, tx.now(), draft.revision],
        )
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Problem::stale())
    }
}

/// Gives a draft that is not filed to another account, which goes on with it; false when there is none.
///
/// # Errors
/// Unavailable.
pub async fn pass_draft(tx: &Tx, id: &str, account: &str) -> Result<bool, Problem> {
    let passed = tx
        .exec(
            "update cases_drafts set account = $3, revision = revision + 1, changed_at = $4
             where tenant = $1 and id = $2 and filed_as is null",
            params![tx.tenant(), id, account, tx.now()],
        )
        .await?;
    Ok(passed == 1)
}

/// A draft of an account.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub async fn draft(rows: &impl Rows, account: &str, id: &str) -> Result<Option<Draft>, Problem> {
    rows.one(
        "select id, account, procedure, version, answers, prefilled, revision, filed_as, created_at, changed_at, mandate
         from cases_drafts where tenant = $1 and id = $2 and account = $3",
        params![rows.tenant(), id, account],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// The draft that became a case.
///
/// # Errors
/// As [`draft`].
pub async fn draft_filed_as(
    rows: &impl Rows,
    account: &str,
    code: &CaseCode,
) -> Result<Option<Draft>, Problem> {
    rows.one(
        "select id, account, procedure, version, answers, prefilled, revision, filed_as, created_at, changed_at, mandate
         from cases_drafts where tenant = $1 and account = $2 and filed_as = $3 order by created_at limit 1",
        params![rows.tenant(), account, code],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// The account's drafts that are not filed, last changed first.
///
/// # Errors
/// As [`draft`].
pub async fn drafts_of(rows: &impl Rows, account: &str, limit: usize) -> Result<Vec<Draft>, Problem> {
    let rows = rows
        .all(
            "select id, account, procedure, version, answers, prefilled, revision, filed_as, created_at, changed_at, mandate
             from cases_drafts where tenant = $1 and account = $2 and filed_as is null
             order by changed_at desc, id desc limit $3",
            params![rows.tenant(), account, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// How many drafts an account has that are not filed.
///
/// # Errors
/// As [`draft`].
pub async fn open_drafts(rows: &impl Rows, account: &str) -> Result<u64, Problem> {
    let row = rows
        .one(
            "select count(*) as open from cases_drafts where tenant = $1 and account = $2 and filed_as is null",
            params![rows.tenant(), account],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("open"))
}

fn read(row: &Row) -> Result<Draft, Problem> {
    let filed_as = row.opt_text("filed_as")?.map(|code| code.parse());
    Ok(Draft {
        id: row.text("id")?,
        account: row.text("account")?,
        procedure: row.parse("procedure")?,
        version: row.digest("version")?,
        answers: row.json("answers")?,
        prefilled: row.json("prefilled")?,
        revision: row.int("revision")?,
        filed_as: filed_as
            .transpose()
            .map_err(|e| Problem::internal(format_args!("bad row: cases_drafts.filed_as: {e}")))?,
        created_at: Time(row.int("created_at")?),
        changed_at: Time(row.int("changed_at")?),
        mandate: row.opt_text("mandate")?,
    })
}
