//! Evidence found and taken away by the program beside a nation that runs and after it has stopped; what
//! was taken away and then altered fails. And an output that nobody reads any more.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use kernel::World;
use serde_json::Value;
use testbed::birth;
use testbed::ground;
use testbed::people::Person;
use testbed::program::{Ended, call};

async fn sen(dir: &Path, words: &[&str]) -> Ended {
    call(words, dir).await.expect("it ends")
}

/// The exchanges that a search of a node finds.
async fn search(dir: &Path, more: &[&str]) -> Vec<Value> {
    let words = [
        "evidence", "search", "--data", "data", "--node", "national", "--json",
    ];
    let ended = sen(dir, &[&words[..], more].concat()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    let found: Value = serde_json::from_str(&ended.said).expect("JSON");
    found[0]["exchanges"].as_array().expect("a list").clone()
}

async fn verdict(dir: &Path, path: &str, trusted: bool) -> (Option<i32>, Value) {
    let trust: &[&str] = if trusted { &["--trust", "data/ca.pem"] } else { &[] };
    let ended = sen(dir, &[&["verify", path, "--json"], trust].concat()).await;
    (ended.code, serde_json::from_str(&ended.said).expect("JSON"))
}

#[test]
fn evidence_is_found_taken_away_and_checked_beside_a_nation_and_altered_it_fails() {
    ground::run(async {
        let world = World::of_this_machine();
        let dir = ground::folder("evidence", &world).expect("a folder");
        let program = ground::program().expect("the program");
        let nation = sen::story::nation::Nation::start_in(&program, dir.join("data"), None, None, &world)
            .await
            .expect("a nation");
        let site = testbed::site::Site::of(nation.data.clone(), nation.port).expect("a site");
        let mut mother = Person::mother(&site).await.expect("signed in");
        let draft = birth::start(&mut mother).await.expect("a draft");
        birth::prefill(&mut mother, &draft).await.expect("an exchange");
        let found = ground::until("the index has it", async || {
            let found = search(&dir, &[]).await;
            Ok((!found.is_empty()).then_some(found))
        });
        let found = found.await.expect("found");
        let request = found[0]["request"].as_str().expect("an id").to_owned();
        // While it runs: one exchange, its two messages.
        let one = ["evidence", "export", "--data", "data", "--request", &request];
        let ended = sen(&dir, &one).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        for part in ["request", "answer"] {
            let file = format!("{request}-{part}.asice");
            let (code, told) = verdict(&dir, &file, true).await;
            assert_eq!(
                (code, &told["verdict"]),
                (Some(0), &"TOTAL-PASSED".into()),
                "{told}"
            );
            assert_eq!(verdict(&dir, &file, false).await.0, Some(2));
        }
        let again = sen(&dir, &one).await;
        assert!(
            again.code == Some(1) && again.said.contains("is there already"),
            "{again:?}"
        );
        // The facts get their signed root once the evidence has its timestamp.
        let stamped = dir.join("data/national/logs/facts/checkpoints.jws");
        ground::until("a timestamp", async || Ok(stamped.is_file().then_some(())))
            .await
            .expect("a timestamp");
        nation.stop().await;

        // After it has stopped: all of it, in a folder.
        assert!(search(&dir, &[]).await.len() >= found.len());
        assert!(search(&dir, &["--to", "2020-01-01"]).await.is_empty());
        let many = [
            "evidence",
            "export",
            "--data",
            "data",
            "--from",
            "2020-01-01",
            "--out",
            "taken",
        ];
        let ended = sen(&dir, &many).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        let (code, told) = verdict(&dir, "taken", true).await;
        assert_eq!(code, Some(0), "{told}");
        assert_eq!(verdict(&dir, "taken", false).await.0, Some(2));
        altered(&dir).await;
        revoked(&dir).await;
        for (words, told) in [
            (
                &["evidence", "search", "--data", "data", "--from", "31/12/2026"][..],
                "--from",
            ),
            (
                &["evidence", "search", "--data", "data", "--node", "other"],
                "--node other",
            ),
            (
                &["evidence", "export", "--data", "data", "--request", "0"],
                "no such exchange",
            ),
        ] {
            let ended = sen(&dir, words).await;
            assert!(ended.code == Some(1) && ended.said.contains(told), "{ended:?}");
        }
        fs::remove_dir_all(&dir).ok();
    });
}

/// Every way to alter the folder is found, and the file named.
async fn altered(dir: &Path) {
    let list = fs::read_to_string(dir.join("taken/manifest.json")).expect("a list");
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let name = list["files"][0]["file"].as_str().expect("a name").to_owned();
    let file = dir.join("taken").join(&name);
    let whole = fs::read(&file).expect("a container");
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).expect("written");
    let (code, told) = verdict(dir, "taken", true).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told["first_bad"]
            .as_str()
            .is_some_and(|bad| bad.starts_with(&name)),
        "{told}"
    );
    fs::remove_file(&file).expect("removed");
    assert_eq!(verdict(dir, "taken", true).await.0, Some(1));
    fs::write(&file, &whole).expect("written");
    let stranger = dir.join("taken/stranger.asice");
    fs::write(&stranger, &whole).expect("written");
    let (code, told) = verdict(dir, "taken", true).await;
    assert_eq!((code, &told["first_bad"]), (Some(1), &"stranger.asice".into()));
    fs::remove_file(&stranger).expect("removed");
    assert_eq!(verdict(dir, "taken", true).await.0, Some(0));
}

