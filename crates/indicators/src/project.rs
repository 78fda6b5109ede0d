//! What each fact counts. One match without a wildcard: a new kind of fact does not compile until
//! somebody has said here what it means for the figures.

use kernel::fact::{Channel, ExchangeCount, Outcome};
use kernel::{CaseCode, Fact, FactRecord, OrgCode, ProcedureCode, Time};

use crate::counter::{Counter, lag_class};
use crate::levels::Levels;
use crate::open::{Open, OpenCase};

/// One increment: which counter, whose, which part of it, by how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Increment {
    /// The counter.
    pub counter: Counter,
    /// Whose figure it moves; those above it move with it.
    pub org: OrgCode,
    /// Which part; empty for a counter without parts.
    pub part: String,
    /// By how much.
    pub amount: u64,
}

/// The statuses towards the national portal.
const DECLINED: u8 = 3;
const SUPPLEMENT: u8 = 5;
const PAYMENT: u8 = 6;
const WITHDRAWN: u8 = 7;
const STOPPED: u8 = 8;
const DECIDED: u8 = 9;
const RETURNED: u8 = 10;

/// The case whose state a fact may need or change.
pub(crate) fn case_of(fact: &Fact) -> Option<&CaseCode> {
    match fact {
        Fact::CaseFiled { case, .. }
        | Fact::CaseReceived { case, .. }
        | Fact::CaseAccepted { case, .. }
        | Fact::CaseDecided { case, .. }
        | Fact::CaseDeclined { case, .. }
        | Fact::CaseSupplementAsked { case, .. }
        | Fact::CaseSupplemented { case, .. }
        | Fact::CaseChargeAsked { case, .. }
        | Fact::CaseChargePaid { case, .. }
        | Fact::CaseWithdrawn { case }
        | Fact::CaseStopped { case, .. }
        | Fact::CaseApologised { case, .. }
        | Fact::CaseEscalated { case, .. }
        | Fact::CaseImported { case, .. }
        | Fact::CaseRecounted { case, .. }
        | Fact::CaseMoved { case, .. }
        | Fact::CaseReturned { case }
        | Fact::CaseStatusNoted { case, .. } => Some(case),
        _ => None,
    }
}

/// What is being put together for one fact.
struct Projection<'a> {
    open: &'a mut Open,
    levels: &'a Levels,
    at: Time,
    all: Vec<Increment>,
}

