//! The SQL of a search: one statement for each thing that a search may be driven by, each along its own
//! index, newest first, behind a cursor. Never a decision: rows in, rows out.

use kernel::{Problem, Time};
use store::{Reader, params};

use super::search::{By, Cursor};
use crate::store::{Indexed, indexed};

/// The tenant is no way to these rows, so that no other index is taken for it: a node's rows are its home
/// organisation's.
const BY_TIME: &str = "select request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
     ended, own, member, result, fault from exchange_requests \
     where tenant || '' = $1 and began >= $2 and (began, request, side) < ($3, $4, $5) \
     order by began desc, request desc, side desc limit $6";

const BY_CASE: &str = "select request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
     ended, own, member, result, fault from exchange_requests \
     where tenant = $1 and issue = $7 and began >= $2 and (began, request, side) < ($3, $4, $5) \
     order by began desc, request desc, side desc limit $6";

const BY_AGREEMENT: &str = "select request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
     ended, own, member, result, fault from exchange_requests \
     where tenant = $1 and agreement = $7 and began >= $2 and (began, request, side) < ($3, $4, $5) \
     order by began desc, request desc, side desc limit $6";

const BY_SERVICE: &str = "select request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
     ended, own, member, result, fault from exchange_requests \
     where tenant = $1 and service = $7 and began >= $2 and (began, request, side) < ($3, $4, $5) \
     order by began desc, request desc, side desc limit $6";

const BY_MEMBER: &str = "select request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
     ended, own, member, result, fault from exchange_requests \
     where tenant = $1 and member = $7 and began >= $2 and (began, request, side) < ($3, $4, $5) \
     order by began desc, request desc, side desc limit $6";

/// What went well is found by time; the index of what did not holds nothing else.
const BY_FAILURE: &str = "select request, side, stream, log_position, consumer, service, agreement, issue, status, began, \
     ended, own, member, result, fault from exchange_requests \
     where tenant = $1 and result = $7 and result <> 'ok' and began >= $2 and (began, request, side) < ($3, $4, $5) \
     order by began desc, request desc, side desc limit $6";

/// Rows behind a cursor that began at an instant or later, newest first.
pub(super) async fn page(
    reader: &Reader,
    by: &By,
    from: Time,
    behind: &Cursor,
    limit: usize,
) -> Result<Vec<Indexed>, Problem> {
    let mut values = params![
        reader.tenant(),
        from,
        behind.began,
        &behind.request,
        &behind.side,
        limit
    ];
    let (sql, value) = statement(by);
    values.extend(value.map(store::Value::from));
    let rows = reader.all(sql, values).await?;
    rows.iter().map(indexed).collect()
}

/// The statement that a search is driven by, and the value it asks for.
fn statement(by: &By) -> (&'static str, Option<String>) {
    match by {
        By::Case(case) => (BY_CASE, Some(case.clone())),
        By::Agreement(hash) => (BY_AGREEMENT, Some(hash.hex())),
        By::Service(service) => (BY_SERVICE, Some(service.to_string())),
        By::Member(member) => (BY_MEMBER, Some(member.to_string())),
        By::Failure(result) => (BY_FAILURE, Some(result.as_str().to_owned())),
        By::Time => (BY_TIME, None),
    }
}

