//! One organisation acts for another: by a document that both signed, checked at either node when a
//! call is made in the other's name, named in the evidence, and ended at once.

use exchange::delegation::{Delegation, Role, SignedDelegation};
use exchange::life::words::{self, Said, Word};
use kernel::limits::Limits;
use kernel::{Actor, Digest, OrgCode};
use serde_json::{Value, json};

use crate::face::{CLIENT, Face, Told, face};
use crate::life::{carry, waiting};
use crate::nation::{LOOKUP, Nation};
use crate::offered::{PERSONS, System, agree};
use crate::operator::desk_at;

const ACTOR: Actor = Actor::Platform;

fn org(code: &str) -> OrgCode {
    code.parse().expect("a code")
}

/// G15, of the ministry's node, lets the portal of G22 ask in its name.
fn delegation(nation: &Nation) -> Delegation {
    Delegation {
        id: "01/UQ-G15-G22".to_owned(),
        delegator: org("G15"),
        agent: org("G22"),
        role: Role::Consumer,
        services: vec![LOOKUP.parse().expect("a service")],
        purpose: "mục đích (mẫu thử)".to_owned(),
        legal_basis: "căn cứ (mẫu thử)".to_owned(),
        valid_from: nation.national.now().plus_ms(-1_000),
        valid_to: nation.national.now().plus_ms(3_600_000),
    }
}

impl Face {
    async fn in_the_name_of(&self, party: &str) -> Told {
        let request = web::http::Request::post("/")
            .header(CLIENT.0, CLIENT.1)
            .header("x-road-represented-party", party)
            .header("sen-delegation", "0".repeat(64));
        self.send(request, &format!("/exchange/v1/call/{LOOKUP}"), "{}")
            .await
    }
}

/// What each signed word of a document names, checked by nothing but the bytes and the members' seals.
pub(crate) fn checked(nation: &Nation, seen: &serde_json::Value, kind: &str) -> Vec<String> {
    let document = seen["document"].as_str().expect("a text");
    let hash = Digest::of(document.as_bytes()).hex();
    let words = seen["signatures"].as_array().expect("a list").iter();
    words
        .map(|signed| {
            let party: OrgCode = signed["party"].as_str().expect("a code").parse().expect("a code");
            let seal = nation
                .national
                .directory
                .seal_certificate(&party)
                .expect("a seal");
            let key = |_: &str| seal::jws::PublicKey::from_certificate(&seal).ok();
            let payload = seal::jws::verify(signed["word"].as_str().expect("a word"), kind, key);
            let payload = payload.expect("signed by the party").into_inner();
            let told: serde_json::Value = serde_json::from_slice(&payload).expect("json");
            assert_eq!(told["party"], party.as_str());
            assert!(told.to_string().contains(&hash), "it names the document: {told}");
            hash.clone()
        })
        .collect()
}

async fn made(nation: &Nation) -> Digest {
    let (national, ministry) = (&nation.national, &nation.ministry);
    let offered = ministry.exchange.offer_delegation(delegation(nation), &ACTOR);
    let hash = offered.await.expect("offered");
    carry(ministry).await;
    national
        .exchange
        .accept_delegation(&hash, &ACTOR)
        .await
        .expect("accepted");
    carry(national).await;
    hash
}

#[tokio::test]
async fn a_call_in_anothers_name_rests_on_a_delegation_that_the_evidence_of_both_sides_names() {
    let nation = Nation::new().await;
    let face = face(&nation).await;
    let told = face.in_the_name_of("GOV/G15").await;
    assert_eq!((told.status, told.code()), (403, "delegation-missing".to_owned()));
    assert!(nation.national.evidence().await.is_empty(), "nothing left");
    // A party that is no organisation of the exchange signs nothing here.
    assert_eq!(face.in_the_name_of("COM/0101").await.status, 200);
    let hash = made(&nation).await;
    assert_eq!(face.in_the_name_of("GOV/G15").await.status, 200);
    for node in [&nation.national, &nation.ministry] {
        let evidence = node.evidence().await;
        let last = evidence.last().expect("a record");
        let head = String::from_utf8_lossy(&last.request.head).into_owned();
        assert!(head.contains(&format!("sen-delegation:{hash}\r\n")), "{head}");
        assert!(head.contains("X-Road-Represented-Party:GOV/G15\r\n"), "{head}");
        let tenant = node.keyring.seals.keys().next().expect("one");
        let subject = format!("delegation/{hash}");
        let facts = node.temp.store.facts_of(tenant, &subject);
        assert!(!facts.await.expect("reads").is_empty(), "{}", node.id);
    }
    let head = nation.ministry.evidence().await[0].request.head.clone();
    assert!(
        !String::from_utf8_lossy(&head).contains("sen-delegation"),
        "a caller's own is dropped"
    );
}

