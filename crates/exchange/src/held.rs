//! Agreements as the hot path asks for them: by hash, and by who asks what. In memory only: the rows
//! are in [`crate::agreements`]. Never forgets that one is revoked.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{Digest, Kind, OrgCode, Problem, Time};
use time::Date;

use crate::agreement::Agreement;
use crate::ids::{ServiceId, SystemId};
use crate::life::{Span, State};
use crate::quota::{Per, QuotaLeft, Used};
use crate::rate::Bucket;

/// What a node holds, ready for questions.
#[derive(Default)]
pub(crate) struct Book {
    entries: HashMap<Digest, Held>,
    /// Hashes by service and consumer, the newest term first.
    by_service: HashMap<ServiceId, HashMap<SystemId, Vec<Digest>>>,
    /// All of them in the order in which lists show them.
    by_number: BTreeSet<Numbered>,
    /// Whether the consumer of an agreement under a group is in it; not asked of any other. Without it
    /// everybody is.
    members: Option<Members>,
}

/// Answers whether the consumer of an agreement, given as text too, is in its group, from memory.
pub(crate) type Members = Arc<dyn Fn(&Agreement, &str) -> bool + Send + Sync>;

/// An agreement in the order of the parties' numbers.
struct Numbered {
    agreement: Arc<Agreement>,
    hash: Digest,
}

impl Ord for Numbered {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_number = self.agreement.id.cmp(&other.agreement.id);
        by_number.then(self.hash.cmp(&other.hash))
    }
}

impl PartialOrd for Numbered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Numbered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Numbered {}

struct Held {
    agreement: Arc<Agreement>,
    /// The consumer as groups name it: every call under a group asks for it. None without a group.
    consumer: Option<Box<str>>,
    revoked: bool,
    /// Each party's last word on suspension: its serial, and for how long it suspends.
    words: BTreeMap<OrgCode, (i64, Option<Span>)>,
    rate: Mutex<Bucket>,
    used: Mutex<Used>,
}

/// An agreement with where it stands, for whoever looks at it.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) hash: Digest,
    pub(crate) agreement: Arc<Agreement>,
    pub(crate) state: State,
    /// The parties that suspend it now.
    pub(crate) suspended_by: Vec<OrgCode>,
    /// All suspensions that are not over, planned ones too.
    pub(crate) stops: Vec<(OrgCode, Span)>,
}

impl Book {
    /// A book that asks for the members of groups.
    pub(crate) fn asking(members: Members) -> Self {
        Self {
            members: Some(members),
            ..Self::default()
        }
    }

    /// True when the consumer's system is not in the group of the agreement; one without a group asks
    /// nothing.
    fn is_out(&self, held: &Held) -> bool {
        let asked = held.consumer.as_ref().zip(self.members.as_ref());
        asked.is_some_and(|(consumer, is_in)| !is_in(&held.agreement, consumer))
    }

    /// Agreements whose term is not over and whose consumer has left their group, with the provider.
    pub(crate) fn left_groups(&self, at: Time) -> Vec<(Digest, OrgCode)> {
        let grouped = self
            .entries
            .iter()
            .filter(|(_, held)| held.agreement.group.is_some());
        let left =
            grouped.filter(|(_, held)| !held.revoked && at < held.agreement.valid_to && self.is_out(held));
        left.map(|(hash, held)| (*hash, held.agreement.provider.clone()))
            .collect()
    }

    /// True when the consumer of an agreement is in its group.
    pub(crate) fn is_member(&self, agreement: &Agreement) -> bool {
        let consumer = agreement.consumer.to_string();
        self.members
            .as_ref()
            .is_none_or(|is_in| is_in(agreement, &consumer))
    }

