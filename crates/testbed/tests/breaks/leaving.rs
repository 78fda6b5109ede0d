//! What is archived leaves the live log of a node that runs, by an operator's command: shown first, held back by
//! its class, stopped by a damaged archive; and the node goes on, starts again, and says where an exchange lives.

use std::fs;
use std::path::{Path, PathBuf};

use directory::keyring::Keyring;
use exchange::STREAM;
use exchange::envelope;
use kernel::{OrgCode, Time, World};
use sen::story::nation::Nation;
use sen::up::nation::Place;
use sen::up::prepare;
use serde_json::Value;
use testbed::birth;
use testbed::ground;
use testbed::people::Person;
use testbed::program::{Ended, call};

use crate::records;

const DAY_MS: i64 = 86_400_000;
const TRUST: [&str; 2] = ["--trust", "data/ca.pem"];
/// Records of the first archive, and of both: together more than a whole block of the index.
const FIRST: u64 = 4_000;
const BOTH: u64 = 4_150;

async fn sen(dir: &Path, words: &[&str]) -> Ended {
    call(words, dir).await.expect("it ends")
}

/// `sen evidence archive` at the national node, with more flags.
async fn archive(dir: &Path, more: &[&str]) -> Ended {
    let words = [
        "evidence", "archive", "--data", "data", "--node", "national", "--out", "archive", "--days", "0",
    ];
    sen(dir, &[&words[..], more].concat()).await
}

/// What would leave now.
async fn shown(dir: &Path, live_days: &str) -> Value {
    let more = ["--forget", "--dry-run", "--json", "--live-days", live_days];
    let ended = archive(dir, &more).await;
    let told: Value = serde_json::from_str(&ended.said).unwrap_or_else(|_| panic!("{}", ended.said));
    told[0].clone()
}

fn key(data: &Path, node: &str, org: &str) -> seal::key::Identity {
    let keys = Keyring::read_folder(&data.join(node).join("keys")).expect("keys");
    keys.seals[&org.parse::<OrgCode>().expect("a code")].clone()
}

/// Exchanges of some days ago in the national node's log, which does not run.
async fn exchanged(data: &Path, world: &World, from: u64, to: u64, days: i64) {
    let folder = data.join("national");
    let store = records::open(&folder, world).await;
    let (by, of) = (key(data, "national", "G22"), key(data, "ministry", "G01"));
    for seal in [&by, &of] {
        store.blobs().put(seal.certificate.der()).await.expect("kept");
    }
    let at = Time(world.now().ms() - days * DAY_MS);
    let made = (from..to)
        .map(|number| envelope::write(&records::record(number, &by, &of, at.plus_ms(number as i64))));
    let log = store.log(STREAM).await.expect("a log");
    log.append(made.collect()).await.expect("appended");
    store.close().await;
}

async fn archived(dir: &Path, to: u64) -> Vec<PathBuf> {
    let ends = format!("-{to:020}.archive");
    let all = ground::until("an archive", async || {
        let ended = archive(dir, &[]).await;
        anyhow::ensure!(ended.code == Some(0), "{}", ended.said);
        let all = sen::evidence::archive::listed(&dir.join("archive"))?;
        let last = all.last().map(|last| last.to_string_lossy().ends_with(&ends));
        Ok((last == Some(true)).then_some(all))
    });
    all.await.expect("archived")
}

