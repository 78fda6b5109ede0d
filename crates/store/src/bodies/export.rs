//! Shelves that are a server's rows, taken away as the files they would be: for who checks them beside the
//! node. Encrypted as they are, and without the secret that opens them.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::FOLDER;
use crate::check::Open;
use crate::{Database, Reader, StoreError, params};

/// Rows read at a time; a row is a mebibyte at most.
const ROWS: usize = 8;

/// Writes the shelves of a server's rows into a node's folder; nothing where they are files.
///
/// # Errors
/// When the server cannot be asked or the folder cannot be written.
pub async fn export(database: &Database, to: &Path) -> Result<(), StoreError> {
    if matches!(database, Database::Sqlite(_)) {
        return Ok(());
    }
    let open = Open::of(database).await?;
    let reader = open.reader();
    let bad = |e: kernel::Problem| StoreError::Database(e.to_string());
    let keys = reader.all("select day, key from store_body_keys order by day", params![]);
    for row in keys.await.map_err(bad)? {
        let (day, key) = (row.text("day").map_err(bad)?, row.bytes("key").map_err(bad)?);
        let shelf = to.join(FOLDER).join(&day);
        let failed = |e| StoreError::Folder(shelf.clone(), e);
        fs::create_dir_all(&shelf).map_err(failed)?;
        fs::write(shelf.join(super::files::KEY), key).map_err(failed)?;
        segments(&reader, &day, &shelf).await?;
    }
    open.close().await;
    Ok(())
}

/// Rows that follow one another are one segment.
async fn segments(reader: &Reader, day: &str, shelf: &Path) -> Result<(), StoreError> {
    let bad = |e: kernel::Problem| StoreError::Database(e.to_string());
    let failed = |e: io::Error| StoreError::Folder(shelf.to_owned(), e);
    let (mut next, mut segment) = (0, None::<fs::File>);
    loop {
        let sql =
            "select first, bytes from store_bodies where day = $1 and first >= $2 order by first limit $3";
        let rows = reader.all(sql, params![day, next, ROWS]).await.map_err(bad)?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            let (first, bytes) = (row.count("first").map_err(bad)?, row.bytes("bytes").map_err(bad)?);
            let mut file = match segment.take() {
                Some(file) if first == next => file,
                _ => fs::File::create(shelf.join(super::files::name(first))).map_err(failed)?,
            };
            file.write_all(&bytes).map_err(failed)?;
            segment = Some(file);
            next = first + bytes.len() as u64;
        }
    }
}
