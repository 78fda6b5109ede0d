//! SQL of the figures of months: counted from the cases, as they were told, and as they were heard. What is counted of a
//! month costs that month, what is open and what has ended since, however much there was before. Never decides what counts.

use ::store::{Row, Tx, params};
use kernel::{OrgCode, Problem, Time};

use super::{Counts, Figures, Month};
use crate::store::Rows;

/// A case that was decided is on time by the end of its term, which its status says; any other by its date.
const COUNT: &str = "select
     (select count(*) from cases_cases c where c.tenant = $1 and c.unit = $2 and c.filed_at >= $3 and c.filed_at < $4)
         as received,
     (select count(*) from cases_cases c
      where c.tenant = $1 and c.unit = $2 and c.ended_at is null and c.filed_at < $3) as open_before,
     (select count(*) from cases_cases c
      where c.tenant = $1 and c.unit = $2 and c.ended_at >= $3 and c.filed_at < $3) as ended_since,
     (select count(*) from cases_cases c where c.tenant = $1 and c.unit = $2 and c.ended_at >= $3 and c.ended_at < $4)
         as handled,
     (select count(*) from cases_cases c
      where c.tenant = $1 and c.unit = $2 and c.ended_at >= $3 and c.ended_at < $4
          and not exists (select 1 from cases_statuses s where s.tenant = c.tenant and s.code = c.code
              and s.status = 9 and s.due_at < c.ended_at)
          and (c.due_at is null or c.ended_at <= c.due_at or exists (select 1 from cases_statuses s
              where s.tenant = c.tenant and s.code = c.code and s.status = 9))) as on_time";

const COUNT_SYNCED: &str = "select
     (select count(*) from cases_synced c where c.tenant = $1 and c.owner = $2 and c.began_at >= $3 and c.began_at < $4)
         as received,
     (select count(*) from cases_synced c
      where c.tenant = $1 and c.owner = $2 and c.ended_at is null and c.began_at < $3) as open_before,
     (select count(*) from cases_synced c
      where c.tenant = $1 and c.owner = $2 and c.ended_at >= $3 and c.began_at < $3) as ended_since,
     (select count(*) from cases_synced c where c.tenant = $1 and c.owner = $2 and c.ended_at >= $3 and c.ended_at < $4)
         as handled,
     (select count(*) from cases_synced c
      where c.tenant = $1 and c.owner = $2 and c.ended_at >= $3 and c.ended_at < $4
          and (c.due_at is null or c.ended_at <= c.due_at)) as on_time";

/// What one unit had in a month, of the cases that it handles now.
pub(super) async fn count(rows: &impl Rows, unit: &OrgCode, month: Month) -> Result<Counts, Problem> {
    let values = params![rows.tenant(), unit, month.begins(), month.ends()];
    counted(rows.one(COUNT, values).await?)
}

/// What an owner had in a month on systems of its own, as far as it told of its cases.
pub(super) async fn count_synced(rows: &impl Rows, owner: &OrgCode, month: Month) -> Result<Counts, Problem> {
    let values = params![rows.tenant(), owner, month.begins(), month.ends()];
    counted(rows.one(COUNT_SYNCED, values).await?)
}

fn counted(row: Option<Row>) -> Result<Counts, Problem> {
    let row = row.ok_or_else(|| Problem::internal("a count without a row"))?;
    Ok(Counts {
        received: row.count("received")?,
        carried: row.count("open_before")? + row.count("ended_since")?,
        handled: row.count("handled")?,
        on_time: row.count("on_time")?,
    })
}

/// The figures of a month of a unit, as they were heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeardRow {
    /// Whose.
    pub(super) unit: OrgCode,
    /// Who told.
    pub(super) sender: OrgCode,
    /// The figures that were told.
    pub(super) told: Figures,
    /// What the portal had counted itself when it heard them.
    pub(super) own: Counts,
    /// When the sender counted.
    pub(super) counted: Time,
    /// When they were heard.
    pub(super) heard: Time,
}

/// Keeps figures in the place of those of the same month and unit.
pub(super) async fn keep(tx: &Tx, month: Month, row: &HeardRow) -> Result<(), Problem> {
    let (told, own) = (&row.told, &row.own);
    tx.exec(
        "insert into cases_statistics (tenant, month, unit, sender, received, carried, to_handle, handled, on_time,
             own_received, own_carried, own_handled, own_on_time, counted_at, heard_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (tenant, month, unit) do update set sender = excluded.sender, received = excluded.received,
             carried = excluded.carried, to_handle = excluded.to_handle, handled = excluded.handled,
             on_time = excluded.on_time, own_received = excluded.own_received, own_carried = excluded.own_carried,
             own_handled = excluded.own_handled, own_on_time = excluded.own_on_time, counted_at = excluded.counted_at,
             heard_at = excluded.heard_at",
        params![
            tx.tenant(),
            month.to_string(),
            &row.unit,
            &row.sender,
            told.counts.received,
            told.counts.carried,
            told.to_handle,
            told.counts.handled,
            told.counts.on_time,
            own.received,
            own.carried,
            own.handled,
            own.on_time,
            row.counted,
            row.heard
        ],
    )
    .await?;
    Ok(())
}

