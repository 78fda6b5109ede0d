//! A party stops an agreement for the time being, at once or from a day on, and takes that back. What
//! is said at once holds at once at the party's own node; calls are refused `agreement-suspended`. Never ends an agreement: see
//! [`crate::agreements::Agreements::revoke`].

use kernel::{Actor, Digest, Fact, Kind, OrgCode, Problem, Time};
use store::Tx;

use super::State;
use super::span::Span;
use super::store as rows;
use super::words::{self, Said, Signed, Word};
use crate::agreement::Agreement;
use crate::gateway::Exchange;

impl Exchange {
    /// Suspends an agreement by one of its parties here, at once and until that party resumes it.
    ///
    /// # Errors
    /// 404 when `by` is no party to it; 403 `member-elsewhere` when `by` is hosted elsewhere; 422 without
    /// a reason; conflict `agreement-over`, and `stale` when the party suspends it already.
    pub async fn suspend_agreement(
        &self,
        hash: &Digest,
        by: &OrgCode,
        reason: &str,
        actor: &Actor,
    ) -> Result<(), Problem> {
        self.plan_suspension(hash, by, (reason, Span::AT_ONCE), actor)
            .await
    }

    /// Suspends an agreement for a stretch of time, from now or from a later day on. One that was
    /// planned and has not begun gives way to it.
    ///
    /// # Errors
    /// As [`Exchange::suspend_agreement`]; 422 `agreement-stop-soon` at `from`: a provider announces a
    /// stop the working days before that the pack asks for; 422 `agreement-stop-ends` at `to`.
    pub async fn plan_suspension(
        &self,
        hash: &Digest,
        by: &OrgCode,
        (reason, span): (&str, Span),
        actor: &Actor,
    ) -> Result<(), Problem> {
        let reason = super::reason(reason)?;
        self.say_standing(hash, by, Some((reason, span)), actor).await
    }

    /// Resumes an agreement by the party that suspended it, or takes back what that party planned.
    ///
    /// # Errors
    /// As [`Exchange::suspend_agreement`]; conflict `agreement-not-suspended` when that party neither
    /// suspends it nor plans to.
    pub async fn resume_agreement(&self, hash: &Digest, by: &OrgCode, actor: &Actor) -> Result<(), Problem> {
        self.say_standing(hash, by, None, actor).await
    }

    /// The first instant for which a party may announce a suspension now; any later one without a rule.
    pub(crate) fn first_suspension(&self, by: &OrgCode, agreement: &Agreement) -> Option<Time> {
        let terms = self.0.agreements.terms()?;
        let provides = by.holds(&agreement.provider);
        let first = provides.then(|| terms.stop_from(&agreement.provider, self.0.now()))?;
        first.map(|day| Time::at(day, 0))
    }

    async fn say_standing(
        &self,
        hash: &Digest,
        by: &OrgCode,
        stop: Option<(&str, Span)>,
        actor: &Actor,
    ) -> Result<(), Problem> {
        let standing = self.0.agreements.standing(hash, self.0.now());
        let standing = standing.ok_or_else(Problem::not_found)?;
        let other = super::other_party(by, &standing.agreement).ok_or_else(Problem::not_found)?;
        let key = &self.seal_of(by)?.key;
        if matches!(standing.state, State::Revoked | State::Expired) {
            return Err(
                Problem::new(Kind::Conflict, "agreement-over").with("agreement", &standing.agreement.id)
            );
        }
        if let Some((_, span)) = stop {
            let first = self.first_suspension(by, &standing.agreement);
            in_time(span, first, self.0.now())?;
        }
        let serial = self
            .0
            .store
            .write(by, actor, |tx| async move {
                let last = rows::last_word(&tx, hash, by).await?;
                let serial = super::next_serial(tx.now(), last.map(|(serial, _)| serial));
                let running = last.and_then(|(_, stop)| stop);
                let said = said(*hash, serial, stop, running, tx.now())?;
                let word = Word {
                    party: by.clone(),
                    at: tx.now(),
                    said,
                };
                let signed = words::sign(word, key);
                note(&tx, hash, &signed).await?;
                super::tell(&tx, other, hash, &signed).await?;
                Ok(serial)
            })
            .await?;
        let stop = stop.map(|(_, span)| span);
        self.0.agreements.stand(hash, by, serial, stop);
        Ok(())
    }
}

