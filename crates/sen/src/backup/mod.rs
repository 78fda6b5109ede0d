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

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};

/// The variable that holds the passphrase when no file is named.
pub const PASSPHRASE: &str = "SEN_BACKUP_PASSPHRASE";
/// The shortest passphrase, in characters.
const CHARACTERS_MIN: usize = 12;

/// The passphrase: of a file (its first line), or of the environment.
///
/// # Errors
/// When there is none, it is too short or others may read its file: the message says what to do.
pub fn passphrase(file: Option<&Path>) -> anyhow::Result<String> {
    if let Some(file) = file {
        private(file)?;
    }
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

/// Whoever reads the passphrase's file and a backup has every key. A pipe is nobody else's.
fn private(file: &Path) -> anyhow::Result<()> {
    let Ok(meta) = std::fs::metadata(file) else {
        return Ok(());
    };
    ensure!(
        !meta.is_file() || meta.permissions().mode() & 0o077 == 0,
        "{}: others may read this passphrase; it is for its owner alone: chmod 600 {0}",
        file.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_that_others_may_read_or_guess_is_refused_with_the_remedy() {
        let name = format!("sen-phrase-{}", kernel::World::of_this_machine().id());
        let file = std::env::temp_dir().join(name);
        let with = |text: &str, mode: u32| {
            std::fs::write(&file, text).expect("written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
            passphrase(Some(&file))
        };
        assert_eq!(
            with("twelve characters\nand more", 0o600).expect("read"),
            "twelve characters"
        );
        let open = with("twelve characters", 0o640).expect_err("refused").to_string();
        assert!(
            open.contains("chmod 600") && !open.contains("twelve characters"),
            "{open}"
        );
        let short = with("short", 0o600).expect_err("refused").to_string();
        assert!(short.contains("12 characters"), "{short}");
        std::fs::remove_file(&file).expect("removed");
        let missing = passphrase(Some(&file)).expect_err("refused").to_string();
        assert!(missing.contains("cannot read"), "{missing}");
    }
}