/// What was heard of a month and a unit.
pub(super) async fn heard(
    rows: &impl Rows,
    month: Month,
    unit: &OrgCode,
) -> Result<Option<HeardRow>, Problem> {
    let row = rows
        .one(
            "select unit, sender, received, carried, to_handle, handled, on_time, own_received, own_carried, own_handled,
                 own_on_time, counted_at, heard_at
             from cases_statistics where tenant = $1 and month = $2 and unit = $3",
            params![rows.tenant(), month.to_string(), unit],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// A page of what was heard of a month, by unit, after one.
pub(super) async fn list(
    rows: &impl Rows,
    month: Month,
    after: &str,
    limit: usize,
) -> Result<Vec<HeardRow>, Problem> {
    let rows = rows
        .all(
            "select unit, sender, received, carried, to_handle, handled, on_time, own_received, own_carried, own_handled,
                 own_on_time, counted_at, heard_at
             from cases_statistics where tenant = $1 and month = $2 and unit > $3 order by unit limit $4",
            params![rows.tenant(), month.to_string(), after, limit],
        )
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<HeardRow, Problem> {
    Ok(HeardRow {
        unit: row.parse("unit")?,
        sender: row.parse("sender")?,
        told: Figures {
            counts: Counts {
                received: row.count("received")?,
                carried: row.count("carried")?,
                handled: row.count("handled")?,
                on_time: row.count("on_time")?,
            },
            to_handle: row.count("to_handle")?,
        },
        own: Counts {
            received: row.count("own_received")?,
            carried: row.count("own_carried")?,
            handled: row.count("own_handled")?,
            on_time: row.count("own_on_time")?,
        },
        counted: row.time("counted_at")?,
        heard: row.time("heard_at")?,
    })
}

/// What a portal was told of a month, by unit.
pub(super) async fn told(
    rows: &impl Rows,
    portal: &str,
    month: Month,
) -> Result<Vec<(OrgCode, Counts)>, Problem> {
    let rows = rows
        .all(
            "select unit, figures from cases_statistics_told where tenant = $1 and portal = $2 and month = $3 order by unit",
            params![rows.tenant(), portal, month.to_string()],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.parse("unit")?, row.json("figures")?)))
        .collect()
}

/// Notes what a portal was told of a unit's month, in the place of what it was told before.
pub(super) async fn note_told(
    tx: &Tx,
    (portal, month): (&str, Month),
    (unit, counts): (&OrgCode, &Counts),
) -> Result<(), Problem> {
    let figures = kernel::digest::canonical_json(counts).map_err(Problem::internal)?;
    tx.exec(
        "insert into cases_statistics_told (tenant, portal, month, unit, figures, told_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant, portal, month, unit) do update set figures = excluded.figures, told_at = excluded.told_at",
        params![tx.tenant(), portal, month.to_string(), unit, figures, tx.now()],
    )
    .await?;
    Ok(())
}

/// True when a month was counted for a portal on a day, or later.
pub(super) async fn is_counted(
    rows: &impl Rows,
    portal: &str,
    (month, day): (Month, &str),
) -> Result<bool, Problem> {
    let row = rows
        .one(
            "select day from cases_statistics_rounds where tenant = $1 and portal = $2 and month = $3 and day >= $4",
            params![rows.tenant(), portal, month.to_string(), day],
        )
        .await?;
    Ok(row.is_some())
}

/// Notes on which day a month was counted last for a portal.
pub(super) async fn note_counted(tx: &Tx, portal: &str, (month, day): (Month, &str)) -> Result<(), Problem> {
    tx.exec(
        "insert into cases_statistics_rounds (tenant, portal, month, day) values ($1, $2, $3, $4)
         on conflict (tenant, portal) do update set month = excluded.month, day = excluded.day",
        params![tx.tenant(), portal, month.to_string(), day],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ::store::Engine;

    use super::*;

    #[tokio::test]
    async fn a_month_is_counted_by_indexes_however_much_there_was() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let reader = temp.store.read(&"H56".parse().expect("a code")).await;
        let reader = reader.expect("a reader");
        let unit: OrgCode = "H56.15865".parse().expect("a code");
        let month = Month::new(2026, 10).expect("a month");
        assert_eq!(count(&reader, &unit, month).await, Ok(Counts::default()));
        assert_eq!(count_synced(&reader, &unit, month).await, Ok(Counts::default()));
        if temp.store.engine() == Engine::Postgres {
            // A walk over no rows is cheaper than any index there: a plan says nothing.
            return;
        }
        for (sql, open) in [
            (COUNT, "cases_cases_unit_going"),
            (COUNT_SYNCED, "cases_synced_open"),
        ] {
            let explain: &'static str = Box::leak(format!("explain query plan {sql}").into_boxed_str());
            let values = params![reader.tenant(), &unit, 0, 9];
            let rows = reader.all(explain, values).await.expect("a plan");
            let plan: Vec<String> = rows.iter().map(|r| r.text("detail").expect("a line")).collect();
            let walks: Vec<&String> = plan.iter().filter(|line| line.contains("SCAN c")).collect();
            assert_eq!(walks, Vec::<&String>::new(), "{plan:?}");
            assert!(plan.iter().any(|line| line.contains(open)), "{plan:?}");
        }
    }
}
