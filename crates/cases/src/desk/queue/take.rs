//! `/queue/{unit}`: anybody takes a number, on a phone or at a terminal in the hall, and prints it on a strip of 80 mm or
//! shows it. Numbers from one address and numbers that wait are bounded. Never asks who it is.

use std::net::IpAddr;

use ::store::Tx;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Actor, Fact, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use web::listen::Peer;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Refusal};

use super::{QueueCounts, Ticket, TicketStand, TicketView, subject};
use crate::citizen::render;
use crate::desk::papers::pdf;
use crate::desk::store::tickets as rows;
use crate::shown::UnitLink;
use crate::state::Cases;
use crate::track;

/// What is called now, at most this many.
const CALLED_ROWS: usize = 12;
/// Strips that are drawn at the same time, count: anybody may ask for one, and drawing is work for a processor.
const PRINTERS: usize = 2;
/// The turns of those who wait for a strip.
static PRINTING: Semaphore = Semaphore::const_new(PRINTERS);

/// How the queue of a unit stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueView {
    /// The unit.
    #[schema(value_type = String)]
    pub(super) unit: OrgCode,
    /// The day, `2026-11-23`.
    day: String,
    /// How it has gone.
    pub(super) counts: QueueCounts,
    /// What is called now, the highest number first.
    pub(super) called: Vec<CalledNumber>,
}

/// A number that is called.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalledNumber {
    /// The number.
    pub(super) number: u64,
    /// Where to.
    pub(super) desk: String,
}

/// How a number is taken.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TakeNumber {
    /// The id of an appointment whose holder has come; left out by anybody else.
    appointment: Option<String>,
}

#[derive(Template)]
#[template(path = "queue.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    unit: UnitLink,
    queue: &'a QueueView,
}

#[derive(Template)]
#[template(path = "queue_ticket.html")]
struct TicketPage<'a> {
    page: &'a Page,
    unit: UnitLink,
    ticket: &'a TicketView,
    taken: String,
    state: String,
}

/// The queue of a unit, and the button that takes a number.
#[utoipa::path(get, path = "/queue/{unit}", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code")),
    responses((status = 200, description = "how many wait", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Path(unit): Path<String>,
) -> Result<Html<String>, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let body = body(&cases, &page, &unit, &[]).await?;
    Ok(page.html(&page.t("queue-title"), body))
}

/// How the queue of a unit stands.
#[utoipa::path(get, path = "/api/v1/queue/{unit}", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code")),
    responses((status = 200, description = "how many wait, and what is called", body = QueueView), (status = 404)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    Path(unit): Path<String>,
) -> Result<Json<QueueView>, Refusal> {
    let unit = cases.queue_of(&unit)?;
    Ok(Json(cases.queue(&unit).await?))
}

