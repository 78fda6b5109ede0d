//! What reaches a desk over the exchange in tests: a case handed over, what its applicant sends. Never in a
//! release build.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Digest, Problem};
use serde_json::{Value, json};

use super::{CASE, Desk, MONDAY};
use crate::testing::wire::call;
use crate::testing::{PDF, birth, case};

impl Desk {
    /// The portal hands a case over.
    pub(crate) async fn receive(&self, body: &Value) -> Result<Value, Problem> {
        self.receive_from("G22/portal", body).await
    }

    pub(crate) async fn receive_from(&self, consumer: &str, body: &Value) -> Result<Value, Problem> {
        let service = self.cases.services().into_iter().next().expect("one service");
        let answer = service
            .call(call(consumer, &service.id(), CASE, body, MONDAY))
            .await?;
        Ok(serde_json::from_slice(&answer.body).expect("json"))
    }

    /// The applicant sends something about the case, now.
    pub(crate) async fn submit(&self, seq: u32, said: Value, papers: &Value) -> Value {
        let services = self.cases.services();
        let taking = services.iter().find(|s| s.id().service == "take-submission");
        let service = taking.expect("the desk takes submissions");
        let at = self.temp.store.world().now().ms();
        let body = json!({"case": CASE, "seq": seq, "at": at, "said": said, "papers": papers});
        let answer = service
            .call(call("G22/portal", &service.id(), CASE, &body, MONDAY))
            .await
            .expect("an answer");
        serde_json::from_slice(&answer.body).expect("json")
    }

    /// The applicant gives what was asked for, with an answer changed.
    pub(crate) async fn supply(&self, seq: u32, papers: &Value) -> Value {
        let said =
            json!({"kind": "supplement", "answers": {"father_name": "Nguyễn Văn Nam Mới"}, "note": "Đã sửa"});
        self.submit(seq, said, papers).await
    }
}

/// The body of `receive-case` for the case of these tests.
pub(crate) fn handover() -> Value {
    let case = case(&birth());
    json!({
        "code": case.code, "procedure": case.procedure, "version": case.version, "unit": case.unit,
        "channel": case.channel, "applicant": case.applicant, "answers": case.answers,
        "filed_at": testkit::START.plus_ms(-3_600_000), "portal": "G22/portal",
        "papers": [paper("GCS", PDF.as_bytes())],
    })
}

/// A paper as it is handed over.
pub(crate) fn paper(code: &str, bytes: &[u8]) -> Value {
    json!({
        "code": code, "name": "giấy chứng sinh.pdf", "media": "application/pdf", "size": bytes.len(),
        "digest": Digest::of(bytes), "bytes_base64": STANDARD.encode(bytes),
    })
}
