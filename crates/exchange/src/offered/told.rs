//! What a provider tells the other parties of its agreements about a service: disabled, to be stopped,
//! going, gone. One signed word says all of it as it stands then; a newer one takes its place. Never
//! what a call depends on: the provider's gateway decides that by itself.

use kernel::{Fact, Kind, OrgCode, Problem, Time};
use seal::key::SigningKey;
use serde::{Deserialize, Serialize};
use store::{Reader, Row, Tx, params};

use super::entry::{Stands, notice};
use crate::gateway::Exchange;
use crate::ids::ServiceId;
use crate::life::words::{self, Said, Signed, Word};

/// How a service stands, for those who may call it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceTold {
    /// Why it does not answer; none when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
    /// The stop that is announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopTold>,
    /// From when it may be gone for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sunset: Option<Time>,
    /// True when it is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// A stop that is announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopTold {
    /// Its first instant.
    pub from: Time,
    /// The first instant behind it; none when nobody knows yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Time>,
    /// Why.
    pub reason: String,
}

impl ServiceTold {
    /// Of a service as its verb left it; of one that is gone when there is none.
    pub(super) fn of(left: Option<&Stands>) -> Self {
        let Some(stands) = left else {
            return Self {
                gone: true,
                ..Self::default()
            };
        };
        let stop = stands.stop.as_ref().map(|stop| StopTold {
            from: stop.from,
            to: stop.to,
            reason: stop.reason.clone(),
        });
        Self {
            disabled: stands.disabled.clone(),
            stop,
            sunset: stands.sunset,
            gone: false,
        }
    }

    /// True for words that an operator could have said.
    pub(crate) fn is_sound(&self) -> bool {
        let stop = self.stop.as_ref();
        let texts = self.disabled.iter().chain(stop.map(|stop| &stop.reason));
        let ends = stop.is_none_or(|stop| stop.to.is_none_or(|to| stop.from < to));
        ends && texts.into_iter().all(|text| notice("notice", text).is_ok())
    }

    /// Why a call would not be answered at an instant, as far as its provider has said.
    pub(crate) fn refusal(&self, service: &ServiceId, at: Time) -> Option<Problem> {
        if self.gone {
            return Some(Problem::new(Kind::NotFound, "service-unknown").with("service", service));
        }
        let holds = |stop: &&StopTold| stop.from <= at && stop.to.is_none_or(|to| at < to);
        let stop = self.stop.as_ref().filter(holds);
        let notice = self.disabled.as_ref().or(stop.map(|stop| &stop.reason))?;
        let disabled = Problem::new(Kind::Unavailable, "service-disabled").with("service", service);
        Some(disabled.with("notice", notice))
    }

    /// True while it says something that a caller has to know.
    #[must_use]
    pub fn matters(&self, at: Time) -> bool {
        let stop = self.stop.as_ref();
        let ahead = stop.is_some_and(|stop| stop.to.is_none_or(|to| at < to));
        self.gone || self.disabled.is_some() || self.sunset.is_some() || ahead
    }
}

/// A word of a provider as the other party keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceNotice {
    /// Of which service.
    pub service: ServiceId,
    /// How it stands.
    pub told: ServiceTold,
    /// When that was said.
    pub said_at: Time,
}

impl Exchange {
    /// What providers elsewhere say now of services that organisations of this node may call, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn service_notices(&self) -> Result<Vec<ServiceNotice>, Problem> {
        let now = self.0.now();
        let mut all = Vec::new();
        for tenant in self.own_tenants() {
            let reader = self.0.store.read(tenant).await?;
            let heard = notices(&reader).await?;
            all.extend(heard.into_iter().filter(|n| !tenant.holds(&n.service.org)));
        }
        all.retain(|notice| notice.told.matters(now));
        all.sort_by(|a, b| a.service.cmp(&b.service));
        all.dedup();
        Ok(all)
    }

    /// What the provider says now of one of them.
    pub(crate) async fn service_notice(&self, service: &ServiceId) -> Result<Option<ServiceNotice>, Problem> {
        let now = self.0.now();
        for tenant in self.own_tenants() {
            if tenant.holds(&service.org) {
                continue;
            }
            let reader = self.0.store.read(tenant).await?;
            let heard = one(&reader, service).await?;
            if let Some(notice) = heard.filter(|notice| notice.told.matters(now)) {
                return Ok(Some(notice));
            }
        }
        Ok(None)
    }
}

/// Says how a service stands now to every other party of an agreement on it.
pub(super) async fn tell(
    tx: &Tx,
    (service, left): (&ServiceId, Option<&Stands>),
    consumers: &[OrgCode],
    key: &SigningKey,
) -> Result<(), Problem> {
    let last = last_serial(tx, service).await?;
    let word = Word {
        party: tx.tenant().clone(),
        at: tx.now(),
        said: Said::Service {
            service: service.clone(),
            serial: crate::life::next_serial(tx.now(), last),
            told: ServiceTold::of(left),
        },
    };
    let signed = words::sign(word, key);
    keep(tx, service, &signed).await?;
    for consumer in consumers.iter().filter(|org| !tx.tenant().holds(org)) {
        let key = format!("{service} {consumer}");
        crate::life::tell_under(tx, consumer, &key, &signed).await?;
    }
    Ok(())
}

