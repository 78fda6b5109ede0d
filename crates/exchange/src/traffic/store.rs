//! The SQL of the counts. Never a decision: sums in, sums out.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Problem, Time};
use serde_json::json;
use store::{Pair, Reader, Row, Tx, params};

use super::count::{Counted, Series};
use super::grain::Grain;
use super::latency::{BINS, Times};

/// Names that one look gives, count: those of the most calls.
const NAMES_MAX: u64 = 10_000;

/// Many sums at once: a JSON array of `[grain, begins, own, side, member, service, agreement, result, fault,
/// calls, ms_sum, ms_max, b0 .. b17]`, none of them twice.
const ADD: Pair = Pair {
    sqlite: "insert into exchange_traffic (tenant, grain, begins, own, side, member, service, \
             agreement, result, fault, calls, ms_sum, ms_max, b0, b1, b2, b3, b4, b5, b6, b7, \
             b8, b9, b10, b11, b12, b13, b14, b15, b16, b17) \
             select $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value \
             ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> \
             11, value ->> 12, value ->> 13, value ->> 14, value ->> 15, value ->> 16, value ->> \
             17, value ->> 18, value ->> 19, value ->> 20, value ->> 21, value ->> 22, value ->> \
             23, value ->> 24, value ->> 25, value ->> 26, value ->> 27, value ->> 28, value ->> \
             29 from json_each($2) where true \
             on conflict (tenant, grain, begins, own, side, member, service, agreement, result, \
             fault) do update set \
             calls = exchange_traffic.calls + excluded.calls, ms_sum = exchange_traffic.ms_sum + \
             excluded.ms_sum, ms_max = case when excluded.ms_max > exchange_traffic.ms_max then \
             excluded.ms_max else exchange_traffic.ms_max end, b0 = exchange_traffic.b0 + \
             excluded.b0, b1 = exchange_traffic.b1 + excluded.b1, b2 = exchange_traffic.b2 + \
             excluded.b2, b3 = exchange_traffic.b3 + excluded.b3, b4 = exchange_traffic.b4 + \
             excluded.b4, b5 = exchange_traffic.b5 + excluded.b5, b6 = exchange_traffic.b6 + \
             excluded.b6, b7 = exchange_traffic.b7 + excluded.b7, b8 = exchange_traffic.b8 + \
             excluded.b8, b9 = exchange_traffic.b9 + excluded.b9, b10 = exchange_traffic.b10 + \
             excluded.b10, b11 = exchange_traffic.b11 + excluded.b11, b12 = exchange_traffic.b12 \
             + excluded.b12, b13 = exchange_traffic.b13 + excluded.b13, b14 = \
             exchange_traffic.b14 + excluded.b14, b15 = exchange_traffic.b15 + excluded.b15, b16 \
             = exchange_traffic.b16 + excluded.b16, b17 = exchange_traffic.b17 + excluded.b17",
    postgres: "insert into exchange_traffic (tenant, grain, begins, own, side, member, service, \
               agreement, result, fault, calls, ms_sum, ms_max, b0, b1, b2, b3, b4, b5, b6, b7, \
               b8, b9, b10, b11, b12, b13, b14, b15, b16, b17) \
               select $1, value ->> 0, cast(value ->> 1 as bigint), value ->> 2, value ->> 3, \
               value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, cast(value ->> 9 \
               as bigint), cast(value ->> 10 as bigint), cast(value ->> 11 as bigint), \
               cast(value ->> 12 as bigint), cast(value ->> 13 as bigint), cast(value ->> 14 as \
               bigint), cast(value ->> 15 as bigint), cast(value ->> 16 as bigint), cast(value \
               ->> 17 as bigint), cast(value ->> 18 as bigint), cast(value ->> 19 as bigint), \
               cast(value ->> 20 as bigint), cast(value ->> 21 as bigint), cast(value ->> 22 as \
               bigint), cast(value ->> 23 as bigint), cast(value ->> 24 as bigint), cast(value \
               ->> 25 as bigint), cast(value ->> 26 as bigint), cast(value ->> 27 as bigint), \
               cast(value ->> 28 as bigint), cast(value ->> 29 as bigint) from \
               jsonb_array_elements($2::text::jsonb) as t(value) \
               on conflict (tenant, grain, begins, own, side, member, service, agreement, \
               result, fault) do update set \
               calls = exchange_traffic.calls + excluded.calls, ms_sum = exchange_traffic.ms_sum \
               + excluded.ms_sum, ms_max = case when excluded.ms_max > exchange_traffic.ms_max \
               then excluded.ms_max else exchange_traffic.ms_max end, b0 = exchange_traffic.b0 + \
               excluded.b0, b1 = exchange_traffic.b1 + excluded.b1, b2 = exchange_traffic.b2 + \
               excluded.b2, b3 = exchange_traffic.b3 + excluded.b3, b4 = exchange_traffic.b4 + \
               excluded.b4, b5 = exchange_traffic.b5 + excluded.b5, b6 = exchange_traffic.b6 + \
               excluded.b6, b7 = exchange_traffic.b7 + excluded.b7, b8 = exchange_traffic.b8 + \
               excluded.b8, b9 = exchange_traffic.b9 + excluded.b9, b10 = exchange_traffic.b10 + \
               excluded.b10, b11 = exchange_traffic.b11 + excluded.b11, b12 = \
               exchange_traffic.b12 + excluded.b12, b13 = exchange_traffic.b13 + excluded.b13, \
               b14 = exchange_traffic.b14 + excluded.b14, b15 = exchange_traffic.b15 + \
               excluded.b15, b16 = exchange_traffic.b16 + excluded.b16, b17 = \
               exchange_traffic.b17 + excluded.b17",
};

