//! `DongBoDanhGia` at a portal: how applicants rated cases of other systems, once a case, after its end, by the criteria
//! of the day. Who filed here rates here, so that nothing is taken for those cases.

use ::store::Tx;
use kernel::{Actor, Fact, OrgCode, Problem};
use serde::Deserialize as _;
use serde_json::Value;

use super::message::{Answer, RatingItem, Refused, Why, item_answer};
use super::receive::code_in;
use super::store as kept;
use super::told::{self, Rated};
use crate::citizen::course::ENDED;
use crate::state::Cases;
use crate::store as rows;

impl Cases {
    /// Takes ratings, each by itself.
    ///
    /// # Errors
    /// Unavailable.
    pub(super) async fn take_ratings(
        &self,
        by: &Actor,
        from: &OrgCode,
        items: &[Value],
    ) -> Result<Answer, Problem> {
        let latest = self.latest();
        let taken = self.store.write(&self.tenant, by, |tx| async move {
            let mut taken = Vec::with_capacity(items.len());
            for item in items {
                let outcome = match read(item, latest) {
                    Ok(rated) => self.rated_elsewhere(&tx, from, &rated, item).await?,
                    Err(refused) => Err(refused),
                };
                taken.push(item_answer(code_in(item), outcome));
            }
            Ok(taken)
        });
        Answer::of(&taken.await?).map_err(Problem::internal)
    }

    async fn rated_elsewhere(
        &self,
        tx: &Tx,
        from: &OrgCode,
        rated: &Rated,
        item: &Value,
    ) -> Result<Result<&'static str, Refused>, Problem> {
        let row = kept::synced(tx, &rated.code).await?;
        let Some(row) = row.filter(|row| row.owner == from.top()) else {
            return Ok(Err(Refused::at("MaHoSo", Why::UnknownCase)));
        };
        if !ENDED.contains(&row.status) {
            return Ok(Err(Refused::at("MaHoSo", Why::NotRateable)));
        }
        let criteria = self.catalogue.criteria();
        if criteria.check(&rated.criteria, rated.at.date()).is_err() {
            return Ok(Err(Refused::at("DanhSachTieuChi", Why::Unreadable)));
        }
        let said = kernel::digest::canonical_json(item).map_err(Problem::internal)?;
        if !kept::rate(tx, &rated.code, (rated.score, &said), rated.at).await? {
            let before = kept::rating(tx, &rated.code).await?;
            return Ok(if before.as_deref() == Some(said.as_str()) {
                Ok("heard-before")
            } else {
                Err(Refused::at("MaHoSo", Why::NotRateable))
            });
        }
        let fact = Fact::CaseRated {
            case: rated.code.clone(),
            owner: row.owner,
            score: rated.score,
            criteria: rated.criteria.clone(),
        };
        tx.fact(&rows::subject(&rated.code), fact).await?;
        Ok(Ok("taken"))
    }
}

fn read(item: &Value, latest: kernel::Time) -> Result<Rated, Refused> {
    let item = RatingItem::deserialize(item).map_err(|_| Refused::at("data", Why::Unreadable))?;
    told::rating(&item, latest)
}
