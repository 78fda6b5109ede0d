//! What an operator does about the services of this node's organisations, through pages and as programs
//! do: see them, register one, change it, stop it, try it, take over its document. Never a rule of its
//! own: the rules are in [`crate::offered`].
//!
//! | module | holds |
//! |---|---|
//! | `list`, `one` | what there is to see |
//! | `text` | a service as a form and as JSON |
//! | `register`, `change`, `stand`, `refresh`, `attempt` | what can be done |

mod attempt;
mod change;
mod list;
mod one;
mod refresh;
mod register;
mod stand;
mod text;

pub(super) use attempt::ServiceTried;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::Problem;
pub(super) use text::ServiceText;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::gateway::Exchange;
use crate::ids::ServiceId;

/// The pages of the list.
const LIST: &str = "/exchange/services";

pub(super) use super::page_of::{cut, has, next_page, searched};

/// A service's name as a path has it.
type Named = (String, String, String);

/// The operations on services.
pub(super) fn router() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(list::page))
        .routes(routes!(list::json))
        .routes(routes!(register::form))
        .routes(routes!(register::by_form))
        .routes(routes!(register::by_json))
        .routes(routes!(one::page))
        .routes(routes!(one::json))
        .routes(routes!(change::form))
        .routes(routes!(change::by_form))
        .routes(routes!(change::by_json))
        .routes(routes!(stand::by_form))
        .routes(routes!(stand::by_json))
        .routes(routes!(refresh::compare_by_form))
        .routes(routes!(refresh::compare_by_json))
        .routes(routes!(refresh::accept_by_form))
        .routes(routes!(refresh::accept_by_json))
        .routes(routes!(attempt::by_form))
        .routes(routes!(attempt::by_json))
}

/// The service that a path names; what is no name is no service.
fn id_of((org, system, code): &Named) -> Result<ServiceId, Problem> {
    let name = format!("{org}/{system}/{code}");
    name.parse().map_err(|_| Problem::not_found())
}

/// To the page of a service.
fn see(id: &ServiceId) -> Response {
    Redirect::to(&format!("{LIST}/{id}")).into_response()
}
