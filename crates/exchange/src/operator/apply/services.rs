//! What is to be done about a declared service, how it is reached and how it stands, and doing it: by the
//! functions of the pages. What is left out stays as it is. Never takes a service off the node.

use kernel::{Kind, Problem, Time};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use web::Principal;

use super::super::first;
use super::super::services::ServiceText;
use super::groups::differing;
use super::things::of_service;
use super::{DeclaredDifference, Meant};
use crate::gateway::Exchange;
use crate::ids::ServiceId;
use crate::offered::{Listed, Stands, Verb};

/// A service as a file declares it: how it is reached, with at least its name and `url`; how it stands; or
/// both. A service of the platform is declared without `url`.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeclaredService {
    #[serde(skip)]
    service: String,
    #[serde(flatten)]
    #[schema(value_type = ServiceText)]
    text: Option<ServiceText>,
    #[serde(flatten)]
    standing: DeclaredStanding,
}

/// How a service is to stand; what is left out stays, and null takes it back.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredStanding {
    /// Why it is disabled, in the words that callers read; null when it is to answer.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    disabled: Option<Option<String>>,
    /// From when it may be gone for good, milliseconds since 1970.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    sunset: Option<Option<i64>>,
    /// A stop that is announced; not again once it is over.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DeclaredStop>)]
    stop: Option<Option<DeclaredStop>>,
}

/// A stop that is announced.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclaredStop {
    /// From when, milliseconds since 1970.
    from: i64,
    /// Until when, milliseconds since 1970; left out when nobody knows.
    #[serde(default)]
    to: Option<i64>,
    /// Why; callers read it.
    reason: String,
}

/// What is there, be it null.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// The fields of how a service stands.
const STANDING: [&str; 3] = ["disabled", "sunset", "stop"];

impl<'de> Deserialize<'de> for DeclaredService {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        fn read<T: DeserializeOwned, E: serde::de::Error>(fields: Map<String, Value>) -> Result<T, E> {
            serde_json::from_value(Value::Object(fields)).map_err(E::custom)
        }
        let fields = Map::<String, Value>::deserialize(from)?;
        let (stands, reached): (Map<_, _>, Map<_, _>) = fields
            .into_iter()
            .partition(|(field, _)| STANDING.contains(&field.as_str()));
        let service = reached.get("service").and_then(Value::as_str);
        let service = service
            .ok_or_else(|| D::Error::missing_field("service"))?
            .to_owned();
        Ok(Self {
            service,
            text: match reached.len() {
                1 => None,
                _ => Some(read(reached)?),
            },
            standing: read(stands)?,
        })
    }
}

impl DeclaredService {
    /// Its name, as it is written.
    pub(super) fn name(&self) -> String {
        self.service.clone()
    }

    fn id(&self) -> Result<ServiceId, Problem> {
        let id = self.service.parse();
        id.map_err(|_| Problem::invalid("service", "service-name"))
    }
}

impl DeclaredStanding {
    /// What makes a service stand so; a stop that is over is not announced again.
    fn verbs(&self, stands: &Stands, now: Time) -> Vec<Verb> {
        let mut verbs = Vec::new();
        if let Some(disabled) = &self.disabled {
            let words = disabled
                .as_deref()
                .map(str::trim)
                .filter(|words| !words.is_empty());
            match words {
                Some(words) if stands.disabled.as_deref() != Some(words) => verbs.push(Verb::Disable {
                    notice: words.to_owned(),
                }),
                None if stands.disabled.is_some() => verbs.push(Verb::Enable),
                _ => {}
            }
        }
        if let Some(at) = self.sunset.filter(|at| at.map(Time) != stands.sunset) {
            verbs.push(Verb::Sunset { at });
        }
        match (&self.stop, &stands.stop) {
            (Some(None), Some(_)) => verbs.push(Verb::LiftStop),
            (Some(Some(stop)), there) => {
                let is_over = stop.to.is_some_and(|to| Time(to) <= now);
                let is_there = there.as_ref().is_some_and(|there| {
                    let (from, to) = (there.from.ms(), there.to.map(Time::ms));
                    (from, to, there.reason.as_str()) == (stop.from, stop.to, stop.reason.trim())
                });
                if !is_over && !is_there {
                    verbs.push(Verb::AnnounceStop {
                        from: stop.from,
                        to: stop.to,
                        reason: stop.reason.clone(),
                    });
                }
            }
            _ => {}
        }
        verbs
    }
}

/// The field of a file that a verb comes from.
const fn field_of(verb: &Verb) -> &'static str {
    match verb {
        Verb::Disable { .. } | Verb::Enable | Verb::Remove => "disabled",
        Verb::Sunset { .. } => "sunset",
        Verb::AnnounceStop { .. } | Verb::LiftStop => "stop",
    }
}

