//! What must hold of every exchange of a nation after any number of crashes: who had an answer has its
//! evidence on both sides, of the very same messages, proven by the log; and no side has one answer twice.
//! Reads as operators read; never a node's files.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use kernel::Digest;
use sen::up::nation::{PLACES, Place};
use serde_json::Value;

use crate::audit::Found;
use crate::people::Person;
use crate::site::Site;

/// The operator of each node.
struct Operators(BTreeMap<Place, Person>);

/// One answered record, as a node's operator finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answered {
    place: Place,
    status: u64,
}

/// All answered records of an exchange's sides, by exchange and side.
type Records = BTreeMap<(String, String), Vec<Answered>>;

/// Audits all exchanges of a nation, and those whose answers somebody has seen by name: each with the
/// consumer's node and the provider's.
///
/// # Errors
/// When the audit itself cannot be made.
pub async fn audit(
    site: &Site,
    acknowledged: &BTreeMap<String, [Place; 2]>,
    found: &mut Found,
) -> anyhow::Result<()> {
    let mut operators = Operators::of(site).await?;
    let mut records = Records::new();
    for place in PLACES {
        operators.list(place, &mut records).await?;
    }
    whole(&records, found);
    for (request, [consumer, provider]) in acknowledged {
        let here = operators.proved(*consumer, request, "consumer").await;
        let there = operators.proved(*provider, request, "provider").await;
        let same = here.and_then(|here| {
            ensure!(here == there?, "the two sides keep other messages");
            Ok(())
        });
        found.hold(
            "acknowledged exchanges proven on both sides, of the same messages",
            same.with_context(|| request.clone()),
        );
        for side in ["consumer", "provider"] {
            let kept = records.get(&(request.clone(), side.to_owned()));
            let once = kept.is_some_and(|kept| kept.len() == 1);
            found.hold(
                "acknowledged exchanges with one answered record a side",
                once.then_some(())
                    .with_context(|| format!("{request}, {side}: {kept:?}")),
            );
        }
    }
    Ok(())
}

/// No side has an answer twice, and what the consumer's side has as answered, the provider's has too.
fn whole(records: &Records, found: &mut Found) {
    for ((request, side), kept) in records {
        found.hold(
            "answered records, none doubled",
            (kept.len() == 1)
                .then_some(())
                .with_context(|| format!("{request}, {side}: {kept:?}")),
        );
        if side == "consumer" {
            let there = records.get(&(request.clone(), "provider".to_owned()));
            let status = |kept: &[Answered]| kept.first().map(|answered| answered.status);
            let same = there.is_some_and(|there| status(there) == status(kept));
            found.hold(
                "exchanges answered at the consumer's and recorded so at the provider's",
                same.then_some(())
                    .with_context(|| format!("{request}: {kept:?}, there {there:?}")),
            );
        }
    }
}

impl Operators {
    async fn of(site: &Site) -> anyhow::Result<Self> {
        let mut all = BTreeMap::new();
        for place in PLACES {
            all.insert(place, Person::official(site, "operator", place).await?);
        }
        Ok(Self(all))
    }

    async fn ask(&mut self, place: Place, path: &str) -> anyhow::Result<Value> {
        let operator = self.0.get_mut(&place).context("an operator a node")?;
        operator.get(path).await?.json()
    }

    /// Every answered record of a node, page by page.
    async fn list(&mut self, place: Place, records: &mut Records) -> anyhow::Result<()> {
        let mut after = String::new();
        loop {
            let path = format!("/api/v1/exchange/evidence{after}");
            let page = self.ask(place, &path).await?;
            for row in page["exchanges"].as_array().context("a list of exchanges")? {
                let text = |name: &str| row[name].as_str().map(str::to_owned).context("a text");
                let status = row["status"].as_u64().context("a status")?;
                if status > 0 {
                    let kept = records.entry((text("request")?, text("side")?)).or_default();
                    kept.push(Answered { place, status });
                }
            }
            match page["next"].as_str() {
                Some(next) => after = format!("?after={next}"),
                None => return Ok(()),
            }
        }
    }

    /// The log of a node proves its record of an exchange, which has an answer; the digests of the two
    /// messages' heads.
    async fn proved(&mut self, place: Place, request: &str, side: &str) -> anyhow::Result<[String; 2]> {
        let path = format!("/api/v1/exchange/exchanges/{request}/proof");
        let proof = self.ask(place, &path).await;
        proof
            .and_then(|proof| included(&proof))
            .with_context(|| format!("at {}", place.id()))?;
        let all = self
            .ask(place, &format!("/api/v1/exchange/evidence/{request}"))
            .await?;
        let sides = all["sides"].as_array().context("sides")?;
        let own = sides.iter().find(|own| own["exchange"]["side"] == side);
        let own = own.with_context(|| format!("{} has nothing of the {side}", place.id()))?;
        let head = |name: &str| own[name].as_str().map(str::to_owned);
        let heads = head("request_head").zip(head("answer_head"));
        let (asked, answered) = heads.with_context(|| format!("{} has no answer", place.id()))?;
        Ok([asked, answered])
    }
}

fn included(proof: &Value) -> anyhow::Result<()> {
    let digest = |v: &Value| v.as_str().and_then(Digest::parse).context("a digest");
    let path = proof["path"]
        .as_array()
        .context("a path")?
        .iter()
        .map(digest)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let position = proof["exchange"]["position"].as_u64().context("a position")?;
    let size = proof["size"].as_u64().context("a size")?;
    let holds = seal::merkle::verify_inclusion(
        &digest(&proof["leaf"])?,
        position,
        size,
        &path,
        &digest(&proof["root"])?,
    );
    ensure!(holds, "the inclusion proof of record {position} does not hold");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(list: &[(&str, &str, Place, u64)]) -> usize {
        let mut records = Records::new();
        for (request, side, place, status) in list {
            let key = ((*request).to_owned(), (*side).to_owned());
            records.entry(key).or_default().push(Answered {
                place: *place,
                status: *status,
            });
        }
        let mut found = Found::default();
        whole(&records, &mut found);
        found.faults.len()
    }

    #[test]
    fn a_doubled_record_a_missing_side_and_another_answer_are_faults() {
        let here = ("a", "consumer", Place::Province, 200);
        let there = ("a", "provider", Place::Ministry, 200);
        assert_eq!(faults(&[here, there]), 0);
        assert_eq!(faults(&[there]), 0, "an answer that was lost on its way back");
        assert_eq!(faults(&[here]), 1, "the provider's side is missing");
        assert_eq!(faults(&[here, there, there]), 1, "doubled");
        assert_eq!(faults(&[here, ("a", "provider", Place::Ministry, 500)]), 1);
    }
}
