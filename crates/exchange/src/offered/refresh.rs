//! The document of a service as it stands now, OpenAPI or WSDL: read, compared with what is
//! offered, and taken over once an operator has seen the difference. Never taken over unseen.

use axum::http::Request;
use bytes::Bytes;
use kernel::{Actor, Digest, Kind, Problem};
use serde_json::Value;
use web::client::ClientError;

use super::entry::Entry;
use super::openapi;
use super::schema;
use super::setup::{Setup, Wsdl};
use super::wsdl;
use crate::agreement::Agreement;
use crate::endpoint::Endpoint;
use crate::gateway::Exchange;
use crate::ids::ServiceId;

/// What a document lists besides, or no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What is not offered yet.
    pub added: Vec<String>,
    /// What is offered and not listed any more.
    pub removed: Vec<String>,
    /// Names what was found: to take over just this.
    pub seen: Digest,
    /// True when the document is another, whatever it lists.
    pub is_other: bool,
    found: Found,
}

/// What a document lists.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Endpoints(Vec<Endpoint>),
    Wsdl(Wsdl),
}

impl Difference {
    fn of_endpoints(offered: &[Endpoint], found: Vec<Endpoint>) -> Self {
        let (before, now) = (texts(offered), texts(&found));
        let seen = Digest::of(now.join("\n").as_bytes());
        Self::between(&before, &now, (seen, false), Found::Endpoints(found))
    }

    fn of_wsdl(offered: &Wsdl, found: Wsdl) -> Self {
        let (before, now) = (texts(&offered.operations), texts(&found.operations));
        let seen = Digest::of(found.document.as_bytes());
        let is_other = offered.document != found.document;
        Self::between(&before, &now, (seen, is_other), Found::Wsdl(found))
    }

    fn between(before: &[String], now: &[String], (seen, is_other): (Digest, bool), found: Found) -> Self {
        let beyond = |of: &[String], other: &[String]| -> Vec<String> {
            of.iter().filter(|e| !other.contains(e)).cloned().collect()
        };
        Self {
            added: beyond(now, before),
            removed: beyond(before, now),
            seen,
            is_other,
            found,
        }
    }

    /// True when nothing would change.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && !self.is_other
    }
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// Why a document could not be fetched.
enum Missed {
    TooLarge,
    Other(String),
}

impl Exchange {
    /// Compares what a service offers with its document: the endpoints of its OpenAPI document, or the
    /// operations of its WSDL; `document` is a WSDL in place of the one at its address.
    ///
    /// # Errors
    /// 404; 422 at `openapi` or `wsdl` when it has no document, or one that cannot be read.
    pub async fn compare_service(
        &self,
        id: &ServiceId,
        document: Option<&str>,
    ) -> Result<Difference, Problem> {
        let setup = self.registered_service(id).await?.setup;
        let document = document.filter(|text| !text.trim().is_empty());
        match &setup.wsdl {
            Some(wsdl) => {
                if document.is_none() && wsdl.url.is_empty() {
                    return Err(Problem::invalid("wsdl_document", "service-wsdl-missing"));
                }
                let new = Wsdl {
                    url: wsdl.url.clone(),
                    document: document.unwrap_or_default().to_owned(),
                    operations: Vec::new(),
                };
                let found = self.with_operations(&setup, new).await?;
                Ok(Difference::of_wsdl(wsdl, found))
            }
            None if setup.openapi.is_empty() => Err(Problem::invalid("openapi", "service-openapi-none")),
            None => {
                let found = self.described(&setup).await?;
                Ok(Difference::of_endpoints(&setup.endpoints, found))
            }
        }
    }

    /// Takes over what the document lists, when it still lists what was seen.
    ///
    /// # Errors
    /// As [`Exchange::compare_service`]; conflict `stale` when it lists something else by now.
    pub async fn accept_endpoints(
        &self,
        id: &ServiceId,
        (seen, document): (&Digest, Option<&str>),
        actor: &Actor,
    ) -> Result<Entry, Problem> {
        let entry = self.registered_service(id).await?;
        let difference = self.compare_service(id, document).await?;
        if difference.seen != *seen {
            return Err(Problem::stale());
        }
        let setup = match difference.found {
            Found::Endpoints(endpoints) => Setup {
                endpoints,
                ..entry.setup
            },
            Found::Wsdl(wsdl) => Setup {
                wsdl: Some(wsdl),
                ..entry.setup
            },
        };
        self.put_setup(id, &setup, actor).await
    }

