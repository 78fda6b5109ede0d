//! One verb on one case: open it, change it, save it with the line that tells the portal. Never
//! decides who may do what: the case and its procedure do.

use std::sync::Arc;

use ::store::Tx;
use kernel::{CaseCode, Kind, Problem};
use web::Principal;

use crate::case::Case;
use crate::notice::Notice;
use crate::procedure::{Procedure, Transition, Verb};
use crate::state::Cases;
use crate::store::{self as rows, ResultRow, StatusRow};

/// The national status of a case that has its result: `Đã xử lý xong`.
pub(crate) const DECIDED: u8 = 9;

impl Cases {
    /// A case and its procedure, opened by an official for a verb that is theirs in some state.
    ///
    /// # Errors
    /// As [`Cases::seen`]; `case-own` for a case of the official's own; `role-missing` (403).
    pub(crate) async fn opened(
        &self,
        rows: &impl rows::Rows,
        who: &Principal,
        code: &CaseCode,
        verb: Verb,
    ) -> Result<(Case, Arc<Procedure>), Problem> {
        let case = self.seen(rows, who, code).await?.case;
        case.not_own(who.subject.as_ref())?;
        let procedure = self.procedure_of(&case)?;
        let holders = procedure.holders(verb);
        if !holders.is_empty() {
            who.require_any(&holders)?;
        }
        Ok((case, procedure))
    }

    /// A case and its procedure, opened by a job of the platform.
    ///
    /// # Errors
    /// Internal when there is no such case: a line of the outbox is written with its case.
    pub(crate) async fn opened_by_platform(
        &self,
        rows: &impl rows::Rows,
        code: &CaseCode,
    ) -> Result<(Case, Arc<Procedure>), Problem> {
        let held = rows::case(rows, code).await?.ok_or_else(|| {
            Problem::internal(format_args!("a line names the case {code}, which is not there"))
        })?;
        let procedure = self.procedure_of(&held.case)?;
        Ok((held.case, procedure))
    }
}

/// The official's page is the newest and the verb is theirs now.
///
/// # Errors
/// `stale` (409), `case-being-signed` (409), `case-verb-not-now` (409).
pub(crate) fn may<'p>(
    case: &Case,
    procedure: &'p Procedure,
    verb: Verb,
    who: &Principal,
    revision: i64,
) -> Result<&'p Transition, Problem> {
    case.seen(revision)?;
    if case.in_the_making(procedure) {
        return Err(Problem::new(Kind::Conflict, "case-being-signed"));
    }
    case.transition(procedure, verb, &who.roles)
}

/// Saves a changed case; a changed national status goes to the portal in the same write.
///
/// # Errors
/// `stale` when somebody else has changed the case meanwhile.
pub(crate) async fn save(tx: &Tx, case: &Case, procedure: &Procedure) -> Result<(), Problem> {
    save_telling(tx, case, procedure, None, Vec::new()).await
}

/// Saves a changed case and tells the portal: a changed national status, a notice to the applicant,
/// documents that go along.
///
/// # Errors
/// As [`save`].
pub(crate) async fn save_telling(
    tx: &Tx,
    case: &Case,
    procedure: &Procedure,
    notice: Option<Notice>,
    documents: Vec<ResultRow>,
) -> Result<(), Problem> {
    let held = rows::case(tx, &case.code).await?;
    let state_before = held.as_ref().map(|held| held.case.state.clone());
    let (before, due_before) = held.map_or((0, None), |held| (held.status, held.due_at));
    let status = case.status(procedure);
    rows::save_case(tx, case, status).await?;
    crate::post::store::follow(tx, case, status).await?;
    crate::desk::steps::turned(tx, case, procedure, state_before.as_deref()).await?;
    if status == DECIDED && before != DECIDED {
        crate::desk::follow_up::enqueue(tx, case, procedure).await?;
    }
    let due = case.accepted.as_ref().map(|a| a.due);
    if status != before || due != due_before {
        crate::desk::escalation::settle(tx, case, status).await?;
    }
    if status == before && due == due_before && notice.is_none() && documents.is_empty() {
        return Ok(());
    }
    let row = StatusRow {
        seq: rows::last_status(tx, &case.code).await? + 1,
        status,
        at: tx.now(),
        // Whether a result was on time is judged by the end of its term, here as at the portal.
        due: if status >= DECIDED { case.owed_by() } else { due },
        notice,
    };
    rows::insert_status(tx, &case.code, &row).await?;
    for document in documents {
        let document = ResultRow {
            with_seq: row.seq,
            ..document
        };
        rows::insert_result(tx, &case.code, &document).await?;
    }
    crate::sync::enqueue(tx, &case.code, row.seq).await
}
