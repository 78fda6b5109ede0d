//! `rate`: the applicant says how the case was handled (đánh giá sự hài lòng), once, after it ended.
//! Never changes where the case stands.

use ::store::Tx;
use kernel::{Fact, Kind, Problem, Time};

use crate::case::Case;
use crate::course::Rating;
use crate::criteria::Points;
use crate::desk::step::save;
use crate::procedure::{Clock, Procedure};
use crate::state::Cases;
use crate::store::subject;
use crate::words::note;

impl Cases {
    /// Keeps a rating.
    ///
    /// # Errors
    /// `case-verb-not-now` before the case ended and once it is rated; 422 at `score` or at a criterion that was not
    /// asked on the day it was sent.
    pub(crate) async fn rated(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        sent_at: Time,
        (score, words, criteria): (u8, &str, &Points),
    ) -> Result<(), Problem> {
        let ended = procedure
            .states
            .get(&case.state)
            .is_some_and(|s| s.clock == Clock::Stop);
        if !ended || case.course.rating.is_some() {
            return Err(Problem::new(Kind::Conflict, "case-verb-not-now").with("state", &case.state));
        }
        self.check_rating(score, criteria, sent_at.date())?;
        let mut case = case;
        case.revision += 1;
        case.course.rating = Some(Rating {
            score,
            note: note(words, false)?,
            criteria: criteria.clone(),
            at: tx.now(),
        });
        save(tx, &case, procedure).await?;
        let fact = Fact::CaseRated {
            case: case.code.clone(),
            owner: case.unit.clone(),
            score,
            criteria: criteria.clone(),
        };
        tx.fact(&subject(&case.code), fact).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::criteria::Points;
    use crate::desk::testing::{CASE, Desk};

    /// A desk whose case was taken back.
    async fn ended() -> Desk {
        let desk = Desk::new().await;
        let withdrawal = json!({"kind": "withdrawal", "reason": ""});
        assert_eq!(desk.submit(1, withdrawal, &json!([])).await["taken"], true);
        desk
    }

    fn rating(criteria: &Value) -> Value {
        json!({"kind": "rating", "score": 4, "note": "Nhanh", "criteria": criteria})
    }

    #[tokio::test]
    async fn points_by_criterion_are_kept_once_and_shown() {
        let desk = ended().await;
        let first = rating(&json!({"1": 2, "7": 0}));
        assert_eq!(desk.submit(2, first, &json!([])).await["taken"], true);
        let second = desk.submit(3, rating(&json!({"1": 0})), &json!([])).await;
        assert_eq!(second["why"], "case-verb-not-now");
        let kept = desk.row().await.case.course.rating.expect("a rating");
        assert_eq!(kept.criteria, Points::from([(1, 2), (7, 0)]));
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
        for shown in [
            "4/5",
            "Tổng thời gian giải quyết",
            "2/2: Nhanh hơn thời gian cho phép",
            "0/2: Có điều phải phản ánh về thái độ",
        ] {
            assert!(page.contains(shown), "{shown}");
        }
    }

    #[tokio::test]
    async fn points_that_no_portal_should_send_are_refused_and_a_rating_without_any_is_taken() {
        let desk = ended().await;
        for (seq, criteria, why) in [
            (2, json!({"2": 1}), "case-criterion-unknown"),
            (3, json!({"1": 3}), "case-criterion-points"),
        ] {
            let taken = desk.submit(seq, rating(&criteria), &json!([])).await;
            assert_eq!((&taken["taken"], &taken["why"]), (&json!(false), &json!(why)));
        }
        assert!(desk.row().await.case.course.rating.is_none());
        let earlier = json!({"kind": "rating", "score": 4, "note": "Nhanh"});
        assert_eq!(desk.submit(4, earlier, &json!([])).await["taken"], true);
        let kept = desk.row().await.case.course.rating.expect("a rating");
        assert!(kept.criteria.is_empty());
    }
}
