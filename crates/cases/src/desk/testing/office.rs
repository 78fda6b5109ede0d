//! The keys, trust and templates of a desk in tests: real signatures under a root of the tests' own.
//! Never in a release build.

use std::sync::{Arc, OnceLock};

use directory::keyring::Keyring;
use directory::{Directory, Snapshot};
use documents::Documents;
use seal::authority::{Authority, Profile, Subject};
use seal::key::Identity;

use super::UNIT;
use crate::testing::pack;

/// Keys of a node, made once a test binary: making them is slow.
struct Keys {
    root: Authority,
    hub: Identity,
    seal: Identity,
    chairs: [Identity; 5],
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let root = testkit::authority();
        let from = testkit::START.plus_ms(-3_600_000);
        let issue = |profile, name: &str, org: &str, serial: u8| {
            let subject = Subject {
                common_name: name.to_owned(),
                organisation: Some(org.to_owned()),
                position: None,
            };
            root.issue(profile, &subject, from, 365, [serial; 16])
                .expect("a certificate")
        };
        Keys {
            hub: issue(Profile::OrganisationSeal, "VPCP", "G22", 1),
            seal: issue(Profile::OrganisationSeal, "UBND tỉnh Thanh Hóa", "H56", 2),
            chairs: [
                issue(Profile::PersonalSignature, "Phạm Minh Chủ", UNIT, 3),
                issue(Profile::PersonalSignature, "Phạm Minh Phó", UNIT, 4),
                issue(Profile::PersonalSignature, "Trịnh Thị Phó", UNIT, 5),
                issue(Profile::PersonalSignature, "Vũ Thị Hai", UNIT, 6),
                issue(Profile::PersonalSignature, "Lê Văn Tỉnh", "H56", 7),
            ],
            root,
        }
    })
}

/// Short papers: what the pack's own say is tested where they are read back.
const PLAIN: &str = "#let data = json(\"data.json\")\n#set document(title: \"t\")\n#set text(lang: \"vi\")\n#data.at(\"number\", default: data.at(\"case_code\", default: \"\"))\n";

/// One line for every paper.
pub(crate) fn plain_templates() -> render::Templates {
    let names = [
        "receipt.typ",
        "birth-certificate.typ",
        "refusal.typ",
        "supplement-slip.typ",
        "decline-slip.typ",
        "apology-letter.typ",
        "seal-mark.typ",
        "stop-notice.typ",
        "charge-notice.typ",
        "fee-receipt.typ",
        "process-sheet.typ",
        "shipping-slip.typ",
        "register.typ",
    ];
    render::Templates::new(names.map(|name| (name.to_owned(), PLAIN.as_bytes().to_vec()))).expect("templates")
}

/// The pack's own templates.
pub(crate) fn pack_templates() -> render::Templates {
    let files = std::fs::read_dir(pack().join("templates"))
        .expect("templates")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a template"))
        });
    render::Templates::new(files).expect("templates without mistakes")
}

/// Whom the tests trust.
pub(crate) fn trust() -> seal::certificate::Trust {
    seal::certificate::Trust::of(vec![keys().root.certificate()])
}

/// An office that issues documents with the keys of the tests.
pub(super) async fn documents(
    temp: &testkit::TempStore,
    templates: render::Templates,
    organisations: Arc<directory::Organisations>,
) -> Documents {
    let keys = keys();
    let store = temp.store.clone();
    let file = temp.dir.path().join("directory.jws");
    let directory = Directory::open(
        store.clone(),
        "H56".parse().expect("a code"),
        keys.hub.certificate.clone(),
        file,
    )
    .await
    .expect("a directory");
    let snapshot = Snapshot {
        serial: 1,
        issued: testkit::START,
        anchors: vec![keys.root.certificate().pem()],
        ..Snapshot::empty("G22".parse().expect("a code"))
    };
    let token = snapshot.sign(&keys.hub).expect("signed");
    directory.adopt(&token).await.expect("adopted");
    let keyring = Keyring {
        node: keys.seal.clone(),
        seals: [("H56".parse().expect("a code"), keys.seal.clone())].into(),
        signers: ["chu", "chu-2", "pho", "hai", "chu-tinh"]
            .into_iter()
            .map(str::to_owned)
            .zip(keys.chairs.clone())
            .collect(),
    };
    Documents::new(documents::Parts {
        store,
        templates,
        keyring: Arc::new(keyring),
        directory,
        organisations,
        tenants: vec!["H56".parse().expect("a code")],
        base_url: "http://desk.test".to_owned(),
    })
}
