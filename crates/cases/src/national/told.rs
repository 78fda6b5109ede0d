//! What an item of a national message says, read: a case, a step, a rating; or the field that cannot be read. Pure.

use kernel::{CaseCode, Digest, ProcedureCode, Time};

use super::case_item::CaseItem;
use super::message::{ProgressItem, RatingItem, Refused, Why, case_code};
use super::stamp;
use crate::criteria::Points;
use crate::submission::SCORE_MAX;

/// The statuses there are.
const STATUSES: std::ops::RangeInclusive<u8> = 1..=10;
/// Digits of the applicant's number that are kept to find the case by.
const DIGITS: usize = 4;

/// What moves a case, whichever message it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The case.
    pub code: CaseCode,
    /// The item's digest: the same item is the same word.
    pub digest: Digest,
    /// The item as it was read, as JSON.
    pub said: String,
    /// The status after it.
    pub status: u8,
    /// When; of a whole case the last instant that it names, if it names one.
    pub at: Option<Time>,
    /// By when the result is owed.
    pub due: Option<Time>,
    /// The case, when all of it was told.
    pub whole: Option<Whole>,
}

/// What a portal finds a case by that was told whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its procedure.
    pub procedure: ProcedureCode,
    /// The last digits of the applicant's number; empty when it has fewer.
    pub digits: String,
    /// When it was accepted, where that is said.
    pub began: Option<Time>,
    /// When it was decided, where that is said.
    pub ended: Option<Time>,
}

/// A rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rated {
    /// The case.
    pub code: CaseCode,
    /// When.
    pub at: Time,
    /// 1 to 5.
    pub score: u8,
    /// Points by criterion.
    pub criteria: Points,
}

/// Reads an item of `DongBoHoSoMC`.
///
/// # Errors
/// The first field that cannot be read, or that is against a rule.
pub fn case(item: &CaseItem, now: Time) -> Result<Word, Refused> {
    let code = case_code(&item.code)?;
    let procedure = item.procedure.trim().parse();
    let procedure = procedure.map_err(|_| Refused::at("MaTTHC", Why::Unreadable))?;
    let due = date(&item.due, "NgayHenTra")?;
    let began = past(&item.accepted, "NgayTiepNhan", now)?;
    let returned = past(&item.returned, "NgayTra", now)?;
    let ended = past(&item.ended, "NgayKetThucXuLy", now)?;
    let mut last = began.max(returned).max(ended);
    for asked in &item.supplements {
        last = last.max(past(&asked.at, "NgayBoSung", now)?);
        last = last.max(past(&asked.taken, "NgayTiepNhanBoSung", now)?);
    }
    let digits = digits(&item.applicant_number);
    Ok(Word {
        code,
        digest: Digest::default(),
        said: String::new(),
        status: status(&item.status, "TrangThaiHoSo")?,
        at: last,
        due,
        whole: Some(Whole {
            procedure,
            digits,
            began: began.or(last),
            ended,
        }),
    }
    .of(item))
}

/// Reads an item of `CapNhatTienDoHoSoMC`.
///
/// # Errors
/// As [`case`].
pub fn step(item: &ProgressItem, now: Time) -> Result<Word, Refused> {
    let code = case_code(&item.code)?;
    let at = past(&item.at, "ThoiDiemXuLy", now)?;
    let at = at.ok_or_else(|| Refused::at("ThoiDiemXuLy", Why::Unreadable))?;
    Ok(Word {
        code,
        digest: Digest::default(),
        said: String::new(),
        status: status(&item.status, "TrangThai")?,
        at: Some(at),
        due: date(&item.due, "NgayKetThucTheoQuyDinh")?,
        whole: None,
    }
    .of(item))
}

/// Reads an item of `DongBoDanhGia`.
///
/// # Errors
/// As [`case`].
pub fn rating(item: &RatingItem, now: Time) -> Result<Rated, Refused> {
    let code = case_code(&item.code)?;
    let at = past(&item.at, "ThoiDiemDanhGia", now)?;
    let at = at.ok_or_else(|| Refused::at("ThoiDiemDanhGia", Why::Unreadable))?;
    let score = small(&item.score, "MucDoHaiLong")?;
    if !(1..=SCORE_MAX).contains(&score) {
        return Err(Refused::at("MucDoHaiLong", Why::Unreadable));
    }
    let mut criteria = Points::new();
    for one in &item.criteria {
        let (number, points) = (small(&one.number, "SoTieuChi")?, small(&one.points, "Diem")?);
        criteria.insert(number, points);
    }
    Ok(Rated {
        code,
        at,
        score,
        criteria,
    })
}

impl Word {
    /// With the item that it was read from.
    fn of<T: serde::Serialize>(self, item: &T) -> Self {
        let said = serde_json::to_string(item).expect("an item is texts and lists of them");
        Self {
            digest: Digest::of(said.as_bytes()),
            said,
            ..self
        }
    }
}

fn status(text: &str, field: &'static str) -> Result<u8, Refused> {
    let status = small(text, field)?;
    if STATUSES.contains(&status) {
        Ok(status)
    } else {
        Err(Refused::at(field, Why::UnknownStatus))
    }
}

