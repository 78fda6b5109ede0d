//! Delegations, each once by the page and once as a program takes it: offered, accepted and ended.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::people::Person;

use super::Script;
use super::courses::By;
use crate::stage::Cast;

/// How long a word may take to the other node.
const CARRIED: Duration = Duration::from_secs(60);
/// Where the operations are, below `/api/v1` for programs.
const DELEGATIONS: &str = "/exchange/delegations";

impl Script<'_> {
    /// The ministry lets the portal ask in its name, and ends that.
    pub(super) async fn delegations(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for (by, number) in [(By::Page, "P"), (By::Json, "J")] {
            let id = format!("01/{number}/UQ-MAU");
            let fields = text(by, &id);
            let call = by.send(operator(cast, Place::Ministry)?, DELEGATIONS, &fields);
            self.leaves(Place::Ministry, &by.name(DELEGATIONS), call).await?;
            let hash = see(operator(cast, Place::National)?, &id, "offered").await?;
            let none: [(&str, Value); 0] = [];
            self.on(cast, Place::National, by, &hash, ("accept", &none))
                .await?;
            see(operator(cast, Place::Ministry)?, &id, "in-force").await?;
            let why = [("by", json!("G01")), ("reason", json!("Hết nhu cầu (mẫu)"))];
            self.on(cast, Place::Ministry, by, &hash, ("end", &why)).await?;
            see(operator(cast, Place::National)?, &id, "ended").await?;
        }
        Ok(())
    }

    async fn on(
        &mut self,
        cast: &mut Cast,
        place: Place,
        by: By,
        hash: &str,
        (verb, fields): (&str, &[(&str, Value)]),
    ) -> anyhow::Result<()> {
        let operation = by.name(&format!("{DELEGATIONS}/{{hash}}/{verb}"));
        let path = format!("{DELEGATIONS}/{hash}/{verb}");
        let call = by.send(operator(cast, place)?, &path, fields);
        self.leaves(place, &operation, call).await
    }
}

fn operator(cast: &mut Cast, place: Place) -> anyhow::Result<&mut Person> {
    cast.operators.get_mut(&place).context("an operator")
}

/// Waits until an operator sees a state; the delegation's hash.
async fn see(who: &mut Person, id: &str, state: &str) -> anyhow::Result<String> {
    let mut last = Value::Null;
    let seen = tokio::time::timeout(CARRIED, async {
        loop {
            let all = who.get("/api/v1/exchange/delegations").await?.json()?;
            let mut all = all.as_array().into_iter().flatten();
            last = all.find(|one| one["id"] == id).cloned().unwrap_or_default();
            if last["state"] == state {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    ensure!(seen.is_ok(), "{id} is {} and not {state}", last["state"]);
    seen??;
    last["hash"].as_str().map(str::to_owned).context("a hash")
}

/// The document, as a form or a program sends it.
fn text(by: By, id: &str) -> Vec<(&'static str, Value)> {
    let [from, to] = match by {
        By::Page => [json!("2026-01-01"), json!("2034-12-31")],
        By::Json => [json!(1_767_200_400_000_i64), json!(2_051_197_200_000_i64)],
    };
    vec![
        ("id", json!(id)),
        ("delegator", json!("G01")),
        ("agent", json!("G22")),
        ("role", json!("consumer")),
        ("services", json!(["G01/population/person-lookup"])),
        ("purpose", json!("Gọi thay (mẫu)")),
        ("legal_basis", json!("Quy chế (mẫu)")),
        ("valid_from", from),
        ("valid_to", to),
    ]
}
