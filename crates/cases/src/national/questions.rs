//! `DongBoHoiDap` at a portal: questions and answers that agencies publish on systems of their own, kept beside the
//! portal's own and shown with them; the same message takes one down. Never takes a word about somebody else's number.

use kernel::{Actor, Fact, OrgCode, Problem, Time};
use seal::merkle;
use serde::Deserialize as _;
use serde_json::Value;

use super::message::{Answer, Message, Refused, Why, answer_for, sent};
use super::question::{self, Heard, QuestionItem};
use crate::published::{TAKEN, TAKEN_DOWN, heard};
use crate::state::Cases;

/// By which field an item is known.
const NUMBER: &str = "MaHoiDap";

impl Cases {
    /// Takes questions and answers, each by itself.
    ///
    /// # Errors
    /// Unavailable.
    pub(super) async fn take_questions(
        &self,
        by: &Actor,
        from: &OrgCode,
        items: &[Value],
    ) -> Result<Answer, Problem> {
        let (owner, latest) = (&from.top(), self.latest());
        let read: Vec<Result<Heard, Refused>> = items
            .iter()
            .map(|item| self.read_question(item, owner, latest))
            .collect();
        let read = &read;
        let write = self.store.write(&self.tenant, by, |tx| async move {
            let mut outcomes = Vec::with_capacity(read.len());
            let (mut kept, mut tree) = (0_u64, merkle::Frontier::new());
            for one in read {
                let outcome = match one {
                    Ok(told) => heard(&tx, owner, told).await?,
                    Err(refused) => Err(*refused),
                };
                if let (Ok(told), Ok(TAKEN | TAKEN_DOWN)) = (one, outcome) {
                    kept += 1;
                    tree.push(merkle::leaf_hash(told.digest.bytes()));
                }
                outcomes.push(outcome);
            }
            if kept > 0 {
                let fact = Fact::CasesSynced {
                    owner: owner.clone(),
                    message: Message::Questions.name().to_owned(),
                    items: kept,
                    root: tree.root(),
                };
                tx.fact(&format!("synced/{owner}"), fact).await?;
            }
            Ok(outcomes)
        });
        let outcomes: Vec<Result<&'static str, Refused>> = write.await?;
        let answers = items.iter().zip(outcomes);
        let answers = answers.map(|(item, outcome)| answer_for(NUMBER, sent(item, NUMBER), outcome));
        Ok(Answer::told(answers.collect()))
    }

    /// An item, of a unit that there is.
    fn read_question(&self, item: &Value, owner: &OrgCode, latest: Time) -> Result<Heard, Refused> {
        let item = QuestionItem::deserialize(item).map_err(|_| Refused::at("data", Why::Unreadable))?;
        let heard = question::read(&item, owner, latest)?;
        match self.organisations.forms_of(&heard.unit).is_empty() {
            true => Err(Refused::at("MaDonVi", Why::UnknownUnit)),
            false => Ok(heard),
        }
    }
}
