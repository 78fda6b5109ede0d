//! What the tests of this crate share: a node with both registers, and another side that fails on
//! demand. Never in a release build.

mod other;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Parts;
use bytes::Bytes;
use exchange::{Agreement, Call, Service};
use http_body_util::BodyExt as _;
use kernel::time::parse_iso;
use kernel::{Actor, AreaCode, Chance, Digest, Problem, Tenant, Time, World};
use serde_json::{Map, Value, json};
use store::{Store, StoreConfig};
use testkit::{ManualClock, TempDir};
use tower::ServiceExt as _;
use web::{NodeFace, Principal, Shared};

use crate::load::Entry;
use crate::record::{Cause, amend};
use crate::schema::Schema;
use crate::service::Registers;
use crate::store as rows;

pub(crate) use other::{Fail, Other};

pub(crate) const MOTHER: &str = "038194000011";
pub(crate) const FATHER: &str = "038092000012";
const OFFICER: &str = "038085000013";

/// A register's schema from the pack.
pub(crate) fn schema(code: &str) -> Schema {
    let all = Schema::load_all(&pack()).expect("the pack's registers");
    all.into_iter().find(|s| s.code == code).expect("a register")
}

/// The pack of this repository.
pub(crate) fn pack() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn")
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

/// What the one-stop desk sends for a girl born to the pack's specimen parents.
pub(crate) fn birth_body(case: &str) -> Map<String, Value> {
    map(json!({
        "case": case, "book": "H56.14857", "registered_on": "2026-11-21",
        "child": {"full_name": "Lê Thị Mẫu Con", "sex": "female", "date_of_birth": "2026-11-19",
                  "place_of_birth": "Bệnh viện Phụ sản", "ethnicity": "01", "nationality": "VN"},
        "mother": {"full_name": "Lê Thị Mẫu", "personal_number": MOTHER, "date_of_birth": "1994-05-02", "sex": "female"},
        "father": {"full_name": "Trần Văn Mẫu", "personal_number": FATHER},
        "declarant": {"full_name": "Lê Thị Mẫu", "personal_number": MOTHER, "relation": "Mẹ"},
    }))
}

/// Some people, each with a number of their own.
pub(crate) fn people(n: u32) -> Vec<Map<String, Value>> {
    (0..n)
        .map(|i| {
            person(
                &format!("0380{:02}{i:06}", 50 + i % 40),
                "Trần Văn Mẫu",
                "male",
                1950 + i % 40,
            )
        })
        .collect()
}

fn person(number: &str, name: &str, sex: &str, year: u32) -> Map<String, Value> {
    map(json!({
        "personal_number": number, "full_name": name, "sex": sex, "date_of_birth": format!("{year}-05-02"),
        "ethnicity": "01", "nationality": "VN", "residence": {"commune": "14857", "line": "Thôn 1"}, "specimen": true,
    }))
}

/// A principal at the population register's portal.
pub(crate) fn citizen(number: &str) -> Principal {
    Principal {
        account: "c1".into(),
        tenant: "G01".parse().expect("code"),
        actor: Actor::Citizen("c1".into()),
        name: "Lê Thị Mẫu".into(),
        subject: Some(number.parse().expect("a number")),
        level: 2,
        roles: vec!["citizen".into()],
        unit: "G01".parse().expect("code"),
        session: "s1".into(),
    }
}

async fn sql(store: &Store, text: &'static str) {
    let tenant: Tenant = "G01".parse().expect("code");
    store
        .write(&tenant, &Actor::Platform, |tx| async move {
            tx.exec(text, Vec::new()).await
        })
        .await
        .expect("the statement runs");
}

fn service(registers: &Registers, code: &str) -> Arc<dyn Service> {
    registers
        .services()
        .into_iter()
        .find(|s| s.id().service == code)
        .expect("a service")
}

