//! A circuit breaker: a party that fails several times in a row, or says nothing at all, is not asked
//! for a while; then one call tries it. Pure: time is an argument, and nothing is asked here.

use kernel::Time;

/// Failures in a row that open a circuit, count.
const FAILURES_MAX: u32 = 5;
/// How long an open circuit lets nothing pass at first, in milliseconds.
const WAIT_FIRST_MS: i64 = 1_000;
/// How long it lets nothing pass at most: each try that fails doubles it, in milliseconds.
const WAIT_MS_MAX: i64 = 5_000;
/// How long a try may be out before another one may go, in milliseconds.
const TRY_MS_MAX: i64 = 30_000;

/// Where a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Calls pass.
    Closed,
    /// The next call passes and tries it, or is trying it.
    HalfOpen,
    /// Nothing passes.
    Open,
}

/// How a call went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It gave no usable answer: one of several before the circuit opens.
    Failed,
    /// Nothing at all was heard from there: the circuit opens at once.
    Silent,
}

/// As what a call passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// As any other.
    Usual,
    /// As the one that tries an open circuit.
    Try,
}

/// The circuit of one party.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    /// Failures since the last answer, count.
    failures: u32,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    since: Time,
    wait_ms: i64,
    tried: Option<Time>,
}

impl Breaker {
    /// Lets a call pass.
    ///
    /// # Errors
    /// How many milliseconds to wait before trying again.
    pub fn enter(&mut self, now: Time) -> Result<Pass, i64> {
        let Some(open) = &mut self.open else {
            return Ok(Pass::Usual);
        };
        match open.rest_ms(now) {
            0 => {
                open.tried = Some(now);
                Ok(Pass::Try)
            }
            rest_ms => Err(rest_ms),
        }
    }

    /// Notes that there was an answer, whatever it said: the circuit is closed.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// Notes that a call failed. One that passed before the circuit opened says nothing new.
    pub fn failed(&mut self, pass: Pass, failure: Failure, now: Time) {
        self.failures = self.failures.saturating_add(1);
        match &mut self.open {
            Some(open) if pass == Pass::Try => {
                *open = Open {
                    since: now,
                    wait_ms: (open.wait_ms * 2).min(WAIT_MS_MAX),
                    tried: None,
                };
            }
            Some(_) => {}
            None if failure == Failure::Silent || self.failures >= FAILURES_MAX => {
                self.open = Some(Open {
                    since: now,
                    wait_ms: WAIT_FIRST_MS,
                    tried: None,
                });
            }
            None => {}
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self, now: Time) -> State {
        match self.open {
            None => State::Closed,
            Some(open) if open.tried.is_some() || open.rest_ms(now) == 0 => State::HalfOpen,
            Some(_) => State::Open,
        }
    }

    /// How many milliseconds nothing passes from now on; 0 when the next call passes.
    #[must_use]
    pub fn rest_ms(&self, now: Time) -> i64 {
        self.open.map_or(0, |open| open.rest_ms(now))
    }

    /// Failures since the last answer, count.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Since when it lets nothing or only a try pass.
    #[must_use]
    pub fn open_since(&self) -> Option<Time> {
        self.open.map(|open| open.since)
    }
}

impl Open {
    fn rest_ms(&self, now: Time) -> i64 {
        let (from, wait_ms) = match self.tried {
            Some(tried) => (tried, TRY_MS_MAX),
            None => (self.since, self.wait_ms),
        };
        let waited_ms = now.ms() - from.ms();
        // A clock that was set back must not keep it open for longer than it was set to be.
        if waited_ms < 0 || waited_ms >= wait_ms {
            0
        } else if self.tried.is_some() {
            // How the try ends is known soon.
            (wait_ms - waited_ms).min(WAIT_FIRST_MS)
        } else {
            wait_ms - waited_ms
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time(1_000_000);

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        breaker.failed(Pass::Usual, Failure::Silent, START);
        breaker
    }

    #[test]
    fn failures_in_a_row_open_a_circuit_and_one_answer_between_them_does_not() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            for _ in 1..FAILURES_MAX {
                breaker.failed(Pass::Usual, Failure::Failed, START);
                assert_eq!(breaker.enter(START), Ok(Pass::Usual));
            }
            breaker.answered();
        }
        for _ in 0..FAILURES_MAX {
            breaker.failed(Pass::Usual, Failure::Failed, START);
        }
        assert_eq!(breaker.state(START), State::Open);
        assert_eq!(breaker.enter(START), Err(WAIT_FIRST_MS));
    }

    #[test]
    fn silence_opens_a_circuit_at_once() {
        assert_eq!(opened().state(START), State::Open);
    }

    #[test]
    fn one_call_tries_an_open_circuit_and_its_answer_closes_it() {
        let mut breaker = opened();
        let later = START.plus_ms(WAIT_FIRST_MS);
        assert_eq!(breaker.enter(later.plus_ms(-1)), Err(1));
        assert_eq!(breaker.state(later), State::HalfOpen);
        assert_eq!(breaker.enter(later), Ok(Pass::Try));
        assert_eq!(breaker.enter(later), Err(WAIT_FIRST_MS), "one at a time");
        breaker.answered();
        assert_eq!(
            (breaker.enter(later), breaker.state(later)),
            (Ok(Pass::Usual), State::Closed)
        );
    }

    #[test]
    fn each_try_that_fails_doubles_the_wait_up_to_its_most() {
        let mut breaker = opened();
        let mut now = START;
        for wait_ms in [WAIT_FIRST_MS, 2_000, 4_000, WAIT_MS_MAX, WAIT_MS_MAX] {
            assert_eq!(breaker.enter(now), Err(wait_ms));
            now = now.plus_ms(wait_ms);
            assert_eq!(breaker.enter(now), Ok(Pass::Try));
            // What had passed before it opened and fails now says nothing new.
            breaker.failed(Pass::Usual, Failure::Silent, now);
            assert_eq!(breaker.state(now), State::HalfOpen);
            breaker.failed(Pass::Try, Failure::Failed, now);
        }
    }

    #[test]
    fn a_try_that_never_ends_does_not_keep_a_circuit_open_for_ever() {
        let mut breaker = opened();
        let now = START.plus_ms(WAIT_FIRST_MS);
        assert_eq!(breaker.enter(now), Ok(Pass::Try));
        assert!(breaker.enter(now.plus_ms(TRY_MS_MAX - 1)).is_err());
        assert_eq!(breaker.enter(now.plus_ms(TRY_MS_MAX)), Ok(Pass::Try));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_a_circuit_open() {
        let mut breaker = opened();
        assert_eq!(breaker.enter(START.plus_ms(-86_400_000)), Ok(Pass::Try));
    }
}
