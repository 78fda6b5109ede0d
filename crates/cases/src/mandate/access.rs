//! Who may see a case that was filed for somebody, and act in it: the represented person always, the representative as long
//! as the mandate is in force. Never asks a register: what it says is asked at filing.

use ::store::Tx;
use kernel::{Actor, CaseCode, Date, Fact, Kind, Problem, Time};

use super::store;
use crate::case::Case;
use crate::citizen::Citizen;
use crate::procedure::Whom;
use crate::state::Cases;
use crate::store::{Held, Rows, subject};

/// True when a case is a citizen's: their own, one that was filed for them, or one that they may act in now.
///
/// # Errors
/// Unavailable.
pub(crate) async fn is_theirs(rows: &impl Rows, citizen: &Citizen, case: &Case) -> Result<bool, Problem> {
    let Some(by) = &case.course.representative else {
        return Ok(case.applicant.account == citizen.who.account);
    };
    if by.whom != Whom::Company && by.represented == citizen.number.as_str() {
        return Ok(true);
    }
    acts(rows, &citizen.who.account, case, citizen.today).await
}

/// True when an account may act in a case for its applicant on a day: it filed the case, or the applicant is a company, and
/// one of its mandates is in force and covers the procedure.
///
/// # Errors
/// Unavailable.
pub(crate) async fn acts(rows: &impl Rows, account: &str, case: &Case, on: Date) -> Result<bool, Problem> {
    let Some(by) = &case.course.representative else {
        return Ok(false);
    };
    if by.account != account && by.whom != Whom::Company {
        return Ok(false);
    }
    let open = store::open_for(rows, account, (by.whom, &by.represented), on).await?;
    Ok(open
        .iter()
        .any(|mandate| mandate.is_in_force(on) && mandate.covers(&case.procedure)))
}

/// Holds who writes about a case against the mandate in the write itself: it may have ended since the page was asked for.
///
/// # Errors
/// `mandate-over` (409) for a representative whose mandate is not in force any more; unavailable.
pub(crate) async fn still_acts(tx: &Tx, case: &Case) -> Result<(), Problem> {
    let (Some(by), Actor::Citizen(account)) = (&case.course.representative, tx.actor()) else {
        return Ok(());
    };
    let represents = *account == by.account || by.whom == Whom::Company;
    if represents && !acts(tx, account, case, tx.now().date()).await? {
        return Err(Problem::new(Kind::Conflict, "mandate-over"));
    }
    Ok(())
}

/// Leaves the trace that a representative looked at the case of somebody else.
///
/// # Errors
/// Unavailable.
pub(crate) async fn looked(cases: &Cases, citizen: &Citizen, case: &Case) -> Result<(), Problem> {
    let Some(by) = &case.course.representative else {
        return Ok(());
    };
    if by.whom != Whom::Company && by.represented == citizen.number.as_str() {
        return Ok(());
    }
    let code = &case.code;
    cases
        .store
        .write(&cases.tenant, &citizen.who.actor, |tx| async move {
            let fact = Fact::CaseViewed { case: code.clone() };
            tx.fact(&subject(code), fact).await.map(drop)
        })
        .await
}

/// The cases that were filed for a citizen by others, and those that they may act in for others, before a place; each part
/// newest first.
///
/// # Errors
/// Unavailable.
pub(crate) async fn theirs(
    rows: &impl Rows,
    citizen: &Citizen,
    after: Option<&(Time, CaseCode)>,
    limit: usize,
) -> Result<Vec<Held>, Problem> {
    let (account, place) = (citizen.who.account.as_str(), store::place(after));
    let mut all = store::cases_for(rows, (citizen.number.as_str(), account), place, limit).await?;
    all.extend(store::cases_by(rows, (account, citizen.today), place, limit).await?);
    Ok(all)
}
