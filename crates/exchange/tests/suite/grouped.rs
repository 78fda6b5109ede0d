//! A provider offers an agreement to a group: each member makes one of its own by accepting it, and
//! loses it when it leaves the group; at the revoking side at once, and by a signed word everywhere.

use std::collections::BTreeSet;

use directory::groups::LocalGroup;
use directory::snapshot::{GroupEntry, SystemEntry};
use exchange::agreement::Agreement;
use exchange::grouped::UnderGroup;
use exchange::life::words::{self, Said, Word};
use exchange::{State, SystemId};
use kernel::limits::Limits;
use kernel::{Actor, Digest, Problem};
use serde_json::json;

use crate::life::{carry, nation};
use crate::nation::{Nation, PORTAL};
use crate::operator::desk_at;

const ACTOR: Actor = Actor::Platform;
const GROUP: &str = "global/one-stops";

fn code<T>(answer: Result<T, Problem>) -> &'static str {
    answer.map(drop).expect_err("refused").code
}

/// The text that G01 offers to a group.
fn text(nation: &Nation, group: &str) -> Agreement {
    let text = nation.agreement();
    Agreement {
        consumer: text.service.provider(),
        group: Some(UnderGroup {
            name: group.parse().expect("a group"),
            offer: None,
        }),
        ..text
    }
}

/// Both nodes adopt a directory with the systems of a global group; each follows its groups.
pub(crate) async fn group_of(nation: &mut Nation, systems: &[&str]) {
    let group = GroupEntry {
        code: "one-stops".to_owned(),
        name: "Bộ phận một cửa".to_owned(),
        systems: systems.iter().map(|&s| s.to_owned()).collect(),
    };
    nation.publish(|s| s.groups = vec![group]).await;
}

fn portal() -> SystemId {
    PORTAL.parse().expect("an id")
}

/// The portal takes an offer up; the hash of the agreement that both hold then.
async fn taken_up(nation: &Nation, offer: &Digest) -> Digest {
    let (national, ministry) = (&nation.national, &nation.ministry);
    let portal_id = portal();
    let taken = national.exchange.take_up(offer, &portal_id, &ACTOR);
    taken.await.expect("taken up");
    for node in [national, ministry, national] {
        carry(node).await;
    }
    let service = nation.agreement().service;
    let found = |node: &crate::node::Node| {
        let held = node.exchange.agreements();
        held.find(&portal(), &service, node.now()).map(|a| a.hash())
    };
    let hash = found(ministry).expect("the provider's node holds it");
    assert_eq!(found(national).expect("the member's node holds it"), hash);
    hash
}

pub(crate) async fn offered(nation: &Nation, group: &str) -> Digest {
    let offer = nation
        .ministry
        .exchange
        .offer_to_group(text(nation, group), &ACTOR);
    let offer = offer.await.expect("offered");
    carry(&nation.ministry).await;
    offer
}

async fn state(node: &crate::node::Node, hash: &Digest) -> State {
    let known = node.exchange.look(hash).await.expect("reads");
    known.expect("known").state
}

#[tokio::test]
async fn a_member_of_a_group_makes_an_agreement_of_its_own_without_a_second_look_of_the_provider() {
    let mut nation = nation().await;
    group_of(&mut nation, &[PORTAL]).await;
    let offer = offered(&nation, GROUP).await;
    assert_eq!(
        nation.refused("{}").await,
        "agreement-missing",
        "nobody took it up"
    );
    let hash = taken_up(&nation, &offer).await;
    nation.ask("{}").await.expect("an answer");
    for node in [&nation.national, &nation.ministry] {
        let evidence = node.evidence().await;
        let head = String::from_utf8_lossy(&evidence.last().expect("one").request.head).into_owned();
        assert!(
            head.contains(&hash.hex()),
            "the evidence names the member's own agreement"
        );
        let list = node.exchange.agreements().list();
        let (_, held, _) = list.iter().find(|(h, ..)| *h == hash).expect("held");
        assert_eq!((held.group_offer(), &held.consumer), (Some(offer), &portal()));
    }
    let again = nation.national.exchange.take_up(&offer, &portal(), &ACTOR).await;
    assert_eq!(code(again), "agreement-held");
    let other = "G22/other".parse().expect("an id");
    let again = nation.national.exchange.take_up(&offer, &other, &ACTOR).await;
    assert_eq!(
        code(again),
        "group-member",
        "another system of the member is not in it"
    );
}