fn call_of(consumer: &str, service: &str, fields: &[&str], key: Option<String>, body: Bytes) -> Call {
    let text = |t: &str| t.to_owned();
    let service: exchange::ServiceId = service.parse().expect("an id");
    let consumer: exchange::SystemId = consumer.parse().expect("an id");
    let agreement = Agreement {
        id: text("01/TT"),
        provider: service.org.clone(),
        consumer: consumer.clone(),
        service,
        fields: fields.iter().map(|f| text(f)).collect(),
        endpoints: Vec::new(),
        purpose: text("Điền sẵn tờ khai"),
        legal_basis: text("Nghị định 47/2020/NĐ-CP"),
        place: text("Hà Nội"),
        valid_from: Time(0),
        valid_to: Time(i64::MAX),
        sharing_method: text("x"),
        handling: text("x"),
        conditions: text("x"),
        rate_per_minute: 600,
        quota: exchange::Quota::default(),
        commitments: text("x"),
        protection: text("x"),
        storage: text("x"),
        deletion: text("x"),
        other: String::new(),
        bodies: None,
        retention_days: None,
        sub_processing: None,
        group: None,
    };
    Call {
        consumer,
        request: "ab".repeat(16),
        agreement: Arc::new(agreement),
        on_behalf: text("citizen:c1"),
        issue: None,
        idempotency: key,
        rest: exchange::Rest::default(),
        body,
        at: testkit::START,
    }
}

/// A node that keeps the population and the civil-status register.
pub(crate) struct House {
    pub(crate) registers: Registers,
    pub(crate) other: Arc<Other>,
    pub(crate) clock: Arc<ManualClock>,
    _kept: Box<dyn std::any::Any + Send + Sync>,
}

/// Chance that always falls the same way.
struct Constant;

impl Chance for Constant {
    fn fill(&self, out: &mut [u8]) {
        out.fill(7);
    }
}

/// An answer, read whole.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

/// Whoever the request's extensions name is signed in.
struct AsTold;

#[async_trait]
impl web::Authenticate for AsTold {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Principal>, Problem> {
        Ok(parts.extensions.get::<Principal>().cloned())
    }
}

impl House {
    /// With three people and a marriage.
    pub(crate) async fn new() -> Self {
        let house = Self::empty().await;
        house.fill().await;
        house
    }

    /// Without a record.
    pub(crate) async fn empty() -> Self {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let (store, clock) = (temp.store.clone(), temp.clock.clone());
        Self::with(store, clock, Box::new(temp))
    }

    /// Where chance always falls the same way.
    pub(crate) async fn unlucky() -> Self {
        let (dir, clock) = (TempDir::new(), Arc::new(ManualClock::at(testkit::START)));
        let world = World {
            clock: clock.clone(),
            chance: Arc::new(Constant),
        };
        let config = StoreConfig {
            database: store::Database::Sqlite(dir.path().join("sen.db")),
            folder: dir.path().to_owned(),
            limits: kernel::limits::Limits::default(),
            node: "ministry".to_owned(),
        };
        let store = Store::open(&config, world, &[crate::MIGRATIONS]).await;
        Self::with(store.expect("a new store opens"), clock, Box::new(dir))
    }

    /// As [`House::unlucky`], with one girl born in 2026 who has this number.
    pub(crate) async fn unlucky_with(number: &str) -> Self {
        let house = Self::unlucky().await;
        let body = person(number, "Lê Thị Mẫu", "female", 2026);
        house.load("population", &[body]).await;
        house
    }

    fn with(store: Store, clock: Arc<ManualClock>, kept: Box<dyn std::any::Any + Send + Sync>) -> Self {
        let other = Other::new();
        let tenants = ["G01", "G12", "G15"].map(|code| code.parse().expect("code"));
        let province: crate::ProvinceOf = Arc::new(|code: &AreaCode, _| match code.as_str() {
            "38" | "14857" | "14870" => "38".parse().ok(),
            "00004" => "01".parse().ok(),
            _ => None,
        });
        let name: crate::NameOf = Arc::new(|code, _| match code.as_str() {
            "G22" => "Văn phòng Chính phủ".to_owned(),
            other => other.to_owned(),
        });
        let land = crate::Land { province, name };
        let registers = Registers::load(&pack(), store, other.clone(), &tenants, land).expect("the pack");
        assert!(other.registers.set(registers.clone()).is_ok());
        Self {
            registers,
            other,
            clock,
            _kept: kept,
        }
    }

