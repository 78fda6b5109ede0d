//! How a national message and its answer read: what stands around the items, the items of all messages but those that
//! have a file of their own ([`super::case_item`], [`super::question`], [`super::statistics`]), and the codes of an
//! answer. Pure; names of fields are the portal's own.
//!
//! The names of messages and fields, the form of dates and that `error_code` 0 is good were read in public sources
//! (VietOpenCPS, HuanVu201). The other codes, what is answered for each item, and the fields of `TraCuuHoSo`,
//! `DongBoDanhGia` and `DongBoHoiDap` were not found: those here are this platform's.

use kernel::CaseCode;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::case_item::CaseItem;

/// The messages a portal takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// `DongBoHoSoMC`: cases, whole.
    Cases,
    /// `CapNhatTienDoHoSoMC`: what was done with cases.
    Progress,
    /// `TraCuuHoSo`: where cases stand.
    LookUp,
    /// `LayThuTuc`: what a procedure asks and gives.
    Procedure,
    /// `DongBoDanhGia`: how applicants rated.
    Ratings,
    /// `DongBoHoiDap`: questions and answers that everybody can read.
    Questions,
    /// `DongBoThongKeHoSo`: how many cases there were in a month.
    Statistics,
}

/// The messages with the services of the exchange that take them.
pub const NAMES: [(Message, &str); 7] = [
    (Message::Cases, "dong-bo-ho-so-mc"),
    (Message::Progress, "cap-nhat-tien-do-ho-so-mc"),
    (Message::LookUp, "tra-cuu-ho-so"),
    (Message::Procedure, "lay-thu-tuc"),
    (Message::Ratings, "dong-bo-danh-gia"),
    (Message::Questions, "dong-bo-hoi-dap"),
    (Message::Statistics, "dong-bo-thong-ke-ho-so"),
];

impl Message {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cases => "DongBoHoSoMC",
            Self::Progress => "CapNhatTienDoHoSoMC",
            Self::LookUp => "TraCuuHoSo",
            Self::Procedure => "LayThuTuc",
            Self::Ratings => "DongBoDanhGia",
            Self::Questions => "DongBoHoiDap",
            Self::Statistics => "DongBoThongKeHoSo",
        }
    }

    /// The service of the exchange that takes it, within the portal's system.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::Cases => NAMES[0].1,
            Self::Progress => NAMES[1].1,
            Self::LookUp => NAMES[2].1,
            Self::Procedure => NAMES[3].1,
            Self::Ratings => NAMES[4].1,
            Self::Questions => NAMES[5].1,
            Self::Statistics => NAMES[6].1,
        }
    }
}

/// What stands around the items of every message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The session of the portal's adapter; empty here, where the exchange says who asks.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// Who sends.
    #[serde(default, deserialize_with = "text")]
    pub madonvi: String,
    /// The message's name.
    #[serde(default, deserialize_with = "text")]
    pub service: String,
    /// `True` for what was sent before and has changed.
    #[serde(
        rename = "isUpdating",
        default,
        deserialize_with = "text",
        skip_serializing_if = "String::is_empty"
    )]
    pub is_updating: String,
    /// The items.
    #[serde(default)]
    pub data: Vec<Value>,
}

/// An item of `CapNhatTienDoHoSoMC`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgressItem {
    /// The case.
    #[serde(rename = "MaHoSo", deserialize_with = "text")]
    pub code: String,
    /// Who did it.
    #[serde(rename = "NguoiXuLy", deserialize_with = "text")]
    pub official: String,
    /// As what.
    #[serde(rename = "ChucDanh", deserialize_with = "text")]
    pub position: String,
    /// When.
    #[serde(rename = "ThoiDiemXuLy", deserialize_with = "text")]
    pub at: String,
    /// In which unit.
    #[serde(rename = "PhongBanXuLy", deserialize_with = "text")]
    pub unit: String,
    /// What was done.
    #[serde(rename = "NoiDungXuLy", deserialize_with = "text")]
    pub what: String,
    /// The case's status after it, 1 to 10.
    #[serde(rename = "TrangThai", deserialize_with = "text")]
    pub status: String,
    /// When the handling began.
    #[serde(rename = "NgayBatDau", deserialize_with = "text")]
    pub began: String,
    /// By when it is owed.
    #[serde(rename = "NgayKetThucTheoQuyDinh", deserialize_with = "text")]
    pub due: String,
}

