//! What each fact counts. One match without a wildcard: a new kind of fact does not compile until
//! somebody has said here what it means for the figures.

use kernel::time::iso;
use kernel::{Fact, FactRecord, OrgCode};

/// The counters that figures are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Cases received, by the organisation that handles them.
    CasesReceived,
    /// Of these, filed online.
    CasesOnline,
    /// Cases decided.
    CasesDecided,
    /// Of these, not after their due date.
    CasesOnTime,
    /// Results given to applicants.
    CasesReturned,
    /// Statuses noted at the portal, by the organisation that sent them.
    StatusesNoted,
    /// Exchanges asked for, by the asking member.
    ExchangesAsked,
    /// Exchanges answered, by the answering member.
    ExchangesAnswered,
    /// Register records read, by the organisation that read.
    RecordsRead,
    /// Documents issued.
    DocumentsIssued,
}

impl Counter {
    /// All counters, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::CasesReceived,
        Self::CasesOnline,
        Self::CasesDecided,
        Self::CasesOnTime,
        Self::CasesReturned,
        Self::StatusesNoted,
        Self::ExchangesAsked,
        Self::ExchangesAnswered,
        Self::RecordsRead,
        Self::DocumentsIssued,
    ];

    /// The counter's name in rows and answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CasesReceived => "cases-received",
            Self::CasesOnline => "cases-online",
            Self::CasesDecided => "cases-decided",
            Self::CasesOnTime => "cases-on-time",
            Self::CasesReturned => "cases-returned",
            Self::StatusesNoted => "statuses-noted",
            Self::ExchangesAsked => "exchanges-asked",
            Self::ExchangesAnswered => "exchanges-answered",
            Self::RecordsRead => "records-read",
            Self::DocumentsIssued => "documents-issued",
        }
    }
}

/// One increment: which counter, whose, in which month (`2026-11`), by how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    /// The counter.
    pub counter: Counter,
    /// Whose figure it moves.
    pub org: OrgCode,
    /// The month in Vietnam's civil time.
    pub period: String,
    /// By how much.
    pub amount: u64,
}

/// The national status of a decided case, and of one whose result was given.
const DECIDED: u8 = 9;
const RETURNED: u8 = 10;

