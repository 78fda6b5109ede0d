//! Maintenance of a whole node, begun and ended once by the page and once as a program does it.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::{Value, json};

use super::Script;
use super::courses::By;
use crate::stage::Cast;

const MAINTENANCE: &str = "/exchange/maintenance";

impl Script<'_> {
    /// The ministry's node is put in maintenance and comes back.
    pub(super) async fn maintenance(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for by in [By::Page, By::Json] {
            let end = format!("{MAINTENANCE}/end");
            let notice = [("notice", json!("Bảo trì (mẫu)"))];
            let none: [(&str, Value); 0] = [];
            for (path, fields) in [(MAINTENANCE, &notice[..]), (&end, &none)] {
                let who = cast.operators.get_mut(&Place::Ministry).context("an operator")?;
                let call = by.send(who, path, fields);
                self.leaves(Place::Ministry, &by.name(path), call).await?;
            }
        }
        Ok(())
    }
}
