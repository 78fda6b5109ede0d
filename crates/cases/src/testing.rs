//! What this crate's tests share. Never in a release build.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use directory::areas::Areas;
use directory::calendars::Calendars;
use directory::organisations::Organisations;
use kernel::fact::Channel;

use crate::Catalogue;
use crate::case::{Applicant, Case};
use crate::draft::Draft;
use crate::procedure::Procedure;

/// The pack's nouns, read once a test binary.
pub(crate) struct Nouns {
    pub(crate) areas: Arc<Areas>,
    pub(crate) organisations: Arc<Organisations>,
    pub(crate) calendars: Arc<Calendars>,
    pub(crate) catalogue: Arc<Catalogue>,
}

/// The nouns of Vietnam.
pub(crate) fn nouns() -> &'static Nouns {
    static NOUNS: OnceLock<Nouns> = OnceLock::new();
    NOUNS.get_or_init(|| {
        let areas = Arc::new(Areas::load(&pack()).expect("areas load"));
        Nouns {
            organisations: Arc::new(Organisations::load(&pack(), &areas).expect("organisations load")),
            calendars: Arc::new(Calendars::load(&pack()).expect("calendars load")),
            catalogue: Arc::new(Catalogue::load(&pack()).expect("procedures load")),
            areas,
        }
    })
}

/// The document of the birth registration.
pub(crate) fn birth() -> Arc<Procedure> {
    let code = "1.001193".parse().expect("a code");
    nouns()
        .catalogue
        .procedure(&code, testkit::START.date())
        .expect("in force")
}

/// The pack of Vietnam.
pub(crate) fn pack() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn")
}

/// A filed case of the birth registration.
pub(crate) fn case(procedure: &Procedure) -> Case {
    let answers = [
        ("child_name", "Nguyễn Minh Anh"),
        ("child_sex", "female"),
        ("child_born", "2026-11-19"),
        ("child_birth_place", "Bệnh viện Phụ sản"),
        ("child_birth_commune", "14797"),
        ("child_hometown", "Xã Hoằng Hóa, Tỉnh Thanh Hóa"),
        ("child_ethnicity", "01"),
        ("child_nationality", "VN"),
        ("mother_name", "Lê Thị Lan"),
        ("mother_number", "038198000001"),
        ("mother_born", "1998-02-03"),
        ("mother_commune", "15865"),
        ("father_name", "Nguyễn Văn Nam"),
        ("father_number", "038096000002"),
        ("declarant_relation", "mother"),
        ("receive_at", "15865"),
    ];
    Case {
        code: "G22-261121-0001".parse().expect("a code"),
        procedure: procedure.code.clone(),
        version: procedure.version(),
        unit: "H56.15865".parse().expect("a code"),
        channel: Channel::Online,
        applicant: Applicant {
            account: "lan".to_owned(),
            number: "038198000001".parse().expect("a number"),
            name: "Lê Thị Lan".to_owned(),
        },
        answers: answers
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
        state: procedure.first_state.clone(),
        revision: 1,
        filed_at: testkit::START,
        accepted: None,
        proposal: None,
        act: None,
        decided: None,
        returned_at: None,
    }
}

/// A draft with every answer of [`case`].
pub(crate) fn draft(procedure: &Procedure) -> Draft {
    let case = case(procedure);
    Draft {
        id: "d".to_owned(),
        account: case.applicant.account,
        procedure: case.procedure,
        version: case.version,
        answers: case.answers,
        prefilled: std::collections::BTreeMap::new(),
        revision: 1,
        filed_as: None,
        created_at: case.filed_at,
        changed_at: case.filed_at,
    }
}