#[tokio::test]
async fn an_end_of_a_delegation_holds_at_once_where_it_is_said_and_then_everywhere() {
    let nation = Nation::new().await;
    let face = face(&nation).await;
    let hash = made(&nation).await;
    let end = |by: &'static str, reason: &'static str| {
        let by = org(by);
        let exchange = nation.ministry.exchange.clone();
        async move { exchange.end_delegation(&hash, &by, reason, &ACTOR).await }
    };
    assert_eq!(end("G15", " ").await.expect_err("a reason").code, "field-missing");
    assert_eq!(end("G01", "x").await.expect_err("no party").code, "not-found");
    assert_eq!(
        end("G22", "x").await.expect_err("elsewhere").code,
        "member-elsewhere"
    );
    end("G15", "Hết nhu cầu").await.expect("ended");
    let told = face.in_the_name_of("GOV/G15").await;
    assert_eq!((told.status, told.code()), (403, "delegation-over".to_owned()));
    assert_eq!(nation.ministry.faults().await, ["delegation-over"], "over there");
    carry(&nation.ministry).await;
    let before = nation.ministry.evidence().await.len();
    assert_eq!(face.in_the_name_of("GOV/G15").await.code(), "delegation-over");
    assert_eq!(
        nation.ministry.evidence().await.len(),
        before,
        "it does not even leave"
    );
    assert_eq!(end("G15", "x").await.expect_err("twice").code, "stale");
    let again = nation.national.exchange.accept_delegation(&hash, &ACTOR).await;
    assert_eq!(again.expect_err("it is over").code, "delegation-answered");
}

#[tokio::test]
async fn a_delegation_outlives_a_restart_and_ends_with_its_term() {
    let mut nation = Nation::new().await;
    made(&nation).await;
    nation.restart_ministry().await;
    let face = face(&nation).await;
    assert_eq!(face.in_the_name_of("GOV/G15").await.status, 200);
    nation.advance_ms(3_600_000);
    assert_eq!(face.in_the_name_of("GOV/G15").await.code(), "delegation-over");
}

#[tokio::test]
async fn words_about_a_delegation_count_from_its_parties_only_and_once() {
    let nation = Nation::new().await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    let d = delegation(&nation);
    let keys = [
        ("G15", &ministry.seal("G15").key),
        ("G01", &ministry.seal("G01").key),
        ("G22", &nation.hub.key),
    ];
    let key = |of: &str| keys.iter().find(|(org, _)| *org == of).expect("a key").1;
    let at = national.now();
    let say = |party: &str, said: Said| {
        let party = org(party);
        words::sign(
            Word {
                party: party.clone(),
                at,
                said,
            },
            key(party.as_str()),
        )
        .token
    };
    let signed = |delegator: &str, agent: Option<&str>| SignedDelegation {
        delegator_acceptance: d.accept(&d.delegator, at, key(delegator)),
        agent_acceptance: agent.map(|agent| d.accept(&d.agent, at, key(agent))),
        delegation: d.clone(),
    };
    let offer = |delegation| Said::DelegationOffer { delegation };
    let deal = |delegation| Said::DelegationDeal { delegation };
    let heard = national.exchange.agreements();
    for forged in [
        say("G01", offer(signed("G15", None))),
        say("G15", offer(signed("G01", None))),
    ] {
        assert_eq!(
            heard.hear(&forged).await.expect_err("refused").code,
            "seal-broken"
        );
    }
    let over_there = ministry.exchange.agreements();
    for forged in [
        say("G15", deal(signed("G15", Some("G22")))),
        say("G22", deal(signed("G15", None))),
        say("G22", deal(signed("G15", Some("G15")))),
        say("G22", deal(signed("G22", Some("G22")))),
    ] {
        assert_eq!(
            over_there.hear(&forged).await.expect_err("refused").code,
            "seal-broken"
        );
    }
    let hash = made(&nation).await;
    let good = say("G22", deal(signed("G15", Some("G22"))));
    over_there.hear(&good).await.expect("heard again");
    let end = |party: &str| {
        let reason = "x".to_owned();
        say(
            party,
            Said::DelegationEnd {
                delegation: hash,
                reason,
            },
        )
    };
    assert_eq!(
        over_there.hear(&end("G01")).await.expect_err("no party").code,
        "seal-broken"
    );
    over_there.hear(&end("G22")).await.expect("heard");
    over_there
        .hear(&good)
        .await
        .expect("a replayed acceptance is heard");
    let face = face(&nation).await;
    assert_eq!(
        face.in_the_name_of("GOV/G15").await.code(),
        "delegation-over",
        "and changes nothing"
    );
    let unknown = say(
        "G22",
        Said::DelegationEnd {
            delegation: Digest::of(b"x"),
            reason: "x".to_owned(),
        },
    );
    assert_eq!(
        over_there.hear(&unknown).await.expect_err("unknown").code,
        "not-found"
    );
}

