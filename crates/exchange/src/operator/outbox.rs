//! `GET /exchange/outbox` and its twin: what waits to be sent to others, by topic and line by line, with why it
//! failed, how often it was tried and how long it has waited; and `POST …/again`: what failed is tried again at
//! once. Never what a line carries.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Fact, OrgCode, Problem, Tenant, Time};
use serde::{Deserialize, Serialize};
use store::{OutboxLine, OutboxTopic};
use utoipa::ToSchema;
use web::page::query_value;
use web::{Fields, Json, Operator, Page, Refusal};

use super::standing::lasted;
use super::traffic::number;
use super::{Acting, page_of};
use crate::evidence::list::words;
use crate::gateway::Exchange;

const PAGE: &str = "/exchange/outbox";

/// Which lines are looked at; none are when the organisation or the topic is left out.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
pub(crate) struct OutboxWanted {
    /// Whose lines: an organisation of this node.
    org: Option<String>,
    /// What they are for, such as `case-status`.
    topic: Option<String>,
    /// Where the page begins: `next` of the page before.
    after: Option<String>,
}

/// What waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutboxSeen {
    /// By organisation and topic.
    topics: Vec<TopicWaits>,
    /// The lines of the topic that was asked for, by key and in their order.
    lines: Vec<LineWaits>,
    /// Where the next page begins: give it as `after`; none when this was all.
    next: Option<String>,
}

/// What waits for an organisation under one topic.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TopicWaits {
    /// Whose.
    org: String,
    /// What for.
    topic: String,
    /// Lines that wait.
    lines: u64,
    /// Those of them that were tried and failed; the others wait behind them, for their day or for their turn.
    failed: u64,
    /// Tries of the one that was tried most often.
    tries: u64,
    /// When the oldest was written, milliseconds since 1970.
    oldest: i64,
}

/// One line that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineWaits {
    /// Its id, by which the other side knows it when it comes twice.
    id: String,
    /// Lines of one key go in order: a case's code, an agreement's hash.
    key: String,
    /// Its place among them.
    seq: u64,
    /// `failed`; `behind` another one of its key; `term` when its day has not come; `due`.
    state: &'static str,
    /// How often it was tried.
    tries: u32,
    /// Why the last try failed: a problem's key.
    why: Option<String>,
    /// When it was written, milliseconds since 1970.
    written: i64,
    /// When it was tried last.
    tried: Option<i64>,
    /// When it is tried next, or its day.
    next_try: i64,
}

impl LineWaits {
    /// A line, and whether another one of its key goes before it.
    fn of(line: OutboxLine, is_behind: bool) -> Self {
        let state = match line.attempts {
            1.. => "failed",
            0 if is_behind => "behind",
            0 if line.next_at > line.created => "term",
            0 => "due",
        };
        Self {
            id: line.id,
            key: line.key,
            seq: line.seq,
            state,
            tries: line.attempts,
            why: line.why,
            written: line.created.ms(),
            tried: line.tried.map(Time::ms),
            next_try: line.next_at.ms(),
        }
    }
}

/// The place of a line in its topic, as `SEQ.KEY`.
fn place(text: &str) -> Option<(&str, u64)> {
    if text.is_empty() {
        return Some(("", 0));
    }
    let (seq, key) = text.split_once('.')?;
    Some((key, seq.parse().ok()?))
}

fn trimmed(text: Option<&String>) -> &str {
    text.map_or("", |text| text.trim())
}

impl Exchange {
    /// An organisation of this node that the operator looks after; 404 for any other.
    fn own_tenant(&self, org: &str) -> Result<Tenant, Problem> {
        let mut own = self.own_tenants();
        let found = own.find(|tenant| tenant.as_str() == org);
        found.cloned().ok_or_else(Problem::not_found)
    }

