//! What this crate's tests share: the pack, a case, people; a whole portal in [`portal`]. Never in a
//! release build.

mod bank;
pub(crate) mod http;
mod messages;
mod portal;
pub(crate) mod wire;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use directory::areas::Areas;
use directory::calendars::Calendars;
use directory::organisations::Organisations;
use kernel::Actor;
use kernel::fact::Channel;
use web::Principal;

use crate::Catalogue;
use crate::case::{Applicant, Case, Course};
use crate::draft::Draft;
use crate::procedure::Procedure;
pub(crate) use bank::FakeBank;
pub(crate) use http::Answer;
pub(crate) use messages::FakeMessenger;
pub(crate) use portal::Portal;

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

/// A catalogue that was put together for a test, with what else the pack of Vietnam dates.
pub(crate) fn dated(catalogue: Arc<Catalogue>) -> Arc<Catalogue> {
    match Arc::try_unwrap(catalogue) {
        Ok(own) if *own.filing() == crate::filing::Modes::default() => {
            Arc::new(own.dated_as(&nouns().catalogue))
        }
        Ok(own) => Arc::new(own),
        Err(shared) => shared,
    }
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
        course: Course::default(),
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
        mandate: None,
        created_at: case.filed_at,
        changed_at: case.filed_at,
    }
}

/// A PDF of one empty page.
pub(crate) const PDF: &str = concat!(
    "%PDF-1.4\n",
    "1 0 obj\n",
    "<< /Type /Catalog /Pages 2 0 R >>\n",
    "endobj\n",
    "2 0 obj\n",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>\n",
    "endobj\n",
    "3 0 obj\n",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>\n",
    "endobj\n",
    "xref\n",
    "0 4\n",
    "0000000000 65535 f \n",
    "0000000009 00000 n \n",
    "0000000058 00000 n \n",
    "0000000115 00000 n \n",
    "trailer\n",
    "<< /Size 4 /Root 1 0 R >>\n",
    "startxref\n",
    "186\n",
    "%%EOF\n",
);

/// The first page of the form, rightly filled.
pub(crate) const CHILD: &[(&str, &str)] = &[
    ("child_name", "Nguyễn Minh Anh"),
    ("child_sex", "female"),
    ("child_born-day", "19"),
    ("child_born-month", "11"),
    ("child_born-year", "2026"),
    ("child_birth_place", "Bệnh viện Phụ sản"),
    ("child_birth_commune", "Hạc Thành, Thanh Hóa"),
    ("child_hometown", "Xã Hoằng Hóa, Tỉnh Thanh Hóa"),
    ("child_ethnicity", "01"),
    ("child_nationality", "VN"),
];

/// Somebody with a session.
#[derive(Clone, Debug)]
pub(crate) struct Who(pub(crate) Principal);

fn who(account: &str, name: &str, number: Option<&str>, role: &str, tenant: &str) -> Who {
    let citizen = role == "citizen";
    let actor = if citizen {
        Actor::Citizen(account.to_owned())
    } else {
        Actor::Official(account.to_owned())
    };
    Who(Principal {
        account: account.to_owned(),
        tenant: tenant.parse().expect("a code"),
        actor,
        name: name.to_owned(),
        subject: number.map(|n| n.parse().expect("a number")),
        level: 2,
        roles: vec![role.to_owned()],
        unit: tenant.parse().expect("a code"),
        session: "s".to_owned(),
    })
}

/// The mother.
pub(crate) fn lan() -> Who {
    who("lan", "Lê Thị Lan", Some("038198000001"), "citizen", "G22")
}

/// The father.
pub(crate) fn nam() -> Who {
    who("nam", "Nguyễn Văn Nam", Some("038096000002"), "citizen", "G22")
}

/// Another citizen.
pub(crate) fn mai() -> Who {
    who("mai", "Lê Thị Mai", Some("038192000003"), "citizen", "G22")
}

/// An official.
pub(crate) fn officer() -> Who {
    who("o1", "Trần Văn Bình", None, "officer", "G22")
}

/// Somebody who works at the portal in a role.
pub(crate) fn in_role(role: &str) -> Who {
    who(role, "Hồ Văn Vận", None, role, "G22")
}

/// Who writes versions of procedures.
pub(crate) fn designer() -> Who {
    who("thiet", "Đặng Thị Thiết", None, "designer", "G22")
}

/// Who publishes them.
pub(crate) fn publisher() -> Who {
    who("cong", "Ngô Văn Công", None, "publisher", "G22")
}

/// Who may do both, with versions of others.
pub(crate) fn both() -> Who {
    let mut both = who("hai", "Vũ Thị Hai", None, "designer", "G22");
    both.0.roles.push("publisher".to_owned());
    both
}

/// A citizen's account of the same name at another tenant.
pub(crate) fn foreign() -> Who {
    who("lan", "Lê Thị Lan", Some("038198000001"), "citizen", "H56")
}
