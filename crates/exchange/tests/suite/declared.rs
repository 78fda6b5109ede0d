//! What a file declares besides services: how they stand, who takes part and what is trusted, delegations, and
//! answers to requests. Shown first, done once, and what others have to do first is waited for.

use directory::Hub;
use seal::authority::{Authority, Profile};
use serde_json::{Value, json};
use testkit::START;

use crate::apply::{does, registrar, written};
use crate::life::{carry, nation};
use crate::nation::{LOOKUP, Nation, PORTAL};
use crate::node::{issue, node_identity};
use crate::operator::{Desk, desk_at};

const PERSONS: &str = "G01/population/persons";

fn problem(told: &Value, step: usize) -> (&str, &str) {
    let problem = &told["steps"][step]["problem"];
    let text = |key: &str| problem[key].as_str().unwrap_or_default();
    (text("code"), text("field"))
}

/// Shown, done, and the second time nothing is left.
async fn once(desk: &Desk, file: &Value, expected: &[&str]) {
    assert_eq!(does(&desk.declared("plan", file).await), expected);
    let done = desk.declared("apply", file).await;
    assert_eq!(
        (does(&done), &done["problems"]),
        (does(&done), &0.into()),
        "{done}"
    );
    let all = done["steps"].as_array().expect("steps").iter();
    for step in all.filter(|step| !["keep", "wait"].contains(&step["does"].as_str().unwrap_or_default())) {
        assert_eq!(step["done"], true, "{done}");
    }
    let again = desk.declared("apply", file).await;
    assert_eq!(
        (&again["changes"], &again["problems"]),
        (&0.into(), &0.into()),
        "{again}"
    );
}

#[tokio::test]
async fn how_a_service_stands_is_declared_also_of_one_of_the_platform() {
    let nation = nation().await;
    let desk = desk_at(&nation.ministry).await;
    let day = |text: &str| kernel::Time::at(kernel::time::parse_iso(text).expect("a day"), 0).ms();
    let stop = json!({"from": day("2026-12-03"), "to": day("2026-12-05"), "reason": "Bảo trì"});
    let file = json!({"service": [
        {"service": LOOKUP, "disabled": "Nâng cấp"},
        {"service": PERSONS, "url": "http://127.0.0.1:9", "sunset": day("2027-06-01"), "stop": stop},
    ]});
    let shown = desk.declared("plan", &file).await;
    let disabled = json!({"field": "disabled", "now": "", "then": "Nâng cấp"});
    assert_eq!(shown["steps"][0]["differences"], json!([disabled]));
    assert_eq!(
        desk.get(&format!("services/{LOOKUP}")).await["standing"],
        "enabled",
        "shown only"
    );
    once(&desk, &file, &["change", "register"]).await;
    let seen = desk.get(&format!("services/{LOOKUP}")).await;
    assert_eq!(
        (&seen["standing"], &seen["notice"]),
        (&"disabled".into(), &"Nâng cấp".into())
    );
    let seen = desk.get(&format!("services/{PERSONS}")).await;
    assert_eq!(
        (&seen["standing"], &seen["stop"]["to"]),
        (&"stopping".into(), &stop["to"])
    );
    // What is left out stays; what is null is taken back.
    let less = json!({"service": [{"service": PERSONS, "url": "http://127.0.0.1:9"}]});
    assert_eq!(does(&desk.declared("apply", &less).await), ["keep"]);
    let back = json!({"service": [
        {"service": LOOKUP, "disabled": null},
        {"service": PERSONS, "sunset": null, "stop": null},
    ]});
    once(&desk, &back, &["change", "change"]).await;
    let seen = desk.get(&format!("services/{PERSONS}")).await;
    assert_eq!(
        (&seen["standing"], &seen["sunset"], &seen["stop"]),
        (&"enabled".into(), &Value::Null, &Value::Null)
    );
    let soon = json!({"from": day("2026-12-01"), "reason": "Bảo trì"});
    let wrong = json!({"service": [
        {"service": LOOKUP, "stop": soon},
        {"service": LOOKUP, "sunset": 1},
        {"service": LOOKUP, "url": "http://127.0.0.1:9"},
        {"service": "G01/population/none", "disabled": "x"},
    ]});
    let told = desk.declared("apply", &wrong).await;
    let problems: Vec<_> = (0..4).map(|step| problem(&told, step)).collect();
    let expected = [
        ("service-stop-soon", "stop"),
        ("service-sunset-past", "sunset"),
        ("service-taken", "service"),
        ("service-unknown", "service"),
    ];
    assert_eq!(problems, expected, "{told}");
    nation.advance_ms(day("2026-12-05") - nation.ministry.now().ms());
    let over = json!({"service": [{"service": PERSONS, "stop": stop}]});
    assert_eq!(
        does(&desk.declared("apply", &over).await),
        ["keep"],
        "a stop that is over"
    );
}

