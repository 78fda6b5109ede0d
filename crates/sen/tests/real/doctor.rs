//! `sen doctor`: what time and other machines bring about, each made so once, found and said with its
//! remedy. What is wrong with the files themselves: `crates/testbed/tests/breaks/doctor.rs`.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use exchange::envelope::{self, CONSUMER, EVIDENCE_VERSION, Evidence, Kept};
use kernel::limits::Limits;
use kernel::{Clock, Time, World};
use seal::batch::Sealed;
use sen::backup::site::{NodeAt, Site};
use sen::doctor::{self, Finding};
use sen::up::nation::SIMULATORS;
use store::{Database, Migrations, Store, StoreConfig};

use crate::house::server;

const MINUTE_MS: i64 = 60_000;

struct Set(Time);

impl Clock for Set {
    fn now(&self) -> Time {
        self.0
    }
}

/// A prepared nation that never ran.
struct Folder {
    data: PathBuf,
    world: World,
}

impl Folder {
    fn new(port: u16) -> Self {
        let world = World::of_this_machine();
        let data = std::env::temp_dir().join(format!("sen-looked-at-{}", world.id()));
        let pack = sen::config::Config::default().pack;
        sen::up::prepare::prepare(&data, &pack, port, &world).expect("prepared");
        Self { data, world }
    }

    fn site(&self) -> Site {
        let database = server().unwrap_or_else(|| "sqlite".to_owned());
        Site::of(&self.data, &database).expect("nodes")
    }

    /// The province.
    fn node(&self) -> NodeAt {
        let mut nodes = self.site().nodes.into_iter();
        nodes.find(|node| node.name == "province").expect("a province")
    }

    async fn open(&self, migrations: &[Migrations]) -> Store {
        let node = self.node();
        let config = StoreConfig {
            database: node.database,
            folder: node.folder,
            limits: Limits::default(),
            node: node.name,
        };
        let store = Store::open(&config, self.world.clone(), migrations).await;
        store.expect("a store")
    }

    /// What is found of a kind when the clock shows a time from now.
    async fn found(&self, check: &str, later_ms: i64) -> Vec<Finding> {
        let world = World {
            clock: Arc::new(Set(self.world.now().plus_ms(later_ms))),
            chance: self.world.chance.clone(),
        };
        let mut found = doctor::examine(&self.site(), &Limits::default(), &world).await;
        found.retain(|f| f.check == check && ["", "province"].contains(&f.node.as_str()));
        found
    }

    async fn forget(self) {
        for node in self.site().nodes {
            if let Database::Postgres { .. } = node.database {
                node.database.destroy().await.expect("the schema goes");
            }
        }
        std::fs::remove_dir_all(&self.data).expect("the folder goes");
    }
}

/// The one finding, whose text and remedy have these words.
fn says(found: &[Finding], what: &str, remedy: &str) {
    let [only] = found else {
        panic!("one finding, not {found:?}");
    };
    assert!(
        only.what.contains(what) && only.remedy.contains(remedy) && !only.why.is_empty(),
        "{only:?}"
    );
}

#[tokio::test]
async fn steps_of_the_schema_that_wait_for_a_start_are_found() {
    let folder = Folder::new(30_200);
    let all = sen::wiring::migrations();
    let (_, before) = all.split_last().expect("crates");
    folder.open(before).await.close().await;
    let found = folder.found("migrations", 0).await;
    says(
        &found,
        "of the schema are not applied",
        "take a backup (sen backup)",
    );
    folder.open(&all).await.close().await;
    assert_eq!(folder.found("migrations", 0).await, Vec::new());
    folder.forget().await;
}

/// A record of an exchange that ended at a time.
fn exchanged(at: Time) -> Vec<u8> {
    let sealed = Sealed {
        template: 1,
        signing_time: at.ms(),
        certificate: [0; 32],
        path: Vec::new(),
        signature: [0; 64],
    };
    let request = Kept {
        head: Vec::<u8>::new().into(),
        body: [0; 32],
        size: 0,
        sealed,
        stored: None,
    };
    envelope::write(&Evidence {
        version: EVIDENCE_VERSION,
        side: CONSUMER,
        began: at.ms(),
        ended: at.ms(),
        request,
        answer: None,
        fault: "service-unknown".to_owned(),
        forwarded: None,
        returned: None,
    })
}

#[tokio::test]
async fn evidence_that_waits_for_its_timestamp_is_found_on_either_engine() {
    let folder = Folder::new(30_260);
    let store = folder.open(&sen::wiring::migrations()).await;
    let log = store.log(exchange::STREAM).await.expect("a log");
    let now = folder.world.now();
    let records = vec![exchanged(now), exchanged(now.plus_ms(1_000))];
    log.append(records).await.expect("kept");
    store.close().await;
    assert_eq!(
        folder.found("timestamps", 9 * MINUTE_MS).await,
        Vec::new(),
        "a little while is no finding"
    );
    let found = folder.found("timestamps", 30 * MINUTE_MS).await;
    says(
        &found,
        "2 records of evidence have no timestamp, the oldest for ",
        "see that the timestamp authority of the directory is reached",
    );
    folder.forget().await;
}

#[tokio::test]
async fn a_clock_that_is_not_that_of_the_timestamp_authority_is_found() {
    // An authority whose clock stands in another year.
    let authority = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = authority.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in authority.incoming().take(4) {
            let mut stream = stream.expect("a caller");
            let mut asked = [0; 1_024];
            assert!(stream.read(&mut asked).expect("a question") > 0);
            let answer = "HTTP/1.1 405 Method Not Allowed\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                          content-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).expect("answered");
        }
    });
    let folder = Folder::new(port - SIMULATORS);
    folder.open(&sen::wiring::migrations()).await.close().await;
    let found = folder.found("clock", 0).await;
    says(
        &found,
        " s ahead of http://127.0.0.1:",
        "timedatectl set-ntp true",
    );
    folder.forget().await;
}

#[tokio::test]
async fn a_directory_that_the_hub_has_not_confirmed_is_found_while_the_node_runs() {
    let folder = Folder::new(30_320);
    folder.open(&sen::wiring::migrations()).await.close().await;
    let hours = 2 * 60 * MINUTE_MS;
    assert_eq!(
        folder.found("directory-age", hours).await,
        Vec::new(),
        "a node that does not run asks nobody"
    );
    let held = File::create(folder.node().folder.join("held")).expect("a file");
    held.try_lock().expect("nobody holds it");
    assert_eq!(folder.found("directory-age", 0).await, Vec::new());
    let found = folder.found("directory-age", hours).await;
    says(
        &found,
        "the hub confirmed the directory last 1",
        "see that the hub is reached from this machine",
    );
    // As the node does when the hub answers.
    let directory = folder.node().folder.join("directory.jws");
    let file = File::options().append(true).open(directory);
    let confirmed = std::time::SystemTime::UNIX_EPOCH
        + Duration::from_millis(u64::try_from(folder.world.now().ms() + hours).expect("after 1970"));
    file.expect("a file").set_modified(confirmed).expect("set");
    assert_eq!(folder.found("directory-age", hours).await, Vec::new());
    drop(held);
    folder.forget().await;
}
