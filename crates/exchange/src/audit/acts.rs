//! Facts to rows: every administrative act that a person or a program answers for. By position, so once.

use std::sync::atomic::Ordering;

use kernel::{Actor, FactRecord, Problem};

use super::store::{self as rows, Act};
use crate::gateway::Exchange;

/// Facts looked at together, count.
const STEP: usize = 2_000;
/// Facts after which the place is noted although none of them was an act, count.
const NOTE_AFTER: u64 = 10_000;
/// A new name when more facts count as acts: then the log is read again from its first fact, and a row that is
/// there already stays as it is.
const FOLLOWER: &str = "exchange-acts-2";

/// What the names of administrative acts begin with.
const KINDS: [&str; 15] = [
    "agreement-",
    "api-key-",
    "body-",
    "certificate-",
    "client-",
    "delegation-",
    "directory-",
    "group-",
    "instance-",
    "member-",
    "node-",
    "outbox-",
    "registration",
    "service-",
    "system-",
];
/// What follows from an act and is none.
const NONE: [&str; 4] = [
    "agreement-in-force",
    "directory-adopted",
    "directory-followed",
    "service-notice-heard",
];

impl Exchange {
    /// Turns new facts into rows; gives how many facts it looked at.
    ///
    /// # Errors
    /// When the store cannot be used; nothing is half done then.
    pub async fn fold_acts(&self) -> Result<usize, Problem> {
        let g = &*self.0;
        let seen = g.acts_seen.load(Ordering::Acquire);
        if g.store.facts_len().await <= seen {
            return Ok(0);
        }
        // Asked once a start: afterwards this process knows.
        let from = if seen == 0 {
            let place = g.store.write(&g.home, &Actor::Platform, |tx| async move {
                tx.position(FOLLOWER).await
            });
            place.await?
        } else {
            seen
        };
        let facts = g.store.facts_from(from, STEP).await?;
        let Some(to) = facts.last().map(|(position, _)| position + 1) else {
            g.acts_seen.fetch_max(from, Ordering::AcqRel);
            return Ok(0);
        };
        let acts: Vec<Act> = facts
            .iter()
            .filter_map(|(position, fact)| act(*position, fact))
            .collect();
        if !acts.is_empty() || to / NOTE_AFTER > from / NOTE_AFTER {
            let acts = &acts;
            g.store
                .write(&g.home, &Actor::Platform, |tx| async move {
                    for act in acts {
                        rows::insert(&tx, act).await?;
                    }
                    tx.set_position(FOLLOWER, to).await
                })
                .await?;
        }
        g.acts_seen.fetch_max(to, Ordering::AcqRel);
        Ok(facts.len())
    }
}

/// Whether a kind of fact is an administrative act.
fn is_act(kind: &str) -> bool {
    KINDS.iter().any(|begin| kind.starts_with(begin)) && !NONE.contains(&kind)
}

/// The row of a fact that is an administrative act.
fn act(position: u64, fact: &FactRecord) -> Option<Act> {
    if matches!(fact.actor, Actor::Platform | Actor::Anonymous | Actor::Citizen(_)) {
        return None;
    }
    let told = serde_json::to_value(&fact.fact).ok()?;
    let kind = told.get("fact")?.as_str()?;
    is_act(kind).then(|| Act {
        at: fact.at.ms(),
        // In the order of the log, also within one instant.
        id: format!("f{position:020}"),
        who: fact.actor.to_string(),
        unit: fact.tenant.top().to_string(),
        act: kind.to_owned(),
        object: fact.subject.clone(),
        result: "done".to_owned(),
        code: String::new(),
        times: 1,
    })
}

#[cfg(test)]
mod tests {
    use kernel::{Digest, Fact, Time};
    use web::Texts;

    use super::*;

    fn fact(actor: Actor, fact: Fact) -> FactRecord {
        FactRecord {
            v: FactRecord::VERSION,
            tenant: "G01.02".parse().expect("a code"),
            subject: "service/G01/a/b".to_owned(),
            seq: 1,
            at: Time(7),
            actor,
            fact,
            prev: Digest([0; 32]),
        }
    }

    #[test]
    fn an_act_is_what_somebody_answers_for() {
        let removed = || Fact::ServiceRemoved {
            service: "G01/a/b".to_owned(),
        };
        let o1 = || Actor::Official("o1".to_owned());
        let told = act(3, &fact(o1(), removed())).expect("an act");
        assert_eq!(
            (
                told.who.as_str(),
                told.act.as_str(),
                told.object.as_str(),
                told.unit.as_str()
            ),
            ("official:o1", "service-removed", "service/G01/a/b", "G01")
        );
        assert!(act(3, &fact(Actor::Platform, removed())).is_none());
        let signed_in = Fact::SignedIn {
            account: "o1".to_owned(),
            level: 3,
        };
        assert!(
            act(3, &fact(o1(), signed_in)).is_none(),
            "no act about the exchange"
        );
        let adopted = Fact::DirectoryAdopted {
            serial: 1,
            hash: Digest([0; 32]),
        };
        assert!(act(3, &fact(o1(), adopted)).is_none());
    }

    /// Of the facts that operations of the management leave, those that are no acts: each is about signing
    /// in, or follows from an act.
    const NO_ACTS: [&str; 6] = [
        "account-opened",
        "agreement-in-force",
        "directory-adopted",
        "sign-in-refused",
        "signed-in",
        "signed-out",
    ];

    #[test]
    fn every_fact_that_an_operation_of_the_management_leaves_is_an_act_with_words() {
        let described: serde_json::Value =
            serde_json::from_str(include_str!("../../../../openapi.json")).expect("json");
        let texts = Texts::new(&[web::TEXTS, crate::TEXTS]).expect("texts");
        let of_the_management = |operation: &&serde_json::Value| {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            ["directory", "exchange", "identity"].contains(&tag)
        };
        let paths = described["paths"].as_object().expect("paths").values();
        let operations = paths.filter_map(serde_json::Value::as_object);
        let operations = operations
            .flat_map(serde_json::Map::values)
            .filter(of_the_management);
        let named = operations.filter_map(|operation| operation["x-facts"].as_array());
        let mut seen = 0;
        for fact in named.flatten().filter_map(serde_json::Value::as_str) {
            assert_eq!(is_act(fact), !NO_ACTS.contains(&fact), "{fact}");
            if is_act(fact) {
                let key = format!("exchange-act-{fact}");
                assert!(texts.has(&key), "{key} says what was done");
                seen += 1;
            }
        }
        assert!(seen > 30, "the operations name their facts: {seen}");
    }
}
