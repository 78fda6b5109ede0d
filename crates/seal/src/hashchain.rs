//! Hash chains in X-Road's form, with SHA-256: the steps, and their XML files byte for byte. Never
//! signs: see [`crate::batch`].
//!
//! A step is the hash of a DER list of digests. X-Road's steps do not tell a leaf from a node, so
//! that whoever may choose a message's body can put the encoding of a forged step into it and own
//! a signature over words never sent. Here the length of the list tells: a timestamped signature
//! file is a list of one, a message (head and body) of two, and a node of **three**: a fixed
//! marker, left, right. Readers of X-Road's format follow this as any other chain.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::Digest;
use minicbor::{Decode, Encode};

use crate::batch::Parts;
use crate::template;

/// Steps between a leaf and its root, count: 2^24 messages are more than any batch or stamp holds.
pub const PATH_STEPS_MAX: usize = 24;
/// The URI of SHA-256 in every step.
const SHA256_URI: &[u8; 39] = b"http://www.w3.org/2001/04/xmlenc#sha256";
/// Size of one digest in a step's list, in bytes.
const ITEM_BYTES: usize = 79;
/// What marks a node: SHA-256 of `sen:hash-step:node`.
const NODE_MARKER: [u8; 32] = [
    0xa2, 0xa9, 0xaa, 0x48, 0xe3, 0x9c, 0x2c, 0x0e, 0xd0, 0xef, 0x5c, 0xa5, 0xaa, 0xb5, 0xaa, 0xb9, 0x4e,
    0xa0, 0x9d, 0x37, 0x7a, 0xef, 0x0d, 0xa0, 0x15, 0x74, 0x0b, 0x64, 0x5b, 0x00, 0x3f, 0x22,
];

/// One step from a leaf towards the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Step {
    /// Whether the sibling stands on the left.
    #[n(0)]
    pub left: bool,
    /// The sibling.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 32],
}

/// The hash of a list of digests.
fn list_hash(items: &[&[u8; 32]]) -> Digest {
    let length = items.len() * ITEM_BYTES;
    let mut buffer = [0_u8; 3 + 3 * ITEM_BYTES];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        buffer[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    let short = u8::try_from(length).expect("at most three items: 237 bytes");
    // SEQUENCE with a length in one byte, or in the long form from 128 on.
    put(if length < 128 { &[0x30] } else { &[0x30, 0x81] });
    put(&[short]);
    for item in items {
        put(&[0x30, 0x4d, 0x04, 0x20]);
        put(*item);
        put(&[0x0c, 0x27]);
        put(SHA256_URI);
        put(&[0x30, 0x00]);
    }
    Digest::of(&buffer[..at])
}

/// The leaf of a message.
#[must_use]
pub fn message_leaf(parts: &Parts) -> Digest {
    list_hash(&[parts.head.bytes(), parts.body.bytes()])
}

/// The leaf of a signature file in a timestamp's chain.
#[must_use]
pub fn signatures_leaf(signatures_xml: &Digest) -> Digest {
    list_hash(&[signatures_xml.bytes()])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    list_hash(&[&NODE_MARKER, left.bytes(), right.bytes()])
}

/// The root that a leaf and its path lead to.
#[must_use]
pub fn climb(leaf: Digest, path: &[Step]) -> Digest {
    path.iter().fold(leaf, |hash, step| {
        let sibling = Digest(step.digest);
        if step.left {
            node(&sibling, &hash)
        } else {
            node(&hash, &sibling)
        }
    })
}

/// A timestamp's chain over digests of signature files, every level kept: the root, and the path of any
/// leaf. A node without a sibling is promoted.
#[derive(Clone, Debug)]
pub struct Chain {
    /// From the leaves to the root.
    levels: Vec<Vec<Digest>>,
}

impl Chain {
    /// Over digests of signature files.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn of_stamp(signature_files: &[Digest]) -> Self {
        assert!(!signature_files.is_empty(), "a hash chain has a leaf");
        let mut levels = vec![signature_files.iter().map(signatures_leaf).collect::<Vec<_>>()];
        loop {
            let level = levels.last().map(Vec::as_slice).unwrap_or_default();
            if level.len() == 1 {
                return Self { levels };
            }
            let above = level.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                rest => rest[0],
            });
            let above = above.collect();
            levels.push(above);
        }
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.levels[self.levels.len() - 1][0]
    }

    /// The path of a leaf, from the leaf up.
    #[must_use]
    pub fn path(&self, leaf: usize) -> Vec<Step> {
        let levels = self.levels.iter().enumerate();
        let steps = levels.filter_map(|(height, level)| {
            let place = leaf >> height;
            let sibling = level.get(place ^ 1)?;
            Some(Step {
                left: place % 2 == 1,
                digest: sibling.0,
            })
        });
        steps.collect()
    }
}