/// Takes a number from the page.
#[utoipa::path(post, path = "/queue/{unit}/take", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code")),
    responses((status = 303, description = "to the number"), (status = 404),
              (status = 409, description = "too many wait, or it is not the appointment's time", content_type = "text/html"),
              (status = 429, description = "too many numbers from one address", content_type = "text/html")),
    extensions(("x-facts" = json!(["ticket-taken", "appointment-ended"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    peer: Option<Extension<Peer>>,
    page: Page,
    Path(unit): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let appointment = fields.text("appointment").unwrap_or_default();
    match cases.number_for(&unit, appointment, track::address(peer)).await {
        Ok(number) => Ok(Redirect::to(&format!("/queue/{unit}/tickets/{number}")).into_response()),
        Err(problem) if matches!(problem.kind, Kind::TooMany | Kind::Conflict) => {
            let status = problem.kind.status();
            let body = body(&cases, &page, &unit, &[problem]).await?;
            Ok(page.html_status(status, &page.t("queue-title"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Takes a number.
#[utoipa::path(post, path = "/api/v1/queue/{unit}/take", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code")), request_body = TakeNumber,
    responses((status = 200, description = "the number", body = TicketView), (status = 404), (status = 409), (status = 429)),
    extensions(("x-facts" = json!(["ticket-taken", "appointment-ended"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    peer: Option<Extension<Peer>>,
    Path(unit): Path<String>,
    Json(asked): Json<TakeNumber>,
) -> Result<Json<TicketView>, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let appointment = asked.appointment.as_deref().unwrap_or_default();
    let number = cases.number_for(&unit, appointment, track::address(peer)).await?;
    Ok(Json(cases.ticket_of(&unit, number).await?.1))
}

/// A number of today as a page.
#[utoipa::path(get, path = "/queue/{unit}/tickets/{number}", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"), ("number" = u64, Path, description = "the number")),
    responses((status = 200, description = "the number and how many wait before it", content_type = "text/html"), (status = 404)))]
pub(crate) async fn ticket(
    State(cases): State<Cases>,
    page: Page,
    Path((unit, number)): Path<(String, u64)>,
) -> Result<Html<String>, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let (held, view) = cases.ticket_of(&unit, number).await?;
    let state = match held.stand {
        TicketStand::Waiting => page.tw("queue-before", &[("n", view.before.to_string())]),
        TicketStand::Called => page.tw("queue-called-to", &[("desk", held.desk.clone())]),
        TicketStand::Served => page.t("queue-served"),
        TicketStand::Missed => page.t("queue-missed"),
    };
    let body = render(&TicketPage {
        page: &page,
        unit: UnitLink::new(&cases, &unit, cases.today()),
        taken: page.time(held.taken_at),
        ticket: &view,
        state,
    })?;
    Ok(page.html(&page.t("queue-ticket"), body))
}

/// A number of today.
#[utoipa::path(get, path = "/api/v1/queue/{unit}/tickets/{number}", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"), ("number" = u64, Path, description = "the number")),
    responses((status = 200, description = "the number and how many wait before it", body = TicketView), (status = 404)))]
pub(crate) async fn ticket_json(
    State(cases): State<Cases>,
    Path((unit, number)): Path<(String, u64)>,
) -> Result<Json<TicketView>, Refusal> {
    let unit = cases.queue_of(&unit)?;
    Ok(Json(cases.ticket_of(&unit, number).await?.1))
}

/// A number of today on a strip of 80 mm.
#[utoipa::path(get, path = "/queue/{unit}/tickets/{number}/print", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"), ("number" = u64, Path, description = "the number")),
    responses((status = 200, description = "the strip", content_type = "application/pdf"), (status = 404)))]
pub(crate) async fn slip(
    State(cases): State<Cases>,
    Path((unit, number)): Path<(String, u64)>,
) -> Result<Response, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let (held, view) = cases.ticket_of(&unit, number).await?;
    let agency = cases.agency(&unit, cases.today());
    let data = json!({
        "agency": {"name": agency.name},
        "number": number,
        "before": view.before,
        "taken_at": held.taken_at,
    });
    let now = cases.store.world().now();
    let _turn = PRINTING.acquire().await.map_err(Problem::internal)?;
    let bytes = cases.documents()?.draft("queue-ticket.typ", data, now).await?;
    Ok(pdf(&format!("so-{number}.pdf"), bytes))
}

async fn body(cases: &Cases, page: &Page, unit: &OrgCode, problems: &[Problem]) -> Result<String, Problem> {
    render(&View {
        page,
        errors: page.errors(problems),
        unit: UnitLink::new(cases, unit, cases.today()),
        queue: &cases.queue(unit).await?,
    })
}

/// Writes the next number of a day down.
pub(super) async fn numbered(tx: &Tx, unit: &OrgCode, day: &str, booked: bool) -> Result<u64, Problem> {
    let number = tx.next_number(&format!("queue/{unit}/{day}")).await?;
    rows::insert(tx, (unit, day), number, booked).await?;
    let fact = Fact::TicketTaken {
        unit: unit.clone(),
        day: day.to_owned(),
        number,
    };
    tx.fact(&subject(unit), fact).await?;
    Ok(number)
}

impl Cases {
    /// How the queue of a unit stands.
    pub(super) async fn queue(&self, unit: &OrgCode) -> Result<QueueView, Problem> {
        let day = self.queue_day();
        let reader = self.store.read(&self.tenant).await?;
        let called = rows::called(&reader, (unit, &day), CALLED_ROWS).await?;
        Ok(QueueView {
            unit: unit.clone(),
            counts: rows::counts(&reader, (unit, &day)).await?,
            called: called
                .into_iter()
                .map(|ticket| CalledNumber {
                    number: ticket.number,
                    desk: ticket.desk,
                })
                .collect(),
            day,
        })
    }

    /// A number of today, and how many wait before it.
    async fn ticket_of(&self, unit: &OrgCode, number: u64) -> Result<(Ticket, TicketView), Problem> {
        let day = self.queue_day();
        let reader = self.store.read(&self.tenant).await?;
        let ticket = rows::one(&reader, (unit, &day), number).await?;
        let ticket = ticket.ok_or_else(Problem::not_found)?;
        let before = match ticket.stand {
            TicketStand::Waiting => rows::before(&reader, (unit, &day), &ticket).await?,
            _ => 0,
        };
        let view = TicketView::new(unit, &day, &ticket, before);
        Ok((ticket, view))
    }

    /// A number for who has an appointment, or for anybody.
    async fn number_for(
        &self,
        unit: &OrgCode,
        appointment: &str,
        address: Option<IpAddr>,
    ) -> Result<u64, Problem> {
        match appointment.trim() {
            "" => self.take_number(unit, address).await,
            id => self.arrive(unit, id).await,
        }
    }

    /// Takes the next number of the day. Who takes too many from one address waits, and so does everybody while too
    /// many wait already.
    async fn take_number(&self, unit: &OrgCode, address: Option<IpAddr>) -> Result<u64, Problem> {
        let limits = self.store.limits();
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let who = &self
            .store
            .digest(&self.tenant, &format!("queue/address/{address}"));
        let (most, waiting_max) = (limits.queue_address_takes_max, limits.queue_waiting_max);
        let day = &self.queue_day();
        let taken = self
            .store
            .write(&self.tenant, &Actor::Anonymous, |tx| async move {
                if let Some(minutes) = track::take(&tx, who, most).await? {
                    return Ok(Err(minutes));
                }
                if rows::counts(&tx, (unit, day)).await?.waiting >= waiting_max {
                    return Err(Problem::new(Kind::Conflict, "queue-full").with("max", waiting_max));
                }
                numbered(&tx, unit, day, false).await.map(Ok)
            })
            .await?;
        taken.map_err(|minutes| Problem::new(Kind::TooMany, "queue-too-many").with("minutes", minutes))
    }
}

#[cfg(test)]
mod tests {
    use kernel::limits::Limits;
    use serde_json::json;

    use crate::desk::testing::{Desk, UNIT, pack_templates, plain_templates};

    fn api() -> String {
        format!("/api/v1/queue/{UNIT}")
    }

    #[tokio::test]
    async fn anybody_takes_a_number_and_the_next_day_begins_at_one() {
        let desk = Desk::empty().await;
        let page = desk.get("", &format!("/queue/{UNIT}")).await;
        assert!(
            page.status == 200 && page.body.contains("/take\""),
            "{}",
            page.body
        );
        let taken = desk.form("", &format!("/queue/{UNIT}/take"), &[]).await;
        assert_eq!(
            (taken.status, taken.location()),
            (303, format!("/queue/{UNIT}/tickets/1"))
        );
        let second = desk.post("", &format!("{}/take", api()), &json!({})).await.json();
        assert_eq!(
            (&second["number"], &second["before"], &second["state"]),
            (&json!(2), &json!(1), &json!("waiting"))
        );
        let ticket = desk.get("", &format!("/queue/{UNIT}/tickets/2")).await.body;
        assert!(ticket.contains("/tickets/2/print"), "{ticket}");
        desk.temp.clock.advance_ms(86_400_000);
        assert_eq!(
            desk.get("", &format!("/queue/{UNIT}/tickets/2")).await.status,
            404,
            "yesterday's number counts no more"
        );
        let next = desk.post("", &format!("{}/take", api()), &json!({})).await.json();
        assert_eq!((&next["number"], &next["day"]), (&json!(1), &json!("2026-11-24")));
        assert_eq!(desk.facts_of(&format!("queue/{UNIT}")).await.len(), 3);
        for unit in ["H56.99999", "G22", "nonsense"] {
            let path = format!("/api/v1/queue/{unit}/take");
            assert_eq!(desk.post("", &path, &json!({})).await.status, 404, "{unit}");
        }
    }

    #[tokio::test]
    async fn a_storm_of_numbers_is_bounded_by_address_and_by_what_waits() {
        let limits = Limits {
            queue_address_takes_max: 3,
            queue_waiting_max: 2,
            ..Limits::default()
        };
        let desk = Desk::with(plain_templates(), limits).await;
        let take = async || desk.post("", &format!("{}/take", api()), &json!({})).await;
        assert_eq!((take().await.status, take().await.status), (200, 200));
        let full = take().await;
        assert_eq!((full.status, full.problem().as_str()), (409, "queue-full"));
        let called = desk
            .post("tiep", "/api/v1/desk/queue/call", &json!({"desk": "1"}))
            .await;
        assert_eq!(called.status, 200, "{}", called.body);
        assert_eq!(take().await.status, 200, "somebody was called");
        let many = take().await;
        assert_eq!((many.status, many.problem().as_str()), (429, "queue-too-many"));
        let page = desk.form("", &format!("/queue/{UNIT}/take"), &[]).await;
        assert!(
            page.status == 429 && page.body.contains("error-summary"),
            "{}",
            page.body
        );
    }

    #[tokio::test]
    async fn a_number_is_printed_on_a_strip() {
        let desk = Desk::with(pack_templates(), Limits::default()).await;
        desk.form("", &format!("/queue/{UNIT}/take"), &[]).await;
        let strip = desk.get("", &format!("/queue/{UNIT}/tickets/1/print")).await;
        assert!(
            strip.status == 200 && strip.bytes.starts_with(b"%PDF"),
            "{}",
            strip.body
        );
        let path = format!("/queue/{UNIT}/tickets/7/print");
        assert_eq!(desk.get("", &path).await.status, 404);
    }
}
