//! `GET /exchange/agreements` and its twin: every agreement and request this node knows, with its
//! state, what waits for an answer from here and by when, and what ends soon.

use askama::Template;
use axum::extract::Query;
use axum::response::Html;
use kernel::{Digest, Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Page, Refusal};

use super::Acting;
use crate::gateway::Exchange;
use crate::life::end::SOON_MS;
use crate::life::{self, Known};

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(crate) struct Wanted {
    /// Only those in this state: `requested`, `offered`, `accepted`, `in-force`, `suspended`,
    /// `revoked`, `expired`, `refused`, `withdrawn`.
    state: Option<String>,
    /// Go on after the one of this hash or name: the next page.
    after: Option<String>,
}

/// For how long a party suspends an agreement.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgreementPause {
    /// The party.
    by: String,
    /// Its first instant, milliseconds since 1970; none when it began at once.
    from: Option<i64>,
    /// The first instant behind it, milliseconds since 1970; none until it is resumed.
    to: Option<i64>,
}

/// An agreement, or a request for one, as the operator sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgreementLine {
    /// Its hash; of a request without an agreement yet, the request's name.
    hash: String,
    /// The parties' own number.
    id: String,
    provider: String,
    consumer: String,
    service: String,
    fields: Vec<String>,
    purpose: String,
    legal_basis: String,
    /// Milliseconds since 1970.
    valid_from: i64,
    /// Milliseconds since 1970.
    valid_to: i64,
    /// `requested`, `offered`, `accepted`, `in-force`, `suspended`, `revoked`, `expired`, `refused` or
    /// `withdrawn`.
    state: &'static str,
    /// The group under which it was made, `global/one-stops`; none for most.
    group: Option<String>,
    /// The parties that suspend it now.
    suspended_by: Vec<String>,
    /// All suspensions that are not over, planned ones too.
    suspensions: Vec<AgreementPause>,
    /// True when an organisation of this node is to answer.
    waits: bool,
    /// By when the provider owes its answer, milliseconds since 1970.
    due: Option<i64>,
}

impl AgreementLine {
    pub(crate) fn of(x: &Exchange, known: &Known) -> Self {
        let a = &known.text;
        Self {
            hash: known.name.hex(),
            id: a.id.clone(),
            provider: a.provider.to_string(),
            consumer: a.consumer.to_string(),
            service: a.service.to_string(),
            fields: a.fields.clone(),
            purpose: a.purpose.clone(),
            legal_basis: a.legal_basis.clone(),
            valid_from: a.valid_from.ms(),
            valid_to: a.valid_to.ms(),
            state: known.state.as_str(),
            group: a.group.as_ref().map(|under| under.name.to_string()),
            suspended_by: known.suspended_by.iter().map(ToString::to_string).collect(),
            suspensions: known
                .stops
                .iter()
                .map(|(by, span)| AgreementPause {
                    by: by.to_string(),
                    from: span.from.map(Time::ms),
                    to: span.to.map(Time::ms),
                })
                .collect(),
            waits: waits(x, known),
            due: due(known).map(Time::ms),
        }
    }
}

/// True when an organisation of this node has the next word: the provider on a request, the consumer on
/// an offer.
pub(crate) fn waits(x: &Exchange, known: &Known) -> bool {
    match known.state {
        life::State::Requested => x.is_here(&known.text.provider),
        life::State::Offered => x.is_here(&known.text.consumer.org),
        _ => false,
    }
}

/// By when the answer to a request is owed, while it is.
pub(crate) fn due(known: &Known) -> Option<Time> {
    let talk = known
        .talk
        .as_ref()
        .filter(|_| known.state == life::State::Requested);
    talk?.due
}

/// A page of what is known, and the name after which the next one begins.
async fn found(x: &Exchange, wanted: &Wanted) -> Result<(Vec<Known>, Option<String>), Problem> {
    let state = wanted.state.as_deref().filter(|key| !key.is_empty());
    let state = match state.map(life::State::parse) {
        Some(None) => return Err(Problem::invalid("state", "malformed")),
        Some(state) => state,
        None => None,
    };
    let after = wanted.after.as_deref().and_then(Digest::parse);
    let rows_max = x.0.store.limits().page_rows_max;
    let mut all = x.page_of(state, after.as_ref(), rows_max).await?;
    let more = all.len() > rows_max;
    all.truncate(rows_max);
    let next = all.last().filter(|_| more).map(|last| last.name.hex());
    Ok((all, next))
}

/// Lists the agreements this node holds and the requests it knows of, a page at a time.
#[utoipa::path(get, path = "/api/v1/exchange/agreements", tag = "exchange", params(Wanted),
    operation_id = "list_agreements",
    security(("session" = ["operator", "observer"])), responses((status = 200, body = Vec<AgreementLine>)))]