    async fn fill(&self) {
        let people = [
            person(MOTHER, "Lê Thị Mẫu", "female", 1994),
            person(FATHER, "Trần Văn Mẫu", "male", 1992),
            person(OFFICER, "Phạm Văn Mẫu", "male", 1985),
        ];
        self.load("population", &people).await;
        let marriage = map(json!({
            "marriage_number": "12/2019", "husband_number": FATHER, "wife_number": MOTHER,
            "husband_name": "Trần Văn Mẫu", "wife_name": "Lê Thị Mẫu",
            "registered_on": "2019-03-08", "registered_at": "H56.14857", "specimen": true,
        }));
        self.load("marriage", &[marriage]).await;
    }

    async fn load(&self, register: &str, bodies: &[Map<String, Value>]) {
        let schema = schema(register);
        let today = testkit::START.date();
        let entries: Vec<Entry> = bodies
            .iter()
            .map(|b| {
                Entry::of(
                    &schema,
                    &crate::check::whole(&schema, b, today).expect("a record"),
                )
                .expect("an entry")
            })
            .collect();
        self.registers
            .load_entries(register, "test", entries.into_iter())
            .await
            .expect("loaded");
    }

    /// A company whose representative is the mother.
    pub(crate) async fn company(&self) {
        let company = map(json!({
            "tax_code": directory::people::SAMPLE_COMPANY, "name": "Công ty TNHH Vận tải Mẫu",
            "founded_on": "2020-02-10", "status": "active", "industries": "4931, 4933",
            "representative": {"personal_number": MOTHER, "full_name": "Lê Thị Mẫu", "title": "Giám đốc"},
            "address": {"commune": "14857", "line": "Thôn 1"}, "specimen": true,
        }));
        self.load("business", &[company]).await;
    }

    pub(crate) fn store(&self) -> &Store {
        self.registers.store()
    }

    pub(crate) fn g01(&self) -> Tenant {
        "G01".parse().expect("code")
    }

    pub(crate) fn g15(&self) -> Tenant {
        "G15".parse().expect("code")
    }

    pub(crate) fn now(&self) -> Time {
        self.store().world().now()
    }

    /// One statement on the node's database.
    pub(crate) async fn sql(&self, text: &'static str) {
        sql(self.store(), text).await;
    }

    /// A call of a service, as its usual consumer.
    pub(crate) async fn call(
        &self,
        code: &str,
        fields: &[&str],
        key: Option<&str>,
        body: Value,
    ) -> Result<Value, Problem> {
        let consumer = match code {
            "assign-number" | "release-number" => "G15/civil-status",
            "enter-birth" | "withdraw-birth" | "issue-card" | "register-residence" | "withdraw-residence" => {
                "H56/one-stop"
            }
            _ => "G22/portal",
        };
        let service = service(&self.registers, code);
        let id = service.id().to_string();
        let call = call_of(
            consumer,
            &id,
            fields,
            key.map(str::to_owned),
            body.to_string().into(),
        );
        let answer = service.call(call).await?;
        Ok(serde_json::from_slice(&answer.body).expect("json"))
    }

    /// A lookup of the mother.
    pub(crate) async fn lookup(&self, fields: &[&str], more: Value) -> Result<Value, Problem> {
        let mut body = map(more);
        body.insert("personal_number".into(), MOTHER.into());
        self.call("person-lookup", fields, None, Value::Object(body))
            .await
    }

    pub(crate) async fn enter(&self, case: &str) -> Result<Value, Problem> {
        self.enter_body(birth_body(case)).await
    }

    pub(crate) async fn enter_body(&self, body: Map<String, Value>) -> Result<Value, Problem> {
        let key = body["case"].as_str().expect("a case").to_owned();
        self.call("enter-birth", &[], Some(&key), Value::Object(body))
            .await
    }

    /// The facts' subject of a person, and the digest in it.
    pub(crate) fn person_subject(&self, number: &str) -> (String, Digest) {
        self.registers.subject(&schema("population"), number)
    }

    pub(crate) fn birth_subject(&self, case: &str) -> String {
        self.registers.subject(&schema("birth"), case).0
    }

