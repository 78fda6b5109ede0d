//! Signed statements of a log's length and root, kept beside it one a line. Never checks a
//! signature when reading: whoever trusts a key does that.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
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

/// A line is shorter than this, in bytes.
const LINE_BYTES_MAX: u64 = 64 << 10;

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

impl Store {
    /// The newest checkpoint of a log, with the token as it was signed; none before the first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn newest_checkpoint(&self, stream: &str) -> Result<Option<(Checkpoint, String)>, Problem> {
        let dir = self.inner.logs.folder(stream);
        tokio::task::spawn_blocking(move || newest(&dir).map_err(|e| disk(&e, &dir.join(FILE))))
            .await
            .map_err(Problem::internal)?
    }
}

/// The last whole line that is a checkpoint.
fn newest(dir: &Path) -> io::Result<Option<(Checkpoint, String)>> {
    let mut file = match File::open(dir.join(FILE)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let end = whole(&mut file)?;
    let from = end.saturating_sub(LINE_BYTES_MAX);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(end - from).read_to_end(&mut tail)?;
    let text = String::from_utf8_lossy(&tail);
    Ok(text
        .lines()
        .rev()
        .find_map(|line| Some((of_line(line)?, line.to_owned()))))
}

fn append(dir: &Path, line: &str) -> Result<(), Problem> {
    let path = dir.join(FILE);
    let write = || {
        std::fs::create_dir_all(dir)?;
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)?;
        let end = whole(&mut file)?;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        let written = fault::write_all(&mut file, line.as_bytes(), "checkpoint-half");
        fault::at("checkpoint-unflushed");
        let written = written.and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line is of no use; when it cannot be taken away now, the next line's writer does.
            drop(file.set_len(end));
        }
        written
    };
    write().map_err(|e| disk(&e, &path))
}

/// Where the whole lines of the file end: a line cut short by a crash must not become the beginning of
/// the next one.
fn whole(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LINE_BYTES_MAX);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte == b'\n');
    Ok(end.map_or(from, |end| from + end as u64 + 1))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_checkpoint_is_the_last_whole_line() {
        let dir = testkit::TempDir::new();
        assert_eq!(newest(dir.path()).expect("nothing yet"), None);
        let key = SigningKey::generate();
        let mut tokens = Vec::new();
        for size in 1..=3 {
            let said = Checkpoint {
                origin: "ministry".to_owned(),
                stream: "evidence-0".to_owned(),
                size,
                root: Digest::of(&size.to_be_bytes()),
                at: Time(1),
            };
            let text = canonical_json(&said).expect("json");
            tokens.push(seal::jws::sign(TYP, "ministry", text.as_bytes(), &key));
            append(dir.path(), &format!("{}\n", tokens[tokens.len() - 1])).expect("written");
        }
        let path = dir.path().join(FILE);
        let mut bytes = std::fs::read(&path).expect("there");
        bytes.extend_from_slice(&tokens[0].as_bytes()[..40]);
        std::fs::write(&path, bytes).expect("cut short");
        let (said, token) = newest(dir.path()).expect("read").expect("one");
        assert_eq!((said.size, &token), (3, &tokens[2]));
    }

    #[test]
    fn a_line_cut_short_is_taken_away_before_the_next_is_written() {
        let dir = testkit::TempDir::new();
        let path = dir.path().join(FILE);
        append(dir.path(), "first\n").expect("written");
        let mut bytes = std::fs::read(&path).expect("there");
        bytes.extend_from_slice(b"sec");
        std::fs::write(&path, bytes).expect("cut short");
        append(dir.path(), "second\n").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "first\nsecond\n");
        std::fs::write(&path, "half").expect("cut short");
        append(dir.path(), "first\n").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "first\n");
    }
}
