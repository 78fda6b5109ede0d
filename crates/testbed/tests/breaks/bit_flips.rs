//! One flipped bit in a log, its checkpoints or its rows: `sen verify` finds it and names the first bad
//! record. Chance comes from a seed, which a failure tells.

use std::fs;
use std::path::{Path, PathBuf};

use kernel::World;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use seal::verdict::{Indication, Verdict};
use testbed::birth::{self, Answers};
use testbed::ground;
use testbed::people::Person;

const SEED: u64 = 20_261_121;
/// Flips of each class.
const FLIPS: usize = 25;

/// A node's folder with one case's facts and evidence, its files closed.
async fn node(world: &World) -> (PathBuf, PathBuf) {
    let folder = ground::folder("flips", world).expect("a folder");
    let program = ground::program().expect("the program");
    let nation = sen::story::nation::Nation::start_in(&program, folder.join("data"), None, None, world)
        .await
        .expect("a nation");
    let site = testbed::site::Site::of(nation.data.clone(), nation.port).expect("a site");
    let mut mother = Person::mother(&site).await.expect("signed in");
    let draft = birth::start(&mut mother).await.expect("a draft");
    birth::prefill(&mut mother, &draft).await.expect("an exchange");
    let paper = birth::paper(world).expect("a paper");
    let answers = Answers::usual(world).expect("answers");
    birth::whole(&mut mother, &answers, &paper).await.expect("a case");
    let checkpoints = nation.data.join("national/logs/evidence-0/checkpoints.jws");
    ground::until("a checkpoint", async || Ok(checkpoints.is_file().then_some(())))
        .await
        .expect("a checkpoint");
    nation.stop().await;
    (folder.join("data"), folder)
}

async fn verify(data: &Path, world: &World) -> Verdict {
    let trust = data.join("ca.pem");
    sen::verify::verify(data, Some(&trust), world)
        .await
        .expect("a verdict")
}

/// Where a record begins and ends, header and all.
fn records(bytes: &[u8]) -> Vec<(usize, usize)> {
    let (mut at, mut all) = (8, Vec::new());
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
        all.push((at, at + 8 + length));
        at += 8 + length;
    }
    all
}

#[test]
fn every_flipped_bit_that_a_reader_uses_is_found_and_the_first_bad_record_named() {
    ground::run(async {
        let world = World::of_this_machine();
        let (data, folder) = node(&world).await;
        let clean = verify(&data, &world).await;
        assert_eq!(clean.indication, Indication::TotalPassed, "{clean:?}");
        let mut chance = StdRng::seed_from_u64(SEED);
        for stream in ["facts", "evidence-0"] {
            let dir = data.join("national/logs").join(stream);
            let segment = dir.join(format!("{:020}.seg", 0));
            let whole = fs::read(&segment).expect("a segment");
            let places = records(&whole);
            assert!(places.len() > 1, "{stream} has records");
            // Of a record: its length, its checksum, its payload. And the segment's header.
            for (class, from, to) in [("length", 0, 4), ("checksum", 4, 8), ("payload", 8, usize::MAX)] {
                for _ in 0..FLIPS {
                    let position = chance.random_range(0..places.len());
                    let (begin, end) = places[position];
                    let byte = chance.random_range(begin + from..end.min(begin.saturating_add(to)));
                    let bit = chance.random_range(0..8);
                    let found = flipped(&segment, &whole, byte, bit, &data, &world).await;
                    let named = found.first_bad.unwrap_or_default();
                    assert!(
                        found.indication == Indication::TotalFailed
                            && named.ends_with(&format!("{stream} record {position}")),
                        "seed {SEED}: {stream}, {class} of record {position}, byte {byte} bit {bit}: {named:?}"
                    );
                }
            }
            for byte in 0..8 {
                let bit = chance.random_range(0..8);
                let found = flipped(&segment, &whole, byte, bit, &data, &world).await;
                assert_eq!(
                    found.indication,
                    Indication::TotalFailed,
                    "header byte {byte} bit {bit}"
                );
            }
        }
        checkpoints(&data, &mut chance, &world).await;
        rows(&data, &mut chance, &world).await;
        fs::remove_dir_all(&folder).ok();
    });
}

/// The verdict with one bit of a file flipped; the file is as before afterwards.
async fn flipped(file: &Path, whole: &[u8], byte: usize, bit: u32, data: &Path, world: &World) -> Verdict {
    let mut bytes = whole.to_vec();
    bytes[byte] ^= 1 << bit;
    fs::write(file, bytes).expect("written");
    let verdict = verify(data, world).await;
    fs::write(file, whole).expect("written");
    verdict
}

async fn checkpoints(data: &Path, chance: &mut StdRng, world: &World) {
    let file = data.join("national/logs/evidence-0/checkpoints.jws");
    let whole = fs::read(&file).expect("checkpoints");
    for _ in 0..FLIPS {
        // The very last byte ends the line: without it the line was cut short by a crash, and no reader uses it.
        let byte = chance.random_range(0..whole.len() - 1);
        let bit = chance.random_range(0..7);
        let found = flipped(&file, &whole, byte, bit, data, world).await;
        assert_eq!(
            found.indication,
            Indication::TotalFailed,
            "seed {SEED}: checkpoint byte {byte} bit {bit}"
        );
    }
}

async fn rows(data: &Path, chance: &mut StdRng, world: &World) {
    let log = fs::read(data.join(format!("national/logs/facts/{:020}.seg", 0))).expect("a segment");
    let records = records(&log);
    let file = data.join("national/sen.db");
    let whole = fs::read(&file).expect("a database");
    for _ in 0..FLIPS {
        let position = chance.random_range(0..records.len());
        let (begin, end) = records[position];
        let text = &log[begin + 8..end];
        // A page may still hold the bytes of a cell that was moved: every copy is changed.
        let places: Vec<usize> = (0..=whole.len() - text.len())
            .filter(|at| &whole[*at..*at + text.len()] == text)
            .collect();
        assert!(!places.is_empty(), "the record {position} stands in a page");
        let (byte, bit) = (chance.random_range(0..text.len()), chance.random_range(0..8));
        let mut bytes = whole.clone();
        for place in places {
            bytes[place + byte] ^= 1 << bit;
        }
        fs::write(&file, bytes).expect("written");
        let found = verify(data, world).await;
        fs::write(&file, &whole).expect("written");
        let named = found.first_bad.unwrap_or_default();
        assert!(
            found.indication == Indication::TotalFailed
                && named.ends_with(&format!("row of fact {position}")),
            "seed {SEED}: the row of fact {position}, byte {byte} bit {bit}: {named:?}"
        );
    }
}