/// An item of `TraCuuHoSo`: which case is looked for. This platform's own field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookUpItem {
    /// The case.
    #[serde(rename = "MaHoSo", deserialize_with = "text")]
    pub code: String,
}

/// What `TraCuuHoSo` answers for a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FoundCase {
    /// The case, as `DongBoHoSoMC` has it.
    #[serde(flatten)]
    pub case: CaseItem,
    /// What was done with it, oldest first. This platform's own field.
    #[serde(rename = "DanhSachTienDo")]
    pub progress: Vec<ProgressItem>,
}

/// An item of `LayThuTuc`: which procedure is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcedureItem {
    /// The procedure.
    #[serde(rename = "MaTTHC", alias = "MATTHC", deserialize_with = "text")]
    pub code: String,
}

/// An item of `DongBoDanhGia`. This platform's own fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RatingItem {
    /// The case.
    #[serde(rename = "MaHoSo", deserialize_with = "text")]
    pub code: String,
    /// When it was rated.
    #[serde(rename = "ThoiDiemDanhGia", deserialize_with = "text")]
    pub at: String,
    /// 1 (very dissatisfied) to 5 (very satisfied).
    #[serde(rename = "MucDoHaiLong", deserialize_with = "text")]
    pub score: String,
    /// Points by the criteria of Circular 01/2018/TT-VPCP.
    #[serde(rename = "DanhSachTieuChi")]
    pub criteria: Vec<CriterionItem>,
}

/// The points of one criterion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CriterionItem {
    /// Its number in the circular.
    #[serde(rename = "SoTieuChi", deserialize_with = "text")]
    pub number: String,
    /// 0, 1 or 2.
    #[serde(rename = "Diem", deserialize_with = "text")]
    pub points: String,
}

/// What is answered to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// 0 when every item was taken; 1 when some were not, and each says why.
    #[serde(default, deserialize_with = "code")]
    pub error_code: u16,
    /// A word for it.
    #[serde(default, deserialize_with = "text")]
    pub message: String,
    /// An answer an item, in the order of the items.
    #[serde(default)]
    pub data: Vec<Value>,
}

/// What is answered for one item that was to be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemAnswer {
    /// The case, as it was sent.
    #[serde(rename = "MaHoSo", default, deserialize_with = "text")]
    pub code: String,
    /// 0 when it was taken.
    #[serde(default, deserialize_with = "code")]
    pub error_code: u16,
    /// A word for it: what became of it, or why it was not taken.
    #[serde(default, deserialize_with = "text")]
    pub message: String,
    /// The field that is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Why an item is not taken, with the code and the word of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A field cannot be read.
    Unreadable,
    /// No such case, or none the sender may know of.
    UnknownCase,
    /// No such procedure.
    UnknownProcedure,
    /// The status is none of the ten.
    UnknownStatus,
    /// That status may not follow the one the case has.
    IllegalMove,
    /// It is said to have happened later than now.
    Future,
    /// The case may not be rated: it has not ended, or was rated.
    NotRateable,
    /// The number is that of somebody else's answer.
    NumberTaken,
    /// No such unit of the sender.
    UnknownUnit,
    /// Words for everybody in which somebody's number or address stands.
    NamesSomebody,
    /// Figures that cannot be true of one month.
    Unsound,
}

impl Why {
    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Unreadable => 2,
            Self::UnknownCase => 3,
            Self::UnknownProcedure => 4,
            Self::UnknownStatus => 5,
            Self::IllegalMove => 6,
            Self::Future => 7,
            Self::NotRateable => 8,
            Self::NumberTaken => 9,
            Self::UnknownUnit => 10,
            Self::NamesSomebody => 11,
            Self::Unsound => 12,
        }
    }

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::UnknownCase => "case-unknown",
            Self::UnknownProcedure => "procedure-unknown",
            Self::UnknownStatus => "status-unknown",
            Self::IllegalMove => "status-move",
            Self::Future => "in-the-future",
            Self::NotRateable => "not-to-be-rated",
            Self::NumberTaken => "number-taken",
            Self::UnknownUnit => "unit-unknown",
            Self::NamesSomebody => "names-somebody",
            Self::Unsound => "figures-unsound",
        }
    }
}

