//! The traffic as it is told: sums over a time, points in it, and rows by service, member, agreement or
//! result. Reads sums only.

use std::collections::BTreeMap;

use kernel::{OrgCode, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use super::grain::Grain;
use super::latency::Times;
use super::store::{self as rows, Slice, Sum};
use super::wanted::{Asked, By, Sort};
use crate::gateway::Exchange;

/// Calls over some time, and the times they took at this gateway.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct TrafficSum {
    /// Calls, count.
    pub(crate) calls: u64,
    /// Of them answered, with a status below 400.
    pub(crate) ok: u64,
    /// Of them refused by a rule, of a gateway or the service.
    pub(crate) refused: u64,
    /// Of them failed.
    pub(crate) failed: u64,
    /// The mean of their times, in milliseconds; none without calls.
    pub(crate) mean_ms: Option<u64>,
    /// Half of them ended within so many milliseconds.
    pub(crate) p50_ms: Option<u64>,
    /// 95 of a hundred ended within so many milliseconds.
    pub(crate) p95_ms: Option<u64>,
    /// 99 of a hundred ended within so many milliseconds.
    pub(crate) p99_ms: Option<u64>,
    /// The longest, in milliseconds.
    pub(crate) max_ms: Option<u64>,
}

impl TrafficSum {
    fn of(times: &Times, refused: u64, failed: u64) -> Self {
        let some = times.calls > 0;
        Self {
            calls: times.calls,
            ok: times.calls.saturating_sub(refused + failed),
            refused,
            failed,
            mean_ms: times.sum_ms.checked_div(times.calls),
            p50_ms: times.percentile(50),
            p95_ms: times.percentile(95),
            p99_ms: times.percentile(99),
            max_ms: some.then_some(times.max_ms),
        }
    }

    /// Calls of a hundred that were refused or failed.
    pub(crate) fn bad_percent(&self) -> u64 {
        ((self.refused + self.failed) * 100).div_ceil(self.calls.max(1))
    }
}

/// The sum of one span in the time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TrafficPoint {
    /// When it begins, milliseconds since 1970.
    pub(crate) begins: i64,
    /// Its calls.
    pub(crate) sum: TrafficSum,
}

/// The sum of one service, member, agreement or result.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TrafficRow {
    /// The service, the organisation, the agreement's hash, or the result and the problem's key behind it.
    /// Empty: all those there was no room to count by name, and what stands on no agreement held here.
    pub(crate) name: String,
    /// Its calls.
    pub(crate) sum: TrafficSum,
}

/// One second of the last two minutes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TrafficSecond {
    /// When it begins, milliseconds since 1970.
    pub(crate) begins: i64,
    /// Calls that were answered in it.
    pub(crate) ok: u64,
    /// Calls that were refused.
    pub(crate) refused: u64,
    /// Calls that failed.
    pub(crate) failed: u64,
}

/// What goes through just now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TrafficNow {
    /// Calls of the last whole minute.
    pub(crate) minute: u64,
    /// The same by second, on average; two decimals.
    pub(crate) per_second: f64,
    /// Calls since the month began, by Vietnam's calendar.
    pub(crate) month: u64,
    /// The last two minutes, a second each; of all calls, whatever is asked for. Since the process began.
    pub(crate) seconds: Vec<TrafficSecond>,
}

/// The traffic of a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TrafficSeen {
    /// From when, milliseconds since 1970: where a whole span of `grain` begins.
    pub(crate) from: i64,
    /// Until when, without it.
    pub(crate) to: i64,
    /// `minute`, `hour`, `day` or `month`: the finest that is still kept and can be shown.
    pub(crate) grain: &'static str,
    /// Just now, under the same filter.
    pub(crate) now: TrafficNow,
    /// All of the time.
    pub(crate) sum: TrafficSum,
    /// The time by `grain`, the oldest first.
    pub(crate) points: Vec<TrafficPoint>,
    /// The page of the rows.
    pub(crate) rows: Vec<TrafficRow>,
    /// Which page, from 1.
    pub(crate) page: usize,
    /// Pages there are.
    pub(crate) pages: usize,
    /// True when nothing was ever counted here.
    pub(crate) empty: bool,
}

