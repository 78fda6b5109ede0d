//! `/queue/{unit}/appointments`: a half hour of a working day is booked, as long as it has a free place. Nobody says who
//! they are: the address of the appointment is what they keep. Never outside the unit's working hours.

use std::net::IpAddr;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::time::{iso, parse_iso};
use kernel::{Actor, Date, Fact, Kind, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use web::listen::Peer;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Refusal};

use super::appointment::{Appointment, AppointmentStand, AppointmentView, minute_text};
use super::subject;
use crate::citizen::render;
use crate::desk::store::appointments as rows;
use crate::shown::UnitLink;
use crate::state::Cases;
use crate::track;

/// Length of what is booked, minutes.
pub(super) const SLOT_MINUTES: i64 = 30;

/// Which day.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct OnDay {
    /// The first day that can be booked when left out.
    #[serde(default)]
    day: String,
}

/// What is booked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BookSlot {
    /// The day.
    #[schema(example = "2026-11-25")]
    day: String,
    /// Its time, as the free ones are told.
    #[schema(example = "08:30")]
    time: String,
}

/// What can be booked on a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FreeSlots {
    /// The unit.
    #[schema(value_type = String)]
    unit: OrgCode,
    /// The days that can be booked.
    days: Vec<String>,
    /// The day that is told.
    day: String,
    /// Its half hours with a free place.
    slots: Vec<FreeSlot>,
}

/// A half hour with a free place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FreeSlot {
    /// When it begins, `08:30`.
    time: String,
    /// Free places.
    free: u64,
}

#[derive(Template)]
#[template(path = "queue_book.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    problems: &'a [Problem],
    unit: UnitLink,
    told: &'a FreeSlots,
    /// As addresses name it, in words, chosen.
    days: Vec<(String, String, bool)>,
    day: String,
}

/// What can be booked at a unit.
#[utoipa::path(get, path = "/queue/{unit}/appointments", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"),
           ("day" = Option<String>, Query, description = "the day, `2026-11-25`; the first that can be booked when left out")),
    responses((status = 200, description = "the free half hours of the day", content_type = "text/html"), (status = 404),
              (status = 422, description = "it cannot be booked")))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Path(unit): Path<String>,
    Query(on): Query<OnDay>,
) -> Result<Html<String>, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let told = cases.free_slots(&unit, &on.day).await?;
    let body = body(&cases, &page, &unit, &told, &[])?;
    Ok(page.html(&page.t("queue-book"), body))
}

/// What can be booked at a unit.
#[utoipa::path(get, path = "/api/v1/queue/{unit}/appointments", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"),
           ("day" = Option<String>, Query, description = "the day, `2026-11-25`; the first that can be booked when left out")),
    responses((status = 200, description = "the free half hours of the day", body = FreeSlots), (status = 404), (status = 422)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    Path(unit): Path<String>,
    Query(on): Query<OnDay>,
) -> Result<Json<FreeSlots>, Refusal> {
    let unit = cases.queue_of(&unit)?;
    Ok(Json(cases.free_slots(&unit, &on.day).await?))
}