/// What the portal's organisation signs without its node's own checks, as the provider's node hears it.
async fn asks(nation: &Nation, agreement: Agreement) -> Result<Digest, Problem> {
    let word = Word {
        party: "G22".parse().expect("a code"),
        at: nation.national.now(),
        said: Said::Request { agreement },
    };
    let signed = words::sign(word, &nation.national.seal("G22").key);
    let heard = nation.ministry.exchange.hear(&signed.token).await;
    heard.map(|()| signed.digest)
}

#[tokio::test]
async fn a_member_has_one_agreement_of_an_offer_however_often_and_from_when_it_asks() {
    let mut nation = nation().await;
    group_of(&mut nation, &[PORTAL]).await;
    let text = Agreement {
        valid_from: nation.national.now().plus_ms(-10 * 86_400_000),
        ..text(&nation, GROUP)
    };
    let offer = nation.ministry.exchange.offer_to_group(text.clone(), &ACTOR);
    let offer = offer.await.expect("offered");
    carry(&nation.ministry).await;
    let since = |ms: i64| text.for_member(&portal(), nation.national.now().plus_ms(ms));
    let requested = async |agreement: Agreement| {
        let name = asks(&nation, agreement).await.expect("heard");
        state(&nation.ministry, &name).await
    };
    assert_eq!(
        requested(since(-2 * 86_400_000)).await,
        State::Requested,
        "long ago"
    );
    let (national, portal_id) = (&nation.national.exchange, portal());
    let first = national.take_up(&offer, &portal_id, &ACTOR).await;
    nation.advance_ms(5);
    let again = national.take_up(&offer, &portal_id, &ACTOR).await;
    assert_eq!(first.expect("taken up"), again.expect("the same request"));
    carry(&nation.national).await;
    let while_offered = requested(since(-1)).await;
    assert_eq!(
        while_offered,
        State::Requested,
        "another one waits for its acceptance"
    );
    for node in [&nation.ministry, &nation.national] {
        carry(node).await;
    }
    nation.ask("{}").await.expect("the one is in force");
    assert_eq!(requested(since(-2)).await, State::Requested, "it has one");
    assert_eq!(nation.ministry.exchange.agreements().list().len(), 1);
}

#[tokio::test]
async fn what_no_member_could_take_up_is_not_offered() {
    let mut nation = nation().await;
    group_of(&mut nation, &[PORTAL]).await;
    let refused = async |text: Agreement| code(nation.ministry.exchange.offer_to_group(text, &ACTOR).await);
    let elsewhere = Agreement {
        service: "G01/population/nothing".parse().expect("an id"),
        ..text(&nation, GROUP)
    };
    assert_eq!(refused(elsewhere).await, "agreement-service-none");
    let plain = text(&nation, GROUP);
    let bytes = kernel::digest::canonical_json(&plain).expect("json").len();
    let full = Agreement {
        other: "x".repeat(24 * 1024 - bytes),
        ..plain
    };
    assert!(full.faults(nation.ministry.now()).is_empty(), "sound by itself");
    assert_eq!(refused(full).await, "agreement-too-long");
}