#[tokio::test]
async fn a_delegation_is_offered_by_one_party_and_accepted_by_the_other_as_both_files_have_it() {
    let nation = Nation::new().await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let delegation = json!({
        "id": "01/UQ-G15-G22", "delegator": "G15", "agent": "G22", "role": "consumer", "services": [LOOKUP],
        "purpose": "mục đích", "legal_basis": "căn cứ", "valid_from": START.plus_ms(-1_000).ms(),
        "valid_to": START.plus_ms(3_600_000).ms(),
    });
    let file = json!({"delegation": [delegation]});
    assert_eq!(
        does(&national.declared("apply", &file).await),
        ["wait"],
        "nothing was offered"
    );
    once(&ministry, &file, &["offer"]).await;
    assert_eq!(
        does(&ministry.declared("plan", &file).await),
        ["wait"],
        "the other party's to accept"
    );
    carry(&nation.ministry).await;
    let mut other = file.clone();
    other["delegation"][0]["purpose"] = "khác".into();
    let told = national.declared("apply", &other).await;
    assert_eq!(problem(&told, 0), ("declared-otherwise", "purpose"), "{told}");
    once(&national, &file, &["accept"]).await;
    carry(&nation.national).await;
    assert_eq!(does(&ministry.declared("plan", &file).await), ["keep"]);
    assert_eq!(ministry.get("delegations").await[0]["state"], "in-force");
    let mut elsewhere = file.clone();
    elsewhere["delegation"][0]["agent"] = "G01".into();
    let told = national.declared("plan", &elsewhere).await;
    assert_eq!(problem(&told, 0), ("member-elsewhere", "delegator"), "{told}");
}

#[tokio::test]
async fn an_agreement_comes_about_by_a_request_and_answers_that_files_declare_word_for_word() {
    let nation = Nation::new().await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let text = written(&nation.agreement(), "05/2026/TT-CSDL", PORTAL);
    let consumer = json!({"request": [text], "accept": [text]});
    let provider = json!({"accept": [text]});
    assert_eq!(
        does(&ministry.declared("apply", &provider).await),
        ["wait"],
        "nobody has asked"
    );
    once(&national, &consumer, &["ask", "wait"]).await;
    carry(&nation.national).await;
    let mut other = provider.clone();
    other["accept"][0]["purpose"] = "khác".into();
    let told = ministry.declared("apply", &other).await;
    assert_eq!(problem(&told, 0), ("declared-otherwise", "purpose"), "{told}");
    assert_eq!(
        told["steps"][0]["done"], false,
        "nothing else than it has is signed"
    );
    once(&ministry, &provider, &["offer"]).await;
    carry(&nation.ministry).await;
    once(&national, &consumer, &["keep", "accept"]).await;
    carry(&nation.national).await;
    for desk in [&national, &ministry] {
        let list = desk.get("agreements").await;
        let mut all = list.as_array().expect("a list").iter();
        let one = all.find(|one| one["id"] == "05/2026/TT-CSDL").expect("known");
        assert_eq!(one["state"], "in-force");
    }
    assert_eq!(does(&ministry.declared("apply", &provider).await), ["keep"]);
    let mut elsewhere = provider.clone();
    elsewhere["accept"][0]["consumer"] = "G15/land".into();
    let told = national.declared("plan", &elsewhere).await;
    assert_eq!(problem(&told, 0), ("member-elsewhere", "service"), "{told}");
}