/// Books a half hour by the form.
#[utoipa::path(post, path = "/queue/{unit}/appointments", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code")),
    responses((status = 303, description = "to the appointment"), (status = 404),
              (status = 409, description = "it has no free place any more", content_type = "text/html"),
              (status = 422, description = "it cannot be booked", content_type = "text/html"),
              (status = 429, description = "too many from one address", content_type = "text/html")),
    extensions(("x-facts" = json!(["appointment-made"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    peer: Option<Extension<Peer>>,
    page: Page,
    Path(unit): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    let asked = BookSlot {
        day: text("day"),
        time: text("time"),
    };
    let problem = match cases.book(&unit, &asked, track::address(peer)).await {
        Ok(made) => {
            let at = format!("/queue/{unit}/appointments/{}", made.id);
            return Ok(Redirect::to(&at).into_response());
        }
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict | Kind::TooMany) => problem,
        Err(problem) => return Err(problem.into()),
    };
    // A day that cannot be booked is shown as the first that can.
    let told = match cases.free_slots(&unit, &asked.day).await {
        Ok(told) => told,
        Err(_) => cases.free_slots(&unit, "").await?,
    };
    let status = problem.kind.status();
    let body = body(&cases, &page, &unit, &told, &[problem])?;
    Ok(page.html_status(status, &page.t("queue-book"), body))
}

/// Books a half hour.
#[utoipa::path(post, path = "/api/v1/queue/{unit}/appointments", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code")), request_body = BookSlot,
    responses((status = 200, description = "the appointment", body = AppointmentView), (status = 404), (status = 409), (status = 422), (status = 429)),
    extensions(("x-facts" = json!(["appointment-made"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    peer: Option<Extension<Peer>>,
    Path(unit): Path<String>,
    Json(asked): Json<BookSlot>,
) -> Result<Json<AppointmentView>, Refusal> {
    let unit = cases.queue_of(&unit)?;
    let made = cases.book(&unit, &asked, track::address(peer)).await?;
    Ok(Json(AppointmentView::from(&made)))
}

fn body(
    cases: &Cases,
    page: &Page,
    unit: &OrgCode,
    told: &FreeSlots,
    problems: &[Problem],
) -> Result<String, Problem> {
    let words = |day: &str| parse_iso(day).map_or_else(|| day.to_owned(), |day| page.date(day));
    render(&View {
        page,
        errors: page.errors(problems),
        problems,
        unit: UnitLink::new(cases, unit, cases.today()),
        days: told
            .days
            .iter()
            .map(|day| (day.clone(), words(day), *day == told.day))
            .collect(),
        day: words(&told.day),
        told,
    })
}

impl Cases {
    /// The working days of a unit that can be booked: from tomorrow on.
    fn bookable(&self, unit: &OrgCode) -> Vec<Date> {
        let calendar = self.calendars.of(unit);
        let days = std::iter::successors(calendar.next_working_day(self.today()), |day| {
            calendar.next_working_day(*day)
        });
        days.take(self.store.limits().queue_booking_days_max).collect()
    }

    /// The first minutes of a day's half hours within the unit's working hours.
    fn slots_of(&self, unit: &OrgCode, day: Date) -> Vec<i64> {
        let calendar = self.calendars.of(unit);
        let mut slots = Vec::new();
        for span in calendar.spans(day) {
            let mut minute = span.from;
            while minute + SLOT_MINUTES <= span.to {
                slots.push(minute);
                minute += SLOT_MINUTES;
            }
        }
        slots
    }

    async fn free_slots(&self, unit: &OrgCode, day: &str) -> Result<FreeSlots, Problem> {
        let days = self.bookable(unit);
        let unbookable = || Problem::invalid("day", "appointment-day");
        let chosen = match day.trim() {
            "" => days.first().copied(),
            text => parse_iso(text).filter(|day| days.contains(day)),
        };
        let chosen = chosen.ok_or_else(unbookable)?;
        let text = iso(chosen);
        let max = self.store.limits().queue_slot_max;
        let reader = self.store.read(&self.tenant).await?;
        let taken = rows::taken(&reader, (unit, &text)).await?;
        let slot = |minute: i64| FreeSlot {
            time: minute_text(minute),
            free: max.saturating_sub(taken.get(&minute).copied().unwrap_or(0)),
        };
        let slots = self.slots_of(unit, chosen).into_iter().map(slot);
        Ok(FreeSlots {
            unit: unit.clone(),
            days: days.into_iter().map(iso).collect(),
            slots: slots.filter(|slot| slot.free > 0).collect(),
            day: text,
        })
    }

    /// Books a half hour for whoever asks.
    async fn book(
        &self,
        unit: &OrgCode,
        asked: &BookSlot,
        address: Option<IpAddr>,
    ) -> Result<Appointment, Problem> {
        let day = parse_iso(asked.day.trim()).filter(|day| self.bookable(unit).contains(day));
        let day = day.ok_or_else(|| Problem::invalid("day", "appointment-day"))?;
        let mut slots = self.slots_of(unit, day).into_iter();
        let minute = slots.find(|minute| minute_text(*minute) == asked.time.trim());
        let minute = minute.ok_or_else(|| Problem::invalid("time", "appointment-time-none"))?;
        let limits = self.store.limits();
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let who = &self
            .store
            .digest(&self.tenant, &format!("queue/address/{address}"));
        let (most, places) = (limits.queue_address_takes_max, limits.queue_slot_max);
        let day = &iso(day);
        let made = self
            .store
            .write(&self.tenant, &Actor::Anonymous, |tx| async move {
                if let Some(minutes) = track::take(&tx, who, most).await? {
                    return Ok(Err(minutes));
                }
                let taken = rows::places(&tx, (unit, day), minute).await?;
                let place = (1..=places).find(|place| !taken.contains(place));
                let place = place.ok_or(Problem::new(Kind::Conflict, "appointment-full"))?;
                let made = Appointment {
                    id: tx.id(),
                    unit: unit.clone(),
                    day: day.clone(),
                    minute,
                    stand: AppointmentStand::Booked,
                    number: None,
                };
                let fact = Fact::AppointmentMade {
                    unit: unit.clone(),
                    day: day.clone(),
                    minute,
                };
                // The unit's facts are one chain: of two who take the same place at once, one begins again here and
                // finds the next place, where a row that is there would refuse them.
                tx.fact(&subject(unit), fact).await?;
                rows::insert(&tx, &made, place).await?;
                Ok(Ok(made))
            })
            .await?;
        made.map_err(|minutes| Problem::new(Kind::TooMany, "queue-too-many").with("minutes", minutes))
    }
}

/// The instant at which a half hour begins; none for a day that is no day.
pub(super) fn begins(day: &str, minute: i64) -> Option<Time> {
    parse_iso(day).map(|day| Time::at(day, minute))
}
