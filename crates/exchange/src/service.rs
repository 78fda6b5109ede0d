//! What a provider offers: one call in, one answer out. Never a socket or a signature: the gateway
//! has dealt with both before a service is called.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use kernel::{Kind, Problem, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agreement::Agreement;
use crate::endpoint::Endpoint;
use crate::ids::{ServiceId, SystemId};
use crate::offered::Wsdl;
use crate::rest::{Headers, Method, Rest};
use crate::spool::{Spool, Spools};

/// Size of a body that is taken whole into memory, as services and callers within the platform do, in
/// bytes.
pub(crate) const WHOLE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A service on the exchange.
#[async_trait]
pub trait Service: Send + Sync {
    /// Its name; one service a name and node.
    fn id(&self) -> ServiceId;

    /// Answers a call that the gateway has verified and allowed.
    ///
    /// # Errors
    /// A problem becomes a signed problem+json answer: a refusal is evidence too.
    async fn call(&self, call: Call) -> Result<Answer, Problem>;

    /// As [`Service::call`], for a body and an answer that may not fit into memory: how systems behind
    /// this gateway are called, and what else gets a large body. The answer's body is on disk when one
    /// is given beside it.
    ///
    /// # Errors
    /// As [`Service::call`]; `body-too-large` when the service takes none that large.
    async fn call_large(&self, call: &Call, large: &Large) -> Result<(Answer, Option<Arc<Spool>>), Problem> {
        let mut call = call.clone();
        if let Some(spool) = &large.body {
            call.body = spool.whole(WHOLE_BYTES_MAX).await?;
        }
        Ok((self.call(call).await?, None))
    }

    /// Where it is called, when that is a system behind this gateway: when it fails again and again,
    /// the gateway answers in its place for a while. `None` for a service within the platform.
    fn url(&self) -> Option<&str> {
        None
    }

    /// At how many addresses it is called.
    fn ways(&self) -> usize {
        usize::from(self.url().is_some())
    }

    /// One of them.
    fn way(&self, _way: usize) -> Option<&str> {
        self.url()
    }

    /// Whose turn it is among them.
    fn pick(&self) -> usize {
        0
    }

    /// True when it takes every method and every path below it; else it takes POST at itself, and
    /// the gateway answers the rest with 405 and 404.
    fn is_rest(&self) -> bool {
        false
    }

    /// Its endpoints, as the metadata services list them.
    fn endpoints(&self) -> Vec<Endpoint> {
        vec![Endpoint::post()]
    }

    /// True when it has an OpenAPI description.
    fn is_described(&self) -> bool {
        false
    }

    /// Its WSDL document and the operations it describes, when it is a SOAP service.
    fn wsdl(&self) -> Option<&Wsdl> {
        None
    }

    /// Its OpenAPI description as it stands now, JSON or YAML.
    ///
    /// # Errors
    /// `service-type` when it has none, `openapi-unreadable` when it cannot be had.
    async fn describe(&self) -> Result<Answer, Problem> {
        Err(Problem::new(Kind::NotFound, "service-type"))
    }
}

/// What a service within the platform does not take: another method than POST, a path below it.
pub(crate) fn refused_form(service: &dyn Service, rest: &Rest) -> Option<Answer> {
    if service.is_rest() {
        None
    } else if !matches!(rest.path(), "" | "/") {
        let problem = Problem::new(Kind::NotFound, "service-path").with("service", service.id());
        Some(Answer::of_problem(&problem))
    } else if rest.method == Method::Post {
        None
    } else {
        Some(Answer::wrong_method("POST"))
    }
}

/// What goes with a call whose bodies may not fit into memory.
#[derive(Clone, Debug)]
pub struct Large {
    /// The call's body in place of [`Call::body`]; `None` when that is the body.
    pub body: Option<Arc<Spool>>,
    /// Where a large answer goes.
    pub spools: Spools,
    /// Size of an answer that stays in memory, in bytes.
    pub memory_bytes_max: usize,
    /// At which of its addresses the service is called.
    pub(crate) way: usize,
}

/// A verified, allowed call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asks.
    pub consumer: SystemId,
    /// The exchange's request id, 32 hex digits.
    pub request: String,
    /// Under which agreement.
    pub agreement: Arc<Agreement>,
    /// For whom the consumer acts, by account id: `citizen:…`, `official:…`, `system:…`.
    pub on_behalf: String,
    /// The case that caused the call.
    pub issue: Option<String>,
    /// The consumer's key for "this is the same change as before".
    pub idempotency: Option<String>,
    /// Method, path and query behind the service, media type, end-to-end headers.
    pub rest: Rest,
    /// The body; JSON unless the service says otherwise.
    pub body: Bytes,
    /// When the provider's gateway took the call.
    pub at: Time,
}

impl Call {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// `json-bad` when it is not the expected JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|e| {
            Problem::new(Kind::Malformed, "json-bad").with("where", format!("{}:{}", e.line(), e.column()))
        })
    }
}

