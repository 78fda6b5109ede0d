//! `GET /exchange/allowed` and its twin: would this call be allowed? By which agreement, or why not.
//! Asks what a call is asked, in its order, and takes nothing out of its minute. What only the other node
//! knows (its maintenance, a service that it has said nothing of) is not told here.

use std::sync::Arc;

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use kernel::time::parse_iso;
use kernel::{Digest, Kind, OrgCode, Problem, Time};
use seal::certificate::Certificate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Page, Refusal};

use super::Acting;
use crate::agreement::Agreement;
use crate::gateway::Exchange;
use crate::holdings::Asked;
use crate::ids::ServiceId;
use crate::quota::{Per, QuotaLeft};

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
    /// In whose name when not the caller's own (`X-Road-Represented-Party`): `H56`.
    represented: Option<String>,
    /// When, milliseconds since 1970; now when left out.
    at: Option<i64>,
}

/// Whether a call would be allowed.
#[derive(Serialize, ToSchema)]
pub(crate) struct CallAllowed {
    /// True when it would be.
    allowed: bool,
    /// Why not: `node-maintenance`, `node-circuit-open`, `system-stopped`, `agreement-missing`, `agreement-endpoint`,
    /// `path-outside`, `agreement-expired` (its term is over or has not begun), `agreement-suspended`, `agreement-revoked`,
    /// `agreement-group-left`, `member-unknown`, `member-disabled`, `node-revoked`, `seal-broken` (a seal that is revoked), `delegation-missing`,
    /// `delegation-over`, `service-unknown`, `service-disabled`, `quota-minute`, `quota-day`, `quota-month`.
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
    /// Refuses to tell of others' agreements.
    fn may_ask(&self, asked: &Asked) -> Result<(), Problem> {
        let (consumer, service) = (&asked.consumer.org, &asked.service.org);
        self.1
            .may_act_for(consumer)
            .or_else(|no| self.1.may_act_for(service).map_err(|_| no))
    }

    /// What a call would be told by what this node knows; what is left and what rests only of a call now.
    async fn allowed(&self, page: &Page, asked: &Asked, at: Option<Time>) -> Result<CallAllowed, Problem> {
        let (who, what) = (&asked.consumer, &asked.service);
        let held = self.agreements();
        let when = at.unwrap_or_else(|| self.0.now());
        let found = held.find_named(who, what, when);
        let hash = found
            .as_ref()
            .map_or_else(|_| held.newest(who, what), |(hash, _)| Some(*hash));
        // Only the provider's node counts calls.
        let counted = hash.filter(|_| at.is_none() && self.0.voice(&what.org).is_some());
        let calls_left = counted.and_then(|hash| held.calls_left(&hash, when));
        let quotas = counted.map_or_else(Vec::new, |hash| held.quota_left(&hash, when));
        let spent = |agreement: &Agreement| {
            let minute = (calls_left == Some(0)).then_some(Per::Minute);
            let longer = || quotas.iter().find(|quota| quota.left == 0).map(|quota| quota.per);
            minute.or_else(longer).map(|per| per.spent(agreement, when))
        };
        let refused = match self.refuses(asked, found, (when, at.is_none())) {
            Err(problem) => Some(problem),
            Ok(agreement) => match self.service_rests(what, when).await? {
                Some(problem) => Some(problem),
                None => spent(&agreement),
            },
        };
        Ok(CallAllowed {
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
        })
    }

    /// What a call meets on its way to the service, in its order: this node, the agreement, both parties'
    /// standing in the directory, the delegation.
    fn refuses(
        &self,
        asked: &Asked,
        found: Result<(Digest, Arc<Agreement>), Problem>,
        (when, is_now): (Time, bool),
    ) -> Result<Arc<Agreement>, Problem> {
        let g = &*self.0;
        let call = (&asked.consumer, &asked.service);
        g.maintenance.may_call(&g.node, when)?;
        let (_, agreement) = found?;
        if let Some(rest) = &asked.rest {
            agreement.grants(rest)?;
        }
        if is_now && !self.is_here(&call.1.org) {
            crate::wire::may_ask(g, call.1, when)?;
        }
        for org in [&call.0.org, &call.1.org] {
            self.takes_part(&org.top())?;
        }
        if let Some(party) = &asked.represented {
            let delegations = &g.agreements.delegations;
            delegations.may_represent(party, call, when)?;
        }
        Ok(agreement)
    }

    /// Refuses a member that the directory does not know, and one whose node or seal is revoked.
    pub(crate) fn takes_part(&self, member: &OrgCode) -> Result<(), Problem> {
        let directory = &self.0.directory;
        let unknown = || Problem::new(Kind::NotFound, "member-unknown").with("member", member);
        let node = directory.node_of(member).ok_or_else(unknown)?;
        if directory.is_revoked(&node.certificate) {
            return Err(Problem::new(Kind::Forbidden, "node-revoked").with("hop", member));
        }
        // Seldom asked: a member may have a further seal that is still good.
        let snapshot = directory.snapshot();
        let mut further = snapshot.further_of_seal(member);
        let is_good = |pem| Certificate::from_pem(pem).is_ok_and(|c| !directory.is_revoked(&c.thumbprint()));
        if directory.seal_certificate(member).is_some() || further.any(is_good) {
            Ok(())
        } else {
            Err(Problem::new(Kind::Forbidden, "seal-broken").with("hop", member))
        }
    }