/// The signed directory of the time stands beside the containers; what it says counts, and it is the hub's.
async fn revoked(dir: &Path) {
    let text = |name: &str| fs::read_to_string(dir.join(name)).expect("a file");
    let list = text("taken/manifest.json");
    let manifest: Value = serde_json::from_str(&list).expect("JSON");
    let files = manifest["files"].as_array().expect("a list");
    let entry = files.iter().find(|entry| entry["directory"].is_string());
    let entry = entry.expect("one has its timestamp");
    let digest = entry["directory"].as_str().expect("text").to_owned();
    let file = dir.join(format!("taken/directories/{digest}.jws"));
    let token = fs::read_to_string(&file).expect("the directory");
    let hub = seal::key::Identity::from_pem(
        &text("data/national/keys/seals/G22.key"),
        &text("data/national/keys/seals/G22.pem"),
    )
    .expect("the hub");
    let mut said = directory::snapshot::read(&token, &hub.certificate).expect("the hub's");
    let reads =
        |(code, told): (Option<i32>, Value)| (code, told["reason"].as_str().unwrap_or_default().to_owned());
    fs::write(&file, token.replace('.', "")).expect("written");
    assert_eq!(
        reads(verdict(dir, "taken", true).await),
        (Some(1), "HASH_FAILURE".to_owned())
    );
    fs::write(&file, &token).expect("written");
    // Had the hub said then that a seal of these containers was revoked.
    let org = if entry["part"] == "request" {
        "consumer"
    } else {
        "service"
    };
    let org = entry[org]
        .as_str()
        .expect("text")
        .split('/')
        .next()
        .expect("a code")
        .to_owned();
    let member = said
        .members
        .iter()
        .find(|m| m.org.as_str() == org)
        .expect("a member");
    let seal = seal::certificate::Certificate::from_pem(&member.certificate_pem).expect("a seal");
    said.revoked.push(directory::snapshot::Revoked {
        thumbprint: seal.thumbprint(),
        at: kernel::Time(0),
        reason: "thử".to_owned(),
        source: None,
    });
    let other = said.sign(&hub).expect("signed");
    let named = kernel::Digest::of(other.as_bytes()).hex();
    fs::write(dir.join(format!("taken/directories/{named}.jws")), other).expect("written");
    fs::write(dir.join("taken/manifest.json"), list.replace(&digest, &named)).expect("written");
    assert_eq!(
        reads(verdict(dir, "taken", true).await),
        (Some(2), "REVOKED_NO_POE".to_owned())
    );
    fs::write(dir.join("taken/manifest.json"), list).expect("written");
    assert_eq!(verdict(dir, "taken", true).await.0, Some(0));
}

#[test]
fn an_output_that_nobody_reads_any_more_ends_the_program_without_a_word() {
    let mut child = Command::new(ground::program().expect("the program"))
        .arg("openapi")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    // The description is longer than what a pipe holds.
    drop(child.stdout.take());
    let done = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() == Some(141) && said.is_empty(), "{said}");
}
