//! The mother keeps a file, has a register say what it knows of her, gives a link to it, revokes one, and takes documents
//! away again: by the pages, and as a program does it.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sen::story::http::File;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth;

use super::courses::By;
use super::{Script, ok};
use crate::example::Ids;
use crate::stage::Cast;

const NATIONAL: Place = Place::National;

impl Script<'_> {
    pub(super) async fn wallet(&mut self, cast: &mut Cast, ids: &mut Ids) -> anyhow::Result<()> {
        ids.entry = format!("{}.{}", ids.case, ids.result);
        let path = format!("/wallet/{}/file", ids.entry);
        let look = async { ok(cast.mother.get(&path).await?) };
        self.leaves(NATIONAL, "GET /wallet/{entry}/file", look).await?;
        for by in [By::Page, By::Json] {
            self.keep(cast, by).await.context("keeping a file")?;
            let call = by.send(&mut cast.mother, "/wallet/records/residence", &[]);
            self.leaves(NATIONAL, &by.name("/wallet/records/{record}"), call)
                .await?;
            let newest = self.newest(cast).await?;
            self.share(cast, by, &newest).await.context("a link")?;
            // The same answer of the same day is kept once: it goes before the next one is asked for.
            let remove = format!("/wallet/{newest}/remove");
            let call = by.send(&mut cast.mother, &remove, &[]);
            self.leaves(NATIONAL, &by.name("/wallet/{entry}/remove"), call)
                .await?;
        }
        Ok(())
    }

    /// A file of her own, another one by each way.
    async fn keep(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<()> {
        let mut paper = birth::paper(&self.nation.world)?;
        let name = by.name("/wallet");
        if by == By::Json {
            paper.push(b'\n');
            let body = json!({"title": "Bằng tốt nghiệp (mẫu)", "pdf_base64": STANDARD.encode(&paper)});
            let call = cast.mother.post_json("/api/v1/wallet", &body);
            return self.leaves(NATIONAL, &name, call).await.map(drop);
        }
        let url = cast.mother.site().url(NATIONAL, "/wallet");
        let file = File {
            field: "file",
            name: "a.pdf",
            media: "application/pdf",
            bytes: &paper,
        };
        let fields = [("title", "Bằng tốt nghiệp (mẫu)")];
        let call = async { ok(cast.mother.browser.upload(&url, &fields, &file).await?) };
        self.leaves(NATIONAL, &name, call).await.map(drop)
    }

    /// The id of the newest document.
    async fn newest(&self, cast: &mut Cast) -> anyhow::Result<String> {
        let reply = ok(cast.mother.get("/api/v1/wallet").await?)?;
        let mine: Value = serde_json::from_slice(&reply.body)?;
        let id = mine["items"][0]["id"].as_str().context("a document")?;
        Ok(id.to_owned())
    }

    /// A link that opens with its code and is ended.
    async fn share(&mut self, cast: &mut Cast, by: By, entry: &str) -> anyhow::Result<()> {
        let (shares, days) = (format!("/wallet/{entry}/shares"), [("days", json!(1))]);
        let call = by.send(&mut cast.mother, &shares, &days);
        self.leaves(NATIONAL, &by.name("/wallet/{entry}/shares"), call)
            .await?;
        // The link of the page is shown to her alone: the one that is opened is made by a program.
        let api = format!("/api/v1{shares}");
        let made = cast.mother.post_json(&api, &json!({"days": 1})).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a text");
        let (link, share) = (text(&made["link"])?, text(&made["share"]["id"])?);
        let token = link.rsplit('/').next().context("a token")?;
        let (path, code) = (format!("/shared/{token}"), [("code", made["code"].clone())]);
        let call = by.send(&mut cast.mother, &path, &code);
        self.leaves(NATIONAL, &by.name("/shared/{token}"), call).await?;
        let path = format!("{shares}/{share}/end");
        let call = by.send(&mut cast.mother, &path, &[]);
        self.leaves(NATIONAL, &by.name("/wallet/{entry}/shares/{share}/end"), call)
            .await
    }
}