#[tokio::test]
async fn a_system_that_left_its_group_is_refused_at_once_and_its_agreement_ends_for_good() {
    let mut nation = nation().await;
    group_of(&mut nation, &[PORTAL]).await;
    let offer = offered(&nation, GROUP).await;
    let first = taken_up(&nation, &offer).await;
    nation.ask("{}").await.expect("an answer");
    // Only the provider's node has the new directory: it refuses, whatever the other node thinks.
    let token = nation.sign_next(|s| s.groups[0].systems.clear());
    nation.ministry.directory.adopt(&token).await.expect("adopted");
    assert_eq!(nation.refused("{}").await, "agreement-group-left");
    assert_eq!(
        nation.ministry.faults().await.last().expect("one"),
        "agreement-group-left"
    );
    let effects = nation.effects();
    nation.national.directory.adopt(&token).await.expect("adopted");
    let before = nation.ministry.faults().await.len();
    assert_eq!(nation.refused("{}").await, "agreement-group-left");
    assert_eq!(
        nation.ministry.faults().await.len(),
        before,
        "refused at its own node"
    );
    assert_eq!(nation.effects(), effects);
    nation.ministry.exchange.follow_groups().await.expect("followed");
    carry(&nation.ministry).await;
    // Back in the group: what ended stays ended, and the offer is taken up anew.
    nation.advance_ms(5);
    group_of(&mut nation, &[PORTAL]).await;
    assert_eq!(nation.refused("{}").await, "agreement-revoked");
    for node in [&nation.national, &nation.ministry] {
        assert_eq!(state(node, &first).await, State::Revoked);
    }
    nation.ministry.exchange.follow_groups().await.expect("followed");
    carry(&nation.ministry).await;
    let second = taken_up(&nation, &offer).await;
    assert_ne!(first, second);
    nation.ask("{}").await.expect("an answer");
}

#[tokio::test]
async fn a_local_group_of_the_providers_node_decides_at_that_node() {
    let mut nation = nation().await;
    let system = SystemEntry {
        org: "G22".parse().expect("a code"),
        code: "portal".to_owned(),
        name: "Cổng".to_owned(),
    };
    nation.publish(|s| s.systems.push(system)).await;
    let refused = nation
        .ministry
        .exchange
        .offer_to_group(text(&nation, "local/partners"), &ACTOR);
    assert_eq!(code(refused.await), "group-unknown");
    let group = |systems: &[&str]| LocalGroup {
        code: "partners".to_owned(),
        name: "Bạn".to_owned(),
        systems: systems.iter().map(|&s| s.to_owned()).collect::<BTreeSet<_>>(),
    };
    let keeps = nation.ministry.directory.clone();
    keeps
        .save_local_group(group(&[PORTAL]), &ACTOR)
        .await
        .expect("kept");
    let offer = offered(&nation, "local/partners").await;
    let hash = taken_up(&nation, &offer).await;
    nation.ask("{}").await.expect("an answer");
    keeps.save_local_group(group(&[]), &ACTOR).await.expect("kept");
    assert_eq!(nation.refused("{}").await, "agreement-group-left");
    nation.ministry.exchange.follow_groups().await.expect("followed");
    carry(&nation.ministry).await;
    assert_eq!(state(&nation.national, &hash).await, State::Revoked);
    let again = nation.national.exchange.take_up(&offer, &portal(), &ACTOR).await;
    assert_eq!(
        code(again),
        "group-offer-ended",
        "it is not offered to it any more"
    );
}

#[tokio::test]
async fn two_organisations_of_one_node_agree_under_a_group_as_those_of_two_do() {
    let mut nation = nation().await;
    group_of(&mut nation, &["G15/records"]).await;
    let (ministry, system) = (
        &nation.ministry,
        "G15/records".parse::<SystemId>().expect("an id"),
    );
    let offer = offered(&nation, GROUP).await;
    let taken = ministry.exchange.take_up(&offer, &system, &ACTOR).await;
    taken.expect("taken up");
    for _ in 0..3 {
        carry(ministry).await;
    }
    let held = ministry.exchange.agreements();
    let service = nation.agreement().service;
    let found = held.find(&system, &service, ministry.now()).expect("held");
    assert_eq!(found.group_offer(), Some(offer));
}

#[tokio::test]
async fn a_node_that_lost_its_directory_ends_no_agreement_for_it() {
    let mut nation = nation().await;
    group_of(&mut nation, &[PORTAL]).await;
    let offer = offered(&nation, GROUP).await;
    let hash = taken_up(&nation, &offer).await;
    std::fs::remove_file(nation.ministry.temp.dir.path().join("directory.jws")).expect("lost");
    let (hub, ca) = (&nation.hub, &nation.ca);
    nation.ministry.restart(hub, ca).await;
    assert_eq!(nation.ministry.directory.snapshot().serial, 0);
    nation.ministry.exchange.follow_groups().await.expect("followed");
    group_of(&mut nation, &[PORTAL]).await;
    assert_eq!(state(&nation.ministry, &hash).await, State::InForce);
}

