//! `sen doctor`: looks at a data folder for what is trouble now or will be, and says of each finding what
//! it is, why it matters and what to do. Never changes anything, and never needs the nodes to run.
//!
//! | read | for |
//! |---|---|
//! | [`files`] | rights, room on the disk, what was not done lately |
//! | [`keys`] | keys, certificates, the directory |
//! | [`rows`] | the database, the outbox, the timestamps |
//! | [`clock`] | this machine's time beside others' |
//! | [`mark`] | when the folder was checked and backed up last |

pub mod clock;
pub mod files;
pub mod keys;
pub mod mark;
pub mod rows;

use kernel::limits::Limits;
use kernel::{Time, World};
use serde::Serialize;

use crate::backup::site::Site;

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check that found it: a word for programs.
    pub check: &'static str,
    /// The node's name; empty for the folder as a whole.
    pub node: String,
    /// What it is.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub remedy: String,
}

/// What every check is given.
#[derive(Clone)]
pub(crate) struct Round {
    pub(crate) now: Time,
    pub(crate) limits: Limits,
}

/// Looks at everything.
pub async fn examine(site: &Site, limits: &Limits, world: &World) -> Vec<Finding> {
    let round = Round {
        now: world.now(),
        limits: limits.clone(),
    };
    let mut found = files::of_site(site, &round);
    let newest = site
        .nodes
        .iter()
        .filter_map(|node| keys::directory(node).ok())
        .map(|snapshot| snapshot.serial)
        .max();
    for node in &site.nodes {
        found.extend(files::of_node(node, &round));
        found.extend(keys::of_node(node, newest, &round));
        found.extend(rows::of_node(node, &round).await);
    }
    found.extend(clock::of_site(site, &round).await);
    found
}

/// The findings in words.
#[must_use]
pub fn as_text(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "Nothing found.".to_owned();
    }
    let mut text = String::new();
    for finding in findings {
        let place = if finding.node.is_empty() {
            String::new()
        } else {
            format!(" ({})", finding.node)
        };
        text.push_str(&format!(
            "{}{place}: {}\n  why  {}\n  do   {}\n",
            finding.check, finding.what, finding.why, finding.remedy
        ));
    }
    let count = findings.len();
    text.push_str(&format!("{count} finding{}", if count == 1 { "" } else { "s" }));
    text
}