impl Exchange {
    pub(super) async fn service_meant(&self, declared: &DeclaredService) -> Meant {
        let id = declared.id()?;
        let there = self.declared_before(&id).await?;
        let mut differences = Vec::new();
        if let Some(text) = &declared.text {
            text.meant().read().map_err(first)?;
            differences.extend(setup_meant(&id, there.as_ref(), text)?);
        } else if there.is_none() {
            return Err(Problem::new(Kind::NotFound, "service-unknown")
                .with("service", &id)
                .at("service"));
        }
        let is_new = there.is_none();
        let stands = there.map(|listed| listed.stands).unwrap_or_default();
        differences.extend(self.standing_meant(&id, &stands, &declared.standing)?);
        Ok(match (is_new, differences.is_empty()) {
            (true, _) => ("register", differences),
            (false, true) => ("keep", differences),
            (false, false) => ("change", differences),
        })
    }

    async fn declared_before(&self, id: &ServiceId) -> Result<Option<Listed>, Problem> {
        match self.listed_service(id).await {
            Ok(listed) => Ok(Some(listed)),
            Err(nobody) if nobody.kind == Kind::NotFound => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// What is declared otherwise of how it stands, tried on what is there.
    fn standing_meant(
        &self,
        id: &ServiceId,
        before: &Stands,
        declared: &DeclaredStanding,
    ) -> Result<Vec<DeclaredDifference>, Problem> {
        let (now, first_stop) = (self.0.now(), self.first_stop(id));
        let mut stands = before.clone();
        for verb in declared.verbs(before, now) {
            let left = verb.leaves(&stands, id, now, first_stop);
            stands = left
                .map_err(|problem| problem.at(field_of(&verb)))?
                .unwrap_or_default();
        }
        let words = |stands: &Stands| stands.disabled.clone().unwrap_or_default();
        let instant = |at: Option<Time>| at.map(Time::rfc3339).unwrap_or_default();
        let stop = |stands: &Stands| {
            let stop = stands.stop.as_ref();
            stop.map(|stop| {
                format!(
                    "{}/{} {}",
                    instant(Some(stop.from)),
                    instant(stop.to),
                    stop.reason
                )
            })
            .unwrap_or_default()
        };
        Ok(differing([
            ("disabled", words(before), words(&stands)),
            ("sunset", instant(before.sunset), instant(stands.sunset)),
            ("stop", stop(before), stop(&stands)),
        ]))
    }

    pub(super) async fn do_service(
        &self,
        declared: &DeclaredService,
        who: &Principal,
    ) -> Result<(), Problem> {
        let id = declared.id()?;
        let there = self.declared_before(&id).await?;
        if let Some(text) = &declared.text {
            let (id, setup) = text.meant().read().map_err(first)?;
            let done = match &there {
                None => self.register_service(id, setup, &who.actor).await.map(drop),
                Some(_) if setup_meant(&id, there.as_ref(), text)?.is_empty() => Ok(()),
                Some(_) => self.change_service(&id, setup, &who.actor).await.map(drop),
            };
            done.map_err(first)?;
        }
        let stands = there.map(|listed| listed.stands).unwrap_or_default();
        for verb in declared.standing.verbs(&stands, self.0.now()) {
            let stood = self.stand_service(&id, &verb, &who.actor).await;
            stood.map_err(|problem| problem.at(field_of(&verb)))?;
        }
        Ok(())
    }
}

/// What is declared otherwise of how a service is reached; nothing of one that is new.
fn setup_meant(
    id: &ServiceId,
    there: Option<&Listed>,
    text: &ServiceText,
) -> Result<Vec<DeclaredDifference>, Problem> {
    let Some(listed) = there else {
        return Ok(Vec::new());
    };
    let setup = listed.setup.as_ref();
    let setup = setup.ok_or_else(|| crate::offered::taken(id))?;
    Ok(of_service(id, setup, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<DeclaredService, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_service_is_declared_by_its_way_its_standing_or_both_and_by_nothing_else() {
        let both = r#"{"service":"G01/a/b","url":"http://h","disabled":"x"}"#;
        let both = read(both).expect("reads");
        assert!(both.text.is_some() && both.standing.disabled == Some(Some("x".to_owned())));
        let stands = read(r#"{"service":"G01/a/b","sunset":null}"#).expect("reads");
        assert!(stands.text.is_none() && stands.standing.sunset == Some(None));
        assert!(stands.standing.disabled.is_none(), "left out, it stays");
        for bad in [
            r#"{"url":"http://h"}"#,
            r#"{"service":"G01/a/b","more":1}"#,
            r#"{"service":"G01/a/b","url":"http://h","more":1}"#,
            r#"{"service":"G01/a/b","stop":{"from":1}}"#,
            r#"{"service":"G01/a/b","stop":{"from":1,"reason":"x","more":1}}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
