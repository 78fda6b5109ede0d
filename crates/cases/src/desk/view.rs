//! What an official is told about a case: as JSON, and how pages answer a verb. Every look at a case
//! leaves a fact. Never shows a decision before its result is there.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{CaseCode, Fact, Kind, OrgCode, Problem, ProcedureCode, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Page, Principal, Refusal};

use crate::case::Case;
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;
use crate::store::{self as rows, Held, StatusRow, subject};

/// The revision of a case that an official has seen.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    /// The revision.
    pub(crate) revision: i64,
}

/// A case as its desk sees it. Instants are milliseconds since 1970 UTC.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseView {
    /// Its code.
    #[schema(value_type = String)]
    pub(crate) code: CaseCode,
    /// Its procedure.
    #[schema(value_type = String)]
    procedure: ProcedureCode,
    /// The unit that decides it.
    #[schema(value_type = String)]
    unit: OrgCode,
    /// Its state in the procedure.
    pub(crate) state: String,
    /// Its national status, 1 to 10.
    status: u8,
    /// To be sent with the next verb.
    pub(crate) revision: i64,
    /// What the reader may do now.
    #[schema(value_type = Vec<String>)]
    verbs: Vec<Verb>,
    /// When it was filed.
    #[schema(value_type = i64)]
    filed_at: Time,
    /// Acceptance: `at`, `due`, `working_out`.
    #[schema(value_type = Object)]
    accepted: Value,
    /// The proposal: `outcome`, `note`, `at`, `sent_back`.
    #[schema(value_type = Object)]
    proposal: Value,
    /// The entered act: `act_number`, `personal_number`, `at`.
    #[schema(value_type = Object)]
    act: Value,
    /// The decision: `outcome`, `at`, `by`, `document`.
    #[schema(value_type = Object)]
    decided: Value,
    /// The result document's id.
    document: Option<String>,
    /// When the result was given.
    #[schema(value_type = Option<i64>)]
    returned_at: Option<Time>,
    /// The changes of its national status.
    statuses: Vec<StatusView>,
}

/// A change of a case's national status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusView {
    /// 0 for the filing, then the owner's changes.
    seq: u32,
    /// 1 to 10.
    status: u8,
    /// When.
    #[schema(value_type = i64)]
    at: Time,
    /// By when the result was owed then.
    #[schema(value_type = Option<i64>)]
    due: Option<Time>,
}

impl From<&StatusRow> for StatusView {
    fn from(row: &StatusRow) -> Self {
        Self {
            seq: row.seq,
            status: row.status,
            at: row.at,
            due: row.due,
        }
    }
}

impl Cases {
    /// A case as JSON for an official who may see it, and the fact that they looked.
    ///
    /// # Errors
    /// As [`Cases::seen`].
    pub(crate) async fn case_view(&self, who: &Principal, code: &CaseCode) -> Result<CaseView, Problem> {
        let (held, procedure) = self.looked(who, code).await?;
        let reader = self.store.read(&self.tenant).await?;
        let statuses = rows::statuses(&reader, code).await?;
        let json = |part| serde_json::to_value(part).map_err(Problem::internal);
        let verbs = verbs(&held.case, &procedure, who);
        let Held { case, status, .. } = held;
        let decided = case.decided.as_ref().filter(|_| is_decided(&case, &procedure));
        Ok(CaseView {
            verbs,
            status,
            accepted: serde_json::to_value(&case.accepted).map_err(Problem::internal)?,
            proposal: serde_json::to_value(&case.proposal).map_err(Problem::internal)?,
            act: serde_json::to_value(&case.act).map_err(Problem::internal)?,
            decided: json(decided)?,
            document: decided.map(|d| d.document.clone()),
            returned_at: case.returned_at,
            statuses: statuses.iter().map(StatusView::from).collect(),
            revision: case.revision,
            filed_at: case.filed_at,
            procedure: case.procedure,
            unit: case.unit,
            state: case.state,
            code: case.code,
        })
    }

    /// A case that an official looks at: reading it leaves a fact.
    ///
    /// # Errors
    /// As [`Cases::seen`].
    pub(crate) async fn looked(
        &self,
        who: &Principal,
        code: &CaseCode,
    ) -> Result<(Held, std::sync::Arc<Procedure>), Problem> {
        let held = self
            .store
            .write(&self.tenant, &who.actor, |tx| async move {
                let held = self.seen(&tx, who, code).await?;
                tx.fact(&subject(code), Fact::CaseViewed { case: code.clone() })
                    .await?;
                Ok(held)
            })
            .await?;
        let procedure = self.procedure_of(&held.case)?;
        Ok((held, procedure))
    }
}

/// True once the decision has its result.
pub(crate) fn is_decided(case: &Case, procedure: &Procedure) -> bool {
    case.decided.is_some() && procedure.verb_from(Verb::Sign, &case.state).is_none()
}

/// What the official may do with the case now.
pub(crate) fn verbs(case: &Case, procedure: &Procedure, who: &Principal) -> Vec<Verb> {
    let waits = case.decided.is_some() && !is_decided(case, procedure);
    if waits || case.not_own(who.subject.as_ref()).is_err() {
        return Vec::new();
    }
    case.verbs(procedure, &who.roles)
}

/// The revision a form was made from.
///
/// # Errors
/// `field-missing` (422); `malformed` (400).
pub(crate) fn revision(fields: &Fields) -> Result<i64, Problem> {
    fields
        .need("revision")?
        .parse()
        .map_err(|_| Problem::new(Kind::Malformed, "malformed").at("revision"))
}

/// Back to the case's page, which then shows what became of it.
pub(crate) fn back(code: &CaseCode) -> Response {
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, format!("/desk/cases/{code}"))],
    )
        .into_response()
}

/// Back to the case's page; with what was typed and what is wrong with it when it is.
///
/// # Errors
/// Every problem that no field of the form is at fault for.
pub(crate) async fn back_or_faults(
    cases: &Cases,
    who: &Principal,
    page: &Page,
    code: &CaseCode,
    done: Result<(), Problem>,
    fields: &Fields,
) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(back(code)),
        Err(problem) if problem.kind == Kind::Invalid => {
            crate::desk::page::with_faults(cases, who, page, code, &[problem], fields).await
        }
        Err(problem) => Err(problem.into()),
    }
}