/// The columns of the histogram, in its order.
const BIN_COLUMNS: [&str; BINS] = [
    "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "b10", "b11", "b12", "b13", "b14", "b15",
    "b16", "b17",
];

/// Adds the sums of a batch. A span that has `series_max` series already takes no new ones: what would be
/// one is counted without its member, service, agreement and reason.
pub(crate) async fn add(tx: &Tx, counted: &Counted, series_max: u64) -> Result<(), Problem> {
    let mut rows = Vec::new();
    for ((grain, begins), sums) in counted {
        let there = series_there(tx, *grain, *begins).await?;
        let known = if there + sums.len() as u64 > series_max {
            Some(known(tx, *grain, *begins).await?)
        } else {
            None
        };
        let mut bounded: BTreeMap<Series, Times> = BTreeMap::new();
        let mut room = series_max.saturating_sub(there);
        for (series, times) in sums {
            let has_its_own = known.as_ref().is_none_or(|known| known.contains(series));
            let series = if has_its_own {
                series.clone()
            } else if room > 0 {
                room -= 1;
                series.clone()
            } else {
                series.rest()
            };
            bounded.entry(series).or_default().merge(times);
        }
        rows.extend(
            bounded
                .iter()
                .map(|(series, times)| row(*grain, *begins, series, times)),
        );
    }
    if rows.is_empty() {
        return Ok(());
    }
    tx.bulk_insert(ADD, json!(rows).to_string()).await.map(drop)
}

fn row(grain: Grain, begins: Time, s: &Series, t: &Times) -> Vec<serde_json::Value> {
    let texts = [
        &s.own,
        &s.side,
        &s.member,
        &s.service,
        &s.agreement,
        &s.result,
        &s.fault,
    ];
    let sums = [t.calls, t.sum_ms, t.max_ms];
    let mut row = vec![json!(grain.as_str()), json!(begins.ms())];
    row.extend(texts.into_iter().map(|text| json!(text)));
    row.extend(sums.into_iter().chain(t.bins).map(|sum| json!(sum)));
    row
}

/// How many series a span has.
async fn series_there(tx: &Tx, grain: Grain, begins: Time) -> Result<u64, Problem> {
    let row = tx
        .one(
            "select count(*) as series from exchange_traffic where tenant = $1 and grain = $2 and begins = $3",
            params![tx.tenant(), grain.as_str(), begins],
        )
        .await?;
    row.map_or(Ok(0), |row| row.count("series"))
}

/// The series of a span.
async fn known(tx: &Tx, grain: Grain, begins: Time) -> Result<BTreeSet<Series>, Problem> {
    let rows = tx
        .all(
            "select own, side, member, service, agreement, result, fault from exchange_traffic \
             where tenant = $1 and grain = $2 and begins = $3",
            params![tx.tenant(), grain.as_str(), begins],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Series {
                own: row.text("own")?,
                side: row.text("side")?,
                member: row.text("member")?,
                service: row.text("service")?,
                agreement: row.text("agreement")?,
                result: row.text("result")?,
                fault: row.text("fault")?,
            })
        })
        .collect()
}

