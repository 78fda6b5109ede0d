//! `GET /exchange/delegations` and what can be done there: by which documents organisations act or
//! publish for others; offered, accepted and ended through the page and as programs do.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Digest, Kind, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::{Fields, Json, Page, Principal, Refusal};

use super::Acting;
use super::DAY_MS;
use super::request::first;
use crate::delegation::{Delegation, KnownDelegation, Role, Stage};
use crate::gateway::Exchange;
use crate::ids::ServiceId;

const LIST: &str = "/exchange/delegations";

/// The operations on delegations.
pub(super) fn router() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .routes(routes!(json))
        .routes(routes!(offer_by_form))
        .routes(routes!(offer_by_json))
        .routes(routes!(accept_by_form))
        .routes(routes!(accept_by_json))
        .routes(routes!(end_by_form))
        .routes(routes!(end_by_json))
}

/// A delegation as somebody writes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DelegationText {
    /// The parties' own number for it.
    #[schema(example = "01/UQ-H56-G22")]
    pub(super) id: String,
    /// In whose name.
    #[schema(example = "H56")]
    pub(super) delegator: String,
    /// Who acts.
    #[schema(example = "G22")]
    pub(super) agent: String,
    /// `consumer`: it calls the services. `provider`: it publishes them.
    #[schema(example = "consumer")]
    role: String,
    /// Which services.
    #[schema(example = json!(["G01/population/person-lookup"]))]
    services: Vec<String>,
    /// What for.
    purpose: String,
    /// The legal basis.
    legal_basis: String,
    /// From when, milliseconds since 1970.
    valid_from: i64,
    /// Until when, not with that instant, milliseconds since 1970.
    valid_to: i64,
}

impl DelegationText {
    pub(super) fn of(d: &Delegation) -> Self {
        Self {
            id: d.id.clone(),
            delegator: d.delegator.to_string(),
            agent: d.agent.to_string(),
            role: d.role.as_str().to_owned(),
            services: d.services.iter().map(ToString::to_string).collect(),
            purpose: d.purpose.clone(),
            legal_basis: d.legal_basis.clone(),
            valid_from: d.valid_from.ms(),
            valid_to: d.valid_to.ms(),
        }
    }

    /// What a form holds; a last day counts whole, and a day that is none is no day.
    fn read(fields: &Fields) -> Self {
        let line = |field: &str| fields.text(field).unwrap_or_default().to_owned();
        let area = |field: &str| fields.lines(field).unwrap_or_default();
        let day = |field: &str, plus_ms: i64| {
            let day = fields.date(field).ok().flatten();
            day.map_or(0, |day| Time::at(day, 0).plus_ms(plus_ms).ms())
        };
        let services = area("services");
        let services = services.lines().map(str::trim).filter(|line| !line.is_empty());
        Self {
            id: line("id"),
            delegator: line("delegator"),
            agent: line("agent"),
            role: line("role"),
            services: services.map(str::to_owned).collect(),
            purpose: area("purpose"),
            legal_basis: area("legal_basis"),
            valid_from: day("valid_from", 0),
            valid_to: day("valid_to", DAY_MS),
        }
    }

    /// The document that is meant.
    ///
    /// # Errors
    /// Every fault at its field.
    pub(super) fn meant(&self, now: Time) -> Result<Delegation, Vec<Problem>> {
        let mut faults = Vec::new();
        let mut org = |field: &str, text: &str| -> Option<OrgCode> {
            let org = text.trim().parse().ok();
            if org.is_none() {
                faults.push(Problem::invalid(field, "organisation-code"));
            }
            org
        };
        let (delegator, agent) = (org("delegator", &self.delegator), org("agent", &self.agent));
        let role = Role::parse(&self.role);
        if role.is_none() {
            faults.push(Problem::invalid("role", "delegation-role"));
        }
        let services: Result<Vec<ServiceId>, _> = self.services.iter().map(|s| s.parse()).collect();
        if services.is_err() {
            faults.push(Problem::invalid("services", "service-id"));
        }
        let (Some(delegator), Some(agent), Some(role), Ok(services)) = (delegator, agent, role, services)
        else {
            return Err(faults);
        };
        let delegation = Delegation {
            id: self.id.trim().to_owned(),
            delegator,
            agent,
            role,
            services,
            purpose: self.purpose.clone(),
            legal_basis: self.legal_basis.clone(),
            valid_from: Time(self.valid_from),
            valid_to: Time(self.valid_to),
        };
        let faults = delegation.faults(now);
        if faults.is_empty() {
            Ok(delegation)
        } else {
            Err(faults)
        }
    }
}

/// A delegation and where it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct DelegationLine {
    /// Its hash: what calls and answers that rest on it name.
    hash: String,
    #[serde(flatten)]
    text: DelegationText,
    /// `offered`, `accepted` (its term has not begun), `in-force`, `ended` or `expired`.
    state: &'static str,
    /// True when an organisation of this node is to accept it.
    waits: bool,
    /// Who ended it.
    ended_by: Option<String>,
    /// Why.
    ended_why: Option<String>,
}

