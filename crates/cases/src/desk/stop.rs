//! `stop`: an officer stops handling a case without a result (dừng giải quyết hồ sơ): what it waited for did not come,
//! or nobody can go on. A notice says why, nothing is owed any more, and the case ends. Never instead of a refusal:
//! the procedure says from which states a case is stopped.

use axum::response::Response;
use kernel::{CaseCode, Fact, Problem};
use serde::Deserialize;
use web::openapi::{ToSchema, utoipa};
use web::{Fields, Json, Principal, Refusal};

use crate::case::Case;
use crate::consult::Why;
use crate::course::Stopped;
use crate::desk::consult::end_open;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save_telling};
use crate::desk::view::{self, CaseView};
use crate::notice::Notice;
use crate::procedure::Verb;
use crate::state::Cases;
use crate::store::subject;
use crate::words::words;

/// That a case is stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stopping {
    /// The revision of the case the officer has seen.
    revision: i64,
    /// Why, in words the applicant understands.
    why: String,
}

/// Stops a case from its page.
#[utoipa::path(post, path = "/desk/cases/{code}/stop", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-stopped", "obligation-lifted", "document-issued"]))))]
pub(crate) async fn by_form(at: AtCase, page: web::Page, fields: Fields) -> Result<Response, Refusal> {
    at.who.require("officer")?;
    let told = Stopping {
        revision: view::revision(&fields)?,
        why: fields.lines("why").unwrap_or_default(),
    };
    let done = at.cases.stop(&at.who, &at.code, &told).await;
    at.back_or_faults(&page, done, &fields).await
}

/// Stops a case.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/stop", tag = "desk", security(("session" = ["officer"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Stopping,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409), (status = 422)),
    extensions(("x-facts" = json!(["case-stopped", "obligation-lifted", "document-issued"]))))]
pub(crate) async fn by_json(at: AtCase, Json(told): Json<Stopping>) -> Result<Json<CaseView>, Refusal> {
    at.who.require("officer")?;
    at.cases.stop(&at.who, &at.code, &told).await?;
    at.view().await
}

impl Cases {
    /// Stops a case. Pressed twice, it is stopped once.
    async fn stop(&self, who: &Principal, code: &CaseCode, told: &Stopping) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Stop).await?;
                if is_done(&case, who, told.revision) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::Stop, who, told.revision)?;
                case.may_stop(tx.now())?;
                let reason = words("why", &told.why, true)?;
                let mut case = case.moved(step);
                let notice = format!("stopped-{code}");
                case.course.stopped = Some(Stopped {
                    reason: reason.clone(),
                    by: who.account.clone(),
                    at: tx.now(),
                    notice: notice.clone(),
                });
                case.course.end_charge(tx.now());
                let said = Notice::Stopped { reason };
                end_open(&tx, &mut case, Why::Stopped).await?;
                save_telling(&tx, &case, &procedure, Some(said), Vec::new()).await?;
                // Before acceptance nothing was owed.
                if case.accepted.is_some() {
                    obligations::lift(&tx, &subject(code), "stopped").await?;
                }
                let fact = Fact::CaseStopped {
                    case: code.clone(),
                    notice,
                };
                tx.fact(&subject(code), fact).await.map(drop)
            })
            .await?;
        self.slips_now(code).await;
        Ok(())
    }
}

/// The second click of the one who has just stopped it.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    let stopped = case.course.stopped.as_ref();
    stopped.is_some_and(|stopped| stopped.by == who.account) && revision < case.revision
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use crate::Catalogue;
    use crate::desk::testing::{CASE, Desk, handover, pack_templates};
    use crate::procedure::{Procedure, Verb};
    use crate::testing::birth;

    /// The birth registration of a pack that lets an officer stop a case.
    fn with_stop() -> Arc<Catalogue> {
        let mut procedure = Procedure::clone(&birth());
        let mut stopped = procedure.states.get("withdrawn").cloned().expect("a state");
        stopped.status = 8;
        procedure.states.insert("stopped".to_owned(), stopped);
        for from in ["accepted", "supplement"] {
            let mut steps = procedure.transitions.iter();
            let withdraw = steps.find(|step| step.verb == Verb::Withdraw && step.from == from);
            let mut step = withdraw.cloned().expect("a step");
            step.verb = Verb::Stop;
            "stopped".clone_into(&mut step.to);
            "officer".clone_into(&mut step.role);
            procedure.transitions.push(step);
        }
        Arc::new(Catalogue::of(Vec::new(), vec![procedure], Vec::new()).expect("days"))
    }

    /// An accepted case of such a pack.
    async fn accepted() -> Desk {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        let desk = desk.with_catalogue(with_stop());
        let today = desk.cases.procedure_today(&birth().code).expect("in force");
        let mut body = handover();
        body["version"] = json!(today.version());
        desk.receive(&body).await.expect("received");
        desk.accept().await;
        desk
    }

    #[tokio::test]
    async fn a_case_that_is_stopped_ends_with_a_notice_and_nothing_is_owed() {
        let desk = accepted().await;
        let why = json!({"why": "Người nộp không thực hiện nghĩa vụ tài chính trong thời hạn"});
        let answer = desk.verb("tich", "stop", why.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["status"], 8);
        assert_eq!(desk.state().await, "stopped");
        assert_eq!(
            desk.facts_of(&format!("obligation/case/{CASE}")).await,
            ["obligation-opened", "obligation-lifted"]
        );
        assert!(desk.deliver().await.is_empty());
        let told = desk.nation.asked_of("note-status").pop().expect("told");
        assert_eq!(
            (
                &told["status"],
                &told["notice"]["reason"],
                &told["results"][0]["document"]
            ),
            (&json!(8), &why["why"], &json!(format!("stopped-{CASE}")))
        );
        assert_eq!(
            desk.verb_at("tich", "stop", 1, why.clone()).await.status,
            200,
            "a second click"
        );
        let again = desk.verb("tich", "stop", why).await;
        assert_eq!(
            again.problem(),
            "case-verb-not-now",
            "a new page offers it no more"
        );
        let facts = desk.facts().await;
        assert_eq!(facts.iter().filter(|fact| *fact == "case-stopped").count(), 1);
        let page = desk.get("tich", &format!("/desk/cases/{CASE}")).await.body;
        assert!(page.contains(&format!("/documents/stopped-{CASE}")), "{page}");
    }

    #[tokio::test]
    async fn only_an_officer_stops_only_where_the_procedure_says_so_and_says_why() {
        let desk = accepted().await;
        for (who, status) in [("tiep", 403), ("chu", 403), ("ban", 404), ("xa", 404)] {
            let answer = desk.verb(who, "stop", json!({"why": "x"})).await;
            assert_eq!(answer.status, status, "{who}");
        }
        let path = format!("/desk/cases/{CASE}/stop");
        let revision = desk.revision().await.to_string();
        let page = desk
            .form("tich", &path, &[("revision", &revision), ("why", " ")])
            .await;
        assert!(
            page.status == 422 && page.body.contains("href=\"#why\""),
            "{}",
            page.body
        );
        let usual = Desk::new().await;
        usual.accept().await;
        let answer = usual.verb("tich", "stop", json!({"why": "x"})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (409, "case-verb-not-now"),
            "this procedure has no such step"
        );
    }
}
