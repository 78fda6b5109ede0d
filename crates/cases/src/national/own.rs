//! A case of ours as the national messages have it: whole, and one status of it. Pure; says what its portal has to know,
//! and no answer of a form, no address and no telephone number.

use kernel::Time;
use kernel::fact::Channel;

use super::case_item::{CaseItem, FeeItem, FileItem, PaperItem, ResultItem, SupplementItem};
use super::message::ProgressItem;
use super::stamp::{write, write_or_empty};
use crate::case::Case;
use crate::draft::Attached;
use crate::notice::Notice;
use crate::procedure::Procedure;
use crate::store::{GivenKind, ResultRow, StatusRow};

/// `LoaiDoiTuong` of a person.
const PERSON: &str = "1";
/// `HinhThuc` of a result that is given at the counter, and of one that goes by post.
const AT_COUNTER: &str = "0";
const BY_POST: &str = "1";
/// `TrangThaiBoSung` of what is awaited and of what came. Read nowhere: this platform's.
const AWAITED: &str = "0";
const CAME: &str = "1";

/// The statuses of which the messages know the day.
const ACCEPTED: u8 = 2;
const DECIDED: [u8; 4] = [3, 7, 8, 9];
const RETURNED: u8 = 10;

/// What stands beside a case.
#[derive(Debug)]
pub struct About<'a> {
    /// Its procedure's version.
    pub procedure: &'a Procedure,
    /// The procedure's field.
    pub field: Option<&'a str>,
    /// The name of the unit that handles it.
    pub unit: &'a str,
    /// How the documents' pages are reached.
    pub base_url: &'a str,
    /// Its statuses up to the one that is told, in order.
    pub statuses: &'a [StatusRow],
    /// What was handed in.
    pub papers: &'a [Attached],
    /// What was given up to then.
    pub results: &'a [ResultRow],
}

impl About<'_> {
    /// When it first had one of some statuses.
    fn since(&self, wanted: &[u8]) -> Option<Time> {
        let row = self.statuses.iter().find(|row| wanted.contains(&row.status));
        row.map(|row| row.at)
    }

    /// By when its result was owed last.
    fn due(&self) -> Option<Time> {
        self.statuses.iter().rev().find_map(|row| row.due)
    }
}

/// The item of `DongBoHoSoMC`.
#[must_use]
pub fn case_item(case: &Case, about: &About<'_>) -> CaseItem {
    let name = &about.procedure.name.vi;
    let by_post = case.channel == Channel::Post;
    CaseItem {
        code: case.code.to_string(),
        procedure: case.procedure.to_string(),
        procedure_name: name.clone(),
        field_name: about.field.unwrap_or_default().to_owned(),
        receipt: case.code.to_string(),
        applicant: case.applicant.name.clone(),
        applicant_kind: PERSON.to_owned(),
        applicant_number: case.applicant.number.as_str().to_owned(),
        about: name.clone(),
        accepted: write_or_empty(about.since(&[ACCEPTED])),
        due: write_or_empty(about.due()),
        status: about
            .statuses
            .last()
            .map_or_else(|| "1".to_owned(), |row| row.status.to_string()),
        returned: write_or_empty(about.since(&[RETURNED])),
        way: if by_post { BY_POST } else { AT_COUNTER }.to_owned(),
        ended: write_or_empty(about.since(&DECIDED)),
        unit: about.unit.to_owned(),
        papers: about.papers.iter().map(paper).collect(),
        fees: fee(case, about.procedure).into_iter().collect(),
        supplements: supplement(case, about).into_iter().collect(),
        results: about
            .results
            .iter()
            .filter(|row| row.kind == GivenKind::Result)
            .map(|row| result(row, about))
            .collect(),
        ..CaseItem::default()
    }
}

/// A paper by its name alone: the file stays with the owner.
fn paper(attached: &Attached) -> PaperItem {
    PaperItem {
        id: attached.digest.hex(),
        name: attached.name.clone(),
        deleted: "False".to_owned(),
        code: attached.code.clone(),
        path: String::new(),
    }
}

fn fee(case: &Case, procedure: &Procedure) -> Option<FeeItem> {
    let fee = procedure.fee.as_ref()?;
    let paid = case.course.paid.as_ref().map(|paid| paid.dong);
    let dong = paid.unwrap_or_else(|| procedure.dong(&case.answers, case.filed_at.date()));
    (dong > 0).then(|| FeeItem {
        name: fee.name.vi.clone(),
        dong: dong.to_string(),
        ..FeeItem::default()
    })
}

fn supplement(case: &Case, about: &About<'_>) -> Option<SupplementItem> {
    let asked = case.course.supplement.as_ref()?;
    let told = about.statuses.last().map(|row| row.at);
    // What came after the status that is told is told with a later one.
    let given = asked.given_at.filter(|at| told.is_some_and(|told| *at <= told));
    Some(SupplementItem {
        id: case.code.to_string(),
        by: about.unit.to_owned(),
        what: asked.items.join("; "),
        at: write(asked.at),
        taken: write_or_empty(given),
        state: if given.is_some() { CAME } else { AWAITED }.to_owned(),
        due: write_or_empty(given.and_then(|_| about.due())),
        ..SupplementItem::default()
    })
    .filter(|_| told.is_some_and(|told| asked.at <= told))
}