#[tokio::test]
async fn a_service_published_in_anothers_name_answers_with_the_delegation_and_not_without() {
    let nation = Nation::new().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    let mut service = json!({"service": PERSONS, "url": system.url, "publishes_for": "G22"});
    let (status, told) = desk.post("services", &service).await;
    assert_eq!((status, &told["field"]), (422, &"publishes_for".into()), "{told}");
    let d = Delegation {
        delegator: org("G22"),
        agent: org("G01"),
        role: Role::Provider,
        services: vec![PERSONS.parse().expect("a service")],
        ..delegation(&nation)
    };
    let hash = nation
        .national
        .exchange
        .offer_delegation(d, &ACTOR)
        .await
        .expect("offered");
    carry(&nation.national).await;
    nation
        .ministry
        .exchange
        .accept_delegation(&hash, &ACTOR)
        .await
        .expect("accepted");
    carry(&nation.ministry).await;
    let (status, told) = desk.post("services", &service).await;
    assert_eq!(status, 201, "{told}");
    agree(&nation).await;
    let face = face(&nation).await;
    let told = face.persons("/exchange/v1/call/", "/persons/1").await;
    assert_eq!(told.status, 200);
    assert_eq!(told.header("sen-delegation"), hash.hex());
    let by = org("G22");
    let ended = nation.national.exchange.end_delegation(&hash, &by, "x", &ACTOR);
    ended.await.expect("ended");
    carry(&nation.national).await;
    assert_eq!(face.persons("/exchange/v1/call/", "/persons/1").await.status, 403);
    service["publishes_for"] = Value::Null;
    let (status, told) = desk.post(&format!("services/{PERSONS}"), &service).await;
    assert_eq!(status, 200, "{told}");
    let told = face.persons("/exchange/v1/call/", "/persons/1").await;
    assert_eq!(
        (told.status, told.header("sen-delegation")),
        (200, ""),
        "in its own name"
    );
}

