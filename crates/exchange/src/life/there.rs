//! Whether a provider offers what it is asked for: its own node knows, and tells by `listMethods`. Never
//! keeps a request back because nobody could be asked: the provider answers that one itself.

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use kernel::{Actor, Problem};
use serde::Deserialize;

use crate::agreement::Agreement;
use crate::client::Ask;
use crate::endpoint::Endpoint;
use crate::gateway::Exchange;
use crate::ids::{ServiceId, SystemId};
use crate::rest::{Method, Rest};

/// How long a provider's node is given to tell what it offers: an operator waits for it.
const TELL_MAX: Duration = Duration::from_secs(3);
/// Names that a refusal lists, count.
const NAMES_MAX: usize = 10;

/// A service that a system offers.
struct Offered {
    code: String,
    /// Empty when nobody listed them.
    endpoints: Vec<Endpoint>,
}

/// What `listMethods` answers, as far as it is looked at.
#[derive(Deserialize)]
struct Listed {
    service: Vec<ListedService>,
}

#[derive(Deserialize)]
struct ListedService {
    service_code: String,
    #[serde(default)]
    endpoint_list: Vec<ListedEndpoint>,
}

#[derive(Deserialize)]
struct ListedEndpoint {
    method: String,
    path: String,
}

impl Exchange {
    /// Refuses what the provider's node says that it does not offer.
    ///
    /// # Errors
    /// 422 `agreement-service-none` at `service`, `agreement-endpoint-none` at `endpoints`.
    pub(crate) async fn is_offered(&self, draft: &Agreement, actor: &Actor) -> Result<(), Problem> {
        let provider = draft.service.provider();
        let offered = if self.0.voice(&provider.org).is_some() {
            Some(self.offered_here(&provider))
        } else {
            self.offered_there(draft, &provider, actor).await
        };
        offered.map_or(Ok(()), |offered| check(draft, &offered))
    }

    fn offered_here(&self, provider: &SystemId) -> Vec<Offered> {
        let services = self.0.services.read().unwrap_or_else(PoisonError::into_inner);
        let mine = services.iter().filter(|(id, _)| id.provider() == *provider);
        mine.map(|(id, service)| Offered {
            code: id.service.clone(),
            endpoints: service.endpoints(),
        })
        .collect()
    }

    /// What a system elsewhere offers; `None` when its node does not tell.
    async fn offered_there(
        &self,
        draft: &Agreement,
        provider: &SystemId,
        actor: &Actor,
    ) -> Option<Vec<Offered>> {
        let service: ServiceId = format!("{provider}/listMethods").parse().ok()?;
        let ask = Ask {
            consumer: draft.consumer.clone(),
            service,
            body: Bytes::new(),
            on_behalf: actor.to_string(),
            issue: None,
            idempotency: None,
        };
        let rest = Rest {
            method: Method::Get,
            media: String::new(),
            ..Rest::default()
        };
        let told = tokio::time::timeout(TELL_MAX, self.exchange(ask, None, rest)).await;
        match told {
            Ok(Ok(told)) if told.fault.is_none() && told.heard.status == 200 => read(&told.heard.body),
            Ok(Err(refused)) => {
                let problem = refused.problem;
                tracing::info!(%provider, %problem, "a provider did not tell what it offers");
                None
            }
            _ => None,
        }
    }
}

/// What a node tells. An endpoint of a form that is not ours stands for any: it keeps nothing back.
fn read(body: &[u8]) -> Option<Vec<Offered>> {
    let listed: Listed = serde_json::from_slice(body).ok()?;
    let services = listed.service.into_iter().map(|service| {
        let endpoints = service.endpoint_list.iter();
        let read: Result<Vec<Endpoint>, _> = endpoints
            .map(|e| format!("{} {}", e.method, e.path).parse())
            .collect();
        Offered {
            code: service.service_code,
            endpoints: read.unwrap_or_default(),
        }
    });
    Some(services.collect())
}

fn check(draft: &Agreement, offered: &[Offered]) -> Result<(), Problem> {
    let service = &draft.service;
    let Some(found) = offered.iter().find(|one| one.code == service.service) else {
        let mut codes: Vec<&str> = offered.iter().map(|one| one.code.as_str()).collect();
        codes.sort_unstable();
        return Err(Problem::invalid("service", "agreement-service-none")
            .with("system", service.provider())
            .with("service", service)
            .with("offered", names(codes.into_iter())));
    };
    let nowhere = |asked: &&Endpoint| !found.endpoints.iter().any(|there| meet(asked, there));
    let missing = draft.endpoints.iter().find(nowhere);
    match missing.filter(|_| !found.endpoints.is_empty()) {
        None => Ok(()),
        Some(endpoint) => Err(Problem::invalid("endpoints", "agreement-endpoint-none")
            .with("endpoint", endpoint)
            .with("service", service)
            .with("offered", names(found.endpoints.iter()))),
    }
}