/// Lets a consumer whose agreement has just come about hear what was last said of its service, while that
/// matters: the others were told when it was said.
pub(crate) async fn tell_newcomer(tx: &Tx, service: &ServiceId, consumer: &OrgCode) -> Result<(), Problem> {
    if tx.tenant().holds(consumer) {
        return Ok(());
    }
    let row = tx
        .one(
            "select document, word from exchange_service_words where tenant = $1 and service = $2",
            params![tx.tenant(), service.to_string()],
        )
        .await?;
    let Some(row) = row else {
        return Ok(());
    };
    let told: ServiceTold = row.json("document")?;
    if !told.matters(tx.now()) {
        return Ok(());
    }
    let signed = words::kept(row.text("word")?)?;
    crate::life::tell_under(tx, consumer, &format!("{service} {consumer}"), &signed).await
}

/// Keeps what a provider said of a service, with a fact; nothing when a newer word is kept.
pub(crate) async fn hear(tx: &Tx, service: &ServiceId, heard: &Signed) -> Result<(), Problem> {
    if keep(tx, service, heard).await? {
        let fact = Fact::ServiceNoticeHeard {
            service: service.to_string(),
            by: heard.word.party.clone(),
            word: heard.digest,
        };
        tx.fact(&super::subject(service), fact).await?;
    }
    Ok(())
}

async fn last_serial(tx: &Tx, service: &ServiceId) -> Result<Option<i64>, Problem> {
    let row = tx
        .one(
            "select serial from exchange_service_words where tenant = $1 and service = $2",
            params![tx.tenant(), service.to_string()],
        )
        .await?;
    row.map(|row| row.int("serial")).transpose()
}

/// Keeps a word; false when one that is as new is kept.
async fn keep(tx: &Tx, service: &ServiceId, signed: &Signed) -> Result<bool, Problem> {
    let Said::Service { told, .. } = &signed.word.said else {
        return Err(Problem::internal("a word of a service is one"));
    };
    let kept = tx
        .exec(
            "insert into exchange_service_words (tenant, service, serial, said_at, heard_at, document, word) \
             values ($1, $2, $3, $4, $5, $6, $7) \
             on conflict (tenant, service) do update set serial = excluded.serial, said_at = excluded.said_at, \
             heard_at = excluded.heard_at, document = excluded.document, word = excluded.word \
             where exchange_service_words.serial < excluded.serial",
            params![
                tx.tenant(),
                service.to_string(),
                signed.word.order(),
                signed.word.at,
                tx.now(),
                serde_json::to_string(told).map_err(Problem::internal)?,
                &signed.token
            ],
        )
        .await?;
    Ok(kept == 1)
}

fn notice_of(row: &Row) -> Result<ServiceNotice, Problem> {
    Ok(ServiceNotice {
        service: row.parse("service")?,
        told: row.json("document")?,
        said_at: row.time("said_at")?,
    })
}

pub(crate) async fn notices(reader: &Reader) -> Result<Vec<ServiceNotice>, Problem> {
    let rows = reader
        .all(
            "select service, document, said_at from exchange_service_words where tenant = $1 order by service",
            params![reader.tenant()],
        )
        .await?;
    rows.iter().map(notice_of).collect()
}

async fn one(reader: &Reader, service: &ServiceId) -> Result<Option<ServiceNotice>, Problem> {
    let row = reader
        .one(
            "select service, document, said_at from exchange_service_words where tenant = $1 and service = $2",
            params![reader.tenant(), service.to_string()],
        )
        .await?;
    row.as_ref().map(notice_of).transpose()
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Entry, Stop, tests::entry};
    use super::*;

    #[test]
    fn what_is_told_of_a_service_matters_until_it_is_over() {
        let at = |told: &ServiceTold, ms| told.matters(Time(ms));
        assert!(!at(&ServiceTold::of(Some(&Stands::default())), 0));
        assert!(at(&ServiceTold::of(None), 0), "it is gone");
        let Entry {
            id, stands: mut e, ..
        } = entry();
        e.stop = Some(Stop {
            from: Time(10),
            to: Some(Time(20)),
            reason: "bảo trì".to_owned(),
            announced: Time(0),
        });
        let told = ServiceTold::of(Some(&e));
        assert_eq!([0, 10, 19, 20].map(|ms| at(&told, ms)), [true, true, true, false]);
        let refused = |told: &ServiceTold, ms| {
            let refused = told.refusal(&id, Time(ms));
            refused.map(|problem| (problem.code, problem.args.last().cloned()))
        };
        let for_the_stop = Some(("service-disabled", Some(("notice", "bảo trì".to_owned()))));
        assert_eq!(
            [9, 10, 19, 20].map(|ms| refused(&told, ms)),
            [None, for_the_stop.clone(), for_the_stop, None]
        );
        let gone = refused(&ServiceTold::of(None), 0).map(|(code, _)| code);
        assert_eq!(gone, Some("service-unknown"));
        e.disabled = Some("lỗi".to_owned());
        assert!(at(&ServiceTold::of(Some(&e)), 20));
    }

    #[test]
    fn what_no_operator_could_have_said_is_unsound() {
        let stop = |from, to: Option<i64>, reason: &str| ServiceTold {
            stop: Some(StopTold {
                from: Time(from),
                to: to.map(Time),
                reason: reason.to_owned(),
            }),
            ..ServiceTold::default()
        };
        assert!(stop(1, None, "x").is_sound() && stop(1, Some(2), "x").is_sound());
        assert!(ServiceTold::default().is_sound());
        for bad in [
            stop(2, Some(2), "x"),
            stop(1, None, " "),
            stop(1, None, &"x".repeat(2_000)),
        ] {
            assert!(!bad.is_sound());
        }
        let more = r#"{"gone":true,"more":1}"#;
        assert!(serde_json::from_str::<ServiceTold>(more).is_err());
    }
}
