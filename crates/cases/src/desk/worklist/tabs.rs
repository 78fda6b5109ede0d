//! The parts of the worklist that are looked at most, with how much is in each: counted up to a thousand, so
//! that a full desk costs no more than a busy one. Never a person.

use ::store::Reader;
use kernel::{OrgCode, Problem, Time};
use serde::Serialize;
use web::openapi::{ToSchema, utoipa};
use web::{Page, Principal};

use super::SOON_MINUTES;
use super::steps::STEP_LATE;
use crate::desk::consult::LEADERS;
use crate::desk::store::{Which, assigned, count};
use crate::state::Cases;

/// Cases counted in a part; what is above is `1000+`.
const COUNTED_MAX: usize = 1_000;
/// Units that are read one by one, count; of more than that the province's own order is read.
const UNITS_MAX: usize = 32;

/// The part with the cases that lie on the reader's own desk.
pub(super) const MINE: &str = "mine";

/// The parts, as addresses name them, and their words.
const PARTS: [(&str, &str); 5] = [
    (MINE, "desk-mine"),
    ("", "desk-open"),
    ("soon", "desk-soon"),
    ("overdue", "desk-overdue"),
    ("paused", "desk-paused"),
];

/// What is asked of the reader's unit, which has a list of its own: all of it, and for who leads the unit what is late.
const ASKED: [(&str, &str, &str); 2] = [
    ("consults", "desk-consults-asked", "/desk/consults"),
    ("consults-late", "desk-consults-late", "/desk/consults?state=late"),
];

/// How much is in a part of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Counted {
    /// The part, as `state` names it; empty for what is open.
    pub(super) state: &'static str,
    /// Cases, at most a thousand.
    pub(super) cases: u64,
    /// True when there are more than that.
    pub(super) more: bool,
}

/// A part as a tab.
pub(super) struct Tab {
    pub(super) label: String,
    pub(super) count: String,
    pub(super) href: String,
    pub(super) is_here: bool,
}

/// True for a part that is read unit by unit.
pub(super) const fn waits(which: &Which) -> bool {
    matches!(
        which,
        Which::Open | Which::Overdue | Which::Soon(_) | Which::Paused
    )
}

/// The tabs for what was counted.
pub(super) fn tabs(page: &Page, counts: &[Counted], here: &str) -> Vec<Tab> {
    let tab = |counted: &Counted| {
        let words = PARTS.iter().find(|(part, _)| *part == counted.state);
        let asked = ASKED.iter().find(|(part, ..)| *part == counted.state);
        let key = words.map(|(_, key)| *key).or(asked.map(|(_, key, _)| *key));
        let key = key.or((counted.state == STEP_LATE).then_some("desk-step-late"));
        let more = if counted.more { "+" } else { "" };
        Tab {
            label: key.map(|key| page.t(key)).unwrap_or_default(),
            count: format!("{}{more}", counted.cases),
            href: match (counted.state, asked) {
                (_, Some((.., address))) => (*address).to_owned(),
                ("", None) => "/desk".to_owned(),
                (state, None) => format!("/desk?state={state}"),
            },
            is_here: counted.state == here,
        }
    };
    counts.iter().map(tab).collect()
}

impl Cases {
    /// A unit and those below it, where they are few enough to be read one by one; none for a whole tenant.
    pub(super) fn units_of(&self, unit: &OrgCode) -> Option<Vec<OrgCode>> {
        if *unit == self.tenant {
            return None;
        }
        let mut units = self.organisations.below(unit);
        units.push(unit.clone());
        (units.len() <= UNITS_MAX).then_some(units)
    }

    /// How much is in each part: of the reader's own, and of some units.
    pub(super) async fn counts(
        &self,
        reader: &Reader,
        who: &Principal,
        units: &[OrgCode],
        now: Time,
    ) -> Result<Vec<Counted>, Problem> {
        let soon = self.ahead(&who.unit, now, SOON_MINUTES);
        let most = u64::try_from(COUNTED_MAX).unwrap_or(u64::MAX);
        let mut counts = Vec::new();
        let parts = PARTS.iter().map(|(state, _)| *state);
        for state in parts.filter(|state| *state == MINE || !units.is_empty()) {
            let found = match state {
                MINE => assigned::count(reader, &who.account, COUNTED_MAX + 1).await?,
                _ => count(reader, units, &Which::of(state, soon), (now, COUNTED_MAX + 1)).await?,
            };
            counts.push(Counted {
                state,
                cases: found.min(most),
                more: found > most,
            });
        }
        if !units.is_empty() {
            let late = self.steps_counted(reader, &who.unit, (now, COUNTED_MAX));
            counts.extend(late.await?);
        }
        let (asked, late) = self.consult_counts(reader, who, now).await?;
        let leads = LEADERS.iter().any(|role| who.has(role));
        for (&(state, ..), found) in ASKED.iter().zip([asked, late]) {
            if found > 0 && (state == "consults" || leads) {
                counts.push(Counted {
                    state,
                    cases: found.min(most),
                    more: found > most,
                });
            }
        }
        Ok(counts)
    }
}
