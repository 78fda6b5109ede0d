//! `sign`: the chairman decides, or a deputy for the chairman (KT.). First the decision is written down,
//! so that one wins; then the result is made and signed; then the case goes to the clerk, or is decided
//! and given where the procedure has none. A crash between is finished by the outbox: the result has
//! one id and is made once. Never signs for anybody but the one who decided, and nobody signs what
//! they proposed.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use axum::response::Response;
use documents::Issued;
use kernel::fact::Outcome;
use kernel::{Actor, CaseCode, Fact, Kind, Problem};
use serde_json::json;
use web::openapi::utoipa;
use web::{Fields, Json, Principal, Refusal};

use crate::case::{Capacity, Case, Decided};
use crate::case_of;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save, save_telling};
use crate::desk::view::{self, CaseView, Seen};
use crate::desk::{give, result};
use crate::notice::Notice;
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;
use crate::store::{GivenKind, ResultRow, subject};

/// The outbox topic that finishes what a crash left half-way.
pub const TOPIC: &str = "case-sign";

/// Signs the result from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/sign", tag = "desk", security(("session" = ["chairman", "deputy-chairman"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["document-issued", "case-signed", "case-decided", "obligation-met", "case-returned"]))))]
pub(crate) async fn by_form(at: AtCase, fields: Fields) -> Result<Response, Refusal> {
    at.cases.sign(&at.who, &at.code, view::revision(&fields)?).await?;
    Ok(at.back())
}

/// Signs the result.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/sign", tag = "desk", security(("session" = ["chairman", "deputy-chairman"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Seen,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["document-issued", "case-signed", "case-decided", "obligation-met", "case-returned"]))))]
pub(crate) async fn by_json(at: AtCase, Json(seen): Json<Seen>) -> Result<Json<CaseView>, Refusal> {
    at.cases.sign(&at.who, &at.code, seen.revision).await?;
    at.view().await
}

/// Finishes decisions that a crash left without their result.
#[derive(Debug)]
pub struct Signing(pub(crate) Cases);

#[async_trait]
impl Deliver for Signing {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let code = case_of(line)?;
        // Whoever signs right now is at it: after them there is nothing left to do.
        let _turn = self.0.turn(&code).await;
        self.0.finish_signing(&code).await
    }
}

impl Cases {
    /// Decides a case as its officer proposed. Pressed twice, it is decided once.
    pub(super) async fn sign(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        let _turn = self.turn(code).await;
        self.decide(who, code, revision).await?;
        self.finish_signing(code).await
    }

