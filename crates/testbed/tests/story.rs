//! The platform's first story, lived by the program itself: three processes, one of them killed on
//! the way, every step proved. On PostgreSQL when `SEN_TEST_POSTGRES` names a server.

use std::process::Stdio;

use kernel::World;
use serde_json::Value;
use testbed::ground;
use tokio::process::Command;

/// Lives the story and gives its lines, its exit code and what it left.
async fn lived() -> (Vec<Value>, Option<i32>, std::path::PathBuf) {
    let world = World::of_this_machine();
    let keep = ground::folder("story", &world).expect("a folder");
    let mut command = Command::new(ground::program().expect("the program"));
    command
        .args(["story", "--json", "--keep"])
        .arg(&keep)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    match std::env::var("SEN_TEST_POSTGRES") {
        Ok(url) => command.env("SEN_DATABASE", url),
        Err(_) => command.env_remove("SEN_DATABASE"),
    };
    let done = command.output().await.expect("the story ends");
    let lines = String::from_utf8(done.stdout).expect("text");
    let steps = lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("one object a line"))
        .collect();
    eprintln!("{}", String::from_utf8_lossy(&done.stderr));
    (steps, done.status.code(), keep)
}

#[test]
fn a_birth_is_registered_through_three_nodes() {
    ground::run(async {
        let (steps, code, keep) = lived().await;
        for step in &steps {
            assert_eq!(step["ok"], true, "step {}: {step:#}", step["step"]);
        }
        assert_eq!(steps.len(), 11, "{steps:#?}");
        assert_eq!(code, Some(0));
        let proof = |step: usize| &steps[step - 1]["proof"];
        let numbers: Vec<u64> = steps.iter().filter_map(|s| s["step"].as_u64()).collect();
        assert_eq!(numbers, (1..=11).collect::<Vec<u64>>());
        assert_eq!(
            (&proof(1)["pkce"], &proof(1)["level"]),
            (&"S256".into(), &2.into())
        );
        assert!(
            proof(2)["rank"].as_u64().is_some_and(|r| r <= 3),
            "1.001193 stands among the first three"
        );
        for side in ["evidence_national", "evidence_ministry"] {
            assert!(
                proof(3)[side].as_array().is_some_and(|e| e.len() >= 2),
                "{side}: {}",
                proof(3)
            );
        }
        assert_eq!(proof(4)["at_h56"], 1, "the province has the case once");
        assert_eq!(proof(5)["national_killed"], true);
        assert_eq!(proof(5)["statuses_at_portal"], serde_json::json!([1, 2]));
        assert!(proof(6)["working_out"].as_array().is_some_and(|l| !l.is_empty()));
        assert!(proof(6)["act_number"].as_str().is_some_and(|n| n.contains('/')));
        assert_eq!(
            proof(7)["signers"].as_array().map(Vec::len),
            Some(2),
            "who decided, and the agency"
        );
        let statuses = proof(7)["statuses"].as_array().expect("statuses");
        assert_eq!(statuses.iter().filter(|s| **s == 10).count(), 1, "returned once");
        assert!(
            proof(7)["bytes"].as_u64().is_some_and(|b| b < 102_400),
            "the certificate stays small"
        );
        assert_eq!(proof(8)["whole"]["verdict"], "TOTAL-PASSED");
        assert_eq!(proof(8)["altered"]["verdict"], "TOTAL-FAILED");
        assert_eq!(proof(8)["without_trust"], "INDETERMINATE");
        assert!(proof(9)["reads"].as_u64().is_some_and(|r| r >= 1));
        assert_eq!(proof(10)["rebuild_equal"], true);
        for node in ["national", "ministry", "province"] {
            assert_eq!(proof(11)["nodes"][node], "TOTAL-PASSED");
        }
        outside_tools_were_used(&steps);
        for file in [
            "certificate.pdf",
            "receipt.pdf",
            "exchange.asice",
            "ca.pem",
            "tsa.pem",
        ] {
            assert!(
                keep.join(file).metadata().is_ok_and(|m| m.len() > 0),
                "{file} is left for the reader"
            );
        }
        std::fs::remove_dir_all(keep).expect("the folder goes");
    });
}

/// A check by a program that is not installed is no check.
fn outside_tools_were_used(steps: &[Value]) {
    for (step, tool) in [
        (7, "pdfsig"),
        (7, "openssl_cms"),
        (11, "xmlsec1"),
        (11, "openssl_ts"),
    ] {
        let said = steps[step - 1]["proof"][tool].as_str().unwrap_or_default();
        assert!(
            !said.is_empty() && said != "not installed",
            "step {step}: {tool} says {said:?}"
        );
    }
}
