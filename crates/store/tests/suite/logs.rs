//! Record logs: the same records, roots and proofs in files and in rows; damage found by position.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kernel::Digest;
use kernel::limits::Limits;
use seal::merkle;
use store::log::beside::Beside;
use store::log::files::verify;
use store::{Database, Engine, Store, StoreConfig, StoreError};
use testkit::TempDir;
use tokio::task::JoinSet;

fn record(i: usize) -> Vec<u8> {
    format!("record {i} {}", "x".repeat(i % 40)).into_bytes()
}

#[tokio::test]
async fn records_roots_and_proofs_survive_a_restart() {
    let mut temp = testkit::store_with(
        &[],
        Limits {
            segment_bytes_max: 4_000,
            ..Default::default()
        },
    )
    .await;
    let log = temp.store.log("evidence-0").await.expect("a log");
    for from in (0..600).step_by(40) {
        let first = log
            .append((from..from + 40).map(record).collect())
            .await
            .expect("appended");
        assert_eq!(first, from as u64);
    }
    let leaves: Vec<Digest> = (0..600).map(|i| merkle::leaf_hash(&record(i))).collect();
    for again in [false, true] {
        if again {
            temp.store.close().await;
            temp.reopen().await.expect("opened again");
        }
        let log = temp.store.log("evidence-0").await.expect("the log");
        assert_eq!(log.len().await, 600);
        assert_eq!(log.root(600).await.expect("a root"), merkle::root(&leaves));
        assert_eq!(log.root(301).await.expect("a root"), merkle::root(&leaves[..301]));
        assert_eq!(
            log.inclusion(299, 600).await.expect("a path"),
            merkle::inclusion(&leaves, 299)
        );
        assert_eq!(
            log.consistency(299, 600).await.expect("a proof"),
            merkle::consistency(&leaves, 299, 600)
        );
        let read = log.read(250, 30).await.expect("records");
        let expected: Vec<(u64, Vec<u8>)> = (250..280).map(|i| (i as u64, record(i))).collect();
        assert_eq!(read, expected);
        assert_eq!(
            log.read(590, 100).await.expect("records").len(),
            10,
            "no more than there are"
        );
        assert!(log.read(600, 1).await.expect("none").is_empty());
        assert!(log.root(601).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_of_many_callers_stand_whole_and_once() {
    let temp = testkit::store(&[]).await;
    let log = temp.store.log("evidence-0").await.expect("a log");
    let mut appends = JoinSet::new();
    for caller in 0..64_usize {
        let log = Arc::clone(&log);
        appends.spawn(async move {
            let records = vec![
                format!("{caller}/0").into_bytes(),
                format!("{caller}/1").into_bytes(),
            ];
            (caller, log.append(records).await.expect("appended"))
        });
    }
    let placed = appends.join_all().await;
    let read = log.read(0, 1_000).await.expect("records");
    assert_eq!(read.len(), 128);
    for (caller, first) in placed {
        let first = usize::try_from(first).expect("small");
        assert_eq!(read[first].1, format!("{caller}/0").into_bytes());
        assert_eq!(read[first + 1].1, format!("{caller}/1").into_bytes());
    }
    assert!(
        log.append(vec![Vec::new()]).await.is_err(),
        "a record is never empty"
    );
}

#[tokio::test]
async fn a_checkpoint_states_length_and_root_under_the_nodes_key() {
    let temp = testkit::store(&[]).await;
    let log = temp.store.log("evidence-0").await.expect("a log");
    log.append((0..3).map(record).collect()).await.expect("appended");
    let key = seal::key::SigningKey::generate();
    let token = temp
        .store
        .checkpoint("evidence-0", &key, "node-key")
        .await
        .expect("a checkpoint");
    let public = seal::jws::PublicKey::of(&key);
    let verified = seal::jws::verify(&token, "sen-checkpoint", |kid| {
        (kid == "node-key").then(|| public.clone())
    });
    let payload = verified.expect("its own signature").into_inner();
    let checkpoint: store::log::checkpoint::Checkpoint =
        serde_json::from_slice(&payload).expect("a checkpoint");
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("test", 3));
    assert_eq!(checkpoint.root, log.root(3).await.expect("a root"));
    let kept = store::log::checkpoint::read(&temp.dir.path().join("logs/evidence-0"));
    assert_eq!(kept, [checkpoint]);
}

/// A store whose logs are files whatever the suite's engine is, with ten records in "evidence-0".
async fn in_files() -> (TempDir, StoreConfig, PathBuf) {
    let dir = TempDir::new();
    let config = StoreConfig {
        database: Database::Sqlite(dir.path().join("sen.db")),
        folder: dir.path().to_owned(),
        limits: Limits::default(),
        node: "test".to_owned(),
    };
    let store = open(&config).await;
    let log = store.log("evidence-0").await.expect("a log");
    log.append((0..10).map(record).collect()).await.expect("appended");
    store.close().await;
    let folder = dir.path().join("logs/evidence-0");
    (dir, config, folder)
}

async fn open(config: &StoreConfig) -> Store {
    Store::open(config, testkit::world(2).0, &[])
        .await
        .expect("opened")
}

fn segment(folder: &Path) -> PathBuf {
    folder.join("00000000000000000000.seg")
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_the_log_goes_on() {
    let (_dir, config, folder) = in_files().await;
    let whole = std::fs::read(segment(&folder)).expect("the segment");
    let last = record(9).len() + 8;
    for cut in [1, last / 2, last - 1] {
        std::fs::write(segment(&folder), &whole[..whole.len() - cut]).expect("cut");
        let report = verify(&folder);
        assert_eq!(
            (report.records, report.first_bad, report.torn_tail),
            (9, None, true),
            "cut by {cut}"
        );
        let store = open(&config).await;
        let log = store.log("evidence-0").await.expect("repaired");
        assert_eq!(log.len().await, 9);
        assert_eq!(log.append(vec![record(9)]).await.expect("appended"), 9);
        store.close().await;
        assert_eq!(
            std::fs::read(segment(&folder)).expect("the segment"),
            whole,
            "the same bytes again"
        );
        assert!(!verify(&folder).torn_tail);
    }
}

#[tokio::test]
async fn a_segment_begun_before_a_crash_is_gone_on_with() {
    for begun in ["", "SEN", "SENLOG1\n"] {
        let (_dir, config, folder) = in_files().await;
        std::fs::write(folder.join("00000000000000000010.seg"), begun).expect("begun");
        assert_eq!(verify(&folder).first_bad, None, "{begun:?}");
        let store = open(&config).await;
        let log = store.log("evidence-0").await.expect("the log");
        assert_eq!(log.read(0, 100).await.expect("records").len(), 10);
        assert_eq!(log.append(vec![record(10)]).await.expect("appended"), 10);
        assert_eq!(
            log.read(9, 100).await.expect("records").len(),
            2,
            "across both segments"
        );
        store.close().await;
        assert_eq!(verify(&folder).records, 11);
    }
}

#[tokio::test]
async fn a_missing_segment_is_damage_where_it_began() {
    let (_dir, _, folder) = in_files().await;
    std::fs::rename(segment(&folder), folder.join("00000000000000000003.seg")).expect("renamed");
    assert_eq!(verify(&folder).first_bad, Some(0));
}

#[tokio::test]
async fn a_flipped_bit_is_found_with_its_position() {
    let (_dir, config, folder) = in_files().await;
    let whole = std::fs::read(segment(&folder)).expect("the segment");
    let mut start = 8;
    for i in 0..10_u64 {
        let length = record(usize::try_from(i).expect("small")).len() + 8;
        // In the length's low and high byte, the checksum and the payload.
        for (byte, bit) in [(0, 0), (3, 7), (5, 3), (8, 0), (length - 1, 7)] {
            let mut bytes = whole.clone();
            bytes[start + byte] ^= 1 << bit;
            std::fs::write(segment(&folder), &bytes).expect("flipped");
            let report = verify(&folder);
            if i == 9 && byte < 4 {
                // Nothing follows the last record: only a checkpoint tells this from a crash.
                assert!(report.torn_tail || report.first_bad == Some(9));
                continue;
            }
            assert_eq!(
                (report.first_bad, report.records),
                (Some(i), i),
                "record {i} byte {byte} bit {bit}"
            );
            let store = open(&config).await;
            let opened = store.open_for_test("evidence-0").await;
            assert!(opened.contains(&format!("position {i}")), "{opened}");
        }
        start += length;
    }
}

trait OpenForTest {
    async fn open_for_test(&self, stream: &str) -> String;
}

impl OpenForTest for Store {
    /// The refusal of a damaged log, as the log of events would show it.
    async fn open_for_test(&self, stream: &str) -> String {
        match self.log(stream).await {
            Ok(_) => "opened".to_owned(),
            Err(problem) => {
                assert_eq!(problem.code, "log-damaged");
                problem.to_string()
            }
        }
    }
}

#[tokio::test]
async fn records_changed_or_lost_before_a_checkpoint_are_found() {
    let (_dir, config, folder) = in_files().await;
    let store = open(&config).await;
    store
        .checkpoint("evidence-0", &seal::key::SigningKey::generate(), "k")
        .await
        .expect("a checkpoint");
    store.close().await;
    let whole = std::fs::read(segment(&folder)).expect("the segment");
    assert_eq!(verify(&folder).first_bad, None);

    // The last record cut off whole: no torn tail, but the checkpoint knows of it.
    std::fs::write(segment(&folder), &whole[..whole.len() - record(9).len() - 8]).expect("cut");
    let report = verify(&folder);
    assert_eq!((report.first_bad, report.torn_tail), (Some(9), false));
    let opened = Store::open(&config, testkit::world(3).0, &[])
        .await
        .expect("the facts are whole");
    assert!(opened.open_for_test("evidence-0").await.contains("position 9"));
    opened.close().await;

    // A record changed together with its checksum.
    let mut bytes = whole.clone();
    let length = record(0).len();
    bytes[16] ^= 1;
    let crc = crc32fast::hash(&bytes[16..16 + length]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(segment(&folder), &bytes).expect("forged");
    let report = verify(&folder);
    assert_eq!(
        report.first_bad,
        Some(0),
        "somewhere after the last good checkpoint: {}",
        report.why
    );
}

#[tokio::test]
async fn a_damaged_log_of_facts_does_not_open() {
    let (_dir, config, folder) = in_files().await;
    let facts = folder.parent().expect("the logs").join("facts");
    std::fs::write(segment(&facts), b"SENLOG9\n").expect("broken");
    let opened = Store::open(&config, testkit::world(3).0, &[]).await;
    assert!(
        matches!(opened, Err(StoreError::DamagedLog { position: 0, .. })),
        "{opened:?}"
    );
}

/// The child's part of the next test: it runs under a file-size limit that stands for a full disk.
const CHILD: &str = "SEN_TEST_FULL_DISK";

#[tokio::test]
async fn a_full_disk_refuses_an_append_and_keeps_what_was_told() {
    if let Ok(folder) = std::env::var(CHILD) {
        return fill(Path::new(&folder)).await;
    }
    let dir = TempDir::new();
    // A shell ignores the signal, so that the write fails as it does on a full disk.
    let script = "trap '' XFSZ; ulimit -f 512; exec \"$0\" --exact logs::a_full_disk_refuses_an_append_and_keeps_what_was_told --nocapture";
    let me = std::env::current_exe().expect("this test's binary");
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(me)
        .env(CHILD, dir.path())
        .output()
        .expect("a shell");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let told: u64 = said
        .split("told ")
        .nth(1)
        .and_then(|t| t.split_whitespace().next()?.parse().ok())
        .expect("a count");
    let report = verify(&dir.path().join("logs/evidence-0"));
    assert!(told > 0);
    assert_eq!(
        (report.records, report.first_bad, report.torn_tail),
        (told, None, false)
    );
}

async fn fill(folder: &Path) {
    let config = StoreConfig {
        database: Database::Sqlite(folder.join("sen.db")),
        folder: folder.to_owned(),
        limits: Limits::default(),
        node: "test".to_owned(),
    };
    let store = open(&config).await;
    let log = store.log("evidence-0").await.expect("a log");
    let mut told = 0;
    let problem = loop {
        match log.append(vec![vec![7; 30_000]]).await {
            Ok(position) => told = position + 1,
            Err(problem) => break problem,
        }
    };
    assert_eq!((problem.kind, problem.code), (kernel::Kind::Full, "no-room"));
    assert_eq!(
        log.append(vec![vec![7; 100]])
            .await
            .expect("a small one still fits"),
        told
    );
    println!("told {} ", told + 1);
}

#[tokio::test]
async fn what_is_read_beside_a_log_is_what_the_log_has_while_it_grows_and_after() {
    let limits = Limits {
        segment_bytes_max: 2_000,
        ..Limits::default()
    };
    let temp = testkit::store_with(&[], limits).await;
    let log = temp.store.log("t").await.expect("a log");
    let logs = temp.config.folder.join("logs");
    let beside = Beside::open(&temp.config.database, &logs, "t")
        .await
        .expect("opened");
    assert_eq!(beside.read(0, 5).await.expect("an empty log"), []);
    for round in 0..30_u8 {
        let records = (0..10).map(|n| vec![round, n, 7, 7, 7, 7, 7, 7]).collect();
        log.append(records).await.expect("appended");
        let all = beside.read(0, 1_000).await.expect("read");
        assert_eq!(all, log.read(0, 1_000).await.expect("read"), "round {round}");
    }
    for (from, limit) in [(0, 1), (117, 25), (250, 100), (299, 1), (300, 1), (0, 0)] {
        let wanted = log.read(from, limit).await.expect("read");
        assert_eq!(
            beside.read(from, limit).await.expect("read"),
            wanted,
            "{limit} from {from}"
        );
    }
    temp.store.close().await;
    assert_eq!(beside.read(290, 100).await.expect("read").len(), 10);
    if temp.store.engine() != Engine::Sqlite {
        return;
    }
    // A write that was cut short is no record, a record that was changed is told by its place.
    let first = logs.join("t").join(format!("{:020}.seg", 0));
    let mut bytes = std::fs::read(&first).expect("a segment");
    bytes[8 + 2 * 16 + 9] ^= 1;
    std::fs::write(&first, bytes).expect("written");
    let beside = Beside::open(&temp.config.database, &logs, "t")
        .await
        .expect("opened");
    assert_eq!(beside.read(0, 2).await.expect("before it").len(), 2);
    let problem = beside.read(0, 5).await.expect_err("damaged");
    assert_eq!(problem.code, "log-damaged");
    assert!(problem.cause.is_some_and(|cause| cause.contains("position 2")));
}
