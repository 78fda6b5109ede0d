//! Service `restate-case`: the owner of a case says, after a comparison, where it stands; the portal shows that from then on.
//! A right of its own: the word is not held against the moves of statuses. Never takes it from anybody but the owner.

use async_trait::async_trait;
use exchange::{Answer, Call, Service, ServiceId};
use kernel::{Actor, CaseCode, Fact, Kind, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};

use super::store as list;
use crate::citizen::course::ENDED;
use crate::merger::store as moves;
use crate::portal::note_status::{Noted, StatusNote};
use crate::state::Cases;
use crate::store::{self as rows, StatusRow, subject};

/// What the service is called.
pub(crate) const SERVICE: &str = "restate-case";

/// The body of `restate-case`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restatement {
    /// The case.
    pub code: CaseCode,
    /// The number of this word among its changes: above all that the portal has.
    pub seq: u32,
    /// The status in which it is.
    pub status: u8,
    /// When this was said.
    pub at: Time,
    /// By when its result is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// The unit that handles it.
    pub unit: OrgCode,
}

/// The service.
#[derive(Clone, Debug)]
pub struct RestateCase(pub Cases);

#[async_trait]
impl Service for RestateCase {
    fn id(&self) -> ServiceId {
        let system = &self.0.system;
        ServiceId {
            org: system.org.clone(),
            system: system.system.clone(),
            service: SERVICE.to_owned(),
        }
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let said: Restatement = call.json()?;
        let cases = &self.0;
        // Whose the case is is checked before anything else is told about it.
        let reader = cases.store.read(&cases.tenant).await?;
        let held = rows::case(&reader, &said.code).await?;
        drop(reader);
        cases.owned(held, &call.consumer.org)?;
        if !(1..=10).contains(&said.status) || said.seq == 0 {
            return Err(Problem::invalid("status", "case-status-unknown").with("status", said.status));
        }
        let known = cases.organisations.get(&said.unit, cases.today()).is_some();
        if !known || said.unit.top() != call.consumer.org.top() {
            return Err(Problem::invalid("unit", "case-unit-unknown"));
        }
        let (said, owner) = (&said, &call.consumer.org);
        let actor = Actor::System(call.consumer.to_string());
        let noted = cases
            .store
            .write(&cases.tenant, &actor, |tx| async move {
                take(cases, &tx, said, owner).await
            })
            .await?;
        Answer::json(&Noted { noted })
    }
}

/// Takes the word once; its number is above all that were noted.
async fn take(cases: &Cases, tx: &::store::Tx, said: &Restatement, owner: &OrgCode) -> Result<u32, Problem> {
    let code = &said.code;
    let held = cases.owned(rows::case(tx, code).await?, owner)?;
    if list::is_restated(tx, code, said.seq).await? {
        return Ok(said.seq);
    }
    let last = rows::last_status(tx, code).await?;
    if said.seq <= last {
        return Err(Problem::new(Kind::Conflict, "case-restated-late")
            .with("last", last)
            .with("seq", said.seq));
    }
    let row = StatusRow {
        seq: said.seq,
        status: said.status,
        at: said.at,
        due: said.due,
        notice: None,
    };
    rows::insert_status(tx, code, &row).await?;
    list::insert_restated(tx, code, said.seq, said.at).await?;
    let ended = ENDED
        .contains(&said.status)
        .then(|| held.ended_at.unwrap_or(said.at));
    list::set_shown(tx, code, said.status, said.due, ended).await?;
    crate::citizen::charge::heard(tx, &held, (said.status, None)).await?;
    if held.case.unit != said.unit {
        let from = held.case.unit.clone();
        moves::note_unit(tx, code, &said.unit).await?;
        moves::insert_move(tx, code, said.seq, &from, &said.unit, (said.at, "owner")).await?;
        let moved = Fact::CaseMoved {
            case: code.clone(),
            from,
            to: said.unit.clone(),
        };
        tx.fact(&subject(code), moved).await?;
    }
    let noted = Fact::CaseStatusNoted {
        case: code.clone(),
        owner: owner.clone(),
        seq: said.seq,
        status: said.status,
        at: said.at,
        due: said.due,
        repeated: held.status == said.status,
        worked: None,
    };
    tx.fact(&subject(code), noted).await?;
    if held.status != said.status {
        // The applicant hears of it as of any other change.
        crate::inbox::heard(tx, &as_note(said), Some(held.status)).await?;
    }
    Ok(said.seq)
}

fn as_note(said: &Restatement) -> StatusNote {
    StatusNote {
        code: said.code.clone(),
        seq: said.seq,
        status: said.status,
        at: said.at,
        due: said.due,
        working_out: None,
        notice: None,
        worked: None,
        case: None,
        results: Vec::new(),
    }
}
