//! SQL of the desk's list. Never changes a row.

use ::store::params;
use kernel::{CaseCode, OrgCode, Problem, Time};

use crate::store::{Held, Rows, held};

/// Which cases a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that still wait for somebody.
    Open,
    /// Those in a state.
    In(String),
    /// All.
    All,
}

impl Which {
    /// From an address: empty for the open ones, `all`, or a state's code.
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "" => Self::Open,
            "all" => Self::All,
            state => Self::In(state.to_owned()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Open => "",
            Self::All => "all",
            Self::In(state) => state,
        }
    }
}

/// The place of a case in the list: by when it is owed, or when it was filed while nothing is owed.
pub(crate) type Place = (Time, CaseCode);

/// The place of a case.
pub(crate) fn place(held: &Held) -> Place {
    (held.due_at.unwrap_or(held.case.filed_at), held.case.code.clone())
}

/// A page of the cases of a unit and those below it, the most urgent first, after a place.
pub(crate) async fn list(
    rows: &impl Rows,
    unit: &OrgCode,
    which: &Which,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let below = format!("{unit}.%");
    let (at, code) = after.map_or((i64::MIN, String::new()), |(at, code)| {
        (at.ms(), code.to_string())
    });
    let rows = rows
        .all(
            "select code, procedure, version, unit, channel, applicant, answers, state, status, revision, filed_at, due_at,
                 ended_at, details from cases_cases
             where tenant = $1 and (unit = $2 or unit like $3)
                 and (state = $4 or $4 = 'all' or ($4 = '' and status not in (3, 7, 8, 10)))
                 and (coalesce(due_at, filed_at) > $5 or (coalesce(due_at, filed_at) = $5 and code > $6))
             order by coalesce(due_at, filed_at), code limit $7",
            params![rows.tenant(), unit, below, which.as_str(), at, code, limit],
        )
        .await?;
    rows.iter().map(held).collect()
}
