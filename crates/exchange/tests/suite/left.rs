//! What is archived leaves the live log of a node that goes on: exchanges are still found, and their page, their
//! twin and their containers say in which archive they live; what the node still needs does not leave.

use exchange::envelope::{self, Evidence};
use exchange::message::RequestHead;
use exchange::{Leaving, STREAM};
use kernel::{Digest, Fact, Problem, Time};
use store::params;

use crate::nation::Nation;
use crate::node::Node;
use crate::operator::desk_at;
use crate::timestamps::authority;

/// Records in one whole block of the index and a little more.
const RECORDS: usize = 4_200;

/// As many records as that are in a node's log, each an exchange of its own, under signed roots and timestamps
/// at these sizes.
async fn fill(node: &Node, to: usize) {
    let log = node.temp.store.log(STREAM).await.expect("the log");
    let first = log.read(0, 1).await.expect("a record").remove(0).1;
    let from = usize::try_from(log.len().await).expect("small");
    let records = (from..to).map(|number| {
        let mut record: Evidence = envelope::read(&first).expect("a record");
        let mut head = RequestHead::parse(&record.request.head).expect("a head");
        head.request = id(number);
        record.request.head = head.to_bytes().into();
        envelope::write(&record)
    });
    log.append(records.collect()).await.expect("appended");
    while node.exchange.fold_evidence().await.expect("folded") > 0 {}
    node.exchange.stamp_now().await.expect("stamped");
}

fn id(number: usize) -> String {
    format!("{number:032x}")
}

fn span(first: u64, next: u64) -> Leaving {
    Leaving {
        first,
        next,
        file: format!("{STREAM}-{first:020}-{next:020}.archive"),
        sha256: Digest::of(&next.to_le_bytes()),
        bytes: 9_000,
        class: "exchange".to_owned(),
        keep_until: (first == 0).then_some(Time(1_900_000_000_000)),
    }
}

fn code(left: Result<u64, Problem>) -> &'static str {
    left.expect_err("refused").code
}

#[tokio::test]
async fn an_exchange_whose_record_has_left_is_found_and_its_page_says_in_which_archive_it_lives() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    let real = nation.ask("{}").await.expect("an answer").request;
    let x = nation.ministry.exchange.clone();
    fill(&nation.ministry, 2_000).await;
    fill(&nation.ministry, 4_000).await;
    assert_eq!(code(x.leave(&[span(0, 2_000)]).await), "evidence-unindexed");
    fill(&nation.ministry, RECORDS).await;
    let spans = [span(0, 2_000), span(2_000, 4_000)];
    assert_eq!(code(x.leave(&spans).await), "evidence-young");
    nation.advance_ms(3_600_000);
    assert_eq!(code(x.leave(&spans[1..]).await), "archive-order");
    assert_eq!(code(x.leave(&[span(0, 1_999)]).await), "log-unsigned");
    assert_eq!(code(x.leave(&[span(0, 4_200)]).await), "evidence-unindexed");
    assert_eq!(x.live_from().await, 0, "nothing has left by what was refused");
    assert_eq!(x.leave(&spans).await.expect("they leave"), 4_000);
    assert_eq!(x.leave(&spans).await.expect("they have left"), 4_000);
    for again in [false, true] {
        if again {
            nation.restart_ministry().await;
        }
        tells(&nation, &real).await;
    }
    // The exchange goes on, and what is there still proves itself.
    let after = nation.ask(r#"{"after":true}"#).await.expect("an answer").request;
    let desk = desk_at(&nation.ministry).await;
    let (status, proof) = desk.told("G01", &format!("exchanges/{after}/proof")).await;
    assert_eq!((status, &proof["size"]), (200, &(RECORDS + 1).into()), "{proof}");
    let (home, stream) = ("G01".parse().expect("a code"), format!("stream/{STREAM}"));
    let facts = nation.ministry.temp.store.facts_of(&home, &stream).await;
    let facts = facts.expect("facts").into_iter();
    let left = facts.filter(|f| matches!(f.fact, Fact::EvidenceLeft { .. }));
    assert_eq!(left.count(), 2, "one for each span");
}

