//! `GET /exchange/evidence` and its twin: the exchanges of this node, found by time, other party, service,
//! agreement, result, case and id, a page at a time.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use kernel::{Digest, OrgCode, Problem, Time};
use web::page::query_value;
use web::{Operator, Page, Principal, Refusal};

use super::search::{EvidenceFound, Outcome, Search, Wanted};
use crate::filter::{self, Narrowed};
use crate::gateway::Exchange;
use crate::index::{Indexed, Look};
use crate::left::archives_of;

impl Exchange {
    async fn evidence_of(&self, who: &Principal, search: Search) -> Result<EvidenceFound, Problem> {
        let search = Search {
            own: self.seen_by(who),
            ..search
        };
        // What has just been answered is found.
        self.index_up().await?;
        let g = &*self.0;
        let reader = g.store.read(&g.home).await?;
        let look = Look::of(&reader, g.index.tail());
        let mut found = search.run(&look, g.store.limits().page_rows_max).await?;
        found.archives = archives_of(&reader, g.evidence.first().await, &found.exchanges).await?;
        Ok(found)
    }
}

/// Finds exchanges, newest first, a page at a time.
#[utoipa::path(get, path = "/api/v1/exchange/evidence", tag = "exchange", params(Wanted),
    operation_id = "search_evidence", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = EvidenceFound), (status = 422)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<EvidenceFound>, Refusal> {
    let search = wanted.read().map_err(crate::operator::first)?;
    Ok(axum::Json(x.evidence_of(&who, search).await?))
}

#[derive(Template)]
#[template(path = "evidence.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    filter: String,
    rows: Vec<Row>,
    next: Option<String>,
    /// Until when this page has looked, when it ended before it was full.
    looked_to: Option<String>,
    first: bool,
    narrowed: bool,
}

struct Row {
    link: String,
    at: String,
    iso: String,
    side: String,
    consumer: String,
    provider: String,
    service: String,
    agreement: Option<(String, String)>,
    case: String,
    result: String,
    class: &'static str,
    why: String,
    /// The archive file in which its record lives since it left the live log.
    archive: Option<String>,
}

/// The class of a result's tag.
pub(super) fn class(result: &str) -> &'static str {
    match Outcome::parse(result) {
        Some(Outcome::Ok) => "tag tag-good",
        Some(Outcome::Refused) => "tag tag-wait",
        Some(Outcome::Fault) => "tag tag-bad",
        None => "tag tag-none",
    }
}

/// A problem's key in the reader's words, when it has some here.
pub(crate) fn words(page: &Page, fault: &str) -> String {
    let key = format!("problem-{fault}");
    if fault.is_empty() || !page.shared.texts.has(&key) {
        return fault.to_owned();
    }
    // The places of the text are not kept: what they would hold stands in the row.
    let text = page.t(&format!("{key}.rule"));
    if text.contains("{$") {
        fault.to_owned()
    } else {
        text
    }
}

/// An instant to the millisecond, in the reader's zone.
pub(crate) fn precise(page: &Page, at: Time) -> String {
    let minute = at.minute_of_day();
    let rest = at.ms().rem_euclid(60_000);
    let clock = format!(
        "{:02}:{:02}:{:02}.{:03}",
        minute / 60,
        minute % 60,
        rest / 1_000,
        rest % 1_000
    );
    page.tw("web-moment", &[("time", clock), ("date", page.date(at.date()))])
}

impl Exchange {
    fn row(&self, page: &Page, e: &Indexed) -> Row {
        let named = |party: &str| {
            let org = party.split('/').next().unwrap_or_default();
            let org: Result<OrgCode, _> = org.parse();
            org.map_or_else(|_| party.to_owned(), |org| self.organisation(&org))
        };
        let agreement = Digest::parse(&e.agreement).filter(|hash| *hash != crate::message::NO_AGREEMENT);
        let name_of = |hash: Digest| self.agreements().name_of(&hash);
        Row {
            link: super::link(&e.request),
            at: precise(page, Time(e.began)),
            iso: Time(e.began).rfc3339(),
            side: page.t(&format!("exchange-side-{}", e.side)),
            consumer: named(&e.consumer),
            provider: named(&e.service),
            service: e.service.clone(),
            agreement: agreement.map(|hash| (hash.hex(), name_of(hash).unwrap_or_else(|| hash.hex()))),
            case: e.issue.clone().unwrap_or_default(),
            result: page.t(&format!("exchange-result-{}", e.result)),
            class: class(e.result),
            why: words(page, &e.fault),
            archive: None,
        }
    }
}

/// The search as a page.
#[utoipa::path(get, path = "/exchange/evidence", tag = "exchange", params(Wanted),
    operation_id = "evidence_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form and what was found", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let (found, problems) = match wanted.read() {
        Ok(search) => (Some(x.evidence_of(&who, search).await?), Vec::new()),
        Err(problems) => (None, problems),
    };
    let found = found.unwrap_or(EvidenceFound {
        exchanges: Vec::new(),
        next: None,
        looked_to: None,
        archives: Vec::new(),
    });
    let results = filter::outcomes(&page, wanted.result.as_deref());
    let view = View {
        errors: page.errors(&problems),
        filter: filter::form(&page, ("/exchange/evidence", &problems), texts(&wanted), results)?,
        rows: found
            .exchanges
            .iter()
            .map(|e| archived(x.row(&page, e), e, &found))
            .collect(),
        next: found.next.map(|next| next_page(&wanted, &next)),
        looked_to: found.looked_to.map(|at| page.time(Time(at))),
        first: wanted.after.as_deref().unwrap_or_default().is_empty(),
        narrowed: named(&wanted).next().is_some(),
        page: &page,
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html_status(status, &page.t("exchange-evidence"), body))
}

/// A row with where its record lives, when that has left the live log.
fn archived(row: Row, e: &Indexed, found: &EvidenceFound) -> Row {
    let mut archives = found.archives.iter();
    let archive = archives.find(|one| (one.first..one.next).contains(&e.position));
    Row {
        archive: archive.map(|one| one.file.clone()),
        ..row
    }
}

/// The fields of the form: name, type and value.
fn texts(wanted: &Wanted) -> [Narrowed<'_>; 7] {
    [
        ("from", "date", &wanted.from),
        ("to", "date", &wanted.to),
        ("member", "text", &wanted.member),
        ("service", "text", &wanted.service),
        ("agreement", "text", &wanted.agreement),
        ("case", "text", &wanted.case),
        ("request", "text", &wanted.request),
    ]
}

/// What the reader asks for, without the place in it.
fn named(wanted: &Wanted) -> impl Iterator<Item = (&'static str, &str)> {
    texts(wanted)
        .into_iter()
        .map(|(name, _, value)| (name, value))
        .chain([("result", &wanted.result)])
        .filter_map(|(name, value)| Some((name, value.as_deref()?.trim())))
        .filter(|(_, value)| !value.is_empty())
}

fn next_page(wanted: &Wanted, next: &str) -> String {
    let mut href = format!("{}?", super::PAGE);
    for (name, value) in named(wanted) {
        href.push_str(&format!("{name}={}&", query_value(value)));
    }
    href.push_str(&format!("after={}", query_value(next)));
    href
}
