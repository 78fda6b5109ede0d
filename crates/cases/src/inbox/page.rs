//! `GET /inbox` and its twin: each step of the signed-in citizen's cases in plain words, newest first, with what was
//! sent of it by e-mail and SMS. Never another citizen's.

use std::collections::HashMap;

use ::store::Reader;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Json, Lang, Page, Refusal};

use crate::citizen::{Citizen, render};
use crate::contact::page::{state_class, why};
use crate::contact::{State as Outcome, Telling, Way};
use crate::state::Cases;
use crate::store::inbox::{EntryRow, UNREAD_MAX};
use crate::store::{contacts, inbox};

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub(crate) struct Onward {
    /// The entry after which it goes on, as the page before says: `MS-ID`.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage<'a> {
    page: &'a Page,
    items: Vec<ItemView>,
    unread: u64,
    /// The instant of the newest entry that is shown: what came since is not marked as read.
    until: i64,
    first: bool,
    next: Option<String>,
}

struct ItemView {
    id: String,
    title: String,
    text: String,
    code: String,
    iso: String,
    at: String,
    read: bool,
    told: Vec<(&'static str, String)>,
}

/// A citizen's inbox.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InboxJson {
    /// Newest first.
    pub(crate) items: Vec<InboxEntryJson>,
    /// Entries that are not read, 100 for more than 99.
    pub(crate) unread: u64,
    /// `after` of the next page.
    pub(crate) next: Option<String>,
}

/// What was told of one step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InboxEntryJson {
    /// Its id.
    id: String,
    /// The case.
    case: String,
    /// The step's word: `filed`, `accepted`, `supplement` …
    kind: &'static str,
    /// When the portal heard of it, RFC 3339.
    at: String,
    /// The heading in Vietnamese.
    title: String,
    /// The text in Vietnamese.
    text: String,
    /// When it was marked as read, RFC 3339.
    read_at: Option<String>,
    /// What was sent of it.
    told: Vec<InboxToldJson>,
}

/// What was sent of a step by one way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InboxToldJson {
    /// `email` or `sms`.
    way: &'static str,
    /// `waiting`, `sent`, `gathered` or `failed`.
    state: &'static str,
}

/// What I was told of my cases.
#[utoipa::path(get, path = "/inbox", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "where the list goes on")),
    responses((status = 200, description = "the list", content_type = "text/html"), (status = 422)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    citizen: Citizen,
    page: Page,
    Query(onward): Query<Onward>,
) -> Result<Html<String>, Refusal> {
    let reader = cases.store.read(&cases.tenant).await?;
    let account = &citizen.who.account;
    let (entries, next) = some(&cases, &reader, account, &onward.after).await?;
    let told = told(&reader, account, &entries).await?;
    let item = |entry: &EntryRow| {
        let said = said(&cases, entry, page.lang);
        ItemView {
            id: entry.id.clone(),
            title: said.0,
            text: said.1,
            code: entry.code.to_string(),
            iso: entry.at.rfc3339(),
            at: page.time(entry.at),
            read: entry.read_at.is_some(),
            told: of(&told, entry)
                .map(|telling| (state_class(telling), sentence(&page, telling)))
                .collect(),
        }
    };
    let body = render(&InboxPage {
        page: &page,
        items: entries.iter().map(item).collect(),
        unread: inbox::unread(&reader, account).await?.min(UNREAD_MAX),
        until: entries.first().map_or(0, |entry| entry.at.ms()),
        first: onward.after.is_empty(),
        next,
    })?;
    Ok(page.html(&page.t("inbox-title"), body))
}

/// What I was told of my cases.
#[utoipa::path(get, path = "/api/v1/inbox", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = InboxJson), (status = 401), (status = 422)))]
pub(crate) async fn api(
    State(cases): State<Cases>,
    citizen: Citizen,
    Query(onward): Query<Onward>,
) -> Result<Json<InboxJson>, Refusal> {
    Ok(Json(json(&cases, &citizen, &onward.after).await?))
}