/// What a fact counts, and what it opens and ends.
#[must_use]
pub fn project(record: &FactRecord, levels: &Levels, open: &mut Open) -> Vec<Increment> {
    let mut p = Projection {
        open,
        levels,
        at: record.at,
        all: Vec::new(),
    };
    let tenant = &record.tenant;
    match &record.fact {
        Fact::CaseFiled {
            case,
            procedure,
            channel,
            to,
            ..
        } => p.received(case, procedure, *channel, to),
        Fact::CaseReceived {
            case,
            procedure,
            channel,
            unit,
            ..
        } => p.received(case, procedure, *channel, unit.as_ref().unwrap_or(tenant)),
        Fact::CaseAccepted { case, due, .. } => p.change(case, |c, _| c.due = Some(*due)),
        Fact::CaseSupplementAsked { case, .. } => {
            p.of_case(case, tenant, Counter::SupplementsAsked);
            p.change(case, OpenCase::pause);
        }
        Fact::CaseSupplemented { case, due, .. } | Fact::CaseChargePaid { case, due, .. } => {
            p.change(case, |c, _| {
                c.paused = None;
                c.due = due.or(c.due);
            });
        }
        Fact::CaseChargeAsked { case, counts, .. } => {
            // Where the agency's time runs on the case is on its hand as before.
            if !counts {
                p.change(case, OpenCase::pause);
            }
        }
        Fact::CaseApologised { case, due, .. } => {
            p.of_case(case, tenant, Counter::Apologies);
            p.change(case, |c, _| c.due = Some(*due));
        }
        Fact::CaseImported { case, due, .. } => p.change(case, |c, _| c.due = due.or(c.due)),
        Fact::CaseEscalated { case, .. } => p.of_case(case, tenant, Counter::Escalations),
        Fact::CaseRecounted { case, due, .. } => p.change(case, |c, _| c.due = Some(*due)),
        Fact::CaseDecided {
            case,
            outcome,
            due,
            worked,
        } => {
            let part = match outcome {
                Outcome::Granted => "granted",
                Outcome::Refused => "refused",
            };
            p.decided(case, part, (record.at, Some(*due)), *worked);
        }
        Fact::CaseDeclined { case, .. } => p.ended(case, Counter::CasesDeclined),
        Fact::CaseWithdrawn { case } => p.ended(case, Counter::CasesWithdrawn),
        Fact::CaseStopped { case, .. } => p.ended(case, Counter::CasesStopped),
        Fact::CaseMoved { case, from, to } => p.moved(case, from, to),
        Fact::CaseReturned { case } => p.returned(case),
        Fact::CaseStatusNoted {
            case,
            owner,
            status,
            at,
            due,
            repeated,
            worked,
            ..
        } => p.noted(case, owner, (*status, *repeated), (*at, *due), *worked),
        Fact::CaseRated { owner, score, .. } => p.add(Counter::Ratings, owner, &score.to_string(), 1),
        Fact::FeePaid { dong, to, .. } => {
            p.add(Counter::FeesPaid, to, "", 1);
            p.add(Counter::FeesDong, to, "", *dong);
        }
        Fact::ExchangesCounted { counts, .. } => counts.iter().for_each(|c| p.exchanged(c)),
        Fact::AgreementInForce {
            agreement,
            consumer,
            service,
            ..
        } => {
            if p.open.agree(&agreement.hex(), consumer, service) {
                p.add(Counter::AgreementsBegun, consumer, service, 1);
            }
        }
        Fact::AgreementRevoked { agreement, .. } | Fact::AgreementExpired { agreement } => {
            if let Some((consumer, service)) = p.open.disagree(&agreement.hex()) {
                p.add(Counter::AgreementsEnded, &consumer, &service, 1);
            }
        }
        Fact::RecordRead {
            consumer, register, ..
        } => p.add(Counter::RecordsRead, consumer, register, 1),
        Fact::DocumentIssued { kind, .. } => p.add(Counter::DocumentsIssued, tenant, kind, 1),
        Fact::PackLoaded { .. }
        | Fact::ProcedurePublished { .. }
        | Fact::ProcedureWithdrawn { .. }
        | Fact::DesignSaved { .. }
        | Fact::DesignMoved { .. }
        | Fact::CaseMigrated { .. }
        | Fact::MigrationPlanned { .. }
        | Fact::MigrationStarted { .. }
        | Fact::DirectoryPublished { .. }
        | Fact::DirectoryAdopted { .. }
        | Fact::CertificateRevoked { .. }
        | Fact::RegistrationSaved { .. }
        | Fact::RegistrationAsked { .. }
        | Fact::RegistrationDropped { .. }
        | Fact::RegistrationApproved { .. }
        | Fact::RegistrationDeclined { .. }
        | Fact::DirectoryChanged { .. }
        | Fact::InstanceTrusted { .. }
        | Fact::InstanceWithdrawn { .. }
        | Fact::DirectoryFollowed { .. }
        | Fact::RegistrationsAutomatic { .. }
        | Fact::AgreementRequested { .. }
        | Fact::AgreementOffered { .. }
        | Fact::AgreementRefused { .. }
        | Fact::AgreementAccepted { .. }
        | Fact::AgreementWithdrawn { .. }
        | Fact::AgreementSuspended { .. }
        | Fact::AgreementResumed { .. }
        | Fact::ServiceNoticeHeard { .. }
        | Fact::NodeMaintenanceBegan { .. }
        | Fact::NodeMaintenanceEnded { .. }
        | Fact::BodyRead { .. }
        | Fact::BodiesDestroyed { .. }
        | Fact::EvidenceLeft { .. }
        | Fact::OutboxRetried { .. }
        | Fact::GroupSaved { .. }
        | Fact::GroupEnded { .. }
        | Fact::GroupOffered { .. }
        | Fact::GroupOfferEnded { .. }
        | Fact::DelegationOffered { .. }
        | Fact::DelegationInForce { .. }
        | Fact::DelegationEnded { .. }
        | Fact::ServiceRegistered { .. }
        | Fact::ServiceChanged { .. }
        | Fact::ServiceEnabled { .. }
        | Fact::ServiceDisabled { .. }
        | Fact::ServiceSunsetSet { .. }
        | Fact::ServiceStopAnnounced { .. }
        | Fact::ServiceStopLifted { .. }
        | Fact::ServiceRemoved { .. }
        | Fact::ClientCertificateRegistered { .. }
        | Fact::ClientCertificateRemoved { .. }
        | Fact::ClientConnectionSet { .. }
        | Fact::AccountOpened { .. }
        | Fact::SignedIn { .. }
        | Fact::SignInRefused { .. }
        | Fact::SignedOut { .. }
        | Fact::ApiKeyMade { .. }
        | Fact::ApiKeyRevoked { .. }
        | Fact::AccountChanged { .. }
        | Fact::AccountEnded { .. }
        | Fact::StaffSheetApplied { .. }
        | Fact::RecordWritten { .. }
        | Fact::RecordWithdrawn { .. }
        | Fact::OwnDataViewed { .. }
        | Fact::CaseDrafted { .. }
        | Fact::CaseDraftChanged { .. }
        | Fact::CaseHandedOver { .. }
        | Fact::CaseProposed { .. }
        | Fact::CaseActEntered { .. }
        | Fact::CaseActFound { .. }
        | Fact::CaseActWithdrawn { .. }
        | Fact::CaseSentBack { .. }
        | Fact::CaseResultDraftSent { .. }
        | Fact::CaseResultDraftAnswered { .. }
        | Fact::CaseSigned { .. }
        | Fact::CaseSubmissionMade { .. }
        | Fact::CaseFollowedUp { .. }
        | Fact::CaseFollowUpFailed { .. }
        | Fact::CaseFollowUpAgain { .. }
        | Fact::DocumentSealed { .. }
        | Fact::FeeAsked { .. }
        | Fact::FeeOrdered { .. }
        | Fact::FeeToReturn { .. }
        | Fact::CaseEscalationEnded { .. }
        | Fact::CasesImported { .. }
        | Fact::CaseConsulted { .. }
        | Fact::CaseConsultAnswered { .. }
        | Fact::CaseConsultEnded { .. }
        | Fact::CaseConsultLate { .. }
        | Fact::CaseConsultMoved { .. }
        | Fact::CaseAssigned { .. }
        | Fact::CaseAnswerPublished { .. }
        | Fact::CaseAnswerUnpublished { .. }
        | Fact::CasePostWished { .. }
        | Fact::CasePosted { .. }
        | Fact::CaseParcelEnded { .. }
        | Fact::CasePostListViewed { .. }
        | Fact::StatisticsTold { .. }
        | Fact::CasesSynced { .. }
        | Fact::CasesCompareAsked { .. }
        | Fact::CasesCompared { .. }
        | Fact::CaseMended { .. }
        | Fact::CaseViewed { .. }
        | Fact::ContactChanged { .. }
        | Fact::NoticeSent { .. }
        | Fact::NoticeFailed { .. }
        | Fact::NoticesRead { .. }
        | Fact::DraftCosignAsked { .. }
        | Fact::DraftCosignEnded { .. }
        | Fact::DraftCosignViewed { .. }
        | Fact::DraftCosigned { .. }
        | Fact::DraftCosignRefused { .. }
        | Fact::MandateAsked { .. }
        | Fact::MandateConfirmed { .. }
        | Fact::MandateRefused { .. }
        | Fact::MandateRevoked { .. }
        | Fact::MandateEnded { .. }
        | Fact::MandateViewed { .. }
        | Fact::CaseFiledFor { .. }
        | Fact::WalletKept { .. }
        | Fact::WalletRemoved { .. }
        | Fact::WalletUsed { .. }
        | Fact::WalletShared { .. }
        | Fact::WalletShareEnded { .. }
        | Fact::CasesSearched { .. }
        | Fact::CaseOriginalsReturned { .. }
        | Fact::CaseChecked { .. }
        | Fact::CaseCheckAgain { .. }
        | Fact::CaseCheckSettled { .. }
        | Fact::CaseRegisterViewed { .. }
        | Fact::DeskFilterSaved { .. }
        | Fact::DeskFilterDropped { .. }
        | Fact::TicketTaken { .. }
        | Fact::TicketCalled { .. }
        | Fact::TicketEnded { .. }
        | Fact::AppointmentMade { .. }
        | Fact::AppointmentEnded { .. }
        | Fact::DocumentDelivered { .. }
        | Fact::ObligationOpened { .. }
        | Fact::ObligationMet { .. }
        | Fact::ObligationLifted { .. }
        | Fact::IndicatorsRebuilt { .. }
        | Fact::FigureRowsViewed { .. } => {}
    }
    p.all
}