/// True when a tenant has a row at all.
pub(super) async fn any(reader: &Reader) -> Result<bool, Problem> {
    let row = reader
        .one(
            "select request from exchange_requests where tenant = $1 limit 1",
            params![reader.tenant()],
        )
        .await?;
    Ok(row.is_some())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{Actor, Digest, OrgCode};
    use store::Engine;

    use super::super::search::{Outcome, Search};
    use super::*;

    /// Rows of the history, count: two members, four services, a case each hundred, few failures.
    const ROWS: u64 = 40_000;

    fn row(number: u64) -> Indexed {
        let failed = number % 1_000 == 7;
        Indexed {
            request: format!("{number:032x}"),
            side: "provider".to_owned(),
            stream: "evidence-0".to_owned(),
            position: number,
            consumer: format!("G{}/portal", 22 + number % 2),
            service: format!("G01/population/s{}", number % 4),
            agreement: Digest::of(&(number % 8).to_le_bytes()).hex(),
            issue: Some(format!("case-{}", number / 100)),
            status: if failed { 502 } else { 200 },
            began: i64::try_from(number / 3).expect("small"),
            ended: i64::try_from(number / 3).expect("small"),
            own: "G01".to_owned(),
            member: format!("G{}", 22 + number % 2),
            result: if failed { "fault" } else { "ok" }.to_owned(),
            fault: String::new(),
        }
    }

    async fn history() -> (testkit::TempStore, Reader) {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let home: OrgCode = "G01".parse().expect("a code");
        let rows: Vec<Indexed> = (0..ROWS).map(row).collect();
        for some in rows.chunks(2_000) {
            let some: &Vec<&Indexed> = &some.iter().collect();
            temp.store
                .write(&home, &Actor::Platform, |tx| async move {
                    crate::store::index(&tx, some).await
                })
                .await
                .expect("indexed");
        }
        let reader = temp.store.read(&home).await.expect("a reader");
        (temp, reader)
    }

    fn all_ways() -> [(By, &'static str); 6] {
        [
            (By::Time, "exchange_requests_by_time"),
            (By::Case("case-7".to_owned()), "exchange_requests_by_issue"),
            (By::Agreement(Digest::of(b"x")), "exchange_requests_by_agreement"),
            (
                By::Service("G01/population/s1".parse().expect("an id")),
                "exchange_requests_by_service",
            ),
            (
                By::Member("G22".parse().expect("a code")),
                "exchange_requests_by_member",
            ),
            (By::Failure(Outcome::Fault), "exchange_requests_by_failure"),
        ]
    }

    #[tokio::test]
    async fn a_search_walks_the_index_of_what_it_asks_for_whatever_the_history() {
        let (temp, reader) = history().await;
        let explain = match temp.store.engine() {
            Engine::Sqlite => "explain query plan ",
            Engine::Postgres => {
                // As the server's own housekeeping does after so many new rows.
                let analyze = reader.all("analyze exchange_requests", params![]).await;
                analyze.expect("analysed");
                "explain "
            }
        };
        for (by, index) in all_ways() {
            let (sql, value) = statement(&by);
            let sql: &'static str = Box::leak(format!("{explain}{sql}").into_boxed_str());
            let mut values = params![reader.tenant(), 0_i64, i64::MAX, "", "", 50_u64];
            values.extend(value.map(store::Value::from));
            let rows = reader.all(sql, values).await.expect("a plan");
            let column = match temp.store.engine() {
                Engine::Sqlite => "detail",
                Engine::Postgres => "QUERY PLAN",
            };
            let plan: Vec<String> = rows.iter().map(|r| r.text(column).expect("a line")).collect();
            let plan = plan.join("; ");
            assert!(plan.contains(index), "{by:?}: {plan}");
            assert!(!plan.to_lowercase().contains("seq scan"), "{by:?}: {plan}");
            assert!(!plan.contains("USE TEMP B-TREE FOR ORDER BY"), "{by:?}: {plan}");
        }
    }

    #[tokio::test]
    async fn pages_go_through_everything_once_newest_first_and_never_look_too_far() {
        let (_temp, reader) = history().await;
        let mut search = Search {
            result: Some(Outcome::Fault),
            service: Some("G01/population/s3".parse().expect("an id")),
            ..Search::default()
        };
        let (mut seen, mut pages) = (Vec::new(), 0);
        loop {
            let found = search.run(&reader, 4).await.expect("found");
            assert!(found.exchanges.len() <= 4);
            seen.extend(found.exchanges);
            pages += 1;
            let Some(next) = found.next else { break };
            search.after = Some(Cursor::parse(&next).expect("our own"));
        }
        let wanted: Vec<String> = (0..ROWS)
            .rev()
            .filter(|n| n % 1_000 == 7 && n % 4 == 3)
            .map(|n| format!("{n:032x}"))
            .collect();
        let seen: Vec<String> = seen.into_iter().map(|e| e.request).collect();
        assert_eq!(seen, wanted);
        assert_eq!(pages, wanted.len().div_ceil(4));
        // What nothing has is told after a bounded look, not at the end of the history.
        let nothing = Search {
            own: Some("G15".parse().expect("a code")),
            ..Search::default()
        };
        let looked = nothing.run(&reader, 50);
        let found = tokio::time::timeout(Duration::from_secs(60), looked).await;
        let found = found.expect("soon").expect("looked");
        assert!(found.exchanges.is_empty() && found.next.is_some() && found.looked_to.is_some());
    }

    #[tokio::test]
    async fn what_is_indexed_later_does_not_move_a_page_that_is_being_read() {
        let (temp, reader) = history().await;
        let mut search = Search::default();
        let first = search.run(&reader, 3).await.expect("found");
        search.after = first.next.as_deref().and_then(Cursor::parse);
        let before = search.run(&reader, 3).await.expect("found");
        let newer = &row(ROWS + 5);
        temp.store
            .write(reader.tenant(), &Actor::Platform, |tx| async move {
                crate::store::index(&tx, &[newer]).await
            })
            .await
            .expect("indexed");
        let after = search.run(&reader, 3).await.expect("found");
        let ids = |found: &super::super::search::EvidenceFound| -> Vec<String> {
            found.exchanges.iter().map(|e| e.request.clone()).collect()
        };
        assert_eq!(ids(&before), ids(&after));
    }

    #[tokio::test]
    async fn records_that_were_indexed_before_are_found_by_what_is_searched_now() {
        let before = ::store::Migrations {
            name: crate::MIGRATIONS.name,
            files: &crate::MIGRATIONS.files[..3],
        };
        let temp = testkit::store(&[before]).await;
        let home: OrgCode = "G01".parse().expect("a code");
        let insert = |(side, status): (&'static str, i64)| {
            let store = temp.store.clone();
            let home = home.clone();
            async move {
                store
                    .write(&home, &Actor::Platform, |tx| async move {
                        tx.exec(
                            "insert into exchange_requests (tenant, request, side, stream, log_position, consumer, \
                             service, agreement, issue, status, began) \
                             values ($1, $2, $3, 'evidence-0', 0, 'G22.01/portal', 'G01/population/s', '', null, $4, 7)",
                            params![tx.tenant(), format!("r{status}"), side, status],
                        )
                        .await
                    })
                    .await
                    .expect("written");
            }
        };
        for old in [
            ("consumer", 200),
            ("provider", 404),
            ("consumer", 502),
            ("provider", 0),
        ] {
            insert(old).await;
        }
        temp.store.close().await;
        let config = &temp.config;
        let world = temp.store.world().clone();
        let store = ::store::Store::open(config, world, &[crate::MIGRATIONS]).await;
        let store = store.expect("the later step is applied");
        let reader = store.read(&home).await.expect("a reader");
        let found = Search::default().run(&reader, 10).await.expect("found");
        let mut seen: Vec<_> = found
            .exchanges
            .iter()
            .map(|e| (e.status, e.own.as_str(), e.member.as_str(), e.result.as_str()))
            .collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                (0, "G01", "G22", "refused"),
                (200, "G22", "G01", "ok"),
                (404, "G01", "G22", "refused"),
                (502, "G22", "G01", "fault")
            ]
        );
        drop(reader);
        store.close().await;
    }
}
