//! `/desk/queue`: the desk calls the next number to its place, notes that it was served or that nobody came, and sees how
//! the day goes. One number a desk at a time, and a number is called once. Never another unit's.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use kernel::{Fact, Kind, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use super::appointment::AppointmentView;
use super::take::QueueView;
use super::{TicketStand, TicketView, subject};
use crate::citizen::render;
use crate::desk::store::{appointments, tickets as rows};
use crate::shown::UnitLink;
use crate::state::Cases;

/// Who calls numbers.
const CALLERS: [&str; 2] = ["receptionist", "officer"];
/// Length of what a place is called, characters.
const DESK_CHARS_MAX: usize = 20;
/// Times that somebody else may be quicker before the caller is told, count.
const TRIES: usize = 5;

/// To which place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallNext {
    /// What the place is called, 1 to 20 characters.
    #[schema(example = "Quầy 1")]
    desk: String,
}

/// What became of a number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndTicket {
    /// `served`, or `missed` when nobody came.
    #[schema(example = "served")]
    outcome: String,
}

/// The queue as its desk sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeskQueue {
    /// How it stands.
    queue: QueueView,
    /// The number that the caller has called and not ended.
    mine: Option<TicketView>,
    /// The appointments of today that are to come.
    booked: Vec<AppointmentView>,
}

#[derive(Template)]
#[template(path = "desk_queue.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    problems: &'a [Problem],
    unit: UnitLink,
    code: &'a str,
    told: &'a DeskQueue,
    /// What the place is called, as typed.
    desk: &'a str,
}

/// The queue as its desk sees it.
#[utoipa::path(get, path = "/desk/queue", tag = "desk", security(("session" = ["receptionist", "officer"])),
    responses((status = 200, description = "who waits, and who is called", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let body = body(&cases, &who, &page, "", &[]).await?;
    Ok(page.html(&page.t("desk-queue"), body))
}

/// The queue as its desk sees it.
#[utoipa::path(get, path = "/api/v1/desk/queue", tag = "desk", security(("session" = ["receptionist", "officer"])),
    responses((status = 200, description = "who waits, and who is called", body = DeskQueue), (status = 403), (status = 404)))]
pub(crate) async fn json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
) -> Result<Json<DeskQueue>, Refusal> {
    Ok(Json(cases.desk_queue(&who).await?))
}

/// Calls the next number by the form.
#[utoipa::path(post, path = "/desk/queue/call", tag = "desk", security(("session" = ["receptionist", "officer"])),
    responses((status = 303, description = "to the queue"), (status = 403), (status = 404),
              (status = 409, description = "nobody waits, or a number is not ended", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong", content_type = "text/html")),
    extensions(("x-facts" = json!(["ticket-called"]))))]
pub(crate) async fn call_by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let desk = fields.text("desk").unwrap_or_default();
    let called = cases.call_next(&who, desk).await;
    answered(&cases, &who, &page, desk, called).await
}

/// Calls the next number.
#[utoipa::path(post, path = "/api/v1/desk/queue/call", tag = "desk", security(("session" = ["receptionist", "officer"])),
    request_body = CallNext,
    responses((status = 200, description = "the queue, with the number that was called", body = DeskQueue), (status = 403), (status = 404),
              (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["ticket-called"]))))]
pub(crate) async fn call_by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Json(asked): Json<CallNext>,
) -> Result<Json<DeskQueue>, Refusal> {
    cases.call_next(&who, &kernel::text::clean(&asked.desk)).await?;
    Ok(Json(cases.desk_queue(&who).await?))
}

/// Ends the called number by the form.
#[utoipa::path(post, path = "/desk/queue/{number}/end", tag = "desk", security(("session" = ["receptionist", "officer"])),
    params(("number" = u64, Path, description = "the number")),
    responses((status = 303, description = "to the queue"), (status = 403), (status = 404),
              (status = 409, description = "it is not called by the caller", content_type = "text/html"), (status = 422)),
    extensions(("x-facts" = json!(["ticket-ended"]))))]
pub(crate) async fn end_by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    Path(number): Path<u64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let outcome = fields.text("outcome").unwrap_or_default();
    let ended = cases.end_number(&who, number, outcome).await;
    answered(&cases, &who, &page, "", ended).await
}

