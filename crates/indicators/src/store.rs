//! All the SQL of indicators. Nothing here decides what counts or who may read.

use std::collections::BTreeMap;

use kernel::{OrgCode, Problem, Time};
use serde_json::json;
use store::{Pair, Reader, Row, Tx, Value, params};

use crate::counter::Counter;
use crate::open::{Open, OpenCase};
use crate::tally::{ALL, Tally, grain, kept_from};

/// Counts of one period: (organisation, counter, part) to amount.
pub(crate) type Values = BTreeMap<(String, String, String), i64>;

/// Many counts at once: a JSON array of `[grain, period, org, counter, part, amount]`.
const ADD_COUNTS: Pair = Pair {
    sqlite: "insert into indicators_counts (tenant, grain, period, org, counter, part, amount) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
             from json_each($2) where true on conflict (tenant, grain, period, org, counter, part) \
             do update set amount = indicators_counts.amount + excluded.amount",
    postgres: "insert into indicators_counts (tenant, grain, period, org, counter, part, amount) \
               select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, \
               cast(value ->> 5 as bigint) from jsonb_array_elements($2::text::jsonb) as t(value) \
               on conflict (tenant, grain, period, org, counter, part) \
               do update set amount = indicators_counts.amount + excluded.amount",
};

/// Many rows at once: a JSON array of `[counter, org, month, position]`.
const ADD_ROWS: Pair = Pair {
    sqlite: "insert into indicators_rows (tenant, counter, org, month, position) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 \
             from json_each($2) where true on conflict do nothing",
    postgres: "insert into indicators_rows (tenant, counter, org, month, position) \
               select $1, value ->> 0, value ->> 1, value ->> 2, cast(value ->> 3 as bigint) \
               from jsonb_array_elements($2::text::jsonb) as t(value) on conflict do nothing",
};

pub(crate) async fn add(tx: &Tx, tally: &Tally) -> Result<(), Problem> {
    let counts: Vec<_> = tally
        .counts
        .iter()
        .map(|(k, amount)| json!([k.grain, k.period, k.org, k.counter, k.part, amount]))
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    tx.bulk_insert(ADD_COUNTS, serde_json::Value::from(counts).to_string())
        .await?;
    let rows: Vec<_> = tally
        .rows
        .iter()
        .map(|(counter, org, month, position)| json!([counter, org, month, position]))
        .collect();
    tx.bulk_insert(ADD_ROWS, serde_json::Value::from(rows).to_string())
        .await?;
    Ok(())
}

/// Takes away what is too old to be kept.
pub(crate) async fn prune(tx: &Tx, newest: Time) -> Result<(), Problem> {
    for (letter, from) in kept_from(newest) {
        for depth in 0..DEPTHS {
            tx.exec(
                "delete from indicators_counts where tenant = $1 and grain = $2 and period < $3",
                params![tx.tenant(), format!("{letter}{depth}"), &from],
            )
            .await?;
        }
    }
    Ok(())
}

/// How deep organisations stand, the whole included.
const DEPTHS: usize = 5;

fn opt_time(row: &Row, column: &str) -> Result<Option<Time>, Problem> {
    Ok(row.opt_int(column)?.map(Time))
}

fn open_case(row: &Row) -> Result<OpenCase, Problem> {
    Ok(OpenCase {
        org: row.parse("org")?,
        received: row.time("received")?,
        due: opt_time(row, "due")?,
        paused: opt_time(row, "paused")?,
        decided: opt_time(row, "decided")?,
    })
}

/// Puts an open case into `open`, when there is one of this code.
pub(crate) async fn load_case(tx: &Tx, open: &mut Open, case: &str) -> Result<(), Problem> {
    let row = tx
        .one(
            "select org, received, due, paused, decided from indicators_open \
             where tenant = $1 and case_code = $2",
            params![tx.tenant(), case],
        )
        .await?;
    if let Some(row) = row {
        open.cases.insert(case.to_owned(), open_case(&row)?);
    }
    Ok(())
}

/// Puts an agreement into `open`, when it is in force.
pub(crate) async fn load_agreement(tx: &Tx, open: &mut Open, agreement: &str) -> Result<(), Problem> {
    let row = tx
        .one(
            "select consumer, service from indicators_agreements where tenant = $1 and agreement = $2",
            params![tx.tenant(), agreement],
        )
        .await?;
    if let Some(row) = row {
        open.agreements.insert(
            agreement.to_owned(),
            (row.parse("consumer")?, row.text("service")?),
        );
    }
    Ok(())
}