#[tokio::test]
async fn a_request_that_only_claims_to_be_of_an_offer_waits_for_the_operator() {
    let mut nation = nation().await;
    group_of(&mut nation, &[]).await;
    let offered = nation
        .ministry
        .exchange
        .offer_to_group(text(&nation, GROUP), &ACTOR);
    offered.await.expect("offered");
    let (national, ministry) = (&nation.national, &nation.ministry);
    let now = national.now();
    let of_the_offer = text(&nation, GROUP).for_member(&portal(), now);
    let name = asks(&nation, of_the_offer.clone()).await.expect("heard");
    assert_eq!(state(ministry, &name).await, State::Requested, "not in the group");
    let wider = Agreement {
        fields: vec!["full_name".to_owned(), "residence".to_owned()],
        ..of_the_offer
    };
    let name = asks(&nation, wider).await.expect("heard");
    assert_eq!(state(ministry, &name).await, State::Requested, "another text");
    assert_eq!(
        code(asks(&nation, text(&nation, GROUP)).await),
        "seal-broken",
        "what is for a group is nobody's to ask for"
    );
    // Nor does a provider fill another's node with offers.
    let says = async |provider: &str, serial: i64| {
        let system = format!("{provider}/population").parse::<SystemId>();
        let word = Word {
            party: "G01".parse().expect("a code"),
            at: ministry.now(),
            said: Said::GroupOffer {
                to: "G22".parse().expect("a code"),
                agreement: Agreement {
                    id: format!("{serial}/TT"),
                    provider: provider.parse().expect("a code"),
                    consumer: system.expect("an id"),
                    service: format!("{provider}/population/x").parse().expect("an id"),
                    ..text(&nation, GROUP)
                },
                serial,
                systems: vec![portal()],
            },
        };
        let signed = words::sign(word, &ministry.seal("G01").key);
        national.exchange.hear(&signed.token).await
    };
    let max = national.temp.store.limits().agreement_requests_max;
    for serial in 1..=i64::try_from(max).expect("a few") {
        let provider = if serial % 2 == 0 { "G01" } else { "G01.1" };
        says(provider, serial).await.expect("heard");
    }
    for provider in ["G01", "G01.1", "G01.2"] {
        assert_eq!(code(says(provider, i64::MAX).await), "agreement-requests");
    }
    says("G01.1", 1)
        .await
        .expect("what was heard before is heard again");
    let unknown = Digest::of(b"x");
    let taken = national.exchange.take_up(&unknown, &portal(), &ACTOR).await;
    assert_eq!(code(taken), "not-found");
}

