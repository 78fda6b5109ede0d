//! The hops of a call: when each was reached, told at both nodes in one order.

use std::sync::Arc;

use async_trait::async_trait;
use exchange::{Answer, Call, Service, ServiceId};
use kernel::Problem;
use serde_json::Value;
use testkit::{ManualClock, START};

use crate::evidence_pages::fold;
use crate::nation::{LOOKUP, Nation};
use crate::operator::desk_at;

/// A service that takes its time, by the clocks of both nodes, and any path.
pub(crate) struct Slow(Vec<Arc<ManualClock>>);

impl Slow {
    /// How long it takes, in milliseconds.
    pub(crate) const MS: i64 = 7;

    pub(crate) fn at(nation: &Nation) -> Arc<Self> {
        let nodes = [&nation.national, &nation.ministry];
        Arc::new(Self(nodes.map(|node| Arc::clone(&node.temp.clock)).into()))
    }
}

#[async_trait]
impl Service for Slow {
    fn id(&self) -> ServiceId {
        LOOKUP.parse().expect("an id")
    }

    fn is_rest(&self) -> bool {
        true
    }

    async fn call(&self, _call: Call) -> Result<Answer, Problem> {
        for clock in &self.0 {
            clock.advance_ms(Self::MS);
        }
        Answer::json(&serde_json::json!({"full_name": "Nguyễn Văn Mẫu", "asked": 1}))
    }
}

/// What happened, by whose clock, and when.
fn told(list: &Value) -> Vec<(String, String, i64)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let list = list.as_array().expect("a list").iter();
    list.map(|m| {
        (
            text(&m["what"]),
            text(&m["clock"]),
            m["at"].as_i64().expect("a time"),
        )
    })
    .collect()
}

#[tokio::test]
async fn each_hop_of_a_call_has_its_time_and_the_page_tells_those_of_both_nodes_in_order() {
    let nation = Nation::new().await;
    nation.ministry.exchange.provide(Slow::at(&nation));
    let request = nation.ask("{}").await.expect("an answer").request;
    fold(&nation).await;
    let (start, after) = (START.ms(), START.ms() + Slow::MS);
    let order = [
        ("sent", "G22", start),
        ("request-sealed", "G22", start),
        ("left", "G22", start),
        ("began", "G01", start),
        ("asked", "G01", start),
        ("answered", "G01", after),
        ("served", "G01", after),
        ("answer-sealed", "G01", after),
        ("came-back", "G22", after),
        ("ended", "G22", after),
    ];
    let desk = desk_at(&nation.ministry).await;
    let (_, proof) = desk.told("G01", &format!("evidence/{request}")).await;
    let mut both = told(&proof["sides"][0]["timeline"]);
    both.extend(told(&proof["other"]["record"]["timeline"]));
    for (what, clock, at) in order {
        let found = both.iter().find(|moment| moment.0 == what).expect(what);
        assert_eq!((found.1.as_str(), found.2), (clock, at), "{what}");
    }
    let (_, page) = desk.seen("G01", &format!("/exchange/evidence/{request}")).await;
    let (_, both) = page
        .split_once("Các mốc thời gian ở cả hai nút")
        .expect("the times of both nodes");
    let words = [
        "Nút của bên khai thác gửi đi (",
        "Ký yêu cầu (",
        "Gửi tiếp đến nút của bên cung cấp (",
        "Nút của bên cung cấp nhận được (",
        "Đã hỏi dịch vụ (",
        "Nhận được câu trả lời của dịch vụ (",
        "Câu trả lời đã sẵn sàng",
        "Ký bản trả lời;",
        "Nhận được hồi đáp của bên cung cấp (",
        "Kiểm tra xong;",
    ];
    let mut rest = both;
    for part in words {
        let (_, behind) = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("{part} in its order"));
        rest = behind;
    }
}

#[tokio::test]
async fn a_service_that_was_not_asked_has_no_time_of_it() {
    let nation = Nation::new().await;
    nation.ministry.exchange.withdraw(&LOOKUP.parse().expect("an id"));
    assert_eq!(nation.refused("{}").await, "service-unknown");
    let consumer = nation.national.evidence().await.pop().expect("a record");
    assert_eq!(
        (consumer.forwarded, consumer.returned),
        (Some(START.ms()), Some(START.ms())),
        "the other node was asked, and said no"
    );
    let provider = nation.ministry.evidence().await.pop().expect("a record");
    assert_eq!((provider.forwarded, provider.returned), (None, None));
    let mut nation = Nation::new().await;
    nation
        .publish(|s| s.nodes[1].peer = "127.0.0.1:9".to_owned())
        .await;
    assert_eq!(nation.refused("{}").await, "provider-unreachable");
    let record = nation.national.evidence().await.pop().expect("a record");
    assert_eq!(
        (record.forwarded, record.returned),
        (Some(START.ms()), None),
        "nothing came back"
    );
}
