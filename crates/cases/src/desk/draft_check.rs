//! `check-draft`: the applicant looks at the draft of the result before it is entered and signed;
//! silence until the term ends is consent. Never for a refusal.

use ::store::Tx;
use kernel::{Kind, Problem};

use crate::case::Case;
use crate::procedure::Procedure;
use crate::state::Cases;

impl Cases {
    /// Takes what the applicant says about the draft.
    ///
    /// # Errors
    /// `case-verb-not-now` when no draft waits.
    pub(crate) async fn draft_answered(
        &self,
        _tx: &Tx,
        case: Case,
        _procedure: &Procedure,
        _agreed: bool,
        _note: &str,
    ) -> Result<(), Problem> {
        Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", &case.state))
    }
}
