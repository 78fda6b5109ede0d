//! What a merger of units does to running cases: each goes to the unit that took over, with its
//! code, its version and its due date; what cannot be told from the lists waits for somebody to
//! assign it. Never touches a case that has ended, nor a figure that was counted.
//!
//! | read | for |
//! |---|---|
//! | [`Where`] | where a case belongs on a day: pure, from the directory's dated tables |
//! | [`job`] | moves what can be moved, lists what cannot |
//! | `page`, `assign` | the list at the province's desk, and its one action |
//! | `store` | the SQL of both |

pub(crate) mod assign;
pub mod job;
pub(crate) mod page;
pub(crate) mod store;
#[cfg(test)]
pub(crate) mod tests;

use directory::areas::Areas;
use directory::organisations::Organisations;
use directory::succession::{Answer, Handling, handled_by};
use kernel::{Date, OrgCode, Problem};
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::state::Cases;
use crate::store::Held;

/// Why a case cannot be moved without somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Its unit was split among several.
    Split,
    /// No list says who took over.
    Unknown,
    /// An organisation of another province took over: the case waits here until that one takes it.
    Elsewhere,
}

impl Why {
    /// Its word in rows and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Unknown => "unknown",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// Where a case belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// Its unit is there still.
    Stays,
    /// One unit of the same organisation took over.
    Goes(OrgCode),
    /// Somebody has to say.
    Waits {
        /// Why.
        why: Why,
        /// Who took over, as far as the lists say.
        heirs: Vec<OrgCode>,
    },
}

/// Where a unit's case belongs that the unit held on a day, and how that comes.
#[must_use]
pub fn belongs(
    areas: &Areas,
    organisations: &Organisations,
    unit: &OrgCode,
    held: Date,
    on: Date,
) -> (Where, Handling) {
    let handling = handled_by(areas, organisations, unit, held.min(on), on);
    let waits = |why, heirs| Where::Waits { why, heirs };
    let to = match &handling.answer {
        Answer::Known { handler } if handler.organisation == *unit => Where::Stays,
        // Only the organisation above has a code then: nobody to move it to.
        Answer::Known { handler } if handler.above => waits(Why::Unknown, Vec::new()),
        Answer::Known { handler } if unit.top() == handler.top => Where::Goes(handler.organisation.clone()),
        Answer::Known { handler } => waits(Why::Elsewhere, vec![handler.organisation.clone()]),
        Answer::Split { handlers } => {
            let heirs: Vec<OrgCode> = handlers.iter().map(|h| h.organisation.clone()).collect();
            // A unit that gave a part away still handles what it began.
            if heirs.contains(unit) {
                Where::Stays
            } else if heirs.iter().any(|heir| heir.top() == unit.top()) {
                waits(Why::Split, heirs)
            } else {
                waits(Why::Elsewhere, heirs)
            }
        }
        Answer::Unknown { .. } => waits(Why::Unknown, Vec::new()),
    };
    (to, handling)
}

impl Cases {
    /// The organisation of level 1 at whose gateway a case's unit is reached today: that of its
    /// successor when it has ended, its own when nobody knows better.
    #[must_use]
    pub(crate) fn top_now(&self, case: &Case) -> OrgCode {
        let unit = &case.unit;
        let (to, _) = belongs(
            &self.areas,
            &self.organisations,
            unit,
            case.filed_at.date(),
            self.today(),
        );
        match to {
            Where::Waits {
                why: Why::Elsewhere,
                heirs,
            } => heirs.first().map_or_else(|| unit.top(), OrgCode::top),
            _ => unit.top(),
        }
    }

    /// True for the organisation that handles a case, or that took over from the one that did.
    #[must_use]
    pub(crate) fn is_owner(&self, case: &Case, org: &OrgCode) -> bool {
        case.unit.top() == org.top() || self.top_now(case) == org.top()
    }

    /// A case as its owner may speak of it: one that is not the caller's does not exist for it.
    ///
    /// # Errors
    /// Not found.
    pub(crate) fn owned(&self, held: Option<Held>, org: &OrgCode) -> Result<Held, Problem> {
        held.filter(|held| self.is_owner(&held.case, org))
            .ok_or_else(Problem::not_found)
    }

    /// True for a unit of this place that is there, and for one that was when a case was filed with
    /// it: the case goes to its successor once it is here.
    #[must_use]
    pub(crate) fn takes_for(&self, unit: &OrgCode, filed: Date) -> bool {
        let known = self.organisations.get(unit, self.today()).is_some()
            || self.organisations.get(unit, filed).is_some();
        if !known {
            return false;
        }
        let (to, _) = belongs(&self.areas, &self.organisations, unit, filed, self.today());
        match to {
            Where::Waits { heirs, .. } => {
                self.tenant.holds(unit) || heirs.iter().any(|heir| self.tenant.holds(heir))
            }
            Where::Stays | Where::Goes(_) => self.tenant.holds(unit),
        }
    }
}
