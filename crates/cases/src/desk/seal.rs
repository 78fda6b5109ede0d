//! `seal`: the clerk (văn thư) adds the number and the agency's signature to the signed result, and the
//! case is decided. First it is written down who seals and under which number; then the document is
//! sealed; then the case has its result. A crash between is finished by the outbox, once. Never changes
//! what was signed.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use axum::response::Response;
use documents::{Issued, SealMark, Sealing};
use kernel::fact::Outcome;
use kernel::{Actor, CaseCode, Problem};
use serde_json::json;
use web::openapi::utoipa;
use web::{Fields, Json, Principal, Refusal};

use crate::case::{Case, Decided, Sealed};
use crate::case_of;
use crate::desk::official::AtCase;
use crate::desk::step::{may, save};
use crate::desk::view::{self, CaseView, Seen};
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;

/// The outbox topic that finishes what a crash left half-way.
pub const TOPIC: &str = "case-seal";
/// Where the mark stands on an A4 page: over the left of the signature, in points from the lower left.
const MARK_PLACE: [f32; 4] = [318.0, 78.0, 428.0, 136.0];

/// Seals the result from the case's page.
#[utoipa::path(post, path = "/desk/cases/{code}/seal", tag = "desk", security(("session" = ["clerk"])),
    params(("code" = String, Path, description = "the case's code")),
    responses((status = 303, description = "back to the case"), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["document-sealed", "case-decided", "obligation-met", "case-returned"]))))]
pub(crate) async fn by_form(at: AtCase, fields: Fields) -> Result<Response, Refusal> {
    at.cases.seal(&at.who, &at.code, view::revision(&fields)?).await?;
    Ok(at.back())
}

/// Seals the result.
#[utoipa::path(post, path = "/api/v1/desk/cases/{code}/seal", tag = "desk", security(("session" = ["clerk"])),
    params(("code" = String, Path, description = "the case's code")), request_body = Seen,
    responses((status = 200, description = "the case", body = CaseView), (status = 403), (status = 404), (status = 409)),
    extensions(("x-facts" = json!(["document-sealed", "case-decided", "obligation-met", "case-returned"]))))]
pub(crate) async fn by_json(at: AtCase, Json(seen): Json<Seen>) -> Result<Json<CaseView>, Refusal> {
    at.cases.seal(&at.who, &at.code, seen.revision).await?;
    at.view().await
}

/// Finishes seals that a crash left half-way.
#[derive(Debug)]
pub struct Seals(pub(crate) Cases);

#[async_trait]
impl Deliver for Seals {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let code = case_of(line)?;
        let _turn = self.0.turn(&code).await;
        self.0.finish_sealing(&code).await
    }
}

impl Cases {
    /// Seals a signed result. Pressed twice, it is sealed once.
    async fn seal(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        let _turn = self.turn(code).await;
        self.begin_sealing(who, code, revision).await?;
        self.finish_sealing(code).await
    }

