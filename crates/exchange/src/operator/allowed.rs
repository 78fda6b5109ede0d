//! `GET /exchange/allowed` and its twin: would this call be allowed? By which agreement, or why not.
//! Asks the same book as a call does and takes nothing out of its minute.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use kernel::time::parse_iso;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Operator, Page, Refusal};

use crate::agreement::Agreement;
use crate::gateway::Exchange;
use crate::ids::{ServiceId, SystemId};
use crate::quota::{Per, QuotaLeft};
use crate::rest::{Rest, is_target};

/// Noon, in minutes of the day: a day is asked about by its middle.
const NOON: i64 = 12 * 60;

/// Which call.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// The calling system, `G22/portal`.
    consumer: String,
    /// The service, `G01/population/person-lookup`.
    service: String,
    /// Method and path behind the service, `GET /persons/42`; left out, only whether there is an
    /// agreement is looked at.
    endpoint: Option<String>,
    /// When, milliseconds since 1970; now when left out.
    at: Option<i64>,
}

/// The call that is asked about.
struct Wanted {
    consumer: SystemId,
    service: ServiceId,
    rest: Option<Rest>,
}

/// Whether a call would be allowed.
#[derive(Serialize, ToSchema)]
pub(crate) struct CallAllowed {
    /// True when it would be.
    allowed: bool,
    /// Why not: `agreement-missing`, `agreement-endpoint`, `path-outside`, `agreement-expired` (its term is over or has not begun),
    /// `agreement-suspended`, `agreement-revoked`, `quota-minute`, `quota-day`, `quota-month`.
    code: Option<&'static str>,
    /// The same in the reader's language.
    why: Option<String>,
    /// The hash of the agreement that allows it or stands in its way.
    agreement: Option<String>,
    /// The parties' own number of that agreement.
    id: Option<String>,
    /// Calls left of the agreement's minute, where this node counts them.
    calls_left: Option<u64>,
    /// What is left of the agreement's quotas, where this node counts them.
    quota_left: Vec<QuotaLine>,
}

/// What is left of one quota.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuotaLine {
    /// `day` or `month`.
    per: &'static str,
    /// Calls it allows.
    max: u32,
    /// Calls left of them.
    left: u32,
    /// When it begins anew, milliseconds since 1970.
    frees: i64,
    /// What it is called in the reader's language.
    #[serde(skip)]
    label: String,
}

impl QuotaLine {
    fn of(page: &Page, quota: &QuotaLeft) -> Self {
        let (per, max) = (quota.per.as_str(), quota.max.to_string());
        Self {
            per,
            max: quota.max,
            left: quota.left,
            frees: quota.frees.ms(),
            label: page.tw(&format!("exchange-quota-left-{per}"), &[("max", max)]),
        }
    }
}

impl Exchange {
    /// The answer of the agreements held here; of the calls of the minute only for a call now.
    fn allowed(&self, page: &Page, wanted: &Wanted, at: Option<Time>) -> CallAllowed {
        let (who, what) = (&wanted.consumer, &wanted.service);
        let held = self.agreements();
        let when = at.unwrap_or_else(|| self.0.now());
        let found = held.find_named(who, what, when);
        let hash = found
            .as_ref()
            .map_or_else(|_| held.newest(who, what), |(hash, _)| Some(*hash));
        // Only the provider's node counts calls.
        let counted = hash.filter(|_| at.is_none() && self.is_here(&what.org));
        let calls_left = counted.and_then(|hash| held.calls_left(&hash, when));
        let quotas = counted.map_or_else(Vec::new, |hash| held.quota_left(&hash, when));
        let granted = |a: &Agreement| match &wanted.rest {
            Some(rest) => a.grants(rest).err(),
            None => None,
        };
        let refused = match found {
            Err(problem) => Some(problem),
            Ok((_, a)) if granted(&a).is_some() => granted(&a),
            Ok((_, a)) if calls_left == Some(0) => Some(Per::Minute.spent(&a, when)),
            Ok((_, a)) => {
                let spent = quotas.iter().find(|quota| quota.left == 0);
                spent.map(|quota| quota.per.spent(&a, when))
            }
        };
        CallAllowed {
            allowed: refused.is_none(),
            code: refused.as_ref().map(|problem| problem.code),
            why: refused.map(|problem| {
                let what = page.tw(&format!("problem-{}", problem.code), &problem.args);
                format!("{what} {}", page.problem_text(&problem))
            }),
            agreement: hash.map(|hash| hash.hex()),
            id: hash.and_then(|hash| held.name_of(&hash)),
            calls_left,
            quota_left: quotas.iter().map(|quota| QuotaLine::of(page, quota)).collect(),
        }
    }
}

