//! `GET /api/v1/exchange/monitoring/…`: records of calls and the health of services, for collectors that
//! know X-Road's operational monitoring.

use axum::extract::{Query, State};
use web::{Lang, Operator, Page, Refusal};

use crate::gateway::Exchange;
use crate::monitoring::health::HealthData;
use crate::monitoring::{OperationalData, RecordsWanted};

/// Gives records of calls by time, the oldest first, a page at a time; what began in the last minute comes
/// later.
#[utoipa::path(get, path = "/api/v1/exchange/monitoring/records", tag = "exchange", params(RecordsWanted),
    operation_id = "monitoring_records", security(("session" = ["operator"])),
    responses((status = 200, body = OperationalData), (status = 422)))]
pub(crate) async fn records(
    State(x): State<Exchange>,
    Operator(who): Operator,
    page: Page,
    Query(wanted): Query<RecordsWanted>,
) -> Result<axum::Json<OperationalData>, Refusal> {
    let asked = wanted.read()?;
    let own = x.seen_by(&who);
    let texts = page.shared.texts.clone();
    let words = move |fault: &str| {
        let key = format!("problem-{fault}");
        if texts.has(&key) {
            texts.get(Lang::En, &key)
        } else {
            fault.to_owned()
        }
    };
    Ok(axum::Json(
        x.operational_data(own.as_ref(), &asked, &words).await?,
    ))
}

/// Tells how the services of this node did in the last ten minutes.
#[utoipa::path(get, path = "/api/v1/exchange/monitoring/health", tag = "exchange",
    operation_id = "monitoring_health", security(("session" = ["operator"])),
    responses((status = 200, body = HealthData)))]
pub(crate) async fn health(
    State(x): State<Exchange>,
    Operator(who): Operator,
) -> Result<axum::Json<HealthData>, Refusal> {
    let own = x.seen_by(&who).map(|org| org.to_string());
    let services = x.0.health.told(own.as_deref(), x.0.now());
    Ok(axum::Json(HealthData::of(x.0.began, services)))
}
