//! What is archived leaves a log from the front: roots and proofs go on over the cut, in files and in rows, and
//! a crash at any place leaves one state or the other.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kernel::Digest;
use kernel::limits::Limits;
use seal::key::SigningKey;
use seal::merkle;
use store::log::beside::Beside;
use store::log::files::{each, verify};
use store::{Database, Engine, RecordLog, Store, StoreConfig};
use testkit::TempDir;

const STREAM: &str = "evidence-0";
const RECORDS: u64 = 1_300;

fn record(i: u64) -> Vec<u8> {
    format!(
        "record {i} {}",
        "x".repeat(usize::try_from(i % 40).expect("small"))
    )
    .into_bytes()
}

fn leaves(count: u64) -> Vec<Digest> {
    (0..count).map(|i| merkle::leaf_hash(&record(i))).collect()
}

fn limits() -> Limits {
    Limits {
        segment_bytes_max: 4_000,
        ..Limits::default()
    }
}

/// Appends records from a position on, some at a time, with a signed root at each of some positions.
async fn fill(store: &Store, from: u64, to: u64, signed: &[u64]) {
    let (log, key) = (store.log(STREAM).await.expect("a log"), SigningKey::generate());
    let mut next = from;
    while next < to {
        let stop = signed.iter().copied().filter(|at| *at > next).min();
        let end = to.min(next + 40).min(stop.unwrap_or(u64::MAX));
        log.append((next..end).map(record).collect())
            .await
            .expect("appended");
        next = end;
        if signed.contains(&next) {
            store.checkpoint(STREAM, &key, "k").await.expect("a root");
        }
    }
}

/// The log is as one from which nothing left, but for what is in front of a position.
async fn is_whole_from(log: &Arc<dyn RecordLog>, first: u64, next: u64) {
    let all = leaves(next);
    assert_eq!((log.first().await, log.len().await), (first, next));
    assert_eq!(log.root(next).await.expect("a root"), merkle::root(&all));
    for size in [first, first + 1, (first + 300) / 256 * 256, next]
        .into_iter()
        .filter(|size| *size <= next)
    {
        let then = usize::try_from(size).expect("small");
        let root = merkle::root(&all[..then]);
        assert_eq!(log.root(size).await.expect("a root"), root, "{size} from {first}");
        assert_eq!(
            log.consistency(size, next).await.expect("a proof"),
            merkle::consistency(&all, size, next),
            "{size} from {first}"
        );
        for position in [first, (first + size) / 2, size.saturating_sub(1)] {
            if (first..size).contains(&position) {
                let path = log.inclusion(position, size).await.expect("a path");
                assert_eq!(
                    path,
                    merkle::inclusion(&all[..then], position),
                    "{position} in {size} from {first}"
                );
            }
        }
    }
    for (from, limit) in [(first, 5), (first + 100, 400), (next - 1, 9), (first, 5_000)] {
        let there = (from..next)
            .map(|i| (i, record(i)))
            .take(limit)
            .collect::<Vec<_>>();
        assert_eq!(
            log.read(from, limit).await.expect("records"),
            there,
            "{limit} from {from}"
        );
    }
    for position in [0, first / 2, first.saturating_sub(1)]
        .into_iter()
        .filter(|at| *at < first)
    {
        let problem = log.read(position, 1).await.expect_err("it has left");
        assert_eq!(problem.code, "log-archived", "{problem}");
        assert_eq!(problem.args, [("first", first.to_string())]);
    }
}

#[tokio::test]
async fn roots_and_proofs_of_what_is_there_hold_over_the_cut_and_after_a_restart() {
    let cuts = [1, 40, 255, 256, 257, 300, 511, 700, 768, 1_299, RECORDS];
    let mut temp = testkit::store_with(&[], limits()).await;
    fill(&temp.store, 0, RECORDS, &cuts).await;
    let mut next = RECORDS;
    for cut in cuts {
        temp.store.forget(STREAM, cut).await.expect("it leaves");
        let log = temp.store.log(STREAM).await.expect("the log");
        if cut < next {
            is_whole_from(&log, cut, next).await;
        }
        // The log goes on, and so it does after a restart.
        fill(&temp.store, next, next + 7, &[]).await;
        next += 7;
        is_whole_from(&log, cut, next).await;
        temp.store.close().await;
        temp.reopen().await.expect("opened again");
        let log = temp.store.log(STREAM).await.expect("the log");
        is_whole_from(&log, cut, next).await;
        fill(&temp.store, next, next + 3, &[]).await;
        next += 3;
        is_whole_from(&log, cut, next).await;
        // What has left stays away, and leaving twice changes nothing.
        temp.store
            .forget(STREAM, cut.min(200))
            .await
            .expect("it has left already");
        is_whole_from(&log, cut, next).await;
    }
}

