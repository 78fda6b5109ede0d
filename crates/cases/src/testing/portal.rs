//! A portal with its router, registers that answer as the sample nation's do, and a browser.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ::store::OutboxLine;
use async_trait::async_trait;
use axum::Router;
use axum::http::Request;
use axum::http::request::Parts;
use bytes::Bytes;
use exchange::{Ask, Heard, ServiceId, SystemId};
use kernel::limits::Limits;
use kernel::{Problem, Time};
use serde_json::{Value, json};
use web::{Authenticate, Principal};

use crate::testing::{
    Answer, CHILD, PDF, Who, both, designer, foreign, http, in_role, lan, mai, nam, nouns, officer,
    publisher, wire,
};
use crate::{Asker, Cases};

/// Everybody above, by account, tenant and role.
struct FakeSessions;

#[async_trait]
impl Authenticate for FakeSessions {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        let key = parts
            .headers
            .get("x-who")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let people = [lan(), nam(), mai(), officer(), foreign()];
        let office = [
            designer(),
            publisher(),
            both(),
            in_role("operator"),
            in_role("observer"),
        ];
        Ok(people
            .into_iter()
            .chain(office)
            .map(|w| w.0)
            .find(|p| session(p) == key))
    }
}

fn session(p: &Principal) -> String {
    format!("{}@{}", p.account, p.tenant)
}

type Told = Result<(u16, Value), Problem>;

/// The registers and the owner, as far as the portal knows them.
#[derive(Default)]
struct FakeExchange {
    /// By organisation, instead of what the sample registers would say.
    told: Mutex<BTreeMap<String, Told>>,
    asked: Mutex<Vec<(String, Value)>>,
}

#[async_trait]
impl Asker for FakeExchange {
    async fn ask(&self, ask: Ask) -> Result<Heard, Problem> {
        let body: Value = serde_json::from_slice(&ask.body).expect("json");
        let nth = {
            let mut asked = self.asked.lock().expect("whole");
            asked.push((ask.service.to_string(), body.clone()));
            asked.len()
        };
        let told = self
            .told
            .lock()
            .expect("whole")
            .get(ask.service.org.as_str())
            .cloned();
        let (status, answer) = told.unwrap_or_else(|| Ok(register(&ask.service.service, &body)))?;
        Ok(Heard {
            status,
            media: "application/json".to_owned(),
            body: Bytes::from(answer.to_string()),
            request: format!("{nth:032x}"),
            position: ("evidence-0".to_owned(), nth as u64),
        })
    }

    fn may_ask(&self, _: &SystemId, service: &ServiceId, _: Time) -> bool {
        service.org.as_str() == "H56"
    }
}

/// What the sample registers say.
fn register(service: &str, body: &Value) -> (u16, Value) {
    let person = |number: &str, name: &str, sex: &str, born: &str| {
        json!({"record": {"personal_number": number, "full_name": name, "sex": sex, "date_of_birth": born,
            "ethnicity": "01", "nationality": "VN", "hometown": "Thanh Hóa", "residence": {"commune": "15865", "line": "Thôn 3"}}})
    };
    let key = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    match (
        service,
        key("personal_number").as_str(),
        key("wife_number").as_str(),
        key("husband_number").as_str(),
    ) {
        ("person-lookup", "038198000001", ..) => {
            (200, person("038198000001", "Lê Thị Lan", "female", "1998-02-03"))
        }
        ("person-lookup", "038096000002", ..) => (
            200,
            person("038096000002", "Nguyễn Văn Nam", "male", "1996-05-06"),
        ),
        ("marriage-lookup", _, "038198000001", _) | ("marriage-lookup", _, _, "038096000002") => {
            let record = json!({"husband_number": "038096000002", "wife_number": "038198000001",
                "husband_name": "Nguyễn Văn Nam", "wife_name": "Lê Thị Lan"});
            (200, json!({ "record": record }))
        }
        _ => (404, json!({"code": "record-not-found"})),
    }
}

/// A portal with its router.
pub(crate) struct Portal {
    pub(crate) cases: Cases,
    pub(crate) bank: Arc<super::FakeBank>,
    pub(super) temp: testkit::TempStore,
    pub(super) email: Arc<super::FakeMessenger>,
    pub(super) sms: Arc<super::FakeMessenger>,
    router: Router,
    exchange: Arc<FakeExchange>,
}

impl Portal {
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with_page_rows(page_rows_max: usize) -> Self {
        Self::with(Limits {
            page_rows_max,
            ..Limits::default()
        })
        .await
    }

    pub(crate) async fn with_notices(notices_day_max: u64) -> Self {
        Self::with(Limits {
            notices_day_max,
            ..Limits::default()
        })
        .await
    }

