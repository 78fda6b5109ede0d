//! How a registered service is called: not while it is disabled or stopped, and with what its operator
//! lets callers know of its future. Never a change to what the service itself says.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use kernel::{Digest, Problem, Time};

use super::entry::{Entry, Stands, http_date};
use super::setup::Wsdl;
use super::ways::Ways;
use crate::delegation::HEADER;
use crate::delegation::book::{Acts, Delegations};
use crate::endpoint::Endpoint;
use crate::ids::ServiceId;
use crate::rest::HEADERS_MAX;
use crate::service::{Answer, Call, Large, Service};
use crate::spool::Spool;

/// The header of a stop that lies ahead: an ISO 8601 interval.
const PLANNED_STOP: &str = "sen-planned-stop";

/// The registered services as they are in memory, by name.
#[derive(Default)]
pub(crate) struct RegisteredServices(RwLock<HashMap<ServiceId, Arc<Registered>>>);

impl RegisteredServices {
    /// All of them.
    pub(super) fn read(&self) -> Vec<Arc<Registered>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }

    /// One of them.
    pub(super) fn get(&self, id: &ServiceId) -> Option<Arc<Registered>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(id).cloned()
    }

    /// Takes one in, in place of what it was before.
    pub(super) fn put(&self, service: Arc<Registered>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(service.entry.id.clone(), service);
    }

    /// Takes one out.
    pub(super) fn remove(&self, id: &ServiceId) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(id);
    }
}

/// A service as an operator registered it.
pub(super) struct Registered {
    pub(super) entry: Entry,
    pub(super) ways: Ways,
    pub(super) delegations: Delegations,
}

#[async_trait]
impl Service for Registered {
    fn id(&self) -> ServiceId {
        self.entry.id.clone()
    }

    fn is_rest(&self) -> bool {
        self.ways.at(0).is_rest()
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.ways.at(0).endpoints()
    }

    fn is_described(&self) -> bool {
        self.ways.at(0).is_described()
    }

    fn wsdl(&self) -> Option<&Wsdl> {
        self.entry.setup.wsdl.as_ref()
    }

    async fn describe(&self) -> Result<Answer, Problem> {
        self.ways.at(0).describe().await
    }

    fn url(&self) -> Option<&str> {
        self.ways.at(0).url()
    }

    fn ways(&self) -> usize {
        self.ways.len()
    }

    fn way(&self, way: usize) -> Option<&str> {
        self.ways.at(way).url()
    }

    fn pick(&self) -> usize {
        self.ways.pick()
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let at = call.at;
        let delegation = self.may(at)?;
        let answer = self.ways.at(0).call(call).await?;
        Ok(self.finished(answer, delegation, at))
    }

    async fn call_large(&self, call: &Call, large: &Large) -> Result<(Answer, Option<Arc<Spool>>), Problem> {
        let at = call.at;
        let delegation = self.may(at)?;
        let (answer, spool) = self.ways.at(large.way).call_large(call, large).await?;
        Ok((self.finished(answer, delegation, at), spool))
    }
}

impl Entry {
    /// Refuses a call while the service is disabled or stopped, or is published in another's name
    /// without a delegation; gives the delegation.
    pub(crate) fn may(&self, delegations: &Delegations, at: Time) -> Result<Option<Digest>, Problem> {
        if let Some(refusal) = self.stands.refusal(&self.id, at) {
            return Err(refusal);
        }
        let delegator = self.setup.publishes_for.as_ref();
        let found = delegator.map(|delegator| delegations.find(&Acts::publishing(delegator, &self.id), at));
        found.transpose()
    }
}

impl Registered {
    /// As [`Entry::may`].
    pub(super) fn may(&self, at: Time) -> Result<Option<Digest>, Problem> {
        self.entry.may(&self.delegations, at)
    }

    fn finished(&self, answer: Answer, delegation: Option<Digest>, at: Time) -> Answer {
        let mut answer = with_future(answer, &self.entry.stands, at);
        if let Some(hash) = delegation {
            answer.headers = answer.headers.with(HEADER, &hash.hex());
        }
        answer
    }
}

/// With `Sunset` (RFC 8594) and the stop that lies ahead; what the service says of them itself stays.
pub(super) fn with_future(mut answer: Answer, stands: &Stands, at: Time) -> Answer {
    let sunset = stands.sunset.map(http_date);
    for (name, value) in [("sunset", sunset), (PLANNED_STOP, stands.planned_stop(at))] {
        let room = answer.headers.get(name).is_none() && answer.headers.iter().count() < HEADERS_MAX;
        if let Some(value) = value.filter(|_| room) {
            answer.headers = answer.headers.with(name, &value);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::entry;
    use super::*;
    use crate::rest::{Headers, Way};

    fn answer(headers: &[(&str, &str)]) -> Answer {
        let mut all = Headers::default();
        for (name, value) in headers {
            assert!(all.read(name, value, Way::Answer));
        }
        Answer {
            headers: all,
            ..Answer::json(&1).expect("json")
        }
    }

    #[test]
    fn an_answer_tells_when_its_service_may_be_gone_unless_the_service_says_so_itself() {
        let mut e = entry().stands;
        assert_eq!(with_future(answer(&[]), &e, Time(0)).headers.iter().count(), 0);
        e.sunset = Some(Time(0));
        let told = with_future(answer(&[]), &e, Time(0));
        assert_eq!(told.headers.get("sunset"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        let own = with_future(answer(&[("sunset", "x")]), &e, Time(0));
        assert_eq!(own.headers.get("sunset"), Some("x"));
        let many = vec![("x-many", "1"); HEADERS_MAX];
        let full = with_future(answer(&many), &e, Time(0));
        assert_eq!(
            full.headers.iter().count(),
            HEADERS_MAX,
            "one more could not be read"
        );
    }
}
