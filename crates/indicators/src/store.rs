//! All the SQL of indicators.

use std::collections::BTreeMap;

use kernel::Problem;
use store::{Reader, Row, Tx, params};

use crate::project::Increment;

/// The counters' values: (counter, organisation, month) to amount.
pub(crate) type Values = BTreeMap<(String, String, String), i64>;

pub(crate) async fn add(tx: &Tx, i: &Increment) -> Result<(), Problem> {
    tx.exec(
        "insert into indicators_values (tenant, counter, org, period, amount) values ($1, $2, $3, $4, $5) \
         on conflict (tenant, counter, org, period) do update set amount = indicators_values.amount + excluded.amount",
        params![tx.tenant(), i.counter.code(), &i.org, &i.period, i.amount],
    )
    .await?;
    Ok(())
}

fn value(row: &Row) -> Result<((String, String, String), i64), Problem> {
    Ok((
        (row.text("counter")?, row.text("org")?, row.text("period")?),
        row.int("amount")?,
    ))
}

/// All values, as a writer sees them: together with the position they stand at.
pub(crate) async fn all_in(tx: &Tx) -> Result<Values, Problem> {
    let rows = tx
        .all(
            "select counter, org, period, amount from indicators_values where tenant = $1",
            params![tx.tenant()],
        )
        .await?;
    rows.iter().map(value).collect()
}

/// The values of a month.
pub(crate) async fn of_period(reader: &Reader, period: &str) -> Result<Values, Problem> {
    let rows = reader
        .all(
            "select counter, org, period, amount from indicators_values where tenant = $1 and period = $2",
            params![reader.tenant(), period],
        )
        .await?;
    rows.iter().map(value).collect()
}
