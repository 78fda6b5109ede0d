//! `take in`: the case is there, its papers with it, its clock runs and its receipt is made, in one write. Sent
//! twice, it is one case.

use kernel::{CaseCode, Fact, Kind, Problem};
use web::Principal;

use super::asked::Sound;
use crate::case::{Case, Course};
use crate::citizen::file::next_code;
use crate::course::Intake;
use crate::draft::Attached;
use crate::payment::Paid;
use crate::procedure::{Procedure, Verb};
use crate::state::Cases;
use crate::store::{self as rows, StatusRow, subject};

/// Length of an intake's number, in characters.
const ID_CHARS_MAX: usize = 64;

/// The holder of the papers of an intake that is no case yet.
pub(crate) fn holder(account: &str, id: &str) -> String {
    format!("intake/{account}/{id}")
}

/// Refuses what is no number of an intake.
///
/// # Errors
/// 422 `intake-number`.
pub(crate) fn check_id(id: &str) -> Result<&str, Problem> {
    let sound = (1..=ID_CHARS_MAX).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match sound {
        true => Ok(id),
        false => Err(Problem::invalid("intake", "intake-number").with("max", ID_CHARS_MAX)),
    }
}

impl Cases {
    /// Attaches scans to an intake that is no case yet, in the place of earlier ones.
    ///
    /// # Errors
    /// The store's own problems.
    pub(crate) async fn hold_papers(
        &self,
        who: &Principal,
        id: &str,
        papers: &[Attached],
    ) -> Result<Vec<Attached>, Problem> {
        let holder = &holder(&who.account, id);
        if !papers.is_empty() {
            self.store
                .write(&self.tenant, &who.actor, |tx| async move {
                    for paper in papers {
                        rows::attach(&tx, holder, paper).await?;
                    }
                    Ok(())
                })
                .await?;
        }
        rows::papers(&self.store.read(&self.tenant).await?, holder).await
    }

    /// Takes a case in; the one it became before when it was sent already.
    ///
    /// # Errors
    /// `case-own` for a case of the official's own; `version-withdrawn` for a version that is withdrawn.
    pub(crate) async fn take_in(
        &self,
        who: &Principal,
        id: &str,
        procedure: &Procedure,
        (sound, papers): (&Sound, &[Attached]),
    ) -> Result<CaseCode, Problem> {
        let taken = self
            .store
            .write(&self.tenant, &who.actor, |tx| async move {
                if let Some(code) = rows::intake(&tx, &who.account, id).await? {
                    return Ok(code);
                }
                let code = next_code(&tx).await?;
                let case = case(&tx, who, procedure, sound, &code);
                case.not_own(who.subject.as_ref())?;
                self.still_files(&tx, &case.version).await?;
                let status = case.status(procedure);
                rows::insert_case(&tx, &case, status).await?;
                let filed = StatusRow {
                    seq: 0,
                    status,
                    at: tx.now(),
                    due: None,
                    notice: None,
                };
                rows::insert_status(&tx, &code, &filed).await?;
                for paper in papers {
                    rows::attach(&tx, &subject(&code), paper).await?;
                }
                rows::papers_forget(&tx, &holder(&who.account, id)).await?;
                rows::insert_intake(&tx, &who.account, id, &code).await?;
                let fact = Fact::CaseReceived {
                    case: code.clone(),
                    procedure: case.procedure.clone(),
                    version: case.version,
                    channel: case.channel,
                    from: who.unit.clone(),
                    unit: Some(case.unit.clone()),
                };
                tx.fact(&subject(&code), fact).await?;
                if let Some(paid) = &case.course.paid {
                    // The receipt was given where the money was: none is made a second time.
                    let fact = Fact::FeePaid {
                        case: code.clone(),
                        payment: paid.payment.clone(),
                        dong: paid.dong,
                        to: case.unit.clone(),
                        receipt: paid.bank_reference.clone(),
                    };
                    tx.fact(&subject(&code), fact).await?;
                }
                self.begin_checks(&tx, &case, procedure, &who.account).await?;
                if case.course.post.is_some() {
                    let fact = Fact::CasePostWished {
                        case: code.clone(),
                        by_post: true,
                    };
                    tx.fact(&subject(&code), fact).await?;
                }
                let step = case.transition(procedure, Verb::Accept, &who.roles)?;
                self.start_clock(&tx, who, case.moved(step), procedure).await?;
                Ok(code)
            })
            .await;
        let code = match taken {
            // Two at once: whoever came second finds the case that the first one made.
            Err(problem) if problem.kind == Kind::Conflict => {
                let reader = self.store.read(&self.tenant).await?;
                let code = rows::intake(&reader, &who.account, id).await?;
                code.ok_or(problem)?
            }
            taken => taken?,
        };
        self.receipt_now(&code, who).await;
        Ok(code)
    }
}

fn case(tx: &::store::Tx, who: &Principal, procedure: &Procedure, sound: &Sound, code: &CaseCode) -> Case {
    let paid = sound.fee.as_ref().map(|(dong, receipt)| Paid {
        payment: format!("counter-{code}"),
        dong: *dong,
        at: tx.now(),
        bank_reference: receipt.clone(),
    });
    Case {
        code: code.clone(),
        procedure: procedure.code.clone(),
        version: procedure.version(),
        unit: sound.unit.clone(),
        channel: sound.channel,
        applicant: sound.applicant.clone(),
        answers: sound.answers.clone(),
        state: procedure.first_state.clone(),
        revision: 1,
        filed_at: tx.now(),
        accepted: None,
        proposal: None,
        act: None,
        decided: None,
        returned_at: None,
        course: Course {
            paid,
            intake: Some(Intake {
                by: who.account.clone(),
                by_name: who.name.clone(),
                at: who.unit.clone(),
                on_paper: sound.on_paper.clone(),
            }),
            post: sound.post.clone(),
            ..Course::default()
        },
    }
}
