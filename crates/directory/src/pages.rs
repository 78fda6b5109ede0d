//! The look-up of administrative units: pick a day and a province, list its units, and see what a
//! unit was made of and what became of it. Never asks anybody to sign in.

use askama::Template;
use kernel::{AreaCode, Date, Problem};
use serde::Deserialize;
use web::Page;
use web::axum::extract::{Query, State};
use web::axum::response::{IntoResponse, Response};

use crate::api::day;
use crate::areas::{Area, Areas, How, Successor};
use crate::{DirectoryState, api};

/// What the form asks.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct UnitsQuery {
    on: Option<String>,
    province: Option<String>,
    unit: Option<String>,
}

#[derive(Template)]
#[template(path = "units.html")]
struct Units<'a> {
    page: &'a Page,
    errors: String,
    on_error: String,
    on_text: String,
    on_shown: String,
    known_from: String,
    province: String,
    provinces: Vec<&'a Area>,
    unit: Option<Unit<'a>>,
    list: Option<List<'a>>,
}

struct Unit<'a> {
    area: &'a Area,
    path: String,
    valid: String,
    predecessors: Vec<Relative>,
    successors: Vec<Relative>,
    ended_in_silence: bool,
}

struct Relative {
    code: AreaCode,
    path: String,
    on: String,
    how: String,
    default: bool,
}

struct List<'a> {
    title: String,
    areas: Vec<(&'a Area, &'a str)>,
}

/// The look-up page.
#[utoipa::path(
    get, path = "/tra-cuu/don-vi", tag = "directory", security(()),
    params(
        ("on" = Option<String>, Query, description = "A day, 2025-07-01; today when left out"),
        ("province" = Option<String>, Query, description = "Code of the province whose units are listed"),
        ("unit" = Option<String>, Query, description = "Code of the unit to be shown"),
    ),
    responses((status = 200, description = "A page", content_type = "text/html", body = String))
)]
pub(crate) async fn units(
    State(state): State<DirectoryState>,
    page: Page,
    Query(query): Query<UnitsQuery>,
) -> Response {
    let (on, mut problems) = match day(&state, query.on.as_deref()) {
        Ok(on) => (on, Vec::new()),
        Err(problem) => (state.directory.store().world().now().date(), vec![problem]),
    };
    let mut code = |text: &Option<String>, field: &str| -> Option<AreaCode> {
        let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty())?;
        let found = api::area_code(text)
            .ok()
            .filter(|code| state.areas.area(code, on).is_some());
        if found.is_none() && problems.is_empty() {
            problems.push(Problem::invalid(field, "directory-no-area"));
        }
        found
    };
    let (unit, province) = (code(&query.unit, "unit"), code(&query.province, "province"));
    let areas = &*state.areas;
    let province = province.or_else(|| {
        let code = unit.as_ref()?;
        areas.province(code, on).map(|p| p.code.clone())
    });
    let first = areas.editions().first().copied();
    let view = Units {
        errors: page.errors(&problems),
        on_error: page.field_error(&problems, "on"),
        on_text: match problems.iter().any(|p| p.field.as_deref() == Some("on")) {
            true => query.on.clone().unwrap_or_default(),
            false => kernel::time::iso(on),
        },
        on_shown: page.date(on),
        known_from: first.map(|day| page.date(day)).unwrap_or_default(),
        provinces: areas.children(None, on),
        unit: unit.and_then(|code| shown(&page, areas, &code, on)),
        list: province.as_ref().and_then(|code| listed(&page, areas, code, on)),
        province: province.map(|code| code.to_string()).unwrap_or_default(),
        page: &page,
    };
    let status = if problems.is_empty() { 200 } else { 422 };
    match view.render() {
        Ok(body) => page.html_status(status, &page.t("directory-units"), body),
        Err(e) => web::Refusal(Problem::internal(e)).into_response(),
    }
}

fn shown<'a>(page: &Page, areas: &'a Areas, code: &AreaCode, on: Date) -> Option<Unit<'a>> {
    let area = areas.area(code, on)?;
    let from = page.date(area.valid_from);
    let valid = match area.valid_to {
        Some(to) => page.tw("directory-valid-to", &[("from", from), ("to", page.date(to))]),
        None => page.tw("directory-valid", &[("from", from)]),
    };
    let successors = areas.successors(code, on);
    let before = |s: &Successor| s.from.previous_day().unwrap_or(s.from);
    let has_next_form = areas.forms_of(code).iter().any(|form| {
        let next = area.valid_to.and_then(Date::next_day);
        Some(form.valid_from) == next
    });
    Some(Unit {
        area,
        path: areas.full_path(code, on),
        valid,
        ended_in_silence: successors.is_empty() && area.valid_to.is_some() && !has_next_form,
        predecessors: areas
            .predecessors(code, on)
            .iter()
            .map(|s| relative(page, areas, s, before(s)))
            .collect(),
        successors: successors
            .iter()
            .map(|s| relative(page, areas, s, s.from))
            .collect(),
    })
}