/// The first names of a list; `–` for none.
fn names<T: ToString>(all: impl Iterator<Item = T>) -> String {
    let mut names: Vec<String> = all.take(NAMES_MAX + 1).map(|name| name.to_string()).collect();
    match names.len() {
        0 => "–".to_owned(),
        n if n > NAMES_MAX => {
            names.truncate(NAMES_MAX);
            format!("{}, …", names.join(", "))
        }
        _ => names.join(", "),
    }
}

/// Whether some call may be one of both. In doubt it may: a pattern meets every other.
fn meet(a: &Endpoint, b: &Endpoint) -> bool {
    let any = |e: &Endpoint| e.method() == "*";
    let segments = |e: &Endpoint| -> Vec<String> { e.path().split('/').map(str::to_owned).collect() };
    (any(a) || any(b) || a.method() == b.method()) && paths_meet(&segments(a), &segments(b))
}

fn paths_meet(a: &[String], b: &[String]) -> bool {
    let below = |rest: &[String]| matches!(rest, [last] if last == "**");
    let open = |segment: &str| segment.contains('*') || segment.starts_with('{');
    match (a, b) {
        _ if below(a) || below(b) => true,
        ([], []) => true,
        ([x, a @ ..], [y, b @ ..]) => (open(x) || open(y) || x == y) && paths_meet(a, b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().expect("an endpoint")
    }

    #[test]
    fn two_endpoints_meet_where_some_call_may_be_one_of_both() {
        for (a, b, together) in [
            ("GET /persons/{id}", "GET /persons/{number}", true),
            ("GET /persons/42", "GET /persons/{id}", true),
            ("GET /persons/*", "GET /persons/{id}", true),
            ("* /persons/{id}", "DELETE /persons/{id}", true),
            ("GET /open/**", "GET /open/a/b", true),
            ("GET /**", "GET /", true),
            ("GET /persons", "GET /persons/{id}", false),
            ("POST /persons/{id}", "GET /persons/{id}", false),
            ("GET /people/{id}", "GET /persons/{id}", false),
            ("GET /closed/**", "GET /open/a", false),
        ] {
            let met = meet(&endpoint(a), &endpoint(b));
            assert_eq!(
                (met, meet(&endpoint(b), &endpoint(a))),
                (together, together),
                "{a} {b}"
            );
        }
    }

    #[test]
    fn what_a_provider_tells_keeps_back_only_what_it_does_not_offer() {
        let told = br#"{"service":[{"service_code":"persons","endpoint_list":[{"method":"GET","path":"/a"}],
            "service_type":"REST"},{"service_code":"acts"},
            {"service_code":"odd","endpoint_list":[{"method":"BREW","path":"/a"}]}]}"#;
        let offered = read(told).expect("reads");
        let code = |service: &str, endpoints: &[&str]| {
            let draft = Agreement {
                service: format!("G01/population/{service}").parse().expect("an id"),
                endpoints: endpoints.iter().map(|e| endpoint(e)).collect(),
                ..sample()
            };
            check(&draft, &offered).err().map(|p| (p.code, p.args))
        };
        assert_eq!(code("persons", &["GET /a"]), None);
        assert_eq!(code("persons", &[]), None);
        assert_eq!(
            code("acts", &["GET /anything"]),
            None,
            "nobody listed its endpoints"
        );
        assert_eq!(code("odd", &["GET /anything"]), None, "a form that is not ours");
        let (key, args) = code("person", &[]).expect("refused");
        assert_eq!(key, "agreement-service-none");
        assert!(args.contains(&("offered", "acts, odd, persons".to_owned())));
        let (key, args) = code("persons", &["GET /a", "GET /b"]).expect("refused");
        assert_eq!(key, "agreement-endpoint-none");
        assert!(args.contains(&("endpoint", "GET /b".to_owned())));
        assert!(read(b"<html>").is_none());
        assert_eq!(names(std::iter::empty::<String>()), "–");
        assert!(names((0..50).map(|n| n.to_string())).ends_with("9, …"));
    }
}
