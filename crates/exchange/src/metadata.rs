//! The metadata services of X-Road's REST protocol at the provider: what a system offers, what of it
//! the caller may call, and how a service describes itself. No agreement is needed, yet each call is
//! signed and logged like any other. Never names a metadata service in a list.

use std::sync::{Arc, PoisonError};

use kernel::{Kind, Problem, Time};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::gateway::Gateway;
use crate::ids::{CLASS, ServiceId, SystemId};
use crate::message::{NO_AGREEMENT, RequestHead};
use crate::offered::wsdl::without_addresses;
use crate::rest::{Headers, Method, Rest};
use crate::service::{Answer, Service};

/// Calls of metadata services that one gateway answers in a minute, count.
pub(crate) const METADATA_PER_MINUTE: u32 = 6_000;

impl Gateway {
    /// Takes a call of a metadata service out of this minute's.
    pub(crate) fn spend_metadata(&self, head: &RequestHead, now: Time) -> Result<(), Problem> {
        if head.agreement != NO_AGREEMENT {
            return Err(Problem::new(Kind::Malformed, "head-bad"));
        }
        let mut bucket = self.metadata.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(now)
    }

    /// Answers a call of a metadata service.
    ///
    /// # Errors
    /// `service-unknown`, `service-code`, `service-type`, `openapi-unreadable`.
    pub(crate) async fn metadata(&self, head: &RequestHead, now: Time) -> Result<Answer, Problem> {
        if head.rest.method != Method::Get {
            return Ok(Answer::wrong_method("GET"));
        }
        let provider = head.service.provider();
        match head.service.service.as_str() {
            "listMethods" => self.list(&provider, |service| Some(service.endpoints())),
            "allowedMethods" => self.list(&provider, |service| {
                let agreement = self.agreements.find(&head.consumer, &service.id(), now).ok()?;
                if agreement.endpoints.is_empty() {
                    Some(service.endpoints())
                } else {
                    Some(agreement.endpoints.clone())
                }
            }),
            described => {
                let code = parameter(head.rest.query(), "serviceCode")
                    .ok_or_else(|| Problem::invalid("serviceCode", "service-code"))?;
                let id: ServiceId = format!("{provider}/{code}").parse().map_err(|_| {
                    Problem::new(Kind::NotFound, "service-unknown").with("service", &provider)
                })?;
                let service = self.offered(&id)?;
                let answer = if described == "getWsdl" {
                    wsdl_of(service.as_ref())?
                } else {
                    service.describe().await?
                };
                if answer.body.len() > self.store.limits().exchange_body_bytes_max {
                    return Err(Problem::new(Kind::Upstream, "openapi-unreadable").with("service", id));
                }
                Ok(answer)
            }
        }
    }

    /// The services of a system with the endpoints that `of` gives; none for `None`.
    fn list(
        &self,
        provider: &SystemId,
        of: impl Fn(&dyn Service) -> Option<Vec<Endpoint>>,
    ) -> Result<Answer, Problem> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        let mut mine: Vec<Arc<dyn Service>> = services
            .iter()
            .filter(|(id, _)| id.provider() == *provider)
            .map(|(_, service)| Arc::clone(service))
            .collect();
        drop(services);
        mine.sort_by_key(|service| service.id());
        let lines = mine.iter().filter_map(|service| {
            let endpoints = of(service.as_ref())?;
            Some(line(service.as_ref(), &endpoints))
        });
        Answer::json(&json!({"service": lines.collect::<Vec<Value>>()}))
    }
}

/// The WSDL document of a SOAP service, as its operator took it over but for the addresses in it.
fn wsdl_of(service: &dyn Service) -> Result<Answer, Problem> {
    let wsdl = service.wsdl();
    let wsdl = wsdl.ok_or_else(|| Problem::new(Kind::NotFound, "service-type"))?;
    let document = without_addresses(&wsdl.document)
        .ok_or_else(|| Problem::new(Kind::Upstream, "openapi-unreadable").with("service", service.id()))?;
    Ok(Answer {
        status: 200,
        media: "text/xml; charset=utf-8".to_owned(),
        headers: Headers::default(),
        fault: None,
        body: document.into(),
    })
}

fn line(service: &dyn Service, endpoints: &[Endpoint]) -> Value {
    let id = service.id();
    let endpoints = endpoints
        .iter()
        .map(|e| json!({"method": e.method(), "path": e.path()}));
    let kind = match service.wsdl() {
        Some(_) => "WSDL",
        None if service.is_described() => "OPENAPI",
        None => "REST",
    };
    let mut line = json!({
        "object_type": "SERVICE",
        "xroad_instance": id.org.instance(),
        "member_class": CLASS,
        "member_code": id.org.within(),
        "subsystem_code": id.system,
        "service_code": id.service,
        "service_type": kind,
        "endpoint_list": endpoints.collect::<Vec<Value>>(),
    });
    if let Some(wsdl) = service.wsdl() {
        let operations = wsdl.operations.iter();
        let operations = operations.map(|o| json!({"name": o.name, "soap_action": o.action}));
        line["operation_list"] = operations.collect();
    }
    line
}

/// Which service a call is about: of one that describes another, that other.
pub(crate) fn asked_about(service: &ServiceId, rest: &Rest) -> ServiceId {
    let code = parameter(rest.query(), "serviceCode").filter(|_| service.is_reserved());
    let named = code.and_then(|code| format!("{}/{code}", service.provider()).parse().ok());
    named.unwrap_or_else(|| service.clone())
}

/// The first value of a parameter of a query. Codes have no letter that a query would escape.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        for (query, found) in [
            ("serviceCode=a-b", Some("a-b")),
            ("x=1&serviceCode=a&serviceCode=b", Some("a")),
            ("serviceCode", Some("")),
            ("xserviceCode=a", None),
            ("", None),
        ] {
            assert_eq!(parameter(query, "serviceCode"), found, "{query}");
        }
    }
}
