//! The nation around a desk in tests: a civil-status register and a portal that answer as told. Never
//! in a release build.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use exchange::{Ask, Away, Heard, ServiceId, SystemId};
use kernel::{Kind, Problem, Time};
use serde_json::{Value, json};

use crate::testing::wire;
use crate::{Asker, Cases};

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
    /// The population register refuses to register a residence with this code.
    pub(crate) refuses_residence: Mutex<Option<&'static str>>,
    /// Nobody answers.
    pub(crate) away: AtomicBool,
    /// Since when the gateway knows that nobody does.
    silent: Mutex<Option<Time>>,
    /// What the registers have of people, by the number that they are asked with.
    records: Mutex<BTreeMap<String, Value>>,
    /// Does what it is asked, and then the answer is lost.
    pub(crate) loses_answers: AtomicBool,
    /// A whole portal, which answers for itself where there is one.
    pub(crate) portal: Mutex<Option<Cases>>,
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
        let portal = self.portal.lock().expect("whole").clone();
        if let Some(portal) = portal.filter(|portal| ask.service.provider() == portal.system) {
            return at_portal(&portal, &ask, &body).await;
        }
        let (status, answer) = match ask.service.service.as_str() {
            "enter-birth" => self.enter(&body),
            "withdraw-birth" => self.withdraw(&body),
            "note-status" => self.note(&body),
            "register-residence" => match *self.refuses_residence.lock().expect("whole") {
                Some(code) => (422, json!({"code": code})),
                None => (200, json!({"number": "7/2026"})),
            },
            "issue-card" => (200, json!({"number": "TE1380000000001"})),
            "person-lookup" | "marriage-lookup" => self.look_up(&body),
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

    fn away(&self) -> Vec<Away> {
        let silent = *self.silent.lock().expect("whole");
        let members: [kernel::OrgCode; 3] = ["G01", "G15", "G22"].map(|org| org.parse().expect("a code"));
        let away = silent.map(|since| Away {
            node: "centre".to_owned(),
            members: members.to_vec(),
            since,
        });
        away.into_iter().collect()
    }
}

/// What a portal's own service answers; its refusal is an answer too.
async fn at_portal(portal: &Cases, ask: &Ask, body: &Value) -> Result<Heard, Problem> {
    let services = portal.services();
    let service = services.iter().find(|service| service.id() == ask.service);
    let (case, now) = (ask.issue.clone().unwrap_or_default(), portal.store.world().now());
    let call = wire::call(&ask.consumer.to_string(), &ask.service, &case, body, now);
    let (status, body) = match service.expect("the portal offers it").call(call).await {
        Ok(answer) => (200, answer.body),
        Err(problem) => {
            let told = json!({"code": problem.code}).to_string();
            (problem.kind.status(), Bytes::from(told))
        }
    };
    Ok(Heard {
        status,
        media: "application/json".to_owned(),
        body,
        request: "0".repeat(32),
        position: ("evidence-0".to_owned(), 0),
    })
}

impl Nation {
    /// Cuts everybody off from an instant on, as the gateway sees it; with none, everybody answers again.
    pub(crate) fn cut(&self, since: Option<Time>) {
        self.away.store(since.is_some(), Ordering::SeqCst);
        *self.silent.lock().expect("whole") = since;
    }

    /// A register has a record of whom a number names.
    pub(crate) fn knows(&self, number: &str, record: Value) {
        self.records
            .lock()
            .expect("whole")
            .insert(number.to_owned(), record);
    }

    fn look_up(&self, body: &Value) -> (u16, Value) {
        let keys = body.as_object().expect("a key");
        let number = keys.values().next().and_then(Value::as_str).expect("a number");
        match self.records.lock().expect("whole").get(number) {
            Some(record) => (200, json!({ "record": record })),
            None => (404, json!({"code": "record-not-found"})),
        }
    }

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
