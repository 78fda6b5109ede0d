//! `sen apply` against a node that runs: shown, done, and a second time nothing; as an operator and with an API
//! key; and the example of the documentation is one that a node reads.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use sen::story::http::Browser;
use serde_json::json;

use crate::house::{Done, House, Node};

const PASSWORD: &str = "a password of a test";

const FILE: &str = r#"
[[system]]
system = "H56/records"
name = "Hồ sơ"

[[service]]
service = "H56/records/persons"
url = "http://127.0.0.1:9"
disabled = "Nâng cấp"
sunset = "2099-06-01"

[[service]]
service = "H56/one-stop/receive-case"
disabled = "Nâng cấp"
"#;

/// Runs `sen apply` of a file, something on standard input.
fn apply(node: &Node, file: &Path, more: &[&str], input: &str) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sen"))
        .arg("apply")
        .arg(file)
        .args(["--url", &node.url("")])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut standard = child.stdin.take().expect("its input");
    std::io::Write::write_all(&mut standard, input.as_bytes()).ok();
    drop(standard);
    let done = child.wait_with_output().expect("it ends");
    Done {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        said: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

/// The file that the documentation shows, with the certificates that it names beside it.
fn of_the_documentation(house: &House) -> std::path::PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/federation.example.toml");
    let example = fs::read_to_string(file).expect("the example");
    let root = fs::read(house.root()).expect("a certificate");
    for line in example.lines().filter(|line| line.contains("_file = ")) {
        let name = line.split('"').nth(1).expect("a name");
        fs::write(house.folder.join(name), &root).expect("written");
    }
    let file = house.folder.join("example.toml");
    fs::write(&file, example).expect("written");
    file
}

#[tokio::test]
async fn a_file_is_shown_done_and_done_no_more_as_an_operator_and_with_an_api_key() {
    let house = House::new("apply");
    let node = house.node("province-56", "H56", "desk", "");
    let operator = ["account", "add", "--role", "operator", "--user", "vanhanh"];
    node.sen(&operator, &format!("{PASSWORD}\n")).well();
    let mut running = node.start();
    node.ready(&mut running).await;
    let file = house.folder.join("federation.toml");
    fs::write(&file, FILE).expect("written");
    let as_operator = |more: &[&str]| {
        let all = [&["--user", "vanhanh"][..], more].concat();
        apply(&node, &file, &all, &format!("{PASSWORD}\n"))
    };
    let shown = as_operator(&[]).well();
    assert!(
        shown.contains("+ system H56/records") && shown.contains("nothing was changed"),
        "{shown}"
    );
    let done = as_operator(&["--yes"]).well();
    assert!(done.contains("3 done, 0 with a problem"), "{done}");
    assert!(
        done.contains("~ service H56/one-stop/receive-case\n    disabled:  -> Nâng cấp"),
        "{done}"
    );
    let again = as_operator(&["--yes"]).well();
    assert!(
        again.contains("0 done, 0 with a problem") && again.contains("= system"),
        "{again}"
    );
    let wrong = apply(&node, &file, &["--user", "vanhanh"], "not this one\n");
    assert!(
        wrong.code != 0 && wrong.said.contains("does not know this operator"),
        "{wrong:?}"
    );

    let mut browser = Browser::default();
    let words = json!({"user": "vanhanh", "password": PASSWORD});
    let signed_in = browser.post_json(&node.url("/api/v1/sign-in"), &words).await;
    signed_in.expect("signed in");
    let expires = house.world.now().plus_ms(86_400_000).ms();
    let wanted = json!({"name": "apply", "roles": ["operator"], "expires": expires});
    let made = browser
        .post_json(&node.url("/api/v1/keys"), &wanted)
        .await
        .expect("made");
    let key = house.folder.join("vanhanh.key");
    fs::write(&key, format!("{}\n", made["secret"].as_str().expect("a key"))).expect("written");
    let enabled = FILE.replace("disabled = \"Nâng cấp\"", "disabled = \"\"");
    fs::write(&file, enabled).expect("written");
    let key = key.display().to_string();
    let with_key = ["--key-file", key.as_str(), "--yes"];
    let done = apply(&node, &file, &with_key, "").well();
    assert!(done.contains("2 done, 0 with a problem"), "{done}");
    let again = apply(&node, &file, &with_key, "").well();
    assert!(again.contains("0 done, 0 with a problem"), "{again}");
    fs::write(&key, "no-such-key\n").expect("written");
    let refused = apply(&node, &file, &with_key, "");
    assert!(refused.code != 0, "{refused:?}");

    let example = of_the_documentation(&house);
    let shown = apply(&node, &example, &["--user", "vanhanh"], &format!("{PASSWORD}\n"));
    assert!(
        shown.out.contains("nothing was changed"),
        "every field of it is known: {shown:?}"
    );
    for what in [
        "trust",
        "member",
        "system",
        "global-group",
        "local-group",
        "service",
        "client",
        "connection",
        "delegation",
        "group-offer",
        "request",
        "accept",
        "maintenance",
    ] {
        assert!(shown.out.contains(&format!(" {what} ")), "{what}: {shown:?}");
    }
    running.stop();
    node.forget().await;
}
