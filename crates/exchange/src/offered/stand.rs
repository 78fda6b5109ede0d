//! What an operator says of a service besides how it is reached: disabled or not, a stop, a sunset, the end
//! of one that was registered. It holds at once. Never takes a service away while it answers.

use kernel::{Actor, Date, Digest, Fact, Kind, Problem, Time};
use serde::Deserialize;
use store::Tx;
use utoipa::ToSchema;

use super::entry::{Entry, Standing, Stands, Stop, notice};
use super::own::OwnService;
use super::store as rows;
use crate::gateway::Exchange;
use crate::ids::ServiceId;

/// What is to become of a service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = ServiceVerb)]
pub enum Verb {
    /// It stops answering at once; or callers read other words from now on.
    Disable {
        /// Why; callers read it.
        notice: String,
    },
    /// It answers again.
    Enable,
    /// It may be gone for good from a day on; none takes that back, and has to be said.
    Sunset {
        /// The day's first instant, milliseconds since 1970; null takes it back.
        #[serde(deserialize_with = "Option::deserialize")]
        #[schema(required)]
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
    /// It is taken off the node; it must be disabled, and not of the platform.
    Remove,
}

/// What was said of a service before a verb.
enum Before {
    Registered(Box<Entry>),
    OfThePlatform(Stands),
}

impl Before {
    fn stands(&self) -> &Stands {
        match self {
            Self::Registered(entry) => &entry.stands,
            Self::OfThePlatform(stands) => stands,
        }
    }
}

/// What is left of a service behind a verb.
enum Left {
    Registered(Box<Entry>),
    OfThePlatform(Stands),
    Nothing,
}

impl Left {
    fn stands(&self) -> Option<&Stands> {
        match self {
            Self::Registered(entry) => Some(&entry.stands),
            Self::OfThePlatform(stands) => Some(stands),
            Self::Nothing => None,
        }
    }

