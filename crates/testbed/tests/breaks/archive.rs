//! Old evidence written into archives, linked to one another, checked and proved from them alone; whatever is
//! altered, taken away or put in another order is found.

use std::fs;
use std::path::{Path, PathBuf};

use kernel::World;
use serde_json::Value;
use testbed::birth;
use testbed::ground;
use testbed::people::Person;
use testbed::program::{Ended, call};

async fn sen(dir: &Path, words: &[&str]) -> Ended {
    call(words, dir).await.expect("it ends")
}

async fn verdict(dir: &Path, path: &str, trust: &[&str]) -> (Option<i32>, Value) {
    let ended = sen(dir, &[&["verify", path, "--json"], trust].concat()).await;
    (ended.code, serde_json::from_str(&ended.said).expect("JSON"))
}

const TRUST: [&str; 2] = ["--trust", "data/ca.pem"];

/// The archives of the national node after one more run of the command.
async fn archived(dir: &Path) -> Vec<PathBuf> {
    let words = [
        "evidence", "archive", "--data", "data", "--node", "national", "--out", "archive", "--days", "0",
    ];
    let ended = sen(dir, &words).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    sen::evidence::archive::listed(&dir.join("archive")).expect("a folder")
}

async fn more_than(dir: &Path, count: usize) -> Vec<PathBuf> {
    let more = ground::until("an archive more", async || {
        let all = archived(dir).await;
        Ok((all.len() > count).then_some(all))
    });
    more.await.expect("archived")
}

#[test]
fn old_exchanges_live_on_in_linked_archives_that_prove_them_without_the_node() {
    ground::run(async {
        let world = World::of_this_machine();
        let dir = ground::folder("archive", &world).expect("a folder");
        let program = ground::program().expect("the program");
        let nation = sen::story::nation::Nation::start_in(&program, dir.join("data"), None, None, &world)
            .await
            .expect("a nation");
        let site = testbed::site::Site::of(nation.data.clone(), nation.port).expect("a site");
        let mut mother = Person::mother(&site).await.expect("signed in");
        let draft = birth::start(&mut mother).await.expect("a draft");
        birth::prefill(&mut mother, &draft).await.expect("an exchange");
        let one = more_than(&dir, 0).await;
        birth::prefill(&mut mother, &draft).await.expect("an exchange");
        let all = more_than(&dir, one.len()).await;
        assert_eq!(all[..one.len()], one[..], "what is written stays as it is");
        let search = [
            "evidence", "search", "--data", "data", "--node", "national", "--json",
        ];
        let found: Value = serde_json::from_str(&sen(&dir, &search).await.said).expect("JSON");
        let found = found[0]["exchanges"].as_array().expect("a list").clone();
        nation.stop().await;
        let ca = fs::read(dir.join("data/ca.pem")).expect("a root");
        // From here on there is no node, no database and no log.
        fs::remove_dir_all(dir.join("data")).expect("gone");
        fs::create_dir(dir.join("data")).expect("a folder");
        fs::write(dir.join("data/ca.pem"), ca).expect("written");
        let (code, told) = verdict(&dir, "archive", &TRUST).await;
        assert_eq!(
            (code, &told["verdict"]),
            (Some(0), &"TOTAL-PASSED".into()),
            "{told}"
        );
        assert_eq!(
            verdict(&dir, "archive", &[]).await.0,
            Some(2),
            "nothing is trusted by itself"
        );
        let first = all[0]
            .strip_prefix(&dir)
            .expect("inside")
            .to_str()
            .expect("text")
            .to_owned();
        assert_eq!(verdict(&dir, &first, &TRUST).await.0, Some(0));
        // The oldest exchange, out of the first archive.
        let oldest = found.last().expect("one")["request"]
            .as_str()
            .expect("an id")
            .to_owned();
        let words = ["evidence", "export", "--archive", &first, "--request", &oldest];
        let ended = sen(&dir, &words).await;
        assert_eq!(ended.code, Some(0), "{}", ended.said);
        for part in ["request", "answer"] {
            let (code, told) = verdict(&dir, &format!("{oldest}-{part}.asice"), &TRUST).await;
            assert_eq!(
                (code, &told["verdict"]),
                (Some(0), &"TOTAL-PASSED".into()),
                "{told}"
            );
        }
        let words = ["evidence", "export", "--archive", &first, "--request", "0"];
        let none = sen(&dir, &words).await;
        assert!(
            none.code == Some(1) && none.said.contains("no such exchange"),
            "{none:?}"
        );
        altered(&dir, &all).await;
        fs::remove_dir_all(&dir).ok();
    });
}

async fn altered(dir: &Path, all: &[PathBuf]) {
    let whole: Vec<Vec<u8>> = all
        .iter()
        .map(|file| fs::read(file).expect("an archive"))
        .collect();
    let fails = async |what: &str| {
        let (code, told) = verdict(dir, "archive", &TRUST).await;
        assert_eq!(code, Some(1), "{what}: {told}");
        told["first_bad"].as_str().unwrap_or_default().to_owned()
    };
    let name = |file: &Path| file.file_name().expect("a name").to_string_lossy().into_owned();
    // Bytes all over the first one.
    for part in 1..40 {
        let mut bytes = whole[0].clone();
        let at = bytes.len() * part / 40;
        bytes[at] ^= 1 << (part % 8);
        fs::write(&all[0], bytes).expect("written");
        let named = fails(&format!("byte {at}")).await;
        // A byte that says nothing of what is in it is found by the digest that the next one names.
        let told = [&all[0], &all[1]]
            .iter()
            .any(|file| named.starts_with(&name(file)));
        assert!(told, "byte {at}: {named}");
    }
    fs::write(&all[0], &whole[0]).expect("written");
    // The first taken away, and the order turned around.
    fs::remove_file(&all[0]).expect("taken away");
    assert_eq!(fails("the first is missing").await, name(&all[1]));
    fs::write(&all[0], &whole[1]).expect("written");
    fs::write(&all[1], &whole[0]).expect("written");
    fails("another order").await;
    fs::write(&all[0], &whole[0]).expect("written");
    fs::write(&all[1], &whole[1]).expect("written");
    assert_eq!(verdict(dir, "archive", &TRUST).await.0, Some(0));
}
