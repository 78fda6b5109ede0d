//! Every figure's definition as data: what stands above the line and below, in which unit, towards
//! which target. The words for people stand in the texts under the figure's code.

use crate::counter::Counter;

/// Counts added up: a counter, all of it or some of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The counter.
    pub counter: Counter,
    /// Its parts; all of them when empty.
    pub parts: &'static [&'static str],
}

/// How a figure is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A count of the period.
    Sum(Term),
    /// A count of the period without another.
    Less(Term, Term),
    /// A share in percent.
    Share(Term, Term),
    /// A mean: the first by the second, divided further by a number.
    Mean(Term, Term, u32),
    /// What came less what went, since the first fact.
    Stock(&'static [Term], &'static [Term]),
    /// Open cases past their due date, at this moment.
    Overdue,
    /// The upper bound of the class in which this percentage of lags ends.
    Lag(u32),
    /// Services used of those agreed, in percent.
    Sharing,
    /// Exchanges in the last so many seconds, a second or a minute.
    Rate(u32),
}

/// What a figure's value is counted in; its text is `indicators-unit-…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Cases.
    Cases,
    /// Percent.
    Percent,
    /// Dong.
    Dong,
    /// Hours.
    Hours,
    /// Seconds.
    Seconds,
    /// Things, as the figure's name says.
    Count,
    /// Exchanges a second.
    PerSecond,
    /// Exchanges a minute.
    PerMinute,
}

impl Unit {
    /// The unit's name in answers and texts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::Percent => "percent",
            Self::Dong => "dong",
            Self::Hours => "hours",
            Self::Seconds => "seconds",
            Self::Count => "count",
            Self::PerSecond => "per-second",
            Self::PerMinute => "per-minute",
        }
    }
}

/// Where a figure stands on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Cases and their terms.
    Cases,
    /// Online services.
    Online,
    /// What applicants say.
    Satisfaction,
    /// Statuses at the portal.
    Sync,
    /// The exchange.
    Exchange,
}

impl Group {
    /// All groups, in the order of a board.
    pub const ALL: [Self; 5] = [
        Self::Cases,
        Self::Online,
        Self::Satisfaction,
        Self::Sync,
        Self::Exchange,
    ];

    /// The group's name in texts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::Online => "online",
            Self::Satisfaction => "satisfaction",
            Self::Sync => "sync",
            Self::Exchange => "exchange",
        }
    }
}

/// A figure's definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its code.
    pub code: &'static str,
    /// Where it stands.
    pub group: Group,
    /// How it is computed.
    pub way: Way,
    /// In what it is counted.
    pub unit: Unit,
}

const fn of(counter: Counter) -> Term {
    Term { counter, parts: &[] }
}

const fn parts(counter: Counter, parts: &'static [&'static str]) -> Term {
    Term { counter, parts }
}

const fn figure(code: &'static str, group: Group, way: Way, unit: Unit) -> Definition {
    Definition {
        code,
        group,
        way,
        unit,
    }
}

/// What came, for the stock.
const CAME: &[Term] = &[of(Counter::CasesReceived), of(Counter::CasesMovedIn)];
/// What went.
const WENT: &[Term] = &[
    of(Counter::CasesDecided),
    of(Counter::CasesDeclined),
    of(Counter::CasesWithdrawn),
    of(Counter::CasesStopped),
    of(Counter::CasesMovedOut),
];