/// Ends the called number.
#[utoipa::path(post, path = "/api/v1/desk/queue/{number}/end", tag = "desk", security(("session" = ["receptionist", "officer"])),
    params(("number" = u64, Path, description = "the number")), request_body = EndTicket,
    responses((status = 200, description = "the queue", body = DeskQueue), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["ticket-ended"]))))]
pub(crate) async fn end_by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(number): Path<u64>,
    Json(asked): Json<EndTicket>,
) -> Result<Json<DeskQueue>, Refusal> {
    cases.end_number(&who, number, &asked.outcome).await?;
    Ok(Json(cases.desk_queue(&who).await?))
}

/// Back to the queue; with what is wrong when something is.
async fn answered(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    desk: &str,
    done: Result<(), Problem>,
) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(Redirect::to("/desk/queue").into_response()),
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
            let status = problem.kind.status();
            let body = body(cases, who, page, desk, &[problem]).await?;
            Ok(page.html_status(status, &page.t("desk-queue"), body))
        }
        Err(problem) => Err(problem.into()),
    }
}

async fn body(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    desk: &str,
    problems: &[Problem],
) -> Result<String, Problem> {
    let told = cases.desk_queue(who).await?;
    render(&View {
        page,
        errors: page.errors(problems),
        problems,
        unit: UnitLink::new(cases, &who.unit, cases.today()),
        code: who.unit.as_str(),
        told: &told,
        desk,
    })
}

/// What a place is called, within bounds.
fn checked(desk: &str) -> Result<&str, Problem> {
    let desk = desk.trim();
    if desk.is_empty() {
        return Err(Problem::invalid("desk", "field-missing"));
    }
    if desk.chars().count() > DESK_CHARS_MAX {
        return Err(Problem::invalid("desk", "queue-desk-long").with("max", DESK_CHARS_MAX));
    }
    Ok(desk)
}

impl Cases {
    /// Refuses who calls no numbers here.
    fn caller(&self, who: &Principal) -> Result<(), Problem> {
        self.official(who)?;
        who.require_any(&CALLERS)
    }

    async fn desk_queue(&self, who: &Principal) -> Result<DeskQueue, Problem> {
        self.caller(who)?;
        let day = self.queue_day();
        let reader = self.store.read(&self.tenant).await?;
        let mine = rows::called_by(&reader, (&who.unit, &day), &who.account).await?;
        let rows_max = self.store.limits().page_rows_max;
        let booked = appointments::of_day(&reader, (&who.unit, &day), rows_max).await?;
        drop(reader);
        Ok(DeskQueue {
            queue: self.queue(&who.unit).await?,
            mine: mine.map(|ticket| TicketView::new(&who.unit, &day, &ticket, 0)),
            booked: booked.iter().map(AppointmentView::from).collect(),
        })
    }

