//! An order to the node that a command has left in its folder: which archived spans leave the live log. The
//! node follows it while it runs, or when it starts: it alone writes its log. Never an archive that is not, byte
//! for byte, the one that was checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use exchange::{Exchange, Leaving};
use kernel::Digest;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::up::prepare::write;

/// The order's file in the node's folder.
pub const FILE: &str = "leaving.json";
/// Why the last order was refused, in the node's folder.
pub const REFUSED: &str = "leaving.refused";
/// The form of this release.
const FORM: &str = "sen-leaving/1";
/// How often the node looks for an order.
const REST: Duration = Duration::from_secs(2);

/// What is to leave.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    form: String,
    /// The folder of the archives.
    archives: PathBuf,
    spans: Vec<Leaving>,
}

/// Leaves an order in a node's folder.
///
/// # Errors
/// When there is nothing to do, or the folder cannot be written.
pub fn leave(node: &Path, archives: &Path, spans: Vec<Leaving>) -> anyhow::Result<()> {
    ensure!(!spans.is_empty(), "nothing may leave the live log now");
    let order = Order {
        form: FORM.to_owned(),
        archives: archives
            .canonicalize()
            .with_context(|| format!("cannot read {}", archives.display()))?,
        spans,
    };
    std::fs::remove_file(node.join(REFUSED)).ok();
    let unfinished = node.join(format!("{FILE}.new"));
    write(&unfinished, &serde_json::to_vec_pretty(&order)?, 0o600)?;
    std::fs::rename(&unfinished, node.join(FILE))?;
    Ok(())
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The node has not followed it yet.
    Waits,
    /// The node has followed it.
    Done,
    /// The node refused it.
    Refused(String),
}

/// How the last order of a node's folder stands.
#[must_use]
pub fn ended(node: &Path) -> Ended {
    if node.join(FILE).is_file() {
        return Ended::Waits;
    }
    std::fs::read_to_string(node.join(REFUSED)).map_or(Ended::Done, Ended::Refused)
}

/// Follows orders for as long as the node runs.
pub async fn follow(exchange: Exchange, node: PathBuf, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(cause) = once(&exchange, &node).await {
            tracing::error!(%cause, "an order to take archived evidence off the live log was not followed");
        }
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Follows the order that is there, if one is; true when there was one. What a crash cut short is done again:
/// a span that has left already is passed over.
///
/// # Errors
/// When it is refused; then its file says so, and is no order any more.
pub async fn once(exchange: &Exchange, node: &Path) -> anyhow::Result<bool> {
    let file = node.join(FILE);
    if !file.is_file() {
        return Ok(false);
    }
    match followed(exchange, &file).await {
        Ok(()) => {
            std::fs::remove_file(&file)?;
            Ok(true)
        }
        Err(cause) => {
            write(&node.join(REFUSED), format!("{cause:#}").as_bytes(), 0o600)?;
            std::fs::remove_file(&file)?;
            Err(cause)
        }
    }
}

async fn followed(exchange: &Exchange, file: &Path) -> anyhow::Result<()> {
    let order: Order = serde_json::from_slice(&std::fs::read(file)?).context("the order cannot be read")?;
    ensure!(order.form == FORM, "the order has the form {}", order.form);
    take_off(exchange, &order.archives, order.spans).await
}

/// Takes spans off the live log of a running node, after reading each archive once more: it must be the very
/// bytes that were checked.
///
/// # Errors
/// When an archive is not what it was, or the node still needs some of it.
pub async fn take_off(exchange: &Exchange, archives: &Path, spans: Vec<Leaving>) -> anyhow::Result<()> {
    let (archives, checked) = (archives.to_owned(), spans.clone());
    let read = move || -> anyhow::Result<()> {
        for span in &checked {
            let file = archives.join(&span.file);
            let is_plain = Path::new(&span.file)
                .file_name()
                .is_some_and(|name| name == span.file.as_str());
            ensure!(is_plain, "{} is no file of the archives' folder", span.file);
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            ensure!(
                Digest::of(&bytes) == span.sha256,
                "{} is not what it was when it was checked",
                file.display()
            );
        }
        Ok(())
    };
    tokio::task::spawn_blocking(read).await??;
    let left = exchange.leave(&spans).await;
    left.map_err(|problem| anyhow::anyhow!("{}", crate::evidence::said(&problem)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_waits_until_the_node_has_followed_it_or_said_why_not() {
        let folder =
            std::env::temp_dir().join(format!("sen-leaving-{}", kernel::World::of_this_machine().id()));
        let (node, archives) = (&folder.join("node"), &folder.join("archives"));
        for made in [node, archives] {
            std::fs::create_dir_all(made).expect("a folder");
        }
        assert!(leave(node, archives, Vec::new()).is_err(), "nothing may leave");
        assert_eq!(ended(node), Ended::Done);
        let span = Leaving {
            first: 0,
            next: 7,
            file: "evidence-0-x.archive".to_owned(),
            sha256: Digest::of(b"x"),
            bytes: 1,
            class: "exchange".to_owned(),
            keep_until: None,
        };
        leave(node, archives, vec![span.clone()]).expect("left");
        assert_eq!(ended(node), Ended::Waits);
        let read: Order =
            serde_json::from_slice(&std::fs::read(node.join(FILE)).expect("there")).expect("an order");
        assert_eq!((read.form.as_str(), read.spans), (FORM, vec![span]));
        std::fs::remove_file(node.join(FILE)).expect("followed");
        std::fs::write(node.join(REFUSED), "because").expect("written");
        assert_eq!(ended(node), Ended::Refused("because".to_owned()));
        std::fs::remove_dir_all(folder).ok();
    }
}
