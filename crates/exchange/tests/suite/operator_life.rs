//! The life of an agreement as two operators lead it: one at each node, once as programs, once by the
//! pages.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::life::{carry, nation};
use crate::nation::{LOOKUP, Nation, PORTAL};
use crate::operator::{Desk, desk_at};

/// The agreement of the tests as a program sends it.
fn text(nation: &Nation) -> Value {
    let mut text = serde_json::to_value(nation.agreement()).expect("json");
    text.as_object_mut().expect("an object").remove("provider");
    text
}

impl Desk {
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, body) = self.send("POST", path, Some("operator"), &body.to_string()).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// A page or a form of it: status, where it leads, and what it says.
    pub(crate) async fn page(&self, path: &str, form: Option<&[(&str, &str)]>) -> (u16, String, String) {
        let encode = |text: &str| web::page::query_value(text);
        let body = form.map(|fields| {
            let pairs = fields.iter().map(|(k, v)| format!("{k}={}", encode(v)));
            pairs.collect::<Vec<_>>().join("&")
        });
        let request = web::http::Request::builder()
            .method(if body.is_some() { "POST" } else { "GET" })
            .uri(format!("http://{}{path}", self.address))
            .header("origin", format!("http://{}", self.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .header("accept-language", "vi")
            .header("role", "operator")
            .body(Bytes::from(body.unwrap_or_default()))
            .expect("a request");
        let answer = web::Client::plain().send(request, 30_000, 1 << 20).await;
        let answer = answer.expect("an answer");
        let to = answer.headers().get("location");
        let to = to.and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let status = answer.status().as_u16();
        (status, to, String::from_utf8_lossy(answer.body()).into_owned())
    }
}

#[tokio::test]
async fn two_operators_lead_an_agreement_from_the_request_to_its_end_as_programs_do() {
    let nation = nation().await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let (status, asked) = national.post("agreements", &text(&nation)).await;
    assert_eq!(status, 201, "{asked}");
    let request = asked["request"].as_str().expect("a name").to_owned();
    carry(&nation.national).await;
    let list = ministry.get("agreements?state=requested").await;
    assert_eq!(
        (&list[0]["waits"], &list[0]["hash"]),
        (&true.into(), &request.clone().into())
    );
    assert!(list[0]["due"].as_i64().expect("owed by a day") > nation.ministry.now().ms());
    assert_eq!(national.get("agreements").await[0]["waits"], false);
    let mut narrower = text(&nation);
    narrower["fields"] = json!(["full_name"]);
    let offer = format!("agreements/{request}/offer");
    assert_eq!(national.post(&offer, &json!({"text": null})).await.0, 403);
    let (status, offered) = ministry.post(&offer, &json!({"text": narrower})).await;
    assert_eq!(status, 200, "{offered}");
    let hash = offered["agreement"].as_str().expect("a hash").to_owned();
    carry(&nation.ministry).await;
    let seen = national.get(&format!("agreements/{request}")).await;
    assert_eq!(
        (&seen["state"], &seen["offered"]),
        (&"offered".into(), &hash.clone().into())
    );
    assert_eq!(seen["signatures"][0]["party"], "G01");
    let accept = format!("agreements/{request}/accept");
    let other = json!({"agreement": "0".repeat(64)});
    assert_eq!(national.post(&accept, &other).await.0, 409);
    assert_eq!(national.post(&accept, &json!({"agreement": hash})).await.0, 204);
    carry(&nation.national).await;
    let seen = ministry.get(&format!("agreements/{hash}")).await;
    assert_eq!(
        (&seen["state"], &seen["request"]),
        (&"in-force".into(), &request.into())
    );
    let kinds = seen["history"].as_array().expect("a list").iter();
    let kinds: Vec<_> = kinds
        .map(|event| event["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    for (verb, body, state) in [
        ("suspend", json!({"by": "G01", "reason": "Rà soát"}), "suspended"),
        ("resume", json!({"by": "G01"}), "in-force"),
        ("revoke", json!({"by": "G01", "reason": "Hết nhu cầu"}), "revoked"),
    ] {
        let (status, told) = ministry.post(&format!("agreements/{hash}/{verb}"), &body).await;
        assert_eq!(status, 204, "{verb}: {told}");
        carry(&nation.ministry).await;
        for desk in [&national, &ministry] {
            assert_eq!(desk.get(&format!("agreements/{hash}")).await["state"], state);
        }
    }
}

#[tokio::test]
async fn a_refusal_without_a_reason_and_an_unsound_request_are_told_at_their_field() {
    let nation = nation().await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    for (field, value) in [
        ("purpose", json!(" ")),
        ("service", json!("G01")),
        ("valid_to", json!(0)),
        ("rate_per_minute", json!(0)),
    ] {
        let mut bad = text(&nation);
        bad[field] = value;
        let (status, told) = national.post("agreements", &bad).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{told}");
    }
    let (_, asked) = national.post("agreements", &text(&nation)).await;
    carry(&nation.national).await;
    let request = asked["request"].as_str().expect("a name");
    let path = format!("agreements/{request}/refuse");
    let (status, told) = ministry.post(&path, &json!({"reason": " "})).await;
    assert_eq!((status, &told["field"]), (422, &"reason".into()));
    assert_eq!(
        ministry.post(&path, &json!({"reason": "Chưa có căn cứ"})).await.0,
        204
    );
    carry(&nation.ministry).await;
    let seen = national.get(&format!("agreements/{request}")).await;
    assert_eq!(seen["state"], "refused");
    assert_eq!(seen["history"][1]["reason"], "Chưa có căn cứ");
    assert_eq!(ministry.post(&path, &json!({"reason": "lần nữa"})).await.0, 409);
    assert_eq!(
        ministry
            .send("GET", "agreements?state=x", Some("operator"), "")
            .await
            .0,
        422
    );
}

#[tokio::test]
async fn an_agreement_with_an_unknown_field_or_nested_without_end_is_not_taken() {
    let nation = nation().await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let mut unknown = text(&nation);
    unknown["more"] = 1.into();
    let (status, told) = national.post("agreements", &unknown).await;
    assert!([400, 422].contains(&status), "{status}: {told}");
    let (_, asked) = national.post("agreements", &text(&nation)).await;
    carry(&nation.national).await;
    let offer = format!("agreements/{}/offer", asked["request"].as_str().expect("a name"));
    let (status, told) = ministry.post(&offer, &unknown).await;
    assert!([400, 422].contains(&status), "{status}: {told}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let within = text(&nation)
        .to_string()
        .replacen('{', &format!("{{\"purpose\":{deep},"), 1);
    for (desk, path) in [
        (&national, "agreements"),
        (&ministry, offer.as_str()),
        (&ministry, "plan"),
        (&ministry, "apply"),
        (&ministry, "services"),
    ] {
        for body in [&deep, &within] {
            let (status, told) = desk.send("POST", path, Some("operator"), body).await;
            let told = String::from_utf8_lossy(&told);
            assert!([400, 413, 422].contains(&status), "{path} {status}: {told}");
        }
    }
    let list = ministry.get("agreements").await;
    assert_eq!(list.as_array().map(Vec::len), Some(1), "what was asked well");
    assert_eq!(list[0]["state"], "requested");
}

#[tokio::test]
async fn a_request_that_stands_or_is_for_nothing_offered_is_told_so_to_programs_and_on_the_form() {
    let nation = nation().await;
    let national = desk_at(&nation.national).await;
    let (status, first) = national.post("agreements", &text(&nation)).await;
    assert_eq!(status, 201);
    let (status, again) = national.post("agreements", &text(&nation)).await;
    assert_eq!((status, &again["request"]), (200, &first["request"]));
    let mut other = text(&nation);
    other["service"] = "G01/population/persons".into();
    let (status, told) = national.post("agreements", &other).await;
    assert_eq!((status, &told["field"]), (422, &"service".into()), "{told}");
    assert!(
        told["remedy"].as_str().expect("words").contains("person-lookup"),
        "{told}"
    );
    let filled = [
        ("id", "9/TT"),
        ("consumer", PORTAL),
        ("service", LOOKUP),
        ("endpoints", "GET /persons/{id}"),
        ("valid_from", "2026-12-01"),
        ("valid_to", "2027-01-01"),
        ("rate_per_minute", "1"),
    ];
    let words = [
        "purpose",
        "legal_basis",
        "place",
        "sharing_method",
        "handling",
        "conditions",
    ];
    let words = words
        .into_iter()
        .chain(["commitments", "protection", "storage", "deletion"]);
    let form: Vec<(&str, &str)> = filled
        .into_iter()
        .chain(words.map(|field| (field, "x")))
        .collect();
    let (status, _, page) = national.page("/exchange/agreements", Some(&form)).await;
    assert!(
        status == 422 && page.contains("href=\"#endpoints\"") && page.contains("POST /"),
        "{page}"
    );
}

#[tokio::test]
async fn an_operator_learns_whether_a_call_would_be_allowed_and_why_not() {
    let nation = nation().await;
    let desk = desk_at(&nation.ministry).await;
    let now = nation.ministry.now().ms();
    let call = format!("allowed?consumer={PORTAL}&service={LOOKUP}");
    assert_eq!(desk.get(&call).await["code"], "agreement-missing");
    let agreement = exchange::Agreement {
        rate_per_minute: 1,
        ..nation.agreement()
    };
    let hash = agreement.hash().hex();
    nation.agree(agreement).await;
    let may = desk.get(&call).await;
    assert_eq!(
        (&may["allowed"], &may["agreement"]),
        (&true.into(), &hash.clone().into())
    );
    assert_eq!((&may["calls_left"], &may["code"]), (&1.into(), &Value::Null));
    let later = desk.get(&format!("{call}&at={}", now + 86_400_000)).await;
    assert_eq!(
        (&later["allowed"], &later["code"]),
        (&false.into(), &"agreement-expired".into())
    );
    assert_eq!(later["id"], "01/2026/TT-CSDL");
    nation.ask("{}").await.expect("the minute's call");
    assert_eq!(desk.get(&call).await["code"], "quota-minute");
    let by = json!({"by": "G01", "reason": "x"});
    assert_eq!(desk.post(&format!("agreements/{hash}/suspend"), &by).await.0, 204);
    let stopped = desk.get(&call).await;
    assert_eq!(stopped["code"], "agreement-suspended");
    assert!(
        stopped["why"]
            .as_str()
            .expect("words")
            .contains("01/2026/TT-CSDL")
    );
    assert_eq!(desk.post(&format!("agreements/{hash}/revoke"), &by).await.0, 204);
    assert_eq!(desk.get(&call).await["code"], "agreement-revoked");
    let bad = desk
        .send("GET", "allowed?consumer=x&service=y", Some("operator"), "")
        .await;
    assert_eq!(bad.0, 422);
}

/// What is said of the portal's call of the lookup.
async fn refusal(desk: &Desk, more: &str) -> String {
    let told = desk
        .get(&format!("allowed?consumer={PORTAL}&service={LOOKUP}{more}"))
        .await;
    assert_eq!(told["allowed"], told["code"].is_null(), "{told}");
    assert_eq!(told["why"].is_null(), told["code"].is_null(), "{told}");
    told["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_is_asked_beforehand_is_told_as_the_call_itself_would_be() {
    let mut nation = nation().await;
    let agreement = exchange::Agreement {
        endpoints: vec!["POST /".parse().expect("an endpoint")],
        ..nation.agreement()
    };
    nation.agree(agreement).await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    for desk in [&national, &ministry] {
        assert_eq!(refusal(desk, "").await, "");
        assert_eq!(refusal(desk, "&endpoint=POST%20/").await, "");
        assert_eq!(refusal(desk, "&endpoint=GET%20/x").await, "agreement-endpoint");
        assert_eq!(refusal(desk, "&represented=G22").await, "", "its own name");
        assert_eq!(refusal(desk, "&represented=G15").await, "delegation-missing");
    }
    for bad in ["represented=%C4%91", "represented=g-1"] {
        let path = format!("allowed?consumer={PORTAL}&service={LOOKUP}&{bad}");
        assert_eq!(
            ministry.send("GET", &path, Some("operator"), "").await.0,
            422,
            "{bad}"
        );
    }
    // Each node knows of its own maintenance.
    let actor = kernel::Actor::Platform;
    let began = nation
        .ministry
        .exchange
        .begin_maintenance("Nâng cấp", None, &actor);
    began.await.expect("begun");
    assert_eq!(refusal(&ministry, "").await, "node-maintenance");
    assert_eq!(refusal(&national, "").await, "");
    assert_eq!(nation.refused("{}").await, "node-maintenance");
    let ended = nation.ministry.exchange.end_maintenance(&actor);
    ended.await.expect("ended");
    // The service is not offered any more.
    let lookup: exchange::ServiceId = LOOKUP.parse().expect("an id");
    nation.ministry.exchange.withdraw(&lookup);
    assert_eq!(refusal(&ministry, "").await, "service-unknown");
    assert_eq!(nation.refused("{}").await, "service-unknown");
    nation.ministry.exchange.provide(nation.service.clone());
    assert_eq!(refusal(&ministry, "").await, "");
    // What the directory says.
    let revoked = Nation::revoked(&nation.ministry.keyring.node.certificate);
    nation.publish(|s| s.revoked.push(revoked)).await;
    for desk in [&national, &ministry] {
        assert_eq!(refusal(desk, "").await, "node-revoked");
    }
    assert_eq!(nation.refused("{}").await, "node-revoked");
    let seal = Nation::revoked(&nation.ministry.seal("G01").certificate);
    nation.publish(|s| s.revoked = vec![seal]).await;
    assert_eq!(refusal(&national, "").await, "seal-broken");
    assert_eq!(nation.refused("{}").await, "seal-broken");
}

#[tokio::test]
async fn a_service_that_its_operator_stops_is_told_beforehand_at_both_nodes() {
    let nation = nation().await;
    let system = crate::offered::System::start(None).await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let persons = crate::offered::PERSONS;
    let text = json!({"service": persons, "url": system.url});
    assert_eq!(ministry.post("services", &text).await.0, 201);
    crate::offered::agree(&nation).await;
    let ask = format!("allowed?consumer={PORTAL}&service={persons}");
    let allowed = async |desk: &Desk, more: &str| desk.get(&format!("{ask}{more}")).await;
    for desk in [&national, &ministry] {
        assert_eq!(allowed(desk, "").await["allowed"], true);
    }
    let stand = format!("services/{persons}/stand");
    let notice = "Kiểm tra dữ liệu";
    let disable = json!({"do": "disable", "notice": notice});
    assert_eq!(ministry.post(&stand, &disable).await.0, 204);
    assert_eq!(allowed(&ministry, "").await["code"], "service-disabled");
    assert_eq!(
        allowed(&national, "").await["allowed"],
        true,
        "it has not heard yet"
    );
    carry(&nation.ministry).await;
    let told = allowed(&national, "").await;
    assert_eq!(told["code"], "service-disabled");
    assert!(told["why"].as_str().expect("words").contains(notice), "{told}");
    assert_eq!(ministry.post(&stand, &json!({"do": "enable"})).await.0, 204);
    carry(&nation.ministry).await;
    for desk in [&national, &ministry] {
        assert_eq!(allowed(desk, "").await["allowed"], true);
    }
}

#[tokio::test]
async fn the_list_is_given_a_page_at_a_time() {
    let limits = kernel::limits::Limits {
        page_rows_max: 2,
        ..kernel::limits::Limits::default()
    };
    let nation = Nation::without_agreement(limits).await;
    for number in 1..=3 {
        let id = format!("{number:02}/TT");
        nation
            .agree(exchange::Agreement {
                id,
                ..nation.agreement()
            })
            .await;
    }
    let desk = desk_at(&nation.ministry).await;
    let ids = |list: &Value| -> Vec<String> {
        let lines = list.as_array().expect("a list").iter();
        lines
            .map(|line| line["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let first = desk.get("agreements").await;
    assert_eq!(ids(&first), ["01/TT", "02/TT"]);
    let after = first[1]["hash"].as_str().expect("a hash");
    assert_eq!(
        ids(&desk.get(&format!("agreements?after={after}")).await),
        ["03/TT"]
    );
    let (_, _, page) = desk.page("/exchange/agreements", None).await;
    assert!(page.contains(&format!("after={after}")), "the page leads on");
}

#[tokio::test]
async fn two_operators_lead_an_agreement_by_the_pages() {
    let nation = nation().await;
    let (national, ministry) = (desk_at(&nation.national).await, desk_at(&nation.ministry).await);
    let a = nation.agreement();
    let form = |but: &'static str| -> Vec<(&'static str, String)> {
        let text = [
            ("id", a.id.clone()),
            ("consumer", PORTAL.to_owned()),
            ("service", LOOKUP.to_owned()),
            ("fields", "full_name\nasked".to_owned()),
            ("purpose", a.purpose.clone()),
            ("legal_basis", a.legal_basis.clone()),
            ("place", a.place.clone()),
            ("valid_from", "2026-01-01".to_owned()),
            ("valid_to", "2030-12-31".to_owned()),
            ("sharing_method", a.sharing_method.clone()),
            ("handling", a.handling.clone()),
            ("conditions", a.conditions.clone()),
            ("rate_per_minute", "60".to_owned()),
            ("commitments", a.commitments.clone()),
            ("protection", a.protection.clone()),
            ("storage", a.storage.clone()),
            ("deletion", a.deletion.clone()),
            ("other", String::new()),
        ];
        text.into_iter().filter(|(field, _)| *field != but).collect()
    };
    let send = async |desk: &Desk, path: &str, fields: &[(&str, String)]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
        desk.page(path, Some(&fields)).await
    };
    let (status, _, empty) = national.page("/exchange/agreements/new", None).await;
    assert!(status == 200 && empty.contains("name=\"legal_basis\""), "{empty}");
    let (status, _, again) = send(&national, "/exchange/agreements", &form("purpose")).await;
    assert_eq!(status, 422);
    assert!(
        again.contains("href=\"#purpose\"") && again.contains("căn cứ (mẫu thử)"),
        "{again}"
    );
    let (status, asked, told) = send(&national, "/exchange/agreements", &form("")).await;
    assert_eq!(status, 303, "{told}");
    carry(&nation.national).await;
    let (_, _, list) = ministry.page("/exchange/agreements", None).await;
    assert!(list.contains("chờ bạn trả lời trước"), "{list}");
    let (_, _, one) = ministry.page(&asked, None).await;
    assert!(one.contains("Ký và gửi văn bản") && one.contains("11."), "{one}");
    let (status, _, refused) = ministry
        .page(&format!("{asked}/refuse"), Some(&[("reason", "")]))
        .await;
    assert!(
        status == 422 && refused.contains("href=\"#refuse-reason\""),
        "{refused}"
    );
    let (_, _, filled) = ministry.page(&format!("{asked}/offer"), None).await;
    assert!(
        filled.contains("2030-12-31") && filled.contains("mục đích (mẫu thử)"),
        "{filled}"
    );
    let (status, _, told) = send(&ministry, &format!("{asked}/offer"), &form("")).await;
    assert_eq!(status, 303, "{told}");
    carry(&nation.ministry).await;
    let (_, _, one) = national.page(&asked, None).await;
    let hash = one
        .split("name=\"agreement\" value=\"")
        .nth(1)
        .expect("a hash to accept");
    let hash = &hash[..64];
    let accept = format!("{asked}/accept");
    let (status, agreed, told) = national.page(&accept, Some(&[("agreement", hash)])).await;
    assert_eq!(status, 303, "{told}");
    carry(&nation.national).await;
    let (_, _, one) = ministry.page(&agreed, None).await;
    assert!(one.contains("đang hiệu lực") && !one.contains("Chưa ký"), "{one}");
    let by = [("by", "G01"), ("reason", "Rà soát an toàn")];
    let (status, _, bad) = ministry.page(&format!("{agreed}/suspend"), Some(&by[..1])).await;
    assert!(status == 422 && bad.contains("href=\"#suspend-reason\""), "{bad}");
    let (status, _, _) = ministry.page(&format!("{agreed}/suspend"), Some(&by)).await;
    assert_eq!(status, 303);
    carry(&nation.ministry).await;
    let (_, _, one) = national.page(&agreed, None).await;
    assert!(
        one.contains("Rà soát an toàn") && one.contains("tạm ngừng"),
        "{one}"
    );
    let call = format!("/exchange/allowed?consumer={PORTAL}&service={LOOKUP}");
    let (status, _, answer) = national.page(&call, None).await;
    assert!(
        status == 200 && answer.contains("Yêu cầu sẽ bị từ chối"),
        "{answer}"
    );
    let (status, _, _) = ministry.page(&format!("{agreed}/resume"), Some(&by[..1])).await;
    assert_eq!(status, 303);
    for (endpoint, told) in [
        ("GET%20/persons/42", "Yêu cầu được phép"),
        ("GET%20/..%2Fother", "Đường dẫn đi ra ngoài dịch vụ"),
    ] {
        let (status, _, answer) = ministry.page(&format!("{call}&endpoint={endpoint}"), None).await;
        assert!(status == 200 && answer.contains(told), "{answer}");
    }
    let (status, _, _) = ministry.page(&format!("{agreed}/revoke"), Some(&by)).await;
    assert_eq!(status, 303);
    let (status, _, bad) = national
        .page(
            "/exchange/allowed?consumer=x&service=y&endpoint=get%20z&on=z",
            None,
        )
        .await;
    for field in ["consumer", "service", "endpoint", "on"] {
        assert!(
            status == 422 && bad.contains(&format!("href=\"#{field}\"")),
            "{bad}"
        );
    }
}
