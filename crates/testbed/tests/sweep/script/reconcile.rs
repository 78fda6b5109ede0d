//! What the portal shows of a case is compared with what the desk has, and put right, once by the pages and once as a
//! program does it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth::at_portal;
use testbed::raw;

use super::Script;
use super::courses::By;
use crate::stage::Cast;

const LIST: &str = "/desk/reconciliation";

impl Script<'_> {
    /// The portal hears a due date that the desk never gave; the supervisor finds that and has it told again.
    pub(super) async fn reconcile(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let case = self.filed(cast).await?;
        let none: [(&str, Value); 0] = [];
        // The word that puts it right has the number after it.
        for (by, seq) in [(By::Page, 1), (By::Json, 3)] {
            self.mislead(&case, seq).await?;
            let call = by.send(&mut cast.supervisor, LIST, &none);
            self.leaves(Place::Province, &by.name(LIST), call).await?;
            let mend = format!("{LIST}/{case}/mend");
            let call = by.send(&mut cast.supervisor, &mend, &none);
            let name = by.name("/desk/reconciliation/{code}/mend");
            self.leaves(Place::Province, &name, call).await?;
            at_portal(&mut cast.mother, &case, |c| c["due_at"].is_null()).await?;
            self.gone(cast, &case).await?;
        }
        Ok(())
    }

    /// A word about the case that its owner's desk knows nothing of.
    async fn mislead(&self, case: &str, seq: u32) -> anyhow::Result<()> {
        let now = self.nation.world.now();
        let note = json!({"code": case, "seq": seq, "status": 1, "at": now,
            "due": now.plus_ms(86_400_000)});
        let service = "G22/portal/note-status";
        let told = raw::ask(&self.nation.site, Place::Province, "H56/one-stop", service, &note).await?;
        ensure!(told.status == 200, "{} {}", told.status, told.text());
        Ok(())
    }

    /// Waits until a case is on the list no more.
    async fn gone(&self, cast: &mut Cast, case: &str) -> anyhow::Result<()> {
        for _ in 0..3_000 {
            let path = format!("/api/v1{LIST}");
            let list = cast.supervisor.get(&path).await?.json()?;
            let items = list["items"].as_array().context("a list")?;
            if !items.iter().any(|item| item["code"] == case) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("{case} is on the list still")
    }
}
