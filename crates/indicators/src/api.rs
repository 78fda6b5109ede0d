//! What programs read of the figures, and the rebuild. Figures name organisations and never a
//! person, so they are public.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use axum::routing::get;
use kernel::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::auth::SignedIn;
use web::problem::Refusal;

use crate::define::Definition;
use crate::figure::{Figure, compute, figure, figures};
use crate::reading::{wanted_month, wanted_org};
use crate::rebuild::Rebuilt;
use crate::{ALL, Indicators, behind, live, pages};

/// The crate's operations.
pub fn router(indicators: Indicators) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(rebuild))
        .routes(routes!(behind::api))
        .routes(routes!(behind::page))
        .routes(routes!(pages::front))
        .routes(routes!(pages::of_org))
        .routes(routes!(pages::of_figure))
        .routes(routes!(pages::published))
        // Not operations: a stream that lasts and a file for browsers, and where the figures stood.
        .route("/boards/live", get(live::events))
        .route("/boards/live.js", get(live::script))
        .route("/figures", get(|| async { Redirect::permanent("/boards") }))
        .with_state(indicators)
}

/// Which month, and whose.
#[derive(Deserialize, utoipa::IntoParams)]
pub(crate) struct Wanted {
    /// `2026-11`; this month when it is left out.
    pub(crate) period: Option<String>,
    /// An organisation's code, or `all`; every organisation at the top when it is left out.
    pub(crate) org: Option<String>,
}

/// The figures of a month.
#[utoipa::path(get, path = "/api/v1/indicators", tag = "indicators", params(Wanted), security(()),
    responses((status = 200, body = Vec<Figure>), (status = 404), (status = 422)))]
async fn list(
    State(indicators): State<Indicators>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Figure>>, Refusal> {
    Ok(Json(indicators.list(&wanted).await?))
}

/// One figure with its months.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FigureWithMonths {
    /// The figure of the month asked for; absent when nothing was counted.
    pub now: Option<Figure>,
    /// The twelve months up to it, oldest first.
    pub months: Vec<MonthValue>,
    /// The counters it is made of.
    pub counters: Vec<String>,
    /// Targets set for it.
    pub targets: Vec<TargetView>,
}

/// A figure's value in a month.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MonthValue {
    /// `2026-11`
    pub period: String,
    /// The value; absent when nothing can be said.
    pub value: Option<f64>,
}

/// A target somebody set for a figure.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TargetView {
    /// The document that sets it.
    pub document: String,
    /// For which year.
    pub year: String,
    /// `>=`, `<=` or `>`.
    pub comparison: String,
    /// The value.
    pub value: i64,
    /// `seen` in a public source, or from `memory`.
    pub evidence: String,
}

/// One figure: value, months, targets.
#[utoipa::path(get, path = "/api/v1/indicators/{figure}", tag = "indicators",
    params(("figure" = String, Path, description = "the figure's code"), Wanted), security(()),
    responses((status = 200, body = FigureWithMonths), (status = 404), (status = 422)))]
async fn one(
    State(indicators): State<Indicators>,
    Path(code): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<FigureWithMonths>, Refusal> {
    Ok(Json(indicators.one(&code, &wanted).await?))
}

/// Computes every figure from the first fact and compares it with those in use.
#[utoipa::path(post, path = "/api/v1/indicators/rebuild", tag = "indicators",
    security(("session" = ["operator"])), extensions(("x-facts" = json!(["indicators-rebuilt"]))),
    responses((status = 200, body = Rebuilt)))]
async fn rebuild(
    State(indicators): State<Indicators>,
    SignedIn(who): SignedIn,
) -> Result<Json<Rebuilt>, Refusal> {
    who.require("operator")?;
    who.require_home(&indicators.0.home)?;
    Ok(Json(indicators.rebuild(&who.actor).await?))
}

impl Indicators {
    async fn list(&self, wanted: &Wanted) -> Result<Vec<Figure>, Problem> {
        let reading = self.reading().await?;
        let period = wanted_month(wanted.period.as_deref(), reading.now)?;
        let numbers = match &wanted.org {
            None => reading.tops(&period).await?,
            Some(org) => reading.below(&period, &wanted_org(org)?).await?,
        };
        let mut orgs: Vec<&str> = numbers
            .month
            .keys()
            .chain(numbers.until.keys())
            .map(|(org, _, _)| org.as_str())
            .collect();
        orgs.sort_unstable();
        orgs.dedup();
        Ok(figures(&numbers, &period, orgs))
    }

    async fn one(&self, code: &str, wanted: &Wanted) -> Result<FigureWithMonths, Problem> {
        let definition = Definition::find(code).ok_or_else(Problem::not_found)?;
        let reading = self.reading().await?;
        let period = wanted_month(wanted.period.as_deref(), reading.now)?;
        let org = wanted_org(wanted.org.as_deref().unwrap_or(ALL))?;
        let numbers = reading.below(&period, &org).await?;
        let now = compute(definition.way, &numbers, &org).map(|f| figure(definition, f, &org, &period));
        let mut months = Vec::new();
        if !definition.is_now() {
            for (period, numbers) in reading.history(&org, &period).await? {
                let value = compute(definition.way, &numbers, &org).and_then(|f| f.value);
                months.push(MonthValue { period, value });
            }
        }
        let targets = self.0.pack.targets.iter().filter(|t| t.figure == code);
        Ok(FigureWithMonths {
            now,
            months,
            counters: definition
                .counters()
                .into_iter()
                .map(|c| c.code().to_owned())
                .collect(),
            targets: targets
                .map(|t| TargetView {
                    document: t.document.clone(),
                    year: t.year.clone(),
                    comparison: t.comparison.clone(),
                    value: t.value,
                    evidence: t.evidence.clone(),
                })
                .collect(),
        })
    }
}
