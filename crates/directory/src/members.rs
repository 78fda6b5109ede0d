//! Who takes part in the exchange, as operators see it, and what they can do about it: members with
//! their systems and certificates, changes asked for and decided, trust services, groups. Every
//! operation asks for the role `operator`. Never a rule of its own: see [`crate::registration`].

mod federation;
mod form;
mod groups;
mod list;
mod one;
pub(crate) mod reach;
mod registration;
mod registrations;
mod revoke;
mod trust;

use kernel::Time;
use seal::certificate::Certificate;
use web::Page;
use web::openapi::{OpenApiRouter, routes};

use crate::DirectoryState;
use crate::snapshot::Snapshot;

/// What ends within this many milliseconds is told beforehand: thirty days.
const SOON_MS: i64 = 30 * 86_400_000;

/// The operations on members and registrations.
pub(crate) fn router() -> OpenApiRouter<DirectoryState> {
    OpenApiRouter::new()
        .routes(routes!(list::page))
        .routes(routes!(list::json))
        .routes(routes!(one::page))
        .routes(routes!(one::json))
        .routes(routes!(revoke::by_form))
        .routes(routes!(trust::page))
        .routes(routes!(trust::json))
        .routes(routes!(federation::page))
        .routes(routes!(federation::json))
        .routes(routes!(federation::export))
        .routes(routes!(federation::download))
        .routes(routes!(federation::check_by_json))
        .routes(routes!(federation::check_by_form))
        .routes(routes!(federation::trust_by_json))
        .routes(routes!(federation::trust_by_form))
        .routes(routes!(federation::withdraw_by_json))
        .routes(routes!(federation::withdraw_by_form))
        .routes(routes!(groups::page))
        .routes(routes!(groups::json))
        .routes(routes!(groups::save_by_json))
        .routes(routes!(groups::save_by_form))
        .routes(routes!(groups::end_by_json))
        .routes(routes!(groups::end_by_form))
        .routes(routes!(registrations::page))
        .routes(routes!(registrations::json))
        .routes(routes!(registrations::set_by_form))
        .routes(routes!(registrations::set_by_json))
        .routes(routes!(registrations::set_now))
        .routes(routes!(form::page))
        .routes(routes!(form::by_form))
        .routes(routes!(form::by_json))
        .routes(routes!(form::enact_by_json))
        .routes(routes!(registration::page))
        .routes(routes!(registration::json))
        .routes(routes!(registration::ask_by_form))
        .routes(routes!(registration::ask_by_json))
        .routes(routes!(registration::drop_by_form))
        .routes(routes!(registration::drop_by_json))
        .routes(routes!(registration::approve_by_form))
        .routes(routes!(registration::approve_by_json))
        .routes(routes!(registration::decline_by_form))
        .routes(routes!(registration::decline_by_json))
}

/// A certificate as a page shows it.
pub(crate) struct Shown {
    name: String,
    thumbprint: String,
    until: String,
    /// What an operator has to know, and its class.
    note: Option<(String, &'static str)>,
}

impl Shown {
    fn of(page: &Page, snapshot: &Snapshot, certificate: &Certificate, now: Time) -> Self {
        let thumbprint = certificate.thumbprint();
        Self {
            name: certificate.common_name(),
            thumbprint: thumbprint.hex(),
            until: page.date(certificate.not_after().date()),
            note: match standing(snapshot, certificate, now) {
                "good" => None,
                "ends-soon" => Some((page.t("directory-ends-soon"), "tag tag-wait")),
                bad => Some((page.t(&format!("directory-{bad}")), "tag tag-bad")),
            },
        }
    }
}

/// `revoked`, `over`, `ends-soon` or `good`.
fn standing(snapshot: &Snapshot, certificate: &Certificate, now: Time) -> &'static str {
    let thumbprint = certificate.thumbprint();
    if snapshot.revoked.iter().any(|r| r.thumbprint == thumbprint) {
        "revoked"
    } else if certificate.not_after() <= now {
        "over"
    } else if certificate.not_after().ms() - now.ms() <= SOON_MS {
        "ends-soon"
    } else {
        "good"
    }
}

