//! What a verifier downloads is enough to check a container with tools of others, and a container altered in
//! any of its files passes neither them nor our own reader.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use directory::snapshot::{self, SystemEntry};
use exchange::export::Which;
use seal::certificate::{Certificate, Trust, Usage};
use seal::verdict::Indication;
use zip::write::SimpleFileOptions;

use crate::asic::commands;
use crate::face::face;
use crate::nation::Nation;
use crate::timestamps::{archive, authority, run, unpack};

/// What was known when a message was stamped.
const DIRECTORY: &str = "META-INF/directory.json";

/// A stamped answer, and what the node says a verifier needs.
pub(crate) async fn exported() -> (Nation, Vec<u8>, Vec<u8>) {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    nation
        .publish(|s| {
            s.systems.push(SystemEntry {
                org: "G01".parse().expect("a code"),
                code: "population".to_owned(),
                name: "Dân cư <&>".to_owned(),
            });
            s.members[1].name = "Bộ <&> \"mẫu\"".to_owned();
        })
        .await;
    let both = futures_util::future::join_all([nation.ask("{}"), nation.ask("{}")]).await;
    let request = both
        .into_iter()
        .map(|heard| heard.expect("an answer").request)
        .next();
    let x = &nation.national.exchange;
    x.fold_evidence().await.expect("folded");
    x.stamp_now().await.expect("stamped");
    let zip = x
        .container(&request.expect("two"), Which::Answer)
        .await
        .expect("a container");
    let face = face(&nation).await;
    let told = face
        .send(web::http::Request::get("/"), "/verificationconf", "")
        .await;
    assert_eq!(
        (told.status, &told.headers["content-type"]),
        (200, &"application/zip".parse().expect("text"))
    );
    (nation, zip, told.body.to_vec())
}

/// The steps of docs/x-road.md in a folder.
fn follow(folder: &Path) -> Result<(), String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/x-road.md");
    let page = std::fs::read_to_string(page).expect("the page");
    // The page's reader checks now; the clock of the tests stands still. The node's address is another.
    let needs = commands(&page, "### What a verifier needs");
    let needs: Vec<&str> = needs.lines().filter(|line| !line.starts_with("curl")).collect();
    let script = format!(
        "set -eu\nAT='2026-11-21+02:30:00' EPOCH=1795228200\n{}\n{}",
        needs.join("\n"),
        commands(&page, "### The container")
    );
    run(folder, "sh", &["-c", &script])
}

#[tokio::test]
async fn a_container_is_checked_with_what_any_node_gives_to_a_verifier() {
    let (nation, zip, conf) = exported().await;
    let folder = testkit::TempDir::new();
    unpack(&zip, folder.path());
    std::fs::write(folder.path().join("verificationconf.zip"), &conf).expect("written");
    assert_eq!(follow(folder.path()), Ok(()));

    let text = |name: &str| {
        let path = folder.path().join("verificationconf").join(name);
        std::fs::read_to_string(path).expect(name)
    };
    assert_eq!(text("instance-identifier"), "VN");
    let root = nation.ca.certificate();
    let one = format!("VN/anchors/{}.pem", root.thumbprint().hex());
    assert_eq!(Certificate::from_pem(&text(&one)).expect("a root"), root);
    let trust = Trust::of(Certificate::list_from_pem(&text("VN/anchors.pem")).expect("roots"));
    assert!(seal::asice::verify(&zip, &trust, nation.national.now()).is_passed());
    // The hub's word on who takes part and what is revoked, from the roots alone.
    let hub = Certificate::list_from_pem(&text("VN/hub.pem"))
        .expect("a chain")
        .remove(0);
    assert_eq!(trust.path(&hub, &[], nation.national.now(), Usage::Seal), Ok(()));
    let said = snapshot::read(&text("VN/directory.jws"), &hub).expect("the directory");
    assert_eq!(said.serial, nation.snapshot.serial);
    let xml = text("VN/shared-params.xml");
    for part in [
        "<instanceIdentifier>VN</instanceIdentifier>",
        "<approvedCA><name>Sen Test Root</name><topCA><cert>",
        "<approvedTSA><name>",
        "<memberCode>G01</memberCode>",
        "<subsystemCode>population</subsystemCode></subsystem>",
        "<serverCode>ministry</serverCode>",
        "<memberClass><code>GOV</code>",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    assert!(!xml.contains("<&>") && xml.ends_with("</ns3:conf>\n"), "{xml}");
    let opened = xml.matches('<').count() - xml.matches("</").count();
    assert_eq!(opened, xml.matches("</").count() + 1, "every element is closed");
    assert!(text("VN/shared-params.xml.metadata").contains("SHARED-PARAMETERS"));
}

/// The files of a container in their order.
pub(crate) fn files(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = archive(zip);
    (0..archive.len())
        .map(|i| {
            let mut file = archive.by_index(i).expect("a file");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("reads");
            (file.name().expect("a name").to_string(), bytes)
        })
        .collect()
}

/// Packs files as a container is packed.
pub(crate) fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let method = match name.as_str() {
            "mimetype" => zip::CompressionMethod::Stored,
            _ => zip::CompressionMethod::Deflated,
        };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(zip::DateTime::default());
        writer.start_file(name.as_str(), options).expect("a file");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("packed").into_inner()
}

