//! What may not stand in a file that others read: the database's address, private keys, the bank's
//! secret. They come from the environment, the service manager's credentials or files for their owner
//! alone. Never shown, in no message.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// The environment's name for the database's address.
pub const DATABASE: &str = "SEN_DATABASE";
/// The folder in which systemd hands credentials over.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The shortest secret, in bytes: a shorter one can be guessed.
const SECRET_BYTES_MIN: usize = 16;

/// Where secrets may come from besides the configuration.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The database's address, when the environment says it.
    pub database: Option<String>,
    /// The service manager's folder of credentials.
    pub credentials: Option<PathBuf>,
}

impl Secrets {
    /// Those of this process.
    #[must_use]
    pub fn of_environment() -> Self {
        Self {
            database: std::env::var(DATABASE).ok().filter(|url| !url.is_empty()),
            credentials: std::env::var_os(CREDENTIALS).map(PathBuf::from),
        }
    }

    /// The database's address: the environment before the credential `database` before the file.
    ///
    /// # Errors
    /// When the credential cannot be read.
    pub fn database(&self, configured: &str) -> anyhow::Result<String> {
        if let Some(url) = &self.database {
            return Ok(url.clone());
        }
        match self.credential("database") {
            Some(file) => {
                let text = std::fs::read_to_string(&file);
                let text =
                    text.with_context(|| format!("the credential {} cannot be read", file.display()))?;
                Ok(text.trim().to_owned())
            }
            None => Ok(configured.to_owned()),
        }
    }

    /// A private key's PEM: the credential of this name (`node.key`), or the file.
    ///
    /// # Errors
    /// When it cannot be read, or others may read the file.
    pub fn key(&self, name: &str, file: &Path) -> anyhow::Result<String> {
        self.guarded(name, file, "make it with `sen keys csr`, or name the right file")
    }

    /// What this node proves itself with elsewhere: the first line of the credential of this name
    /// (`bank.secret`), or of the file.
    ///
    /// # Errors
    /// When it cannot be read, others may read the file, or it cannot stand in the head of a request.
    pub fn secret(&self, name: &str, file: &Path) -> anyhow::Result<String> {
        let text = self.guarded(
            name,
            file,
            "write what the other side gave into it, or name the right file",
        )?;
        let secret = text.lines().next().unwrap_or_default().trim();
        ensure!(
            secret.len() >= SECRET_BYTES_MIN && secret.bytes().all(|b| b.is_ascii_graphic()),
            "{name}: the first line is the secret, of letters, digits and signs without blanks, {SECRET_BYTES_MIN} at least: \
             write it as the other side gave it"
        );
        Ok(secret.to_owned())
    }

    fn guarded(&self, name: &str, file: &Path, missing: &str) -> anyhow::Result<String> {
        let from_manager = self.credential(name);
        let path = from_manager.as_deref().unwrap_or(file);
        let meta = std::fs::metadata(path)
            .with_context(|| format!("{} ({name}) is missing: {missing}", path.display()))?;
        // What the service manager hands over it guards itself; its mode bits show an access list.
        ensure!(
            from_manager.is_some() || meta.permissions().mode() & 0o077 == 0,
            "{}: others may read this key; a key is for its owner alone: chmod 600 {0}",
            path.display()
        );
        std::fs::read_to_string(path).with_context(|| {
            format!(
                "{} ({name}) cannot be read: it belongs to another user than the one that runs sen",
                path.display()
            )
        })
    }

    /// Handed over one by one (`node.key`) or as they lie in the credential store (`sen.node.key`).
    fn credential(&self, name: &str) -> Option<PathBuf> {
        let folder = self.credentials.as_ref()?;
        let mut files = [folder.join(name), folder.join(format!("sen.{name}"))].into_iter();
        files.find(|file| file.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("sen-secrets-{}", kernel::World::of_this_machine().id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    #[test]
    fn the_database_is_said_by_the_environment_before_the_credential_before_the_file() {
        let folder = folder();
        std::fs::write(folder.join("database"), "postgres://credential\n").expect("written");
        let mut secrets = Secrets {
            database: None,
            credentials: None,
        };
        assert_eq!(secrets.database("sqlite").expect("the file's"), "sqlite");
        secrets.credentials = Some(folder.clone());
        assert_eq!(
            secrets.database("sqlite").expect("the credential"),
            "postgres://credential"
        );
        secrets.database = Some("postgres://environment".to_owned());
        assert_eq!(
            secrets.database("sqlite").expect("the environment"),
            "postgres://environment"
        );
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_remedy() {
        let folder = folder();
        let file = folder.join("node.key");
        std::fs::write(&file, "words").expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("set");
        let refused = Secrets::default()
            .key("node.key", &file)
            .expect_err("refused")
            .to_string();
        assert!(
            refused.contains("chmod 600") && !refused.contains("words"),
            "{refused}"
        );
        let handed = Secrets {
            database: None,
            credentials: Some(folder.clone()),
        };
        assert_eq!(
            handed
                .key("node.key", Path::new("/nowhere"))
                .expect("handed over"),
            "words"
        );
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_secret_is_one_line_that_only_its_owner_reads() {
        let folder = folder();
        let file = folder.join("bank");
        let with = |text: &str, mode: u32| {
            std::fs::write(&file, text).expect("written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
            Secrets::default().secret("bank.secret", &file)
        };
        assert_eq!(
            with("0123456789abcdef\nsecond\n", 0o600).expect("read"),
            "0123456789abcdef"
        );
        for (text, mode, remedy) in [
            ("0123456789abcdef\n", 0o644, "chmod 600"),
            ("short\n", 0o600, "16 at least"),
            ("0123456789 abcdef\n", 0o600, "without blanks"),
            ("", 0o600, "first line"),
        ] {
            let refused = with(text, mode).expect_err("refused").to_string();
            assert!(
                refused.contains(remedy) && !refused.contains("01234"),
                "{refused}"
            );
        }
        std::fs::remove_file(&file).expect("removed");
        let missing = Secrets::default()
            .secret("bank.secret", &file)
            .expect_err("refused");
        assert!(missing.to_string().contains("name the right file"), "{missing}");
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
