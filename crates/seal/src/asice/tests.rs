//! Containers as an auditor meets them: sound, bent in every file, and built to deceive the reader
//! of the archive.

use std::io::Read as _;

use kernel::Digest;
use zip::ZipArchive;

use super::*;
use crate::authority::{Authority, Profile, Subject};
use crate::certificate::Trust;
use crate::key::Identity;
use crate::timestamp;
use crate::verdict::{Indication, Verdict};
use kernel::Time;

pub(super) struct World {
    pub(super) root: Authority,
    pub(super) seal: Identity,
    pub(super) stamper: Identity,
}

pub(super) fn at() -> Time {
    Time::parse_rfc3339("2026-11-20T02:30:00.123Z").expect("a time")
}

pub(super) fn world() -> World {
    let from = Time::parse_rfc3339("2026-01-01T00:00:00Z").expect("a time");
    let root = Authority::new("Gốc thử nghiệm", from).expect("an authority");
    let issue = |profile, name: &str, serial| {
        let subject = Subject {
            common_name: name.to_owned(),
            ..Subject::default()
        };
        root.issue(profile, &subject, from, 3650, [serial; 16])
            .expect("issued")
    };
    let seal = issue(Profile::OrganisationSeal, "Sở Tư pháp <A&B>", 1);
    let stamper = issue(Profile::TimestampAuthority, "Dấu thời gian", 2);
    World { root, seal, stamper }
}

impl World {
    pub(super) fn trust(&self) -> Trust {
        Trust::of(vec![self.root.certificate()])
    }

    /// The inputs of a batch of `count` messages, with a timestamp if wished.
    pub(super) fn inputs(&self, count: usize, stamped: bool) -> Vec<ContainerInput> {
        let messages: Vec<_> = (0..count)
            .map(|n| {
                (
                    format!("POST\r\n/dịch-vụ/{n}\r\n").into_bytes(),
                    format!("{{\"số\":{n}}}").into_bytes(),
                )
            })
            .collect();
        let parts: Vec<_> = messages
            .iter()
            .map(|(head, body)| Parts::of(head, body))
            .collect();
        let sealed = batch::seal_batch(&self.seal, &parts, at());
        let (certificate, chain) = (&self.seal.certificate, &self.seal.chain);
        let file = batch::signatures_xml(&sealed[0], &parts[0], certificate, chain);
        let proof = stamped.then(|| self.stamp(&Digest::of(file.as_bytes())));
        let mut inputs = Vec::new();
        for (((head, body), parts), sealed) in messages.into_iter().zip(parts).zip(sealed) {
            let (certificate, chain, timestamp) = (certificate.clone(), chain.clone(), proof.clone());
            inputs.push(ContainerInput {
                head,
                body: Some(body),
                parts,
                sealed,
                certificate,
                chain,
                timestamp,
                known: None,
            });
        }
        inputs
    }

    /// A timestamp over several signature files, this one the third.
    fn stamp(&self, signatures: &Digest) -> TimestampProof {
        let leaves = [Digest::of(b"a"), Digest::of(b"b"), *signatures];
        let chain = hashchain::Chain::of_stamp(&leaves);
        let root = chain.root();
        let imprint = Digest::of(hashchain::ts_hashchainresult_xml(&root).as_bytes());
        let request = timestamp::request(&imprint, 7);
        let response = timestamp::respond(&request, &self.stamper, at().plus_ms(60_000), 1);
        let token = timestamp::token_of_response(&response, &imprint, 7).expect("a token");
        TimestampProof {
            token,
            path: chain.path(2),
        }
    }
}

