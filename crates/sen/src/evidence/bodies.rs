//! Containers with the bodies that an agreement has kept: asked of the running node by an operator's API key,
//! which says what for and leaves its trace there, as the page does. Never read beside the node, where nobody
//! would be told.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use exchange::export::Which;
use kernel::World;
use serde_json::Value;
use web::client::Client;
use web::http::{Request, StatusCode, header};
use web::page::query_value;

use crate::portal;

/// Time for one answer, in milliseconds: a container is made for it.
const ANSWER_MS_MAX: u64 = 120_000;
/// Size of one container, in bytes: as large a body as a node puts into one, and room around it.
const ANSWER_BYTES_MAX: usize = 80 << 20;
/// What a node says of a message whose body is not there.
const BODILESS: [&str; 2] = ["body-not-kept", "body-destroyed"];

/// Whom bodies are asked of, and what for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The node's portal: `https://node.example.vn`.
    pub url: String,
    /// A file with an operator's API key.
    pub key_file: PathBuf,
    /// Roots of the portal's certificate, PEM; needed for `https`.
    pub trust: Option<PathBuf>,
    /// What they are read for; stands in the fact of each reading.
    pub purpose: String,
}

/// A running node that gives bodies.
pub struct Bodies {
    client: Client,
    url: String,
    key: String,
    purpose: String,
}

impl Bodies {
    /// Reads key and roots; asks nothing yet.
    ///
    /// # Errors
    /// When a file cannot be read, or no purpose is said.
    pub fn of(asked: &Asked, world: &World) -> anyhow::Result<Self> {
        let purpose = asked.purpose.trim().to_owned();
        ensure!(!purpose.is_empty(), "--purpose: say what the bodies are read for");
        let key = portal::key_of_file(&asked.key_file)?;
        let roots = (asked.trust.as_deref(), "--portal-trust");
        let (url, client) = portal::reach(&asked.url, roots, world)?;
        Ok(Self {
            client,
            url,
            key,
            purpose,
        })
    }

    /// The container of a message with its body; none where no body is kept, or none any more.
    ///
    /// # Errors
    /// When the node does not answer, or refuses: a key that is none, an observer's, another organisation's.
    pub(super) async fn container(&self, request: &str, which: Which) -> anyhow::Result<Option<Vec<u8>>> {
        let at = format!(
            "{}/api/v1/exchange/exchanges/{}/asice?part={}&body=true&purpose={}",
            self.url,
            query_value(request),
            which.as_str(),
            query_value(&self.purpose)
        );
        let asked = Request::get(at)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_LANGUAGE, "en")
            .body(Bytes::new())?;
        let sent = self.client.send(asked, ANSWER_MS_MAX, ANSWER_BYTES_MAX).await;
        let answer = sent.with_context(|| format!("{} does not answer", self.url))?;
        if answer.status() == StatusCode::OK {
            return Ok(Some(answer.into_body().to_vec()));
        }
        let told: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        let kind = text("type");
        if BODILESS.iter().any(|code| kind.rsplit('/').next() == Some(*code)) {
            return Ok(None);
        }
        let (title, remedy) = (text("title"), text("remedy"));
        bail!(
            "{request}: {} says {}: {title} {remedy}",
            self.url,
            answer.status()
        );
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use axum::Router;
    use axum::extract::{Path, RawQuery};
    use axum::http::HeaderMap;
    use axum::response::IntoResponse as _;
    use axum::routing::get;
    use kernel::limits::Limits;
    use tokio::sync::watch;

    use super::*;

    /// A portal that gives the body of one message to one key, and says what it was asked.
    async fn portal() -> (String, watch::Sender<bool>) {
        let give = |Path(request): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap| async move {
            let problem = |status: u16, code: &str| {
                let told = serde_json::json!({"type": format!("/problems/{code}"), "title": code});
                let status = StatusCode::from_u16(status).expect("a status");
                (status, told.to_string()).into_response()
            };
            if headers.get("authorization").is_none_or(|key| key != "Bearer k1") {
                return problem(401, "api-key-wrong");
            }
            match request.as_str() {
                "kept" => query.unwrap_or_default().into_response(),
                "over" => problem(404, "body-destroyed"),
                "none" => problem(404, "body-not-kept"),
                _ => problem(404, "not-found"),
            }
        };
        let router = Router::new().route("/api/v1/exchange/exchanges/{request}/asice", get(give));
        let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address")).await;
        let listener = listener.expect("a port");
        let url = format!("http://{}", listener.local_addr());
        let (stop, shutdown) = watch::channel(false);
        tokio::spawn(async move { web::serve(listener, None, router, &Limits::default(), shutdown).await });
        (url, stop)
    }

    #[tokio::test]
    async fn a_body_is_asked_of_the_running_node_with_a_purpose_and_where_none_is_kept_there_is_none() {
        let (url, _stop) = portal().await;
        let folder = std::env::temp_dir().join(format!("sen-bodies-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let key_file = folder.join("key");
        fs::write(&key_file, "k1\n").expect("written");
        let world = World::of_this_machine();
        let asked = |purpose: &str| Asked {
            url: url.clone(),
            key_file: key_file.clone(),
            trust: None,
            purpose: purpose.to_owned(),
        };
        assert!(
            Bodies::of(&asked("  "), &world).is_err(),
            "nobody reads without saying what for"
        );
        let bodies = Bodies::of(&asked("Thanh tra 12/QĐ"), &world).expect("sound");
        let got = bodies.container("kept", Which::Answer).await.expect("an answer");
        let query = String::from_utf8(got.expect("a container")).expect("text");
        assert_eq!(
            query,
            format!("part=answer&body=true&purpose={}", query_value("Thanh tra 12/QĐ"))
        );
        for request in ["over", "none"] {
            assert!(
                bodies
                    .container(request, Which::Request)
                    .await
                    .expect("an answer")
                    .is_none()
            );
        }
        assert!(bodies.container("other", Which::Request).await.is_err());
        fs::write(&key_file, "k2").expect("written");
        let wrong = Bodies::of(&asked("x"), &world).expect("sound");
        let refused = wrong.container("kept", Which::Answer).await.expect_err("refused");
        assert!(refused.to_string().contains("api-key-wrong"), "{refused}");
        fs::remove_dir_all(&folder).expect("removed");
    }
}
