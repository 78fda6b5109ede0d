//! `sign`: the chairman decides. First the decision is written down, so that one wins; then the
//! result is made and signed; then the case is decided and given. A crash between is finished by the
//! outbox: the result has one id and is made once. Never signs for anybody but the one who decided.

use ::store::{Deliver, OutboxLine};
use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::response::Response;
use documents::Issued;
use kernel::{Actor, CaseCode, Fact, Kind, Problem};
use serde_json::json;
use web::openapi::utoipa;
use web::{Fields, Json, Principal, Refusal, SignedIn};

use crate::case::{Case, Decided};
use crate::desk::official::code;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView, Seen};
use crate::desk::{give, result};
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;
use crate::store::{self as rows, ResultRow, subject};

/// The outbox topic that finishes what a crash left half-way.
pub const TOPIC: &str = "case-sign";

/// Signs the result from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/sign", tag = "desk", security(("session" = ["chairman"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["document-issued", "case-decided", "obligation-met", "case-returned"]))))]
pub(crate) async fn by_form(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(path): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let code = code(&path)?;
    cases.sign(&who, &code, view::revision(&fields)?).await?;
    Ok(view::back(&code))
}

/// Signs the result.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/sign", tag = "desk", security(("session" = ["chairman"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Seen,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["document-issued", "case-decided", "obligation-met", "case-returned"]))))]
pub(crate) async fn by_json(
    State(cases): State<Cases>,
    SignedIn(who): SignedIn,
    Path(path): Path<String>,
    Json(seen): Json<Seen>,
) -> Result<Json<CaseView>, Refusal> {
    let code = code(&path)?;
    cases.sign(&who, &code, seen.revision).await?;
    Ok(Json(cases.case_view(&who, &code).await?))
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
        let code: CaseCode = line.key.parse().map_err(Problem::internal)?;
        // Whoever signs right now is at it: after them there is nothing left to do.
        let _turn = self.0.turn(&code).await;
        self.0.finish_signing(&code).await
    }
}

impl Cases {
    /// Decides a case as its officer proposed. Pressed twice, it is decided once.
    async fn sign(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        self.official(who)?;
        let _turn = self.turn(code).await;
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (case, procedure) = self.opened(&tx, who, code).await?;
                if is_done(&case, who, revision) {
                    return Ok(());
                }
                may(&case, &procedure, Verb::Sign, who, revision)?;
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
                });
                save(&tx, &case, &procedure).await?;
                tx.outbox(TOPIC, code.as_str(), &json!({})).await
            })
            .await?;
        self.finish_signing(code).await
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

    /// The case with its result: decided, no longer owed, and given when it was filed online.
    async fn decided(&self, code: &CaseCode, issued: &Issued, actor: &Actor) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, actor, |tx| async move {
                let (case, procedure) = self.opened_by_platform(&tx, code).await?;
                let (Some(decided), Some(step)) = (
                    being_signed(&case, &procedure).cloned(),
                    procedure.verb_from(Verb::Sign, &case.state),
                ) else {
                    return Ok(());
                };
                let due = case.accepted.as_ref().map_or(decided.at, |a| a.due);
                let case = case.moved(step);
                rows::insert_result(
                    &tx,
                    code,
                    &ResultRow {
                        document: issued.id.clone(),
                        name: result::name(&procedure, decided.outcome).vi,
                        number: issued.number.clone(),
                        digest: issued.digest,
                    },
                )
                .await?;
                save(&tx, &case, &procedure).await?;
                obligations::meet(&tx, &subject(code)).await?;
                let fact = Fact::CaseDecided {
                    case: code.clone(),
                    outcome: decided.outcome,
                    due,
                };
                tx.fact(&subject(code), fact).await?;
                give::online(&tx, case, &procedure).await
            })
            .await
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
