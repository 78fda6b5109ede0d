//! Blobs: kept once, checked when read.

use kernel::Digest;

#[tokio::test]
async fn bytes_are_kept_by_their_hash_and_once() {
    let temp = testkit::store(&[]).await;
    let blobs = temp.store.blobs();
    let digest = blobs.put(b"giay khai sinh").await.expect("kept");
    assert_eq!(digest, Digest::of(b"giay khai sinh"));
    assert_eq!(blobs.put(b"giay khai sinh").await.expect("kept"), digest);
    assert_eq!(blobs.get(&digest).await.expect("there"), b"giay khai sinh");
    assert!(blobs.has(&digest).await.expect("an answer"));
    let absent = Digest::of(b"other");
    assert!(!blobs.has(&absent).await.expect("an answer"));
    assert_eq!(blobs.get(&absent).await.expect_err("not there").code, "not-found");
}

#[tokio::test]
async fn bytes_that_are_not_their_hash_are_not_given() {
    let temp = testkit::store(&[]).await;
    let digest = temp.store.blobs().put(b"true").await.expect("kept");
    let hex = digest.hex();
    let path = temp.dir.path().join("blobs").join(&hex[..2]).join(&hex[2..]);
    std::fs::write(&path, b"false").expect("changed");
    assert_eq!(
        temp.store.blobs().get(&digest).await.expect_err("found").code,
        "blob-damaged"
    );
}
