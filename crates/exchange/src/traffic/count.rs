//! Records of a batch to sums: by minute first, the coarser spans from those. Pure.

use std::collections::BTreeMap;

use kernel::Time;

use super::grain::Grain;
use super::latency::Times;
use crate::index::Indexed;

/// What calls have in common that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    pub(crate) own: String,
    pub(crate) side: String,
    pub(crate) member: String,
    pub(crate) service: String,
    pub(crate) agreement: String,
    pub(crate) result: String,
    pub(crate) fault: String,
}

impl Series {
    fn of(e: &Indexed, is_held: &dyn Fn(&str) -> bool) -> Self {
        // What names no agreement of this node could be anything: others choose it.
        let agreement = if is_held(&e.agreement) { &e.agreement } else { "" };
        Self {
            own: e.own.clone(),
            side: e.side.to_owned(),
            member: e.member.clone(),
            service: e.service.clone(),
            agreement: agreement.to_owned(),
            result: e.result.to_owned(),
            fault: e.fault.clone(),
        }
    }

    /// The same without what there can be too many of.
    pub(crate) fn rest(&self) -> Self {
        Self {
            member: String::new(),
            service: String::new(),
            agreement: String::new(),
            fault: String::new(),
            ..self.clone()
        }
    }
}

/// The sums of a batch: by span, where it begins, and series.
pub(crate) type Counted = BTreeMap<(Grain, Time), BTreeMap<Series, Times>>;

/// Counts the records of a batch. `is_held` says whether an agreement's hash is one of this node's.
pub(crate) fn count<'a>(
    records: impl Iterator<Item = &'a Indexed>,
    is_held: &dyn Fn(&str) -> bool,
) -> Counted {
    let mut counted = Counted::new();
    for e in records {
        let minute = Grain::Minute.begin(Time(e.began));
        let series = counted.entry((Grain::Minute, minute)).or_default();
        series
            .entry(Series::of(e, is_held))
            .or_default()
            .add(e.ended - e.began);
    }
    let minutes: Vec<_> = counted.clone().into_iter().collect();
    for ((_, minute), all) in minutes {
        for grain in [Grain::Hour, Grain::Day, Grain::Month] {
            let sums = counted.entry((grain, grain.begin(minute))).or_default();
            for (series, times) in &all {
                sums.entry(series.clone()).or_default().merge(times);
            }
        }
    }
    counted
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn record(service: &str, began: i64, took: i64, fault: &str) -> Indexed {
        Indexed {
            request: format!("{began}-{service}-{took}"),
            side: "provider",
            stream: "evidence-0",
            position: 0,
            consumer: "G22/portal".to_owned(),
            service: service.to_owned(),
            agreement: "aa".to_owned(),
            message: None,
            issue: None,
            status: 200,
            began,
            ended: began + took,
            own: "G01".to_owned(),
            member: "G22".to_owned(),
            result: if fault.is_empty() { "ok" } else { "fault" },
            fault: fault.to_owned(),
        }
    }

    #[test]
    fn a_call_counts_once_in_each_span_that_holds_its_beginning() {
        let records = [
            record("G01/a/b", 59_999, 5, ""),
            record("G01/a/b", 60_000, 7, ""),
            record("G01/a/c", 60_001, 9, "timeout"),
        ];
        let counted = count(records.iter(), &|_| true);
        let calls = |grain: Grain| -> Vec<u64> {
            let of_it = counted.iter().filter(|((g, _), _)| *g == grain);
            of_it
                .map(|(_, all)| all.values().map(|times| times.calls).sum())
                .collect()
        };
        assert_eq!(calls(Grain::Minute), [1, 2]);
        for grain in [Grain::Hour, Grain::Day, Grain::Month] {
            assert_eq!(calls(grain), [3], "{grain:?}");
        }
        let hour = &counted[&(Grain::Hour, Time(0))];
        assert_eq!(hour.len(), 2, "services apart");
    }

    #[test]
    fn an_agreement_that_nobody_here_holds_is_not_a_series_of_its_own() {
        let stranger = Indexed {
            agreement: "bb".to_owned(),
            ..record("G01/a/b", 0, 5, "")
        };
        let counted = count([stranger, record("G01/a/b", 1, 5, "")].iter(), &|hash| {
            hash == "aa"
        });
        let minute = &counted[&(Grain::Minute, Time(0))];
        let hashes: Vec<&str> = minute.keys().map(|s| s.agreement.as_str()).collect();
        assert_eq!(hashes, ["", "aa"]);
    }
}
