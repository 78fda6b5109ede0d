//! A case of another system as anybody finds it who has its code and the last digits of its applicant's number: where it
//! stands, and no person.

use kernel::{CaseCode, OrgCode, Problem, Time};

use super::judge::Outcome;
use super::store as kept;
use crate::store::Rows;

/// A case of another system, without a person.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    /// Its code.
    pub(crate) code: CaseCode,
    /// Whose it is.
    pub(crate) owner: OrgCode,
    /// Its procedure's code, as it was told.
    pub(crate) procedure_code: String,
    /// Its procedure's name, as it was told.
    pub(crate) procedure: String,
    /// The unit that handles it, as it was told.
    pub(crate) unit: String,
    /// Its status, 1 to 10.
    pub(crate) status: u8,
    /// By when its result is owed.
    pub(crate) due_at: Option<Time>,
    /// Its changes of status, oldest first.
    pub(crate) statuses: Vec<(u8, Time)>,
}

/// The case of a code when the digits are its applicant's.
///
/// # Errors
/// Unavailable; Internal for a row that cannot be read.
pub(crate) async fn elsewhere(
    rows: &impl Rows,
    code: &CaseCode,
    digits: &str,
) -> Result<Option<Elsewhere>, Problem> {
    let row = kept::synced(rows, code).await?;
    let Some(row) = row.filter(|row| !row.digits.is_empty() && row.digits == digits) else {
        return Ok(None);
    };
    let moving = [Outcome::Begun, Outcome::Moved].map(Outcome::word);
    let words = kept::progress(rows, code).await?;
    let moved = words
        .iter()
        .filter(|word| moving.contains(&word.outcome.as_str()));
    Ok(Some(Elsewhere {
        code: row.code,
        owner: row.owner,
        procedure_code: row.procedure,
        procedure: kernel::text::clean(&row.said.procedure_name),
        unit: kernel::text::clean(&row.said.unit),
        status: row.status,
        due_at: row.due_at,
        statuses: moved.map(|word| (word.status, word.at)).collect(),
    }))
}
