//! A refusal as the caller is told it: X-Road's codes and two statuses, or problem+json with its own
//! status. Never an inner cause: that goes to the log, under the id that the caller is given.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use kernel::Problem;
use serde_json::{Map, Value};
use web::{Lang, Texts};

use super::codes::{code_of, code_of_service, styled};
use super::{CodeStyle, Form};
use crate::gateway::Exchange;
use crate::service::{Answer, Heard};

/// In which syntax X-Road's error is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Json,
    XmlApplication,
    Xml,
}

impl Syntax {
    /// As `Accept` asks for; JSON when it does not.
    pub(super) fn of(accept: &str) -> Self {
        if accept.contains("text/xml") || accept.contains("text/*") {
            Self::Xml
        } else if accept.contains("application/xml") {
            Self::XmlApplication
        } else {
            Self::Json
        }
    }
}

/// What a call may be made with.
const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE";

/// The words for programs, in English: their people read them in a log.
static WORDS: LazyLock<Texts> = LazyLock::new(|| {
    Texts::new(&[web::TEXTS, crate::TEXTS]).expect("a test holds that both languages have every key")
});

/// When a caller may come back, for those refusals that know it.
fn retry_after(problem: &Problem) -> Option<HeaderValue> {
    let seconds = problem.args.iter().find(|(name, _)| *name == "seconds");
    HeaderValue::from_str(&seconds?.1).ok()
}

fn words(problem: &Problem) -> String {
    match problem.code {
        // Programs compare these two, so they are X-Road's and not ours.
        "service-type" => "Invalid service type: REST".to_owned(),
        "openapi-unreadable" => {
            let service = problem.args.iter().rfind(|(name, _)| *name == "service");
            let service = service.map_or("", |(_, service)| service.as_str());
            format!("Failed reading service description from {service}")
        }
        code => {
            let key = format!("problem-{code}");
            let key = if WORDS.has(&key) {
                key
            } else {
                "problem-internal".to_owned()
            };
            WORDS.get_with(Lang::En, &key, &problem.args)
        }
    }
}

/// What is wrong, the rule and the remedy: all that X-Road's form has room for is one text.
fn sentences(problem: &Problem) -> String {
    let mut text = words(problem);
    for part in ["rule", "remedy"] {
        let key = format!("problem-{}.{part}", problem.code);
        let own = matches!(problem.code, "service-type" | "openapi-unreadable");
        if !own && WORDS.has(&key) {
            if !text.ends_with('.') {
                text.push('.');
            }
            text.push(' ');
            text.push_str(&WORDS.get_with(Lang::En, &key, &problem.args));
        }
    }
    text
}

/// A refusal in the caller's form, of something that is no call.
pub(super) fn refused(exchange: &Exchange, problem: &Problem, form: Form) -> Response {
    of_call(problem, form, exchange.0.store.world().uuid())
}

/// A refusal in the caller's form, with the id under which its operator finds it.
pub(super) fn of_call(problem: &Problem, form: Form, detail: String) -> Response {
    let mut response = match form {
        Form::Native => {
            tracing::warn!(%problem, detail, "a call at the information-system face was refused");
            let answer = if problem.code == "method" {
                Answer::wrong_method(METHODS)
            } else {
                worded(problem, &detail)
            };
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut response = (status, [(CONTENT_TYPE, answer.media)], answer.body).into_response();
            if answer.headers.get("allow").is_some() {
                response
                    .headers_mut()
                    .insert(ALLOW, HeaderValue::from_static(METHODS));
            }
            response
        }
        Form::XRoad(style, text) => {
            tracing::warn!(%problem, detail, "a call at the X-Road face was refused");
            let said = Said {
                code: styled(&code_of(problem), style),
                message: sentences(problem),
                detail,
            };
            said.response(text)
        }
    };
    if let Some(seconds) = retry_after(problem) {
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// What the provider's gateway said in its service's place, in X-Road's form.
pub(super) fn service_failed(
    exchange: &Exchange,
    (fault, heard): (&str, &Heard),
    style: CodeStyle,
    text: Syntax,
) -> Response {
    let detail = exchange.0.store.world().uuid();
    // The one text of another party that is shown: what its operator lets callers know.
    let told: serde_json::Value = serde_json::from_slice(&heard.body).unwrap_or_default();
    let notice = told["detail"].as_str().unwrap_or_default().to_owned();
    let service = told["args"]["service"].as_str().unwrap_or_default().to_owned();
    tracing::warn!(
        fault,
        detail,
        "the service behind the provider's gateway gave no usable answer"
    );
    let key = key_of(fault);
    let said = Said {
        code: styled(code_of_service(fault), style),
        message: WORDS.get_with(
            Lang::En,
            &key,
            &[
                ("service", service),
                ("code", fault.to_owned()),
                ("max", String::new()),
                ("notice", notice),
                ("seconds", String::new()),
            ],
        ),
        detail,
    };
    said.response(text)
}

/// The text's key of what a provider's gateway said in its service's place.
fn key_of(fault: &str) -> String {
    let key = format!("problem-{fault}");
    if WORDS.has(&key) {
        key
    } else {
        "problem-gateway-fault".to_owned()
    }
}

/// What the provider's gateway said in its service's place, with words: only its key has travelled.
pub(super) fn reworded(fault: &str, body: Bytes) -> Bytes {
    let Ok(Value::Object(mut told)) = serde_json::from_slice(&body) else {
        return body;
    };
    let args = told.get("args").and_then(Value::as_object).cloned();
    let args = args.unwrap_or_default();
    let mut args: Vec<(&str, String)> = args
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?.to_owned())))
        .collect();
    args.push(("code", fault.to_owned()));
    let notice = told.get("detail").and_then(Value::as_str);
    args.push(("notice", notice.unwrap_or_default().to_owned()));
    let key = key_of(fault);
    told.insert("title".to_owned(), WORDS.get_with(Lang::En, &key, &args).into());
    explain(&mut told, &key, &args);
    Value::Object(told).to_string().into()
}

