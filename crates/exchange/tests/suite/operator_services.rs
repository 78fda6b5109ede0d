//! Services and certificates as an operator looks after them: once as a program, once by the pages; and
//! nobody else.

use serde_json::{Value, json};

use crate::life::nation;
use crate::nation::{LOOKUP, Nation};
use crate::offered::{PERSONS, System, described};
use crate::operator::desk_at;

fn text(system: &System) -> Value {
    json!({"service": PERSONS, "url": system.url})
}

#[tokio::test]
async fn a_program_registers_changes_tries_stops_and_removes_a_service() {
    let nation = nation().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    assert_eq!(desk.registered().await, json!([]));
    let (status, made) = desk.post("services", &text(&system)).await;
    assert_eq!((status, &made["standing"]), (201, &"enabled".into()), "{made}");
    assert_eq!(desk.post("services", &text(&system)).await.0, 409);
    let one = format!("services/{PERSONS}");
    let seen = desk.get(&one).await;
    assert_eq!(
        (&seen["text"]["timeout_ms"], &seen["first_stop"]),
        (&10_000.into(), &"2026-12-03".into())
    );
    assert_eq!(seen["history"][0]["kind"], "service-registered");
    let mut changed = seen["text"].clone();
    changed["openapi"] = format!("{}/openapi.json", system.url).into();
    let (status, told) = desk.post(&one, &changed).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        desk.get(&one).await["text"]["endpoints"],
        json!(["GET /persons/{id}"])
    );
    system.describe(described(&["/persons/{id}", "/b"]));
    let (status, difference) = desk.post(&format!("{one}/compare"), &json!({})).await;
    assert_eq!((status, &difference["added"]), (200, &json!(["GET /b"])));
    let accept = format!("{one}/endpoints");
    assert_eq!(desk.post(&accept, &json!({"seen": "0".repeat(64)})).await.0, 409);
    assert_eq!(desk.post(&accept, &json!({"seen": "x"})).await.0, 400);
    assert_eq!(
        desk.post(&accept, &json!({"seen": difference["seen"]})).await.0,
        204
    );
    let (status, tried) = desk.post(&format!("{one}/try"), &json!({})).await;
    assert_eq!(
        (status, &tried["good"], &tried["status"]),
        (200, &true.into(), &200.into())
    );
    let stand = format!("{one}/stand");
    for (verb, status) in [
        (json!({"do": "disable", "notice": " "}), 422),
        (json!({"do": "remove"}), 409),
        (json!({"do": "explode"}), 422),
        (json!({"do": "sunset", "at": 1}), 422),
        (json!({"do": "announce-stop", "from": 1, "reason": "x"}), 422),
        (json!({"do": "lift-stop"}), 409),
        (json!({"do": "disable", "notice": "Nâng cấp"}), 204),
        (json!({"do": "disable", "notice": "Nâng cấp"}), 409),
    ] {
        assert_eq!(desk.post(&stand, &verb).await.0, status, "{verb}");
    }
    let list = desk.registered().await;
    assert_eq!(
        (&list[0]["standing"], &list[0]["notice"]),
        (&"disabled".into(), &"Nâng cấp".into())
    );
    assert_eq!(desk.post(&stand, &json!({"do": "remove"})).await.0, 204);
    assert_eq!(desk.post(&stand, &json!({"do": "remove"})).await.0, 404);
    assert_eq!(desk.send("GET", &one, Some("operator"), "").await.0, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_service_is_told_at_its_field() {
    let nation = nation().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    for (field, value) in [
        ("service", json!("G01/population/Persons")),
        ("service", json!("G22/portal/persons")),
        ("url", json!("file:///etc/passwd")),
        ("timeout_ms", json!(60_000)),
        ("openapi", json!("openapi.json")),
        ("endpoints", json!(["GET persons"])),
        ("roots", json!("PEM")),
        ("shows_node", json!(true)),
    ] {
        let mut bad = text(&system);
        bad[field] = value;
        let (status, told) = desk.post("services", &bad).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{told}");
        assert!(told["detail"].is_string() && told["remedy"].is_string(), "{told}");
    }
    desk.post("services", &text(&system)).await;
    let one = format!("services/{PERSONS}");
    let mut renamed = text(&system);
    renamed["service"] = "G01/population/other".into();
    let (status, told) = desk.post(&one, &renamed).await;
    assert_eq!((status, &told["field"]), (422, &"service".into()));
    assert_eq!(
        desk.post(&format!("{one}/compare"), &json!({})).await.0,
        422,
        "it has no document"
    );
    let nobody = desk
        .send("GET", "services/G01/population/%2e%2e", Some("operator"), "")
        .await;
    assert_eq!(nobody.0, 404);
}

#[tokio::test]
async fn an_operator_leads_a_service_by_the_pages() {
    let nation = nation().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    let (status, _, list) = desk.page("/exchange/services", None).await;
    assert!(
        status == 200 && list.contains("của nền tảng") && !list.contains(PERSONS),
        "{list}"
    );
    let (_, _, form) = desk.page("/exchange/services/new", None).await;
    assert!(
        form.contains("name=\"roots\"") && form.contains("10000"),
        "{form}"
    );
    let fields = |url: &'static str| [("service", PERSONS), ("url", url), ("timeout_ms", "1000")];
    let (status, _, again) = desk.page("/exchange/services", Some(&fields("ftp://x"))).await;
    assert!(
        status == 422 && again.contains("href=\"#url\"") && again.contains("value=\"ftp://x\""),
        "{again}"
    );
    // All that is wrong with it at once, each at its box.
    let bad = [
        ("service", "G01"),
        ("url", "ftp://x"),
        ("timeout_ms", "0"),
        ("endpoints", "persons"),
        ("health", "health"),
        ("weight", "x"),
        ("publishes_for", "nobody at all"),
    ];
    let (status, _, again) = desk.page("/exchange/services", Some(&bad)).await;
    assert_eq!(status, 422);
    for (field, _) in bad {
        assert!(again.contains(&format!("href=\"#{field}\"")), "{field}: {again}");
    }
    let address = system.url.clone();
    let good = [
        ("service", PERSONS),
        ("url", address.as_str()),
        ("timeout_ms", "9000"),
    ];
    let (status, to, told) = desk.page("/exchange/services", Some(&good)).await;
    assert_eq!(
        (status, to.as_str()),
        (303, "/exchange/services/G01/population/persons"),
        "{told}"
    );
    let (status, _, both) = desk
        .page(&to, Some(&[("url", "ftp://x"), ("endpoints", "persons")]))
        .await;
    assert!(
        status == 422 && both.contains("href=\"#url\"") && both.contains("href=\"#endpoints\""),
        "{both}"
    );
    let (status, _, taken) = desk.page("/exchange/services", Some(&good)).await;
    assert!(status == 422 && taken.contains("href=\"#service\""), "{taken}");
    let (_, _, one) = desk.page(&to, None).await;
    assert!(
        one.contains("đang hoạt động") && one.contains(&address) && one.contains("03/12/2026"),
        "{one}"
    );
    let (_, _, tried) = desk.page(&format!("{to}/try"), Some(&[])).await;
    assert!(tried.contains("trả lời với mã 200"), "{tried}");
    let (_, _, form) = desk.page(&format!("{to}/change"), None).await;
    assert!(
        form.contains(&address) && !form.contains("name=\"service\""),
        "{form}"
    );
    let document = format!("{address}/openapi.json");
    let more = [
        ("url", address.as_str()),
        ("timeout_ms", "8000"),
        ("openapi", document.as_str()),
    ];
    let (status, _, told) = desk.page(&to, Some(&more)).await;
    assert_eq!(status, 303, "{told}");
    system.describe(described(&["/b"]));
    let (_, _, compared) = desk.page(&format!("{to}/compare"), Some(&[])).await;
    assert!(
        compared.contains("+ GET /b") && compared.contains("− GET /persons/{id}"),
        "{compared}"
    );
    let seen = compared
        .split("name=\"seen\" value=\"")
        .nth(1)
        .expect("what was seen");
    let (status, _, _) = desk
        .page(&format!("{to}/endpoints"), Some(&[("seen", &seen[..64])]))
        .await;
    assert_eq!(status, 303);
    let stand = format!("{to}/stand");
    let (status, _, bad) = desk
        .page(&stand, Some(&[("do", "disable"), ("notice", "")]))
        .await;
    assert!(status == 422 && bad.contains("href=\"#notice\""), "{bad}");
    let soon = [
        ("do", "announce-stop"),
        ("from", "2026-12-01"),
        ("reason", "Nâng cấp"),
    ];
    let (status, _, bad) = desk.page(&stand, Some(&soon)).await;
    assert!(
        status == 422 && bad.contains("2026-12-03") && bad.contains(">Nâng cấp</textarea>"),
        "{bad}"
    );
    let worse = [
        ("do", "announce-stop"),
        ("from", "2026-12-01"),
        ("to", "2026-11-30"),
        ("reason", ""),
    ];
    let unread = [("do", "announce-stop"), ("from", ""), ("to", "x"), ("reason", "")];
    for all_wrong in [worse, unread] {
        let (status, _, bad) = desk.page(&stand, Some(&all_wrong)).await;
        let told = ["from", "to", "reason"].map(|field| bad.contains(&format!("href=\"#{field}\"")));
        assert_eq!((status, told), (422, [true; 3]), "all at once: {bad}");
    }
    for (fields, words) in [
        (
            vec![
                ("do", "announce-stop"),
                ("from", "2026-12-03"),
                ("to", "2026-12-03"),
                ("reason", "Nâng cấp"),
            ],
            "sắp dừng",
        ),
        (vec![("do", "sunset"), ("at", "2027-06-01")], "01/06/2027"),
        (vec![("do", "lift-stop")], "Bỏ việc dừng đã báo"),
        (
            vec![("do", "disable"), ("notice", "Lỗi <b>dữ liệu</b>")],
            "Lỗi &#60;b&#62;dữ liệu",
        ),
    ] {
        let (status, _, told) = desk.page(&stand, Some(&fields)).await;
        assert_eq!(status, 303, "{told}");
        let (_, _, one) = desk.page(&to, None).await;
        assert!(one.contains(words), "{words}: {one}");
    }
    let (_, _, list) = desk.page("/exchange/services", None).await;
    assert!(list.contains("tạm dừng") && list.contains(PERSONS), "{list}");
    let (status, back, _) = desk.page(&stand, Some(&[("do", "remove")])).await;
    assert_eq!((status, back.as_str()), (303, "/exchange/services"));
}

#[tokio::test]
async fn an_operator_registers_and_removes_certificates_of_systems() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    let pem = nation.ministry.keyring.node.certificate.pem();
    assert_eq!(desk.get("clients").await, json!([]));
    let (_, _, page) = desk.page("/exchange/clients", None).await;
    assert!(page.contains("Chưa có chứng thư nào"), "{page}");
    for (system, certificate, field) in [
        ("G01", pem.as_str(), "system"),
        ("G22/portal", pem.as_str(), "system"),
        ("G01/population", "no certificate", "certificate"),
    ] {
        let body = json!({"system": system, "certificate": certificate});
        let (status, told) = desk.post("clients", &body).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{told}");
        let form = [("system", system), ("certificate", certificate)];
        let (status, _, again) = desk.page("/exchange/clients", Some(&form)).await;
        assert!(
            status == 422 && again.contains(&format!("href=\"#{field}\"")),
            "{again}"
        );
    }
    let body = json!({"system": "G01/population", "certificate": pem});
    let (status, made) = desk.post("clients", &body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        desk.post("clients", &body).await.1["field"],
        "certificate",
        "it is there"
    );
    let thumbprint = made["thumbprint"].as_str().expect("a thumbprint").to_owned();
    let (_, _, page) = desk.page("/exchange/clients", None).await;
    assert!(page.contains(&thumbprint), "{page}");
    let named = json!({"system": "G01/population", "thumbprint": thumbprint});
    assert_eq!(desk.post("clients/remove", &named).await.0, 204);
    assert_eq!(desk.post("clients/remove", &named).await.0, 404);
    let form = [("system", "G01/population"), ("certificate", pem.as_str())];
    let (status, to, told) = desk.page("/exchange/clients", Some(&form)).await;
    assert_eq!((status, to.as_str()), (303, "/exchange/clients"), "{told}");
    let form = [("system", "G01/population"), ("thumbprint", thumbprint.as_str())];
    assert_eq!(desk.page("/exchange/clients/remove", Some(&form)).await.0, 303);
    assert_eq!(desk.get("clients").await, json!([]));
}

