//! Ten thousand flipped bits in the segment files of a log with records of every kind: each is reported with
//! the first bad record, by whoever checks the folder, by a reader beside the node, and by the node itself,
//! which does not open such a log. A bit of a written-over checksum is found by the signed root.

use std::fs;
use std::path::{Path, PathBuf};

use kernel::limits::Limits;
use store::log::beside::Beside;
use store::log::files::verify;
use store::{Database, Engine, Store, StoreConfig, StoreError, params};
use testkit::{SeededChance, TempDir};

const SEED: u64 = 20_261_122;
/// Bits flipped, count.
const FLIPS: usize = 10_000;
/// Of them, those after which the node itself is started, or a server's row is changed.
const STARTS: usize = 40;

/// Records of every kind and of very different lengths.
fn records() -> Vec<Vec<u8>> {
    let fact = |n: usize| {
        format!(r#"{{"actor":"official:a1","fact":"case-accepted","seq":{n},"v":1}}"#).into_bytes()
    };
    let evidence = |n: usize| [vec![0x87, 1, 0], vec![n.to_le_bytes()[0]; 700 + 13 * n]].concat();
    let tiny = |n: usize| vec![n.to_le_bytes()[0]; 1 + n % 3];
    let zeros = |n: usize| [vec![0; 9 + n], vec![0xff]].concat();
    (0..60)
        .map(|n| match n % 4 {
            0 => fact(n),
            1 => evidence(n),
            2 => tiny(n),
            _ => zeros(n),
        })
        .collect()
}

fn number(chance: &SeededChance, below: usize) -> usize {
    let mut bytes = [0; 8];
    kernel::Chance::fill(chance, &mut bytes);
    usize::try_from(u64::from_le_bytes(bytes) % below as u64).expect("small")
}

async fn written() -> (TempDir, StoreConfig, PathBuf) {
    let dir = TempDir::new();
    let config = StoreConfig {
        database: Database::Sqlite(dir.path().join("sen.db")),
        folder: dir.path().to_owned(),
        limits: Limits {
            segment_bytes_max: 5_000,
            ..Limits::default()
        },
        node: "test".to_owned(),
    };
    let store = open(&config).await.expect("a store");
    let log = store.log("evidence-0").await.expect("a log");
    for record in records() {
        log.append(vec![record]).await.expect("appended");
    }
    let signed = store
        .checkpoint("evidence-0", &seal::key::SigningKey::generate(), "k")
        .await;
    signed.expect("a checkpoint");
    store.close().await;
    let folder = dir.path().join("logs/evidence-0");
    (dir, config, folder)
}

async fn open(config: &StoreConfig) -> Result<Store, StoreError> {
    let (world, _) = testkit::world(1);
    let store = Store::open(config, world, &[]).await?;
    // A log is opened when it is first used.
    match store.log("evidence-0").await {
        Ok(_) => Ok(store),
        Err(problem) => {
            store.close().await;
            Err(StoreError::Database(problem.to_string()))
        }
    }
}

/// The segments, each with the place of its records: from where to where, and the position.
type Segments = Vec<(PathBuf, Vec<u8>, Vec<(usize, usize, u64)>)>;

fn segments(folder: &Path) -> Segments {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .collect();
    files.sort();
    let mut position = 0;
    let read = |file: PathBuf| {
        let bytes = fs::read(&file).expect("a segment");
        let (mut at, mut places) = (8, Vec::new());
        while at < bytes.len() {
            let length = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
            places.push((at, at + 8 + length, position));
            at += 8 + length;
            position += 1;
        }
        (file, bytes, places)
    };
    files.into_iter().map(read).collect()
}

#[tokio::test]
async fn ten_thousand_flipped_bits_are_each_reported_with_the_first_bad_record() {
    let (_dir, config, folder) = written().await;
    let all = segments(&folder);
    assert!(all.len() > 2, "several segments: {}", all.len());
    assert_eq!(verify(&folder).first_bad, None);
    let chance = SeededChance::of(SEED);
    let sizes: usize = all.iter().map(|(_, bytes, _)| bytes.len()).sum();
    for flip in 0..FLIPS {
        let (mut at, bit) = (number(&chance, sizes), number(&chance, 8));
        let (file, whole, places) = all
            .iter()
            .find(|(_, bytes, _)| {
                let inside = at < bytes.len();
                at -= if inside { 0 } else { bytes.len() };
                inside
            })
            .expect("inside one of them");
        let place = places.iter().find(|(from, to, _)| (*from..*to).contains(&at));
        // A segment's header stands in front of its first record.
        let position = place.map_or(places[0].2, |(.., position)| *position);
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        fs::write(file, &bytes).expect("written");
        let what = format!(
            "seed {SEED}, flip {flip}: byte {at} bit {bit} of {}",
            file.display()
        );
        let report = verify(&folder);
        assert_eq!(report.first_bad, Some(position), "{what}: {report:?}");
        assert_eq!(report.records, position, "{what}: the records in front are good");
        let beside = Beside::open(&config.database, &config.folder.join("logs"), "evidence-0").await;
        let told = beside.expect("a reader").read(0, 1_000).await;
        if place.is_some() {
            let problem = told.expect_err(&what);
            let cause = problem.cause.unwrap_or_default();
            assert!(
                cause.ends_with(&format!("position {position}")),
                "{what}: {cause}"
            );
        }
        if flip % (FLIPS / STARTS) == 0 {
            let refused = open(&config)
                .await
                .err()
                .map(|e| e.to_string())
                .unwrap_or_default();
            assert!(!refused.is_empty(), "{what}: the node opens it");
        }
        fs::write(file, whole).expect("written");
    }
    assert_eq!(verify(&folder).first_bad, None);
    open(&config).await.expect("whole again").close().await;
}

#[tokio::test]
async fn a_record_rewritten_with_its_checksum_is_found_by_the_signed_root() {
    let (_dir, _, folder) = written().await;
    for (file, whole, places) in segments(&folder) {
        for (from, to, _) in places {
            let mut bytes = whole.clone();
            bytes[to - 1] ^= 1;
            let crc = crc32(&bytes[from + 8..to]);
            bytes[from + 4..from + 8].copy_from_slice(&crc.to_le_bytes());
            fs::write(&file, bytes).expect("written");
            let report = verify(&folder);
            assert_eq!(report.first_bad, Some(0), "{report:?}: only the whole is signed");
            assert!(report.why.contains("checkpoint of 60"), "{report:?}");
        }
        fs::write(&file, whole).expect("written");
    }
    assert_eq!(verify(&folder).first_bad, None);
}

/// The checksum of a record (CRC-32 of IEEE 802.3).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

#[tokio::test]
async fn a_flipped_bit_in_a_servers_row_is_reported_with_the_first_bad_record() {
    let temp = testkit::store(&[]).await;
    if temp.store.engine() == Engine::Sqlite {
        // The records are files there: the other tests.
        assert!(temp.dir.path().join("sen.db").is_file());
        return;
    }
    let log = temp.store.log("evidence-0").await.expect("a log");
    for record in records() {
        log.append(vec![record]).await.expect("appended");
    }
    let home = store::node_tenant();
    let actor = kernel::Actor::Platform;
    let chance = SeededChance::of(SEED);
    let all = records();
    for flip in 0..STARTS {
        let position = number(&chance, all.len());
        let at = number(&chance, all[position].len() + 8);
        let bit = number(&chance, 8);
        let change = |bytes: Vec<u8>| {
            let first = position as u64;
            temp.store.write(&home, &actor, move |tx| {
                let bytes = bytes.clone();
                async move {
                    tx.exec(
                        "update store_log set records = $1 where stream = $2 and first = $3",
                        params![bytes, "evidence-0", first],
                    )
                    .await
                }
            })
        };
        let reader = temp.store.read(&home).await.expect("a reader");
        let row = reader
            .one(
                "select records from store_log where stream = $1 and first = $2",
                params!["evidence-0", position as u64],
            )
            .await;
        let whole = row
            .expect("reads")
            .expect("a row")
            .bytes("records")
            .expect("bytes");
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        change(bytes).await.expect("changed");
        let problem = log.read(0, 1_000).await.expect_err("damaged");
        let cause = problem.cause.unwrap_or_default();
        let what = format!("seed {SEED}, flip {flip}: byte {at} bit {bit} of {position}");
        assert!(
            cause.ends_with(&format!("position {position}")),
            "{what}: {cause}"
        );
        change(whole).await.expect("changed back");
    }
}