    /// Writes the decision down: from here on it is this official's, and nobody else's.
    async fn decide(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code, Verb::Sign).await?;
                if is_done(&case, who, revision) {
                    return Ok(());
                }
                let step = may(&case, &procedure, Verb::Sign, who, revision)?;
                case.not_proposed_by(&who.account)?;
                let capacity = Capacity::of(&step.role);
                let outcome = case.proposal.as_ref().map(|p| p.outcome);
                let outcome = outcome.ok_or(Problem::new(Kind::Conflict, "case-no-proposal"))?;
                let mut case = case;
                case.revision += 1;
                case.decided = Some(Decided {
                    outcome,
                    at: tx.now(),
                    by: who.account.clone(),
                    by_name: who.name.clone(),
                    document: result::id(&procedure, code, outcome),
                    capacity,
                    seal: None,
                });
                save(&tx, &case, &procedure).await?;
                tx.outbox(TOPIC, code.as_str(), &json!({})).await
            })
            .await
    }

    /// Makes the result of a decision and decides the case with it; nothing when that is done.
    async fn finish_signing(&self, code: &CaseCode) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let (case, procedure) = self.opened_by_platform(&reader, code).await?;
        drop(reader);
        let Some(decided) = being_signed(&case, &procedure) else {
            return Ok(());
        };
        let actor = &Actor::Official(decided.by.clone());
        match self.issue_result(&case, &procedure, decided, actor).await {
            Ok(issued) => self.decided(code, &issued, actor).await,
            Err(problem) if is_for_good(&problem) => {
                self.give_up_signing(code, actor).await?;
                Err(problem)
            }
            Err(problem) => Err(problem),
        }
    }

    /// The case with its signed result: on to the clerk, or decided at once where there is none.
    async fn decided(&self, code: &CaseCode, issued: &Issued, actor: &Actor) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, actor, |tx| async move {
                let (case, procedure) = self.opened_by_platform(&tx, code).await?;
                let (Some(_), Some(step)) = (
                    being_signed(&case, &procedure),
                    procedure.verb_from(Verb::Sign, &case.state),
                ) else {
                    return Ok(());
                };
                let case = case.moved(step);
                if procedure.verb_from(Verb::Seal, &case.state).is_none() {
                    return self.finished(&tx, case, &procedure, issued).await;
                }
                save(&tx, &case, &procedure).await?;
                let fact = Fact::CaseSigned {
                    case: code.clone(),
                    document: issued.id.clone(),
                };
                tx.fact(&subject(code), fact).await?;
                Ok(())
            })
            .await
    }

    /// A decision whose result was not made: what a crash leaves.
    #[cfg(test)]
    pub(crate) async fn decide_and_crash(&self, who: &Principal, code: &CaseCode, revision: i64) {
        self.decide(who, code, revision).await.expect("decided");
    }

    /// The result cannot be made as things are: the case is open for another decision.
    async fn give_up_signing(&self, code: &CaseCode, actor: &Actor) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, actor, |tx| async move {
                let (mut case, procedure) = self.opened_by_platform(&tx, code).await?;
                if being_signed(&case, &procedure).is_none() {
                    return Ok(());
                }
                case.decided = None;
                case.revision += 1;
                save(&tx, &case, &procedure).await
            })
            .await
    }

    /// The case that has its whole result: told, no longer owed, and given when it was filed online.
    ///
    /// # Errors
    /// As [`save_telling`]; internal for a case without a decision.
    pub(crate) async fn finished(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        issued: &Issued,
    ) -> Result<(), Problem> {
        let decided = case.decided.as_ref();
        let decided = decided.ok_or_else(|| Problem::internal("a result without a decision"))?;
        let outcome = decided.outcome;
        let given = ResultRow {
            document: issued.id.clone(),
            name: result::name(procedure, outcome).vi,
            number: issued.number.clone(),
            digest: issued.digest,
            kind: GivenKind::Result,
            with_seq: 0,
        };
        let due = case.owed_by().unwrap_or(decided.at);
        let refused = (decided.outcome == Outcome::Refused).then(|| Notice::Refused {
            reason: case
                .proposal
                .as_ref()
                .map_or_else(String::new, |p| p.note.clone()),
        });
        save_telling(tx, &case, procedure, refused, vec![given]).await?;
        obligations::meet(tx, &subject(&case.code)).await?;
        let fact = Fact::CaseDecided {
            case: case.code.clone(),
            outcome,
            due,
            worked: self.worked(tx, &case.code).await?,
        };
        tx.fact(&subject(&case.code), fact).await?;
        self.owe_publication(tx, &case, procedure).await?;
        give::online(tx, case, procedure).await
    }
}

/// The decision that still waits for its result.
fn being_signed<'c>(case: &'c Case, procedure: &Procedure) -> Option<&'c Decided> {
    procedure.verb_from(Verb::Sign, &case.state)?;
    case.decided.as_ref()
}

/// No result was made, and none would be however often it was tried.
fn is_for_good(problem: &Problem) -> bool {
    ["document-signer", "document-template", "case-result-data"].contains(&problem.code)
}

