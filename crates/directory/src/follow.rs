//! Keeping up with the hub: asks for the signed head every so often, for the parts that changed, and adopts
//! what is new. Never gives up, and never takes what the directory itself would refuse.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{Digest, Problem};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use web::axum::body::Bytes;
use web::{Client, http};

use crate::adopted::Directory;
use crate::parts::{self, Head, Index};

/// Size of a signed snapshot, in bytes.
const SNAPSHOT_BYTES_MAX: usize = 16 << 20;
/// How the address of the whole snapshot ends; head and parts are beside it.
const SNAPSHOT: &str = "snapshot";
/// Parts that are fetched one by one although the whole has hardly more, count.
const FEW: usize = 16;

/// Follows the hub until `shutdown` turns true: `url` is its `/directory/snapshot`, `every_ms` the
/// time between two questions in milliseconds. That what is held is still current is said by a signed
/// head, so that a node may hand it on; a hub of before there were heads says it by the connection,
/// which should be mutual TLS.
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

/// Follows the directories of the other instances that ours trusts, until `shutdown` turns true. All are
/// asked at once.
pub fn follow_instances(
    directory: Directory,
    every_ms: u64,
    mut shutdown: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut failing: Vec<Digest> = Vec::new();
        while !*shutdown.borrow() {
            for (followed, answer) in directory.ask_others().await {
                let (instance, anchor) = (&followed.entry.instance, followed.entry.hash);
                let before = failing.contains(&anchor);
                match answer {
                    Ok(_) if before => {
                        tracing::info!(instance, "the directory of the instance is heard again");
                        failing.retain(|other| *other != anchor);
                    }
                    Err(why) if !before => {
                        tracing::warn!(instance, why, "the directory of the instance is not heard");
                        failing.push(anchor);
                    }
                    _ => {}
                }
            }
            let pause = tokio::time::sleep(std::time::Duration::from_millis(every_ms));
            tokio::select! {
                () = pause => {}
                changed = shutdown.changed() => if changed.is_err() { return },
            }
        }
    })
}

/// Asks once: true when a new snapshot was adopted. Asks for the signed head, then for the parts that
/// changed; a hub of before there were heads is asked for the whole, until one was heard.
pub(crate) async fn ask(directory: &Directory, client: &Client, url: &str) -> Result<bool, String> {
    let hub = Hub {
        client,
        deadline_ms: directory.store().limits().exchange_call_ms_max,
    };
    let Some(base) = url.strip_suffix(SNAPSHOT) else {
        return hub.whole(directory, url).await;
    };
    let held = directory.head_tag();
    let answer = hub
        .get(&format!("{base}head"), held, parts::HEAD_BYTES_MAX)
        .await?;
    match answer.status() {
        // Only while no head was ever heard: that there is none is not signed, and must not put the
        // word of who answers in the place of the hub's.
        http::StatusCode::NOT_FOUND if held.is_none() => return hub.whole(directory, url).await,
        // What it said then it says still; that it says so now is not signed, and does not count.
        http::StatusCode::NOT_MODIFIED => return Ok(false),
        http::StatusCode::OK => {}
        other => return Err(format!("status {other}")),
    }
    let token = text(&answer)?;
    let head = directory
        .read_head(token)
        .await
        .map_err(|problem| told(&problem))?;
    if head.snapshot == directory.token().1 {
        directory.keep_head(head, token);
        return Ok(false);
    }
    let snapshot = match hub.changed(directory, base, &head).await? {
        Some(snapshot) => snapshot,
        None => {
            let answer = hub.get(url, None, SNAPSHOT_BYTES_MAX).await?;
            text(&answer)?.to_owned()
        }
    };
    let snapshot = parts::checked(snapshot, &head.snapshot).map_err(|problem| told(&problem))?;
    let said = head.at.min(directory.store().world().now());
    let adopted = directory
        .adopt_as_of(&snapshot, said)
        .await
        .map_err(|problem| told(&problem))?;
    directory.keep_head(head, token);
    Ok(adopted)
}

fn told(problem: &Problem) -> String {
    problem.to_string()
}

