//! `sen backup` and `sen restore`: rows, logs, blobs, keys, agreements and directory of a data folder in
//! one encrypted file, taken while the nodes run. A backup holds private keys: there is no way to write
//! one without a passphrase, and none to use one before everything in it has been checked.
//!
//! | read | for |
//! |---|---|
//! | [`site`] | the nodes of a data folder and where their rows are |
//! | [`crypt`] | the encrypted stream |
//! | [`archive`] | the files in the stream and the manifest at its end |
//! | [`take`] | taking one |
//! | [`restore`] | bringing one back |

pub mod archive;
pub mod crypt;
pub mod restore;
pub mod site;
pub mod take;

use std::path::Path;

use anyhow::{Context as _, ensure};

/// The variable that holds the passphrase when no file is named.
pub const PASSPHRASE: &str = "SEN_BACKUP_PASSPHRASE";
/// The shortest passphrase, in characters.
const CHARACTERS_MIN: usize = 12;

/// The passphrase: of a file (its first line), or of the environment.
///
/// # Errors
/// When there is none or it is too short: the message says what to do.
pub fn passphrase(file: Option<&Path>) -> anyhow::Result<String> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
        None => std::env::var(PASSPHRASE).with_context(|| {
            format!("a backup holds private keys and is always encrypted: name a file with --passphrase-file, or set {PASSPHRASE}")
        })?,
    };
    let phrase = text.lines().next().unwrap_or_default().to_owned();
    ensure!(
        phrase.chars().count() >= CHARACTERS_MIN,
        "the passphrase is too short: {CHARACTERS_MIN} characters at least"
    );
    Ok(phrase)
}
