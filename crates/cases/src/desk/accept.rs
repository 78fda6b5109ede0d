//! `accept`: the receptionist takes a case in; the clock starts, the result is owed from here on,
//! and the applicant gets a receipt with the appointment. Never looks at whether the answer will be
//! yes.

use ::store::Tx;
use axum::response::Response;
use kernel::{CaseCode, Fact, Problem};
use obligations::Obligation;
use web::openapi::utoipa;
use web::{Fields, Json, Principal, Refusal};

use crate::case::{Accepted, Case};
use crate::clock::fold::Event;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView, Seen};
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;
use crate::store::subject;

/// Accepts a case from its page.
#[utoipa::path(post, path = "/desk/cases/{code}/accept", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-accepted", "obligation-opened", "document-issued"]))))]
pub(crate) async fn by_form(at: AtCase, fields: Fields) -> Result<Response, Refusal> {
    at.cases
        .accept(&at.who, &at.code, view::revision(&fields)?)
        .await?;
    Ok(at.back())
}

/// Accepts a case.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/accept", tag = "desk", security(("session" = ["receptionist"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Seen,
    responses((status = 200, description = "the case", body = CaseView), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["case-accepted", "obligation-opened", "document-issued"]))))]
pub(crate) async fn by_json(at: AtCase, Json(seen): Json<Seen>) -> Result<Json<CaseView>, Refusal> {
    at.cases.accept(&at.who, &at.code, seen.revision).await?;
    at.view().await
}

impl Cases {
    /// Accepts a case. Pressed twice, it is accepted once.
    async fn accept(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Accept).await?;
                if is_done(&case, who, revision) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::Accept, who, revision)?;
                self.start_clock(&tx, who, case.moved(step), &procedure).await
            })
            .await?;
        self.receipt_now(code, who).await;
        Ok(())
    }

    /// Makes the receipt. The acceptance stands whatever becomes of its paper: who asks for it gets it made.
    pub(crate) async fn receipt_now(&self, code: &CaseCode, who: &Principal) {
        if let Err(problem) = self.receipt_of(code, &who.actor).await {
            tracing::error!(%problem, case = %code, "the receipt could not be made yet");
        }
    }

    /// The clock of a case that is taken in starts, and its result is owed from here on.
    ///
    /// # Errors
    /// `case-no-term` when the procedure has no term for the channel; the store's own problems.
    pub(crate) async fn start_clock(
        &self,
        tx: &Tx,
        who: &Principal,
        mut case: Case,
        procedure: &Procedure,
    ) -> Result<(), Problem> {
        let code = &case.code.clone();
        case.course.clock = vec![Event::Accepted {
            at: tx.now(),
            unit: case.unit.clone(),
        }];
        let clock = self.reckon(&case, procedure, &case.course.clock)?;
        let (due, working_out) = (clock.due, clock.working_out);
        let term_minutes = working_out.term_minutes;
        case.accepted = Some(Accepted {
            at: tx.now(),
            by: who.account.clone(),
            by_name: who.name.clone(),
            due,
            working_out,
        });
        save(tx, &case, procedure).await?;
        let owed = Obligation {
            id: subject(code),
            kind: "case".to_owned(),
            debtor: case.unit.clone(),
            about: code.to_string(),
            due,
        };
        obligations::open(tx, &owed).await?;
        let fact = Fact::CaseAccepted {
            case: code.clone(),
            due,
            term_minutes,
        };
        tx.fact(&subject(code), fact).await?;
        Ok(())
    }
}

/// The second click of the one who has just accepted it.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    case.accepted.as_ref().is_some_and(|a| a.by == who.account) && revision < case.revision
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::clock;
    use crate::desk::testing::{API, CASE, Desk, MONDAY, UNIT};
    use crate::testing::{birth, nouns};
    use kernel::fact::Channel;

    #[tokio::test]
    async fn acceptance_starts_the_clock_opens_the_obligation_and_gives_a_receipt() {
        let desk = Desk::new().await;
        desk.accept().await;
        let case = desk.json().await;
        assert_eq!((&case["state"], &case["status"]), (&json!("accepted"), &json!(2)));
        let calendar = nouns().calendars.of(&UNIT.parse().expect("a code"));
        let procedure = birth();
        let counted = clock::due(procedure.term(Channel::Online), &calendar, MONDAY).expect("a term");
        assert_eq!(case["accepted"]["due"], counted.due.rfc3339());
        assert_eq!(
            case["accepted"]["working_out"]["lines"],
            serde_json::to_value(&counted.lines).expect("json")
        );
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let owed = obligations::get(&reader, &format!("case/{CASE}"))
            .await
            .expect("owed");
        assert_eq!(
            (owed.obligation.due, owed.obligation.debtor.as_str()),
            (counted.due, UNIT)
        );
        assert_eq!(
            desk.facts_of(&format!("document/receipt-{CASE}")).await,
            ["document-issued"]
        );
        let receipt = desk.get("tiep", &format!("/desk/cases/{CASE}/receipt")).await;
        assert!(
            receipt.status == 200 && receipt.bytes.starts_with(b"%PDF"),
            "{}",
            receipt.body
        );
    }

    #[tokio::test]
    async fn a_double_click_on_accept_gives_one_receipt_and_one_obligation() {
        let desk = Desk::new().await;
        let path = format!("/desk/cases/{CASE}/accept");
        let fields = [("revision", "1")];
        let (one, two) = tokio::join!(
            desk.form("tiep", &path, &fields),
            desk.form("tiep", &path, &fields)
        );
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(desk.facts().await, ["case-received", "case-accepted"]);
        assert_eq!(
            desk.facts_of(&format!("obligation/case/{CASE}")).await,
            ["obligation-opened"]
        );
        assert_eq!(
            desk.facts_of(&format!("document/receipt-{CASE}")).await,
            ["document-issued"]
        );
        assert_eq!(desk.lines("case-status").await.len(), 1);
    }

    #[tokio::test]
    async fn two_receptionists_cannot_both_accept() {
        let desk = Desk::new().await;
        let (one, two) = tokio::join!(
            desk.verb_at("tiep", "accept", 1, json!({})),
            desk.verb_at("tiep-2", "accept", 1, json!({}))
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }

    #[tokio::test]
    async fn chairman_and_officer_cannot_accept() {
        let desk = Desk::new().await;
        for who in ["chu", "tich"] {
            let answer = desk.verb(who, "accept", json!({})).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "role-missing"));
        }
        assert_eq!(desk.facts().await, ["case-received"]);
    }

    #[tokio::test]
    async fn a_case_is_accepted_after_hours_and_counted_from_the_next_opening() {
        let desk = Desk::new().await;
        desk.temp.clock.set(testkit::START);
        desk.accept().await;
        let case = desk.json().await;

        assert_eq!(
            case["accepted"]["due"], "2026-11-23T10:00:00.000Z",
            "a Saturday counts as Monday morning"
        );
    }

    #[tokio::test]
    async fn nobody_without_a_session_gets_to_a_desk() {
        let desk = Desk::new().await;
        assert_eq!(desk.get("", API).await.status, 401);
        assert_eq!(desk.verb("", "accept", json!({})).await.status, 401);
        assert!(desk.get("", "/desk").await.location().starts_with("/sign-in"));
    }
}
