//! `GET /cases`, `GET /cases/{code}` and their twins: what became of what I filed. Never another
//! citizen's case.

use ::store::Reader;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::{CaseCode, Problem, Time};
use serde::Deserialize;
use web::openapi::utoipa;
use web::{Json, Page, Refusal};

use crate::bar;
use crate::citizen::draft_answer::{self, Look};
use crate::citizen::shape::{
    CaseJson, CaseLine, CasesJson, RepresentativeJson, ResultDraftJson, ResultJson, SentLine, StatusJson,
};
use crate::citizen::view::{moment, status, working_out};
use crate::citizen::{Citizen, OwnCase, course, render};
use crate::mandate;
use crate::procedure::Whom;
use crate::shown::{UnitLink, say};
use crate::state::Cases;
use crate::store::{self as rows, Held, ResultRow, StatusRow};

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub struct From {
    /// The case after which it goes on, as the page before says: `MS-CODE`.
    #[serde(default)]
    after: String,
    /// Set after filing.
    #[serde(default)]
    filed: String,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage<'a> {
    page: &'a Page,
    drafts: Vec<(String, String, String)>,
    items: Vec<Row>,
    next: Option<String>,
}

struct Row {
    code: String,
    procedure: String,
    status: String,
    class: &'static str,
    filed: String,
    due: String,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage<'a> {
    page: &'a Page,
    code: String,
    filed_now: bool,
    procedure: String,
    unit: UnitLink,
    /// Who handles it now and since when, once it went to another unit.
    handled: String,
    status: String,
    class: &'static str,
    filed: String,
    due: String,
    /// Its time as a bar: see [`bar`].
    bar: String,
    /// How the due date was counted: see [`working_out`].
    working_out: String,
    statuses: Vec<(String, String, String)>,
    /// For whom it was filed and by whom, where those are two.
    acting: Option<Acting>,
    results: &'a [ResultRow],
    /// How its result is sent.
    post: String,
    /// What happened besides, and what can be done: see [`course`].
    course: String,
    /// The draft to look at.
    look: Option<Look>,
    /// The fee that is still owed.
    unpaid: Option<String>,
    /// The fee is paid, and the agency has not said anything yet.
    paid_now: bool,
    errors: String,
    /// What was typed of what is wrong with it.
    note: String,
}

/// For whom a case was filed, by whom, and by what right.
struct Acting {
    applicant: String,
    /// The tax code of a company; empty for a person.
    company: String,
    representative: String,
    mandate: String,
}

impl Acting {
    fn of(page: &Page, held: &Held) -> Option<Self> {
        let by = held.case.course.representative.as_ref()?;
        let proof = match by.confirmed {
            true => by.proof.word(),
            false => "unconfirmed",
        };
        let args = [
            ("kind", page.t(&format!("mandate-whom-{}", by.whom.word()))),
            ("proof", page.t(&format!("mandate-proof-{proof}"))),
            (
                "to",
                by.last_day().map_or_else(|| by.to.clone(), |to| page.date(to)),
            ),
        ];
        Some(Self {
            applicant: held.case.applicant.name.clone(),
            company: match by.whom {
                Whom::Company => by.represented.clone(),
                Whom::Child | Whom::Person => String::new(),
            },
            representative: by.name.clone(),
            mandate: page.tw("mandate-of-case", &args),
        })
    }
}

/// My cases and what I have begun.
#[utoipa::path(get, path = "/cases", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "where the list goes on")),
    responses((status = 200, description = "the list", content_type = "text/html")))]
pub(crate) async fn list(
    State(cases): State<Cases>,
    citizen: Citizen,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let reader = cases.store.read(&cases.tenant).await?;
    let (held, next) = some(&cases, &reader, &citizen, &from).await?;
    let drafts = match from.after.is_empty() {
        true => rows::drafts_of(&reader, &citizen.who.account, cases.store.limits().page_rows_max).await?,
        false => Vec::new(),
    };
    let name = |version: &kernel::Digest| {
        cases
            .version(version)
            .map(|p| say(&p.name, page.lang).to_owned())
            .unwrap_or_default()
    };
    let row = |held: &Held| Row {
        code: held.case.code.to_string(),
        procedure: name(&held.case.version),
        status: status(&page, held.status),
        class: class(held, cases.store.world().now()),
        filed: page.time(held.case.filed_at),
        due: moment(&page, held.due_at),
    };
    let body = render(&CasesPage {
        page: &page,
        drafts: drafts
            .iter()
            .map(|d| (d.id.clone(), name(&d.version), page.time(d.changed_at)))
            .collect(),
        items: held.iter().map(row).collect(),
        next,
    })?;
    Ok(page.html(&page.t("cases-mine-title"), body))
}

