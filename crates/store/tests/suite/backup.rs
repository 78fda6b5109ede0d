//! Rows taken away and brought back: all of them, or none.

use kernel::World;
use store::{Database, StoreConfig, backup};

use crate::{THINGS, add, codes};

#[tokio::test]
async fn rows_that_are_refused_leave_nothing_and_whole_ones_come_back() {
    let temp = testkit::store(&[THINGS]).await;
    for code in ["a", "b"] {
        add(&temp.store, code).await.expect("added");
    }
    let taken = testkit::TempDir::new();
    let rows = backup::rows(&temp.config.database, taken.path())
        .await
        .expect("taken");
    let new = testkit::TempDir::new();
    let world = World::of_this_machine();
    let database = match &temp.config.database {
        // An embedded database is one file: it is there or it is not.
        Database::Sqlite(_) => {
            let file = new.path().join("sen.db");
            std::fs::copy(taken.path().join("sen.db"), &file).expect("copied");
            Database::Sqlite(file)
        }
        Database::Postgres { url, .. } => {
            let new = Database::Postgres {
                url: url.clone(),
                schema: format!("t_{}", world.id()),
            };
            let load = || backup::load(&new, taken.path(), &[THINGS], &rows.steps, world.now());
            let file = taken.path().join("things_thing.copy");
            let whole = std::fs::read(&file).expect("a file");
            std::fs::write(&file, &whole[..whole.len() - 3]).expect("cut short");
            load().await.expect_err("half a table is refused");
            std::fs::write(&file, whole).expect("whole again");
            load().await.expect("nothing stood in the way");
            let again = load().await.expect_err("there are rows now");
            assert!(again.to_string().contains("has tables"), "{again}");
            backup::unload(&new).await.expect("taken away");
            load().await.expect("it is empty again");
            new
        }
    };
    let config = StoreConfig {
        database: database.clone(),
        folder: new.path().to_owned(),
        ..temp.config.clone()
    };
    let restored = store::Store::open(&config, temp.store.world().clone(), &[THINGS]).await;
    let restored = restored.expect("it opens");
    assert_eq!(codes(&restored).await, ["a", "b"]);
    restored.close().await;
    if let Database::Postgres { .. } = database {
        database.destroy().await.expect("the schema goes");
    }
}
