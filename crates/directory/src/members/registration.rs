//! `GET /exchange/registrations/{request}` and what can be done there: at its owner's node ask or drop,
//! at the hub approve or decline. Never changes what was put into words.

use askama::Template;
use kernel::{Digest, Kind, Problem};
use serde::Deserialize;
use serde_json::Value;
use web::axum::extract::{FromRequestParts, Path, State};
use web::axum::http::request::Parts;
use web::axum::http::{StatusCode, header};
use web::axum::response::{Html, IntoResponse, Response};
use web::openapi::ToSchema;
use web::{Fields, Json, Operator, Page, Principal, Refusal};

use super::Shown;
use super::one::class_of;
use super::registrations::RegistrationLine;
use crate::DirectoryState;
use crate::registration::deliver::NOT_TAKEN;
use crate::registration::{Registration, Side, State as Stands};
use crate::snapshot;

fn name_of(text: &str) -> Result<Digest, Problem> {
    Digest::parse(text).ok_or_else(Problem::not_found)
}

/// A registration as this node knows it: at the hub what it is to decide, else what it asked.
async fn known(state: &DirectoryState, request: &str, who: &Principal) -> Result<Registration, Problem> {
    let (request, registrar) = (name_of(request)?, state.registrar());
    if state.decides(who)
        && let Ok(found) = registrar.one(Side::Hub, &request).await
    {
        return Ok(found);
    }
    own(state, &request, who).await
}

/// A registration that an operator may ask for or drop.
async fn own(state: &DirectoryState, request: &Digest, who: &Principal) -> Result<Registration, Problem> {
    let found = state.registrar().one(Side::Owner, request).await?;
    let is_own = state.own(who).is_none_or(|own| own.holds(&found.party));
    if is_own {
        Ok(found)
    } else {
        Err(Problem::not_found())
    }
}

/// Tells one registration.
#[utoipa::path(get, path = "/api/v1/directory/registrations/{request}", tag = "directory",
    operation_id = "show_registration", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "The registration", body = RegistrationLine), (status = 404)))]
pub(crate) async fn json(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    Path(request): Path<String>,
) -> Result<web::axum::Json<RegistrationLine>, Refusal> {
    Ok(web::axum::Json(RegistrationLine::of(
        known(&state, &request, &who).await?,
    )))
}

#[derive(Template)]
#[template(path = "registration.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    request: String,
    title: String,
    about: String,
    party: String,
    made_at: String,
    changed_at: String,
    state: String,
    class: &'static str,
    reason: String,
    /// The rest of what was said, field by field.
    rest: Vec<(String, String)>,
    certificates: Vec<Shown>,
    /// The owner's operator may ask or drop.
    saved: bool,
    /// The hub's operator may approve or decline.
    decides: bool,
    sent_reason: String,
    reason_error: String,
}

fn body(
    state: &DirectoryState,
    page: &Page,
    one: &Registration,
    (sent, problems): (&Fields, &[Problem]),
) -> Result<String, Problem> {
    let snapshot = state.directory.snapshot();
    let now = state.directory.store().world().now();
    let said = serde_json::to_value(&one.change).map_err(Problem::internal)?;
    let (mut rest, mut certificates) = (Vec::new(), Vec::new());
    for (field, value) in said.as_object().into_iter().flatten() {
        let text = match value {
            _ if field == "change" => continue,
            Value::String(pem) if field.ends_with("certificate") => {
                if let Ok(certificate) = snapshot::certificate(pem) {
                    certificates.push(Shown::of(page, &snapshot, &certificate, now));
                }
                continue;
            }
            Value::String(text) => text.clone(),
            Value::Array(all) => {
                let codes = all.iter().filter_map(|s| s.get("code").and_then(Value::as_str));
                codes.collect::<Vec<_>>().join(", ")
            }
            other => other.to_string(),
        };
        rest.push((
            page.t(&format!("directory-field-{}", field.replace('_', "-"))),
            text,
        ));
    }
    let view = View {
        errors: page.errors(problems),
        request: one.request.hex(),
        title: page.t(&format!("directory-change-{}", one.change.kind())),
        about: one.change.about(),
        party: snapshot
            .member(&one.party)
            .map_or_else(|| one.party.to_string(), |m| m.name.clone()),
        made_at: page.time(one.made_at),
        changed_at: page.time(one.changed_at),
        state: page.t(&format!("directory-state-{}", one.state.as_str())),
        class: class_of(one.state),
        reason: if one.reason == NOT_TAKEN {
            page.t(&format!("{NOT_TAKEN}.rule"))
        } else {
            one.reason.clone()
        },
        rest,
        certificates,
        saved: one.side == Side::Owner && one.state == Stands::Saved,
        decides: one.side == Side::Hub && one.state == Stands::Asked,
        sent_reason: sent.text("reason").unwrap_or_default().to_owned(),
        reason_error: page.field_error(problems, "reason"),
        page,
    };
    view.render().map_err(Problem::internal)
}

/// One registration as a page.
#[utoipa::path(get, path = "/exchange/registrations/{request}", tag = "directory",
    operation_id = "registration_page", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the registration", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
    Path(request): Path<String>,
) -> Result<Html<String>, Refusal> {
    let one = known(&state, &request, &who).await?;
    let body = body(&state, &page, &one, (&Fields::default(), &[]))?;
    Ok(page.html(&page.t("directory-registration"), body))
}

/// An operator at one registration.
pub(crate) struct At {
    state: DirectoryState,
    who: Principal,
    request: String,
}