#[tokio::test]
async fn an_offer_to_a_group_is_made_taken_up_and_ended_by_pages_and_programs() {
    let mut nation = nation().await;
    group_of(&mut nation, &[PORTAL]).await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let words = "mẫu thử";
    let mut text = json!({
        "id": "05/TT-NHOM", "consumer": GROUP, "service": crate::nation::LOOKUP, "fields": ["full_name"],
        "valid_from": nation.ministry.now().ms(), "valid_to": nation.ministry.now().ms() + 86_400_000,
        "rate_per_minute": 60, "other": "",
    });
    for item in [
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
    ] {
        text[item] = json!(words);
    }
    let send = async |role: Option<&str>, text: &serde_json::Value| {
        ministry
            .send("POST", "group-offers", role, &text.to_string())
            .await
    };
    assert_eq!(send(None, &text).await.0, 401);
    assert_eq!(send(Some("officer"), &text).await.0, 403);
    let mut wrong = text.clone();
    wrong["consumer"] = json!("G22/portal");
    let (status, body) = send(Some("operator"), &wrong).await;
    assert_eq!(status, 422, "{body:?}");
    assert!(String::from_utf8_lossy(&body).contains("group-name"));
    assert_eq!(send(Some("operator"), &text).await.0, 201);
    assert_eq!(send(Some("operator"), &text).await.0, 409, "once is enough");
    carry(&nation.ministry).await;
    let heard = national.get("group-offers").await;
    assert_eq!(heard[0]["systems"], json!([PORTAL]));
    let hash = heard[0]["hash"].as_str().expect("a hash").to_owned();
    let (status, _, page) = national.page("/exchange/group-offers", None).await;
    assert_eq!(status, 200);
    assert!(page.contains(&format!("/exchange/group-offers/{hash}/take")) && page.contains(words));
    let path = format!("group-offers/{hash}/take");
    let take = async |system: &str| {
        let body = json!({"system": system}).to_string();
        national.send("POST", &path, Some("operator"), &body).await.0
    };
    assert_eq!((take("G22/other").await, take("x").await), (422, 422));
    assert_eq!(take(PORTAL).await, 201);
    for node in [&nation.national, &nation.ministry, &nation.national] {
        carry(node).await;
    }
    let own = ministry.get("group-offers").await;
    assert_eq!(own[0]["agreements"].as_array().map(Vec::len), Some(1));
    let agreement = own[0]["agreements"][0].as_str().expect("a hash").to_owned();
    let seen = ministry.get(&format!("agreements/{agreement}")).await;
    assert_eq!(
        (&seen["group"], &seen["state"]),
        (&json!(GROUP), &json!("in-force"))
    );
    let seen = ministry.get(&format!("group-offers/{hash}")).await;
    let document = seen["document"].as_str().expect("a text");
    assert_eq!(Digest::of(document.as_bytes()).hex(), hash);
    let made = &seen["signed"][0];
    assert_eq!(made["agreement"], agreement.as_str());
    let both = crate::delegations::checked(&nation, made, "sen-agreement");
    assert_eq!(both, [agreement.clone(), agreement.clone()]);
    assert!(
        made["document"].as_str().expect("a text").contains(&hash),
        "it names the offer"
    );
    let (status, _) = ministry.told("G01", "group-offers/x").await;
    assert_eq!(status, 404);
    let (_, _, page) = ministry
        .page(&format!("/exchange/agreements/{agreement}"), None)
        .await;
    assert!(page.contains("khi còn trong nhóm global/one-stops"), "{page}");
    let (status, _, page) = ministry.page("/exchange/group-offers/new", None).await;
    assert!(status == 200 && page.contains(GROUP), "{page}");
    let end = format!("group-offers/{hash}/end");
    assert_eq!(
        national.send("POST", &end, Some("operator"), "").await.0,
        404,
        "another's"
    );
    assert_eq!(ministry.send("POST", &end, Some("operator"), "").await.0, 204);
    assert_eq!(ministry.send("POST", &end, Some("operator"), "").await.0, 409);
    carry(&nation.ministry).await;
    assert_eq!(national.get("group-offers").await[0]["state"], "ended");
    nation.ask("{}").await.expect("what was agreed goes on");
}

#[tokio::test]
async fn offers_to_groups_are_searched_and_given_a_page_at_a_time() {
    let limits = Limits {
        page_rows_max: 2,
        ..Limits::default()
    };
    let mut nation = Nation::without_agreement(limits).await;
    group_of(&mut nation, &[PORTAL]).await;
    for id in ["01/a", "02/b", "03/c"] {
        let text = Agreement {
            id: id.to_owned(),
            ..text(&nation, GROUP)
        };
        let offered = nation.ministry.exchange.offer_to_group(text, &ACTOR).await;
        offered.expect("offered");
    }
    let desk = desk_at(&nation.ministry).await;
    let ids = async |query: &str| -> Vec<String> {
        let all = desk.get(&format!("group-offers{query}")).await;
        let all = all.as_array().expect("a list").iter();
        all.map(|one| one["text"]["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(ids("").await, ["01/a", "02/b"]);
    let second = desk.get("group-offers").await[1]["hash"].clone();
    let after = second.as_str().expect("a hash");
    assert_eq!(ids(&format!("?after={after}")).await, ["03/c"]);
    assert_eq!(ids("?q=02/B").await, ["02/b"]);
    assert_eq!(ids("?q=one-stops").await.len(), 2, "by its group");
    assert!(ids("?q=nowhere").await.is_empty());
    let (status, _, page) = desk.page("/exchange/group-offers", None).await;
    assert!(
        status == 200 && page.contains("rel=\"next\"") && !page.contains("03/c"),
        "{page}"
    );
}
