//! `/track`: where a case stands, without signing in (tra cứu hồ sơ), at the portal and at the desk: the case's code
//! and the last four digits of the applicant's personal number. Shows no person, and never says which of the
//! two was wrong. Tries are counted per code and per address; a look leaves a fact.

use std::net::IpAddr;

use ::store::Tx;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use identity::tries::{Tries, WINDOW_MS};
use kernel::{Actor, CaseCode, Digest, Fact, Kind, Problem, Time};
use serde::{Deserialize, Serialize};
use web::listen::Peer;
use web::openapi::{OpenApiRouter, ToSchema, routes, utoipa};
use web::{Fields, Json, Page, Refusal};

use crate::citizen::course::PAUSED;
use crate::citizen::mine::class;
use crate::citizen::view::working_out;
use crate::national::found::{Elsewhere, elsewhere};
use crate::procedure::Text;
use crate::shown::say;
use crate::state::Cases;
use crate::store::{self as rows, Held, StatusRow, subject};

/// Digits of the personal number that are asked for, count.
const DIGITS: usize = 4;
/// Search engines have no business with what a case's code shows.
const NOINDEX: (HeaderName, &str) = (HeaderName::from_static("x-robots-tag"), "noindex, nofollow");

/// The routes of both places.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(form, by_form))
        .routes(routes!(by_json))
}

#[derive(Template)]
#[template(path = "track.html")]
struct TrackPage<'a> {
    page: &'a Page,
    code: &'a str,
    problems: &'a [Problem],
    found: Option<Found>,
}

/// What the page shows.
struct Found {
    code: String,
    procedure: String,
    unit: String,
    status: String,
    class: &'static str,
    due: String,
    paused: bool,
    /// Its time as a bar: see [`crate::bar`].
    bar: String,
    /// How the due date was counted; empty while it is not counted.
    working_out: String,
    statuses: Vec<(String, String, String)>,
}

/// What is looked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    /// The case's code.
    #[schema(example = "G22-261121-0001")]
    code: String,
    /// The last four digits of the applicant's personal number.
    #[schema(example = "0017")]
    digits: String,
}

/// Where a case stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrackJson {
    code: String,
    procedure: String,
    /// The procedure's name in Vietnamese.
    name: String,
    unit: String,
    /// The national status, 1 to 10.
    status: u8,
    /// By when the result is owed, RFC 3339.
    due_at: Option<String>,
    /// True while the agency waits for the applicant: the clock stands still.
    paused: bool,
    statuses: Vec<ChangeJson>,
}

/// A change of status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeJson {
    status: u8,
    /// RFC 3339.
    at: String,
}

/// A case that was found.
struct Tracked {
    held: Held,
    statuses: Vec<StatusRow>,
    name: Text,
}

/// What was found: a case of this place, or one of another system that its owner told of.
enum Sought {
    Here(Box<Tracked>),
    Elsewhere(Box<Elsewhere>),
}

/// Asks for the code and the digits.
#[utoipa::path(get, path = "/track", tag = "cases", security(()),
    responses((status = 200, description = "the form", content_type = "text/html")))]
pub(crate) async fn form(page: Page) -> Result<Response, Refusal> {
    Ok(shown(&page, 200, "", &[], None)?)
}

/// Shows where a case stands.
#[utoipa::path(post, path = "/track", tag = "cases", security(()),
    request_body(content = Wish, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "where it stands", content_type = "text/html"),
              (status = 422, description = "no such case, or other digits", content_type = "text/html"),
              (status = 429, description = "too many tries", content_type = "text/html")),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    peer: Option<Extension<Peer>>,
    page: Page,
    fields: Fields,
) -> Result<Response, Refusal> {
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    let wish = Wish {
        code: text("code"),
        digits: text("digits"),
    };
    let missing: Vec<Problem> = [("code", &wish.code), ("digits", &wish.digits)]
        .into_iter()
        .filter(|(_, typed)| typed.trim().is_empty())
        .map(|(field, _)| Problem::invalid(field, "field-missing"))
        .collect();
    if !missing.is_empty() {
        return Ok(shown(&page, 422, &wish.code, &missing, None)?);
    }
    let problem = match cases.track(&wish, address(peer)).await {
        Ok(sought) => {
            return Ok(shown(
                &page,
                200,
                &wish.code,
                &[],
                Some(found(&page, &cases, &sought)?),
            )?);
        }
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::TooMany) => problem,
        Err(problem) => return Err(problem.into()),
    };
    let status = problem.kind.status();
    Ok(shown(&page, status, &wish.code, &[problem], None)?)
}

