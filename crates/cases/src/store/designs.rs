//! SQL of designs. Never decides how far one may go.

use ::store::{Row, Tx, Value, params};
use kernel::time::{iso, parse_iso};
use kernel::{Date, Digest, Problem, ProcedureCode, Time};

use crate::design::{Design, Stage};
use crate::store::Rows;

/// Writes a new design.
///
/// # Errors
/// Unavailable.
pub(crate) async fn insert_design(tx: &Tx, design: &Design) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_designs
             (tenant, id, code, stage, document, samples, version, valid_from, authors, note, revision, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        values(tx, design)?,
    )
    .await?;
    Ok(())
}

/// Saves a design over the revision before it; false when somebody else was quicker.
///
/// # Errors
/// Unavailable.
pub(crate) async fn save_design(tx: &Tx, design: &Design) -> Result<bool, Problem> {
    let saved = tx
        .exec(
            "update cases_designs set code = $3, stage = $4, document = $5, samples = $6, version = $7,
                 valid_from = $8, authors = $9, note = $10, revision = $11 + 1, at = $12
             where tenant = $1 and id = $2 and revision = $11",
            values(tx, design)?,
        )
        .await?;
    Ok(saved == 1)
}

/// A design's row as both statements number it, from the tenant to the instant.
fn values(tx: &Tx, design: &Design) -> Result<Vec<Value>, Problem> {
    Ok(params![
        tx.tenant(),
        design.id.as_str(),
        &design.code,
        design.stage.as_str(),
        design.document.as_str(),
        design.samples.as_str(),
        design.version.map(|version| version.hex()).unwrap_or_default(),
        design.valid_from.map(iso).unwrap_or_default(),
        serde_json::to_string(&design.authors).map_err(Problem::internal)?,
        design.note.as_str(),
        design.revision,
        tx.now()
    ])
}

/// A design.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub(crate) async fn design(rows: &impl Rows, id: &str) -> Result<Option<Design>, Problem> {
    rows.one(
        "select id, code, stage, document, samples, version, valid_from, authors, note, revision, at
         from cases_designs where tenant = $1 and id = $2",
        params![rows.tenant(), id],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// Designs, newest first, at most `limit` of those before a place.
///
/// # Errors
/// As [`design`].
pub(crate) async fn designs(
    rows: &impl Rows,
    (at, id): (Time, &str),
    limit: usize,
) -> Result<Vec<Design>, Problem> {
    let found = rows
        .all(
            "select id, code, stage, document, samples, version, valid_from, authors, note, revision, at
             from cases_designs where tenant = $1 and at <= $2 and (at < $2 or id < $3)
             order by at desc, id desc limit $4",
            params![rows.tenant(), at, id, limit],
        )
        .await?;
    found.iter().map(read).collect()
}

/// The published designs: procedure, version, first day; at most `limit` of those after a place.
///
/// # Errors
/// As [`design`].
pub(crate) async fn published(
    rows: &impl Rows,
    after: &str,
    limit: usize,
) -> Result<Vec<(String, ProcedureCode, Digest, Date)>, Problem> {
    let found = rows
        .all(
            "select id, code, version, valid_from from cases_designs
             where tenant = $1 and stage = 'published' and id > $2 order by id limit $3",
            params![rows.tenant(), after, limit],
        )
        .await?;
    let of_row = |row: &Row| {
        let from = parse_iso(&row.text("valid_from")?);
        let from = from.ok_or_else(|| Problem::internal("bad row: cases_designs.valid_from"))?;
        Ok((row.text("id")?, row.parse("code")?, row.digest("version")?, from))
    };
    found.iter().map(of_row).collect()
}

/// True when a published version of a procedure begins on a day.
///
/// # Errors
/// Unavailable.
pub(crate) async fn begins_on(rows: &impl Rows, code: &ProcedureCode, day: Date) -> Result<bool, Problem> {
    let found = rows
        .one(
            "select id from cases_designs
             where tenant = $1 and stage = 'published' and code = $2 and valid_from = $3",
            params![rows.tenant(), code, iso(day)],
        )
        .await?;
    Ok(found.is_some())
}

/// True when a version was withdrawn from publication.
///
/// # Errors
/// Unavailable.
pub(crate) async fn is_withdrawn(rows: &impl Rows, version: &Digest) -> Result<bool, Problem> {
    let found = rows
        .one(
            "select id from cases_designs where tenant = $1 and stage = 'withdrawn' and version = $2",
            params![rows.tenant(), version.hex()],
        )
        .await?;
    Ok(found.is_some())
}

fn read(row: &Row) -> Result<Design, Problem> {
    let stage = row.text("stage")?;
    let version = row.text("version")?;
    Ok(Design {
        id: row.text("id")?,
        code: row.parse("code")?,
        stage: Stage::of(&stage)
            .ok_or_else(|| Problem::internal(format_args!("bad row: cases_designs.stage {stage}")))?,
        document: row.text("document")?,
        samples: row.text("samples")?,
        version: Digest::parse(&version),
        valid_from: parse_iso(&row.text("valid_from")?),
        authors: row.json("authors")?,
        note: row.text("note")?,
        revision: row.int("revision")?,
        at: row.time("at")?,
    })
}
