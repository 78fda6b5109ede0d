//! What a desk keeps of its day: the register of what came in, the sheet of a case, a case that is stopped and the
//! originals that go back, once by the pages and once as a program does it.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth::{self, Answers, PROCEDURE, at_desk};
use testbed::people::Person;

use super::courses::By;
use super::intake::told;
use super::{Script, can, ok};
use crate::example::Ids;
use crate::stage::Cast;

impl Script<'_> {
    /// Reads the register and a sheet, and stops two cases.
    pub(super) async fn daybook(&mut self, cast: &mut Cast, ids: &Ids) -> anyhow::Result<()> {
        for path in [
            "/desk/register",
            "/api/v1/desk/register",
            "/desk/register.pdf",
            "/desk/register.csv",
        ] {
            let look = async { ok(cast.desk.receptionist.get(path).await?) };
            self.leaves(Place::Province, &format!("GET {path}"), look).await?;
        }
        let path = format!("/desk/cases/{}/process-sheet", ids.case);
        let look = async { ok(cast.desk.officer.get(&path).await?) };
        let name = "GET /desk/cases/{code}/process-sheet";
        self.leaves(Place::Province, name, look).await?;
        self.keep_choices(cast).await?;
        self.numbers(cast, &ids.case).await?;
        self.appointments(cast, &ids.case).await?;
        for by in [By::Page, By::Json] {
            let case = self.handed_in(cast, by).await?;
            let why = ("why", json!("Người nộp đề nghị dừng (mẫu)"));
            let officer = &mut cast.desk.officer;
            let seen = at_desk(officer, &case, can("stop")).await?;
            let fields = [("revision", seen["revision"].clone()), why];
            let at = format!("/desk/cases/{case}/stop");
            let stop = by.send(officer, &at, &fields);
            let name = by.name("/desk/cases/{code}/stop");
            self.leaves(Place::Province, &name, stop).await?;
            let receptionist = &mut cast.desk.receptionist;
            let seen = at_desk(receptionist, &case, |c| c["status"] == 8).await?;
            let fields = [("revision", seen["revision"].clone())];
            let at = format!("/desk/cases/{case}/originals");
            let give = by.send(receptionist, &at, &fields);
            let name = by.name("/desk/cases/{code}/originals");
            self.leaves(Place::Province, &name, give).await?;
        }
        Ok(())
    }

    /// Choices of the worklist are kept and dropped.
    async fn keep_choices(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let officer = &mut cast.desk.officer;
        for (by, name) in [(By::Page, "Sắp đến hạn (mẫu)"), (By::Json, "Quá hạn (mẫu)")] {
            let fields = [("name", json!(name)), ("state", json!("soon"))];
            let keep = by.send(officer, "/desk/filters", &fields);
            self.leaves(Place::Province, &by.name("/desk/filters"), keep)
                .await?;
            let kept = officer.get("/api/v1/desk/filters").await?.json()?;
            let id = kept["items"][0]["id"].as_str().context("an id")?;
            let none: [(&str, Value); 0] = [];
            let at = format!("/desk/filters/{id}/drop");
            let drop = by.send(officer, &at, &none);
            let name = by.name("/desk/filters/{id}/drop");
            self.leaves(Place::Province, &name, drop).await?;
        }
        Ok(())
    }

    /// Numbers are taken by anybody, called by a desk and ended.
    async fn numbers(&mut self, cast: &mut Cast, case: &str) -> anyhow::Result<()> {
        let receptionist = &mut cast.desk.receptionist;
        let seen = at_desk(receptionist, case, |_| true).await?;
        let unit = seen["unit"].as_str().context("a unit")?.to_owned();
        let mut anybody = Person::stranger(receptionist.site(), Place::Province);
        for by in [By::Page, By::Json] {
            let none: [(&str, Value); 0] = [];
            let at = format!("/queue/{unit}/take");
            let take = by.send(&mut anybody, &at, &none);
            self.leaves(Place::Province, &by.name("/queue/{unit}/take"), take)
                .await?;
            let desk = [("desk", json!("Quầy 1"))];
            let call = by.send(receptionist, "/desk/queue/call", &desk);
            self.leaves(Place::Province, &by.name("/desk/queue/call"), call)
                .await?;
            let queue = receptionist.get("/api/v1/desk/queue").await?.json()?;
            let path = format!("/desk/queue/{}/end", queue["mine"]["number"]);
            let served = [("outcome", json!("served"))];
            let end = by.send(receptionist, &path, &served);
            self.leaves(Place::Province, &by.name("/desk/queue/{number}/end"), end)
                .await?;
        }
        Ok(())
    }

    /// Half hours are booked by anybody and given back. Nobody arrives: what is booked begins tomorrow.
    async fn appointments(&mut self, cast: &mut Cast, case: &str) -> anyhow::Result<()> {
        let receptionist = &mut cast.desk.receptionist;
        let seen = at_desk(receptionist, case, |_| true).await?;
        let unit = seen["unit"].as_str().context("a unit")?.to_owned();
        let mut anybody = Person::stranger(receptionist.site(), Place::Province);
        let path = format!("/queue/{unit}/appointments");
        let free = anybody.get(&format!("/api/v1{path}")).await?.json()?;
        let slot = [
            ("day", free["day"].clone()),
            ("time", free["slots"][0]["time"].clone()),
        ];
        for by in [By::Page, By::Json] {
            let book = by.send(&mut anybody, &path, &slot);
            self.leaves(Place::Province, &by.name("/queue/{unit}/appointments"), book)
                .await?;
            let body: Value = slot.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
            let made = anybody.post_json(&format!("/api/v1{path}"), &body).await?;
            let id = made["id"].as_str().context("an id")?;
            let none: [(&str, Value); 0] = [];
            let at = format!("{path}/{id}/cancel");
            let cancel = by.send(&mut anybody, &at, &none);
            let name = by.name("/queue/{unit}/appointments/{id}/cancel");
            self.leaves(Place::Province, &name, cancel).await?;
        }
        Ok(())
    }

    /// A birth handed in at the desk whose notice is kept on paper.
    async fn handed_in(&self, cast: &mut Cast, by: By) -> anyhow::Result<String> {
        let mother = birth::couple()?.0;
        let answers = Answers::usual(&self.nation.world)?;
        let receptionist = &mut cast.desk.receptionist;
        let path = format!("/desk/intake/{PROCEDURE}");
        let form = receptionist.get(&path).await?.ok()?.text();
        let sent: Value = json!({
            "intake": if by == By::Page { "sweep-kept-1" } else { "sweep-kept-2" },
            "procedure": PROCEDURE,
            "applicant_number": mother.personal_number, "applicant_name": mother.full_name,
            "answers": told(answers.another(&self.nation.world).fields(&form)),
            "on_paper": ["GCS"],
        });
        let taken = receptionist.post_json("/api/v1/desk/intakes", &sent).await?;
        let case = taken["case"].as_str().context("a case")?;
        Ok(case.to_owned())
    }
}