/// Says where a case stands.
#[utoipa::path(post, path = "/api/v1/track", tag = "cases", security(()), request_body = Wish,
    responses((status = 200, description = "where it stands", body = TrackJson),
              (status = 422, description = "no such case, or other digits"), (status = 429, description = "too many tries")),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    peer: Option<Extension<Peer>>,
    Json(wish): Json<Wish>,
) -> Result<Response, Refusal> {
    let tracked = match cases.track(&wish, address(peer)).await? {
        Sought::Here(tracked) => tracked,
        Sought::Elsewhere(other) => return Ok(([NOINDEX], Json(elsewhere_json(&other))).into_response()),
    };
    let Tracked { held, statuses, name } = *tracked;
    let change = |row: &StatusRow| ChangeJson {
        status: row.status,
        at: row.at.rfc3339(),
    };
    let found = TrackJson {
        code: held.case.code.to_string(),
        procedure: held.case.procedure.to_string(),
        name: name.vi,
        unit: held.case.unit.to_string(),
        status: held.status,
        due_at: held.due_at.map(Time::rfc3339),
        paused: PAUSED.contains(&held.status),
        statuses: statuses.iter().map(change).collect(),
    };
    Ok(([NOINDEX], Json(found)).into_response())
}

/// Who asks, as far as the connection says; behind a proxy all share the proxy's.
pub(crate) fn address(peer: Option<Extension<Peer>>) -> Option<IpAddr> {
    peer.map(|Extension(peer)| peer.addr.ip())
}

impl Cases {
    /// A case by its code and the digits. A wrong code and wrong digits are one answer, in one write.
    async fn track(&self, wish: &Wish, address: Option<IpAddr>) -> Result<Sought, Problem> {
        let (code, digits) = (wish.code.trim().to_uppercase(), wish.digits.trim());
        let key = |what: &str, value: &str| self.store.digest(&self.tenant, &format!("track/{what}/{value}"));
        let limits = self.store.limits();
        let counted = &[
            (key("code", &code), limits.track_tries_max),
            (
                key("address", &address.map(|a| a.to_string()).unwrap_or_default()),
                limits.track_address_tries_max,
            ),
        ];
        let code = &code.parse::<CaseCode>().ok();
        let wrong = || Problem::invalid("code", "track-not-found");
        let found = self
            .store
            .write(&self.tenant, &Actor::Anonymous, |tx| async move {
                for (who, max) in counted {
                    if let Some(minutes) = take(&tx, who, *max).await? {
                        return Ok(Err(minutes));
                    }
                }
                let Some(code) = code else {
                    return Ok(Ok((None, None)));
                };
                let held = rows::case(&tx, code).await?;
                let held = held.filter(|held| is_theirs(held, digits));
                let other = elsewhere(&tx, code, digits).await?;
                if held.is_some() || other.is_some() {
                    let case = code.clone();
                    tx.fact(&subject(code), Fact::CaseViewed { case }).await?;
                }
                Ok(Ok((held, other)))
            })
            .await?;
        let (held, other) = found
            .map_err(|minutes| Problem::new(Kind::TooMany, "track-too-many").with("minutes", minutes))?;
        if let (None, Some(other)) = (&held, other) {
            return Ok(Sought::Elsewhere(Box::new(other)));
        }
        let mut held = held.ok_or_else(wrong)?;
        // Which units are asked for their opinion is shown to who signed in.
        held.case.course.consults.clear();
        let reader = self.store.read(&self.tenant).await?;
        let statuses = rows::statuses(&reader, &held.case.code).await?;
        let name = self.procedure_of(&held.case)?.name.clone();
        Ok(Sought::Here(Box::new(Tracked { held, statuses, name })))
    }
}

fn is_theirs(held: &Held, digits: &str) -> bool {
    digits.len() == DIGITS && held.case.applicant.number.as_str().ends_with(digits)
}

/// Counts a try of somebody before anything is looked at; the minutes to wait when none is left.
pub(crate) async fn take(tx: &Tx, who: &Digest, max: u32) -> Result<Option<i64>, Problem> {
    let now = tx.now();
    rows::forget_tries(tx, now.plus_ms(-WINDOW_MS)).await?;
    let mut tries: Tries = rows::tries(tx, who).await?.unwrap_or_default();
    if !tries.take(now, max) {
        return Ok(Some(tries.wait_minutes(now)));
    }
    rows::save_tries(tx, who, &tries).await?;
    Ok(None)
}

fn shown(
    page: &Page,
    status: u16,
    code: &str,
    problems: &[Problem],
    found: Option<Found>,
) -> Result<Response, Problem> {
    let view = TrackPage {
        page,
        code,
        problems,
        found,
    };
    let body = view.render().map_err(Problem::internal)?;
    let title = page.t("track-title");
    let answer: Response = match StatusCode::from_u16(status) {
        Ok(StatusCode::OK) | Err(_) => Html::into_response(page.html(&title, body)),
        Ok(_) => page.html_status(status, &title, body),
    };
    Ok(([NOINDEX], answer).into_response())
}