fn text(answer: &http::Response<Bytes>) -> Result<&str, String> {
    std::str::from_utf8(answer.body()).map_err(|e| e.to_string())
}

/// The hub, as a node asks it.
struct Hub<'a> {
    client: &'a Client,
    deadline_ms: u64,
}

impl Hub<'_> {
    async fn get(
        &self,
        url: &str,
        held: Option<Digest>,
        bytes_max: usize,
    ) -> Result<http::Response<Bytes>, String> {
        let mut request = http::Request::get(url);
        if let Some(held) = held {
            request = request.header(http::header::IF_NONE_MATCH, format!("\"{held}\""));
        }
        let request = request.body(Bytes::new()).map_err(|e| e.to_string())?;
        let answer = self.client.send(request, self.deadline_ms, bytes_max).await;
        answer.map_err(|e| e.to_string())
    }

    /// A part, or the list of them, when it is what its digest says.
    async fn part(&self, base: &str, name: &Digest) -> Result<String, String> {
        let url = format!("{base}parts/{name}");
        let answer = self.get(&url, None, parts::PART_BYTES_MAX).await?;
        if answer.status() != http::StatusCode::OK {
            return Err(format!("part {name}: status {}", answer.status()));
        }
        parts::checked(text(&answer)?.to_owned(), name).map_err(|problem| told(&problem))
    }

    /// The snapshot of a head, put together of what is held and what has changed; none when so much has
    /// that the whole is the shorter way.
    async fn changed(
        &self,
        directory: &Directory,
        base: &str,
        head: &Head,
    ) -> Result<Option<String>, String> {
        let Some(held) = directory.parts().map_err(|problem| told(&problem))? else {
            return Ok(None);
        };
        let index = self.part(base, &head.index).await?;
        let index = Index::read(&index, &head.index).map_err(|problem| told(&problem))?;
        let missing = index.parts.iter().map(|(_, name)| name);
        let missing: Vec<&Digest> = missing.filter(|name| held.get(name).is_none()).collect();
        if missing.len() > index.parts.len() / 2 && missing.len() > FEW {
            return Ok(None);
        }
        let (mut fetched, mut bytes) = (HashMap::new(), 0);
        for name in missing {
            let part = self.part(base, name).await?;
            bytes += part.len();
            if bytes > SNAPSHOT_BYTES_MAX {
                return Err("the parts are too large together".to_owned());
            }
            fetched.insert(*name, Arc::<str>::from(part));
        }
        let whole = index.put_together(|name| held.get(name).or_else(|| fetched.get(name).cloned()));
        whole.map(Some).map_err(|problem| told(&problem))
    }

    /// Asks for the whole snapshot: of a hub that knows no heads.
    async fn whole(&self, directory: &Directory, url: &str) -> Result<bool, String> {
        let (_, hash) = directory.token();
        let answer = self.get(url, Some(hash), SNAPSHOT_BYTES_MAX).await?;
        match answer.status() {
            http::StatusCode::NOT_MODIFIED => {
                directory.confirm(directory.store().world().now());
                Ok(false)
            }
            http::StatusCode::OK => directory
                .adopt(text(&answer)?)
                .await
                .map_err(|problem| told(&problem)),
            other => Err(format!("status {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::Nation;
    use kernel::Actor;
    use std::sync::Mutex;
    use std::time::Duration;
    use web::axum::Router;
    use web::axum::body::{Body, to_bytes};
    use web::axum::extract::Request;
    use web::axum::middleware::{Next, from_fn};

    /// What went over the wire: each path with the bytes of its answer.
    type Moved = Arc<Mutex<Vec<(String, usize)>>>;

    fn taken(moved: &Moved) -> Vec<(String, usize)> {
        std::mem::take(&mut *moved.lock().expect("nobody panicked"))
    }

    /// Notes what each answer has, and alters those that `bends` names at one byte.
    fn watched(router: Router, moved: &Moved, bends: fn(&str) -> bool) -> Router {
        let moved = Arc::clone(moved);
        router.layer(from_fn(move |request: Request, next: Next| {
            let (moved, path) = (Arc::clone(&moved), request.uri().path().to_owned());
            async move {
                let (head, body) = next.run(request).await.into_parts();
                let mut bytes = to_bytes(body, 64 << 20).await.expect("a body").to_vec();
                let at = bytes.len() / 2;
                if bends(&path)
                    && let Some(byte) = bytes.get_mut(at)
                {
                    *byte = if *byte == b'a' { b'b' } else { b'a' };
                }
                let mut moved = moved.lock().expect("nobody panicked");
                moved.push((path, bytes.len()));
                web::axum::response::Response::from_parts(head, Body::from(bytes))
            }
        }))
    }

    /// The hub's node-to-node face on a port of its own.
    async fn serve(hub: &crate::Hub, shutdown: watch::Receiver<bool>) -> String {
        serve_watched(hub.directory(), &Moved::default(), |_| false, shutdown).await
    }

    async fn serve_watched(
        directory: &Directory,
        moved: &Moved,
        bends: fn(&str) -> bool,
        shutdown: watch::Receiver<bool>,
    ) -> String {
        let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("a port");
        let url = format!("http://{}/directory/snapshot", listener.local_addr());
        let (router, _) = crate::peer_router(directory.clone()).split_for_parts();
        let router = watched(router, moved, bends);
        let limits = kernel::limits::Limits::default();
        let shared = web::Shared {
            texts: Arc::new(web::Texts::new(&[web::TEXTS, crate::TEXTS]).expect("texts")),
            world: directory.store().world().clone(),
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
        // Once up to date, the hub says so anew each minute, and that counts as fresh.
        own.clock.advance_ms(60_000);
        assert_eq!(ask(&directory, &client, &url).await, Ok(false));
        assert_eq!(directory.age(own.store.world().now()), 60_000, "it was said then");
        temp.clock.advance_ms(60_000);
        assert_eq!(ask(&directory, &client, &url).await, Ok(false));
        assert_eq!(directory.age(own.store.world().now()), 0);
        stop.send(true).expect("somebody listens");
        tokio::time::timeout(Duration::from_secs(20), job)
            .await
            .expect("stops when told")
            .expect("without a panic");
    }

    /// A node that follows, over a store of its own.
    async fn node(own: &testkit::TempStore, nation: &Nation) -> Directory {
        let tenant = "H56".parse().expect("a code");
        let file = own.dir.path().join("directory.jws");
        let hub = nation.hub.certificate.clone();
        Directory::open(own.store.clone(), tenant, hub, file)
            .await
            .expect("open")
    }

    fn many(nation: &Nation, services: usize) -> crate::Snapshot {
        let mut snapshot = nation.snapshot(0);
        let service = |n: usize| crate::snapshot::ServiceEntry {
            org: "G01".parse().expect("a code"),
            system: "population".to_owned(),
            code: format!("look-up-{n}"),
            title: format!("Tra cứu số {n}"),
        };
        snapshot.services = (0..services).map(service).collect();
        snapshot
    }

    async fn two() -> (testkit::TempStore, testkit::TempStore) {
        let all = &[crate::MIGRATIONS];
        (testkit::store(all).await, testkit::store(all).await)
    }

    #[tokio::test]
    async fn a_poll_without_change_moves_a_few_hundred_bytes_and_one_with_only_what_changed() {
        let ((temp, own), nation) = (two().await, Nation::new());
        let hub = crate::hub::tests::hub(&temp, &nation).await;
        let mut snapshot = many(&nation, 10_000);
        hub.publish(&snapshot).await.expect("published");
        let (moved, (_stop, shutdown)) = (Moved::default(), watch::channel(false));
        let url = serve_watched(hub.directory(), &moved, |_| false, shutdown).await;
        let (directory, client) = (node(&own, &nation).await, Client::plain());
        assert_eq!(ask(&directory, &client, &url).await, Ok(true));
        let whole: usize = taken(&moved).iter().map(|(_, bytes)| bytes).sum();
        assert!(whole > 1_000_000, "{whole}");
        // Within the minute the hub has nothing to say, afterwards it says the same anew.
        assert_eq!(ask(&directory, &client, &url).await, Ok(false));
        assert_eq!(taken(&moved), [("/directory/head".to_owned(), 0)]);
        temp.clock.advance_ms(60_000);
        own.clock.advance_ms(60_000);
        assert_eq!(ask(&directory, &client, &url).await, Ok(false));
        let poll = taken(&moved);
        assert!(poll.len() == 1 && poll[0].1 < 700, "{poll:?}");
        snapshot.services[4_321].title = "Tên mới".to_owned();
        hub.publish(&snapshot).await.expect("published");
        assert_eq!(ask(&directory, &client, &url).await, Ok(true));
        assert_eq!(directory.snapshot(), hub.directory().snapshot());
        assert_eq!(directory.token(), hub.directory().token(), "the very token");
        let changed: Vec<_> = taken(&moved);
        let bytes: usize = changed.iter().map(|(_, bytes)| bytes).sum();
        assert!(
            changed.len() <= 5 && bytes < whole / 8,
            "{bytes} of {whole}: {changed:?}"
        );
        // It was kept as ever: a node of before reads the file.
        let file = std::fs::read_to_string(own.dir.path().join("directory.jws")).expect("kept");
        let kept = crate::snapshot::read(&file, &nation.hub.certificate).expect("reads");
        assert_eq!(kept, *directory.snapshot());
    }

    #[tokio::test]
    async fn a_part_a_list_or_a_head_that_was_altered_on_its_way_changes_nothing() {
        let ((temp, own), nation) = (two().await, Nation::new());
        let hub = crate::hub::tests::hub(&temp, &nation).await;
        let mut snapshot = many(&nation, 500);
        hub.publish(&snapshot).await.expect("published");
        let (directory, client) = (node(&own, &nation).await, Client::plain());
        let (_stop, shutdown) = watch::channel(false);
        let good = serve(&hub, shutdown.clone()).await;
        assert_eq!(ask(&directory, &client, &good).await, Ok(true));
        snapshot.services[7].title = "Tên mới".to_owned();
        hub.publish(&snapshot).await.expect("published");
        let bends: [fn(&str) -> bool; 3] = [
            |path| path.contains("/parts/"),
            |path| path.ends_with("/head"),
            |path| path.ends_with("/snapshot") || path.contains("/parts/"),
        ];
        for bends in bends {
            let url = serve_watched(hub.directory(), &Moved::default(), bends, shutdown.clone()).await;
            let refused = ask(&directory, &client, &url).await.expect_err("refused");
            assert!(refused.contains("directory-seal-broken"), "{refused}");
            assert_eq!(directory.snapshot().serial, 1);
        }
        // Nothing held: the whole is fetched, and checked against the head all the same.
        let (_, third) = two().await;
        let fresh = node(&third, &nation).await;
        let url = serve_watched(
            hub.directory(),
            &Moved::default(),
            |path| path.ends_with("/snapshot"),
            shutdown,
        )
        .await;
        assert!(ask(&fresh, &client, &url).await.is_err());
        assert_eq!(fresh.snapshot().serial, 0);
        assert_eq!(ask(&directory, &client, &good).await, Ok(true));
    }

    #[tokio::test]
    async fn an_old_head_that_is_sent_again_is_refused_and_confirms_nothing() {
        let ((temp, own), nation) = (two().await, Nation::new());
        let hub = crate::hub::tests::hub(&temp, &nation).await;
        hub.publish(&many(&nation, 5)).await.expect("published");
        let (directory, client) = (node(&own, &nation).await, Client::plain());
        let (_stop, shutdown) = watch::channel(false);
        let url = serve(&hub, shutdown.clone()).await;
        let head = async || hub.directory().head().expect("signed").expect("one");
        let first = head().await;
        assert_eq!(ask(&directory, &client, &url).await, Ok(true));
        for clock in [&temp.clock, &own.clock] {
            clock.advance_ms(60_000);
        }
        assert_eq!(ask(&directory, &client, &url).await, Ok(false));
        let refused = directory.read_head(&first).await.expect_err("said before");
        assert_eq!(refused.code, "directory-older");
        let second = head().await;
        hub.publish(&many(&nation, 6)).await.expect("published");
        assert_eq!(ask(&directory, &client, &url).await, Ok(true));
        // Of an earlier serial, also after a restart that forgot the heads.
        let restarted = node(&own, &nation).await;
        for old in [&first, &second] {
            for held in [&directory, &restarted] {
                let refused = held.read_head(old).await.expect_err("of before");
                assert_eq!(refused.code, "directory-older");
            }
        }
        temp.clock.advance_ms(600_000);
        let ahead = head().await;
        let refused = directory.read_head(&ahead).await.expect_err("of a later time");
        assert_eq!(refused.code, "clock-skew");
    }

    #[tokio::test]
    async fn a_node_hands_on_what_it_follows_with_the_hubs_own_time() {
        let ((temp, own), nation) = (two().await, Nation::new());
        let hub = crate::hub::tests::hub(&temp, &nation).await;
        hub.publish(&many(&nation, 5)).await.expect("published");
        let (directory, client) = (node(&own, &nation).await, Client::plain());
        let (_stop, shutdown) = watch::channel(false);
        let url = serve(&hub, shutdown.clone()).await;
        assert_eq!(ask(&directory, &client, &url).await, Ok(true));
        let (_, third) = two().await;
        let behind = node(&third, &nation).await;
        let url = serve_watched(&directory, &Moved::default(), |_| false, shutdown).await;
        assert_eq!(ask(&behind, &client, &url).await, Ok(true));
        third.clock.advance_ms(7_200_000);
        own.clock.advance_ms(7_200_000);
        assert_eq!(ask(&behind, &client, &url).await, Ok(false));
        let age = behind.age(third.store.world().now());
        assert_eq!(age, 7_200_000, "the hub itself was not heard since: amber");
        assert_eq!(behind.snapshot().serial, 1, "and nothing stops");
        // Who comes only now gets no fresher directory by it.
        let (_, fourth) = two().await;
        fourth.clock.advance_ms(7_200_000);
        let late = node(&fourth, &nation).await;
        assert_eq!(ask(&late, &client, &url).await, Ok(true));
        let age = late.age(fourth.store.world().now());
        assert_eq!(age, 7_200_000, "what was adopted is as old as the head");
    }

    #[tokio::test]
    async fn a_hub_of_before_there_were_heads_is_asked_for_the_whole() {
        let ((temp, own), nation) = (two().await, Nation::new());
        let hub = crate::hub::tests::hub(&temp, &nation).await;
        hub.publish(&many(&nation, 5)).await.expect("published");
        let (_stop, shutdown) = watch::channel(false);
        let with_heads = serve(&hub, shutdown.clone()).await;
        let held = hub.directory().clone();
        let router = crate::OpenApiRouter::new().routes(crate::routes!(crate::api::signed_snapshot));
        let (router, _) = router.with_state(held).split_for_parts();
        let listener = web::Listener::bind("127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("a port");
        let url = format!("http://{}/directory/snapshot", listener.local_addr());
        let limits = kernel::limits::Limits::default();
        tokio::spawn(async move { web::serve(listener, None, router, &limits, shutdown).await });
        let (directory, client) = (node(&own, &nation).await, Client::plain());
        assert_eq!(ask(&directory, &client, &url).await, Ok(true));
        own.clock.advance_ms(5_000);
        assert_eq!(ask(&directory, &client, &url).await, Ok(false));
        assert_eq!(directory.age(own.store.world().now()), 0);
        // Whoever has heard a head is not led back to the word of who answers.
        let (_, third) = two().await;
        let heard = node(&third, &nation).await;
        assert_eq!(ask(&heard, &client, &with_heads).await, Ok(true));
        third.clock.advance_ms(5_000);
        let refused = ask(&heard, &client, &url).await.expect_err("no head");
        assert!(refused.contains("404"), "{refused}");
        let age = heard.age(third.store.world().now());
        assert_eq!(age, 5_000, "nothing was confirmed");
    }
}
