//! SQL of the national messages: cases of other systems, every word about a case, and whom an owner has told. Many words
//! are one statement. Never decides which word counts.

use std::collections::BTreeMap;

use ::store::{Pair, Row, Tx, params};
use kernel::{CaseCode, OrgCode, Problem, Time};
use serde_json::json;

use super::judge::Head;
use super::told::Word;
use crate::citizen::course::ENDED;
use crate::store::{Rows, number};

/// What stands in the rows about a word's case.
#[derive(Debug, Default)]
pub struct Stand {
    /// True when this very word is there.
    pub heard: bool,
    /// Of a case of another system: whose it is, and where it stands.
    pub synced: Option<(OrgCode, Head)>,
    /// Of a case that was filed here, or handed in at a desk that tells in our own words.
    pub own: Option<Own>,
}

/// A case of this portal's own.
#[derive(Clone, Debug)]
pub struct Own {
    /// The unit that handles it.
    pub unit: OrgCode,
    /// Where it stands.
    pub head: Head,
    /// The number of its last status.
    pub seq: u32,
    /// By when its result is owed.
    pub due: Option<Time>,
}

/// One round for a whole message: `[place, code, word]`.
const STANDS: Pair = Pair {
    sqlite: "select cast(j.value ->> 0 as bigint) as place, s.owner as owner, s.status as status, s.since as since, \
             c.unit as unit, c.status as own_status, c.due_at as own_due, p.outcome as outcome, \
             (select max(t.at) from cases_statuses t where t.tenant = $1 and t.code = c.code) as own_since, \
             (select max(t.seq) from cases_statuses t where t.tenant = $1 and t.code = c.code) as own_seq \
             from json_each($2) j \
             left join cases_synced s on s.tenant = $1 and s.code = j.value ->> 1 \
             left join cases_cases c on c.tenant = $1 and c.code = j.value ->> 1 \
             left join cases_progress p on p.tenant = $1 and p.code = j.value ->> 1 and p.word = j.value ->> 2",
    postgres: "select cast(j.value ->> 0 as bigint) as place, s.owner as owner, s.status as status, s.since as since, \
               c.unit as unit, c.status as own_status, c.due_at as own_due, p.outcome as outcome, \
               (select max(t.at) from cases_statuses t where t.tenant = $1 and t.code = c.code) as own_since, \
               (select max(t.seq) from cases_statuses t where t.tenant = $1 and t.code = c.code) as own_seq \
               from jsonb_array_elements($2::text::jsonb) as j(value) \
               left join cases_synced s on s.tenant = $1 and s.code = j.value ->> 1 \
               left join cases_cases c on c.tenant = $1 and c.code = j.value ->> 1 \
               left join cases_progress p on p.tenant = $1 and p.code = j.value ->> 1 and p.word = j.value ->> 2",
};

/// `[code, word, message, at, status, outcome, said, heard_at]`.
const PROGRESS: Pair = Pair {
    sqlite: "insert into cases_progress (tenant, code, word, message, at, status, outcome, said, heard_at) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
             value ->> 7 from json_each($2) where true on conflict do nothing",
    postgres: "insert into cases_progress (tenant, code, word, message, at, status, outcome, said, heard_at) \
               select $1, v ->> 0, v ->> 1, v ->> 2, cast(v ->> 3 as bigint), cast(v ->> 4 as bigint), v ->> 5, v ->> 6, \
               cast(v ->> 7 as bigint) from jsonb_array_elements($2::text::jsonb) as t(v) on conflict do nothing",
};