    async fn with(limits: Limits) -> Self {
        let temp = testkit::store_with(&[crate::MIGRATIONS], limits).await;
        let exchange = Arc::new(FakeExchange::default());
        let (nouns, bank) = (nouns(), Arc::new(super::FakeBank::default()));
        let email = Arc::new(super::FakeMessenger::default());
        let sms = Arc::new(super::FakeMessenger::default());
        let cases = Cases::new(crate::Parts {
            store: temp.store.clone(),
            tenant: "G22".parse().expect("a code"),
            place: crate::Place::Portal,
            system: "G22/portal".parse().expect("an id"),
            exchange: exchange.clone(),
            bank: Some(bank.clone()),
            messengers: crate::telling::Messengers::new(Some(email.clone()), Some(sms.clone())),
            documents: None,
            areas: nouns.areas.clone(),
            organisations: nouns.organisations.clone(),
            calendars: nouns.calendars.clone(),
            catalogue: nouns.catalogue.clone(),
            base_url: "http://portal.test".to_owned(),
        });
        Self {
            router: Self::routed(&cases),
            cases,
            bank,
            temp,
            email,
            sms,
            exchange,
        }
    }

    /// The same portal started again with another pack's procedures.
    pub(crate) fn with_catalogue(self, catalogue: Arc<crate::Catalogue>) -> Self {
        let cases = Cases::new(crate::Parts {
            store: self.cases.store.clone(),
            tenant: self.cases.tenant.clone(),
            place: crate::Place::Portal,
            system: self.cases.system.clone(),
            exchange: self.exchange.clone(),
            bank: self.cases.bank.clone(),
            messengers: self.cases.messengers.clone(),
            documents: None,
            areas: self.cases.areas.clone(),
            organisations: self.cases.organisations.clone(),
            calendars: self.cases.calendars.clone(),
            catalogue: crate::testing::dated(catalogue),
            base_url: self.cases.base_url.clone(),
        });
        Self {
            router: Self::routed(&cases),
            cases,
            ..self
        }
    }

    fn routed(cases: &Cases) -> Router {
        let (router, _) = crate::router(cases.clone()).split_for_parts();
        let shared = web::Shared {
            texts: Arc::new(
                web::Texts::new(&[
                    web::TEXTS,
                    crate::TEXTS,
                    crate::TEXTS_DESIGN,
                    crate::TEXTS_INBOX,
                    crate::TEXTS_WALLET,
                ])
                .expect("both languages have every text"),
            ),
            world: cases.store.world().clone(),
            limits: Arc::new(cases.store.limits().clone()),
            node: web::NodeFace {
                nav: vec![web::NavItem::new("/inbox", "inbox-title", Some("citizen"))],
                marks: web::shared::Marks(vec![Arc::new(crate::inbox::Unread(cases.clone()))]),
                ..web::NodeFace::new("test", "web-home")
            },
            authenticate: Arc::new(FakeSessions),
        };
        web::present(router, shared)
    }

    async fn send(&self, who: Option<&Who>, request: axum::http::request::Builder, body: Vec<u8>) -> Answer {
        let request = match who {
            Some(who) => request.header("x-who", session(&who.0)),
            None => request,
        };
        http::send(&self.router, request.header("host", "portal.test"), body).await
    }

    pub(crate) async fn get(&self, who: Option<&Who>, path: &str) -> Answer {
        let path = path.replace(' ', "%20").chars().map(percent).collect::<String>();
        self.send(who, Request::get(path), Vec::new()).await
    }

    pub(crate) async fn post(&self, who: Option<&Who>, path: &str, fields: &[(&str, &str)]) -> Answer {
        let (request, body) = http::form(path, fields);
        self.send(who, request, body).await
    }

    pub(crate) async fn post_json(&self, who: Option<&Who>, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(who, request, body.to_string().into_bytes()).await
    }

    pub(crate) async fn send_text(&self, who: Option<&Who>, path: &str, text: &str) -> Answer {
        let request = Request::post(path).header("content-type", "application/jose");
        self.send(who, request, text.as_bytes().to_vec()).await
    }

    pub(crate) async fn upload(&self, who: &Who, path: &str, name: &str, bytes: &[u8]) -> Answer {
        let (request, body) = http::upload(path, &[], ("file", name, bytes));
        self.send(Some(who), request, body).await
    }

    /// An upload with other fields beside the file, which is named so and has these bytes.
    pub(crate) async fn upload_with(
        &self,
        who: &Who,
        path: &str,
        fields: &[(&str, &str)],
        (name, bytes): (&str, &[u8]),
    ) -> Answer {
        let (request, body) = http::upload(path, fields, ("file", name, bytes));
        self.send(Some(who), request, body).await
    }

    /// A new draft's address.
    pub(crate) async fn start(&self, who: &Who) -> String {
        let went = self.post(Some(who), "/procedures/1.001193/start", &[]).await;
        assert_eq!(went.status, 303, "{}", went.body);
        went.location()
    }

    pub(crate) async fn page(
        &self,
        who: &Who,
        path: &str,
        page: &str,
        revision: i64,
        fields: &[(&str, &str)],
    ) -> Answer {
        let revision = revision.to_string();
        let mut all = vec![("revision", revision.as_str())];
        all.extend_from_slice(fields);
        self.post(Some(who), &format!("{path}/pages/{page}"), &all).await
    }

