//! The neighbour says that the mother authorised her; the mother refuses, confirms and ends it; a petition is filed for the
//! mother, and looked at, by the pages and as a program does it.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use directory::people::{SAMPLE_COMMUNE, SAMPLE_MOTHER};
use sen::story::http::hidden;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth;
use testbed::people::Person;

use super::courses::By;
use super::{Script, ok};
use crate::stage::Cast;

const NATIONAL: Place = Place::National;
const PETITION: &str = "9.000001";

impl Script<'_> {
    pub(super) async fn mandates(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for by in [By::Page, By::Json] {
            let mandate = self.mandate_asked(cast, by).await.context("asking")?;
            self.mandate_step(cast, by, &mandate, "refuse").await?;
            let mandate = self.mandate_asked(cast, by).await.context("asking again")?;
            self.mandate_step(cast, by, &mandate, "confirm").await?;
            self.mandate_used(cast, by, &mandate)
                .await
                .context("filing for another")?;
            self.mandate_step(cast, by, &mandate, "revoke").await?;
        }
        let pdf = STANDARD.encode(birth::paper(&self.nation.world)?);
        let wish = json!({"whom": "person", "number": SAMPLE_MOTHER, "name": "Mẹ (mẫu)", "pdf_base64": pdf});
        cast.neighbour.post_json("/api/v1/mandates", &wish).await?;
        let path = format!("/mandates/{}/paper", newest(&mut cast.neighbour).await?);
        let look = async { ok(cast.neighbour.get(&path).await?) };
        self.leaves(NATIONAL, "GET /mandates/{mandate}/paper", look)
            .await?;
        Ok(())
    }

    async fn mandate_asked(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<String> {
        let wish = [
            ("whom", json!("person")),
            ("number", json!(SAMPLE_MOTHER)),
            ("name", json!("Mẹ (mẫu)")),
        ];
        let call = by.send(&mut cast.neighbour, "/mandates", &wish);
        self.leaves(NATIONAL, &by.name("/mandates"), call).await?;
        newest(&mut cast.neighbour).await
    }

    /// The mother answers, or ends it.
    async fn mandate_step(
        &mut self,
        cast: &mut Cast,
        by: By,
        mandate: &str,
        step: &str,
    ) -> anyhow::Result<()> {
        let path = format!("/mandates/{mandate}/{step}");
        let call = by.send(&mut cast.mother, &path, &[]);
        let name = by.name(&format!("/mandates/{{mandate}}/{step}"));
        self.leaves(NATIONAL, &name, call).await
    }

    /// A petition for the mother, filed by the neighbour, who then looks where it stands.
    async fn mandate_used(&mut self, cast: &mut Cast, by: By, mandate: &str) -> anyhow::Result<()> {
        let who = &mut cast.neighbour;
        let begun = who.post(&format!("/procedures/{PETITION}/start"), &[]).await?;
        let draft = begun.ok()?.url.rsplit("/drafts/").next();
        let draft = draft.context("a draft's address")?.to_owned();
        let path = format!("/drafts/{draft}/mandate");
        let chosen = [("mandate", mandate)];
        let choose = async { ok(who.post(&path, &chosen).await?) };
        self.leaves(NATIONAL, "POST /drafts/{id}/mandate", choose).await?;
        answer(who, &draft).await?;
        let case = birth::file(who, &draft).await?;
        let (name, path) = match by {
            By::Page => ("GET /cases/{code}", format!("/cases/{case}")),
            By::Json => ("GET /api/v1/cases/{code}", format!("/api/v1/cases/{case}")),
        };
        let look = async { ok(who.get(&path).await?) };
        self.leaves(NATIONAL, name, look).await?;
        Ok(())
    }
}

/// The id of the newest mandate.
async fn newest(who: &mut Person) -> anyhow::Result<String> {
    let reply = ok(who.get("/api/v1/mandates").await?)?;
    let mine: Value = serde_json::from_slice(&reply.body)?;
    let id = mine["items"][0]["id"].as_str().context("a mandate")?;
    Ok(id.to_owned())
}

/// Answers a petition's pages.
async fn answer(who: &mut Person, draft: &str) -> anyhow::Result<()> {
    let address = format!("{SAMPLE_COMMUNE} Thôn Mẫu");
    let told = [
        ("about", "place"),
        ("field", "transport"),
        ("content", "Đường thôn hỏng (mẫu)."),
    ];
    let you = [
        ("address", address.as_str()),
        ("phone", "0912345678"),
        ("unnamed", "no"),
        ("receive_at", SAMPLE_COMMUNE),
    ];
    for (page, answers) in [("petition", &told[..]), ("you", &you[..])] {
        let path = format!("/drafts/{draft}/pages/{page}");
        let form = who.get(&path).await?.ok()?.text();
        let revision = hidden(&form, "revision").context("a revision")?;
        let mut fields = vec![("revision", revision.as_str())];
        fields.extend_from_slice(answers);
        ok(who.post(&path, &fields).await?)?;
    }
    Ok(())
}
