//! What an operator says of a service, and how it stands at an instant. Pure. Never who may call it.

use kernel::{Kind, Problem, Time};
use serde::{Deserialize, Serialize};

use super::setup::Setup;
use crate::ids::ServiceId;

/// Length of what callers are told, in bytes.
const NOTICE_BYTES_MAX: usize = 1_000;

/// A stop that was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// From when the service does not answer.
    pub from: Time,
    /// When it answers again; `None` when nobody knows yet.
    pub to: Option<Time>,
    /// Why; callers read it.
    pub reason: String,
    /// When it was announced.
    pub announced: Time,
}

/// What an operator says of a service besides how it is reached: of one that was registered, and of one of
/// the platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    /// Why it is disabled, in the words that callers read; `None` when it is not.
    pub disabled: Option<String>,
    /// From when it may be gone for good.
    pub sunset: Option<Time>,
    /// The stop that was announced.
    pub stop: Option<Stop>,
}

/// A registered service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name on the exchange.
    pub id: ServiceId,
    /// How it is reached and what it has.
    pub setup: Setup,
    /// How it stands.
    #[serde(flatten)]
    pub stands: Stands,
}

/// How a service stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It answers.
    Enabled,
    /// It answers, and a stop is announced.
    Stopping,
    /// Within an announced stop.
    Stopped,
    /// An operator disabled it.
    Disabled,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Enabled, Self::Stopping, Self::Stopped, Self::Disabled];

    /// Its key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Disabled => "disabled",
        }
    }
}

impl Entry {
    /// A service that answers from now on.
    #[must_use]
    pub fn new(id: ServiceId, setup: Setup) -> Self {
        Self {
            id,
            setup,
            stands: Stands::default(),
        }
    }
}

impl Stands {
    /// How it stands at an instant.
    #[must_use]
    pub fn standing(&self, at: Time) -> Standing {
        if self.disabled.is_some() {
            return Standing::Disabled;
        }
        match &self.stop {
            Some(stop) if at < stop.from => Standing::Stopping,
            Some(stop) if stop.to.is_none_or(|to| at < to) => Standing::Stopped,
            _ => Standing::Enabled,
        }
    }

    /// Why it does not answer a call at an instant: 503 `service-disabled` with the operator's words.
    #[must_use]
    pub fn refusal(&self, service: &ServiceId, at: Time) -> Option<Problem> {
        let notice = match (self.standing(at), &self.disabled, &self.stop) {
            (Standing::Disabled, Some(notice), _) => notice,
            (Standing::Stopped, _, Some(stop)) => &stop.reason,
            _ => return None,
        };
        let problem = Problem::new(Kind::Unavailable, "service-disabled").with("service", service);
        Some(problem.with("notice", notice))
    }

    /// The announced stop that lies ahead, as an ISO 8601 interval; open at the end when nobody knows.
    #[must_use]
    pub fn planned_stop(&self, at: Time) -> Option<String> {
        let stop = self.stop.as_ref().filter(|stop| at < stop.from)?;
        let to = stop.to.map_or_else(|| "..".to_owned(), Time::rfc3339);
        Some(format!("{}/{to}", stop.from.rfc3339()))
    }
}

/// What callers are told: it says something, and is not too long.
pub(crate) fn notice<'a>(field: &str, text: &'a str) -> Result<&'a str, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::invalid(field, "field-missing").with("field", field));
    }
    if text.len() > NOTICE_BYTES_MAX || text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Problem::invalid(field, "service-notice").with("max", NOTICE_BYTES_MAX));
    }
    Ok(text)
}

/// An instant as HTTP writes it (RFC 9110, IMF-fixdate): `Sat, 31 Dec 2026 23:59:59 GMT`.
#[must_use]
pub(crate) fn http_date(at: Time) -> String {
    let utc = at.utc();
    let short = |name: String| name.get(..3).unwrap_or_default().to_owned();
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        short(utc.weekday().to_string()),
        utc.day(),
        short(utc.month().to_string()),
        utc.year(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::setup::tests::setup;
    use super::*;

    pub(crate) fn entry() -> Entry {
        let id = "G01/population/persons".parse().expect("an id");
        Entry::new(id, setup("http://127.0.0.1:9000/api"))
    }

    #[test]
    fn a_service_stops_with_the_first_instant_of_its_stop_and_answers_again_with_the_last() {
        let Entry {
            id, stands: mut e, ..
        } = entry();
        assert_eq!(
            (e.standing(Time(0)), e.refusal(&id, Time(0))),
            (Standing::Enabled, None)
        );
        e.stop = Some(Stop {
            from: Time(10),
            to: Some(Time(20)),
            reason: "bảo trì".to_owned(),
            announced: Time(0),
        });
        let at = |e: &Stands, ms| e.standing(Time(ms));
        assert_eq!(
            [9, 10, 19, 20].map(|ms| at(&e, ms)),
            [
                Standing::Stopping,
                Standing::Stopped,
                Standing::Stopped,
                Standing::Enabled
            ]
        );
        let refused = e.refusal(&id, Time(10)).expect("stopped");
        assert_eq!(
            (refused.code, refused.kind),
            ("service-disabled", Kind::Unavailable)
        );
        assert_eq!(refused.args[1], ("notice", "bảo trì".to_owned()));
        assert!(e.planned_stop(Time(9)).expect("ahead").contains('/'));
        assert_eq!(e.planned_stop(Time(10)), None);
        e.disabled = Some("lỗi dữ liệu".to_owned());
        assert_eq!(at(&e, 0), Standing::Disabled);
        assert_eq!(
            e.refusal(&id, Time(10)).expect("disabled").args[1].1,
            "lỗi dữ liệu"
        );
    }

    #[test]
    fn a_date_is_written_as_http_writes_it() {
        let at = Time::parse_rfc3339("2018-12-31T23:59:59Z").expect("a time");
        assert_eq!(http_date(at), "Mon, 31 Dec 2018 23:59:59 GMT");
    }

    #[test]
    fn a_notice_says_something_in_few_words() {
        assert_eq!(
            notice("notice", "  bảo trì\nhệ thống ").expect("good"),
            "bảo trì\nhệ thống"
        );
        for bad in ["", "  ", "a\u{7}b", &"x".repeat(NOTICE_BYTES_MAX + 1)] {
            let refused = notice("notice", bad).expect_err("refused");
            assert_eq!(refused.field.as_deref(), Some("notice"));
        }
    }

    #[test]
    fn a_service_that_an_earlier_release_kept_reads_as_it_was() {
        let mut kept = serde_json::to_value(entry()).expect("json");
        for (field, value) in [("disabled", "lỗi".into()), ("sunset", 5.into())] {
            assert!(kept[field].is_null(), "{field} stands beside the setup");
            kept[field] = value;
        }
        let read: Entry = serde_json::from_value(kept).expect("reads");
        let stands = (
            read.stands.disabled.as_deref(),
            read.stands.sunset,
            read.stands.stop,
        );
        assert_eq!(stands, (Some("lỗi"), Some(Time(5)), None));
    }
}
