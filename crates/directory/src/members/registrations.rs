//! `GET /exchange/registrations` and its twin: what was asked, at the hub what waits for its operator,
//! and whether the hub approves by itself. Never decides: see `registration`.

use askama::Template;
use kernel::Problem;
use serde::{Deserialize, Serialize};
use web::axum::extract::{Query, State};
use web::axum::http::{StatusCode, header};
use web::axum::response::{Html, IntoResponse, Response};
use web::openapi::ToSchema;
use web::{Fields, Json, Operator, Page, Principal, Refusal};

use super::one::class_of;
use super::reach::Keeper;
use crate::DirectoryState;
use crate::registration::change::Change;
use crate::registration::{Registration, Side, State as Stands};

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// `hub` for what this node is to decide, `owner` for what it asked; the hub's own by default there.
    side: Option<String>,
    /// Only those in this state: `saved`, `asked`, `approved`, `declined`, `dropped`.
    state: Option<String>,
    /// Only those before this number: the next page.
    before: Option<u64>,
}

/// A registration as programs read it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegistrationLine {
    /// Its name.
    pub(super) request: String,
    /// `owner` or `hub`.
    pub(super) side: &'static str,
    /// What is to change.
    pub(super) wanted: Change,
    /// The organisation that asks.
    pub(super) party: String,
    /// `saved`, `asked`, `approved`, `declined` or `dropped`.
    pub(super) state: &'static str,
    /// Why it was declined; empty otherwise.
    pub(super) reason: String,
    /// When it was put into words, milliseconds since 1970.
    pub(super) made_at: i64,
    /// When it came to stand there, milliseconds since 1970.
    pub(super) changed_at: i64,
    /// Its order on its side at this node.
    pub(super) number: u64,
}

impl RegistrationLine {
    pub(super) fn of(one: Registration) -> Self {
        Self {
            request: one.request.hex(),
            side: one.side.as_str(),
            party: one.party.to_string(),
            state: one.state.as_str(),
            reason: one.reason,
            made_at: one.made_at.ms(),
            changed_at: one.changed_at.ms(),
            number: one.number,
            wanted: one.change,
        }
    }
}

/// What is found on the wanted side, and the number before which the next page begins.
async fn found(
    state: &DirectoryState,
    wanted: &Wanted,
    who: &Principal,
) -> Result<(Side, Vec<Registration>, Option<u64>), Problem> {
    let (registrar, own) = (state.registrar(), state.own(who));
    let side = match wanted.side.as_deref().filter(|side| !side.is_empty()) {
        Some(side) => Side::parse(side).ok_or_else(|| Problem::invalid("side", "malformed"))?,
        None if state.decides(who) => Side::Hub,
        None => Side::Owner,
    };
    let stands = match wanted.state.as_deref().filter(|state| !state.is_empty()) {
        Some(state) => Some(Stands::parse(state).ok_or_else(|| Problem::invalid("state", "malformed"))?),
        None => None,
    };
    let rows_max = state.directory.store().limits().page_rows_max;
    let of = (stands, own.as_ref());
    let mut all = registrar.list(side, of, wanted.before, rows_max + 1).await?;
    let more = all.len() > rows_max;
    all.truncate(rows_max);
    let next = all.last().filter(|_| more).map(|last| last.number);
    Ok((side, all, next))
}

/// Lists what was asked of the hub, the newest first, a page at a time.
#[utoipa::path(get, path = "/api/v1/directory/registrations", tag = "directory", params(Wanted),
    operation_id = "list_registrations", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "A page of registrations", body = Vec<RegistrationLine>), (status = 422)))]
pub(crate) async fn json(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    Query(wanted): Query<Wanted>,
) -> Result<web::axum::Json<Vec<RegistrationLine>>, Refusal> {
    let (_, all, _) = found(&state, &wanted, &who).await?;
    Ok(web::axum::Json(
        all.into_iter().map(RegistrationLine::of).collect(),
    ))
}

