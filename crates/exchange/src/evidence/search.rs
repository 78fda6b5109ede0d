//! What an operator looks for among the exchanges of a node. Never a name or a personal number: the index
//! holds ids only.

use kernel::time::parse_iso;
use kernel::{Digest, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::ServiceId;
use crate::index::{Asked, By, Indexed, Look};
use crate::left::EvidenceArchive;

/// Sides of exchanges that one message id may stand for, count; more are not shown.
const SIDES_MAX: usize = 100;
/// Midnight at the end of a day, in minutes of it.
pub(crate) const DAY_END: i64 = 24 * 60;

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service answered with a status below 400.
    Ok,
    /// A gateway or the service refused by a rule.
    Refused,
    /// Something failed: a hop, the service, a seal.
    Fault,
}

/// Refusals of a gateway that a rule is behind; every other key is of something that failed.
const BY_A_RULE: &[&str] = &[
    "body-too-large",
    "clock-skew",
    "envelope-version",
    "head-bad",
    "header-repeated",
    "identifier-bad",
    "instance-untrusted",
    "malformed",
    "member-elsewhere",
    "member-disabled",
    "member-unknown",
    "node-maintenance",
    "node-revoked",
    "not-found",
    "path-outside",
    "replayed",
    "service-code",
    "service-path",
    "service-type",
    "service-unknown",
    "system-stopped",
    "too-many",
];
/// What the keys of such refusals begin with.
const OF_A_RULE: [&str; 3] = ["agreement-", "delegation-", "quota-"];
/// What a provider's gateway says in its service's place because its operator said so.
const STOPPED: &str = "service-disabled";

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Refused, Self::Fault];

    /// The key by which rows and links name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Fault => "fault",
        }
    }

    /// Reads a key.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == key)
    }

    /// How an exchange ended by its answer's status (none: a gateway refused) and the problem's key.
    #[must_use]
    pub fn of(status: Option<u16>, fault: &str) -> Self {
        let by_a_rule = BY_A_RULE.contains(&fault) || OF_A_RULE.iter().any(|k| fault.starts_with(k));
        match status {
            None if by_a_rule => Self::Refused,
            None => Self::Fault,
            Some(_) if fault == STOPPED => Self::Refused,
            // The provider's gateway answered in the service's place.
            Some(_) if !fault.is_empty() => Self::Fault,
            Some(500..) => Self::Fault,
            Some(400..) => Self::Refused,
            Some(_) => Self::Ok,
        }
    }
}

/// What is looked for: everything that is named must hold.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Began at this instant or later.
    pub from: Option<Time>,
    /// Began before this instant.
    pub to: Option<Time>,
    /// The other party's organisation (level 1).
    pub member: Option<OrgCode>,
    /// The service.
    pub service: Option<ServiceId>,
    /// The agreement's hash.
    pub agreement: Option<Digest>,
    /// How it ended.
    pub result: Option<Outcome>,
    /// The case that caused it (`X-Road-Issue`).
    pub case: Option<String>,
    /// The exchange's id, or the consumer's id of its message (`X-Road-Id`).
    pub request: Option<String>,
    /// Only records of this organisation of the node; all of them when none is named.
    pub own: Option<OrgCode>,
    /// Only records before this position of the log: the next page.
    pub after: Option<u64>,
}

/// A page of what was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceFound {
    /// The exchanges, in the order in which they were recorded, the newest first; one that both sides of which are here
    /// stands twice.
    pub exchanges: Vec<Indexed>,
    /// Where the next page begins: give it as `after`; none when this was all.
    pub next: Option<String>,
    /// Until when in the past this page has looked, milliseconds since 1970, when it ended before it was
    /// full: the next page goes on from there.
    pub looked_to: Option<i64>,
    /// The archive files in which records of this page live that have left the live log.
    pub archives: Vec<EvidenceArchive>,
}

