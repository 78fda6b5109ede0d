//! Steps 3 to 5: the form, its prefill, filing, and the statuses that come back.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::cast::{Cast, until};
use super::http::File;
use crate::up::nation::Place;

/// What the mother answers; the fields a register fills are not asked.
const ANSWERS: [(&str, &str); 14] = [
    ("child_sex", "female"),
    ("child_birth_place", "Bệnh viện Phụ sản Thanh Hóa (mẫu)"),
    ("child_birth_commune", "Phường Hạc Thành, Thanh Hóa"),
    ("child_hometown", "Thanh Hóa"),
    ("child_ethnicity", "01"),
    ("child_nationality", "VN"),
    ("declarant_relation", "mother"),
    ("mother_ethnicity", "01"),
    ("mother_nationality", "VN"),
    ("father_ethnicity", "01"),
    ("father_nationality", "VN"),
    ("mother_line", "Thôn 1"),
    ("father_line", "Thôn 1"),
    ("outcome", ""),
];

/// What the child is called besides.
const NAMES: [&str; 16] = [
    "Anh", "Bình", "Chi", "Dung", "Giang", "Hà", "Khuê", "Lam", "Mai", "Ngân", "Oanh", "Phúc", "Quỳnh",
    "Sương", "Thu", "Vy",
];

/// What the registers fill, and what the agreements grant for it.
const FILLED: [&str; 6] = [
    "mother_number",
    "mother_name",
    "mother_born",
    "father_number",
    "father_name",
    "father_born",
];

impl Cast {
    /// Step 3.
    pub(super) async fn prefill(&mut self) -> anyhow::Result<Value> {
        let (national, began) = (self.national(), self.world.now());
        let begun = self
            .mother
            .post(&format!("{national}/procedures/1.001193/start"), &[])
            .await?;
        begun.ok()?;
        let draft = begun.url.rsplit("/drafts/").next().context("a draft's address")?;
        self.draft = draft.split(['/', '?']).next().unwrap_or_default().to_owned();
        self.mother
            .post(&format!("{national}/drafts/{}/prefill", self.draft), &[])
            .await?
            .ok()?;
        let draft = self.draft().await?;
        let filled = draft["prefilled"]
            .as_object()
            .context("the draft names what was filled")?;
        for field in FILLED {
            ensure!(
                filled.get(field).is_some_and(|f| !f["value"].is_null()),
                "{field} was not filled"
            );
        }
        self.questions = self.questions_since(began).await?;
        let asked = |service: &str| self.questions.iter().filter(|(s, _)| s == service).count();
        ensure!(
            asked("G01/population/person-lookup") == 2,
            "the population register was not asked for both parents"
        );
        ensure!(
            asked("G15/civil-status/marriage-lookup") == 1,
            "the civil-status register was not asked for the marriage"
        );
        let national_evidence = self.evidence(0, Place::National).await?;
        let ministry_evidence = self.evidence(1, Place::Ministry).await?;
        Ok(json!({
            "filled": filled.keys().collect::<Vec<_>>(),
            "exchanges": self.questions,
            "evidence_national": national_evidence,
            "evidence_ministry": ministry_evidence,
        }))
    }

    /// The questions the portal has asked since an instant, as its evidence names them.
    async fn questions_since(&mut self, began: kernel::Time) -> anyhow::Result<Vec<(String, String)>> {
        let list = format!("{}/api/v1/exchange/exchanges", self.national());
        let operator = &mut self.operators[0];
        until("three questions in the evidence", async || {
            let exchanges = operator.get(&list).await?.json()?;
            let ours = exchanges.as_array().context("a list")?.iter().filter(|e| {
                e["side"] == "consumer" && e["began"].as_i64().is_some_and(|at| at >= began.ms())
            });
            let text = |e: &Value, key: &str| e[key].as_str().unwrap_or_default().to_owned();
            let questions: Vec<_> = ours.map(|e| (text(e, "service"), text(e, "request"))).collect();
            Ok((questions.len() >= 3).then_some(questions))
        })
        .await
    }