/// What the ministry tells of the first exchange, and of one that is there.
async fn tells(nation: &Nation, real: &str) {
    let desk = desk_at(&nation.ministry).await;
    let file = span(0, 2_000).file;
    let (_, found) = desk.told("G01", &format!("evidence?request={real}")).await;
    assert_eq!(
        (&found["exchanges"][0]["position"], &found["archives"][0]["file"]),
        (&0.into(), &file.as_str().into())
    );
    let (_, found) = desk.told("G01", &format!("evidence?request={}", id(4_150))).await;
    assert_eq!(found["archives"].as_array().map(Vec::len), Some(0), "{found}");
    let (status, proof) = desk.told("G01", &format!("evidence/{real}")).await;
    let side = &proof["sides"][0];
    assert_eq!(
        (status, &side["archive"]["file"]),
        (200, &file.as_str().into()),
        "{proof}"
    );
    assert_eq!(side["checks"].as_array().map(Vec::len), Some(0));
    let (status, page) = desk.seen("G01", &format!("/exchange/evidence/{real}")).await;
    assert!(
        status == 200 && page.contains(&format!("sen evidence export --archive {file} --request {real}"))
    );
    assert!(!page.contains("/asice"), "there is nothing to download");
    let (_, page) = desk
        .seen("G01", &format!("/exchange/evidence?request={real}"))
        .await;
    assert!(page.contains(&file));
    for path in ["asice", "proof"] {
        let (status, told) = desk.told("G01", &format!("exchanges/{real}/{path}")).await;
        assert_eq!(
            (status, &told["type"]),
            (404, &"/problems/evidence-archived".into()),
            "{told}"
        );
        assert!(
            told["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains(&file)),
            "{told}"
        );
        assert!(
            told["remedy"]
                .as_str()
                .is_some_and(|remedy| remedy.contains("--archive")),
            "{told}"
        );
    }
    let there = id(4_150);
    let (status, proof) = desk.told("G01", &format!("exchanges/{there}/proof")).await;
    assert_eq!(
        (status, &proof["exchange"]["position"]),
        (200, &4_150.into()),
        "{proof}"
    );
    let (status, told) = desk.told("G01", "archives").await;
    assert_eq!((status, &told["live_from"]), (200, &4_000.into()), "{told}");
    let files = told["archives"].as_array().expect("a list").iter();
    let files: Vec<&str> = files.map(|one| one["file"].as_str().expect("a name")).collect();
    assert_eq!(files, [span(2_000, 4_000).file, file.clone()]);
    let (_, earlier) = desk.told("G01", "archives?before=2000").await;
    assert_eq!(earlier["archives"].as_array().map(Vec::len), Some(1));
    let (status, page) = desk.seen("G01", "/exchange/archives").await;
    assert!(
        status == 200 && page.contains(&file) && page.contains("từ 2000 đến 3999"),
        "{page}"
    );
    for path in ["/exchange/standing", "/exchange/evidence", "/exchange/traffic"] {
        assert_eq!(desk.seen("G01", path).await.0, 200, "{path}");
    }
    let (status, _) = desk.told("G01", "monitoring/operational-data").await;
    assert_ne!(status, 500);
    // The other party's page goes on without this node's word.
    let (status, proof) = desk_at(&nation.national)
        .await
        .told("G22", &format!("evidence/{real}"))
        .await;
    assert_eq!(
        (status, &proof["other"]["heard"]),
        (200, &"nothing".into()),
        "{proof}"
    );
}

#[tokio::test]
async fn what_a_crash_cut_short_between_rows_and_log_is_brought_to_its_end_at_the_next_start() {
    let mut nation = Nation::new().await;
    let _tsa = authority(&mut nation).await;
    let real = nation.ask("{}").await.expect("an answer").request;
    fill(&nation.ministry, 2_000).await;
    fill(&nation.ministry, RECORDS).await;
    let (home, it) = ("G01".parse().expect("a code"), &span(0, 2_000));
    let written = nation.ministry.temp.store.write(&home, &kernel::Actor::Platform, |tx| async move {
        tx.exec(
            "insert into exchange_archives (tenant, stream, first_position, next_position, file, sha256, bytes, class, keep_until, left_at) \
             values ($1, $2, $3, $4, $5, $6, 1, 'exchange', null, 5)",
            params![tx.tenant(), STREAM, it.first, it.next, &it.file, it.sha256.hex()],
        )
        .await
    });
    written.await.expect("written");
    assert_eq!(nation.ministry.exchange.live_from().await, 0);
    nation.restart_ministry().await;
    assert_eq!(nation.ministry.exchange.live_from().await, 2_000);
    let desk = desk_at(&nation.ministry).await;
    let (_, told) = desk.told("G01", &format!("exchanges/{real}/asice")).await;
    assert_eq!(told["type"], "/problems/evidence-archived");
}

#[tokio::test]
async fn only_an_operator_sees_what_has_left() {
    let nation = Nation::new().await;
    let desk = desk_at(&nation.ministry).await;
    for (role, status) in [(None, 401), (Some("officer"), 403), (Some("operator"), 200)] {
        for path in ["/exchange/archives", "/api/v1/exchange/archives"] {
            let mut request = web::http::Request::get(format!("http://{}{path}", desk.address))
                .header("accept", "application/json");
            if let Some(role) = role {
                request = request.header("role", role);
            }
            let request = request.body(bytes::Bytes::new()).expect("a request");
            let answer = web::Client::plain()
                .send(request, 30_000, 1 << 20)
                .await
                .expect("an answer");
            assert_eq!(answer.status().as_u16(), status, "{role:?} {path}");
        }
    }
    let (_, page) = desk.seen("G01", "/exchange/archives").await;
    assert!(page.contains("Chưa có bản ghi nào rời nhật ký đang hoạt động."));
}
