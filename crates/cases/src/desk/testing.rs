//! What the desk's tests share: a province's desk with real documents and keys, and a nation around
//! it that answers as told. Never in a release build.

mod nation;
mod office;

use std::sync::Arc;

use ::store::{Deliver, OutboxLine};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Parts as RequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use exchange::{Agreement, Call, ServiceId, SystemId};
use kernel::{Actor, CaseCode, Digest, Problem, Time};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::{Authenticate, Principal};

pub(crate) use nation::Nation;
pub(crate) use office::{pack_templates, plain_templates, trust};

use crate::testing::{PDF, birth, case, nouns};
use crate::{Cases, Parts, Place};

/// The commune whose desk it is.
pub(crate) const UNIT: &str = "H56.15865";
/// The case that the portal hands over.
pub(crate) const CASE: &str = "G22-261121-0001";
/// Its place in the JSON interface.
pub(crate) const API: &str = "/api/v1/desk/cases/G22-261121-0001";
/// A working morning: Monday, 23 November 2026, 09:30.
pub(crate) const MONDAY: Time = Time(testkit::START.0 + 2 * 86_400_000);

fn who(account: &str, name: &str, number: Option<&str>, role: &str, unit: &str) -> Principal {
    let unit: kernel::OrgCode = unit.parse().expect("a code");
    Principal {
        account: account.to_owned(),
        tenant: unit.top(),
        actor: Actor::Official(account.to_owned()),
        name: name.to_owned(),
        subject: number.map(|n| n.parse().expect("a number")),
        level: 2,
        roles: vec![role.to_owned()],
        unit,
        session: "s".to_owned(),
    }
}

/// Everybody who works at a desk, by account.
fn people() -> [Principal; 15] {
    [
        who("tiep", "Lê Thị Tiếp", None, "receptionist", UNIT),
        who("tiep-2", "Lê Thị Đón", None, "receptionist", UNIT),
        who("tich", "Nguyễn Văn Tịch", None, "officer", UNIT),
        // The father of the child is an officer here.
        who("nam", "Nguyễn Văn Nam", Some("038096000002"), "officer", UNIT),
        who("chu", "Phạm Minh Chủ", None, "chairman", UNIT),
        who("chu-2", "Phạm Minh Phó", None, "chairman", UNIT),
        who("pho", "Trịnh Thị Phó", None, "deputy-chairman", UNIT),
        who("thu", "Bùi Văn Thư", None, "clerk", UNIT),
        who("thu-2", "Bùi Thị Dấu", None, "clerk", UNIT),
        // Proposes and signs in another's absence.
        Principal {
            roles: vec!["officer".to_owned(), "deputy-chairman".to_owned()],
            ..who("hai", "Vũ Thị Hai", None, "officer", UNIT)
        },
        // No key of theirs is at the node.
        who("chu-3", "Phạm Văn Mới", None, "chairman", UNIT),
        who("tinh", "Hoàng Văn Tỉnh", None, "officer", "H56"),
        who("giam", "Vũ Thị Giám", None, "supervisor", "H56"),
        who("ban", "Trần Văn Bạn", None, "officer", "H56.14797"),
        who("xa", "Đỗ Văn Xa", None, "officer", "G22"),
    ]
}

struct FakeSessions;

