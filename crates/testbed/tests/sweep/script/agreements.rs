//! Agreements from the request to the end, each step once by the pages and once as a program takes it:
//! asked for and refused; asked for and taken back; asked for, offered, accepted, suspended, resumed and ended.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use sen::up::nation::Place;
use serde_json::{Value, json};
use testbed::people::Person;
use testbed::raw;

use super::courses::By;
use super::{Script, ok};
use crate::stage::Cast;

/// How long a word may take to the other node.
const CARRIED: Duration = Duration::from_secs(60);
/// What is asked for.
const SERVICE: &str = "G01/population/assign-number";
/// Where the operations are, below `/api/v1` for programs.
const AGREEMENTS: &str = "/exchange/agreements";

impl Script<'_> {
    /// Leads two requests to their ends, by each face.
    pub(super) async fn agreements(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        for (by, number) in [(By::Page, "P"), (By::Json, "J")] {
            let id = format!("01/{number}/MAU");
            let refused = self.request(cast, by, &id).await.context("asking")?;
            let why = [("reason", json!("Chưa có căn cứ (mẫu)"))];
            self.step(cast, Place::Ministry, by, &refused, "refuse", &why)
                .await?;
            see(operator(cast, Place::National)?, &refused, "refused").await?;
            let id = format!("03/{number}/MAU");
            let taken = self.request(cast, by, &id).await.context("asking")?;
            let why = [("reason", json!("Hết nhu cầu (mẫu)"))];
            self.step(cast, Place::National, by, &taken, "withdraw", &why)
                .await?;
            see(operator(cast, Place::Ministry)?, &taken, "withdrawn").await?;
            let id = format!("02/{number}/MAU");
            let request = self.request(cast, by, &id).await.context("asking")?;
            self.lead(cast, by, &request, &id).await?;
        }
        Ok(())
    }

    /// An organisation at the portal's node asks one at the ministry's; the request's name.
    async fn request(&mut self, cast: &mut Cast, by: By, id: &str) -> anyhow::Result<String> {
        let fields = text(by, id);
        let who = operator(cast, Place::National)?;
        let call = by.send(who, AGREEMENTS, &fields);
        self.leaves(Place::National, &by.name(AGREEMENTS), call).await?;
        let asked = who
            .get("/api/v1/exchange/agreements?state=requested")
            .await?
            .json()?;
        let mut asked = asked.as_array().into_iter().flatten();
        let line = asked.find(|line| line["id"] == id).context("what was asked")?;
        let request = line["hash"].as_str().context("its name")?.to_owned();
        see(operator(cast, Place::Ministry)?, &request, "requested").await?;
        Ok(request)
    }

    /// From the offer to the end.
    async fn lead(&mut self, cast: &mut Cast, by: By, request: &str, id: &str) -> anyhow::Result<()> {
        let offered = match by {
            By::Page => text(by, id),
            By::Json => vec![("text", Value::Null)],
        };
        self.step(cast, Place::Ministry, by, request, "offer", &offered)
            .await?;
        let seen = see(operator(cast, Place::National)?, request, "offered").await?;
        let hash = seen["offered"].as_str().context("what is offered")?.to_owned();
        let accepted = [("agreement", json!(hash))];
        self.step(cast, Place::National, by, request, "accept", &accepted)
            .await?;
        see(operator(cast, Place::Ministry)?, &hash, "in-force").await?;
        self.body(cast, by).await.context("a kept body")?;
        let reason = [("by", json!("G01")), ("reason", json!("Rà soát (mẫu)"))];
        for (verb, state) in [
            ("suspend", "suspended"),
            ("resume", "in-force"),
            ("revoke", "revoked"),
        ] {
            let fields = if verb == "resume" {
                &reason[..1]
            } else {
                &reason[..]
            };
            self.step(cast, Place::Ministry, by, &hash, verb, fields).await?;
            see(operator(cast, Place::National)?, &hash, state).await?;
        }
        Ok(())
    }

    /// A call under the agreement, whose body an operator reads.
    async fn body(&mut self, cast: &mut Cast, by: By) -> anyhow::Result<()> {
        let site = self.nation.site.clone();
        raw::ask(&site, Place::National, "G22/portal", SERVICE, &json!({})).await?;
        let who = operator(cast, Place::National)?;
        let found = format!("/api/v1/exchange/evidence?service={SERVICE}");
        let found = who.get(&found).await?.json()?;
        let request = found["exchanges"][0]["request"]
            .as_str()
            .context("the exchange")?;
        let below = match by {
            By::Page => "",
            By::Json => "/api/v1",
        };
        let path = format!("{below}/exchange/evidence/{request}/body?part=request&purpose=mau");
        let operation = format!("GET {below}/exchange/evidence/{{request}}/body");
        self.leaves(Place::National, &operation, async {
            ensure!(who.get(&path).await?.body == "{}", "another body");
            Ok(())
        })
        .await?;
        let path = format!("/api/v1/exchange/exchanges/{request}/asice?body=true&purpose=mau");
        let operation = "GET /api/v1/exchange/exchanges/{request}/asice";
        let call = async { ok(who.get(&path).await?) };
        self.leaves(Place::National, operation, call).await.map(drop)
    }

    async fn step(
        &mut self,
        cast: &mut Cast,
        place: Place,
        by: By,
        name: &str,
        verb: &str,
        fields: &[(&str, Value)],
    ) -> anyhow::Result<()> {
        let operation = by.name(&format!("{AGREEMENTS}/{{hash}}/{verb}"));
        let path = format!("{AGREEMENTS}/{name}/{verb}");
        let call = by.send(operator(cast, place)?, &path, fields);
        self.leaves(place, &operation, call).await
    }
}

fn operator(cast: &mut Cast, place: Place) -> anyhow::Result<&mut Person> {
    cast.operators.get_mut(&place).context("an operator")
}

/// Waits until an operator sees a state.
async fn see(who: &mut Person, name: &str, state: &str) -> anyhow::Result<Value> {
    let path = format!("/api/v1/exchange/agreements/{name}");
    let mut last = Value::Null;
    let seen = tokio::time::timeout(CARRIED, async {
        loop {
            if let Ok(reply) = ok(who.get(&path).await?) {
                last = reply.json()?;
                if last["state"] == state {
                    return anyhow::Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    ensure!(seen.is_ok(), "{name} is {} and not {state}", last["state"]);
    seen??;
    Ok(last)
}

/// The twelve items, as a form or a program sends them.
pub(super) fn text(by: By, id: &str) -> Vec<(&'static str, Value)> {
    let days = match by {
        By::Page => [json!("2026-01-01"), json!("2034-12-31")],
        By::Json => [json!(1_767_200_400_000_i64), json!(2_051_197_200_000_i64)],
    };
    let [from, to] = days;
    let [rate, days] = match by {
        By::Page => [json!("60"), json!("30")],
        By::Json => [json!(60), json!(30)],
    };
    let words = [
        "purpose",
        "legal_basis",
        "place",
        "sharing_method",
        "handling",
        "conditions",
        "commitments",
        "protection",
        "storage",
        "deletion",
    ];
    let mut fields: Vec<(&'static str, Value)> = words
        .into_iter()
        .map(|field| (field, json!("Nội dung mẫu")))
        .collect();
    fields.extend([
        ("id", json!(id)),
        ("consumer", json!("G22/portal")),
        ("service", json!(SERVICE)),
        ("fields", json!([])),
        ("valid_from", from),
        ("valid_to", to),
        ("rate_per_minute", rate),
        ("keep_bodies", json!("both")),
        ("keep_bodies_days", days),
        ("other", json!("")),
    ]);
    fields
}
