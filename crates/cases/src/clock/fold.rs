//! What the events of a case make of its clock: the date that is promised, the date by which it is judged,
//! how it was counted, and when the clock ran. The verbs ask here and patch nothing; the facts of a case give
//! the same events, so that its row can be counted again from them. Pure.

use directory::calendars::Calendars;
use kernel::calendar::Calendar;
use kernel::fact::Channel;
use kernel::{Date, Fact, FactRecord, Kind, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};

use super::term::gone_on;
use super::{PAUSED, PROMISED, UNPAID, WorkingOut, after_look, due};
use crate::case::Answers;
use crate::procedure::{Procedure, Resumption, Term};

/// What can happen to the clock of a case. What is counted is counted by the calendar of the unit that has
/// the case then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It was taken in: the clock starts.
    Accepted {
        /// When.
        at: Time,
        /// By whom.
        unit: OrgCode,
    },
    /// It was taken over from another system, which had taken it in and promised a date: that date stands.
    Promised {
        /// When it was taken in there.
        at: Time,
        /// Whose case it is.
        unit: OrgCode,
        /// The date that was promised.
        due: Time,
    },
    /// The applicant was asked for what is missing: the clock stands still.
    Asked {
        /// When.
        at: Time,
    },
    /// The applicant gave it, or the agency decides without it: the clock goes on, or starts anew.
    Resumed {
        /// When.
        at: Time,
        /// Whose case it is.
        unit: OrgCode,
    },
    /// The applicant was asked to pay what became known to be owed: the clock stands still, or runs on where that time counts.
    ChargeAsked {
        /// When.
        at: Time,
        /// True where the time until it is paid counts.
        counts: bool,
    },
    /// It was paid, or the agency decides without it: the clock goes on.
    ChargeEnded {
        /// When.
        at: Time,
        /// Whose case it is.
        unit: OrgCode,
    },
    /// The draft of the result went to the applicant.
    Shown {
        /// When.
        at: Time,
        /// From then on silence is consent.
        until: Time,
    },
    /// The applicant has looked, or was silent.
    Looked {
        /// When that was said.
        at: Time,
        /// Whose case it is.
        unit: OrgCode,
    },
    /// A letter of apology promises another date.
    Extended {
        /// When.
        at: Time,
        /// The new date.
        due: Time,
    },
}

/// A part of a case's way in which the clock ran or stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// True while the agency's time ran.
    pub runs: bool,
    /// Since when.
    pub from: Time,
    /// Until when; `None` for the part that lasts.
    pub to: Option<Time>,
}

/// What the clock says after some events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reckoning {
    /// By when the result is promised.
    pub due: Time,
    /// How the term was counted. Its end is the date by which on time is judged: a letter of apology
    /// promises another, and does not make a late result an early one.
    pub working_out: WorkingOut,
    /// When the clock ran and when it stood still, in order.
    pub spans: Vec<Span>,
    /// The draft at which the applicant looks: since when, and until when.
    shown: Option<(Time, Time)>,
    /// The waits since the count began by which its end was put off.
    waited: Vec<(Time, Time)>,
    /// True while a charge is awaited whose time counts.
    counts: bool,
}

impl Reckoning {
    /// By when a result counts as on time.
    #[must_use]
    pub fn judged_by(&self) -> Time {
        self.working_out.due
    }

    /// The working minutes the agency has used until an instant, without those it waited.
    #[must_use]
    pub fn spent(&self, calendar: &Calendar, now: Time) -> i64 {
        let runs = self.spans.iter().filter(|span| span.runs);
        runs.map(|span| calendar.between(span.from, span.to.unwrap_or(now)))
            .sum()
    }

    fn turn(&mut self, runs: bool, at: Time) {
        if let Some(last) = self.spans.last_mut() {
            if last.runs == runs {
                return;
            }
            last.to = Some(at);
        }
        self.spans.push(Span {
            runs,
            from: at,
            to: None,
        });
    }
}

/// What a clock is reckoned by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The version the case was filed under.
    pub procedure: &'a Procedure,
    /// How it was filed.
    pub channel: Channel,
    /// On which day: what the law said then about asking for what is missing holds to the case's end.
    pub filed: Date,
    /// The answers: they say which of several terms it has.
    pub answers: &'a Answers,
    /// The calendars of all units.
    pub calendars: &'a Calendars,
}