    /// Adds an agreement. What is revoked at one tenant is revoked: by either party, for both.
    pub(crate) fn insert(&mut self, hash: Digest, agreement: Agreement, revoked: bool) {
        if let Some(held) = self.entries.get_mut(&hash) {
            held.revoked |= revoked;
            return;
        }
        let by_consumer = self.by_service.entry(agreement.service.clone()).or_default();
        by_consumer
            .entry(agreement.consumer.clone())
            .or_default()
            .push(hash);
        let pair = (agreement.service.clone(), agreement.consumer.clone());
        let grouped = agreement.group.is_some();
        let held = Held {
            consumer: grouped.then(|| agreement.consumer.to_string().into()),
            rate: Mutex::new(Bucket::full(agreement.rate_per_minute)),
            used: Mutex::default(),
            agreement: Arc::new(agreement),
            revoked,
            words: BTreeMap::new(),
        };
        self.by_number.insert(held.numbered(hash));
        self.entries.insert(hash, held);
        let (entries, by_service) = (&self.entries, &mut self.by_service);
        if let Some(hashes) = by_service.get_mut(&pair.0).and_then(|c| c.get_mut(&pair.1)) {
            let begins = |h: &Digest| entries.get(h).map(|e| e.agreement.valid_from);
            hashes.sort_by(|a, b| begins(b).cmp(&begins(a)).then(a.cmp(b)));
        }
    }

    pub(crate) fn revoke(&mut self, hash: &Digest) {
        if let Some(held) = self.entries.get_mut(hash) {
            held.revoked = true;
        }
    }

    /// Takes a party's word on suspension over; an older one than the last changes nothing.
    pub(crate) fn stand(&mut self, hash: &Digest, party: &OrgCode, serial: i64, stop: Option<Span>) {
        if let Some(held) = self.entries.get_mut(hash) {
            let last = held.words.entry(party.clone()).or_insert((serial, stop));
            if last.0 <= serial {
                *last = (serial, stop);
            }
        }
    }

    pub(crate) fn get(&self, hash: &Digest) -> Option<Arc<Agreement>> {
        self.entries.get(hash).map(|held| Arc::clone(&held.agreement))
    }

    /// The newest agreement in force for a consumer and a service; without one, why the newest is not.
    pub(crate) fn find(
        &self,
        consumer: &SystemId,
        service: &ServiceId,
        at: Time,
    ) -> Result<(Digest, Arc<Agreement>), Problem> {
        let hashes = self.by_service.get(service).and_then(|c| c.get(consumer));
        let mut refused = None;
        for hash in hashes.into_iter().flatten() {
            let Some(held) = self.entries.get(hash) else {
                continue;
            };
            match held.in_force(at, || self.is_out(held)) {
                Ok(()) => return Ok((*hash, Arc::clone(&held.agreement))),
                Err(problem) => refused = refused.or(Some(problem)),
            }
        }
        Err(refused.unwrap_or_else(|| missing(consumer, service)))
    }

    /// The agreement that a call names, when it is in force and for that very call.
    pub(crate) fn check(
        &self,
        hash: &Digest,
        consumer: &SystemId,
        service: &ServiceId,
        at: Time,
    ) -> Result<Arc<Agreement>, Problem> {
        self.checked(hash, consumer, service, at)
            .map(|held| Arc::clone(&held.agreement))
    }

    /// Refuses a call for which nothing is left of the agreement's minute; takes nothing out of it.
    pub(crate) fn has_room(&self, hash: &Digest, at: Time) -> Result<(), Problem> {
        match self.entries.get(hash) {
            Some(held) if held.rate().left(at) == 0 => Err(Per::Minute.spent(&held.agreement, at)),
            _ => Ok(()),
        }
    }

    /// Takes a call that is about to be made out of the agreement's minute.
    pub(crate) fn spend(&self, hash: &Digest, at: Time) -> Result<(), Problem> {
        match self.entries.get(hash) {
            Some(held) if !held.rate().try_take(at) => Err(Per::Minute.spent(&held.agreement, at)),
            _ => Ok(()),
        }
    }

    /// Takes a call that is about to be made out of the agreement's day and month.
    pub(crate) fn charge(&self, hash: &Digest, at: Time) -> Result<(), Problem> {
        let Some(held) = self.entries.get(hash) else {
            return Ok(());
        };
        let taken = held.used().take(&held.agreement.quota, at);
        taken.map_err(|per| per.spent(&held.agreement, at))
    }

    /// Counts calls of a day in that the log remembers.
    pub(crate) fn recall(&self, hash: &Digest, day: Date, calls: u32) {
        if let Some(held) = self.entries.get(hash) {
            held.used().add(day, calls);
        }
    }

    /// Whether an agreement bounds its calls a day or a month.
    pub(crate) fn has_quota(&self, hash: &Digest) -> bool {
        let held = self.entries.get(hash);
        held.is_some_and(|held| !held.agreement.quota.is_none())
    }

    /// Whether any agreement does.
    pub(crate) fn has_quotas(&self) -> bool {
        self.entries.values().any(|held| !held.agreement.quota.is_none())
    }

