//! `GET /contact` and its twin: where the signed-in citizen is told of their cases, and each use of their addresses.
//! Never another citizen's.

use ::store::Reader;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::{Problem, Time};
use web::openapi::utoipa;
use web::{Json, Lang, Page, Refusal};

use crate::citizen::{Citizen, render};
use crate::contact::{
    Contact, ContactJson, ContactUseJson, ContactWayJson, Scope, State as Outcome, Telling, Way,
};
use crate::state::Cases;
use crate::store::contacts;

/// Uses that are shown, count.
const USES: usize = 20;

#[derive(Template)]
#[template(path = "contact.html")]
struct ContactPage<'a> {
    page: &'a Page,
    ways: Vec<WayView>,
    uses: Vec<UseView>,
    errors: String,
}

struct WayView {
    word: &'static str,
    title: String,
    offered: bool,
    /// The address, and since when.
    confirmed: Option<(String, String)>,
    /// The address that waits, and until when its code holds.
    pending: Option<(String, String)>,
    /// What stands in the box.
    typed: String,
    /// What its box takes, as HTML names it.
    kind: &'static str,
    label: String,
    hint: String,
    code_label: String,
    /// Of which steps: the word, the label, whether it is chosen.
    scopes: Vec<(&'static str, String, bool)>,
    /// In which language, the same.
    langs: Vec<(&'static str, &'static str, bool)>,
    address_error: String,
    code_error: String,
}

struct UseView {
    at: String,
    what: String,
    case: Option<String>,
    way: String,
    state: String,
    class: &'static str,
    why: String,
}

/// What was typed, and what is wrong with it.
pub(crate) struct Wrong<'a> {
    pub(crate) way: Way,
    pub(crate) typed: &'a str,
    pub(crate) problem: Problem,
}

/// Where I am told of my cases.
#[utoipa::path(get, path = "/contact", tag = "cases", security(("session" = ["citizen"])),
    responses((status = 200, description = "addresses and their uses", content_type = "text/html")))]
pub(crate) async fn page(
    State(cases): State<Cases>,
    citizen: Citizen,
    page: Page,
) -> Result<Response, Refusal> {
    Ok(shown(&cases, &citizen, &page, None).await?)
}

/// Where I am told of my cases.
#[utoipa::path(get, path = "/api/v1/contact", tag = "cases", security(("session" = ["citizen"])),
    responses((status = 200, body = ContactJson), (status = 401)))]
pub(crate) async fn api(State(cases): State<Cases>, citizen: Citizen) -> Result<Json<ContactJson>, Refusal> {
    Ok(Json(json(&cases, &citizen).await?))
}

/// The state of a citizen's addresses for programs.
///
/// # Errors
/// Unavailable.
pub(crate) async fn json(cases: &Cases, citizen: &Citizen) -> Result<ContactJson, Problem> {
    let reader = cases.store.read(&cases.tenant).await?;
    let all = contacts::contacts(&reader, &citizen.who.account).await?;
    let of = |way: Way| {
        let contact = all.iter().find(|contact| contact.way == way);
        ContactWayJson::new(way, contact, cases.messengers.of(way).is_some())
    };
    let uses = uses(&reader, cases, &citizen.who.account).await?;
    Ok(ContactJson {
        ways: Way::ALL.into_iter().map(of).collect(),
        uses: uses.iter().map(ContactUseJson::new).collect(),
    })
}

async fn uses(reader: &Reader, cases: &Cases, account: &str) -> Result<Vec<Telling>, Problem> {
    let now = cases.store.world().now();
    contacts::tellings(reader, account, (Time(0), now), USES).await
}

/// The page; with what was typed and is wrong, when it was.
///
/// # Errors
/// Unavailable.
pub(crate) async fn shown(
    cases: &Cases,
    citizen: &Citizen,
    page: &Page,
    wrong: Option<&Wrong<'_>>,
) -> Result<Response, Problem> {
    let reader = cases.store.read(&cases.tenant).await?;
    let all = contacts::contacts(&reader, &citizen.who.account).await?;
    let view = |way: Way| {
        let contact = all.iter().find(|contact| contact.way == way);
        let wrong = wrong.filter(|wrong| wrong.way == way);
        way_view(page, way, contact, wrong, cases.messengers.of(way).is_some())
    };
    let uses = uses(&reader, cases, &citizen.who.account).await?;
    let problems: Vec<Problem> = wrong
        .into_iter()
        .map(|wrong| named(wrong.way, &wrong.problem))
        .collect();
    let body = render(&ContactPage {
        page,
        ways: Way::ALL.into_iter().map(view).collect(),
        uses: uses
            .iter()
            .map(|telling| use_view(cases, page, telling))
            .collect(),
        errors: page.errors(&problems),
    })?;
    let title = page.t("contact-title");
    Ok(match problems.first() {
        Some(problem) => page.html_status(problem.kind.status(), &title, body),
        None => page.html(&title, body).into_response(),
    })
}

