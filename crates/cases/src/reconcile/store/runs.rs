//! SQL of how far a comparison has come. Never what it found.

use ::store::{Tx, params};
use exchange::SystemId;
use kernel::{Problem, Time};

use super::After;
use crate::store::Rows;

/// A part of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Our open cases.
    OursOpen,
    /// Those of ours that ended lately.
    OursEnded,
    /// What the portal shows as open and ours.
    TheirsOpen,
    /// What it shows as ended lately.
    TheirsEnded,
    /// What is on the list since before.
    Listed,
    /// Nothing is left.
    Done,
}

impl Part {
    const ALL: [Self; 6] = [
        Self::OursOpen,
        Self::OursEnded,
        Self::TheirsOpen,
        Self::TheirsEnded,
        Self::Listed,
        Self::Done,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::OursOpen => "ours-open",
            Self::OursEnded => "ours-ended",
            Self::TheirsOpen => "theirs-open",
            Self::TheirsEnded => "theirs-ended",
            Self::Listed => "listed",
            Self::Done => "done",
        }
    }

    /// The part that comes after it.
    pub(crate) fn next(self) -> Self {
        let mut rest = Self::ALL.into_iter().skip_while(|part| *part != self).skip(1);
        rest.next().unwrap_or(Self::Done)
    }
}

/// How far a comparison has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The portal that is asked.
    pub(crate) portal: SystemId,
    /// Its day, `2026-11-23`.
    pub(crate) day: String,
    pub(crate) part: Part,
    /// The place in the part after which it goes on.
    pub(crate) after: After,
    /// From when on what has ended is looked at.
    pub(crate) since: Time,
    /// What has changed later is on its way still.
    pub(crate) until: Time,
    pub(crate) began: Time,
    /// Cases compared so far.
    pub(crate) compared: u64,
    /// When one was done last, and how many cases it compared.
    pub(crate) done: Option<(Time, u64)>,
}

/// The comparison of a place; `None` before the first.
pub(crate) async fn run(rows: &impl Rows) -> Result<Option<Run>, Problem> {
    let row = rows
        .one(
            "select portal, day, part, after_at, after_code, since_at, until_at, began_at, compared, done_at,
                 done_compared from cases_comparisons where tenant = $1",
            params![rows.tenant()],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let word = row.text("part")?;
    let part = Part::ALL.into_iter().find(|part| part.as_str() == word);
    let done = row.opt_int("done_at")?.map(Time);
    let done_compared = row.opt_int("done_compared")?.unwrap_or(0);
    Ok(Some(Run {
        portal: row.parse("portal")?,
        day: row.text("day")?,
        part: part.ok_or_else(|| Problem::internal("bad row: cases_comparisons.part"))?,
        after: After {
            at: row.time("after_at")?,
            code: row.text("after_code")?,
        },
        since: row.time("since_at")?,
        until: row.time("until_at")?,
        began: row.time("began_at")?,
        compared: row.count("compared")?,
        done: done.map(|at| (at, u64::try_from(done_compared).unwrap_or(0))),
    }))
}

/// Begins a comparison; one that is under way is begun anew.
pub(crate) async fn begin(tx: &Tx, run: &Run) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_comparisons (tenant, portal, day, part, after_at, after_code, since_at, until_at, began_at,
             compared, done_at, done_compared)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (tenant) do update set portal = excluded.portal, day = excluded.day, part = excluded.part,
             after_at = excluded.after_at, after_code = excluded.after_code, since_at = excluded.since_at,
             until_at = excluded.until_at, began_at = excluded.began_at, compared = excluded.compared",
        params![
            tx.tenant(),
            run.portal.to_string(),
            &run.day,
            run.part.as_str(),
            run.after.at,
            &run.after.code,
            run.since,
            run.until,
            run.began,
            run.compared,
            run.done.map(|(at, _)| at),
            run.done.map(|(_, compared)| compared)
        ],
    )
    .await?;
    Ok(())
}

/// Keeps how far a comparison has come; false when somebody else has gone on with it meanwhile.
pub(crate) async fn advance(tx: &Tx, from: &Run, to: &Run) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_comparisons set part = $6, after_at = $7, after_code = $8, compared = $9, done_at = $10,
                 done_compared = $11
             where tenant = $1 and began_at = $2 and part = $3 and after_at = $4 and after_code = $5",
            params![
                tx.tenant(),
                from.began,
                from.part.as_str(),
                from.after.at,
                &from.after.code,
                to.part.as_str(),
                to.after.at,
                &to.after.code,
                to.compared,
                to.done.map(|(at, _)| at),
                to.done.map(|(_, compared)| compared)
            ],
        )
        .await?;
    Ok(changed == 1)
}
