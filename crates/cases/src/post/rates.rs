//! What the post takes for a result and how many working days it needs, by the distance and the day: a dated table of the
//! pack. Pure.

use kernel::Date;
use kernel::time::parse_iso;
use serde::Deserialize;

/// How far a result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zone {
    /// Within the province of the agency.
    SameProvince,
    /// To another one.
    OtherProvince,
}

impl Zone {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::SameProvince, Self::OtherProvince];

    /// Its word in the pack and in texts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SameProvince => "same-province",
            Self::OtherProvince => "other-province",
        }
    }
}

/// The rates that hold from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// First day on which they hold.
    pub valid_from: String,
    /// What says so.
    pub source: String,
    /// One for each zone.
    pub rates: Vec<ZoneRate>,
}

/// The rate of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneRate {
    /// How far.
    pub zone: Zone,
    /// What the post takes from who gets the parcel, in dong.
    pub dong: u64,
    /// Working days behind the handing over.
    pub days: u32,
}

/// What the post takes, and how long it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In dong.
    pub dong: u64,
    /// Working days.
    pub days: u32,
}

/// The rates of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates(Vec<ZoneRate>);

impl Rates {
    /// The rate of a zone.
    #[must_use]
    pub fn of(&self, zone: Zone) -> Option<Rate> {
        let rate = self.0.iter().find(|rate| rate.zone == zone);
        rate.map(|rate| Rate {
            dong: rate.dong,
            days: rate.days,
        })
    }
}

/// All editions of the rates; nothing goes by post where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Postal {
    /// By first day.
    editions: Vec<(Date, Rates)>,
}

impl Postal {
    /// The editions of a pack; `None` when a first day is no date.
    #[must_use]
    pub fn of(editions: Vec<Edition>) -> Option<Self> {
        let dated = |edition: Edition| Some((parse_iso(&edition.valid_from)?, Rates(edition.rates)));
        let mut editions: Vec<_> = editions.into_iter().map(dated).collect::<Option<_>>()?;
        editions.sort_by_key(|(from, _)| *from);
        Some(Self { editions })
    }

    /// The rates of a day; none before the first edition.
    #[must_use]
    pub fn on(&self, day: Date) -> Option<&Rates> {
        let newest = self.editions.iter().rev().find(|(from, _)| *from <= day);
        newest.map(|(_, rates)| rates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        parse_iso(text).expect("a day")
    }

    #[test]
    fn the_post_takes_what_the_table_of_the_day_says() {
        let edition = |from: &str, dong| Edition {
            valid_from: from.to_owned(),
            source: "a test".to_owned(),
            rates: vec![ZoneRate {
                zone: Zone::SameProvince,
                dong,
                days: 2,
            }],
        };
        let all = Postal::of(vec![edition("2027-01-01", 35_000), edition("2026-01-01", 30_000)]);
        let all = all.expect("days");
        let dong = |on: &str| Some(all.on(day(on))?.of(Zone::SameProvince)?.dong);
        assert_eq!(dong("2025-12-31"), None);
        assert_eq!(dong("2026-12-31"), Some(30_000));
        assert_eq!(dong("2027-01-01"), Some(35_000));
        let other = all
            .on(day("2026-12-31"))
            .and_then(|rates| rates.of(Zone::OtherProvince));
        assert_eq!(other, None);
        assert!(Postal::of(vec![edition("2026-02-30", 1)]).is_none());
    }

    #[test]
    fn the_pack_of_vietnam_has_a_rate_for_each_zone() {
        let catalogue = &crate::testing::nouns().catalogue;
        let rates = catalogue.postal().on(testkit::START.date()).expect("rates");
        for zone in Zone::ALL {
            assert!(
                rates.of(zone).is_some_and(|rate| rate.dong > 0 && rate.days > 0),
                "{zone:?}"
            );
        }
    }
}
