//! The job that sees to opinions that are waited for: one whose time is over is told, once, to who leads the asked
//! unit, by the part of their list that says so and by a fact with the case; one that was asked of a unit which has
//! ended goes to who took over. Each in a write of its own; run twice, it changes nothing the second time.

use kernel::{Actor, Fact, OrgCode, Problem};

use super::end;
use super::store::{self as list, Open};
use crate::consult::Why;
use crate::desk::step::save;
use crate::merger::{Where, belongs};
use crate::state::Cases;
use crate::store::{self as rows, subject};

/// What a run did, count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// Opinions whose lateness was told.
    pub told: u64,
    /// Opinions that another unit is asked for now.
    pub moved: u64,
    /// Opinions that nobody can give any more.
    pub ended: u64,
}

/// What became of one opinion.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Became {
    Nothing,
    Moved,
    Ended,
}

impl Cases {
    /// Sees to the opinions that are waited for.
    ///
    /// # Errors
    /// The store's own problems; what was done before stays done.
    pub async fn tend_consults(&self) -> Result<Tended, Problem> {
        let (mut done, now, today) = (Tended::default(), self.store.world().now(), self.today());
        let limit = self.store.limits().batch_records_max.max(1);
        let mut after = None;
        loop {
            let reader = self.store.read(&self.tenant).await?;
            let page = list::open(&reader, after.as_ref(), limit).await?;
            drop(reader);
            for open in &page {
                if self.organisations.get(&open.unit, today).is_none() {
                    match self.ask_the_heir(open).await? {
                        Became::Nothing => {}
                        Became::Moved => done.moved += 1,
                        Became::Ended => done.ended += 1,
                    }
                } else if open.due < now && !open.is_told && self.tell_late(open).await? {
                    done.told += 1;
                }
            }
            match page.last() {
                Some(last) if page.len() == limit => {
                    after = Some((last.due, last.code.clone(), last.number));
                }
                _ => break,
            }
        }
        if done != Tended::default() {
            tracing::info!(
                told = done.told,
                moved = done.moved,
                ended = done.ended,
                "opinions that are waited for"
            );
        }
        Ok(done)
    }

    async fn tell_late(&self, open: &Open) -> Result<bool, Problem> {
        let Open {
            code, number, unit, ..
        } = open;
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                if !list::note_told(&tx, code, *number).await? {
                    return Ok(false);
                }
                let fact = Fact::CaseConsultLate {
                    case: code.clone(),
                    consult: *number,
                    unit: unit.clone(),
                };
                tx.fact(&subject(code), fact).await?;
                Ok(true)
            })
            .await
    }

    /// Asks who took over from a unit that has ended; where that is nobody here, or the unit that asks, no answer is
    /// waited for any more.
    async fn ask_the_heir(&self, open: &Open) -> Result<Became, Problem> {
        let Open {
            code, number, unit, ..
        } = open;
        self.store
            .write(&self.tenant, &Actor::Platform, |tx| async move {
                let Some(held) = rows::case(&tx, code).await? else {
                    return Ok(Became::Nothing);
                };
                let mut case = held.case;
                let Some(asked) = case.consult(*number).filter(|one| one.is_open()) else {
                    return Ok(Became::Nothing);
                };
                let (from, today) = (asked.at.date(), tx.now().date());
                let (to, _) = belongs(&self.areas, &self.organisations, unit, from, today);
                let heir = match to {
                    Where::Stays => return Ok(Became::Nothing),
                    Where::Goes(heir) => Some(heir).filter(|heir| self.answers_here(heir, &case.unit)),
                    Where::Waits { .. } => None,
                };
                let procedure = self.procedure_of(&case)?;
                case.revision += 1;
                let Some(heir) = heir else {
                    end(&tx, &mut case, *number, (Why::UnitGone, "")).await?;
                    save(&tx, &case, &procedure).await?;
                    return Ok(Became::Ended);
                };
                if let Some(one) = case.course.consults.iter_mut().find(|one| one.number == *number) {
                    one.unit = heir.clone();
                }
                save(&tx, &case, &procedure).await?;
                list::change_unit(&tx, code, *number, &heir).await?;
                obligations::transfer(&tx, code.as_str(), unit, &heir).await?;
                let fact = Fact::CaseConsultMoved {
                    case: code.clone(),
                    consult: *number,
                    from: unit.clone(),
                    to: heir,
                };
                tx.fact(&subject(code), fact).await?;
                Ok(Became::Moved)
            })
            .await
    }

    /// True for a unit of this place that is not the one that asks.
    fn answers_here(&self, unit: &OrgCode, asks: &OrgCode) -> bool {
        self.tenant.holds(unit) && unit != asks
    }
}
