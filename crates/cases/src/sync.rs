//! The owner tells the portal each change of a case's national status: once, in order. What is sent
//! is read from the rows when it is sent; the portal knows a repeated one by its number. Never
//! changes a case.

use ::store::{Deliver, OutboxLine, Tx};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::{Ask, ServiceId};
use kernel::{CaseCode, Problem};
use serde::Deserialize;
use serde_json::json;

use crate::portal::note_status::{GivenResult, StatusNote};
use crate::state::Cases;
use crate::store::{self as rows, StatusRow};

/// The outbox topic; its keys are case codes, so that a case's lines keep their order.
pub const TOPIC: &str = "case-status";
/// The system at which citizens follow their cases.
pub const PORTAL: &str = "G22/portal";
const SERVICE: &str = "G22/portal/note-status";
/// The national status from which on there is a result.
const DECIDED: u8 = 9;

/// Which status row a line is about.
#[derive(Deserialize)]
struct Payload {
    seq: u32,
}

/// Puts a status row in line for the portal.
///
/// # Errors
/// Unavailable.
pub(crate) async fn enqueue(tx: &Tx, code: &CaseCode, seq: u32) -> Result<(), Problem> {
    tx.outbox(TOPIC, code.as_str(), &json!({"seq": seq})).await
}

/// Delivers status lines.
#[derive(Debug)]
pub struct Sync(pub(crate) Cases);

#[async_trait]
impl Deliver for Sync {
    fn topic(&self) -> &'static str {
        TOPIC
    }

    async fn deliver(&self, line: &OutboxLine) -> Result<(), Problem> {
        let cases = &self.0;
        let code: CaseCode = line.key.parse().map_err(Problem::internal)?;
        let Payload { seq } = serde_json::from_value(line.payload.clone()).map_err(Problem::internal)?;
        let note = cases.status_note(&code, seq).await?;
        let service: ServiceId = SERVICE.parse().expect("a service's name");
        let heard = cases
            .exchange
            .ask(Ask {
                consumer: cases.system.clone(),
                service,
                body: serde_json::to_vec(&note).map_err(Problem::internal)?.into(),
                on_behalf: format!("system:{}", cases.system),
                issue: Some(code.to_string()),
                idempotency: Some(format!("{code}/{seq}")),
            })
            .await?;
        if (200..300).contains(&heard.status) {
            Ok(())
        } else {
            Err(heard.refusal())
        }
    }
}

impl Cases {
    /// What the portal is told about one change of status.
    async fn status_note(&self, code: &CaseCode, seq: u32) -> Result<StatusNote, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let held = rows::case(&reader, code).await?.ok_or_else(Problem::not_found)?;
        let statuses = rows::statuses(&reader, code).await?;
        let row = statuses
            .iter()
            .find(|row| row.seq == seq)
            .ok_or_else(|| Problem::internal(format_args!("case {code} has no status {seq}")))?;
        let mut results = Vec::new();
        if brings_results(&statuses, row) {
            for result in rows::results(&reader, code).await? {
                let pdf = self.store.blobs().get(&result.digest).await?;
                results.push(GivenResult {
                    document: result.document,
                    name: result.name,
                    number: result.number,
                    digest: result.digest,
                    pdf_base64: STANDARD.encode(pdf),
                });
            }
        }
        Ok(StatusNote {
            code: code.clone(),
            seq,
            status: row.status,
            at: row.at,
            due: row.due,
            working_out: row.due.and(held.working_out),
            results,
        })
    }
}

/// Results travel once: with the first status that says there are any.
fn brings_results(statuses: &[StatusRow], row: &StatusRow) -> bool {
    let first = statuses.iter().find(|s| s.status >= DECIDED);
    first.is_some_and(|first| first.seq == row.seq)
}
