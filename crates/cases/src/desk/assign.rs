//! `/desk/cases/{code}/assign`: an official takes a case of the unit, passes their own on, or is given one by
//! who leads; and `/desk/hand-over`: who leaves hands over all of theirs. Never decides what may be done with a
//! case: everybody of the unit who may go on, may.

mod hand_over;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use identity::{Account, Accounts};
use kernel::{CaseCode, Fact, Kind, OrgCode, Problem};
use serde::{Deserialize, Serialize};
use web::auth::DESK_ROLES;
use web::openapi::{OpenApiRouter, ToSchema, routes, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use crate::citizen::render;
use crate::desk::official::AtCase;
use crate::desk::store::assigned;
use crate::desk::view;
use crate::state::Cases;
use crate::store::{Held, subject};

/// Who may give a case to somebody else, or take it from them.
const LEADERS: [&str; 3] = ["chairman", "deputy-chairman", "supervisor"];
/// National statuses of a case that has ended.
pub(super) const ENDED: [u8; 4] = [3, 7, 8, 10];

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(page, by_form))
        .routes(routes!(json))
        .routes(routes!(by_json))
        .routes(routes!(hand_over::page, hand_over::by_form))
        .routes(routes!(hand_over::by_json))
}

/// To whom.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignTo {
    /// The account of a colleague of the case's unit; oneself when left out.
    to: Option<String>,
}

/// Whose a case is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Assignee {
    /// The case.
    code: String,
    /// The account whose desk it lies on; none while it is the unit's.
    assignee: Option<String>,
}

#[derive(Template)]
#[template(path = "desk_assign.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    code: &'a CaseCode,
    /// The name of whose it is.
    now: Option<String>,
    /// It is the reader's own.
    own: bool,
    /// The accounts and names that the reader may give it to.
    colleagues: Vec<(String, String)>,
}

/// Whose a case is, and whom it can be given to, as a page.
#[utoipa::path(get, path = "/desk/cases/{code}/assign", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "whose it is", content_type = "text/html"), (status = 403), (status = 404)))]
pub(crate) async fn page(at: AtCase, page: Page) -> Result<Html<String>, Refusal> {
    let body = body(&at, &page, &[]).await?;
    Ok(page.html(&page.t("desk-assign"), body))
}

/// Whose a case is.
#[utoipa::path(get, path = "/api/v1/desk/cases/{code}/assign", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, body = Assignee), (status = 403), (status = 404)))]
pub(crate) async fn json(at: AtCase) -> Result<Json<Assignee>, Refusal> {
    Ok(Json(at.cases.assignee(&at.who, &at.code).await?))
}

/// Takes a case, or gives it to a colleague, by the form.
#[utoipa::path(post, path = "/desk/cases/{code}/assign", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409),
              (status = 422, description = "the page again, with what is wrong")),
    extensions(("x-facts" = json!(["case-assigned"]))))]
