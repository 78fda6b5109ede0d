//! The queue at a unit's desk: anybody takes a number of the day, the desk calls the next one, a screen shows which is
//! called where. The numbers begin at 1 every day. Never a name: nobody knows who holds a number.
//!
//! | read | for |
//! |---|---|
//! | [`take`] | the public page: take a number, see how many wait before it, print it |
//! | [`book`], [`appointment`] | a half hour is booked; it is given back, or its holder arrives and gets a number |
//! | [`screen`] | what is called now, for a screen in the waiting room |
//! | [`call`] | the desk calls the next, ends it, or notes that nobody came |

pub mod appointment;
pub mod book;
pub mod call;
pub mod screen;
pub mod take;

use kernel::time::iso;
use kernel::{OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{OpenApiRouter, ToSchema, routes, utoipa};

use crate::state::Cases;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(take::page))
        .routes(routes!(take::json))
        .routes(routes!(take::by_form))
        .routes(routes!(take::by_json))
        .routes(routes!(take::ticket))
        .routes(routes!(take::ticket_json))
        .routes(routes!(take::slip))
        .routes(routes!(book::page, book::by_form))
        .routes(routes!(book::json, book::by_json))
        .routes(routes!(appointment::page))
        .routes(routes!(appointment::json))
        .routes(routes!(appointment::cancel_by_form))
        .routes(routes!(appointment::cancel_by_json))
        .routes(routes!(screen::page))
        .routes(routes!(call::page))
        .routes(routes!(call::json))
        .routes(routes!(call::call_by_form))
        .routes(routes!(call::call_by_json))
        .routes(routes!(call::end_by_form))
        .routes(routes!(call::end_by_json))
}

/// A number of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) number: u64,
    pub(crate) stand: TicketStand,
    pub(crate) taken_at: Time,
    pub(crate) called_at: Option<Time>,
    /// Where it was called to; empty while it waits.
    pub(crate) desk: String,
    /// It was booked: it goes before those that were not.
    pub(crate) booked: bool,
}

/// How a number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TicketStand {
    /// Nobody has called it.
    Waiting,
    /// It is called to a desk.
    Called,
    /// Whoever holds it was served.
    Served,
    /// Nobody came.
    Missed,
}

/// How a day has gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct QueueCounts {
    /// Numbers taken.
    pub(crate) taken: u64,
    /// Of these, not called yet.
    pub(crate) waiting: u64,
    /// Served.
    pub(crate) served: u64,
    /// Called, and nobody came.
    pub(crate) missed: u64,
    /// Minutes from taking a number to its call, on average; none before the first call.
    pub(crate) waited_minutes: Option<u64>,
}

/// A number, as pages and programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TicketView {
    /// The unit.
    #[schema(value_type = String)]
    unit: OrgCode,
    /// The day, `2026-11-23`.
    day: String,
    /// The number.
    number: u64,
    /// How it stands.
    state: TicketStand,
    /// How many wait before it.
    before: u64,
    /// Where it is called to.
    #[serde(skip_serializing_if = "String::is_empty")]
    desk: String,
    /// When it was taken, RFC 3339.
    taken_at: String,
    /// When it was called, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    called_at: Option<String>,
}

impl TicketStand {
    /// As rows have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Called => "called",
            Self::Served => "served",
            Self::Missed => "missed",
        }
    }

    /// From a row.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        [Self::Waiting, Self::Called, Self::Served, Self::Missed]
            .into_iter()
            .find(|stand| stand.as_str() == text)
            .ok_or_else(|| Problem::internal("bad row: cases_tickets.state"))
    }
}

impl TicketView {
    fn new(unit: &OrgCode, day: &str, ticket: &Ticket, before: u64) -> Self {
        Self {
            unit: unit.clone(),
            day: day.to_owned(),
            number: ticket.number,
            state: ticket.stand,
            before,
            desk: ticket.desk.clone(),
            taken_at: ticket.taken_at.rfc3339(),
            called_at: ticket.called_at.map(Time::rfc3339),
        }
    }
}

/// The subject of a unit's facts about numbers.
fn subject(unit: &OrgCode) -> String {
    format!("queue/{unit}")
}

impl Cases {
    /// A unit of this place that is there today, from an address.
    ///
    /// # Errors
    /// 404 for any other.
    fn queue_of(&self, text: &str) -> Result<OrgCode, Problem> {
        let unit: OrgCode = text.parse().map_err(|_| Problem::not_found())?;
        let is_here = self.tenant.holds(&unit) && self.organisations.get(&unit, self.today()).is_some();
        is_here.then_some(unit).ok_or_else(Problem::not_found)
    }

    /// Today, as rows name it.
    fn queue_day(&self) -> String {
        iso(self.today())
    }
}
