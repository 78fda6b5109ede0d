//! The pack of Vietnam with some files changed, for tests of what the sample nation cannot show. Never
//! changes the pack itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use directory::Areas;
use kernel::World;
use kernel::time::civil_date;
use sen::config::Config;

use crate::ground;

/// Texts by their path in the pack.
pub type Files = BTreeMap<String, String>;

/// A pack like the sample nation's, but for one file.
///
/// # Errors
/// When the folder cannot be made, or the change changes nothing.
pub fn changed(file: &str, world: &World, change: impl Fn(&str) -> String) -> anyhow::Result<PathBuf> {
    with(&Files::from([edited(file, change)?]), world)
}

/// A file of the sample nation's pack, changed.
///
/// # Errors
/// When the change changes nothing.
pub fn edited(file: &str, change: impl Fn(&str) -> String) -> anyhow::Result<(String, String)> {
    let text = std::fs::read_to_string(Config::default().pack.join(file))?;
    let new = change(&text);
    ensure!(new != text, "nothing was changed in {file}");
    Ok((file.to_owned(), new))
}

/// A pack like the sample nation's, with some files in place of its own, or beside them.
///
/// # Errors
/// When the folder cannot be made.
pub fn with(files: &Files, world: &World) -> anyhow::Result<PathBuf> {
    let pack = std::fs::canonicalize(Config::default().pack)?;
    let copy = ground::folder("pack", world)?;
    for (file, text) in files {
        let (folder, _) = file.split_once('/').unwrap_or_default();
        std::fs::create_dir_all(copy.join(folder))?;
        std::fs::write(copy.join(file), text)?;
    }
    link(&pack, &copy)?;
    Ok(copy)
}

/// Links what the copy does not have itself.
fn link(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        if there.is_dir() {
            link(&entry.path(), &there)?;
        } else if !there.exists() {
            symlink(entry.path(), there)?;
        }
    }
    Ok(())
}

/// The files by which a commune of Thanh Hóa ended on 1 June 2026, split among two others.
///
/// # Errors
/// When the pack's areas cannot be read.
pub fn split(commune: &str, heirs: [&str; 2]) -> anyhow::Result<Files> {
    let areas = Areas::load(&Config::default().pack)?;
    let before = civil_date(2026, 5, 31).context("a day")?;
    let mut list = "code,full_name,kind,parent\n".to_owned();
    for area in areas.forms().iter().filter(|area| area.holds_on(before)) {
        let parent = area.parent.as_ref().map(ToString::to_string).unwrap_or_default();
        if area.code.as_str() != commune {
            writeln!(list, "{},{},{},{parent}", area.code, area.full_name, area.kind)?;
        }
    }
    let [first, second] = heirs;
    let succession = format!(
        "old_code,old_name,old_district,old_province,new_code,how,default\n\
         {commune},,,38,{first},part,1\n{commune},,,38,{second},part,0\n"
    );
    let edition = "[[area_editions]]\nfrom = \"2026-06-01\"\nfile = \"areas/2026-06.csv\"\n\
                   succession = \"areas/succession-2026.csv\"\n";
    Ok(Files::from([
        edited("pack.toml", |text| format!("{text}\n{edition}"))?,
        ("areas/2026-06.csv".to_owned(), list),
        ("areas/succession-2026.csv".to_owned(), succession),
    ]))
}