    /// Calls the next number to a place. Two desks at once get two numbers.
    async fn call_next(&self, who: &Principal, desk: &str) -> Result<(), Problem> {
        self.caller(who)?;
        let (desk, day, unit) = (checked(desk)?, &self.queue_day(), &who.unit);
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let mine = rows::called_by(&tx, (unit, day), &who.account).await?;
                if let Some(mine) = mine {
                    return Err(Problem::new(Kind::Conflict, "queue-not-ended").with("number", mine.number));
                }
                for _ in 0..TRIES {
                    let next = rows::first_waiting(&tx, (unit, day)).await?;
                    let Some(next) = next else {
                        return Err(Problem::new(Kind::Conflict, "queue-empty"));
                    };
                    if rows::call(&tx, (unit, day), next.number, (desk, &who.account)).await? {
                        let fact = Fact::TicketCalled {
                            unit: unit.clone(),
                            day: day.clone(),
                            number: next.number,
                        };
                        return tx.fact(&subject(unit), fact).await.map(drop);
                    }
                }
                Err(Problem::stale())
            })
            .await
    }

    /// Notes what became of the number that somebody has called.
    async fn end_number(&self, who: &Principal, number: u64, outcome: &str) -> Result<(), Problem> {
        self.caller(who)?;
        let stand = match outcome {
            "served" => TicketStand::Served,
            "missed" => TicketStand::Missed,
            _ => return Err(Problem::invalid("outcome", "queue-outcome")),
        };
        let (day, unit) = (&self.queue_day(), &who.unit);
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let at = (unit, day.as_str());
                if !rows::end(&tx, at, number, (stand, &who.account)).await? {
                    let there = rows::one(&tx, at, number).await?;
                    let there = there.ok_or_else(Problem::not_found)?;
                    // The second click of the one who has just ended it changes nothing.
                    return match there.stand == stand {
                        true => Ok(()),
                        false => Err(Problem::new(Kind::Conflict, "queue-not-yours")),
                    };
                }
                let fact = Fact::TicketEnded {
                    unit: unit.clone(),
                    day: day.clone(),
                    number,
                    outcome: stand.as_str().to_owned(),
                };
                tx.fact(&subject(unit), fact).await.map(drop)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::desk::testing::{Desk, UNIT};

    const API: &str = "/api/v1/desk/queue";

    async fn three() -> Desk {
        let desk = Desk::empty().await;
        for _ in 0..3 {
            desk.form("", &format!("/queue/{UNIT}/take"), &[]).await;
        }
        desk
    }

    async fn call(desk: &Desk, who: &str) -> (u16, Value) {
        let told = desk
            .post(who, &format!("{API}/call"), &json!({"desk": "Quầy 1"}))
            .await;
        let number = match told.status {
            200 => told.json()["mine"]["number"].clone(),
            _ => Value::Null,
        };
        (told.status, number)
    }

    #[tokio::test]
    async fn the_desk_calls_the_next_ends_it_and_sees_how_the_day_goes() {
        let desk = three().await;
        desk.temp.clock.advance_ms(6 * 60_000);
        assert_eq!(call(&desk, "tiep").await, (200, json!(1)));
        assert_eq!(call(&desk, "tiep").await.0, 409, "the first is not ended");
        assert_eq!(call(&desk, "tiep-2").await, (200, json!(2)), "another desk");
        let screen = desk.get("", &format!("/queue/{UNIT}/screen")).await;
        assert!(
            screen.status == 200 && screen.body.contains("Quầy 1"),
            "{}",
            screen.body
        );
        let page = desk.get("tiep", "/desk/queue").await.body;
        assert!(page.contains("/desk/queue/1/end"), "{page}");
        let ended = desk
            .form("tiep", "/desk/queue/1/end", &[("outcome", "served")])
            .await;
        assert_eq!((ended.status, ended.location().as_str()), (303, "/desk/queue"));
        let missed = json!({"outcome": "missed"});
        let other = desk.post("tiep", &format!("{API}/2/end"), &missed).await;
        assert_eq!(
            (other.status, other.problem().as_str()),
            (409, "queue-not-yours"),
            "another desk's number"
        );
        for press in ["first", "second"] {
            let told = desk.post("tiep-2", &format!("{API}/2/end"), &missed).await;
            assert_eq!(told.status, 200, "{press}: {}", told.body);
        }
        let told = desk.get("tiep", API).await.json();
        assert_eq!(
            told["queue"]["counts"],
            json!({"taken": 3, "waiting": 1, "served": 1, "missed": 1, "waited_minutes": 6})
        );
        assert_eq!(call(&desk, "tiep").await, (200, json!(3)));
        desk.post("tiep", &format!("{API}/3/end"), &missed).await;
        assert_eq!(call(&desk, "tiep").await.0, 409, "nobody waits");
        let facts = desk.facts_of(&format!("queue/{UNIT}")).await;
        let of = |kind: &str| facts.iter().filter(|fact| *fact == kind).count();
        assert_eq!(
            (of("ticket-taken"), of("ticket-called"), of("ticket-ended")),
            (3, 3, 3)
        );
    }

    #[tokio::test]
    async fn who_calls_no_numbers_and_what_is_wrong_is_told() {
        let desk = three().await;
        for (who, status) in [("chu", 403), ("giam", 403), ("xa", 404), ("", 401)] {
            assert_eq!(call(&desk, who).await.0, status, "{who}");
        }
        assert_eq!(call(&desk, "ban").await.0, 409, "nobody waits at another unit");
        let nowhere = desk.form("tiep", "/desk/queue/call", &[("desk", " ")]).await;
        assert!(
            nowhere.status == 422 && nowhere.body.contains("href=\"#desk\""),
            "{}",
            nowhere.body
        );
        assert_eq!(call(&desk, "tiep").await.0, 200);
        for (number, outcome, status) in [(1, "gone", 422), (3, "served", 409), (9, "served", 404)] {
            let path = format!("{API}/{number}/end");
            let told = desk.post("tiep", &path, &json!({"outcome": outcome})).await;
            assert_eq!(told.status, status, "{number} {outcome}");
        }
    }
}
