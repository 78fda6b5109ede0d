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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;
    use kernel::Actor;
    use std::sync::Arc;
    use std::time::Duration;

    /// The hub's node-to-node face on a port of its own.
    async fn serve(hub: &crate::Hub, shutdown: watch::Receiver<bool>) -> String {
        let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("a port");
        let url = format!("http://{}/directory/snapshot", listener.local_addr());
        let (router, _) = crate::peer_router(hub.directory().clone()).split_for_parts();
        let limits = kernel::limits::Limits::default();
        let shared = web::Shared {
            texts: Arc::new(web::Texts::new(&[web::TEXTS, crate::TEXTS]).expect("texts")),
            world: hub.directory().store().world().clone(),
            limits: Arc::new(limits.clone()),
            node: web::NodeFace::new("national", "directory-units"),
            authenticate: Arc::new(web::auth::Nobody),
        };
        let router = web::present(router, shared);
        tokio::spawn(async move { web::serve(listener, None, router, &limits, shutdown).await });
        url
    }

    #[tokio::test]
    async fn a_revocation_at_the_hub_reaches_a_node_that_follows() {
        let (temp, own) = (
            testkit::store(&[crate::MIGRATIONS]).await,
            testkit::store(&[crate::MIGRATIONS]).await,
        );
        let nation = Nation::new();
        let hub = crate::hub::tests::hub(&temp, &nation).await;
        let (stop, shutdown) = watch::channel(false);
        let url = serve(&hub, shutdown.clone()).await;
        let directory = Directory::open(
            own.store.clone(),
            "H56".parse().expect("a code"),
            nation.hub.certificate.clone(),
            own.dir.path().join("directory.jws"),
        )
        .await
        .expect("open");
        let client = Client::plain();
        assert!(
            ask(&directory, &client, &url).await.is_err(),
            "nothing published yet"
        );
        hub.publish(&nation.snapshot(0)).await.expect("published");
        let job = follow(directory.clone(), client.clone(), url.clone(), 5, shutdown);
        let node = nation.node.certificate.der();
        let reached = |wanted: Result<String, String>| {
            let directory = directory.clone();
            tokio::time::timeout(Duration::from_secs(20), async move {
                while directory.node_certificate_ok(node) != wanted {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
        };
        reached(Ok("ministry".to_owned())).await.expect("followed");
        let thumbprint = nation.node.certificate.thumbprint();
        hub.revoke(&Actor::Platform, thumbprint, "mất khóa")
            .await
            .expect("revoked");
        reached(Err("node-revoked".to_owned())).await.expect("followed");
        // Once up to date, the hub only says so, and that counts as fresh.
        own.clock.advance_ms(60_000);
        assert_eq!(ask(&directory, &client, &url).await, Ok(false));
        assert_eq!(directory.age(own.store.world().now()), 0);
        stop.send(true).expect("somebody listens");
        tokio::time::timeout(Duration::from_secs(5), job)
            .await
            .expect("stops when told")
            .expect("without a panic");
    }
}