#[tokio::test]
async fn a_container_altered_in_any_byte_of_any_file_fails() {
    let (nation, zip, _) = exported().await;
    let (trust, now) = (Trust::of(vec![nation.ca.certificate()]), nation.national.now());
    let whole = files(&zip);
    assert_eq!(pack(&whole), zip, "packed as it was");
    assert_eq!(whole.len(), 11, "a stamped container without its body");
    let mut altered = BTreeMap::new();
    for (place, (name, bytes)) in whole.iter().enumerate() {
        let fails = |other: Vec<u8>, what: &str| {
            let mut files = whole.clone();
            files[place].1 = other;
            let verdict = seal::asice::verify(&pack(&files), &trust, now);
            // A token of other bytes that says the same is the same word of the authority.
            let same = name == "META-INF/timestamp.tst" && verdict.is_passed();
            assert!(
                verdict.indication == Indication::TotalFailed || same || undecided(name, &verdict.reason),
                "{what} of {name}: {verdict:?}"
            );
            u64::from(verdict.indication == Indication::TotalFailed)
        };
        let mut failed = 0;
        // Every byte of a short file, and four hundred places of a long one; each its own bit.
        let step = bytes.len().div_ceil(400);
        for at in (0..bytes.len()).step_by(step) {
            let mut other = bytes.clone();
            other[at] ^= 1 << (at % 8);
            failed += fails(other, &format!("byte {at}"));
        }
        failed += fails(bytes[..bytes.len() - 1].to_vec(), "the last byte");
        failed += fails([bytes.as_slice(), b" "].concat(), "a byte more");
        failed += fails(Vec::new(), "all");
        altered.insert(name.as_str(), failed);
        let mut without = whole.clone();
        without.remove(place);
        let verdict = seal::asice::verify(&pack(&without), &trust, now);
        if name == DIRECTORY {
            // As an earlier release gives it: whole, and silent about what was revoked.
            assert!(verdict.is_passed() && seal::asice::said(&pack(&without)).is_none());
        } else {
            assert!(!verdict.is_passed(), "without {name}");
        }
    }
    assert!(altered.values().all(|failed| *failed > 30), "{altered:?}");
}

/// Bits of a certificate that came along, or of a token's, may make it a stranger's: then nothing is proven.
fn undecided(name: &str, reason: &str) -> bool {
    ["META-INF/timestamp.tst", "META-INF/signatures.xml"].contains(&name)
        && [
            "NO_CERTIFICATE_CHAIN_FOUND",
            "CHAIN_CONSTRAINTS_FAILURE",
            "OUT_OF_BOUNDS_NO_POE",
        ]
        .contains(&reason)
}

#[tokio::test]
async fn who_follows_the_documented_steps_finds_every_file_that_was_replaced() {
    let (_nation, zip, conf) = exported().await;
    let whole = files(&zip);
    for (name, bytes) in &whole {
        // One lists the files and proves nothing, the other is signed by itself: the steps read neither.
        if name == "META-INF/manifest.xml" || name == DIRECTORY {
            continue;
        }
        let folder = testkit::TempDir::new();
        unpack(&zip, folder.path());
        std::fs::write(folder.path().join("verificationconf.zip"), &conf).expect("written");
        let mut other = bytes.clone();
        other.reverse();
        std::fs::write(folder.path().join(name), other).expect("written");
        assert!(follow(folder.path()).is_err(), "{name}");
    }
}
