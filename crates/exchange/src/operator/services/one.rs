//! `GET /exchange/services/{org}/{system}/{code}` and its twin: one service, how it is reached, what it
//! has, how it stands, what was done to it, and what can be done now.

use askama::Template;
use axum::extract::Path;
use axum::response::{Html, Response};
use kernel::{Kind, Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;
use web::{Fields, Page, Refusal};

use super::super::Acting;
use super::Named;
use super::attempt::ServiceTried;
use super::list::{self, ServiceLine};
use super::text::ServiceText;
use crate::gateway::Exchange;
use crate::ids::ServiceId;
use crate::offered::{Difference, Listed, Setup, Standing, Stands, WaySeen};

/// A stop that was announced.
#[derive(Serialize, ToSchema)]
struct ServiceStop {
    /// From when, milliseconds since 1970.
    from: i64,
    /// Until when, milliseconds since 1970; none when nobody knows.
    to: Option<i64>,
    /// Why; callers read it.
    reason: String,
    /// When it was announced, milliseconds since 1970.
    announced: i64,
}

/// One thing that was done.
#[derive(Serialize, ToSchema)]
struct ServiceEvent {
    /// The fact: `service-registered`, `service-disabled` …
    kind: String,
    /// By whom.
    actor: String,
    /// When, milliseconds since 1970.
    at: i64,
}

/// An address of a service, and how it stands.
#[derive(Serialize, ToSchema)]
struct ServiceWay {
    /// Where.
    url: String,
    /// How often it is picked, against the others.
    weight: u32,
    /// True while nothing is sent there, because it failed.
    rests: bool,
    /// When its health was checked last, milliseconds since 1970; none when it never was.
    checked_at: Option<i64>,
    /// What that answered; none when nothing came back.
    status: Option<u16>,
}

impl ServiceWay {
    fn of(seen: &WaySeen) -> Self {
        Self {
            url: seen.url.clone(),
            weight: seen.weight,
            rests: seen.rests,
            checked_at: seen.checked.map(|checked| checked.at.ms()),
            status: seen.checked.and_then(|checked| checked.status),
        }
    }
}

/// All there is to see of one service.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceSeen {
    #[serde(flatten)]
    line: ServiceLine,
    /// How it is reached and what it has, as a change takes it; none of a service of the platform.
    text: Option<ServiceText>,
    /// Its addresses, and how each stands.
    ways: Vec<ServiceWay>,
    stop: Option<ServiceStop>,
    /// The first day on which a stop may begin that is announced now.
    first_stop: Option<String>,
    history: Vec<ServiceEvent>,
}

/// Shows one service.
#[utoipa::path(get, path = "/api/v1/exchange/services/{org}/{system}/{code}", tag = "exchange",
    operation_id = "show_service",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator", "observer"])), responses((status = 200, body = ServiceSeen), (status = 404)))]
pub(crate) async fn json(
    Acting(x, _): Acting,
    Path(named): Path<Named>,
) -> Result<axum::Json<ServiceSeen>, Refusal> {
    let listed = x.listed_service(&super::id_of(&named)?).await?;
    let history = x.service_history(&listed.id).await?;
    let text = |setup: &Setup| ServiceText::of(&listed.id, setup);
    Ok(axum::Json(ServiceSeen {
        line: ServiceLine::of(&listed, x.0.now()),
        text: listed.setup.as_ref().map(text),
        ways: x.ways_of(&listed.id).iter().map(ServiceWay::of).collect(),
        first_stop: x.first_stop(&listed.id).map(kernel::time::iso),
        stop: listed.stands.stop.map(|stop| ServiceStop {
            from: stop.from.ms(),
            to: stop.to.map(Time::ms),
            reason: stop.reason,
            announced: stop.announced.ms(),
        }),
        history: history
            .into_iter()
            .map(|done| ServiceEvent {
                kind: done.kind,
                actor: done.actor,
                at: done.at.ms(),
            })
            .collect(),
    }))
}

/// What a page shows besides the service itself.
#[derive(Default)]
pub(super) struct Beside<'a> {
    /// What is wrong with what was sent.
    pub(super) problems: &'a [Problem],
    /// What was sent.
    pub(super) sent: Option<&'a Fields>,
    /// What its document lists otherwise; and the document, when it was uploaded for that.
    pub(super) difference: Option<(&'a Difference, &'a str)>,
    /// What came of trying it.
    pub(super) tried: Option<ServiceTried>,
}

#[derive(Template)]
#[template(path = "service.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    name: String,
    provider: String,
    /// How it is reached; none of a service of the platform.
    setup: Option<&'a Setup>,
    stands: &'a Stands,
    /// Each address: where, its weight, how it stands and the class of that.
    ways: Vec<(String, u32, String, &'static str)>,
    state: String,
    class: &'static str,
    notice: Option<String>,
    stop: Option<String>,
    over: bool,
    sunset: Option<String>,
    first_stop: Option<String>,
    agreements: Vec<(String, String)>,
    events: Vec<Event>,
    beside: Beside<'a>,
}

struct Event {
    iso: String,
    at: String,
    what: String,
    actor: String,
}

