//! Signed checkpoints of the evidence log and the proofs between them, as somebody outside checks them with
//! nothing but what he kept and what he is given.

use exchange::STREAM;
use kernel::Digest;
use seal::certificate::Certificate;
use seal::jws::{self, PublicKey};
use seal::merkle::verify_consistency;
use serde_json::Value;
use store::log::checkpoint::{Checkpoint, TYP};

use crate::nation::Nation;
use crate::operator::desk_at;
use crate::timestamps::authority;

/// What somebody outside reads of a checkpoint: its signature is checked by the certificate beside it.
fn signed(told: &Value) -> Checkpoint {
    let pem = told["certificate"].as_str().expect("a certificate");
    let certificate = Certificate::from_pem(pem).expect("a certificate");
    let key = PublicKey::from_certificate(&certificate).expect("a key");
    let token = told["token"].as_str().expect("a token");
    let said = jws::verify(token, TYP, |_| Some(key.clone())).expect("the node's own");
    let said: Checkpoint = serde_json::from_slice(&said.into_inner()).expect("a checkpoint");
    assert_eq!(told["size"], said.size);
    assert_eq!(told["root"], said.root.hex());
    said
}

fn digest(value: &Value) -> Digest {
    Digest::parse(value.as_str().expect("hex")).expect("a digest")
}

fn path(proof: &Value) -> Vec<Digest> {
    proof["path"]
        .as_array()
        .expect("a path")
        .iter()
        .map(digest)
        .collect()
}

/// A ministry whose first three records are stamped, then two more, then all.
async fn stamped() -> (Nation, crate::timestamps::Authority) {
    let mut nation = Nation::new().await;
    let tsa = authority(&mut nation).await;
    for calls in [3, 2] {
        for _ in 0..calls {
            nation.ask("{}").await.expect("an answer");
        }
        nation.ministry.exchange.stamp_now().await.expect("stamped");
    }
    (nation, tsa)
}

#[tokio::test]
async fn who_kept_a_checkpoint_proves_that_nothing_was_rewritten_since() {
    let (nation, _tsa) = stamped().await;
    let desk = desk_at(&nation.ministry).await;
    let newest = signed(&desk.get("checkpoints").await);
    let old = signed(&desk.get("checkpoints?size=2").await);
    assert_eq!((old.size, newest.size, old.stream.as_str()), (3, 5, STREAM));
    nation.ask("{}").await.expect("an answer");
    let proof = desk.get("checkpoints/consistency?from=3").await;
    assert_eq!(
        (&proof["to"], digest(&proof["to_root"])),
        (&5.into(), newest.root)
    );
    assert!(
        proof["checkpoint"].is_string(),
        "the later root is signed: {proof}"
    );
    let steps = path(&proof);
    assert!(verify_consistency(3, 5, &old.root, &newest.root, &steps));
    let all = desk.get("checkpoints/consistency?from=3&to=6").await;
    assert!(all["checkpoint"].is_null(), "nobody signed six records yet");
    assert!(verify_consistency(
        3,
        6,
        &old.root,
        &digest(&all["to_root"]),
        &path(&all)
    ));
    let same = desk.get("checkpoints/consistency?from=5&to=5").await;
    assert_eq!(
        (path(&same), digest(&same["from_root"])),
        (Vec::new(), newest.root)
    );
    let listed = desk.get("exchanges").await;
    let first = listed.as_array().expect("a list").last().expect("one");
    let first = first["request"].as_str().expect("an id");
    let inclusion = desk.get(&format!("exchanges/{first}/proof")).await;
    assert_eq!(inclusion["size"], 3);
    assert_eq!(
        digest(&inclusion["root"]),
        old.root,
        "the root of a signed checkpoint"
    );
}

#[tokio::test]
async fn a_log_that_was_rewritten_has_no_proof_from_an_old_checkpoint() {
    let (nation, _tsa) = stamped().await;
    let node = &nation.ministry;
    let old = signed(&desk_at(node).await.get("checkpoints?size=3").await);
    // Somebody wrote the log again, with one record changed and everything else as it was.
    let records = node.temp.store.log(STREAM).await.expect("the log");
    let mut records: Vec<Vec<u8>> = records
        .read(0, 10)
        .await
        .expect("read")
        .into_iter()
        .map(|(_, bytes)| bytes)
        .collect();
    let last = records[1].len() - 1;
    records[1][last] ^= 1;
    let forged = node.temp.store.log("evidence-1").await.expect("a log");
    forged.append(records).await.expect("written");
    let root = forged.root(5).await.expect("a root");
    let steps = forged.consistency(3, 5).await.expect("a proof");
    let forged_root = forged.root(3).await.expect("a root");
    assert!(
        verify_consistency(3, 5, &forged_root, &root, &steps),
        "whole in itself"
    );
    assert!(
        !verify_consistency(3, 5, &old.root, &root, &steps),
        "but not what was signed"
    );
}

#[tokio::test]
async fn checkpoints_are_an_operators_and_a_length_that_is_none_is_told_at_its_parameter() {
    let nation = Nation::new().await;
    nation.ask("{}").await.expect("an answer");
    let desk = desk_at(&nation.ministry).await;
    for path in ["checkpoints", "checkpoints/consistency?from=1"] {
        assert_eq!(desk.send("GET", path, None, "").await.0, 401, "{path}");
        for role in ["citizen", "officer", "chairman"] {
            assert_eq!(desk.send("GET", path, Some(role), "").await.0, 403, "{path}");
        }
    }
    for path in ["checkpoints", "checkpoints?size=1"] {
        let (status, told) = desk.told("G01", path).await;
        assert_eq!(
            (status, &told["type"]),
            (404, &"/problems/checkpoint-missing".into()),
            "{path}"
        );
    }
    for (path, field) in [
        ("checkpoints?size=x", "size"),
        ("checkpoints/consistency?from=0", "from"),
        ("checkpoints/consistency?from=x", "from"),
        ("checkpoints/consistency?from=2", "from"),
        ("checkpoints/consistency?from=1&to=2", "to"),
        ("checkpoints/consistency?from=1&to=0", "from"),
    ] {
        let (status, told) = desk.told("G01", path).await;
        assert_eq!((status, &told["field"]), (422, &field.into()), "{path}");
    }
    let only = desk.get("checkpoints/consistency?from=1").await;
    assert_eq!((&only["to"], &only["checkpoint"]), (&1.into(), &Value::Null));
}
