//! Signed statements of a log's length and root, kept beside it one a line. Never checks a
//! signature when reading: whoever trusts a key does that.

use std::fs::OpenOptions;
use std::path::Path;

use kernel::digest::canonical_json;
use kernel::{Digest, Problem, Time};
use seal::key::SigningKey;
use serde::{Deserialize, Serialize};

use crate::error::disk;
use crate::{Store, fault};

/// The checkpoints' file in a log's folder.
pub const FILE: &str = "checkpoints.jws";
/// The token's type.
pub const TYP: &str = "sen-checkpoint";

/// What a node says of one of its logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The node.
    pub origin: String,
    /// The log.
    pub stream: String,
    /// Records, count.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Digest,
    /// When.
    pub at: Time,
}

impl Store {
    /// Signs a log's length and root as a token (JWS of type `sen-checkpoint`), keeps it beside
    /// the log and gives it.
    ///
    /// # Errors
    /// As [`Store::log`]; Full `no-room` when it cannot be kept.
    pub async fn checkpoint(&self, stream: &str, key: &SigningKey, kid: &str) -> Result<String, Problem> {
        let log = self.log(stream).await?;
        let size = log.len().await;
        let checkpoint = Checkpoint {
            origin: self.inner.config.node.clone(),
            stream: stream.to_owned(),
            size,
            root: log.root(size).await?,
            at: self.world().now(),
        };
        let payload = canonical_json(&checkpoint).map_err(Problem::internal)?;
        let token = seal::jws::sign(TYP, kid, payload.as_bytes(), key);
        let (dir, line) = (self.inner.logs.folder(stream), format!("{token}\n"));
        tokio::task::spawn_blocking(move || append(&dir, &line))
            .await
            .map_err(Problem::internal)??;
        Ok(token)
    }
}

fn append(dir: &Path, line: &str) -> Result<(), Problem> {
    let path = dir.join(FILE);
    let write = || {
        std::fs::create_dir_all(dir)?;
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        fault::write_all(&mut file, line.as_bytes(), "checkpoint-half")?;
        fault::at("checkpoint-unflushed");
        file.sync_data()
    };
    write().map_err(|e| disk(&e, &path))
}

/// The checkpoints beside a log in order; a line cut short by a crash is passed over.
#[must_use]
pub fn read(dir: &Path) -> Vec<Checkpoint> {
    let text = std::fs::read_to_string(dir.join(FILE)).unwrap_or_default();
    text.lines().filter_map(of_line).collect()
}

/// What a line says; nothing when it was cut short.
pub(crate) fn of_line(line: &str) -> Option<Checkpoint> {
    serde_json::from_slice(&seal::jws::peek(line).ok()?).ok()
}
