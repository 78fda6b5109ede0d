//! SQL of results by post: the wishes of drafts and cases at a portal, and where each result is at an owner. Never
//! decides who may choose or what comes next.

use ::store::{Tx, params};
use kernel::{CaseCode, OrgCode, Problem, Time};

use super::{Stage, Wish};
use crate::case::Case;
use crate::store::{Held, Rows, held};

/// The wish of a draft or a case, by its subject.
pub(crate) async fn wish(rows: &impl Rows, holder: &str) -> Result<Option<Wish>, Problem> {
    let row = rows
        .one(
            "select address, phone from cases_post_wishes where tenant = $1 and holder = $2",
            params![rows.tenant(), holder],
        )
        .await?;
    row.map(|row| {
        Ok(Wish {
            address: row.text("address")?,
            phone: row.text("phone")?,
        })
    })
    .transpose()
}

/// Keeps the wish of a draft or a case in the place of an earlier one; none takes it away.
pub(super) async fn set_wish(tx: &Tx, holder: &str, wish: Option<&Wish>) -> Result<(), Problem> {
    let Some(wish) = wish else {
        tx.exec(
            "delete from cases_post_wishes where tenant = $1 and holder = $2",
            params![tx.tenant(), holder],
        )
        .await?;
        return Ok(());
    };
    tx.exec(
        "insert into cases_post_wishes (tenant, holder, address, phone, at) values ($1, $2, $3, $4, $5)
         on conflict (tenant, holder) do update set address = excluded.address, phone = excluded.phone, at = excluded.at",
        params![tx.tenant(), holder, &wish.address, &wish.phone, tx.now()],
    )
    .await?;
    Ok(())
}

/// Gives the wish of a draft to the case that it became.
pub(crate) async fn move_wish(tx: &Tx, from: &str, to: &str) -> Result<(), Problem> {
    tx.exec(
        "update cases_post_wishes set holder = $3 where tenant = $1 and holder = $2",
        params![tx.tenant(), from, to],
    )
    .await?;
    Ok(())
}

/// Lets the row of a case's result follow the case: where it is, and under which number.
pub(crate) async fn follow(tx: &Tx, case: &Case, status: u8) -> Result<(), Problem> {
    let Some(by_post) = &case.course.post else {
        return Ok(());
    };
    let stage = Stage::of(by_post, status).word();
    let number = by_post
        .parcel
        .as_ref()
        .map_or("", |parcel| parcel.number.as_str());
    tx.exec(
        "insert into cases_parcels (tenant, code, stage, number, at) values ($1, $2, $3, $4, $5)
         on conflict (tenant, code) do update set number = excluded.number,
             at = case when cases_parcels.stage = excluded.stage then cases_parcels.at else excluded.at end,
             stage = excluded.stage",
        params![tx.tenant(), &case.code, stage, number, tx.now()],
    )
    .await?;
    Ok(())
}

/// Takes a case's result from those that go by post.
pub(super) async fn forget(tx: &Tx, code: &CaseCode) -> Result<(), Problem> {
    tx.exec(
        "delete from cases_parcels where tenant = $1 and code = $2",
        params![tx.tenant(), code],
    )
    .await?;
    Ok(())
}

/// True when another case's parcel has a number.
pub(super) async fn is_taken(rows: &impl Rows, number: &str, code: &CaseCode) -> Result<bool, Problem> {
    let row = rows
        .one(
            "select code from cases_parcels where tenant = $1 and number = $2 and number <> '' and code <> $3",
            params![rows.tenant(), number, code],
        )
        .await?;
    Ok(row.is_some())
}

/// A place in the list: since when a result is in its stage, and its case.
pub(super) type Place = (Time, CaseCode);

/// A page of the results of a unit and those below it that are in a stage, the longest there first, after a place.
pub(super) async fn list(
    rows: &impl Rows,
    (unit, stage): (&OrgCode, Stage),
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<(Held, Time)>, Problem> {
    let (at, code) = after.map_or((i64::MIN, String::new()), |(at, code)| {
        (at.ms(), code.to_string())
    });
    let below = format!("{unit}.%");
    let rows = rows
        .all(
            "select c.code, c.procedure, c.version, c.unit, c.channel, c.applicant, c.answers, c.state, c.status, c.revision,
                 c.filed_at, c.due_at, c.ended_at, c.details, p.at as staged_at
             from cases_parcels p join cases_cases c on c.tenant = p.tenant and c.code = p.code
             where p.tenant = $1 and p.stage = $2 and p.at >= $5 and (p.at > $5 or p.code > $6)
                 and (c.unit = $3 or c.unit like $4)
             order by p.at, p.code limit $7",
            params![rows.tenant(), stage.word(), unit, below, at, code, limit],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((held(row)?, row.time("staged_at")?)))
        .collect()
}