    /// Writes down who seals, and under which number.
    async fn begin_sealing(&self, who: &Principal, code: &CaseCode, revision: i64) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, &who.actor, |tx| async move {
                let (mut case, procedure) = self.opened(&tx, who, code, Verb::Seal).await?;
                if is_done(&case, who, revision) {
                    return Ok(());
                }
                may(&case, &procedure, Verb::Seal, who, revision)?;
                let number = number(&tx, &case).await?;
                let decided = case.decided.as_mut();
                let decided = decided.ok_or_else(|| Problem::internal("a seal without a decision"))?;
                decided.seal = Some(Sealed {
                    by: who.account.clone(),
                    by_name: who.name.clone(),
                    at: tx.now(),
                    number,
                });
                case.revision += 1;
                save(&tx, &case, &procedure).await?;
                tx.outbox(TOPIC, code.as_str(), &json!({})).await
            })
            .await
    }

    /// Adds the agency's signature and decides the case; nothing when that is done.
    async fn finish_sealing(&self, code: &CaseCode) -> Result<(), Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let (case, procedure) = self.opened_by_platform(&reader, code).await?;
        drop(reader);
        let Some((decided, seal)) = being_sealed(&case, &procedure) else {
            return Ok(());
        };
        let actor = &Actor::Official(seal.by.clone());
        let how = self.sealing(&case, decided, seal);
        match self.documents()?.seal(&how, actor).await {
            Ok(issued) => self.sealed(code, &issued, actor).await,
            Err(problem) if ["document-signer", "document-template"].contains(&problem.code) => {
                self.give_up_sealing(code, actor).await?;
                Err(problem)
            }
            Err(problem) => Err(problem),
        }
    }

    fn sealing(&self, case: &Case, decided: &Decided, seal: &Sealed) -> Sealing {
        let agency = self.agency(&case.unit, seal.at.date());
        Sealing {
            tenant: self.tenant.clone(),
            id: decided.document.clone(),
            number: seal.number.clone(),
            by: seal.by.clone(),
            at: seal.at,
            reason: format!("Số {}, {}", seal.number, agency.name),
            mark: SealMark {
                template: "seal-mark.typ".to_owned(),
                data: json!({"agency": agency.name, "number": seal.number, "at": seal.at}),
                place: MARK_PLACE,
            },
        }
    }

    async fn sealed(&self, code: &CaseCode, issued: &Issued, actor: &Actor) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, actor, |tx| async move {
                let (case, procedure) = self.opened_by_platform(&tx, code).await?;
                let (Some(_), Some(step)) = (
                    being_sealed(&case, &procedure),
                    procedure.verb_from(Verb::Seal, &case.state),
                ) else {
                    return Ok(());
                };
                self.finished(&tx, case.moved(step), &procedure, issued).await
            })
            .await
    }

    /// The seal cannot be added as things are: the case waits for a clerk again. The number stays taken:
    /// a series has no gap that nobody can explain, and the case says where it went.
    async fn give_up_sealing(&self, code: &CaseCode, actor: &Actor) -> Result<(), Problem> {
        self.store
            .write(&self.tenant, actor, |tx| async move {
                let (mut case, procedure) = self.opened_by_platform(&tx, code).await?;
                if being_sealed(&case, &procedure).is_none() {
                    return Ok(());
                }
                if let Some(decided) = &mut case.decided {
                    decided.seal = None;
                }
                case.revision += 1;
                save(&tx, &case, &procedure).await
            })
            .await
    }

    /// A number that was given and a seal that was not added: what a crash leaves.
    #[cfg(test)]
    pub(crate) async fn begin_sealing_and_crash(&self, who: &Principal, code: &CaseCode, revision: i64) {
        self.begin_sealing(who, code, revision).await.expect("begun");
    }
}

/// The seal that still has to be added.
fn being_sealed<'c>(case: &'c Case, procedure: &Procedure) -> Option<(&'c Decided, &'c Sealed)> {
    procedure.verb_from(Verb::Seal, &case.state)?;
    let decided = case.decided.as_ref()?;
    Some((decided, decided.seal.as_ref()?))
}

/// The result's number: the act's in its book, or the next of the unit's own documents of the year
/// (Decree 30/2020/NĐ-CP, article 15: one series a year from 01, two digits below 10).
async fn number(tx: &Tx, case: &Case) -> Result<String, Problem> {
    let granted = case
        .decided
        .as_ref()
        .is_some_and(|d| d.outcome == Outcome::Granted);
    if let Some(act) = case.act.as_ref().filter(|_| granted) {
        return Ok(act.act_number.clone());
    }
    let series = format!("documents/{}/{}", case.unit, tx.now().date().year());
    let next = tx.next_number(&series).await?;
    Ok(format!("{next:02}/TB-UBND"))
}

