//! How the services of this node did in the last ten minutes, as X-Road's `getSecurityServerHealthData`
//! tells: counted by the follower of the evidence, in memory, so that it begins anew with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kernel::Time;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ids::ServiceId;
use crate::index::Indexed;

/// The time that the figures are of, in minutes.
const MINUTES: i64 = 10;
/// Services that are told apart, count: what others invent has no place here.
const SERVICES_MAX: usize = 10_000;

/// Values of which few figures are told.
#[derive(Clone, Copy, Debug, Default)]
struct Values {
    count: u64,
    sum: f64,
    squares: f64,
    least: u64,
    most: u64,
}

impl Values {
    #[expect(clippy::cast_precision_loss, reason = "figures of a mean")]
    fn add(&mut self, value: u64) {
        self.least = if self.count == 0 {
            value
        } else {
            self.least.min(value)
        };
        self.most = self.most.max(value);
        self.count += 1;
        self.sum += value as f64;
        self.squares += (value as f64).powi(2);
    }

    fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.least = if self.count == 0 {
            other.least
        } else {
            self.least.min(other.least)
        };
        self.most = self.most.max(other.most);
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    #[expect(clippy::cast_precision_loss, reason = "figures of a mean")]
    fn told(&self) -> Option<HealthValues> {
        let count = self.count as f64;
        (self.count > 0).then(|| {
            let mean = self.sum / count;
            HealthValues {
                min: self.least,
                average: round(mean),
                max: self.most,
                std_dev: round((self.squares / count - mean.powi(2)).max(0.0).sqrt()),
            }
        })
    }
}

fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[derive(Clone, Copy, Debug, Default)]
struct Minute {
    good: u64,
    bad: u64,
    durations: Values,
    requests: Values,
    answers: Values,
}

#[derive(Debug, Default)]
struct Of {
    last_good: Option<i64>,
    last_bad: Option<i64>,
    minutes: BTreeMap<i64, Minute>,
}

/// The services of this node by name.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<BTreeMap<String, Of>>);

/// Sizes of one call's messages, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) request: u64,
    pub(crate) answer: Option<u64>,
}

/// Least, mean, most and deviation of some values.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthValues {
    pub(crate) min: u64,
    pub(crate) average: f64,
    pub(crate) max: u64,
    pub(crate) std_dev: f64,
}

/// The last ten minutes of a service.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthPeriod {
    pub(crate) successful_request_count: u64,
    pub(crate) unsuccessful_request_count: u64,
    /// Milliseconds at this gateway, of calls that succeeded.
    pub(crate) request_duration: Option<HealthValues>,
    /// Bytes of the requests.
    pub(crate) request_size: Option<HealthValues>,
    /// Bytes of the answers.
    pub(crate) response_size: Option<HealthValues>,
}

/// A service and how it does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceHealth {
    /// `VN/GOV/G01/population/person-lookup`.
    pub(crate) service: String,
    /// Milliseconds since 1970.
    pub(crate) last_successful_request_timestamp: Option<i64>,
    /// Milliseconds since 1970.
    pub(crate) last_unsuccessful_request_timestamp: Option<i64>,
    pub(crate) last_period_statistics: HealthPeriod,
}

/// What is told of a node's services.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthData {
    /// When counting began, milliseconds since 1970: with the process.
    pub(crate) monitoring_startup_timestamp: i64,
    /// Seconds that the figures are of.
    pub(crate) statistics_period_seconds: i64,
    pub(crate) services: Vec<ServiceHealth>,
}

impl Health {
    /// Counts calls in, with their sizes: those of the provider's side.
    pub(crate) fn add<'a>(&self, calls: impl Iterator<Item = (&'a Indexed, Sizes)>, now: Time) {
        let mut services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (call, sizes) in calls.filter(|(call, _)| call.side == "provider") {
            if !services.contains_key(&call.service) && services.len() >= SERVICES_MAX {
                continue;
            }
            let of = services.entry(call.service.clone()).or_default();
            let good = call.fault.is_empty();
            let last = if good { &mut of.last_good } else { &mut of.last_bad };
            *last = (*last).max(Some(call.ended));
            let minute = of.minutes.entry(call.began.div_euclid(60_000)).or_default();
            if good {
                minute.good += 1;
                minute
                    .durations
                    .add((call.ended - call.began).max(0).unsigned_abs());
            } else {
                minute.bad += 1;
            }
            minute.requests.add(sizes.request);
            if let Some(size) = sizes.answer {
                minute.answers.add(size);
            }
            let oldest = now.ms().div_euclid(60_000) - MINUTES;
            of.minutes = of.minutes.split_off(&(oldest + 1));
        }
    }

    /// How the services do, those of one organisation when one is named.
    pub(crate) fn told(&self, own: Option<&str>, now: Time) -> Vec<ServiceHealth> {
        let oldest = now.ms().div_euclid(60_000) - MINUTES;
        let services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_seen = |name: &str| own.is_none_or(|own| name.split(['/', '.']).next() == Some(own));
        let seen = services.iter().filter(|(name, _)| is_seen(name));
        seen.map(|(name, of)| {
            let mut sum = Minute::default();
            for (_, minute) in of.minutes.range(oldest + 1..) {
                sum.good += minute.good;
                sum.bad += minute.bad;
                sum.durations.merge(&minute.durations);
                sum.requests.merge(&minute.requests);
                sum.answers.merge(&minute.answers);
            }
            ServiceHealth {
                service: name
                    .parse::<ServiceId>()
                    .map_or_else(|_| name.clone(), |id| id.named()),
                last_successful_request_timestamp: of.last_good,
                last_unsuccessful_request_timestamp: of.last_bad,
                last_period_statistics: HealthPeriod {
                    successful_request_count: sum.good,
                    unsuccessful_request_count: sum.bad,
                    request_duration: sum.durations.told(),
                    request_size: sum.requests.told(),
                    response_size: sum.answers.told(),
                },
            }
        })
        .collect()
    }
}

impl HealthData {
    /// What there is to tell.
    pub(crate) fn of(began: Time, services: Vec<ServiceHealth>) -> Self {
        Self {
            monitoring_startup_timestamp: began.ms(),
            statistics_period_seconds: MINUTES * 60,
            services,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_the_last_ten_minutes_and_the_last_call_of_ever() {
        let health = Health::default();
        let call =
            |began: i64, took: i64, fault: &str| crate::traffic::tests::record("G01/a/b", began, took, fault);
        let sizes = Sizes {
            request: 10,
            answer: Some(30),
        };
        let calls = [call(0, 10, ""), call(1_000, 20, ""), call(2_000, 5, "timeout")];
        health.add(calls.iter().map(|c| (c, sizes)), Time(2_000));
        let told = health.told(None, Time(60_000));
        let period = &told[0].last_period_statistics;
        assert_eq!(
            (period.successful_request_count, period.unsuccessful_request_count),
            (2, 1)
        );
        let durations = period.request_duration.as_ref().expect("some");
        assert_eq!((durations.min, durations.max), (10, 20));
        assert!((durations.average - 15.0).abs() < 1e-9 && (durations.std_dev - 5.0).abs() < 1e-9);
        let later = health.told(Some("G01"), Time(11 * 60_000));
        assert_eq!(later[0].last_period_statistics.successful_request_count, 0);
        assert_eq!(
            (
                later[0].last_successful_request_timestamp,
                later[0].last_unsuccessful_request_timestamp
            ),
            (Some(1_020), Some(2_005))
        );
        assert!(health.told(Some("G0"), Time(0)).is_empty());
    }
}
