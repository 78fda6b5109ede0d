//! Files that are too large, are none, or have a name that leads elsewhere.

use std::time::Duration;

use sen::up::nation::Place;
use testbed::birth;
use testbed::ground::run;
use testbed::people::Person;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::house::{house, mother, world};

/// An upload, in bytes: twenty times what one may have.
const UPLOAD: usize = 200 << 20;
/// What the process may grow by meanwhile, in bytes: less than half of one such upload. The nation's own
/// work goes on in it, and an allocator gives back late on a busy machine.
const GROWTH_MAX: u64 = 90 << 20;

/// The draft as programs see it.
async fn draft(mother: &mut Person, id: &str) -> serde_json::Value {
    mother
        .get(&format!("/api/v1/drafts/{id}"))
        .await
        .expect("an answer")
        .json()
        .expect("a draft")
}

/// Sends an upload until the portal has enough, and gives the first line of its answer.
async fn upload(mother: &Person, id: &str, length: &str, piece: &[u8]) -> String {
    let port = Place::National.ports(mother.site().port).portal;
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    let (mut from, mut to) = stream.into_split();
    let head = format!(
        "POST /drafts/{id}/papers/GCS HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\n{length}\r\n\r\n",
        mother.cookie()
    );
    let first =
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.4\n";
    let chunked = length.starts_with("Transfer");
    let framed = |bytes: &[u8]| {
        let mut all = if chunked {
            format!("{:x}\r\n", bytes.len()).into_bytes()
        } else {
            Vec::new()
        };
        all.extend_from_slice(bytes);
        all.extend_from_slice(if chunked { b"\r\n" } else { b"" });
        all
    };
    let (first, piece) = (framed(first.as_bytes()), framed(piece));
    let sending = tokio::spawn(async move {
        to.write_all(head.as_bytes()).await?;
        to.write_all(&first).await?;
        for _ in 0..UPLOAD / piece.len() {
            to.write_all(&piece).await?;
        }
        std::io::Result::Ok(to)
    });
    let mut answer = vec![0; 512];
    let read = tokio::time::timeout(Duration::from_secs(60), from.read(&mut answer))
        .await
        .expect("an answer in time");
    let read = read.expect("an answer before the connection ends");
    sending.abort();
    String::from_utf8_lossy(&answer[..read])
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn two_hundred_megabytes_are_cut_off_and_memory_stays_flat() {
    run(async {
        let house = house().await;
        let (site, _alone) = house.alone().await;
        let mut mother = mother(&site).await;
        let id = birth::start(&mut mother).await.expect("a draft");
        let before = house.program.memory_bytes().expect("memory");
        let piece = vec![b'x'; 64 << 10];
        for length in [
            format!("Content-Length: {UPLOAD}"),
            "Transfer-Encoding: chunked".to_owned(),
        ] {
            let sent = upload(&mother, &id, &length, &piece);
            tokio::pin!(sent);
            let mut most = before;
            let told = loop {
                tokio::select! {
                    told = &mut sent => break told,
                    () = tokio::time::sleep(Duration::from_millis(5)) => {
                        most = most.max(house.program.memory_bytes().expect("memory"));
                    }
                }
            };
            most = most.max(house.program.memory_bytes().expect("memory"));
            assert!(told.starts_with("HTTP/1.1 413"), "{length}: {told}");
            assert!(
                most - before < GROWTH_MAX,
                "{length}: grew by {} MiB",
                (most - before) >> 20
            );
        }
        assert_eq!(draft(&mut mother, &id).await["papers"], serde_json::json!([]));
    });
}

#[test]
fn a_file_that_is_no_pdf_is_refused_at_its_field() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let mut mother = mother(&site).await;
        let id = birth::start(&mut mother).await.expect("a draft");
        for bytes in [&b"<html>"[..], b"%PDF-1.7 and nothing of it", b"PK\x03\x04", b""] {
            let told = birth::attach(&mut mother, &id, "giay.pdf", bytes)
                .await
                .expect("an answer");
            assert_eq!(told.status, 422, "{bytes:?}");
            let page = told.text();
            assert!(
                page.contains("href=\"#file\"") && page.contains("PDF"),
                "the field is named: {bytes:?}"
            );
        }
        let kept = draft(&mut mother, &id).await;
        assert_eq!(
            (&kept["papers"], &kept["revision"]),
            (&serde_json::json!([]), &1.into())
        );
    });
}

#[test]
fn a_file_name_never_leads_elsewhere() {
    run(async {
        let (site, _shared) = house().await.shared().await;
        let mut mother = mother(&site).await;
        let paper = birth::paper(&world()).expect("a paper");
        let id = birth::start(&mut mother).await.expect("a draft");
        for (sent, kept) in [
            ("../x", "x"),
            ("..\\..\\windows\\x.pdf", "x.pdf"),
            ("/etc/passwd", "passwd"),
            ("gia\u{302}\u{301}y chứng sinh.pdf", "giấy chứng sinh.pdf"),
        ] {
            birth::attach(&mut mother, &id, sent, &paper)
                .await
                .expect("an answer")
                .ok()
                .expect("taken");
            assert_eq!(draft(&mut mother, &id).await["papers"][0]["name"], kept, "{sent}");
        }
        for outside in ["x", "../x", "passwd"] {
            assert!(!site.data.join(outside).exists(), "{outside} was written");
        }
    });
}
