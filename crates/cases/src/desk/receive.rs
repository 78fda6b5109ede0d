//! The service that takes a case over from the portal where it was filed: once, whole, and checked
//! as if nobody had checked it before. Never starts the clock: acceptance does.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::{Answer, Call, Service, ServiceId, SystemId};
use kernel::{Actor, Digest, Fact, Kind, Problem};

use crate::answers::TEXT_CHARS_MAX;
use crate::case::Case;
use crate::draft::Attached;
use crate::handover::{Handover, HandoverPaper, Received};
use crate::procedure::Procedure;
use crate::state::Cases;
use crate::store::{self as rows, StatusRow, subject};

/// `receive-case` of the place's system.
#[derive(Debug)]
pub struct ReceiveCase(pub(crate) Cases);

#[async_trait]
impl Service for ReceiveCase {
    fn id(&self) -> ServiceId {
        ServiceId {
            org: self.0.system.org.clone(),
            system: self.0.system.system.clone(),
            service: "receive-case".to_owned(),
        }
    }

    async fn call(&self, call: Call) -> Result<Answer, Problem> {
        let handed: Handover = web::json::read(&call.body, self.0.store.limits().json_depth_max)?;
        from_its_portal(&handed, &call.consumer)?;
        self.0.receive(&handed, &call.consumer).await?;
        Answer::json(&Received {
            case: handed.code,
            received: true,
        })
    }
}

/// A case is taken from the portal it names, and only from the one that is told its statuses.
fn from_its_portal(handed: &Handover, consumer: &SystemId) -> Result<(), Problem> {
    if handed.portal == *consumer && consumer.to_string() == crate::sync::PORTAL {
        Ok(())
    } else {
        Err(Problem::new(Kind::Forbidden, "case-not-your-portal"))
    }
}

impl Cases {
    async fn receive(&self, handed: &Handover, consumer: &SystemId) -> Result<(), Problem> {
        let procedure = self.check_case(handed)?;
        let mut papers = Vec::with_capacity(handed.papers.len());
        for paper in &handed.papers {
            papers.push(self.take_paper(&procedure, paper).await?);
        }
        papers.sort_by(|a, b| a.code.cmp(&b.code));
        let case = as_case(handed, &procedure);
        let (case, papers, from) = (&case, &papers, &consumer.org);
        let status = case.status(&procedure);
        let actor = Actor::System(consumer.to_string());
        self.store
            .write(&self.tenant, &actor, |tx| async move {
                let holder = subject(&case.code);
                if let Some(held) = rows::case(&tx, &case.code).await? {
                    let same = is_same(&held.case, case) && rows::papers(&tx, &holder).await? == *papers;
                    return if same { Ok(()) } else { Err(altered()) };
                }
                rows::insert_case(&tx, case, status).await?;
                for paper in papers {
                    rows::attach(&tx, &holder, paper).await?;
                }
                let filed = StatusRow {
                    seq: 0,
                    status,
                    at: case.filed_at,
                    due: None,
                };
                rows::insert_status(&tx, &case.code, &filed).await?;
                let fact = Fact::CaseReceived {
                    case: case.code.clone(),
                    procedure: case.procedure.clone(),
                    version: case.version,
                    channel: case.channel,
                    from: from.clone(),
                };
                tx.fact(&holder, fact).await?;
                Ok(())
            })
            .await
    }

    /// The procedure's version, its unit and its answers are ones we know.
    fn check_case(&self, handed: &Handover) -> Result<std::sync::Arc<Procedure>, Problem> {
        let procedure = self
            .catalogue
            .version(&handed.version)
            .filter(|p| p.code == handed.procedure)
            .ok_or_else(|| Problem::invalid("version", "case-version-unknown"))?;
        let known =
            self.tenant.holds(&handed.unit) && self.organisations.get(&handed.unit, self.today()).is_some();
        if !known {
            return Err(Problem::invalid("unit", "case-unit-unknown"));
        }
        for (field, answer) in &handed.answers {
            let asked = procedure.question(field).is_some() || procedure.source_of(field).is_some();
            if !asked || answer.chars().count() > TEXT_CHARS_MAX {
                return Err(Problem::invalid("answers", "case-answer-unknown"));
            }
        }
        let missing = procedure
            .papers
            .iter()
            .find(|p| p.required && !handed.papers.iter().any(|h| h.code == p.code));
        if missing.is_some() {
            return Err(Problem::invalid("papers", "case-paper-missing"));
        }
        let mut codes: Vec<_> = handed.papers.iter().map(|p| &p.code).collect();
        codes.sort_unstable();
        if codes.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Problem::invalid("papers", "case-paper-twice"));
        }
        Ok(procedure)
    }

    /// The bytes are what the digest says, and a PDF, and kept before the row that points to them.
    async fn take_paper(&self, procedure: &Procedure, paper: &HandoverPaper) -> Result<Attached, Problem> {
        let bad = |code| Problem::invalid("papers", code);
        if !procedure.papers.iter().any(|p| p.code == paper.code) {
            return Err(bad("case-paper-unknown"));
        }
        let bytes = STANDARD
            .decode(&paper.bytes_base64)
            .map_err(|_| bad("case-paper-damaged"))?;
        if bytes.len() as u64 != paper.size || Digest::of(&bytes) != paper.digest {
            return Err(bad("case-paper-damaged"));
        }
        if paper.media != "application/pdf" || !seal::pdf::looks_like_pdf(&bytes) {
            return Err(bad("case-paper-not-pdf"));
        }
        let digest = self.store.blobs().put(&bytes).await?;
        Ok(Attached {
            code: paper.code.clone(),
            name: kernel::text::clean(&paper.name),
            media: paper.media.clone(),
            size: paper.size,
            digest,
        })
    }
}

fn altered() -> Problem {
    Problem::new(Kind::Conflict, "case-altered")
}

/// The same case as at its first coming; what was done with it since does not matter.
fn is_same(held: &Case, handed: &Case) -> bool {
    held.procedure == handed.procedure
        && held.version == handed.version
        && held.unit == handed.unit
        && held.channel == handed.channel
        && held.applicant == handed.applicant
        && held.answers == handed.answers
        && held.filed_at == handed.filed_at
}

fn as_case(handed: &Handover, procedure: &Procedure) -> Case {
    Case {
        code: handed.code.clone(),
        procedure: handed.procedure.clone(),
        version: handed.version,
        unit: handed.unit.clone(),
        channel: handed.channel,
        applicant: handed.applicant.clone(),
        answers: handed.answers.clone(),
        state: procedure.first_state.clone(),
        revision: 1,
        filed_at: handed.filed_at,
        accepted: None,
        proposal: None,
        act: None,
        decided: None,
        returned_at: None,
    }
}
