//! `rate`: the applicant says how the case was handled (đánh giá sự hài lòng), once, after it ended.
//! Never changes where the case stands.

use ::store::Tx;
use kernel::{Fact, Kind, Problem};

use crate::case::Case;
use crate::course::Rating;
use crate::desk::step::save;
use crate::procedure::{Clock, Procedure};
use crate::state::Cases;
use crate::store::subject;
use crate::submission::SCORE_MAX;
use crate::words::note;

impl Cases {
    /// Keeps a rating.
    ///
    /// # Errors
    /// `case-verb-not-now` before the case ended and once it is rated; 422 at `score`.
    pub(crate) async fn rated(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        score: u8,
        words: &str,
    ) -> Result<(), Problem> {
        let ended = procedure
            .states
            .get(&case.state)
            .is_some_and(|s| s.clock == Clock::Stop);
        if !ended || case.course.rating.is_some() {
            return Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", &case.state));
        }
        if !(1..=SCORE_MAX).contains(&score) {
            return Err(Problem::invalid("score", "case-score").with("max", SCORE_MAX));
        }
        let mut case = case;
        case.revision += 1;
        case.course.rating = Some(Rating {
            score,
            note: note(words, false)?,
            at: tx.now(),
        });
        save(tx, &case, procedure).await?;
        let fact = Fact::CaseRated {
            case: case.code.clone(),
            owner: case.unit.clone(),
            score,
        };
        tx.fact(&subject(&case.code), fact).await?;
        Ok(())
    }
}
