//! The mother asks her neighbour to sign a draft of hers; the neighbour looks, signs, thinks better of it, and is asked no
//! more: by the pages, and as a program does it.

use anyhow::Context as _;
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth;

use super::courses::By;
use super::{Script, ok};
use crate::stage::Cast;

const NATIONAL: Place = Place::National;
/// The neighbour's personal number.
const NUMBER: &str = "038192000017";

impl Script<'_> {
    pub(super) async fn cosign(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for by in [By::Page, By::Json] {
            let draft = birth::start(&mut cast.mother).await?;
            let cosigners = format!("/drafts/{draft}/cosigners");
            let number = [("number", json!(NUMBER))];
            let call = by.send(&mut cast.mother, &cosigners, &number);
            self.leaves(NATIONAL, &by.name("/drafts/{id}/cosigners"), call)
                .await?;
            let (name, path) = match by {
                By::Page => ("GET /asked/{id}", format!("/asked/{draft}")),
                By::Json => ("GET /api/v1/asked/{id}", format!("/api/v1/asked/{draft}")),
            };
            let look = async { ok(cast.neighbour.get(&path).await?) };
            self.leaves(NATIONAL, name, look).await?;
            let reply = ok(cast.neighbour.get(&format!("/api/v1/asked/{draft}")).await?)?;
            let shown: Value = serde_json::from_slice(&reply.body)?;
            let revision = shown["revision"].as_i64().context("a revision")?;
            let signed = [("revision", json!(revision))];
            let path = format!("/asked/{draft}/sign");
            let call = by.send(&mut cast.neighbour, &path, &signed);
            self.leaves(NATIONAL, &by.name("/asked/{id}/sign"), call).await?;
            let path = format!("/asked/{draft}/refuse");
            let call = by.send(&mut cast.neighbour, &path, &[]);
            self.leaves(NATIONAL, &by.name("/asked/{id}/refuse"), call)
                .await?;
            let path = format!("{cosigners}/remove");
            let call = by.send(&mut cast.mother, &path, &number);
            self.leaves(NATIONAL, &by.name("/drafts/{id}/cosigners/remove"), call)
                .await?;
        }
        Ok(())
    }
}