    /// What a fact names of it.
    fn digest(&self, id: &ServiceId) -> Digest {
        match self {
            Self::Registered(entry) => super::digest(entry),
            Self::OfThePlatform(stands) => super::digest(&OwnService { id, stands }),
            Self::Nothing => super::digest(id),
        }
    }
}

impl Exchange {
    /// Does something with a service; the other parties of its agreements are told.
    ///
    /// # Errors
    /// 404 when this node offers none of that name; 422 at the field that is not sound; conflict
    /// `service-stands-so` when it stands so already, `service-enabled` for the end of a service that
    /// answers, `service-of-platform` for the end of one of the platform.
    pub async fn stand_service(&self, id: &ServiceId, verb: &Verb, actor: &Actor) -> Result<(), Problem> {
        let first = self.first_stop(id);
        let _turn = self.0.offering.lock().await;
        let (tenant, seal) = self.voice(&id.org).map_err(|_| Problem::not_found())?;
        let consumers = self.agreements().consumers_of(id, self.0.now());
        let (consumers, key) = (&consumers, &seal.key);
        let is_own = self.of_the_platform(id).is_some();
        let left = self
            .0
            .store
            .write(tenant, actor, |tx| async move {
                let before = before(&tx, id, is_own).await?;
                let left = left_by(verb, before, id, tx.now(), first)?;
                match &left {
                    Left::Registered(entry) => rows::save(&tx, entry).await?,
                    Left::OfThePlatform(stands) => rows::save_own(&tx, id, stands).await?,
                    Left::Nothing => rows::remove(&tx, id).await?,
                }
                tx.fact(&super::subject(id), fact(verb, id, &left)).await?;
                super::told::tell(&tx, (id, left.stands()), consumers, key).await?;
                Ok(left)
            })
            .await?;
        match left {
            Left::Registered(entry) => self.offer(*entry)?,
            Left::OfThePlatform(stands) => self.0.own.put(id.clone(), stands),
            Left::Nothing => {
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

/// What was said of a service; of one of the platform also when that is nothing.
async fn before(tx: &Tx, id: &ServiceId, is_own: bool) -> Result<Before, Problem> {
    if let Some(entry) = rows::entry(tx, id).await? {
        return Ok(Before::Registered(Box::new(entry)));
    }
    if !is_own {
        return Err(Problem::not_found());
    }
    let said = rows::own_stand(tx, id).await?;
    Ok(Before::OfThePlatform(said.unwrap_or_default()))
}

/// The service as the verb leaves it.
fn left_by(
    verb: &Verb,
    before: Before,
    id: &ServiceId,
    now: Time,
    first_stop: Option<Date>,
) -> Result<Left, Problem> {
    let stands = verb.leaves(before.stands(), id, now, first_stop)?;
    match (before, stands) {
        (Before::Registered(entry), Some(stands)) => {
            Ok(Left::Registered(Box::new(Entry { stands, ..*entry })))
        }
        (Before::Registered(_), None) => Ok(Left::Nothing),
        (Before::OfThePlatform(_), Some(stands)) => Ok(Left::OfThePlatform(stands)),
        (Before::OfThePlatform(_), None) => {
            Err(Problem::new(Kind::Conflict, "service-of-platform").with("service", id))
        }
    }
}

fn fact(verb: &Verb, id: &ServiceId, left: &Left) -> Fact {
    let (service, entry) = (id.to_string(), left.digest(id));
    match verb {
        Verb::Disable { .. } => Fact::ServiceDisabled { service, entry },
        Verb::Enable => Fact::ServiceEnabled { service, entry },
        Verb::Sunset { at } => Fact::ServiceSunsetSet {
            service,
            sunset: at.map(Time),
            entry,
        },
        Verb::AnnounceStop { from, to, .. } => Fact::ServiceStopAnnounced {
            service,
            from: Time(*from),
            to: to.map(Time),
            entry,
        },
        Verb::LiftStop => Fact::ServiceStopLifted { service, entry },
        Verb::Remove => Fact::ServiceRemoved { service },
    }
}

fn so_already(service: &ServiceId) -> Problem {
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
    /// How a service stands behind it that stood as told; `None` when it is gone.
    ///
    /// # Errors
    /// As [`Exchange::stand_service`].
    pub(crate) fn leaves(
        &self,
        before: &Stands,
        id: &ServiceId,
        now: Time,
        first_stop: Option<Date>,
    ) -> Result<Option<Stands>, Problem> {
        let mut stands = before.clone();
        match self {
            Self::Remove if stands.disabled.is_none() => {
                return Err(Problem::new(Kind::Conflict, "service-enabled").with("service", id));
            }
            Self::Remove => return Ok(None),
            Self::Enable => stands.disabled = None,
            Self::Disable { notice: text } => stands.disabled = Some(notice("notice", text)?.to_owned()),
            Self::Sunset { at } => {
                let sunset = at.map(Time);
                if sunset != stands.sunset && sunset.is_some_and(|at| at <= now) {
                    return Err(Problem::invalid("at", "service-sunset-past"));
                }
                stands.sunset = sunset;
            }
            Self::AnnounceStop { from, to, reason } => {
                stands.stop = Some(stop(Time(*from), to.map(Time), reason, now, first_stop)?);
            }
            Self::LiftStop => stands.stop = None,
        }
        if stands == *before {
            return Err(so_already(id));
        }
        Ok(Some(stands))
    }

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
pub(crate) fn is_over(stands: &Stands, at: Time) -> bool {
    stands.stop.is_some() && stands.standing(at) == Standing::Enabled
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::entry;
    use super::*;
    use kernel::time::civil_date;

    fn left(verb: &Verb, before: Before, now: i64, first: Option<Date>) -> Result<Left, Problem> {
        left_by(verb, before, &entry().id, Time(now), first)
    }

    fn done(verb: &Verb, entry: Entry) -> (Option<Entry>, String) {
        let id = entry.id.clone();
        let left = left(verb, Before::Registered(Box::new(entry)), 0, None).expect("done");
        let fact = serde_json::to_value(fact(verb, &id, &left)).expect("json");
        let kind = fact["fact"].as_str().expect("a kind").to_owned();
        match left {
            Left::Registered(entry) => (Some(*entry), kind),
            Left::OfThePlatform(_) => panic!("it was registered"),
            Left::Nothing => (None, kind),
        }
    }

    fn refused(verb: &Verb, entry: Entry) -> (&'static str, Option<String>) {
        let p = left(verb, Before::Registered(Box::new(entry)), 0, None)
            .err()
            .expect("refused");
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
            (off.stands.disabled.as_deref(), fact.as_str()),
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
    fn the_words_of_a_disabled_service_are_changed_without_enabling_it() {
        let (off, _) = done(&disable("lỗi"), entry());
        let (other, fact) = done(&disable("lỗi khác"), off.expect("there"));
        let words = other.expect("there").stands.disabled;
        assert_eq!(
            (words.as_deref(), fact.as_str()),
            (Some("lỗi khác"), "service-disabled")
        );
    }

    #[test]
    fn a_service_of_the_platform_stands_as_any_other_and_is_never_taken_off_the_node() {
        let own = |stands: Stands| Before::OfThePlatform(stands);
        let off = left(&disable("lỗi"), own(Stands::default()), 0, None).expect("done");
        let stands = off.stands().expect("there").clone();
        assert_eq!(stands.disabled.as_deref(), Some("lỗi"));
        let gone = left(&Verb::Remove, own(stands.clone()), 0, None)
            .err()
            .expect("refused");
        assert_eq!((gone.code, gone.kind), ("service-of-platform", Kind::Conflict));
        let again = left(&Verb::Enable, own(stands), 0, None).expect("done");
        assert_eq!(again.stands(), Some(&Stands::default()));
        let id = entry().id;
        assert_ne!(off.digest(&id), again.digest(&id));
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
            let verb = Verb::AnnounceStop { from, to, reason };
            left(&verb, Before::Registered(Box::new(entry())), 1_000, first)
        };
        let refused = |from, to, reason| {
            let p = announce(from, to, reason).err().expect("refused");
            (p.code, p.field.expect("a field"), p.args)
        };
        let (code, field, args) = refused(day(2), None, "x");
        assert_eq!((code, field.as_str()), ("service-stop-soon", "from"));
        assert_eq!(args, [("first", "2026-12-03".to_owned())]);
        assert_eq!(refused(day(3), Some(day(3)), "x").0, "service-stop-ends");
        assert_eq!(refused(day(3), None, " ").1, "reason");
        let Left::Registered(left) = announce(day(3), Some(day(4)), "bảo trì").expect("announced") else {
            panic!("it is there");
        };
        assert_eq!(left.stands.standing(Time(day(2))), Standing::Stopping);
        assert!(!is_over(&left.stands, Time(day(3))) && is_over(&left.stands, Time(day(4))));
        assert_eq!(
            done(&Verb::LiftStop, *left),
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
            r#"{"do":"sunset"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
