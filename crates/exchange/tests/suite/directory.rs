//! What the directory says counts on every call, and only what it says: systems that are stopped, keys
//! that change, a hub that is gone. Never how a change comes into the directory: see `directory`.

use directory::Hub;
use directory::authorities::AuthorityEntry;
use directory::snapshot::{DisabledMember, Further, Stopped};
use exchange::Agreement;
use exchange::envelope::{self, Sent};
use exchange::message::RequestHead;
use kernel::Digest;
use seal::authority::Profile;
use seal::key::Identity;
use testkit::{Gives, ListAddress, START};

use crate::face::{CLIENT, face};
use crate::life::{carry, waiting};
use crate::nation::{LOOKUP, Nation, PORTAL};
use crate::node::{frames, issue, node_identity};
use crate::operator::desk_at;

const DAY_MS: i64 = 86_400_000;

#[tokio::test]
async fn a_hub_that_is_gone_for_a_day_stops_no_call_and_a_revoked_certificate_is_still_refused() {
    let mut nation = Nation::without_agreement(kernel::limits::Limits::default()).await;
    let agreement = Agreement {
        valid_to: START.plus_ms(10 * DAY_MS),
        ..nation.agreement()
    };
    let hash = agreement.hash();
    nation.agree(agreement).await;
    // A second node certificate and a second seal of the consumer's are good, until the last word of the hub.
    let node = node_identity(&nation.ca, 40);
    let seal = issue(&nation.ca, Profile::OrganisationSeal, "G22", 41);
    let (thumbprint, pem) = (node.certificate.thumbprint(), seal.chain_pem());
    nation
        .publish(|s| {
            s.further.push(Further::Node {
                node: "national".to_owned(),
                certificate: thumbprint,
            });
            s.further.push(Further::Seal {
                org: "G22".parse().expect("a code"),
                certificate_pem: pem,
                replaced: None,
            });
        })
        .await;
    assert_eq!(with_seal(&nation, &seal, hash).await, "");
    let answered = with_node(&nation, &node, hash).await;
    assert!(answered.is_ok(), "{answered:?}");
    let lost = [&node, &seal].map(|lost| Nation::revoked(&lost.certificate));
    nation.publish(|s| s.revoked.extend(lost)).await;
    for number in 0..24 {
        nation.advance_ms(DAY_MS / 24);
        let body = format!(r#"{{"n":{number}}}"#);
        nation.ask(&body).await.expect("a call goes on");
    }
    let (now, limits) = (nation.national.now(), kernel::limits::Limits::default());
    let directory = &nation.national.directory;
    assert!(directory.age(now) >= DAY_MS && directory.age(now) > limits.directory_age_ms_max);
    assert_eq!(with_seal(&nation, &seal, hash).await, "seal-broken");
    let refused = with_node(&nation, &node, hash).await;
    assert_eq!(refused, Err(web::ClientError::Connect), "TLS refuses");
    assert_eq!(nation.effects(), 2 + 24, "two before they were revoked");
}

#[tokio::test]
async fn what_a_ca_revokes_is_refused_at_every_node_after_the_hubs_next_look_and_one_that_is_away_stops_nothing()
 {
    let mut nation = Nation::without_agreement(kernel::limits::Limits::default()).await;
    let (agreement, hash) = (nation.agreement(), nation.agreement().hash());
    nation.agree(agreement).await;
    let node = node_identity(&nation.ca, 40);
    let seal = issue(&nation.ca, Profile::OrganisationSeal, "G22", 41);
    let times = (START.plus_ms(-DAY_MS / 24), START.plus_ms(DAY_MS));
    let none = nation.ca.revocation_list(&[], times, 1).expect("a list");
    let address = ListAddress::giving(Gives::Bytes(none)).await;
    let entry = AuthorityEntry {
        certificate: nation.ca.certificate().thumbprint(),
        certificate_pem: None,
        uses: Vec::new(),
        crl: Some(address.url.clone()),
        ocsp: None,
        note: String::new(),
        list: None,
    };
    let (leaf, issuers, pem) = (node.certificate.clone(), node.chain.clone(), seal.chain_pem());
    nation
        .publish(|s| {
            s.further.push(Further::Node {
                node: "national".to_owned(),
                certificate: leaf.thumbprint(),
            });
            s.note_issued(&leaf, &issuers);
            s.further.push(Further::Seal {
                org: "G22".parse().expect("a code"),
                certificate_pem: pem,
                replaced: None,
            });
            s.authorities.push(entry);
        })
        .await;
    let hub = Hub::open(nation.national.directory.clone(), nation.hub.clone())
        .await
        .expect("a hub");
    let look = async || {
        let found = hub.read_lists().await.expect("a look");
        // The other node follows.
        let (token, _) = nation.national.directory.token();
        nation.ministry.directory.adopt(&token).await.expect("adopted");
        found
    };
    assert_eq!(look().await, 0);
    assert_eq!(with_seal(&nation, &seal, hash).await, "");
    let answered = with_node(&nation, &node, hash).await;
    assert!(answered.is_ok(), "{answered:?}");
    let revoked = [
        (&node.certificate, START, "keyCompromise"),
        (&seal.certificate, START, "superseded"),
    ];
    let both = nation.ca.revocation_list(&revoked, times, 2).expect("a list");
    address.gives(Gives::Bytes(both));
    assert_eq!(look().await, 2);
    assert_eq!(with_seal(&nation, &seal, hash).await, "seal-broken");
    let refused = with_node(&nation, &node, hash).await;
    assert_eq!(refused, Err(web::ClientError::Connect), "TLS refuses");
    // The authority is away from now on: others go on, and who was revoked stays so.
    address.gives(Gives::HangsUp);
    nation.advance_ms(DAY_MS / 2);
    assert_eq!(look().await, 0);
    nation.ask("{}").await.expect("a call goes on");
    assert_eq!(with_seal(&nation, &seal, hash).await, "seal-broken");
}

/// The consumer's request under an agreement, sealed by one of its seals now.
fn request(nation: &Nation, seal: &Identity, agreement: Digest) -> Sent {
    let head = RequestHead {
        agreement,
        ..nation.head()
    };
    nation.sealed(&head, b"{}", seal, nation.national.now())
}

/// What the provider's gateway says to a call with a seal; nothing when it answers.
async fn with_seal(nation: &Nation, seal: &Identity, agreement: Digest) -> String {
    nation.told(&request(nation, seal, agreement)).await
}

/// A good call from a node that shows a certificate.
async fn with_node(nation: &Nation, node: &Identity, agreement: Digest) -> Result<Vec<u8>, web::ClientError> {
    let from = &nation.national;
    let client = frames(&from.temp, node, &from.directory, &nation.ca);
    let sent = envelope::write(&request(nation, &nation.hub, agreement));
    client.send(&nation.ministry.peer, sent.into(), 5_000).await
}

#[tokio::test]
async fn a_disabled_or_deleted_system_neither_calls_nor_answers() {
    let mut nation = Nation::new().await;
    nation.ask(r#"{"n":1}"#).await.expect("before");
    for (org, system, deleted) in [
        ("G22", "portal", false),
        ("G22", "portal", true),
        ("G01", "population", false),
    ] {
        let stopped = Stopped {
            org: org.parse().expect("a code"),
            system: system.to_owned(),
            deleted,
        };
        nation.publish(|s| s.stopped = vec![stopped]).await;
        assert_eq!(
            nation.refused(r#"{"n":2}"#).await,
            "system-stopped",
            "{org}/{system}"
        );
    }
    // The other side refuses by itself: the consumer's node need not have heard of it yet.
    let stopped = Stopped {
        org: "G22".parse().expect("a code"),
        system: "portal".to_owned(),
        deleted: false,
    };
    nation.publish(|s| s.stopped.clear()).await;
    let token = nation.sign_next(|s| s.stopped = vec![stopped]);
    nation.ministry.directory.adopt(&token).await.expect("adopted");
    assert_eq!(nation.refused(r#"{"n":3}"#).await, "system-stopped");
    assert_eq!(nation.effects(), 1);
    nation.publish(|s| s.stopped.clear()).await;
    nation.ask(r#"{"n":4}"#).await.expect("enabled again");
}

/// The hub's word that a member is disabled.
fn disabled(org: &str) -> DisabledMember {
    DisabledMember {
        org: org.parse().expect("a code"),
        since: START,
        reason: "Lộ khóa".to_owned(),
    }
}

#[tokio::test]
async fn a_disabled_member_neither_calls_nor_is_called_at_any_node_that_heard_and_its_agreements_stay() {
    let mut nation = Nation::new().await;
    nation.ask(r#"{"n":1}"#).await.expect("before");
    for org in ["G22", "G01"] {
        nation.publish(|s| s.disabled = vec![disabled(org)]).await;
        assert_eq!(nation.refused(r#"{"n":2}"#).await, "member-disabled", "{org}");
    }
    let desk = desk_at(&nation.ministry).await;
    let asked = desk
        .get(&format!("allowed?consumer={PORTAL}&service={LOOKUP}"))
        .await;
    assert_eq!(
        (&asked["allowed"], &asked["code"]),
        (&false.into(), &"member-disabled".into())
    );
    assert_eq!(
        desk.get("agreements").await[0]["state"],
        "in-force",
        "what was agreed stays"
    );
    // The provider's node refuses by itself: the consumer's need not have heard of it yet.
    nation.publish(|s| s.disabled.clear()).await;
    let token = nation.sign_next(|s| s.disabled = vec![disabled("G22")]);
    nation.ministry.directory.adopt(&token).await.expect("adopted");
    assert_eq!(nation.refused(r#"{"n":3}"#).await, "member-disabled");
    let last = nation.ministry.faults().await;
    assert_eq!(
        last.last().map(String::as_str),
        Some("member-disabled"),
        "it is in the evidence"
    );
    // Metadata services ask for no agreement, yet not of a disabled member's.
    let path = "/r1/VN/GOV/G01/population/listMethods";
    let request = web::http::Request::get("/")
        .header(CLIENT.0, CLIENT.1)
        .header("accept", "application/problem+json");
    let told = face(&nation).await.send(request, path, "").await;
    assert_eq!((told.status, told.code().as_str()), (403, "member-disabled"));
    assert_eq!(nation.effects(), 1);
    nation.publish(|s| s.disabled.clear()).await;
    nation
        .ask(r#"{"n":4}"#)
        .await
        .expect("enabled again, under the same agreement");
}

#[tokio::test]
async fn a_word_said_before_a_seal_was_changed_counts_and_one_said_long_after_does_not() {
    let mut nation = crate::life::nation().await;
    let by = kernel::Actor::Platform;
    let asked = nation
        .national
        .exchange
        .request_agreement(nation.agreement(), &by);
    let request = asked.await.expect("asked");
    carry(&nation.national).await;
    let text = Agreement {
        valid_to: START.plus_ms(10 * DAY_MS),
        ..nation.agreement()
    };
    let offered = nation.ministry.exchange.offer_agreement(&request, text, &by);
    let hash = offered.await.expect("offered");
    // The word waits in the outbox while the seal is changed.
    let seal = issue(&nation.ca, Profile::OrganisationSeal, "G01", 50);
    let (now, g01) = (
        nation.ministry.now(),
        "G01".parse::<kernel::OrgCode>().expect("a code"),
    );
    nation
        .publish(|s| {
            let member = s.members.iter_mut().find(|m| m.org == g01).expect("there");
            let before = std::mem::replace(&mut member.certificate_pem, seal.chain_pem());
            s.further.push(Further::Seal {
                org: g01.clone(),
                certificate_pem: before,
                replaced: Some(now),
            });
        })
        .await;
    carry(&nation.ministry).await;
    let (national, ministry) = (&nation.national.exchange, &nation.ministry.exchange);
    let accepted = national.accept_agreement(&request, &hash, &by).await;
    accepted.expect("both acceptances hold");
    carry(&nation.national).await;
    // The ministry's node has a day to take the new key up.
    nation.advance_ms(3_600_000);
    ministry
        .suspend_agreement(&hash, &g01, "bảo trì", &by)
        .await
        .expect("said");
    carry(&nation.ministry).await;
    nation.advance_ms(86_400_000);
    ministry.resume_agreement(&hash, &g01, &by).await.expect("said");
    let said = waiting(&nation.ministry).await;
    let refused = national
        .hear(&said[0])
        .await
        .expect_err("not by that key any more");
    assert_eq!(refused.code, "seal-broken");
    let earlier = nation.ministry.seal("G01").certificate.clone();
    assert_eq!(nation.national.directory.seals_at(&g01, now).len(), 2);
    nation
        .publish(|s| s.revoked.push(Nation::revoked(&earlier)))
        .await;
    assert_eq!(
        nation.national.directory.seals_at(&g01, now).len(),
        1,
        "a revoked key says nothing"
    );
}

#[tokio::test]
async fn calls_go_on_while_a_seal_and_a_node_change_over_to_new_certificates() {
    let mut nation = Nation::new().await;
    let seal = issue(&nation.ca, Profile::OrganisationSeal, "G01", 50);
    let node = node_identity(&nation.ca, 51);
    // The directory names the new ones first; the ministry still runs with those of before.
    nation
        .publish(|s| {
            let member = s
                .members
                .iter_mut()
                .find(|m| m.org.as_str() == "G01")
                .expect("there");
            let before = std::mem::replace(&mut member.certificate_pem, seal.chain_pem());
            s.further.push(Further::Seal {
                replaced: None,
                org: "G01".parse().expect("a code"),
                certificate_pem: before,
            });
            let entry = s.nodes.iter_mut().find(|n| n.id == "ministry").expect("there");
            let before = std::mem::replace(&mut entry.certificate, node.certificate.thumbprint());
            s.further.push(Further::Node {
                node: "ministry".to_owned(),
                certificate: before,
            });
        })
        .await;
    nation.ask(r#"{"n":1}"#).await.expect("with the earlier ones");
    // The agreement was signed with a key that is not the member's first one any more.
    let signed = nation.signed(nation.agreement());
    let agreements = nation.national.exchange.agreements();
    assert_eq!(
        agreements.adopt(signed).await,
        Ok(false),
        "what is held stays held"
    );
    let earlier = nation.ministry.seal("G01").certificate.clone();
    let revoked = Nation::revoked(&earlier);
    nation.publish(|s| s.revoked.push(revoked)).await;
    assert_eq!(nation.refused(r#"{"n":2}"#).await, "seal-broken");
}