/// What is asked about, or what is wrong with it, each at its field.
fn wanted(consumer: &str, service: &str, endpoint: &str) -> Result<Wanted, Vec<Problem>> {
    let rest = match endpoint.trim() {
        "" => Ok(None),
        text => call(text).map(Some),
    };
    match (consumer.trim().parse(), service.trim().parse(), rest) {
        (Ok(consumer), Ok(service), Ok(rest)) => Ok(Wanted {
            consumer,
            service,
            rest,
        }),
        (consumer, service, rest) => {
            let consumer = consumer.err().map(|_| Problem::invalid("consumer", "system-id"));
            let service = service.err().map(|_| Problem::invalid("service", "service-id"));
            Err(consumer.into_iter().chain(service).chain(rest.err()).collect())
        }
    }
}

/// A call by its method and path: `GET /persons/42`.
fn call(text: &str) -> Result<Rest, Problem> {
    let bad = || Problem::invalid("endpoint", "allowed-endpoint");
    let (method, target) = text.split_once(' ').ok_or_else(bad)?;
    let target = target.trim();
    if !target.starts_with('/') || !is_target(target) {
        return Err(bad());
    }
    Ok(Rest {
        method: method.parse().map_err(|_| bad())?,
        target: target.to_owned(),
        ..Rest::default()
    })
}

/// Says whether a call would be allowed, and under which agreement or why not.
#[utoipa::path(get, path = "/api/v1/exchange/allowed", tag = "exchange", params(Call),
    operation_id = "is_call_allowed",
    security(("session" = ["operator"])), responses((status = 200, body = CallAllowed), (status = 422)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    _: Operator,
    page: Page,
    Query(call): Query<Call>,
) -> Result<axum::Json<CallAllowed>, Refusal> {
    let endpoint = call.endpoint.unwrap_or_default();
    let wanted = wanted(&call.consumer, &call.service, &endpoint).map_err(super::request::first)?;
    Ok(axum::Json(x.allowed(&page, &wanted, call.at.map(Time))))
}

/// What the form asks.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    consumer: Option<String>,
    service: Option<String>,
    endpoint: Option<String>,
    on: Option<String>,
}

#[derive(Template)]
#[template(path = "allowed.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    consumer: String,
    consumer_error: String,
    service: String,
    service_error: String,
    endpoint: String,
    endpoint_error: String,
    on: String,
    on_error: String,
    answer: Option<CallAllowed>,
}

/// Would this call be allowed, as a page.
#[utoipa::path(get, path = "/exchange/allowed", tag = "exchange", operation_id = "call_allowed_page",
    params(("consumer" = Option<String>, Query, description = "the calling system, G22/portal"),
           ("service" = Option<String>, Query, description = "the service, G01/population/person-lookup"),
           ("endpoint" = Option<String>, Query, description = "method and path, GET /persons/42"),
           ("on" = Option<String>, Query, description = "a day, 2026-11-22; now when left out")),
    security(("session" = ["operator"])),
    responses((status = 200, description = "the form and the answer", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    _: Operator,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let consumer = asked.consumer.unwrap_or_default();
    let service = asked.service.unwrap_or_default();
    let endpoint = asked.endpoint.unwrap_or_default();
    let on = asked.on.unwrap_or_default();
    let mut problems = Vec::new();
    let at = match parse_iso(on.trim()) {
        Some(day) => Some(Time::at(day, NOON)),
        None if on.trim().is_empty() => None,
        None => {
            problems.push(Problem::invalid("on", "date-bad"));
            None
        }
    };
    let mut answer = None;
    if !consumer.is_empty() || !service.is_empty() {
        match wanted(&consumer, &service, &endpoint) {
            Ok(wanted) if problems.is_empty() => answer = Some(x.allowed(&page, &wanted, at)),
            Ok(_) => {}
            Err(faults) => problems.extend(faults),
        }
    }
    let view = View {
        errors: page.errors(&problems),
        consumer_error: page.field_error(&problems, "consumer"),
        service_error: page.field_error(&problems, "service"),
        endpoint_error: page.field_error(&problems, "endpoint"),
        on_error: page.field_error(&problems, "on"),
        consumer,
        service,
        endpoint,
        on,
        answer,
        page: &page,
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html_status(status, &page.t("exchange-allowed-title"), body))
}
