//! A disk that fills up under one node of two that exchange, and is freed again without a restart: the
//! provider's, then the consumer's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use kernel::World;
use sen::config::Config;
use sen::story::nation::{Nation, free_ports};
use sen::up::nation::Place;
use sen::up::prepare::{self, Layout};
use testbed::audit::Found;
use testbed::effects::{self, Counter};
use testbed::mounted::Mounted;
use testbed::people::Person;
use testbed::site::Site;
use testbed::{audit, exchanges, ground};
use tokio::sync::watch;

/// Each disk, in megabytes.
const DISK_MB: u64 = 48;
/// Calls made at most until none passes any more, count: what is free inside the files takes some.
const CALLS: u64 = 2_000;
/// So many refusals one after the other, and the disk is full.
const REFUSED: usize = 10;
/// How soon exchanges go on once there is room, also on a machine that is busy: what waits for room looks again
/// after a second (`store::facts`).
const RESUMES: Duration = Duration::from_secs(20);

/// Gives a node's folder a disk of its own.
fn own_disk(data: &Path, place: Place) -> Mounted {
    let folder = Layout::of(data).node(place);
    let aside = folder.with_extension("aside");
    fs::rename(&folder, &aside).expect("moved");
    let disk = Mounted::memory(folder.clone(), DISK_MB).expect("a small disk");
    let copied = Command::new("cp")
        .arg("-a")
        .arg(aside.join("."))
        .arg(&folder)
        .status();
    assert!(copied.expect("cp").success());
    fs::remove_dir_all(&aside).expect("removed");
    disk
}

/// Takes all room that is left.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).expect("a file");
    for size in [1 << 20, 4_096, 512, 1] {
        let bytes = vec![7_u8; size];
        while file.write_all(&bytes).is_ok() {}
    }
    path
}

/// A system that counts upwards, and the service that counts with it.
struct Numbers<'a> {
    site: &'a Site,
    counter: Arc<Counter>,
    /// Odd ones: without a key, so that each goes once.
    last: u64,
    acknowledged: BTreeMap<String, [Place; 2]>,
}

impl Numbers<'_> {
    async fn next(&mut self) -> (u16, String) {
        self.next_as("application/json").await
    }

    /// Sends the next one; its status and the code of a refusal.
    async fn next_as(&mut self, accept: &str) -> (u16, String) {
        self.last += 2;
        let answer = effects::send_as(self.site, self.last, accept)
            .await
            .expect("an answer");
        if answer.status == 200 {
            let id = answer.headers["x-road-request-id"].to_str().expect("text");
            self.acknowledged.insert(id.to_owned(), effects::NODES);
        }
        (answer.status, answer.problem())
    }

    /// What the service did so far, count.
    fn effects(&self) -> usize {
        self.counter.came().values().map(|came| came.effects).sum()
    }

    /// Sends until the disk is full, then some more: what they are told, and that nothing is done any more.
    async fn refused(&mut self) -> (u16, String) {
        let (mut refused, mut told) = (0, (0, String::new()));
        while refused < REFUSED {
            assert!(self.last < CALLS, "the disk is not full");
            told = self.next().await;
            refused = if told.0 == 200 { 0 } else { refused + 1 };
        }
        let done = self.effects();
        for _ in 0..REFUSED {
            assert_eq!(self.next().await, told, "as long as there is no room");
        }
        assert_eq!(self.effects(), done, "nothing is done that cannot be recorded");
        told
    }

    /// Exchanges go on by themselves.
    async fn resumes(&mut self) {
        let again = async {
            while self.next().await.0 != 200 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let soon = tokio::time::timeout(RESUMES, again).await;
        soon.expect("exchanges go on without a restart");
        for _ in 0..3 {
            assert_eq!(self.next().await.0, 200);
        }
    }
}

/// Searching, proving and listing go on while there is no room.
async fn reads(operator: &mut Person, request: &str) {
    for path in [
        "/exchange/evidence".to_owned(),
        format!("/exchange/evidence/{request}"),
        format!("/api/v1/exchange/evidence?request={request}"),
        format!("/api/v1/exchange/exchanges/{request}/proof"),
    ] {
        let read = operator.get(&path).await.expect("an answer");
        assert_eq!(read.status, 200, "{path}: {}", read.text());
    }
}

#[test]
fn an_exchange_whose_evidence_finds_no_room_is_refused_at_either_side_and_goes_on_by_itself() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("full-exchange", &world).expect("a folder");
        let (data, program) = (folder.join("data"), ground::program().expect("the program"));
        let port = free_ports(&world).expect("ports");
        prepare::prepare(&data, &Config::default().pack, port, &world).expect("prepared");
        let disks = effects::NODES.map(|place| own_disk(&data, place));
        let nation = Nation::start_in(&program, data, Some(port), None, &world)
            .await
            .expect("a nation");
        let site = Site::of(nation.data.clone(), nation.port).expect("a site");
        let counter = Arc::new(Counter::default());
        let (_service, ends) = watch::channel(false);
        let service = effects::serve(Arc::clone(&counter), ends)
            .await
            .expect("a service");
        effects::connect(&site, &service, &world).await.expect("agreed");
        let mut numbers = Numbers {
            site: &site,
            counter,
            last: 1,
            acknowledged: BTreeMap::new(),
        };
        assert_eq!(numbers.next().await.0, 200);
        let seen = numbers.acknowledged.keys().next().expect("one").clone();

        // X-Road has 500 for both; who takes problems is told whose disk it is by the status.
        let [consumer, provider] = &disks;
        for (place, disk, told, own) in [
            (Place::Ministry, provider, "Server.ServerProxy.LoggingFailed", 503),
            (Place::Province, consumer, "Server.ClientProxy.LoggingFailed", 507),
        ] {
            let mut operator = Person::official(&site, "operator", place)
                .await
                .expect("signed in");
            let filler = fill(&disk.path);
            let (status, code) = numbers.refused().await;
            assert_eq!((status, code.as_str()), (500, told), "{}", place.id());
            let plain = numbers.next_as("application/problem+json").await;
            assert_eq!(plain, (own, "no-room".to_owned()), "{}", place.id());
            reads(&mut operator, &seen).await;
            fs::remove_file(filler).expect("room");
            numbers.resumes().await;
        }
        let mut found = Found::default();
        exchanges::audit(&site, &numbers.acknowledged, &mut found)
            .await
            .expect("an audit");
        assert_eq!(found.faults, Vec::<String>::new());
        audit::logs(&site, &program).expect("TOTAL-PASSED");
        nation.stop().await;
        drop(disks);
        fs::remove_dir_all(&folder).ok();
    });
}
