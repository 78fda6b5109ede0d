//! An item of `DongBoHoiDap`: a question and its answer in words that name nobody, or that they were taken down. The
//! fields of this message were not found in public sources: these are this platform's. Pure.

use kernel::digest::canonical_json;
use kernel::{Digest, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};

use super::message::{Refused, Why, text};
use super::stamp;
use crate::published::{Published, is_number_of, names_somebody};
use crate::words::words;

/// A question and its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuestionItem {
    /// Its number: the sender's code, a hyphen, and what the sender likes.
    #[serde(rename = "MaHoiDap", deserialize_with = "text")]
    pub number: String,
    /// The unit that answered, or the organisation above it.
    #[serde(rename = "MaDonVi", deserialize_with = "text")]
    pub unit: String,
    /// What it is about.
    #[serde(rename = "ChuDe", deserialize_with = "text")]
    pub about: String,
    /// What was asked.
    #[serde(rename = "NoiDungHoi", deserialize_with = "text")]
    pub asked: String,
    /// What was answered.
    #[serde(rename = "NoiDungTraLoi", deserialize_with = "text")]
    pub answer: String,
    /// When it was answered.
    #[serde(rename = "NgayTraLoi", deserialize_with = "text")]
    pub answered: String,
    /// When it was published.
    #[serde(rename = "NgayDang", deserialize_with = "text")]
    pub published: String,
    /// When it was taken down; empty while it is there.
    #[serde(rename = "NgayGo", deserialize_with = "text")]
    pub withdrawn: String,
    /// Why it was taken down, for everybody to read.
    #[serde(rename = "LyDoGo", deserialize_with = "text")]
    pub reason: String,
}

/// What an item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its number.
    pub number: String,
    /// The unit that answered.
    pub unit: OrgCode,
    /// What it is about; may be empty.
    pub about: String,
    /// What was asked; empty once it was taken down.
    pub asked: String,
    /// What was answered; empty once it was taken down.
    pub answer: String,
    /// When it was answered.
    pub answered: Time,
    /// When it was published.
    pub published: Time,
    /// When it was taken down, and why.
    pub withdrawn: Option<(Time, String)>,
    /// Of the item.
    pub digest: Digest,
}

impl Heard {
    /// When what it says was so: of two words about one number the later counts.
    #[must_use]
    pub fn at(&self) -> Time {
        self.withdrawn.as_ref().map_or(self.published, |(at, _)| *at)
    }
}

/// Reads an item of an owner.
///
/// # Errors
/// The first field that cannot be read, or that is against a rule.
pub fn read(item: &QuestionItem, owner: &OrgCode, latest: Time) -> Result<Heard, Refused> {
    let number = item.number.trim();
    if !is_number_of(number, owner) {
        return Err(Refused::at("MaHoiDap", Why::Unreadable));
    }
    let unit: Option<OrgCode> = item.unit.trim().parse().ok();
    let unit = unit.filter(|unit| unit.top() == owner.top());
    let published = past(&item.published, "NgayDang", latest)?;
    let published = published.ok_or_else(|| Refused::at("NgayDang", Why::Unreadable))?;
    let answered = past(&item.answered, "NgayTraLoi", latest)?.unwrap_or(published);
    let withdrawn = match past(&item.withdrawn, "NgayGo", latest)? {
        Some(at) => Some((at, said(&item.reason, "LyDoGo", true)?)),
        None => None,
    };
    let there = withdrawn.is_none();
    let (asked, answer) = (
        said(&item.asked, "NoiDungHoi", there)?,
        said(&item.answer, "NoiDungTraLoi", there)?,
    );
    let kept = |text: String| if there { text } else { String::new() };
    let json = canonical_json(item).expect("an item is texts");
    Ok(Heard {
        number: number.to_owned(),
        unit: unit.ok_or_else(|| Refused::at("MaDonVi", Why::UnknownUnit))?,
        about: kept(said(&item.about, "ChuDe", false)?),
        asked: kept(asked),
        answer: kept(answer),
        answered,
        published,
        withdrawn,
        digest: Digest::of(json.as_bytes()),
    })
}

