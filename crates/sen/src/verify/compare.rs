//! The rows of a node beside its log: what a bit that turned over in the database, or a hand, has changed
//! there. Never says which of the two is right: the log has its roots, the rows have none.

use std::path::Path;

use seal::verdict::Verdict;
use store::Database;

use crate::backup::restore::read_leaves;
use crate::backup::site::Site;

/// Compares the rows of every node of a folder with its log of facts; a folder without rows (logs that
/// were taken away alone) has nothing to compare.
///
/// # Errors
/// The verdict when they part, naming the first position.
pub(super) async fn folder(path: &Path) -> Result<(), Verdict> {
    match Site::of(path, "sqlite") {
        Ok(site) => nodes(&site).await,
        Err(_) => Ok(()),
    }
}

/// Compares the rows of nodes with their logs of facts.
pub(super) async fn nodes(site: &Site) -> Result<(), Verdict> {
    for node in &site.nodes {
        if matches!(&node.database, Database::Sqlite(file) if !file.is_file()) {
            continue;
        }
        rows(
            &node.database,
            &node.folder,
            &node.folder.join("logs").join("facts"),
        )
        .await?;
    }
    Ok(())
}

/// Compares a node's rows with a log of facts; `named` is what the verdict names.
pub(super) async fn rows(database: &Database, named: &Path, log: &Path) -> Result<(), Verdict> {
    let name = |what: &str| format!("{} {what}", named.display());
    let failed = |why: String| Verdict::failed(why, name("rows"));
    // The log first: what is sealed meanwhile is past its end.
    let leaves = read_leaves(log).map_err(|e| failed(e.to_string()))?;
    match store::check::pages(database).await {
        Ok(None) => {}
        Ok(Some(why)) => return Err(failed(format!("the database is damaged: {why}"))),
        Err(cause) => return Err(failed(cause.to_string())),
    }
    match store::check::facts(database, &leaves).await {
        Ok(None) => Ok(()),
        Ok(Some(parted)) => Err(Verdict::failed(
            parted.why,
            name(&format!("row of fact {}", parted.position)),
        )),
        Err(cause) => Err(failed(cause.to_string())),
    }
}