/// A page of the inbox for programs.
///
/// # Errors
/// `malformed` (422) at `after`.
pub(crate) async fn json(cases: &Cases, citizen: &Citizen, after: &str) -> Result<InboxJson, Problem> {
    let reader = cases.store.read(&cases.tenant).await?;
    let account = &citizen.who.account;
    let (entries, next) = some(cases, &reader, account, after).await?;
    let told = told(&reader, account, &entries).await?;
    let item = |entry: &EntryRow| {
        let (title, text) = said(cases, entry, Lang::Vi);
        InboxEntryJson {
            id: entry.id.clone(),
            case: entry.code.to_string(),
            kind: entry.step.kind(),
            at: entry.at.rfc3339(),
            title,
            text,
            read_at: entry.read_at.map(Time::rfc3339),
            told: of(&told, entry)
                .map(|telling| InboxToldJson {
                    way: telling.way.word(),
                    state: telling.state.word(),
                })
                .collect(),
        }
    };
    Ok(InboxJson {
        items: entries.iter().map(item).collect(),
        unread: inbox::unread(&reader, account).await?,
        next,
    })
}

/// A page of a citizen's entries and where the next begins.
async fn some(
    cases: &Cases,
    reader: &Reader,
    account: &str,
    after: &str,
) -> Result<(Vec<EntryRow>, Option<String>), Problem> {
    let malformed = || Problem::invalid("after", "malformed");
    let place = match after.split_once('-') {
        None if after.is_empty() => (Time(i64::MAX), ""),
        None => return Err(malformed()),
        Some((ms, id)) => (Time(ms.parse().map_err(|_| malformed())?), id),
    };
    let limit = cases.store.limits().page_rows_max;
    let mut entries = inbox::list(reader, account, place, limit + 1).await?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries
        .last()
        .filter(|_| more)
        .map(|last| format!("{}-{}", last.at.ms(), last.id));
    Ok((entries, next))
}

/// What was sent of some entries, by their ids.
type Told = HashMap<String, Vec<Telling>>;

async fn told(reader: &Reader, account: &str, entries: &[EntryRow]) -> Result<Told, Problem> {
    let (Some(newest), Some(oldest)) = (entries.first(), entries.last()) else {
        return Ok(Told::new());
    };
    // One row a way, and what went out in the same time that is no entry.
    let limit = (entries.len() + 1) * 2 * Way::ALL.len();
    let mut told = Told::new();
    for telling in contacts::tellings(reader, account, (oldest.at, newest.at), limit).await? {
        told.entry(telling.id.clone()).or_default().push(telling);
    }
    Ok(told)
}

fn of<'t>(told: &'t Told, entry: &EntryRow) -> impl Iterator<Item = &'t Telling> {
    told.get(&entry.id).into_iter().flatten()
}

/// The heading and the text of an entry.
fn said(cases: &Cases, entry: &EntryRow, lang: Lang) -> (String, String) {
    let places = entry.step.places(entry.code.as_str(), lang);
    let said = cases.catalogue.words().say(entry.step.kind(), lang, &places);
    (said.title, said.text)
}

