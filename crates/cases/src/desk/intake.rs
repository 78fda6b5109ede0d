//! A case handed in at a desk, on paper or by post: typed in by the receptionist, its papers scanned or kept as
//! they are, taken in and receipted in one step. The same form, the same rules as at the portal; the portal is
//! told of the case with its first status. Never asks a second time for what the form has refused.
//!
//! | read | for |
//! |---|---|
//! | [`asked`] | what is typed or sent, and everything that is wrong with it |
//! | [`take`] | the verb |
//! | [`page`] | the list of procedures and the form |
//! | [`api`] | the same for programs |
//! | [`supplement`] | what was asked for, brought to the desk |

pub mod api;
pub mod asked;
pub mod page;
pub mod supplement;
pub mod take;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::fact::Channel;
use kernel::{Problem, ProcedureCode};
use web::openapi::{OpenApiRouter, routes};
use web::{Principal, SignedIn};

use crate::procedure::{Procedure, Verb};
use crate::state::Cases;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(page::choose))
        .routes(routes!(page::form, page::take))
        .routes(routes!(api::take))
        .routes(routes!(supplement::by_form))
}

impl Cases {
    /// A procedure that somebody may take in at this desk today.
    ///
    /// # Errors
    /// 404 where it cannot be handed in here, 403 `role-missing` for who takes nothing in.
    pub(crate) fn taken_here(&self, who: &Principal, code: &str) -> Result<Arc<Procedure>, Problem> {
        self.official(who)?;
        let code: ProcedureCode = code.parse().map_err(|_| Problem::not_found())?;
        let procedure = self.procedure_today(&code)?;
        if !at_desks(&procedure) {
            return Err(Problem::not_found());
        }
        who.require_any(&procedure.holders(Verb::Accept))?;
        Ok(procedure)
    }

    /// The procedures that somebody may take in here today, by their code.
    pub(crate) fn all_taken_here(&self, who: &Principal) -> Vec<Arc<Procedure>> {
        let mut all: Vec<_> = self
            .all_versions()
            .into_iter()
            .filter_map(|procedure| self.procedure_today(&procedure.code).ok())
            .filter(|procedure| at_desks(procedure))
            .filter(|procedure| who.require_any(&procedure.holders(Verb::Accept)).is_ok())
            .collect();
        all.sort_by(|a, b| a.code.cmp(&b.code));
        all.dedup_by(|a, b| a.code == b.code);
        all
    }
}

/// True for what has a term for those who come to a desk.
fn at_desks(procedure: &Procedure) -> bool {
    procedure.term(Channel::Counter).is_some()
}

/// True for who takes something in at this desk: the worklist shows them the way.
pub(crate) fn takes_in(cases: &Cases, who: &Principal) -> bool {
    !cases.all_taken_here(who).is_empty()
}

/// Refuses who works at no desk here.
fn official(cases: &Cases, SignedIn(who): SignedIn) -> Result<Principal, Problem> {
    cases.official(&who)?;
    Ok(who)
}