impl View<'_> {
    /// The message at a field.
    fn error(&self, field: &str) -> String {
        self.page.field_error(self.beside.problems, field)
    }

    /// True for a SOAP service.
    fn is_soap(&self) -> bool {
        self.setup.is_some_and(|setup| setup.wsdl.is_some())
    }

    /// True when one of these fields is at fault.
    fn open(&self, fields: &[&str]) -> bool {
        let at_fault = |field: &&str| !self.error(field).is_empty();
        fields.iter().any(at_fault)
    }

    /// What was sent in a field.
    fn sent(&self, field: &str) -> String {
        let sent = self.beside.sent.and_then(|fields| fields.lines(field));
        sent.unwrap_or_default()
    }
}

/// One service as a page.
#[utoipa::path(get, path = "/exchange/services/{org}/{system}/{code}", tag = "exchange",
    operation_id = "service_page",
    params(("org" = String, Path,), ("system" = String, Path,), ("code" = String, Path,)),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the service", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    Acting(x, _): Acting,
    page: Page,
    Path(named): Path<Named>,
) -> Result<Html<String>, Refusal> {
    let listed = x.listed_service(&super::id_of(&named)?).await?;
    let body = body(&x, &page, &listed, Beside::default()).await?;
    Ok(page.html(&listed.id.to_string(), body))
}

/// The page again, with something beside the service; 422 when something is wrong.
///
/// # Errors
/// As [`page()`].
pub(super) async fn again(
    x: &Exchange,
    page: &Page,
    id: &ServiceId,
    beside: Beside<'_>,
) -> Result<Response, Refusal> {
    let status = if beside.problems.is_empty() { 200 } else { 422 };
    let listed = x.listed_service(id).await?;
    let body = body(x, page, &listed, beside).await?;
    Ok(page.html_status(status, &listed.id.to_string(), body))
}

/// The page again, with all that was refused at fields of it and what was sent.
///
/// # Errors
/// What was refused for another reason; and as [`page()`].
pub(super) async fn refused(
    x: &Exchange,
    page: &Page,
    id: &ServiceId,
    (mut problems, sent): (Vec<Problem>, Option<&Fields>),
) -> Result<Response, Refusal> {
    if let Some(at) = problems.iter().position(|problem| problem.kind != Kind::Invalid) {
        return Err(problems.swap_remove(at).into());
    }
    let beside = Beside {
        problems: &problems,
        sent,
        ..Beside::default()
    };
    again(x, page, id, beside).await
}

/// How an address stands, in words, and their class.
fn way(page: &Page, seen: &WaySeen) -> (String, &'static str) {
    let Some(checked) = seen.checked else {
        return match seen.rests {
            true => (page.t("exchange-address-rests"), "tag tag-bad"),
            false => (page.t("exchange-address-unchecked"), "tag tag-none"),
        };
    };
    let at = ("at", page.time(checked.at));
    match checked.status {
        Some(status) => {
            let class = if checked.is_good() {
                "tag tag-good"
            } else {
                "tag tag-bad"
            };
            let args = [at, ("status", status.to_string())];
            (page.tw("exchange-address-answered", &args), class)
        }
        None => (page.tw("exchange-address-silent", &[at]), "tag tag-bad"),
    }
}

async fn body(x: &Exchange, page: &Page, listed: &Listed, beside: Beside<'_>) -> Result<String, Problem> {
    let now = x.0.now();
    let (id, stands) = (&listed.id, &listed.stands);
    let standing = stands.standing(now);
    let events = x.service_history(id).await?.into_iter().map(|done| Event {
        iso: done.at.rfc3339(),
        at: page.time(done.at),
        what: page.t(&format!("exchange-done-{}", done.kind)),
        actor: done.actor,
    });
    let stop = stands.stop.as_ref().map(|stop| {
        let from = page.date(stop.from.date());
        let to = stop.to.map(|to| page.date(to.plus_ms(-1).date()));
        match to {
            Some(to) => page.tw("exchange-stop-between", &[("from", from), ("to", to)]),
            None => page.tw("exchange-stop-from", &[("from", from)]),
        }
    });
    let about = x.agreements().of_service(id).into_iter();
    let notice = match standing {
        Standing::Disabled => stands.disabled.clone(),
        Standing::Stopping | Standing::Stopped => stands.stop.as_ref().map(|stop| stop.reason.clone()),
        Standing::Enabled => None,
    };
    let ways = x.ways_of(id);
    let ways = ways.iter().map(|seen| {
        let (stands, class) = way(page, seen);
        (seen.url.clone(), seen.weight, stands, class)
    });
    let view = View {
        errors: page.errors(beside.problems),
        ways: ways.collect(),
        name: id.to_string(),
        provider: x.organisation(&id.org),
        state: page.t(&format!("exchange-service-{}", standing.as_str())),
        class: list::class(standing),
        notice,
        stop,
        over: crate::offered::stand::is_over(stands, now),
        sunset: stands.sunset.map(|at| page.date(at.date())),
        first_stop: x.first_stop(id).map(|day| page.date(day)),
        agreements: about.map(|(hash, a)| (hash.hex(), a.id.clone())).collect(),
        events: events.collect(),
        setup: listed.setup.as_ref(),
        stands,
        beside,
        page,
    };
    view.render().map_err(Problem::internal)
}