/// The second click of the one who has just signed.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    case.decided.as_ref().is_some_and(|d| d.by == who.account) && revision < case.revision
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, code, pack_templates};

    #[tokio::test]
    async fn the_chairman_signs_and_an_online_case_is_given_at_once() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let answer = desk.sign_and_seal().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let case = answer.json();
        assert_eq!(
            (&case["state"], &case["status"]),
            (&json!("returned"), &json!(10))
        );
        assert_eq!(case["document"], format!("birth-{CASE}"));
        assert_eq!(case["decided"]["outcome"], "granted");
        assert_eq!(desk.results().await[0].number, "1/2026");
        assert_eq!(case["decided"]["capacity"], "chairman");
        assert_eq!(
            desk.facts_of(&format!("obligation/case/{CASE}")).await,
            ["obligation-opened", "obligation-met"]
        );
        assert_eq!(
            desk.facts().await[6..],
            ["case-signed", "case-decided", "case-returned"]
        );
        assert_eq!(case["verbs"], json!([]));
    }

    #[tokio::test]
    async fn receptionist_and_officer_cannot_sign() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        for who in ["tiep", "tich", "tinh"] {
            let answer = desk.verb(who, "sign", json!({})).await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (403, "role-missing"),
                "{who}"
            );
        }
        assert_eq!(desk.state().await, "to-sign");
    }

    #[tokio::test]
    async fn nobody_signs_what_they_proposed_themselves() {
        let desk = Desk::new().await;
        desk.accept().await;
        let proposed = desk.verb("hai", "propose", json!({"outcome": "granted"})).await;
        assert_eq!(proposed.status, 200, "{}", proposed.body);
        desk.agree().await;
        desk.deliver().await;
        assert_eq!(
            desk.get("hai", crate::desk::testing::API).await.json()["verbs"],
            json!(["send-back", "apologise"])
        );
        let answer = desk.verb("hai", "sign", json!({})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (403, "case-own-proposal")
        );
        assert_eq!(desk.state().await, "to-sign");
        assert_eq!(desk.verb("pho", "sign", json!({})).await.status, 200);
    }

    #[tokio::test]
    async fn two_officials_deciding_at_once_have_one_winner() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let revision = desk.revision().await;
        let (one, two) = tokio::join!(
            desk.verb_at("chu", "sign", revision, json!({})),
            desk.verb_at("chu-2", "sign", revision, json!({}))
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        let winner = if one.status == 200 { "chu" } else { "chu-2" };
        assert_eq!(desk.verb("thu", "seal", json!({})).await.status, 200);
        assert_eq!(desk.json().await["decided"]["by"], winner);
        let decided = desk.facts().await.iter().filter(|f| *f == "case-decided").count();
        assert_eq!((decided, desk.results().await.len()), (1, 1));
    }

    #[tokio::test]
    async fn signing_and_sending_back_at_once_have_one_winner() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let revision = desk.revision().await;
        let (one, two) = tokio::join!(
            desk.verb_at("chu", "sign", revision, json!({})),
            desk.verb_at("chu-2", "send-back", revision, json!({"note": "Sai"}))
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        let facts = desk.facts().await;
        let undone = facts.contains(&"case-sent-back".to_owned());
        assert_ne!(facts.contains(&"case-signed".to_owned()), undone);
    }

    #[tokio::test]
    async fn a_double_click_signs_once() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let (path, revision) = (
            format!("/desk/cases/{CASE}/sign"),
            desk.revision().await.to_string(),
        );
        let fields = [("revision", revision.as_str())];
        let (one, two) = tokio::join!(desk.form("chu", &path, &fields), desk.form("chu", &path, &fields));
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(
            desk.facts_of(&format!("document/birth-{CASE}")).await,
            ["document-issued"]
        );
    }

    #[tokio::test]
    async fn a_crash_between_decision_and_result_is_finished_by_the_outbox() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        desk.claim("chu").await;
        let waiting = desk.json().await;
        assert_eq!(
            (&waiting["state"], &waiting["decided"]),
            (&json!("to-sign"), &json!(null))
        );
        for (who, verb, more) in [
            ("chu-2", "sign", json!({})),
            ("chu-2", "send-back", json!({"note": "x"})),
        ] {
            let answer = desk.verb(who, verb, more).await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (409, "case-being-signed")
            );
        }
        assert!(desk.deliver_topic("case-sign").await.is_none());
        let case = desk.json().await;
        assert_eq!(
            (&case["state"], &case["decided"]["by"]),
            (&json!("to-seal"), &json!(null))
        );
        assert_eq!(desk.verb("thu", "seal", json!({})).await.status, 200);
        assert_eq!(desk.json().await["decided"]["by"], "chu");
    }

    #[tokio::test]
    async fn a_crash_between_result_and_case_makes_no_second_result() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        desk.claim("chu").await;
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let (case, procedure) = desk
            .cases
            .opened_by_platform(&reader, &code())
            .await
            .expect("a case");
        let decided = case.decided.as_ref().expect("decided");
        let actor = kernel::Actor::Official("chu".to_owned());
        let first = desk
            .cases
            .issue_result(&case, &procedure, decided, &actor)
            .await
            .expect("issued");
        assert!(desk.deliver_topic("case-sign").await.is_none());
        assert_eq!(
            desk.facts_of(&format!("document/birth-{CASE}")).await,
            ["document-issued"]
        );
        assert_eq!(desk.state().await, "to-seal");
        assert_eq!(desk.verb("thu", "seal", json!({})).await.status, 200);
        assert_eq!(desk.results().await[0].number, first.number);
    }

    #[tokio::test]
    async fn who_has_no_key_cannot_sign_and_the_case_stays_open() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let answer = desk.verb("chu-3", "sign", json!({})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (403, "document-signer")
        );
        assert!(desk.deliver_topic("case-sign").await.is_none());
        assert_eq!(desk.state().await, "to-sign");
        assert_eq!(desk.verb("chu", "sign", json!({})).await.status, 200);
    }

    #[tokio::test]
    async fn the_papers_of_the_pack_say_what_the_case_says() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&crate::desk::testing::handover())
            .await
            .expect("received");
        desk.to_sign().await;
        let receipt = desk.get("tiep", &format!("/desk/cases/{CASE}/receipt")).await;
        assert!(receipt.bytes.starts_with(b"%PDF"), "{}", receipt.body);
        let answer = desk.verb("chu", "sign", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let (case, procedure) = desk
            .cases
            .opened_by_platform(&reader, &code())
            .await
            .expect("a case");
        let said = desk.cases.birth_data(&case, &procedure).expect("data");
        assert_eq!(
            said["agency"],
            json!({"name": "Ủy ban nhân dân xã Hoằng Hóa", "province": "tỉnh Thanh Hóa"})
        );
        assert_eq!(said["child"]["sex"], "Nữ");
        assert_eq!(said["child"]["ethnicity"], "Kinh");
        assert_eq!(said["child"]["nationality"], "Việt Nam");
        assert_eq!(
            said["child"]["birth_place"],
            "Bệnh viện Phụ sản, Phường Hạc Thành, Tỉnh Thanh Hóa"
        );
        assert_eq!(said["mother"]["birth_year"], "1998");
        assert_eq!(said["father"]["residence"], "");
        assert_eq!(said["registered_on"], "2026-11-23");
    }

    #[tokio::test]
    async fn a_refusal_is_signed_and_given_like_any_result() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&crate::desk::testing::handover())
            .await
            .expect("received");
        desk.accept().await;
        desk.propose("refused", "Trẻ đã được đăng ký khai sinh").await;
        let answer = desk.sign_and_seal().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["decided"]["outcome"], "refused");
        assert_eq!(desk.results().await[0].document, format!("refusal-{CASE}"));
        assert_eq!(desk.nation.acts_standing(), 0);
    }
}
