//! The service that takes what applicants send about running cases: in order, once, each by its own
//! verb. One that comes too late is answered so, and changes nothing.

use ::store::Tx;
use async_trait::async_trait;
use exchange::{Answer, Call, Service, ServiceId, SystemId};
use kernel::{Actor, Kind, Problem};

use crate::case::Case;
use crate::draft::Attached;
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, SubmissionRow};
use crate::submission::{Said, Submission, Taken, holder};

/// `take-submission` of the place's system.
#[derive(Debug)]
pub struct TakeSubmission(pub(crate) Cases);

#[async_trait]
impl Service for TakeSubmission {
    fn id(&self) -> ServiceId {
        ServiceId {
            org: self.0.system.org.clone(),
            system: self.0.system.system.clone(),
            service: "take-submission".to_owned(),
        }
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let sent: Submission = web::json::read(&call.body, self.0.store.limits().json_depth_max)?;
        Answer::json(&self.0.take(&sent, &call.consumer).await?)
    }
}

impl Cases {
    async fn take(&self, sent: &Submission, consumer: &SystemId) -> Result<Taken, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let held = rows::case(&reader, &sent.case)
            .await?
            .ok_or_else(Problem::not_found)?;
        let first = crate::merger::job::first_unit(&reader, &held.case).await?;
        self.files_for(consumer, &first, held.case.filed_at.date())?;
        let procedure = self.procedure_of(&held.case)?;
        let mut papers = Vec::with_capacity(sent.papers.len());
        for paper in &sent.papers {
            papers.push(self.take_paper(&procedure, paper).await?);
        }
        drop(reader);
        let (papers, procedure) = (&papers, &procedure);
        let both = held.case.course.representative.is_some();
        let sender = sent.by.as_deref().filter(|_| both);
        let sender = sender.unwrap_or_else(|| held.case.filed_by());
        let actor = &Actor::Citizen(sender.to_owned());
        let why = match self.try_take(sent, papers, procedure, actor).await {
            Ok(outcome) => outcome,
            // What cannot be done any more is an answer, kept like any other; the rest is tried again.
            Err(problem) if matches!(problem.kind, Kind::Conflict | Kind::Forbidden | Kind::Invalid) => {
                let why = problem.code.to_owned();
                self.refuse_submission(sent, actor, &why).await?
            }
            Err(problem) => return Err(problem),
        };
        Ok(Taken {
            case: sent.case.clone(),
            seq: sent.seq,
            taken: why.is_none(),
            why,
        })
    }

    /// The submission's effect and its row in one write; the kept outcome when it is known already.
    async fn try_take(
        &self,
        sent: &Submission,
        papers: &[Attached],
        procedure: &Procedure,
        actor: &Actor,
    ) -> Result<Option<String>, Problem> {
        self.store
            .write(&self.tenant, actor, |tx| async move {
                if let Some(kept) = self.kept(&tx, sent).await? {
                    return Ok(kept);
                }
                let held = rows::case(&tx, &sent.case)
                    .await?
                    .ok_or_else(Problem::not_found)?;
                keep(&tx, sent, papers, "taken").await?;
                self.apply(&tx, held.case, procedure, sent, papers).await?;
                Ok(None)
            })
            .await
    }

    async fn refuse_submission(
        &self,
        sent: &Submission,
        actor: &Actor,
        why: &str,
    ) -> Result<Option<String>, Problem> {
        self.store
            .write(&self.tenant, actor, |tx| async move {
                if let Some(kept) = self.kept(&tx, sent).await? {
                    return Ok(kept);
                }
                keep(&tx, sent, &[], why).await?;
                Ok(Some(why.to_owned()))
            })
            .await
    }

    /// What was answered to this submission before; a gap or another one under its number is refused.
    async fn kept(&self, tx: &Tx, sent: &Submission) -> Result<Option<Option<String>>, Problem> {
        if let Some(row) = rows::submission(tx, &sent.case, sent.seq).await? {
            if row.said != sent.said {
                return Err(Problem::new(Kind::Unavailable, "case-submission-altered").because(sent.seq));
            }
            return Ok(Some(row.outcome.filter(|outcome| outcome != "taken")));
        }
        let last = rows::last_submission(tx, &sent.case).await?;
        if sent.seq == last + 1 {
            Ok(None)
        } else {
            Err(Problem::new(Kind::Unavailable, "case-submission-gap").because(last))
        }
    }

    async fn apply(
        &self,
        tx: &Tx,
        case: Case,
        procedure: &Procedure,
        sent: &Submission,
        papers: &[Attached],
    ) -> Result<(), Problem> {
        match &sent.said {
            Said::Supplement { answers, note } => {
                self.supplemented(tx, case, procedure, (sent.at, answers, note), papers)
                    .await
            }
            Said::DraftAnswer { agreed, note, draft } => {
                self.draft_answered(tx, case, procedure, (*agreed, draft), note)
                    .await
            }
            Said::Withdrawal { reason } => self.withdrawn(tx, case, procedure, reason).await,
            Said::Post { wish } => self.post_wished(tx, case, procedure, wish.as_ref()).await,
            Said::Payment { charge, paid } => self.paid_at_bank(tx, case, procedure, (*charge, paid)).await,
            Said::Rating {
                score,
                note,
                criteria,
            } => {
                self.rated(tx, case, procedure, sent.at, (*score, note, criteria))
                    .await
            }
        }
    }
}

async fn keep(tx: &Tx, sent: &Submission, papers: &[Attached], outcome: &str) -> Result<(), Problem> {
    let row = SubmissionRow {
        seq: sent.seq,
        at: sent.at,
        said: sent.said.clone(),
        outcome: Some(outcome.to_owned()),
    };
    rows::insert_submission(tx, &sent.case, &row).await?;
    for paper in papers {
        rows::attach(tx, &holder(&sent.case, sent.seq), paper).await?;
    }
    Ok(())
}
