//! X-Road's download of signed documents: by the message's id and the client, stamped or not at all.
//! And that who follows docs/x-road.md step by step finds the documents good.

use std::path::Path;

use crate::face::{Face, Told, face};
use crate::nation::Nation;
use crate::timestamps::{archive, authority, run, unpack};

const CLIENT: &str = "xRoadInstance=VN&memberClass=GOV&memberCode=G22&subsystemCode=portal";

async fn download(face: &Face, query: &str) -> Told {
    face.send(web::http::Request::get("/"), &format!("/asic?{query}"), "")
        .await
}

fn words(told: &Told) -> (u16, &str) {
    assert_eq!(told.headers["content-type"], "text/plain;charset=utf-8");
    (told.status, std::str::from_utf8(&told.body).expect("text"))
}

/// The containers of a download by their names without the chance in them.
fn containers(told: &Told) -> Vec<(String, Vec<u8>)> {
    assert_eq!(
        (told.status, &told.headers["content-type"]),
        (200, &"application/zip".parse().expect("text"))
    );
    let mut archive = archive(&told.body);
    (0..archive.len())
        .map(|i| {
            let mut file = archive.by_index(i).expect("a file");
            let name = file.name().expect("a name").to_string();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).expect("reads");
            let (start, rest) = name.rsplit_once('-').expect("three parts");
            assert!(rest.len() == 16 && rest.ends_with(".asice"), "{name}");
            (start.to_owned(), bytes)
        })
        .collect()
}

#[tokio::test]
async fn a_message_is_downloaded_by_its_id_and_client_once_it_has_its_timestamp() {
    let mut nation = Nation::new().await;
    let face = face(&nation).await;
    let send = async |id: &str| {
        let told = face.rest("POST", "", &[("x-road-id", id)], "{}").await;
        assert_eq!(told.status, 200);
    };
    send("việc 1/2").await;
    let id = "vi%E1%BB%87c%201%2F2";
    let all = format!("queryId={id}&{CLIENT}");
    let told = download(&face, &all).await;
    assert_eq!(
        words(&told),
        (500, "Some message signatures have not been timestamped yet!")
    );
    let told = download(&face, &format!("{all}&requestOnly&unique")).await;
    assert_eq!(
        words(&told),
        (500, "Message signature has not been timestamped yet!")
    );
    let told = download(&face, &format!("{all}&force")).await;
    assert_eq!(
        words(&told),
        (500, "Failed to get timestamp from any time-stamping providers")
    );
    let _tsa = authority(&mut nation).await;
    let told = download(&face, &format!("{all}&force")).await;
    assert_eq!(
        told.headers["content-disposition"],
        format!("attachment; filename=\"{id}.zip\"").as_str()
    );
    let documents = containers(&told);
    let names: Vec<&str> = documents.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [format!("{id}-request"), format!("{id}-response")]);
    for (_, zip) in &documents {
        let trust = nation.national.directory.trust();
        assert!(seal::asice::verify(zip, &trust, nation.national.now()).is_passed());
    }
    let one = download(&face, &format!("{all}&responseOnly&unique")).await;
    assert_eq!(
        (one.status, &one.headers["content-type"]),
        (200, &seal::asice::MIME_TYPE.parse().expect("text"))
    );
    assert_eq!(one.body.as_ref(), documents[1].1.as_slice());
    // The same id again: both are given, and one alone is not to be had.
    send("việc 1/2").await;
    assert_eq!(
        containers(&download(&face, &format!("{all}&requestOnly&force")).await).len(),
        2
    );
    assert_eq!(
        download(&face, &format!("{all}&requestOnly&unique")).await.status,
        400
    );
    for (query, status) in [
        (all.replace(id, "other"), 404),
        (all.replace("=portal", "=other"), 404),
        (all.replace("=G22", "=G15"), 404),
        (all.replace(&format!("queryId={id}&"), ""), 400),
        (format!("{all}&requestOnly&responseOnly"), 400),
    ] {
        assert_eq!(words(&download(&face, &query).await).0, status, "{query}");
    }
}

/// The commands of a page's fenced block behind a heading.
pub(crate) fn commands(page: &str, heading: &str) -> String {
    let behind = page.split(heading).nth(1).expect("the heading");
    let block = behind.split("```sh\n").nth(1).expect("a block");
    block.split("```").next().expect("its end").to_owned()
}

#[tokio::test]
async fn who_follows_the_documented_steps_finds_what_was_downloaded_good() {
    let mut nation = Nation::new().await;
    let face = face(&nation).await;
    let _tsa = authority(&mut nation).await;
    let told = face
        .rest("POST", "", &[("x-road-id", "m1")], r#"{"who":"x"}"#)
        .await;
    let hash = told.headers["x-road-request-hash"]
        .to_str()
        .expect("text")
        .to_owned();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/x-road.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let all = download(&face, &format!("queryId=m1&{CLIENT}&force")).await;
    for (name, zip) in containers(&all) {
        let folder = testkit::TempDir::new();
        unpack(&zip, folder.path());
        std::fs::write(folder.path().join("ca.pem"), nation.ca.certificate().pem()).expect("written");
        std::fs::write(folder.path().join("request-body"), r#"{"who":"x"}"#).expect("written");
        // The page's reader checks now; the clock of the tests stands still.
        let at = "AT='2026-11-21+02:30:00' EPOCH=1795228200\n";
        let script = format!("set -eu\n{at}{}", commands(&page, "### The container"));
        assert_eq!(run(folder.path(), "sh", &["-c", &script]), Ok(()), "{name}");
        if name.ends_with("-request") {
            let script = format!(
                "set -eu\nHASH='{hash}'\n{}",
                commands(&page, "### The tie to the request")
            );
            assert_eq!(run(folder.path(), "sh", &["-c", &script]), Ok(()), "{name}");
            let other = script.replace(&hash, &hash.replace(&hash[..1], "!"));
            assert!(
                run(folder.path(), "sh", &["-c", &other]).is_err(),
                "and another hash is seen"
            );
        }
        std::fs::write(folder.path().join("message.xml"), "another").expect("written");
        let changed = run(
            folder.path(),
            "sh",
            &[
                "-c",
                &format!("set -eu\n{at}{}", commands(&page, "### The container")),
            ],
        );
        assert!(changed.is_err(), "a changed message is seen");
    }
}
