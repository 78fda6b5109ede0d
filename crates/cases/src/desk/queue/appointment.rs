//! An appointment at a unit: who has its address sees it, gives it back, or arrives and gets a number that goes before
//! those that were not booked. Never a name, and never earlier or later than its half hour around.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::response::{IntoResponse, Redirect, Response};
use kernel::time::parse_iso;
use kernel::{Actor, Fact, Kind, OrgCode, Problem};
use serde::Serialize;
use web::openapi::{ToSchema, utoipa};
use web::{Json, Page, Refusal};

use super::book::{SLOT_MINUTES, begins};
use super::{subject, take};
use crate::citizen::render;
use crate::desk::store::appointments as rows;
use crate::shown::UnitLink;
use crate::state::Cases;

/// What an appointment's address shows is its holder's alone.
const NOINDEX: (HeaderName, &str) = (HeaderName::from_static("x-robots-tag"), "noindex, nofollow");

/// A booked half hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Appointment {
    pub(crate) id: String,
    pub(crate) unit: OrgCode,
    /// The day, `2026-11-25`.
    pub(crate) day: String,
    /// Its first minute of the day.
    pub(crate) minute: i64,
    pub(crate) stand: AppointmentStand,
    /// The number of who has come.
    pub(crate) number: Option<u64>,
}

/// How an appointment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AppointmentStand {
    /// It is to come.
    Booked,
    /// Its holder has come and has a number.
    Arrived,
    /// It was given back.
    Cancelled,
}

/// An appointment, as pages and programs see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AppointmentView {
    /// Its id: who has it has the appointment.
    pub(super) id: String,
    /// What it is called at the desk: the end of its id.
    pub(super) code: String,
    /// The unit.
    #[schema(value_type = String)]
    pub(super) unit: OrgCode,
    /// The day, `2026-11-25`.
    pub(super) day: String,
    /// When it begins, `08:30`.
    pub(super) time: String,
    /// How it stands.
    pub(super) state: AppointmentStand,
    /// The number of who has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<u64>,
}

#[derive(Template)]
#[template(path = "queue_appointment.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    unit: UnitLink,
    one: &'a AppointmentView,
    day: String,
    state: String,
    open: bool,
}

impl AppointmentStand {
    /// As rows have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Arrived => "arrived",
            Self::Cancelled => "cancelled",
        }
    }

    /// From a row.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        [Self::Booked, Self::Arrived, Self::Cancelled]
            .into_iter()
            .find(|stand| stand.as_str() == text)
            .ok_or_else(|| Problem::internal("bad row: cases_appointments.state"))
    }
}

impl From<&Appointment> for AppointmentView {
    fn from(one: &Appointment) -> Self {
        let tail = one.id.len().saturating_sub(6);
        Self {
            id: one.id.clone(),
            code: one.id.get(tail..).unwrap_or(&one.id).to_uppercase(),
            unit: one.unit.clone(),
            day: one.day.clone(),
            time: minute_text(one.minute),
            state: one.stand,
            number: one.number,
        }
    }
}