/// The root over leaves and each leaf's path, from the leaf up. A node without a sibling is
/// promoted.
///
/// # Panics
/// When there are no leaves.
#[must_use]
pub fn tree(leaves: Vec<Digest>) -> (Digest, Vec<Vec<Step>>) {
    assert!(!leaves.is_empty(), "a hash chain has a leaf");
    let depth = usize::BITS - (leaves.len() - 1).leading_zeros();
    let mut paths: Vec<Vec<Step>> = leaves
        .iter()
        .map(|_| Vec::with_capacity(depth as usize))
        .collect();
    let mut level = leaves;
    let mut height = 0;
    while level.len() > 1 {
        for (leaf, path) in paths.iter_mut().enumerate() {
            let place = leaf >> height;
            if let Some(sibling) = level.get(place ^ 1) {
                path.push(Step {
                    left: place % 2 == 1,
                    digest: sibling.0,
                });
            }
        }
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node(left, right),
                rest => rest[0],
            })
            .collect();
        height += 1;
    }
    (level[0], paths)
}

/// `sig-hashchainresult.xml`: what a batch's signature covers.
#[must_use]
pub fn sig_hashchainresult_xml(root: &Digest) -> String {
    result_xml("sig-hashchain.xml", root)
}

/// `ts-hashchainresult.xml`: what a timestamp covers.
#[must_use]
pub fn ts_hashchainresult_xml(root: &Digest) -> String {
    result_xml("ts-hashchain.xml", root)
}

fn result_xml(file: &str, root: &Digest) -> String {
    template::HASH_CHAIN_RESULT.fill(&[("file", file), ("root", &base64(root.bytes()))])
}

/// The root named by a result file, if it is exactly the one this house writes for that root.
pub(crate) fn root_of_result(text: &str, chain_file: &str) -> Option<Digest> {
    let values = template::HASH_CHAIN_RESULT.read_whole(text)?;
    let root = Digest(bytes_of(values.get(1)?)?);
    (result_xml(chain_file, &root) == text).then_some(root)
}

/// `sig-hashchain.xml`: the steps from a batch's root down to one message.
#[must_use]
pub fn sig_hashchain_xml(parts: &Parts, path: &[Step]) -> String {
    let number = path.len().to_string();
    let (head, body) = (base64(parts.head.bytes()), base64(parts.body.bytes()));
    let leaf = template::HASH_STEP_MESSAGE.fill(&[("number", &number), ("head", &head), ("body", &body)]);
    chain_xml(path, &leaf)
}

/// `ts-hashchain.xml`: the steps from a timestamp's root down to one signature file.
#[must_use]
pub fn ts_hashchain_xml(leaf: &Digest, path: &[Step]) -> String {
    let number = path.len().to_string();
    let leaf =
        template::HASH_STEP_SIGNATURES.fill(&[("number", &number), ("signatures", &base64(leaf.bytes()))]);
    chain_xml(path, &leaf)
}

