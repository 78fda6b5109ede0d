//! `/desk/hand-over`: all open cases of somebody who leaves go to a colleague, each with its fact. What cannot
//! go to that colleague stays where it is and is counted. Never an ended case.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use identity::Account;
use kernel::{Fact, Kind, Problem};
use serde::{Deserialize, Serialize};
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use super::{fits, leads};
use crate::citizen::render;
use crate::desk::store::{Place, assigned, place};
use crate::state::Cases;
use crate::store::subject;

/// Cases handed over in one write, count.
const STEP: usize = 100;

/// Whose cases go to whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandOver {
    /// Whose; one's own when left out. Another's only by who leads.
    from: Option<String>,
    /// The account of the colleague.
    to: String,
}

/// What was handed over.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HandedOver {
    /// Cases that went to the colleague.
    handed_over: u64,
    /// Cases that the colleague cannot have: of another unit, or their own.
    left: u64,
}

#[derive(Template)]
#[template(path = "desk_hand_over.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    /// The reader may name whose.
    leads: bool,
    own: &'a str,
    colleagues: Vec<(String, String)>,
    done: Option<(String, String)>,
}

/// The form.
#[utoipa::path(get, path = "/desk/hand-over", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    responses((status = 200, description = "whose cases go to whom", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let body = body(&cases, &who, &page, (&[], None)).await?;
    Ok(page.html(&page.t("desk-hand-over"), body))
}

