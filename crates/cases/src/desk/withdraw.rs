//! `withdraw`: the applicant takes the case back (rút hồ sơ). It ends without a result, and nothing is
//! owed any more. Never after the result is being signed.

use ::store::Tx;
use kernel::{Fact, Problem};

use crate::case::Case;
use crate::consult::Why;
use crate::course::Withdrawn;
use crate::desk::consult::end_open;
use crate::desk::step::save;
use crate::procedure::{APPLICANT, Procedure, Verb};
use crate::state::Cases;
use crate::store::subject;
use crate::words::note;

impl Cases {
    /// Ends a case that its applicant takes back.
    ///
    /// # Errors
    /// `case-verb-not-now` where the procedure has no way back any more.
    pub(crate) async fn withdrawn(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        reason: &str,
    ) -> Result<(), Problem> {
        let step = case.transition(procedure, Verb::Withdraw, &[APPLICANT.to_owned()])?;
        let mut case = case.moved(step);
        case.course.withdrawn = Some(Withdrawn {
            reason: note(reason, false)?,
            at: tx.now(),
        });
        case.course.end_charge(tx.now());
        end_open(tx, &mut case, Why::Withdrawn).await?;
        save(tx, &case, procedure).await?;
        // Before acceptance nothing was owed.
        if case.accepted.is_some() {
            obligations::lift(tx, &subject(&case.code), "withdrawn").await?;
        }
        let fact = Fact::CaseWithdrawn {
            case: case.code.clone(),
        };
        tx.fact(&subject(&case.code), fact).await?;
        Ok(())
    }
}