#[tokio::test]
async fn two_operators_lead_a_delegation_by_the_page_and_as_programs_do() {
    let nation = Nation::new().await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let page = "/exchange/delegations";
    let (_, _, empty) = ministry.page(page, None).await;
    assert!(empty.contains("Chưa có ủy quyền nào"), "{empty}");
    let form = |agent: &'static str, purpose: &'static str| {
        [
            ("id", "02/UQ"),
            ("delegator", "G15"),
            ("agent", agent),
            ("role", "consumer"),
            ("services", LOOKUP),
            ("purpose", purpose),
            ("legal_basis", "căn cứ"),
            ("valid_from", "2026-01-01"),
            ("valid_to", "2030-12-31"),
        ]
    };
    for (agent, purpose, field) in [
        ("G22", " ", "purpose"),
        ("G15", "x", "agent"),
        ("g", "x", "agent"),
    ] {
        let (status, _, bad) = ministry.page(page, Some(&form(agent, purpose))).await;
        assert!(
            status == 422 && bad.contains(&format!("href=\"#{field}\"")),
            "{bad}"
        );
    }
    let (status, _, bad) = national.page(page, Some(&form("G22", "x"))).await;
    assert!(
        status == 422 && bad.contains("href=\"#delegator\""),
        "hosted elsewhere: {bad}"
    );
    let (status, _, told) = ministry.page(page, Some(&form("G22", "mục đích"))).await;
    assert_eq!(status, 303, "{told}");
    carry(&nation.ministry).await;
    let list = national.get("delegations").await;
    assert_eq!(
        (&list[0]["state"], &list[0]["waits"]),
        (&"offered".into(), &true.into())
    );
    let hash = list[0]["hash"].as_str().expect("a hash").to_owned();
    let accept = format!("{page}/{hash}/accept");
    assert_eq!(
        ministry.page(&accept, Some(&[])).await.0,
        403,
        "not the agent's node"
    );
    assert_eq!(national.page(&accept, Some(&[])).await.0, 303);
    carry(&nation.national).await;
    for desk in [&national, &ministry] {
        assert_eq!(desk.get("delegations").await[0]["state"], "in-force");
        let (_, _, seen) = desk.page(page, None).await;
        assert!(seen.contains("02/UQ") && seen.contains("đang hiệu lực"), "{seen}");
    }
    let seen = ministry.get(&format!("delegations/{hash}")).await;
    assert_eq!(
        checked(&nation, &seen, "sen-delegation"),
        [hash.clone(), hash.clone()]
    );
    let (status, _) = ministry
        .told("G01", &format!("delegations/{}", "0".repeat(64)))
        .await;
    assert_eq!(status, 404);
    let end = format!("{page}/{hash}/end");
    let (status, _, bad) = ministry.page(&end, Some(&[("by", "G15"), ("reason", "")])).await;
    assert!(
        status == 422 && bad.contains(&format!("href=\"#reason-{hash}\"")),
        "{bad}"
    );
    let path = format!("delegations/{hash}/end");
    let body = json!({"by": "G15", "reason": "Hết nhu cầu"});
    assert_eq!(ministry.post(&path, &body).await.0, 204);
    carry(&nation.ministry).await;
    assert_eq!(national.get("delegations").await[0]["ended_why"], "Hết nhu cầu");
    let text = json!({"id": "03/UQ", "delegator": "G15", "agent": "G22", "role": "owner", "services": [LOOKUP],
        "purpose": "x", "legal_basis": "x", "valid_from": 0, "valid_to": 4_000_000_000_000_i64});
    let (status, told) = ministry.post("delegations", &text).await;
    assert_eq!((status, &told["field"]), (422, &"role".into()));
    for (method, path) in [
        ("GET", "delegations".to_owned()),
        ("POST", "delegations".to_owned()),
        ("POST", format!("delegations/{hash}/accept")),
        ("POST", path),
    ] {
        let body = body.to_string();
        assert_eq!(ministry.send(method, &path, None, &body).await.0, 401, "{path}");
        assert_eq!(
            ministry.send(method, &path, Some("officer"), &body).await.0,
            403,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_provider_keeps_so_many_delegations_of_others_and_the_delegator_hears_of_each() {
    let limits = Limits {
        delegations_max: 1,
        ..Limits::default()
    };
    let nation = Nation::with(limits).await;
    let (national, ministry) = (&nation.national, &nation.ministry);
    made(&nation).await;
    let second = Delegation {
        id: "02/UQ-G15-G22".to_owned(),
        ..delegation(&nation)
    };
    let offered = ministry.exchange.offer_delegation(second, &ACTOR).await;
    let hash = offered.expect("offered");
    carry(ministry).await;
    let accepted = national.exchange.accept_delegation(&hash, &ACTOR).await;
    accepted.expect("accepted");
    let words = waiting(national).await;
    assert!(!words.is_empty());
    for word in &words {
        let refused = ministry
            .exchange
            .hear(word)
            .await
            .expect_err("the provider keeps one");
        assert_eq!(refused.code, "delegations-many");
    }
    let known = ministry
        .exchange
        .delegation(&hash)
        .await
        .expect("reads")
        .expect("known");
    assert_eq!(
        known.stage.as_str(),
        "agreed",
        "G15 has heard that it was accepted"
    );
    nation.advance_ms(3_600_000);
    for word in &words {
        ministry.exchange.hear(word).await.expect("the first is over");
    }
}