#[tokio::test]
async fn only_what_stands_under_a_signed_root_of_just_that_length_leaves() {
    let temp = testkit::store_with(&[], limits()).await;
    fill(&temp.store, 0, 600, &[300]).await;
    for unsigned in [1, 299, 301, 600] {
        let problem = temp.store.forget(STREAM, unsigned).await.expect_err("not signed");
        assert_eq!(problem.code, "log-unsigned", "{unsigned}");
    }
    assert!(
        temp.store.forget(STREAM, 601).await.is_err(),
        "there are not so many"
    );
    let log = temp.store.log(STREAM).await.expect("the log");
    assert_eq!(log.first().await, 0);
    temp.store.forget(STREAM, 300).await.expect("signed");
    assert_eq!(log.first().await, 300);
}

#[tokio::test]
async fn readers_beside_the_node_and_a_copy_of_its_rows_begin_where_the_log_begins() {
    let temp = testkit::store_with(&[], limits()).await;
    let logs = temp.config.folder.join("logs");
    fill(&temp.store, 0, 900, &[500, 900]).await;
    let database = &temp.config.database;
    let beside = Beside::open(database, &logs, STREAM).await.expect("opened");
    assert_eq!(
        (
            beside.first().await.expect("asked"),
            beside.read(0, 1).await.expect("read").len()
        ),
        (0, 1)
    );
    temp.store.forget(STREAM, 500).await.expect("it leaves");
    assert_eq!(beside.first().await.expect("asked"), 500);
    for (from, limit) in [(500, 3), (520, 300), (899, 5)] {
        let log = temp.store.log(STREAM).await.expect("the log");
        let wanted = log.read(from, limit).await.expect("read");
        assert_eq!(beside.read(from, limit).await.expect("read"), wanted);
    }
    assert_eq!(
        beside.read(499, 5).await.expect_err("it has left").code,
        "log-archived"
    );
    let dir = TempDir::new();
    let folder = if temp.store.engine() == Engine::Sqlite {
        logs.join(STREAM)
    } else {
        store::log::export::export(database, &logs, dir.path())
            .await
            .expect("taken away");
        dir.path().join(STREAM)
    };
    let report = verify(&folder);
    assert_eq!(
        (report.first, report.records, report.first_bad),
        (500, 900, None),
        "{report:?}"
    );
    assert_eq!(report.root, merkle::root(&leaves(900)));
    let mut seen = Vec::new();
    let walked = each(&folder, |position, bytes| {
        assert_eq!(bytes, record(position));
        seen.push(position);
        Ok::<(), (u64, String)>(())
    });
    walked.expect("whole");
    assert_eq!(seen, (500..900).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_backup_has_the_tree_over_what_has_left_and_its_log_opens_elsewhere() {
    let (dir, config) = in_files();
    let store = Store::open(&config, testkit::world(3).0, &[])
        .await
        .expect("a store");
    fill(&store, 0, 900, &[500, 900]).await;
    for cut in [500, 900] {
        store.forget(STREAM, cut).await.expect("it leaves");
        let from = dir.path().join("logs").join(STREAM);
        let span = store::backup::span(&from, None).expect("a span");
        assert_eq!((span.records, span.root), (900, merkle::root(&leaves(900))));
        let other = TempDir::new();
        let to = other.path().join("logs").join(STREAM);
        std::fs::create_dir_all(&to).expect("a folder");
        let files = span.segments.iter().map(|(path, _)| path).chain(&span.before);
        for file in files {
            std::fs::copy(file, to.join(file.file_name().expect("a name"))).expect("copied");
        }
        let report = verify(&to);
        assert_eq!(
            (report.first, report.records, report.first_bad),
            (cut, 900, None),
            "{report:?}"
        );
    }
}

#[tokio::test]
async fn a_changed_tree_over_what_has_left_and_a_missing_segment_are_found() {
    let (dir, config) = in_files();
    let store = Store::open(&config, testkit::world(3).0, &[])
        .await
        .expect("a store");
    fill(&store, 0, 900, &[500, 900]).await;
    store.forget(STREAM, 500).await.expect("it leaves");
    store.close().await;
    let folder = dir.path().join("logs").join(STREAM);
    let tree = folder.join("before.tree");
    let whole = std::fs::read(&tree).expect("there");
    let mut bytes = whole.clone();
    bytes[40] ^= 1;
    std::fs::write(&tree, &bytes).expect("flipped");
    assert_eq!(verify(&folder).first_bad, Some(0));
    // With its sum made anew: the signed root tells.
    let end = bytes.len() - 32;
    let sum = Digest::of(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.0);
    std::fs::write(&tree, &bytes).expect("forged");
    let report = verify(&folder);
    assert!(
        report.first_bad == Some(500) && report.why.contains("checkpoint of 500"),
        "{report:?}"
    );
    // Without it the log does not begin at 0, and nobody says why.
    std::fs::remove_file(&tree).expect("taken away");
    assert_eq!(verify(&folder).first_bad, Some(0));
    std::fs::write(&tree, &whole).expect("brought back");
    assert_eq!(verify(&folder).first_bad, None);
    let first = std::fs::read_dir(&folder).expect("a folder").filter_map(|entry| {
        let path = entry.expect("an entry").path();
        path.extension().is_some_and(|e| e == "seg").then_some(path)
    });
    std::fs::remove_file(first.min().expect("a segment")).expect("taken away");
    assert!(verify(&folder).first_bad.is_some());
}

/// The child's part of the next test: the folder, and the site of its death in the usual variable.
const CHILD: &str = "SEN_TEST_LEAVING";

#[tokio::test]
async fn a_crash_at_any_place_leaves_the_log_as_it_was_or_as_it_should_be() {
    if let Ok(folder) = std::env::var(CHILD) {
        let store = open(Path::new(&folder)).await;
        store.forget(STREAM, 700).await.expect("it leaves");
        println!("alive");
        return;
    }
    let (me, name) = (
        std::env::current_exe().expect("this test's binary"),
        "leaving::a_crash_at_any_place_leaves_the_log_as_it_was_or_as_it_should_be",
    );
    let places = store::fault::LEAVING.iter().map(|site| format!("{site}:1"));
    for place in places.chain(["segment-left:2".to_owned()]) {
        let (dir, config) = in_files();
        let store = Store::open(&config, testkit::world(3).0, &[])
            .await
            .expect("a store");
        fill(&store, 0, 900, &[300, 700]).await;
        store.forget(STREAM, 300).await.expect("it leaves");
        store.close().await;
        let died = Command::new(&me)
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, dir.path())
            .env(store::fault::VARIABLE, &place)
            .output()
            .expect("a child");
        assert!(
            !String::from_utf8_lossy(&died.stdout).contains("alive"),
            "{place}"
        );
        let folder = dir.path().join("logs").join(STREAM);
        let report = verify(&folder);
        assert_eq!(
            (report.first_bad, report.records),
            (None, 900),
            "{place}: {report:?}"
        );
        let named = !["before-half:1", "before-written:1"].contains(&place.as_str());
        assert_eq!(report.first, if named { 700 } else { 300 }, "{place}");
        let store = open(dir.path()).await;
        let log = store.log(STREAM).await.expect("the log");
        is_whole_from(&log, report.first, 900).await;
        store.forget(STREAM, 700).await.expect("it leaves");
        is_whole_from(&log, 700, 900).await;
        let held = std::fs::read_dir(&folder)
            .expect("a folder")
            .filter_map(Result::ok);
        let begins = held.filter_map(|file| {
            file.file_name()
                .to_str()?
                .strip_suffix(".seg")?
                .parse::<u64>()
                .ok()
        });
        let begins: Vec<u64> = begins.collect();
        assert!(
            begins.iter().filter(|first| **first <= 700).count() == 1,
            "{place}: {begins:?}"
        );
    }
}

fn in_files() -> (TempDir, StoreConfig) {
    let dir = TempDir::new();
    let config = config(dir.path());
    (dir, config)
}

fn config(folder: &Path) -> StoreConfig {
    StoreConfig {
        database: Database::Sqlite(folder.join("sen.db")),
        folder: folder.to_owned(),
        limits: limits(),
        node: "test".to_owned(),
    }
}

async fn open(folder: &Path) -> Store {
    Store::open(&config(folder), testkit::world(3).0, &[])
        .await
        .expect("a store")
}