/// A minute of the day as people read it.
pub(super) fn minute_text(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// An appointment as a page.
#[utoipa::path(get, path = "/queue/{unit}/appointments/{id}", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"), ("id" = String, Path, description = "the appointment's id")),
    responses((status = 200, description = "when it is, and how it stands", content_type = "text/html"), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    page: Page,
    Path((unit, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let one = cases.appointment(&unit, &id).await?;
    let body = body(&cases, &page, &one, &[])?;
    Ok(([NOINDEX], page.html(&page.t("queue-appointment"), body)).into_response())
}

/// An appointment.
#[utoipa::path(get, path = "/api/v1/queue/{unit}/appointments/{id}", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"), ("id" = String, Path, description = "the appointment's id")),
    responses((status = 200, description = "when it is, and how it stands", body = AppointmentView), (status = 404)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    Path((unit, id)): Path<(String, String)>,
) -> Result<Json<AppointmentView>, Refusal> {
    Ok(Json(AppointmentView::from(&cases.appointment(&unit, &id).await?)))
}

/// Gives an appointment back, from its page.
#[utoipa::path(post, path = "/queue/{unit}/appointments/{id}/cancel", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"), ("id" = String, Path, description = "the appointment's id")),
    responses((status = 303, description = "back to it"), (status = 404),
              (status = 409, description = "it is over", content_type = "text/html")),
    extensions(("x-facts" = json!(["appointment-ended"]))))]
pub(crate) async fn cancel_by_form(
    State(cases): State<Cases>,
    page: Page,
    Path((unit, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let one = cases.appointment(&unit, &id).await?;
    match cases.cancel_appointment(&one).await {
        Ok(()) => {
            let back = format!("/queue/{}/appointments/{}", one.unit, one.id);
            Ok(Redirect::to(&back).into_response())
        }
        Err(problem) if problem.kind == Kind::Conflict => {
            let body = body(&cases, &page, &one, &[problem])?;
            Ok(page.html_status(409, &page.t("queue-appointment"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Gives an appointment back.
#[utoipa::path(post, path = "/api/v1/queue/{unit}/appointments/{id}/cancel", tag = "queue", security(()),
    params(("unit" = String, Path, description = "the unit's code"), ("id" = String, Path, description = "the appointment's id")),
    responses((status = 200, description = "how it stands", body = AppointmentView), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["appointment-ended"]))))]
pub(crate) async fn cancel_by_json(
    State(cases): State<Cases>,
    Path((unit, id)): Path<(String, String)>,
) -> Result<Json<AppointmentView>, Refusal> {
    let one = cases.appointment(&unit, &id).await?;
    cases.cancel_appointment(&one).await?;
    Ok(Json(AppointmentView::from(&cases.appointment(&unit, &id).await?)))
}

fn body(cases: &Cases, page: &Page, one: &Appointment, problems: &[Problem]) -> Result<String, Problem> {
    let state = match one.stand {
        AppointmentStand::Booked => page.t("queue-appointment-booked"),
        AppointmentStand::Arrived => page.t("queue-appointment-arrived"),
        AppointmentStand::Cancelled => page.t("queue-appointment-cancelled"),
    };
    render(&View {
        page,
        errors: page.errors(problems),
        unit: UnitLink::new(cases, &one.unit, cases.today()),
        day: parse_iso(&one.day).map_or_else(|| one.day.clone(), |day| page.date(day)),
        one: &AppointmentView::from(one),
        state,
        open: one.stand == AppointmentStand::Booked,
    })
}

/// That an appointment is over.
fn over() -> Problem {
    Problem::new(Kind::Conflict, "appointment-over")
}

impl Cases {
    /// An appointment by its address.
    async fn appointment(&self, unit: &str, id: &str) -> Result<Appointment, Problem> {
        let unit = self.queue_of(unit)?;
        let reader = self.store.read(&self.tenant).await?;
        rows::one(&reader, &unit, id)
            .await?
            .ok_or_else(Problem::not_found)
    }

    /// Gives a half hour back. Pressed twice, it is given back once.
    async fn cancel_appointment(&self, one: &Appointment) -> Result<(), Problem> {
        if one.stand == AppointmentStand::Cancelled {
            return Ok(());
        }
        self.store
            .write(&self.tenant, &Actor::Anonymous, |tx| async move {
                if !rows::cancel(&tx, &one.id).await? {
                    return Err(over());
                }
                tx.fact(&subject(&one.unit), ended(one, "cancelled"))
                    .await
                    .map(drop)
            })
            .await
    }

    /// Gives who has come a number. Pressed twice, it is the same number.
    ///
    /// # Errors
    /// 404 for what is no appointment of the unit; `appointment-not-now`, `appointment-over` (409).
    pub(super) async fn arrive(&self, unit: &OrgCode, id: &str) -> Result<u64, Problem> {
        let one = &self.appointment(unit.as_str(), id).await?;
        if let Some(number) = one.number {
            return Ok(number);
        }
        let now = self.store.world().now();
        let begins = begins(&one.day, one.minute).ok_or_else(over)?;
        let around = SLOT_MINUTES * 60_000;
        if now < begins.plus_ms(-around) || now > begins.plus_ms(around) {
            return Err(Problem::new(Kind::Conflict, "appointment-not-now"));
        }
        self.store
            .write(&self.tenant, &Actor::Anonymous, |tx| async move {
                // Whoever pressed at the same time may have the number by now.
                let newest = rows::one(&tx, &one.unit, &one.id).await?;
                if let Some(number) = newest.and_then(|newest| newest.number) {
                    return Ok(number);
                }
                let number = take::numbered(&tx, &one.unit, &one.day, true).await?;
                if !rows::arrive(&tx, &one.id, number).await? {
                    return Err(over());
                }
                tx.fact(&subject(&one.unit), ended(one, "arrived")).await?;
                Ok(number)
            })
            .await
    }
}

fn ended(one: &Appointment, outcome: &str) -> Fact {
    Fact::AppointmentEnded {
        unit: one.unit.clone(),
        day: one.day.clone(),
        minute: one.minute,
        outcome: outcome.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use kernel::limits::Limits;
    use serde_json::{Value, json};

    use crate::desk::testing::{Desk, UNIT, plain_templates};

    fn api() -> String {
        format!("/api/v1/queue/{UNIT}/appointments")
    }

    async fn book(desk: &Desk, day: &str, time: &str) -> (u16, Value) {
        let told = desk.post("", &api(), &json!({"day": day, "time": time})).await;
        (told.status, told.json())
    }

    #[tokio::test]
    async fn a_booked_half_hour_gets_a_number_in_its_time_before_those_that_were_not_booked() {
        let desk = Desk::empty().await;
        let free = desk.get("", &api()).await.json();
        assert_eq!(
            (&free["day"], &free["slots"][0]),
            (&json!("2026-11-25"), &json!({"time": "07:00", "free": 4})),
            "{free}"
        );
        let (status, made) = book(&desk, "2026-11-25", "08:30").await;
        assert_eq!(status, 200, "{made}");
        let id = made["id"].as_str().expect("an id").to_owned();
        let path = format!("/queue/{UNIT}/appointments/{id}");
        let page = desk.get("", &path).await;
        assert!(page.status == 200 && page.body.contains("08:30"), "{}", page.body);
        let take = format!("/queue/{UNIT}/take");
        let arrive = [("appointment", id.as_str())];
        let early = desk.form("", &take, &arrive).await;
        assert_eq!(early.status, 409, "it is the day before");
        let nine = kernel::Time::parse_minute("2026-11-25T08:45").expect("a time");
        desk.temp.clock.set(nine);
        desk.form("", &take, &[]).await;
        let listed = desk.get("tiep", "/desk/queue").await.body;
        assert!(listed.contains(&format!("value=\"{id}\"")), "{listed}");
        let (one, other) = tokio::join!(desk.form("", &take, &arrive), desk.form("", &take, &arrive));
        assert_eq!(
            (one.location(), other.location()),
            (
                format!("/queue/{UNIT}/tickets/2"),
                format!("/queue/{UNIT}/tickets/2")
            ),
            "pressed at the same time"
        );
        for press in ["first", "second"] {
            let came = desk.form("", &take, &arrive).await;
            assert_eq!(
                (came.status, came.location()),
                (303, format!("/queue/{UNIT}/tickets/2")),
                "{press}"
            );
        }
        let call = json!({"desk": "Quầy 1"});
        let called = desk.post("tiep", "/api/v1/desk/queue/call", &call).await.json();
        assert_eq!(called["mine"]["number"], 2, "who had booked goes first");
        let late = desk.form("", &format!("{path}/cancel"), &[]).await;
        assert_eq!(late.status, 409, "it is over");
        let facts = desk.facts_of(&format!("queue/{UNIT}")).await;
        let of = |kind: &str| facts.iter().filter(|fact| *fact == kind).count();
        assert_eq!((of("appointment-made"), of("appointment-ended")), (1, 1));
    }

    #[tokio::test]
    async fn a_half_hour_has_so_many_places_and_what_is_given_back_is_free_again() {
        let limits = Limits {
            queue_slot_max: 1,
            ..Limits::default()
        };
        let desk = Desk::with(plain_templates(), limits).await;
        let (_, made) = book(&desk, "2026-11-25", "13:30").await;
        let id = made["id"].as_str().expect("an id").to_owned();
        assert_eq!(book(&desk, "2026-11-25", "13:30").await.0, 409, "it is full");
        for press in ["first", "second"] {
            let back = desk.post("", &format!("{}/{id}/cancel", api()), &json!({})).await;
            assert_eq!(back.json()["state"], "cancelled", "{press}");
        }
        assert_eq!(book(&desk, "2026-11-25", "13:30").await.0, 200);
        for (day, time) in [
            ("2026-11-23", "13:30"),
            ("2026-11-28", "08:30"),
            ("2027-11-24", "08:30"),
            ("2026-11-25", "12:00"),
            ("2026-11-25", "x"),
        ] {
            assert_eq!(book(&desk, day, time).await.0, 422, "{day} {time}");
        }
        let form = desk
            .form(
                "",
                &format!("/queue/{UNIT}/appointments"),
                &[("day", "2026-11-25")],
            )
            .await;
        assert!(
            form.status == 422 && form.body.contains("error-summary"),
            "{}",
            form.body
        );
        assert_eq!(desk.get("", &format!("{}/none", api())).await.status, 404);
    }
}
