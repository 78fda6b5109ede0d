//! A running node's portal as a command reaches it: its address, the roots of its certificate, and the key
//! that lets one in. Never what is asked there.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use kernel::World;
use web::client::Client;

/// An address without what a path would double, and a client for it: `https` by the roots in the file that
/// `flag` names, `http` without any.
///
/// # Errors
/// When the address needs roots and none are named, or they cannot be read.
pub(crate) fn reach(
    url: &str,
    (trust, flag): (Option<&Path>, &str),
    world: &World,
) -> anyhow::Result<(String, Client)> {
    let url = url.trim_end_matches('/').to_owned();
    if !url.starts_with("https://") {
        return Ok((url, Client::plain()));
    }
    let trust = trust.with_context(|| format!("{flag}: name the roots of the node's certificate"))?;
    let config = web::tls::service_config(world, &read(trust)?, None);
    let config = config.map_err(|e| anyhow::anyhow!("{}: {e}", trust.display()))?;
    Ok((url, Client::tls(config)))
}

/// The API key on the first line of a file.
///
/// # Errors
/// When the file cannot be read, or has none there.
pub(crate) fn key_of_file(file: &Path) -> anyhow::Result<String> {
    let text = read(file)?;
    let key = text.lines().next().unwrap_or_default().trim();
    let is_one = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
    ensure!(is_one, "{} has no API key on its first line", file.display());
    Ok(key.to_owned())
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_by_https_needs_roots_and_one_by_http_none() {
        let world = World::of_this_machine();
        let (url, _) = reach("http://127.0.0.1:8081/", (None, "--trust"), &world).expect("reached");
        assert_eq!(url, "http://127.0.0.1:8081");
        let refused = |url: &str, roots: Option<&Path>| {
            let Err(refusal) = reach(url, (roots, "--trust"), &world) else {
                panic!("{url} was reached")
            };
            refusal.to_string()
        };
        let told = refused("https://node.example.vn", None);
        assert!(told.contains("--trust: name the roots"), "{told}");
        let told = refused("https://node.example.vn", Some(Path::new("/nowhere/roots.pem")));
        assert!(told.contains("/nowhere/roots.pem cannot be read"), "{told}");
    }
}
