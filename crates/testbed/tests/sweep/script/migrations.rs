//! A migration between two versions is planned and started, once by the pages and once as a program does it. The
//! newer version is published at the province and begins next year: no case is under either.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::json;
use testbed::pack;
use testbed::people::Person;

use super::Script;
use super::courses::By;

const MIGRATIONS: &str = "/migrations";

impl Script<'_> {
    /// What one person plans another starts.
    pub(super) async fn migrations(&mut self) -> anyhow::Result<()> {
        let site = self.nation.site.clone();
        let mut designer = Person::official(&site, "designer", Place::Province).await?;
        let mut publisher = Person::official(&site, "publisher", Place::Province).await?;
        let year = self.nation.world.now().date().year() + 1;
        let rename = |text: &str| text.replacen("Confirmation of marital status", "Confirmation, eased", 1);
        let (_, document) = pack::edited("procedures/1.004873.toml", rename)?;
        let (_, samples) = pack::edited("procedures/1.004873.samples.toml", |text| text.to_owned() + "\n")?;
        let body = json!({"document": document, "samples": samples});
        let new = designer.post_json("/api/v1/designs", &body).await?;
        let path = format!("/api/v1/designs/{}/steps", new["id"].as_str().context("an id")?);
        let submit = json!({"step": "submit", "revision": 1});
        designer.post_json(&path, &submit).await?;
        let test = json!({"step": "test", "revision": 2});
        publisher.post_json(&path, &test).await?;
        let publish = json!({"step": "publish", "revision": 3, "from": format!("{year}-03-15")});
        let done = publisher.post_json(&path, &publish).await?;
        let begins = done["begins"].as_array().context("versions")?;
        let version = |own: bool| begins.iter().find(|begin| begin["own"] == own);
        let was = version(false).context("the version before")?["version"].clone();
        let now = version(true).context("the new version")?["version"].clone();
        for by in [By::Page, By::Json] {
            let fields = [("was", was.clone()), ("version", now.clone())];
            let call = by.send(&mut designer, MIGRATIONS, &fields);
            self.leaves(Place::Province, &by.name(MIGRATIONS), call).await?;
            let listed = designer.get("/api/v1/migrations").await?.json()?;
            let items = listed["items"].as_array().context("migrations")?;
            let plan = items.iter().find(|item| item["stage"] == "planned");
            let id = plan.context("what was planned")?["id"].clone();
            let start = format!("{MIGRATIONS}/{}/start", id.as_str().context("an id")?);
            let call = by.send(&mut publisher, &start, &[]);
            self.leaves(Place::Province, &by.name("/migrations/{id}/start"), call)
                .await?;
        }
        Ok(())
    }
}