    /// What is left of the quotas of an agreement; takes nothing out.
    pub(crate) fn quota_left(&self, hash: &Digest, at: Time) -> Vec<QuotaLeft> {
        let held = self.entries.get(hash);
        held.map_or_else(Vec::new, |held| held.used().left(&held.agreement.quota, at))
    }

    /// Where one stands.
    pub(crate) fn standing(&self, hash: &Digest, at: Time) -> Option<Standing> {
        self.entries
            .get(hash)
            .map(|held| held.standing(*hash, at, self.is_out(held)))
    }

    /// Where some stand, by the parties' numbers: those behind one of them, in a state when one is
    /// asked for, and no more than a page. Walks the order, sorts nothing.
    pub(crate) fn standings(
        &self,
        at: Time,
        (state, after, party): (Option<State>, Option<&Digest>, Option<&OrgCode>),
        limit: usize,
    ) -> Vec<Standing> {
        let after = after.and_then(|hash| Some(self.entries.get(hash)?.numbered(*hash)));
        let begin = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.by_number.range((begin, Bound::Unbounded));
        let held = behind.filter_map(|n| Some((n.hash, self.entries.get(&n.hash)?)));
        let is_party = |a: &Agreement| party.is_none_or(|org| crate::life::other_party(org, a).is_some());
        let held = held.filter(|(_, held)| is_party(&held.agreement));
        let wanted =
            held.filter(|(_, held)| state.is_none_or(|state| held.state(at, self.is_out(held)) == state));
        wanted
            .take(limit)
            .map(|(hash, held)| held.standing(hash, at, self.is_out(held)))
            .collect()
    }

    /// The newest agreement between a system and a service, whatever became of it.
    pub(crate) fn newest(&self, consumer: &SystemId, service: &ServiceId) -> Option<Digest> {
        let hashes = self.by_service.get(service)?.get(consumer)?;
        hashes.first().copied()
    }

    /// The organisations that may call a service by an agreement that is not over.
    pub(crate) fn consumers_of(&self, service: &ServiceId, at: Time) -> Vec<OrgCode> {
        let held = self.on(service);
        let running = held.filter(|(_, held)| !held.revoked && at < held.agreement.valid_to);
        let mut orgs: Vec<_> = running
            .map(|(_, held)| held.agreement.consumer.org.clone())
            .collect();
        orgs.sort();
        orgs.dedup();
        orgs
    }

    /// The agreements on a service, whatever became of them, by the parties' numbers.
    pub(crate) fn of_service(&self, service: &ServiceId) -> Vec<(Digest, Arc<Agreement>)> {
        let held = self.on(service);
        let mut all: Vec<_> = held
            .map(|(hash, held)| (hash, Arc::clone(&held.agreement)))
            .collect();
        all.sort_by(|a, b| a.1.id.cmp(&b.1.id).then(a.0.cmp(&b.0)));
        all
    }

    fn on(&self, service: &ServiceId) -> impl Iterator<Item = (Digest, &Held)> {
        let by_consumer = self.by_service.get(service).into_iter();
        let hashes = by_consumer.flat_map(HashMap::values).flatten();
        hashes.filter_map(|hash| Some((*hash, self.entries.get(hash)?)))
    }

    /// How many calls are left of an agreement's minute; takes none out.
    pub(crate) fn calls_left(&self, hash: &Digest, at: Time) -> Option<u64> {
        Some(self.entries.get(hash)?.rate().left(at))
    }

    pub(crate) fn list(&self) -> Vec<(Digest, Arc<Agreement>, bool)> {
        let held = |n: &Numbered| Some((n.hash, self.entries.get(&n.hash)?));
        let all = self.by_number.iter().filter_map(held);
        all.map(|(hash, e)| (hash, Arc::clone(&e.agreement), e.revoked))
            .collect()
    }

    fn checked(
        &self,
        hash: &Digest,
        consumer: &SystemId,
        service: &ServiceId,
        at: Time,
    ) -> Result<&Held, Problem> {
        let held = self.entries.get(hash).ok_or_else(|| missing(consumer, service))?;
        if held.agreement.consumer != *consumer || held.agreement.service != *service {
            return Err(missing(consumer, service));
        }
        held.in_force(at, || self.is_out(held))?;
        Ok(held)
    }
}