/// My cases.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", security(("session" = ["citizen"])),
    params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, body = CasesJson), (status = 401)))]
pub(crate) async fn list_api(
    State(cases): State<Cases>,
    citizen: Citizen,
    Query(from): Query<From>,
) -> Result<Json<CasesJson>, Refusal> {
    let reader = cases.store.read(&cases.tenant).await?;
    let (held, next) = some(&cases, &reader, &citizen, &from).await?;
    Ok(Json(CasesJson {
        items: held.iter().map(CaseLine::new).collect(),
        next,
    }))
}

/// A page of the citizen's cases and where the next begins.
async fn some(
    cases: &Cases,
    reader: &Reader,
    citizen: &Citizen,
    from: &From,
) -> Result<(Vec<Held>, Option<String>), Problem> {
    let after = match from.after.split_once('-') {
        None if from.after.is_empty() => None,
        None => return Err(Problem::invalid("after", "malformed")),
        Some((ms, code)) => match (ms.parse().map(Time), code.parse::<CaseCode>()) {
            (Ok(at), Ok(code)) => Some((at, code)),
            _ => return Err(Problem::invalid("after", "malformed")),
        },
    };
    let limit = cases.store.limits().page_rows_max;
    let others = mandate::theirs(reader, citizen, after.as_ref(), limit + 1).await?;
    let mut held = rows::cases_of(reader, &citizen.who.account, after, limit + 1).await?;
    if !others.is_empty() {
        held.extend(others);
        held.sort_by(|a, b| (b.case.filed_at, &b.case.code).cmp(&(a.case.filed_at, &a.case.code)));
    }
    let more = held.len() > limit;
    held.truncate(limit);
    let next = held
        .last()
        .filter(|_| more)
        .map(|h| format!("{}-{}", h.case.filed_at.ms(), h.case.code));
    Ok((held, next))
}

/// A case of mine: where it stands, by when it is due and why, and what came of it.
#[utoipa::path(get, path = "/cases/{code}", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, description = "the case", content_type = "text/html"), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn show(
    own: OwnCase,
    page: Page,
    Query(from): Query<From>,
) -> Result<Html<String>, Refusal> {
    let body = body(&own, &page, (from.filed == "1", &[], "")).await?;
    Ok(page.html(
        &page.tw("cases-case-title", &[("code", own.held.case.code.to_string())]),
        body,
    ))
}

/// The body of a case's page; with what is wrong with what was typed about its draft.
///
/// # Errors
/// Unavailable.
pub(crate) async fn body(
    own: &OwnCase,
    page: &Page,
    (filed_now, faults, note): (bool, &[Problem], &str),
) -> Result<String, Problem> {
    let OwnCase { cases, held, .. } = own;
    let reader = &cases.store.read(&cases.tenant).await?;
    let code = &held.case.code;
    let (statuses, results) = (
        rows::statuses(reader, code).await?,
        rows::results(reader, code).await?,
    );
    let line = |s: &StatusRow| (s.at.rfc3339(), page.time(s.at), status(page, s.status));
    let now = cases.store.world().now();
    let look = draft_answer::waiting(reader, held).await?;
    let sent = rows::submissions(reader, code).await?;
    let payment = rows::payment_of(reader, code).await?;
    let paid_now = held.status == 1 && payment.as_ref().is_some_and(|p| p.paid.is_some());
    let unpaid = payment.filter(|p| p.paid.is_none());
    let course = course::body(cases, page, held, &statuses, &results, &sent, unpaid.is_some())?;
    let given: Vec<ResultRow> = results
        .into_iter()
        .filter(|row| row.kind == rows::GivenKind::Result)
        .collect();
    render(&CasePage {
        page,
        post: crate::post::part::at_portal(cases, page, reader, held, &statuses).await?,
        course,
        code: code.to_string(),
        filed_now,
        procedure: cases
            .procedure_of(&held.case)
            .map(|p| say(&p.name, page.lang).to_owned())?,
        unit: UnitLink::new(cases, &held.case.unit, held.day(now)),
        handled: handled(cases, page, reader, held).await?,
        status: status(page, held.status),
        class: class(held, now),
        filed: page.time(held.case.filed_at),
        due: moment(page, held.due_at),
        bar: bar::body(cases, page, held, &statuses)?,
        working_out: working_out(cases, page, held)?,
        statuses: rows::changes(&statuses).into_iter().map(line).collect(),
        acting: Acting::of(page, held),
        results: &given,
        look: look.map(|look| Look::of(cases, page, held, &look)),
        errors: page.errors(faults),
        note: note.to_owned(),
        paid_now,
        unpaid: unpaid.map(|payment| crate::payment::dong(payment.dong)),
    })
}

