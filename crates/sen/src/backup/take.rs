//! Taking a backup: rows first, then every log up to what those rows know, then the files, among them the
//! kept bodies, which are on the disk before the record that names them. Never stops
//! the nodes, and never leaves a file that looks like a backup and is not whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kernel::{Time, World};
use store::Database;
use store::backup::Span;
use store::log::checkpoint;

use super::archive::{self, FileIn, Manifest, NodeIn, StreamIn};
use super::crypt::Sealing;
use super::site::{NodeAt, Site};
use crate::up::prepare::private_folder;

/// The log whose records are also rows.
const FACTS: &str = "facts";
/// Rows are copied here, within the node's folder: the same disk, the same rights.
const STAGING: &str = "backup-rows";
/// A server's rows in the backup, within the node's folder.
pub(super) const ROWS: &str = "rows";
/// How long a sealed fact may take to reach its log.
const APPENDED: Duration = Duration::from_secs(5);
/// Between two words on how far it is, in milliseconds.
const TELL_MS: i64 = 1_000;
/// Names that belong to a running process or an unfinished write.
const PASSED_OVER: &[&str] = &[
    "held",
    "spool",
    STAGING,
    "sen.db",
    "sen.db-wal",
    "sen.db-shm",
    "logs",
    super::restore::MANIFEST,
    crate::evidence::leaving::order::FILE,
    crate::doctor::mark::VERIFIED,
    crate::doctor::mark::BACKED_UP,
];

/// What came of it.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The file.
    pub file: PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
    /// What is in it.
    pub manifest: Manifest,
}

/// Takes a backup of a site into a file, or into a new file of a folder. `say` hears how far it is
/// when that takes longer than a second.
///
/// # Errors
/// When something cannot be read or written, or a log is damaged; then there is no file.
pub async fn take(
    site: &Site,
    to: &Path,
    passphrase: &str,
    world: &World,
    say: impl FnMut(&str),
) -> anyhow::Result<Taken> {
    let made = world.now();
    let file = if to.is_dir() {
        to.join(format!("sen-{}.backup", stamp(made)))
    } else {
        to.to_owned()
    };
    ensure!(
        !file.exists(),
        "{} is there already: name another file",
        file.display()
    );
    let mut part = file.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut options = fs::OpenOptions::new();
    let out = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .with_context(|| format!("cannot write {}", part.display()))?;
    let mut taking = Taking {
        to: Sealing::begin(BufWriter::new(out), passphrase, world)?,
        data: site.data.clone(),
        files: Vec::new(),
        bytes: 0,
        said: made,
        world: world.clone(),
        say,
    };
    let written = taking.all(site, made).await;
    for node in &site.nodes {
        fs::remove_dir_all(node.folder.join(STAGING)).ok();
    }
    let ended = written.and_then(|manifest| {
        let out = taking
            .to
            .finish()?
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        out.sync_all()?;
        fs::rename(&part, &file)?;
        sync_folder_of(&file)?;
        Ok(Taken {
            bytes: out.metadata()?.len(),
            file: file.clone(),
            manifest,
        })
    });
    if ended.is_err() {
        fs::remove_file(&part).ok();
    }
    ended
}

