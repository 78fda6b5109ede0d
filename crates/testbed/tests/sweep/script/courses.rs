//! The other ways a case can go, each taken once through the pages and once as a program takes it:
//! declined, supplemented, put off with an apology, taken back, rated, tracked, paid for, looked at
//! over the counter, and given to one of the units that its own was split into.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Digest, Time};
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth::{self, Answers, PROCEDURE, at_desk, at_portal};
use testbed::fee;
use testbed::people::Person;
use testbed::raw;

use super::{Script, can, ok};
use crate::example::Ids;
use crate::stage::{Cast, SPLIT};

/// Days off on end, at most: a new year's.
const DAYS_OFF_MAX: i64 = 14;

/// How an operation is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Page,
    Json,
}

impl By {
    /// The name of an operation that has both faces.
    pub(super) fn name(self, path: &str) -> String {
        match self {
            Self::Page => format!("POST {path}"),
            Self::Json => format!("POST /api/v1{path}"),
        }
    }

    pub(super) async fn send(
        self,
        who: &mut Person,
        path: &str,
        fields: &[(&str, Value)],
    ) -> anyhow::Result<()> {
        if self == Self::Json {
            let body: Value = fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
            return who.post_json(&format!("/api/v1{path}"), &body).await.map(drop);
        }
        let lines = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => items
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join("\n"),
            Value::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
            other => other.to_string(),
        };
        let fields: Vec<(&str, String)> = fields.iter().map(|(k, v)| (*k, lines(v))).collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        ok(who.post(path, &fields).await?).map(drop)
    }
}

