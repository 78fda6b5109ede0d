//! Who did what and who was refused, as an operator reads it afterwards.

use serde_json::Value;

use crate::nation::Nation;
use crate::node::Node;
use crate::operator::{Desk, desk_at, desk_with};

impl Desk {
    async fn acts(&self, tenant: &str, query: &str) -> Vec<Value> {
        let (status, told) = self.told(tenant, &format!("audit?{query}")).await;
        assert_eq!(status, 200, "{query}: {told}");
        told["acts"].as_array().expect("a list").clone()
    }
}

/// Everything that is committed stands in rows.
async fn fold(node: &Node) {
    node.temp.store.seal_facts_now().await.expect("sealed");
    while node.exchange.fold_acts().await.expect("folded") > 0 {}
    node.exchange.tell_refusals().await.expect("told");
}

#[tokio::test]
async fn an_observer_reads_everything_and_each_attempt_to_change_something_is_refused_and_noted() {
    let nation = Nation::new().await;
    let request = nation.ask("{}").await.expect("an answer").request;
    let desk = desk_at(&nation.ministry).await;
    let hash = nation.agreement().hash();
    for path in [
        "agreements",
        "evidence",
        "exchanges",
        "standing",
        "audit",
        "services",
        "traffic",
        "clients",
    ] {
        let (status, _) = desk.send("GET", path, Some("observer"), "").await;
        assert_eq!(status, 200, "{path}");
    }
    let asice = format!("exchanges/{request}/asice");
    assert_eq!(desk.send("GET", &asice, Some("observer"), "").await.0, 200);
    // What is kept of persons is read by who answers for it.
    for path in [
        format!("{asice}?body=true&purpose=x"),
        format!("evidence/{request}/body?part=answer&purpose=x"),
    ] {
        assert_eq!(
            desk.send("GET", &path, Some("observer"), "").await.0,
            403,
            "{path}"
        );
    }
    for (path, body) in [
        (
            format!("agreements/{hash}/revoke"),
            r#"{"by":"G01","reason":"x"}"#,
        ),
        ("maintenance".to_owned(), r#"{"notice":"x"}"#),
        ("standing/try".to_owned(), r#"{"target":"hub"}"#),
    ] {
        assert_eq!(
            desk.send("POST", &path, Some("observer"), body).await.0,
            403,
            "{path}"
        );
    }
    fold(&nation.ministry).await;
    let refused = desk.acts("G01", "result=refused").await;
    let mut acts: Vec<_> = refused.iter().map(|a| (&a["act"], &a["code"])).collect();
    acts.sort_by_key(|(act, _)| act.to_string());
    let missing = Value::from("role-missing");
    let (revoke, begin) = (
        "/exchange/agreements/{hash}/revoke".into(),
        "/exchange/maintenance".into(),
    );
    assert_eq!(acts, [(&revoke, &missing), (&begin, &missing)], "{refused:?}");
}

#[tokio::test]
async fn what_was_done_and_what_was_refused_is_told_with_who_when_and_on_what() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    let hash = nation.agreement().hash();
    let path = format!("agreements/{hash}/revoke");
    let body = r#"{"by":"G01","reason":"vi phạm cam kết"}"#;
    for (role, body, status) in [
        (Some("officer"), body, 403),
        (None, body, 401),
        (Some("operator"), r#"{"by":"G01","reason":" "}"#, 422),
        (Some("operator"), body, 204),
    ] {
        assert_eq!(desk.send("POST", &path, role, body).await.0, status);
    }
    fold(&nation.ministry).await;
    fold(&nation.ministry).await;
    let done = desk.acts("G01", "result=done").await;
    assert_eq!(done.len(), 1, "{done:?}");
    assert_eq!(
        (&done[0]["act"], &done[0]["who"]),
        (&"agreement-revoked".into(), &"official:o1".into())
    );
    assert_eq!(done[0]["object"], format!("agreement/{hash}"));
    let refused = desk.acts("G01", "result=refused").await;
    let mut codes: Vec<_> = refused
        .iter()
        .map(|a| a["code"].as_str().expect("a key"))
        .collect();
    codes.sort_unstable();
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(codes.contains(&"not-signed-in"), "{codes:?}");
    for act in &refused {
        assert_eq!(act["object"], format!("/exchange/agreements/{hash}/revoke"));
        assert_eq!(act["act"], "/exchange/agreements/{hash}/revoke");
        assert!(!act.to_string().contains("vi phạm"), "never what was typed");
    }
    let (status, page) = desk.seen("G01", "/exchange/audit").await;
    assert_eq!(status, 200);
    for part in [
        "Nhật ký quản trị",
        "Chấm dứt thỏa thuận",
        "chưa đăng nhập",
        "bị từ chối",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // Looking changes nothing and is no act.
    assert_eq!(desk.acts("G01", "").await.len(), 4);
}

#[tokio::test]
async fn what_the_directory_and_the_keys_refuse_stands_beside_it_and_a_wrong_password_does_not() {
    async fn no(_: web::Operator) -> Result<(), web::Refusal> {
        Err(kernel::Problem::new(kernel::Kind::Conflict, "directory-decided").into())
    }
    let nation = Nation::new().await;
    let paths = [
        "/api/v1/directory/registrations/{request}/approve",
        "/exchange/groups",
        "/keys",
        "/api/v1/keys/{key}/revoke",
    ];
    let mut others = web::openapi::OpenApiRouter::new();
    for path in paths.into_iter().chain(["/sign-in"]) {
        others = others.route(path, web::axum::routing::post(no));
    }
    let desk = desk_with(&nation.ministry, others).await;
    for role in ["officer", "operator"] {
        for path in paths.into_iter().chain(["/sign-in"]) {
            let at = path.replace("{request}", "r1").replace("{key}", "k1");
            let request = web::http::Request::post(format!("http://{}{at}", desk.address))
                .header("origin", format!("http://{}", desk.address))
                .header("role", role)
                .body(bytes::Bytes::new())
                .expect("a request");
            let answer = web::Client::plain().send(request, 30_000, 1 << 20).await;
            let status = answer.expect("an answer").status().as_u16();
            assert_eq!(status, if role == "officer" { 403 } else { 409 }, "{path}");
        }
    }
    fold(&nation.ministry).await;
    let refused = desk.acts("G01", "result=refused").await;
    assert_eq!(refused.len(), 2 * paths.len(), "{refused:?}");
    for path in paths {
        let route = path.trim_start_matches("/api/v1");
        let here = refused.iter().filter(|act| act["act"] == route);
        let mut codes: Vec<_> = here.map(|act| act["code"].as_str().expect("a key")).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["directory-decided", "role-missing"], "{path}");
    }
    let (_, page) = desk.seen("G01", "/exchange/audit").await;
    assert!(page.contains("/directory/registrations/r1/approve"), "{page}");
}

#[tokio::test]
async fn a_flood_of_refusals_is_counted_and_fills_nothing() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    let path = format!("agreements/{}/revoke", nation.agreement().hash());
    for _ in 0..30 {
        desk.send("POST", &path, Some("officer"), r#"{"by":"G01","reason":"x"}"#)
            .await;
    }
    for n in 0..90 {
        let path = format!("agreements/{n:064x}/revoke");
        desk.send("POST", &path, None, r#"{"by":"G01","reason":"x"}"#)
            .await;
    }
    fold(&nation.ministry).await;
    let (_, told) = desk.told("G01", "audit").await;
    assert_eq!(told["acts"].as_array().map(Vec::len), Some(50), "a page");
    let next = told["next"].as_str().expect("a next page");
    let mut all = told["acts"].as_array().expect("a list").clone();
    all.extend(desk.acts("G01", &format!("after={next}")).await);
    assert_eq!(all.len(), 61);
    let times: i64 = all.iter().map(|a| a["times"].as_i64().expect("a count")).sum();
    assert_eq!(times, 120, "none is lost");
    let officer: Vec<_> = all.iter().filter(|a| a["who"] == "official:o1").collect();
    assert_eq!((officer.len(), &officer[0]["times"]), (1, &30.into()));
}

#[tokio::test]
async fn the_audit_is_searched_by_time_person_and_result_and_a_tenant_sees_its_own() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    let path = format!("agreements/{}/revoke", nation.agreement().hash());
    desk.send("POST", &path, Some("operator"), r#"{"by":"G01","reason":"x"}"#)
        .await;
    fold(&nation.ministry).await;
    for (query, count) in [
        ("who=official:o1", 1),
        ("who=official:o2", 0),
        ("from=2026-11-21&to=2026-11-21", 1),
        ("from=2026-11-22", 0),
        ("to=2026-11-20", 0),
    ] {
        assert_eq!(desk.acts("G01", query).await.len(), count, "{query}");
    }
    assert!(desk.acts("G15", "").await.is_empty());
    for (query, field) in [
        ("from=x", "from"),
        ("to=x", "to"),
        ("from=2026-11-22&to=2026-11-21", "to"),
        ("result=x", "result"),
        ("after=x", "after"),
    ] {
        let (status, told) = desk.told("G01", &format!("audit?{query}")).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{query}");
        assert_eq!(desk.seen("G01", &format!("/exchange/audit?{query}")).await.0, 422);
    }
    assert_eq!(desk.send("GET", "audit", None, "").await.0, 401);
    for role in ["citizen", "officer", "chairman"] {
        assert_eq!(desk.send("GET", "audit", Some(role), "").await.0, 403, "{role}");
    }
}
