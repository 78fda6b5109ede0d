//! What an operator says of a registered service besides how it is reached: disabled or not, a stop, a
//! sunset, its end. It holds at once. Never takes a service away while it answers.

use kernel::{Actor, Date, Fact, Kind, Problem, Time};
use serde::Deserialize;
use utoipa::ToSchema;

use super::entry::{Entry, Standing, Stop, notice};
use super::store as rows;
use crate::gateway::Exchange;
use crate::ids::ServiceId;

/// What is to become of a service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = ServiceVerb)]
pub enum Verb {
    /// It stops answering at once.
    Disable {
        /// Why; callers read it.
        notice: String,
    },
    /// It answers again.
    Enable,
    /// It may be gone for good from a day on; the day left out takes that back.
    Sunset {
        /// The day's first instant, milliseconds since 1970.
        at: Option<i64>,
    },
    /// A stop is announced.
    AnnounceStop {
        /// From when, milliseconds since 1970.
        from: i64,
        /// Until when, milliseconds since 1970; left out when nobody knows.
        to: Option<i64>,
        /// Why; callers read it.
        reason: String,
    },
    /// The announced stop is taken back, or over.
    LiftStop,
    /// It is taken off the node; it must be disabled.
    Remove,
}

impl Exchange {
    /// Does something with a service; the other parties of its agreements are told.
    ///
    /// # Errors
    /// 404 when nobody registered it here; 422 at the field that is not sound; conflict
    /// `service-stands-so` when it stands so already, `service-enabled` for the end of a service that
    /// answers.
    pub async fn stand_service(&self, id: &ServiceId, verb: &Verb, actor: &Actor) -> Result<(), Problem> {
        let first = self.first_stop(id);
        let _turn = self.0.offering.lock().await;
        let (tenant, seal) = self.voice(&id.org).map_err(|_| Problem::not_found())?;
        let consumers = self.agreements().consumers_of(id, self.0.now());
        let (consumers, key) = (&consumers, &seal.key);
        let left = self
            .0
            .store
            .write(tenant, actor, |tx| async move {
                let entry = rows::entry(&tx, id).await?.ok_or_else(Problem::not_found)?;
                let (left, fact) = apply(verb, entry, tx.now(), first)?;
                match &left {
                    Some(entry) => rows::save(&tx, entry).await?,
                    None => rows::remove(&tx, id).await?,
                }
                tx.fact(&super::subject(id), fact).await?;
                super::told::tell(&tx, (id, left.as_ref()), consumers, key).await?;
                Ok(left)
            })
            .await?;
        match left {
            Some(entry) => self.offer(entry)?,
            None => {
                self.0.registered.remove(id);
                self.withdraw(id);
            }
        }
        Ok(())
    }

    /// The first day on which a stop of a service may begin that is announced now; `None` where no rule
    /// says so.
    pub(crate) fn first_stop(&self, id: &ServiceId) -> Option<Date> {
        let terms = self.agreements().terms()?;
        terms.stop_from(&id.org, self.0.now())
    }
}

