//! `sen doctor`: each thing that can be wrong with a folder is made wrong, and found.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use kernel::limits::Limits;
use kernel::{Actor, Clock, Time, World};
use sen::backup::site::Site;
use sen::doctor::{self, Finding, mark};
use serde_json::json;
use store::{Database, Store, StoreConfig};
use testbed::ground;
use testbed::mounted::Mounted;

const DAY_MS: i64 = 86_400_000;

struct Set(Time);

impl Clock for Set {
    fn now(&self) -> Time {
        self.0
    }
}

fn later(world: &World, ms: i64) -> World {
    World {
        clock: std::sync::Arc::new(Set(world.now().plus_ms(ms))),
        chance: world.chance.clone(),
    }
}

async fn open(data: &Path, node: &str, world: &World) -> Store {
    let config = StoreConfig {
        database: Database::Sqlite(data.join(node).join("sen.db")),
        folder: data.join(node),
        limits: Limits::default(),
        node: node.to_owned(),
    };
    Store::open(&config, world.clone(), &sen::wiring::migrations())
        .await
        .expect("a store")
}

async fn prepared(data: &Path, world: &World) {
    sen::up::prepare::prepare(data, &sen::config::Config::default().pack, 30_060, world).expect("prepared");
    for node in ["national", "ministry", "province"] {
        open(data, node, world).await.close().await;
    }
}

async fn checks(data: &Path, world: &World) -> Vec<Finding> {
    let site = Site::of(data, "sqlite").expect("nodes");
    doctor::examine(&site, &Limits::default(), world).await
}

fn has(found: &[Finding], check: &str, words: &str) -> bool {
    found
        .iter()
        .any(|f| f.check == check && f.what.contains(words) && !f.why.is_empty() && !f.remedy.is_empty())
}

#[test]
fn what_is_wrong_with_a_folder_is_found_and_said_with_its_remedy() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("doctor", &world).expect("a folder");
        let data = folder.join("data");
        prepared(&data, &world).await;
        let found = checks(&data, &world).await;
        let disk_aside: Vec<_> = found.iter().filter(|f| f.check != "disk").collect();
        assert!(disk_aside.is_empty(), "a new folder is well: {disk_aside:?}");

        // Rights.
        let key = data.join("ministry/keys/node.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("set");
        assert!(has(
            &checks(&data, &world).await,
            "permissions",
            "node.key has mode 644"
        ));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("set");

        // A key of another certificate, and none.
        let own = fs::read(&key).expect("a key");
        let other = fs::read(data.join("national/keys/node.key")).expect("a key");
        fs::write(&key, other).expect("written");
        assert!(has(&checks(&data, &world).await, "keys", "node.key"));
        fs::remove_file(&key).expect("removed");
        assert!(has(&checks(&data, &world).await, "keys", "node.key"));
        fs::write(&key, own).expect("written");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("set");

        // Years later: certificates end, nobody checked or backed up.
        let found = checks(&data, &later(&world, 3_640 * DAY_MS)).await;
        assert!(has(&found, "certificate", "node.pem ends on"), "{found:?}");
        assert!(has(&found, "verified", "never") && has(&found, "backup", "never"));
        mark::set(&data, mark::VERIFIED, world.now());
        mark::set(&data, mark::BACKED_UP, world.now());
        let found = checks(&data, &later(&world, 6 * DAY_MS)).await;
        assert!(!has(&found, "verified", "") && !has(&found, "backup", ""));
        assert!(has(
            &checks(&data, &later(&world, 8 * DAY_MS)).await,
            "verified",
            "last on"
        ));

        // A clock that is behind what was signed.
        let found = checks(&data, &later(&world, -10 * 60_000)).await;
        assert!(has(&found, "clock", "future"), "{found:?}");

        // A line that nobody takes.
        let store = open(&data, "province", &world).await;
        let tenant = "H56".parse().expect("a code");
        store
            .write(&tenant, &Actor::Platform, |tx| async move {
                tx.outbox("status", "k", &json!({})).await
            })
            .await
            .expect("left");
        store.close().await;
        let found = checks(&data, &later(&world, 2 * 3_600_000)).await;
        assert!(has(&found, "outbox", "1 lines of status"), "{found:?}");

        // An older directory than a neighbour's.
        let token = fs::read(data.join("national/directory.jws")).expect("a directory");
        sen::up::prepare::prepare(&data, &sen::config::Config::default().pack, 30_120, &world)
            .expect("moved");
        fs::write(data.join("province/directory.jws"), &token).expect("written");
        assert!(has(&checks(&data, &world).await, "directory-age", "serial 1"));
        fs::write(data.join("province/directory.jws"), "nonsense").expect("written");
        assert!(has(&checks(&data, &world).await, "directory", "directory.jws"));

        // No database.
        fs::rename(data.join("ministry/sen.db"), data.join("away")).expect("moved");
        assert!(has(&checks(&data, &world).await, "database", "not there"));
        fs::remove_dir_all(&folder).ok();
    });
}

#[test]
fn a_disk_that_is_nearly_full_is_found() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("doctor-disk", &world).expect("a folder");
        let disk = Mounted::memory(folder.join("disk"), 32).expect("a small disk");
        let data = disk.path.join("data");
        prepared(&data, &world).await;
        assert!(has(&checks(&data, &world).await, "disk", "MB are free"));
        drop(disk);
        fs::remove_dir_all(&folder).ok();
    });
}
