//! A service's answer as the calling system gets it: status, headers and body as they are, then what
//! the exchange says of the message. Never a change to the answer itself.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, Digest as ShaDigest, SHA512, digest};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kernel::Problem;

use super::asked::Called;
use super::{Form, fault};
use crate::client::{Ask, NotTold};
use crate::gateway::Exchange;
use crate::passing::{self, Taken};
use crate::spool::Spool;

/// Asks, and hands the answer over.
///
/// # Errors
/// As [`Exchange::ask`].
pub(super) async fn ask(
    exchange: &Exchange,
    called: Called,
    body: Body,
    form: Form,
) -> Result<Response, NotTold> {
    let Called { ask, rest } = called;
    let id = rest.id.clone().unwrap_or_default();
    let client = ask.consumer.header();
    let service = ask.service.named();
    let (body, spool, body_hash) = read(exchange, body).await?;
    let told = exchange.exchange(Ask { body, ..ask }, spool, rest).await?;
    if let (Form::XRoad(style, text), Some(fault)) = (form, &told.fault) {
        return Ok(fault::service_failed(exchange, (fault, &told.heard), style, text));
    }
    let mut heard = told.heard;
    if let Some(fault) = &told.fault {
        heard.body = fault::reworded(fault, heard.body);
    }
    let mut headers = HeaderMap::new();
    let mut put = |name: &str, value: &str| -> Result<(), Problem> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(Problem::internal)?;
        headers.append(
            name,
            HeaderValue::from_bytes(value.as_bytes()).map_err(Problem::internal)?,
        );
        Ok(())
    };
    if !heard.media.is_empty() {
        put("content-type", &heard.media)?;
    }
    for (name, value) in told.headers.iter() {
        put(name, value)?;
    }
    put(
        "sen-evidence",
        &format!("{}/{}", heard.position.0, heard.position.1),
    )?;
    put("x-road-id", &id)?;
    put("x-road-client", &client)?;
    put("x-road-service", &service)?;
    put("x-road-request-id", &heard.request)?;
    put(
        "x-road-request-hash",
        &request_hash(&told.head, body_hash.as_ref().map(AsRef::as_ref)),
    )?;
    let body = match told.spool {
        None => Body::from(heard.body),
        Some(spool) => {
            put("content-length", &spool.len().to_string())?;
            Body::from_stream(spool.pieces())
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(heard.status).map_err(Problem::internal)?;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The body a caller sends, in memory or on disk, and its SHA-512 when there is one.
async fn read(
    exchange: &Exchange,
    body: Body,
) -> Result<(Bytes, Option<Arc<Spool>>, Option<ShaDigest>), Problem> {
    let g = &*exchange.0;
    let (max, memory_max) = (g.store.limits().exchange_body_bytes_max, g.memory_bytes_max());
    let mut hash = Context::new(&SHA512);
    let taken = passing::read(body, max, memory_max, &g.passing.spools, |part| hash.update(part)).await?;
    Ok(match taken {
        Taken::Whole(body) if body.is_empty() => (body, None, None),
        Taken::Whole(body) => (body, None, Some(hash.finish())),
        Taken::Large(spool) => (Bytes::new(), Some(spool), Some(hash.finish())),
    })
}

/// Base64 of SHA-512(SHA-512(head) ‖ SHA-512(body)), or of SHA-512(head) when there is no body.
fn request_hash(head: &[u8], body_hash: Option<&[u8]>) -> String {
    let head = digest(&SHA512, head);
    match body_hash {
        Some(body) => STANDARD.encode(digest(&SHA512, &[head.as_ref(), body].concat())),
        None => STANDARD.encode(head),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_hash_is_sha_512_over_the_digests_of_head_and_body() {
        // As openssl computes them: dgst -sha512 -binary of `GET\r\n`; and of that and the one of `{}`.
        let body = digest(&SHA512, b"{}");
        for (body, hash) in [
            (
                None,
                "L/dZsxVsZ+Dof1mCd+NnBOmaXM0N2+2QYtMO9nFu7i8rkjl+lnQ1oioEXeH/W4t40MhEsalZSsQXJA/dEpnVyw==",
            ),
            (
                Some(body.as_ref()),
                "/gsaOFyCi+MemkISaULID4XjzN0lJuoDenLLJ4X4KjHaMquS1Kqsz69BItUNDinNa2NWcyO/97CXtY8xrapx8w==",
            ),
        ] {
            assert_eq!(request_hash(b"GET\r\n", body), hash);
        }
    }
}
