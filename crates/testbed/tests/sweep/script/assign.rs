//! A case is taken by an officer and handed over to a colleague, once by the pages and once as a program does it.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::{Value, json};

use super::Script;
use super::courses::By;
use crate::stage::Cast;

const HAND_OVER: &str = "/desk/hand-over";

impl Script<'_> {
    /// The receptionist takes one case, the officer another and hands it over to the receptionist.
    pub(super) async fn assign(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let first = self.filed(cast).await?;
        let take = format!("/api/v1/desk/cases/{first}/assign");
        let taken = cast.desk.receptionist.post_json(&take, &json!({})).await?;
        let to = taken["assignee"].as_str().context("an account")?.to_owned();
        for by in [By::Page, By::Json] {
            let case = self.filed(cast).await?;
            let none: [(&str, Value); 0] = [];
            let path = format!("/desk/cases/{case}/assign");
            let call = by.send(&mut cast.desk.officer, &path, &none);
            self.leaves(Place::Province, &by.name("/desk/cases/{code}/assign"), call)
                .await?;
            let fields = [("to", json!(to))];
            let call = by.send(&mut cast.desk.officer, HAND_OVER, &fields);
            self.leaves(Place::Province, &by.name(HAND_OVER), call).await?;
        }
        Ok(())
    }
}
