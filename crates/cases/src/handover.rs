//! The filed case goes to the agency that owns it from then on: outbox topic `case-handover`. Sends
//! the same case as often as it must; the owner takes it once, by its code.

use ::store::{Deliver, OutboxLine};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::{Ask, ServiceId, SystemId};
use kernel::fact::Channel;
use kernel::{Actor, CaseCode, Digest, Fact, OrgCode, Problem, ProcedureCode, Time};
use serde::{Deserialize, Serialize};

use crate::case::{Answers, Applicant};
use crate::case_of;
use crate::cosign::Cosigned;
use crate::mandate::Representative;
use crate::payment::Paid;
use crate::post::Wish;
use crate::state::Cases;
use crate::store::{self as rows, Held};

/// The outbox topic; its key is the case's code.
pub const TOPIC: &str = "case-handover";

/// The body of `receive-case`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// The case's code: the same case is received once.
    pub code: CaseCode,
    /// Its procedure.
    pub procedure: ProcedureCode,
    /// The version it was filed under.
    pub version: Digest,
    /// The unit that receives it.
    pub unit: OrgCode,
    /// How it was filed.
    pub channel: Channel,
    /// Whose it is.
    pub applicant: Applicant,
    /// Who filed it for its applicant, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub representative: Option<Representative>,
    /// What was answered.
    pub answers: Answers,
    /// When it was filed.
    pub filed_at: Time,
    /// What was attached.
    pub papers: Vec<HandoverPaper>,
    /// Where its statuses go.
    pub portal: SystemId,
    /// The fee that was paid for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<Paid>,
    /// Who signed it besides its applicant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cosigned: Vec<Cosigned>,
    /// Where its result is wished to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Wish>,
    /// The text of its version, where that was published at the portal and is in no pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// A paper of a [`Handover`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverPaper {
    /// Its code in the procedure.
    pub code: String,
    /// The file's name.
    pub name: String,
    /// The media type.
    pub media: String,
    /// Size in bytes.
    pub size: u64,
    /// The content's digest.
    pub digest: Digest,
    /// The content.
    pub bytes_base64: String,
}

/// The answer of `receive-case`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The case's code.
    pub case: CaseCode,
    /// True: the owner has it.
    pub received: bool,
}

/// The service that receives a unit's cases.
///
/// # Errors
/// Never for an organisation's code; the error is the parser's.
pub fn service(unit: &OrgCode) -> Result<ServiceId, Problem> {
    format!("{}/one-stop/receive-case", unit.top())
        .parse()
        .map_err(Problem::internal)
}

/// Delivers filed cases.
#[derive(Clone, Debug)]
pub struct HandOver(pub Cases);

#[async_trait]
impl Deliver for HandOver {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let cases = &self.0;
        let reader = cases.store.read(&line.tenant).await?;
        let code = case_of(line)?;
        let held = rows::case(&reader, &code).await?.ok_or_else(Problem::not_found)?;
        if held.handed_over_at.is_some() {
            return Ok(());
        }
        let body = serde_json::to_vec(&message(cases, &reader, &held).await?).map_err(Problem::internal)?;
        let ask = Ask {
            consumer: cases.system.clone(),
            service: service(&cases.top_now(&held.case))?,
            body: body.into(),
            on_behalf: Actor::Citizen(held.case.filed_by().to_owned()).to_string(),
            issue: Some(code.to_string()),
            idempotency: Some(code.to_string()),
        };
        let answer: Received = cases.exchange.ask(ask).await?.json()?;
        if answer.case != code || !answer.received {
            return Err(Problem::internal("the owner answered for another case"));
        }
        note(cases, line, &held).await
    }
}