/// The clock after all events, in the order in which they happened.
///
/// # Errors
/// `case-no-term` when the procedure has no term for the channel; internal for events that do not begin
/// with an acceptance.
pub fn reckon(rules: &Rules<'_>, events: &[Event]) -> Result<Reckoning, Problem> {
    let mut clock = None;
    for event in events {
        clock = Some(match (clock, event) {
            (None, Event::Accepted { at, unit }) => rules.accepted(*at, unit)?,
            (None, Event::Promised { at, unit, due }) => rules.promised(*at, unit, *due),
            (Some(clock), event) => rules.after(clock, event)?,
            (None, _) => return Err(never_started()),
        });
    }
    clock.ok_or_else(never_started)
}

fn never_started() -> Problem {
    Problem::internal("a clock that never started")
}

impl Rules<'_> {
    fn term(&self) -> Option<&Term> {
        self.procedure.term_for(self.channel, self.answers, self.filed)
    }

    fn accepted(&self, at: Time, unit: &OrgCode) -> Result<Reckoning, Problem> {
        let term = self.term();
        let working_out = due(term, &self.calendars.of(unit), at)?;
        let mut clock = Reckoning {
            due: working_out.due,
            working_out,
            spans: Vec::new(),
            shown: None,
            waited: Vec::new(),
            counts: false,
        };
        clock.turn(true, at);
        Ok(clock)
    }

    /// Nothing is counted: the date is the one that was promised, and a result is on time by it.
    fn promised(&self, at: Time, unit: &OrgCode, due: Time) -> Reckoning {
        let working_out = WorkingOut {
            from: at,
            term_minutes: self.calendars.of(unit).between(at, due),
            rule: PROMISED.to_owned(),
            lines: Vec::new(),
            due,
        };
        let mut clock = Reckoning {
            due,
            working_out,
            spans: Vec::new(),
            shown: None,
            waited: Vec::new(),
            counts: false,
        };
        clock.turn(true, at);
        clock
    }

    fn after(&self, mut clock: Reckoning, event: &Event) -> Result<Reckoning, Problem> {
        match event {
            Event::Accepted { .. } | Event::Promised { .. } => {
                return Err(Problem::new(Kind::Internal, "case-verb-not-now"));
            }
            Event::Asked { at } => clock.turn(false, *at),
            Event::Resumed { at, unit } => self.resume(&mut clock, *at, unit)?,
            Event::ChargeAsked { at, counts } => {
                clock.counts = *counts;
                clock.turn(false, *at);
            }
            Event::ChargeEnded { at, unit } => {
                if std::mem::take(&mut clock.counts) {
                    clock.turn(true, *at);
                } else {
                    self.go_on(&mut clock, UNPAID, *at, unit)?;
                }
            }
            Event::Shown { at, until } => clock.shown = Some((*at, *until)),
            Event::Looked { at, unit } => self.look(&mut clock, *at, unit),
            Event::Extended { due, .. } => clock.due = *due,
        }
        Ok(clock)
    }

    fn resume(&self, clock: &mut Reckoning, at: Time, unit: &OrgCode) -> Result<(), Problem> {
        let rule = self.procedure.supplement_rule(self.filed);
        if rule.is_some_and(|rule| rule.rule == Resumption::Pause) {
            return self.go_on(clock, PAUSED, at, unit);
        }
        // A term that starts anew needs no letter, and no wait before it puts its end off.
        clock.working_out = due(self.term(), &self.calendars.of(unit), at)?;
        clock.due = clock.working_out.due;
        clock.waited.clear();
        clock.turn(true, at);
        Ok(())
    }

    /// The clock goes on with what was left of the term when the wait began, whose lines have a reason.
    fn go_on(&self, clock: &mut Reckoning, reason: &str, at: Time, unit: &OrgCode) -> Result<(), Problem> {
        let stood = clock.spans.last().filter(|span| !span.runs);
        let paused = stood.map_or(at, |span| span.from);
        let calendar = self.calendars.of(unit);
        // What another system promised is not what the term would give: what is left of it goes on, working time for working
        // time.
        let promised = clock.working_out.rule == PROMISED;
        let term = self.term().filter(|_| !promised);
        let (before, wait) = (&clock.working_out, (paused, at));
        let anew = gone_on(reason, term, &calendar, before, &clock.waited, wait)?;
        if paused < before.due {
            clock.waited.push(wait);
        }
        // What a letter promised stands, less what the pause took.
        if paused < clock.due {
            let left = calendar.between(paused, clock.due);
            clock.due = calendar.count(calendar.opening(at), left).end.max(anew.due);
        }
        clock.working_out = anew;
        clock.turn(true, at);
        Ok(())
    }

    /// A look that outlasted a term of the day moves its end; the date that is promised and the one by which
    /// the case is judged, each when it was kept until the draft went out.
    fn look(&self, clock: &mut Reckoning, at: Time, unit: &OrgCode) {
        let Some((sent, until)) = clock.shown.take() else {
            return;
        };
        let (calendar, term) = (self.calendars.of(unit), self.term());
        // Who is silent has looked until the term ended, whenever the node gets to say so.
        let answered = at.min(until);
        let later = |before| after_look(term, &calendar, before, sent, answered);
        let promised = later(clock.due);
        if let Some(counted) = later(clock.working_out.due) {
            clock.due = clock.due.max(counted.due);
            clock.working_out = counted;
        }
        if let Some(promised) = promised {
            clock.due = clock.due.max(promised.due);
        }
    }
}

