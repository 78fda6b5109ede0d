//! A timestamp authority (RFC 3161 over HTTP, section 3.4): SIMULATOR for development, with a key of
//! the development CA. Its policy is a test policy and proves nothing to anybody outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use kernel::World;
use seal::key::Identity;

#[derive(Clone)]
struct Tsa {
    identity: Arc<Identity>,
    world: World,
    serial: Arc<AtomicU64>,
}

/// The simulator's routes: `POST /` takes a TimeStampReq.
pub fn router(identity: Identity, world: World) -> Router {
    let serial = Arc::new(AtomicU64::new(u64::try_from(world.now().ms()).unwrap_or(1)));
    let tsa = Tsa {
        identity: Arc::new(identity),
        world,
        serial,
    };
    let about = "SIMULATOR of a timestamp authority (RFC 3161). POST a TimeStampReq to this address.\n";
    Router::new()
        .route("/", post(stamp))
        .route("/about", get(move || async move { about }))
        .with_state(tsa)
}

async fn stamp(State(tsa): State<Tsa>, request: Bytes) -> impl IntoResponse {
    let serial = tsa.serial.fetch_add(1, Ordering::Relaxed);
    let reply = seal::timestamp::respond(&request, &tsa.identity, tsa.world.now(), serial);
    ([(CONTENT_TYPE, "application/timestamp-reply")], reply)
}