    /// Why the service would not answer: what this node offers, or what its provider has said of it.
    async fn service_rests(&self, service: &ServiceId, when: Time) -> Result<Option<Problem>, Problem> {
        if self.is_here(&service.org) {
            return Ok(self.service_refuses(service, when));
        }
        let heard = self.service_notice(service).await?;
        Ok(heard.and_then(|notice| notice.told.refusal(service, when)))
    }
}

/// What is asked about, or what is wrong with it, each at its field.
fn asked(consumer: &str, service: &str, endpoint: &str, represented: &str) -> Result<Asked, Vec<Problem>> {
    let mut problems = Vec::new();
    let consumer = consumer.trim().parse();
    if consumer.is_err() {
        problems.push(Problem::invalid("consumer", "system-id"));
    }
    let service = service.trim().parse();
    if service.is_err() {
        problems.push(Problem::invalid("service", "service-id"));
    }
    let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let rest = said(endpoint).map(|text| Asked::endpoint(&text)).transpose();
    let party = said(represented).map(|text| text.parse()).transpose();
    if party.is_err() {
        problems.push(Problem::invalid("represented", "organisation-code"));
    }
    match (consumer, service, rest, party) {
        (Ok(consumer), Ok(service), Ok(rest), Ok(represented)) => Ok(Asked {
            consumer,
            service,
            rest,
            represented,
        }),
        (_, _, rest, _) => {
            problems.extend(rest.err());
            Err(problems)
        }
    }
}

/// Says whether a call would be allowed, and under which agreement or why not.
#[utoipa::path(get, path = "/api/v1/exchange/allowed", tag = "exchange", params(Call),
    operation_id = "is_call_allowed",
    security(("session" = ["operator", "observer"])), responses((status = 200, body = CallAllowed), (status = 422)))]
pub(crate) async fn json(
    Acting(x, _): Acting,
    page: Page,
    Query(call): Query<Call>,
) -> Result<axum::Json<CallAllowed>, Refusal> {
    let (endpoint, represented) = (
        call.endpoint.unwrap_or_default(),
        call.represented.unwrap_or_default(),
    );
    let asked = asked(&call.consumer, &call.service, &endpoint, &represented);
    let asked = asked.map_err(super::request::first)?;
    x.may_ask(&asked)?;
    Ok(axum::Json(x.allowed(&page, &asked, call.at.map(Time)).await?))
}

/// What the form asks.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Form {
    #[serde(default)]
    consumer: String,
    #[serde(default)]
    service: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    represented: String,
    #[serde(default)]
    on: String,
}

#[derive(Template)]
#[template(path = "allowed.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    form: Form,
    consumer_error: String,
    service_error: String,
    endpoint_error: String,
    represented_error: String,
    on_error: String,
    answer: Option<CallAllowed>,
}

/// Would this call be allowed, as a page.
#[utoipa::path(get, path = "/exchange/allowed", tag = "exchange", operation_id = "call_allowed_page",
    params(("consumer" = Option<String>, Query, description = "the calling system, G22/portal"),
           ("service" = Option<String>, Query, description = "the service, G01/population/person-lookup"),
           ("endpoint" = Option<String>, Query, description = "method and path, GET /persons/42"),
           ("represented" = Option<String>, Query, description = "in whose name, H56; the caller's own when left out"),
           ("on" = Option<String>, Query, description = "a day, 2026-11-22; now when left out")),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form and the answer", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn page(
    Acting(x, _): Acting,
    page: Page,
    Query(form): Query<Form>,
) -> Result<Response, Refusal> {
    let mut problems = Vec::new();
    let at = match parse_iso(form.on.trim()) {
        Some(day) => Some(Time::at(day, NOON)),
        None if form.on.trim().is_empty() => None,
        None => {
            problems.push(Problem::invalid("on", "date-bad"));
            None
        }
    };
    let mut answer = None;
    if !form.consumer.is_empty() || !form.service.is_empty() {
        match asked(&form.consumer, &form.service, &form.endpoint, &form.represented) {
            Ok(asked) if problems.is_empty() => {
                x.may_ask(&asked)?;
                answer = Some(x.allowed(&page, &asked, at).await?);
            }
            Ok(_) => {}
            Err(faults) => problems.extend(faults),
        }
    }
    let view = View {
        errors: page.errors(&problems),
        consumer_error: page.field_error(&problems, "consumer"),
        service_error: page.field_error(&problems, "service"),
        endpoint_error: page.field_error(&problems, "endpoint"),
        represented_error: page.field_error(&problems, "represented"),
        on_error: page.field_error(&problems, "on"),
        form,
        answer,
        page: &page,
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html_status(status, &page.t("exchange-allowed-title"), body))
}
