//! Two instances of the exchange, each with its own hub, its own roots and the same codes: what passes
//! between them, and what one of them can never say about the other.

use axum::http::Request;
use directory::registration::change::Change;
use directory::snapshot::{NodeEntry, Snapshot};
use exchange::export::Which;
use exchange::message::{AnswerHead, RequestHead};
use exchange::{CodeStyle, envelope};
use kernel::{Kind, OrgCode};
use seal::authority::Profile;
use seal::certificate::{Trust, Usage};

use crate::face::face_of;
use crate::land::{Land, agree, ask, two, words};
use crate::node::{issue, node_identity};

const DAY_MS: i64 = 86_400_000;

#[tokio::test]
async fn a_call_between_two_instances_leaves_evidence_on_both_sides_whichever_asks() {
    let (ours, theirs) = two().await;
    for (one, other) in [(&ours, &theirs), (&theirs, &ours)] {
        let agreement = agree(one, other, words().await).await;
        let heard = ask(&one.national.exchange, one.portal(), other.lookup())
            .await
            .expect("an answer");
        assert_eq!(heard.status, 200);
        let (asked, answered) = (one.national.evidence().await, other.ministry.evidence().await);
        let sides = (asked[0].side, answered[0].side);
        assert_eq!(sides, (envelope::CONSUMER, envelope::PROVIDER));
        assert_eq!(asked[0].request.sealed, answered[0].request.sealed);
        for record in [&asked[0], &answered[0]] {
            let head = RequestHead::parse(&record.request.head).expect("a head");
            assert_eq!((&head.consumer, &head.service), (&one.portal(), &other.lookup()));
            assert_eq!(head.agreement, agreement.hash());
            let answer = record.answer.as_ref().expect("an answer");
            let answer = AnswerHead::parse(&answer.head).expect("a head");
            assert_eq!(answer.request, heard.request);
        }
        let text = String::from_utf8(asked[0].request.head.to_vec()).expect("text");
        let (consumer, provider) = (one.portal().header(), other.lookup().path());
        assert!(text.contains(&consumer) && text.contains(&provider), "{text}");
    }
    let head = ours.national.evidence().await[0].request.head.to_vec();
    let head = String::from_utf8(head).expect("text");
    assert!(
        head.starts_with("POST\r\n/r1/LA/GOV/G01/population/person-lookup\r\n")
            && head.contains("\r\nX-Road-Client:VN/GOV/G22/portal\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn the_same_code_in_two_instances_is_two_organisations_with_two_agreements() {
    let (ours, theirs) = two().await;
    agree(&ours, &theirs, words().await).await;
    // Neither the service of our own ministry nor our portal's name at theirs is covered by it.
    let own = ask(&ours.national.exchange, ours.portal(), ours.lookup()).await;
    assert_eq!(own.expect_err("refused").kind, Kind::Forbidden);
    let as_theirs = ask(&ours.national.exchange, theirs.portal(), theirs.lookup()).await;
    assert_eq!(as_theirs.expect_err("refused").kind, Kind::Forbidden);
    assert!(theirs.ministry.evidence().await.is_empty());
    let (here, there) = (ours.org("G01"), theirs.org("G01"));
    let directory = &ours.national.directory;
    let seals = (
        directory.seal_certificate(&here),
        directory.seal_certificate(&there),
    );
    assert_ne!(
        seals.0.expect("ours").thumbprint(),
        seals.1.expect("theirs").thumbprint()
    );
    let nodes = [here, there].map(|org| directory.node_of(&org).expect("a node").id);
    assert_eq!(nodes, ["ministry", "LA/ministry"]);
}

#[tokio::test]
async fn an_anchor_that_is_withdrawn_stops_calls_at_every_node_that_heard_so_and_on_open_connections() {
    let (ours, theirs) = two().await;
    agree(&ours, &theirs, words().await).await;
    agree(&theirs, &ours, words().await).await;
    let out = async || ask(&ours.national.exchange, ours.portal(), theirs.lookup()).await;
    let back = async || ask(&theirs.national.exchange, theirs.portal(), ours.lookup()).await;
    out().await.expect("before");
    back().await.expect("before");
    ours.withdraw("LA").await;
    assert_eq!(out().await.expect_err("refused").code, "instance-untrusted");
    // The other instance knows nothing of it, and its connection is open.
    let refused = back().await.expect_err("refused").code;
    assert_eq!(refused, "node-revoked");
    assert_eq!(ours.ministry.evidence().await.len(), 1);
    // Trusted again, calls go on under the agreement that stands.
    let (anchor, token) = theirs.anchor();
    ours.trust(&token, anchor.hash().expect("a hash"))
        .await
        .expect("trusted");
    ours.ask_others().await;
    out().await.expect("after");
    back().await.expect("after");
}

#[tokio::test]
async fn a_foreign_hub_that_is_gone_for_a_day_stops_no_call_not_even_after_a_restart() {
    let (mut ours, theirs) = two().await;
    agree(&ours, &theirs, words().await).await;
    theirs.hub_is_gone().await;
    for _ in 0..24 {
        ours.advance_ms(DAY_MS / 24);
        theirs.advance_ms(DAY_MS / 24);
        ask(&ours.national.exchange, ours.portal(), theirs.lookup())
            .await
            .expect("a call goes on");
    }
    assert!(
        ours.ask_others().await.iter().all(Result::is_err),
        "nobody answers there"
    );
    let now = ours.national.now();
    let other = ours.national.directory.other("LA").expect("followed");
    assert!(other.age(now) >= Some(DAY_MS), "and its age is told");
    // What was kept on disk is taken up again.
    let hub = ours.national.seal("G22").clone();
    ours.national.restart(&hub, &ours.ca).await;
    let other = ours.national.directory.other("LA").expect("followed");
    assert!(other.is_known() && other.age(now) >= Some(DAY_MS));
    ask(&ours.national.exchange, ours.portal(), theirs.lookup())
        .await
        .expect("a call goes on");
}

#[tokio::test]
async fn a_certificate_that_the_other_instance_revokes_is_refused_here_once_it_is_heard() {
    let (ours, theirs) = two().await;
    agree(&theirs, &ours, words().await).await;
    let back = async || ask(&theirs.national.exchange, theirs.portal(), ours.lookup()).await;
    back().await.expect("before");
    let node = theirs.national.keyring.node.certificate.clone();
    let operator = kernel::Actor::Official("operator-1".to_owned());
    theirs
        .hub
        .revoke(&operator, node.thumbprint(), "mất khóa")
        .await
        .expect("revoked");
    assert!(ours.ask_others().await.iter().all(Result::is_ok));
    let refused = ours.ministry.directory.node_certificate_ok(node.der());
    assert_eq!(refused, Err("node-revoked".to_owned()));
    assert!(back().await.is_err());
}

#[tokio::test]
async fn what_another_instance_says_of_our_members_nodes_and_certificates_counts_for_nothing() {
    let (ours, theirs) = two().await;
    let ours_g01 = ours.org("G01");
    let node = ours.ministry.keyring.node.certificate.clone();
    let seal = ours.ministry.seal("G01").certificate.clone();
    let operator = kernel::Actor::Official("operator-1".to_owned());
    // It revokes our ministry's seal and node, and lists our node as one of its own.
    for thumbprint in [seal.thumbprint(), node.thumbprint()] {
        theirs
            .hub
            .revoke(&operator, thumbprint, "không phải của mình")
            .await
            .expect("revoked");
    }
    let mut snapshot = Snapshot::clone(&theirs.hub.directory().snapshot());
    snapshot.nodes.push(NodeEntry {
        id: "stolen".to_owned(),
        peer: "127.0.0.1:1".to_owned(),
        certificate: node.thumbprint(),
    });
    theirs.hub.publish(&snapshot).await.expect("published");
    assert_eq!(ours.ask_others().await, [Ok(true), Ok(true)]);
    let directory = &ours.national.directory;
    assert_eq!(
        directory.node_certificate_ok(node.der()),
        Ok("ministry".to_owned())
    );
    assert_eq!(
        directory.seal_certificate(&ours_g01).expect("ours").thumbprint(),
        seal.thumbprint()
    );
    assert!(!directory.is_revoked_of(&ours_g01, &seal.thumbprint()));
    // Its root vouches for a seal in our member's name: no directory takes it.
    let forged = issue(&theirs.ca, Profile::OrganisationSeal, "G01", 77);
    let now = ours.national.now();
    let path = |org: &OrgCode| {
        directory
            .trust_of(org)
            .path(&forged.certificate, &[], now, Usage::Seal)
    };
    assert!(path(&ours_g01).is_err(), "its roots are for its own members");
    let mut bad = Snapshot::clone(&theirs.hub.directory().snapshot());
    let mut member = bad.members[0].clone();
    (member.org, member.certificate_pem) = (ours_g01.clone(), forged.chain_pem());
    bad.members.push(member);
    let refused = theirs.hub.publish(&bad).await.expect_err("refused");
    assert_eq!(refused.code, "directory-unsound");
    bad.serial += 1;
    let token = bad.sign(theirs.national.seal("LA-G22")).expect("signed");
    let other = directory.other("LA").expect("followed");
    assert_eq!(
        other.directory.adopt(&token).await.expect_err("refused").code,
        "directory-unsound"
    );
    // And ours is for nobody of theirs.
    let forged = issue(&ours.ca, Profile::OrganisationSeal, "LA-G01", 78);
    let trust = directory.trust_of(&theirs.org("G01"));
    assert!(trust.path(&forged.certificate, &[], now, Usage::Seal).is_err());
}

#[tokio::test]
async fn a_node_that_the_other_instances_root_certified_is_not_let_in_as_one_of_ours() {
    let (ours, theirs) = two().await;
    // Its certificate is listed by us, yet leads to their root: the handshake refuses it.
    let strange = node_identity(&theirs.ca, 60);
    let mut snapshot = Snapshot::clone(&ours.hub.directory().snapshot());
    snapshot.nodes.push(NodeEntry {
        id: "strange".to_owned(),
        peer: "127.0.0.1:1".to_owned(),
        certificate: strange.certificate.thumbprint(),
    });
    ours.hub.publish(&snapshot).await.expect("published");
    ours.spread().await;
    let from = &theirs.national;
    let client = crate::node::frames(&from.temp, &strange, &from.directory, &theirs.ca);
    let refused = client.send(&ours.ministry.peer, bytes::Bytes::new(), 5_000).await;
    assert!(refused.is_err(), "{refused:?}");
}

#[tokio::test]
async fn an_instance_is_trusted_by_the_hash_that_was_compared_and_never_by_its_own_name() {
    let (ours, theirs) = (Land::new("VN").await, Land::new("LA").await);
    let (anchor, token) = theirs.anchor();
    let wrong = kernel::Digest::of(b"another");
    let refused = ours.trust(&token, wrong).await.expect_err("refused");
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        ("anchor-hash", Some("hash"))
    );
    let (own, own_token) = ours.anchor();
    let refused = ours
        .trust(&own_token, own.hash().expect("a hash"))
        .await
        .expect_err("refused");
    assert_eq!(refused.code, "anchor-own-instance");
    // A false hub under the same name has another hash.
    let (false_hub, false_token) = Land::new("LA").await.anchor();
    let refused = ours
        .trust(&false_token, anchor.hash().expect("a hash"))
        .await
        .expect_err("refused");
    assert_eq!(refused.code, "anchor-hash");
    assert_ne!(false_hub.hash().expect("a hash"), anchor.hash().expect("a hash"));
    assert!(ours.national.directory.others().is_empty());
    let call = ask(&ours.national.exchange, ours.portal(), theirs.lookup()).await;
    assert_eq!(call.expect_err("refused").code, "instance-untrusted");
}

#[tokio::test]
async fn a_directory_that_the_anchors_key_did_not_sign_is_not_taken_over() {
    let (ours, theirs) = (Land::new("VN").await, Land::new("LA").await);
    // The anchor of one hub, and at its address another one of the same name.
    theirs.hub_is_gone().await;
    let impostor = Land::new("LA").await;
    let (mut anchor, _) = theirs.anchor();
    anchor.urls = vec![impostor.url.clone()];
    let token = anchor.sign(theirs.national.seal("LA-G22")).expect("signed");
    ours.trust(&token, anchor.hash().expect("a hash"))
        .await
        .expect("trusted");
    assert!(ours.ask_others().await.iter().all(Result::is_err));
    assert!(!ours.national.directory.other("LA").expect("followed").is_known());
}

#[tokio::test]
async fn nobody_delegates_or_joins_a_group_across_instances() {
    let (ours, theirs) = two().await;
    let agreement = agree(&ours, &theirs, words().await).await;
    let grouped = exchange::Agreement {
        group: Some(serde_json::from_str(r#"{"name":"global/one-stops"}"#).expect("a group")),
        ..agreement
    };
    let faults = grouped.faults(ours.national.now());
    assert!(faults.iter().any(|fault| fault.code == "group-instances"));
    let foreign = Change::AddToGroup {
        group: "one-stops".to_owned(),
        system: theirs.portal().to_string(),
    };
    let name = Change::NameGroup {
        group: "one-stops".to_owned(),
        name: "Một cửa".to_owned(),
    };
    ours.enact(name).await.expect("a group");
    assert_eq!(
        ours.enact(foreign).await.expect_err("refused").code,
        "directory-no-entry"
    );
    // Ours asks theirs in the name of one of ours, and of one of theirs.
    let face = face_of(&ours.national.exchange, CodeStyle::Camel).await;
    let client = ours.portal().header();
    for party in ["GOV/H56", "GOV/LA-G01"] {
        let request = Request::post("/")
            .header("x-road-client", &client)
            .header("x-road-represented-party", party)
            .header("accept", "application/problem+json")
            .header("content-type", "application/json");
        let told = face.send(request, &theirs.lookup().path(), "{}").await;
        assert_eq!(
            (told.status, told.code().as_str()),
            (403, "delegation-instances"),
            "{party}"
        );
    }
    let request = Request::post("/")
        .header("x-road-client", &client)
        .header("content-type", "application/json");
    let told = face.send(request, &theirs.lookup().path(), "{}").await;
    assert_eq!(told.status, 200, "in its own name it is answered");
    assert_eq!(told.header("x-road-service"), theirs.lookup().named());
    assert!(told.header("x-road-id").starts_with("VN-"));
}

#[tokio::test]
async fn clients_of_the_other_instance_are_listed_and_its_material_is_in_the_verifiers_folder() {
    let (ours, _theirs) = two().await;
    let face = face_of(&ours.national.exchange, CodeStyle::Camel).await;
    let get = async |path: &str| {
        let request = Request::get("/").header("accept", "application/json");
        face.send(request, path, "").await
    };
    let told = get("/listClients?xRoadInstance=LA").await;
    let text = String::from_utf8_lossy(&told.body).into_owned();
    assert_eq!(told.status, 200, "{text}");
    let json: serde_json::Value = serde_json::from_str(&text).expect("json");
    let id = &json["member"][0]["id"];
    assert_eq!(
        (&id["xroad_instance"], &id["member_code"]),
        (&"LA".into(), &"G22".into()),
        "{text}"
    );
    assert!(!text.contains("\"VN\""), "{text}");
    assert_ne!(get("/listClients?xRoadInstance=KH").await.status, 200);
    let zip = get("/verificationconf").await.body;
    let names = String::from_utf8_lossy(&zip).into_owned();
    for name in ["VN/directory.jws", "LA/directory.jws", "LA/anchors.pem"] {
        assert!(names.contains(&format!("verificationconf/{name}")), "{name}");
    }
    ours.withdraw("LA").await;
    let told = get("/listClients?xRoadInstance=LA").await;
    assert_ne!(told.status, 200, "who is trusted no more is listed no more");
}

#[tokio::test]
async fn a_download_of_a_call_between_instances_has_the_directory_of_theirs_beside_ours() {
    let (ours, theirs) = two().await;
    let _stamps = ours.stamps().await;
    agree(&ours, &theirs, words().await).await;
    let face = face_of(&ours.national.exchange, CodeStyle::Camel).await;
    let request = Request::post("/")
        .header("x-road-client", ours.portal().header())
        .header("x-road-id", "between")
        .header("content-type", "application/json");
    let told = face.send(request, &theirs.lookup().path(), "{}").await;
    assert_eq!(told.status, 200);
    let client = "xRoadInstance=VN&memberClass=GOV&memberCode=G22&subsystemCode=portal";
    let query = format!("/asic?queryId=between&{client}&force");
    let told = face.send(Request::get("/"), &query, "").await;
    assert_eq!(told.status, 200, "{}", String::from_utf8_lossy(&told.body));
    let mut archive = crate::timestamps::archive(&told.body);
    let mut files = std::collections::BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).expect("a file");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes).expect("reads");
        files.insert(file.name().expect("a name").to_string(), bytes);
    }
    for (land, instance) in [(&ours, "VN"), (&theirs, "LA")] {
        let (token, _) = land.hub.directory().token();
        assert_eq!(files[&format!("{instance}/directory.jws")], token.as_bytes());
        let root = land.ca.certificate().pem();
        assert_eq!(files[&format!("{instance}/anchors.pem")], root.as_bytes());
        assert!(files.contains_key(&format!("{instance}/hub.pem")));
    }
    // With what lies beside them both are proven, each by the roots of its own.
    let now = ours.national.now();
    for (word, land) in [("request", &ours), ("response", &theirs)] {
        let name = files
            .keys()
            .find(|name| name.contains(word))
            .expect("a container");
        let instance = if word == "request" { "VN" } else { "LA" };
        let pem = String::from_utf8(files[&format!("{instance}/anchors.pem")].clone()).expect("text");
        let root = seal::certificate::Certificate::from_pem(&pem).expect("a root");
        assert_eq!(root.thumbprint(), land.ca.certificate().thumbprint());
        assert!(name.ends_with(".asice"));
        let trust = if word == "request" {
            Trust::of(vec![root])
        } else {
            // The time was told by our authority, under our root.
            Trust::of(vec![root, ours.ca.certificate().clone()])
        };
        assert!(
            seal::asice::verify(&files[name], &trust, now).is_passed(),
            "{word}"
        );
    }
}

#[tokio::test]
async fn each_message_of_a_call_between_instances_is_proven_by_the_roots_of_its_own() {
    let (ours, theirs) = two().await;
    agree(&ours, &theirs, words().await).await;
    let asked = ask(&ours.national.exchange, ours.portal(), theirs.lookup()).await;
    let request = asked.expect("an answer").request;
    let trust = |land: &Land| Trust::of(vec![land.ca.certificate().clone()]);
    for node in [&ours.national, &theirs.ministry] {
        for (which, whose, other) in [(Which::Request, &ours, &theirs), (Which::Answer, &theirs, &ours)] {
            let zip = node
                .exchange
                .container(&request, which)
                .await
                .expect("a container");
            let now = node.now();
            assert!(
                seal::asice::verify(&zip, &trust(whose), now).is_passed(),
                "{which:?}"
            );
            assert!(
                !seal::asice::verify(&zip, &trust(other), now).is_passed(),
                "{which:?}"
            );
        }
    }
}