impl Projection<'_> {
    fn add(&mut self, counter: Counter, org: &OrgCode, part: &str, amount: u64) {
        self.all.push(Increment {
            counter,
            org: org.clone(),
            part: part.to_owned(),
            amount,
        });
    }

    /// A count that belongs to who handles the case.
    fn of_case(&mut self, case: &CaseCode, tenant: &OrgCode, counter: Counter) {
        let org = self
            .open
            .cases
            .get(case.as_str())
            .map_or_else(|| tenant.clone(), |c| c.org.clone());
        self.add(counter, &org, "", 1);
    }

    fn change(&mut self, case: &CaseCode, change: impl FnOnce(&mut OpenCase, Time)) {
        let at = self.at;
        if let Some(open) = self.open.case(case) {
            change(open, at);
        }
    }

    /// A case is received once, even where portal and agency share a node.
    fn received(&mut self, case: &CaseCode, procedure: &ProcedureCode, channel: Channel, org: &OrgCode) {
        if !self.open.begin(case, OpenCase::new(org.clone(), self.at)) {
            return;
        }
        let part = match channel {
            Channel::Counter => "counter",
            Channel::Online => "online",
            Channel::Post => "post",
        };
        self.add(Counter::CasesReceived, org, part, 1);
        if channel == Channel::Online {
            let level = self.levels.of(procedure, self.at).code();
            self.add(Counter::CasesOnline, org, level, 1);
        }
    }

    fn decided(&mut self, case: &CaseCode, part: &str, (at, due): (Time, Option<Time>), worked: Option<u64>) {
        let Some(open) = self.open.case(case).filter(|c| c.decided.is_none()) else {
            return;
        };
        open.decided = Some(at);
        let open = open.clone();
        self.add(Counter::CasesDecided, &open.org, part, 1);
        if due.or(open.due).is_some_and(|due| at <= due) {
            self.add(Counter::CasesOnTime, &open.org, "", 1);
        }
        if let Some(minutes) = worked {
            self.add(Counter::CasesTimed, &open.org, "", 1);
            self.add(Counter::HandlingMinutes, &open.org, "", minutes);
        }
    }

    fn ended(&mut self, case: &CaseCode, counter: Counter) {
        if let Some(open) = self.open.end(case).filter(|c| c.decided.is_none()) {
            self.add(counter, &open.org, "", 1);
        }
    }

    /// A result is given once, however often its status is told.
    fn returned(&mut self, case: &CaseCode) {
        if let Some(open) = self.open.end(case) {
            self.add(Counter::CasesReturned, &open.org, "", 1);
        }
    }

    fn moved(&mut self, case: &CaseCode, from: &OrgCode, to: &OrgCode) {
        let Some(open) = self.open.case(case) else { return };
        open.org = to.clone();
        if open.decided.is_some() {
            return; // it is on nobody's hand any more
        }
        self.add(Counter::CasesMovedOut, from, "", 1);
        self.add(Counter::CasesMovedIn, to, "", 1);
    }

    /// The owner's status of a case, as the portal notes it.
    fn noted(
        &mut self,
        case: &CaseCode,
        owner: &OrgCode,
        (status, repeated): (u8, bool),
        (at, due): (Time, Option<Time>),
        worked: Option<u64>,
    ) {
        self.add(Counter::StatusesNoted, owner, "", 1);
        self.add(Counter::StatusLag, owner, &lag_class(self.at.ms() - at.ms()), 1);
        let ends = matches!(status, DECLINED | WITHDRAWN | STOPPED | DECIDED | RETURNED);
        if !ends && self.open.begin(case, OpenCase::new(owner.clone(), at)) {
            // A case that was filed with the agency itself: the portal hears of it by its status.
            self.add(Counter::CasesReceived, owner, "unsaid", 1);
        }
        if let Some(open) = self.open.case(case) {
            open.due = due.or(open.due);
            match status {
                SUPPLEMENT | PAYMENT => open.pause(at),
                _ => open.paused = None,
            }
        }
        // What was only told once more has been counted.
        if repeated {
            return;
        }
        match status {
            DECLINED => self.ended(case, Counter::CasesDeclined),
            WITHDRAWN => self.ended(case, Counter::CasesWithdrawn),
            STOPPED => self.ended(case, Counter::CasesStopped),
            DECIDED => self.decided(case, "unsaid", (at, due), worked),
            RETURNED => self.returned(case),
            _ => {}
        }
    }

    /// Each record is one side's: counting the asker on its own side and the answerer on its own
    /// counts every exchange once for each of them, on one node or two.
    fn exchanged(&mut self, count: &ExchangeCount) {
        let (counter, org) = if count.side == "consumer" {
            (Counter::ExchangesAsked, &count.consumer)
        } else {
            (Counter::ExchangesAnswered, &count.provider)
        };
        self.add(counter, org, &count.service, count.count);
        if count.ok {
            self.add(Counter::ServiceUses, &count.consumer, &count.service, count.count);
        } else {
            self.add(Counter::ExchangesFailed, org, &count.service, count.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Actor, Digest};

    const CASE: &str = "G22-261121-0001";

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

    fn filed(at: i64) -> FactRecord {
        record(
            at,
            Fact::CaseFiled {
                case: CASE.parse().expect("code"),
                procedure: "1.001193".parse().expect("code"),
                version: Digest::default(),
                channel: Channel::Online,
                to: "H56.14857".parse().expect("code"),
            },
        )
    }

    fn noted(status: u8, at: i64, due: i64) -> FactRecord {
        record(
            at,
            Fact::CaseStatusNoted {
                case: CASE.parse().expect("code"),
                owner: "H56".parse().expect("code"),
                seq: 3,
                status,
                at: Time(at),
                due: Some(Time(due)),
                repeated: false,
                worked: (status == DECIDED).then_some(60),
            },
        )
    }

    fn counters(records: &[FactRecord]) -> Vec<Counter> {
        let (levels, mut open) = (Levels::default(), Open::default());
        records
            .iter()
            .flat_map(|r| project(r, &levels, &mut open))
            .map(|i| i.counter)
            .filter(|c| !matches!(c, Counter::StatusesNoted | Counter::StatusLag))
            .collect()
    }

    #[test]
    fn a_case_decided_at_its_due_instant_is_on_time_and_a_moment_later_is_not() {
        use Counter::{CasesDecided, CasesOnTime, CasesOnline, CasesReceived, CasesTimed, HandlingMinutes};
        assert_eq!(
            counters(&[filed(1), noted(9, 100, 100)]),
            [
                CasesReceived,
                CasesOnline,
                CasesDecided,
                CasesOnTime,
                CasesTimed,
                HandlingMinutes
            ]
        );
        assert_eq!(
            counters(&[filed(1), noted(9, 101, 100)]),
            [
                CasesReceived,
                CasesOnline,
                CasesDecided,
                CasesTimed,
                HandlingMinutes
            ]
        );
        assert_eq!(
            counters(&[filed(1), noted(4, 1, 100)]),
            [CasesReceived, CasesOnline]
        );
    }

    #[test]
    fn a_case_is_received_once_ends_once_and_is_returned_once() {
        use Counter::{CasesDecided, CasesOnTime, CasesReceived, CasesReturned, CasesTimed};
        use Counter::{CasesWithdrawn, HandlingMinutes};
        let statuses = |all: &[u8]| {
            let records: Vec<_> = all.iter().zip(1..).map(|(s, at)| noted(*s, at, 9)).collect();
            counters(&records)
        };
        assert_eq!(statuses(&[2, 4, 7, 7]), [CasesReceived, CasesWithdrawn]);
        assert_eq!(
            statuses(&[2, 4, 9, 9, 10, 10]),
            [
                CasesReceived,
                CasesDecided,
                CasesOnTime,
                CasesTimed,
                HandlingMinutes,
                CasesReturned
            ]
        );
    }

    #[test]
    fn a_case_that_waits_for_its_applicants_money_waits_until_it_is_paid_where_that_time_does_not_count() {
        let case: CaseCode = CASE.parse().expect("code");
        let asked = |counts| {
            let fact = Fact::CaseChargeAsked {
                case: case.clone(),
                charge: 1,
                dong: 75_000,
                notice: "charge-1".into(),
                until: Time(9),
                counts,
            };
            record(2, fact)
        };
        let paid = Fact::CaseChargePaid {
            case: case.clone(),
            charge: 1,
            dong: 75_000,
            due: Some(Time(20)),
        };
        for (counts, paused) in [(true, None), (false, Some(Time(2)))] {
            let (levels, mut open) = (Levels::default(), Open::default());
            drop(project(&filed(1), &levels, &mut open));
            drop(project(&asked(counts), &levels, &mut open));
            assert_eq!(open.case(&case).expect("open").paused, paused);
            drop(project(&record(5, paid.clone()), &levels, &mut open));
            let after = open.case(&case).expect("open");
            assert_eq!((after.paused, after.due), (None, Some(Time(20))));
        }
    }

    #[test]
    fn a_figure_belongs_to_the_unit_that_handles_the_case() {
        let (levels, mut open) = (Levels::default(), Open::default());
        assert!(!project(&filed(1), &levels, &mut open).is_empty());
        let decided = project(&noted(9, 1, 2), &levels, &mut open);
        let of_case = decided
            .iter()
            .find(|i| i.counter == Counter::CasesDecided)
            .expect("counted");
        assert_eq!(of_case.org.as_str(), "H56.14857");
    }
}
