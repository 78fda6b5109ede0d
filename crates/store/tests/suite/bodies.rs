//! Bodies kept until the end of a day: encrypted, together, and gone as a whole.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use kernel::Date;
use kernel::time::{iso, parse_iso};
use store::{Bodies, Engine, bodies};
use testkit::TempStore;

/// More than one piece, and not a whole number of them.
const LARGE: usize = 600_000;

fn day(text: &str) -> Date {
    parse_iso(text).expect("a day")
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at % 23) as u8).collect()
}

async fn read(bodies: &Bodies, until: Date, at: u64) -> Vec<u8> {
    let body = bodies.find(until, at).await.expect("there");
    body.whole(1 << 30).await.expect("as it was")
}

/// Every file of a store's shelves, in memory; none where they are rows.
fn raw(temp: &TempStore, until: Date) -> Vec<u8> {
    let folder = temp.dir.path().join(bodies::FOLDER).join(iso(until));
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let files = entries.map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a file"));
    files.collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn what_was_kept_is_read_as_it_was_and_nothing_of_it_is_readable_on_disk() {
    let temp = testkit::store(&[]).await;
    let (bodies, until) = (temp.store.bodies(), day("2026-12-31"));
    let (one, two) = (text(100), text(LARGE));
    let places = bodies.append(until, &[&one, &two]).await.expect("kept");
    assert_eq!(read(bodies, until, places[0]).await, one);
    assert_eq!(read(bodies, until, places[1]).await, two);
    let body = bodies.find(until, places[1]).await.expect("there");
    assert_eq!(body.size(), LARGE as u64);
    let refused = body.whole(LARGE - 1).await.expect_err("too large");
    assert_eq!(refused.code, "body-too-large");
    let pieces: Vec<Bytes> = body.pieces().try_collect().await.expect("read");
    assert_eq!(pieces.concat(), two);
    let raw = raw(&temp, until);
    assert!(!raw.windows(12).any(|bytes| bytes == &one[..12]));
    assert_eq!(raw.is_empty(), temp.store.engine() == Engine::Postgres);
    let empty = bodies.append(until, &[b""]).await;
    assert!(empty.is_err(), "an empty body is not kept");
}

#[tokio::test]
async fn those_who_come_together_share_a_shelf_and_each_reads_its_own() {
    let temp = testkit::store(&[]).await;
    let (bodies, until) = (temp.store.bodies(), day("2026-12-31"));
    let all = join_all((0..200_usize).map(|number| async move {
        let body = text(number + 1);
        let places = bodies.append(until, &[&body]).await.expect("kept");
        (body, places[0])
    }))
    .await;
    for (body, at) in all {
        assert_eq!(read(bodies, until, at).await, body);
    }
}

#[tokio::test]
async fn a_body_that_comes_in_parts_is_kept_beside_the_small_ones() {
    let temp = testkit::store(&[]).await;
    let (bodies, until) = (temp.store.bodies(), day("2026-12-31"));
    let before = bodies.append(until, &[b"before"]).await.expect("kept")[0];
    for length in [1, 262_143, 262_144, 262_145, 524_288, LARGE] {
        let body = text(length);
        let parts = body.chunks(100_003).map(|part| Ok(Bytes::copy_from_slice(part)));
        let parts: Vec<_> = parts.collect();
        let at = bodies
            .append_large(until, length as u64, stream::iter(parts))
            .await;
        assert_eq!(read(bodies, until, at.expect("kept")).await, body);
    }
    let after = bodies.append(until, &[b"after"]).await.expect("kept")[0];
    assert_eq!(read(bodies, until, before).await, b"before");
    assert_eq!(read(bodies, until, after).await, b"after");
    for (told, length) in [(10, 11), (10, 9), (262_144, 262_145), (0, 1)] {
        let parts = stream::iter([Ok(Bytes::from(text(length)))]);
        let refused = bodies.append_large(until, told, parts).await;
        assert!(refused.is_err(), "{length} in place of {told}");
    }
    let last = bodies.append(until, &[b"last"]).await.expect("kept")[0];
    assert_eq!(read(bodies, until, last).await, b"last");
}

#[tokio::test]
async fn a_restart_forgets_no_body_and_stands_in_no_bodys_way() {
    let mut temp = testkit::store(&[]).await;
    let until = day("2026-12-31");
    let first = temp
        .store
        .bodies()
        .append(until, &[b"first"])
        .await
        .expect("kept")[0];
    for _ in 0..2 {
        temp.store.close().await;
        temp.reopen().await.expect("opens again");
    }
    let bodies = temp.store.bodies();
    let second = bodies.append(until, &[b"second"]).await.expect("kept")[0];
    assert_ne!(first, second);
    assert_eq!(read(bodies, until, first).await, b"first");
    assert_eq!(read(bodies, until, second).await, b"second");
}

#[tokio::test]
async fn a_write_cut_short_is_nobodys_body_and_the_next_stands_behind_it() {
    let mut temp = testkit::store(&[]).await;
    if temp.store.engine() == Engine::Postgres {
        return;
    }
    let until = day("2026-12-31");
    let first = temp
        .store
        .bodies()
        .append(until, &[b"first"])
        .await
        .expect("kept")[0];
    temp.store.close().await;
    let folder = temp.dir.path().join(bodies::FOLDER).join(iso(until));
    let segment = folder.join(format!("{:020}.seg", 0));
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes.extend_from_slice(&[7; 50]);
    std::fs::write(&segment, bytes).expect("torn");
    temp.reopen().await.expect("opens again");
    let bodies = temp.store.bodies();
    let second = bodies.append(until, &[b"second"]).await.expect("kept")[0];
    assert_eq!(read(bodies, until, first).await, b"first");
    assert_eq!(read(bodies, until, second).await, b"second");
    let torn = bodies.find(until, second - 50).await.err().expect("no body");
    assert_eq!(torn.code, "body-damaged");
}

#[tokio::test]
async fn a_days_bodies_are_destroyed_together_and_another_days_are_not() {
    let temp = testkit::store(&[]).await;
    let (bodies, days) = (temp.store.bodies(), [day("2026-12-30"), day("2026-12-31")]);
    let mut places = Vec::new();
    for until in days {
        places.push(bodies.append(until, &[b"kept"]).await.expect("kept")[0]);
    }
    assert_eq!(bodies.days().await.expect("read"), days);
    bodies.destroy(days[0]).await.expect("destroyed");
    bodies.destroy(days[0]).await.expect("once more is nothing");
    assert_eq!(bodies.days().await.expect("read"), days[1..]);
    let gone = bodies.find(days[0], places[0]).await.err().expect("gone");
    assert_eq!(gone.code, "body-destroyed");
    assert_eq!(read(bodies, days[1], places[1]).await, b"kept");
}

#[tokio::test]
async fn a_changed_bit_is_found_and_without_the_key_there_is_nothing_to_read() {
    let temp = testkit::store(&[]).await;
    if temp.store.engine() == Engine::Postgres {
        return;
    }
    let (bodies, until) = (temp.store.bodies(), day("2026-12-31"));
    let at = bodies.append(until, &[&text(100)]).await.expect("kept")[0];
    let folder = temp.dir.path().join(bodies::FOLDER).join(iso(until));
    let segment = folder.join(format!("{:020}.seg", 0));
    let whole = std::fs::read(&segment).expect("a segment");
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&segment, bytes).expect("changed");
        let read = async { bodies.find(until, at).await?.whole(1_000).await };
        assert_eq!(read.await.expect_err("found").code, "body-damaged", "bit {bit}");
    }
    std::fs::write(&segment, whole).expect("as it was");
    let mut seen = Vec::new();
    store::bodies::look(temp.dir.path(), until, at, |piece| seen.extend_from_slice(piece))
        .expect("read beside");
    assert_eq!(seen, text(100));
    std::fs::remove_file(folder.join("key")).expect("destroyed");
    let gone = store::bodies::look(temp.dir.path(), until, at, |_| ()).expect_err("gone");
    assert_eq!(gone.code, "body-destroyed");
}

