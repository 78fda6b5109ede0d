//! What goes out to people by e-mail and SMS: SIMULATOR for development. Keeps the messages in memory and shows them on a
//! page; takes SMS over HTTP as a gateway does, and e-mail from the SMTP server beside it. Nothing ever leaves the machine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cases::telling::gateway::Outgoing;
use kernel::{Time, World};
use serde::{Deserialize, Serialize};
use web::page::escape;

/// Messages kept at most, count; the oldest go first.
const KEPT_MAX: usize = 1_000;
/// The longest text of an SMS that is taken, in characters.
const SMS_CHARS_MAX: usize = 500;

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// `SMTP` or `SMS`.
    pub by: String,
    /// Its id: the same message is kept once.
    pub id: String,
    /// To whom.
    pub to: String,
    /// The subject of an e-mail.
    pub subject: String,
    /// The text.
    pub text: String,
    /// When it came, in milliseconds since 1970.
    pub at: i64,
}

/// What came; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Kept(Arc<Mutex<VecDeque<Heard>>>);

impl Kept {
    /// Keeps a message; one that is there stays as it is.
    pub fn keep(&self, heard: Heard) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|one| one.by == heard.by && one.id == heard.id) {
            return;
        }
        if all.len() >= KEPT_MAX {
            all.pop_front();
        }
        all.push_back(heard);
    }

    /// What came to an address, or all; newest first.
    #[must_use]
    pub fn to(&self, to: Option<&str>) -> Vec<Heard> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |heard: &&Heard| to.is_none_or(|to| heard.to == to);
        all.iter().rev().filter(wanted).cloned().collect()
    }
}

#[derive(Clone)]
struct Messages {
    kept: Kept,
    key: Arc<str>,
    world: World,
}

/// The page and the gateway; it takes SMS from who knows `key`.
pub fn router(kept: Kept, key: &str, world: World) -> Router {
    let messages = Messages {
        kept,
        key: Arc::from(key),
        world,
    };
    Router::new()
        .route("/", get(page))
        .route("/messages", get(list).post(take))
        .with_state(messages)
}

#[derive(Deserialize)]
struct Wanted {
    to: Option<String>,
}

async fn list(State(messages): State<Messages>, Query(wanted): Query<Wanted>) -> Json<Vec<Heard>> {
    Json(messages.kept.to(wanted.to.as_deref()))
}

async fn take(State(messages): State<Messages>, headers: HeaderMap, Json(sms): Json<Outgoing>) -> Response {
    let wanted = format!("Bearer {}", messages.key);
    let given = headers.get(header::AUTHORIZATION);
    if given.is_none_or(|given| given.as_bytes() != wanted.as_bytes()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let digits = sms.to.strip_prefix('+').unwrap_or_default();
    let is_number = digits.len() >= 9 && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number || sms.text.chars().count() > SMS_CHARS_MAX {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    messages.kept.keep(Heard {
        by: "SMS".to_owned(),
        id: sms.id,
        to: sms.to,
        subject: String::new(),
        text: sms.text,
        at: messages.world.now().ms(),
    });
    StatusCode::ACCEPTED.into_response()
}

async fn page(State(messages): State<Messages>, Query(wanted): Query<Wanted>) -> Html<String> {
    let rows = messages.kept.to(wanted.to.as_deref());
    let row = |heard: &Heard| {
        format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td><strong>{}</strong><pre>{}</pre></td></tr>",
            Time(heard.at).day_month_year_time(),
            escape(&heard.by),
            escape(&heard.to),
            escape(&heard.subject),
            escape(&heard.text)
        )
    };
    let rows: String = rows.iter().map(row).collect();
    let table = if rows.is_empty() {
        "<p>Chưa có gì / Nothing yet</p>".to_owned()
    } else {
        format!(
            "<table><thead><tr><th scope=\"col\">Lúc / At</th><th scope=\"col\">Cách / By</th><th scope=\"col\">Đến / To</th>\
             <th scope=\"col\">Nội dung / Text</th></tr></thead><tbody>{rows}</tbody></table>"
        )
    };
    Html(format!(
        "<!doctype html><html lang=\"vi\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;margin:1rem auto;max-width:60rem;padding:0 1rem}}td,th{{text-align:left;\
         vertical-align:top;padding:.3rem .6rem;border-top:1px solid #ccc}}pre{{font:inherit;white-space:pre-wrap;\
         overflow-wrap:anywhere;margin:0}}</style><title>SIMULATOR – Thư và tin nhắn / Messages</title></head><body><main>\
         <p><strong>MÁY CHỦ THƯ VÀ TIN NHẮN MÔ PHỎNG – không gửi đi đâu / MAIL AND SMS SIMULATOR – nothing leaves this machine\
         </strong></p><h1>Thư và tin nhắn / Messages</h1>{table}</main></body></html>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_comes_twice_is_kept_once_and_the_oldest_go_first() {
        let heard = |id: usize| Heard {
            by: "SMS".to_owned(),
            id: id.to_string(),
            to: "+84912345678".to_owned(),
            subject: String::new(),
            text: String::new(),
            at: 0,
        };
        let kept = Kept::default();
        for id in 0..=KEPT_MAX {
            kept.keep(heard(id));
            kept.keep(heard(id));
        }
        let all = kept.to(Some("+84912345678"));
        assert_eq!(all.len(), KEPT_MAX);
        assert_eq!(all.last().map(|one| one.id.as_str()), Some("1"));
        assert!(kept.to(Some("+84")).is_empty());
    }
}
