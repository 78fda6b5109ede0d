//! What becomes known to be owed while a case is handled: asked for by the pages and as a program does it, and paid at the
//! desk, with the number of a receipt.

use serde_json::json;
use testbed::birth::{self, at_desk};

use super::Script;
use super::courses::By;
use crate::stage::Cast;

impl Script<'_> {
    /// Two births for which something is to be paid.
    pub(super) async fn charges(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for by in [By::Page, By::Json] {
            let case = self.filed(cast).await?;
            let desk = &mut cast.desk;
            let seen = at_desk(&mut desk.receptionist, &case, |_| true).await?;
            birth::act(&mut desk.receptionist, &seen, "accept", &json!({})).await?;
            let charge = [
                ("charge", json!("copy")),
                ("dong", json!(8_000)),
                ("ground", json!("Một bản sao theo yêu cầu (mẫu)")),
            ];
            self.verb(by, &mut desk.officer, &case, ("ask-payment", &charge))
                .await?;
            let receipt = [("receipt", json!("BL-0001"))];
            self.verb(by, &mut desk.receptionist, &case, ("pay", &receipt))
                .await?;
        }
        Ok(())
    }
}
