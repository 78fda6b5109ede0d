//! Evidence as an operator meets it: searched, proved and taken away, by pages and as programs do, in the
//! running node and beside it.

use std::io::{Cursor as Bytes, Read as _, Write as _};

use directory::snapshot::Revoked;
use exchange::evidence::{Beside, Search};
use exchange::export::Which;
use kernel::OrgCode;
use kernel::limits::Limits;
use seal::authority::Profile;
use serde_json::Value;
use testkit::START;

use crate::face::face;
use crate::nation::{LOOKUP, Nation};
use crate::node::{Node, issue};
use crate::operator::{Desk, desk_at};
use crate::timestamps::authority;

impl Desk {
    /// A page as an operator of a tenant sees it.
    pub(crate) async fn seen(&self, tenant: &str, path: &str) -> (u16, String) {
        self.get_as(tenant, path, "text/html").await
    }

    async fn get_as(&self, tenant: &str, path: &str, accept: &str) -> (u16, String) {
        let request = web::http::Request::get(format!("http://{}{path}", self.address))
            .header("accept", accept)
            .header("accept-language", "vi")
            .header("role", "operator")
            .header("tenant", tenant)
            .body(bytes::Bytes::new())
            .expect("a request");
        let answer = web::Client::plain().send(request, 30_000, 1 << 20).await;
        let answer = answer.expect("an answer");
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        (answer.status().as_u16(), body)
    }