async fn message(cases: &Cases, reader: &::store::Reader, held: &Held) -> Result<Handover, Problem> {
    let case = &held.case;
    Ok(Handover {
        code: case.code.clone(),
        procedure: case.procedure.clone(),
        version: case.version,
        unit: case.unit.clone(),
        channel: case.channel,
        applicant: case.applicant.clone(),
        representative: case.course.representative.clone(),
        answers: case.answers.clone(),
        filed_at: case.filed_at,
        papers: papers(cases, reader, &rows::subject(&case.code)).await?,
        portal: cases.system.clone(),
        paid: rows::payment_of(reader, &case.code).await?.and_then(|p| p.paid),
        cosigned: case.course.cosigned.clone(),
        post: crate::post::store::wish(reader, &rows::subject(&case.code)).await?,
        document: cases.document_beside(&case.version)?,
    })
}

/// The papers of a holder, with their content.
///
/// # Errors
/// Internal when a blob is gone or damaged.
pub(crate) async fn papers(
    cases: &Cases,
    reader: &::store::Reader,
    holder: &str,
) -> Result<Vec<HandoverPaper>, Problem> {
    let mut papers = Vec::new();
    for paper in rows::papers(reader, holder).await? {
        let bytes = cases.store.blobs().get(&paper.digest).await?;
        papers.push(HandoverPaper {
            code: paper.code,
            name: paper.name,
            media: paper.media,
            size: paper.size,
            digest: paper.digest,
            bytes_base64: STANDARD.encode(bytes),
        });
    }
    Ok(papers)
}

/// One fact a case, however often its line is delivered.
async fn note(cases: &Cases, line: &OutboxLine, held: &Held) -> Result<(), Problem> {
    let (code, to) = (&held.case.code, &held.case.unit);
    cases
        .store
        .write(&line.tenant, &Actor::Platform, |tx| async move {
            let newest = rows::case(&tx, code).await?.ok_or_else(Problem::not_found)?;
            if newest.handed_over_at.is_none() {
                rows::note_handed_over(&tx, code, tx.now()).await?;
                let fact = Fact::CaseHandedOver {
                    case: code.clone(),
                    to: to.clone(),
                };
                tx.fact(&rows::subject(code), fact).await?;
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{PDF, Portal, lan};
    use kernel::Kind;
    use serde_json::json;

    #[tokio::test]
    async fn the_owner_gets_the_case_with_its_papers_and_the_portal_notes_it_once() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        let line = portal.line(&code);
        let deliver = HandOver(portal.cases.clone());
        portal.answer(
            "H56",
            Err(Problem::new(Kind::Unavailable, "provider-unreachable").with("hop", "H56")),
        );
        assert!(deliver.deliver(&line).await.is_err(), "the outbox tries again");
        assert_eq!(portal.facts(&format!("case/{code}")).await, ["case-filed"]);
        portal.answer("H56", Ok((200, json!({"case": code, "received": true}))));
        deliver.deliver(&line).await.expect("handed over");
        deliver.deliver(&line).await.expect("and again");
        assert_eq!(
            portal.facts(&format!("case/{code}")).await,
            ["case-filed", "case-handed-over"]
        );
        let asked = portal.asked();
        let (service, body) = asked.last().expect("asked");
        assert_eq!(service, "H56/one-stop/receive-case");
        let sent: Handover = serde_json::from_value(body.clone()).expect("the agreed body");
        assert_eq!(
            (sent.unit.as_str(), sent.portal.to_string()),
            ("H56.15865", "G22/portal".to_owned())
        );
        assert_eq!(
            sent.answers["mother_name"], "Lê Thị Lan",
            "what registers answered is filed too"
        );
        assert_eq!(
            STANDARD.decode(&sent.papers[0].bytes_base64).expect("base64"),
            PDF.as_bytes()
        );
        assert_eq!(sent.papers[0].digest, Digest::of(PDF.as_bytes()));
    }

    #[tokio::test]
    async fn an_answer_for_another_case_hands_nothing_over() {
        let portal = Portal::new().await;
        let code = portal.filed(&lan()).await;
        portal.answer(
            "H56",
            Ok((200, json!({"case": "G22-261121-9999", "received": true}))),
        );
        assert!(
            HandOver(portal.cases.clone())
                .deliver(&portal.line(&code))
                .await
                .is_err()
        );
        assert_eq!(portal.facts(&format!("case/{code}")).await, ["case-filed"]);
    }
}
