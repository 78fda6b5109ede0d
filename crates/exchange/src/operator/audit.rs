//! `GET /exchange/audit` and its twin: who did what about the exchange and when, and what was tried and
//! refused; the newest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use kernel::{OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::page::query_value;
use web::{Operator, Page, Refusal};

use super::first;
use crate::audit::{self, Act, ActPlace, ActsAsked};
use crate::evidence::list::{precise, words};
use crate::evidence::search::{DAY_END, instant, read};
use crate::filter;
use crate::gateway::Exchange;

const PAGE: &str = "/exchange/audit";
const RESULTS: [&str; 2] = ["done", "refused"];

/// What is looked for, as links and forms say it: texts, each left out when empty.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
pub(crate) struct AuditWanted {
    /// On this day of Vietnam or later, or an instant.
    from: Option<String>,
    /// On this day or earlier, or before this instant.
    to: Option<String>,
    /// Who: `official:ACCOUNT`.
    who: Option<String>,
    /// `done` or `refused`.
    result: Option<String>,
    /// Where the page begins: `next` of the page before.
    after: Option<String>,
}

/// A page of what was done and refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditFound {
    /// The newest first.
    acts: Vec<Act>,
    /// Where the next page begins: give it as `after`; none when this was all.
    next: Option<String>,
}

struct Asked {
    from: Time,
    behind: ActPlace,
    who: String,
    result: String,
}

impl AuditWanted {
    fn read(&self) -> Result<Asked, Vec<Problem>> {
        let mut problems = Vec::new();
        let bad = |field: &str| Problem::invalid(field, "malformed");
        let day = |field: &str| Problem::invalid(field, "evidence-day");
        let from = read(&mut problems, &self.from, day("from"), |t| instant(t, 0));
        let to = read(&mut problems, &self.to, day("to"), |t| instant(t, DAY_END));
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            problems.push(Problem::invalid("to", "evidence-span"));
        }
        let result = read(&mut problems, &self.result, bad("result"), |t| {
            RESULTS.contains(&t).then(|| t.to_owned())
        });
        let after = read(&mut problems, &self.after, bad("after"), ActPlace::parse);
        let end = to.map_or(i64::MAX, Time::ms);
        let start = ActPlace {
            at: end,
            id: String::new(),
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Asked {
            from: from.unwrap_or(Time(i64::MIN)),
            // A place of another search must not lead behind the span's end.
            behind: after.filter(|after| after.at < end).unwrap_or(start),
            who: self.who.as_deref().unwrap_or_default().trim().to_owned(),
            result: result.unwrap_or_default(),
        })
    }
}

impl Exchange {
    async fn acts(&self, own: Option<&OrgCode>, asked: &Asked) -> Result<AuditFound, Problem> {
        let g = &*self.0;
        let rows_max = g.store.limits().page_rows_max;
        let unit = own.map(ToString::to_string).unwrap_or_default();
        let reader = g.store.read(&g.home).await?;
        let asked = ActsAsked {
            from: asked.from,
            behind: asked.behind.clone(),
            who: &asked.who,
            result: &asked.result,
            unit: &unit,
        };
        let mut acts = audit::page(&reader, &asked, rows_max + 1).await?;
        let more = acts.len() > rows_max;
        acts.truncate(rows_max);
        let last = acts.last().filter(|_| more);
        let next = last.map(|act| {
            let (at, id) = (act.at, act.id.clone());
            ActPlace { at, id }.to_text()
        });
        Ok(AuditFound { acts, next })
    }
}

/// Lists who did what about the exchange, and what was tried and refused; the newest first.
#[utoipa::path(get, path = "/api/v1/exchange/audit", tag = "exchange", params(AuditWanted),
    operation_id = "see_audit", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = AuditFound), (status = 422)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Query(wanted): Query<AuditWanted>,
) -> Result<axum::Json<AuditFound>, Refusal> {
    let asked = wanted.read().map_err(first)?;
    let own = x.seen_by(&who);
    Ok(axum::Json(x.acts(own.as_ref(), &asked).await?))
}

