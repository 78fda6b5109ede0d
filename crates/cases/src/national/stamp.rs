//! Dates as the national messages write them: `yyyyMMddHHmmss`, civil time in Vietnam. Pure.

use kernel::Time;
use kernel::time::civil_date;

/// Length of a date, in digits.
const DIGITS: usize = 14;

/// An instant as the messages write it, to the second.
#[must_use]
pub fn write(at: Time) -> String {
    let (day, minute) = (at.date(), at.minute_of_day());
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        day.year(),
        u8::from(day.month()),
        day.day(),
        minute / 60,
        minute % 60,
        at.seconds().rem_euclid(60)
    )
}

/// The same of an instant that may not be known: nothing is written as nothing.
#[must_use]
pub fn write_or_empty(at: Option<Time>) -> String {
    at.map(write).unwrap_or_default()
}

/// Reads a date; `None` for anything else, 31 February and the sixtieth minute included.
#[must_use]
pub fn read(text: &str) -> Option<Time> {
    if text.len() != DIGITS || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let year = i32::try_from(part(0, 4)?).ok()?;
    let small = |from: usize| u8::try_from(part(from, from + 2)?).ok();
    let day = civil_date(year, small(4)?, small(6)?)?;
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let good = hour < 24 && minute < 60 && second < 60;
    good.then(|| Time::at(day, hour * 60 + minute).plus_ms(second * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_fourteen_digits_of_civil_time_in_vietnam() {
        let at = Time::parse_rfc3339("2026-11-20T17:59:58.700Z").expect("a time");
        assert_eq!(write(at), "20261121005958");
        assert_eq!(read("20261121005958"), Some(at.plus_ms(-700)));
        assert_eq!(write_or_empty(None), "");
        for bad in [
            "",
            "20261121",
            "2026112100595",
            "20260231000000",
            "20261121240000",
            "20261121006000",
            "20261121000060",
            "2026112100595a",
            "+0261121005958",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
