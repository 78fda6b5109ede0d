//! What an operator's probe reads: alive, ready, and the figures. Never personal data; served on a
//! listener of its own, which is not for the public.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use serde_json::{Map, json};

/// Upper bounds of the time histograms, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// What a balancer may ask for by itself: people's portal; the exchange, of information systems and of other
/// nodes.
pub const FACES: [&str; 2] = ["portal", "exchange"];
/// How long one check may take before it counts as failed.
const CHECK_TIME: Duration = Duration::from_secs(2);

/// One thing a ready node needs.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its name in the answer: `store`, `directory`.
    fn name(&self) -> &'static str;
    /// The one of [`FACES`] that needs it; none for what the whole node needs.
    fn face(&self) -> Option<&'static str> {
        None
    }
    /// Looks now.
    ///
    /// # Errors
    /// A short reason an operator can act on, no personal data.
    async fn check(&self) -> Result<(), String>;
}

/// `/health/live`, `/health/ready` and `/metrics`, for a listener of its own.
pub fn router(checks: Vec<Arc<dyn Check>>) -> Router {
    let checks: Arc<[Arc<dyn Check>]> = checks.into();
    recorder();
    Router::new()
        .route(
            "/health/live",
            get(|| async { axum::Json(json!({"live": true})) }),
        )
        .route(
            "/health/ready",
            get(move |asked: Query<Asked>| ready(Arc::clone(&checks), asked.0.face)),
        )
        .route("/metrics", get(figures))
}

/// What is asked for.
#[derive(Deserialize)]
struct Asked {
    /// One of [`FACES`]; the node when it is left out.
    face: Option<String>,
}

/// 200 when what is asked for is ready, else 503; always with every check and every face. A face that
/// rests does not take the others out of a balancer: the node is not ready when none of its faces is.
async fn ready(checks: Arc<[Arc<dyn Check>]>, asked: Option<String>) -> Response {
    if asked.as_deref().is_some_and(|face| !FACES.contains(&face)) {
        let told = json!({"ready": false, "faces": FACES});
        return (StatusCode::NOT_FOUND, axum::Json(told)).into_response();
    }
    let looked = checks.iter().map(|check| async move {
        let found = tokio::time::timeout(CHECK_TIME, check.check()).await;
        (
            check,
            found.unwrap_or_else(|_| Err("no answer within 2 s".to_owned())),
        )
    });
    let (mut report, mut down) = (Map::new(), Vec::new());
    for (check, found) in futures_util::future::join_all(looked).await {
        match (found.is_ok(), check.face()) {
            (true, _) => {}
            (false, Some(face)) => down.push(face),
            (false, None) => down.extend(FACES),
        }
        let told = found.err().unwrap_or_else(|| "ok".to_owned());
        report.insert(check.name().to_owned(), json!(told));
    }
    let is_up = |face: &&str| !down.contains(face);
    let faces: Map<_, _> = FACES
        .iter()
        .map(|face| ((*face).to_owned(), json!(is_up(face))))
        .collect();
    let is_ready = match asked.as_deref() {
        Some(face) => is_up(&face),
        None => FACES.iter().any(is_up),
    };
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let told = json!({"ready": is_ready, "checks": report, "faces": faces});
    (status, axum::Json(told)).into_response()
}

async fn figures() -> Response {
    match recorder() {
        Some(handle) => {
            handle.run_upkeep();
            (
                [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
                handle.render(),
            )
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The process's one recorder; `None` when another part of the process has set its own.
fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .ok()?
            .install_recorder()
            .ok()
    };
    RECORDER.get_or_init(install).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    struct Disk(Result<(), String>);
    struct Works;

    #[async_trait]
    impl Check for Works {
        fn name(&self) -> &'static str {
            "works"
        }

        fn face(&self) -> Option<&'static str> {
            Some("exchange")
        }

        async fn check(&self) -> Result<(), String> {
            Err("maintenance".to_owned())
        }
    }

    #[async_trait]
    impl Check for Disk {
        fn name(&self) -> &'static str {
            "disk"
        }

        async fn check(&self) -> Result<(), String> {
            self.0.clone()
        }
    }

    async fn ask(check: impl Check + 'static, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let checks: Vec<Arc<dyn Check>> = vec![Arc::new(check)];
        let response = router(checks).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_node_with_a_failed_check_is_alive_but_not_ready() {
        let full = || Disk(Err("full".to_owned()));
        assert_eq!(ask(full(), "/health/live").await.0, 200);
        let (status, told) = ask(full(), "/health/ready").await;
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(
            (status, told),
            (
                503,
                json!({"ready": false, "checks": {"disk": "full"}, "faces": {"portal": false, "exchange": false}})
            )
        );
        assert_eq!(ask(Disk(Ok(())), "/health/ready").await.0, 200);
    }

    #[tokio::test]
    async fn a_face_that_rests_takes_no_other_out_of_a_balancer() {
        let status = async |query: &str| ask(Works, &format!("/health/ready{query}")).await.0;
        assert_eq!(
            (status("?face=exchange").await, status("?face=portal").await),
            (503, 200)
        );
        let (node, told) = ask(Works, "/health/ready").await;
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(
            (node, &told["faces"]),
            (200, &json!({"portal": true, "exchange": false}))
        );
        assert_eq!(told["checks"]["works"], "maintenance");
        assert_eq!(status("?face=other").await, 404);
        assert_eq!(
            ask(Disk(Err("full".to_owned())), "/health/ready?face=portal")
                .await
                .0,
            503
        );
    }

    #[tokio::test]
    async fn the_figures_read_as_prometheus_text() {
        recorder();
        metrics::counter!("sen_test_total").increment(2);
        let (status, text) = ask(Disk(Ok(())), "/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("sen_test_total 2"), "{text}");
    }
}