/// Adds rule and remedy of a text; what the service's operator says in the rule's place stands.
fn explain(told: &mut Map<String, Value>, key: &str, args: &[(&str, String)]) {
    for (member, part) in [("detail", "rule"), ("remedy", "remedy")] {
        let key = format!("{key}.{part}");
        if WORDS.has(&key) {
            let told = told.entry(member);
            told.or_insert_with(|| WORDS.get_with(Lang::En, &key, args).into());
        }
    }
}

/// The problem with its title, rule and remedy, for a program's log.
fn worded(problem: &Problem, detail: &str) -> Answer {
    let mut answer = Answer::of_problem(problem);
    if let Ok(Value::Object(mut body)) = serde_json::from_slice(&answer.body) {
        body.insert("title".to_owned(), words(problem).into());
        body.insert("instance".to_owned(), format!("urn:uuid:{detail}").into());
        explain(&mut body, &format!("problem-{}", problem.code), &problem.args);
        answer.body = Value::Object(body).to_string().into();
    }
    answer
}

/// X-Road's error.
struct Said {
    code: String,
    message: String,
    detail: String,
}

impl Said {
    fn response(&self, text: Syntax) -> Response {
        let of_server = self.code.to_ascii_lowercase().starts_with("server.");
        let (media, body) = match text {
            Syntax::Json => ("application/json;charset=utf-8", self.json()),
            Syntax::XmlApplication => ("application/xml;charset=utf-8", self.xml()),
            Syntax::Xml => ("text/xml;charset=utf-8", self.xml()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = if of_server {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::BAD_REQUEST
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        if let Ok(code) = HeaderValue::from_str(&self.code) {
            headers.insert("x-road-error", code);
        }
        response
    }

    fn json(&self) -> String {
        serde_json::json!({"type": self.code, "message": self.message, "detail": self.detail}).to_string()
    }

    fn xml(&self) -> String {
        let escape = web::page::escape;
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error><type>{}</type><message>{}</message><detail>{}</detail></error>",
            escape(&self.code),
            escape(&self.message),
            escape(&self.detail)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::codes::CODES;
    use super::*;

    #[test]
    fn accept_chooses_the_syntax() {
        for (accept, text) in [
            ("", Syntax::Json),
            ("application/json", Syntax::Json),
            ("*/*", Syntax::Json),
            ("text/xml", Syntax::Xml),
            ("text/*", Syntax::Xml),
            ("application/json, application/xml;q=0.9", Syntax::XmlApplication),
        ] {
            assert_eq!(Syntax::of(accept), text, "{accept}");
        }
        let said = Said {
            code: "Client.BadRequest".into(),
            message: "a < b & c".into(),
            detail: "1".into(),
        };
        assert!(said.xml().ends_with(
            "<error><type>Client.BadRequest</type><message>a &lt; b &amp; c</message><detail>1</detail></error>"
        ));
    }

    #[test]
    fn every_problem_that_the_table_names_has_words() {
        for (code, _) in CODES.iter().filter(|(code, _)| !code.starts_with("service:")) {
            assert!(WORDS.has(&format!("problem-{code}")), "{code}");
        }
    }
}