/// The events that a case's facts tell; `home` has the case when its hand-over names no unit.
#[must_use]
pub fn events_of(facts: &[FactRecord], home: &OrgCode) -> Vec<Event> {
    let (mut unit, mut events) = (home.clone(), Vec::new());
    let (mut waits, mut charged) = (false, false);
    for record in facts {
        let at = record.at;
        match &record.fact {
            Fact::CaseReceived { unit: Some(of), .. } | Fact::CaseMoved { to: of, .. } => unit = of.clone(),
            Fact::CaseAccepted { .. } => events.push(Event::Accepted {
                at,
                unit: unit.clone(),
            }),
            Fact::CaseImported {
                accepted_at: Some(at),
                due: Some(due),
                ..
            } => events.push(Event::Promised {
                at: *at,
                unit: unit.clone(),
                due: *due,
            }),
            Fact::CaseSupplementAsked { .. } => {
                waits = true;
                events.push(Event::Asked { at });
            }
            Fact::CaseSupplemented { .. } | Fact::CaseProposed { .. } if waits => {
                waits = false;
                events.push(Event::Resumed {
                    at,
                    unit: unit.clone(),
                });
            }
            Fact::CaseChargeAsked { counts, .. } => {
                charged = true;
                events.push(Event::ChargeAsked { at, counts: *counts });
            }
            Fact::CaseChargePaid { .. } | Fact::CaseProposed { .. } if charged => {
                charged = false;
                events.push(Event::ChargeEnded {
                    at,
                    unit: unit.clone(),
                });
            }
            Fact::CaseResultDraftSent { until, .. } => events.push(Event::Shown { at, until: *until }),
            Fact::CaseResultDraftAnswered { .. } => events.push(Event::Looked {
                at,
                unit: unit.clone(),
            }),
            Fact::CaseApologised { due, .. } => events.push(Event::Extended { at, due: *due }),
            _ => {}
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::{SupplementRule, TermRule};
    use crate::testing::{birth, nouns};

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(&format!("{text}:00+07:00")).expect("a time")
    }

    fn unit() -> OrgCode {
        "H56.15865".parse().expect("a code")
    }

    /// A procedure of some working days; what is missing lets its term do something.
    fn days(days: i64, rule: Resumption) -> Procedure {
        let mut procedure = Procedure::clone(&birth());
        procedure.terms = vec![Term {
            channel: Channel::Online,
            starts: crate::procedure::Starts::Acceptance,
            when: None,
            rule: TermRule::WorkingDays { days },
        }];
        procedure.supplement_rules = vec![SupplementRule {
            valid_from: "2018-06-21".to_owned(),
            rule,
            ask_days: 3,
            answer_days: 20,
        }];
        procedure
    }

    fn clock(procedure: &Procedure, events: &[Event]) -> Reckoning {
        let rules = Rules {
            procedure,
            channel: Channel::Online,
            filed: at("2026-11-02T08:00").date(),
            answers: &Answers::new(),
            calendars: &nouns().calendars,
        };
        reckon(&rules, events).expect("a clock")
    }

    fn accepted(text: &str) -> Event {
        Event::Accepted {
            at: at(text),
            unit: unit(),
        }
    }

    fn resumed(text: &str) -> Event {
        Event::Resumed {
            at: at(text),
            unit: unit(),
        }
    }

    #[test]
    fn a_letter_moves_what_is_promised_and_never_what_is_judged() {
        let letter = Event::Extended {
            at: at("2026-11-03T09:00"),
            due: at("2026-11-12T17:00"),
        };
        let clock = clock(
            &days(5, Resumption::Restart),
            &[accepted("2026-11-02T09:00"), letter],
        );
        assert_eq!(clock.due, at("2026-11-12T17:00"));
        assert_eq!(clock.judged_by(), at("2026-11-09T09:00"));
    }

    #[test]
    fn a_term_that_starts_anew_after_a_letter_is_judged_by_its_own_end() {
        let events = [
            accepted("2026-11-02T09:00"),
            Event::Extended {
                at: at("2026-11-03T09:00"),
                due: at("2026-11-12T17:00"),
            },
            Event::Asked {
                at: at("2026-11-04T09:00"),
            },
            resumed("2026-11-18T09:00"),
        ];
        let clock = clock(&days(5, Resumption::Restart), &events);
        // Tuesday the 24th is a holiday.
        assert_eq!(clock.due, at("2026-11-26T09:00"));
        assert_eq!(clock.judged_by(), clock.due, "not by the date before the letter");
    }

    #[test]
    fn a_term_that_goes_on_keeps_what_a_letter_promised_and_what_is_judged_apart() {
        let events = [
            accepted("2026-11-02T09:00"),
            Event::Extended {
                at: at("2026-11-03T09:00"),
                due: at("2026-11-11T17:00"),
            },
            Event::Asked {
                at: at("2026-11-04T09:00"),
            },
            resumed("2026-11-06T09:00"),
        ];
        let clock = clock(&days(5, Resumption::Pause), &events);
        assert_eq!(
            clock.judged_by(),
            at("2026-11-11T09:00"),
            "two working days later"
        );
        assert_eq!(clock.due, at("2026-11-13T17:00"), "two working days later");
    }

    #[test]
    fn the_spans_of_a_case_are_those_in_which_its_agency_worked() {
        let events = [
            accepted("2026-11-02T09:00"),
            Event::Asked {
                at: at("2026-11-03T09:00"),
            },
            resumed("2026-11-05T14:00"),
        ];
        let clock = clock(&days(5, Resumption::Restart), &events);
        let runs: Vec<bool> = clock.spans.iter().map(|span| span.runs).collect();
        assert_eq!(runs, [true, false, true]);
        let calendar = nouns().calendars.of(&unit());
        assert_eq!(clock.spent(&calendar, at("2026-11-05T15:00")), 480 + 60);
    }

    /// A wait for the applicant's money.
    fn wait(counts: bool, from: &str, to: &str) -> [Event; 2] {
        let asked = Event::ChargeAsked { at: at(from), counts };
        let (at, unit) = (at(to), unit());
        [asked, Event::ChargeEnded { at, unit }]
    }

    /// Accepted, and asked to pay twice.
    fn charged(counts: bool) -> Reckoning {
        let mut events = vec![accepted("2026-11-02T09:00")];
        events.extend(wait(counts, "2026-11-03T09:00", "2026-11-05T09:00"));
        events.extend(wait(counts, "2026-11-06T09:00", "2026-11-09T09:00"));
        clock(&days(5, Resumption::Restart), &events)
    }

    #[test]
    fn each_wait_for_money_puts_the_end_off_by_what_it_took_and_stands_in_the_working_out() {
        let clock = charged(false);
        assert_eq!(clock.due, at("2026-11-12T09:00"), "three working days later");
        assert_eq!(clock.judged_by(), clock.due);
        let lines = &clock.working_out.lines;
        let waits = lines.iter().filter(|line| line.reason == UNPAID);
        assert_eq!(waits.count(), 3 + 4, "each day of both waits has its line");
        let counted: i64 = lines.iter().map(|line| line.minutes).sum();
        assert_eq!((counted, clock.working_out.term_minutes), (5 * 480, 5 * 480));
        let runs: Vec<bool> = clock.spans.iter().map(|span| span.runs).collect();
        assert_eq!(runs, [true, false, true, false, true]);
    }

    #[test]
    fn where_the_wait_for_money_counts_the_end_stays_and_the_agency_has_not_worked_all_the_same() {
        let clock = charged(true);
        assert_eq!(clock.due, at("2026-11-09T09:00"));
        assert!(clock.working_out.lines.iter().all(|line| line.reason != UNPAID));
        let runs: Vec<bool> = clock.spans.iter().map(|span| span.runs).collect();
        assert_eq!(runs, [true, false, true, false, true]);
    }

    #[test]
    fn two_waits_put_the_end_of_a_term_of_calendar_days_off_by_the_days_of_both() {
        let mut procedure = days(5, Resumption::Restart);
        for term in &mut procedure.terms {
            term.rule = TermRule::CalendarDays { days: 20 };
        }
        let mut events = vec![accepted("2026-11-23T09:30")];
        events.extend(wait(false, "2026-11-23T09:30", "2026-11-26T09:30"));
        events.extend(wait(false, "2026-11-26T09:30", "2026-11-30T09:30"));
        let clock = clock(&procedure, &events);
        assert_eq!(clock.due, at("2026-12-21T17:00"), "20 December is a Sunday");
        let lines = &clock.working_out.lines;
        let waits = lines.iter().filter(|line| line.reason == UNPAID);
        assert_eq!(waits.count(), 4 + 5);
    }

    #[test]
    fn a_look_at_a_draft_that_went_out_late_makes_nothing_early() {
        let late = [
            accepted("2026-11-02T09:00"),
            Event::Extended {
                at: at("2026-11-02T10:00"),
                due: at("2026-11-04T17:00"),
            },
            Event::Shown {
                at: at("2026-11-03T10:00"),
                until: at("2026-11-05T10:00"),
            },
            Event::Looked {
                at: at("2026-11-05T09:00"),
                unit: unit(),
            },
        ];
        let clock = clock(&birth(), &late);
        assert_eq!(
            clock.judged_by(),
            at("2026-11-02T17:00"),
            "the draft itself was late"
        );
        assert_eq!(
            clock.due,
            at("2026-11-05T17:00"),
            "what was promised waits for the look"
        );
    }

    #[test]
    fn a_date_that_another_system_promised_stands_and_a_pause_adds_what_it_took() {
        let promised = Event::Promised {
            at: at("2026-11-02T09:00"),
            unit: unit(),
            due: at("2026-11-04T17:00"),
        };
        let procedure = days(30, Resumption::Pause);
        let before = clock(&procedure, std::slice::from_ref(&promised));
        assert_eq!(
            (before.due, before.judged_by()),
            (at("2026-11-04T17:00"), at("2026-11-04T17:00"))
        );
        let asked = Event::Asked {
            at: at("2026-11-03T09:00"),
        };
        let after = clock(&procedure, &[promised, asked, resumed("2026-11-05T09:00")]);
        assert_eq!(after.due, at("2026-11-06T17:00"), "two working days later");
    }

    #[test]
    fn nothing_is_counted_before_acceptance() {
        let rules = Rules {
            procedure: &birth(),
            channel: Channel::Online,
            filed: at("2026-11-02T08:00").date(),
            answers: &Answers::new(),
            calendars: &nouns().calendars,
        };
        let asked = Event::Asked {
            at: at("2026-11-02T09:00"),
        };
        assert!(reckon(&rules, &[]).is_err());
        assert!(reckon(&rules, &[asked]).is_err());
    }
}
