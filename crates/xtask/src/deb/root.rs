//! A root folder in which a package can be installed and run: the shell and the few programs that its
//! scripts call, with their libraries, copied from this machine. Gone when dropped.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::shell;

/// What maintainer scripts call.
const PROGRAMS: &[&str] = &[
    "sh", "getent", "groupadd", "useradd", "userdel", "install", "rm", "rmdir", "true", "id",
];
/// What users and groups are kept in, and what the tools that keep them read.
const SETTINGS: &[&str] = &["etc/login.defs", "etc/nsswitch.conf", "etc/pam.d"];

/// The folder.
pub(super) struct Root(pub(super) PathBuf);

impl Root {
    /// Makes one.
    pub(super) fn make() -> Result<Self> {
        let root = Self(std::env::temp_dir().join(format!("sen-deb-{}", std::process::id())));
        let path = &root.0;
        for folder in [
            "etc",
            "tmp",
            "dev",
            "proc",
            "var/lib/dpkg/info",
            "var/lib/dpkg/updates",
            "var/lib/dpkg/triggers",
            "var/log",
            "run",
        ] {
            fs::create_dir_all(path.join(folder))?;
        }
        // As every Debian today: one /usr, and the old names lead there.
        for (old, new) in [
            ("bin", "usr/bin"),
            ("sbin", "usr/sbin"),
            ("lib", "usr/lib"),
            ("lib64", "usr/lib64"),
        ] {
            fs::create_dir_all(path.join(new))?;
            std::os::unix::fs::symlink(new, path.join(old))?;
        }
        fs::write(path.join("var/lib/dpkg/status"), "")?;
        // A plain file will do: scripts only throw words away, and a device may not be made in a container.
        fs::write(path.join("dev/null"), "")?;
        fs::write(path.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
        fs::write(path.join("etc/group"), "root:x:0:\n")?;
        fs::write(path.join("etc/shadow"), "root:*:20000:0:99999:7:::\n")?;
        fs::write(path.join("etc/gshadow"), "root:*::\n")?;
        let mut wanted = BTreeSet::new();
        for program in PROGRAMS {
            let found = find(program).with_context(|| format!("{program} is not installed"))?;
            wanted.extend(libraries(&found)?);
            wanted.insert(found);
        }
        for setting in SETTINGS
            .iter()
            .map(|s| Path::new("/").join(s))
            .filter(|s| s.exists())
        {
            shell::run(
                Command::new("cp")
                    .args(["-rL", "--parents"])
                    .arg(&setting)
                    .arg(path),
            )?;
        }
        for file in wanted {
            root.bring(&file)?;
        }
        Ok(root)
    }

    /// Copies what a program that was installed there needs from this machine.
    pub(super) fn bring_libraries_of(&self, program: &str) -> Result<()> {
        for file in libraries(&self.0.join(program))? {
            self.bring(&file)?;
        }
        Ok(())
    }

    fn bring(&self, file: &Path) -> Result<()> {
        let to = self
            .0
            .join(file.strip_prefix("/").context("a path of this machine")?);
        if !to.exists() {
            fs::create_dir_all(to.parent().context("a file stands in a folder")?)?;
            fs::copy(file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        Ok(())
    }

    /// A command inside, as a user of that root.
    pub(super) fn command(&self, user: &str, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command
            .arg(format!("--userspec={user}:{user}"))
            .arg(&self.0)
            .args(words);
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin")
            .env("LC_ALL", "C");
        command
    }

    /// The files below, without folders, relative to the root.
    pub(super) fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        walk(&self.0, &self.0, &mut found)?;
        Ok(found)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn walk(folder: &Path, root: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), root, found)?;
        } else {
            found.insert(entry.path().strip_prefix(root)?.to_owned());
        }
    }
    Ok(())
}

fn find(program: &str) -> Option<PathBuf> {
    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.is_file())
}

/// The libraries a program is started with, the loader among them.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let listed = shell::output(Command::new("ldd").arg(program))?;
    let words = listed.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(words.map(PathBuf::from).collect())
}
