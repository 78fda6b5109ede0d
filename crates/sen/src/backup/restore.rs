//! Bringing a backup back: everything is unpacked and checked beside the folder first, and only then
//! takes its name. Never writes into a folder or a schema that holds something.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use kernel::{Digest, World};
use seal::merkle::leaf_hash;
use store::Database;
use store::log::files;

use super::archive::{self, Manifest, NodeIn};
use super::crypt::Opening;
use super::site::Rows;
use super::take::{ROWS, sync_folder_of};
use crate::up::prepare::private_folder;

/// The manifest in a restored folder.
pub const MANIFEST: &str = "backup.json";

/// Restores a backup into an empty or new folder, and its rows where they belong; on a server the
/// schemas of these nodes must not be there. `say` hears how far it is.
///
/// # Errors
/// When the folder holds something, the passphrase is wrong, or anything is not as it was written:
/// then nothing is left behind.
pub async fn restore(
    backup: &Path,
    data: &Path,
    passphrase: &str,
    rows: &Rows,
    world: &World,
    mut say: impl FnMut(&str),
) -> anyhow::Result<Manifest> {
    let empty = !data.exists() || fs::read_dir(data)?.next().is_none();
    ensure!(
        empty,
        "{} is not empty: a backup is restored into a new folder only",
        data.display()
    );
    let file = File::open(backup).with_context(|| format!("cannot read {}", backup.display()))?;
    let mut beside = data.to_owned().into_os_string();
    beside.push(format!(".restoring-{}", world.id()));
    let beside = PathBuf::from(beside);
    private_folder(&beside).with_context(|| format!("cannot write {}", beside.display()))?;
    let mut loaded = Vec::new();
    let done = bring(file, &beside, passphrase, (rows, &mut loaded), world, &mut say).await;
    let done = done.and_then(|manifest| {
        let text = serde_json::to_vec_pretty(&manifest)?;
        crate::up::prepare::write(&beside.join(MANIFEST), &text, 0o600)?;
        if data.exists() {
            fs::remove_dir(data)?;
        }
        fs::rename(&beside, data).with_context(|| format!("cannot name {}", data.display()))?;
        sync_folder_of(data)?;
        Ok(manifest)
    });
    if done.is_err() {
        fs::remove_dir_all(&beside).ok();
        for database in &loaded {
            if let Err(cause) = store::backup::unload(database).await {
                tracing::error!(%cause, "rows of the refused backup are left in their schema: drop it by hand");
            }
        }
    }
    done
}

async fn bring(
    file: File,
    into: &Path,
    passphrase: &str,
    (rows, loaded): (&Rows, &mut Vec<Database>),
    world: &World,
    say: &mut impl FnMut(&str),
) -> anyhow::Result<Manifest> {
    let total = file.metadata()?.len();
    let mut stream = Opening::begin(BufReader::new(file), passphrase)?;
    let (mut bytes, mut said) = (0, world.now());
    let manifest = archive::unpack(&mut stream, into, |size| {
        bytes += size;
        if world.now().ms() - said.ms() >= 1_000 {
            said = world.now();
            say(&format!("{} of {} MB unpacked …", bytes >> 20, total >> 20));
        }
    })?;
    for node in &manifest.nodes {
        let engine = rows.engine();
        ensure!(
            node.engine == engine,
            "the rows of the node {:?} are of {}: {}",
            node.name,
            node.engine,
            if engine == "sqlite" {
                "name the server's database in SEN_DATABASE, or the configuration that does with --config"
            } else {
                "unset SEN_DATABASE, and name the configuration of a node on sqlite"
            }
        );
        let checked = check(node, into, rows, world).await;
        loaded.extend(checked.with_context(|| format!("the node {:?} of the backup", node.name))?);
    }
    Ok(manifest)
}

/// Checks a node's logs against the manifest and its rows against its log; a server's rows, where the
/// logs are among them, are put into their schema, which is given back.
async fn check(node: &NodeIn, into: &Path, rows: &Rows, world: &World) -> anyhow::Result<Option<Database>> {
    let folder = into.join(&node.name);
    let mut leaves: Vec<Digest> = Vec::new();
    for stream in &node.streams {
        let dir = folder.join("logs").join(&stream.stream);
        if stream.records == 0 {
            continue;
        }
        let report = files::verify(&dir);
        ensure!(
            report.first_bad.is_none() && report.records == stream.records && report.root == stream.root,
            "the log {} is not the one of the manifest: {}",
            stream.stream,
            report.why
        );
        if stream.stream == "facts" {
            leaves = read_leaves(&dir)?;
        }
    }
    let at = rows.place(into, &node.name, &folder)?;
    if let Database::Postgres { .. } = &at {
        let rows = folder.join(ROWS);
        store::backup::load(&at, &rows, &crate::wiring::migrations(), &node.steps, world.now()).await?;
        fs::remove_dir_all(&rows)?;
        return Ok(Some(at));
    }
    if let Some(why) = store::check::pages(&at).await? {
        anyhow::bail!("the database is damaged: {why}");
    }
    if let Some(parted) = store::check::facts(&at, &leaves).await? {
        anyhow::bail!("rows and log part at fact {}: {}", parted.position, parted.why);
    }
    Ok(None)
}

/// The leaf hashes of a log's records, in order.
pub(crate) fn read_leaves(dir: &Path) -> anyhow::Result<Vec<Digest>> {
    let mut leaves = Vec::new();
    files::each(dir, |_, payload| {
        leaves.push(leaf_hash(payload));
        Ok::<(), (u64, String)>(())
    })
    .map_err(|(_, why)| anyhow::anyhow!("{why}"))?;
    Ok(leaves)
}
