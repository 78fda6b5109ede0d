//! SQL of migrations, and of the cases of a version. Never decides which case can go.

use ::store::{Row, Tx, params};
use kernel::{CaseCode, Digest, Problem};

use crate::migration::{Plan, Stage};
use crate::store::Rows;

/// Writes a new plan.
///
/// # Errors
/// Unavailable.
pub(crate) async fn insert_plan(tx: &Tx, plan: &Plan) -> Result<(), Problem> {
    let states = serde_json::to_string(&plan.states).map_err(Problem::internal)?;
    tx.exec(
        "insert into cases_migrations (tenant, id, code, was, version, states, stage, author, moved, refused, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            tx.tenant(),
            plan.id.as_str(),
            &plan.code,
            plan.was,
            plan.version,
            states,
            plan.stage.as_str(),
            plan.author.as_str(),
            plan.moved,
            plan.refused,
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// Moves a plan from one stage to another with what came of it so far; false when it stands elsewhere.
///
/// # Errors
/// Unavailable.
pub(crate) async fn move_plan(
    tx: &Tx,
    id: &str,
    (from, to): (Stage, Stage),
    (moved, refused): (u64, u64),
) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_migrations set stage = $4, moved = moved + $5, refused = $6, at = $7
             where tenant = $1 and id = $2 and stage = $3",
            params![
                tx.tenant(),
                id,
                from.as_str(),
                to.as_str(),
                moved,
                refused,
                tx.now()
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// A plan.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub(crate) async fn plan(rows: &impl Rows, id: &str) -> Result<Option<Plan>, Problem> {
    rows.one(
        "select id, code, was, version, states, stage, author, moved, refused, at
         from cases_migrations where tenant = $1 and id = $2",
        params![rows.tenant(), id],
    )
    .await?
    .map(|row| read(&row))
    .transpose()
}

/// Plans by id, at most `limit` of those after one.
///
/// # Errors
/// As [`plan`].
pub(crate) async fn plans(rows: &impl Rows, after: &str, limit: usize) -> Result<Vec<Plan>, Problem> {
    let found = rows
        .all(
            "select id, code, was, version, states, stage, author, moved, refused, at
             from cases_migrations where tenant = $1 and id > $2 order by id limit $3",
            params![rows.tenant(), after, limit],
        )
        .await?;
    found.iter().map(read).collect()
}

/// The running cases of a version by code, at most `limit` of those after one.
///
/// # Errors
/// As [`plan`].
pub(crate) async fn cases_of_version(
    rows: &impl Rows,
    version: &Digest,
    after: &str,
    limit: usize,
) -> Result<Vec<CaseCode>, Problem> {
    let found = rows
        .all(
            "select code from cases_cases
             where tenant = $1 and version = $2 and code > $3 and status not in (3, 7, 8, 10)
             order by code limit $4",
            params![rows.tenant(), *version, after, limit],
        )
        .await?;
    found.iter().map(|row| row.parse("code")).collect()
}

/// Gives a case that was just saved another version.
///
/// # Errors
/// `stale` when somebody else has changed it meanwhile.
pub(crate) async fn change_version(
    tx: &Tx,
    code: &CaseCode,
    revision: i64,
    version: &Digest,
) -> Result<(), Problem> {
    let changed = tx
        .exec(
            "update cases_cases set version = $3 where tenant = $1 and code = $2 and revision = $4",
            params![tx.tenant(), code, *version, revision],
        )
        .await?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Problem::stale())
    }
}

fn read(row: &Row) -> Result<Plan, Problem> {
    let stage = row.text("stage")?;
    let count = |column: &str| Ok::<u64, Problem>(u64::try_from(row.int(column)?).unwrap_or(0));
    Ok(Plan {
        id: row.text("id")?,
        code: row.parse("code")?,
        was: row.digest("was")?,
        version: row.digest("version")?,
        states: row.json("states")?,
        stage: Stage::of(&stage)
            .ok_or_else(|| Problem::internal(format_args!("bad row: cases_migrations.stage {stage}")))?,
        author: row.text("author")?,
        moved: count("moved")?,
        refused: count("refused")?,
        at: row.time("at")?,
    })
}
