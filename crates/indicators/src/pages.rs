//! The boards as pages: the whole country by province, one organisation with its units, one figure,
//! what was published. Public: they name organisations and never a person or a case.

mod board;
mod of_figure;
mod published;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use web::page::Page;
use web::problem::Refusal;

use crate::reading::wanted_org;
use crate::{ALL, Indicators};

/// What of a board is asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(crate) struct Wanted {
    /// `2026-11`; this month when it is left out.
    period: Option<String>,
    /// The figure that colours the map.
    map: Option<String>,
    /// Whose figure; an organisation's code, or `all`.
    org: Option<String>,
    /// Load the page again every so many seconds: `5`, `30` or `60`; empty for not.
    refresh: Option<String>,
}

/// The waits a reader may choose, in seconds.
const REFRESHES: [u32; 3] = [5, 30, 60];

impl Wanted {
    fn refresh(&self) -> Option<u32> {
        let seconds = self.refresh.as_deref()?.parse().ok()?;
        REFRESHES.contains(&seconds).then_some(seconds)
    }

    /// The page, told to load itself again when the reader chose so: without script.
    fn answer(&self, html: Html<String>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.refresh() {
            headers.insert("refresh", HeaderValue::from(seconds));
        }
        (headers, html).into_response()
    }
}

/// The node's board: the country by province, or the province's own.
#[utoipa::path(get, path = "/boards", tag = "indicators", params(Wanted), security(()),
    responses((status = 200, content_type = "text/html"), (status = 422)))]
pub(crate) async fn front(
    State(indicators): State<Indicators>,
    Query(wanted): Query<Wanted>,
    page: Page,
) -> Result<Response, Refusal> {
    let org = indicators.front();
    Ok(wanted.answer(indicators.board(&page, &org, &wanted).await?))
}

/// An organisation's board.
#[utoipa::path(get, path = "/boards/{org}", tag = "indicators", security(()),
    params(("org" = String, Path, description = "the organisation's code, or `all`"), Wanted),
    responses((status = 200, content_type = "text/html"), (status = 404), (status = 422)))]
pub(crate) async fn of_org(
    State(indicators): State<Indicators>,
    Path(org): Path<String>,
    Query(wanted): Query<Wanted>,
    page: Page,
) -> Result<Response, Refusal> {
    let org = wanted_org(&org)?;
    Ok(wanted.answer(indicators.board(&page, &org, &wanted).await?))
}

/// A figure: definition, target, trend.
#[utoipa::path(get, path = "/boards/figures/{figure}", tag = "indicators", security(()),
    params(("figure" = String, Path, description = "the figure's code"), Wanted),
    responses((status = 200, content_type = "text/html"), (status = 404), (status = 422)))]
pub(crate) async fn of_figure(
    State(indicators): State<Indicators>,
    Path(figure): Path<String>,
    Query(wanted): Query<Wanted>,
    page: Page,
) -> Result<Response, Refusal> {
    let org = wanted_org(wanted.org.as_deref().unwrap_or(ALL))?;
    let html = indicators.figure_page(&page, &figure, &org, &wanted).await?;
    Ok(wanted.answer(html))
}

/// Published figures beside what can be computed from them.
#[utoipa::path(get, path = "/boards/published", tag = "indicators", security(()),
    responses((status = 200, content_type = "text/html")))]
pub(crate) async fn published(
    State(indicators): State<Indicators>,
    page: Page,
) -> Result<Html<String>, Refusal> {
    Ok(indicators.published_page(&page)?)
}

#[cfg(test)]
mod tests {
    use crate::testing::House;

    const PAGES: [&str; 6] = [
        "/boards",
        "/boards/H56",
        "/boards/figures/on-time-share?org=H56",
        "/boards/figures/exchanges-per-minute",
        "/boards/figures/cases-on-hand",
        "/boards/published",
    ];

    async fn busy() -> House {
        let house = House::new("G22").await;
        for number in 1..=4 {
            house.filed(number).await;
        }
        let now = house.temp.store.world().now();
        house.decided(1, now).await;
        house.decided(2, now.plus_ms(-1)).await;
        house.exchanged(12).await;
        house.fold().await;
        house
    }

    #[tokio::test]
    async fn a_board_without_cases_says_so() {
        let house = House::new("G22").await;
        let (status, body) = house.get("/boards", None).await;
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("Chưa có hồ sơ nào."));
    }

    #[tokio::test]
    async fn boards_are_public_whole_and_small_in_both_languages() {
        let house = busy().await;
        for path in PAGES {
            for lang in ["vi", "en"] {
                let sign = if path.contains('?') { '&' } else { '?' };
                let (status, body) = house.get(&format!("{path}{sign}lang={lang}"), None).await;
                assert_eq!(status, 200, "{path}: {body}");
                assert!(body.len() < 100_000, "{path}: {} bytes", body.len());
                assert!(
                    !body.contains("style=") && !body.contains("indicators-"),
                    "{path}: {body}"
                );
                assert!(!body.contains("G22-261121"), "{path} names a case");
            }
        }
    }

    #[tokio::test]
    async fn a_board_shows_shares_with_their_line_and_the_map_by_province() {
        let house = busy().await;
        let (_, board) = house.get("/boards", None).await;
        assert!(board.contains(">Thanh Hóa</text>"), "{board}");
        assert!(board.contains(">50,00 %</text></a>"), "{board}");
        assert_eq!(board.matches("<a href=\"/boards/H").count(), 34 * 2 + 1);
        let (_, figure) = house.get("/boards/figures/on-time-share?org=H56", None).await;
        for part in [
            "cases-on-time / cases-decided * 100",
            "50,00 %",
            "<dd>1</dd>",
            "<dd>2</dd>",
        ] {
            assert!(figure.contains(part), "{part}: {figure}");
        }
    }

    #[tokio::test]
    async fn a_published_share_that_differs_says_so() {
        let house = House::new("G22").await;
        let (_, body) = house.get("/boards/published", None).await;
        assert!(body.contains("Công bố 39 %, tính lại 40,30 %"), "{body}");
        assert!(body.contains("2.700 / gần 6.700 × 100"), "{body}");
    }

    #[tokio::test]
    async fn what_is_no_figure_or_month_is_refused() {
        let house = House::new("G22").await;
        assert_eq!(house.get("/boards/figures/none", None).await.0, 404);
        assert_eq!(house.get("/boards/..", None).await.0, 404);
        assert_eq!(house.get("/boards?period=2026-13", None).await.0, 422);
    }

    #[tokio::test]
    async fn a_board_loads_itself_again_only_when_its_reader_chose_so() {
        let house = House::new("G22").await;
        for (path, wait) in [
            ("/boards", None),
            ("/boards?period=&refresh=", None),
            ("/boards?refresh=30", Some("30")),
            ("/boards?refresh=1", None),
        ] {
            let request = axum::http::Request::get(path).body(axum::body::Body::empty());
            let request = request.expect("a request");
            let answer = tower::ServiceExt::oneshot(house.router.clone(), request)
                .await
                .expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
            let told = answer.headers().get("refresh").map(|v| v.to_str().expect("text"));
            assert_eq!(told, wait, "{path}");
        }
    }
}
