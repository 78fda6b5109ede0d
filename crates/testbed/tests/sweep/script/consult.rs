//! A building permit handed in at the desk, about which officials of other communes are asked: twice by the pages and
//! twice as a program does it, answered and taken back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth::{self, at_desk};
use testbed::people::Person;
use testbed::permit;

use super::courses::By;
use super::{Script, can, ok};
use crate::stage::{Cast, SPLIT};

const CONSULTS: &str = "/desk/cases/{code}/consults";
const TAKE_BACK: &str = "/desk/cases/{code}/consults/{number}/take-back";
const ANSWER: &str = "/desk/consults/{code}/{number}/answer";

impl Script<'_> {
    /// Asks, reads, answers and takes back.
    pub(super) async fn consult(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let asked = self.nation.another(Place::Province, "hoi-y-kien", |account| {
            account.roles = vec!["officer".to_owned()];
            account.unit = format!("H56.{}", SPLIT[1]).parse().expect("a unit");
        });
        let mut neighbour = Person::here(&self.nation.site, &asked.await?).await?;
        let world = self.nation.world.clone();
        let case = permit::handed_in(&mut cast.desk.receptionist, &world, "sweep-permit").await?;
        for (by, topic, number) in [(By::Page, "planning", 1_u32), (By::Json, "fire", 2)] {
            self.ask(by, &mut cast.desk.officer, &case, topic).await?;
            self.read(by, &mut cast.desk.officer, &mut neighbour, &case, number)
                .await?;
            let path = format!("/desk/consults/{case}/{number}/answer");
            let sheet = STANDARD.encode(birth::paper(&world)?);
            let answer = answer(by, &mut neighbour, &path, &sheet);
            self.leaves(Place::Province, &by.name(ANSWER), answer).await?;
        }
        // The second answer came with a paper.
        let path = format!("/desk/consults/{case}/2/opinion");
        let look = async { ok(cast.desk.officer.get(&path).await?) };
        let name = "GET /desk/consults/{code}/{number}/opinion";
        self.leaves(Place::Province, name, look).await?;
        for (by, topic, number) in [(By::Page, "planning", 3_u32), (By::Json, "fire", 4)] {
            self.ask(by, &mut cast.desk.officer, &case, topic).await?;
            let path = format!("/desk/cases/{case}/consults/{number}/take-back");
            let why = [("note", json!("Đã có văn bản trả lời (mẫu)"))];
            let back = by.send(&mut cast.desk.officer, &path, &why);
            self.leaves(Place::Province, &by.name(TAKE_BACK), back).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, by: By, officer: &mut Person, case: &str, topic: &str) -> anyhow::Result<()> {
        let seen = at_desk(officer, case, can("consult")).await?;
        let revision = ("revision", seen["revision"].clone());
        let unit = format!("H56.{}", SPLIT[1]);
        let path = format!("/desk/cases/{case}/consults");
        let (unit_field, question_field) = (format!("unit-{topic}"), format!("question-{topic}"));
        let question = "Công trình có phù hợp không? (mẫu)";
        let fields = match by {
            By::Page => vec![
                revision,
                (unit_field.as_str(), json!(unit)),
                (question_field.as_str(), json!(question)),
            ],
            By::Json => vec![
                revision,
                (
                    "asks",
                    json!([{"unit": unit, "topic": topic, "question": question}]),
                ),
            ],
        };
        let call = by.send(officer, &path, &fields);
        self.leaves(Place::Province, &by.name(CONSULTS), call).await
    }

    /// Both sides read what is asked.
    async fn read(
        &mut self,
        by: By,
        officer: &mut Person,
        neighbour: &mut Person,
        case: &str,
        number: u32,
    ) -> anyhow::Result<()> {
        let begin = if by == By::Page { "" } else { "/api/v1" };
        let path = format!("{begin}/desk/cases/{case}/consults");
        let look = async { ok(officer.get(&path).await?) };
        self.leaves(Place::Province, &format!("GET {begin}{CONSULTS}"), look)
            .await?;
        let path = format!("{begin}/desk/consults/{case}/{number}");
        let look = async { ok(neighbour.get(&path).await?) };
        let name = format!("GET {begin}/desk/consults/{{code}}/{{number}}");
        self.leaves(Place::Province, &name, look).await?;
        let path = format!("/desk/consults/{case}/{number}/papers/BV");
        let look = async { ok(neighbour.get(&path).await?) };
        let name = "GET /desk/consults/{code}/{number}/papers/{paper}";
        self.leaves(Place::Province, name, look).await?;
        Ok(())
    }
}

/// Answers a question; as a program does it, with a paper.
async fn answer(by: By, who: &mut Person, path: &str, sheet: &str) -> anyhow::Result<()> {
    let mut fields: Vec<(&str, Value)> = vec![
        ("opinion", json!("remarks")),
        ("text", json!("Giữ khoảng lùi theo quy hoạch (mẫu)")),
    ];
    if by == By::Json {
        fields.push(("paper", json!({"name": "tra-loi.pdf", "pdf_base64": sheet})));
    }
    by.send(who, path, &fields).await
}