    pub(super) async fn draft(&mut self) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/drafts/{}", self.national(), self.draft);
        self.mother.get(&url).await?.json()
    }

    /// The positions of this story's exchanges in a node's log, each proved to be in it.
    async fn evidence(&mut self, operator: usize, place: Place) -> anyhow::Result<Vec<Value>> {
        let url = self.nation.url(place);
        let mut proved = Vec::new();
        for (service, request) in self.questions.clone() {
            let browser = &mut self.operators[operator];
            let address = format!("{url}/api/v1/exchange/exchanges/{request}/proof");
            let proof = until("evidence", async || {
                Ok(Some(browser.get(&address).await?.json()?))
            })
            .await?;
            proofs_hold(&proof)?;
            proved.push(json!({"service": service, "position": proof["exchange"]["position"]}));
        }
        Ok(proved)
    }

    /// Step 4.
    pub(super) async fn file(&mut self) -> anyhow::Result<Value> {
        let national = self.national();
        let (yesterday, commune) = (self.world.now().plus_ms(-86_400_000).date(), self.commune()?);
        let (day, month, year) = (
            yesterday.day().to_string(),
            u8::from(yesterday.month()).to_string(),
            yesterday.year().to_string(),
        );
        // One child has one act: the story may be told again at the same nation.
        let syllables = self.world.random::<8>().map(|byte| NAMES[usize::from(byte % 16)]);
        let child = format!("Lê Nguyễn Sen An {}", syllables.join(" "));
        let mut answers: BTreeMap<&str, &str> = ANSWERS.into_iter().collect();
        answers.extend([
            ("child_born-day", day.as_str()),
            ("child_born-month", &month),
            ("child_born-year", &year),
        ]);
        answers.insert("receive_at", &commune);
        answers.insert("child_name", &child);
        for page in ["child", "parents", "declarant"] {
            let address = format!("{national}/drafts/{}/pages/{page}", self.draft);
            let form = self.mother.get(&address).await?;
            form.ok()?;
            let fields = super::tools::form(&form.text(), &answers);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            self.mother
                .post(&address, &fields)
                .await?
                .ok()
                .with_context(|| format!("page {page}"))?;
        }
        let paper = super::tools::birth_notice(self.world.now())?;
        let address = format!("{national}/drafts/{}/papers/GCS", self.draft);
        let form = self.mother.get(&address).await?;
        let revision = super::http::hidden(&form.text(), "revision").unwrap_or_default();
        let file = File {
            field: "file",
            name: "giay-chung-sinh.pdf",
            media: "application/pdf",
            bytes: &paper,
        };
        self.mother
            .upload(&address, &[("revision", &revision)], &file)
            .await?
            .ok()?;
        let check = self
            .mother
            .get(&format!("{national}/drafts/{}/check", self.draft))
            .await?;
        check.ok()?;
        ensure!(
            check.text().contains("Sen An"),
            "the answers are not shown for a check"
        );
        let revision = super::http::hidden(&check.text(), "revision").unwrap_or_default();
        let address = format!("{national}/drafts/{}/file", self.draft);
        let filed = self.mother.post(&address, &[("revision", &revision)]).await?;
        filed.ok()?;
        let code = filed.url.rsplit("/cases/").next().context("a case's address")?;
        self.case = code.split(['/', '?']).next().unwrap_or_default().to_owned();
        self.case
            .parse::<kernel::CaseCode>()
            .ok()
            .context("the case code has no legal form")?;
        // Pressing the button twice is one case.
        let again = self.mother.post(&address, &[("revision", &revision)]).await?;
        ensure!(again.url.contains(&self.case), "filing twice gave two cases");
        let status = self.portal_case().await?["status"].clone();
        let (desk, case) = (
            format!("{}/api/v1/desk/cases/{}", self.province(), self.case),
            self.case.clone(),
        );
        let browser = &mut self.receptionist;
        until("the case at H56", async || {
            Ok(Some(browser.get(&desk).await?.json()?))
        })
        .await?;
        let list = browser
            .get(&format!("{}/api/v1/desk/cases", self.nation.url(Place::Province)))
            .await?
            .json()?;
        let times = list["items"]
            .as_array()
            .map_or(0, |i| i.iter().filter(|c| c["code"] == case.as_str()).count());
        ensure!(times == 1, "H56 has the case {times} times");
        Ok(
            json!({"case": self.case, "status_at_filing": status, "paper_bytes": paper.len(), "at_h56": times}),
        )
    }

    /// Where the sample mother lives, as she would type it.
    fn commune(&self) -> anyhow::Result<String> {
        let config = crate::config::Config::default();
        let areas = directory::Areas::load(&config.pack)?;
        let code = directory::people::SAMPLE_COMMUNE
            .parse()
            .ok()
            .context("an area code")?;
        Ok(areas.full_path(&code, self.world.now().date()))
    }

    pub(super) async fn portal_case(&mut self) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/cases/{}", self.national(), self.case);
        self.mother.get(&url).await?.json()
    }

    /// Step 5: the receptionist accepts while the portal is dead.
    pub(super) async fn statuses_survive_a_kill(&mut self) -> anyhow::Result<Value> {
        let desk = format!("{}/api/v1/desk/cases/{}", self.province(), self.case);
        let ours = self.nation.is_ours();
        if ours {
            self.nation.kill(Place::National).await?;
        }
        let seen = self.receptionist.get(&desk).await?.json()?;
        let accepted = self
            .receptionist
            .post_json(&format!("{desk}/accept"), &json!({"revision": seen["revision"]}))
            .await?;
        if ours {
            self.nation.start_node(Place::National).await?;
        }
        let case = self.case.clone();
        let url = format!("{}/api/v1/cases/{case}", self.national());
        let browser = &mut self.mother;
        let noted = until("status 2 at the portal", async || {
            let seen = browser.get(&url).await?.json()?;
            Ok((seen["status"] == 2).then_some(seen))
        })
        .await?;
        let statuses = in_order_once(&noted)?;
        ensure!(statuses == [1, 2], "the portal has the statuses {statuses:?}");
        Ok(json!({"national_killed": ours, "owner_state": accepted["state"], "statuses_at_portal": statuses}))
    }
}

