//! The register of a day whole, to be printed or kept: PDF (A4, landscape) and CSV. Never cut off: what is longer than
//! the bound is refused.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kernel::Problem;
use kernel::time::iso;
use serde_json::{Value, json};
use web::openapi::utoipa;
use web::{Lang, Page, Refusal, SignedIn};

use super::{Day, On, RegisterEntry, channel_key};
use crate::desk::papers;
use crate::state::Cases;

/// The register of a day as PDF.
#[utoipa::path(get, path = "/desk/register.pdf", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("on" = Option<String>, Query, description = "the day, `2026-11-23`; today when left out"),
           ("unit" = Option<String>, Query, description = "the unit's code; the own one when left out")),
    responses((status = 200, description = "the register", content_type = "application/pdf"), (status = 403), (status = 404),
              (status = 413, description = "more cases than fit"), (status = 422, description = "no such day")),
    extensions(("x-facts" = json!(["case-register-viewed"]))))]
pub(crate) async fn pdf(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    mut page: Page,
    Query(asked): Query<On>,
) -> Result<Response, Refusal> {
    // The paper is the agency's own, whatever language its pages are read in.
    page.lang = Lang::Vi;
    let day = cases.day_of(&who, &asked)?;
    let all = cases.whole_of(&who, &day).await?;
    let now = cases.store.world().now();
    let data = data(&cases, &page, &day, &all);
    let bytes = cases.documents()?.draft("register.typ", data, now).await?;
    Ok(papers::pdf(&format!("register-{}.pdf", iso(day.date)), bytes))
}

/// The register of a day as CSV.
#[utoipa::path(get, path = "/desk/register.csv", tag = "desk", security(("session" = ["receptionist", "officer", "chairman", "deputy-chairman", "clerk", "supervisor"])),
    params(("on" = Option<String>, Query, description = "the day, `2026-11-23`; today when left out"),
           ("unit" = Option<String>, Query, description = "the unit's code; the own one when left out")),
    responses((status = 200, description = "the register", content_type = "text/csv"), (status = 403), (status = 404),
              (status = 413, description = "more cases than fit"), (status = 422, description = "no such day")),
    extensions(("x-facts" = json!(["case-register-viewed"]))))]
pub(crate) async fn csv(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Query(asked): Query<On>,
) -> Result<Response, Refusal> {
    let day = cases.day_of(&who, &asked)?;
    let all = cases.whole_of(&who, &day).await?;
    let name = format!("attachment; filename=\"register-{}.csv\"", iso(day.date));
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((head, table(&all)?).into_response())
}

fn data(cases: &Cases, page: &Page, day: &Day, all: &[RegisterEntry]) -> Value {
    let agency = cases.agency(&day.unit, day.date);
    let line = |entry: &RegisterEntry| {
        json!({
            "code": entry.code,
            "procedure": entry.procedure,
            "applicant": entry.applicant,
            "channel": page.t(channel_key(entry.channel)),
            "filed_at": entry.times.filed,
            "due_at": entry.times.due,
            "returned_at": entry.times.returned,
            "status": page.t(&format!("cases-status-{}", entry.status)),
        })
    };
    json!({
        "agency": {"name": agency.name, "place": agency.place},
        "day": iso(day.date),
        "entries": all.iter().map(line).collect::<Vec<_>>(),
    })
}

fn table(all: &[RegisterEntry]) -> Result<Vec<u8>, Problem> {
    // The mark by which spreadsheets know UTF-8.
    let mut out = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    out.write_record([
        "number",
        "code",
        "procedure",
        "applicant",
        "channel",
        "filed_at",
        "due_at",
        "returned_at",
        "status",
    ])
    .map_err(Problem::internal)?;
    for (place, entry) in all.iter().enumerate() {
        let channel = serde_json::to_value(entry.channel).map_err(Problem::internal)?;
        out.write_record([
            (place + 1).to_string(),
            entry.code.to_string(),
            plain(&entry.procedure),
            plain(&entry.applicant),
            channel.as_str().unwrap_or_default().to_owned(),
            entry.filed_at.clone(),
            entry.due_at.clone().unwrap_or_default(),
            entry.returned_at.clone().unwrap_or_default(),
            entry.status.to_string(),
        ])
        .map_err(Problem::internal)?;
    }
    out.into_inner().map_err(|e| Problem::internal(e.error()))
}

/// Words that no spreadsheet takes for a formula.
fn plain(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_name_is_never_a_formula() {
        assert_eq!(plain("=1+1"), "'=1+1");
        assert_eq!(plain("Lê Thị Lan"), "Lê Thị Lan");
    }
}
