//! A node's store and records of evidence made by hand, for checks that need many of them or ones that no
//! gateway would write. Never a running node.

use std::path::Path;

use exchange::Rest;
use exchange::envelope::{Evidence, Kept};
use exchange::message::{AnswerHead, RequestHead, request_hash};
use exchange::rest::Headers;
use kernel::limits::Limits;
use kernel::{Digest, Time, World};
use seal::batch::{Parts, seal_batch};
use seal::key::Identity;
use store::{Database, Store, StoreConfig};

/// Opens the store of a node's folder.
pub(crate) async fn open(folder: &Path, world: &World) -> Store {
    open_with(folder, world, Limits::default()).await
}

/// As [`open`], with other limits than the usual.
pub(crate) async fn open_with(folder: &Path, world: &World, limits: Limits) -> Store {
    let config = StoreConfig {
        database: Database::Sqlite(folder.join("sen.db")),
        folder: folder.to_owned(),
        limits,
        node: "national".to_owned(),
    };
    let store = Store::open(&config, world.clone(), &sen::wiring::migrations()).await;
    let store = store.expect("a store");
    store.log("facts").await.expect("a log");
    store
}

/// The heads of an exchange with a number.
pub(crate) fn head(number: u64, at: Time) -> RequestHead {
    RequestHead {
        consumer: "G22/portal".parse().expect("an id"),
        service: "G01/population/person-lookup".parse().expect("an id"),
        request: format!("{number:032x}"),
        agreement: Digest([0xa1; 32]),
        sent: at,
        on_behalf: format!("citizen:{number}"),
        issue: None,
        idempotency: None,
        rest: Rest::default(),
    }
}

/// One exchange as a node keeps it.
pub(crate) fn record(number: u64, by: &Identity, answered_by: &Identity, at: Time) -> Evidence {
    let head = head(number, at);
    let request = kept(&head.to_bytes(), b"{}", by, at);
    let parts = request.parts();
    let answer = AnswerHead {
        status: 200,
        media: "application/json".to_owned(),
        headers: Headers::default(),
        fault: None,
        id: None,
        consumer: head.consumer.clone(),
        service: head.service.clone(),
        request: head.request.clone(),
        request_hash: request_hash(&parts.head, &parts.body),
    };
    Evidence {
        version: 1,
        side: 0,
        began: at.ms(),
        ended: at.ms() + 1,
        answer: Some(kept(&answer.to_bytes(), b"[]", answered_by, at)),
        request,
        fault: String::new(),
        forwarded: None,
        returned: None,
    }
}

/// A message as the middle one of a batch of three.
fn kept(head: &[u8], body: &[u8], by: &Identity, at: Time) -> Kept {
    let parts = Parts::of(head, body);
    let batch = [Parts::of(b"before", body), parts, Parts::of(b"behind", body)];
    Kept {
        head: head.to_vec().into(),
        body: *parts.body.bytes(),
        size: body.len() as u64,
        sealed: seal_batch(by, &batch, at).remove(1),
        stored: None,
    }
}