#[derive(Template)]
#[template(path = "audit.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    filter: String,
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
}

struct Row {
    iso: String,
    at: String,
    who: String,
    unit: String,
    act: String,
    operation: String,
    object: String,
    href: Option<String>,
    result: (String, &'static str),
    why: String,
    times: Option<String>,
}

/// The same as a page.
#[utoipa::path(get, path = "/exchange/audit", tag = "exchange", params(AuditWanted),
    operation_id = "audit_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form and the acts", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<AuditWanted>,
) -> Result<Response, Refusal> {
    let (found, problems) = match wanted.read() {
        Ok(asked) => {
            let own = x.seen_by(&who);
            (x.acts(own.as_ref(), &asked).await?, Vec::new())
        }
        Err(problems) => {
            let none = AuditFound {
                acts: Vec::new(),
                next: None,
            };
            (none, problems)
        }
    };
    let chosen = wanted.result.as_deref().unwrap_or_default();
    let fields = [
        ("from", "date", &wanted.from),
        ("to", "date", &wanted.to),
        ("who", "text", &wanted.who),
    ];
    let results = RESULTS.map(|key| (key, page.t(&format!("exchange-audit-{key}")), key == chosen));
    let view = View {
        errors: page.errors(&problems),
        filter: filter::form(&page, ("/exchange/audit", &problems), fields, results.into())?,
        rows: found.acts.iter().map(|act| row(&page, act)).collect(),
        next: found.next.map(|next| next_page(&wanted, &next)),
        first: wanted.after.as_deref().unwrap_or_default().is_empty(),
        page: &page,
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html_status(status, &page.t("exchange-audit"), body))
}

fn row(page: &Page, act: &Act) -> Row {
    let key = format!("exchange-act-{}", act.act);
    let is_done = act.result == "done";
    let (words_of_act, operation) = if page.shared.texts.has(&key) {
        (page.t(&key), String::new())
    } else if is_done {
        (String::new(), act.act.clone())
    } else {
        (page.t("exchange-act-attempt"), act.act.clone())
    };
    let class = if is_done { "tag tag-good" } else { "tag tag-bad" };
    Row {
        iso: Time(act.at).rfc3339(),
        at: precise(page, Time(act.at)),
        who: if act.who.is_empty() {
            page.t("exchange-audit-nobody")
        } else {
            act.who.clone()
        },
        unit: act.unit.clone(),
        act: words_of_act,
        operation,
        href: link(act),
        object: act.object.clone(),
        result: (page.t(&format!("exchange-audit-{}", act.result)), class),
        why: words(page, &act.code),
        times: (act.times > 1).then(|| page.tw("exchange-audit-times", &[("n", act.times.to_string())])),
    }
}

/// The page of what something was done to, where it has one.
fn link(act: &Act) -> Option<String> {
    if act.result != "done" {
        return None;
    }
    let (kind, name) = act.object.split_once('/')?;
    match kind {
        "agreement" => Some(format!("/exchange/agreements/{name}")),
        "registration" => Some(format!("/exchange/registrations/{name}")),
        "service" => Some(format!("/exchange/services/{name}")),
        "system" => Some("/exchange/clients".to_owned()),
        _ => None,
    }
}

fn next_page(wanted: &AuditWanted, next: &str) -> String {
    let mut href = format!("{PAGE}?");
    let named = [
        ("from", &wanted.from),
        ("to", &wanted.to),
        ("who", &wanted.who),
        ("result", &wanted.result),
    ];
    for (name, value) in named {
        if let Some(value) = value.as_deref().map(str::trim).filter(|value| !value.is_empty()) {
            href.push_str(&format!("{name}={}&", query_value(value)));
        }
    }
    href.push_str(&format!("after={}", query_value(next)));
    href
}
