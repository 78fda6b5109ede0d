//! The drill: a backup while people work, the machine lost, a restore on an empty one.

use std::sync::Arc;
use std::time::Duration;

use kernel::World;
use sen::backup::site::{Rows, Site as Folder};
use sen::backup::{restore, take};
use sen::story::nation::Nation;
use store::Database;
use testbed::birth::{self, Answers};
use testbed::load::{self, Form, Ledger};
use testbed::people::Person;
use testbed::site::Site;
use testbed::{audit, ground};
use tokio::sync::watch;
use tokio::task::JoinSet;

const PHRASE: &str = "a passphrase of a test";

fn database() -> Option<String> {
    std::env::var("SEN_TEST_POSTGRES").ok()
}

fn rows() -> String {
    database().unwrap_or_else(|| "sqlite".to_owned())
}

#[test]
fn a_backup_taken_under_load_brings_back_what_was_acknowledged_before() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("backup", &world).expect("a folder");
        let program = ground::program().expect("the program");
        let nation = Nation::start_in(&program, folder.join("data"), None, database(), &world)
            .await
            .expect("a nation");
        let ledger = Arc::new(Ledger::default());
        let (stop, stopped) = watch::channel(false);
        let mut people = JoinSet::new();
        let there = Site::of(nation.data.clone(), nation.port).expect("a site");
        let form = Form {
            answers: Answers::usual(&world).expect("answers"),
            paper: Arc::new(birth::paper(&world).expect("a paper")),
            world: world.clone(),
        };
        people.spawn(load::citizen(
            0,
            there.clone(),
            ledger.clone(),
            form,
            stopped.clone(),
        ));
        people.spawn(load::officials(there, ledger.clone(), stopped));
        ground::until("two cases are filed", async || {
            Ok((ledger.filed().len() >= 2).then_some(()))
        })
        .await
        .expect("filed");
        let before = ledger.filed();

        let at = Folder::of(&nation.data, &rows()).expect("nodes");
        let file = folder.join("nation.backup");
        let taken = take::take(&at, &file, PHRASE, &world, |_| ())
            .await
            .expect("a backup");
        assert_eq!(taken.manifest.nodes.len(), 3);
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.send(true).ok();
        people.abort_all();
        let port = nation.port;
        nation.stop().await;
        // The machine is lost, with its rows wherever they were.
        for node in &at.nodes {
            if let Database::Postgres { .. } = node.database {
                node.database.destroy().await.expect("the schema goes");
            }
        }
        std::fs::remove_dir_all(folder.join("data")).expect("the disk is gone");

        let new = folder.join("restored");
        let wrong = restore::restore(
            &file,
            &new,
            "another passphrase",
            &Rows::of(&rows()),
            &world,
            |_| (),
        )
        .await;
        assert!(
            wrong.is_err() && !new.exists(),
            "nothing is left of a refused restore"
        );
        restore::restore(&file, &new, PHRASE, &Rows::of(&rows()), &world, |_| ())
            .await
            .expect("restored");
        let again = restore::restore(&file, &new, PHRASE, &Rows::of(&rows()), &world, |_| ()).await;
        assert!(again.expect_err("not empty").to_string().contains("not empty"));

        let nation = Nation::start_in(&program, new, Some(port), database(), &world)
            .await
            .expect("it starts");
        let site = Site::of(nation.data.clone(), nation.port).expect("a site");
        let mut mother = Person::mother(&site).await.expect("signed in");
        for code in &before {
            let case = mother
                .get(&format!("/api/v1/cases/{code}"))
                .await
                .expect("an answer");
            case.ok()
                .unwrap_or_else(|e| panic!("{code} was acknowledged before the backup: {e}"));
        }
        let answers = Answers::usual(&world).expect("answers");
        let paper = birth::paper(&world).expect("a paper");
        birth::whole(&mut mother, &answers, &paper)
            .await
            .expect("life goes on");
        nation.stop().await;
        if database().is_none() {
            audit::logs(&site, &program).expect("TOTAL-PASSED");
        }
        std::fs::remove_dir_all(&folder).ok();
    });
}

#[test]
fn a_backup_with_a_flipped_bit_or_cut_short_is_refused_and_leaves_nothing() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("backup-damaged", &world).expect("a folder");
        let data = folder.join("data");
        sen::up::prepare::prepare(&data, &sen::config::Config::default().pack, 30_000, &world)
            .expect("prepared");
        let config = store::StoreConfig {
            database: Database::Sqlite(data.join("national/sen.db")),
            folder: data.join("national"),
            limits: kernel::limits::Limits::default(),
            node: "national".to_owned(),
        };
        for node in ["national", "ministry", "province"] {
            let own = store::StoreConfig {
                database: Database::Sqlite(data.join(node).join("sen.db")),
                folder: data.join(node),
                ..config.clone()
            };
            let store = store::Store::open(&own, world.clone(), &sen::wiring::migrations()).await;
            store.expect("a store").close().await;
        }
        let at = Folder::of(&data, "sqlite").expect("nodes");
        let file = folder.join("whole.backup");
        take::take(&at, &file, PHRASE, &world, |_| ())
            .await
            .expect("a backup");
        let bytes = std::fs::read(&file).expect("there");
        let to = folder.join("to");
        for at in [12, bytes.len() / 3, bytes.len() - 2] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            std::fs::write(folder.join("bad"), flipped).expect("written");
            let done = restore::restore(
                &folder.join("bad"),
                &to,
                PHRASE,
                &Rows::of("sqlite"),
                &world,
                |_| (),
            )
            .await;
            assert!(done.is_err() && !to.exists(), "a flipped bit at {at}");
        }
        std::fs::write(folder.join("bad"), &bytes[..bytes.len() - 50]).expect("written");
        let done = restore::restore(
            &folder.join("bad"),
            &to,
            PHRASE,
            &Rows::of("sqlite"),
            &world,
            |_| (),
        )
        .await;
        assert!(done.is_err() && !to.exists());
        restore::restore(&file, &to, PHRASE, &Rows::of("sqlite"), &world, |_| ())
            .await
            .expect("the whole one");
        std::fs::remove_dir_all(&folder).ok();
    });
}
