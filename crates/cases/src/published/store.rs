//! SQL of answers that everybody can read. Never decides what may be read.

use ::store::{Row, Tx, params};
use kernel::text::fold;
use kernel::{CaseCode, OrgCode, Problem, Time};

use super::Published;
use crate::procedure::Text;
use crate::store::Rows;

/// Publishes an answer; in other words, or once more after it was taken down, in the same place.
pub(super) async fn publish(tx: &Tx, answer: &Published, by: &str) -> Result<(), Problem> {
    let (about_vi, about_en) = match &answer.about {
        Some(about) => (about.vi.as_str(), about.en.as_str()),
        None => ("", ""),
    };
    let folded = fold(&[about_vi, about_en, &answer.asked, &answer.answer].join(" "));
    tx.exec(
        "insert into cases_published (tenant, number, code, unit, about_vi, about_en, asked, answer, folded,
             answered_at, published_at, published_by, withdrawn_by, reason, heard_from)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', $13)
         on conflict (tenant, number) do update set unit = excluded.unit, about_vi = excluded.about_vi,
             about_en = excluded.about_en, asked = excluded.asked, answer = excluded.answer, folded = excluded.folded,
             answered_at = excluded.answered_at, published_at = excluded.published_at, published_by = excluded.published_by, withdrawn_at = null,
             withdrawn_by = '', reason = ''",
        params![
            tx.tenant(),
            &answer.number,
            answer.code.as_ref().map_or("", CaseCode::as_str),
            &answer.unit,
            about_vi,
            about_en,
            &answer.asked,
            &answer.answer,
            folded,
            answer.answered_at,
            answer.published_at,
            by,
            answer.heard_from.as_ref().map_or("", OrgCode::as_str)
        ],
    )
    .await?;
    Ok(())
}

/// Takes an answer down: its words go, its number, the instant and the reason stay.
pub(super) async fn withdraw(
    tx: &Tx,
    number: &str,
    (at, by, reason): (Time, &str, &str),
) -> Result<(), Problem> {
    tx.exec(
        "update cases_published set asked = '', answer = '', folded = '', withdrawn_at = $3, withdrawn_by = $4, reason = $5
         where tenant = $1 and number = $2",
        params![tx.tenant(), number, at, by, reason],
    )
    .await?;
    Ok(())
}

/// An answer by its number, also one that was taken down.
pub(crate) async fn published(rows: &impl Rows, number: &str) -> Result<Option<Published>, Problem> {
    rows.one(
        "select number, code, unit, about_vi, about_en, asked, answer, answered_at, published_at, withdrawn_at, reason,
             heard_from
         from cases_published where tenant = $1 and number = $2",
        params![rows.tenant(), number],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// Answers that can be read, the latest first, behind a place; those only with the folded words.
pub(super) async fn latest(
    rows: &impl Rows,
    words: &str,
    (before, number): (Time, &str),
    limit: usize,
) -> Result<Vec<Published>, Problem> {
    // Folded words have letters, digits and blanks alone: nothing that `like` would take for a pattern.
    let pattern = format!("%{words}%");
    let rows = rows
        .all(
            "select number, code, unit, about_vi, about_en, asked, answer, answered_at, published_at, withdrawn_at, reason,
             heard_from
             from cases_published
             where tenant = $1 and withdrawn_at is null and folded like $2
                 and published_at <= $3 and (published_at < $3 or number < $4)
             order by published_at desc, number desc limit $5",
            params![rows.tenant(), pattern, before, number, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Published, Problem> {
    let about = Text {
        vi: row.text("about_vi")?,
        en: row.text("about_en")?,
    };
    let withdrawn_at = row.opt_int("withdrawn_at")?.map(Time);
    let reason = row.text("reason")?;
    let said = |column: &str| -> Result<bool, Problem> { Ok(!row.text(column)?.is_empty()) };
    Ok(Published {
        number: row.text("number")?,
        code: match said("code")? {
            true => Some(row.parse("code")?),
            false => None,
        },
        heard_from: match said("heard_from")? {
            true => Some(row.parse("heard_from")?),
            false => None,
        },
        unit: row.parse("unit")?,
        about: Some(about).filter(|about| !about.vi.is_empty()),
        asked: row.text("asked")?,
        answer: row.text("answer")?,
        answered_at: row.time("answered_at")?,
        published_at: row.time("published_at")?,
        withdrawn: withdrawn_at.map(|at| (at, reason)),
    })
}