#[async_trait]
impl Authenticate for FakeSessions {
    async fn authenticate(&self, parts: &RequestParts) -> Result<Option<Principal>, Problem> {
        let key = parts
            .headers
            .get("x-who")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        Ok(people().into_iter().find(|p| p.account == key))
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: String,
}

impl Answer {
    async fn read(response: axum::response::Response) -> Self {
        let status = response.status().as_u16();
        let location = response
            .headers()
            .get("location")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let location = location.to_owned();
        let bytes = axum::body::to_bytes(response.into_body(), 16 << 20)
            .await
            .expect("a body")
            .to_vec();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Self {
            status,
            location,
            bytes,
            body,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The code of a problem.
    pub(crate) fn problem(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap_or_default().to_owned();
        kind.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

/// A province's desk with its router and the nation around it.
pub(crate) struct Desk {
    pub(crate) cases: Cases,
    pub(crate) nation: Arc<Nation>,
    pub(crate) temp: testkit::TempStore,
    router: Router,
}

impl Desk {
    /// A desk that has received nothing yet, on a working morning.
    pub(crate) async fn empty() -> Self {
        Self::with(office::plain_templates(), kernel::limits::Limits::default()).await
    }

    /// A desk that has received one case.
    pub(crate) async fn new() -> Self {
        let desk = Self::empty().await;
        desk.receive(&handover()).await.expect("received");
        desk
    }

    pub(crate) async fn with(templates: render::Templates, limits: kernel::limits::Limits) -> Self {
        let nouns = nouns();
        Self::among(
            templates,
            limits,
            nouns.areas.clone(),
            nouns.organisations.clone(),
        )
        .await
    }

    /// A desk in a country whose units are others than the pack's.
    pub(crate) async fn among(
        templates: render::Templates,
        limits: kernel::limits::Limits,
        areas: Arc<directory::Areas>,
        organisations: Arc<directory::Organisations>,
    ) -> Self {
        let migrations = [
            directory::MIGRATIONS,
            obligations::MIGRATIONS,
            documents::MIGRATIONS,
            crate::MIGRATIONS,
        ];
        let temp = testkit::store_with(&migrations, limits).await;
        temp.clock.set(MONDAY);
        let nation = Arc::new(Nation::default());
        let documents = office::documents(&temp, templates).await;
        let nouns = nouns();
        let cases = Cases::new(Parts {
            store: temp.store.clone(),
            tenant: "H56".parse().expect("a code"),
            place: Place::Desk,
            system: "H56/one-stop".parse().expect("an id"),
            exchange: nation.clone(),
            bank: None,
            documents: Some(documents),
            areas,
            organisations,
            calendars: nouns.calendars.clone(),
            catalogue: nouns.catalogue.clone(),
            base_url: "http://desk.test".to_owned(),
        });
        let (router, _) = crate::router(cases.clone()).split_for_parts();
        let sources = [
            web::TEXTS,
            crate::TEXTS,
            crate::TEXTS_DESK,
            documents::TEXTS,
            obligations::TEXTS,
        ];
        let shared = web::Shared {
            texts: Arc::new(web::Texts::new(&sources).expect("both languages have every text")),
            world: temp.store.world().clone(),
            limits: Arc::new(temp.store.limits().clone()),
            node: web::NodeFace::new("test", "web-home"),
            authenticate: Arc::new(FakeSessions),
        };
        let router = web::present(router, shared);
        Self {
            cases,
            nation,
            temp,
            router,
        }
    }

    /// The portal hands a case over.
    pub(crate) async fn receive(&self, body: &Value) -> Result<Value, Problem> {
        self.receive_from("G22/portal", body).await
    }

    pub(crate) async fn receive_from(&self, consumer: &str, body: &Value) -> Result<Value, Problem> {
        let service = self.cases.services().into_iter().next().expect("one service");
        let answer = service.call(call(consumer, &service.id(), body)).await?;
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
            .call(call("G22/portal", &service.id(), &body))
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

    async fn send(&self, who: &str, request: axum::http::request::Builder, body: String) -> Answer {
        let request = request
            .header("host", "desk.test")
            .header("sec-fetch-site", "same-origin");
        let request = request
            .header("x-who", who)
            .body(Body::from(body))
            .expect("a request");
        Answer::read(self.router.clone().oneshot(request).await.expect("an answer")).await
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(who, Request::get(path), String::new()).await
    }

    pub(crate) async fn form(&self, who: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", web::page::query_value(value)))
            .collect();
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(who, request, pairs.join("&")).await
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(who, request, body.to_string()).await
    }

    /// The case as an officer of the province sees it.
    pub(crate) async fn json(&self) -> Value {
        self.get("tinh", API).await.json()
    }

    /// A verb on the case as it is now, its revision added to `more`.
    pub(crate) async fn verb(&self, who: &str, verb: &str, more: Value) -> Answer {
        let revision = self.revision().await;
        self.verb_at(who, verb, revision, more).await
    }

    pub(crate) async fn verb_at(&self, who: &str, verb: &str, revision: i64, mut more: Value) -> Answer {
        more["revision"] = revision.into();
        self.post(who, &format!("{API}/{verb}"), &more).await
    }

    /// The row's revision, read without looking at the case.
    pub(crate) async fn revision(&self) -> i64 {
        let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
        crate::store::case(&reader, &code())
            .await
            .expect("read")
            .expect("a case")
            .case
            .revision
    }

    /// The case's state; both sides of the books: the row must be the fold of its facts.
    pub(crate) async fn state(&self) -> String {
        let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
        let held = crate::store::case(&reader, &code())
            .await
            .expect("read")
            .expect("a case");
        let facts = self
            .temp
            .store
            .facts_of(&self.cases.tenant, &format!("case/{CASE}"))
            .await
            .expect("facts");
        let procedure = self
            .cases
            .catalogue
            .version(&held.case.version)
            .expect("the case's version");
        let folded = crate::case::state_after(&procedure, facts.iter().map(|r| &r.fact));
        assert_eq!(
            folded.as_deref(),
            Some(held.case.state.as_str()),
            "the row is the fold of its facts"
        );
        held.case.state
    }

    pub(crate) async fn accept(&self) {
        let answer = self.verb("tiep", "accept", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub(crate) async fn propose(&self, outcome: &str, note: &str) {
        let answer = self
            .verb("tich", "propose", json!({"outcome": outcome, "note": note}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Somebody decides, and the node crashes before the result is made.
    pub(crate) async fn claim(&self, account: &str) {
        let who = people()
            .into_iter()
            .find(|p| p.account == account)
            .expect("somebody");
        self.cases
            .decide_and_crash(&who, &code(), self.revision().await)
            .await;
    }

    /// The applicant finds the draft right.
    pub(crate) async fn agree(&self) {
        self.answer_draft(true, "").await;
    }

    /// The applicant says something about the draft.
    pub(crate) async fn answer_draft(&self, agreed: bool, note: &str) {
        let seq = {
            let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
            let said = crate::store::submissions(&reader, &code()).await.expect("read");
            u32::try_from(said.len()).expect("few") + 1
        };
        let said = json!({"kind": "draft-answer", "agreed": agreed, "note": note});
        let taken = self.submit(seq, said, &json!([])).await;
        assert_eq!(taken["taken"], true, "{taken}");
    }

    /// Proposed to be granted, and the draft found right.
    pub(crate) async fn granted(&self, note: &str) {
        self.propose("granted", note).await;
        if self.state().await == "draft" {
            match self.row().await.case.channel {
                kernel::fact::Channel::Online => self.agree().await,
                _ => {
                    let answer = self.verb("tich", "check-draft", json!({"agreed": true})).await;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                }
            }
        }
    }

    async fn row(&self) -> crate::store::Held {
        let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
        let held = crate::store::case(&reader, &code()).await.expect("read");
        held.expect("a case")
    }

    /// Accepted, proposed, looked at, and its act entered.
    pub(crate) async fn to_sign(&self) {
        self.accept().await;
        self.granted("").await;
        self.deliver().await;
        assert_eq!(self.state().await, "to-sign");
    }

    /// Signed by the chairman.
    pub(crate) async fn to_seal(&self) {
        self.to_sign().await;
        let answer = self.verb("chu", "sign", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(self.state().await, "to-seal");
    }

    /// Signed by the chairman and sealed by the clerk; the clerk's answer.
    pub(crate) async fn sign_and_seal(&self) -> Answer {
        let answer = self.verb("chu", "sign", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.verb("thu", "seal", json!({})).await
    }

    /// A clerk takes a number, and the node crashes before the seal is added.
    pub(crate) async fn claim_seal(&self, account: &str) {
        let who = people()
            .into_iter()
            .find(|p| p.account == account)
            .expect("somebody");
        self.cases
            .begin_sealing_and_crash(&who, &code(), self.revision().await)
            .await;
    }

    /// Delivers every line that waits, topic by topic, until one fails; says what failed.
    pub(crate) async fn deliver(&self) -> Vec<Problem> {
        let mut failed = Vec::new();
        for handler in self.cases.deliverers() {
            failed.extend(self.deliver_by(handler.as_ref()).await);
        }
        failed
    }

    /// Delivers the lines of one topic, and takes away those that were.
    pub(crate) async fn deliver_topic(&self, topic: &str) -> Option<Problem> {
        let handlers = self.cases.deliverers();
        let handler = handlers.iter().find(|h| h.topic() == topic).expect("a handler");
        self.deliver_by(handler.as_ref()).await
    }

    async fn deliver_by(&self, handler: &dyn Deliver) -> Option<Problem> {
        for line in self.lines(handler.topic()).await {
            if let Err(problem) = handler.deliver(&line).await {
                return Some(problem);
            }
            self.temp.store.outbox_done(&line).await.expect("taken away");
        }
        None
    }

    pub(crate) async fn lines(&self, topic: &str) -> Vec<OutboxLine> {
        let waiting = self
            .temp
            .store
            .outbox_waiting(&self.cases.tenant)
            .await
            .expect("read");
        waiting.into_iter().filter(|line| line.topic == topic).collect()
    }

    /// The kinds of facts of the case, looks left out.
    pub(crate) async fn facts(&self) -> Vec<String> {
        self.facts_of(&format!("case/{CASE}"))
            .await
            .into_iter()
            .filter(|kind| kind != "case-viewed")
            .collect()
    }

    pub(crate) async fn facts_of(&self, subject: &str) -> Vec<String> {
        let records = self
            .temp
            .store
            .facts_of(&self.cases.tenant, subject)
            .await
            .expect("read");
        let kind = |r: &kernel::FactRecord| serde_json::to_value(&r.fact).expect("json")["fact"].clone();
        records
            .iter()
            .map(|r| kind(r).as_str().expect("text").to_owned())
            .collect()
    }
}

pub(crate) fn code() -> CaseCode {
    CASE.parse().expect("a code")
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

fn call(consumer: &str, service: &ServiceId, body: &Value) -> Call {
    let consumer: SystemId = consumer.parse().expect("a system");
    Call {
        agreement: Arc::new(agreement(&consumer, service)),
        consumer,
        request: "1".repeat(32),
        on_behalf: "citizen:lan".to_owned(),
        issue: Some(CASE.to_owned()),
        idempotency: Some(CASE.to_owned()),
        body: Bytes::from(body.to_string()),
        at: MONDAY,
    }
}

fn agreement(consumer: &SystemId, service: &ServiceId) -> Agreement {
    let text = String::new;
    Agreement {
        id: "01/TT-H56-G22".to_owned(),
        provider: service.org.clone(),
        consumer: consumer.clone(),
        service: service.clone(),
        fields: Vec::new(),
        purpose: text(),
        legal_basis: text(),
        place: text(),
        valid_from: Time(0),
        valid_to: Time(i64::MAX),
        sharing_method: text(),
        handling: text(),
        conditions: text(),
        rate_per_minute: 600,
        commitments: text(),
        protection: text(),
        storage: text(),
        deletion: text(),
        other: text(),
    }
}