/// All figures, in the order in which they are shown.
pub const FIGURES: &[Definition] = {
    use Counter as C;
    use Way::{Lag, Less, Mean, Overdue, Rate, Share, Sharing, Stock, Sum};
    &[
        figure(
            "cases-received",
            Group::Cases,
            Sum(of(C::CasesReceived)),
            Unit::Cases,
        ),
        figure(
            "cases-decided",
            Group::Cases,
            Sum(of(C::CasesDecided)),
            Unit::Cases,
        ),
        figure("cases-on-hand", Group::Cases, Stock(CAME, WENT), Unit::Cases),
        figure("cases-overdue", Group::Cases, Overdue, Unit::Cases),
        figure(
            "on-time-share",
            Group::Cases,
            Share(of(C::CasesOnTime), of(C::CasesDecided)),
            Unit::Percent,
        ),
        figure(
            "cases-on-time",
            Group::Cases,
            Sum(of(C::CasesOnTime)),
            Unit::Cases,
        ),
        figure(
            "cases-late",
            Group::Cases,
            Less(of(C::CasesDecided), of(C::CasesOnTime)),
            Unit::Cases,
        ),
        figure(
            "handling-hours",
            Group::Cases,
            Mean(of(C::HandlingMinutes), of(C::CasesTimed), 60),
            Unit::Hours,
        ),
        figure(
            "cases-returned",
            Group::Cases,
            Sum(of(C::CasesReturned)),
            Unit::Cases,
        ),
        figure(
            "cases-refused",
            Group::Cases,
            Sum(parts(C::CasesDecided, &["refused"])),
            Unit::Cases,
        ),
        figure(
            "cases-declined",
            Group::Cases,
            Sum(of(C::CasesDeclined)),
            Unit::Cases,
        ),
        figure(
            "cases-withdrawn",
            Group::Cases,
            Sum(of(C::CasesWithdrawn)),
            Unit::Cases,
        ),
        figure(
            "supplements-asked",
            Group::Cases,
            Sum(of(C::SupplementsAsked)),
            Unit::Count,
        ),
        figure("apologies", Group::Cases, Sum(of(C::Apologies)), Unit::Count),
        figure("escalations", Group::Cases, Sum(of(C::Escalations)), Unit::Count),
        figure("fees-dong", Group::Cases, Sum(of(C::FeesDong)), Unit::Dong),
        figure(
            "documents-issued",
            Group::Cases,
            Sum(of(C::DocumentsIssued)),
            Unit::Count,
        ),
        figure(
            "cases-online",
            Group::Online,
            Sum(of(C::CasesOnline)),
            Unit::Cases,
        ),
        figure(
            "online-share",
            Group::Online,
            Share(of(C::CasesOnline), of(C::CasesReceived)),
            Unit::Percent,
        ),
        figure(
            "online-full-share",
            Group::Online,
            Share(parts(C::CasesOnline, &["full"]), of(C::CasesReceived)),
            Unit::Percent,
        ),
        figure(
            "online-partial-share",
            Group::Online,
            Share(parts(C::CasesOnline, &["partial"]), of(C::CasesReceived)),
            Unit::Percent,
        ),
        figure(
            "satisfaction",
            Group::Satisfaction,
            Share(parts(C::Ratings, &["4", "5"]), of(C::Ratings)),
            Unit::Percent,
        ),
        figure("ratings", Group::Satisfaction, Sum(of(C::Ratings)), Unit::Count),
        figure(
            "statuses-noted",
            Group::Sync,
            Sum(of(C::StatusesNoted)),
            Unit::Count,
        ),
        figure("status-lag-p50", Group::Sync, Lag(50), Unit::Seconds),
        figure("status-lag-p95", Group::Sync, Lag(95), Unit::Seconds),
        figure(
            "exchanges-asked",
            Group::Exchange,
            Sum(of(C::ExchangesAsked)),
            Unit::Count,
        ),
        figure(
            "exchanges-answered",
            Group::Exchange,
            Sum(of(C::ExchangesAnswered)),
            Unit::Count,
        ),
        figure(
            "exchanges-failed",
            Group::Exchange,
            Sum(of(C::ExchangesFailed)),
            Unit::Count,
        ),
        figure("exchanges-per-second", Group::Exchange, Rate(10), Unit::PerSecond),
        figure("exchanges-per-minute", Group::Exchange, Rate(60), Unit::PerMinute),
        figure("sharing-rate", Group::Exchange, Sharing, Unit::Percent),
        figure(
            "records-read",
            Group::Exchange,
            Sum(of(C::RecordsRead)),
            Unit::Count,
        ),
    ]
};

impl Term {
    fn formula(self) -> String {
        if self.parts.is_empty() {
            self.counter.code().to_owned()
        } else {
            format!("{}[{}]", self.counter.code(), self.parts.join("+"))
        }
    }
}

fn joined(terms: &[Term]) -> String {
    terms.iter().map(|t| t.formula()).collect::<Vec<_>>().join(" + ")
}

impl Definition {
    /// The figure of a code.
    #[must_use]
    pub fn find(code: &str) -> Option<&'static Self> {
        FIGURES.iter().find(|d| d.code == code)
    }

    /// How it is computed, in counters.
    #[must_use]
    pub fn formula(&self) -> String {
        match self.way {
            Way::Sum(term) => term.formula(),
            Way::Less(a, b) => format!("{} - {}", a.formula(), b.formula()),
            Way::Share(a, b) => format!("{} / {} * 100", a.formula(), b.formula()),
            Way::Mean(a, b, by) => format!("{} / {} / {by}", a.formula(), b.formula()),
            Way::Stock(came, went) => format!("sum({}) - sum({})", joined(came), joined(went)),
            Way::Overdue => "count(open: due < now, not waiting for the applicant)".to_owned(),
            Way::Lag(percent) => format!("p{percent}(status-lag)"),
            Way::Sharing => "services(service-uses > 0) / services(agreements in force) * 100".to_owned(),
            Way::Rate(seconds) => format!("exchanges(last {seconds} s) / {seconds} s"),
        }
    }

    /// The counters whose facts are the rows behind the figure: those above the line first.
    #[must_use]
    pub fn counters(&self) -> Vec<Counter> {
        let mut all: Vec<Counter> = match self.way {
            Way::Sum(term) => vec![term.counter],
            Way::Less(a, b) | Way::Share(a, b) | Way::Mean(a, b, _) => vec![a.counter, b.counter],
            Way::Stock(came, went) => came.iter().chain(went).map(|t| t.counter).collect(),
            Way::Overdue => vec![Counter::CasesReceived],
            Way::Lag(_) => vec![Counter::StatusesNoted],
            Way::Sharing => vec![
                Counter::ExchangesAsked,
                Counter::ExchangesAnswered,
                Counter::AgreementsBegun,
            ],
            Way::Rate(_) => vec![Counter::ExchangesAsked, Counter::ExchangesAnswered],
        };
        for counter in &mut all {
            // These move together with one that has rows.
            match counter {
                Counter::FeesDong => *counter = Counter::FeesPaid,
                Counter::HandlingMinutes => *counter = Counter::CasesTimed,
                _ => {}
            }
        }
        all.dedup();
        all
    }

    /// True for a figure of this moment, which has no months.
    #[must_use]
    pub const fn is_now(&self) -> bool {
        matches!(self.way, Way::Overdue | Way::Rate(_))
    }
}