#[tokio::test]
async fn bodies_are_read_beside_the_node_that_keeps_them() {
    let temp = testkit::store(&[]).await;
    let until = day("2026-12-31");
    let at = temp.store.bodies().append(until, &[b"kept"]).await.expect("kept")[0];
    let beside = Bodies::beside(&temp.config.database, temp.dir.path()).await;
    let beside = beside.expect("opened");
    assert_eq!(read(&beside, until, at).await, b"kept");
    assert!(beside.append(until, &[b"x"]).await.is_err(), "only read");
    assert!(beside.destroy(until).await.is_err(), "and nothing is taken away");
}

/// The child's part of the next test: it runs under a file-size limit that stands for a full disk.
const CHILD: &str = "SEN_TEST_FULL_SHELF";

#[tokio::test]
async fn a_full_disk_refuses_a_body_keeps_those_before_and_gives_its_room_back() {
    if std::env::var(CHILD).is_ok() {
        return fill().await;
    }
    // A shell ignores the signal, so that the write fails as it does on a full disk.
    let script = "trap '' XFSZ; ulimit -f 512; exec \"$0\" --exact bodies::a_full_disk_refuses_a_body_keeps_those_before_and_gives_its_room_back --nocapture";
    let me = std::env::current_exe().expect("this test's binary");
    let output = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(me)
        .env(CHILD, "1")
        .output()
        .expect("a shell");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

async fn fill() {
    let temp = testkit::store(&[]).await;
    if temp.store.engine() == Engine::Postgres {
        return;
    }
    let (bodies, until) = (temp.store.bodies(), day("2026-12-31"));
    let body = text(60_000);
    let mut places = Vec::new();
    let problem = loop {
        match bodies.append(until, &[&body]).await {
            Ok(kept) => places.extend(kept),
            Err(problem) => break problem,
        }
    };
    assert_eq!((problem.kind, problem.code), (kernel::Kind::Full, "no-room"));
    let small = bodies
        .append(until, &[b"small"])
        .await
        .expect("a small one still fits")[0];
    let segments = || {
        let folder = temp.dir.path().join(bodies::FOLDER).join(iso(until));
        std::fs::read_dir(folder).expect("the shelf").count()
    };
    let before = segments();
    let parts: Vec<_> = text(2_000_000)
        .chunks(100_000)
        .map(|part| Ok(Bytes::copy_from_slice(part)))
        .collect();
    let refused = bodies.append_large(until, 2_000_000, stream::iter(parts)).await;
    assert_eq!(refused.expect_err("refused").code, "no-room");
    assert_eq!(segments(), before, "and nothing of it is left");
    assert!(!places.is_empty());
    for at in places {
        assert_eq!(read(bodies, until, at).await, body);
    }
    assert_eq!(read(bodies, until, small).await, b"small");
    let after = bodies.append(until, &[b"after"]).await.expect("kept")[0];
    assert_eq!(read(bodies, until, after).await, b"after");
}
