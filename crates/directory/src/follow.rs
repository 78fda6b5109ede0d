//! Keeping up with the hub: asks for the snapshot every so often and adopts what is new. Never
//! gives up, and never takes what the directory itself would refuse.

use tokio::sync::watch;
use tokio::task::JoinHandle;
use web::axum::body::Bytes;
use web::{Client, http};

use crate::adopted::Directory;

/// Size of a signed snapshot, in bytes.
const SNAPSHOT_BYTES_MAX: usize = 4 << 20;

/// Follows the hub until `shutdown` turns true: `url` is its `/directory/snapshot`, `every_ms` the
/// time between two questions in milliseconds. Between two nodes the client should speak mutual
/// TLS: that what is held is still current is said by the connection, not by a signature.
pub fn follow(
    directory: Directory,
    client: Client,
    url: String,
    every_ms: u64,
    mut shutdown: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut failing = false;
        while !*shutdown.borrow() {
            let answer = ask(&directory, &client, &url).await;
            if let Err(why) = &answer
                && !failing
            {
                tracing::warn!(hub = url, why, "the directory hub gives nothing usable");
            } else if answer.is_ok() && failing {
                tracing::info!(hub = url, "the directory hub answers again");
            }
            failing = answer.is_err();
            let pause = tokio::time::sleep(std::time::Duration::from_millis(every_ms));
            tokio::select! {
                () = pause => {}
                changed = shutdown.changed() => if changed.is_err() { return },
            }
        }
    })
}

/// Asks once: true when a new snapshot was adopted.
pub(crate) async fn ask(directory: &Directory, client: &Client, url: &str) -> Result<bool, String> {
    let store = directory.store();
    let (_, hash) = directory.token();
    let request = http::Request::get(url)
        .header(http::header::IF_NONE_MATCH, format!("\"{hash}\""))
        .body(Bytes::new())
        .map_err(|e| e.to_string())?;
    let deadline_ms = store.limits().exchange_call_ms_max;
    let answer = client
        .send(request, deadline_ms, SNAPSHOT_BYTES_MAX)
        .await
        .map_err(|e| e.to_string())?;
    match answer.status() {
        http::StatusCode::NOT_MODIFIED => {
            directory.confirm(store.world().now());
            Ok(false)
        }
        http::StatusCode::OK => {
            let token = std::str::from_utf8(answer.body()).map_err(|e| e.to_string())?;
            directory
                .adopt(token)
                .await
                .map_err(|problem| problem.to_string())
        }
        other => Err(format!("status {other}")),
    }
}
