//! A birth handed in at the desk under another name of the mother than the register has: the officer has the register asked
//! once more by the page, and notes as a program does it what came of it.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth::{self, Answers, PROCEDURE, at_desk};

use super::Script;
use super::courses::By;
use super::intake::told;
use crate::stage::Cast;

impl Script<'_> {
    /// Has the register asked again, and settles it.
    pub(super) async fn checks(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let mother = birth::couple()?.0;
        let answers = Answers::usual(&self.nation.world)?.with("mother_name", "Lê Thị Khác Tên");
        let receptionist = &mut cast.desk.receptionist;
        let form = receptionist.get(&format!("/desk/intake/{PROCEDURE}")).await?;
        let form = form.ok()?.text();
        let sent: Value = json!({
            "intake": "sweep-checks-1", "procedure": PROCEDURE,
            "applicant_number": mother.personal_number, "applicant_name": mother.full_name,
            "answers": told(answers.another(&self.nation.world).fields(&form)),
            "on_paper": ["GCS"],
        });
        let taken = receptionist.post_json("/api/v1/desk/intakes", &sent).await?;
        let case = taken["case"].as_str().context("a case")?.to_owned();
        let at = format!("/desk/cases/{case}/checks");
        for (by, what) in [(By::Page, "again"), (By::Json, "settle")] {
            let officer = &mut cast.desk.officer;
            at_desk(officer, &case, |c| c["checks"][0]["state"] == "differs").await?;
            let fields = [
                ("check", json!(1)),
                ("what", json!(what)),
                ("check_note", json!("Đã xem giấy tờ gốc (mẫu)")),
            ];
            let send = by.send(officer, &at, &fields);
            let name = by.name("/desk/cases/{code}/checks");
            self.leaves(Place::Province, &name, send).await?;
        }
        Ok(())
    }
}