pub(super) fn unpacked(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).expect("an archive");
    (0..archive.len())
        .map(|n| {
            let mut file = archive.by_index(n).expect("an entry");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("reads");
            (file.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let files: Vec<_> = files.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    pack(&files).expect("packs")
}

/// Whether the container itself is blamed.
fn is_failed(verdict: &Verdict) -> bool {
    verdict.indication == Indication::TotalFailed
}

fn later() -> Time {
    at().plus_ms(3_600_000)
}

fn outcome(verdict: &Verdict) -> (Indication, &str, &str) {
    (
        verdict.indication,
        verdict.reason.as_str(),
        verdict.first_bad.as_deref().unwrap_or(""),
    )
}

const PASSED: (Indication, &str, &str) = (Indication::TotalPassed, "", "");

#[test]
fn a_container_passes_with_and_without_timestamp_and_body() {
    let world = world();
    for stamped in [false, true] {
        for count in [1, 2, 3, 5] {
            for mut input in world.inputs(count, stamped) {
                let zip = export(&input).expect("exports");
                assert_eq!(zip, export(&input).expect("exports"), "the same bytes each time");
                let verdict = verify(&zip, &world.trust(), later());
                assert_eq!(outcome(&verdict), PASSED);
                assert_eq!(verdict.signer.as_deref(), Some("Sở Tư pháp <A&B>"));
                let time = if stamped {
                    at().plus_ms(60_000).seconds()
                } else {
                    at().seconds()
                };
                assert_eq!(verdict.signed_at.map(Time::seconds), Some(time));
                input.body = None;
                let zip = export(&input).expect("exports");
                assert_eq!(outcome(&verify(&zip, &world.trust(), later())), PASSED);
            }
        }
    }
}

#[test]
fn a_container_that_would_not_pass_is_not_written() {
    let world = world();
    let mut input = world.inputs(2, false).remove(0);
    input.head.push(b'!');
    assert!(export(&input).is_err());
    let mut input = world.inputs(2, false).remove(0);
    input.sealed.signature[5] ^= 1;
    assert!(export(&input).is_err());
    let mut input = world.inputs(2, false).remove(0);
    input.body = Some(b"other".to_vec());
    assert!(export(&input).is_err());
}

#[test]
fn a_change_in_any_file_is_found_and_its_file_named() {
    let world = world();
    let good = unpacked(&export(&world.inputs(3, true)[1]).expect("exports"));
    for at in 0..good.len() {
        let name = good[at].0.clone();
        let last = good[at].1.len() - 1;
        // Every seventeenth byte, and the last one.
        for byte in (0..last).step_by(17).chain([last]) {
            let mut bent = good.clone();
            bent[at].1[byte] ^= 1;
            let verdict = verify(&packed(&bent), &world.trust(), later());
            assert!(is_failed(&verdict), "{name} {byte} {verdict:?}");
            assert_eq!(verdict.first_bad.as_deref(), Some(name.as_str()), "{name} {byte}");
        }
        for bytes in [Vec::new(), [good[at].1.clone(), vec![b'\n']].concat()] {
            let mut bent = good.clone();
            bent[at].1 = bytes;
            let verdict = verify(&packed(&bent), &world.trust(), later());
            assert!(is_failed(&verdict), "{name} {verdict:?}");
            assert_eq!(verdict.first_bad.as_deref(), Some(name.as_str()), "{name}");
        }
        let mut bent = good.clone();
        bent.remove(at);
        let verdict = verify(&packed(&bent), &world.trust(), later());
        assert!(is_failed(&verdict), "without {name} {verdict:?}");
    }
}

/// A stamped message with the directory of its time, which the timestamp covers.
fn with_directory(world: &World, says: &str) -> ContainerInput {
    let mut input = world.inputs(1, false).remove(0);
    let directory = crate::jws::sign_by_certificate(
        DIRECTORY_TYPE,
        &world.seal.certificate,
        says.as_bytes(),
        &world.seal.key,
    );
    let file = batch::signatures_xml(&input.sealed, &input.parts, &input.certificate, &input.chain);
    let leaves = [
        Digest::of(file.as_bytes()),
        Digest::of(b"c"),
        Digest::of(directory.as_bytes()),
    ];
    let chain = hashchain::Chain::of_stamp(&leaves);
    let imprint = Digest::of(hashchain::ts_hashchainresult_xml(&chain.root()).as_bytes());
    let request = timestamp::request(&imprint, 7);
    let response = timestamp::respond(&request, &world.stamper, at().plus_ms(60_000), 1);
    input.timestamp = Some(TimestampProof {
        token: timestamp::token_of_response(&response, &imprint, 7).expect("a token"),
        path: chain.path(0),
    });
    input.known = Some(Known {
        directory,
        hub: world.seal.certificate.clone(),
        path: Some(chain.path(2)),
    });
    input
}

#[test]
fn the_directory_of_the_time_goes_along_under_the_timestamp_and_no_other_takes_its_place() {
    let world = world();
    let input = with_directory(&world, "{}");
    let zip = export(&input).expect("exports");
    assert_eq!(outcome(&verify(&zip, &world.trust(), later())), PASSED);
    let told = said(&zip).expect("says what was known");
    assert_eq!((told.payload.as_slice(), told.bound), (&b"{}"[..], true));
    assert_eq!(told.signer, world.seal.certificate);
    let good = unpacked(&zip);
    let place = good.iter().position(|(name, _)| name == KNOWN).expect("there");
    let bent_with = |bytes: Vec<u8>| {
        let mut bent = good.clone();
        bent[place].1 = bytes;
        let verdict = verify(&packed(&bent), &world.trust(), later());
        assert!(is_failed(&verdict), "{verdict:?}");
        assert_eq!(verdict.first_bad.as_deref(), Some(KNOWN));
        assert!(said(&packed(&bent)).is_none());
    };
    for byte in 0..good[place].1.len() {
        let mut bytes = good[place].1.clone();
        bytes[byte] ^= 1;
        bent_with(bytes);
    }
    // Another directory that the same hub has signed, with the way of the one that was in force.
    let other = with_directory(&world, "{\"serial\":1}").known.expect("there");
    let path = input.known.as_ref().expect("there").path.clone();
    bent_with(
        known::text(&Known {
            path,
            ..other.clone()
        })
        .into_bytes(),
    );
    let mut wrong = input.clone();
    wrong.known = Some(other);
    assert!(export(&wrong).is_err(), "not written either");
    // Without a timestamp there is no time of which it could speak.
    let mut unstamped = input;
    unstamped.timestamp = None;
    let zip = export(&unstamped).expect("exports");
    assert!(said(&zip).is_none());
    assert_eq!(outcome(&verify(&zip, &world.trust(), later())), PASSED);
}

#[test]
fn files_of_another_message_of_the_batch_do_not_fit() {
    let world = world();
    let inputs = world.inputs(2, false);
    let [a, b] = [0, 1].map(|n| unpacked(&export(&inputs[n]).expect("exports")));
    for name in [MESSAGE, ATTACHMENT, SIG_CHAIN] {
        let mut mixed = a.clone();
        let place = mixed.iter().position(|(n, _)| n == name).expect("there");
        mixed[place] = b[place].clone();
        assert!(
            is_failed(&verify(&packed(&mixed), &world.trust(), later())),
            "{name}"
        );
    }
}

#[test]
fn a_signer_without_a_trusted_root_is_indeterminate() {
    let (mine, other) = (world(), world());
    let zip = export(&mine.inputs(2, false)[0]).expect("exports");
    let verdict = verify(&zip, &other.trust(), later());
    assert_eq!(
        outcome(&verdict),
        (Indication::Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND", "")
    );
    assert_eq!(verdict.signer.as_deref(), Some("Sở Tư pháp <A&B>"));
    let verdict = verify(&zip, &Trust::default(), later());
    assert_eq!(
        outcome(&verdict),
        (Indication::Indeterminate, "NO_CERTIFICATE_CHAIN_FOUND", "")
    );
}

#[test]
fn an_expired_certificate_passes_by_its_timestamp_only() {
    let world = world();
    let much_later = at().plus_ms(11 * 365 * 86_400_000);
    let zip = export(&world.inputs(1, true)[0]).expect("exports");
    assert_eq!(outcome(&verify(&zip, &world.trust(), much_later)), PASSED);
    let zip = export(&world.inputs(1, false)[0]).expect("exports");
    let verdict = verify(&zip, &world.trust(), much_later);
    assert_eq!(
        outcome(&verdict),
        (Indication::Indeterminate, "OUT_OF_BOUNDS_NO_POE", "")
    );
    let before = verify(&zip, &world.trust(), at().plus_ms(-3_600_000));
    assert_eq!(outcome(&before), (Indication::Indeterminate, "NOT_YET_VALID", ""));
}

#[test]
fn a_revoked_signer_does_not_pass() {
    let world = world();
    let zip = export(&world.inputs(1, true)[0]).expect("exports");
    let mut trust = world.trust();
    trust.revoked.insert(world.seal.certificate.thumbprint());
    assert_eq!(
        outcome(&verify(&zip, &trust, later())),
        (Indication::Indeterminate, "REVOKED_NO_POE", "")
    );
}

#[test]
fn a_container_that_is_cut_off_is_told_from_one_that_was_damaged_and_an_unstamped_from_a_stamped_one() {
    let world = world();
    let zip = export(&world.inputs(1, false)[0]).expect("exports");
    let blamed = |zip: &[u8]| {
        let verdict = verify(zip, &world.trust(), later());
        assert_eq!(verdict.reason, "FORMAT_FAILURE");
        verdict.first_bad.expect("a place")
    };
    for end in [0, 2, 100, zip.len() / 2, zip.len() - 22] {
        assert!(blamed(&zip[..end]).contains("cut off"), "{end}");
    }
    let mut bent = zip.clone();
    bent[0] ^= 1;
    assert!(blamed(&bent).contains("damaged"));
    let hole = [&zip[..200], &zip[300..]].concat();
    assert!(blamed(&hole).contains("damaged"));
    assert_eq!(verify(&zip, &world.trust(), later()).stamped, Some(false));
    let stamped = export(&world.inputs(1, true)[0]).expect("exports");
    assert_eq!(verify(&stamped, &world.trust(), later()).stamped, Some(true));
}

#[test]
fn archives_built_to_deceive_are_refused() {
    let world = world();
    let zip = export(&world.inputs(1, false)[0]).expect("exports");
    let files = unpacked(&zip);
    let refused = |zip: &[u8]| is_failed(&verify(zip, &world.trust(), later()));
    assert!(!refused(&zip));
    assert!(refused(&[]) && refused(b"PK") && refused(&[0; 64]));
    let before = [b"#".to_vec(), zip.clone()].concat();
    let after = [zip.clone(), b"#".to_vec()].concat();
    let twice = [zip.clone(), zip.clone()].concat();
    assert!(refused(&before) && refused(&after) && refused(&twice));
    for extra in [
        "readme.txt",
        "META-INF/signatures2.xml",
        "../message.xml",
        "message.XML",
    ] {
        let more = [files.clone(), vec![(extra.to_owned(), b"x".to_vec())]].concat();
        let verdict = verify(&packed(&more), &world.trust(), later());
        assert_eq!(
            outcome(&verdict),
            (Indication::TotalFailed, "FORMAT_FAILURE", extra)
        );
    }
    // The type not first.
    let mut turned = files.clone();
    turned.swap(0, 1);
    assert!(refused(&packed(&turned)));
    // Any byte of the archive's own structure.
    let directory = zip.len() - 22 - 40;
    for at in directory..zip.len() {
        let mut bent = zip.clone();
        bent[at] ^= 1;
        let same = unpacked_or_none(&bent).is_some_and(|f| f == files);
        assert!(refused(&bent) || same, "byte {at}");
    }
}

fn unpacked_or_none(zip: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    ZipArchive::new(Cursor::new(zip)).ok()?;
    std::panic::catch_unwind(|| unpacked(zip)).ok()
}

#[test]
fn a_second_entry_of_the_same_name_is_refused() {
    let world = world();
    let zip = export(&world.inputs(1, false)[0]).expect("exports");
    let mut files = unpacked(&zip);
    // The writer refuses a second name, so another name of the same length is changed afterwards.
    files.push(("massage.xml".to_owned(), b"forged".to_vec()));
    let mut bytes = packed(&files);
    while let Some(place) = bytes.windows(11).position(|w| w == b"massage.xml") {
        bytes[place..place + 11].copy_from_slice(b"message.xml");
    }
    let verdict = verify(&bytes, &world.trust(), later());
    assert_eq!(
        outcome(&verdict),
        (Indication::TotalFailed, "FORMAT_FAILURE", "message.xml")
    );
}

#[test]
fn a_local_name_that_differs_from_the_directory_is_refused() {
    let world = world();
    let mut zip = export(&world.inputs(1, false)[0]).expect("exports");
    let place = zip
        .windows(11)
        .position(|w| w == b"message.xml")
        .expect("the local name");
    zip[place] = b'M';
    assert!(is_failed(&verify(&zip, &world.trust(), later())));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let world = world();
    let mut files = unpacked(&export(&world.inputs(1, false)[0]).expect("exports"));
    files[1].1 = vec![0; 64 << 20];
    let bomb = packed(&files);
    assert!(bomb.len() < 1 << 20, "small outside");
    let verdict = verify(&bomb, &world.trust(), later());
    assert_eq!(
        outcome(&verdict),
        (Indication::TotalFailed, "FORMAT_FAILURE", "message.xml")
    );
}

/// A reader that knows the format's rule alone (a step is the hash of the DER list of what its
/// children name) and nothing of this house, its marker included.
mod another_reader {
    use std::collections::BTreeMap;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use kernel::Digest;
    use quick_xml::events::Event;

    enum Child {
        Digest(Vec<u8>),
        Step(String),
    }

    fn item(digest: &[u8]) -> Vec<u8> {
        let uri = b"http://www.w3.org/2001/04/xmlenc#sha256";
        let inside = [&[0x04, 32][..], digest, &[0x0c, 39], uri, &[0x30, 0]].concat();
        [vec![0x30, 77], inside].concat()
    }

    fn hash(steps: &BTreeMap<String, Vec<Child>>, id: &str) -> Vec<u8> {
        let list: Vec<u8> = steps[id]
            .iter()
            .flat_map(|child| match child {
                Child::Digest(digest) => item(digest),
                Child::Step(next) => item(&hash(steps, next)),
            })
            .collect();
        let length = u8::try_from(list.len()).expect("short");
        let header = if length < 128 {
            vec![0x30, length]
        } else {
            vec![0x30, 0x81, length]
        };
        Digest::of(&[header, list].concat()).0.to_vec()
    }

    /// The root of a chain file, in base64.
    pub(super) fn root(chain: &str) -> String {
        let mut reader = quick_xml::Reader::from_str(chain);
        let (mut steps, mut id) = (BTreeMap::<String, Vec<Child>>::new(), String::new());
        loop {
            match reader.read_event().expect("XML") {
                Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() != "ns2:HashChain" => {
                    let value = |name: &str| {
                        let found = tag.try_get_attribute(name).expect("attributes")?;
                        Some(found.value.to_string())
                    };
                    if let Some(own) = value("id") {
                        id = own;
                    }
                    if tag.name().as_ref() == "ns2:StepRef" {
                        let next = value("URI").expect("a reference")[1..].to_owned();
                        steps.entry(id.clone()).or_default().push(Child::Step(next));
                    }
                }
                Event::Text(text) => {
                    let text = text.to_string();
                    if let Some(digest) = Some(text.trim()).filter(|t| !t.is_empty()) {
                        let digest = STANDARD.decode(digest).expect("base64");
                        steps.entry(id.clone()).or_default().push(Child::Digest(digest));
                    }
                }
                Event::Eof => return STANDARD.encode(hash(&steps, "STEP0")),
                _ => {}
            }
        }
    }
}

#[test]
fn a_reader_of_the_format_alone_follows_both_chains() {
    let world = world();
    for input in [world.inputs(1, true), world.inputs(5, true)]
        .into_iter()
        .flatten()
    {
        let files = unpacked(&export(&input).expect("exports"));
        let text = |name: &str| {
            let (_, bytes) = files.iter().find(|(n, _)| n == name).expect("there");
            String::from_utf8(bytes.clone()).expect("text")
        };
        for (chain, result) in [(SIG_CHAIN, SIG_RESULT), (TS_CHAIN, TS_RESULT)] {
            let root = another_reader::root(&text(chain));
            assert!(
                text(result).contains(&format!("<DigestValue>{root}</DigestValue>")),
                "{chain}"
            );
        }
    }
}

#[test]
fn every_file_is_well_formed_xml() {
    let world = world();
    for (name, bytes) in unpacked(&export(&world.inputs(5, true)[3]).expect("exports")) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let ours = name.ends_with(".xml") && name != MESSAGE;
        let mut reader = quick_xml::Reader::from_str(&text);
        let mut depth = 0_usize;
        if !ours {
            continue;
        }
        loop {
            match reader.read_event().expect(&name) {
                quick_xml::events::Event::Start(_) => depth += 1,
                quick_xml::events::Event::End(_) => depth -= 1,
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0, "{name}");
    }
}