impl Held {
    fn in_force(&self, at: Time, is_out: impl Fn() -> bool) -> Result<(), Problem> {
        if self.revoked {
            let revoked = Problem::new(Kind::Forbidden, "agreement-revoked");
            return Err(revoked.with("agreement", &self.agreement.id));
        }
        self.agreement.in_term(at)?;
        if is_out() {
            let left = Problem::new(Kind::Forbidden, "agreement-group-left");
            return Err(left.with("agreement", &self.agreement.id));
        }
        if self.suspenders(at).next().is_some() {
            let suspended = Problem::new(Kind::Forbidden, "agreement-suspended");
            return Err(suspended.with("agreement", &self.agreement.id));
        }
        Ok(())
    }

    fn rate(&self) -> MutexGuard<'_, Bucket> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn suspenders(&self, at: Time) -> impl Iterator<Item = &OrgCode> {
        let stops = self
            .words
            .iter()
            .filter(move |(_, (_, stop))| stop.is_some_and(|stop| stop.holds(at)));
        stops.map(|(party, _)| party)
    }

    fn stops(&self, at: Time) -> Vec<(OrgCode, Span)> {
        let words = self.words.iter();
        let stops = words.filter_map(|(party, (_, stop))| Some((party.clone(), (*stop)?)));
        stops.filter(|(_, stop)| !stop.is_over(at)).collect()
    }

    fn numbered(&self, hash: Digest) -> Numbered {
        Numbered {
            agreement: Arc::clone(&self.agreement),
            hash,
        }
    }

    fn state(&self, at: Time, is_out: bool) -> State {
        let suspended = self.suspenders(at).next().is_some();
        State::of_held(&self.agreement, self.revoked || is_out, suspended, at)
    }

    fn standing(&self, hash: Digest, at: Time, is_out: bool) -> Standing {
        Standing {
            hash,
            agreement: Arc::clone(&self.agreement),
            state: self.state(at, is_out),
            suspended_by: self.suspenders(at).cloned().collect(),
            stops: self.stops(at),
        }
    }
}

