//! Traffic as an operator meets it: counted once, told by time and by who and what, and never another
//! tenant's.

use serde_json::Value;

use crate::nation::{LOOKUP, Nation};
use crate::operator::{Desk, desk_at};

async fn fold(nation: &Nation) {
    for node in [&nation.national, &nation.ministry] {
        node.exchange.fold_evidence().await.expect("folded");
    }
}

impl Desk {
    async fn traffic(&self, tenant: &str, query: &str) -> Value {
        let (status, told) = self.told(tenant, &format!("traffic?{query}")).await;
        assert_eq!(status, 200, "{query}: {told}");
        told
    }
}

/// Three calls that were answered, two that the service refused, one that failed there.
async fn busy() -> Nation {
    let nation = Nation::new().await;
    for body in ["{}", "{}", "{}", r#"{"do":"refuse"}"#, r#"{"do":"refuse"}"#] {
        nation.ask(body).await.expect("an answer");
    }
    fold(&nation).await;
    nation
}

#[tokio::test]
async fn every_exchange_is_counted_once_by_everything_it_is_told_by() {
    let nation = busy().await;
    fold(&nation).await;
    let desk = desk_at(&nation.ministry).await;
    let hash = nation.agreement().hash().to_string();
    let all = desk.traffic("G01", "").await;
    assert_eq!(
        (&all["grain"], &all["sum"]["calls"]),
        (&"minute".into(), &5.into()),
        "{all}"
    );
    assert_eq!(
        (&all["sum"]["ok"], &all["sum"]["refused"], &all["sum"]["failed"]),
        (&3.into(), &2.into(), &0.into())
    );
    assert_eq!(all["now"]["month"], 5);
    for (by, name) in [
        ("service", LOOKUP),
        ("member", "G22"),
        ("agreement", &hash),
        ("result", "ok"),
    ] {
        let told = desk.traffic("G01", &format!("by={by}")).await;
        assert_eq!(told["rows"][0]["name"], name, "{told}");
    }
    for (span, grain) in [
        ("hour", "minute"),
        ("day", "hour"),
        ("month", "day"),
        ("year", "month"),
    ] {
        let told = desk.traffic("G01", &format!("span={span}")).await;
        assert_eq!(
            (&told["grain"], &told["sum"]["calls"]),
            (&grain.into(), &5.into()),
            "{span}"
        );
        let points = told["points"].as_array().expect("points");
        let calls: u64 = points
            .iter()
            .map(|p| p["sum"]["calls"].as_u64().expect("a count"))
            .sum();
        assert_eq!(calls, 5, "{span}");
    }
    for (query, calls) in [
        ("member=G22", 5),
        ("member=G15", 0),
        (&format!("service={LOOKUP}&result=refused"), 2),
        ("service=G01/population/other", 0),
        (&format!("agreement={hash}&result=ok"), 3),
        ("result=fault", 0),
        ("from=2026-11-21&to=2026-11-21", 5),
        ("from=2026-11-20&to=2026-11-20", 0),
    ] {
        assert_eq!(desk.traffic("G01", query).await["sum"]["calls"], calls, "{query}");
    }
    // A node that starts again has lost nothing but the seconds.
    assert_eq!(
        desk_at(&nation.national).await.traffic("G22", "").await["sum"]["calls"],
        5
    );
}

#[tokio::test]
async fn the_page_shows_pictures_with_their_numbers_and_leads_to_the_evidence() {
    let nation = busy().await;
    let desk = desk_at(&nation.ministry).await;
    let (status, page) = desk.seen("G01", "/exchange/traffic?by=result").await;
    assert_eq!(status, 200);
    for part in [
        "<h1>Lưu lượng trao đổi</h1>",
        "<svg class=\"chart-frame\"",
        "Các con số theo thời gian",
        "bị từ chối",
        "/exchange/evidence?from=2026-11-2",
        "result=refused",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("citizen:") && !page.contains("style="));
    let (_, page) = desk.seen("G01", "/exchange/traffic?by=agreement&span=day").await;
    assert!(page.contains("01/2026/TT-CSDL"));
    let (_, page) = desk.seen("G01", "/exchange/traffic?member=G15").await;
    assert!(page.contains("Không có lượt gọi nào trong khoảng này."));
    let empty = Nation::new().await;
    let desk = desk_at(&empty.ministry).await;
    let (status, page) = desk.seen("G01", "/exchange/traffic").await;
    assert!(status == 200 && page.contains("Chưa có lượt gọi nào được đếm."));
}

#[tokio::test]
async fn an_operator_of_a_tenant_sees_that_tenants_traffic_only() {
    let nation = busy().await;
    let desk = desk_at(&nation.ministry).await;
    let told = desk.traffic("G15", "").await;
    assert_eq!(
        (&told["sum"]["calls"], &told["now"]["month"]),
        (&0.into(), &0.into()),
        "{told}"
    );
    let seconds = told["now"]["seconds"].as_array().expect("seconds");
    assert!(seconds.iter().all(|s| s["ok"] == 0 && s["refused"] == 0));
    assert_eq!(told["rows"], serde_json::json!([]));
}

#[tokio::test]
async fn nobody_but_an_operator_sees_traffic_and_a_wrong_question_is_told_at_its_field() {
    let nation = busy().await;
    let desk = desk_at(&nation.ministry).await;
    assert_eq!(desk.send("GET", "traffic", None, "").await.0, 401);
    for role in ["citizen", "officer", "chairman"] {
        assert_eq!(desk.send("GET", "traffic", Some(role), "").await.0, 403, "{role}");
    }
    for (query, field) in [
        ("from=2026-02-30", "from"),
        ("from=1900-01-01", "from"),
        ("from=2026-11-22&to=2026-11-21", "to"),
        ("member=x", "member"),
        ("service=x", "service"),
        ("agreement=x", "agreement"),
        ("result=x", "result"),
        ("span=week", "span"),
        ("by=colour", "by"),
        ("sort=x", "sort"),
        ("page=0", "page"),
    ] {
        let (status, told) = desk.told("G01", &format!("traffic?{query}")).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{told}");
        let (status, _) = desk.seen("G01", &format!("/exchange/traffic?{query}")).await;
        assert_eq!(status, 422, "{query}");
    }
}