/// Everything that is open.
pub(crate) async fn all_open(tx: &Tx) -> Result<Open, Problem> {
    let mut open = Open::default();
    let cases = tx
        .all(
            "select case_code, org, received, due, paused, decided from indicators_open \
             where tenant = $1",
            params![tx.tenant()],
        )
        .await?;
    for row in &cases {
        open.cases.insert(row.text("case_code")?, open_case(row)?);
    }
    let agreements = tx
        .all(
            "select agreement, consumer, service from indicators_agreements where tenant = $1",
            params![tx.tenant()],
        )
        .await?;
    for row in &agreements {
        open.agreements.insert(
            row.text("agreement")?,
            (row.parse("consumer")?, row.text("service")?),
        );
    }
    Ok(open)
}

/// Writes back what was touched.
pub(crate) async fn save_open(tx: &Tx, open: &Open) -> Result<(), Problem> {
    for case in &open.touched_cases {
        match open.cases.get(case) {
            Some(c) => save_case(tx, case, c).await?,
            None => {
                tx.exec(
                    "delete from indicators_open where tenant = $1 and case_code = $2",
                    params![tx.tenant(), case],
                )
                .await?;
            }
        }
    }
    for agreement in &open.touched_agreements {
        match open.agreements.get(agreement) {
            Some((consumer, service)) => {
                tx.exec(
                    "insert into indicators_agreements (tenant, agreement, consumer, service) \
                     values ($1, $2, $3, $4) on conflict do nothing",
                    params![tx.tenant(), agreement, consumer, service],
                )
                .await?;
            }
            None => {
                tx.exec(
                    "delete from indicators_agreements where tenant = $1 and agreement = $2",
                    params![tx.tenant(), agreement],
                )
                .await?;
            }
        }
    }
    Ok(())
}

async fn save_case(tx: &Tx, case: &str, c: &OpenCase) -> Result<(), Problem> {
    tx.exec(
        "insert into indicators_open (tenant, case_code, org, received, due, paused, decided) \
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant, case_code) do update set \
         org = excluded.org, received = excluded.received, due = excluded.due, \
         paused = excluded.paused, decided = excluded.decided",
        params![tx.tenant(), case, &c.org, c.received, c.due, c.paused, c.decided],
    )
    .await?;
    Ok(())
}

/// All counts and how many rows stand behind them, as a writer sees them: together with the
/// position they stand at. Each line is a name and a number.
pub(crate) async fn all_in(tx: &Tx) -> Result<BTreeMap<String, i64>, Problem> {
    let mut all = BTreeMap::new();
    let counts = tx
        .all(
            "select grain, period, org, counter, part, amount from indicators_counts where tenant = $1",
            params![tx.tenant()],
        )
        .await?;
    for r in &counts {
        let (grain, period, org) = (r.text("grain")?, r.text("period")?, r.text("org")?);
        let (counter, part) = (r.text("counter")?, r.text("part")?);
        all.insert(
            format!("{counter} {part} {org} {grain} {period}"),
            r.int("amount")?,
        );
    }
    let rows = tx
        .all(
            "select counter, org, month, count(*) as rows_count, \
             cast(sum(position + 1) as bigint) as positions from indicators_rows where tenant = $1 \
             group by counter, org, month",
            params![tx.tenant()],
        )
        .await?;
    for r in &rows {
        let (counter, org, month) = (r.text("counter")?, r.text("org")?, r.text("month")?);
        all.insert(format!("rows of {counter} {org} {month}"), r.int("rows_count")?);
        all.insert(
            format!("positions of {counter} {org} {month}"),
            r.int("positions")?,
        );
    }
    Ok(all)
}

fn value(row: &Row) -> Result<((String, String, String), i64), Problem> {
    Ok((
        (row.text("org")?, row.text("counter")?, row.text("part")?),
        row.int("amount")?,
    ))
}

async fn values(reader: &Reader, sql: &'static str, params: Vec<Value>) -> Result<Values, Problem> {
    reader.all(sql, params).await?.iter().map(value).collect()
}

/// The counts of a period, of the organisations of one depth.
pub(crate) async fn of_period(reader: &Reader, grain: &str, period: &str) -> Result<Values, Problem> {
    values(
        reader,
        "select org, counter, part, amount from indicators_counts \
         where tenant = $1 and grain = $2 and period = $3",
        params![reader.tenant(), grain, period],
    )
    .await
}

