//! The owner takes what an applicant chose: by post, or no longer. Until the result is signed; never a step of the case,
//! and never a change of its date.

use ::store::Tx;
use kernel::{Fact, Kind, Problem};

use super::{Wish, may_choose, store};
use crate::case::Case;
use crate::desk::step::save;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::subject;

impl Cases {
    /// Keeps how the applicant of a case wishes to get the result.
    ///
    /// # Errors
    /// `case-post-too-late` (409) once the result is signed or the case is over; as [`Cases::by_post`] for an address.
    pub(crate) async fn post_wished(
        &self,
        tx: &Tx,
        mut case: Case,
        procedure: &Procedure,
        wish: Option<&Wish>,
    ) -> Result<(), Problem> {
        if !may_choose(&case, procedure) {
            return Err(Problem::new(Kind::Conflict, "case-post-too-late"));
        }
        let before = case.course.post.as_ref().map(|by_post| &by_post.to);
        if before == wish {
            return Ok(());
        }
        case.course.post = match wish {
            Some(_) if !self.offers_post(procedure, tx.now().date()) => {
                return Err(Problem::invalid(super::wish::ADDRESS, "post-not-offered"));
            }
            Some(wish) => Some(self.by_post(wish, &case.unit, tx.now())?),
            None => None,
        };
        case.revision += 1;
        save(tx, &case, procedure).await?;
        if wish.is_none() {
            store::forget(tx, &case.code).await?;
        }
        let fact = Fact::CasePostWished {
            case: case.code.clone(),
            by_post: wish.is_some(),
        };
        tx.fact(&subject(&case.code), fact).await?;
        Ok(())
    }
}
