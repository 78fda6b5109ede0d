//! Which portal files for an agency on a day (chế độ nộp hồ sơ trực tuyến): the national one, or one of its own. Pure but for
//! the look at where a case began; which modes there are the pack says (`codes/filing-modes.toml`).

use exchange::SystemId;
use kernel::time::{day_month_year, parse_iso};
use kernel::{Date, Kind, OrgCode, Problem};
use serde::Deserialize;

use crate::case::Case;
use crate::state::Cases;
use crate::store::Rows;

/// Whose portal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// One for all.
    National,
    /// Each agency's own.
    Provincial,
}

/// Where cases are filed from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// First day.
    pub from: String,
    /// Whose portal.
    pub mode: Whose,
    /// The system of the national portal, `G22/portal`; of provincial ones the system's code at each agency.
    pub portal: String,
    /// The agencies for which it holds; all when nothing is said.
    #[serde(default)]
    pub owners: Vec<OrgCode>,
    /// The act that says so.
    pub source: String,
}

impl Mode {
    /// The portal of an agency; `None` when what is written names no system.
    #[must_use]
    pub fn portal_of(&self, owner: &OrgCode) -> Option<SystemId> {
        match self.mode {
            Whose::National => self.portal.parse().ok(),
            Whose::Provincial => format!("{}/{}", owner.top(), self.portal).parse().ok(),
        }
    }

    fn holds_for(&self, owner: &OrgCode) -> bool {
        self.owners.is_empty() || self.owners.contains(&owner.top())
    }
}

/// All modes of all days; without one nobody files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    by_day: Vec<(Date, Mode)>,
}

impl Modes {
    /// The modes of a pack; `None` when a first day is no date.
    #[must_use]
    pub fn of(modes: Vec<Mode>) -> Option<Self> {
        let dated = |mode: Mode| Some((parse_iso(&mode.from)?, mode));
        let mut by_day: Vec<_> = modes.into_iter().map(dated).collect::<Option<_>>()?;
        // Of one day's, what is said of some agencies goes before what is said of all.
        by_day.sort_by_key(|(from, mode)| (*from, !mode.owners.is_empty()));
        Some(Self { by_day })
    }

    /// The portal that files for an agency on a day.
    #[must_use]
    pub fn portal(&self, owner: &OrgCode, on: Date) -> Option<SystemId> {
        let mut newest = self.by_day.iter().rev();
        let (_, mode) = newest.find(|(from, mode)| *from <= on && mode.holds_for(owner))?;
        mode.portal_of(owner)
    }
}

impl Cases {
    /// The portal that files for a unit on a day.
    ///
    /// # Errors
    /// `case-portal-none` (503) when the pack names none.
    pub(crate) fn portal_for(&self, unit: &OrgCode, on: Date) -> Result<SystemId, Problem> {
        let owner = unit.top();
        let portal = self.catalogue.filing().portal(&owner, on);
        portal.ok_or_else(|| {
            Problem::new(Kind::Unavailable, "case-portal-none")
                .with("owner", owner)
                .with("day", day_month_year(on))
        })
    }

    /// The portal of the day on which a case was filed: what becomes of it is told there.
    ///
    /// # Errors
    /// As [`Cases::portal_for`]; unavailable.
    pub(crate) async fn portal_of(&self, rows: &impl Rows, case: &Case) -> Result<SystemId, Problem> {
        let unit = crate::merger::job::first_unit(rows, case).await?;
        self.portal_for(&unit, case.filed_at.date())
    }

    /// Refuses a portal that does not file for a unit on a day.
    ///
    /// # Errors
    /// `case-portal-not-then` (403), which names the portal that does.
    pub(crate) fn files_for(&self, portal: &SystemId, unit: &OrgCode, on: Date) -> Result<(), Problem> {
        let then = self.portal_for(unit, on)?;
        if then == *portal {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, "case-portal-not-then")
            .with("owner", unit.top())
            .with("day", day_month_year(on))
            .with("portal", then))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::nouns;

    fn portal(modes: &Modes, owner: &str, on: &str) -> Option<String> {
        let on = parse_iso(on).expect("a day");
        let portal = modes.portal(&owner.parse().expect("a code"), on);
        portal.map(|portal| portal.to_string())
    }

    #[test]
    fn before_the_national_portal_was_the_only_door_each_province_had_its_own() {
        let modes = nouns().catalogue.filing();
        let told = |owner, on| portal(modes, owner, on).unwrap_or_default();
        assert_eq!(told("H56.15865", "2025-06-30"), "H56/portal");
        assert_eq!(told("H01", "2025-06-30"), "H01/portal");
        for owner in ["H56.15865", "H01"] {
            assert_eq!(told(owner, "2025-07-01"), "G22/portal");
        }
        assert_eq!(portal(modes, "H56", "2018-06-20"), None, "nothing is known of it");
    }

    #[test]
    fn what_is_said_of_an_agency_holds_for_it_alone() {
        let mode = |from: &str, mode, portal: &str, owners: &[&str]| Mode {
            from: from.to_owned(),
            mode,
            portal: portal.to_owned(),
            owners: owners.iter().map(|o| o.parse().expect("a code")).collect(),
            source: "x".to_owned(),
        };
        let modes = Modes::of(vec![
            mode("2026-01-01", Whose::Provincial, "thu-diem", &["H56"]),
            mode("2026-01-01", Whose::National, "G22/portal", &[]),
            mode("2027-01-01", Whose::National, "G22/portal", &["H56"]),
        ]);
        let modes = modes.expect("days");
        let told = |owner, on| portal(&modes, owner, on).unwrap_or_default();
        assert_eq!(told("H56", "2026-05-05"), "H56/thu-diem");
        assert_eq!(told("H01", "2026-05-05"), "G22/portal");
        assert_eq!(told("H56", "2027-01-01"), "G22/portal");
        assert_eq!(portal(&Modes::default(), "H56", "2026-05-05"), None);
        assert!(Modes::of(vec![mode("1/1", Whose::National, "G22/portal", &[])]).is_none());
    }
}