/// `[code, owner, procedure, digits, status, since, due_at, said, changed_at, began_at, ended_at]`. What a case began and
/// ended with stays as it was said first.
const SYNCED: Pair = Pair {
    sqlite: "insert into cases_synced (tenant, code, owner, procedure, digits, status, since, due_at, said, changed_at, \
             began_at, ended_at) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
             value ->> 7, value ->> 8, value ->> 9, value ->> 10 from json_each($2) where true \
             on conflict (tenant, code) do update set \
             procedure = excluded.procedure, digits = excluded.digits, status = excluded.status, since = excluded.since, \
             due_at = coalesce(excluded.due_at, cases_synced.due_at), said = excluded.said, changed_at = excluded.changed_at, \
             began_at = coalesce(cases_synced.began_at, excluded.began_at), \
             ended_at = coalesce(cases_synced.ended_at, excluded.ended_at)",
    postgres: "insert into cases_synced (tenant, code, owner, procedure, digits, status, since, due_at, said, changed_at, \
               began_at, ended_at) \
               select $1, v ->> 0, v ->> 1, v ->> 2, v ->> 3, cast(v ->> 4 as bigint), cast(v ->> 5 as bigint), \
               cast(v ->> 6 as bigint), v ->> 7, cast(v ->> 8 as bigint), cast(v ->> 9 as bigint), \
               cast(v ->> 10 as bigint) \
               from jsonb_array_elements($2::text::jsonb) as t(v) on conflict (tenant, code) do update set \
               procedure = excluded.procedure, digits = excluded.digits, status = excluded.status, since = excluded.since, \
               due_at = coalesce(excluded.due_at, cases_synced.due_at), said = excluded.said, changed_at = excluded.changed_at, \
               began_at = coalesce(cases_synced.began_at, excluded.began_at), \
               ended_at = coalesce(cases_synced.ended_at, excluded.ended_at)",
};

/// `[code, status, since, due_at, changed_at, ended_at]`. SQLite would walk over all cases to update from a list; written
/// anew with what it has, each is looked up by its key.
const MOVED: Pair = Pair {
    sqlite: "insert into cases_synced (tenant, code, owner, procedure, digits, status, since, due_at, said, changed_at, \
             began_at, ended_at) \
             select s.tenant, s.code, s.owner, s.procedure, s.digits, j.value ->> 1, j.value ->> 2, \
             coalesce(j.value ->> 3, s.due_at), s.said, j.value ->> 4, s.began_at, coalesce(s.ended_at, j.value ->> 5) \
             from json_each($2) j cross join cases_synced s \
             where s.tenant = $1 and s.code = j.value ->> 0 on conflict (tenant, code) do update set \
             status = excluded.status, since = excluded.since, due_at = excluded.due_at, changed_at = excluded.changed_at, \
             ended_at = excluded.ended_at",
    postgres: "update cases_synced set status = cast(j.value ->> 1 as bigint), since = cast(j.value ->> 2 as bigint), \
               due_at = coalesce(cast(j.value ->> 3 as bigint), cases_synced.due_at), \
               changed_at = cast(j.value ->> 4 as bigint), \
               ended_at = coalesce(cases_synced.ended_at, cast(j.value ->> 5 as bigint)) \
               from jsonb_array_elements($2::text::jsonb) as j(value) \
               where cases_synced.tenant = $1 and cases_synced.code = j.value ->> 0",
};

/// What stands about each word's case, in the order of the words.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub async fn stands(tx: &Tx, words: &[Word]) -> Result<Vec<Stand>, Problem> {
    let keys = words.iter().enumerate();
    let keys: Vec<_> = keys
        .map(|(place, word)| json!([place, word.code.as_str(), word.digest.hex()]))
        .collect();
    let mut stands: Vec<Stand> = words.iter().map(|_| Stand::default()).collect();
    let keys = serde_json::Value::from(keys).to_string();
    for row in tx.bulk_select(STANDS, keys).await? {
        let place: usize = number(&row, "place")?;
        if let Some(stand) = stands.get_mut(place) {
            *stand = stand_of(&row)?;
        }
    }
    Ok(stands)
}

