//! How many writes a second the store takes from sixty-four writers, a row and a fact each, and
//! what one writer alone gets. `cargo bench -p store --bench writes`; with `SEN_TEST_POSTGRES` set
//! it measures that server. Never part of a test run: a figure is no pass or fail.

use std::time::{Duration, Instant};

use kernel::{Actor, Fact, OrgCode, Problem, World};
use store::{Migrations, Store, StoreConfig, params};
use tokio::task::JoinSet;

const ROWS: Migrations = Migrations {
    name: "bench",
    files: &[(
        "0001_bench",
        "create table bench_row (tenant text not null, code text not null, note text not null, primary key (tenant, code));",
    )],
};
const SPAN: Duration = Duration::from_secs(5);

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures the machine's own time"
)]
fn now() -> Instant {
    Instant::now()
}

async fn one_write(store: &Store, tenant: &OrgCode, code: &str) -> Result<(), Problem> {
    let actor = Actor::Official("a1".to_owned());
    let work = |tx: store::Tx| async move {
        let sql = "insert into bench_row (tenant, code, note) values ($1, $2, $3)";
        tx.exec(sql, params![tx.tenant(), code, "một dòng ghi chú"])
            .await?;
        tx.fact(
            &format!("row/{code}"),
            Fact::SignedOut {
                account: code.to_owned(),
            },
        )
        .await?;
        Ok(())
    };
    store.write(tenant, &actor, work).await
}

async fn measure(store: &Store, writers: usize) {
    let tenant: OrgCode = "H56".parse().expect("a code");
    let (commits, begun) = (store.commits(), now());
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let (store, tenant) = (store.clone(), tenant.clone());
        tasks.spawn(async move {
            let mut waits = Vec::new();
            while begun.elapsed() < SPAN {
                let from = now();
                let code = format!("{writers}-{writer}-{}", waits.len());
                one_write(&store, &tenant, &code).await.expect("written");
                waits.push(from.elapsed());
            }
            waits
        });
    }
    let mut waits: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let seconds = begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    let (middle, late) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    println!(
        "{writers} writers: {:.0} writes/s, {:.0} commits/s, p50 {middle:?}, p99 {late:?}",
        waits.len() as f64 / seconds,
        (store.commits() - commits) as f64 / seconds,
    );
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let temp = testkit::store(&[]).await;
        temp.store.close().await;
        let config = StoreConfig {
            node: "bench".to_owned(),
            ..temp.config.clone()
        };
        let store = Store::open(&config, World::of_this_machine(), &[ROWS])
            .await
            .expect("opened");
        for writers in [1, 64] {
            measure(&store, writers).await;
        }
        let from = now();
        let sealed = store.seal_facts_now().await.expect("sealed");
        println!("{sealed} facts sealed; {:?} after the last write", from.elapsed());
        store.close().await;
    });
}
