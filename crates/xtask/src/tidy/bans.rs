//! Crates that must not be drawn in: second TLS stacks, native crypto beside ours, and RSA code with
//! a known timing fault. Versions come from the public registry alone.

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::Tree;
use crate::shell;

/// Not even in the lock file.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "aws-lc-rs is the one crypto provider"),
    ("native-tls", "rustls is the one TLS stack"),
    ("rsa", "RUSTSEC-2023-0071; aws-lc-rs verifies RSA"),
];

/// May be locked as somebody's unused option, but must not be built.
const UNBUILT: &[&str] = &["ring"];

/// Where locked versions come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The lock file and the tree that is built.
pub(crate) fn check(tree: &Tree) -> Result<Vec<String>> {
    let (_, lock) = tree
        .ending("Cargo.lock")
        .next()
        .context("Cargo.lock is tracked")?;
    let mut faults = locked(lock)?;
    for name in UNBUILT {
        let built = shell::output(&mut shell::cargo(&[
            "tree",
            "--workspace",
            "--locked",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--invert",
            name,
        ]));
        if built.is_ok_and(|text| text.lines().any(|line| line.starts_with(name))) {
            faults.push(format!("{name} is built: aws-lc-rs is the one crypto provider"));
        }
    }
    Ok(faults)
}

fn locked(text: &str) -> Result<Vec<String>> {
    let table: Table = text.parse().context("Cargo.lock")?;
    let mut faults = Vec::new();
    for package in table
        .get("package")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| *banned == name) {
            faults.push(format!("Cargo.lock: {name} is banned ({why})"));
        }
        match package.get("source").and_then(Value::as_str) {
            None | Some(REGISTRY) => {}
            Some(_) => faults.push(format!(
                "Cargo.lock: {name} comes from elsewhere than the public registry"
            )),
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_tls_stack_is_refused() {
        let lock = |name: &str, source: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n")
        };
        let count = |text: &str| locked(text).expect("a lock file").len();
        assert_eq!(count(&lock("serde", REGISTRY)), 0);
        assert_eq!(count(&lock("native-tls", REGISTRY)), 1);
        assert_eq!(count(&lock("serde", "git+https://example.org/serde")), 1);
    }
}