    async fn outbox_seen(&self, wanted: &OutboxWanted) -> Result<OutboxSeen, Problem> {
        let store = &self.0.store;
        let mut topics = Vec::new();
        for tenant in self.own_tenants() {
            let waits = store.outbox_topics(tenant).await?;
            topics.extend(waits.into_iter().map(|topic| of_topic(tenant, topic)));
        }
        let (org, topic) = (trimmed(wanted.org.as_ref()), trimmed(wanted.topic.as_ref()));
        let (mut lines, mut next) = (Vec::new(), None);
        if !org.is_empty() && !topic.is_empty() {
            let tenant = self.own_tenant(org)?;
            let malformed = || Problem::invalid("after", "malformed");
            let after = place(trimmed(wanted.after.as_ref())).ok_or_else(malformed)?;
            let rows_max = store.limits().page_rows_max;
            let mut found = store.outbox_lines(&tenant, topic, after, rows_max + 1).await?;
            let more = page_of::cut(&mut found, rows_max);
            let last = found.last().filter(|_| more);
            next = last.map(|line| format!("{}.{}", line.seq, line.key));
            let mut before = after.0.to_owned();
            for line in found {
                let is_behind = before == line.key;
                before.clone_from(&line.key);
                lines.push(LineWaits::of(line, is_behind));
            }
        }
        Ok(OutboxSeen { topics, lines, next })
    }

    async fn try_outbox_again(
        &self,
        by: &web::Principal,
        (org, topic, key): (&str, &str, &str),
    ) -> Result<u64, Problem> {
        let tenant = self.own_tenant(org)?;
        let key = (!key.is_empty()).then_some(key);
        let write = self.0.store.write(&tenant, &by.actor, |tx| async move {
            let lines = tx.outbox_again(topic, key).await?;
            let retried = Fact::OutboxRetried {
                topic: topic.to_owned(),
                key: key.map(str::to_owned),
                lines,
            };
            tx.fact(&format!("outbox/{topic}"), retried).await?;
            Ok(lines)
        });
        write.await
    }
}

fn of_topic(tenant: &OrgCode, topic: OutboxTopic) -> TopicWaits {
    TopicWaits {
        org: tenant.to_string(),
        topic: topic.topic,
        lines: topic.lines,
        failed: topic.failed,
        tries: topic.attempts,
        oldest: topic.oldest.ms(),
    }
}

/// Lists what waits to be sent: by topic, and the lines of one.
#[utoipa::path(get, path = "/api/v1/exchange/outbox", tag = "exchange", params(OutboxWanted),
    operation_id = "see_outbox", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = OutboxSeen), (status = 404), (status = 422)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Query(wanted): Query<OutboxWanted>,
) -> Result<axum::Json<OutboxSeen>, Refusal> {
    Ok(axum::Json(x.as_far_as(&who).outbox_seen(&wanted).await?))
}

/// What is tried again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutboxAgain {
    /// Whose lines: an organisation of this node.
    org: String,
    /// Their topic.
    topic: String,
    /// One key of it; the whole topic when left out.
    key: Option<String>,
}

/// How many were waiting for their next try.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutboxTriedAgain {
    /// Lines that failed and are tried again now; those behind them follow.
    lines: u64,
}

/// Has lines that failed tried again at once: those of a topic, or of one key. What waits for its day goes on
/// waiting.
#[utoipa::path(post, path = "/api/v1/exchange/outbox/again", tag = "exchange",
    operation_id = "try_outbox_again", request_body = OutboxAgain,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["outbox-retried"]))),
    responses((status = 200, body = OutboxTriedAgain),
              (status = 404, description = "Nothing waits there"), (status = 422)))]
pub(crate) async fn again_by_json(
    Acting(x, who): Acting,
    Json(asked): Json<OutboxAgain>,
) -> Result<axum::Json<OutboxTriedAgain>, Refusal> {
    let key = asked.key.as_deref().unwrap_or_default();
    let which = (asked.org.as_str(), asked.topic.as_str(), key);
    let lines = x.try_outbox_again(&who, which).await?;
    Ok(axum::Json(OutboxTriedAgain { lines }))
}

/// The same by a button.
#[utoipa::path(post, path = "/exchange/outbox/again", tag = "exchange",
    operation_id = "try_outbox_again_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["outbox-retried"]))),
    responses((status = 303, description = "back to what waits"), (status = 404)))]