/// Forgets what is older than it is kept.
pub(crate) async fn forget(tx: &Tx, now: Time) -> Result<(), Problem> {
    for grain in Grain::ALL {
        if let Some(kept) = grain.kept_ms() {
            tx.exec(
                "delete from exchange_traffic where tenant = $1 and grain = $2 and begins < $3",
                params![tx.tenant(), grain.as_str(), now.plus_ms(-kept)],
            )
            .await?;
        }
    }
    Ok(())
}

/// What is summed: every text that is not empty must be met.
#[derive(Clone, Debug)]
pub(super) struct Slice<'a> {
    pub(super) grain: Grain,
    pub(super) from: Time,
    pub(super) to: Time,
    pub(super) own: &'a str,
    pub(super) member: &'a str,
    pub(super) service: &'a str,
    pub(super) agreement: &'a str,
    pub(super) result: &'a str,
    /// `time`, `service`, `member`, `agreement` or `result`.
    pub(super) by: &'a str,
}

/// The sums under one name: an instant, a service, a member, an agreement, or a result and its reason.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) name: String,
    pub(super) refused: u64,
    pub(super) failed: u64,
    pub(super) times: Times,
}

/// The sums of a slice, those of the most calls first.
pub(super) async fn sums(reader: &Reader, s: &Slice<'_>) -> Result<Vec<Sum>, Problem> {
    let rows = reader
        .all(
            "select cast(case $9 when 'time' then cast(begins as text) when 'service' then \
             service when 'member' then member when 'agreement' then agreement else result || ' \
             ' || fault end as text) as name, \
             cast(sum(calls) as bigint) as calls, \
             cast(sum(case when result = 'refused' then calls else 0 end) as bigint) as refused, \
             cast(sum(case when result = 'fault' then calls else 0 end) as bigint) as failed, \
             cast(sum(ms_sum) as bigint) as ms_sum, cast(max(ms_max) as bigint) as ms_max, \
             cast(sum(b0) as bigint) as b0, cast(sum(b1) as bigint) as b1, cast(sum(b2) as \
             bigint) as b2, cast(sum(b3) as bigint) as b3, cast(sum(b4) as bigint) as b4, \
             cast(sum(b5) as bigint) as b5, cast(sum(b6) as bigint) as b6, cast(sum(b7) as \
             bigint) as b7, cast(sum(b8) as bigint) as b8, cast(sum(b9) as bigint) as b9, \
             cast(sum(b10) as bigint) as b10, cast(sum(b11) as bigint) as b11, cast(sum(b12) as \
             bigint) as b12, cast(sum(b13) as bigint) as b13, cast(sum(b14) as bigint) as b14, \
             cast(sum(b15) as bigint) as b15, cast(sum(b16) as bigint) as b16, cast(sum(b17) as \
             bigint) as b17 \
             from exchange_traffic where tenant = $1 and grain = $2 and begins >= $3 and begins \
             < $4 and ($5 = '' or own = $5) and ($6 = '' or member = $6) and ($7 = '' or service \
             = $7) and ($8 = '' or agreement = $8) and ($10 = '' or result = $10) \
             group by 1 order by 2 desc, 1 limit $11",
            params![
                reader.tenant(),
                s.grain.as_str(),
                s.from,
                s.to,
                s.own,
                s.member,
                s.service,
                s.agreement,
                s.by,
                s.result,
                NAMES_MAX
            ],
        )
        .await?;
    rows.iter().map(sum).collect()
}

fn sum(row: &Row) -> Result<Sum, Problem> {
    let mut bins = [0; BINS];
    for (bin, column) in bins.iter_mut().zip(BIN_COLUMNS) {
        *bin = row.count(column)?;
    }
    Ok(Sum {
        name: row.text("name")?,
        refused: row.count("refused")?,
        failed: row.count("failed")?,
        times: Times {
            calls: row.count("calls")?,
            sum_ms: row.count("ms_sum")?,
            max_ms: row.count("ms_max")?,
            bins,
        },
    })
}

/// True when a tenant has a count at all.
pub(crate) async fn any(reader: &Reader) -> Result<bool, Problem> {
    let row = reader
        .one(
            "select grain from exchange_traffic where tenant = $1 limit 1",
            params![reader.tenant()],
        )
        .await?;
    Ok(row.is_some())
}

#[cfg(test)]
mod tests {
    use kernel::{Actor, OrgCode};

    use super::super::count::{count, tests::record};
    use super::*;

