//! A version of a procedure is written, given back, written again as text and as a form, tried, published and
//! withdrawn, once by the pages and once as a program does it.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::pack;
use testbed::people::Person;

use super::Script;
use super::courses::By;

const DESIGNS: &str = "/designs";

impl Script<'_> {
    /// Two versions go their whole way; they begin on days of next year, so that nothing else meets them.
    pub(super) async fn designs(&mut self) -> anyhow::Result<()> {
        let site = self.nation.site.clone();
        let mut designer = Person::official(&site, "designer", Place::National).await?;
        let mut publisher = Person::official(&site, "publisher", Place::National).await?;
        let rename = |text: &str| text.replacen("Confirmation of marital status", "Confirmation, eased", 1);
        let (_, document) = pack::edited("procedures/1.004873.toml", rename)?;
        let (_, samples) = pack::edited("procedures/1.004873.samples.toml", |text| text.to_owned() + "\n")?;
        let year = self.nation.world.now().date().year() + 1;
        for (by, month) in [(By::Page, "01"), (By::Json, "02")] {
            let text = [("document", json!(document)), ("samples", json!(samples))];
            let call = by.send(&mut designer, DESIGNS, &text);
            self.leaves(Place::National, &by.name(DESIGNS), call).await?;
            let id = newest(&mut designer).await?;
            let path = format!("{DESIGNS}/{id}");
            let steps = format!("{path}/steps");
            let from = format!("{year}-{month}-15");
            let step = |word: &str, revision: i64, more: &[(&'static str, &str)]| {
                let mut fields = vec![("step", json!(word)), ("revision", json!(revision))];
                fields.extend(more.iter().map(|(name, value)| (*name, json!(value))));
                fields
            };
            let done: Vec<(bool, Vec<(&str, Value)>)> = vec![
                (false, step("submit", 1, &[])),
                (true, step("return", 2, &[("note", "Xem lại tên (mẫu)")])),
            ];
            for (publishes, fields) in done {
                let who = if publishes { &mut publisher } else { &mut designer };
                self.design_step(by, who, &steps, &fields).await?;
            }
            let again = [
                ("document", json!(document)),
                ("samples", json!(samples)),
                ("revision", json!(3)),
            ];
            let call = by.send(&mut designer, &path, &again);
            self.leaves(Place::National, &by.name("/designs/{id}"), call)
                .await?;
            // A page is moved and moved back: the text is what it was.
            for (part, act, revision) in [("pages.0", "down", 4), ("pages.1", "up", 5)] {
                let change = [("act", json!(act)), ("revision", json!(revision))];
                let form = format!("{path}/form/{part}");
                let call = by.send(&mut designer, &form, &change);
                self.leaves(Place::National, &by.name("/designs/{id}/form/{part}"), call)
                    .await?;
            }
            self.design_step(by, &mut designer, &steps, &step("submit", 6, &[]))
                .await?;
            for fields in [
                step("test", 7, &[]),
                step("publish", 8, &[("from", from.as_str())]),
                step("withdraw", 9, &[("note", "Còn lỗi (mẫu)")]),
            ] {
                self.design_step(by, &mut publisher, &steps, &fields).await?;
            }
        }
        Ok(())
    }

    async fn design_step(
        &mut self,
        by: By,
        who: &mut Person,
        path: &str,
        fields: &[(&str, Value)],
    ) -> anyhow::Result<()> {
        let call = by.send(who, path, fields);
        self.leaves(Place::National, &by.name("/designs/{id}/steps"), call)
            .await
    }
}

async fn newest(who: &mut Person) -> anyhow::Result<String> {
    let listed = who.get("/api/v1/designs").await?.json()?;
    let id = listed["items"][0]["id"].as_str();
    Ok(id.context("a version on its way")?.to_owned())
}
