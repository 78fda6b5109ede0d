//! Which bodies the parties of an agreement keep, and for how long: one rule for both sides. Pure: where
//! they are kept is the store's, when is `keeping`'s.

use kernel::{Date, Problem, Time};
use serde::{Deserialize, Serialize};

/// Days that an agreement can say, count at most: a hundred years.
const DAYS_MAX: u32 = 36_500;
const DAY_MS: i64 = 86_400_000;

/// Bodies that are kept (item 10); without it only their digests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct KeptBodies {
    of: KeptOf,
    days: u32,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptOf {
    /// Of the request.
    Request,
    /// Of the answer.
    Answer,
    /// Of both.
    Both,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    of: KeptOf,
    days: u32,
}

impl TryFrom<Written> for KeptBodies {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Self::new(written.of, written.days).ok_or_else(|| format!("days = {}: 1 to {DAYS_MAX}", written.days))
    }
}

impl KeptOf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Request, Self::Answer, Self::Both];

    /// The word for it in an agreement's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
            Self::Both => "both",
        }
    }
}

impl KeptBodies {
    /// These bodies for so many days; none when a body would be kept for no day or for ever.
    #[must_use]
    pub fn new(of: KeptOf, days: u32) -> Option<Self> {
        (1..=DAYS_MAX).contains(&days).then_some(Self { of, days })
    }

    /// What a form or a program wrote: both left out is nothing kept.
    ///
    /// # Errors
    /// At the field that is wrong.
    pub(crate) fn read(of: Option<&str>, days: Option<u32>) -> Result<Option<Self>, Problem> {
        let of = of.map(str::trim).filter(|of| !of.is_empty());
        let wrong_days =
            || Problem::invalid("keep_bodies_days", "agreement-bodies-days").with("max", DAYS_MAX);
        let (of, days) = match (of, days) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(Problem::invalid("keep_bodies", "agreement-bodies")),
            (Some(of), days) => (of, days.ok_or_else(wrong_days)?),
        };
        let of = KeptOf::ALL.into_iter().find(|known| known.as_str() == of);
        let of = of.ok_or_else(|| Problem::invalid("keep_bodies", "agreement-bodies"))?;
        Self::new(of, days).ok_or_else(wrong_days).map(Some)
    }

    /// The same for no longer than so many days.
    #[must_use]
    pub fn at_most(self, days: u32) -> Self {
        Self {
            days: self.days.min(days.max(1)),
            ..self
        }
    }

    /// Which.
    #[must_use]
    pub const fn of(self) -> KeptOf {
        self.of
    }

    /// For how many days after the exchange, count.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.days
    }

    /// Whether the request's body is kept.
    pub(crate) const fn has_request(self) -> bool {
        matches!(self.of, KeptOf::Request | KeptOf::Both)
    }

    /// Whether the answer's body is kept.
    pub(crate) const fn has_answer(self) -> bool {
        matches!(self.of, KeptOf::Answer | KeptOf::Both)
    }

    /// The last day on which the bodies of an exchange that ended at an instant are there: a day once begun
    /// counts whole.
    pub(crate) fn until(self, ended: Time) -> Date {
        ended.plus_ms(i64::from(self.days) * DAY_MS).date()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::time::civil_date;

    #[test]
    fn bodies_are_kept_for_whole_days_and_never_for_none_or_for_ever() {
        let rule = KeptBodies::new(KeptOf::Both, 30).expect("a rule");
        let day = |m, d| civil_date(2026, m, d).expect("a day");
        assert_eq!(rule.until(Time::at(day(11, 1), 0)), day(12, 1));
        assert_eq!(rule.until(Time::at(day(11, 1), 1_439)), day(12, 1));
        for days in [0, DAYS_MAX + 1] {
            assert_eq!(KeptBodies::new(KeptOf::Both, days), None);
        }
        assert!(rule.has_request() && rule.has_answer());
    }

    #[test]
    fn what_is_written_of_bodies_is_read_strictly() {
        let read = |text: &str| serde_json::from_str::<KeptBodies>(text).ok();
        let rule = KeptBodies::new(KeptOf::Answer, 90);
        assert_eq!(read(r#"{"of":"answer","days":90}"#), rule);
        for wrong in [
            r#"{"of":"answer","days":0}"#,
            r#"{"of":"answers","days":9}"#,
            r#"{"of":"answer"}"#,
            r#"{"of":"answer","days":9,"x":1}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(KeptBodies::read(Some(" answer "), Some(90)).expect("read"), rule);
        assert_eq!(KeptBodies::read(Some(""), None).expect("read"), None);
        let field = |of, days| KeptBodies::read(of, days).expect_err("refused").field;
        assert_eq!(field(None, Some(9)).as_deref(), Some("keep_bodies"));
        assert_eq!(field(Some("all"), Some(9)).as_deref(), Some("keep_bodies"));
        assert_eq!(field(Some("both"), None).as_deref(), Some("keep_bodies_days"));
        assert_eq!(field(Some("both"), Some(0)).as_deref(), Some("keep_bodies_days"));
    }
}
