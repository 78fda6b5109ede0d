//! Two births handed in at the desk, one typed into the form and one sent by a program; what the first lacks is asked
//! for and brought there. The portal hears of both.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sen::story::http::File;
use sen::up::nation::Place;
use serde_json::json;
use testbed::birth::{self, Answers, PROCEDURE, at_desk};
use testbed::people::Person;

use super::{Script, can, ok};
use crate::stage::Cast;

impl Script<'_> {
    /// Takes both in.
    pub(super) async fn intake(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let mother = birth::couple()?.0;
        let answers = Answers::usual(&self.nation.world)?
            .with("applicant_number", mother.personal_number.as_str())
            .with("applicant_name", &mother.full_name);
        let paper = birth::paper(&self.nation.world)?;
        let receptionist = &mut cast.desk.receptionist;
        let path = format!("/desk/intake/{PROCEDURE}");
        let form = receptionist.get(&path).await?.ok()?.text();
        let fields = answers.fields(&form);
        let take = upload(receptionist, &path, &fields, &paper);
        let taken = self
            .leaves(Place::Province, "POST /desk/intake/{procedure}", take)
            .await?;
        self.bring(cast, &birth::code(&taken)?, &paper).await?;
        let sent = json!({
            "intake": "sweep-1", "procedure": PROCEDURE,
            "applicant_number": answers.get("applicant_number"), "applicant_name": answers.get("applicant_name"),
            "answers": told(answers.another(&self.nation.world).fields(&form)),
            "papers": [{"code": "GCS", "name": "giay-chung-sinh.pdf", "pdf_base64": STANDARD.encode(&paper)}],
        });
        let take = cast.desk.receptionist.post_json("/api/v1/desk/intakes", &sent);
        self.leaves(Place::Province, "POST /api/v1/desk/intakes", take)
            .await?;
        Ok(())
    }

    /// The officer asks for a better scan, and it is brought.
    async fn bring(&mut self, cast: &mut Cast, case: &str, paper: &[u8]) -> anyhow::Result<()> {
        let missing =
            json!({"items": ["Bản chụp rõ nét giấy chứng sinh"], "reason": "Bản đã nộp bị mờ (mẫu)"});
        let seen = at_desk(&mut cast.desk.officer, case, can("ask-supplement")).await?;
        birth::act(&mut cast.desk.officer, &seen, "ask-supplement", &missing).await?;
        let path = format!("/desk/cases/{case}/supplement");
        let note = [("note".to_owned(), "Bản chụp lại tại quầy (mẫu)".to_owned())];
        let bring = upload(&mut cast.desk.receptionist, &path, &note, paper);
        let name = "POST /desk/cases/{code}/supplement";
        self.leaves(Place::Province, name, bring).await?;
        Ok(())
    }
}

/// The answers as a program sends them: without the slip's fields, each day in one piece.
pub(super) fn told(fields: Vec<(String, String)>) -> BTreeMap<String, String> {
    let slip = ["intake", "applicant_number", "applicant_name"];
    let mut told: BTreeMap<_, _> = fields.into_iter().collect();
    told.retain(|name, _| !slip.contains(&name.as_str()) && !name.starts_with("post_"));
    let days: Vec<String> = told
        .keys()
        .filter_map(|name| name.strip_suffix("-day").map(str::to_owned))
        .collect();
    for day in days {
        let parts =
            ["day", "month", "year"].map(|part| told.remove(&format!("{day}-{part}")).unwrap_or_default());
        told.insert(day, parts.join("/"));
    }
    told
}

/// Sends a form with the birth notice; the address that it leads to.
async fn upload(
    who: &mut Person,
    path: &str,
    fields: &[(String, String)],
    paper: &[u8],
) -> anyhow::Result<String> {
    let url = who.site().url(who.place, path);
    let file = File {
        field: "paper-GCS",
        name: "giay-chung-sinh.pdf",
        media: "application/pdf",
        bytes: paper,
    };
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let sent = who.browser.upload(&url, &fields, &file).await?;
    Ok(ok(sent)?.url)
}