pub(crate) async fn again_by_form(Acting(x, who): Acting, fields: Fields) -> Result<Response, Refusal> {
    let text = |name: &str| fields.text(name).unwrap_or_default().trim();
    let (org, topic) = (text("org"), text("topic"));
    x.try_outbox_again(&who, (org, topic, text("key"))).await?;
    Ok(Redirect::to(&lines_of(org, topic)).into_response())
}

fn lines_of(org: &str, topic: &str) -> String {
    format!("{PAGE}?org={}&topic={}", query_value(org), query_value(topic))
}

#[derive(Template)]
#[template(path = "outbox.html")]
struct View<'a> {
    page: &'a Page,
    topics: Vec<TopicRow>,
    /// The organisation, the topic and its words, when the lines of one were asked for.
    chosen: Option<(String, String, String)>,
    lines: Vec<LineRow>,
    next: Option<String>,
    /// The first page, when this is another one.
    first: Option<String>,
}

struct TopicRow {
    org: String,
    topic: String,
    name: String,
    href: String,
    lines: String,
    failed: String,
    tries: u64,
    age: String,
}

struct LineRow {
    key: String,
    seq: u64,
    state: String,
    class: &'static str,
    why: Option<(String, String)>,
    tries: String,
    age: String,
    written: String,
    next_try: Option<String>,
    failed: bool,
}

/// The same as a page.
#[utoipa::path(get, path = "/exchange/outbox", tag = "exchange", params(OutboxWanted),
    operation_id = "outbox_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "what waits", content_type = "text/html"), (status = 404),
              (status = 422)))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<OutboxWanted>,
) -> Result<Html<String>, Refusal> {
    let seen = x.as_far_as(&who).outbox_seen(&wanted).await?;
    let now = x.0.store.world().now();
    let (org, topic) = (trimmed(wanted.org.as_ref()), trimmed(wanted.topic.as_ref()));
    let is_chosen = !org.is_empty() && !topic.is_empty();
    let view = View {
        topics: seen.topics.iter().map(|t| topic_row(&page, t, now)).collect(),
        chosen: is_chosen.then(|| (org.to_owned(), topic.to_owned(), topic_words(&page, topic))),
        lines: seen.lines.into_iter().map(|l| line_row(&page, l, now)).collect(),
        next: seen
            .next
            .map(|next| format!("{}&after={}", lines_of(org, topic), query_value(&next))),
        first: wanted.after.is_some().then(|| lines_of(org, topic)),
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("exchange-outbox"), body))
}

/// What a topic is for; its own name where nobody has words for it.
fn topic_words(page: &Page, topic: &str) -> String {
    let key = format!("outbox-topic-{topic}");
    if page.shared.texts.has(&key) {
        page.t(&key)
    } else {
        topic.to_owned()
    }
}

fn topic_row(page: &Page, waits: &TopicWaits, now: Time) -> TopicRow {
    TopicRow {
        org: waits.org.clone(),
        topic: waits.topic.clone(),
        name: topic_words(page, &waits.topic),
        href: lines_of(&waits.org, &waits.topic),
        lines: number(page, waits.lines),
        failed: number(page, waits.failed),
        tries: waits.tries,
        age: lasted(page, now.ms() - waits.oldest),
    }
}

fn line_row(page: &Page, line: LineWaits, now: Time) -> LineRow {
    let class = match line.state {
        "failed" => "tag tag-bad",
        "due" => "tag tag-good",
        _ => "tag tag-wait",
    };
    let waits = ["failed", "term"].contains(&line.state);
    LineRow {
        state: page.t(&format!("exchange-outbox-is-{}", line.state)),
        class,
        why: line.why.map(|why| (words(page, &why), why)),
        tries: number(page, line.tries.into()),
        age: lasted(page, now.ms() - line.written),
        written: page.time(Time(line.written)),
        next_try: waits.then(|| page.time(Time(line.next_try))),
        failed: line.state == "failed",
        key: line.key,
        seq: line.seq,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_number_and_a_key_that_may_have_points() {
        assert_eq!(place(""), Some(("", 0)));
        assert_eq!(place("3.H56.14/a.b"), Some(("H56.14/a.b", 3)));
        assert!(place("x.a").is_none() && place("3").is_none());
    }
}
