//! The store's suite, one binary: runs on SQLite, or on the PostgreSQL server of the environment's
//! `SEN_TEST_POSTGRES`. Never uses anything of the store that is not public.

mod backup;
mod blobs;
mod bodies;
mod budget;
mod facts;
mod flips;
mod leaving;
mod logs;
mod outbox;
mod writes;

use std::sync::LazyLock;

use kernel::{Actor, OrgCode};
use store::{Migrations, Store, params};

/// A table to try things on.
const THINGS: Migrations = Migrations {
    name: "things",
    files: &[(
        "0001_things",
        "create table things_thing (
           tenant text not null, code text not null, value bigint, note text, data bytea,
           primary key (tenant, code));",
    )],
};

fn tenant() -> &'static OrgCode {
    static TENANT: LazyLock<OrgCode> = LazyLock::new(|| "H56".parse().expect("an organisation's code"));
    &TENANT
}

fn officer() -> &'static Actor {
    static OFFICER: LazyLock<Actor> = LazyLock::new(|| Actor::Official("a1".to_owned()));
    &OFFICER
}

/// The codes in the table, in order.
async fn codes(store: &Store) -> Vec<String> {
    let reader = store.read(tenant()).await.expect("a reader");
    let rows = reader
        .all(
            "select code from things_thing where tenant = $1 order by code",
            params![tenant()],
        )
        .await;
    rows.expect("rows")
        .iter()
        .map(|row| row.text("code").expect("a code"))
        .collect()
}

/// One row by one write.
async fn add(store: &Store, code: &str) -> Result<(), kernel::Problem> {
    store
        .write(tenant(), officer(), |tx| async move { insert(&tx, code).await })
        .await
}

async fn insert(tx: &store::Tx, code: &str) -> Result<(), kernel::Problem> {
    let sql = "insert into things_thing (tenant, code, value) values ($1, $2, $3)";
    tx.exec(sql, params![tx.tenant(), code, 1]).await.map(drop)
}
