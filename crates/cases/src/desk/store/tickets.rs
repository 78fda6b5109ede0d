//! SQL of the numbers that are taken at a unit on a day. Each statement reads that unit's day alone. Never a person:
//! there is none in the row.

use ::store::{Row, Tx, params};
use kernel::{OrgCode, Problem, Time};

use crate::desk::queue::{QueueCounts, Ticket, TicketStand};
use crate::store::Rows;

/// A unit's day, as rows name it.
pub(crate) type Day<'a> = (&'a OrgCode, &'a str);

/// Takes a number down; one that was booked goes before those that were not.
pub(crate) async fn insert(tx: &Tx, (unit, day): Day<'_>, number: u64, booked: bool) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_tickets (tenant, unit, day, number, state, taken_at, booked)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            tx.tenant(),
            unit,
            day,
            number,
            TicketStand::Waiting.as_str(),
            tx.now(),
            booked
        ],
    )
    .await?;
    Ok(())
}

/// A number of the day.
pub(crate) async fn one(
    rows: &impl Rows,
    (unit, day): Day<'_>,
    number: u64,
) -> Result<Option<Ticket>, Problem> {
    let row = rows
        .one(
            "select number, state, taken_at, called_at, desk, booked from cases_tickets
             where tenant = $1 and unit = $2 and day = $3 and number = $4",
            params![rows.tenant(), unit, day, number],
        )
        .await?;
    row.as_ref().map(ticket).transpose()
}

/// How many wait before a number.
pub(crate) async fn before(rows: &impl Rows, (unit, day): Day<'_>, ticket: &Ticket) -> Result<u64, Problem> {
    let row = rows
        .one(
            "select count(*) as tickets from cases_tickets
             where tenant = $1 and unit = $2 and day = $3 and state = 'waiting'
                 and (booked > $5 or (booked = $5 and number < $4))",
            params![rows.tenant(), unit, day, ticket.number, ticket.booked],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("tickets"))
}

/// The number whose turn it is next.
pub(crate) async fn first_waiting(rows: &impl Rows, (unit, day): Day<'_>) -> Result<Option<Ticket>, Problem> {
    let row = rows
        .one(
            "select number, state, taken_at, called_at, desk, booked from cases_tickets
             where tenant = $1 and unit = $2 and day = $3 and state = 'waiting'
             order by booked desc, number limit 1",
            params![rows.tenant(), unit, day],
        )
        .await?;
    row.as_ref().map(ticket).transpose()
}

/// The number that an official has called and not ended.
pub(crate) async fn called_by(
    rows: &impl Rows,
    (unit, day): Day<'_>,
    account: &str,
) -> Result<Option<Ticket>, Problem> {
    let row = rows
        .one(
            "select number, state, taken_at, called_at, desk, booked from cases_tickets
             where tenant = $1 and unit = $2 and day = $3 and state = 'called' and called_by = $4
             order by number limit 1",
            params![rows.tenant(), unit, day, account],
        )
        .await?;
    row.as_ref().map(ticket).transpose()
}

/// The numbers that are called now.
pub(crate) async fn called(
    rows: &impl Rows,
    (unit, day): Day<'_>,
    limit: usize,
) -> Result<Vec<Ticket>, Problem> {
    let found = rows
        .all(
            "select number, state, taken_at, called_at, desk, booked from cases_tickets
             where tenant = $1 and unit = $2 and day = $3 and state = 'called' order by number desc limit $4",
            params![rows.tenant(), unit, day, limit],
        )
        .await?;
    found.iter().map(ticket).collect()
}

/// Calls a number that still waits; false when somebody else has.
pub(crate) async fn call(
    tx: &Tx,
    (unit, day): Day<'_>,
    number: u64,
    (desk, account): (&str, &str),
) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_tickets set state = 'called', called_at = $5, desk = $6, called_by = $7
             where tenant = $1 and unit = $2 and day = $3 and number = $4 and state = 'waiting'",
            params![tx.tenant(), unit, day, number, tx.now(), desk, account],
        )
        .await?;
    Ok(changed == 1)
}

/// Ends a number that was called by an official.
pub(crate) async fn end(
    tx: &Tx,
    (unit, day): Day<'_>,
    number: u64,
    (stand, account): (TicketStand, &str),
) -> Result<bool, Problem> {
    let changed = tx
        .exec(
            "update cases_tickets set state = $5, ended_at = $6
             where tenant = $1 and unit = $2 and day = $3 and number = $4 and state = 'called' and called_by = $7",
            params![
                tx.tenant(),
                unit,
                day,
                number,
                stand.as_str(),
                tx.now(),
                account
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// How the day has gone.
pub(crate) async fn counts(rows: &impl Rows, (unit, day): Day<'_>) -> Result<QueueCounts, Problem> {
    let row = rows.one(COUNTS, params![rows.tenant(), unit, day]).await?;
    let Some(row) = row else {
        return Ok(QueueCounts::default());
    };
    let (called, waited_ms) = (row.count("called")?, row.count("waited")?);
    Ok(QueueCounts {
        taken: row.count("taken")?,
        waiting: row.count("waiting")?,
        served: row.count("served")?,
        missed: row.count("missed")?,
        waited_minutes: (called > 0).then(|| waited_ms / called / 60_000),
    })
}

const COUNTS: &str = "select count(*) as taken, count(called_at) as called,
         cast(coalesce(sum(called_at - taken_at), 0) as bigint) as waited,
         cast(coalesce(sum(case when state = 'waiting' then 1 else 0 end), 0) as bigint) as waiting,
         cast(coalesce(sum(case when state = 'served' then 1 else 0 end), 0) as bigint) as served,
         cast(coalesce(sum(case when state = 'missed' then 1 else 0 end), 0) as bigint) as missed
     from cases_tickets where tenant = $1 and unit = $2 and day = $3";

fn ticket(row: &Row) -> Result<Ticket, Problem> {
    Ok(Ticket {
        number: row.count("number")?,
        stand: TicketStand::parse(&row.text("state")?)?,
        taken_at: row.time("taken_at")?,
        called_at: row.opt_int("called_at")?.map(Time),
        desk: row.text("desk")?,
        booked: row.int("booked")? == 1,
    })
}
