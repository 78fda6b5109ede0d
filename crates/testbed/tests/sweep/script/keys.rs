//! What an operator does about API keys, each once by the page and once as a program does it: made, used in
//! place of a session, revoked.

use anyhow::{Context as _, ensure};
use sen::up::nation::Place;
use serde_json::json;

use super::Script;
use super::courses::By;
use crate::stage::Cast;

/// Where the operations are, below `/api/v1` for programs.
const KEYS: &str = "/keys";
/// How long a key is made for, in milliseconds.
const DAY_MS: i64 = 86_400_000;

impl Script<'_> {
    /// Makes a key and revokes it, by each face.
    pub(super) async fn keys(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for (by, name) in [
            (By::Page, "theo trang (mẫu)"),
            (By::Json, "theo chương trình (mẫu)"),
        ] {
            let who = cast.operators.get_mut(&Place::Ministry).context("an operator")?;
            let tomorrow = kernel::Time(self.nation.world.now().ms() + DAY_MS);
            let fields = [
                ("name", json!(name)),
                ("roles", json!(["operator"])),
                (
                    "expires",
                    match by {
                        By::Page => json!(kernel::time::iso(tomorrow.date())),
                        By::Json => json!(tomorrow.ms()),
                    },
                ),
            ];
            let call = by.send(who, KEYS, &fields);
            self.leaves(Place::Ministry, &by.name(KEYS), call).await?;
            let who = cast.operators.get_mut(&Place::Ministry).context("an operator")?;
            let all = who.get("/api/v1/keys").await?.json()?;
            let made = all
                .as_array()
                .into_iter()
                .flatten()
                .find(|key| key["name"] == name);
            let made = made.context("the key is listed")?;
            ensure!(made["state"] == "good", "{made}");
            let key = made["key"].as_str().context("its id")?.to_owned();
            let end = format!("{KEYS}/{key}/revoke");
            let call = by.send(who, &end, &[]);
            let revoke = by.name("/keys/{key}/revoke");
            self.leaves(Place::Ministry, &revoke, call).await?;
        }
        Ok(())
    }
}
