//! The portal: one file an operation. Never shows a citizen anything of another: what is not theirs
//! does not exist (404).

pub mod check;
pub(crate) mod course;
pub mod describe;
pub mod draft;
pub mod draft_answer;
pub mod file;
pub mod mine;
pub mod paper;
pub mod pay;
pub mod prefill;
pub mod question;
pub mod rate;
pub mod result;
pub mod search;
pub mod shape;
pub mod start;
pub mod supplement;
pub mod versions;
mod view;
pub mod withdraw;

use ::store::Reader;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Kind, PersonalNumber, Problem};
use web::Principal;
use web::openapi::{OpenApiRouter, routes};

use crate::draft::{Attached, Draft};
use crate::state::Cases;
use crate::store as rows;

/// The portal's routes.
#[must_use]
pub fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(search::page))
        .routes(routes!(search::api))
        .routes(routes!(describe::page))
        .routes(routes!(versions::api))
        .routes(routes!(start::start))
        .routes(routes!(draft::page))
        .routes(routes!(draft::api))
        .routes(routes!(prefill::prefill))
        .routes(routes!(question::show, question::answer))
        .routes(routes!(paper::show, paper::attach))
        .routes(routes!(check::check))
        .routes(routes!(file::file))
        .routes(routes!(mine::list))
        .routes(routes!(mine::list_api))
        .routes(routes!(mine::show))
        .routes(routes!(mine::show_api))
        .routes(routes!(draft_answer::by_form))
        .routes(routes!(draft_answer::by_json))
        .routes(routes!(result::download))
        .routes(routes!(supplement::begin))
        .routes(routes!(withdraw::ask, withdraw::by_form))
        .routes(routes!(withdraw::by_json))
        .routes(routes!(rate::by_form))
        .routes(routes!(rate::by_json))
        .routes(routes!(pay::show, pay::start))
        .routes(routes!(pay::back))
        .routes(routes!(pay::notify))
}

/// A citizen of this portal.
pub(crate) struct Citizen<'a> {
    pub(crate) who: &'a Principal,
    pub(crate) number: &'a PersonalNumber,
}

/// Refuses whoever is not a citizen of this portal: another tenant's session learns nothing.
pub(crate) fn citizen<'a>(cases: &Cases, who: &'a Principal) -> Result<Citizen<'a>, Problem> {
    if who.tenant != cases.tenant {
        return Err(Problem::not_found());
    }
    who.require("citizen")?;
    let missing = || Problem::new(Kind::Forbidden, "role-missing").with("role", "citizen");
    Ok(Citizen {
        who,
        number: who.subject.as_ref().ok_or_else(missing)?,
    })
}

/// A draft of the signed-in citizen.
pub(crate) async fn own_draft(reader: &Reader, citizen: &Citizen<'_>, id: &str) -> Result<Draft, Problem> {
    rows::draft(reader, &citizen.who.account, id)
        .await?
        .ok_or_else(Problem::not_found)
}

/// The papers of a draft.
pub(crate) async fn papers_of(reader: &Reader, draft: &Draft) -> Result<Vec<Attached>, Problem> {
    rows::papers(reader, &Draft::subject(&draft.id)).await
}

/// 303: go and look there.
pub(crate) fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}

/// Renders a page's body.
pub(crate) fn render(template: &impl askama::Template) -> Result<String, Problem> {
    template.render().map_err(Problem::internal)
}