impl FromRequestParts<DirectoryState> for At {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &DirectoryState) -> Result<Self, Response> {
        let who = Operator::from_request_parts(parts, state).await;
        let Operator(who) = who.map_err(IntoResponse::into_response)?;
        let request = Path::from_request_parts(parts, state).await;
        let Path(request) = request.map_err(IntoResponse::into_response)?;
        Ok(Self {
            state: state.clone(),
            who,
            request,
        })
    }
}

impl At {
    async fn act(&self, what: Act<'_>) -> Result<(), Problem> {
        let (request, registrar) = (name_of(&self.request)?, self.state.registrar());
        let actor = &self.who.actor;
        match what {
            Act::Ask | Act::Drop => drop(own(&self.state, &request, &self.who).await?),
            Act::Approve | Act::Decline(_) => self.who.require_home(self.state.directory.tenant())?,
        }
        match what {
            Act::Ask => registrar.ask(&request, actor).await,
            Act::Drop => registrar.drop_saved(&request, actor).await,
            Act::Approve => registrar.approve(&request, actor).await.map(drop),
            Act::Decline(reason) => registrar.decline(&request, reason, actor).await,
        }
    }

    /// Does it for a program.
    async fn by_json(self, what: Act<'_>) -> Result<StatusCode, Refusal> {
        self.act(what).await?;
        Ok(StatusCode::NO_CONTENT)
    }

    /// Does it for a form: back to the page, or the page again with what is wrong.
    async fn by_form(self, page: &Page, what: Act<'_>, sent: &Fields) -> Result<Response, Refusal> {
        match self.act(what).await {
            Ok(()) => {
                let to = format!("/exchange/registrations/{}", self.request);
                Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
            }
            Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
                let one = known(&self.state, &self.request, &self.who).await?;
                let status = problem.kind.status();
                let body = body(&self.state, page, &one, (sent, &[problem]))?;
                Ok(page.html_status(status, &page.t("directory-registration"), body))
            }
            Err(problem) => Err(problem.into()),
        }
    }
}

/// What an operator does to a registration.
#[derive(Clone, Copy)]
enum Act<'a> {
    Ask,
    Drop,
    Approve,
    Decline(&'a str),
}

/// Asks the hub for what was saved.
#[utoipa::path(post, path = "/api/v1/directory/registrations/{request}/ask", tag = "directory",
    operation_id = "ask_registration", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["registration-asked"]))),
    responses((status = 204, description = "Asked"), (status = 404), (status = 409)))]
pub(crate) async fn ask_by_json(at: At) -> Result<StatusCode, Refusal> {
    at.by_json(Act::Ask).await
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/registrations/{request}/ask", tag = "directory",
    operation_id = "ask_registration_by_form", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["registration-asked"]))),
    responses((status = 303, description = "to the registration"), (status = 404), (status = 409)))]
pub(crate) async fn ask_by_form(at: At, page: Page) -> Result<Response, Refusal> {
    at.by_form(&page, Act::Ask, &Fields::default()).await
}

/// Drops what was saved and not asked.
#[utoipa::path(post, path = "/api/v1/directory/registrations/{request}/drop", tag = "directory",
    operation_id = "drop_registration", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["registration-dropped"]))),
    responses((status = 204, description = "Dropped"), (status = 404), (status = 409)))]
pub(crate) async fn drop_by_json(at: At) -> Result<StatusCode, Refusal> {
    at.by_json(Act::Drop).await
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/registrations/{request}/drop", tag = "directory",
    operation_id = "drop_registration_by_form", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["registration-dropped"]))),
    responses((status = 303, description = "to the registration"), (status = 404), (status = 409)))]
pub(crate) async fn drop_by_form(at: At, page: Page) -> Result<Response, Refusal> {
    at.by_form(&page, Act::Drop, &Fields::default()).await
}

/// Approves a request: the directory that says it goes out at once.
#[utoipa::path(post, path = "/api/v1/directory/registrations/{request}/approve", tag = "directory",
    operation_id = "approve_registration", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["registration-approved", "directory-published", "directory-adopted"]))),
    responses((status = 204, description = "Approved and published"), (status = 404, description = "Unknown, or no hub here"),
              (status = 409), (status = 422)))]
pub(crate) async fn approve_by_json(at: At) -> Result<StatusCode, Refusal> {
    at.by_json(Act::Approve).await
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/registrations/{request}/approve", tag = "directory",
    operation_id = "approve_registration_by_form", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["registration-approved", "directory-published", "directory-adopted"]))),
    responses((status = 303, description = "to the registration"), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn approve_by_form(at: At, page: Page) -> Result<Response, Refusal> {
    at.by_form(&page, Act::Approve, &Fields::default()).await
}

/// Why a request is declined.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistrationDeclining {
    /// In words; its owner reads it.
    reason: String,
}

/// Declines a request with a reason.
#[utoipa::path(post, path = "/api/v1/directory/registrations/{request}/decline", tag = "directory",
    operation_id = "decline_registration", params(("request" = String, Path, description = "Its name")),
    request_body = RegistrationDeclining, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["registration-declined"]))),
    responses((status = 204, description = "Declined"), (status = 404, description = "Unknown, or no hub here"),
              (status = 409), (status = 422, description = "No reason")))]
pub(crate) async fn decline_by_json(
    at: At,
    Json(declining): Json<RegistrationDeclining>,
) -> Result<StatusCode, Refusal> {
    at.by_json(Act::Decline(&declining.reason)).await
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/registrations/{request}/decline", tag = "directory",
    operation_id = "decline_registration_by_form", params(("request" = String, Path, description = "Its name")),
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["registration-declined"]))),
    responses((status = 303, description = "to the registration"), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")))]
pub(crate) async fn decline_by_form(at: At, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let reason = fields.text("reason").unwrap_or_default();
    at.by_form(&page, Act::Decline(reason), &fields).await
}