    /// The same as a program.
    pub(crate) async fn told(&self, tenant: &str, path: &str) -> (u16, Value) {
        let path = format!("/api/v1/exchange/{path}");
        let (status, body) = self.get_as(tenant, &path, "application/json").await;
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    async fn found(&self, tenant: &str, query: &str) -> Vec<String> {
        let (status, told) = self.told(tenant, &format!("evidence?{query}")).await;
        assert_eq!(status, 200, "{query}: {told}");
        let list = told["exchanges"].as_array().expect("a list");
        let ids = list.iter().map(|e| e["request"].as_str().expect("an id"));
        ids.map(str::to_owned).collect()
    }
}

pub(crate) async fn fold(nation: &Nation) {
    for node in [&nation.national, &nation.ministry] {
        node.exchange.fold_evidence().await.expect("folded");
    }
}

/// The verdict of each check of a side, by check and part.
fn verdicts(proof: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let checks = proof["sides"][0]["checks"].as_array().expect("checks").iter();
    checks
        .map(|c| (text(&c["check"]), text(&c["of"]), text(&c["verdict"])))
        .collect()
}

#[tokio::test]
async fn an_exchange_is_found_by_everything_an_operator_may_know_of_it() {
    let nation = Nation::new().await;
    let well = nation.ask("{}").await.expect("an answer").request;
    nation.national.temp.clock.advance_ms(1_000);
    nation.ministry.temp.clock.advance_ms(1_000);
    let refused = nation.ask(r#"{"do":"refuse"}"#).await.expect("an answer").request;
    fold(&nation).await;
    let desk = desk_at(&nation.ministry).await;
    let both = [refused.clone(), well.clone()];
    let hash = nation.agreement().hash();
    for (query, wanted) in [
        (String::new(), &both[..]),
        ("from=2026-11-21&to=2026-11-21".to_owned(), &both),
        ("from=2026-11-22".to_owned(), &[]),
        ("to=2026-11-20".to_owned(), &[]),
        ("member=G22".to_owned(), &both),
        ("member=G22.01".to_owned(), &both),
        ("member=G15".to_owned(), &[]),
        (format!("service={LOOKUP}"), &both),
        ("service=G01/population/other".to_owned(), &[]),
        (format!("agreement={hash}"), &both),
        (format!("agreement={}", "0".repeat(64)), &[]),
        ("result=ok".to_owned(), &both[1..]),
        ("result=refused".to_owned(), &both[..1]),
        ("result=fault".to_owned(), &[]),
        ("case=G22-261121-0001".to_owned(), &both),
        ("case=other".to_owned(), &[]),
        (format!("request={well}"), &both[1..]),
        (format!("request={well}&result=refused"), &[]),
        (
            format!("member=G22&result=refused&case=G22-261121-0001&service={LOOKUP}"),
            &both[..1],
        ),
        ("request=%20%20".to_owned(), &both),
    ] {
        assert_eq!(desk.found("G01", &query).await, wanted, "{query}");
    }
    let (status, page) = desk.seen("G01", "/exchange/evidence?result=refused").await;
    assert_eq!(status, 200);
    assert!(page.contains(&format!("/exchange/evidence/{refused}")) && !page.contains(&well));
    assert!(page.contains("bị từ chối") && page.contains("01/2026/TT-CSDL"));
    assert!(!page.contains("citizen:"), "rows name nobody");
    let (_, page) = desk.seen("G01", "/exchange/evidence?case=other").await;
    assert!(page.contains("Không có lượt trao đổi nào như vậy."));
    let empty = Nation::new().await;
    let (_, page) = desk_at(&empty.ministry)
        .await
        .seen("G01", "/exchange/evidence")
        .await;
    assert!(page.contains("Chưa có lượt trao đổi nào."));
}

#[tokio::test]
async fn what_cannot_be_read_is_told_at_its_field_on_both_faces() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    for (query, field) in [
        ("from=2026-02-30", "from"),
        ("to=mai", "to"),
        ("from=2026-11-22&to=2026-11-21", "to"),
        ("member=x", "member"),
        ("service=x", "service"),
        ("agreement=x", "agreement"),
        ("result=x", "result"),
        ("after=x", "after"),
    ] {
        let (status, told) = desk.told("G01", &format!("evidence?{query}")).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{told}");
        let (status, page) = desk.seen("G01", &format!("/exchange/evidence?{query}")).await;
        assert_eq!(status, 422, "{query}");
        if field != "after" {
            assert!(page.contains(&format!("id=\"{field}-error\"")), "{query}");
        }
    }
}

#[tokio::test]
async fn pages_lead_through_all_of_it_and_keep_what_was_asked_for() {
    let limits = Limits {
        page_rows_max: 2,
        ..Limits::default()
    };
    let nation = Nation::with(limits).await;
    let mut asked = Vec::new();
    for _ in 0..5 {
        asked.push(nation.ask("{}").await.expect("an answer").request);
        nation.national.temp.clock.advance_ms(10);
        nation.ministry.temp.clock.advance_ms(10);
    }
    fold(&nation).await;
    asked.reverse();
    let desk = desk_at(&nation.ministry).await;
    let (mut seen, mut query) = (Vec::new(), "member=G22".to_owned());
    let next = loop {
        let (_, told) = desk.told("G01", &format!("evidence?{query}")).await;
        let page = told["exchanges"].as_array().expect("a list");
        assert!(page.len() <= 2);
        seen.extend(
            page.iter()
                .map(|e| e["request"].as_str().expect("an id").to_owned()),
        );
        match told["next"].as_str() {
            Some(next) => query = format!("member=G22&after={next}"),
            None => break told["next"].clone(),
        }
    };
    assert_eq!((seen, next), (asked, Value::Null));
    let (_, page) = desk.seen("G01", "/exchange/evidence?member=G22").await;
    assert!(
        page.contains("/exchange/evidence?member=G22&#38;after=") || page.contains("?member=G22&amp;after=")
    );
}

#[tokio::test]
async fn an_operator_of_a_tenant_never_sees_what_another_tenant_did() {
    let nation = Nation::new().await;
    let request = nation.ask("{}").await.expect("an answer").request;
    fold(&nation).await;
    let desk = desk_at(&nation.ministry).await;
    // The ministry's node hosts G01, whose node it is, and G15, which took no part.
    assert_eq!(desk.found("G01", "").await, std::slice::from_ref(&request));
    for query in [
        "",
        "member=G22",
        &format!("request={request}"),
        "case=G22-261121-0001",
    ] {
        assert!(desk.found("G15", query).await.is_empty(), "{query}");
    }
    let (_, listed) = desk.told("G15", "exchanges").await;
    assert_eq!(listed, serde_json::json!([]));
    for path in [
        format!("evidence/{request}"),
        format!("exchanges/{request}/proof"),
        format!("exchanges/{request}/asice"),
    ] {
        assert_eq!(desk.told("G15", &path).await.0, 404, "{path}");
        assert_eq!(desk.told("G01", &path).await.0, 200, "{path}");
    }
    let page = format!("/exchange/evidence/{request}");
    assert_eq!(desk.seen("G15", &page).await.0, 404);
}

#[tokio::test]
async fn nobody_but_an_operator_sees_evidence_and_an_unknown_exchange_is_not_there() {
    let nation = Nation::new().await;
    let request = nation.ask("{}").await.expect("an answer").request;
    fold(&nation).await;
    let desk = desk_at(&nation.ministry).await;
    for path in ["evidence".to_owned(), format!("evidence/{request}")] {
        assert_eq!(desk.send("GET", &path, None, "").await.0, 401, "{path}");
        for role in ["citizen", "officer", "chairman"] {
            assert_eq!(desk.send("GET", &path, Some(role), "").await.0, 403, "{path}");
        }
    }
    for unknown in ["0", "%2F", "..%2F..%2Fetc", &"f".repeat(32)] {
        assert_eq!(desk.told("G01", &format!("evidence/{unknown}")).await.0, 404);
        let page = desk.seen("G01", &format!("/exchange/evidence/{unknown}")).await;
        assert_eq!(page.0, 404, "{unknown}");
    }
}

#[tokio::test]
async fn the_proof_says_what_holds_and_that_a_timestamp_is_still_to_come() {
    let mut nation = Nation::new().await;
    let request = nation
        .ask(r#"{"who":"Nguyễn Văn Mẫu"}"#)
        .await
        .expect("an answer")
        .request;
    fold(&nation).await;
    let desk = desk_at(&nation.ministry).await;
    let path = format!("evidence/{request}");
    let (status, proof) = desk.told("G01", &path).await;
    assert_eq!(status, 200, "{proof}");
    for (check, of, verdict) in verdicts(&proof) {
        let open = ["timestamp", "log"].contains(&check.as_str());
        assert_eq!(verdict, if open { "open" } else { "passed" }, "{check} of {of}");
    }
    assert_eq!(verdicts(&proof).len(), 13);
    assert_eq!(proof["other"]["heard"], "told");
    assert_eq!(proof["other"]["agrees"], true);
    assert_eq!(proof["other"]["record"]["side"], "consumer");
    let there = proof["other"]["record"]["timeline"].as_array().expect("a list");
    assert!(
        there.iter().any(|m| m["what"] == "ended" && m["clock"] == "G22"),
        "{there:?}"
    );
    let page_path = format!("/exchange/evidence/{request}");
    let (_, page) = desk.seen("G01", &page_path).await;
    assert!(page.contains("Chưa có dấu thời gian tin cậy."));
    assert!(page.contains("Các mốc thời gian ở cả hai nút"));
    assert!(page.contains("sen verify FILE.asice --trust ca.pem") && page.contains("openssl ts -verify"));
    for nobody in ["Nguyễn Văn Mẫu", "citizen:a1"] {
        assert!(!page.contains(nobody) && !proof.to_string().contains(nobody));
    }
    let _tsa = authority(&mut nation).await;
    for node in [&nation.national, &nation.ministry] {
        node.exchange.stamp_now().await.expect("stamped");
    }
    let (_, proof) = desk.told("G01", &path).await;
    for (check, of, verdict) in verdicts(&proof) {
        assert_eq!(verdict, "passed", "{check} of {of}");
    }
    assert_eq!(proof["other"]["record"]["stamped"], true);
    let moments = proof["sides"][0]["timeline"].as_array().expect("a list").iter();
    let moments: Vec<_> = moments.map(|m| m["what"].as_str().expect("a key")).collect();
    for what in [
        "sent",
        "request-sealed",
        "began",
        "answer-sealed",
        "served",
        "checkpoint",
        "stamped",
    ] {
        assert!(moments.contains(&what), "{what}: {moments:?}");
    }
    let (_, page) = desk.seen("G01", &page_path).await;
    assert!(page.contains("Mọi kiểm tra đều đạt."));
    // The other node's page is of the same messages.
    let there = desk_at(&nation.national).await;
    let (_, theirs) = there.told("G22", &path).await;
    let head = |proof: &Value| proof["sides"][0]["request_head"].clone();
    assert_eq!(head(&theirs), head(&proof));
    assert_eq!(theirs["sides"][0]["exchange"]["side"], "consumer");
}

#[tokio::test]
async fn the_proof_says_when_the_other_node_has_no_record_or_is_not_reached() {
    let nation = Nation::new().await;
    nation.ministry.temp.clock.advance_ms(600_000);
    assert_eq!(nation.refused("{}").await, "clock-skew");
    fold(&nation).await;
    let desk = desk_at(&nation.national).await;
    let request = desk.found("G22", "result=refused").await.remove(0);
    let (_, proof) = desk.told("G22", &format!("evidence/{request}")).await;
    // The ministry's gateway refused and has kept that it did.
    assert_eq!(
        (&proof["other"]["heard"], &proof["other"]["record"]["fault"]),
        (&"told".into(), &"clock-skew".into())
    );
    assert_eq!(proof["sides"][0]["answered"], false);
    nation.ministry.halt().await;
    nation.refused("{}").await;
    fold_one(&nation.national).await;
    let request = desk.found("G22", "result=fault").await.remove(0);
    let (_, proof) = desk.told("G22", &format!("evidence/{request}")).await;
    assert_eq!(proof["other"]["heard"], "unreached");
    let (status, page) = desk.seen("G22", &format!("/exchange/evidence/{request}")).await;
    assert_eq!(status, 200);
    assert!(page.contains("Nút ministry của G01"));
}

async fn fold_one(node: &Node) {
    node.exchange.fold_evidence().await.expect("folded");
}

#[tokio::test]
async fn only_the_other_partys_node_is_told_of_a_record() {
    let nation = Nation::new().await;
    let request = nation.ask("{}").await.expect("an answer").request;
    fold(&nation).await;
    let url = format!("https://{}/exchange/v1/evidence/{request}", nation.ministry.peer);
    let ask = |node: &Node| {
        let client = node.peers(&nation.ca);
        let request = web::http::Request::get(&url).body(bytes::Bytes::new());
        let request = request.expect("a request");
        async move {
            client
                .send(request, 30_000, 1 << 16)
                .await
                .expect("an answer")
                .status()
                .as_u16()
        }
    };
    assert_eq!(ask(&nation.national).await, 200);
    // The ministry's own certificate is a node's, but not that of the other party's node.
    assert_eq!(ask(&nation.ministry).await, 404);
}

pub(crate) async fn beside(node: &Node) -> Beside {
    let tenants: Vec<OrgCode> = node.keyring.seals.keys().cloned().collect();
    let config = &node.temp.config;
    Beside::open(&config.database, &config.folder, &tenants)
        .await
        .expect("opened")
}

#[tokio::test]
async fn what_is_taken_away_beside_a_node_is_what_the_node_gives_while_it_runs_and_after() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    for body in ["{}", r#"{"do":"refuse"}"#, "{}"] {
        nation.ask(body).await.expect("an answer");
    }
    fold(&nation).await;
    let node = &nation.ministry;
    assert_eq!(node.exchange.stamp_now().await.expect("stamped"), 3);
    nation.ask("{}").await.expect("an answer, not stamped yet");
    fold(&nation).await;
    let mut given = Vec::new();
    let running = beside(node).await;
    let found = running.search(&Search::default(), 10).await.expect("found");
    assert_eq!(found.exchanges.len(), 4);
    for (e, which) in found.exchanges.iter().flat_map(|e| Which::BOTH.map(|w| (e, w))) {
        let zip = node
            .exchange
            .container(&e.request, which)
            .await
            .expect("a container");
        let taken = running
            .containers()
            .of(e, which)
            .await
            .expect("read")
            .expect("there");
        assert!(zip == taken, "{which:?}");
        given.push(zip);
    }
    node.halt().await;
    let stopped = beside(node).await;
    let containers = stopped.containers();
    let all = found.exchanges.iter().flat_map(|e| Which::BOTH.map(|w| (e, w)));
    for ((e, which), zip) in all.zip(&given) {
        let taken = containers.of(e, which).await.expect("read").expect("there");
        assert!(*zip == taken, "{which:?}");
        let verdict = seal::asice::verify(&taken, &node.directory.trust(), node.now());
        assert!(verdict.is_passed(), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_container_with_any_of_its_files_altered_fails() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    let request = nation.ask("{}").await.expect("an answer").request;
    fold(&nation).await;
    let node = &nation.national;
    node.exchange.stamp_now().await.expect("stamped");
    let trust = node.directory.trust();
    for which in Which::BOTH {
        let zip = node
            .exchange
            .container(&request, which)
            .await
            .expect("a container");
        assert!(seal::asice::verify(&zip, &trust, node.now()).is_passed());
        let mut archive = zip::ZipArchive::new(Bytes::new(&zip)).expect("an archive");
        let names: Vec<String> = archive
            .file_names()
            .map(|n| n.expect("a name").into_owned())
            .collect();
        assert_eq!(names.len(), 11, "{names:?}");
        for altered in &names {
            let mut out = zip::ZipWriter::new(Bytes::new(Vec::new()));
            for name in &names {
                let mut bytes = Vec::new();
                let mut file = archive.by_name(name).expect("a file");
                file.read_to_end(&mut bytes).expect("reads");
                if name == altered {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                }
                let stored = zip::write::SimpleFileOptions::default()
                    .compression_method(zip::CompressionMethod::Stored)
                    .last_modified_time(zip::DateTime::default());
                out.start_file(name, stored).expect("begun");
                out.write_all(&bytes).expect("written");
            }
            let zip = out.finish().expect("packed").into_inner();
            let verdict = seal::asice::verify(&zip, &trust, node.now());
            assert_eq!(
                verdict.indication.as_str(),
                "TOTAL-FAILED",
                "{altered}: {verdict:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_endpoint_is_shown_as_the_agreement_writes_it_and_never_the_path_that_was_sent() {
    let nation = Nation::without_agreement(Limits::default()).await;
    nation
        .agree(exchange::Agreement {
            endpoints: vec![
                "POST /persons/{id}".parse().expect("an endpoint"),
                exchange::Endpoint::post(),
            ],
            ..nation.agreement()
        })
        .await;
    nation.ask("{}").await.expect("an answer");
    let face = face(&nation).await;
    face.rest("POST", "/persons/001090000001?full=1", &[], "{}").await;
    fold(&nation).await;
    let desk = desk_at(&nation.national).await;
    let mut shown = Vec::new();
    for request in desk.found("G22", "").await {
        let (_, proof) = desk.told("G22", &format!("evidence/{request}")).await;
        assert!(!proof.to_string().contains("001090000001"));
        let (_, page) = desk.seen("G22", &format!("/exchange/evidence/{request}")).await;
        assert!(!page.contains("001090000001"));
        shown.push(proof["sides"][0]["endpoint"].as_str().expect("text").to_owned());
    }
    shown.sort();
    assert_eq!(shown, ["POST /", "POST /persons/{id}"]);
}

#[tokio::test]
async fn a_seal_is_judged_by_what_was_revoked_when_it_was_used() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    let request = nation.ask("{}").await.expect("an answer").request;
    fold(&nation).await;
    nation.ministry.exchange.stamp_now().await.expect("stamped");
    let then = nation.snapshot.serial.to_string();
    let thumbprint = nation.ministry.seal("G01").certificate.thumbprint();
    for (ms, wanted) in [(60_000, "passed"), (-60_000, "failed")] {
        let at = START.plus_ms(ms);
        nation
            .publish(|s| {
                s.revoked = vec![Revoked {
                    thumbprint,
                    at,
                    reason: "mất khóa".to_owned(),
                    source: None,
                }];
            })
            .await;
        let desk = desk_at(&nation.ministry).await;
        let (status, proof) = desk.told("G01", &format!("evidence/{request}")).await;
        assert_eq!(status, 200);
        let checks = proof["sides"][0]["checks"].as_array().expect("checks");
        let certificate = checks
            .iter()
            .find(|check| check["check"] == "certificate" && check["of"] == "answer");
        let certificate = certificate.expect("a check");
        assert_eq!(certificate["verdict"], wanted, "{certificate}");
        let details = certificate["details"].as_array().expect("details");
        let directory = details.iter().find(|detail| detail["name"] == "directory");
        assert_eq!(directory.expect("named")["value"], then.as_str());
        let (_, page) = desk.seen("G01", &format!("/exchange/evidence/{request}")).await;
        assert!(page.contains("Danh bạ khi đó: số thứ tự"));
    }
}

#[tokio::test]
async fn an_unstamped_message_of_a_seal_that_is_revoked_since_stays_open() {
    let mut nation = Nation::new().await;
    let request = nation.ask("{}").await.expect("an answer").request;
    fold(&nation).await;
    let thumbprint = nation.ministry.seal("G01").certificate.thumbprint();
    nation
        .publish(|s| {
            s.revoked = vec![Revoked {
                thumbprint,
                at: START.plus_ms(60_000),
                reason: "mất khóa".to_owned(),
                source: None,
            }];
        })
        .await;
    let certificate = certificate_of_answer(&nation, &request).await;
    assert_eq!(certificate["verdict"], "open", "{certificate}");
    assert!(certificate.to_string().contains("REVOKED_NO_POE"));
}

#[tokio::test]
async fn an_exchange_is_proved_by_the_roots_that_were_trusted_when_it_was_stamped() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    let request = nation.ask("{}").await.expect("an answer").request;
    fold(&nation).await;
    nation.ministry.exchange.stamp_now().await.expect("stamped");
    assert_eq!(
        certificate_of_answer(&nation, &request).await["verdict"],
        "passed"
    );
    // Every member gets a seal under another root, and the one of before is trusted no more.
    let other = testkit::authority();
    nation
        .publish(|s| {
            s.anchors = vec![other.certificate().pem()];
            for (serial, member) in (100..).zip(&mut s.members) {
                let seal = issue(&other, Profile::OrganisationSeal, member.org.as_str(), serial);
                member.certificate_pem = seal.chain_pem();
            }
        })
        .await;
    let certificate = certificate_of_answer(&nation, &request).await;
    assert_eq!(certificate["verdict"], "passed", "{certificate}");
}

async fn certificate_of_answer(nation: &Nation, request: &str) -> serde_json::Value {
    let desk = desk_at(&nation.ministry).await;
    let (status, proof) = desk.told("G01", &format!("evidence/{request}")).await;
    assert_eq!(status, 200);
    let checks = proof["sides"][0]["checks"].as_array().expect("checks");
    let found = checks
        .iter()
        .find(|check| check["check"] == "certificate" && check["of"] == "answer");
    found.expect("a check").clone()
}