/// Words for everybody: within bounds, and without anybody's number or address.
fn said(text: &str, field: &'static str, required: bool) -> Result<String, Refused> {
    let bad = |_: Problem| Refused::at(field, Why::Unreadable);
    let text = words(field, text, required).map_err(bad)?;
    if names_somebody(&text) {
        return Err(Refused::at(field, Why::NamesSomebody));
    }
    Ok(text)
}

/// A date of something that has happened, or nothing.
fn past(text: &str, field: &'static str, latest: Time) -> Result<Option<Time>, Refused> {
    match text.trim() {
        "" => Ok(None),
        text => match stamp::read(text) {
            None => Err(Refused::at(field, Why::Unreadable)),
            Some(at) if at > latest => Err(Refused::at(field, Why::Future)),
            at => Ok(at),
        },
    }
}

/// A published answer of ours as an item, as it stands now.
#[must_use]
pub(crate) fn item(answer: &Published) -> QuestionItem {
    let withdrawn = answer.withdrawn.as_ref();
    QuestionItem {
        number: answer.number.clone(),
        unit: answer.unit.to_string(),
        about: answer
            .about
            .as_ref()
            .map(|about| about.vi.clone())
            .unwrap_or_default(),
        asked: answer.asked.clone(),
        answer: answer.answer.clone(),
        answered: stamp::write(answer.answered_at),
        published: stamp::write(answer.published_at),
        withdrawn: stamp::write_or_empty(withdrawn.map(|(at, _)| *at)),
        reason: withdrawn.map(|(_, reason)| reason.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = testkit::START;

    fn published() -> QuestionItem {
        QuestionItem {
            number: "H56-0123456789".to_owned(),
            unit: "H56.15865".to_owned(),
            about: "Giao thông, đường sá".to_owned(),
            asked: "Đường thôn hỏng nặng.".to_owned(),
            answer: "Đã giao sửa mặt đường.".to_owned(),
            answered: "20261120090000".to_owned(),
            published: "20261120100000".to_owned(),
            ..QuestionItem::default()
        }
    }

    fn owner() -> OrgCode {
        "H56".parse().expect("a code")
    }

    #[test]
    fn an_answer_is_read_with_when_it_was_published_and_one_that_was_taken_down_without_its_words() {
        let heard = read(&published(), &owner(), NOW).expect("reads");
        assert_eq!(heard.at(), stamp::read("20261120100000").expect("a date"));
        let down = QuestionItem {
            withdrawn: "20261120110000".to_owned(),
            reason: "Nội dung cần sửa lại.".to_owned(),
            ..published()
        };
        let heard = read(&down, &owner(), NOW).expect("reads");
        assert_eq!((heard.asked.as_str(), heard.answer.as_str()), ("", ""));
        assert_eq!(heard.at(), stamp::read("20261120110000").expect("a date"));
    }

    #[test]
    fn what_cannot_be_published_is_refused_at_its_field() {
        let wrong = |change: &dyn Fn(&mut QuestionItem)| {
            let mut item = published();
            change(&mut item);
            read(&item, &owner(), NOW).expect_err("refused")
        };
        let unreadable = |field| Refused::at(field, Why::Unreadable);
        assert_eq!(wrong(&|i| i.number = "H01-1".to_owned()), unreadable("MaHoiDap"));
        assert_eq!(
            wrong(&|i| i.number = "H56-<b>".to_owned()),
            unreadable("MaHoiDap")
        );
        assert_eq!(wrong(&|i| i.published = String::new()), unreadable("NgayDang"));
        assert_eq!(wrong(&|i| i.answer = " ".to_owned()), unreadable("NoiDungTraLoi"));
        assert_eq!(
            wrong(&|i| i.withdrawn = "20261120110000".to_owned()),
            unreadable("LyDoGo")
        );
        assert_eq!(
            wrong(&|i| i.published = "20991231000000".to_owned()),
            Refused::at("NgayDang", Why::Future)
        );
        assert_eq!(
            wrong(&|i| i.unit = "H01".to_owned()),
            Refused::at("MaDonVi", Why::UnknownUnit)
        );
        assert_eq!(
            wrong(&|i| i.asked = "Gọi 0912 345 678".to_owned()),
            Refused::at("NoiDungHoi", Why::NamesSomebody)
        );
    }
}
