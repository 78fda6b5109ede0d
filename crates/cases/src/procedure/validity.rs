//! How long a result is good for. Pure data and one count.

use kernel::Date;
use serde::{Deserialize, Serialize};

/// How long a result is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// Years, from the day of the decision to the same day.
    pub years: i32,
}

impl Validity {
    /// The last day; of what was decided on 29 February, 28 February where there is no other.
    #[must_use]
    pub fn until(self, decided: Date) -> Option<Date> {
        let year = decided.year().checked_add(self.years)?;
        let short = || decided.replace_day(28).ok()?.replace_year(year).ok();
        decided.replace_year(year).ok().or_else(short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::time::{iso, parse_iso};

    #[test]
    fn a_result_is_good_to_the_same_day_of_a_later_year() {
        let until = |day: &str, years| {
            let day = parse_iso(day).expect("a day");
            Validity { years }.until(day).map(iso)
        };
        assert_eq!(until("2026-11-23", 7).as_deref(), Some("2033-11-23"));
        assert_eq!(until("2024-02-29", 7).as_deref(), Some("2031-02-28"));
        assert_eq!(until("2024-02-29", 4).as_deref(), Some("2028-02-29"));
        assert_eq!(until("2026-11-23", i32::MAX), None);
    }
}