impl Search {
    /// A page of what there is, at most `rows_max` of it.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub(crate) async fn run(&self, look: &Look<'_>, rows_max: usize) -> Result<EvidenceFound, Problem> {
        if let Some(request) = &self.request {
            return self.by_request(look, request).await;
        }
        let asked = Asked {
            by: self.driven_by(),
            time: self.time(),
            below: self.after.unwrap_or(u64::MAX),
            meets: &|row| self.meets(row),
            limit: rows_max,
        };
        let found = look.page(&asked).await?;
        Ok(EvidenceFound {
            exchanges: found.rows,
            next: found.below.map(|below| below.to_string()),
            looked_to: found.looked_to,
            archives: Vec::new(),
        })
    }

    /// The few rows of one id.
    async fn by_request(&self, look: &Look<'_>, request: &str) -> Result<EvidenceFound, Problem> {
        let mut exchanges = look.request(request).await?;
        if exchanges.is_empty() {
            exchanges = look.message(request, SIDES_MAX).await?;
        }
        let (from, to) = self.time();
        exchanges.retain(|row| (from..to).contains(&row.began) && self.meets(row));
        exchanges.reverse();
        Ok(EvidenceFound {
            exchanges,
            next: None,
            looked_to: None,
            archives: Vec::new(),
        })
    }

    /// From when on calls began, and before when.
    fn time(&self) -> (i64, i64) {
        let ms = |time: Option<Time>, none| time.map_or(none, Time::ms);
        (ms(self.from, i64::MIN), ms(self.to, i64::MAX))
    }

    /// The rarest thing that is named has the shortest way.
    fn driven_by(&self) -> By {
        if let Some(case) = &self.case {
            By::Case(case.clone())
        } else if let Some(agreement) = self.agreement {
            By::Agreement(agreement)
        } else if let Some(failed) = self.result.filter(|result| *result != Outcome::Ok) {
            By::Failure(failed)
        } else if let Some(service) = &self.service {
            By::Service(service.clone())
        } else if let Some(member) = &self.member {
            By::Member(member.clone())
        } else if let Some(own) = &self.own {
            By::Own(own.clone())
        } else {
            By::Time
        }
    }

    /// Everything that is named holds for a row, but for its time and its place.
    fn meets(&self, row: &Indexed) -> bool {
        let is = |wanted: Option<&str>, value: &str| wanted.is_none_or(|wanted| wanted == value);
        is(self.own.as_ref().map(OrgCode::as_str), &row.own)
            && is(self.member.as_ref().map(OrgCode::as_str), &row.member)
            && self
                .service
                .as_ref()
                .is_none_or(|service| service.to_string() == row.service)
            && self.agreement.is_none_or(|hash| hash.hex() == row.agreement)
            && is(self.result.map(Outcome::as_str), row.result)
            && is(self.case.as_deref(), row.issue.as_deref().unwrap_or_default())
    }
}

/// A search as links, forms and flags say it: texts, each left out when empty.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct Wanted {
    /// Began on this day or later: `2026-11-22`, or an instant: `2026-11-22T09:30:00Z`.
    pub from: Option<String>,
    /// Began on this day or earlier, or before this instant.
    pub to: Option<String>,
    /// The other party's organisation: `G01`.
    pub member: Option<String>,
    /// The service: `G01/population/person-lookup`.
    pub service: Option<String>,
    /// The agreement's hash.
    pub agreement: Option<String>,
    /// `ok`, `refused` or `fault`.
    pub result: Option<String>,
    /// The case that caused it (`X-Road-Issue`).
    pub case: Option<String>,
    /// The exchange's id, or the consumer's id of its message (`X-Road-Id`).
    pub request: Option<String>,
    /// Where the page begins: `next` of the page before.
    pub after: Option<String>,
}

impl Wanted {
    /// The search that is meant.
    ///
    /// # Errors
    /// A problem for each text that cannot be read, at its field.
    pub fn read(&self) -> Result<Search, Vec<Problem>> {
        let mut problems = Vec::new();
        let bad = |field: &str| Problem::invalid(field, "malformed");
        let day = |field: &str| Problem::invalid(field, "evidence-day");
        let text = |t: &str| Some(t.to_owned());
        let mut search = Search {
            from: read(&mut problems, &self.from, day("from"), |t| instant(t, 0)),
            to: read(&mut problems, &self.to, day("to"), |t| instant(t, DAY_END)),
            agreement: read(&mut problems, &self.agreement, bad("agreement"), Digest::parse),
            result: read(&mut problems, &self.result, bad("result"), Outcome::parse),
            case: read(&mut problems, &self.case, bad("case"), text),
            request: read(&mut problems, &self.request, bad("request"), text),
            after: read(&mut problems, &self.after, bad("after"), |t| t.parse().ok()),
            ..Search::default()
        };
        let no_organisation = Problem::invalid("member", "organisation-code");
        search.member = read(&mut problems, &self.member, no_organisation, |t| {
            t.parse().ok().map(|org: OrgCode| org.top())
        });
        let no_service = Problem::invalid("service", "service-id");
        search.service = read(&mut problems, &self.service, no_service, |t| t.parse().ok());
        if let (Some(from), Some(to)) = (search.from, search.to)
            && from >= to
        {
            problems.push(Problem::invalid("to", "evidence-span"));
        }
        if problems.is_empty() {
            Ok(search)
        } else {
            Err(problems)
        }
    }
}

