//! `supplement`: the applicant gives what was asked for. The term starts anew or goes on, as the law in
//! force on that day says. Never asks a second time.

use ::store::Tx;
use kernel::{Kind, Problem};

use crate::case::{Answers, Case};
use crate::draft::Attached;
use crate::procedure::Procedure;
use crate::state::Cases;

impl Cases {
    /// Takes what was asked for.
    ///
    /// # Errors
    /// `case-verb-not-now` when nothing is asked for.
    pub(crate) async fn supplemented(
        &self,
        _tx: &Tx,
        case: Case,
        _procedure: &Procedure,
        _answers: &Answers,
        _note: &str,
        _papers: &[Attached],
    ) -> Result<(), Problem> {
        Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", &case.state))
    }
}
