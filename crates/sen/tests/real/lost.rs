//! A machine that is lost: `sen backup` while the node runs, `sen restore`, `sen verify` and `sen doctor`
//! by the node's own configuration.

use serde_json::Value;
use store::Database;

use crate::house::House;

const PASSWORD: &str = "a password of a test";

#[tokio::test]
async fn a_node_that_was_backed_up_while_it_ran_is_restored_by_its_configuration() {
    let house = House::new("lost");
    let node = house.node("province-56", "H56", "desk", "");
    node.officer("hotich", PASSWORD).well();
    let mut running = node.start();
    node.ready(&mut running).await;
    let backup = house.folder.join("node.backup").display().to_string();
    let taken = node.sen(&["backup", "--to", &backup, "--json"], "").well();
    let taken: Value = serde_json::from_str(&taken).expect("JSON");
    assert!(taken["nodes"][0]["facts"].as_u64().is_some(), "{taken}");
    let found = node.sen(&["doctor", "--json"], "");
    let found: Value = serde_json::from_str(&found.out).expect("JSON");
    let found = found["findings"].as_array().expect("a list");
    // The machine's disk is not this test's matter.
    let other: Vec<_> = found.iter().filter(|f| f["check"] != "disk").collect();
    assert!(other.is_empty(), "a node that runs is well: {other:?}");
    running.stop();

    // The machine is lost, with its rows wherever they were.
    node.forget().await;
    std::fs::remove_dir_all(&node.data).expect("the disk is gone");
    let data = node.data.display().to_string();
    node.sen(&["restore", &backup, "--data", &data], "").well();
    let again = node.sen(&["restore", &backup, "--data", &data], "");
    assert!(again.code != 0 && again.said.contains("not empty"), "{again:?}");
    if let Database::Postgres { .. } = node.database() {
        let elsewhere = house.folder.join("elsewhere").display().to_string();
        let again = node.sen(&["restore", &backup, "--data", &elsewhere], "");
        assert!(again.code != 0 && again.said.contains("has tables"), "{again:?}");
    }
    let root = house.root().display().to_string();
    let verdict = node.sen(&["verify", &data, "--trust", &root], "").well();
    assert!(verdict.starts_with("TOTAL-PASSED"), "{verdict}");
    let known = node.officer("hotich", PASSWORD);
    assert!(known.said.contains("taken"), "the account is there: {known:?}");
    let mut running = node.start();
    node.ready(&mut running).await;
    running.stop();
    node.forget().await;
}
