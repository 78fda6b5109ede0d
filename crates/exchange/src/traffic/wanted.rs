//! What an operator asks of the traffic: a time, a filter, by what it is told and in which order. Reads
//! texts; never a row.

use kernel::{Digest, OrgCode, Problem, Time};
use serde::Deserialize;

use super::grain::{DAY_MS, Grain, HOUR_MS};
use crate::evidence::Outcome;
use crate::evidence::search::{DAY_END, instant, read};
use crate::ids::ServiceId;

/// The longest time that can be asked for, in milliseconds: twenty years, a point a month.
const SPAN_MS_MAX: i64 = 20 * 366 * DAY_MS;

/// The traffic that is asked for, as links and forms say it: texts, each left out when empty.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
pub(crate) struct Wanted {
    /// The last `hour` (the default), `day`, `month` or `year`; counts only when `from` and `to` are empty.
    pub(crate) span: Option<String>,
    /// Began on this day of Vietnam or later: `2026-11-22`, or an instant: `2026-11-22T09:30:00Z`.
    pub(crate) from: Option<String>,
    /// Began on this day or earlier, or before this instant.
    pub(crate) to: Option<String>,
    /// The other party's organisation: `G01`.
    pub(crate) member: Option<String>,
    /// The service: `G01/population/person-lookup`.
    pub(crate) service: Option<String>,
    /// The agreement's hash.
    pub(crate) agreement: Option<String>,
    /// `ok`, `refused` or `fault`.
    pub(crate) result: Option<String>,
    /// Told by `service` (the default), `member`, `agreement` or `result`.
    pub(crate) by: Option<String>,
    /// First those with the most `calls` (the default), the `slowest`, or the most `failing`.
    pub(crate) sort: Option<String>,
    /// The page of the table, from 1.
    pub(crate) page: Option<String>,
}

/// A time that ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Span {
    #[default]
    Hour,
    Day,
    Month,
    Year,
}

impl Span {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Month, Self::Year];

    /// Its key.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    const fn ms(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
            Self::Month => 31 * DAY_MS,
            Self::Year => 365 * DAY_MS,
        }
    }
}

/// By what the calls are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum By {
    #[default]
    Service,
    Member,
    Agreement,
    Result,
}

impl By {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Service, Self::Member, Self::Agreement, Self::Result];

    /// Its key.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Member => "member",
            Self::Agreement => "agreement",
            Self::Result => "result",
        }
    }
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    #[default]
    Calls,
    Slowest,
    Failing,
}

impl Sort {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Calls, Self::Slowest, Self::Failing];

    /// Its key.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Slowest => "slowest",
            Self::Failing => "failing",
        }
    }
}

/// The traffic that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) from: Time,
    pub(crate) to: Time,
    pub(crate) grain: Grain,
    pub(crate) span: Option<Span>,
    pub(crate) member: Option<OrgCode>,
    pub(crate) service: Option<ServiceId>,
    pub(crate) agreement: Option<Digest>,
    pub(crate) result: Option<Outcome>,
    pub(crate) by: By,
    pub(crate) sort: Sort,
    /// From 1.
    pub(crate) page: usize,
}

impl Wanted {
    /// The traffic that is meant, whole spans of the grain that shows it best.
    ///
    /// # Errors
    /// A problem for each text that cannot be read, at its field.
    pub(crate) fn read(&self, now: Time) -> Result<Asked, Vec<Problem>> {
        let mut problems = Vec::new();
        let bad = |field: &str| Problem::invalid(field, "malformed");
        let from = read(
            &mut problems,
            &self.from,
            Problem::invalid("from", "evidence-day"),
            |t| instant(t, 0),
        );
        let to = read(
            &mut problems,
            &self.to,
            Problem::invalid("to", "evidence-day"),
            |t| instant(t, DAY_END),
        );
        let span = read(&mut problems, &self.span, bad("span"), |t| {
            Span::ALL.into_iter().find(|span| span.as_str() == t)
        });
        let asked = Asked {
            from: now,
            to: now,
            grain: Grain::Minute,
            span: (from.is_none() && to.is_none()).then(|| span.unwrap_or_default()),
            member: read(
                &mut problems,
                &self.member,
                Problem::invalid("member", "organisation-code"),
                |t| t.parse().ok().map(|org: OrgCode| org.top()),
            ),
            service: read(
                &mut problems,
                &self.service,
                Problem::invalid("service", "service-id"),
                |t| t.parse().ok(),
            ),
            agreement: read(&mut problems, &self.agreement, bad("agreement"), Digest::parse),
            result: read(&mut problems, &self.result, bad("result"), Outcome::parse),
            by: read(&mut problems, &self.by, bad("by"), |t| {
                By::ALL.into_iter().find(|by| by.as_str() == t)
            })
            .unwrap_or_default(),
            sort: read(&mut problems, &self.sort, bad("sort"), |t| {
                Sort::ALL.into_iter().find(|sort| sort.as_str() == t)
            })
            .unwrap_or_default(),
            page: read(&mut problems, &self.page, bad("page"), |t| {
                t.parse().ok().filter(|page| *page > 0)
            })
            .unwrap_or(1),
        };
        let (from, to) = match asked.span {
            Some(span) => (now.plus_ms(1 - span.ms()), now.plus_ms(1)),
            None => {
                let to = to.unwrap_or(now.plus_ms(1));
                (from.unwrap_or(to.plus_ms(-DAY_MS)), to)
            }
        };
        if from >= to {
            problems.push(Problem::invalid("to", "evidence-span"));
        } else if to.ms().saturating_sub(from.ms()) > SPAN_MS_MAX {
            problems.push(Problem::invalid("from", "traffic-span"));
        }
        if problems.is_empty() {
            Ok(asked.over(from, to, now))
        } else {
            Err(problems)
        }
    }
}