/// The service as the verb leaves it, none when it is gone, and the fact.
fn apply(
    verb: &Verb,
    entry: Entry,
    now: Time,
    first_stop: Option<Date>,
) -> Result<(Option<Entry>, Fact), Problem> {
    let service = entry.id.to_string();
    let is_disabled = entry.disabled.is_some();
    let left = match verb {
        Verb::Enable | Verb::Remove if !is_disabled => {
            return Err(match verb {
                Verb::Enable => so_already(&service),
                _ => Problem::new(Kind::Conflict, "service-enabled").with("service", &service),
            });
        }
        Verb::Remove => return Ok((None, Fact::ServiceRemoved { service })),
        Verb::Enable => Entry {
            disabled: None,
            ..entry
        },
        Verb::Disable { notice: text } => {
            let text = notice("notice", text)?.to_owned();
            if is_disabled {
                return Err(so_already(&service));
            }
            Entry {
                disabled: Some(text),
                ..entry
            }
        }
        Verb::Sunset { at } => {
            let sunset = at.map(Time);
            if sunset == entry.sunset {
                return Err(so_already(&service));
            }
            if sunset.is_some_and(|at| at <= now) {
                return Err(Problem::invalid("at", "service-sunset-past"));
            }
            Entry { sunset, ..entry }
        }
        Verb::AnnounceStop { from, to, reason } => {
            let stop = stop(Time(*from), to.map(Time), reason, now, first_stop)?;
            Entry {
                stop: Some(stop),
                ..entry
            }
        }
        Verb::LiftStop if entry.stop.is_none() => return Err(so_already(&service)),
        Verb::LiftStop => Entry { stop: None, ..entry },
    };
    let digest = super::digest(&left);
    let fact = match verb {
        Verb::Disable { .. } => Fact::ServiceDisabled {
            service,
            entry: digest,
        },
        Verb::Sunset { .. } => Fact::ServiceSunsetSet {
            service,
            sunset: left.sunset,
            entry: digest,
        },
        Verb::AnnounceStop { from, to, .. } => Fact::ServiceStopAnnounced {
            service,
            from: Time(*from),
            to: to.map(Time),
            entry: digest,
        },
        Verb::LiftStop => Fact::ServiceStopLifted {
            service,
            entry: digest,
        },
        Verb::Enable | Verb::Remove => Fact::ServiceEnabled {
            service,
            entry: digest,
        },
    };
    Ok((Some(left), fact))
}

fn so_already(service: &str) -> Problem {
    Problem::new(Kind::Conflict, "service-stands-so").with("service", service)
}

/// A stop that is announced in time.
fn stop(from: Time, to: Option<Time>, reason: &str, now: Time, first: Option<Date>) -> Result<Stop, Problem> {
    if let Some(fault) = stop_faults(from, to, reason, now, first).into_iter().next() {
        return Err(fault);
    }
    Ok(Stop {
        from,
        to,
        reason: notice("reason", reason)?.to_owned(),
        announced: now,
    })
}

/// Everything that is wrong with a stop that is announced now.
fn stop_faults(from: Time, to: Option<Time>, reason: &str, now: Time, first: Option<Date>) -> Vec<Problem> {
    let first = first.map_or(now, |day| Time::at(day, 0));
    let soon = (from < first || from <= now).then(|| {
        let day = kernel::time::iso(first.date());
        Problem::invalid("from", "service-stop-soon").with("first", day)
    });
    let ends = to
        .is_some_and(|to| to <= from)
        .then(|| Problem::invalid("to", "service-stop-ends"));
    let wordless = notice("reason", reason).err();
    [soon, ends, wordless].into_iter().flatten().collect()
}

impl Verb {
    /// Everything that is wrong with what it says, whatever the service; `first` as
    /// [`Exchange::stand_service`] has it.
    pub(crate) fn faults(&self, now: Time, first: Option<Date>) -> Vec<Problem> {
        match self {
            Self::AnnounceStop { from, to, reason } => {
                stop_faults(Time(*from), to.map(Time), reason, now, first)
            }
            Self::Disable { .. } | Self::Enable | Self::Sunset { .. } | Self::LiftStop | Self::Remove => {
                Vec::new()
            }
        }
    }
}

