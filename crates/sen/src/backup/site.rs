//! The nodes of a data folder and where their rows are: for commands that look at a folder beside the
//! nodes that use it. Never starts anything.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use store::Database;

use crate::config::Config;
use crate::up::prepare::Layout;

/// A node of a data folder.
#[derive(Clone, Debug)]
pub struct NodeAt {
    /// Its folder's name; empty when the data folder is the node's own.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its rows.
    pub database: Database,
}

/// A data folder and its nodes.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder.
    pub data: PathBuf,
    /// Its nodes, by name.
    pub nodes: Vec<NodeAt>,
}

impl Site {
    /// The nodes of a folder; `database` is `sqlite` or the URL of a PostgreSQL database.
    ///
    /// # Errors
    /// When the folder has no node.
    pub fn of(data: &Path, database: &str) -> anyhow::Result<Self> {
        let entries = std::fs::read_dir(data).with_context(|| format!("cannot read {}", data.display()))?;
        let mut folders: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_node(path))
            .collect();
        folders.sort();
        let mut nodes = Vec::new();
        for folder in folders {
            let name = folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            nodes.push(NodeAt {
                database: place(data, &name, &folder, database)?,
                name,
                folder,
            });
        }
        if nodes.is_empty() && is_node(data) {
            nodes.push(NodeAt {
                name: String::new(),
                folder: data.to_owned(),
                database: place(data, "node", data, database)?,
            });
        }
        ensure!(
            !nodes.is_empty(),
            "{} holds no node: name the data folder with --data",
            data.display()
        );
        Ok(Self {
            data: data.to_owned(),
            nodes,
        })
    }

    /// The folder that flags and a configuration name, flags first; `SEN_DATABASE` wins for the rows.
    ///
    /// # Errors
    /// As [`Site::of`]; when the configuration cannot be read.
    pub fn named(data: Option<PathBuf>, config: Option<&Path>) -> anyhow::Result<Self> {
        let config = config.map_or_else(|| Ok(Config::default()), Config::read)?;
        Self::of(&data.unwrap_or(config.data), &database(config.database))
    }
}

/// The rows' place that the environment names, or the given one.
#[must_use]
pub fn database(configured: String) -> String {
    std::env::var("SEN_DATABASE").unwrap_or(configured)
}

fn is_node(path: &Path) -> bool {
    ["keys", "logs"].iter().any(|sub| path.join(sub).is_dir()) || path.join("sen.db").is_file()
}

/// Where a node's rows are.
pub(crate) fn place(data: &Path, name: &str, folder: &Path, database: &str) -> anyhow::Result<Database> {
    if database == "sqlite" {
        return Ok(Database::Sqlite(folder.join("sen.db")));
    }
    Ok(Database::Postgres {
        url: database.to_owned(),
        schema: format!("sen_{}_{name}", Layout::of(data).id()?),
    })
}