/// Hands over by the form.
#[utoipa::path(post, path = "/desk/hand-over", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    responses((status = 200, description = "what was handed over", content_type = "text/html"), (status = 403), (status = 404),
              (status = 422, description = "the form again, with what is wrong")),
    extensions(("x-facts" = json!(["case-assigned"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let text = |name: &str| fields.text(name).unwrap_or_default().trim();
    let title = page.t("desk-hand-over");
    match cases.hand_over(&who, text("from"), text("to")).await {
        Ok(done) => {
            let body = body(&cases, &who, &page, (&[], Some(&done))).await?;
            Ok(page.html(&title, body).into_response())
        }
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = body(&cases, &who, &page, (&[problem], None)).await?;
            Ok(page.html_status(422, &title, body).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Hands over all open cases of somebody.
#[utoipa::path(post, path = "/api/v1/desk/hand-over", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    request_body = HandOver,
    responses((status = 200, description = "what was handed over", body = HandedOver), (status = 403), (status = 404), (status = 422)),
    extensions(("x-facts" = json!(["case-assigned"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Json(asked): Json<HandOver>,
) -> Result<Json<HandedOver>, Refusal> {
    let from = asked.from.as_deref().unwrap_or_default();
    Ok(Json(cases.hand_over(&who, from, &asked.to).await?))
}

async fn body(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    (problems, done): (&[Problem], Option<&HandedOver>),
) -> Result<String, Problem> {
    cases.official(who)?;
    let colleagues = cases.colleagues(&who.unit).await?;
    let count = |n: u64| n.to_string();
    render(&View {
        page,
        errors: page.errors(problems),
        leads: leads(who),
        own: &who.account,
        colleagues: colleagues.into_iter().map(|a| (a.id, a.name)).collect(),
        done: done.map(|done| {
            let left = match done.left {
                0 => String::new(),
                left => page.tw("desk-hand-over-left", &[("n", count(left))]),
            };
            (
                page.tw("desk-hand-over-done", &[("n", count(done.handed_over))]),
                left,
            )
        }),
    })
}

impl Cases {
    async fn hand_over(&self, who: &Principal, from: &str, to: &str) -> Result<HandedOver, Problem> {
        self.official(who)?;
        let from = Some(from).filter(|from| !from.is_empty()).unwrap_or(&who.account);
        if from != who.account && !leads(who) {
            return Err(Problem::new(Kind::Forbidden, "case-assign-others"));
        }
        if from == to {
            return Err(Problem::invalid("to", "assignee-same"));
        }
        let receiver = self.colleague(to).await?;
        let mut done = HandedOver {
            handed_over: 0,
            left: 0,
        };
        let mut after = None;
        loop {
            let (moved, left, last) = self.hand_over_some(who, from, &receiver, after.as_ref()).await?;
            done.handed_over += moved;
            done.left += left;
            after = last;
            if after.is_none() {
                return Ok(done);
            }
        }
    }

    /// Hands over the next of somebody's cases in one write: how many went, how many stayed, and the place of
    /// the last when there may be more. What went is not in the list any more; what stayed is passed by.
    async fn hand_over_some(
        &self,
        who: &Principal,
        from: &str,
        receiver: &Account,
        after: Option<&Place>,
    ) -> Result<(u64, u64, Option<Place>), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let page = assigned::list(&tx, from, after, STEP).await?;
                let last = page.last().filter(|_| page.len() == STEP).map(place);
                let (mut moved, mut left) = (0, 0);
                for held in &page {
                    // Who leads a unit hands over what lies there, and no other's.
                    if !who.unit.holds(&held.case.unit) || !fits(receiver, held) {
                        left += 1;
                        continue;
                    }
                    assigned::set(&tx, &held.case.code, &receiver.id).await?;
                    let fact = Fact::CaseAssigned {
                        case: held.case.code.clone(),
                        to: receiver.id.clone(),
                    };
                    tx.fact(&subject(&held.case.code), fact).await?;
                    moved += 1;
                }
                Ok((moved, left, last))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{Desk, handover};

    #[tokio::test]
    async fn an_officer_who_leaves_with_300_open_cases_hands_over_all_of_them() {
        let desk = Desk::empty().await;
        desk.with_accounts(&["tich", "hai", "ban"]).await;
        for number in 1..=300 {
            let mut body = handover();
            body["code"] = json!(format!("G22-261121-{number:04}"));
            desk.receive(&body).await.expect("received");
            let path = format!("/api/v1/desk/cases/G22-261121-{number:04}/assign");
            assert_eq!(desk.post("tich", &path, &json!({})).await.status, 200);
        }
        let all = "/api/v1/desk/hand-over";
        for (who, body, status) in [
            ("tiep", json!({"from": "tich", "to": "hai"}), 403),
            ("tich", json!({"to": "tich"}), 422),
            ("tich", json!({"to": "nobody"}), 422),
            ("xa", json!({"to": "hai"}), 404),
            ("", json!({"to": "hai"}), 401),
        ] {
            assert_eq!(desk.post(who, all, &body).await.status, status, "{who} {body}");
        }
        let none = desk.post("tich", all, &json!({"to": "ban"})).await.json();
        assert_eq!(none, json!({"handed_over": 0, "left": 300}), "of another unit");
        let done = desk
            .post("chu", all, &json!({"from": "tich", "to": "hai"}))
            .await
            .json();
        assert_eq!(done, json!({"handed_over": 300, "left": 0}));
        let list = desk.get("hai", "/api/v1/desk/cases?state=mine").await.json();
        assert_eq!(
            list["counts"][0],
            json!({"state": "mine", "cases": 300, "more": false})
        );
        let again = desk
            .post("chu", all, &json!({"from": "tich", "to": "hai"}))
            .await
            .json();
        assert_eq!(again["handed_over"], 0, "a second press");
        let facts = desk.facts_of("case/G22-261121-0300").await;
        assert_eq!(facts.iter().filter(|f| f.contains("case-assigned")).count(), 2);
        let form = desk.get("hai", "/desk/hand-over").await;
        assert!(
            form.status == 200 && form.body.contains("Nguyễn Văn Tịch"),
            "{}",
            form.body
        );
        let back = desk.form("hai", "/desk/hand-over", &[("to", "tich")]).await;
        assert!(back.status == 200 && back.body.contains("300"), "{}", back.body);
    }
}