    pub(crate) async fn revision(&self, who: &Who, path: &str) -> i64 {
        self.get(Some(who), &format!("/api/v1{path}")).await.json()["revision"]
            .as_i64()
            .expect("a number")
    }

    /// A draft with nothing missing.
    pub(crate) async fn whole(&self, who: &Who) -> String {
        let path = self.start(who).await;
        self.post(Some(who), &format!("{path}/prefill"), &[]).await;
        let declarant = &[
            ("declarant_relation", "mother"),
            ("receive_at", "xã Hoằng Hóa, tỉnh Thanh Hóa"),
        ];
        for (page, fields) in [("child", CHILD), ("parents", &[]), ("declarant", declarant)] {
            let revision = self.revision(who, &path).await;
            let went = self.page(who, &path, page, revision, fields).await;
            assert_eq!(went.status, 303, "{page}: {}", went.body);
        }
        let went = self
            .upload(who, &format!("{path}/papers/GCS"), "giay.pdf", PDF.as_bytes())
            .await;
        assert_eq!(went.status, 303, "{}", went.body);
        path
    }

    pub(crate) async fn file(&self, who: &Who, path: &str) -> Answer {
        let revision = self.revision(who, path).await.to_string();
        self.post(
            Some(who),
            &format!("{path}/file"),
            &[("revision", revision.as_str())],
        )
        .await
    }

    /// A filed case's code.
    pub(crate) async fn filed(&self, who: &Who) -> String {
        let path = self.whole(who).await;
        let at = self.file(who, &path).await.location();
        at.trim_start_matches("/cases/")
            .trim_end_matches("?filed=1")
            .to_owned()
    }

    /// What an organisation answers from now on.
    pub(crate) fn answer(&self, organisation: &str, told: Told) {
        self.exchange
            .told
            .lock()
            .expect("whole")
            .insert(organisation.to_owned(), told);
    }

    pub(crate) fn asked(&self) -> Vec<(String, Value)> {
        self.exchange.asked.lock().expect("whole").clone()
    }

    /// The keys of a subject's facts, in order.
    pub(crate) async fn facts(&self, subject: &str) -> Vec<String> {
        let facts = self
            .temp
            .store
            .facts_of(&self.cases.tenant, subject)
            .await
            .expect("facts");
        facts.iter().map(http::kind).collect()
    }

    /// The keys of all facts about drafts.
    pub(crate) async fn facts_of_drafts(&self) -> Vec<String> {
        self.temp.store.seal_facts_now().await.expect("sealed");
        let all = self.temp.store.facts_from(0, 1_000).await.expect("facts");
        all.iter()
            .filter(|(_, f)| f.subject.starts_with("draft/"))
            .map(|(_, f)| http::kind(f))
            .collect()
    }

    /// Topic and key of what waits for delivery.
    pub(crate) async fn waiting(&self) -> Vec<(String, String)> {
        let lines = self
            .temp
            .store
            .outbox_waiting(&self.cases.tenant)
            .await
            .expect("lines");
        lines.into_iter().map(|l| (l.topic, l.key)).collect()
    }

    /// The outbox line of a filed case.
    pub(crate) fn line(&self, code: &str) -> OutboxLine {
        OutboxLine {
            id: "l".to_owned(),
            tenant: self.cases.tenant.clone(),
            topic: crate::handover::TOPIC.to_owned(),
            key: code.to_owned(),
            seq: 1,
            payload: json!({ "code": code }),
            attempts: 0,
            created: testkit::START,
            next_at: testkit::START,
            tried: None,
            why: None,
        }
    }

    /// The owner of the sample cases notes a status.
    pub(crate) async fn note(&self, code: &str, note: Value) -> Result<Value, Problem> {
        self.note_by("H56/one-stop", code, note).await
    }

    pub(crate) async fn note_by(
        &self,
        consumer: &str,
        code: &str,
        mut note: Value,
    ) -> Result<Value, Problem> {
        note["code"] = json!(code);
        if note.get("at").is_none() {
            note["at"] = json!(testkit::START.ms());
        }
        let service = crate::portal::NoteStatus(self.cases.clone());
        let call = wire::call(
            consumer,
            &exchange::Service::id(&service),
            code,
            &note,
            testkit::START,
        );
        let answer = exchange::Service::call(&service, call).await?;
        Ok(serde_json::from_slice(&answer.body).expect("json"))
    }

    /// A result as an owner sends it.
    pub(crate) fn result(&self, document: &str, bytes: &[u8]) -> Value {
        let pdf = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
        json!({"document": document, "name": "Giấy khai sinh", "number": "1/2026",
            "digest": kernel::Digest::of(bytes).hex(), "pdf_base64": pdf})
    }
}

/// Percent-encodes what a request line cannot carry.
fn percent(c: char) -> String {
    if c.is_ascii() {
        c.to_string()
    } else {
        web::page::query_value(&c.to_string())
    }
}