/// A query's value, for the templates.
fn q(text: &str) -> String {
    web::page::query_value(text)
}

/// How old what this node holds is, as every page of members says it.
pub(crate) struct Age {
    /// The serial and when the hub confirmed it.
    text: String,
    /// True when that is longer ago than the node's bound; nothing stops for it.
    amber: bool,
}

/// How long ago the hub confirmed what is held, in milliseconds, and whether that is too long. The hub
/// itself asks nobody.
fn age(state: &DirectoryState) -> (i64, bool) {
    let store = state.directory.store();
    let age_ms = if state.registrar().is_hub() {
        0
    } else {
        state.directory.age(store.world().now())
    };
    (age_ms, age_ms > store.limits().directory_age_ms_max)
}

impl Age {
    fn of(state: &DirectoryState, page: &Page) -> Self {
        let (age_ms, amber) = age(state);
        let confirmed = state.directory.store().world().now().plus_ms(-age_ms);
        Self {
            text: page.tw(
                "directory-age",
                &[
                    ("serial", state.directory.snapshot().serial.to_string()),
                    ("time", page.time(confirmed)),
                ],
            ),
            amber,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pages::tests::{get, portal};
    use tower::ServiceExt as _;
    use web::axum::Router;
    use web::axum::body::{Body, to_bytes};
    use web::http::{Request, StatusCode, header};

    /// Sends a form as an operator does; where it leads to, and what stands there when it leads nowhere.
    async fn post(router: &Router, path: &str, form: &str) -> (StatusCode, String, String) {
        let request = Request::post(path)
            .header(header::HOST, "x")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let to = head.headers.get(header::LOCATION);
        let to = to
            .map(|to| to.to_str().expect("text").to_owned())
            .unwrap_or_default();
        let body = to_bytes(body, 8 << 20).await.expect("a body");
        (head.status, to, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn only_an_operator_sees_members_and_registrations() {
        for (role, status) in [
            (None, StatusCode::UNAUTHORIZED),
            (Some("officer"), StatusCode::FORBIDDEN),
            (Some("operator"), StatusCode::OK),
        ] {
            let temp = testkit::store(&[crate::MIGRATIONS]).await;
            let (router, _) = portal(&temp, role).await;
            for path in [
                "/api/v1/directory/members",
                "/api/v1/directory/trust",
                "/api/v1/directory/automatic",
                "/api/v1/directory/members/G01",
                "/api/v1/directory/registrations",
            ] {
                assert_eq!(get(&router, path).await.0, status, "{path}");
            }
            for path in [
                "members",
                "members/G01",
                "trust",
                "federation",
                "groups",
                "registrations",
                "registrations/new",
            ] {
                let (answer, body) = get(&router, &format!("/exchange/{path}")).await;
                if status == StatusCode::OK {
                    assert_eq!(answer, status, "{path}: {body}");
                    assert!(!body.contains("directory-"), "{path} has a text without words");
                } else {
                    assert_ne!(answer, StatusCode::OK, "{path}");
                }
            }
        }
    }

    #[tokio::test]
    async fn members_are_found_by_the_name_of_their_system_without_marks() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, Some("operator")).await;
        let found = async |query: &str| {
            let (_, body) = get(&router, &format!("/api/v1/directory/members?{query}")).await;
            let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let orgs = json["members"].as_array().expect("a list").iter();
            orgs.map(|m| m["org"].as_str().expect("a code").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("").await, ["G01", "G22"]);
        assert_eq!(found("q=dan+cu").await, ["G01"]);
        assert_eq!(found("after=G01").await, ["G22"]);
        assert!(found("q=nobody").await.is_empty());
        assert_eq!(
            get(&router, "/exchange/members/H99").await.0,
            StatusCode::NOT_FOUND
        );
    }

    #[tokio::test]
    async fn an_operator_leads_a_system_through_its_life_by_the_pages() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, hub) = portal(&temp, Some("operator")).await;
        let form = "change=register-system&org=G22&system=sample&name=M%E1%BA%ABu";
        let (status, _, body) = post(
            &router,
            "/exchange/registrations",
            "change=register-system&org=G22&system=A",
        )
        .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(body.contains("id=\"system-error\"") && body.contains("error-summary"));
        let (status, to, _) = post(&router, "/exchange/registrations", &format!("{form}&do=save")).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, body) = get(&router, &to).await;
        assert!(body.contains(&format!("{to}/ask")) && body.contains(&format!("{to}/drop")));
        let (status, ..) = post(&router, &format!("{to}/drop"), "").await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (status, ..) = post(&router, &format!("{to}/ask"), "").await;
        assert_eq!(status, StatusCode::CONFLICT, "what was dropped is not asked");
        // The hub's operator need not ask.
        let (status, to, _) = post(&router, "/exchange/registrations", &format!("{form}&do=publish")).await;
        assert_eq!(
            (status, to.as_str()),
            (StatusCode::SEE_OTHER, "/exchange/members/G22")
        );
        assert!(
            hub.directory()
                .snapshot()
                .system(&"G22".parse().expect("a code"), "sample")
                .is_some()
        );
        let (_, body) = get(&router, &to).await;
        assert!(
            body.contains("change=disable-system&amp;org=G22&amp;system=sample")
                || body.contains("change=disable-system&#38;org=G22")
        );
        // What the node offers and nobody announced is told, and the form holds it already.
        assert!(body.contains("services=look-up"), "{body}");
        let announce = "change=offer-services&org=G22&system=sample&services=look-up+Tra&do=publish";
        let (status, ..) = post(&router, "/exchange/registrations", announce).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, body) = get(&router, "/api/v1/directory/members/G22").await;
        assert!(
            body.contains("\"services\":[\"look-up\"],\"unannounced\":[]"),
            "{body}"
        );
        let (status, _, body) = post(&router, "/exchange/registrations", &format!("{form}&do=publish")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }

    #[tokio::test]
    async fn the_hubs_operator_revokes_a_certificate_by_the_form_with_a_reason() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, hub) = portal(&temp, Some("operator")).await;
        let node = hub.directory().snapshot().nodes[0].certificate;
        let form = |reason: &str| format!("org=G01&thumbprint={node}&reason={reason}");
        let (status, _, body) = post(&router, "/exchange/certificates/revoke", &form("")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(body.contains("reason-error"), "{body}");
        let (status, to, _) = post(&router, "/exchange/certificates/revoke", &form("lost")).await;
        assert_eq!(
            (status, to.as_str()),
            (StatusCode::SEE_OTHER, "/exchange/members/G01")
        );
        assert!(hub.directory().is_revoked(&node));
    }

    #[tokio::test]
    async fn a_program_sees_whether_approval_is_automatic_and_how_each_root_stands() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, hub) = portal(&temp, Some("operator")).await;
        let automatic = "/api/v1/directory/automatic";
        assert_eq!(get(&router, automatic).await.1, r#"{"automatic":false}"#);
        post(&router, "/exchange/registrations/automatic", "automatic=on").await;
        assert_eq!(get(&router, automatic).await.1, r#"{"automatic":true}"#);
        let (status, body) = get(&router, "/api/v1/directory/trust").await;
        assert_eq!(status, StatusCode::OK);
        let told: serde_json::Value = serde_json::from_str(&body).expect("json");
        let snapshot = hub.directory().snapshot();
        assert_eq!(told["serial"], snapshot.serial);
        let roots = told["roots"].as_array().expect("a list");
        assert_eq!(roots.len(), snapshot.anchors.len());
        assert!(roots.iter().all(|root| root["state"] == "good"), "{body}");
        assert_eq!(told["classes"][0]["class"], crate::snapshot::GOVERNMENT);
        assert_eq!(told["classes"][0]["members"], snapshot.members.len());
    }

    #[tokio::test]
    async fn the_hub_never_calls_its_own_directory_old() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (router, _) = portal(&temp, Some("operator")).await;
        temp.clock.advance_ms(86_400_000);
        let (_, body) = get(&router, "/api/v1/directory/members").await;
        assert!(body.contains("\"amber\":false"), "{body}");
    }
}
