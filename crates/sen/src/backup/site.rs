//! The nodes of a data folder and where their rows are: for commands that look at a folder beside the
//! nodes that use it, a sample nation's or a real node's. Never starts anything.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use kernel::limits::Limits;
use store::Database;

use crate::config::{Archive, Config};
use crate::serve::secrets::Secrets;
use crate::serve::settings::Settings;
use crate::up::prepare::Layout;

/// The hub's certificate in a real node's folder, kept there at each start; a nation has one for all.
pub const HUB: &str = "hub.pem";

/// A node of a data folder.
#[derive(Clone, Debug)]
pub struct NodeAt {
    /// Its folder's name; empty when the data folder is the node's own.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The folder of its keys.
    pub keys: PathBuf,
    /// Its rows.
    pub database: Database,
}

impl NodeAt {
    /// The certificate by which its directory is believed.
    #[must_use]
    pub fn hub(&self) -> PathBuf {
        hub_of(&self.folder)
    }
}

/// The hub's certificate for a node's folder: the node's own copy, or the nation's.
pub(crate) fn hub_of(folder: &Path) -> PathBuf {
    let own = folder.join(HUB);
    match folder.parent() {
        Some(nation) if !own.is_file() => Layout::of(nation).hub(),
        _ => own,
    }
}

/// A data folder and its nodes.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder.
    pub data: PathBuf,
    /// Its nodes, by name.
    pub nodes: Vec<NodeAt>,
    /// A root that its certificates lead to.
    pub trust: PathBuf,
    /// The configuration that it was found by; none for a sample nation.
    pub config: Option<PathBuf>,
}

impl Site {
    /// The nodes of a folder; `database` is `sqlite` or the URL of a PostgreSQL database.
    ///
    /// # Errors
    /// When the folder has no node.
    pub fn of(data: &Path, database: &str) -> anyhow::Result<Self> {
        let rows = Rows::of(database);
        let entries = std::fs::read_dir(data).with_context(|| format!("cannot read {}", data.display()))?;
        let mut folders: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_node(path))
            .collect();
        folders.sort();
        let at = |name: String, folder: PathBuf| -> anyhow::Result<NodeAt> {
            Ok(NodeAt {
                database: rows.place(data, &name, &folder)?,
                keys: folder.join("keys"),
                name,
                folder,
            })
        };
        let mut nodes = Vec::new();
        if is_node(data) {
            nodes.push(at(String::new(), data.to_owned())?);
        } else {
            for folder in folders {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                nodes.push(at(name.into_owned(), folder.clone())?);
            }
        }
        ensure!(
            !nodes.is_empty(),
            "{} holds no node: name the data folder with --data",
            data.display()
        );
        Ok(Self {
            nodes,
            trust: Layout::of(data).ca(),
            config: None,
            data: data.to_owned(),
        })
    }
}

fn is_node(path: &Path) -> bool {
    ["keys", "logs"].iter().any(|sub| path.join(sub).is_dir()) || path.join("sen.db").is_file()
}

/// Where the rows of a data folder's nodes are.
#[derive(Clone, Debug)]
pub enum Rows {
    /// `sen.db` in each node's folder.
    Files,
    /// A server, by its URL: each node of a sample nation has a schema of its own there.
    Server(String),
    /// The one schema of a real node.
    Schema(Database),
}

impl Rows {
    /// Those of a folder whose configuration says `sqlite` or the URL of a PostgreSQL database.
    #[must_use]
    pub fn of(database: &str) -> Self {
        match database {
            "sqlite" => Self::Files,
            url => Self::Server(url.to_owned()),
        }
    }