fn stand_of(row: &Row) -> Result<Stand, Problem> {
    let synced = match row.opt_text("owner")? {
        None => None,
        Some(owner) => Some((
            owner.parse().map_err(Problem::internal)?,
            Head {
                status: number(row, "status")?,
                since: row.time("since")?,
            },
        )),
    };
    let own = match row.opt_text("unit")? {
        None => None,
        Some(unit) => Some(Own {
            unit: unit.parse().map_err(Problem::internal)?,
            head: Head {
                status: number(row, "own_status")?,
                since: Time(row.opt_int("own_since")?.unwrap_or_default()),
            },
            seq: u32::try_from(row.opt_int("own_seq")?.unwrap_or_default()).unwrap_or_default(),
            due: row.opt_int("own_due")?.map(Time),
        }),
    };
    Ok(Stand {
        heard: row.opt_text("outcome")?.is_some(),
        synced,
        own,
    })
}

/// A word that is kept, with what became of it.
pub type Kept<'w> = (&'w Word, &'static str);

/// Keeps words; one that is there stays.
///
/// # Errors
/// Unavailable.
pub async fn keep(tx: &Tx, message: &str, words: &[Kept<'_>]) -> Result<(), Problem> {
    let rows = words.iter().map(|(word, outcome)| {
        json!([
            word.code.as_str(),
            word.digest.hex(),
            message,
            word.at.unwrap_or_else(|| tx.now()).ms(),
            word.status,
            outcome,
            word.said,
            tx.now().ms()
        ])
    });
    let rows: Vec<_> = rows.collect();
    tx.bulk_insert(PROGRESS, serde_json::Value::from(rows).to_string())
        .await?;
    Ok(())
}

/// A case of another system as it stands after a word that told all of it.
#[derive(Debug)]
pub struct Synced<'w> {
    /// The word.
    pub word: &'w Word,
    /// Whose the case is.
    pub owner: &'w OrgCode,
    /// Where it stands.
    pub head: Head,
}

/// Writes cases of another system, each once.
///
/// # Errors
/// Unavailable.
pub async fn save(tx: &Tx, cases: &[&Synced<'_>]) -> Result<(), Problem> {
    if cases.is_empty() {
        return Ok(());
    }
    let rows = cases.iter().filter_map(|case| {
        let whole = case.word.whole.as_ref()?;
        Some(json!([
            case.word.code.as_str(),
            case.owner.as_str(),
            whole.procedure.as_str(),
            whole.digits,
            case.head.status,
            case.head.since.ms(),
            case.word.due.map(Time::ms),
            case.word.said,
            tx.now().ms(),
            whole.began.map(Time::ms),
            whole.ended.or_else(|| ended(case.head)).map(Time::ms)
        ]))
    });
    let rows: Vec<_> = rows.collect();
    tx.bulk_insert(SYNCED, serde_json::Value::from(rows).to_string())
        .await?;
    Ok(())
}

/// Moves cases of another system: where each stands, and by when its result is owed where that was said.
///
/// # Errors
/// Unavailable.
pub async fn shift(tx: &Tx, moved: &BTreeMap<&CaseCode, (Head, Option<Time>)>) -> Result<(), Problem> {
    if moved.is_empty() {
        return Ok(());
    }
    let rows = moved.iter().map(|(code, (head, due))| {
        let (since, due) = (head.since.ms(), due.map(Time::ms));
        let ended = ended(*head).map(Time::ms);
        json!([code.as_str(), head.status, since, due, tx.now().ms(), ended])
    });
    let rows: Vec<_> = rows.collect();
    tx.bulk_insert(MOVED, serde_json::Value::from(rows).to_string())
        .await?;
    Ok(())
}

/// When a case that stands so ended; nothing while it runs.
fn ended(head: Head) -> Option<Time> {
    ENDED.contains(&head.status).then_some(head.since)
}

/// A case of another system, as its portal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncedRow {
    /// Its code.
    pub code: CaseCode,
    /// Whose it is.
    pub owner: OrgCode,
    /// Its procedure's code, as it was told.
    pub procedure: String,
    /// The last digits of the applicant's number.
    pub digits: String,
    /// Its status, 1 to 10.
    pub status: u8,
    /// By when its result is owed.
    pub due_at: Option<Time>,
    /// The newest item of `DongBoHoSoMC` about it.
    pub said: super::case_item::CaseItem,
}