/// The second click of the one who has just sealed.
fn is_done(case: &Case, who: &Principal, revision: i64) -> bool {
    let seal = case.decided.as_ref().and_then(|decided| decided.seal.as_ref());
    seal.is_some_and(|seal| seal.by == who.account) && revision < case.revision
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::desk::testing::{CASE, Desk, code, pack_templates};

    async fn pdf(desk: &Desk) -> Vec<u8> {
        let digest = desk.results().await[0].digest;
        desk.temp.store.blobs().get(&digest).await.expect("kept")
    }

    #[tokio::test]
    async fn the_clerk_seals_what_the_chairman_signed_and_it_is_given() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&crate::desk::testing::handover())
            .await
            .expect("received");
        desk.to_seal().await;
        let waiting = desk.json().await;
        assert_eq!(
            (&waiting["status"], &waiting["decided"]),
            (&json!(4), &json!(null)),
            "signed is not decided yet"
        );
        assert!(desk.results().await.is_empty());
        let answer = desk.verb("thu", "seal", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["state"], "returned");
        assert_eq!(
            desk.results().await[0].number,
            "1/2026",
            "the book's number, not a series'"
        );
        assert_eq!(
            desk.facts_of(&format!("document/birth-{CASE}")).await,
            ["document-issued", "document-sealed"]
        );
        let trust = crate::desk::testing::trust();
        let verdict = seal::pdf::verify(&pdf(&desk).await, &trust, desk.temp.store.world().now());
        assert!(verdict.is_passed(), "{verdict:?}");
        let signers: Vec<&str> = verdict.signers.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(signers, ["Phạm Minh Chủ", "UBND tỉnh Thanh Hóa"]);
    }

    #[tokio::test]
    async fn nobody_but_the_clerk_seals_and_nothing_unsigned() {
        let desk = Desk::new().await;
        desk.to_sign().await;
        let early = desk.verb("thu", "seal", json!({})).await;
        assert_eq!(
            (early.status, early.problem().as_str()),
            (409, "case-verb-not-now")
        );
        assert_eq!(desk.verb("chu", "sign", json!({})).await.status, 200);
        for who in ["tiep", "tich", "chu", "pho"] {
            let answer = desk.verb(who, "seal", json!({})).await;
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (403, "role-missing"),
                "{who}"
            );
        }
        let stale = desk.verb_at("thu", "seal", 1, json!({})).await;
        assert_eq!((stale.status, stale.problem().as_str()), (409, "stale"));
        assert_eq!(desk.state().await, "to-seal");
    }

    #[tokio::test]
    async fn a_double_click_seals_once_and_takes_one_number() {
        let desk = Desk::new().await;
        desk.accept().await;
        desk.propose("refused", "Trẻ đã được đăng ký khai sinh").await;
        assert_eq!(desk.verb("chu", "sign", json!({})).await.status, 200);
        let (path, revision) = (
            format!("/desk/cases/{CASE}/seal"),
            desk.revision().await.to_string(),
        );
        let fields = [("revision", revision.as_str())];
        let (one, two) = tokio::join!(desk.form("thu", &path, &fields), desk.form("thu", &path, &fields));
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(
            desk.facts_of(&format!("document/refusal-{CASE}")).await,
            ["document-issued", "document-sealed"]
        );
        assert_eq!(
            desk.results().await[0].number,
            "01/TB-UBND",
            "the unit's series of the year"
        );
    }

    #[tokio::test]
    async fn a_crash_between_number_and_seal_is_finished_by_the_outbox_once() {
        let desk = Desk::new().await;
        desk.to_seal().await;
        desk.claim_seal("thu").await;
        let answer = desk.verb("thu-2", "seal", json!({})).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (409, "case-being-signed")
        );
        let line = desk.lines("case-seal").await.remove(0);
        assert!(desk.deliver_topic("case-seal").await.is_none());
        assert_eq!(desk.state().await, "returned");
        let (facts, first) = (desk.facts().await, desk.results().await[0].digest);
        desk.deliver_again(&line).await;
        assert_eq!(
            (desk.facts().await, desk.results().await[0].digest),
            (facts, first)
        );
    }

    #[tokio::test]
    async fn a_deputy_signs_for_the_chairman_and_the_paper_says_so() {
        let desk = Desk::with(pack_templates(), kernel::limits::Limits::default()).await;
        desk.receive(&crate::desk::testing::handover())
            .await
            .expect("received");
        desk.to_sign().await;
        let page = desk.get("pho", &format!("/desk/cases/{CASE}")).await;
        assert!(page.body.contains("Ký thay Chủ tịch"), "the page says for whom");
        let answer = desk.verb("pho", "sign", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let reader = desk.temp.store.read(&desk.cases.tenant).await.expect("a reader");
        let (case, procedure) = desk
            .cases
            .opened_by_platform(&reader, &code())
            .await
            .expect("a case");
        let said = desk.cases.birth_data(&case, &procedure).expect("data");
        assert_eq!(
            said["signer"],
            json!({"position": "KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH", "name": "Trịnh Thị Phó"})
        );
        assert_eq!(desk.verb("thu", "seal", json!({})).await.status, 200);
        assert_eq!(desk.json().await["decided"]["capacity"], "for-chairman");
    }
}
