//! What an operator does about agreements, through pages and as programs do: see them, ask, offer,
//! refuse, accept, suspend, resume, end, and ask whether a call would be allowed; and about services and
//! the systems that connect. Every operation asks for the role `operator`. Never a rule of its own: the
//! rules are in [`crate::life`], [`crate::offered`] and [`crate::callers`].
//!
//! | module | holds |
//! |---|---|
//! | `reach` | how far an operator sees and acts |
//! | `list`, `one`, `allowed` | what there is to see |
//! | `draft` | the twelve items as a form and as JSON |
//! | `request`, `offer`, `answer`, `stand` | what can be done |
//! | `delegations` | who acts for whom |
//! | `group_offers` | agreements offered to groups, and taken up |
//! | `checked` | one delegation or offer to a group with what was signed of it |
//! | `told` | what providers say of their services |
//! | `maintenance` | the whole node makes and answers no call for a time |
//! | `services`, `clients`, `connections` | services of this node; certificates of systems that connect, and how they have to |
//! | `apply` | what a file declares |
//! | `audit` | who did what, and who was refused |
//! | `refusals` | calls that information systems were refused |
//! | `outbox` | what waits to be sent to others, and trying it again |
//! | `traffic`, `standing`, `monitoring` | what goes through; how the node stands; both as X-Road's collectors ask |
//! | `way` | the way to others tried step by step |

mod allowed;
mod answer;
mod apply;
mod audit;
mod checked;
mod clients;
mod connections;
mod delegations;
mod draft;
mod group_offers;
mod list;
mod maintenance;
mod monitoring;
mod offer;
mod one;
mod outbox;
mod page_of;
mod reach;
pub(crate) mod refusals;
mod request;
mod services;
mod stand;
mod standing;
mod told;
mod traffic;
mod way;

use axum::response::{IntoResponse, Redirect, Response};
use directory::snapshot::ServiceEntry;
use kernel::{Digest, OrgCode, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::gateway::Exchange;
use crate::life::Known;

pub(crate) use self::list::{due, waits};
pub(crate) use self::reach::{Acting, Keeper, Reach};
pub(crate) use self::request::first;

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// The pages of the list.
const LIST: &str = "/exchange/agreements";

/// The operations on agreements.
pub(crate) fn router() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(list::page))
        .routes(routes!(list::json))
        .routes(routes!(request::form))
        .routes(routes!(request::by_form))
        .routes(routes!(request::by_json))
        .routes(routes!(one::page))
        .routes(routes!(one::json))
        .routes(routes!(offer::form))
        .routes(routes!(offer::by_form))
        .routes(routes!(offer::by_json))
        .routes(routes!(answer::refuse_by_form))
        .routes(routes!(answer::refuse_by_json))
        .routes(routes!(answer::withdraw_by_form))
        .routes(routes!(answer::withdraw_by_json))
        .routes(routes!(answer::accept_by_form))
        .routes(routes!(answer::accept_by_json))
        .routes(routes!(stand::suspend_by_form))
        .routes(routes!(stand::suspend_by_json))
        .routes(routes!(stand::resume_by_form))
        .routes(routes!(stand::resume_by_json))
        .routes(routes!(stand::revoke_by_form))
        .routes(routes!(stand::revoke_by_json))
        .routes(routes!(allowed::page))
        .routes(routes!(allowed::json))
        .routes(routes!(traffic::page))
        .routes(routes!(traffic::json))
        .routes(routes!(standing::page))
        .routes(routes!(standing::json))
        .routes(routes!(way::by_form))
        .routes(routes!(way::by_json))
        .routes(routes!(maintenance::begin_by_form))
        .routes(routes!(maintenance::begin_by_json))
        .routes(routes!(maintenance::end_by_form))
        .routes(routes!(maintenance::end_by_json))
        .routes(routes!(outbox::page))
        .routes(routes!(outbox::json))
        .routes(routes!(outbox::again_by_form))
        .routes(routes!(outbox::again_by_json))
        .routes(routes!(monitoring::page))
        .routes(routes!(monitoring::records))
        .routes(routes!(monitoring::health))
        .routes(routes!(refusals::page))
        .routes(routes!(refusals::json))
        .routes(routes!(audit::page))
        .routes(routes!(audit::json))
        .routes(routes!(apply::plan))
        .routes(routes!(apply::apply))
        .routes(routes!(told::json))
        .merge(services::router())
        .merge(clients::router())
        .merge(connections::router())
        .merge(delegations::router())
        .merge(group_offers::router())
        .merge(checked::router())
}

/// The name in a path: an agreement's hash or a request's name.
fn name_of(text: &str) -> Result<Digest, Problem> {
    Digest::parse(text).ok_or_else(Problem::not_found)
}

/// Back to the page of an agreement or a request.
fn see(name: &Digest) -> Response {
    Redirect::to(&format!("{LIST}/{name}")).into_response()
}

impl Exchange {
    /// What is known by a name, or 404.
    async fn known(&self, name: &str) -> Result<Known, Problem> {
        let known = self.look(&name_of(name)?).await?;
        known.ok_or_else(Problem::not_found)
    }

    /// The name of the request behind what is known; 404 when there is none.
    async fn request_behind(&self, name: &str) -> Result<Digest, Problem> {
        let known = self.known(name).await?;
        let talk = known.talk.ok_or_else(Problem::not_found)?;
        Ok(talk.request)
    }

    /// The organisations of this node that speak for a party of an agreement, as far as the operator may.
    fn own_parties(&self, known: &Known) -> Vec<OrgCode> {
        let own = self.own_tenants();
        own.filter(|org| crate::life::other_party(org, &known.text).is_some())
            .cloned()
            .collect()
    }

    /// True when this node speaks for an organisation, and the operator may.
    fn is_here(&self, org: &OrgCode) -> bool {
        self.voice(org).is_ok()
    }

    /// The systems of this node's organisations: the name of each, and whose it is.
    fn own_systems(&self) -> Vec<(String, OrgCode)> {
        let snapshot = self.0.directory.snapshot();
        let own = snapshot.systems.iter().filter(|system| self.is_here(&system.org));
        own.map(|system| (format!("{}/{}", system.org, system.code), system.org.clone()))
            .collect()
    }

    /// The services of the directory, and of those of other instances that are trusted, with their titles.
    fn services_known(&self) -> Vec<(String, String)> {
        let directory = &self.0.directory;
        let others = directory.others();
        let others = others.iter().map(|other| other.directory.snapshot());
        std::iter::once(directory.snapshot())
            .chain(others)
            .flat_map(|said| {
                let service =
                    |s: &ServiceEntry| (format!("{}/{}/{}", s.org, s.system, s.code), s.title.clone());
                said.services.iter().map(service).collect::<Vec<_>>()
            })
            .collect()
    }

    /// An organisation's name as the directory has it, or its code.
    pub(crate) fn organisation(&self, org: &OrgCode) -> String {
        let snapshot = self.0.directory.snapshot_of(org.instance());
        let mut members = snapshot.iter().flat_map(|said| &said.members);
        let entry = members.find(|m| m.org == *org || m.org == org.top());
        entry.map_or_else(|| org.to_string(), |m| m.name.clone())
    }
}
