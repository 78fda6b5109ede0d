//! `GET /exchange/monitoring` and its twins, `GET /api/v1/exchange/monitoring/…`: records of calls and the
//! health of services, for collectors that know X-Road's operational monitoring, and as people read them.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use kernel::{Problem, Time};
use web::page::query_value;
use web::{Lang, Operator, Page, Principal, Refusal};

use super::traffic::number;
use crate::evidence::list::words;
use crate::gateway::Exchange;
use crate::monitoring::health::{HealthData, HealthValues, ServiceHealth};
use crate::monitoring::{OperationalData, OperationalRecord, RecordsWanted};

const PAGE: &str = "/exchange/monitoring";
/// How far back the page looks when nobody says from where, in seconds.
const BACK_S: i64 = 3_600;
/// What stands where there is no value.
const NOTHING: &str = "–";

/// Gives records of calls by time, the oldest first, a page at a time; what began in the last minute comes
/// later.
#[utoipa::path(get, path = "/api/v1/exchange/monitoring/records", tag = "exchange", params(RecordsWanted),
    operation_id = "monitoring_records", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = OperationalData), (status = 422)))]
pub(crate) async fn records(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<RecordsWanted>,
) -> Result<axum::Json<OperationalData>, Refusal> {
    let texts = page.shared.texts.clone();
    let words = move |fault: &str| {
        let key = format!("problem-{fault}");
        if texts.has(&key) {
            texts.get(Lang::En, &key)
        } else {
            fault.to_owned()
        }
    };
    Ok(axum::Json(x.records_for(&who, &wanted, &words).await?))
}

/// Tells how the services of this node did in the last ten minutes.
#[utoipa::path(get, path = "/api/v1/exchange/monitoring/health", tag = "exchange",
    operation_id = "monitoring_health", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = HealthData)))]
pub(crate) async fn health(
    State(x): State<Exchange>,
    Operator(who): Operator,
) -> Result<axum::Json<HealthData>, Refusal> {
    Ok(axum::Json(x.health_for(&who)))
}

impl Exchange {
    fn health_for(&self, who: &Principal) -> HealthData {
        let own = self.seen_by(who).map(|org| org.to_string());
        let services = self.0.health.told(own.as_deref(), self.0.now());
        HealthData::of(self.0.began, services)
    }

    async fn records_for(
        &self,
        who: &Principal,
        wanted: &RecordsWanted,
        words: &(dyn Fn(&str) -> String + Sync),
    ) -> Result<OperationalData, Problem> {
        let asked = wanted.read()?;
        let own = self.seen_by(who);
        self.operational_data(own.as_ref(), &asked, words).await
    }
}

#[derive(Template)]
#[template(path = "monitoring.html")]
struct View<'a> {
    page: &'a Page,
    errors: String,
    since: String,
    services: Vec<Service>,
    client: String,
    client_error: String,
    records: Vec<Record>,
    next: Option<String>,
}

/// A service and how it did.
struct Service {
    name: String,
    href: String,
    good: String,
    bad: String,
    time: String,
    request: String,
    answer: String,
    last_good: String,
    last_bad: String,
}

/// One call at this gateway.
struct Record {
    href: String,
    iso: String,
    at: String,
    side: String,
    client: String,
    service: String,
    call: String,
    here: String,
    behind: String,
    bytes: String,
    result: String,
    class: &'static str,
}

/// The same as a page: the health of services, and the calls of the last hour.
#[utoipa::path(get, path = "/exchange/monitoring", tag = "exchange", params(RecordsWanted),
    operation_id = "monitoring_page", security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "health and records", content_type = "text/html"),
              (status = 422, description = "the form again, with what is wrong")))]
