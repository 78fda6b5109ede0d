//! `GET /exchange/services` and its twin: the services of this node, those that operators registered and those
//! of the platform itself, and how they stand; searched, and a page at a time.

use askama::Template;
use axum::extract::Query;
use axum::response::Html;
use kernel::{Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Page, Refusal};

use super::super::Acting;
use crate::gateway::Exchange;
use crate::ids::ServiceId;
use crate::offered::{Listed, Standing};

/// What to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(crate) struct Wanted {
    /// Only services with this in their name or address.
    q: Option<String>,
    /// Go on after the service of this name: the next page.
    after: Option<String>,
}

/// A page of services by name, and the name after which the next one begins.
async fn found(x: &Exchange, wanted: &Wanted) -> Result<(Vec<Listed>, Option<String>), Problem> {
    let mut all = x.listed_services().await?;
    let q = super::searched(wanted.q.as_deref());
    all.retain(|e| super::has(&q, &[&e.id.to_string(), url(e)]));
    if let Some(after) = wanted
        .after
        .as_deref()
        .and_then(|name| name.parse::<ServiceId>().ok())
    {
        all.retain(|e| e.id > after);
    }
    let more = super::cut(&mut all, x.0.store.limits().page_rows_max);
    let next = all.last().filter(|_| more).map(|e| e.id.to_string());
    Ok((all, next))
}

/// Where a service is called; nothing of one of the platform.
fn url(listed: &Listed) -> &str {
    listed.setup.as_ref().map_or("", |setup| &setup.url)
}

/// A service, in short.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceLine {
    /// Its name.
    service: String,
    /// True when it is of the platform itself, of a register for instance: nobody registered it.
    of_the_platform: bool,
    /// Where it is called; empty of one of the platform.
    url: String,
    /// How many endpoints it lists; 0 when nobody listed them.
    endpoints: usize,
    /// `enabled`, `stopping` (a stop lies ahead), `stopped` or `disabled`.
    standing: &'static str,
    /// Why it does not answer, in the words that callers read.
    notice: Option<String>,
    /// From when it may be gone for good, milliseconds since 1970.
    sunset: Option<i64>,
}

impl ServiceLine {
    pub(super) fn of(listed: &Listed, now: Time) -> Self {
        let stands = &listed.stands;
        let refusal = stands.refusal(&listed.id, now);
        let notice = refusal.and_then(|p| p.args.into_iter().find(|(name, _)| *name == "notice"));
        Self {
            service: listed.id.to_string(),
            of_the_platform: listed.setup.is_none(),
            url: url(listed).to_owned(),
            endpoints: listed.endpoints,
            standing: stands.standing(now).as_str(),
            notice: notice.map(|(_, notice)| notice),
            sunset: stands.sunset.map(Time::ms),
        }
    }
}

/// Lists the services of this node, registered ones and those of the platform, a page at a time.
#[utoipa::path(get, path = "/api/v1/exchange/services", tag = "exchange", operation_id = "list_services",
    params(Wanted), security(("session" = ["operator", "observer"])), responses((status = 200, body = Vec<ServiceLine>)))]
pub(crate) async fn json(
    Acting(x, _): Acting,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Vec<ServiceLine>>, Refusal> {
    let (all, _) = found(&x, &wanted).await?;
    let now = x.0.now();
    Ok(axum::Json(all.iter().map(|e| ServiceLine::of(e, now)).collect()))
}

#[derive(Template)]
#[template(path = "services.html")]
struct View<'a> {
    page: &'a Page,
    rows: Vec<Row>,
    q: String,
    next: Option<String>,
    first: bool,
}

struct Row {
    service: String,
    provider: String,
    of_the_platform: bool,
    url: String,
    endpoints: usize,
    state: String,
    class: &'static str,
    sunset: Option<String>,
}

/// The class of a state's tag.
pub(super) const fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Enabled => "tag tag-good",
        Standing::Stopping => "tag tag-wait",
        Standing::Stopped | Standing::Disabled => "tag tag-bad",
    }
}

/// The services of this node as a page.
#[utoipa::path(get, path = "/exchange/services", tag = "exchange", operation_id = "services_page",
    params(Wanted), security(("session" = ["operator", "observer"])),
    responses((status = 200, description = "the services", content_type = "text/html")))]
pub(crate) async fn page(
    Acting(x, _): Acting,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Result<Html<String>, Refusal> {
    let (all, next) = found(&x, &wanted).await?;
    let q = wanted.q.clone().unwrap_or_default();
    let now = x.0.now();
    let row = |listed: &Listed| {
        let standing = listed.stands.standing(now);
        Row {
            service: listed.id.to_string(),
            provider: x.organisation(&listed.id.org),
            of_the_platform: listed.setup.is_none(),
            url: url(listed).to_owned(),
            endpoints: listed.endpoints,
            state: page.t(&format!("exchange-service-{}", standing.as_str())),
            class: class(standing),
            sunset: listed.stands.sunset.map(|at| page.date(at.date())),
        }
    };
    let view = View {
        rows: all.iter().map(row).collect(),
        next: next.map(|next| super::next_page(super::LIST, &q, &next)),
        first: wanted.after.is_none(),
        q,
        page: &page,
    };
    let body = view.render().map_err(Problem::internal)?;
    Ok(page.html(&page.t("exchange-services"), body))
}