fn missing(consumer: &SystemId, service: &ServiceId) -> Problem {
    Problem::new(Kind::Forbidden, "agreement-missing")
        .with("consumer", consumer)
        .with("service", service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::tests::sample;

    fn book(agreements: &[(Agreement, bool)]) -> Book {
        let mut book = Book::default();
        for (agreement, revoked) in agreements {
            book.insert(agreement.hash(), agreement.clone(), *revoked);
        }
        book
    }

    fn code<T>(answer: Result<T, Problem>) -> &'static str {
        answer.map(|_| ()).expect_err("refused").code
    }

    #[test]
    fn a_renewed_agreement_takes_the_place_of_the_one_that_ended() {
        let old = sample();
        let renewed = Agreement {
            id: "02/TT-TEST".into(),
            valid_from: Time(900),
            valid_to: Time(2_000),
            ..sample()
        };
        let book = book(&[(renewed.clone(), false), (old.clone(), false)]);
        let found = |at| {
            book.find(&old.consumer, &old.service, Time(at))
                .map(|(hash, _)| hash)
        };
        assert_eq!(found(500).expect("the old one"), old.hash());
        assert_eq!(found(950).expect("the newest of two"), renewed.hash());
        assert_eq!(found(1_500).expect("the renewed one"), renewed.hash());
        assert_eq!(code(found(2_000)), "agreement-expired");
    }

    #[test]
    fn an_agreement_serves_its_own_consumer_and_service_only() {
        let a = sample();
        let book = book(&[(a.clone(), false)]);
        let (other_system, other_service) = (
            "G22/other".parse().expect("id"),
            "G01/population/other".parse().expect("id"),
        );
        assert!(book.check(&a.hash(), &a.consumer, &a.service, Time(1)).is_ok());
        for (consumer, service) in [(&other_system, &a.service), (&a.consumer, &other_service)] {
            assert_eq!(code(book.find(consumer, service, Time(1))), "agreement-missing");
            assert_eq!(
                code(book.check(&a.hash(), consumer, service, Time(1))),
                "agreement-missing"
            );
        }
        let unknown = book.check(&Digest::of(b"x"), &a.consumer, &a.service, Time(1));
        assert_eq!(code(unknown), "agreement-missing");
    }

    #[test]
    fn what_one_party_revoked_stays_revoked_however_often_it_is_added() {
        let a = sample();
        for order in [[true, false], [false, true]] {
            let book = book(&order.map(|revoked| (a.clone(), revoked)));
            assert_eq!(
                code(book.find(&a.consumer, &a.service, Time(1))),
                "agreement-revoked"
            );
            assert_eq!(book.list().len(), 1);
        }
    }

    #[test]
    fn an_agreement_stays_suspended_until_the_party_that_suspended_it_resumes_it() {
        let a = sample();
        let mut book = book(&[(a.clone(), false)]);
        let (provider, consumer) = (a.provider.clone(), a.consumer.org.clone());
        let hash = a.hash();
        let called = |book: &Book| {
            let found = book.find(&a.consumer, &a.service, Time(1));
            found.map(|_| ()).map_err(|problem| problem.code)
        };
        book.stand(&hash, &provider, 5, Some(Span::AT_ONCE));
        book.stand(&hash, &consumer, 5, Some(Span::AT_ONCE));
        assert_eq!(called(&book), Err("agreement-suspended"));
        book.stand(&hash, &consumer, 6, None);
        assert_eq!(called(&book), Err("agreement-suspended"), "the other still does");
        book.stand(&hash, &provider, 7, None);
        assert_eq!(called(&book), Ok(()));
        book.stand(&hash, &provider, 5, Some(Span::AT_ONCE));
        assert_eq!(called(&book), Ok(()), "an old word heard again");
        let state = |book: &Book| book.standing(&hash, Time(1)).expect("held").state;
        assert_eq!(state(&book), State::InForce);
        book.stand(&hash, &provider, 8, Some(Span::AT_ONCE));
        assert_eq!(state(&book), State::Suspended);
    }

    #[test]
    fn a_planned_suspension_holds_within_its_days_and_is_shown_before() {
        let a = sample();
        let mut book = book(&[(a.clone(), false)]);
        let span = Span {
            from: Some(Time(10)),
            to: Some(Time(20)),
        };
        let hash = a.hash();
        book.stand(&hash, &a.provider, 5, Some(span));
        let called = |at| book.check(&hash, &a.consumer, &a.service, Time(at)).is_ok();
        assert_eq!([9, 10, 19, 20].map(called), [true, false, false, true]);
        let standing = |at| book.standing(&hash, Time(at)).expect("held");
        assert_eq!(standing(9).state, State::InForce);
        assert_eq!(standing(9).stops, [(a.provider.clone(), span)]);
        assert!(standing(9).suspended_by.is_empty());
        assert_eq!(standing(10).suspended_by, std::slice::from_ref(&a.provider));
        assert!(standing(20).stops.is_empty());
    }

    #[test]
    fn a_list_is_read_on_from_where_it_ended_in_the_order_of_the_numbers() {
        let number = |n: i64| Agreement {
            id: format!("{n:02}/TT"),
            valid_to: Time(if n % 2 == 0 { 10 } else { 1_000 }),
            ..sample()
        };
        let all: Vec<_> = [5, 1, 4, 2, 3].map(|n| (number(n), false)).into();
        let book = book(&all);
        let ids = |state, after: Option<i64>, limit| -> Vec<String> {
            let after = after.map(|n| number(n).hash());
            let found = book.standings(Time(10), (state, after.as_ref(), None), limit);
            found.into_iter().map(|s| s.agreement.id.clone()).collect()
        };
        assert_eq!(ids(None, None, 2), ["01/TT", "02/TT"]);
        assert_eq!(ids(None, Some(2), 2), ["03/TT", "04/TT"]);
        assert_eq!(ids(Some(State::Expired), None, 9), ["02/TT", "04/TT"]);
        assert_eq!(ids(Some(State::InForce), Some(1), 9), ["03/TT", "05/TT"]);
        assert!(ids(None, Some(5), 9).is_empty());
    }

    #[test]
    fn looking_for_room_takes_no_call_of_the_minute() {
        let a = Agreement {
            rate_per_minute: 1,
            ..sample()
        };
        let book = book(&[(a.clone(), false)]);
        for _ in 0..3 {
            assert!(book.has_room(&a.hash(), Time(1)).is_ok());
        }
        assert!(book.spend(&a.hash(), Time(1)).is_ok());
        for refused in [book.has_room(&a.hash(), Time(1)), book.spend(&a.hash(), Time(1))] {
            assert_eq!(refused.expect_err("none is left").code, "quota-minute");
        }
    }
}