#[tokio::test]
async fn an_operator_says_how_a_system_has_to_connect_and_takes_it_back() {
    let mut nation = Nation::new().await;
    nation
        .publish(|s| {
            s.systems.push(directory::snapshot::SystemEntry {
                org: "G01".parse().expect("a code"),
                code: "population".to_owned(),
                name: "Dân cư".to_owned(),
            });
        })
        .await;
    let desk = desk_at(&nation.ministry).await;
    let said = |system: &str, connection: &str| json!({"system": system, "connection": connection});
    for (bad, field, shown) in [
        (said("G01", "http"), "system", "connecting"),
        (said("G01/none", "http"), "system", "connecting"),
        (said("G22/portal", "http"), "system", "connecting"),
        (said("G01/population", "ftp"), "connection", "connection"),
    ] {
        let (status, told) = desk.post("clients/connections", &bad).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{told}");
        let text = |name: &str| bad[name].as_str().unwrap_or_default().to_owned();
        let (system, connection) = (text("system"), text("connection"));
        let form = [
            ("connecting", system.as_str()),
            ("connection", connection.as_str()),
        ];
        let (status, _, again) = desk.page("/exchange/clients/connections", Some(&form)).await;
        assert!(
            status == 422 && again.contains(&format!("href=\"#{shown}\"")),
            "{again}"
        );
    }
    let mutual = said("G01/population", "mutual");
    assert_eq!(desk.post("clients/connections", &mutual).await.0, 204);
    assert_eq!(desk.post("clients/connections", &mutual).await.0, 409, "it is so");
    assert_eq!(desk.get("clients/connections").await, json!([mutual]));
    let (_, _, page) = desk.page("/exchange/clients", None).await;
    assert!(page.contains("HTTPS với chứng thư đã đăng ký</td>"), "{page}");
    let file = json!({"connection": [said("G01/population", "https")]});
    let (status, told) = desk.post("apply", &file).await;
    assert_eq!((status, &told["steps"][0]["done"]), (200, &true.into()), "{told}");
    let (_, told) = desk.post("plan", &file).await;
    assert_eq!(told["steps"][0]["does"], "keep");
    let form = [("connecting", "G01/population"), ("connection", "node")];
    let (status, to, told) = desk.page("/exchange/clients/connections", Some(&form)).await;
    assert_eq!((status, to.as_str()), (303, "/exchange/clients"), "{told}");
    assert_eq!(desk.get("clients/connections").await, json!([]));
}

