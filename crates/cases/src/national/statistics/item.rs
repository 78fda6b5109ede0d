//! An item of `DongBoThongKeHoSo`. The names of the month, the year and the five figures were read in a public source
//! (VietOpenCPS); whose they are and when they were counted are this platform's own fields. Pure.

use kernel::digest::canonical_json;
use kernel::{Digest, OrgCode, Time};
use serde::{Deserialize, Serialize};

use super::{Counts, Figures, Month};
use crate::national::message::{Refused, Why, text};
use crate::national::stamp;

/// The largest figure that is read: more cases than a country has in a month.
const FIGURE_MAX: u64 = 1_000_000_000;

/// The figures of one month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatisticsItem {
    /// Whose: the sender's organisation or a unit of it; empty for who sends the message.
    #[serde(rename = "MaDonVi", deserialize_with = "text")]
    pub unit: String,
    /// The month, 1 to 12.
    #[serde(rename = "Thang", deserialize_with = "text")]
    pub month: String,
    /// The year.
    #[serde(rename = "Nam", deserialize_with = "text")]
    pub year: String,
    /// Cases that came in.
    #[serde(rename = "SoNhanTrongKy", deserialize_with = "text")]
    pub received: String,
    /// Cases that were there before.
    #[serde(rename = "SoTonKyTruoc", deserialize_with = "text")]
    pub carried: String,
    /// Cases that were to be handled.
    #[serde(rename = "TongSoXuLy", deserialize_with = "text")]
    pub to_handle: String,
    /// Cases that ended.
    #[serde(rename = "TongDaXuLy", deserialize_with = "text")]
    pub handled: String,
    /// Those of them that ended within their term.
    #[serde(rename = "TongXuLyDungHan", deserialize_with = "text")]
    pub on_time: String,
    /// When they were counted; a later count takes the place of an earlier one.
    #[serde(rename = "NgayTongHop", deserialize_with = "text")]
    pub counted: String,
}

/// What an item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whose.
    pub unit: OrgCode,
    /// Of which month.
    pub month: Month,
    /// The figures.
    pub figures: Figures,
    /// When they were counted, where that is said.
    pub counted: Option<Time>,
    /// Of the item.
    pub digest: Digest,
}

/// The figures of a unit as an item.
#[must_use]
pub fn item(unit: &OrgCode, month: Month, figures: &Figures, counted: Time) -> StatisticsItem {
    let (year, number) = month.parts();
    StatisticsItem {
        unit: unit.to_string(),
        month: number.to_string(),
        year: year.to_string(),
        received: figures.counts.received.to_string(),
        carried: figures.counts.carried.to_string(),
        to_handle: figures.to_handle.to_string(),
        handled: figures.counts.handled.to_string(),
        on_time: figures.counts.on_time.to_string(),
        counted: stamp::write(counted),
    }
}

/// Reads an item of who sends, `sender` being the unit that the message names.
///
/// # Errors
/// The first field that cannot be read, or that is against a rule.
pub fn read(item: &StatisticsItem, sender: &OrgCode, latest: Time) -> Result<Told, Refused> {
    let unit = match item.unit.trim() {
        "" => Some(sender.clone()),
        unit => unit.parse().ok(),
    };
    let unit = unit.filter(|unit: &OrgCode| unit.top() == sender.top());
    let unit = unit.ok_or_else(|| Refused::at("MaDonVi", Why::UnknownUnit))?;
    let number: u8 = small(&item.month, "Thang")?;
    let year: i32 = small(&item.year, "Nam")?;
    let month = Month::new(year, number).ok_or_else(|| Refused::at("Thang", Why::Unreadable))?;
    if month.ends() > latest {
        return Err(Refused::at("Thang", Why::Future));
    }
    let counted = match item.counted.trim() {
        "" => None,
        text => Some(stamp::read(text).ok_or_else(|| Refused::at("NgayTongHop", Why::Unreadable))?),
    };
    if counted.is_some_and(|counted| counted > latest) {
        return Err(Refused::at("NgayTongHop", Why::Future));
    }
    let figures = Figures {
        counts: Counts {
            received: figure(&item.received, "SoNhanTrongKy")?,
            carried: figure(&item.carried, "SoTonKyTruoc")?,
            handled: figure(&item.handled, "TongDaXuLy")?,
            on_time: figure(&item.on_time, "TongXuLyDungHan")?,
        },
        to_handle: figure(&item.to_handle, "TongSoXuLy")?,
    };
    if !figures.are_sound() {
        return Err(Refused::at("TongDaXuLy", Why::Unsound));
    }
    let json = canonical_json(item).expect("an item is texts");
    Ok(Told {
        unit,
        month,
        figures,
        counted,
        digest: Digest::of(json.as_bytes()),
    })
}

fn small<T: std::str::FromStr>(text: &str, field: &'static str) -> Result<T, Refused> {
    let number = text.trim().parse();
    number.map_err(|_| Refused::at(field, Why::Unreadable))
}

fn figure(text: &str, field: &'static str) -> Result<u64, Refused> {
    let figure: u64 = small(text, field)?;
    match figure <= FIGURE_MAX {
        true => Ok(figure),
        false => Err(Refused::at(field, Why::Unreadable)),
    }
}