impl Exchange {
    /// The traffic of a time; that of one organisation of the node, when one is named.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub(crate) async fn traffic(&self, own: Option<&OrgCode>, asked: &Asked) -> Result<TrafficSeen, Problem> {
        let g = &*self.0;
        let reader = g.store.read(&g.home).await?;
        let text = |value: Option<String>| value.unwrap_or_default();
        let own = text(own.map(ToString::to_string));
        let (member, service) = (
            text(asked.member.as_ref().map(ToString::to_string)),
            text(asked.service.as_ref().map(ToString::to_string)),
        );
        let agreement = text(asked.agreement.map(|hash| hash.hex()));
        let slice = Slice {
            grain: asked.grain,
            from: asked.from,
            to: asked.to,
            own: &own,
            member: &member,
            service: &service,
            agreement: &agreement,
            result: asked.result.map_or("", |result| result.as_str()),
            by: "time",
        };
        let by_time = rows::sums(&reader, &slice).await?;
        let named = rows::sums(
            &reader,
            &Slice {
                by: asked.by.as_str(),
                ..slice.clone()
            },
        )
        .await?;
        let at = g.now();
        let minute = Grain::Minute.begin(at).plus_ms(-60_000);
        let month = Grain::Month.begin(at);
        let calls = async |grain: Grain, from: Time| -> Result<u64, Problem> {
            let to = grain.next(from);
            let slice = Slice {
                grain,
                from,
                to,
                ..slice.clone()
            };
            Ok(rows::sums(&reader, &slice)
                .await?
                .iter()
                .map(|s| s.times.calls)
                .sum())
        };
        let last_minute = calls(Grain::Minute, minute).await?;
        let seconds = g.seconds.last((!own.is_empty()).then_some(own.as_str()), at);
        let now = TrafficNow {
            minute: last_minute,
            per_second: per_second(last_minute),
            month: calls(Grain::Month, month).await?,
            seconds: seconds
                .into_iter()
                .map(|(begins, [ok, refused, failed])| TrafficSecond {
                    begins: begins.ms(),
                    ok,
                    refused,
                    failed,
                })
                .collect(),
        };
        let empty = by_time.is_empty() && !rows::any(&reader).await?;
        let rows_max = g.store.limits().page_rows_max;
        let pages = named.len().div_ceil(rows_max).max(1);
        let page = asked.page.min(pages);
        Ok(TrafficSeen {
            from: asked.from.ms(),
            to: asked.to.ms(),
            grain: asked.grain.as_str(),
            now,
            sum: whole(&by_time),
            points: points(asked, by_time)?,
            rows: sorted(named, asked.sort)
                .into_iter()
                .skip((page - 1) * rows_max)
                .take(rows_max)
                .collect(),
            page,
            pages,
            empty,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "two decimals of a mean")]
fn per_second(calls_of_a_minute: u64) -> f64 {
    (calls_of_a_minute as f64 / 60.0 * 100.0).round() / 100.0
}

fn whole(sums: &[Sum]) -> TrafficSum {
    let (mut times, mut refused, mut failed) = (Times::default(), 0, 0);
    for sum in sums {
        times.merge(&sum.times);
        refused += sum.refused;
        failed += sum.failed;
    }
    TrafficSum::of(&times, refused, failed)
}

/// A point for each span, also for those without a call.
fn points(asked: &Asked, sums: Vec<Sum>) -> Result<Vec<TrafficPoint>, Problem> {
    let mut by_time = BTreeMap::new();
    for sum in sums {
        let begins: i64 = sum.name.parse().map_err(Problem::internal)?;
        by_time.insert(begins, sum);
    }
    let (mut points, mut begins) = (Vec::new(), asked.from);
    while begins < asked.to {
        let sum = by_time.remove(&begins.ms()).unwrap_or_default();
        points.push(TrafficPoint {
            begins: begins.ms(),
            sum: TrafficSum::of(&sum.times, sum.refused, sum.failed),
        });
        begins = asked.grain.next(begins);
    }
    Ok(points)
}

fn sorted(sums: Vec<Sum>, sort: Sort) -> Vec<TrafficRow> {
    let mut rows: Vec<TrafficRow> = sums
        .into_iter()
        .map(|s| TrafficRow {
            sum: TrafficSum::of(&s.times, s.refused, s.failed),
            name: s.name.trim().to_owned(),
        })
        .collect();
    match sort {
        Sort::Calls => {} // as the rows come
        Sort::Slowest => rows.sort_by_key(|row| std::cmp::Reverse((row.sum.p95_ms, row.sum.max_ms))),
        Sort::Failing => rows.sort_by_key(|row| std::cmp::Reverse((row.sum.bad_percent(), row.sum.calls))),
    }
    rows
}

impl By {
    /// The field of a filter that a row's name goes into; none for the result, whose name is two things.
    pub(crate) const fn field(self) -> Option<&'static str> {
        match self {
            Self::Service => Some("service"),
            Self::Member => Some("member"),
            Self::Agreement => Some("agreement"),
            Self::Result => None,
        }
    }
}