fn small(text: &str, field: &'static str) -> Result<u8, Refused> {
    text.trim()
        .parse()
        .map_err(|_| Refused::at(field, Why::Unreadable))
}

/// A date, or nothing.
fn date(text: &str, field: &'static str) -> Result<Option<Time>, Refused> {
    match text.trim() {
        "" => Ok(None),
        text => stamp::read(text)
            .map(Some)
            .ok_or_else(|| Refused::at(field, Why::Unreadable)),
    }
}

/// A date of something that has happened: one that has not would keep everything behind it from counting.
fn past(text: &str, field: &'static str, latest: Time) -> Result<Option<Time>, Refused> {
    let at = date(text, field)?;
    if at.is_some_and(|at| at > latest) {
        return Err(Refused::at(field, Why::Future));
    }
    Ok(at)
}

/// The last digits of a number.
fn digits(number: &str) -> String {
    let number = number.trim();
    let from = number.len().checked_sub(DIGITS);
    let last = from.and_then(|from| number.get(from..));
    last.filter(|last| last.bytes().all(|b| b.is_ascii_digit()))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = testkit::START;

    fn whole() -> CaseItem {
        CaseItem {
            code: "H56-261120-0001".to_owned(),
            procedure: "1.001193".to_owned(),
            applicant_number: "038198000001".to_owned(),
            accepted: "20261120080000".to_owned(),
            status: "2".to_owned(),
            ..CaseItem::default()
        }
    }

    fn one_step() -> ProgressItem {
        ProgressItem {
            code: "H56-261120-0001".to_owned(),
            at: "20261120090000".to_owned(),
            status: "4".to_owned(),
            ..ProgressItem::default()
        }
    }

    #[test]
    fn a_whole_case_says_its_status_with_the_last_instant_that_it_names() {
        let mut item = whole();
        item.returned = "20261120100000".to_owned();
        item.ended = "20261120093000".to_owned();
        item.due = "20271231000000".to_owned();
        let word = case(&item, NOW).expect("reads");
        assert_eq!(word.at, stamp::read("20261120100000"));
        assert_eq!(word.due, stamp::read("20271231000000"), "what is owed is to come");
        let found = word.whole.expect("whole");
        assert_eq!(
            (found.procedure.as_str(), found.digits.as_str()),
            ("1.001193", "0001")
        );
        assert_eq!(word.digest, Digest::of(word.said.as_bytes()));
    }

    #[test]
    fn the_older_form_of_a_code_is_the_same_case() {
        let mut item = one_step();
        let code = step(&item, NOW).expect("reads").code;
        item.code = " 000.00.00.H56-261120-0001 ".to_owned();
        let older = step(&item, NOW).expect("reads").code;
        assert_eq!(older.issuer(), code.issuer());
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_field() {
        let wrong_step = |change: &dyn Fn(&mut ProgressItem)| {
            let mut item = one_step();
            change(&mut item);
            step(&item, NOW).expect_err("refused")
        };
        let unreadable = |field| Refused::at(field, Why::Unreadable);
        assert_eq!(wrong_step(&|i| i.code = "x".to_owned()), unreadable("MaHoSo"));
        assert_eq!(wrong_step(&|i| i.at = String::new()), unreadable("ThoiDiemXuLy"));
        assert_eq!(
            wrong_step(&|i| i.at = "20260230000000".to_owned()),
            unreadable("ThoiDiemXuLy")
        );
        assert_eq!(
            wrong_step(&|i| i.at = "20991231000000".to_owned()),
            Refused::at("ThoiDiemXuLy", Why::Future)
        );
        assert_eq!(
            wrong_step(&|i| i.status = "bốn".to_owned()),
            unreadable("TrangThai")
        );
        assert_eq!(
            wrong_step(&|i| i.status = "11".to_owned()),
            Refused::at("TrangThai", Why::UnknownStatus)
        );
        let wrong_case = |change: &dyn Fn(&mut CaseItem)| {
            let mut item = whole();
            change(&mut item);
            case(&item, NOW).expect_err("refused")
        };
        assert_eq!(wrong_case(&|i| i.procedure = String::new()), unreadable("MaTTHC"));
        assert_eq!(
            wrong_case(&|i| i.due = "mai".to_owned()),
            unreadable("NgayHenTra")
        );
        let rating_of = |score: &str| {
            let item = RatingItem {
                code: "H56-261120-0001".to_owned(),
                at: "20261120090000".to_owned(),
                score: score.to_owned(),
                ..RatingItem::default()
            };
            rating(&item, NOW).map(|rated| rated.score)
        };
        assert_eq!(rating_of("6"), Err(unreadable("MucDoHaiLong")));
        assert_eq!(rating_of("5"), Ok(5));
    }

    #[test]
    fn a_number_that_is_too_short_is_no_second_fact() {
        for (number, found) in [
            ("038198000001", "0001"),
            ("123", ""),
            ("03819800000é", ""),
            ("", ""),
        ] {
            assert_eq!(digits(number), found, "{number}");
        }
    }
}
