//! The rules of the organisations' dated rows. Never derives a commune's unit: see
//! [`crate::organisations`].

use std::collections::{HashMap, HashSet};
use std::path::Path;

use kernel::fault::{Fault, Faults};
use kernel::time::parse_iso;
use kernel::{AreaCode, Date, OrgCode};

use super::areas::KnownAreas;
use super::files::{Row, table};

pub(crate) const AGENCIES: &str = "organisations/agencies.csv";
pub(crate) const COLUMNS: [&str; 7] = [
    "code",
    "name",
    "area",
    "valid_from",
    "valid_to",
    "successor",
    "evidence",
];

/// The organisations of the pack, for those who name one.
#[derive(Debug, Default)]
pub struct KnownOrganisations {
    codes: HashSet<OrgCode>,
}

impl KnownOrganisations {
    /// True when the pack has the organisation, or the one it is a unit of.
    #[must_use]
    pub fn has(&self, code: &OrgCode) -> bool {
        let mut whose = Some(code.clone());
        while let Some(code) = whose {
            if self.codes.is_empty() || self.codes.contains(&code) {
                return true;
            }
            whose = code.parent();
        }
        false
    }
}

/// One form of an organisation and its line.
struct Form {
    code: OrgCode,
    from: Option<Date>,
    to: Option<Date>,
    successor: Option<OrgCode>,
    line: u64,
}

/// Checks the agencies.
pub(crate) fn check(pack: &Path, areas: &KnownAreas, faults: &mut Faults) -> KnownOrganisations {
    let mut forms: Vec<Form> = Vec::new();
    table(pack, AGENCIES, &COLUMNS, faults, |row, faults| {
        let Some(code) = row.parse::<OrgCode>(0, "organisation-code", faults) else {
            return;
        };
        if row.get(1).is_empty() {
            faults.add(row.fault("name-missing", 0));
        }
        area(row, areas, faults);
        let successor = match row.get(5) {
            "" => None,
            _ => row.parse::<OrgCode>(5, "organisation-code", faults),
        };
        let (from, to) = (day(row, 3, false, faults), day(row, 4, true, faults));
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            let names = vec![("value", row.get(4).to_owned()), ("from", row.get(3).to_owned())];
            faults.add(row.fault_with("ends-before-begins", names));
        }
        forms.push(Form {
            code,
            from,
            to,
            successor,
            line: row.line,
        });
    });
    let known = KnownOrganisations {
        codes: forms.iter().map(|f| f.code.clone()).collect(),
    };
    for form in &forms {
        if let Some(successor) = form.successor.as_ref().filter(|s| !known.codes.contains(s)) {
            let names = vec![("value", successor.to_string())];
            faults.add(Fault::new(AGENCIES, form.line, "successor-unknown", names));
        }
    }
    overlaps(&forms, faults);
    known
}

fn area(row: &Row<'_>, areas: &KnownAreas, faults: &mut Faults) {
    if row.get(2).is_empty() {
        return;
    }
    if let Some(area) = row.parse::<AreaCode>(2, "area-code", faults)
        && !areas.has(&area)
    {
        faults.add(row.fault("area-unknown", 2));
    }
}

pub(crate) fn day(row: &Row<'_>, column: usize, may_be_empty: bool, faults: &mut Faults) -> Option<Date> {
    let text = row.get(column);
    if may_be_empty && text.is_empty() {
        return None;
    }
    let day = parse_iso(text);
    if day.is_none() {
        faults.add(row.fault("date-bad", column));
    }
    day
}

/// On no day a code has two forms.
fn overlaps(forms: &[Form], faults: &mut Faults) {
    let mut of: HashMap<&OrgCode, Vec<&Form>> = HashMap::new();
    for form in forms {
        for other in of.entry(&form.code).or_default().iter() {
            let apart = |a: &Form, b: &Form| a.to.is_some_and(|to| b.from.is_some_and(|from| to < from));
            if !apart(form, other) && !apart(other, form) {
                let names = vec![
                    ("value", form.code.to_string()),
                    ("first", other.line.to_string()),
                ];
                faults.add(Fault::new(AGENCIES, form.line, "validity-overlaps", names));
            }
        }
        of.entry(&form.code).or_default().push(form);
    }
}