    async fn filled(records: &[crate::index::Indexed], series_max: u64) -> (testkit::TempStore, Reader) {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let home: OrgCode = "G01".parse().expect("a code");
        for some in records.chunks(100) {
            let counted = &count(some.iter(), &|_| true);
            temp.store
                .write(&home, &Actor::Platform, |tx| async move {
                    add(&tx, counted, series_max).await
                })
                .await
                .expect("added");
        }
        let reader = temp.store.read(&home).await.expect("a reader");
        (temp, reader)
    }

    const ALL: Slice<'static> = Slice {
        grain: Grain::Hour,
        from: Time(i64::MIN),
        to: Time(i64::MAX),
        own: "",
        member: "",
        service: "",
        agreement: "",
        result: "",
        by: "service",
    };

    #[tokio::test]
    async fn batches_add_up_to_what_one_look_at_all_records_would_give() {
        let records: Vec<_> = (0..1_000)
            .map(|n: i64| {
                let fault = if n % 10 == 0 { "timeout" } else { "" };
                record(&format!("G01/a/s{}", n % 3), n * 20_000, n % 400, fault)
            })
            .collect();
        let (_temp, reader) = filled(&records, 1_000).await;
        for grain in Grain::ALL {
            let found = sums(&reader, &Slice { grain, ..ALL }).await.expect("sums");
            let mut named: Vec<_> = found.iter().map(|s| (s.name.as_str(), s.times.calls)).collect();
            named.sort_unstable();
            assert_eq!(
                named,
                [("G01/a/s0", 334), ("G01/a/s1", 333), ("G01/a/s2", 333)],
                "{grain:?}"
            );
            assert_eq!(found.iter().map(|s| s.failed).sum::<u64>(), 100);
            let mut whole = Times::default();
            found.iter().for_each(|s| whole.merge(&s.times));
            let mut exact = Times::default();
            records.iter().for_each(|e| exact.add(e.ended - e.began));
            assert_eq!(whole, exact);
        }
        let failed = Slice {
            result: "fault",
            by: "result",
            ..ALL
        };
        let found = sums(&reader, &failed).await.expect("sums");
        assert_eq!(
            (found[0].name.as_str(), found[0].times.calls),
            ("fault timeout", 100)
        );
        for nothing in [
            Slice {
                service: "G01/a/x",
                ..ALL
            },
            Slice { own: "G15", ..ALL },
            Slice { member: "G15", ..ALL },
            Slice {
                agreement: "bb",
                ..ALL
            },
            Slice { to: Time(0), ..ALL },
        ] {
            assert!(
                sums(&reader, &nothing).await.expect("sums").is_empty(),
                "{nothing:?}"
            );
        }
    }

    #[tokio::test]
    async fn too_many_series_are_counted_together_and_none_is_lost() {
        // A peer that names ever new services fills no disk.
        let records: Vec<_> = (0..400)
            .map(|n| record(&format!("G01/a/s{n}"), n, 1, ""))
            .collect();
        let (temp, reader) = filled(&records, 50).await;
        let found = sums(&reader, &ALL).await.expect("sums");
        assert_eq!(found.len(), 51, "fifty by name, and the rest");
        assert_eq!(found.iter().map(|s| s.times.calls).sum::<u64>(), 400);
        assert_eq!((found[0].name.as_str(), found[0].times.calls), ("", 350));
        // Who has a name keeps it.
        let again: Vec<_> = found[1..].iter().map(|s| record(&s.name, 7, 1, "")).collect();
        let home: OrgCode = "G01".parse().expect("a code");
        let counted = &count(again.iter(), &|_| true);
        temp.store
            .write(&home, &Actor::Platform, |tx| async move {
                add(&tx, counted, 50).await
            })
            .await
            .expect("added");
        let found = sums(&reader, &ALL).await.expect("sums");
        assert_eq!(found.iter().filter(|s| s.times.calls == 2).count(), 50);
    }

    #[tokio::test]
    async fn minutes_are_forgotten_and_months_are_not() {
        let (temp, reader) = filled(&[record("G01/a/b", 0, 1, "")], 10).await;
        temp.store
            .write(reader.tenant(), &Actor::Platform, |tx| async move {
                forget(&tx, Time(2 * super::super::grain::DAY_MS)).await
            })
            .await
            .expect("forgotten");
        for (grain, left) in [
            (Grain::Minute, 0),
            (Grain::Hour, 1),
            (Grain::Day, 1),
            (Grain::Month, 1),
        ] {
            let slice = Slice {
                grain,
                from: Time(i64::MIN),
                ..ALL
            };
            assert_eq!(
                sums(&reader, &slice).await.expect("sums").len(),
                left,
                "{grain:?}"
            );
        }
    }
}