    /// The engine's name in a backup.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Files => "sqlite",
            Self::Server(_) | Self::Schema(_) => "postgres",
        }
    }

    /// Where a node's rows are.
    ///
    /// # Errors
    /// When the folder of a sample nation on a server was not prepared.
    pub(crate) fn place(&self, data: &Path, name: &str, folder: &Path) -> anyhow::Result<Database> {
        Ok(match self {
            Self::Files => Database::Sqlite(folder.join("sen.db")),
            Self::Server(url) => {
                let id = Layout::of(data).id().context(
                    "the rows are on a server: name the configuration of a real node with --config, so that its schema is known",
                )?;
                Database::Postgres {
                    url: url.clone(),
                    schema: format!("sen_{id}_{name}"),
                }
            }
            Self::Schema(database) => database.clone(),
        })
    }
}

/// A configuration of either kind, and the file it was read from.
#[derive(Clone, Debug)]
pub enum Configured {
    /// Of `sen up`: a sample nation.
    Nation(Box<Config>),
    /// Of `sen serve`: a real node.
    Node(Box<Settings>, PathBuf),
}

impl Configured {
    /// Reads a configuration file; the defaults of a sample nation when none is named. A real node's
    /// names the node by `id`.
    ///
    /// # Errors
    /// When the file cannot be read, or has a key or value that is not known.
    pub fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else {
            return Ok(Self::Nation(Box::default()));
        };
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let table: toml::Table =
            toml::from_str(&text).with_context(|| format!("{} is no TOML", file.display()))?;
        Ok(if table.contains_key("id") {
            Self::Node(Box::new(Settings::read(file)?), file.to_owned())
        } else {
            Self::Nation(Box::new(Config::read(file)?))
        })
    }

    /// The bounds in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        match self {
            Self::Nation(config) => &config.limits,
            Self::Node(settings, _) => &settings.limits,
        }
    }

    /// The pack of the country.
    #[must_use]
    pub fn pack(&self) -> &Path {
        match self {
            Self::Nation(config) => &config.pack,
            Self::Node(settings, _) => &settings.pack,
        }
    }

    /// What becomes of old evidence: a sample nation's is kept.
    #[must_use]
    pub fn archive(&self) -> Archive {
        match self {
            Self::Nation(_) => Archive::default(),
            Self::Node(settings, _) => settings.archive.clone(),
        }
    }

    /// Where the rows of a data folder are; `SEN_DATABASE` wins over the file.
    ///
    /// # Errors
    /// When a credential cannot be read.
    pub fn rows(&self, secrets: &Secrets) -> anyhow::Result<Rows> {
        match self {
            Self::Nation(config) => {
                let told = secrets.database.as_deref();
                Ok(Rows::of(told.unwrap_or(&config.database)))
            }
            Self::Node(settings, _) => match crate::serve::plan::database(settings, secrets)? {
                Database::Sqlite(_) => Ok(Rows::Files),
                server @ Database::Postgres { .. } => Ok(Rows::Schema(server)),
            },
        }
    }

    /// The data folder and its nodes; `data` wins over the file.
    ///
    /// # Errors
    /// As [`Site::of`] and [`Configured::rows`].
    pub fn site(&self, data: Option<&Path>, secrets: &Secrets) -> anyhow::Result<Site> {
        match self {
            Self::Nation(config) => {
                let told = secrets.database.as_deref();
                Site::of(data.unwrap_or(&config.data), told.unwrap_or(&config.database))
            }
            Self::Node(settings, file) => {
                let elsewhere = data.filter(|data| *data != settings.data);
                let data = data.unwrap_or(&settings.data);
                ensure!(
                    is_node(data),
                    "{} holds no node: the key data of {}, or --data, names its folder",
                    data.display(),
                    file.display()
                );
                let node = NodeAt {
                    name: String::new(),
                    folder: data.to_owned(),
                    // A folder that was restored elsewhere has its keys with it.
                    keys: elsewhere.map_or_else(|| settings.keys_folder(), |data| data.join("keys")),
                    database: self.rows(secrets)?.place(data, "", data)?,
                };
                Ok(Site {
                    data: data.to_owned(),
                    nodes: vec![node],
                    trust: settings.keys.trusted.first().cloned().unwrap_or_default(),
                    config: Some(file.clone()),
                })
            }
        }
    }
}
