//! Taking a server's logs away as segment files: the same bytes, for whoever checks them without the
//! server. Reads only; a running node may go on.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use kernel::Problem;

use super::before::Before;
use super::checkpoint;
use super::files::damaged;
use super::scan::{HEADER, name};
use crate::check::Open;
use crate::error::disk;
use crate::tx::Reader;
use crate::{Database, params};

/// Rows read at a time, count; a row is one flush.
const STEP: u64 = 200;

/// Writes every log of a node whose rows are a server's as `into/STREAM/*.seg`, and the checkpoints
/// kept in the node's `logs` folder beside them.
///
/// # Errors
/// When the database cannot be read or the folder cannot be written.
pub async fn export(database: &Database, logs: &Path, into: &Path) -> Result<(), Problem> {
    let open = Open::of(database).await.map_err(Problem::internal)?;
    let reader = open.reader();
    let streams = reader
        .all("select distinct stream from store_log order by stream", params![])
        .await?;
    for row in &streams {
        let stream = row.text("stream")?;
        write_stream(&reader, &stream, &into.join(&stream)).await?;
        let kept = logs.join(&stream).join(checkpoint::FILE);
        if kept.is_file() {
            let copy = into.join(&stream).join(checkpoint::FILE);
            std::fs::copy(&kept, &copy).map_err(|e| disk(&e, &copy))?;
        }
    }
    open.close().await;
    Ok(())
}

async fn write_stream(reader: &Reader, stream: &str, dir: &Path) -> Result<(), Problem> {
    std::fs::create_dir_all(dir).map_err(|e| disk(&e, dir))?;
    let left = "select tree from store_log_before where stream = $1";
    let left = reader.one(left, params![stream]).await?;
    let before = left.map(|row| row.bytes("tree")).transpose()?;
    let before = match before.as_deref().map(Before::of_bytes) {
        Some(Some(before)) => before,
        Some(None) => return Err(damaged(stream, 0)),
        None => Before::default(),
    };
    if before.first() > 0 {
        before.write(dir)?;
    }
    let begins =
        "select first from store_log where stream = $1 and first + count > $2 order by first limit 1";
    let begins = reader.one(begins, params![stream, before.first()]).await?;
    let begins = begins.map_or(Ok(before.first()), |row| row.count("first"))?;
    let path = dir.join(name(begins));
    let mut file = File::create(&path).map_err(|e| disk(&e, &path))?;
    file.write_all(HEADER).map_err(|e| disk(&e, &path))?;
    let mut next = begins;
    loop {
        let rows = reader
            .all(
                "select first, records from store_log where stream = $1 and first >= $2 order by first limit $3",
                params![stream, next, STEP],
            )
            .await?;
        let Some(last) = rows.last() else { break };
        next = last.count("first")? + 1;
        for row in &rows {
            // A row's records are framed as a segment's are: the bytes are taken as they stand.
            file.write_all(&row.bytes("records")?)
                .map_err(|e| disk(&e, &path))?;
        }
    }
    file.sync_all().map_err(|e| disk(&e, &path))
}
