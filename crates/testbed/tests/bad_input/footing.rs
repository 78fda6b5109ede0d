//! What the program needs to stand on: a folder, ports, a database, a pack. When one is not right it
//! ends with a message that says which and what to do.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use sen::up::nation::Place;
use sen::up::prepare;
use testbed::ground::{self, run};
use testbed::program::{Ended, call};

use crate::house::world;

/// Calls `sen up` on a folder, with a few people only.
async fn up(data: &Path, port: u16, more: &[&str]) -> Ended {
    let port = port.to_string();
    let data = data.to_str().expect("a name in UTF-8");
    let args = [
        &["up", "--json", "--people", "4", "--port", &port, "--data", data],
        more,
    ]
    .concat();
    call(&args, Path::new(env!("CARGO_MANIFEST_DIR")))
        .await
        .expect("sen ends")
}

/// The program ended with a failure whose message has all of some words.
fn said(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    for word in words {
        assert!(ended.said.contains(word), "{word:?} is not in: {}", ended.said);
    }
    assert!(!ended.said.contains("panicked"), "{}", ended.said);
}

fn folder(name: &str) -> PathBuf {
    ground::folder(name, &world()).expect("a folder")
}

fn free() -> u16 {
    sen::story::nation::free_ports(&world()).expect("ports")
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_its_flag() {
    run(async {
        // Below a file: not even root can make a folder there.
        let data = folder("file").join("file");
        std::fs::write(&data, b"x").expect("a file");
        let below = data.join("data");
        said(
            &up(&below, free(), &[]).await,
            &[&below.display().to_string(), "--data"],
        );
        let strange = folder("strange");
        std::fs::write(strange.join("thesis.txt"), b"x").expect("a file");
        said(&up(&strange, free(), &[]).await, &["not Sen's", "--data"]);
        assert!(strange.join("thesis.txt").exists());
        said(&up(&strange, free(), &["--fresh"]).await, &["--fresh"]);
        assert!(
            strange.join("thesis.txt").exists(),
            "--fresh removes only what is ours"
        );
    });
}

#[test]
fn a_taken_port_is_named_with_its_flag() {
    run(async {
        let port = free();
        let _taken = TcpListener::bind(("127.0.0.1", port + 1)).expect("a port");
        said(
            &up(&folder("port"), port, &[]).await,
            &[&(port + 1).to_string(), "--port"],
        );
    });
}

#[test]
fn a_damaged_database_is_named_with_the_two_ways_out() {
    run(async {
        let (data, port) = (folder("damaged"), free());
        prepare::prepare(&data, &sen::config::Config::default().pack, port, &world()).expect("prepared");
        let database = data.join(Place::Ministry.id()).join("sen.db");
        std::fs::write(
            &database,
            b"not a database, not at all, whatever it is called".repeat(400),
        )
        .expect("a file");
        let ended = up(&data, port, &[]).await;
        said(&ended, &["ministry", "backup", "--fresh"]);
        assert!(
            database.metadata().expect("kept").len() > 16_000,
            "what is damaged is not thrown away"
        );
    });
}

#[test]
fn a_damaged_directory_is_named_with_the_two_ways_out() {
    run(async {
        let (data, port) = (folder("directory"), free());
        prepare::prepare(&data, &sen::config::Config::default().pack, port, &world()).expect("prepared");
        let file = data.join(Place::National.id()).join("directory.jws");
        std::fs::write(&file, b"eyJ.not.signed").expect("a file");
        said(
            &up(&data, port, &[]).await,
            &["directory.jws", "backup", "--fresh"],
        );
    });
}

#[test]
fn a_pack_that_is_none_is_named_with_its_flag() {
    run(async {
        let empty = folder("pack");
        let pack = empty.to_str().expect("UTF-8");
        said(
            &up(&folder("no-pack"), free(), &["--pack", pack]).await,
            &[pack, "--pack"],
        );
    });
}

#[test]
fn a_pack_with_a_wrong_file_is_named_by_file_and_fault() {
    run(async {
        let file = "procedures/1.001193.toml";
        let pack = testbed::pack::changed(file, &world(), |text| {
            text.replace("from = \"decided\"", "from = \"nowhere\"")
        });
        let pack = pack.expect("a pack");
        let pack = pack.to_str().expect("UTF-8");
        said(
            &up(&folder("wrong-pack"), free(), &["--pack", pack]).await,
            &["1.001193.toml, line ", "returned", "sen pack check", "--pack"],
        );
    });
}

#[test]
fn a_folder_in_use_is_not_opened_twice() {
    run(async {
        let (site, _shared) = crate::house::house().await.shared().await;
        said(&up(&site.data, free(), &[]).await, &["in use", "--data"]);
        let ended = up(&site.data, free(), &["--fresh"]).await;
        said(&ended, &["in use", "--data"]);
        let mut mother = crate::house::mother(&site).await;
        let draft = testbed::birth::start(&mut mother)
            .await
            .expect("the first goes on");
        testbed::birth::prefill(&mut mother, &draft)
            .await
            .expect("with its neighbours");
    });
}
