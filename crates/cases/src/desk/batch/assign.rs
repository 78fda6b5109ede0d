//! `/desk/batch/assign`: the chosen cases are taken, or given to one colleague: each by the path of a single one.
//! Shows codes and no person: who a case is about is seen on its page.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::{CaseCode, Kind, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal, SignedIn};

use super::{BatchDone, BatchLine, bounded, done_page, pick, picked};
use crate::citizen::render;
use crate::desk::official::code;
use crate::state::Cases;

/// The cases and who gets them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignChosen {
    /// The cases' codes, each once.
    cases: Vec<String>,
    /// The account of a colleague; oneself when left out.
    to: Option<String>,
}

#[derive(Template)]
#[template(path = "desk_batch_assign.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    picks: Vec<PickedCase>,
    own: &'a str,
    /// The accounts and names that they can be given to.
    colleagues: Vec<(String, String)>,
}

/// A chosen case: its code, and the same as the form carries it.
struct PickedCase {
    code: CaseCode,
    pick: String,
}

/// The chosen cases, and whom they can be given to.
#[utoipa::path(get, path = "/desk/batch/assign", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("pick" = Vec<String>, Query, description = "the chosen cases with the revisions that were seen, `CODE.REVISION`")),
    responses((status = 200, description = "the chosen cases", content_type = "text/html"), (status = 403), (status = 404),
              (status = 422, description = "none were chosen, or too many", content_type = "text/html")))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    cases.official(&who)?;
    shown(&cases, &who, &page, &fields).await
}

/// Gives the chosen cases to a colleague.
#[utoipa::path(post, path = "/desk/batch/assign", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    responses((status = 200, description = "how it went with each", content_type = "text/html"), (status = 403), (status = 404),
              (status = 422, description = "none were chosen, or too many", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-assigned"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    cases.official(&who)?;
    let Ok(picks) = picked(&fields, cases.store.limits().desk_batch_max) else {
        return shown(&cases, &who, &page, &fields).await;
    };
    let codes: Vec<String> = picks.into_iter().map(|(code, _)| code.to_string()).collect();
    let to = fields.text("to").unwrap_or_default();
    let done = cases.assign_all(&who, &codes, to).await;
    let title = page.t("desk-batch-assign");
    let body = done_page(&page, &title, &page.t("desk-batch-assigned"), &done)?;
    Ok(page.html(&title, body).into_response())
}

/// Gives some cases to a colleague.
#[utoipa::path(post, path = "/api/v1/desk/batch/assign", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    request_body = AssignChosen,
    responses((status = 200, description = "how it went with each", body = BatchDone), (status = 403), (status = 404), (status = 422)),
    extensions(("x-facts" = json!(["case-assigned"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Json(chosen): Json<AssignChosen>,
) -> Result<Json<BatchDone>, Refusal> {
    cases.official(&who)?;
    let codes = bounded(chosen.cases, cases.store.limits().desk_batch_max)?;
    let to = chosen.to.as_deref().unwrap_or_default();
    Ok(Json(cases.assign_all(&who, &codes, to).await))
}

/// The page with the chosen cases, or with what is wrong with the choice.
async fn shown(cases: &Cases, who: &Principal, page: &Page, fields: &Fields) -> Result<Response, Refusal> {
    let (picks, problems) = match picked(fields, cases.store.limits().desk_batch_max) {
        Ok(picks) => (picks, Vec::new()),
        Err(problem) if problem.kind == Kind::Invalid => (Vec::new(), vec![problem]),
        Err(problem) => return Err(problem.into()),
    };
    let colleagues = cases.colleagues(&who.unit).await?;
    let body = render(&View {
        page,
        errors: page.errors(&problems),
        picks: picks
            .into_iter()
            .map(|(code, revision)| {
                let pick = pick(&code, revision);
                PickedCase { code, pick }
            })
            .collect(),
        own: &who.account,
        colleagues: colleagues
            .into_iter()
            .filter(|account| account.id != who.account)
            .map(|account| (account.id, account.name))
            .collect(),
    })?;
    let title = page.t("desk-batch-assign");
    Ok(match problems.is_empty() {
        true => page.html(&title, body).into_response(),
        false => page.html_status(422, &title, body),
    })
}

impl Cases {
    /// Gives one after the other; what is refused for one is no reason to leave the others.
    async fn assign_all(&self, who: &Principal, codes: &[String], to: &str) -> BatchDone {
        let mut items = Vec::with_capacity(codes.len());
        for text in codes {
            let done: Result<(), Problem> = match code(text) {
                Ok(code) => self.assign_to(who, &code, to).await,
                Err(problem) => Err(problem),
            };
            items.push(BatchLine::of(text, done));
        }
        BatchDone { items }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, handover};

    const API: &str = "/api/v1/desk/batch/assign";
    const PAGE: &str = "/desk/batch/assign";
    const OTHER: &str = "G22-261121-0002";

    #[tokio::test]
    async fn the_chosen_cases_go_to_one_colleague_and_each_has_its_outcome() {
        let desk = Desk::new().await;
        desk.with_accounts(&["tich", "hai", "ban"]).await;
        let mut other = handover();
        other["code"] = json!(OTHER);
        desk.receive(&other).await.expect("received");
        let query = format!("{PAGE}?pick={CASE}.0&pick={OTHER}.0");
        let page = desk.get("chu", &query).await;
        assert!(
            page.status == 200 && page.body.contains(OTHER) && page.body.contains("Vũ Thị Hai"),
            "{}",
            page.body
        );
        let (first, second) = (format!("{CASE}.0"), format!("{OTHER}.0"));
        let fields = [("pick", first.as_str()), ("pick", second.as_str()), ("to", "hai")];
        for press in ["first", "second"] {
            let done = desk.form("chu", PAGE, &fields).await;
            assert!(
                done.status == 200 && done.body.contains("Đã giao"),
                "{press}: {}",
                done.body
            );
        }
        let facts = desk.facts().await;
        assert_eq!(facts.iter().filter(|fact| *fact == "case-assigned").count(), 1);
        let chosen = json!({"cases": [CASE, OTHER, "nonsense"], "to": "tich"});
        let told = desk.post("tiep", API, &chosen).await.json();
        let why = |at: usize| told["items"][at]["why"].clone();
        assert_eq!(
            [why(0), why(1), why(2)],
            [
                json!("case-assign-others"),
                json!("case-assign-others"),
                json!("not-found")
            ],
            "who does not lead passes on what is theirs"
        );
        let told = desk.post("hai", API, &chosen).await.json();
        assert_eq!(told["items"][1], json!({"code": OTHER, "done": true}));
    }

    #[tokio::test]
    async fn who_works_at_no_desk_here_passes_nothing_on() {
        let desk = Desk::new().await;
        let body = json!({"cases": [CASE]});
        for (who, status) in [("xa", 404), ("", 401)] {
            assert_eq!(desk.post(who, API, &body).await.status, status, "{who}");
        }
        let elsewhere = desk.post("ban", API, &body).await.json();
        assert_eq!(elsewhere["items"][0]["why"], "not-found", "of another unit");
        let none = desk.get("tich", PAGE).await;
        assert!(
            none.status == 422 && none.body.contains("error-summary"),
            "{}",
            none.body
        );
    }
}
