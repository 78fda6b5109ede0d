//! What the verbs tell a case's clock, and what the clock says then. The only place that sets a due date;
//! what it is stands in [`crate::clock::fold`].

use kernel::Problem;

use crate::case::Case;
use crate::clock::fold::{Event, Reckoning, Rules, reckon};
use crate::procedure::Procedure;
use crate::state::Cases;

impl Cases {
    /// What the clock of a case says after some events.
    ///
    /// # Errors
    /// As [`reckon`].
    pub(crate) fn reckon(
        &self,
        case: &Case,
        procedure: &Procedure,
        events: &[Event],
    ) -> Result<Reckoning, Problem> {
        let rules = Rules {
            procedure,
            channel: case.channel,
            filed: case.filed_at.date(),
            answers: &case.answers,
            calendars: &self.calendars,
        };
        reckon(&rules, events)
    }

    /// Tells the clock of a case what happened and writes down what it says; nothing before acceptance.
    ///
    /// # Errors
    /// As [`reckon`].
    pub(crate) fn tell_clock(
        &self,
        case: &mut Case,
        procedure: &Procedure,
        event: Event,
    ) -> Result<(), Problem> {
        if case.accepted.is_none() {
            return Ok(());
        }
        let mut events = events(case);
        events.push(event);
        let clock = self.reckon(case, procedure, &events)?;
        case.course.clock = events;
        if let Some(accepted) = &mut case.accepted {
            accepted.due = clock.due;
            accepted.working_out = clock.working_out;
        }
        Ok(())
    }
}

/// What happened to the clock of a case so far. A case that was accepted before this was written down has
/// its acceptance, and what its row says besides.
pub(crate) fn events(case: &Case) -> Vec<Event> {
    if !case.course.clock.is_empty() {
        return case.course.clock.clone();
    }
    let Some(accepted) = &case.accepted else {
        return Vec::new();
    };
    let unit = &case.unit;
    let mut events = vec![(
        accepted.at,
        Event::Accepted {
            at: accepted.at,
            unit: unit.clone(),
        },
    )];
    if let Some(asked) = &case.course.supplement {
        events.push((asked.at, Event::Asked { at: asked.at }));
        events.extend(asked.given_at.map(|at| {
            let unit = unit.clone();
            (at, Event::Resumed { at, unit })
        }));
    }
    if let Some(draft) = &case.course.draft {
        let (at, until) = (draft.at, draft.until);
        events.push((at, Event::Shown { at, until }));
        events.extend(draft.answered_at.map(|at| {
            let unit = unit.clone();
            (at, Event::Looked { at, unit })
        }));
    }
    if let Some(letter) = &case.course.apology {
        let (at, due) = (letter.at, letter.due);
        events.push((at, Event::Extended { at, due }));
    }
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::desk::testing::{Desk, code};

    impl Desk {
        /// What the applicant sends next.
        async fn send_next(&self, said: Value) {
            let said_before = {
                let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
                crate::store::submissions(&reader, &code()).await.expect("read")
            };
            let seq = u32::try_from(said_before.len()).expect("few") + 1;
            self.submit(seq, said, &json!([])).await;
        }

        /// One step of a history; what is not allowed now is refused, and that is right too.
        async fn step(&self, step: u64) {
            match step {
                0 => drop(
                    self.verb(
                        "tich",
                        "apologise",
                        json!({"reason": "Cần xác minh", "day": "2026-11-26"}),
                    )
                    .await,
                ),
                1 => drop(
                    self.verb(
                        "tich",
                        "ask-supplement",
                        json!({"items": ["Thiếu"], "reason": "Mờ"}),
                    )
                    .await,
                ),
                2 => {
                    let said =
                        json!({"kind": "supplement", "answers": {"father_name": "Nam"}, "note": "Đã sửa"});
                    self.send_next(said).await;
                }
                3 => drop(self.verb("tich", "propose", json!({"outcome": "granted"})).await),
                4 => {
                    let refused = json!({"outcome": "refused", "note": "Không đủ"});
                    drop(self.verb("tich", "propose", refused).await);
                }
                5 => {
                    let said = json!({"kind": "draft-answer", "agreed": true, "note": ""});
                    self.send_next(said).await;
                }
                6 => {
                    let said = json!({"kind": "draft-answer", "agreed": false, "note": "Sai tên"});
                    self.send_next(said).await;
                }
                7 => {
                    drop(self.deliver_topic("case-status").await);
                    drop(self.deliver_topic("case-draft").await);
                }
                8 => drop(self.deliver_topic("case-act").await),
                9 => drop(self.verb("chu", "send-back", json!({"note": "Xem lại"})).await),
                10 => drop(self.verb("chu", "sign", json!({})).await),
                _ => self.temp.clock.advance_ms(5 * 3_600_000 + 7_000),
            }
        }
    }

    /// [`Desk::state`] counts the due date from the facts and holds it against the row.
    #[tokio::test]
    async fn in_every_history_the_row_says_what_its_facts_count() {
        for seed in 1..=12_u64 {
            let desk = Desk::new().await;
            desk.accept().await;
            let mut chance = seed;
            for _ in 0..30 {
                chance = chance
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                desk.step((chance >> 33) % 15).await;
                desk.state().await;
            }
        }
    }
}