fn result(row: &ResultRow, about: &About<'_>) -> ResultItem {
    let file = FileItem {
        name: format!("{}.pdf", row.document),
        path: format!("{}/verify/{}", about.base_url, row.document),
    };
    ResultItem {
        id: row.document.clone(),
        name: row.name.clone(),
        number: row.number.clone(),
        issuer: about.unit.to_owned(),
        files: vec![file],
    }
}

/// The item of `CapNhatTienDoHoSoMC` of one status.
#[must_use]
pub fn progress_item(case: &Case, about: &About<'_>, row: &StatusRow) -> ProgressItem {
    let (official, position) = who(case, row);
    ProgressItem {
        code: case.code.to_string(),
        official,
        position,
        at: write(row.at),
        unit: about.unit.to_owned(),
        what: what(about.procedure, row),
        status: row.status.to_string(),
        began: write_or_empty(about.since(&[ACCEPTED])),
        due: write_or_empty(row.due),
    }
}

/// Who did what a status says, where a paper that the applicant gets names them too.
fn who(case: &Case, row: &StatusRow) -> (String, String) {
    let accepted = case.accepted.as_ref().filter(|_| row.status == ACCEPTED);
    let decided = case.decided.as_ref().filter(|_| row.status == 9);
    match (accepted, decided) {
        (Some(accepted), _) => (accepted.by_name.clone(), "Bộ phận Một cửa".to_owned()),
        (_, Some(decided)) => (
            decided.by_name.clone(),
            decided.capacity.position().replace('\n', " "),
        ),
        _ => (String::new(), String::new()),
    }
}

/// What the applicant is told, or what the procedure calls the status.
fn what(procedure: &Procedure, row: &StatusRow) -> String {
    let told = match &row.notice {
        Some(
            Notice::Declined { reason }
            | Notice::Refused { reason }
            | Notice::Stopped { reason }
            | Notice::Supplement { reason, .. }
            | Notice::Apology { reason, .. }
            | Notice::Charge { ground: reason, .. },
        ) => Some(reason.clone()),
        _ => None,
    };
    told.unwrap_or_else(|| {
        let mut states = procedure.states.values();
        let state = states.find(|state| state.status == row.status);
        state.map(|state| state.label.vi.clone()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::national::told;
    use crate::testing::{birth, case};

    fn status(seq: u32, status: u8, minutes: i64) -> StatusRow {
        let at = testkit::START.plus_ms(minutes * 60_000);
        StatusRow {
            seq,
            status,
            at,
            due: (status > 1).then(|| at.plus_ms(3_600_000)),
            notice: None,
        }
    }

    #[test]
    fn a_case_of_ours_reads_back_from_both_messages_and_has_no_answer_in_it() {
        let procedure = birth();
        let case = case(&procedure);
        let statuses = [
            status(0, 1, -30),
            status(1, 2, -20),
            status(2, 4, -20),
            status(3, 9, -10),
        ];
        let result = ResultRow {
            document: "d1".to_owned(),
            name: "Giấy khai sinh".to_owned(),
            number: "1/2026".to_owned(),
            digest: kernel::Digest::of(b"x"),
            kind: GivenKind::Result,
            with_seq: 3,
        };
        let slip = ResultRow {
            kind: GivenKind::Slip,
            document: "d2".to_owned(),
            ..result.clone()
        };
        let about = About {
            procedure: &procedure,
            field: Some("Hộ tịch"),
            unit: "Ủy ban nhân dân xã Hoằng Hóa",
            base_url: "http://desk.test",
            statuses: &statuses,
            papers: &[],
            results: &[result, slip],
        };
        let item = case_item(&case, &about);
        let word = told::case(&item, testkit::START).expect("reads back");
        assert_eq!((&word.code, word.status), (&case.code, 9));
        assert_eq!(
            word.at,
            Some(statuses[3].at),
            "the last instant it names is its decision"
        );
        assert_eq!(word.due, statuses[3].due);
        assert_eq!(item.results.len(), 1, "a slip is no result");
        assert_eq!(item.results[0].files[0].path, "http://desk.test/verify/d1");
        let text = serde_json::to_string(&item).expect("json");
        for answer in ["Nguyễn Minh Anh", "Bệnh viện Phụ sản", "038096000002"] {
            assert!(!text.contains(answer), "{answer}");
        }
        for row in &statuses {
            let item = progress_item(&case, &about, row);
            let word = told::step(&item, testkit::START).expect("reads back");
            assert_eq!(
                (word.status, word.at, word.due),
                (row.status, Some(row.at), row.due)
            );
            assert!(!item.what.is_empty());
        }
    }
}