/// A case of another system by its code.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub async fn synced(rows: &impl Rows, code: &CaseCode) -> Result<Option<SyncedRow>, Problem> {
    let row = rows
        .one(
            "select owner, procedure, digits, status, due_at, said from cases_synced where tenant = $1 and code = $2",
            params![rows.tenant(), code],
        )
        .await?;
    row.map(|row| {
        Ok(SyncedRow {
            code: code.clone(),
            owner: row.parse("owner")?,
            procedure: row.text("procedure")?,
            digits: row.text("digits")?,
            status: number(&row, "status")?,
            due_at: row.opt_int("due_at")?.map(Time),
            said: row.json("said")?,
        })
    })
    .transpose()
}

/// A word about a case, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressRow {
    /// The message it came with.
    pub message: String,
    /// When it was so.
    pub at: Time,
    /// The status after it.
    pub status: u8,
    /// What became of it.
    pub outcome: String,
    /// The item.
    pub said: String,
}

/// Words about a case that are shown, count.
const SHOWN: usize = 1_000;

/// The words about a case in the order of their time.
///
/// # Errors
/// As [`synced`].
pub async fn progress(rows: &impl Rows, code: &CaseCode) -> Result<Vec<ProgressRow>, Problem> {
    let rows = rows
        .all(
            "select message, at, status, outcome, said from cases_progress where tenant = $1 and code = $2
             order by at, heard_at, word limit $3",
            params![rows.tenant(), code, SHOWN],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ProgressRow {
                message: row.text("message")?,
                at: row.time("at")?,
                status: number(row, "status")?,
                outcome: row.text("outcome")?,
                said: row.text("said")?,
            })
        })
        .collect()
}

/// Keeps how a case of another system was rated; true when it was not before.
///
/// # Errors
/// Unavailable.
pub async fn rate(tx: &Tx, code: &CaseCode, (score, said): (u8, &str), at: Time) -> Result<bool, Problem> {
    let written = tx
        .exec(
            "insert into cases_synced_ratings (tenant, code, score, said, at) values ($1, $2, $3, $4, $5)
             on conflict (tenant, code) do nothing",
            params![tx.tenant(), code, score, said, at],
        )
        .await?;
    Ok(written == 1)
}

/// How a case of another system was rated, as it was told.
///
/// # Errors
/// As [`synced`].
pub async fn rating(rows: &impl Rows, code: &CaseCode) -> Result<Option<String>, Problem> {
    let row = rows
        .one(
            "select said from cases_synced_ratings where tenant = $1 and code = $2",
            params![rows.tenant(), code],
        )
        .await?;
    row.map(|row| row.text("said")).transpose()
}

/// True when a portal was told of a case whole.
///
/// # Errors
/// Unavailable.
pub async fn is_told(rows: &impl Rows, portal: &str, code: &CaseCode) -> Result<bool, Problem> {
    let row = rows
        .one(
            "select at from cases_told where tenant = $1 and portal = $2 and code = $3",
            params![rows.tenant(), portal, code],
        )
        .await?;
    Ok(row.is_some())
}

/// Notes that a portal was told of a case whole.
///
/// # Errors
/// Unavailable.
pub async fn note_told(tx: &Tx, portal: &str, code: &CaseCode) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_told (tenant, portal, code, at) values ($1, $2, $3, $4)
         on conflict (tenant, portal, code) do nothing",
        params![tx.tenant(), portal, code, tx.now()],
    )
    .await?;
    Ok(())
}
