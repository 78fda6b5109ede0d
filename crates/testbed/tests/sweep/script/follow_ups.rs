//! The joint procedure whose residence the population register refuses, because the same case has registered another one
//! before: an officer has it handed over again, once by the page and once as a program does it.

use anyhow::{Context as _, ensure};
use directory::people::SAMPLE_COMMUNE;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth::{self, Answers, act, at_desk};
use testbed::raw;

use super::courses::By;
use super::intake::told;
use super::{Script, can};
use crate::stage::Cast;

/// Birth, residence and health card in one.
const JOINT: &str = "2.000986";

impl Script<'_> {
    /// Has what was refused handed over again, twice.
    pub(super) async fn follow_ups(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let case = self.joint(cast).await?;
        for by in [By::Page, By::Json] {
            let officer = &mut cast.desk.officer;
            let seen = at_desk(officer, &case, |c| c["follow_ups"][0]["state"] == "failed").await?;
            ensure!(
                seen["follow_ups"][1]["state"] == "waits",
                "the card waits: {seen:#}"
            );
            let fields = [
                ("revision", seen["revision"].clone()),
                ("step", json!("residence")),
            ];
            let at = format!("/desk/cases/{case}/follow-ups");
            let again = by.send(officer, &at, &fields);
            let name = by.name("/desk/cases/{code}/follow-ups");
            self.leaves(Place::Province, &name, again).await?;
        }
        Ok(())
    }

    /// A case with its certificate, under which a residence was registered before its own.
    async fn joint(&self, cast: &mut Cast) -> anyhow::Result<String> {
        let mother = birth::couple()?.0;
        let answers = Answers::usual(&self.nation.world)?.with("child_commune", SAMPLE_COMMUNE);
        let receptionist = &mut cast.desk.receptionist;
        let form = receptionist.get(&format!("/desk/intake/{JOINT}")).await?;
        let form = form.ok()?.text();
        let sent: Value = json!({
            "intake": "sweep-joint-1", "procedure": JOINT,
            "applicant_number": mother.personal_number, "applicant_name": mother.full_name,
            "answers": told(answers.another(&self.nation.world).fields(&form)),
            "on_paper": ["GCS"],
        });
        let taken = receptionist.post_json("/api/v1/desk/intakes", &sent).await?;
        let case = taken["case"].as_str().context("a case")?.to_owned();
        let residence = json!({
            "case": case, "personal_number": mother.personal_number,
            "registered_on": kernel::time::iso(self.nation.world.now().date()),
            "residence": {"commune": SAMPLE_COMMUNE, "line": "Thôn 3"},
        });
        let service = "G01/population/register-residence";
        let site = &self.nation.site;
        let said = raw::ask(site, Place::Province, "H56/one-stop", service, &residence).await?;
        ensure!(said.status == 200, "{}", said.text());
        let officer = &mut cast.desk.officer;
        let seen = at_desk(officer, &case, can("propose")).await?;
        let granted = json!({"outcome": "granted", "note": "Đủ điều kiện (mẫu)"});
        let proposed = act(officer, &seen, "propose", &granted).await?;
        act(officer, &proposed, "check-draft", &json!({"agreed": true})).await?;
        let chairman = &mut cast.desk.chairman;
        let seen = at_desk(chairman, &case, |c| c["state"] == "to-sign").await?;
        cast.desk.sign_and_seal(&seen).await?;
        Ok(case)
    }
}
