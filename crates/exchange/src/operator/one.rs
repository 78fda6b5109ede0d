//! `GET /exchange/agreements/{hash}` and its twin: one agreement or request with its twelve items, who
//! signed it, all that happened to it, and what can be done about it now.

use askama::Template;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use kernel::{Kind, OrgCode, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;
use web::{Page, Refusal};

use super::Acting;
use super::draft::{self, AgreementText};
use super::list::{self, AgreementLine};
use super::told::{self, ServiceNoticeLine};
use crate::gateway::Exchange;
use crate::grouped::LEFT;
use crate::life::{self, Known, SUPERSEDED, Span};

/// A signature under the text.
#[derive(Serialize, ToSchema)]
struct AgreementSignature {
    /// Whose.
    party: String,
    /// When, milliseconds since 1970.
    at: i64,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
struct AgreementEvent {
    /// `request`, `withdrawal`, `offer`, `refusal`, `acceptance`, `signature`, `suspension`,
    /// `resumption`, `revocation` or `expiry`.
    kind: String,
    /// By whom.
    party: String,
    /// When, milliseconds since 1970.
    at: i64,
    /// Why; empty where no reason is needed.
    reason: String,
    /// The first instant of a suspension that was planned, milliseconds since 1970.
    from: Option<i64>,
    /// The first instant behind a suspension, where that is known, milliseconds since 1970.
    to: Option<i64>,
}

/// All there is to see of one agreement or request.
#[derive(Serialize, ToSchema)]
pub(crate) struct AgreementSeen {
    #[serde(flatten)]
    line: AgreementLine,
    /// The request that led to it; none when it was adopted with both signatures.
    request: Option<String>,
    /// The hash of what can be accepted now.
    offered: Option<String>,
    /// The twelve items.
    text: AgreementText,
    signatures: Vec<AgreementSignature>,
    history: Vec<AgreementEvent>,
    /// What the provider says of the service now.
    service_notice: Option<ServiceNoticeLine>,
}

/// Shows one agreement or request.
#[utoipa::path(get, path = "/api/v1/exchange/agreements/{hash}", tag = "exchange",
    operation_id = "show_agreement",
    params(("hash" = String, Path, description = "the agreement's hash or the request's name")),
    security(("session" = ["operator", "observer"])), responses((status = 200, body = AgreementSeen), (status = 404)))]
pub(crate) async fn json(
    Acting(x, _): Acting,
    Path(name): Path<String>,
) -> Result<axum::Json<AgreementSeen>, Refusal> {
    let known = x.known(&name).await?;
    let signatures = x.signatures(&known).await?;
    let history = x.history(&known).await?;
    let notice = x.service_notice(&known.text.service).await?;
    Ok(axum::Json(AgreementSeen {
        line: AgreementLine::of(&x, &known),
        request: known.talk.as_ref().map(|talk| talk.request.hex()),
        offered: offered(&known),
        text: AgreementText::of(&known.text),
        signatures: signatures
            .into_iter()
            .map(|(party, at)| AgreementSignature {
                party: party.to_string(),
                at: at.ms(),
            })
            .collect(),
        history: history
            .into_iter()
            .map(|event| AgreementEvent {
                kind: event.kind,
                party: event.party.to_string(),
                at: event.at.ms(),
                reason: event.reason,
                from: event.span.from.map(Time::ms),
                to: event.span.to.map(Time::ms),
            })
            .collect(),
        service_notice: notice.as_ref().map(ServiceNoticeLine::of),
    }))
}

/// The hash of what can be accepted.
fn offered(known: &Known) -> Option<String> {
    (known.state == life::State::Offered).then(|| known.text.hash().hex())
}

#[derive(Template)]
#[template(path = "agreement.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    name: String,
    id: String,
    provider: (String, String),
    consumer: (String, String),
    state: String,
    class: &'static str,
    notes: Vec<String>,
    /// What the provider says of the service: sentences, each with its own words behind it.
    heard: Vec<(String, String)>,
    items: Vec<(&'static str, String, String)>,
    signatures: Vec<(String, Option<String>)>,
    events: Vec<Event>,
    can: Can,
    notice_days: Option<i64>,
    problems: &'a [Problem],
}

struct Event {
    iso: String,
    at: String,
    what: String,
    reason: String,
}

/// What the operator can do now.
#[derive(Default)]
struct Can {
    /// The provider is here and has the word.
    answer: bool,
    /// The consumer is here and has not accepted.
    withdraw: bool,
    /// The hash to accept: the consumer is here.
    accept: Option<String>,
    suspend: Vec<(String, String)>,
    resume: Vec<(String, String)>,
    revoke: Vec<(String, String)>,
}

impl Can {
    fn of(x: &Exchange, known: &Known) -> Self {
        let named = |org: &OrgCode| (org.to_string(), x.organisation(org));
        let own = x.own_parties(known);
        let runs = matches!(
            known.state,
            life::State::Accepted | life::State::InForce | life::State::Suspended
        );
        let suspends = |org: &&OrgCode| known.suspended_by.contains(*org);
        let stops = |org: &&OrgCode| known.stops.iter().any(|(by, _)| by == *org);
        let open = matches!(known.state, life::State::Requested | life::State::Offered);
        let suspend = own.iter().filter(|org| runs && !suspends(org)).map(named);
        let resume = own.iter().filter(|org| runs && stops(org)).map(named);
        Self {
            answer: open && x.is_here(&known.text.provider),
            withdraw: open && x.is_here(&known.text.consumer.org),
            accept: offered(known).filter(|_| x.is_here(&known.text.consumer.org)),
            suspend: suspend.collect(),
            resume: resume.collect(),
            revoke: own.iter().filter(|_| runs).map(named).collect(),
        }
    }

