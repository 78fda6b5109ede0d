//! Cases chosen on the list: taken together, and their results signed together, once by the pages and once as a program
//! does it.

use sen::up::nation::Place;
use serde_json::json;
use testbed::birth::{self, at_desk};

use super::courses::By;
use super::{Script, can, ok};
use crate::stage::Cast;

const ASSIGN: &str = "/desk/batch/assign";
const SIGN: &str = "/desk/batch/sign";

impl Script<'_> {
    /// One case for each way.
    pub(super) async fn batch(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for by in [By::Page, By::Json] {
            let case = self.filed(cast).await?;
            self.take_several(cast, by, &case).await?;
            let desk = &mut cast.desk;
            let seen = at_desk(&mut desk.receptionist, &case, can("accept")).await?;
            birth::act(&mut desk.receptionist, &seen, "accept", &json!({})).await?;
            let seen = at_desk(&mut desk.officer, &case, can("propose")).await?;
            let granted = json!({"outcome": "granted", "note": ""});
            birth::act(&mut desk.officer, &seen, "propose", &granted).await?;
            self.look_by_json(&mut cast.desk.applicant, &case).await?;
            self.sign_several(cast, by, &case).await?;
        }
        Ok(())
    }

    async fn take_several(&mut self, cast: &mut Cast, by: By, case: &str) -> anyhow::Result<()> {
        let fields = match by {
            By::Page => [("pick", json!(format!("{case}.0")))],
            By::Json => [("cases", json!([case]))],
        };
        let call = by.send(&mut cast.desk.officer, ASSIGN, &fields);
        self.leaves(Place::Province, &by.name(ASSIGN), call).await
    }

    async fn sign_several(&mut self, cast: &mut Cast, by: By, case: &str) -> anyhow::Result<()> {
        let chairman = &mut cast.desk.chairman;
        let seen = at_desk(chairman, case, can("sign")).await?;
        let pick = format!("{case}.{}", seen["revision"]);
        if by == By::Page {
            let path = format!("{SIGN}?pick={pick}");
            let look = async { ok(chairman.get(&path).await?) };
            self.leaves(Place::Province, "GET /desk/batch/sign", look).await?;
        }
        let fields = match by {
            By::Page => [("pick", json!(pick))],
            By::Json => [("cases", json!([{"code": case, "revision": seen["revision"]}]))],
        };
        let call = by.send(chairman, SIGN, &fields);
        self.leaves(Place::Province, &by.name(SIGN), call).await
    }
}
