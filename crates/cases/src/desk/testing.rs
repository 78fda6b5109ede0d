//! What the desk's tests share: a province's desk with real documents and keys, and a nation around
//! it that answers as told. Never in a release build.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use ::store::{Deliver, OutboxLine, params};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Parts as RequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use directory::keyring::Keyring;
use directory::{Directory, Snapshot};
use documents::Documents;
use exchange::{Agreement, Ask, Call, Heard, ServiceId, SystemId};
use kernel::{Actor, CaseCode, Digest, Kind, Problem, Time};
use seal::authority::{Authority, Profile, Subject};
use seal::key::Identity;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::{Authenticate, Principal};

use crate::testing::{PDF, birth, case, nouns, pack};
use crate::{Asker, Cases, Parts, Place};

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
fn people() -> [Principal; 10] {
    [
        who("tiep", "Lê Thị Tiếp", None, "receptionist", UNIT),
        who("tiep-2", "Lê Thị Đón", None, "receptionist", UNIT),
        who("tich", "Nguyễn Văn Tịch", None, "officer", UNIT),
        // The father of the child is an officer here.
        who("nam", "Nguyễn Văn Nam", Some("038096000002"), "officer", UNIT),
        who("chu", "Phạm Minh Chủ", None, "chairman", UNIT),
        who("chu-2", "Phạm Minh Phó", None, "chairman", UNIT),
        // No key of theirs is at the node.
        who("chu-3", "Phạm Văn Mới", None, "chairman", UNIT),
        who("tinh", "Hoàng Văn Tỉnh", None, "officer", "H56"),
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

/// The civil-status register and the portal as the desk knows them.
#[derive(Default)]
pub(crate) struct Nation {
    /// Service, idempotency key, body.
    pub(crate) asked: Mutex<Vec<(String, String, Value)>>,
    /// Acts that stand, by case.
    acts: Mutex<BTreeMap<String, u32>>,
    /// Acts ever entered.
    entered: Mutex<u32>,
    /// The statuses the portal noted, once each.
    pub(crate) noted: Mutex<Vec<(u64, u64)>>,
    /// Results the portal got.
    pub(crate) results: Mutex<Vec<Value>>,
    /// The register refuses every act with this code.
    pub(crate) refuses: Mutex<Option<&'static str>>,
    /// Nobody answers.
    pub(crate) away: AtomicBool,
    /// Does what it is asked, and then the answer is lost.
    pub(crate) loses_answers: AtomicBool,
}

#[async_trait]
impl Asker for Nation {
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Problem::new(Kind::Unavailable, "provider-unreachable"));
        }
        let body: Value = serde_json::from_slice(&ask.body).expect("json");
        let key = ask.idempotency.clone().unwrap_or_default();
        self.asked
            .lock()
            .expect("whole")
            .push((ask.service.to_string(), key, body.clone()));
        let (status, answer) = match ask.service.service.as_str() {
            "enter-birth" => self.enter(&body),
            "withdraw-birth" => self.withdraw(&body),
            "note-status" => self.note(&body),
            other => panic!("nobody offers {other}"),
        };
        if self.loses_answers.load(Ordering::SeqCst) {
            return Err(Problem::new(Kind::Unavailable, "provider-unreachable"));
        }
        Ok(Heard {
            status,
            media: "application/json".to_owned(),
            body: Bytes::from(answer.to_string()),
            request: "0".repeat(32),
            position: ("evidence-0".to_owned(), 0),
        })
    }

    fn may_ask(&self, _: &SystemId, _: &ServiceId, _: Time) -> bool {
        true
    }
}

impl Nation {
    fn enter(&self, body: &Value) -> (u16, Value) {
        if let Some(code) = *self.refuses.lock().expect("whole") {
            return (422, json!({"code": code}));
        }
        let case = body["case"].as_str().expect("a case").to_owned();
        let mut acts = self.acts.lock().expect("whole");
        let number = *acts.entry(case).or_insert_with(|| {
            let mut entered = self.entered.lock().expect("whole");
            *entered += 1;
            *entered
        });
        let person = format!("03832600000{number}");
        (
            200,
            json!({"act_number": format!("{number}/2026"), "number": number, "personal_number": person}),
        )
    }

    fn withdraw(&self, body: &Value) -> (u16, Value) {
        let case = body["case"].as_str().expect("a case");
        let had = self.acts.lock().expect("whole").remove(case).is_some();
        (200, json!({"case": case, "withdrawn": had}))
    }

    /// As the portal does: what is noted stays, a gap is refused.
    fn note(&self, body: &Value) -> (u16, Value) {
        let (seq, status) = (
            body["seq"].as_u64().expect("seq"),
            body["status"].as_u64().expect("status"),
        );
        let mut noted = self.noted.lock().expect("whole");
        let last = noted.last().map_or(0, |(seq, _)| *seq);
        if seq > last + 1 {
            return (409, json!({"code": "case-status-gap"}));
        }
        if seq == last + 1 {
            noted.push((seq, status));
            let results = body
                .get("results")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            self.results.lock().expect("whole").extend(results);
        }
        (200, json!({"noted": seq}))
    }

    pub(crate) fn acts_standing(&self) -> usize {
        self.acts.lock().expect("whole").len()
    }

    pub(crate) fn asked_of(&self, service: &str) -> Vec<Value> {
        let asked = self.asked.lock().expect("whole");
        asked
            .iter()
            .filter(|(s, ..)| s.ends_with(service))
            .map(|(.., body)| body.clone())
            .collect()
    }
}