/// The statuses of a case at the portal: their numbers must follow each other without a gap.
pub(super) fn in_order_once(case: &Value) -> anyhow::Result<Vec<u64>> {
    let list = case["statuses"].as_array().context("statuses")?;
    let numbers: Vec<u64> = list.iter().filter_map(|s| s["seq"].as_u64()).collect();
    ensure!(
        numbers.len() == list.len() && numbers.windows(2).all(|w| w[1] == w[0] + 1),
        "statuses out of order: {numbers:?}"
    );
    Ok(list.iter().filter_map(|s| s["status"].as_u64()).collect())
}

/// Recomputes an inclusion proof with nothing but what the node handed out.
fn proofs_hold(proof: &Value) -> anyhow::Result<()> {
    let digest = |v: &Value| v.as_str().and_then(kernel::Digest::parse).context("a digest");
    let path = proof["path"]
        .as_array()
        .context("a path")?
        .iter()
        .map(digest)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (position, size) = (proof["exchange"]["position"].as_u64(), proof["size"].as_u64());
    let (position, size) = (position.context("a position")?, size.context("a size")?);
    let holds = seal::merkle::verify_inclusion(
        &digest(&proof["leaf"])?,
        position,
        size,
        &path,
        &digest(&proof["root"])?,
    );
    ensure!(holds, "the inclusion proof of record {position} does not hold");
    Ok(())
}