    fn any(&self) -> bool {
        self.answer || self.withdraw || self.accept.is_some() || !self.revoke.is_empty()
    }
}

impl View<'_> {
    /// The message at the reason of a verb's form.
    fn error(&self, verb: &str) -> String {
        self.error_at(&format!("{verb}-reason"))
    }

    /// The message at a field.
    fn error_at(&self, field: &str) -> String {
        self.page.field_error(self.problems, field)
    }
}

/// One agreement as a page.
#[utoipa::path(get, path = "/exchange/agreements/{hash}", tag = "exchange",
    operation_id = "agreement_page",
    params(("hash" = String, Path, description = "the agreement's hash or the request's name")),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the agreement", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    Acting(x, _): Acting,
    page: Page,
    Path(name): Path<String>,
) -> Result<Html<String>, Refusal> {
    let known = x.known(&name).await?;
    let body = body(&x, &page, &known, &[]).await?;
    Ok(page.html(&known.text.id, body))
}

/// Back to the page after a verb's form; where the form was wrong, the page with what is wrong.
///
/// # Errors
/// What the verb was refused for, and as [`page()`].
pub(crate) async fn after(
    x: &Exchange,
    page: &Page,
    (name, verb): (&str, &str),
    done: Result<(), Problem>,
) -> Result<Response, Refusal> {
    let problem = match done {
        Ok(()) => return Ok(super::see(&super::name_of(name)?)),
        Err(problem) if problem.kind == Kind::Invalid => problem,
        Err(problem) => return Err(problem.into()),
    };
    let known = x.known(name).await?;
    let field = format!("{verb}-{}", problem.field.as_deref().unwrap_or("reason"));
    let body = body(x, page, &known, &[problem.at(&field)]).await?;
    Ok(page.html_status(422, &known.text.id, body).into_response())
}

/// What happened, in words; a suspension with its days where it has some.
fn happened(page: &Page, kind: &str, span: Span, party: String) -> String {
    let event = page.tw(&format!("exchange-event-{kind}"), &[("party", party)]);
    match days(page, span) {
        Some(days) => format!("{event} {days}"),
        None => event,
    }
}

/// The days of a suspension; none for one at once and until it is resumed.
fn days(page: &Page, span: Span) -> Option<String> {
    let from = span.from.map(|from| page.date(from.date()));
    let to = span.to.map(|to| page.date(to.plus_ms(-1).date()));
    Some(match (from, to) {
        (Some(from), Some(to)) => page.tw("exchange-span-between", &[("from", from), ("to", to)]),
        (Some(from), None) => page.tw("exchange-span-from", &[("from", from)]),
        (None, Some(to)) => page.tw("exchange-span-to", &[("to", to)]),
        (None, None) => return None,
    })
}

/// What the operator has to know of it now.
fn notes(x: &Exchange, page: &Page, known: &Known) -> Vec<String> {
    let now = x.0.now();
    let mut notes = Vec::new();
    let suspenders: Vec<String> = known.suspended_by.iter().map(|o| x.organisation(o)).collect();
    if !suspenders.is_empty() && known.state == life::State::Suspended {
        notes.push(page.tw("exchange-suspended-by", &[("party", suspenders.join("; "))]));
    }
    for (by, span) in known.stops.iter().filter(|(_, span)| !span.holds(now)) {
        let days = days(page, *span).unwrap_or_default();
        let args = [("party", x.organisation(by)), ("days", days)];
        notes.push(page.tw("exchange-suspends-later", &args));
    }
    if list::ends_soon(known, now) {
        let day = page.date(known.text.valid_to.plus_ms(-1).date());
        notes.push(page.tw("exchange-ends-on", &[("day", day)]));
    }
    let owed = list::due(known);
    notes.extend(owed.map(|due| page.tw("exchange-owed-until", &[("due", page.time(due))])));
    notes
}

async fn body(x: &Exchange, page: &Page, known: &Known, problems: &[Problem]) -> Result<String, Problem> {
    let both = |org: &OrgCode| (x.organisation(org), org.to_string());
    let signed = x.signatures(known).await?;
    let at = |party: &OrgCode| {
        let found = signed.iter().find(|(by, _)| by == party);
        found.map(|(_, at)| page.time(*at))
    };
    let (provider, consumer) = (&known.text.provider, &known.text.consumer.org);
    let events = x.history(known).await?.into_iter().map(|event| Event {
        iso: event.at.rfc3339(),
        at: page.time(event.at),
        what: happened(page, &event.kind, event.span, x.organisation(&event.party)),
        reason: if event.reason == SUPERSEDED {
            page.t("exchange-superseded")
        } else if event.reason == LEFT {
            page.t("exchange-group-left")
        } else {
            event.reason
        },
    });
    let heard = x.service_notice(&known.text.service).await?;
    let now = x.0.now();
    let view = View {
        errors: page.errors(problems),
        name: known.name.hex(),
        id: known.text.id.clone(),
        provider: both(provider),
        consumer: both(consumer),
        state: page.t(&format!("exchange-state-{}", known.state.as_str())),
        class: list::class(known.state),
        notes: notes(x, page, known),
        heard: heard.map_or_else(Vec::new, |notice| told::sentences(page, &notice, now)),
        items: draft::shown(page, &known.text),
        signatures: vec![
            (x.organisation(provider), at(provider)),
            (x.organisation(consumer), at(consumer)),
        ],
        events: events.collect(),
        can: Can::of(x, known),
        notice_days: x
            .agreements()
            .terms()
            .and_then(|terms| terms.notice_days(x.0.now().date())),
        problems,
        page,
    };
    view.render().map_err(Problem::internal)
}
