//! How a node stands, as its operator sees it, and the way to others tried step by step.

use serde_json::{Value, json};

use crate::nation::Nation;
use crate::operator::{Desk, desk_at};
use crate::timestamps::authority;

impl Desk {
    async fn standing(&self, tenant: &str) -> Value {
        let (status, told) = self.told(tenant, "standing").await;
        assert_eq!(status, 200, "{told}");
        told
    }

    async fn tried(&self, target: &str) -> (u16, Value) {
        let body = json!({ "target": target }).to_string();
        let (status, body) = self.send("POST", "standing/try", Some("operator"), &body).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

#[tokio::test]
async fn an_operator_sees_everything_with_its_light() {
    let mut nation = Nation::new().await;
    nation.ask("{}").await.expect("an answer");
    for node in [&nation.national, &nation.ministry] {
        node.exchange.fold_evidence().await.expect("folded");
    }
    let desk = desk_at(&nation.ministry).await;
    let seen = desk.standing("G01").await;
    assert_eq!(
        (&seen["node"], &seen["directory"]["is_hub"]),
        (&"ministry".into(), &false.into())
    );
    assert_eq!(
        seen["timestamps"],
        json!({"authorities": 0, "waiting": 1, "lag_ms": 0, "light": "amber"})
    );
    assert_eq!(
        (&seen["room"]["records"], &seen["circuits"]),
        (&1.into(), &json!([]))
    );
    let ends: Vec<_> = seen["certificates"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| c["what"].clone())
        .collect();
    for what in ["node", "seal", "anchor"] {
        assert!(ends.contains(&what.into()), "{what}: {ends:?}");
    }
    let clock = &seen["clocks"][0];
    assert_eq!(
        (&clock["node"], &clock["light"]),
        (&"national".into(), &"good".into())
    );
    assert!(clock["ahead_ms"].as_i64().expect("read").abs() < 1_000, "{clock}");
    // The agreement of the tests ends tomorrow.
    assert_eq!(seen["ending"][0]["number"], "01/2026/TT-CSDL");
    let (status, page) = desk.seen("G01", "/exchange/standing").await;
    assert_eq!(status, 200);
    for part in [
        "Tình trạng của nút",
        "01/2026/TT-CSDL",
        "Danh mục không có tổ chức cấp dấu thời gian nào.",
        "Gốc tin cậy",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let _tsa = authority(&mut nation).await;
    nation.ministry.temp.clock.advance_ms(2 * 3_600_000);
    let seen = desk.standing("G01").await;
    assert_eq!(
        (&seen["timestamps"]["lag_ms"], &seen["timestamps"]["light"]),
        (&7_200_000.into(), &"amber".into())
    );
    assert_eq!(
        seen["directory"]["light"], "amber",
        "the hub has said nothing for two hours"
    );
    nation.ministry.exchange.stamp_now().await.expect("stamped");
    assert_eq!(desk.standing("G01").await["timestamps"]["waiting"], 0);
}

#[tokio::test]
async fn rows_outbox_memory_and_backups_have_their_lights() {
    let nation = Nation::new().await;
    let node = &nation.ministry;
    let desk = desk_at(node).await;
    let seen = desk.standing("G01").await;
    assert!(["sqlite", "postgres"].contains(&seen["database"]["engine"].as_str().expect("an engine")));
    assert_eq!(seen["database"]["light"], "good");
    assert!(
        seen["memory"]["resident_bytes"].as_u64() > Some(1 << 20),
        "{seen}"
    );
    assert_eq!(
        seen["outbox"],
        json!({"lines": 0, "attempts": 0, "waited_ms": 0, "light": "good"})
    );
    let young = json!([{"what": "backup", "at": null, "light": "good"},
        {"what": "verified", "at": null, "light": "good"}]);
    assert_eq!(seen["backups"], young, "a new node has still time for its first");
    let home = "G01".parse().expect("a code");
    let wrote = node
        .temp
        .store
        .write(&home, &kernel::Actor::Platform, |tx| async move {
            tx.outbox("nobody-delivers", "k", &json!({})).await
        });
    wrote.await.expect("a word on its way");
    nation.advance_ms(8 * 86_400_000);
    let seen = desk.standing("G01").await;
    assert_eq!(
        (&seen["outbox"]["lines"], &seen["outbox"]["light"]),
        (&1.into(), &"amber".into())
    );
    assert_eq!(seen["backups"][0]["light"], "amber", "{seen}");
    let now = node.now().ms();
    let mark = node.temp.config.folder.join("backed-up-at");
    std::fs::write(mark, format!("{now}\n")).expect("written");
    let seen = desk.standing("G01").await;
    assert_eq!(
        seen["backups"],
        json!([{"what": "backup", "at": now, "light": "good"}, {"what": "verified", "at": null, "light": "amber"}])
    );
    let (_, page) = desk.seen("G01", "/exchange/standing").await;
    for part in [
        "Cơ sở dữ liệu của nút",
        "Còn 1 tin đang chờ",
        "Bộ nhớ",
        "Chưa kiểm tra lần nào (sen verify).",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn the_last_day_is_a_line_beside_the_numbers_and_days_to_an_end_are_a_bar() {
    let nation = Nation::new().await;
    nation.ask("{}").await.expect("an answer");
    let desk = desk_at(&nation.ministry).await;
    for _ in 0..3 {
        nation.ministry.exchange.sample_standing().await.expect("sampled");
        // Asked again at once, nothing is added.
        nation.ministry.exchange.sample_standing().await.expect("not due");
        nation.advance_ms(300_000);
    }
    let seen = desk.standing("G01").await;
    let lags: Vec<_> = seen["samples"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["lag_ms"].as_i64().expect("a number"))
        .collect();
    assert_eq!(lags, [0, 300_000, 600_000]);
    let (_, page) = desk.seen("G01", "/exchange/standing").await;
    for part in ["class=\"spark\"", "Nhiều nhất trong ngày qua: 10 phút", "<meter "] {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_turns_its_light_and_then_everything_red() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    let light = |seen: &Value| {
        let list = seen["certificates"].as_array().expect("a list").clone();
        let node = list
            .into_iter()
            .find(|c| c["what"] == "node")
            .expect("the node's");
        node["light"].clone()
    };
    assert_eq!(light(&desk.standing("G01").await), "good");
    nation.ministry.temp.clock.advance_ms(340 * 86_400_000);
    assert_eq!(light(&desk.standing("G01").await), "amber");
    nation.ministry.temp.clock.advance_ms(30 * 86_400_000);
    let seen = desk.standing("G01").await;
    assert_eq!((light(&seen), &seen["light"]), ("red".into(), &"red".into()));
    let (_, page) = desk.seen("G01", "/exchange/standing").await;
    assert!(page.contains("Đã hết hạn ngày"));
}

#[tokio::test]
async fn a_clock_that_is_far_off_is_seen_before_messages_are_refused() {
    let nation = Nation::new().await;
    nation.national.temp.clock.advance_ms(30_000);
    nation.ask("{}").await.expect("within what is allowed");
    nation.ministry.exchange.fold_evidence().await.expect("folded");
    let desk = desk_at(&nation.ministry).await;
    let clock = desk.standing("G01").await["clocks"][0].clone();
    assert_eq!(clock["light"], "amber", "{clock}");
    assert!(
        (29_000..=31_000).contains(&clock["ahead_ms"].as_i64().expect("read")),
        "{clock}"
    );
}

#[tokio::test]
async fn the_step_of_a_way_that_fails_is_named() {
    let mut nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    let (status, told) = desk.tried("node/national").await;
    assert_eq!((status, &told["way"]["good"]), (200, &true.into()), "{told}");
    let hops: Vec<_> = told["way"]["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|s| s["hop"].clone())
        .collect();
    assert_eq!(hops, ["name", "connect", "tls", "answer"]);
    assert!(told["ahead_ms"].as_i64().expect("a clock").abs() < 1_000);
    let (_, told) = desk.tried("hub").await;
    assert_eq!(told["target"], "hub");
    assert!(
        told["way"]["steps"]
            .as_array()
            .is_some_and(|steps| steps.len() == 4),
        "{told}"
    );
    let _tsa = authority(&mut nation).await;
    let (_, told) = desk.tried("authority/0").await;
    assert_eq!(
        (&told["stamped"], told["way"]["status"].is_number()),
        (&true.into(), true),
        "{told}"
    );
    nation.national.halt().await;
    let (_, told) = desk.tried("node/national").await;
    let last = told["way"]["steps"]
        .as_array()
        .expect("steps")
        .last()
        .expect("one")
        .clone();
    assert_eq!(
        (&last["hop"], &last["fault"], &told["way"]["good"]),
        (&"connect".into(), &"refused".into(), &false.into())
    );
    for unknown in ["node/nobody", "authority/9"] {
        assert_eq!(desk.tried(unknown).await.0, 404, "{unknown}");
    }
    let (status, told) = desk.tried("http://169.254.0.1/").await;
    assert_eq!((status, &told["field"]), (422, &"target".into()));
}

#[tokio::test]
async fn nobody_but_an_operator_sees_how_a_node_stands_and_a_tenant_sees_its_own() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    for (method, path) in [("GET", "standing"), ("POST", "standing/try")] {
        let body = if method == "POST" {
            r#"{"target":"hub"}"#
        } else {
            ""
        };
        assert_eq!(desk.send(method, path, None, body).await.0, 401);
        for role in ["citizen", "officer", "chairman"] {
            assert_eq!(desk.send(method, path, Some(role), body).await.0, 403, "{role}");
        }
    }
    let seen = desk.standing("G15").await;
    assert_eq!(seen["ending"], json!([]), "the agreement is G01's");
    let whose: Vec<_> = seen["certificates"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|c| c["whose"].clone())
        .collect();
    assert!(
        whose.contains(&"G15".into()) && !whose.contains(&"G01".into()),
        "{whose:?}"
    );
}

#[tokio::test]
async fn a_list_of_revoked_certificates_that_is_overdue_is_amber_and_stops_nothing() {
    use directory::authorities::{AuthorityEntry, ListRead};
    let mut nation = Nation::new().await;
    let root = nation.ca.certificate().thumbprint();
    let hour = |hours: i64| testkit::START.plus_ms(hours * 3_600_000);
    let mut entry = AuthorityEntry {
        certificate: root,
        certificate_pem: None,
        uses: Vec::new(),
        crl: Some("http://ca.example/ca.crl".to_owned()),
        ocsp: None,
        note: String::new(),
        list: None,
    };
    let listed = |next| ListRead {
        digest: kernel::Digest::of(b"a list"),
        number: "07".to_owned(),
        this_update: hour(-2),
        next_update: next,
        listed: 3,
    };
    for (list, light) in [
        (None, "amber"),
        (Some(listed(hour(1))), "good"),
        (Some(listed(hour(-1))), "amber"),
    ] {
        entry.list = list;
        let said = entry.clone();
        nation.publish(|s| s.authorities = vec![said]).await;
        let desk = desk_at(&nation.ministry).await;
        let seen = desk.standing("G01").await;
        let authority = &seen["authorities"][0];
        assert_eq!(
            (&authority["light"], &authority["source"]),
            (&light.into(), &"http://ca.example/ca.crl".into())
        );
        nation.ask("{}").await.expect("an answer");
        let (status, page) = desk.send("GET", "standing", Some("operator"), "").await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&page));
    }
}
