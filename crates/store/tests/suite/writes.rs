//! Writes: all or nothing, beside others, in one flush.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kernel::{Actor, Kind, OrgCode, Problem};
use store::{Engine, Migrations, Pair, Store, StoreError, Value, params};
use tokio::task::JoinSet;

use crate::{THINGS, add, codes, insert, officer, tenant};

#[tokio::test]
async fn one_refused_write_leaves_its_neighbours() {
    let temp = testkit::store(&[THINGS]).await;
    let mut writes = JoinSet::new();
    for i in 0..32 {
        let store = temp.store.clone();
        writes.spawn(async move {
            let code = format!("{i:02}");
            store
                .write(tenant(), officer(), |tx| {
                    let code = &code;
                    async move {
                        insert(&tx, code).await?;
                        if i % 2 == 0 {
                            Err(Problem::invalid("code", "even"))
                        } else {
                            Ok(())
                        }
                    }
                })
                .await
        });
    }
    let outcomes = writes.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 16);
    let expected: Vec<String> = (0..32)
        .filter(|i| i % 2 == 1)
        .map(|i| format!("{i:02}"))
        .collect();
    assert_eq!(codes(&temp.store).await, expected);
}

#[tokio::test]
async fn a_write_whose_caller_went_away_leaves_nothing() {
    let temp = testkit::store(&[THINGS]).await;
    let reached = Arc::new(tokio::sync::Notify::new());
    let (store, signal) = (temp.store.clone(), Arc::clone(&reached));
    let abandoned = tokio::spawn(async move {
        store
            .write(tenant(), officer(), |tx| {
                let signal = &signal;
                async move {
                    insert(&tx, "abandoned").await?;
                    signal.notify_one();
                    std::future::pending::<Result<(), Problem>>().await
                }
            })
            .await
    });
    reached.notified().await;
    let (store, neighbour) = (temp.store.clone(), temp.store.clone());
    let waiting = tokio::spawn(async move { add(&store, "waiting").await });
    abandoned.abort();
    assert!(abandoned.await.expect_err("it was aborted").is_cancelled());
    waiting
        .await
        .expect("no panic")
        .expect("the neighbour is written");
    add(&neighbour, "after").await.expect("and the next one too");
    assert_eq!(codes(&temp.store).await, ["after", "waiting"]);
}

#[tokio::test]
async fn writes_that_wait_share_one_flush() {
    let temp = testkit::store(&[THINGS]).await;
    let before = temp.store.commits();
    let mut writes = JoinSet::new();
    for i in 0..200 {
        let store = temp.store.clone();
        writes.spawn(async move { add(&store, &format!("{i:03}")).await.expect("written") });
    }
    writes.join_all().await;
    let commits = temp.store.commits() - before;
    match temp.store.engine() {
        Engine::Sqlite => assert!((1..=20).contains(&commits), "200 writes took {commits} commits"),
        Engine::Postgres => assert_eq!(commits, 200, "the server groups its flushes itself"),
    }
    assert_eq!(codes(&temp.store).await.len(), 200);
}

