//! `GET /api/v1/exchange/checkpoints/consistency`: the proof that the log of a day is the beginning of the
//! log of a later one (RFC 6962, section 2.1.2). What an old checkpoint said is compared by whoever kept it.

use axum::extract::{Query, State};
use kernel::{Digest, Problem};
use seal::merkle::verify_consistency;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Operator, Refusal};

use super::checkpoint::number;
use crate::gateway::{Exchange, STREAM};

/// Between which lengths of the log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsistencyWanted {
    /// Records of the earlier log, as the checkpoint says that was kept.
    from: String,
    /// Records of the later log; those of the newest checkpoint when it is not given.
    to: Option<String>,
}

/// That the log of `from` records is the beginning of the log of `to`.
#[derive(Serialize, ToSchema)]
pub(super) struct LogConsistency {
    /// The log.
    stream: &'static str,
    /// Records of the earlier log.
    from: u64,
    /// Its Merkle root as the log gives it today, hex: it must be that of the checkpoint that was kept.
    from_root: String,
    /// Records of the later log.
    to: u64,
    /// Its Merkle root, hex.
    to_root: String,
    /// The hashes that lead from both roots to each other, hex.
    path: Vec<String>,
    /// The signed checkpoint whose root the later one is; none when there is none of that very length.
    checkpoint: Option<String>,
}

/// Proves that nothing of the evidence log was rewritten between two of its lengths.
#[utoipa::path(get, path = "/api/v1/exchange/checkpoints/consistency", tag = "exchange",
    params(ConsistencyWanted), operation_id = "evidence_consistency", security(("session" = ["operator", "observer"])),
    responses((status = 200, body = LogConsistency), (status = 422)))]
pub(super) async fn json(
    State(x): State<Exchange>,
    _: Operator,
    Query(wanted): Query<ConsistencyWanted>,
) -> Result<axum::Json<LogConsistency>, Refusal> {
    let from = number("from", &wanted.from)?;
    let to = wanted.to.as_deref().map(|text| number("to", text)).transpose()?;
    Ok(axum::Json(x.consistency(from, to).await?))
}

impl Exchange {
    async fn consistency(&self, from: u64, to: Option<u64>) -> Result<LogConsistency, Problem> {
        let log = &self.0.evidence;
        let records = log.len().await;
        let newest = self.signed_checkpoint(None).await?;
        // What was kept may be newer than the newest checkpoint that is left: then all there is counts.
        let signed = newest.filter(|(said, _)| said.size >= from);
        let to = to.unwrap_or_else(|| signed.as_ref().map_or(records, |(said, _)| said.size));
        let wrong = |field| Problem::invalid(field, "checkpoint-size").with("records", records);
        if to > records {
            return Err(wrong("to"));
        }
        if from == 0 || from > to {
            return Err(wrong("from"));
        }
        let (from_root, to_root) = (log.root(from).await?, log.root(to).await?);
        let path = log.consistency(from, to).await?;
        // Both sides of the books: what we hand out must hold before it leaves.
        if !verify_consistency(from, to, &from_root, &to_root, &path) {
            return Err(Problem::internal(format!(
                "the log of {from} records is not the beginning of that of {to}"
            )));
        }
        let signed = signed.filter(|(said, _)| said.size == to && said.root == to_root);
        Ok(LogConsistency {
            stream: STREAM,
            from,
            from_root: from_root.hex(),
            to,
            to_root: to_root.hex(),
            path: path.iter().map(Digest::hex).collect(),
            checkpoint: signed.map(|(_, token)| token),
        })
    }
}