/// Why an item is not taken, and which of its fields is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub why: Why,
    /// The field, by the message's own name.
    pub field: &'static str,
}

impl Refused {
    /// A field is at fault.
    #[must_use]
    pub const fn at(field: &'static str, why: Why) -> Self {
        Self { why, field }
    }
}

/// The answer for an item.
#[must_use]
pub fn item_answer(code: &str, outcome: Result<&'static str, Refused>) -> ItemAnswer {
    let (error_code, message, field) = match outcome {
        Ok(word) => (0, word, None),
        Err(refused) => (
            refused.why.number(),
            refused.why.word(),
            Some(refused.field.to_owned()),
        ),
    };
    ItemAnswer {
        code: code.to_owned(),
        error_code,
        message: message.to_owned(),
        field,
    }
}

/// The answer for an item that is known by something else than a case's code: by which field, and as it was sent.
#[must_use]
pub fn answer_for(field: &'static str, id: &str, outcome: Result<&'static str, Refused>) -> Value {
    let answer = item_answer(id, outcome);
    let mut told = serde_json::Map::new();
    told.insert(field.to_owned(), answer.code.into());
    told.insert("error_code".to_owned(), answer.error_code.into());
    told.insert("message".to_owned(), answer.message.into());
    if let Some(fault) = answer.field {
        told.insert("field".to_owned(), fault.into());
    }
    Value::Object(told)
}

/// The value of a field of an item as it was sent, for the answer.
#[must_use]
pub fn sent<'i>(item: &'i Value, field: &str) -> &'i str {
    item.get(field).and_then(Value::as_str).unwrap_or_default()
}

impl Answer {
    /// The answer of items that were each answered by itself.
    #[must_use]
    pub fn told(data: Vec<Value>) -> Self {
        let all = Self::found(data);
        let good = all.fault() == 0;
        Self {
            error_code: u16::from(!good),
            message: if good { "ok" } else { "some-refused" }.to_owned(),
            ..all
        }
    }

    /// The answer of answers for items.
    ///
    /// # Errors
    /// Never for answers of this module; the error is the writer's.
    pub fn of(items: &[ItemAnswer]) -> Result<Self, serde_json::Error> {
        let good = items.iter().all(|item| item.error_code == 0);
        Ok(Self {
            error_code: u16::from(!good),
            message: if good { "ok" } else { "some-refused" }.to_owned(),
            data: items.iter().map(serde_json::to_value).collect::<Result<_, _>>()?,
        })
    }

    /// The answer of what was found.
    #[must_use]
    pub fn found(data: Vec<Value>) -> Self {
        Self {
            error_code: 0,
            message: "ok".to_owned(),
            data,
        }
    }

    /// The code of the first item that was not taken, or its own; 0 when all is good.
    #[must_use]
    pub fn fault(&self) -> u16 {
        let items = self.data.iter().filter_map(|item| item.get("error_code"));
        let codes = items.filter_map(|code| match code {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64().and_then(|code| u16::try_from(code).ok()),
        });
        codes
            .chain(std::iter::once(self.error_code))
            .find(|code| *code != 0)
            .unwrap_or(0)
    }
}

/// A case's code as an item says it.
///
/// # Errors
/// [`Why::Unreadable`].
pub fn case_code(text: &str) -> Result<CaseCode, Refused> {
    let code = text.trim().to_uppercase().parse();
    code.map_err(|_| Refused::at("MaHoSo", Why::Unreadable))
}

/// What systems write as text, as a number, as `true` or not at all.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Text(String),
    Number(i64),
    Flag(bool),
}

/// A field that systems write as text or as a number.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Option::<Said>::deserialize(from)? {
        None => String::new(),
        Some(Said::Text(text)) => text,
        Some(Said::Number(number)) => number.to_string(),
        Some(Said::Flag(true)) => "True".to_owned(),
        Some(Said::Flag(false)) => "False".to_owned(),
    })
}