pub(crate) async fn json(
    Acting(x, _): Acting,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Vec<AgreementLine>>, Refusal> {
    let (list, _) = found(&x, &wanted).await?;
    Ok(axum::Json(
        list.iter().map(|known| AgreementLine::of(&x, known)).collect(),
    ))
}

#[derive(Template)]
#[template(path = "agreements.html")]
struct View<'a> {
    page: &'a Page,
    states: Vec<(&'static str, String, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
    ending: Vec<EndingRow>,
    heard: Vec<HeardRow>,
}

struct Row {
    name: String,
    id: String,
    provider: String,
    consumer: String,
    service: String,
    state: String,
    class: &'static str,
    term: String,
    /// What the operator has to know: an answer that is owed, an end that is near.
    notes: Vec<(String, &'static str)>,
}

/// The class of a state's tag.
pub(crate) const fn class(state: life::State) -> &'static str {
    match state {
        life::State::InForce => "tag tag-good",
        life::State::Requested | life::State::Offered | life::State::Suspended => "tag tag-wait",
        life::State::Accepted => "tag tag-now",
        life::State::Revoked | life::State::Refused => "tag tag-bad",
        life::State::Expired | life::State::Withdrawn => "tag tag-none",
    }
}

fn notes(x: &Exchange, page: &Page, known: &Known) -> Vec<(String, &'static str)> {
    let now = x.0.now();
    let mut notes = Vec::new();
    if waits(x, known) {
        notes.push(match due(known) {
            Some(due) => {
                let late = if now > due { "tag tag-bad" } else { "tag tag-wait" };
                (page.tw("exchange-waits-until", &[("due", page.time(due))]), late)
            }
            None => (page.t("exchange-waits"), "tag tag-wait"),
        });
    }
    if ends_soon(known, now) {
        notes.push((page.t("exchange-ends-soon"), "tag tag-wait"));
    }
    let planned = known.stops.iter().any(|(_, span)| !span.holds(now));
    if planned && known.state != life::State::Suspended {
        notes.push((page.t("exchange-suspension-planned"), "tag tag-wait"));
    }
    notes
}

/// True for an agreement whose term ends within thirty days.
pub(super) fn ends_soon(known: &Known, now: Time) -> bool {
    let runs = matches!(known.state, life::State::InForce | life::State::Suspended);
    runs && known.text.valid_to.ms() - now.ms() <= SOON_MS
}

/// What the operator has to know before anything else: agreements that end soon, and what providers
/// say of their services.
async fn beforehand(x: &Exchange, page: &Page) -> Result<(Vec<EndingRow>, Vec<HeardRow>), Problem> {
    let now = x.0.now();
    let ending = x.ending_soon().await?.into_iter();
    let ending = ending.map(|ending| EndingRow {
        name: ending.hash.hex(),
        id: x.agreements().name_of(&ending.hash).unwrap_or_default(),
        last: page.date(ending.valid_to.plus_ms(-1).date()),
    });
    let heard = x.service_notices().await?;
    let heard = heard.iter().map(|notice| HeardRow {
        service: notice.service.to_string(),
        said: super::told::sentences(page, notice, now),
    });
    Ok((ending.collect(), heard.collect()))
}

/// An agreement that ends soon.
struct EndingRow {
    name: String,
    id: String,
    last: String,
}

/// What a provider says of a service: sentences, each with its own words behind it.
struct HeardRow {
    service: String,
    said: Vec<(String, String)>,
}

/// The agreements as a page.
#[utoipa::path(get, path = "/exchange/agreements", tag = "exchange", params(Wanted),
    operation_id = "agreements_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the agreements and requests", content_type = "text/html")))]
pub(crate) async fn page(
    Acting(x, _): Acting,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Refusal> {
    let (list, next) = found(&x, &wanted).await?;
    let (ending, heard) = match wanted.after {
        None => beforehand(&x, &page).await?,
        Some(_) => (Vec::new(), Vec::new()),
    };
    let row = |known: &Known| Row {
        name: known.name.hex(),
        id: known.text.id.clone(),
        provider: x.organisation(&known.text.provider),
        consumer: x.organisation(&known.text.consumer.org),
        service: known.text.service.to_string(),
        state: page.t(&format!("exchange-state-{}", known.state.as_str())),
        class: class(known.state),
        term: page.tw(
            "exchange-term",
            &[
                ("from", page.date(known.text.valid_from.date())),
                ("to", page.date(known.text.valid_to.plus_ms(-1).date())),
            ],
        ),
        notes: notes(&x, &page, known),
    };
    let chosen = wanted.state.clone().unwrap_or_default();
    let states = life::State::ALL.map(|state| {
        let key = state.as_str();
        (key, page.t(&format!("exchange-state-{key}")), key == chosen)
    });
    let view = View {
        states: states.into(),
        rows: list.iter().map(row).collect(),
        next: next.map(|next| format!("{}?state={chosen}&after={next}", super::LIST)),
        first: wanted.after.is_none(),
        ending,
        heard,
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("exchange-agreements"), body))
}
