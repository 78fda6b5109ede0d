//! The nation of the story: three child processes in a temporary folder, or one that runs already.
//! Knows how to kill a node and start it again.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use kernel::World;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::config::Config;
use crate::up::accounts::{self, Sample};
use crate::up::nation::{PLACES, Place, SIMULATORS};
use crate::up::prepare::{self, Layout};

/// Time for a node to say that it is ready.
const READY: Duration = Duration::from_secs(60);
/// Synthetic people of a story's own nation, count.
const PEOPLE: usize = 2_000;

/// The nation in which the story happens.
pub struct Nation {
    /// Its first port.
    pub port: u16,
    /// Its data folder.
    pub data: PathBuf,
    /// Its sample sign-ins.
    pub samples: Vec<Sample>,
    /// Arguments of every start besides the usual ones.
    pub extra: Vec<std::ffi::OsString>,
    /// Where its rows are, when the environment does not say.
    database: Option<String>,
    program: PathBuf,
    children: Vec<(Place, Child)>,
    /// Removed at the end, when the story made it.
    temporary: bool,
}

impl Nation {
    /// Prepares a temporary folder and starts one process a node.
    ///
    /// # Errors
    /// When a process does not become ready.
    pub async fn start(program: &Path, world: &World) -> anyhow::Result<Self> {
        let data = std::env::temp_dir().join(format!("sen-story-{}", world.id()));
        let mut nation = Self::start_in(program, data, None, None, world).await?;
        nation.temporary = true;
        Ok(nation)
    }

    /// Starts one process a node on a folder, which is prepared when it is empty and stays at the end.
    /// A folder that was used before needs its first port again: people are known by the address of
    /// the identity provider that vouches for them.
    ///
    /// # Errors
    /// As [`Nation::start`].
    pub async fn start_in(
        program: &Path,
        data: PathBuf,
        port: Option<u16>,
        database: Option<String>,
        world: &World,
    ) -> anyhow::Result<Self> {
        let port = port.map_or_else(|| free_ports(world), Ok)?;
        prepare::prepare(&data, &Config::default().pack, port, world)?;
        let samples = accounts::read(&data)?;
        let mut nation = Self {
            port,
            data,
            samples,
            extra: Vec::new(),
            database,
            program: program.to_owned(),
            children: Vec::new(),
            temporary: false,
        };
        for place in PLACES {
            nation.start_node(place).await?;
        }
        Ok(nation)
    }

    /// A nation that runs already, by its national portal. Its sign-ins are read from `./sen-data`
    /// or the folder that `SEN_DATA` names.
    ///
    /// # Errors
    /// When the address has no port or the folder is not that nation's.
    pub fn running(url: &str) -> anyhow::Result<Self> {
        let port = url
            .trim_end_matches('/')
            .rsplit(':')
            .next()
            .and_then(|p| p.parse().ok());
        let port = port.with_context(|| {
            format!("{url} names no port: give the national portal, http://127.0.0.1:8080")
        })?;
        let data = std::env::var_os("SEN_DATA").map_or_else(|| Config::default().data, PathBuf::from);
        let samples = accounts::read(&data).context(
            "the sample sign-ins are not found: run this beside sen-data, or name its folder in SEN_DATA",
        )?;
        Ok(Self {
            port,
            data,
            samples,
            extra: Vec::new(),
            database: None,
            program: PathBuf::new(),
            children: Vec::new(),
            temporary: false,
        })
    }

