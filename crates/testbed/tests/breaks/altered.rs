//! Evidence rewritten with its checksums: `sen verify` finds one altered bit in every position of what was
//! signed by the seals alone, and in every position whatever by the signed root.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use exchange::envelope::{self, Evidence, Kept};
use kernel::World;
use seal::certificate::{Certificate, Trust};
use seal::verdict::{Indication, Verdict};
use testbed::ground;

use crate::renewed::House;

/// A node's folder with three exchanges, closed.
struct Closed {
    node: PathBuf,
    trust: Trust,
    world: World,
    segment: PathBuf,
    /// The segment as it was written.
    whole: Vec<u8>,
    records: Vec<Range<usize>>,
}

impl Closed {
    async fn new(folder: &Path, world: &World) -> Self {
        let mut house = House::new(folder, world).await;
        let seal = house.other.clone();
        for _ in 0..3 {
            house.exchange(&seal).await;
        }
        house.store.close().await;
        let root = fs::read_to_string(house.data.join("ca.pem")).expect("a root");
        let node = house.node();
        let segment = node.join("logs/evidence-0").join(format!("{:020}.seg", 0));
        let whole = fs::read(&segment).expect("a segment");
        let (mut at, mut records) = (8, Vec::new());
        while at < whole.len() {
            let length = u32::from_le_bytes(whole[at..at + 4].try_into().expect("four bytes")) as usize;
            records.push(at + 8..at + 8 + length);
            at += 8 + length;
        }
        Self {
            trust: Trust::of(vec![Certificate::from_pem(&root).expect("a root")]),
            world: world.clone(),
            node,
            segment,
            whole,
            records,
        }
    }

    fn verdict(&self) -> Verdict {
        let verdict = sen::verify::folder::verify(&self.node, &self.trust, self.world.now());
        verdict.expect("a verdict")
    }

    /// The verdict with one bit of a record altered and its checksum written anew.
    fn altered(&self, record: usize, byte: usize) -> Verdict {
        let payload = self.records[record].clone();
        let mut bytes = self.whole.clone();
        bytes[payload.start + byte] ^= 1 << (byte % 8);
        let crc = crc32(&bytes[payload.clone()]);
        bytes[payload.start - 4..payload.start].copy_from_slice(&crc.to_le_bytes());
        fs::write(&self.segment, bytes).expect("written");
        let verdict = self.verdict();
        fs::write(&self.segment, &self.whole).expect("written");
        verdict
    }

    fn evidence(&self, record: usize) -> Evidence {
        envelope::read(&self.whole[self.records[record].clone()]).expect("a record")
    }
}

/// The checksum of a record (CRC-32 of IEEE 802.3).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

/// What is signed of a message, and its signature.
fn signed(kept: &Kept) -> Vec<Vec<u8>> {
    let mut parts = vec![
        kept.head.to_vec(),
        kept.body.to_vec(),
        kept.sealed.certificate.to_vec(),
        kept.sealed.signature.to_vec(),
    ];
    parts.extend(kept.sealed.path.iter().map(|step| step.digest.to_vec()));
    parts
}

#[test]
fn one_bit_in_any_position_of_what_was_signed_is_found_by_the_seals_alone() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("altered", &world).expect("a folder");
        let closed = Closed::new(&folder, &world).await;
        assert!(closed.verdict().is_passed(), "{:?}", closed.verdict());
        fs::remove_file(closed.node.join("logs/evidence-0/checkpoints.jws")).expect("no signed root");
        let evidence = closed.evidence(1);
        let payload = &closed.whole[closed.records[1].clone()];
        let answer = evidence.answer.expect("an answer");
        let mut places = 0;
        for part in [signed(&evidence.request), signed(&answer)].concat() {
            let found = payload.windows(part.len()).position(|window| window == part);
            let from = found.expect("it stands in the record as it is");
            for byte in from..from + part.len() {
                let verdict = closed.altered(1, byte);
                let named = verdict.first_bad.clone().unwrap_or_default();
                assert!(
                    verdict.indication == Indication::TotalFailed && named.ends_with("evidence-0 record 1"),
                    "byte {byte}: {verdict:?}"
                );
                places += 1;
            }
        }
        assert!(places > 900, "{places}");
        fs::remove_dir_all(&folder).ok();
    });
}

#[test]
fn one_bit_anywhere_and_another_order_are_found_by_the_signed_root() {
    ground::run(async {
        let world = World::of_this_machine();
        let folder = ground::folder("order", &world).expect("a folder");
        let closed = Closed::new(&folder, &world).await;
        for byte in 0..closed.records[1].len() {
            let verdict = closed.altered(1, byte);
            assert_eq!(verdict.indication, Indication::TotalFailed, "byte {byte}");
        }
        let framed =
            |record: usize| &closed.whole[closed.records[record].start - 8..closed.records[record].end];
        for order in [[1, 0, 2], [0, 2, 1], [2, 1, 0], [0, 0, 2]] {
            let records = order.map(framed).concat();
            fs::write(&closed.segment, [&closed.whole[..8], &records].concat()).expect("written");
            assert_eq!(closed.verdict().indication, Indication::TotalFailed, "{order:?}");
        }
        fs::write(&closed.segment, &closed.whole[..closed.records[2].start - 8]).expect("written");
        let verdict = closed.verdict();
        assert_eq!(
            verdict.indication,
            Indication::TotalFailed,
            "the last one taken away"
        );
        fs::remove_dir_all(&folder).ok();
    });
}