/// What came of a way, in one sentence.
fn sentence(page: &Page, telling: &Telling) -> String {
    let way = page.t(&format!("contact-{}", telling.way.word()));
    let state = page.t(&format!("telling-{}", telling.state.word()));
    match telling.state {
        Outcome::Failed => format!("{way}: {state}. {}", why(page, telling))
            .trim()
            .to_owned(),
        _ => format!("{way}: {state}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Portal, foreign, lan, mai, officer};

    /// The kinds of a citizen's entries, oldest first.
    async fn kinds(portal: &Portal) -> Vec<String> {
        let inbox = portal.get(Some(&lan()), "/api/v1/inbox").await.json();
        let items = inbox["items"].as_array().expect("a list");
        let kinds = items
            .iter()
            .rev()
            .map(|item| item["kind"].as_str().unwrap_or_default().to_owned());
        kinds.collect()
    }

    #[tokio::test]
    async fn each_step_of_a_case_is_told_once_in_plain_words() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let due = testkit::START.plus_ms(3_600_000).ms();
        let until = json!({"kind": "supplement", "items": ["Giấy chứng sinh"],
            "reason": "Bản quét không rõ", "until": due});
        for note in [
            json!({"seq": 1, "status": 2, "due": due}),
            json!({"seq": 2, "status": 5, "notice": until}),
            json!({"seq": 3, "status": 4, "due": due}),
            json!({"seq": 4, "status": 4, "notice": {"kind": "apology", "reason": "Chưa xong", "due": due}}),
            json!({"seq": 5, "status": 9}),
            json!({"seq": 6, "status": 10}),
        ] {
            portal.later(1_000);
            portal.note(&code, note.clone()).await.expect("noted");
            portal.note(&code, note).await.expect("and again");
        }
        let told = ["filed", "accepted", "supplement", "resumed", "apology", "ready"];
        assert_eq!(kinds(&portal).await, told);
        let page = portal.get(Some(&lan()), "/inbox").await.body;
        for words in [
            "Hồ sơ được tiếp nhận",
            "Cần bổ sung hồ sơ",
            "Đã có kết quả",
            "Hẹn trả kết quả: ",
        ] {
            assert!(page.contains(words), "{words}");
        }
        assert!(
            !page.contains("Giấy chứng sinh") && !page.contains("không rõ"),
            "reasons stay with the case"
        );
        assert!(page.contains("(6 "), "the header counts what is unread: {page}");
        let english = portal.get(Some(&lan()), "/inbox?lang=en").await.body;
        assert!(english.contains("The result is ready"), "{english}");
    }

    #[tokio::test]
    async fn an_inbox_is_its_citizens_alone_and_says_when_it_is_empty() {
        let portal = Portal::new().await;
        portal.filed(&lan()).await;
        let hers = portal.get(Some(&mai()), "/api/v1/inbox").await.json();
        assert_eq!((&hers["items"], &hers["unread"]), (&json!([]), &json!(0)));
        let page = portal.get(Some(&mai()), "/inbox").await;
        assert!(
            page.status == 200 && page.body.contains("Chưa có thông báo nào"),
            "{}",
            page.body
        );
        for path in ["/inbox", "/api/v1/inbox"] {
            assert_eq!(portal.get(Some(&officer()), path).await.status, 403);
            assert_eq!(portal.get(Some(&foreign()), path).await.status, 404);
        }
        assert_eq!(portal.get(None, "/inbox").await.status, 303);
        assert_eq!(portal.get(None, "/api/v1/inbox").await.status, 401);
        assert_eq!(
            portal.get(Some(&lan()), "/api/v1/inbox?after=x").await.status,
            422
        );
    }

    #[tokio::test]
    async fn a_long_inbox_is_read_page_by_page_without_a_gap() {
        let portal = Portal::with_page_rows(2).await;
        for _ in 0..5 {
            portal.filed(&lan()).await;
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = portal
                .get(Some(&lan()), &format!("/api/v1/inbox?after={after}"))
                .await
                .json();
            let items = page["items"].as_array().expect("a list");
            seen.extend(items.iter().map(|item| item["id"].to_string()));
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 5);
        let first = portal.get(Some(&lan()), "/inbox").await.body;
        assert!(first.contains("/inbox?after="), "{first}");
    }

    #[tokio::test]
    async fn a_fee_is_told_when_it_is_asked_and_when_it_is_there() {
        let portal = Portal::new().await;
        let filed = portal.with_fee(&lan()).await;
        assert_eq!(kinds(&portal).await, ["filed", "fee-asked"]);
        portal.later(1_000);
        portal.paid(&filed).await;
        portal.paid(&filed).await;
        assert_eq!(kinds(&portal).await.last().map(String::as_str), Some("fee-paid"));
        assert_eq!(kinds(&portal).await.len(), 3);
        let inbox = portal.get(Some(&lan()), "/api/v1/inbox").await.json();
        assert_eq!(inbox["items"][0]["read_at"], Value::Null);
    }
}