#[test]
fn what_is_archived_leaves_a_node_that_runs_and_only_when_its_class_is_over_and_its_archive_is_good() {
    ground::run(async {
        let world = World::of_this_machine();
        let dir = ground::folder("leaving", &world).expect("a folder");
        let (program, data) = (ground::program().expect("the program"), dir.join("data"));
        let port = sen::story::nation::free_ports(&world).expect("ports");
        let pack = sen::config::Config::default().pack;
        prepare::prepare(&data, &pack, port, &world).expect("prepared");
        exchanged(&data, &world, 0, FIRST, 20).await;
        let mut nation = Nation::start_in(&program, data.clone(), Some(port), None, &world)
            .await
            .expect("a nation");
        archived(&dir, FIRST).await;
        nation.kill(Place::National).await.expect("it ends");
        exchanged(&data, &world, FIRST, BOTH, 10).await;
        nation.start_node(Place::National).await.expect("it starts");
        let all = archived(&dir, BOTH).await;

        // Neither the pack nor an operator says a number: everything stays.
        let told = shown(&dir, "0").await;
        assert_eq!(told["spans"][0]["held"], "for-good", "{told}");
        let told = shown(&dir, "30").await;
        assert_eq!(told["spans"][0]["held"], "by-class", "{told}");
        let told = shown(&dir, "15").await;
        let held: Vec<&Value> = told["spans"]
            .as_array()
            .expect("spans")
            .iter()
            .map(|s| &s["held"])
            .collect();
        assert_eq!(held, [&Value::Null, &"by-class".into()], "{told}");
        let told = shown(&dir, "5").await;
        assert_eq!(told["spans"][1]["held"], "by-index", "{told}");
        assert_eq!(
            (&told["live_from"], &told["spans"][0]["archive"]["next"]),
            (&0.into(), &FIRST.into())
        );

        damaged(&dir, &all[0]).await;
        let ended = archive(&dir, &[&["--forget", "--live-days", "5"], &TRUST[..]].concat()).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        assert!(
            ended
                .said
                .contains(&format!("The live log begins at {FIRST} now.")),
            "{}",
            ended.said
        );
        tells(&dir, &all[0]).await;
        let site = testbed::site::Site::of(nation.data.clone(), nation.port).expect("a site");
        nation.kill(Place::National).await.expect("it ends");
        nation.start_node(Place::National).await.expect("it starts again");
        tells(&dir, &all[0]).await;
        // The node goes on: a mother's form is filled by an exchange.
        let mut mother = Person::mother(&site).await.expect("signed in");
        let draft = birth::start(&mut mother).await.expect("a draft");
        birth::prefill(&mut mother, &draft).await.expect("an exchange");
        nation.stop().await;
        let ended = sen(&dir, &[&["verify", "data", "--json"], &TRUST[..]].concat()).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        fs::remove_dir_all(&dir).ok();
    });
}

/// A damaged archive stops what would leave, and is named.
async fn damaged(dir: &Path, file: &Path) {
    let whole = fs::read(file).expect("an archive");
    let mut bytes = whole.clone();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    fs::write(file, bytes).expect("written");
    let ended = archive(dir, &["--forget", "--live-days", "5", "--dry-run"]).await;
    assert!(
        ended.code == Some(1) && ended.said.contains("cannot be relied on"),
        "{ended:?}"
    );
    fs::write(file, whole).expect("brought back");
}

/// The first exchange is found, and everything that cannot give it says which archive does.
async fn tells(dir: &Path, file: &Path) {
    let request = format!("{:032x}", 0);
    let of = ["--data", "data", "--node", "national", "--request", &request];
    let found = sen(dir, &[&["evidence", "search", "--json"], &of[..]].concat()).await;
    let found: Value = serde_json::from_str(&found.said).unwrap_or_else(|_| panic!("{}", found.said));
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!(found[0]["exchanges"][0]["position"], 0, "{found}");
    assert_eq!(found[0]["archives"][0]["file"], name.as_str(), "{found}");
    let none = sen(dir, &[&["evidence", "export"], &of[..]].concat()).await;
    assert!(none.code == Some(1) && none.said.contains(&name), "{none:?}");
    let path = format!("archive/{name}");
    let out = format!("{}.asice", World::of_this_machine().id());
    let words = [
        "evidence",
        "export",
        "--archive",
        &path,
        "--request",
        &request,
        "--out",
        &out,
    ];
    let ended = sen(dir, &words).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let ended = sen(dir, &[&["verify", &out], &TRUST[..]].concat()).await;
    assert_ne!(ended.code, Some(1), "{}", ended.said);
}