#[derive(Template)]
#[template(path = "registrations.html")]
struct View<'a> {
    page: &'a Page,
    is_hub: bool,
    at_hub: bool,
    automatic: bool,
    states: Vec<(&'static str, String, bool)>,
    side: &'static str,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
}

struct Row {
    request: String,
    change: String,
    about: String,
    party: String,
    at: String,
    state: String,
    class: &'static str,
}

/// What was asked, as a page.
#[utoipa::path(get, path = "/exchange/registrations", tag = "directory", params(Wanted),
    operation_id = "registrations_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the registrations", content_type = "text/html"), (status = 422)))]
pub(crate) async fn page(
    State(state): State<DirectoryState>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Refusal> {
    let (side, all, next) = found(&state, &wanted, &who).await?;
    let snapshot = state.directory.snapshot();
    let chosen = wanted.state.clone().unwrap_or_default();
    let states = Stands::ALL.map(|stands| {
        let key = stands.as_str();
        (key, page.t(&format!("directory-state-{key}")), key == chosen)
    });
    let row = |one: &Registration| Row {
        request: one.request.hex(),
        change: page.t(&format!("directory-change-{}", one.change.kind())),
        about: one.change.about(),
        party: snapshot
            .member(&one.party)
            .map_or_else(|| one.party.to_string(), |m| m.name.clone()),
        at: page.time(one.changed_at),
        state: page.t(&format!("directory-state-{}", one.state.as_str())),
        class: class_of(one.state),
    };
    let view = View {
        is_hub: state.decides(&who),
        at_hub: side == Side::Hub,
        automatic: state.registrar().is_automatic().await?,
        states: states.into(),
        side: side.as_str(),
        rows: all.iter().map(row).collect(),
        next: next.map(|next| {
            format!(
                "/exchange/registrations?side={}&state={chosen}&before={next}",
                side.as_str()
            )
        }),
        first: wanted.before.is_none(),
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("directory-registrations"), body))
}

/// Whether the hub approves changes of systems by itself.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutomaticApproval {
    /// True from now on, false no more.
    automatic: bool,
}

/// Tells whether the hub approves changes of systems by itself.
#[utoipa::path(get, path = "/api/v1/directory/automatic", tag = "directory",
    operation_id = "is_approval_automatic", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "As it is set now", body = AutomaticApproval),
              (status = 403, description = "An operator of another organisation of the node"),
              (status = 404, description = "No hub here")))]
pub(crate) async fn set_now(
    State(state): State<DirectoryState>,
    _: Keeper,
) -> Result<web::axum::Json<AutomaticApproval>, Refusal> {
    if !state.registrar().is_hub() {
        return Err(Problem::not_found().into());
    }
    let automatic = state.registrar().is_automatic().await?;
    Ok(web::axum::Json(AutomaticApproval { automatic }))
}

/// Sets whether the hub approves changes of systems by itself.
#[utoipa::path(post, path = "/api/v1/directory/automatic", tag = "directory",
    operation_id = "set_automatic_approval", request_body = AutomaticApproval, security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["registrations-automatic"]))),
    responses((status = 204, description = "Set"), (status = 404, description = "No hub here")))]
pub(crate) async fn set_by_json(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    Json(set): Json<AutomaticApproval>,
) -> Result<StatusCode, Refusal> {
    state.registrar().set_automatic(set.automatic, &who.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same by a form.
#[utoipa::path(post, path = "/exchange/registrations/automatic", tag = "directory",
    operation_id = "set_automatic_approval_by_form", security(("session" = ["operator"])),
    extensions(("x-facts" = json!(["registrations-automatic"]))),
    responses((status = 303, description = "to the list"), (status = 404, description = "No hub here")))]
pub(crate) async fn set_by_form(
    State(state): State<DirectoryState>,
    Keeper(who): Keeper,
    fields: Fields,
) -> Result<Response, Refusal> {
    let automatic = fields.text("automatic") == Some("on");
    state.registrar().set_automatic(automatic, &who.actor).await?;
    let to = [(header::LOCATION, "/exchange/registrations")];
    Ok((StatusCode::SEE_OTHER, to).into_response())
}
