//! Groups and agreements with them, each once by the page and once as a program takes it: a local group
//! kept, an agreement offered to it, taken up by a member, the offer ended and the group.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::people::Person;

use super::Script;
use super::agreements::text;
use super::courses::By;
use crate::stage::Cast;

/// How long words may take between two nodes, there and back.
const CARRIED: Duration = Duration::from_secs(60);
/// Where the operations are, below `/api/v1` for programs.
const OFFERS: &str = "/exchange/group-offers";

impl Script<'_> {
    /// The ministry offers an agreement to a group of its own, and the portal takes it up.
    pub(super) async fn groups(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for (by, code) in [(By::Page, "mau-p"), (By::Json, "mau-j")] {
            let groups = match by {
                By::Page => "/exchange/groups",
                By::Json => "/directory/local-groups",
            };
            let fields = [
                ("code", json!(code)),
                ("name", json!("Nhóm mẫu")),
                ("systems", json!(["G22/portal"])),
            ];
            let call = by.send(operator(cast, Place::Ministry)?, groups, &fields);
            self.leaves(Place::Ministry, &by.name(groups), call).await?;
            let id = format!("04/{code}");
            let mut fields = text(by, &id);
            fields.retain(|(field, _)| *field != "consumer");
            fields.push(("consumer", json!(format!("local/{code}"))));
            let call = by.send(operator(cast, Place::Ministry)?, OFFERS, &fields);
            self.leaves(Place::Ministry, &by.name(OFFERS), call).await?;
            let heard = |one: &Value| one["systems"] == json!(["G22/portal"]);
            let hash = see(operator(cast, Place::National)?, &id, heard).await?;
            let fields = [("system", json!("G22/portal"))];
            self.on_offer(cast, Place::National, by, (&hash, "take"), &fields)
                .await?;
            let made = |one: &Value| one["agreements"].as_array().is_some_and(|all| all.len() == 1);
            for place in [Place::National, Place::Ministry] {
                see(operator(cast, place)?, &id, made)
                    .await
                    .context("both hold it")?;
            }
            let none: [(&str, Value); 0] = [];
            self.on_offer(cast, Place::Ministry, by, (&hash, "end"), &none)
                .await?;
            let (operation, path) = (format!("{groups}/{{group}}/end"), format!("{groups}/{code}/end"));
            let call = by.send(operator(cast, Place::Ministry)?, &path, &none);
            self.leaves(Place::Ministry, &by.name(&operation), call).await?;
            let over = |one: &Value| one["agreements"] == json!([]);
            see(operator(cast, Place::National)?, &id, over)
                .await
                .context("it ends with the group")?;
        }
        Ok(())
    }

    async fn on_offer(
        &mut self,
        cast: &mut Cast,
        place: Place,
        by: By,
        (hash, verb): (&str, &str),
        fields: &[(&str, Value)],
    ) -> anyhow::Result<()> {
        let operation = by.name(&format!("{OFFERS}/{{hash}}/{verb}"));
        let path = format!("{OFFERS}/{hash}/{verb}");
        let call = by.send(operator(cast, place)?, &path, fields);
        self.leaves(place, &operation, call).await
    }
}

fn operator(cast: &mut Cast, place: Place) -> anyhow::Result<&mut Person> {
    cast.operators.get_mut(&place).context("an operator")
}

/// Waits until an operator sees an offer as it should be; its hash.
async fn see(who: &mut Person, id: &str, is: impl Fn(&Value) -> bool) -> anyhow::Result<String> {
    let mut last = Value::Null;
    let seen = tokio::time::timeout(CARRIED, async {
        loop {
            let all = who.get("/api/v1/exchange/group-offers").await?.json()?;
            let mut all = all.as_array().into_iter().flatten();
            last = all
                .find(|one| one["text"]["id"] == id)
                .cloned()
                .unwrap_or_default();
            if is(&last) {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    ensure!(seen.is_ok(), "{id} stands otherwise: {last}");
    seen??;
    last["hash"].as_str().map(str::to_owned).context("a hash")
}