/// The file of a chain: the root's step first, the leaf's last.
fn chain_xml(path: &[Step], leaf: &str) -> String {
    let mut steps = String::new();
    for (number, step) in path.iter().rev().enumerate() {
        let (this, next) = (number.to_string(), (number + 1).to_string());
        let (marker, sibling) = (base64(&NODE_MARKER), base64(&step.digest));
        let (number, next) = (("number", this.as_str()), ("next", next.as_str()));
        let (marker, sibling) = (("marker", marker.as_str()), ("sibling", sibling.as_str()));
        steps.push_str(&if step.left {
            template::HASH_STEP_SIBLING_LEFT.fill(&[number, marker, sibling, next])
        } else {
            template::HASH_STEP_SIBLING_RIGHT.fill(&[number, marker, next, sibling])
        });
        steps.push('\n');
    }
    steps.push_str(leaf);
    steps.push('\n');
    template::HASH_CHAIN.fill(&[("steps", &steps)])
}

/// The message and path named by `sig-hashchain.xml`, if it is exactly the file written for them.
pub(crate) fn read_sig_hashchain(text: &str) -> Option<(Parts, Vec<Step>)> {
    let (path, leaf) = read_steps(text)?;
    let (values, _) = template::HASH_STEP_MESSAGE.read(leaf)?;
    let digest = |at: usize| values.get(at).and_then(|v| bytes_of(v)).map(Digest);
    let parts = Parts {
        head: digest(1)?,
        body: digest(2)?,
    };
    (sig_hashchain_xml(&parts, &path) == text).then_some((parts, path))
}

/// The signature file's digest and the path named by `ts-hashchain.xml`, if it is exactly the
/// file written for them.
pub(crate) fn read_ts_hashchain(text: &str) -> Option<(Digest, Vec<Step>)> {
    let (path, leaf) = read_steps(text)?;
    let (values, _) = template::HASH_STEP_SIGNATURES.read(leaf)?;
    let digest = Digest(bytes_of(values.get(1)?)?);
    (ts_hashchain_xml(&digest, &path) == text).then_some((digest, path))
}

/// The nodes of a chain file from the leaf up, and the text where the leaf's step begins.
fn read_steps(text: &str) -> Option<(Vec<Step>, &str)> {
    let steps = template::HASH_CHAIN.read_whole(text)?;
    let mut lines = steps.first()?.lines().peekable();
    let mut path = Vec::new();
    loop {
        let line = lines.next()?;
        if lines.peek().is_none() {
            path.reverse();
            return Some((path, line));
        }
        if path.len() == PATH_STEPS_MAX {
            return None;
        }
        let left = template::HASH_STEP_SIBLING_LEFT.read_whole(line);
        let right = template::HASH_STEP_SIBLING_RIGHT.read_whole(line);
        path.push(match (left, right) {
            (Some(values), _) => Step {
                left: true,
                digest: bytes_of(values.get(2)?)?,
            },
            (None, Some(values)) => Step {
                left: false,
                digest: bytes_of(values.get(3)?)?,
            },
            (None, None) => return None,
        });
    }
}

