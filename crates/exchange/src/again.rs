//! What may be sent a second time when no answer came, and after which wait. Pure: chance is an
//! argument. Never a call that would do twice what was asked once.

use std::time::Duration;

use crate::rest::Method;

/// How often a request is sent at most, count.
const TRIES_MAX: u32 = 3;
/// The wait after the first try, in milliseconds; each next one is twice as long.
const WAIT_FIRST_MS: u64 = 100;

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Sent once: only who asked knows whether a second time is safe.
    Never,
    /// The same bytes may be sent again.
    Same,
}

impl Again {
    /// Methods that do the same however often they are called (RFC 9110, section 9.2.2), and what names
    /// its change by a key.
    pub(crate) fn of(method: Method, idempotency: Option<&str>) -> Self {
        match method {
            Method::Delete | Method::Get | Method::Head | Method::Options | Method::Put => Self::Same,
            _ if idempotency.is_some() => Self::Same,
            _ => Self::Never,
        }
    }
}

/// Why a system behind this gateway is asked once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnceMore {
    /// It took no connection: nothing was sent.
    Unsent,
    /// The connection broke; what was sent does the same again.
    Broken,
    /// It said nothing in its time; what was sent does the same again, elsewhere.
    Silent,
}

impl OnceMore {
    /// Whether a call that ended in a problem may be made once more.
    pub(crate) fn of(code: &str, again: Again) -> Option<Self> {
        match (code, again) {
            ("service-unreachable", _) => Some(Self::Unsent),
            ("service-outcome-unknown", Again::Same) => Some(Self::Broken),
            ("timeout", Again::Same) => Some(Self::Silent),
            _ => None,
        }
    }
}

/// How long to wait after a number of tries, between half and all of its time; `None` when those were
/// enough.
pub(crate) fn wait(tries: u32, chance: [u8; 1]) -> Option<Duration> {
    if tries >= TRIES_MAX {
        return None;
    }
    let whole_ms = WAIT_FIRST_MS << tries.saturating_sub(1);
    // Those whose connection broke together do not come back together.
    let [part] = chance.map(u64::from);
    Some(Duration::from_millis(whole_ms / 2 + whole_ms * part / 512))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_the_same_again_or_names_its_change_is_sent_again() {
        for (method, key, again) in [
            ("GET", None, Again::Same),
            ("HEAD", None, Again::Same),
            ("OPTIONS", None, Again::Same),
            ("PUT", None, Again::Same),
            ("DELETE", None, Again::Same),
            ("POST", None, Again::Never),
            ("PATCH", None, Again::Never),
            ("TRACE", None, Again::Never),
            ("POST", Some("k"), Again::Same),
            ("PATCH", Some("k"), Again::Same),
        ] {
            assert_eq!(
                Again::of(method.parse().expect("a method"), key),
                again,
                "{method}"
            );
        }
    }

    #[test]
    fn a_system_is_asked_once_more_for_what_was_never_sent_or_does_the_same_again() {
        let of = OnceMore::of;
        for again in [Again::Never, Again::Same] {
            assert_eq!(of("service-unreachable", again), Some(OnceMore::Unsent));
            assert_eq!(of("body-too-large", again), None);
        }
        assert_eq!(of("service-outcome-unknown", Again::Never), None);
        assert_eq!(of("timeout", Again::Never), None);
        assert_eq!(of("service-outcome-unknown", Again::Same), Some(OnceMore::Broken));
        assert_eq!(of("timeout", Again::Same), Some(OnceMore::Silent));
    }

    #[test]
    fn each_wait_is_twice_the_last_with_a_part_of_chance_and_there_are_two() {
        let ms = |tries, chance| wait(tries, [chance]).map(|wait| wait.as_millis());
        assert_eq!((ms(1, 0), ms(1, 255)), (Some(50), Some(99)));
        assert_eq!((ms(2, 0), ms(2, 255)), (Some(100), Some(199)));
        assert_eq!(ms(3, 0), None);
    }
}