/// That another unit handles the case now than the one it was filed with, and since when.
async fn handled(cases: &Cases, page: &Page, reader: &Reader, held: &Held) -> Result<String, Problem> {
    let moves = crate::merger::store::moves(reader, &held.case.code).await?;
    Ok(moves.last().map_or_else(String::new, |(from, to, at)| {
        let args = [
            ("unit", cases.organisation_name(to)),
            ("from", cases.organisation_name(from)),
            ("date", page.date(at.date())),
        ];
        page.tw("cases-handled-now", &args)
    }))
}

/// A case of mine.
#[utoipa::path(get, path = "/api/v1/cases/{code}", tag = "cases", security(("session" = ["citizen"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 200, body = CaseJson), (status = 401), (status = 404)),
    extensions(("x-facts" = json!(["case-viewed"]))))]
pub(crate) async fn show_api(own: OwnCase) -> Result<Json<CaseJson>, Refusal> {
    Ok(Json(case_json(&own).await?))
}

/// A case as JSON.
///
/// # Errors
/// Unavailable.
pub(crate) async fn case_json(own: &OwnCase) -> Result<CaseJson, Problem> {
    let OwnCase { cases, held, .. } = own;
    let reader = cases.store.read(&cases.tenant).await?;
    let statuses = rows::statuses(&reader, &held.case.code).await?;
    let results = rows::results(&reader, &held.case.code).await?;
    let sent = rows::submissions(&reader, &held.case.code).await?;
    let now = cases.store.world().now();
    Ok(CaseJson {
        line: CaseLine::new(held),
        spent_minutes: cases.spent(held, &statuses, now),
        sent: sent.iter().map(SentLine::new).collect(),
        representative: RepresentativeJson::of(&held.case),
        statuses: statuses.iter().map(StatusJson::new).collect(),
        results: results
            .into_iter()
            .filter(|row| row.kind != rows::GivenKind::Draft)
            .map(ResultJson::from)
            .collect(),
        draft: draft_answer::waiting(&reader, held)
            .await?
            .map(|look| ResultDraftJson {
                document: look.document,
                until: look.until.rfc3339(),
            }),
    })
}

/// The colour of a case's status.
pub(crate) fn class(held: &Held, now: Time) -> &'static str {
    match held.status {
        3 | 8 => "tag tag-bad",
        9 | 10 => "tag tag-good",
        // While the agency waits for the applicant nothing is late.
        1 | 5 | 6 => "tag tag-wait",
        _ if held.due_at.is_some_and(|due| held.ended_at.unwrap_or(now) > due) => "tag tag-bad",
        _ => "tag tag-now",
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Portal, foreign, lan, mai, officer};

    #[tokio::test]
    async fn a_case_is_seen_by_who_filed_it_alone() {
        let portal = Portal::new().await;
        let path = portal.whole(&lan()).await;
        let at = portal.file(&lan(), &path).await.location();
        let page = portal.get(Some(&lan()), &at).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("G22-261121-0001") && page.body.contains("Hoằng Hóa"));
        assert!(
            portal
                .get(Some(&lan()), "/cases")
                .await
                .body
                .contains("G22-261121-0001")
        );
        assert!(
            !portal
                .get(Some(&mai()), "/cases")
                .await
                .body
                .contains("G22-261121-0001")
        );
        for path in ["/cases/G22-261121-0001", "/api/v1/cases/G22-261121-0001"] {
            assert_eq!(portal.get(Some(&mai()), path).await.status, 404);
            assert_eq!(portal.get(Some(&foreign()), path).await.status, 404);
            assert_eq!(portal.get(Some(&officer()), path).await.status, 403);
        }
        assert_eq!(portal.get(None, "/cases").await.status, 303);
        assert_eq!(portal.get(None, "/api/v1/cases").await.status, 401);
        assert_eq!(portal.get(Some(&lan()), "/cases/x").await.status, 404);
        assert_eq!(
            portal.get(Some(&lan()), "/cases/G22-261121-0002").await.status,
            404
        );
    }

    #[tokio::test]
    async fn a_long_list_is_read_page_by_page_without_a_gap() {
        let portal = Portal::with_page_rows(2).await;
        for _ in 0..5 {
            let path = portal.whole(&lan()).await;
            portal.file(&lan(), &path).await;
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = portal
                .get(Some(&lan()), &format!("/api/v1/cases?after={after}"))
                .await
                .json();
            seen.extend(
                page["items"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|c| c["code"].to_string()),
            );
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5);
        assert_eq!(
            portal.get(Some(&lan()), "/api/v1/cases?after=x").await.status,
            422
        );
        assert!(
            portal
                .get(Some(&lan()), "/cases")
                .await
                .body
                .contains("/cases?after=")
        );
    }
}