/// Base64 as XML signatures write it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Exactly `N` bytes of base64.
pub(crate) fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() > N * 2 {
        return None;
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use oracle::by_the_encoder;

    /// The rule in the words of the format: a DER list, written by an encoder not ours.
    mod oracle {
        use der::asn1::OctetString;
        use der::{Encode as _, Sequence};
        use kernel::Digest;

        #[derive(Clone, Sequence)]
        struct Item {
            digest: OctetString,
            algorithm: String,
            transforms: Vec<u8>,
        }

        pub(super) fn by_the_encoder(items: &[Digest]) -> Digest {
            let list: Vec<Item> = items
                .iter()
                .map(|d| Item {
                    digest: OctetString::new(d.0).expect("short"),
                    algorithm: "http://www.w3.org/2001/04/xmlenc#sha256".to_owned(),
                    transforms: Vec::new(),
                })
                .collect();
            Digest::of(&list.to_der().expect("encodes"))
        }
    }

    fn digests(count: usize) -> Vec<Digest> {
        (0..count).map(|n| Digest::of(&n.to_be_bytes())).collect()
    }

    #[test]
    fn a_step_is_the_hash_of_a_der_list() {
        let d = digests(3);
        let parts = Parts {
            head: d[0],
            body: d[1],
        };
        assert_eq!(signatures_leaf(&d[0]), by_the_encoder(&d[..1]));
        assert_eq!(message_leaf(&parts), by_the_encoder(&d[..2]));
        assert_eq!(Digest(NODE_MARKER), Digest::of(b"sen:hash-step:node"));
        assert_eq!(
            node(&d[1], &d[2]),
            by_the_encoder(&[Digest(NODE_MARKER), d[1], d[2]])
        );
    }

    #[test]
    fn every_leaf_of_every_tree_climbs_to_its_root() {
        for count in 1..=40 {
            let leaves = digests(count);
            let (root, paths) = tree(leaves.clone());
            for (leaf, path) in leaves.iter().zip(&paths) {
                assert_eq!(climb(*leaf, path), root, "of {count}");
            }
            assert!(paths.iter().all(|p| p.len() <= 6));
            let chain = Chain::of_stamp(&leaves);
            let (root, paths) = tree(leaves.iter().map(signatures_leaf).collect());
            assert_eq!(chain.root(), root, "of {count}");
            let found: Vec<_> = (0..count).map(|leaf| chain.path(leaf)).collect();
            assert_eq!(found, paths, "of {count}");
        }
        // Three leaves: the third has no sibling and is promoted.
        let leaves = digests(3);
        let (root, paths) = tree(leaves.clone());
        assert_eq!(root, node(&node(&leaves[0], &leaves[1]), &leaves[2]));
        assert_eq!(paths[2].len(), 1);
    }

    #[test]
    fn the_files_read_back_and_only_as_written() {
        for count in [1, 2, 3, 5, 8] {
            let leaves = digests(count);
            let (root, paths) = tree(leaves.iter().map(signatures_leaf).collect());
            let result = ts_hashchainresult_xml(&root);
            assert_eq!(root_of_result(&result, "ts-hashchain.xml"), Some(root));
            assert_eq!(root_of_result(&result, "sig-hashchain.xml"), None);
            for (leaf, path) in leaves.iter().zip(&paths) {
                let text = ts_hashchain_xml(leaf, path);
                assert_eq!(read_ts_hashchain(&text), Some((*leaf, path.clone())));
                assert_eq!(read_sig_hashchain(&text), None);
                let parts = Parts {
                    head: *leaf,
                    body: root,
                };
                let text = sig_hashchain_xml(&parts, path);
                assert_eq!(read_sig_hashchain(&text), Some((parts, path.clone())));
                for spoiled in [
                    text.replace("/>", " />"),
                    text.replace('\n', "\r\n"),
                    format!("{text} "),
                ] {
                    assert_eq!(read_sig_hashchain(&spoiled), None);
                }
            }
        }
    }

    #[test]
    fn a_chain_is_written_in_the_shape_of_the_format() {
        let d = digests(3);
        let parts = Parts {
            head: d[0],
            body: d[1],
        };
        let text = sig_hashchain_xml(
            &parts,
            &[Step {
                left: true,
                digest: d[2].0,
            }],
        );
        let [head, body, sibling] = [d[0], d[1], d[2]].map(|x| base64(&x.0));
        let marker = base64(&NODE_MARKER);
        assert_eq!(
            text,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ns2:HashChain xmlns=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:ns2=\"http://cyber.ee/hashchain\">\n<ns2:DefaultDigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\n\
                 <ns2:HashStep id=\"STEP0\"><ns2:HashValue><DigestValue>{marker}</DigestValue></ns2:HashValue><ns2:HashValue><DigestValue>{sibling}</DigestValue></ns2:HashValue><ns2:StepRef URI=\"#STEP1\"/></ns2:HashStep>\n\
                 <ns2:HashStep id=\"STEP1\"><ns2:DataRef URI=\"/message.xml\"><DigestValue>{head}</DigestValue></ns2:DataRef><ns2:DataRef URI=\"/attachment1\"><DigestValue>{body}</DigestValue></ns2:DataRef></ns2:HashStep>\n\
                 </ns2:HashChain>"
            )
        );
    }
}
