//! chromedriver as a process of ours, and the way to speak to it. It never outlives the test, however
//! that ends: it and its browsers are one process group, which a keeper ends when our pipe closes.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use thirtyfour::error::{WebDriverError, WebDriverErrorInner, WebDriverResult};
use thirtyfour::session::http::{Body, HttpClient};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;
use web::http::{Request, Response};

use crate::ground::PATIENCE;

/// The longest that one command may take, in milliseconds.
const ANSWER_MS_MAX: u64 = 90_000;
/// The largest answer, in bytes: a picture of a long page.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Starts chromedriver, waits for our pipe to close and ends the whole group.
const KEEPER: &str = r#""$0" --port=0 --log-level=SEVERE & exec >&-; cat > /dev/null; kill -9 0"#;

/// A chromedriver that runs as long as this process.
pub struct Driver {
    port: u16,
    _keeper: Child,
}

impl Driver {
    /// The one of this process.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn shared() -> anyhow::Result<&'static Self> {
        static ONE: OnceCell<Driver> = OnceCell::const_new();
        ONE.get_or_try_init(Self::start).await
    }

    async fn start() -> anyhow::Result<Self> {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "chromedriver"])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let out = keeper.stdout.take().context("a child has an output")?;
        let mut lines = BufReader::new(out).lines();
        let said = async {
            while let Some(line) = lines.next_line().await? {
                let port = line
                    .split_once("successfully on port ")
                    .and_then(|(_, rest)| rest.trim_end_matches('.').parse().ok());
                if let Some(port) = port {
                    return Ok(port);
                }
            }
            bail!("it ended; is it installed? `cargo xtask test` installs chromium-driver")
        };
        let port = tokio::time::timeout(PATIENCE, said)
            .await
            .context("chromedriver does not start")?
            .context("chromedriver does not start")?;
        Ok(Self {
            port,
            _keeper: keeper,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client to speak to it with.
    pub(crate) fn client(&self) -> Speaker {
        Speaker(web::Client::plain())
    }
}

/// WebDriver's commands over our own HTTP client: no second stack for the tests.
pub(crate) struct Speaker(web::Client);

#[async_trait::async_trait]
impl HttpClient for Speaker {
    async fn send(&self, request: Request<Body<'_>>) -> WebDriverResult<Response<Bytes>> {
        let request = request.map(|body| match body {
            Body::Empty => Bytes::new(),
            Body::Json(json) => Bytes::from(json.to_string()),
        });
        self.0
            .send(request, ANSWER_MS_MAX, ANSWER_BYTES_MAX)
            .await
            .map_err(|e| WebDriverError::from_inner(WebDriverErrorInner::RequestFailed(e.to_string())))
    }

    async fn new(&self) -> Arc<dyn HttpClient> {
        Arc::new(Self(web::Client::plain()))
    }
}
