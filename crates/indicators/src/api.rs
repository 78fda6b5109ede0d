//! What people and programs read of the figures, and the rebuild. Figures name organisations and
//! never a person, so they are public.

use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::Html;
use kernel::time::{iso, parse_iso};
use kernel::{Kind, Problem};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web::auth::SignedIn;
use web::page::Page;
use web::problem::Refusal;

use crate::figure::{Figure, figures};
use crate::rebuild::Rebuilt;
use crate::{Indicators, store as rows};

/// The crate's operations.
pub fn router(indicators: Indicators) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(page))
        .routes(routes!(rebuild))
        .with_state(indicators)
}

/// Which month.
#[derive(Deserialize, utoipa::IntoParams)]
struct Wanted {
    /// `2026-11`; this month when it is left out.
    period: Option<String>,
}

/// The figures of a month.
#[utoipa::path(get, path = "/api/v1/indicators", tag = "indicators", params(Wanted), security(()),
    responses((status = 200, body = Vec<Figure>), (status = 422)))]
async fn list(
    State(indicators): State<Indicators>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Figure>>, Refusal> {
    Ok(Json(indicators.month(wanted.period).await?.1))
}

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage<'a> {
    p: &'a Page,
    period: String,
    figures: Vec<Figure>,
}

impl FiguresPage<'_> {
    fn name(&self, figure: &Figure) -> String {
        self.p.t(&format!("indicators-{}", figure.figure))
    }

    fn value(&self, figure: &Figure) -> String {
        let percent = figure.denominator.is_some();
        match figure.value {
            None => "–".to_owned(),
            Some(v) if percent => format!("{v:.2} %").replace('.', self.p.t("indicators-decimal").as_str()),
            Some(v) => format!("{v:.0}"),
        }
    }

    fn formula(&self, figure: &Figure) -> String {
        match (figure.numerator, figure.denominator) {
            (Some(n), Some(d)) => format!("{} = {n} / {d}", figure.formula),
            _ => figure.formula.clone(),
        }
    }
}

/// The figures of a month as a page.
#[utoipa::path(get, path = "/figures", tag = "indicators", params(Wanted), security(()),
    responses((status = 200, content_type = "text/html"), (status = 422)))]
async fn page(
    State(indicators): State<Indicators>,
    Query(wanted): Query<Wanted>,
    page: Page,
) -> Result<Html<String>, Refusal> {
    let (period, figures) = indicators.month(wanted.period).await?;
    let body = FiguresPage {
        p: &page,
        period,
        figures,
    }
    .render()
    .map_err(Problem::internal)?;
    Ok(page.html(&page.t("indicators-title"), body))
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
    Ok(Json(indicators.rebuild(&who.actor).await?))
}

impl Indicators {
    async fn month(&self, wanted: Option<String>) -> Result<(String, Vec<Figure>), Problem> {
        let period = wanted.unwrap_or_else(|| iso(self.0.store.world().now().date())[..7].to_owned());
        if parse_iso(&format!("{period}-01")).is_none() {
            return Err(Problem::new(Kind::Invalid, "date-bad").at("period"));
        }
        let values = rows::of_period(&self.0.store.read(&self.0.home).await?, &period).await?;
        let figures = figures(&values, &period);
        Ok((period, figures))
    }
}
