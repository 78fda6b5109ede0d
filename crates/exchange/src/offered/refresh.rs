//! The endpoints of a service's OpenAPI document as it stands now: read, compared with those that are
//! offered, and taken over once an operator has seen the difference. Never taken over unseen.

use axum::http::Request;
use bytes::Bytes;
use kernel::{Actor, Digest, Kind, Problem};
use serde_json::Value;
use web::client::ClientError;

use super::entry::Entry;
use super::openapi;
use super::schema;
use super::setup::Setup;
use crate::agreement::Agreement;
use crate::endpoint::Endpoint;
use crate::gateway::Exchange;
use crate::ids::ServiceId;

/// What a document lists besides, or no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// All that it lists.
    pub found: Vec<Endpoint>,
    /// What is not offered yet.
    pub added: Vec<Endpoint>,
    /// What is offered and not listed any more.
    pub removed: Vec<Endpoint>,
    /// Names what was found: to take over just this.
    pub seen: Digest,
}

impl Difference {
    fn of(offered: &[Endpoint], found: Vec<Endpoint>) -> Self {
        let beyond = |of: &[Endpoint], other: &[Endpoint]| -> Vec<Endpoint> {
            of.iter().filter(|e| !other.contains(e)).cloned().collect()
        };
        let text: Vec<String> = found.iter().map(ToString::to_string).collect();
        Self {
            added: beyond(&found, offered),
            removed: beyond(offered, &found),
            seen: Digest::of(text.join("\n").as_bytes()),
            found,
        }
    }

    /// True when nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

impl Exchange {
    /// Compares a service's endpoints with those of its document.
    ///
    /// # Errors
    /// 404; 422 at `openapi` when it has no document, or one that cannot be read.
    pub async fn compare_service(&self, id: &ServiceId) -> Result<Difference, Problem> {
        let entry = self.registered_service(id).await?;
        if entry.setup.openapi.is_empty() {
            return Err(Problem::invalid("openapi", "service-openapi-none"));
        }
        let found = self.described(&entry.setup).await?;
        Ok(Difference::of(&entry.setup.endpoints, found))
    }

    /// Takes over the endpoints of the document, when it still lists what was seen.
    ///
    /// # Errors
    /// As [`Exchange::compare_service`]; conflict `stale` when it lists something else by now.
    pub async fn accept_endpoints(
        &self,
        id: &ServiceId,
        seen: &Digest,
        actor: &Actor,
    ) -> Result<Entry, Problem> {
        let entry = self.registered_service(id).await?;
        let difference = self.compare_service(id).await?;
        if difference.seen != *seen {
            return Err(Problem::stale());
        }
        let setup = Setup {
            endpoints: difference.found,
            ..entry.setup
        };
        self.put_setup(id, &setup, actor).await
    }

    /// The endpoints of a setup's document.
    pub(super) async fn described(&self, setup: &Setup) -> Result<Vec<Endpoint>, Problem> {
        openapi::endpoints(&self.document(setup).await?)
    }

    /// A setup's document as it stands now.
    async fn document(&self, setup: &Setup) -> Result<Value, Problem> {
        let limits = self.0.store.limits();
        let (_, client) = self.way_to(setup)?;
        let unreachable = || Problem::invalid("openapi", "service-openapi-unreachable");
        let request = Request::get(&setup.openapi)
            .header("accept", "application/json")
            .body(Bytes::new())
            .map_err(|e| unreachable().because(e))?;
        let sent = client
            .send(request, setup.timeout_ms, limits.openapi_bytes_max)
            .await;
        let answer = sent.map_err(|e| match e {
            ClientError::TooLarge => {
                Problem::invalid("openapi", "service-openapi-large").with("max", limits.openapi_bytes_max)
            }
            e => unreachable().because(e),
        })?;
        if answer.status().as_u16() != 200 {
            return Err(unreachable().because(answer.status()));
        }
        openapi::read(answer.body(), limits.json_depth_max)
    }

    /// Checks that the fields which an agreement grants are in the answers that the OpenAPI document of
    /// its service describes, where the service is registered here and has one.
    ///
    /// # Errors
    /// 422 at `fields`: `agreement-field-unknown`, `agreement-field-record`, and why the document cannot
    /// be read.
    pub(crate) async fn fields_are_described(&self, text: &Agreement) -> Result<(), Problem> {
        if text.fields.is_empty() {
            return Ok(());
        }
        let entry = match self.registered_service(&text.service).await {
            Err(nobody) if nobody.kind == Kind::NotFound => return Ok(()),
            entry => entry?,
        };
        if entry.setup.openapi.is_empty() {
            return Ok(());
        }
        let at_fields = |problem: Problem| problem.at("fields");
        let document = self.document(&entry.setup).await.map_err(at_fields)?;
        schema::check(&document, &text.endpoints, &text.fields).map_err(at_fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_comes_and_what_goes() {
        let read = |all: &[&str]| -> Vec<Endpoint> { all.iter().map(|e| e.parse().expect("one")).collect() };
        let d = Difference::of(&read(&["GET /a", "GET /b"]), read(&["GET /b", "GET /c"]));
        assert_eq!((d.added, d.removed), (read(&["GET /c"]), read(&["GET /a"])));
        let same = Difference::of(&read(&["GET /a"]), read(&["GET /a"]));
        assert!(same.is_empty());
        assert_ne!(same.seen, d.seen);
    }
}