#[tokio::test]
async fn a_flush_carries_no_more_writes_than_the_limit() {
    let limits = kernel::limits::Limits {
        batch_records_max: 10,
        ..Default::default()
    };
    let temp = testkit::store_with(&[THINGS], limits).await;
    let before = temp.store.commits();
    let mut writes = JoinSet::new();
    for i in 0..100 {
        let store = temp.store.clone();
        writes.spawn(async move { add(&store, &format!("{i:03}")).await.expect("written") });
    }
    writes.join_all().await;
    assert!(temp.store.commits() - before >= 10);
    assert_eq!(codes(&temp.store).await.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_have_no_gap_and_no_double_under_sixty_four_writers() {
    let temp = testkit::store(&[THINGS]).await;
    let mut writes = JoinSet::new();
    for i in 0..64 {
        let store = temp.store.clone();
        writes.spawn(async move {
            store
                .write(tenant(), officer(), |tx| async move {
                    let number = tx.next_number("decision/2026").await?;
                    if i % 8 == 0 {
                        Err(Problem::invalid("number", "refused"))
                    } else {
                        Ok(number)
                    }
                })
                .await
        });
    }
    let mut numbers: Vec<u64> = writes
        .join_all()
        .await
        .into_iter()
        .filter_map(|outcome| match outcome {
            Ok(number) => Some(number),
            Err(problem) => {
                assert_eq!(problem.code, "refused", "{problem}");
                None
            }
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=56).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_key_that_is_there_is_a_conflict_and_ends_the_write() {
    let temp = testkit::store(&[THINGS]).await;
    add(&temp.store, "one").await.expect("written");
    let problem = add(&temp.store, "one").await.expect_err("it is there");
    assert_eq!((problem.kind, problem.code), (Kind::Conflict, "already-there"));
    let swallowed = temp
        .store
        .write(tenant(), officer(), |tx| async move {
            insert(&tx, "two").await?;
            assert!(insert(&tx, "one").await.is_err());
            assert!(
                insert(&tx, "three").await.is_err(),
                "nothing goes on after a failed statement"
            );
            Ok(())
        })
        .await;
    assert_eq!(swallowed.expect_err("told all the same").code, "already-there");
    assert_eq!(codes(&temp.store).await, ["one"]);
}

#[tokio::test]
async fn a_handle_is_of_no_use_after_its_write_and_a_write_holds_no_other() {
    let temp = testkit::store(&[THINGS]).await;
    let kept = temp
        .store
        .write(tenant(), officer(), |tx| async move { Ok(tx) })
        .await
        .expect("a handle");
    assert_eq!(
        insert(&kept, "late").await.expect_err("too late").kind,
        Kind::Internal
    );
    let (store, inside) = (temp.store.clone(), temp.store.clone());
    let nested = store
        .write(tenant(), officer(), |_| {
            let inside = inside.clone();
            async move { add(&inside, "inside").await }
        })
        .await;
    assert_eq!(nested.expect_err("it would wait for itself").kind, Kind::Internal);
    assert!(codes(&temp.store).await.is_empty());
}

#[tokio::test]
async fn a_write_belongs_to_one_tenant() {
    let temp = testkit::store(&[THINGS]).await;
    let other: OrgCode = "G22".parse().expect("a code");
    for tenant in [tenant(), &other] {
        let number = temp.store.write(tenant, &Actor::Platform, |tx| async move {
            insert(&tx, "same").await?;
            tx.set_position("follower", 7).await?;
            tx.next_number("series").await
        });
        assert_eq!(number.await.expect("written"), 1, "each tenant counts for itself");
    }
    let reader = temp.store.read(&other).await.expect("a reader");
    assert_eq!(reader.tenant(), &other);
    let sql = "select count(*) as n from things_thing where tenant = $1";
    let row = reader
        .one(sql, params![reader.tenant()])
        .await
        .expect("an answer")
        .expect("a row");
    assert_eq!(row.int("n").expect("a count"), 1);
    let (mine, theirs) = (
        temp.store.digest(tenant(), "001096012345"),
        temp.store.digest(&other, "001096012345"),
    );
    assert_ne!(mine, theirs, "a personal key has another digest for each tenant");
    assert_eq!(mine, temp.store.digest(tenant(), "001096012345"));
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_loses_none_that_was_told() {
    let temp = testkit::store(&[THINGS]).await;
    add(&temp.store, "before").await.expect("written");
    let refused = match temp.store.engine() {
        Engine::Sqlite => fill_pages(&temp.store).await,
        // The server's own word for it: its disk cannot be filled from here.
        Engine::Postgres => {
            let sql = "do $$ begin raise exception 'no space left on device' using errcode = '53100'; end $$";
            temp.store
                .write(
                    tenant(),
                    officer(),
                    |tx| async move { tx.exec(sql, params![]).await },
                )
                .await
                .map(drop)
        }
    };
    let problem = refused.expect_err("there is no room");
    assert_eq!((problem.kind, problem.code), (Kind::Full, "no-room"));
    assert_eq!(codes(&temp.store).await, ["before"]);
    if temp.store.engine() == Engine::Sqlite {
        set_pages(&temp.store, "pragma max_page_count = 1000000").await;
    }
    add(&temp.store, "after").await.expect("there is room again");
    assert_eq!(codes(&temp.store).await, ["after", "before"]);
}

async fn set_pages(store: &Store, pragma: &'static str) {
    let set = store.write(tenant(), officer(), |tx| async move {
        tx.all(pragma, params![]).await.map(drop)
    });
    set.await.expect("the limit is set");
}

async fn fill_pages(store: &Store) -> Result<(), Problem> {
    // SQLite holds itself to what the file has already: the next page is one too many.
    set_pages(store, "pragma max_page_count = 1").await;
    let big = "x".repeat(1 << 20);
    let sql = "insert into things_thing (tenant, code, note) values ($1, $2, $3)";
    let big = &big;
    store
        .write(tenant(), officer(), |tx| async move {
            tx.exec(sql, params![tx.tenant(), "big", big]).await.map(drop)
        })
        .await
}

#[tokio::test]
async fn values_of_every_kind_read_back_and_a_bad_one_is_named() {
    let temp = testkit::store(&[THINGS]).await;
    temp.store
        .write(tenant(), officer(), |tx| async move {
            let sql =
                "insert into things_thing (tenant, code, value, note, data) values ($1, $2, $3, $4, $5)";
            tx.exec(
                sql,
                params![
                    tx.tenant(),
                    "full",
                    i64::MIN,
                    "Nguyễn Thị Đào ' \" \\",
                    vec![0_u8, 255]
                ],
            )
            .await?;
            let none: [Value; 3] = [None::<i64>.into(), None::<String>.into(), None::<Vec<u8>>.into()];
            let [value, note, data] = none;
            tx.exec(sql, params![tx.tenant(), "none", &value, &note, &data])
                .await
        })
        .await
        .expect("written");
    let reader = temp.store.read(tenant()).await.expect("a reader");
    let sql = "select code, value, note, data from things_thing where tenant = $1 order by code";
    let rows = reader.all(sql, params![tenant()]).await.expect("rows");
    let [full, none] = &rows[..] else {
        panic!("two rows")
    };
    assert_eq!(full.int("value").expect("a number"), i64::MIN);
    assert_eq!(full.text("note").expect("a text"), "Nguyễn Thị Đào ' \" \\");
    assert_eq!(full.bytes("data").expect("bytes"), [0, 255]);
    assert_eq!(none.opt_int("value").expect("a null"), None);
    assert_eq!(none.opt_text("note").expect("a null"), None);
    assert_eq!(none.opt_bytes("data").expect("a null"), None);
    let bad = none.int("value").expect_err("a null is no number");
    assert!(bad.cause.expect("a cause").contains("things_thing.value"));
    assert!(full.int("note").is_err(), "a text is no number");
    assert!(full.text("absent").is_err());
}

#[tokio::test]
async fn many_rows_go_in_as_one_text() {
    const BULK: Pair = Pair {
        sqlite: "insert into things_thing (tenant, code, value)
                 select $1, j.value ->> 'code', j.value ->> 'value' from json_each($2) as j where true",
        postgres: "insert into things_thing (tenant, code, value)
                   select $1, j.code, j.value from jsonb_to_recordset($2::text::jsonb) as j(code text, value bigint)",
    };
    let temp = testkit::store(&[THINGS]).await;
    let rows: Vec<String> = (0..5_000)
        .map(|i| format!(r#"{{"code":"{i:05}","value":{i}}}"#))
        .collect();
    let rows = format!("[{}]", rows.join(","));
    let rows = &rows;
    let inserted = temp.store.write(tenant(), officer(), |tx| async move {
        tx.bulk_insert(BULK, rows.clone()).await
    });
    assert_eq!(inserted.await.expect("inserted"), 5_000);
    let reader = temp.store.read(tenant()).await.expect("a reader");
    let sql = "select cast(coalesce(sum(value), 0) as bigint) as total from things_thing where tenant = $1";
    let row = reader
        .one(sql, params![tenant()])
        .await
        .expect("an answer")
        .expect("a row");
    assert_eq!(row.int("total").expect("a sum"), 5_000 * 4_999 / 2);
}

#[tokio::test]
async fn work_that_races_is_run_again_and_sees_what_the_winner_wrote() {
    let temp = testkit::store(&[THINGS]).await;
    let runs = Arc::new(AtomicU32::new(0));
    let mut writes = JoinSet::new();
    for _ in 0..8 {
        let (store, runs) = (temp.store.clone(), Arc::clone(&runs));
        writes.spawn(async move {
            let runs = &runs;
            store
                .write(tenant(), officer(), |tx| async move {
                    runs.fetch_add(1, Ordering::Relaxed);
                    let sql = "select value from things_thing where tenant = $1 and code = 'seat'";
                    if tx.one(sql, params![tx.tenant()]).await?.is_some() {
                        return Err(Problem::stale());
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    insert(&tx, "seat").await
                })
                .await
        });
    }
    let outcomes = writes.join_all().await;
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "one winner"
    );
    let losers: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .collect();
    assert!(
        losers.iter().all(|problem| problem.code == "stale"),
        "the losers see the seat taken: {losers:?}"
    );
    assert!(runs.load(Ordering::Relaxed) >= 8);
}

#[tokio::test]
async fn however_many_writes_race_for_one_number_each_is_written() {
    const WRITES: u64 = 60;
    let temp = testkit::store(&[THINGS]).await;
    let mut writes = JoinSet::new();
    for _ in 0..WRITES {
        let store = temp.store.clone();
        writes.spawn(async move {
            store
                .write(tenant(), officer(), |tx| async move {
                    let sql = "select value from things_thing where tenant = $1 and code = 'seat'";
                    tx.one(sql, params![tx.tenant()]).await?;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    tx.next_number("places").await
                })
                .await
        });
    }
    let drawn: Result<Vec<u64>, Problem> = writes.join_all().await.into_iter().collect();
    let mut drawn = drawn.expect("nobody is turned away");
    drawn.sort_unstable();
    assert_eq!(drawn, (1..=WRITES).collect::<Vec<u64>>(), "without a gap");
}

#[tokio::test]
async fn a_migration_is_applied_once_and_never_changed() {
    const CHANGED: Migrations = Migrations {
        name: "things",
        files: &[("0001_things", "create table things_thing (tenant text)")],
    };
    const MORE: Migrations = Migrations {
        name: "things",
        files: &[
            THINGS.files[0],
            ("0002_more", "alter table things_thing add column more bigint"),
        ],
    };
    const BROKEN: Migrations = Migrations {
        name: "broken",
        files: &[("0001_broken", "create tabel x (y text)")],
    };
    let mut temp = testkit::store(&[THINGS]).await;
    add(&temp.store, "kept").await.expect("written");
    temp.store.close().await;
    temp.reopen().await.expect("nothing to apply");
    temp.store.close().await;
    let world = temp.store.world().clone();
    let changed = Store::open(&temp.config, world.clone(), &[CHANGED]).await;
    assert!(matches!(changed, Err(StoreError::MigrationChanged { file, .. }) if file == "0001_things"));
    let broken = Store::open(&temp.config, world.clone(), &[MORE, BROKEN]).await;
    assert!(matches!(broken, Err(StoreError::MigrationFailed { crate_name, .. }) if crate_name == "broken"));
    let more = Store::open(&temp.config, world, &[MORE])
        .await
        .expect("a step more");
    assert_eq!(codes(&more).await, ["kept"]);
    more.close().await;
    assert_eq!(
        add(&more, "late").await.expect_err("closed").kind,
        Kind::Unavailable
    );
}