impl Asked {
    /// Whole spans that hold a time.
    fn over(self, from: Time, to: Time, now: Time) -> Self {
        let grain = Grain::of(from, to, now);
        let last = grain.begin(to.plus_ms(-1));
        Self {
            from: grain.begin(from),
            to: grain.next(last),
            grain,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        Time::parse_rfc3339("2026-11-22T03:10:20Z").expect("a time")
    }

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    #[test]
    fn without_a_word_it_is_the_last_hour_by_minutes() {
        let asked = Wanted::default().read(now()).expect("read");
        assert_eq!(
            (asked.grain, asked.span, asked.page),
            (Grain::Minute, Some(Span::Hour), 1)
        );
        assert_eq!(asked.to.rfc3339(), "2026-11-22T03:11:00.000Z");
        assert_eq!(asked.to.ms() - asked.from.ms(), 61 * 60_000);
        for (span, grain) in [
            ("day", Grain::Hour),
            ("month", Grain::Day),
            ("year", Grain::Month),
        ] {
            let wanted = Wanted {
                span: text(span),
                ..Wanted::default()
            };
            assert_eq!(wanted.read(now()).expect("read").grain, grain, "{span}");
        }
    }

    #[test]
    fn days_are_those_of_vietnam_and_win_over_a_span() {
        let wanted = Wanted {
            span: text("hour"),
            from: text("2026-11-20"),
            to: text("2026-11-21"),
            ..Wanted::default()
        };
        let asked = wanted.read(now()).expect("read");
        assert_eq!((asked.span, asked.grain), (None, Grain::Hour));
        assert_eq!(asked.from.rfc3339(), "2026-11-19T17:00:00.000Z");
        assert_eq!(asked.to.rfc3339(), "2026-11-21T17:00:00.000Z");
    }

    #[test]
    fn what_cannot_be_read_is_told_at_its_field() {
        let wrong = [
            (
                "span",
                Wanted {
                    span: text("week"),
                    ..Wanted::default()
                },
            ),
            (
                "from",
                Wanted {
                    from: text("x"),
                    ..Wanted::default()
                },
            ),
            (
                "from",
                Wanted {
                    from: text("1900-01-01"),
                    ..Wanted::default()
                },
            ),
            (
                "to",
                Wanted {
                    to: text("2026-02-30"),
                    ..Wanted::default()
                },
            ),
            (
                "to",
                Wanted {
                    from: text("2026-11-21"),
                    to: text("2026-11-20"),
                    ..Wanted::default()
                },
            ),
            (
                "member",
                Wanted {
                    member: text("công an"),
                    ..Wanted::default()
                },
            ),
            (
                "service",
                Wanted {
                    service: text("G01"),
                    ..Wanted::default()
                },
            ),
            (
                "agreement",
                Wanted {
                    agreement: text("01/2026"),
                    ..Wanted::default()
                },
            ),
            (
                "result",
                Wanted {
                    result: text("bad"),
                    ..Wanted::default()
                },
            ),
            (
                "by",
                Wanted {
                    by: text("x"),
                    ..Wanted::default()
                },
            ),
            (
                "sort",
                Wanted {
                    sort: text("x"),
                    ..Wanted::default()
                },
            ),
            (
                "page",
                Wanted {
                    page: text("0"),
                    ..Wanted::default()
                },
            ),
        ];
        for (field, wanted) in wrong {
            let problems = wanted.read(now()).expect_err(field);
            assert_eq!(problems[0].field.as_deref(), Some(field));
        }
    }
}