/// A service's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// An HTTP status code.
    pub status: u16,
    /// The body's media type; empty when there is none.
    pub media: String,
    /// The end-to-end headers.
    pub headers: Headers,
    /// Why the gateway answers in the service's place, a problem's key; `None` when the service answers.
    pub fault: Option<&'static str>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A JSON answer with status 200.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json<T: Serialize>(value: &T) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value).map_err(Problem::internal)?;
        Ok(Self {
            status: 200,
            media: "application/json".to_owned(),
            headers: Headers::default(),
            fault: None,
            body: body.into(),
        })
    }

    /// A problem as the service's own signed answer. Only the key, the field and the values travel:
    /// the reader's node has the words.
    #[must_use]
    pub fn of_problem(problem: &Problem) -> Self {
        let args: serde_json::Map<String, serde_json::Value> = problem
            .args
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.clone().into()))
            .collect();
        let mut body = serde_json::json!({
            "type": format!("urn:sen:problem:{}", problem.code),
            "status": problem.kind.status(), "code": problem.code, "field": problem.field, "args": args,
        });
        // What an operator lets callers know is words already, in the operator's language.
        if let Some(notice) = args_of(problem, "notice") {
            body["detail"] = notice.into();
        }
        Self {
            status: problem.kind.status(),
            media: "application/problem+json".to_owned(),
            headers: Headers::default(),
            fault: None,
            body: body.to_string().into(),
        }
    }

    /// As [`Answer::of_problem`], said by the gateway because the service gave no usable answer.
    pub(crate) fn in_its_place(problem: &Problem) -> Self {
        Self {
            fault: Some(problem.code),
            ..Self::of_problem(problem)
        }
    }

    /// 405 with what is taken instead.
    pub(crate) fn wrong_method(allowed: &str) -> Self {
        const STATUS: u16 = 405;
        // The one status that no kind of problem stands for.
        let body = serde_json::json!({"type": "urn:sen:problem:method", "status": STATUS, "code": "method",
            "field": null, "args": {}});
        Self {
            status: STATUS,
            media: "application/problem+json".to_owned(),
            headers: Headers::default().with("allow", allowed),
            fault: None,
            body: body.to_string().into(),
        }
    }
}

/// A problem's value for a place in its text.
fn args_of<'a>(problem: &'a Problem, name: &str) -> Option<&'a str> {
    let found = problem.args.iter().find(|(arg, _)| *arg == name);
    found.map(|(_, value)| value.as_str())
}

/// What a consumer got back, verified and in evidence.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The service's HTTP status code.
    pub status: u16,
    /// The body's media type.
    pub media: String,
    /// The body.
    pub body: Bytes,
    /// The exchange's request id, 32 hex digits: names the exchange at both nodes.
    pub request: String,
    /// The stream and position of this node's evidence record.
    pub position: (String, u64),
}

impl Heard {
    /// Reads a 2xx answer as JSON.
    ///
    /// # Errors
    /// `service-refused` with the service's own code when it answered with another status;
    /// `answer-bad` when the body is not the expected JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !(200..300).contains(&self.status) {
            return Err(self.refusal());
        }
        serde_json::from_slice(&self.body).map_err(|e| Problem::new(Kind::Upstream, "answer-bad").because(e))
    }

    /// The service's refusal as a problem of ours.
    #[must_use]
    pub fn refusal(&self) -> Problem {
        let told: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let code = shown(told.get("code").and_then(|c| c.as_str()).unwrap_or_default());
        let kind = match self.status {
            403 => Kind::Forbidden,
            404 => Kind::NotFound,
            409 => Kind::Conflict,
            400 | 422 => Kind::Invalid,
            413 => Kind::TooLarge,
            429 => Kind::TooMany,
            503 => Kind::Unavailable,
            504 => Kind::Timeout,
            _ => Kind::Upstream,
        };
        Problem::new(kind, "service-refused")
            .with("status", self.status)
            .with("code", code)
    }
}

/// Another party's key as it may be shown: a key, or `unknown`.
pub(crate) fn shown(code: &str) -> &str {
    let key = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=64).contains(&code.len()) && code.bytes().all(key) {
        code
    } else {
        "unknown"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(status: u16, body: &str) -> Heard {
        Heard {
            status,
            media: "application/problem+json".to_owned(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            request: "0".repeat(32),
            position: ("evidence-0".to_owned(), 0),
        }
    }

    #[test]
    fn a_refusal_keeps_the_services_status_and_key_and_nothing_else_it_says() {
        let checks = [
            (
                403,
                r#"{"code":"record-no-field"}"#,
                Kind::Forbidden,
                "record-no-field",
            ),
            (
                404,
                r#"{"code":"record-not-found","full_name":"A"}"#,
                Kind::NotFound,
                "record-not-found",
            ),
            (429, r#"{"code":"<b>buy</b>"}"#, Kind::TooMany, "unknown"),
            (500, "<html>", Kind::Upstream, "unknown"),
            (504, "", Kind::Timeout, "unknown"),
        ];
        for (status, body, kind, code) in checks {
            let problem = heard(status, body)
                .json::<serde_json::Value>()
                .expect_err("refused");
            assert_eq!((problem.code, problem.kind), ("service-refused", kind));
            let args = vec![("status", status.to_string()), ("code", code.to_owned())];
            assert_eq!(problem.args, args);
        }
        assert_eq!(
            heard(200, "<html>").json::<u8>().expect_err("garbage").code,
            "answer-bad"
        );
    }
}