#[tokio::test]
async fn roots_members_and_systems_are_declared_at_the_hub() {
    let nation = Nation::new().await;
    let node = &nation.national;
    let hub = Hub::open(node.directory.clone(), nation.hub.clone()).await;
    node.exchange.declare_by(registrar(node, hub.ok()));
    let desk = desk_at(node).await;
    let root = Authority::new("Another root", START).expect("a root");
    let seal = issue(&nation.ca, Profile::OrganisationSeal, "H57", 60);
    let member = |org: &str, node: &str, pem: String| json!({"org": org, "name": org, "node": node, "certificate": pem});
    let mut joins = member("H57", "province-57", seal.chain_pem());
    joins["peer"] = "127.0.0.1:8157".into();
    joins["node_certificate"] = node_identity(&nation.ca, 61).chain_pem().into();
    let mut stops = member("G01", "ministry", nation.ministry.seal("G01").chain_pem());
    stops["disabled"] = "Lộ khóa".into();
    let file = json!({
        "trust": [{"certificate": root.certificate().pem()}],
        "member": [joins, stops],
        "system": [{"system": "G22/records", "name": "Hồ sơ", "disabled": true,
                    "services": [{"code": "notices", "title": "Thông báo"}]}],
    });
    let serial = node.directory.snapshot().serial;
    once(&desk, &file, &["register", "register", "change", "register"]).await;
    let snapshot = node.directory.snapshot();
    assert_eq!(
        snapshot.serial - serial,
        6,
        "each change is published, and none twice"
    );
    assert_eq!((snapshot.anchors.len(), snapshot.services.len()), (2, 1));
    assert!(node.directory.is_disabled(&"G01".parse().expect("a code")));
    assert!(
        node.directory
            .is_stopped(&"G22".parse().expect("a code"), "records")
    );
    let mut enabled = file.clone();
    enabled["member"][1]["disabled"] = "".into();
    enabled["system"][0]["disabled"] = false.into();
    let shown = desk.declared("plan", &enabled).await;
    let difference = json!({"field": "disabled", "now": "Lộ khóa", "then": ""});
    assert_eq!(shown["steps"][2]["differences"], json!([difference]));
    once(&desk, &enabled, &["keep", "keep", "change", "change"]).await;
    let mut moved = stops.clone();
    moved["node"] = "national".into();
    let wrong = json!({
        "trust": [{"certificate": "none"}],
        "member": [moved, {"org": "H58", "name": "H58", "node": "nowhere", "certificate": seal.chain_pem()}],
        "system": [{"system": "records", "name": "Hồ sơ"}],
    });
    let told = desk.declared("apply", &wrong).await;
    let fields: Vec<_> = (0..4).map(|step| problem(&told, step).1).collect();
    assert_eq!(fields, ["certificate", "node", "certificate", "system"], "{told}");
    assert_eq!(told["changes"], 0);
}

#[tokio::test]
async fn elsewhere_than_at_the_hub_a_system_is_asked_for_once_and_nothing_else_is_said() {
    let nation = Nation::new().await;
    let node = &nation.ministry;
    node.exchange.declare_by(registrar(node, None));
    let desk = desk_at(node).await;
    let system = json!({"system": "G01/land", "name": "Đất đai", "services": [{"code": "plots", "title": "Thửa đất"}]});
    let file = json!({"system": [system]});
    assert_eq!(does(&desk.declared("plan", &file).await), ["ask"]);
    assert!(crate::life::waiting(node).await.is_empty(), "shown only");
    let done = desk.declared("apply", &file).await;
    assert_eq!(
        (&done["steps"][0]["done"], &done["changes"]),
        (&true.into(), &1.into()),
        "{done}"
    );
    let again = desk.declared("apply", &file).await;
    assert_eq!(
        (does(&again), &again["changes"]),
        (vec!["wait".to_owned()], &0.into()),
        "{again}"
    );
    let mut more = file.clone();
    more["system"][0]["services"] =
        json!([{"code": "plots", "title": "Thửa đất"}, {"code": "owners", "title": "Chủ"}]);
    let done = desk.declared("apply", &more).await;
    assert_eq!(
        (does(&done), &done["steps"][0]["done"]),
        (vec!["ask".to_owned()], &true.into()),
        "{done}"
    );
    let root = Authority::new("Another root", START).expect("a root");
    let wrong = json!({
        "trust": [{"certificate": root.certificate().pem()}],
        "system": [{"system": "G22/records", "name": "Hồ sơ"}],
    });
    let told = desk.declared("apply", &wrong).await;
    assert_eq!(problem(&told, 0).0, "directory-hub-only", "{told}");
    assert_eq!(problem(&told, 1).0, "directory-not-ours", "{told}");
}