impl DelegationLine {
    pub(super) fn of(x: &Exchange, known: &KnownDelegation) -> Self {
        let (d, now) = (&known.signed.delegation, x.0.now());
        let state = match known.stage {
            Stage::Ended => "ended",
            Stage::Offered | Stage::Agreed if d.valid_to <= now => "expired",
            Stage::Offered => "offered",
            Stage::Agreed if now < d.valid_from => "accepted",
            Stage::Agreed => "in-force",
        };
        Self {
            hash: known.hash.hex(),
            text: DelegationText::of(d),
            state,
            waits: state == "offered" && x.is_here(&d.agent),
            ended_by: known.ended.as_ref().map(|(by, _)| by.to_string()),
            ended_why: known.ended.as_ref().map(|(_, why)| why.clone()),
        }
    }
}

/// Lists the delegations that organisations of this node know.
#[utoipa::path(get, path = "/api/v1/exchange/delegations", tag = "exchange",
    operation_id = "list_delegations", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = Vec<DelegationLine>)))]
async fn json(Acting(x, _): Acting) -> Result<axum::Json<Vec<DelegationLine>>, Refusal> {
    let all = x.delegations().await?;
    Ok(axum::Json(
        all.iter().map(|known| DelegationLine::of(&x, known)).collect(),
    ))
}

#[derive(Template)]
#[template(path = "delegations.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    rows: Vec<Row>,
    sent: &'a Fields,
    problems: &'a [Problem],
}

struct Row {
    line: DelegationLine,
    pub(super) delegator: String,
    pub(super) agent: String,
    role: String,
    state: String,
    class: &'static str,
    term: String,
    /// The party of this node that may end it.
    by: Option<String>,
    /// The message at its reason.
    error: String,
}

impl View<'_> {
    fn error(&self, field: &str) -> String {
        self.page.field_error(self.problems, field)
    }

    fn sent(&self, field: &str) -> String {
        self.sent.lines(field).unwrap_or_default()
    }

    fn chosen(&self, role: &str) -> bool {
        self.sent.text("role") == Some(role)
    }

    fn label(&self, field: &str) -> String {
        self.page.t(&format!("exchange-delegation-{field}"))
    }

    fn hint(&self, field: &str) -> String {
        self.page.t(&format!("exchange-delegation-hint-{field}"))
    }
}

fn class(state: &str) -> &'static str {
    match state {
        "in-force" => "tag tag-good",
        "offered" => "tag tag-wait",
        "accepted" => "tag tag-now",
        "ended" => "tag tag-bad",
        _ => "tag tag-none",
    }
}

async fn body(x: &Exchange, page: &Page, sent: &Fields, problems: &[Problem]) -> Result<String, Problem> {
    let row = |known: &KnownDelegation| {
        let (line, d) = (DelegationLine::of(x, known), &known.signed.delegation);
        let runs = matches!(line.state, "offered" | "accepted" | "in-force");
        let mut ours = [&d.delegator, &d.agent].into_iter();
        let by = ours.find(|org| x.is_here(org)).filter(|_| runs);
        let term = [
            ("from", page.date(d.valid_from.date())),
            ("to", page.date(d.valid_to.plus_ms(-1).date())),
        ];
        Row {
            delegator: x.organisation(&d.delegator),
            agent: x.organisation(&d.agent),
            role: page.t(&format!("exchange-delegation-{}", d.role.as_str())),
            state: page.t(&format!("exchange-delegation-{}", line.state)),
            class: class(line.state),
            term: page.tw("exchange-term", &term),
            by: by.map(ToString::to_string),
            error: page.field_error(problems, &format!("reason-{}", line.hash)),
            line,
        }
    };
    let all = x.delegations().await?;
    let view = View {
        errors: page.errors(problems),
        rows: all.iter().map(row).collect(),
        sent,
        problems,
        page,
    };
    view.render().map_err(Problem::internal)
}

/// The delegations as a page, with the form of a new one.
#[utoipa::path(get, path = "/exchange/delegations", tag = "exchange",
    operation_id = "delegations_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the delegations", content_type = "text/html")))]
async fn page(Acting(x, _): Acting, page: Page) -> Result<Html<String>, Refusal> {
    let body = body(&x, &page, &Fields::default(), &[]).await?;
    Ok(page.html(&page.t("exchange-delegations"), body))
}

fn see() -> Response {
    Redirect::to(LIST).into_response()
}

/// Back to the page; where a form was wrong, the page with what is wrong.
async fn after(
    x: &Exchange,
    page: &Page,
    sent: &Fields,
    done: Result<(), Vec<Problem>>,
) -> Result<Response, Refusal> {
    let problems = match done {
        Ok(()) => return Ok(see()),
        Err(problems) => problems,
    };
    let of_a_field = |p: &Problem| p.kind == Kind::Invalid && p.field.is_some();
    if let Some(other) = problems.iter().find(|p| !of_a_field(p)) {
        return Err(other.clone().into());
    }
    let body = body(x, page, sent, &problems).await?;
    Ok(page.html_status(422, &page.t("exchange-delegations"), body))
}

