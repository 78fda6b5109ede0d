//! Reading a body up to a size. Never holds more than was allowed.

use axum::body::Body;
use bytes::Bytes;
use kernel::Problem;

/// Reads a whole body of at most `bytes_max` bytes; for handlers that take raw bytes.
///
/// # Errors
/// 413 `body-too-large` (with `max`), 400 `malformed` when the sender breaks off.
pub async fn read(_body: Body, _bytes_max: usize) -> Result<Bytes, Problem> {
    unimplemented!()
}
