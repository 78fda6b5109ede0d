//! What an operator's probe reads: alive, ready, and the figures. Never personal data; served on a
//! listener of its own, which is not for the public.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::json;

/// Upper bounds of the time histograms, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// How long one check may take before it counts as failed.
const CHECK_TIME: Duration = Duration::from_secs(2);

/// One thing a ready node needs.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its name in the answer: `store`, `directory`.
    fn name(&self) -> &'static str;
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
        .route("/health/ready", get(move || ready(Arc::clone(&checks))))
        .route("/metrics", get(figures))
}

/// 200 when every check passes, else 503 with the reasons.
async fn ready(checks: Arc<[Arc<dyn Check>]>) -> Response {
    let looked = checks.iter().map(|check| async move {
        let found = tokio::time::timeout(CHECK_TIME, check.check()).await;
        (
            check.name(),
            found.unwrap_or_else(|_| Err("no answer within 2 s".to_owned())),
        )
    });
    let mut report = serde_json::Map::new();
    let mut all_well = true;
    for (name, found) in futures_util::future::join_all(looked).await {
        all_well &= found.is_ok();
        report.insert(
            name.to_owned(),
            json!(found.err().unwrap_or_else(|| "ok".to_owned())),
        );
    }
    let status = if all_well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(json!({"ready": all_well, "checks": report}))).into_response()
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

    #[async_trait]
    impl Check for Disk {
        fn name(&self) -> &'static str {
            "disk"
        }

        async fn check(&self) -> Result<(), String> {
            self.0.clone()
        }
    }

    async fn ask(check: Disk, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(vec![Arc::new(check)]).oneshot(request).await.unwrap();
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
            (503, json!({"ready": false, "checks": {"disk": "full"}}))
        );
        assert_eq!(ask(Disk(Ok(())), "/health/ready").await.0, 200);
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