/// The page has the same boxes once a way: a problem's field is told apart by it.
fn named(way: Way, problem: &Problem) -> Problem {
    match &problem.field {
        Some(field) => problem.clone().at(&format!("{}-{field}", way.word())),
        None => problem.clone(),
    }
}

fn way_view(
    page: &Page,
    way: Way,
    contact: Option<&Contact>,
    wrong: Option<&Wrong<'_>>,
    offered: bool,
) -> WayView {
    let word = way.word();
    let problems: Vec<Problem> = wrong
        .into_iter()
        .map(|wrong| named(way, &wrong.problem))
        .collect();
    let error = |field: &str| page.field_error(&problems, &format!("{word}-{field}"));
    let time = |at: Option<Time>| at.map(|at| page.time(at)).unwrap_or_default();
    let confirmed = contact.and_then(|c| Some((c.address.clone()?, time(c.confirmed_at))));
    let pending = contact.and_then(|c| Some((c.pending.clone()?, time(c.code_until))));
    let typed = match wrong.filter(|wrong| !wrong.typed.is_empty()) {
        Some(wrong) => wrong.typed.to_owned(),
        None => contact
            .and_then(|c| c.pending.clone().or_else(|| c.address.clone()))
            .unwrap_or_default(),
    };
    let (scope, lang) = contact.map_or((Scope::default(), page.lang), |c| (c.scope, c.lang));
    let of_scope = |one: Scope| {
        let label = page.t(&format!("contact-scope-{}", one.word()));
        (one.word(), label, one == scope)
    };
    WayView {
        word,
        title: page.t(&format!("contact-{word}")),
        offered,
        confirmed,
        pending,
        typed,
        kind: match way {
            Way::Email => "email",
            Way::Sms => "tel",
        },
        label: page.t(&format!("contact-{word}-address")),
        hint: page.t(&format!("contact-{word}-hint")),
        code_label: page.t(&format!("contact-{word}-code")),
        scopes: vec![of_scope(Scope::All), of_scope(Scope::Matters)],
        langs: vec![
            ("vi", "Tiếng Việt", lang == Lang::Vi),
            ("en", "English", lang == Lang::En),
        ],
        address_error: error("address"),
        code_error: error("code"),
    }
}

fn use_view(cases: &Cases, page: &Page, telling: &Telling) -> UseView {
    UseView {
        at: page.time(telling.done_at.unwrap_or(telling.at)),
        what: cases.catalogue.words().say(&telling.kind, page.lang, &[]).title,
        case: telling.code.as_ref().map(ToString::to_string),
        way: page.t(&format!("contact-{}", telling.way.word())),
        state: page.t(&format!("telling-{}", telling.state.word())),
        class: state_class(telling),
        why: why(page, telling),
    }
}

/// The colour of what came of a use.
pub(crate) const fn state_class(telling: &Telling) -> &'static str {
    match telling.state {
        Outcome::Waiting => "tag tag-wait",
        Outcome::Sent => "tag tag-good",
        Outcome::Gathered => "tag tag-now",
        Outcome::Failed => "tag tag-bad",
    }
}

/// Why a use failed, in words; empty when it did not.
pub(crate) fn why(page: &Page, telling: &Telling) -> String {
    let key = telling.why.as_ref().map(|why| format!("problem-{why}"));
    let known = key.filter(|key| page.shared.texts.has(key));
    known.map(|key| page.t(&key)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Portal, lan, mai, officer};

    #[tokio::test]
    async fn an_address_is_seen_by_its_owner_alone_and_the_page_says_so_when_there_is_none() {
        let portal = Portal::new().await;
        let page = portal.get(Some(&lan()), "/contact").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("id=\"email-address\"") && page.body.contains("id=\"sms-address\""));
        portal.reached(&lan(), "email", "lan@example.vn").await;
        let mine = portal.get(Some(&lan()), "/api/v1/contact").await.json();
        assert_eq!(mine["ways"][0]["address"], "lan@example.vn");
        assert_eq!(mine["uses"][0]["kind"], "code", "the code was a use");
        let hers = portal.get(Some(&mai()), "/api/v1/contact").await;
        assert_eq!(hers.json()["ways"][0]["address"], json!(null));
        assert!(!hers.body.contains("lan@"), "{}", hers.body);
        for path in ["/contact", "/api/v1/contact"] {
            assert_eq!(portal.get(Some(&officer()), path).await.status, 403);
        }
        assert_eq!(portal.get(None, "/contact").await.status, 303);
        assert_eq!(portal.get(None, "/api/v1/contact").await.status, 401);
    }
}
