//! `GET /exchange/refusals` and its twin: calls that information systems were refused, found by the id that
//! the caller was told, by system, service and reason. Never what was sent.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::page::query_value;
use web::{Operator, Page, Principal, Refusal};

use crate::audit::ActPlace;
use crate::evidence::list::{precise, words};
use crate::gateway::Exchange;
use crate::refusals::store::{self as rows, RefusedAsked};
use crate::refusals::{CallRefused, MANY};

const PAGE: &str = "/exchange/refusals";

/// What is looked for: texts, each left out when empty.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
pub(crate) struct RefusalsWanted {
    /// The id that the caller was told: `detail` of X-Road's error, `instance` of ours.
    id: Option<String>,
    /// The system that asked: `G22/portal`.
    consumer: Option<String>,
    /// The service: `G01/population/person-lookup`.
    service: Option<String>,
    /// Why: a problem's key, such as `agreement-missing`.
    code: Option<String>,
    /// Where the page begins: `next` of the page before.
    after: Option<String>,
}

/// A page of refused calls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusalsFound {
    /// The newest first.
    refusals: Vec<CallRefused>,
    /// Where the next page begins: give it as `after`; none when this was all.
    next: Option<String>,
}

fn trimmed(text: Option<&String>) -> &str {
    text.map_or("", |text| text.trim())
}

impl Exchange {
    /// Whether a call that an operator may see was refused under an id.
    ///
    /// # Errors
    /// When rows cannot be read or written.
    pub(crate) async fn refused_under(&self, who: &Principal, id: &str) -> Result<bool, Problem> {
        self.tell_refused_calls().await?;
        let own = self.seen_by(who).map_or_else(String::new, |org| org.to_string());
        let g = &*self.0;
        rows::has(&g.store.read(&g.home).await?, id, &own).await
    }

    async fn refusals(&self, who: &Principal, wanted: &RefusalsWanted) -> Result<RefusalsFound, Problem> {
        let behind = match trimmed(wanted.after.as_ref()) {
            "" => ActPlace {
                at: i64::MAX,
                id: String::new(),
            },
            text => ActPlace::parse(text).ok_or_else(|| Problem::invalid("after", "malformed"))?,
        };
        // What was refused a moment ago is found.
        self.tell_refused_calls().await?;
        let own = self.seen_by(who).map_or_else(String::new, |org| org.to_string());
        let asked = RefusedAsked {
            behind,
            id: trimmed(wanted.id.as_ref()),
            own: &own,
            consumer: trimmed(wanted.consumer.as_ref()),
            service: trimmed(wanted.service.as_ref()),
            code: trimmed(wanted.code.as_ref()),
        };
        let g = &*self.0;
        let rows_max = g.store.limits().page_rows_max;
        let reader = g.store.read(&g.home).await?;
        let mut refusals = rows::page(&reader, &asked, rows_max + 1).await?;
        let more = refusals.len() > rows_max;
        refusals.truncate(rows_max);
        let last = refusals.last().filter(|_| more);
        let next = last.map(|row| {
            let (at, id) = (row.at, row.id.clone());
            ActPlace { at, id }.to_text()
        });
        Ok(RefusalsFound { refusals, next })
    }
}

/// Lists calls that information systems were refused, the newest first; what is beyond a minute's bound is
/// counted.
#[utoipa::path(get, path = "/api/v1/exchange/refusals", tag = "exchange", params(RefusalsWanted),
    operation_id = "see_refusals", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = RefusalsFound), (status = 422)))]
pub(crate) async fn json(
    State(x): State<Exchange>,
    Operator(who): Operator,
    Query(wanted): Query<RefusalsWanted>,
) -> Result<axum::Json<RefusalsFound>, Refusal> {
    Ok(axum::Json(x.refusals(&who, &wanted).await?))
}

#[derive(Template)]
#[template(path = "refusals.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    fields: [(&'static str, String, String); 4],
    rows: Vec<Row>,
    next: Option<String>,
    first: bool,
}

struct Row {
    iso: String,
    at: String,
    id: String,
    consumer: String,
    service: String,
    why: String,
    code: String,
    times: Option<String>,
    evidence: Option<String>,
}

/// The same as a page.
#[utoipa::path(get, path = "/exchange/refusals", tag = "exchange", params(RefusalsWanted),
    operation_id = "refusals_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the form and the refused calls", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<RefusalsWanted>,
) -> Result<Response, Refusal> {
    let (found, problems) = match x.refusals(&who, &wanted).await {
        Ok(found) => (found, Vec::new()),
        Err(problem) if problem.field.is_some() => {
            let none = RefusalsFound {
                refusals: Vec::new(),
                next: None,
            };
            (none, vec![problem])
        }
        Err(problem) => return Err(problem.into()),
    };
    let fields = named(&wanted).map(|(name, value)| {
        (
            name,
            page.t(&format!("exchange-refusals-{name}")),
            value.to_owned(),
        )
    });
    let view = View {
        errors: page.errors(&problems),
        fields,
        rows: found.refusals.iter().map(|one| row(&page, one)).collect(),
        next: found.next.map(|next| next_page(&wanted, &next)),
        first: trimmed(wanted.after.as_ref()).is_empty(),
        page: &page,
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html_status(status, &page.t("exchange-refusals"), body))
}

/// The fields of the form: name and value.
fn named(wanted: &RefusalsWanted) -> [(&'static str, &str); 4] {
    [
        ("id", trimmed(wanted.id.as_ref())),
        ("consumer", trimmed(wanted.consumer.as_ref())),
        ("service", trimmed(wanted.service.as_ref())),
        ("code", trimmed(wanted.code.as_ref())),
    ]
}

fn next_page(wanted: &RefusalsWanted, next: &str) -> String {
    let mut href = format!("{PAGE}?after={}", query_value(next));
    for (name, value) in named(wanted).into_iter().filter(|(_, value)| !value.is_empty()) {
        href.push_str(&format!("&{name}={}", query_value(value)));
    }
    href
}

/// The page of the one that was refused under an id.
pub(crate) fn link(id: &str) -> String {
    format!("{PAGE}?id={}", query_value(id))
}

fn row(page: &Page, one: &CallRefused) -> Row {
    let many = one.code == MANY;
    Row {
        iso: Time(one.at).rfc3339(),
        at: precise(page, Time(one.at)),
        id: one.id.clone(),
        consumer: one.consumer.clone(),
        service: one.service.clone(),
        why: if many {
            page.t("exchange-refusals-many")
        } else {
            words(page, &one.code)
        },
        code: one.code.clone(),
        times: many.then(|| one.times.to_string()),
        evidence: (!one.request.is_empty()).then(|| crate::evidence::link(&one.request)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_what_was_asked_for() {
        let wanted = RefusalsWanted {
            consumer: Some(" G22/portal ".to_owned()),
            code: Some("agreement-missing".to_owned()),
            ..RefusalsWanted::default()
        };
        assert_eq!(
            next_page(&wanted, "5.a"),
            format!(
                "{PAGE}?after=5.a&consumer={}&code=agreement-missing",
                query_value("G22/portal")
            )
        );
    }
}