#[tokio::test]
async fn nobody_but_an_operator_sees_or_changes_services_and_certificates() {
    let nation = nation().await;
    let system = System::start(None).await;
    let desk = desk_at(&nation.ministry).await;
    desk.post("services", &text(&system)).await;
    let one = format!("services/{PERSONS}");
    let stand = json!({"do": "disable", "notice": "x"});
    let client = json!({"system": "G01/population", "certificate": "x", "thumbprint": "x"});
    let connection = json!({"system": "G01/population", "connection": "http"});
    for (method, path, body) in [
        ("GET", "services".to_owned(), Value::Null),
        ("GET", one.clone(), Value::Null),
        ("POST", "services".to_owned(), text(&system)),
        ("POST", one.clone(), text(&system)),
        ("POST", format!("{one}/stand"), stand),
        ("POST", format!("{one}/compare"), json!({})),
        ("POST", format!("{one}/endpoints"), json!({"seen": "x"})),
        ("POST", format!("{one}/try"), json!({})),
        ("GET", "clients".to_owned(), Value::Null),
        ("POST", "clients".to_owned(), client.clone()),
        ("POST", "clients/remove".to_owned(), client),
        ("GET", "clients/connections".to_owned(), Value::Null),
        ("POST", "clients/connections".to_owned(), connection),
    ] {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        assert_eq!(desk.send(method, &path, None, &body).await.0, 401, "{path}");
        for role in ["citizen", "officer", "chairman"] {
            assert_eq!(
                desk.send(method, &path, Some(role), &body).await.0,
                403,
                "{path} {role}"
            );
        }
    }
    assert_eq!(desk.registered().await[0]["standing"], "enabled");
}

