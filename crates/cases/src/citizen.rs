//! The portal: one file an operation. Never shows a citizen anything of another: what is not theirs
//! does not exist (404).

pub mod changes;
pub(crate) mod charge;
pub mod check;
pub(crate) mod course;
pub mod describe;
pub mod draft;
pub mod draft_answer;
pub mod export;
pub mod file;
pub mod mine;
mod own;
pub(crate) mod paper;
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
pub(crate) mod view;
pub mod withdraw;

use kernel::Problem;
use web::openapi::{OpenApiRouter, routes};

pub(crate) use crate::citizen::own::{Citizen, OpenDraft, OwnCase, OwnDraft, named, own_case};
use crate::state::Cases;
use crate::{contact, inbox};

/// The portal's routes.
#[must_use]
pub fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(search::page))
        .routes(routes!(search::api))
        .routes(routes!(describe::page))
        .routes(routes!(describe::api))
        .routes(routes!(versions::page))
        .routes(routes!(versions::api))
        .routes(routes!(changes::page))
        .routes(routes!(changes::api))
        .routes(routes!(export::json_schema))
        .routes(routes!(export::form_io))
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
        .routes(routes!(inbox::page::page))
        .routes(routes!(inbox::page::api))
        .routes(routes!(inbox::read::by_form))
        .routes(routes!(inbox::read::by_json))
        .routes(routes!(contact::page::page))
        .routes(routes!(contact::page::api))
        .routes(routes!(contact::change::by_form))
        .routes(routes!(contact::change::by_json))
        .routes(routes!(contact::change::remove_by_form))
        .routes(routes!(contact::change::remove_by_json))
        .routes(routes!(contact::confirm::by_form))
        .routes(routes!(contact::confirm::by_json))
}

/// Renders a page's body.
pub(crate) fn render(template: &impl askama::Template) -> Result<String, Problem> {
    template.render().map_err(Problem::internal)
}
