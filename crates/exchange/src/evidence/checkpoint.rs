//! `GET /api/v1/exchange/checkpoints`: what this node has signed of its evidence log's length and root, for
//! whoever keeps it and compares later. Never signs one: a checkpoint is made when the log is stamped.

use axum::extract::{Query, State};
use kernel::{Kind, Problem};
use seal::jws;
use serde::{Deserialize, Serialize};
use store::log::checkpoint::Checkpoint;
use utoipa::{IntoParams, ToSchema};
use web::{Operator, Refusal};

use crate::gateway::{Exchange, STREAM};
use crate::store as rows;

/// Which checkpoint.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointWanted {
    /// One that holds so many records at least: that of the timestamp which covers the last of them. The
    /// newest when it is not given.
    size: Option<String>,
}

/// A checkpoint as it was signed, and what it says.
#[derive(Serialize, ToSchema)]
pub(super) struct LogCheckpoint {
    /// The node.
    origin: String,
    /// The log.
    stream: String,
    /// Records, count.
    size: u64,
    /// The Merkle root over them, hex.
    root: String,
    /// When, milliseconds since 1970.
    at: i64,
    /// The signed words: a compact JWS of type `sen-checkpoint`. Keep this.
    token: String,
    /// The certificate that the token names, PEM; none in one of an earlier release.
    certificate: Option<String>,
}

/// Gives a signed checkpoint of the evidence log: who keeps it proves later that nothing was rewritten.
#[utoipa::path(get, path = "/api/v1/exchange/checkpoints", tag = "exchange", params(CheckpointWanted),
    operation_id = "evidence_checkpoint", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = LogCheckpoint), (status = 404), (status = 422)))]
pub(super) async fn json(
    State(x): State<Exchange>,
    _: Operator,
    Query(wanted): Query<CheckpointWanted>,
) -> Result<axum::Json<LogCheckpoint>, Refusal> {
    let size = wanted
        .size
        .as_deref()
        .map(|text| number("size", text))
        .transpose()?;
    let missing = || Problem::new(Kind::NotFound, "checkpoint-missing");
    let (said, token) = x.signed_checkpoint(size).await?.ok_or_else(missing)?;
    let certificate = match jws::certificate_named(&token) {
        Some(thumbprint) => x.0.certificates.get(&thumbprint).await.ok(),
        None => None,
    };
    Ok(axum::Json(LogCheckpoint {
        origin: said.origin,
        stream: said.stream,
        size: said.size,
        root: said.root.hex(),
        at: said.at.ms(),
        token,
        certificate: certificate.map(|one| one.pem()),
    }))
}

/// A size in records; at its parameter when it is none.
pub(super) fn number(field: &str, text: &str) -> Result<u64, Problem> {
    text.trim()
        .parse()
        .map_err(|_| Problem::invalid(field, "malformed"))
}

impl Exchange {
    /// A checkpoint of the evidence log as it was signed: the newest, or one that holds so many records.
    pub(super) async fn signed_checkpoint(
        &self,
        size: Option<u64>,
    ) -> Result<Option<(Checkpoint, String)>, Problem> {
        let g = &*self.0;
        let newest = g.store.newest_checkpoint(STREAM).await?;
        let Some(size) = size else {
            return self.vouched(newest).await;
        };
        let reader = g.store.read(&g.home).await?;
        let stamp = rows::stamp_of(&reader, STREAM, size.saturating_sub(1)).await?;
        if let Some(stamp) = stamp
            && let Some(said) = g.checkpoint_of(&stamp.checkpoint).await
            && said.size >= size
        {
            return Ok(Some((said, stamp.checkpoint)));
        }
        self.vouched(newest.filter(|(said, _)| said.size >= size)).await
    }

    /// What lies beside the log is handed out only when this node has signed it.
    async fn vouched(
        &self,
        found: Option<(Checkpoint, String)>,
    ) -> Result<Option<(Checkpoint, String)>, Problem> {
        let Some((said, token)) = found else {
            return Ok(None);
        };
        match self.0.checkpoint_of(&token).await {
            Some(signed) if signed == said => Ok(Some((said, token))),
            _ => Err(Problem::internal(
                "a checkpoint beside the log is not signed by this node",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_of_records() {
        assert_eq!(number("size", " 12 "), Ok(12));
        for bad in ["", "-1", "1.5", "x", "99999999999999999999"] {
            let problem = number("from", bad).expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("from"), "{bad}");
        }
    }
}