#[tokio::test]
async fn services_and_certificates_are_searched_and_given_a_page_at_a_time() {
    let limits = kernel::limits::Limits {
        page_rows_max: 2,
        ..kernel::limits::Limits::default()
    };
    let nation = Nation::with(limits).await;
    let desk = desk_at(&nation.ministry).await;
    for code in ["a", "b", "c"] {
        let service = json!({"service": format!("G01/population/{code}"), "url": "http://127.0.0.1:9/x"});
        assert_eq!(desk.post("services", &service).await.0, 201);
    }
    let names = |list: &Value, field: &str| -> Vec<String> {
        let lines = list.as_array().expect("a list").iter();
        lines
            .map(|line| line[field].as_str().expect("text").to_owned())
            .collect()
    };
    let services = async |query: &str| names(&desk.get(&format!("services{query}")).await, "service");
    assert_eq!(services("").await, ["G01/population/a", "G01/population/b"]);
    assert_eq!(
        services("?after=G01/population/b").await,
        ["G01/population/c", LOOKUP]
    );
    assert_eq!(services("?q=POPULATION/c").await, ["G01/population/c"]);
    assert!(services("?q=nothing").await.is_empty());
    let (_, _, first) = desk.page("/exchange/services?q=x", None).await;
    assert!(first.contains("after=G01/population/b"), "{first}");
    let (_, _, none) = desk.page("/exchange/services?q=%3Cb%3E", None).await;
    assert!(
        none.contains("&#60;b&#62;") && !none.contains("population/a"),
        "{none}"
    );
    let pems = [
        nation.ministry.keyring.node.certificate.pem(),
        nation.ministry.seal("G01").certificate.pem(),
        nation.ministry.seal("G15").certificate.pem(),
    ];
    for pem in &pems {
        let client = json!({"system": "G01/population", "certificate": pem});
        let (status, told) = desk.post("clients", &client).await;
        assert_eq!(status, 201, "{told}");
    }
    let first = names(&desk.get("clients").await, "thumbprint");
    assert_eq!(first.len(), 2);
    let after = format!("clients?after=G01/population%20{}", first[1]);
    let second = names(&desk.get(&after).await, "thumbprint");
    assert!(second.len() == 1 && !first.contains(&second[0]), "{second:?}");
    let found = names(&desk.get(&format!("clients?q={}", second[0])).await, "thumbprint");
    assert_eq!(found, second);
    let (_, _, page) = desk.page("/exchange/clients", None).await;
    assert!(
        page.contains(&format!("after=G01/population%20{}", first[1])),
        "{page}"
    );
}
