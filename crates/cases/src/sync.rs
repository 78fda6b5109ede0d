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
use serde_json::{Value, json};

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
        let body = cases.status_message(&code, seq).await?;
        let service: ServiceId = SERVICE.parse().expect("a service's name");
        let heard = cases
            .exchange
            .ask(Ask {
                consumer: cases.system.clone(),
                service,
                body: body.to_string().into(),
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
    async fn status_message(&self, code: &CaseCode, seq: u32) -> Result<Value, Problem> {
        let reader = self.store.read(&self.tenant).await?;
        let held = rows::case(&reader, code).await?.ok_or_else(Problem::not_found)?;
        let statuses = rows::statuses(&reader, code).await?;
        let row = statuses
            .iter()
            .find(|row| row.seq == seq)
            .ok_or_else(|| Problem::internal(format_args!("case {code} has no status {seq}")))?;
        let mut body = json!({"code": code, "seq": seq, "status": row.status, "at": row.at});
        if let Some(due) = row.due {
            body["due"] = json!(due);
            body["working_out"] = serde_json::to_value(&held.working_out).map_err(Problem::internal)?;
        }
        if brings_results(&statuses, row) {
            body["results"] = self.results_message(&rows::results(&reader, code).await?).await?;
        }
        Ok(body)
    }

    async fn results_message(&self, results: &[rows::ResultRow]) -> Result<Value, Problem> {
        let mut messages = Vec::with_capacity(results.len());
        for result in results {
            let pdf = self.store.blobs().get(&result.digest).await?;
            messages.push(json!({
                "document": result.document, "name": result.name, "number": result.number,
                "digest": result.digest, "pdf_base64": STANDARD.encode(pdf),
            }));
        }
        Ok(Value::Array(messages))
    }
}

/// Results travel once: with the first status that says there are any.
fn brings_results(statuses: &[StatusRow], row: &StatusRow) -> bool {
    let first = statuses.iter().find(|s| s.status >= DECIDED);
    first.is_some_and(|first| first.seq == row.seq)
}