impl Script<'_> {
    /// Takes every other way; `decided` was decided as a program does it.
    pub(super) async fn courses(
        &mut self,
        cast: &mut Cast,
        ids: &mut Ids,
        decided: &str,
    ) -> anyhow::Result<()> {
        let first = ids.case.clone();
        for (by, case) in [(By::Page, first.as_str()), (By::Json, decided)] {
            self.decline(cast, by).await.context("declining")?;
            self.supplement(cast, by).await.context("a supplement")?;
            self.withdraw(cast, by).await.context("taking back")?;
            self.rate_and_track(cast, by, case).await.context("rating")?;
        }
        ids.paid = self.pay(cast, &first).await.context("paying")?;
        ids.draft = birth::start(&mut cast.mother).await?;
        let unit = at_desk(&mut cast.desk.officer, &first, |_| true).await?["unit"].clone();
        let unit = unit.as_str().context("a unit")?;
        self.handed_down(cast, &ids.draft, unit).await
    }

    /// A birth filed, and at the desk.
    pub(super) async fn filed(&self, cast: &mut Cast) -> anyhow::Result<String> {
        let world = &self.nation.world;
        let case = birth::whole(&mut cast.mother, &Answers::usual(world)?, &birth::paper(world)?).await?;
        at_desk(&mut cast.desk.receptionist, &case, |_| true).await?;
        Ok(case)
    }

    /// Does a verb at the desk once it may be done, and looks for its fact.
    pub(super) async fn verb(
        &mut self,
        by: By,
        who: &mut Person,
        case: &str,
        (verb, fields): (&str, &[(&str, Value)]),
    ) -> anyhow::Result<()> {
        let seen = at_desk(who, case, can(verb)).await?;
        let fields = [&[("revision", seen["revision"].clone())], fields].concat();
        let path = format!("/desk/cases/{case}/{verb}");
        let name = by.name(&format!("/desk/cases/{{code}}/{verb}"));
        self.leaves(Place::Province, &name, by.send(who, &path, &fields))
            .await
    }

    async fn decline(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<()> {
        let case = self.filed(cast).await?;
        let why = [("reason", json!("Trẻ đã được đăng ký khai sinh (mẫu)"))];
        self.verb(by, &mut cast.desk.receptionist, &case, ("decline", &why))
            .await
    }

    /// Asked for, given, and then put off: the answer has started the term anew.
    async fn supplement(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<()> {
        let case = self.filed(cast).await?;
        let desk = &mut cast.desk;
        let seen = at_desk(&mut desk.receptionist, &case, |_| true).await?;
        birth::act(&mut desk.receptionist, &seen, "accept", &json!({})).await?;
        let missing = [
            ("items", json!(["Bản chụp rõ nét giấy chứng sinh"])),
            ("reason", json!("Bản đã nộp bị mờ (mẫu)")),
        ];
        self.verb(by, &mut desk.officer, &case, ("ask-supplement", &missing))
            .await?;
        self.answer(&mut cast.mother, &case).await?;
        let officer = &mut cast.desk.officer;
        let seen = at_desk(officer, &case, can("apologise")).await?;
        let due = seen["accepted"]["due"].as_str().context("a date")?;
        let due = Time::parse_rfc3339(due).context("a time")?;
        let path = format!("/desk/cases/{case}/apologise");
        let write = async {
            // The first working day after the date, whatever the holidays are.
            for days in 1..=DAYS_OFF_MAX {
                let day = kernel::time::iso(due.plus_ms(days * 86_400_000).date());
                let letter = [
                    ("revision", seen["revision"].clone()),
                    ("reason", json!("Cần xác minh tại nơi sinh (mẫu)")),
                    ("day", json!(day)),
                ];
                if by.send(officer, &path, &letter).await.is_ok() {
                    return Ok(());
                }
            }
            anyhow::bail!("no day was taken")
        };
        self.leaves(Place::Province, &by.name("/desk/cases/{code}/apologise"), write)
            .await
    }

    async fn answer(&mut self, mother: &mut Person, case: &str) -> anyhow::Result<()> {
        at_portal(mother, case, |c| c["status"] == 5).await?;
        let path = format!("/cases/{case}/supplement");
        let begin = async { ok(mother.post(&path, &[]).await?) };
        let name = "POST /cases/{code}/supplement";
        let form = self.leaves(Place::National, name, begin).await?;
        let draft = form.url.rsplit("/drafts/").next().context("a draft")?.to_owned();
        let revision = birth::check(mother, &draft).await?;
        let word = [
            ("revision", revision.as_str()),
            ("note", "Giấy rõ nhất hiện có (mẫu)"),
        ];
        ok(mother.post(&format!("/drafts/{draft}/file"), &word).await?)?;
        Ok(())
    }

    async fn withdraw(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<()> {
        let case = self.filed(cast).await?;
        let why = [("reason", json!("Khai nhầm nơi nộp (mẫu)"))];
        let path = format!("/cases/{case}/withdraw");
        let name = by.name("/cases/{code}/withdraw");
        self.leaves(Place::National, &name, by.send(&mut cast.mother, &path, &why))
            .await
    }

    async fn rate_and_track(&mut self, cast: &mut Cast, by: By, case: &str) -> anyhow::Result<()> {
        let mother = &mut cast.mother;
        at_portal(mother, case, |c| c["status"] == 10).await?;
        let rating = [("score", json!(5)), ("note", json!("Nhanh (mẫu)"))];
        let path = format!("/cases/{case}/rating");
        let name = by.name("/cases/{code}/rating");
        self.leaves(Place::National, &name, by.send(mother, &path, &rating))
            .await?;
        let number = birth::couple()?.0.personal_number;
        let digits = &number.as_str()[number.as_str().len() - 4..];
        let wish = [("code", json!(case)), ("digits", json!(digits))];
        let mut anybody = Person::stranger(mother.site(), Place::National);
        self.leaves(
            Place::National,
            &by.name("/track"),
            by.send(&mut anybody, "/track", &wish),
        )
        .await
    }

    /// A copy of the entry of a decided birth.
    async fn pay(&mut self, cast: &mut Cast, born: &str) -> anyhow::Result<String> {
        let seen = at_desk(&mut cast.desk.officer, born, |_| true).await?;
        let number = seen["act"]["personal_number"].as_str().context("a number")?;
        let answers = Answers::usual(&self.nation.world)?;
        let mother = &mut cast.mother;
        let told = fee::ask(mother, answers.get("child_name"), number).await?;
        let copy = birth::code(&told.url)?;
        let order = fee::order(mother, &copy);
        let at = self
            .leaves(Place::National, "POST /cases/{code}/pay", order)
            .await?;
        let pay = fee::pay(mother, &copy, &at);
        self.leaves(Place::National, "POST /payments/notify", pay).await?;
        Ok(copy)
    }

    /// What the national portal's system hands down that nobody filed on its pages: from a counter,
    /// and for a commune that is no more.
    async fn handed_down(&mut self, cast: &mut Cast, draft: &str, unit: &str) -> anyhow::Result<()> {
        let answers = self.answers(cast, draft).await?;
        for (by, number) in [(By::Page, 9001), (By::Json, 9002)] {
            let case = self.hand_over(cast, &answers, (number, "counter", unit)).await?;
            let desk = &mut cast.desk;
            let seen = at_desk(&mut desk.receptionist, &case, |_| true).await?;
            let accepted = birth::act(&mut desk.receptionist, &seen, "accept", &json!({})).await?;
            let granted = json!({"outcome": "granted", "note": ""});
            birth::act(&mut desk.officer, &accepted, "propose", &granted).await?;
            let said = [("agreed", json!(true))];
            self.verb(by, &mut desk.officer, &case, ("check-draft", &said))
                .await?;
            let split = (number + 10, "online", &*format!("H56.{}", SPLIT[0]));
            let case = self.hand_over(cast, &answers, split).await?;
            let path = format!("/desk/moves/{case}/assign");
            let to = [("to", json!(format!("H56.{}", SPLIT[1])))];
            let assign = by.send(&mut cast.supervisor, &path, &to);
            self.leaves(Place::Province, &by.name("/desk/moves/{code}/assign"), assign)
                .await?;
        }
        Ok(())
    }

    /// The answers of a whole form, as its draft holds them.
    async fn answers(&self, cast: &mut Cast, draft: &str) -> anyhow::Result<Value> {
        let world = &self.nation.world;
        birth::fill(
            &mut cast.mother,
            draft,
            &Answers::usual(world)?,
            &birth::paper(world)?,
        )
        .await?;
        let path = format!("/api/v1/drafts/{draft}");
        Ok(cast.mother.get(&path).await?.json()?["answers"].clone())
    }

    async fn hand_over(
        &self,
        cast: &mut Cast,
        answers: &Value,
        (number, channel, unit): (u32, &str, &str),
    ) -> anyhow::Result<String> {
        let site = &self.nation.site;
        let now = self.nation.world.now();
        // A commune that is no more took cases while it was there.
        let ended = unit.ends_with(SPLIT[0]);
        let filed_at = if ended {
            Time::parse_rfc3339("2026-05-20T09:00:00+07:00")
        } else {
            Some(now)
        };
        let filed_at = filed_at.context("a time")?;
        let code = format!(
            "G22-{}-{number}",
            kernel::time::iso(now.date())[2..].replace('-', "")
        );
        let versions = format!("/api/v1/procedures/{PROCEDURE}/versions");
        let versions = cast.mother.get(&versions).await?.json()?;
        let mother = birth::couple()?.0;
        let paper = birth::paper(&self.nation.world)?;
        let body = json!({
            "code": code, "procedure": PROCEDURE, "version": versions["items"][0]["version"],
            "unit": unit, "channel": channel, "answers": answers, "filed_at": filed_at,
            "applicant": {"account": "quay", "number": mother.personal_number, "name": mother.full_name},
            "papers": [{
                "code": "GCS", "name": "giay-chung-sinh.pdf", "media": "application/pdf",
                "size": paper.len(), "digest": Digest::of(&paper), "bytes_base64": STANDARD.encode(&paper),
            }],
            "portal": "G22/portal",
        });
        let service = "H56/one-stop/receive-case";
        let told = raw::ask(site, Place::National, "G22/portal", service, &body).await?;
        ensure!(told.status == 200, "{} {}", told.status, told.text());
        Ok(code)
    }
}