    /// True when this story may kill a node.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.temporary
    }

    /// The portal of a place.
    #[must_use]
    pub fn url(&self, place: Place) -> String {
        place.url(self.port)
    }

    /// The data folder's paths.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(&self.data)
    }

    /// The first sample sign-in of a role at a place.
    ///
    /// # Errors
    /// When there is none.
    pub fn sample(&self, role: &str, place: Place) -> anyhow::Result<&Sample> {
        let found = self
            .samples
            .iter()
            .find(|s| s.role == role && s.node == place.id());
        found.with_context(|| format!("there is no sample {role} at {}", place.id()))
    }

    /// Starts a node's process and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or says nothing in time.
    pub async fn start_node(&mut self, place: Place) -> anyhow::Result<()> {
        self.start_node_dying(place, "").await
    }

    /// As [`Nation::start_node`], but the process dies at a place of a write, given as
    /// `site:nth` (see [`store::fault`]); maybe before it is ready.
    ///
    /// # Errors
    /// As [`Nation::start_node`]; also when it died before it was ready.
    pub async fn start_node_dying(&mut self, place: Place, site: &str) -> anyhow::Result<()> {
        let mut child = Command::new(&self.program)
            .env(store::fault::VARIABLE, site)
            .envs(self.database.iter().map(|url| ("SEN_DATABASE", url)))
            .args([
                "up",
                "--json",
                "--only",
                place.id(),
                "--port",
                &self.port.to_string(),
            ])
            .args(["--people", &PEOPLE.to_string(), "--data"])
            .arg(&self.data)
            .arg("--pack")
            .arg(Config::default().pack)
            .args(&self.extra)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let out = child.stdout.take().context("a child has an output")?;
        let mut lines = BufReader::new(out).lines();
        match tokio::time::timeout(READY, lines.next_line()).await {
            Ok(Ok(Some(line))) if line.contains("\"ready\":true") => {}
            Ok(other) => bail!("the node {} ended before it was ready ({other:?})", place.id()),
            Err(_) => bail!(
                "the node {} did not become ready within {} s",
                place.id(),
                READY.as_secs()
            ),
        }
        self.children.push((place, child));
        Ok(())
    }

    /// The processes' ids, for who stops them for a moment.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        self.children.iter().filter_map(|(_, child)| child.id()).collect()
    }

    /// Waits for a node's process to end by itself; true when it did within the time.
    pub async fn ended(&mut self, place: Place, patience: Duration) -> bool {
        let Some(index) = self.children.iter().position(|(p, _)| *p == place) else {
            return true;
        };
        let (_, child) = &mut self.children[index];
        let ended = tokio::time::timeout(patience, child.wait()).await.is_ok();
        if ended {
            self.children.swap_remove(index);
        }
        ended
    }

    /// Kills a node's process at once (SIGKILL).
    ///
    /// # Errors
    /// When there is no such child.
    pub async fn kill(&mut self, place: Place) -> anyhow::Result<()> {
        let index = self
            .children
            .iter()
            .position(|(p, _)| *p == place)
            .context("the node is no child of this story")?;
        let (_, mut child) = self.children.swap_remove(index);
        child.kill().await.context("cannot kill the node")
    }

    /// Stops what the story started and removes what it made.
    pub async fn stop(mut self) {
        for (_, child) in &mut self.children {
            child.kill().await.ok();
        }
        if self.temporary {
            std::fs::remove_dir_all(&self.data).ok();
        }
    }
}

/// A first port such that all that count from it are free, and given to nobody else as long as this
/// process lives. Below the ports that the machine gives to callers.
///
/// # Errors
/// When there is none.
pub fn free_ports(world: &World) -> anyhow::Result<u16> {
    const BLOCKS: u16 = 200;
    const WIDTH: u16 = 60;
    // The last port of each block that was given is held: who looks meanwhile, here or in another
    // process, finds it taken before the nodes listen.
    static GIVEN: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
    let used = || {
        PLACES
            .into_iter()
            .flat_map(|p| [p as u16, 10 + p as u16, 20 + p as u16, 40 + p as u16])
            .chain([SIMULATORS, SIMULATORS + 1])
    };
    let begin = u16::from_le_bytes(world.random()) % BLOCKS;
    for block in (begin..BLOCKS).chain(0..begin) {
        let first = 20_000 + block * WIDTH;
        let Ok(given) = TcpListener::bind(("127.0.0.1", first + WIDTH - 1)) else {
            continue;
        };
        if used().all(|offset| TcpListener::bind(("127.0.0.1", first + offset)).is_ok()) {
            GIVEN.lock().unwrap_or_else(PoisonError::into_inner).push(given);
            return Ok(first);
        }
    }
    bail!("no free ports between 20000 and 32000")
}
