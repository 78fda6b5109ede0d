//! `GET /api/v1/exchange/service-notices`: what providers elsewhere say of services that organisations
//! of this node may call; and the words for it on the pages.

use kernel::Time;
use serde::Serialize;
use utoipa::ToSchema;
use web::{Page, Refusal};

use super::Acting;
use crate::offered::ServiceNotice;

/// What a provider says of a service now.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceNoticeLine {
    /// The service.
    service: String,
    /// When it was said, milliseconds since 1970.
    said_at: i64,
    /// Why it does not answer; none when it does.
    disabled: Option<String>,
    /// The first instant of the stop that is announced, milliseconds since 1970.
    stop_from: Option<i64>,
    /// The first instant behind the stop, milliseconds since 1970; none when nobody knows.
    stop_to: Option<i64>,
    /// Why it stops.
    stop_reason: Option<String>,
    /// From when it may be gone for good, milliseconds since 1970.
    sunset: Option<i64>,
    /// True when it is gone.
    gone: bool,
}

impl ServiceNoticeLine {
    pub(super) fn of(notice: &ServiceNotice) -> Self {
        let told = &notice.told;
        let stop = told.stop.as_ref();
        Self {
            service: notice.service.to_string(),
            said_at: notice.said_at.ms(),
            disabled: told.disabled.clone(),
            stop_from: stop.map(|stop| stop.from.ms()),
            stop_to: stop.and_then(|stop| stop.to).map(Time::ms),
            stop_reason: stop.map(|stop| stop.reason.clone()),
            sunset: told.sunset.map(Time::ms),
            gone: told.gone,
        }
    }
}

/// What a provider says, in sentences, each with the provider's own words behind it.
pub(super) fn sentences(page: &Page, notice: &ServiceNotice, now: Time) -> Vec<(String, String)> {
    let told = &notice.told;
    let mut all = Vec::new();
    if told.gone {
        all.push((page.t("exchange-heard-gone"), String::new()));
    }
    if let Some(why) = &told.disabled {
        all.push((page.t("exchange-heard-disabled"), why.clone()));
    }
    let stop = told.stop.as_ref();
    if let Some(stop) = stop.filter(|stop| stop.to.is_none_or(|to| now < to)) {
        let from = page.date(stop.from.date());
        let what = match stop.to {
            Some(to) => {
                let to = page.date(to.plus_ms(-1).date());
                page.tw("exchange-stop-between", &[("from", from), ("to", to)])
            }
            None => page.tw("exchange-stop-from", &[("from", from)]),
        };
        all.push((what, stop.reason.clone()));
    }
    if let Some(day) = told.sunset {
        let day = page.date(day.date());
        let what = page.tw("exchange-heard-sunset", &[("day", day)]);
        all.push((what, String::new()));
    }
    all
}

/// Lists what providers elsewhere say now of services that organisations of this node may call.
#[utoipa::path(get, path = "/api/v1/exchange/service-notices", tag = "exchange",
    operation_id = "list_service_notices", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = Vec<ServiceNoticeLine>)))]
pub(crate) async fn json(Acting(x, _): Acting) -> Result<axum::Json<Vec<ServiceNoticeLine>>, Refusal> {
    let all = x.service_notices().await?;
    Ok(axum::Json(all.iter().map(ServiceNoticeLine::of).collect()))
}