fn relative(page: &Page, areas: &Areas, other: &Successor, on: Date) -> Relative {
    Relative {
        code: other.area.clone(),
        path: areas.full_path(&other.area, on),
        on: kernel::time::iso(on),
        how: page.t(match other.how {
            How::Whole => "directory-whole",
            How::Part => "directory-part",
        }),
        default: other.default,
    }
}

/// The units directly below a province, each with the name of what it lies in.
fn listed<'a>(page: &Page, areas: &'a Areas, province: &AreaCode, on: Date) -> Option<List<'a>> {
    let area = areas.area(province, on)?;
    let communes = areas.communes(province, on);
    let count = communes.len().to_string();
    let named = |commune: &'a Area| {
        let parent = commune.parent.as_ref().filter(|p| *p != province);
        let name = parent
            .and_then(|p| areas.area(p, on))
            .map_or("", |p| &*p.full_name);
        (commune, name)
    };
    Some(List {
        title: page.tw(
            "directory-list",
            &[
                ("name", area.full_name.to_string()),
                ("date", page.date(on)),
                ("count", count),
            ],
        ),
        areas: communes.into_iter().map(named).collect(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;
    use std::sync::Arc;
    use web::axum::body::{Body, to_bytes};
    use web::http::{Request, StatusCode, header};

    /// A portal of the hub's node, with or without somebody signed in.
    pub(crate) async fn portal(
        temp: &testkit::TempStore,
        role: Option<&'static str>,
    ) -> (web::axum::Router, crate::Hub) {
        let nation = Nation::new();
        let hub = crate::hub::tests::hub(temp, &nation).await;
        hub.publish(&nation.snapshot(0)).await.expect("published");
        let areas = Arc::new(Areas::load(&crate::pack::tests::vn()).expect("the pack"));
        let organisations = crate::Organisations::load(&crate::pack::tests::vn(), &areas);
        let state = DirectoryState {
            directory: hub.directory().clone(),
            organisations: Arc::new(organisations.expect("the pack")),
            areas,
            offers: Arc::new(|| {
                let offered = ("G22", "sample", "look-up");
                let org = offered.0.parse().expect("a code");
                vec![(org, offered.1.to_owned(), offered.2.to_owned())]
            }),
            registrar: crate::registration::tests::registrar(&hub, &nation),
            hub: Some(hub.clone()),
            base_url: "http://hub.example".to_owned(),
        };
        let (router, api) = crate::router(state).split_for_parts();
        assert_eq!(web::openapi::faults(&api), Vec::<String>::new());
        let shared = web::Shared {
            texts: Arc::new(web::Texts::new(&[web::TEXTS, crate::TEXTS]).expect("texts")),
            world: temp.store.world().clone(),
            limits: Arc::new(kernel::limits::Limits::default()),
            node: web::NodeFace::new("national", "directory-units"),
            authenticate: Arc::new(As(role)),
        };
        (web::present(router, shared), hub)
    }

    struct As(Option<&'static str>);

    #[async_trait::async_trait]
    impl web::Authenticate for As {
        async fn authenticate(
            &self,
            parts: &web::http::request::Parts,
        ) -> Result<Option<web::Principal>, Problem> {
            // Of the hub's organisation, or of the one that the request names.
            let org = parts.headers.get("org").and_then(|org| org.to_str().ok());
            let org: kernel::OrgCode = org.unwrap_or("G22").parse().expect("a code");
            Ok(self.0.map(|role| web::Principal {
                account: "a1".to_owned(),
                tenant: org.clone(),
                actor: kernel::Actor::Official("a1".to_owned()),
                name: "A".to_owned(),
                subject: None,
                level: 0,
                roles: vec![role.to_owned()],
                unit: org.clone(),
                session: "s".to_owned(),
            }))
        }
    }

    pub(crate) async fn send(
        router: &web::axum::Router,
        request: Request<Body>,
    ) -> (StatusCode, header::HeaderMap, String) {
        use tower::ServiceExt as _;
        let answer = router.clone().oneshot(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, 8 << 20).await.expect("a body");
        (
            head.status,
            head.headers,
            String::from_utf8_lossy(&body).into_owned(),
        )
    }

    pub(crate) async fn get(router: &web::axum::Router, uri: &str) -> (StatusCode, String) {
        let request = Request::get(uri).header(header::HOST, "x").body(Body::empty());
        let (status, _, body) = send(router, request.expect("a request")).await;
        (status, body)
    }

    #[tokio::test]
    async fn a_reader_sees_the_communes_of_a_province_as_of_a_day() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, None).await;
        let (status, body) = get(&router, "/tra-cuu/don-vi?on=2026-11-21&province=38").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("Xã Trung Lý") && body.contains("166"));
        let (_, body) = get(&router, "/tra-cuu/don-vi?on=2024-06-01&province=02").await;
        assert!(body.contains("193") && body.contains("Tỉnh Hà Giang"));
    }

    #[tokio::test]
    async fn a_reader_sees_what_became_of_a_unit_and_what_it_was_made_of() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, None).await;
        let (_, body) = get(&router, "/tra-cuu/don-vi?on=2024-06-01&unit=02").await;
        assert!(body.contains("Tỉnh Tuyên Quang") && body.contains("30/06/2025"));
        let (_, body) = get(&router, "/tra-cuu/don-vi?on=2026-11-21&unit=14857").await;
        assert!(body.contains("Xã Trung Lý, Huyện Mường Lát, Tỉnh Thanh Hóa"));
    }

    #[tokio::test]
    async fn a_day_that_is_none_is_told_at_its_field() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, None).await;
        for query in ["on=2026-02-31", "on=x&province=38", "unit=99999", "province=zz"] {
            let (status, body) = get(&router, &format!("/tra-cuu/don-vi?{query}")).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert!(body.contains("error-summary"), "{query}");
        }
        let (status, body) = get(&router, "/tra-cuu/don-vi?on=2001-01-01").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("01/11/2021"), "the list begins then");
    }

    #[tokio::test]
    async fn programs_get_the_same_answers() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, None).await;
        let json = |body: &str| serde_json::from_str::<serde_json::Value>(body).expect("JSON");
        let (_, body) = get(&router, "/api/v1/areas?on=2025-07-01").await;
        assert_eq!(json(&body)["areas"].as_array().map(Vec::len), Some(34));
        let (_, body) = get(&router, "/api/v1/areas/02?on=2024-06-01").await;
        assert_eq!(json(&body)["successors"][0]["area"], "08");
        let (status, _) = get(&router, "/api/v1/areas/02").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let (_, body) = get(&router, "/api/v1/directory").await;
        assert_eq!(json(&body)["serial"], 1);
    }

    #[tokio::test]
    async fn a_node_gives_the_signed_snapshot_once_and_then_says_unchanged() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, hub) = portal(&temp, None).await;
        let request = || Request::get("/directory/snapshot").header(header::HOST, "x");
        let (status, headers, body) = send(&router, request().body(Body::empty()).expect("a request")).await;
        assert_eq!((status, &*body), (StatusCode::OK, &*hub.directory().token().0));
        assert_eq!(headers[header::CONTENT_TYPE], "application/jose");
        let known = request().header(header::IF_NONE_MATCH, &headers[header::ETAG]);
        let (status, _, body) = send(&router, known.body(Body::empty()).expect("a request")).await;
        assert_eq!((status, &*body), (StatusCode::NOT_MODIFIED, ""));
    }

    #[tokio::test]
    async fn only_an_operator_revokes_a_certificate() {
        let thumbprint = kernel::Digest::of(b"a certificate");
        let request = || {
            Request::post(format!("/api/v1/directory/certificates/{thumbprint}/revoke"))
                .header(header::HOST, "x")
                .header("sec-fetch-site", "same-origin")
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(r#"{"reason":"mất khóa"}"#))
                .expect("a request")
        };
        for (role, status) in [
            (None, StatusCode::UNAUTHORIZED),
            (Some("officer"), StatusCode::FORBIDDEN),
            (Some("operator"), StatusCode::OK),
        ] {
            let temp = testkit::store(&[crate::MIGRATIONS]).await;
            let (router, hub) = portal(&temp, role).await;
            let (answer, _, body) = send(&router, request()).await;
            assert_eq!(answer, status, "{body}");
            assert_eq!(hub.directory().is_revoked(&thumbprint), status == StatusCode::OK);
        }
    }

    #[test]
    fn an_area_code_is_read_with_blanks_around_it() {
        assert_eq!(api::area_code(" 38 ").expect("a code").as_str(), "38");
        assert!(api::area_code("3").is_err());
    }
}