pub(crate) async fn page(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<RecordsWanted>,
) -> Result<Response, Refusal> {
    let since = (x.0.now().ms().div_euclid(1_000) - BACK_S).max(0);
    let wanted = RecordsWanted {
        records_from: wanted.records_from.or_else(|| Some(since.to_string())),
        ..wanted
    };
    let words = |fault: &str| words(&page, fault);
    let (data, problems) = match x.records_for(&who, &wanted, &words).await {
        Ok(data) => (Some(data), Vec::new()),
        Err(problem) if problem.field.is_some() => (None, vec![problem]),
        Err(problem) => return Err(problem.into()),
    };
    let health = x.health_for(&who);
    let client = wanted.client.clone().unwrap_or_default();
    let next = data.as_ref().and_then(|data| data.next.clone());
    let args = [
        ("minutes", (health.statistics_period_seconds / 60).to_string()),
        ("since", page.time(Time(health.monitoring_startup_timestamp))),
    ];
    let view = View {
        errors: page.errors(&problems),
        since: page.tw("exchange-health-since", &args),
        services: health.services.iter().map(|one| service(&page, one)).collect(),
        client_error: page.field_error(&problems, "client"),
        next: next.map(|next| {
            format!(
                "{PAGE}?client={}&after={}",
                query_value(&client),
                query_value(&next)
            )
        }),
        client,
        records: data
            .iter()
            .flat_map(|data| &data.records)
            .map(|one| record(&page, one))
            .collect(),
        page: &page,
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html_status(status, &page.t("exchange-monitoring"), body))
}

/// Least, mean and most in one cell.
fn spread(page: &Page, values: Option<&HealthValues>) -> String {
    let mean = |values: &HealthValues| format!("{:.0}", values.average);
    values.map_or_else(
        || NOTHING.to_owned(),
        |v| format!("{} / {} / {}", number(page, v.min), mean(v), number(page, v.max)),
    )
}

fn service(page: &Page, one: &ServiceHealth) -> Service {
    let name = one.service.trim_start_matches("VN/GOV/").to_owned();
    let period = &one.last_period_statistics;
    let at = |at: Option<i64>| at.map_or_else(|| NOTHING.to_owned(), |at| page.time(Time(at)));
    Service {
        href: format!("/exchange/services/{name}"),
        name,
        good: number(page, period.successful_request_count),
        bad: number(page, period.unsuccessful_request_count),
        time: spread(page, period.request_duration.as_ref()),
        request: spread(page, period.request_size.as_ref()),
        answer: spread(page, period.response_size.as_ref()),
        last_good: at(one.last_successful_request_timestamp),
        last_bad: at(one.last_unsuccessful_request_timestamp),
    }
}

fn record(page: &Page, one: &OperationalRecord) -> Record {
    let ms = |from: i64, to: i64| number(page, (to - from).max(0).unsigned_abs());
    let behind = one.request_out_ts.zip(one.response_in_ts);
    let status = one
        .status_code
        .map_or_else(String::new, |status| status.to_string());
    let side = if one.security_server_type == "Client" {
        "consumer"
    } else {
        "provider"
    };
    Record {
        href: crate::evidence::link(&one.x_request_id),
        iso: Time(one.request_in_ts).rfc3339(),
        at: page.time(Time(one.request_in_ts)),
        side: page.t(&format!("exchange-side-{side}")),
        client: format!("{}/{}", one.client_member_code, one.client_subsystem_code),
        service: format!(
            "{}/{}/{}",
            one.service_member_code, one.service_subsystem_code, one.service_code
        ),
        call: format!("{} {}", one.rest_method, one.rest_path.as_deref().unwrap_or("/…")),
        here: ms(one.request_in_ts, one.response_out_ts),
        behind: behind.map_or_else(|| NOTHING.to_owned(), |(out, back)| ms(out, back)),
        bytes: format!(
            "{} / {}",
            number(page, one.request_size),
            one.response_size
                .map_or_else(|| NOTHING.to_owned(), |size| number(page, size))
        ),
        class: if one.succeeded {
            "tag tag-good"
        } else {
            "tag tag-bad"
        },
        result: one.fault_string.clone().unwrap_or(status),
    }
}
