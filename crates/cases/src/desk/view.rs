//! What an official is told about a case, and how its pages answer a verb. Every look at a case
//! leaves a fact. Never shows a decision before its result is there.

use axum::response::{IntoResponse, Redirect, Response};
use kernel::{CaseCode, Fact, Kind, Problem, Time};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Page, Principal, Refusal};

use crate::case::Case;
use crate::citizen::shape::RepresentativeJson;
use crate::desk::official::AtCase;
use crate::desk::page::now::Now;
pub(crate) use crate::desk::shape::CaseView;
use crate::follow_ups;
use crate::post::part::PostView;
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;
use crate::store::{self as rows, Held, subject};

/// The revision of a case that an official has seen.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    /// The revision.
    pub(crate) revision: i64,
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
        let step = self.step_of(&reader, &held).await?;
        let case = &held.case;
        let calendar = self.calendars.of(&case.unit);
        let now = Now {
            case,
            procedure: &procedure,
            who,
            calendar: &calendar,
            at: self.store.world().now(),
        };
        let decided = case.decided.as_ref().filter(|_| is_decided(case, &procedure));
        Ok(CaseView {
            code: case.code.to_string(),
            procedure: case.procedure.to_string(),
            unit: case.unit.to_string(),
            state: case.state.clone(),
            status: held.status,
            revision: case.revision,
            verbs: now.verbs(),
            not_now: now.not_now().into_iter().map(Into::into).collect(),
            filed_at: case.filed_at.rfc3339(),
            representative: RepresentativeJson::of(case),
            accepted: case.accepted.as_ref().map(Into::into),
            step_due_at: step.and_then(|step| step.due).map(Time::rfc3339),
            proposal: case.proposal.as_ref().map(Into::into),
            act: case.act.as_ref().map(Into::into),
            decided: decided.map(Into::into),
            document: decided.map(|d| d.document.clone()).filter(|id| !id.is_empty()),
            returned_at: case.returned_at.map(Time::rfc3339),
            post: case
                .course
                .post
                .as_ref()
                .map(|by_post| PostView::new(self, by_post)),
            statuses: statuses.iter().map(Into::into).collect(),
            charges: case.course.charges.iter().map(Into::into).collect(),
            follow_ups: follow_ups::part::views(self, case, &follow_ups::at_desk(&procedure, case)),
            checks: crate::desk::checks::part::views(&reader, case).await?,
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
    let left = [Verb::Sign, Verb::Seal];
    case.decided.is_some()
        && left
            .iter()
            .all(|verb| procedure.verb_from(*verb, &case.state).is_none())
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
    Redirect::to(&format!("/desk/cases/{code}")).into_response()
}

impl AtCase {
    /// The case as JSON, after what was done with it.
    ///
    /// # Errors
    /// As [`Cases::seen`].
    pub(crate) async fn view(&self) -> Result<Json<CaseView>, Refusal> {
        Ok(Json(self.cases.case_view(&self.who, &self.code).await?))
    }

    /// Back to the case's page.
    pub(crate) fn back(&self) -> Response {
        back(&self.code)
    }

    /// Back to the case's page; with what was typed and what is wrong with it when it is.
    ///
    /// # Errors
    /// Every problem that no field of the form is at fault for.
    pub(crate) async fn back_or_faults(
        &self,
        page: &Page,
        done: Result<(), Problem>,
        fields: &Fields,
    ) -> Result<Response, Refusal> {
        match done {
            Ok(()) => Ok(self.back()),
            Err(problem) if problem.kind == Kind::Invalid => {
                crate::desk::page::with_faults(self, page, &[problem], fields).await
            }
            Err(problem) => Err(problem.into()),
        }
    }
}