impl Exchange {
    async fn delegate(&self, text: &DelegationText, who: &Principal) -> Result<Digest, Vec<Problem>> {
        let delegation = text.meant(self.0.now())?;
        let offered = self.offer_delegation(delegation, &who.actor).await;
        // At the box of the organisation that is not hosted here, or takes no part.
        offered.map_err(|problem| {
            vec![match (problem.code, problem.kind) {
                ("member-unknown", Kind::NotFound) => Problem::invalid("agent", "delegation-party"),
                ("member-unknown" | "member-elsewhere" | "member-not-yours", _) => {
                    Problem::invalid("delegator", "delegation-party")
                }
                _ => problem,
            }]
        })
    }

    async fn undo_delegation(
        &self,
        hash: &str,
        end: &DelegationEnding,
        who: &Principal,
    ) -> Result<(), Problem> {
        let hash = super::name_of(hash)?;
        let by: OrgCode = end
            .by
            .trim()
            .parse()
            .map_err(|_| Problem::invalid("by", "organisation-code"))?;
        self.end_delegation(&hash, &by, &end.reason, &who.actor).await
    }
}

/// What was offered.
#[derive(Serialize, ToSchema)]
pub(crate) struct DelegationOffered {
    /// Its hash.
    delegation: String,
}

/// Offers a delegation to who is to act.
#[utoipa::path(post, path = "/api/v1/exchange/delegations", tag = "exchange",
    operation_id = "offer_delegation", request_body = DelegationText,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["delegation-offered"]))),
    responses((status = 201, body = DelegationOffered), (status = 409), (status = 422), (status = 429)))]
async fn offer_by_json(
    Acting(x, who): Acting,
    Json(text): Json<DelegationText>,
) -> Result<Response, Refusal> {
    let delegation = x.delegate(&text, &who).await.map_err(first)?.hex();
    Ok((StatusCode::CREATED, axum::Json(DelegationOffered { delegation })).into_response())
}

/// Offers a delegation by the form.
#[utoipa::path(post, path = "/exchange/delegations", tag = "exchange",
    operation_id = "offer_delegation_by_form",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["delegation-offered"]))),
    responses((status = 303, description = "to the list"), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
async fn offer_by_form(Acting(x, who): Acting, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let done = x.delegate(&DelegationText::read(&fields), &who).await.map(drop);
    after(&x, &page, &fields, done).await
}

/// Accepts a delegation by who is to act; the delegator and the providers concerned are told.
#[utoipa::path(post, path = "/api/v1/exchange/delegations/{hash}/accept", tag = "exchange",
    operation_id = "accept_delegation", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["delegation-in-force"]))),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
async fn accept_by_json(Acting(x, who): Acting, Path(hash): Path<String>) -> Result<StatusCode, Refusal> {
    x.accept_delegation(&super::name_of(&hash)?, &who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/delegations/{hash}/accept", tag = "exchange",
    operation_id = "accept_delegation_by_form", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["delegation-in-force"]))),
    responses((status = 303, description = "to the list"), (status = 403), (status = 404), (status = 409)))]
async fn accept_by_form(Acting(x, who): Acting, Path(hash): Path<String>) -> Result<Response, Refusal> {
    x.accept_delegation(&super::name_of(&hash)?, &who.actor).await?;
    Ok(see())
}

/// Why a delegation ends, and by which of this node's organisations.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DelegationEnding {
    /// The party that ends it.
    #[schema(example = "H56")]
    by: String,
    /// Why; the other party reads it.
    reason: String,
}

/// Ends a delegation at once, or an offer of one; the other party and the providers concerned are told.
#[utoipa::path(post, path = "/api/v1/exchange/delegations/{hash}/end", tag = "exchange",
    operation_id = "end_delegation", params(("hash" = String, Path,)), request_body = DelegationEnding,
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["delegation-ended"]))),
    responses((status = 204), (status = 403), (status = 404), (status = 409), (status = 422)))]
async fn end_by_json(
    Acting(x, who): Acting,
    Path(hash): Path<String>,
    Json(end): Json<DelegationEnding>,
) -> Result<StatusCode, Refusal> {
    x.undo_delegation(&hash, &end, &who).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/delegations/{hash}/end", tag = "exchange",
    operation_id = "end_delegation_by_form", params(("hash" = String, Path,)),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["delegation-ended"]))),
    responses((status = 303, description = "to the list"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
async fn end_by_form(
    Acting(x, who): Acting,
    page: Page,
    Path(hash): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let end = DelegationEnding {
        by: fields.text("by").unwrap_or_default().to_owned(),
        reason: fields.lines("reason").unwrap_or_default(),
    };
    let done = x.undo_delegation(&hash, &end, &who).await;
    let field = format!("reason-{hash}");
    let done = done.map_err(|problem| {
        vec![if problem.kind == Kind::Invalid {
            problem.at(&field)
        } else {
            problem
        }]
    });
    after(&x, &page, &Fields::default(), done).await
}