    /// A WSDL with its operations; fetched from its address when there is no document yet.
    pub(super) async fn with_operations(&self, setup: &Setup, wsdl: Wsdl) -> Result<Wsdl, Problem> {
        let max = self.0.store.limits().wsdl_bytes_max;
        let large = |field: &str| Problem::invalid(field, "service-wsdl-large").with("max", max);
        if !wsdl.document.is_empty() {
            if wsdl.document.len() > max {
                return Err(large("wsdl_document"));
            }
            let described = wsdl::read(&wsdl.document).map_err(|p| p.at("wsdl_document"))?;
            let operations = described.operations;
            return Ok(Wsdl { operations, ..wsdl });
        }
        let fetched = self
            .fetched(setup, (&wsdl.url, "text/xml, application/xml"), max)
            .await;
        let bytes = fetched.map_err(|missed| match missed {
            Missed::TooLarge => large("wsdl"),
            Missed::Other(why) => Problem::invalid("wsdl", "service-wsdl-unreachable").because(why),
        })?;
        let document = String::from_utf8_lossy(&bytes).into_owned();
        let operations = wsdl::read(&document)?.operations;
        Ok(Wsdl {
            document,
            operations,
            ..wsdl
        })
    }

    /// What stands at an address of a service's system.
    async fn fetched(
        &self,
        setup: &Setup,
        (url, accept): (&str, &str),
        bytes_max: usize,
    ) -> Result<Bytes, Missed> {
        let other = |why: &dyn std::fmt::Display| Missed::Other(why.to_string());
        let (_, client) = self.way_to(setup).map_err(|e| other(&e))?;
        let request = Request::get(url)
            .header("accept", accept)
            .body(Bytes::new())
            .map_err(|e| other(&e))?;
        let sent = client.send(request, setup.timeout_ms, bytes_max).await;
        let answer = sent.map_err(|e| match e {
            ClientError::TooLarge => Missed::TooLarge,
            e => other(&e),
        })?;
        if answer.status().as_u16() != 200 {
            return Err(other(&answer.status()));
        }
        Ok(answer.into_body())
    }

    /// The endpoints of a setup's document.
    pub(super) async fn described(&self, setup: &Setup) -> Result<Vec<Endpoint>, Problem> {
        openapi::endpoints(&self.document(setup).await?)
    }

    /// A setup's document as it stands now.
    async fn document(&self, setup: &Setup) -> Result<Value, Problem> {
        let limits = self.0.store.limits();
        let max = limits.openapi_bytes_max;
        let fetched = self
            .fetched(
                setup,
                (
                    &setup.openapi,
                    "application/json, application/yaml;q=0.9, */*;q=0.1",
                ),
                max,
            )
            .await;
        let bytes = fetched.map_err(|missed| match missed {
            Missed::TooLarge => Problem::invalid("openapi", "service-openapi-large").with("max", max),
            Missed::Other(why) => Problem::invalid("openapi", "service-openapi-unreachable").because(why),
        })?;
        openapi::read(&bytes, limits.json_depth_max)
    }

    /// The document of a service that describes itself: one of the platform.
    async fn own_document(&self, id: &ServiceId) -> Result<Option<Value>, Problem> {
        let service = self.0.service(id);
        let Some(service) = service.filter(|own| own.url().is_none() && own.is_described()) else {
            return Ok(None);
        };
        let answer = service.describe().await?;
        let depth = self.0.store.limits().json_depth_max;
        openapi::read(&answer.body, depth).map(Some)
    }

    /// Checks that the fields which an agreement grants are in the answers that the OpenAPI document of
    /// its service describes, where the service is of this node and has one.
    ///
    /// # Errors
    /// 422 at `fields`: `agreement-field-unknown`, `agreement-field-record`, and why the document cannot
    /// be read.
    pub(crate) async fn fields_are_described(&self, text: &Agreement) -> Result<(), Problem> {
        if text.fields.is_empty() {
            return Ok(());
        }
        let entry = match self.whole().registered_service(&text.service).await {
            Err(nobody) if nobody.kind == Kind::NotFound => None,
            entry => Some(entry?),
        };
        let at_fields = |problem: Problem| problem.at("fields");
        let document = match entry {
            Some(entry) if entry.setup.openapi.is_empty() => return Ok(()),
            Some(entry) => Some(self.document(&entry.setup).await.map_err(at_fields)?),
            None => self.own_document(&text.service).await.map_err(at_fields)?,
        };
        let Some(document) = document else {
            return Ok(());
        };
        schema::check(&document, &text.endpoints, &text.fields).map_err(at_fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_comes_and_what_goes() {
        let read = |all: &[&str]| -> Vec<Endpoint> { all.iter().map(|e| e.parse().expect("one")).collect() };
        let d = Difference::of_endpoints(&read(&["GET /a", "GET /b"]), read(&["GET /b", "GET /c"]));
        assert_eq!(
            (d.added, d.removed),
            (vec!["GET /c".to_owned()], vec!["GET /a".to_owned()])
        );
        let same = Difference::of_endpoints(&read(&["GET /a"]), read(&["GET /a"]));
        assert!(same.is_empty());
        assert_ne!(same.seen, d.seen);
    }
}