/// What a party says, given the stop that it said last.
fn said(
    agreement: Digest,
    serial: i64,
    stop: Option<(&str, Span)>,
    running: Option<Span>,
    now: Time,
) -> Result<Said, Problem> {
    match stop {
        Some(_) if running.is_some_and(|span| span.holds(now)) => Err(Problem::stale()),
        None if running.is_none_or(|span| span.is_over(now)) => {
            Err(Problem::new(Kind::Conflict, "agreement-not-suspended"))
        }
        Some((reason, span)) => Ok(Said::Suspension {
            agreement,
            serial,
            reason: reason.to_owned(),
            from: span.from,
            to: span.to,
        }),
        None => Ok(Said::Resumption { agreement, serial }),
    }
}

/// Refuses a stretch that is over, ends before it begins, or begins too soon after it is announced.
fn in_time(span: Span, first: Option<Time>, now: Time) -> Result<(), Problem> {
    if let Some(from) = span.from {
        let tomorrow = || now.date().next_day().map(|day| Time::at(day, 0));
        let first = first.or_else(tomorrow).unwrap_or(now);
        if from < first {
            let day = kernel::time::iso(first.date());
            return Err(Problem::invalid("from", "agreement-stop-soon").with("first", day));
        }
    }
    if !span.is_sound() || span.is_over(now) {
        return Err(Problem::invalid("to", "agreement-stop-ends"));
    }
    Ok(())
}

/// Writes a party's word on suspension, unless a newer one is known or the tenant has no part in it;
/// false when nothing changes.
pub(super) async fn note(tx: &Tx, hash: &Digest, signed: &Signed) -> Result<bool, Problem> {
    if !crate::store::holds(tx, hash).await? {
        return Ok(false);
    }
    let by = &signed.word.party;
    let last = rows::last_word(tx, hash, by).await?;
    if last.is_some_and(|(serial, _)| serial >= signed.word.order()) {
        return Ok(false);
    }
    rows::keep_word(tx, hash, signed).await?;
    let (agreement, by, word) = (*hash, by.clone(), signed.digest);
    let fact = match signed.word.said.span() {
        Some(Span { from, to }) => Fact::AgreementSuspended {
            agreement,
            by,
            word,
            from,
            to,
        },
        None => Fact::AgreementResumed { agreement, by, word },
    };
    tx.fact(&super::subject(hash), fact).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::time::civil_date;

    fn day(d: u8) -> Time {
        Time::at(civil_date(2026, 12, d).expect("a day"), 0)
    }

    #[test]
    fn a_planned_suspension_is_announced_in_time_and_ends_after_it_begins() {
        let now = day(1).plus_ms(1);
        let told = |from: Option<Time>, to: Option<Time>, first| {
            let refused = in_time(Span { from, to }, first, now).err();
            refused.map(|p| (p.code, p.args.first().map(|(_, day)| day.clone())))
        };
        assert_eq!(told(None, None, Some(day(9))), None, "at once is an emergency");
        assert_eq!(told(Some(day(9)), Some(day(10)), Some(day(9))), None);
        let soon = |first: &str| Some(("agreement-stop-soon", Some(first.to_owned())));
        assert_eq!(told(Some(day(8)), None, Some(day(9))), soon("2026-12-09"));
        assert_eq!(told(Some(day(1)), None, None), soon("2026-12-02"));
        assert_eq!(told(Some(day(2)), None, None), None);
        for (from, to) in [(Some(day(9)), day(9)), (Some(day(9)), day(8)), (None, day(1))] {
            assert_eq!(told(from, Some(to), None), Some(("agreement-stop-ends", None)));
        }
    }

    #[test]
    fn what_is_planned_is_changed_or_taken_back_and_what_is_over_is_not_resumed() {
        let planned = Span {
            from: Some(Time(10)),
            to: Some(Time(20)),
        };
        let code = |stop: Option<(&str, Span)>, running, at| {
            said(Digest::of(b"a"), 1, stop, running, Time(at)).map_or_else(|p| p.code, |said| said.kind())
        };
        let stop = Some(("x", Span::AT_ONCE));
        assert_eq!(code(stop, Some(planned), 9), "suspension");
        assert_eq!(code(stop, Some(planned), 10), "stale");
        assert_eq!(code(stop, Some(planned), 20), "suspension");
        assert_eq!(code(None, Some(planned), 9), "resumption");
        assert_eq!(code(None, Some(planned), 19), "resumption");
        assert_eq!(code(None, Some(planned), 20), "agreement-not-suspended");
        assert_eq!(code(None, None, 20), "agreement-not-suspended");
    }
}