/// A code that systems write as a number or as text.
fn code<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let text = text(from)?;
    let wrong = || serde::de::Error::custom("error_code is a small number");
    text.trim().parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::national::question::QuestionItem;
    use crate::national::statistics::item::StatisticsItem;

    fn golden<T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) -> T {
        let written: Value = serde_json::from_str(text).expect("json");
        let read: T = serde_json::from_value(written.clone()).expect("reads");
        assert_eq!(serde_json::to_value(&read).expect("json"), written);
        read
    }

    #[test]
    fn each_message_reads_and_writes_as_its_golden_file() {
        let envelope: Envelope = golden(include_str!("../../tests/golden/national/dong-bo-ho-so-mc.json"));
        assert_eq!(
            (envelope.service.as_str(), envelope.is_updating.as_str()),
            ("DongBoHoSoMC", "False")
        );
        let whole: CaseItem = golden(&envelope.data[0].to_string());
        assert_eq!((whole.papers.len(), whole.fees.len()), (1, 1));
        let envelope: Envelope = golden(include_str!(
            "../../tests/golden/national/cap-nhat-tien-do-ho-so-mc.json"
        ));
        let step: ProgressItem = golden(&envelope.data[0].to_string());
        assert_eq!((step.status.as_str(), step.at.as_str()), ("4", "20261123093000"));
        let envelope: Envelope = golden(include_str!("../../tests/golden/national/dong-bo-danh-gia.json"));
        let rating: RatingItem = golden(&envelope.data[0].to_string());
        assert_eq!(rating.criteria.len(), 4);
        let envelope: Envelope = golden(include_str!("../../tests/golden/national/tra-cuu-ho-so.json"));
        let wish: LookUpItem = golden(&envelope.data[0].to_string());
        assert_eq!(wish.code, "H56-261123-0001");
        let envelope: Envelope = golden(include_str!("../../tests/golden/national/lay-thu-tuc.json"));
        let wish: ProcedureItem = golden(&envelope.data[0].to_string());
        assert_eq!(wish.code, "1.001193");
        let envelope: Envelope = golden(include_str!("../../tests/golden/national/dong-bo-hoi-dap.json"));
        let question: QuestionItem = golden(&envelope.data[0].to_string());
        assert_eq!(
            (question.number.as_str(), question.withdrawn.as_str()),
            ("H56-0123456789", "")
        );
        let envelope: Envelope = golden(include_str!(
            "../../tests/golden/national/dong-bo-thong-ke-ho-so.json"
        ));
        let month: StatisticsItem = golden(&envelope.data[0].to_string());
        assert_eq!((month.month.as_str(), month.on_time.as_str()), ("10", "119"));
        let answer: Answer = golden(include_str!("../../tests/golden/national/answer.json"));
        assert_eq!((answer.error_code, answer.fault()), (1, 6));
    }

    #[test]
    fn numbers_flags_and_nothing_are_read_where_text_is_written_and_what_is_unknown_is_left() {
        let item = json!({"MaHoSo": "H56-261123-0001", "TrangThai": 4, "NguoiXuLy": null, "Khac": {"x": 1}});
        let read: ProgressItem = serde_json::from_value(item).expect("reads");
        assert_eq!((read.status.as_str(), read.official.as_str()), ("4", ""));
        let envelope: Envelope =
            serde_json::from_value(json!({"isUpdating": true, "data": []})).expect("reads");
        assert_eq!(envelope.is_updating, "True");
        let wrong = json!({"MaHoSo": {"x": 1}});
        assert!(serde_json::from_value::<ProgressItem>(wrong).is_err());
    }

    #[test]
    fn an_answer_of_another_make_is_understood() {
        for (answer, fault) in [
            (json!({"error_code": "0", "message": "Thành công"}), 0),
            (json!({"error_code": 0}), 0),
            (json!({"error_code": "13"}), 13),
            (
                json!({"error_code": 1, "data": [{"error_code": "0"}, {"error_code": 4}]}),
                4,
            ),
        ] {
            let read: Answer = serde_json::from_value(answer.clone()).expect("reads");
            assert_eq!(read.fault(), fault, "{answer}");
        }
        assert!(serde_json::from_value::<Answer>(json!({"error_code": "x"})).is_err());
    }

    #[test]
    fn every_message_has_a_service_of_its_own() {
        for (message, service) in NAMES {
            assert_eq!(message.service(), service);
        }
    }
}