/// True when a stop of this service is over.
pub(crate) fn is_over(entry: &Entry, at: Time) -> bool {
    entry.stop.is_some() && entry.standing(at) == Standing::Enabled
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::entry;
    use super::*;
    use kernel::time::civil_date;

    fn done(verb: &Verb, entry: Entry) -> (Option<Entry>, String) {
        let (left, fact) = apply(verb, entry, Time(0), None).expect("done");
        let fact = serde_json::to_value(fact).expect("json");
        (left, fact["fact"].as_str().expect("a kind").to_owned())
    }

    fn refused(verb: &Verb, entry: Entry) -> (&'static str, Option<String>) {
        let p = apply(verb, entry, Time(0), None).expect_err("refused");
        (p.code, p.field)
    }

    fn disable(text: &str) -> Verb {
        Verb::Disable {
            notice: text.to_owned(),
        }
    }

    #[test]
    fn a_service_is_disabled_with_words_enabled_again_and_gone_only_while_it_is_disabled() {
        assert_eq!(
            refused(&disable(" "), entry()),
            ("field-missing", Some("notice".to_owned()))
        );
        assert_eq!(refused(&Verb::Enable, entry()).0, "service-stands-so");
        assert_eq!(refused(&Verb::Remove, entry()).0, "service-enabled");
        let (off, fact) = done(&disable("lỗi"), entry());
        let off = off.expect("there");
        assert_eq!(
            (off.disabled.as_deref(), fact.as_str()),
            (Some("lỗi"), "service-disabled")
        );
        assert_eq!(refused(&disable("lỗi"), off.clone()).0, "service-stands-so");
        assert_eq!(
            done(&Verb::Enable, off.clone()),
            (Some(entry()), "service-enabled".to_owned())
        );
        assert_eq!(done(&Verb::Remove, off), (None, "service-removed".to_owned()));
    }

    #[test]
    fn a_sunset_lies_ahead_and_can_be_taken_back() {
        let sunset = |at: Option<i64>| Verb::Sunset { at };
        assert_eq!(refused(&sunset(Some(0)), entry()).0, "service-sunset-past");
        assert_eq!(refused(&sunset(None), entry()).0, "service-stands-so");
        let (set, fact) = done(&sunset(Some(1)), entry());
        assert_eq!(fact, "service-sunset-set");
        assert_eq!(done(&sunset(None), set.expect("there")).0, Some(entry()));
    }

    #[test]
    fn a_planned_stop_is_announced_in_time_and_begins_before_it_ends() {
        let first = civil_date(2026, 12, 3);
        let day = |d| Time::at(civil_date(2026, 12, d).expect("a day"), 0).ms();
        let announce = |from, to: Option<i64>, reason: &str| {
            let reason = reason.to_owned();
            apply(
                &Verb::AnnounceStop { from, to, reason },
                entry(),
                Time(1_000),
                first,
            )
        };
        let refused = |from, to, reason| {
            let p = announce(from, to, reason).expect_err("refused");
            (p.code, p.field.expect("a field"), p.args)
        };
        let (code, field, args) = refused(day(2), None, "x");
        assert_eq!((code, field.as_str()), ("service-stop-soon", "from"));
        assert_eq!(args, [("first", "2026-12-03".to_owned())]);
        assert_eq!(refused(day(3), Some(day(3)), "x").0, "service-stop-ends");
        assert_eq!(refused(day(3), None, " ").1, "reason");
        let (left, _) = announce(day(3), Some(day(4)), "bảo trì").expect("announced");
        let left = left.expect("there");
        assert_eq!(left.standing(Time(day(2))), Standing::Stopping);
        assert!(!is_over(&left, Time(day(3))) && is_over(&left, Time(day(4))));
        assert_eq!(
            done(&Verb::LiftStop, left),
            (Some(entry()), "service-stop-lifted".to_owned())
        );
        assert_eq!(
            super::tests::refused(&Verb::LiftStop, entry()).0,
            "service-stands-so"
        );
    }

    #[test]
    fn a_program_says_what_is_to_become_of_a_service_in_so_many_words() {
        let read = |text: &str| serde_json::from_str::<Verb>(text);
        assert_eq!(read(r#"{"do":"enable"}"#).expect("reads"), Verb::Enable);
        assert_eq!(
            read(r#"{"do":"sunset","at":5}"#).expect("reads"),
            Verb::Sunset { at: Some(5) }
        );
        for bad in [
            r#"{"do":"explode"}"#,
            r#"{"do":"disable"}"#,
            r#"{"do":"sunset","on":5}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
