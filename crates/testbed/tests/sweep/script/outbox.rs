//! What waits at a node is sent again once by the page and once as a program does it.

use anyhow::Context as _;
use sen::up::nation::Place;

use super::Script;
use super::courses::By;
use crate::stage::Cast;

const AGAIN: &str = "/exchange/outbox/again";

impl Script<'_> {
    /// A draft that waits for its applicant's term is what waits at the province: it keeps its day.
    pub(super) async fn outbox(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        let who = cast.operators.get_mut(&Place::Province).context("an operator")?;
        let seen = who.get("/api/v1/exchange/outbox").await?.json()?;
        let waits = seen["topics"].as_array().and_then(|topics| topics.first());
        let waits = waits.context("nothing waits")?.clone();
        let fields = ["org", "topic"].map(|name| (name, waits[name].clone()));
        for by in [By::Page, By::Json] {
            let who = cast.operators.get_mut(&Place::Province).context("an operator")?;
            let call = by.send(who, AGAIN, &fields);
            self.leaves(Place::Province, &by.name(AGAIN), call).await?;
        }
        Ok(())
    }
}
