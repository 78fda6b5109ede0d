//! Two results go by post, once by the pages and once as a program does it: chosen before filing, changed after it, handed
//! over by the desk, and what became of the parcels.

use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::birth::{self, Answers, at_desk};

use super::courses::By;
use super::{Script, can, ok};
use crate::example::Ids;
use crate::stage::Cast;

/// Where the mother wants it first, and then.
const FIRST: &str = "14797 Số 1 (mẫu)";
const THEN: &str = "14797 Số 2 (mẫu)";

impl Script<'_> {
    /// Sends both, and reads the lists.
    pub(super) async fn post(&mut self, cast: &mut Cast, ids: &mut Ids) -> anyhow::Result<()> {
        for (by, parcel) in [(By::Page, "RA100000015VN"), (By::Json, "RA100000024VN")] {
            let case = self.wished(cast, by).await?;
            cast.desk.decide(&case).await?;
            for path in ["/desk/post", "/api/v1/desk/post"] {
                let look = async { ok(cast.desk.receptionist.get(path).await?) };
                self.leaves(Place::Province, &format!("GET {path}"), look).await?;
            }
            let path = format!("/desk/cases/{case}/shipping-slip");
            let look = async { ok(cast.desk.receptionist.get(&path).await?) };
            let name = "GET /desk/cases/{code}/shipping-slip";
            self.leaves(Place::Province, name, look).await?;
            let receptionist = &mut cast.desk.receptionist;
            let seen = at_desk(receptionist, &case, can("return")).await?;
            let fields = [("revision", seen["revision"].clone()), ("parcel", json!(parcel))];
            let path = format!("/desk/cases/{case}/post");
            let hand_over = by.send(receptionist, &path, &fields);
            let name = by.name("/desk/cases/{code}/post");
            self.leaves(Place::Province, &name, hand_over).await?;
            let receptionist = &mut cast.desk.receptionist;
            let seen = at_desk(receptionist, &case, |c| c["status"] == 10).await?;
            let outcome = ("outcome", json!("delivered"));
            let fields = [("revision", seen["revision"].clone()), outcome];
            let path = format!("/desk/cases/{case}/parcel");
            let heard = by.send(receptionist, &path, &fields);
            let name = by.name("/desk/cases/{code}/parcel");
            self.leaves(Place::Province, &name, heard).await?;
            ids.posted = case;
        }
        Ok(())
    }

    /// A birth whose result is wished by post before it is filed, to another address after.
    async fn wished(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<String> {
        let (world, mother) = (self.nation.world.clone(), &mut cast.mother);
        let draft = birth::start(mother).await?;
        birth::prefill(mother, &draft).await?;
        birth::fill(mother, &draft, &Answers::usual(&world)?, &birth::paper(&world)?).await?;
        let path = format!("/drafts/{draft}/post");
        let fields = wish(by, FIRST);
        let call = by.send(mother, &path, &fields);
        self.leaves(Place::National, &by.name("/drafts/{id}/post"), call)
            .await?;
        let case = birth::file(&mut cast.mother, &draft).await?;
        let path = format!("/cases/{case}/post");
        let fields = wish(by, THEN);
        let call = by.send(&mut cast.mother, &path, &fields);
        self.leaves(Place::National, &by.name("/cases/{code}/post"), call)
            .await?;
        let there = |seen: &Value| {
            let address = seen["post"]["address"].as_str();
            address.is_some_and(|address| address.starts_with("Số 2"))
        };
        at_desk(&mut cast.desk.receptionist, &case, there).await?;
        Ok(case)
    }
}

/// The fields of a wish, as a page or a program sends them.
fn wish(by: By, address: &str) -> [(&'static str, Value); 2] {
    let way = match by {
        By::Page => ("return_by", json!("post")),
        By::Json => ("by_post", json!(true)),
    };
    [way, ("post_address", json!(address))]
}
