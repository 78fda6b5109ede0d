//! SQL of the half hours that are booked at a unit. Never a person: who has the id has the appointment.

use std::collections::BTreeMap;

use ::store::{Row, Tx, params};
use kernel::{OrgCode, Problem};

use super::tickets::Day;
use crate::desk::queue::appointment::{Appointment, AppointmentStand};
use crate::store::Rows;

/// The places of a half hour that are taken, by number.
pub(crate) async fn places(rows: &impl Rows, (unit, day): Day<'_>, minute: i64) -> Result<Vec<u64>, Problem> {
    let found = rows
        .all(
            "select place from cases_appointments
             where tenant = $1 and unit = $2 and day = $3 and minute = $4 and place is not null order by place",
            params![rows.tenant(), unit, day, minute],
        )
        .await?;
    found.iter().map(|row| row.count("place")).collect()
}

/// How many places are taken, by the half hour's first minute.
pub(crate) async fn taken(rows: &impl Rows, (unit, day): Day<'_>) -> Result<BTreeMap<i64, u64>, Problem> {
    let found = rows
        .all(
            "select minute, count(place) as places from cases_appointments
             where tenant = $1 and unit = $2 and day = $3 group by minute",
            params![rows.tenant(), unit, day],
        )
        .await?;
    let one = |row: &Row| -> Result<(i64, u64), Problem> { Ok((row.int("minute")?, row.count("places")?)) };
    found.iter().map(one).collect()
}

/// Books a place of a half hour.
pub(crate) async fn insert(tx: &Tx, one: &Appointment, place: u64) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_appointments (tenant, id, unit, day, minute, place, state, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            tx.tenant(),
            &one.id,
            &one.unit,
            &one.day,
            one.minute,
            place,
            one.stand.as_str(),
            tx.now()
        ],
    )
    .await?;
    Ok(())
}

/// An appointment of a unit by its id.
pub(crate) async fn one(rows: &impl Rows, unit: &OrgCode, id: &str) -> Result<Option<Appointment>, Problem> {
    let row = rows
        .one(
            "select id, unit, day, minute, state, number from cases_appointments
             where tenant = $1 and id = $2 and unit = $3",
            params![rows.tenant(), id, unit],
        )
        .await?;
    row.as_ref().map(appointment).transpose()
}

/// The appointments of a day that are not over, in their order.
pub(crate) async fn of_day(
    rows: &impl Rows,
    (unit, day): Day<'_>,
    limit: usize,
) -> Result<Vec<Appointment>, Problem> {
    let found = rows
        .all(
            "select id, unit, day, minute, state, number from cases_appointments
             where tenant = $1 and unit = $2 and day = $3 and place is not null and state = 'booked'
             order by minute, place limit $4",
            params![rows.tenant(), unit, day, limit],
        )
        .await?;
    found.iter().map(appointment).collect()
}

/// Gives a place back; false when the appointment is over.
pub(crate) async fn cancel(tx: &Tx, id: &str) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_appointments set state = 'cancelled', place = null
             where tenant = $1 and id = $2 and state = 'booked'",
            params![tx.tenant(), id],
        )
        .await?;
    Ok(changed == 1)
}

/// Notes the number of who has come; false when the appointment is over.
pub(crate) async fn arrive(tx: &Tx, id: &str, number: u64) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_appointments set state = 'arrived', number = $3
             where tenant = $1 and id = $2 and state = 'booked'",
            params![tx.tenant(), id, number],
        )
        .await?;
    Ok(changed == 1)
}

fn appointment(row: &Row) -> Result<Appointment, Problem> {
    let number = row.opt_int("number")?;
    Ok(Appointment {
        id: row.text("id")?,
        unit: row.parse("unit")?,
        day: row.text("day")?,
        minute: row.int("minute")?,
        stand: AppointmentStand::parse(&row.text("state")?)?,
        number: number.and_then(|number| u64::try_from(number).ok()),
    })
}