/// What a fact counts.
#[must_use]
pub fn project(record: &FactRecord) -> Vec<Increment> {
    let period = iso(record.at.date())[..7].to_owned();
    let mut all = Vec::new();
    let mut add = |counter: Counter, org: &OrgCode, amount: u64| {
        all.push(Increment {
            counter,
            org: org.clone(),
            period: period.clone(),
            amount,
        });
    };
    match &record.fact {
        Fact::CaseFiled { to, channel, .. } => {
            add(Counter::CasesReceived, &to.top(), 1);
            if *channel == kernel::fact::Channel::Online {
                add(Counter::CasesOnline, &to.top(), 1);
            }
        }
        Fact::CaseReceived { channel, .. } => {
            add(Counter::CasesReceived, &record.tenant, 1);
            if *channel == kernel::fact::Channel::Online {
                add(Counter::CasesOnline, &record.tenant, 1);
            }
        }
        Fact::CaseDecided { due, .. } => {
            add(Counter::CasesDecided, &record.tenant, 1);
            if record.at <= *due {
                add(Counter::CasesOnTime, &record.tenant, 1);
            }
        }
        Fact::CaseReturned { .. } => add(Counter::CasesReturned, &record.tenant, 1),
        Fact::CaseStatusNoted {
            owner,
            status,
            at,
            due,
            ..
        } => {
            add(Counter::StatusesNoted, &owner.top(), 1);
            if *status == DECIDED {
                add(Counter::CasesDecided, &owner.top(), 1);
                if due.is_some_and(|due| *at <= due) {
                    add(Counter::CasesOnTime, &owner.top(), 1);
                }
            }
            if *status == RETURNED {
                add(Counter::CasesReturned, &owner.top(), 1);
            }
        }
        Fact::ExchangesCounted { counts, .. } => {
            for count in counts {
                // Each record is one side's: counting the asker on its own side and the answerer on
                // its own counts every exchange once for each of them, on one node or two.
                if count.side == "consumer" {
                    add(Counter::ExchangesAsked, &count.consumer.top(), count.count);
                } else {
                    add(Counter::ExchangesAnswered, &count.provider.top(), count.count);
                }
            }
        }
        Fact::RecordRead { consumer, .. } => add(Counter::RecordsRead, &consumer.top(), 1),
        Fact::DocumentIssued { .. } => add(Counter::DocumentsIssued, &record.tenant, 1),
        Fact::PackLoaded { .. }
        | Fact::DirectoryPublished { .. }
        | Fact::DirectoryAdopted { .. }
        | Fact::CertificateRevoked { .. }
        | Fact::AgreementInForce { .. }
        | Fact::AgreementRevoked { .. }
        | Fact::AccountOpened { .. }
        | Fact::SignedIn { .. }
        | Fact::SignInRefused { .. }
        | Fact::SignedOut { .. }
        | Fact::RecordWritten { .. }
        | Fact::RecordWithdrawn { .. }
        | Fact::OwnDataViewed { .. }
        | Fact::CaseDrafted { .. }
        | Fact::CaseDraftChanged { .. }
        | Fact::CaseHandedOver { .. }
        | Fact::CaseAccepted { .. }
        | Fact::CaseProposed { .. }
        | Fact::CaseActEntered { .. }
        | Fact::CaseActWithdrawn { .. }
        | Fact::CaseSentBack { .. }
        | Fact::CaseDeclined { .. }
        | Fact::CaseSupplementAsked { .. }
        | Fact::CaseSupplemented { .. }
        | Fact::CaseResultDraftSent { .. }
        | Fact::CaseResultDraftAnswered { .. }
        | Fact::CaseSealed { .. }
        | Fact::CaseWithdrawn { .. }
        | Fact::CaseApologised { .. }
        | Fact::FeeAsked { .. }
        | Fact::FeePaid { .. }
        | Fact::CaseRated { .. }
        | Fact::CaseMoved { .. }
        | Fact::CaseViewed { .. }
        | Fact::DocumentDelivered { .. }
        | Fact::ObligationOpened { .. }
        | Fact::ObligationMet { .. }
        | Fact::ObligationLifted { .. }
        | Fact::IndicatorsRebuilt { .. } => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Actor, Digest, Time};

    fn record(at: i64, fact: Fact) -> FactRecord {
        FactRecord {
            v: 1,
            tenant: "G22".parse().expect("code"),
            subject: "case/x".into(),
            seq: 1,
            at: Time(at),
            actor: Actor::Platform,
            fact,
            prev: Digest::default(),
        }
    }

    fn noted(status: u8, at: i64, due: i64) -> FactRecord {
        record(
            at,
            Fact::CaseStatusNoted {
                case: "G22-261121-0001".parse().expect("code"),
                owner: "H56.14857".parse().expect("code"),
                seq: 3,
                status,
                at: Time(at),
                due: Some(Time(due)),
            },
        )
    }

    #[test]
    fn a_case_decided_at_its_due_instant_is_on_time_and_a_moment_later_is_not() {
        let counters = |r: &FactRecord| project(r).iter().map(|i| i.counter).collect::<Vec<_>>();
        assert_eq!(
            counters(&noted(9, 100, 100)),
            [
                Counter::StatusesNoted,
                Counter::CasesDecided,
                Counter::CasesOnTime
            ]
        );
        assert_eq!(
            counters(&noted(9, 101, 100)),
            [Counter::StatusesNoted, Counter::CasesDecided]
        );
        assert_eq!(counters(&noted(4, 1, 100)), [Counter::StatusesNoted]);
    }

    #[test]
    fn a_figure_belongs_to_the_province_whatever_unit_handled_the_case() {
        assert!(project(&noted(9, 1, 2)).iter().all(|i| i.org.as_str() == "H56"));
    }

    #[test]
    fn the_month_turns_in_vietnam_not_in_utc() {
        let last_hour = Time::parse_rfc3339("2026-11-30T17:30:00Z").expect("time").ms();
        assert!(
            project(&noted(9, last_hour, last_hour))
                .iter()
                .all(|i| i.period == "2026-12")
        );
    }
}