/// The new name is on the disk when its folder is.
pub(super) fn sync_folder_of(file: &Path) -> anyhow::Result<()> {
    let parent = file.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// `20261121T093000Z`.
fn stamp(at: Time) -> String {
    let text = at.rfc3339();
    let plain: String = text.chars().filter(|c| !"-:".contains(*c)).collect();
    format!("{}Z", plain.split(['.', '+', 'Z']).next().unwrap_or(&plain))
}

struct Taking<S: FnMut(&str)> {
    to: Sealing<BufWriter<File>>,
    data: PathBuf,
    files: Vec<FileIn>,
    bytes: u64,
    said: Time,
    world: World,
    say: S,
}

impl<S: FnMut(&str)> Taking<S> {
    async fn all(&mut self, site: &Site, made: Time) -> anyhow::Result<Manifest> {
        let mut nodes = Vec::new();
        for node in &site.nodes {
            nodes.push(
                self.node(node)
                    .await
                    .with_context(|| format!("the node in {}", node.folder.display()))?,
            );
        }
        // What is left belongs to no node: certificates to trust, the sample sign-ins.
        let own: BTreeSet<&Path> = site.nodes.iter().map(|node| node.folder.as_path()).collect();
        if !own.contains(self.data.as_path()) {
            self.folder(&site.data.clone(), &|path| own.contains(path))?;
        }
        let manifest = Manifest {
            v: archive::VERSION,
            made,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            nodes,
            files: std::mem::take(&mut self.files),
        };
        archive::close(&mut self.to, &manifest)?;
        Ok(manifest)
    }

    async fn node(&mut self, node: &NodeAt) -> anyhow::Result<NodeIn> {
        if !node.keys.starts_with(&self.data) {
            let keys = node.keys.display();
            (self.say)(&format!(
                "the keys in {keys} lie outside the data folder and are not in the backup"
            ));
        }
        let staging = node.folder.join(STAGING);
        fs::remove_dir_all(&staging).ok();
        private_folder(&staging)?;
        let logs = node.folder.join("logs");
        // Before the rows: a checkpoint of a server's log covers rows that are there then.
        let signed = kept_checkpoints(&logs);
        let rows = store::backup::rows(&node.database, &staging).await?;
        let is_server = matches!(node.database, Database::Postgres { .. });
        for file in &rows.files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let within = if is_server {
                format!("{ROWS}/{name}")
            } else {
                name.into_owned()
            };
            self.file(file, &self.path(&node.folder.join(within)), 0o600, None)?;
        }
        fs::remove_dir_all(&staging)?;
        let mut streams = Vec::new();
        if is_server {
            for (stream, text) in signed {
                let path = self.path(&logs.join(stream).join(checkpoint::FILE));
                self.text(&path, &text)?;
            }
        } else {
            for stream in folders(&logs) {
                let name = stream
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let span = self.span(&stream, (name == FACTS).then_some(rows.sealed)).await?;
                streams.push(self.stream(&stream, name, &span)?);
            }
        }
        self.folder(&node.folder, &|_| false)?;
        Ok(NodeIn {
            name: node.name.clone(),
            engine: if is_server { "postgres" } else { "sqlite" }.to_owned(),
            sealed: rows.sealed,
            steps: rows.steps,
            streams,
        })
    }

    /// A log up to a position; what was sealed a moment ago is waited for.
    async fn span(&mut self, dir: &Path, max: Option<u64>) -> anyhow::Result<Span> {
        let patience = APPENDED.as_millis() / 100;
        for _ in 0..patience {
            let span = store::backup::span(dir, max)?;
            if max.is_none_or(|max| span.records >= max) {
                return Ok(span);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // A node that does not run may have sealed what it did not append: its next start does.
        Ok(store::backup::span(dir, max)?)
    }

    fn stream(&mut self, dir: &Path, stream: String, span: &Span) -> anyhow::Result<StreamIn> {
        for (segment, length) in &span.segments {
            self.file(segment, &self.path(segment), 0o600, Some(*length))?;
        }
        if let Some(before) = &span.before {
            self.file(before, &self.path(before), 0o600, None)?;
        }
        if !span.checkpoints.is_empty() {
            self.text(&self.path(&dir.join(checkpoint::FILE)), &span.checkpoints)?;
        }
        Ok(StreamIn {
            stream,
            records: span.records,
            root: span.root,
        })
    }

    /// Every file of a folder, and of those in it that `stop` does not name.
    fn folder(&mut self, folder: &Path, stop: &dyn Fn(&Path) -> bool) -> anyhow::Result<()> {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let unfinished = path.extension().is_some_and(|e| e == "new" || e == "part");
            let half_blobs = name == "new" && folder.ends_with("blobs");
            if stop(&path) || unfinished || half_blobs || PASSED_OVER.contains(&name.as_ref()) {
                continue;
            }
            // Kept bodies may be destroyed meanwhile, and then nothing needs them any more.
            let may_vanish = path
                .components()
                .any(|part| part.as_os_str() == store::bodies::FOLDER);
            if may_vanish && !path.exists() {
                continue;
            }
            if path.is_dir() {
                self.folder(&path, stop)?;
            } else {
                let mode = fs::metadata(&path)?.permissions().mode();
                self.file(&path, &self.path(&path), mode, None)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, path: &str, mode: u32, length: Option<u64>) -> anyhow::Result<()> {
        let (file, meta) = archive::source(from)?;
        let size = length.unwrap_or(meta.len());
        self.files
            .push(archive::put(&mut self.to, path, mode, file, size)?);
        self.bytes += size;
        let now = self.world.now();
        if now.ms() - self.said.ms() >= TELL_MS {
            self.said = now;
            (self.say)(&format!("{} files, {} MB …", self.files.len(), self.bytes >> 20));
        }
        Ok(())
    }

    fn text(&mut self, path: &str, text: &str) -> anyhow::Result<()> {
        let size = text.len() as u64;
        let file = archive::put(&mut self.to, path, 0o600, text.as_bytes(), size)?;
        self.files.push(file);
        Ok(())
    }

    /// The path within the data folder, with `/`.
    fn path(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.data).unwrap_or(path);
        inside.to_string_lossy().into_owned()
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let mut list: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
    list.sort();
    list
}

/// The whole lines of every log's checkpoints.
fn kept_checkpoints(logs: &Path) -> Vec<(String, String)> {
    let streams = folders(logs).into_iter();
    let read = streams.filter_map(|dir| {
        let text = fs::read_to_string(dir.join(checkpoint::FILE)).ok()?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let name = dir.file_name()?.to_string_lossy().into_owned();
        Some((name, text[..whole].to_owned()))
    });
    read.collect()
}