/// Keys of a node, made once a test binary: making them is slow.
struct Keys {
    root: Authority,
    hub: Identity,
    seal: Identity,
    chairs: [Identity; 2],
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let root = testkit::authority();
        let from = testkit::START.plus_ms(-3_600_000);
        let issue = |profile, name: &str, org: &str, serial: u8| {
            let subject = Subject {
                common_name: name.to_owned(),
                organisation: Some(org.to_owned()),
                position: None,
            };
            root.issue(profile, &subject, from, 365, [serial; 16])
                .expect("a certificate")
        };
        Keys {
            hub: issue(Profile::OrganisationSeal, "VPCP", "G22", 1),
            seal: issue(Profile::OrganisationSeal, "UBND tỉnh Thanh Hóa", "H56", 2),
            chairs: [
                issue(Profile::PersonalSignature, "Phạm Minh Chủ", UNIT, 3),
                issue(Profile::PersonalSignature, "Phạm Minh Phó", UNIT, 4),
            ],
            root,
        }
    })
}

/// Short papers: what the pack's own say is tested where they are read back.
const PLAIN: &str = "#let data = json(\"data.json\")\n#set document(title: \"t\")\n#set text(lang: \"vi\")\n#data.at(\"number\", default: data.at(\"case_code\", default: \"\"))\n";

fn plain_templates() -> render::Templates {
    let names = ["receipt.typ", "birth-certificate.typ", "refusal.typ"];
    render::Templates::new(names.map(|name| (name.to_owned(), PLAIN.as_bytes().to_vec()))).expect("templates")
}

/// The pack's own templates.
pub(crate) fn pack_templates() -> render::Templates {
    let files = std::fs::read_dir(pack().join("templates"))
        .expect("templates")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a template"))
        });
    render::Templates::new(files).expect("templates without mistakes")
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
        Self::with(plain_templates(), kernel::limits::Limits::default()).await
    }

    /// A desk that has received one case.
    pub(crate) async fn new() -> Self {
        let desk = Self::empty().await;
        desk.receive(&handover()).await.expect("received");
        desk
    }

    pub(crate) async fn with(templates: render::Templates, limits: kernel::limits::Limits) -> Self {
        let migrations = [
            directory::MIGRATIONS,
            obligations::MIGRATIONS,
            documents::MIGRATIONS,
            crate::MIGRATIONS,
        ];
        let temp = testkit::store_with(&migrations, limits).await;
        temp.clock.set(MONDAY);
        let nation = Arc::new(Nation::default());
        let documents = documents(&temp, templates).await;
        let nouns = nouns();
        let cases = Cases::new(Parts {
            store: temp.store.clone(),
            tenant: "H56".parse().expect("a code"),
            place: Place::Desk,
            system: "H56/one-stop".parse().expect("an id"),
            exchange: nation.clone(),
            documents: Some(documents),
            areas: nouns.areas.clone(),
            organisations: nouns.organisations.clone(),
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
        let answer = service.call(call(consumer, service.id(), body)).await?;
        Ok(serde_json::from_slice(&answer.body).expect("json"))
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

    pub(crate) async fn state(&self) -> String {
        let reader = self.temp.store.read(&self.cases.tenant).await.expect("a reader");
        crate::store::case(&reader, &code())
            .await
            .expect("read")
            .expect("a case")
            .case
            .state
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

    /// Accepted, proposed, and its act entered.
    pub(crate) async fn to_sign(&self) {
        self.accept().await;
        self.propose("granted", "").await;
        self.deliver().await;
        assert_eq!(self.state().await, "to-sign");
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
            let line = &line;
            self.temp
                .store
                .write(&line.tenant, &Actor::Platform, |tx| async move {
                    let sql =
                        "delete from store_outbox where tenant = $1 and topic = $2 and key = $3 and seq = $4";
                    tx.exec(sql, params![&line.tenant, &line.topic, &line.key, line.seq])
                        .await
                })
                .await
                .expect("taken away");
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

fn call(consumer: &str, service: ServiceId, body: &Value) -> Call {
    let consumer: SystemId = consumer.parse().expect("a system");
    Call {
        agreement: Arc::new(agreement(&consumer, &service)),
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

async fn documents(temp: &testkit::TempStore, templates: render::Templates) -> Documents {
    let keys = keys();
    let store = temp.store.clone();
    let file = temp.dir.path().join("directory.jws");
    let directory = Directory::open(
        store.clone(),
        "H56".parse().expect("a code"),
        keys.hub.certificate.clone(),
        file,
    )
    .await
    .expect("a directory");
    let snapshot = Snapshot {
        serial: 1,
        issued: testkit::START,
        anchors: vec![keys.root.certificate().pem()],
        ..Snapshot::empty("G22".parse().expect("a code"))
    };
    let token = snapshot.sign(&keys.hub).expect("signed");
    directory.adopt(&token).await.expect("adopted");
    let keyring = Keyring {
        node: keys.seal.clone(),
        seals: [("H56".parse().expect("a code"), keys.seal.clone())].into(),
        signers: ["chu", "chu-2"]
            .into_iter()
            .map(str::to_owned)
            .zip(keys.chairs.clone())
            .collect(),
    };
    Documents::new(documents::Parts {
        store,
        templates,
        keyring: Arc::new(keyring),
        directory,
        tenants: vec!["H56".parse().expect("a code")],
        base_url: "http://desk.test".to_owned(),
    })
}