    async fn reads(&self, tenant: &Tenant, number: &str) -> usize {
        let digest = &self.store().digest(tenant, number);
        let found = self
            .store()
            .write(tenant, &Actor::Platform, |tx| async move {
                rows::accesses(&tx, digest, "~", 1_000).await
            })
            .await;
        found.expect("rows").len()
    }

    pub(crate) async fn reads_of(&self, number: &str) -> usize {
        self.reads(&self.g01(), number).await
    }

    pub(crate) async fn business_reads_of(&self, number: &str) -> usize {
        self.reads(&"G12".parse().expect("code"), number).await
    }

    pub(crate) async fn marriage_reads_of(&self, number: &str) -> usize {
        self.reads(&self.g15(), number).await
    }

    pub(crate) async fn rows_in(&self, tenant: &Tenant, register: &str) -> u64 {
        let reader = self.store().read(tenant).await.expect("a reader");
        let text =
            "select cast(count(*) as bigint) as n from registers_records where tenant = $1 and register = $2";
        let row = reader
            .one(text, store::params![tenant, register])
            .await
            .expect("a row")
            .expect("a row");
        row.count("n").expect("a count")
    }

    /// Every act, and where it stands.
    pub(crate) async fn acts(&self) -> Vec<(String, String)> {
        let reader = self.store().read(&self.g15()).await.expect("a reader");
        let text = "select record_key, state from registers_records where tenant = $1 and register = 'birth' \
                    and superseded_at is null order by record_key";
        let rows = reader.all(text, store::params![self.g15()]).await.expect("rows");
        rows.iter()
            .map(|r| {
                (
                    r.text("record_key").expect("a key"),
                    r.text("state").expect("a state"),
                )
            })
            .collect()
    }

    /// The body of an act that stands.
    pub(crate) async fn act_body(&self, case: &str) -> Map<String, Value> {
        let found = self
            .store()
            .write(&self.g15(), &Actor::Platform, |tx| async move {
                rows::believed(&tx, "birth", case).await
            })
            .await
            .expect("rows");
        found.0.last().expect("an act").body.clone()
    }

    /// Numbers given to children and not taken back.
    pub(crate) async fn living_numbers(&self) -> u64 {
        let reader = self.store().read(&self.g01()).await.expect("a reader");
        let text = "select cast(count(*) as bigint) as n from registers_records where tenant = $1 \
                    and register = 'population' and source = 'G15/civil-status' and state = 'current' \
                    and superseded_at is null";
        let row = reader
            .one(text, store::params![self.g01()])
            .await
            .expect("a row")
            .expect("a row");
        row.count("n").expect("a count")
    }

    /// A person lives somewhere else from a day on.
    pub(crate) async fn move_person(&self, number: &str, from: &str, commune: &str) {
        let from = Time::at(parse_iso(from).expect("a day"), 0);
        self.store()
            .write(&self.g01(), &Actor::Platform, |tx| async move {
                let (believed, last) = rows::believed(&tx, "population", number).await?;
                let mut body = believed.last().expect("a record").body.clone();
                crate::schema::put(&mut body, "residence.commune", commune.into());
                let cause = Cause {
                    at: tx.now(),
                    source: "test".into(),
                    basis: "test".into(),
                    request: String::new(),
                };
                rows::write(
                    &tx,
                    "population",
                    &amend(&believed, last, number, from, body, &cause),
                )
                .await
            })
            .await
            .expect("moved");
    }

    /// A request to the pages, signed in or not.
    pub(crate) async fn get(&self, path: &str, user: Option<Principal>) -> Page {
        let (router, _) = crate::router(self.registers.clone()).split_for_parts();
        let shared = Shared {
            texts: Arc::new(web::Texts::new(&[web::TEXTS, crate::TEXTS]).expect("the texts agree")),
            world: self.store().world().clone(),
            limits: Arc::new(self.store().limits().clone()),
            node: NodeFace::new("ministry", "registers-usage-title"),
            authenticate: Arc::new(AsTold),
        };
        let mut request = Request::get(path).body(Body::empty()).expect("a request");
        if let Some(user) = user {
            request.extensions_mut().insert(user);
        }
        let response = web::present(router, shared)
            .oneshot(request)
            .await
            .expect("an answer");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        Page {
            status,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }
}