/// The counts of a period and organisation.
pub(crate) async fn of_org(
    reader: &Reader,
    letter: char,
    period: &str,
    org: &str,
) -> Result<Values, Problem> {
    values(
        reader,
        "select org, counter, part, amount from indicators_counts \
         where tenant = $1 and grain = $2 and period = $3 and org = $4",
        params![reader.tenant(), grain(letter, org), period, org],
    )
    .await
}

/// The counts of a month of the units directly below an organisation.
pub(crate) async fn of_units(reader: &Reader, period: &str, org: &OrgCode) -> Result<Values, Problem> {
    values(
        reader,
        "select org, counter, part, amount from indicators_counts \
         where tenant = $1 and grain = $2 and period = $3 and org > $4 and org < $5",
        of_units_below(reader, period, org),
    )
    .await
}

/// Their sums over all months up to one.
pub(crate) async fn until_units(reader: &Reader, period: &str, org: &OrgCode) -> Result<Values, Problem> {
    values(
        reader,
        "select org, counter, part, cast(sum(amount) as bigint) as amount from indicators_counts \
         where tenant = $1 and grain = $2 and period <= $3 and org > $4 and org < $5 \
         group by org, counter, part",
        of_units_below(reader, period, org),
    )
    .await
}

fn of_units_below(reader: &Reader, period: &str, org: &OrgCode) -> Vec<Value> {
    let below = format!("{org}.");
    params![
        reader.tenant(),
        grain('m', &format!("{below}0")),
        period,
        below.as_str(),
        // The character after the full stop: all that begin with the code and a full stop.
        format!("{org}/")
    ]
}

/// The sums over all months up to one, of the organisations of one depth.
pub(crate) async fn until(reader: &Reader, grain: &str, period: &str) -> Result<Values, Problem> {
    values(
        reader,
        "select org, counter, part, cast(sum(amount) as bigint) as amount from indicators_counts \
         where tenant = $1 and grain = $2 and period <= $3 group by org, counter, part",
        params![reader.tenant(), grain, period],
    )
    .await
}

/// The same of one organisation, before a month.
pub(crate) async fn before(reader: &Reader, period: &str, org: &str) -> Result<Values, Problem> {
    values(
        reader,
        "select org, counter, part, cast(sum(amount) as bigint) as amount from indicators_counts \
         where tenant = $1 and grain = $2 and period < $3 and org = $4 group by org, counter, part",
        params![reader.tenant(), grain('m', org), period, org],
    )
    .await
}

/// What the whole node counted by minute or second since a period: (period, org, counter, part).
pub(crate) async fn since(
    reader: &Reader,
    letter: char,
    depth: usize,
    from: &str,
) -> Result<Vec<(String, (String, String, String), i64)>, Problem> {
    let rows = reader
        .all(
            "select period, org, counter, part, amount from indicators_counts \
             where tenant = $1 and grain = $2 and period >= $3 order by period",
            params![reader.tenant(), format!("{letter}{depth}"), from],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let (key, amount) = value(row)?;
            Ok((row.text("period")?, key, amount))
        })
        .collect()
}

/// Open cases past their due date that do not wait for the applicant, by organisation.
pub(crate) async fn overdue(reader: &Reader, now: Time) -> Result<Vec<(OrgCode, i64)>, Problem> {
    let rows = reader
        .all(
            "select org, count(*) as overdue from indicators_open \
             where tenant = $1 and due < $2 and paused is null and decided is null group by org",
            params![reader.tenant(), now],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.parse("org")?, row.int("overdue")?)))
        .collect()
}

/// The positions of the facts behind a counter, newest first, before a position.
pub(crate) async fn positions(
    reader: &Reader,
    counter: Counter,
    org: &str,
    month: &str,
    before: u64,
    limit: usize,
) -> Result<Vec<u64>, Problem> {
    let rows = reader
        .all(
            "select position from indicators_rows where tenant = $1 and counter = $2 and org = $3 \
             and month = $4 and position < $5 order by position desc limit $6",
            params![reader.tenant(), counter.code(), org, month, before, limit],
        )
        .await?;
    rows.iter().map(|row| row.count("position")).collect()
}

/// True when the whole node ever received a case.
pub(crate) async fn has_cases(reader: &Reader) -> Result<bool, Problem> {
    let row = reader
        .one(
            "select amount from indicators_counts where tenant = $1 and grain = 'm0' and org = $2 and counter = $3 limit 1",
            params![reader.tenant(), ALL, Counter::CasesReceived.code()],
        )
        .await?;
    Ok(row.is_some())
}