/// A found case as the page shows it.
fn found(page: &Page, cases: &Cases, sought: &Sought) -> Result<Found, Problem> {
    let tracked = match sought {
        Sought::Here(tracked) => tracked,
        Sought::Elsewhere(other) => return Ok(elsewhere_found(page, other)),
    };
    let Tracked { held, statuses, name } = tracked.as_ref();
    let word = |status: u8| page.t(&format!("cases-status-{status}"));
    let paused = PAUSED.contains(&held.status);
    Ok(Found {
        code: held.case.code.to_string(),
        procedure: say(name, page.lang).to_owned(),
        unit: cases.organisation_name(&held.case.unit),
        status: word(held.status),
        due: held.due_at.map_or_else(|| "–".to_owned(), |due| page.time(due)),
        paused,
        bar: crate::bar::body(cases, page, held, statuses)?,
        working_out: match paused {
            true => String::new(),
            false => working_out(cases, page, held)?,
        },
        class: class(held, cases.store.world().now()),
        statuses: rows::changes(statuses)
            .into_iter()
            .map(|row| (row.at.rfc3339(), page.time(row.at), word(row.status)))
            .collect(),
    })
}

/// A case of another system as the page shows it: nothing is known of how its date was counted.
fn elsewhere_found(page: &Page, other: &Elsewhere) -> Found {
    let word = |status: u8| page.t(&format!("cases-status-{status}"));
    Found {
        code: other.code.to_string(),
        procedure: other.procedure.clone(),
        unit: other.unit.clone(),
        status: word(other.status),
        class: match other.status {
            3 | 8 => "tag tag-bad",
            9 | 10 => "tag tag-good",
            1 | 5 | 6 => "tag tag-wait",
            _ => "tag tag-now",
        },
        due: other.due_at.map_or_else(|| "–".to_owned(), |due| page.time(due)),
        paused: PAUSED.contains(&other.status),
        bar: String::new(),
        working_out: String::new(),
        statuses: other
            .statuses
            .iter()
            .map(|(status, at)| (at.rfc3339(), page.time(*at), word(*status)))
            .collect(),
    }
}

/// The same for programs.
fn elsewhere_json(other: &Elsewhere) -> TrackJson {
    let change = |(status, at): &(u8, Time)| ChangeJson {
        status: *status,
        at: at.rfc3339(),
    };
    TrackJson {
        code: other.code.to_string(),
        procedure: other.procedure_code.clone(),
        name: other.procedure.clone(),
        unit: other.owner.to_string(),
        status: other.status,
        due_at: other.due_at.map(Time::rfc3339),
        paused: PAUSED.contains(&other.status),
        statuses: other.statuses.iter().map(change).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk};
    use crate::testing::{Portal, lan};

    #[tokio::test]
    async fn anybody_with_code_and_digits_sees_where_a_case_stands_and_no_person() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let form = portal.get(None, "/track").await;
        assert!(form.status == 200 && form.body.contains("name=\"digits\""));
        let page = portal
            .post(None, "/track", &[("code", &code), ("digits", "0001")])
            .await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("Đăng ký khai sinh") && page.body.contains("Hoằng Hóa"));
        for person in ["Lê Thị Lan", "Nguyễn", "038198000001"] {
            assert!(!page.body.contains(person), "{person}");
        }
        assert_eq!(
            portal.facts(&format!("case/{code}")).await,
            ["case-filed", "case-viewed"],
            "the look leaves a fact"
        );
    }

    #[tokio::test]
    async fn a_wrong_code_and_wrong_digits_are_one_answer_and_tries_are_counted() {
        let desk = Desk::new().await;
        let ask = async |code: &str, digits: &str| {
            desk.post("", "/api/v1/track", &json!({"code": code, "digits": digits}))
                .await
        };
        let right = ask(CASE, "0001").await;
        assert_eq!(
            (right.status, &right.json()["status"], &right.json()["paused"]),
            (200, &json!(1), &json!(false))
        );
        let (digits, code, nonsense) = (
            ask(CASE, "9999").await,
            ask("G22-261121-0099", "0001").await,
            ask("nonsense", "").await,
        );
        assert_eq!(
            (digits.status, digits.problem().as_str()),
            (422, "track-not-found")
        );
        let told = |answer: &crate::testing::Answer| {
            let mut told = answer.json();
            told.as_object_mut().map(|o| o.remove("instance"));
            told
        };
        assert_eq!(told(&digits), told(&code));
        assert_eq!(told(&digits), told(&nonsense));
        for _ in 0..8 {
            assert_eq!(ask(CASE, "9999").await.status, 422);
        }
        let last = ask(CASE, "0001").await;
        assert_eq!((last.status, last.problem().as_str()), (429, "track-too-many"));
        desk.temp.clock.advance_ms(3_600_000);
        assert_eq!(ask(CASE, "0001").await.status, 200, "an hour later");
        let looks = desk.facts_of(&format!("case/{CASE}")).await;
        assert_eq!(looks, ["case-received", "case-viewed", "case-viewed"]);
    }
}