pub(crate) async fn by_form(at: AtCase, page: Page, fields: Fields) -> Result<Response, Refusal> {
    let to = fields.text("to").unwrap_or_default();
    match at.cases.assign_to(&at.who, &at.code, to).await {
        Ok(()) => Ok(view::back(&at.code)),
        Err(problem) if problem.kind == Kind::Invalid => {
            let body = body(&at, &page, &[problem]).await?;
            Ok(page
                .html_status(422, &page.t("desk-assign"), body)
                .into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Takes a case, or gives it to a colleague.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/assign", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("code" = String, Path, description = "the case's code")), request_body = AssignTo,
    responses((status = 200, description = "whose it is now", body = Assignee), (status = 403), (status = 404),
              (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-assigned"]))))]
pub(crate) async fn by_json(at: AtCase, Json(asked): Json<AssignTo>) -> Result<Json<Assignee>, Refusal> {
    let to = asked.to.as_deref().unwrap_or_default();
    at.cases.assign_to(&at.who, &at.code, to).await?;
    Ok(Json(at.cases.assignee(&at.who, &at.code).await?))
}

async fn body(at: &AtCase, page: &Page, problems: &[Problem]) -> Result<String, Problem> {
    let AtCase { cases, who, code } = at;
    let reader = cases.store.read(&cases.tenant).await?;
    let held = cases.seen(&reader, who, code).await?;
    let now = assigned::of(&reader, code).await?;
    let colleagues = cases.colleagues(&held.case.unit).await?;
    let name = |id: &String| {
        let known = colleagues.iter().find(|account| account.id == *id);
        known.map_or_else(|| id.clone(), |account| account.name.clone())
    };
    let own = now.as_deref() == Some(who.account.as_str());
    let may_give = own || leads(who);
    render(&View {
        page,
        errors: page.errors(problems),
        code,
        now: now.as_ref().map(name),
        own,
        colleagues: colleagues
            .iter()
            .filter(|account| may_give && account.id != who.account)
            .map(|account| (account.id.clone(), account.name.clone()))
            .collect(),
    })
}

/// True for who may give a case to somebody else, or take it from them.
fn leads(who: &Principal) -> bool {
    LEADERS.iter().any(|role| who.has(role))
}

/// Whether a case can lie on an account's desk: an official's who sees its unit, and whose own it is not.
fn fits(account: &Account, held: &Held) -> bool {
    account
        .roles
        .iter()
        .any(|role| DESK_ROLES.contains(&role.as_str()))
        && account.unit.holds(&held.case.unit)
        && held.case.not_own(account.subject.as_ref()).is_ok()
}

impl Cases {
    fn accounts(&self) -> Accounts {
        Accounts::new(self.store.clone(), self.tenant.clone())
    }

    /// The officials of a unit.
    pub(super) async fn colleagues(&self, unit: &OrgCode) -> Result<Vec<Account>, Problem> {
        let mut all = self.accounts().of_unit(unit).await?;
        all.retain(|account| {
            account
                .roles
                .iter()
                .any(|role| DESK_ROLES.contains(&role.as_str()))
        });
        all.sort_by_cached_key(|account| directory::collate::key(&account.name));
        Ok(all)
    }

    /// An account that a case can be given to.
    async fn colleague(&self, to: &str) -> Result<Account, Problem> {
        let unknown = || Problem::invalid("to", "assignee-unknown");
        self.accounts().get(to).await?.ok_or_else(unknown)
    }

    async fn assignee(&self, who: &Principal, code: &CaseCode) -> Result<Assignee, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        self.seen(&reader, who, code).await?;
        Ok(Assignee {
            code: code.to_string(),
            assignee: assigned::of(&reader, code).await?,
        })
    }

    pub(super) async fn assign_to(&self, who: &Principal, code: &CaseCode, to: &str) -> Result<(), Problem> {
        self.official(who)?;
        let to = Some(to.trim())
            .filter(|to| !to.is_empty())
            .unwrap_or(&who.account);
        let receiver = if to == who.account {
            None
        } else {
            Some(self.colleague(to).await?)
        };
        let receiver = receiver.as_ref();
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let held = self.seen(&tx, who, code).await?;
                held.case.not_own(who.subject.as_ref())?;
                if ENDED.contains(&held.status) {
                    return Err(Problem::new(Kind::Conflict, "case-assign-ended"));
                }
                let now = assigned::of(&tx, code).await?;
                let is_own = now.as_deref() == Some(who.account.as_str());
                match receiver {
                    Some(account) if !fits(account, &held) => {
                        return Err(Problem::invalid("to", "assignee-unknown"));
                    }
                    Some(_) if !is_own && !leads(who) => {
                        return Err(Problem::new(Kind::Forbidden, "case-assign-others"));
                    }
                    None if !is_own && now.is_some() && !leads(who) => {
                        return Err(Problem::new(Kind::Conflict, "case-assign-taken"));
                    }
                    _ => {}
                }
                if now.as_deref() == Some(to) {
                    return Ok(());
                }
                assigned::set(&tx, code, to).await?;
                let fact = Fact::CaseAssigned {
                    case: code.clone(),
                    to: to.to_owned(),
                };
                tx.fact(&subject(code), fact).await.map(drop)
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::desk::testing::{API, CASE, Desk};

    async fn assign(desk: &Desk, who: &str, body: Value) -> (u16, Value) {
        let answer = desk.post(who, &format!("{API}/assign"), &body).await;
        let told = if answer.status == 200 {
            answer.json()
        } else {
            Value::Null
        };
        (answer.status, told["assignee"].clone())
    }

    async fn mine(desk: &Desk, who: &str) -> Value {
        let list = desk.get(who, "/api/v1/desk/cases?state=mine").await.json();
        list["items"].as_array().map_or(0, Vec::len).into()
    }

    #[tokio::test]
    async fn an_official_takes_a_case_and_passes_it_on_and_only_who_leads_gives_others() {
        let desk = Desk::new().await;
        desk.with_accounts(&["tich", "hai", "ban"]).await;
        assert_eq!(mine(&desk, "tich").await, 0);
        assert_eq!(assign(&desk, "tich", json!({})).await, (200, "tich".into()));
        assert_eq!(
            assign(&desk, "tich", json!({})).await,
            (200, "tich".into()),
            "a second press"
        );
        assert_eq!(mine(&desk, "tich").await, 1);
        assert_eq!(assign(&desk, "hai", json!({})).await.0, 200, "a deputy leads");
        assert_eq!(
            assign(&desk, "tich", json!({})).await.0,
            409,
            "it is another's now"
        );
        assert_eq!(assign(&desk, "tiep", json!({"to": "tich"})).await.0, 403);
        assert_eq!(
            assign(&desk, "chu", json!({"to": "tich"})).await,
            (200, "tich".into())
        );
        assert_eq!(
            assign(&desk, "tich", json!({"to": "hai"})).await,
            (200, "hai".into())
        );
        for to in ["nobody", "ban"] {
            assert_eq!(assign(&desk, "chu", json!({ "to": to })).await.0, 422, "{to}");
        }
        assert_eq!(
            assign(&desk, "nam", json!({})).await.0,
            403,
            "the father of the child"
        );
        for who in ["ban", "xa"] {
            assert_eq!(assign(&desk, who, json!({})).await.0, 404, "{who}");
        }
        assert_eq!(
            desk.post("", &format!("{API}/assign"), &json!({})).await.status,
            401
        );
        let facts = desk.facts().await;
        assert_eq!(
            facts.iter().filter(|f| f.contains("case-assigned")).count(),
            4,
            "{facts:?}"
        );
    }

    #[tokio::test]
    async fn the_page_says_whose_it_is_and_whom_it_can_be_given_to() {
        let desk = Desk::new().await;
        desk.with_accounts(&["tich", "hai"]).await;
        let path = format!("/desk/cases/{CASE}/assign");
        let page = desk.get("tich", &path).await;
        assert!(
            page.status == 200 && page.body.contains("Chưa giao cho ai"),
            "{}",
            page.body
        );
        assert_eq!(desk.form("tich", &path, &[]).await.status, 303);
        let page = desk.get("tich", &path).await.body;
        assert!(
            page.contains("Vũ Thị Hai") && !page.contains("Chưa giao cho ai"),
            "{page}"
        );
        let wrong = desk.form("tich", &path, &[("to", "nobody")]).await;
        assert!(
            wrong.status == 422 && wrong.body.contains("error-summary"),
            "{}",
            wrong.body
        );
        let list = desk.get("tich", "/desk?state=mine").await.body;
        assert!(list.contains(CASE) && list.contains("/desk/hand-over"), "{list}");
    }
}