/// What a field says; nothing when it is empty, or cannot be read, which is a problem then.
pub(crate) fn read<T>(
    problems: &mut Vec<Problem>,
    text: &Option<String>,
    problem: Problem,
    of: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty())?;
    let value = of(text);
    if value.is_none() {
        problems.push(problem);
    }
    value
}

/// An instant, or a minute of a day in Vietnam.
pub(crate) fn instant(text: &str, minute: i64) -> Option<Time> {
    match parse_iso(text) {
        Some(day) => Some(Time::at(day, minute)),
        None => Time::parse_rfc3339(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(field: &str, text: &str) -> Wanted {
        let mut wanted = Wanted::default();
        let place = match field {
            "from" => &mut wanted.from,
            "to" => &mut wanted.to,
            "member" => &mut wanted.member,
            "service" => &mut wanted.service,
            "agreement" => &mut wanted.agreement,
            "result" => &mut wanted.result,
            _ => &mut wanted.after,
        };
        *place = Some(text.to_owned());
        wanted
    }

    #[test]
    fn what_cannot_be_read_is_told_at_its_field() {
        for (field, text) in [
            ("from", "2026-02-31"),
            ("from", "yesterday"),
            ("to", "22/11/2026"),
            ("member", "công an"),
            ("service", "G01"),
            ("agreement", "01/2026"),
            ("result", "bad"),
            ("after", "x.y"),
        ] {
            let problems = wanted(field, text).read().expect_err(text);
            assert_eq!(problems.len(), 1);
            assert_eq!(problems[0].field.as_deref(), Some(field), "{text}");
        }
        let turned = Wanted {
            to: Some("2026-11-21".to_owned()),
            ..wanted("from", "2026-11-22")
        };
        let problems = turned.read().expect_err("the wrong way round");
        assert_eq!(
            (problems[0].code, problems[0].field.as_deref()),
            ("evidence-span", Some("to"))
        );
        assert!(Wanted::default().read().is_ok());
    }

    #[test]
    fn a_span_of_one_day_holds_that_day_in_vietnam() {
        let day = Wanted {
            to: Some("2026-11-22".to_owned()),
            ..wanted("from", "2026-11-22")
        };
        let search = day.read().expect("read");
        let (from, to) = (search.from.expect("set"), search.to.expect("set"));
        assert_eq!(from.rfc3339(), "2026-11-21T17:00:00.000Z");
        assert_eq!(to.ms() - from.ms(), 86_400_000);
    }

    #[test]
    fn a_refusal_by_a_rule_is_told_from_what_failed() {
        for (status, fault, outcome) in [
            (Some(200), "", Outcome::Ok),
            (Some(304), "", Outcome::Ok),
            (Some(404), "", Outcome::Refused),
            (Some(500), "", Outcome::Fault),
            (Some(504), "timeout", Outcome::Fault),
            (Some(413), "body-too-large", Outcome::Fault),
            (Some(503), "service-disabled", Outcome::Refused),
            (Some(503), "service-circuit-open", Outcome::Fault),
            (None, "agreement-revoked", Outcome::Refused),
            (None, "replayed", Outcome::Refused),
            (None, "quota-day", Outcome::Refused),
            (None, "provider-unreachable", Outcome::Fault),
            (None, "seal-broken", Outcome::Fault),
        ] {
            assert_eq!(Outcome::of(status, fault), outcome, "{status:?} {fault}");
        }
    }

    #[test]
    fn every_refusal_of_the_provider_is_by_a_rule_or_of_something_that_failed() {
        const FAILED: [&str; 5] = [
            "no-room",
            "openapi-unreadable",
            "seal-broken",
            "shutting-down",
            "store-unavailable",
        ];
        for (key, _) in crate::wire::KNOWN {
            let outcome = if FAILED.contains(key) {
                Outcome::Fault
            } else {
                Outcome::Refused
            };
            assert_eq!(Outcome::of(None, key), outcome, "{key}");
        }
    }
}
