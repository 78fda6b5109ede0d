//! What the suites need from the machine, installed from Debian when it is missing. Touches nothing
//! when everything is there, so that a machine without a network can run the suites.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// A program and the package that brings it.
pub(crate) type Need = (&'static str, &'static str);

/// What the suites call: a server to test on, the readers that check what we sign, a browser.
pub(crate) const FOR_TESTS: &[Need] = &[
    ("git", "git"),
    ("initdb", "postgresql"),
    ("pdftotext", "poppler-utils"),
    ("pdfsig", "poppler-utils"),
    ("certutil", "libnss3-tools"),
    ("xmlsec1", "xmlsec1"),
    ("openssl", "openssl"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("npm", "npm"),
];

/// Installs what is missing.
///
/// # Errors
/// When something is missing and cannot be installed: the message names it.
pub(crate) fn install(needs: &[Need]) -> Result<()> {
    let packages = missing(needs, is_there);
    if packages.is_empty() {
        return Ok(());
    }
    println!("installing from Debian: {}", packages.join(" "));
    if get(&["install"], &packages).is_err() {
        get(&["update"], &[])?;
        get(&["install"], &packages)?;
    }
    let still = missing(needs, is_there);
    if still.is_empty() {
        Ok(())
    } else {
        bail!("still missing: {}", still.join(" "))
    }
}

/// The folder of PostgreSQL's own programs, which Debian keeps off the path.
pub(crate) fn postgres_folder() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    folders.sort();
    folders.pop()
}

fn is_there(name: &str) -> bool {
    shell::is_installed(name) || (name == "initdb" && postgres_folder().is_some())
}

fn missing(needs: &[Need], is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut packages: Vec<_> = needs
        .iter()
        .filter(|(name, _)| !is_there(name))
        .map(|(_, package)| *package)
        .collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn get(verb: &[&str], packages: &[&str]) -> Result<()> {
    let mut command = if shell::is_root() {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        sudo
    };
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-q", "-y", "--no-install-recommends"]);
    shell::run(command.args(verb).args(packages)).with_context(|| {
        format!(
            "needed and not installed: {} (on another system than Debian install them by hand)",
            packages.join(" ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_asked_for_once_and_only_when_something_is_missing() {
        assert!(missing(FOR_TESTS, |_| true).is_empty());
        assert_eq!(
            missing(FOR_TESTS, |name| !name.starts_with("pdf")),
            ["poppler-utils"]
        );
        assert_eq!(
            missing(FOR_TESTS, |name| name != "xmlsec1" && name != "openssl"),
            ["openssl", "xmlsec1"]
        );
    }
}
