//! Reading of pack files: strict tables with named columns, the Merkle root over their rows, and
//! the fact that they were loaded; and the rules of this crate's part of a pack. Never gives a meaning
//! to a row: each noun reads its own.
//!
//! | module | holds |
//! |---|---|
//! | [`files`] | one file: size, UTF-8, columns, rows |
//! | [`document`] | a TOML file as a value, with the place of everything in it |
//! | [`areas`], [`organisations`] | the rules of the units, and which there are |
//! | `calendars`, `sources` | the rules of the calendars, and of `SOURCES.toml` |

pub mod areas;
pub(crate) mod calendars;
pub mod document;
pub mod files;
pub mod organisations;
mod sources;

use std::path::{Path, PathBuf};

use ::store::Store;
use csv::StringRecord;
use kernel::{Actor, Date, Digest, Fact, Faults, Problem, Tenant};
use seal::merkle;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why a pack cannot be used; names the file and, where it can, the line.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {why}", path.display(), line.map(|l| format!(", line {l}")).unwrap_or_default())]
pub struct PackFault {
    /// The file at fault.
    pub path: PathBuf,
    /// The line at fault, from 1.
    pub line: Option<u64>,
    /// What is wrong with it.
    pub why: String,
}

impl PackFault {
    /// A fault of a whole file.
    #[must_use]
    pub fn of(path: &Path, why: impl std::fmt::Display) -> Self {
        Self {
            path: path.to_owned(),
            line: None,
            why: why.to_string(),
        }
    }
}

impl From<PackFault> for Problem {
    fn from(fault: PackFault) -> Self {
        Self::internal(fault)
    }
}

/// The words of the rules of reading, and of this crate's part; not for pages.
pub const TEXTS: web::Source = web::Source {
    name: "directory/pack",
    vi: include_str!("../i18n/pack-vi.ftl"),
    en: include_str!("../i18n/pack-en.ftl"),
};

/// What the rest of a pack can name.
#[derive(Debug, Default)]
pub struct Known {
    /// The units of all editions.
    pub areas: areas::KnownAreas,
    /// The organisations.
    pub organisations: organisations::KnownOrganisations,
}

/// Checks this crate's part: areas, organisations, calendars.
pub fn check(pack: &Path, faults: &mut Faults) -> Known {
    let areas = areas::check(pack, faults);
    let organisations = organisations::check(pack, &areas, faults);
    calendars::check(pack, faults);
    Known { areas, organisations }
}

/// Checks the calendars alone.
pub(crate) fn check_calendars(pack: &Path, faults: &mut Faults) {
    calendars::check(pack, faults);
}

/// Checks `SOURCES.toml` and every file that was not read before: to be called last.
pub fn check_rest(pack: &Path, faults: &mut Faults) {
    sources::check(pack, faults);
}

/// Checks a part of a pack, and refuses it when it has a fault: how a loader uses the rules of its part.
///
/// # Errors
/// The first fault with its words in English, and how many more there are.
pub fn sound<T>(
    pack: &Path,
    texts: &[web::Source],
    check: impl FnOnce(&Path, &mut Faults) -> T,
) -> Result<T, PackFault> {
    let mut faults = Faults::new();
    let part = check(pack, &mut faults);
    let count = faults.faults().count();
    let first = faults
        .sorted()
        .into_iter()
        .find(|f| f.weight == kernel::fault::Weight::Fault);
    let Some(first) = first else {
        return Ok(part);
    };
    let mut why = first.rule.to_owned();
    let all: Vec<web::Source> = texts.iter().copied().chain([TEXTS]).collect();
    if let Ok(texts) = web::Texts::new(&all) {
        why = texts.get_with(web::Lang::En, &format!("pack-{}", first.rule), &first.names);
    }
    if count > 1 {
        why.push_str(&format!(" (and {} faults more: see `sen pack check`)", count - 1));
    }
    Err(PackFault {
        path: pack.join(&first.file),
        line: Some(first.line),
        why,
    })
}

/// The files of a folder of a pack that end so, by name: `procedures/1.001193.toml`.
#[must_use]
pub fn listed(pack: &Path, folder: &str, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(pack.join(folder)).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut files: Vec<String> = names
        .filter(|name| name.strip_suffix(ending).is_some_and(|stem| stem.ends_with('.')))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    files.sort();
    files
}

/// A table of the pack that was read: its name within the pack, its rows and their root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackFile {
    /// Path within the pack, `areas/2025-07.csv`.
    pub file: String,
    /// Rows without the header, count.
    pub rows: u64,
    /// The Merkle root over the rows.
    pub root: Digest,
}

/// The Merkle root (RFC 6962) over rows, each the bytes of a line without its line end.
pub fn rows_root<'a>(rows: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    let mut tree = merkle::Frontier::new();
    for row in rows {
        tree.push(merkle::leaf_hash(row));
    }
    tree.root()
}

/// Reads a table whose header must be exactly `columns`, row by row.
///
/// # Errors
/// When the file cannot be read, its header differs, or `row` refuses a line.
pub fn read_table(
    pack: &Path,
    file: &str,
    columns: &[&str],
    mut row: impl FnMut(&StringRecord) -> Result<(), String>,
) -> Result<PackFile, PackFault> {
    let path = pack.join(file);
    let bytes = std::fs::read(&path).map_err(|e| PackFault::of(&path, e))?;
    let mut reader = csv::ReaderBuilder::new().from_reader(&bytes[..]);
    let header = reader.headers().map_err(|e| PackFault::of(&path, e))?;
    if header.iter().ne(columns.iter().copied()) {
        let wanted = columns.join(",");
        return Err(PackFault::of(&path, format!("the header must be {wanted}")));
    }
    let lines = || {
        bytes
            .split(|b| *b == b'\n')
            .skip(1)
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty())
    };
    // Hashing costs about as much as reading: both go on at once.
    let (read, root) = std::thread::scope(|scope| {
        let root = scope.spawn(|| rows_root(lines()));
        let read = read_rows(reader, &path, &mut row);
        (read, root.join().expect("hashing does not panic"))
    });
    read?;
    Ok(PackFile {
        file: file.to_owned(),
        rows: lines().count() as u64,
        root,
    })
}

fn read_rows(
    mut reader: csv::Reader<&[u8]>,
    path: &Path,
    row: &mut impl FnMut(&StringRecord) -> Result<(), String>,
) -> Result<(), PackFault> {
    let mut record = StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|e| PackFault::of(path, e))?
    {
        row(&record).map_err(|why| PackFault {
            path: path.to_owned(),
            line: record.position().map(csv::Position::line),
            why,
        })?;
    }
    Ok(())
}

/// Reads a TOML file of the pack.
///
/// # Errors
/// When the file cannot be read or has another shape.
pub fn read_toml<T: DeserializeOwned>(pack: &Path, file: &str) -> Result<T, PackFault> {
    let path = pack.join(file);
    let text = std::fs::read_to_string(&path).map_err(|e| PackFault::of(&path, e))?;
    toml::from_str(&text).map_err(|e| PackFault::of(&path, e))
}

/// A day of a pack file, `2025-07-01`.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    kernel::time::parse_iso(text).ok_or_else(|| format!("{text:?} is no day"))
}

/// A day of a pack file that may be left empty.
pub(crate) fn opt_day(text: &str) -> Result<Option<Date>, String> {
    if text.is_empty() {
        Ok(None)
    } else {
        day(text).map(Some)
    }
}

/// Records that files were loaded: one [`Fact::PackLoaded`] a file, once per content.
///
/// # Errors
/// When the store cannot be written.
pub async fn record_loaded(store: &Store, tenant: &Tenant, files: &[PackFile]) -> Result<u64, Problem> {
    store
        .write(tenant, &Actor::Platform, move |tx| async move {
            let mut new = 0;
            for file in files {
                if crate::store::pack_known(&tx, &file.file, &file.root).await? {
                    continue;
                }
                crate::store::keep_pack(&tx, file).await?;
                let (name, rows, root) = (file.file.clone(), file.rows, file.root);
                tx.fact(
                    &format!("pack/{}", file.file),
                    Fact::PackLoaded {
                        file: name,
                        rows,
                        root,
                    },
                )
                .await?;
                new += 1;
            }
            Ok(new)
        })
        .await
}

/// One entry of a pack's `SOURCES.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// Path within the pack.
    pub path: String,
    /// Where the file comes from.
    pub source: String,
    /// Under which licence.
    pub licence: String,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Rows without the header, for tables.
    pub rows: Option<u64>,
}

/// Folders of a pack whose files are the house's own writing and need no source line.
const OWN_FOLDERS: [&str; 5] = ["templates", "agreements", "procedures", "registers", "messages"];
/// Files of a pack that describe the others.
const OWN_FILES: [&str; 3] = ["README.md", "SOURCES.toml", "pack.toml"];

fn files_below(pack: &Path, folder: &Path) -> Result<Vec<String>, PackFault> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| PackFault::of(folder, e))? {
        let path = entry.map_err(|e| PackFault::of(folder, e))?.path();
        if path.is_dir() {
            files.extend(files_below(pack, &path)?);
        } else if let Ok(name) = path.strip_prefix(pack) {
            files.push(name.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(files)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The country pack of this repository.
    pub(crate) fn vn() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn")
    }

    fn told(faults: Faults) -> Vec<String> {
        faults.sorted().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn vietnams_part_of_this_crate_is_sound_and_every_file_has_a_source_and_a_licence() {
        let mut faults = Faults::new();
        check(&vn(), &mut faults);
        check_rest(&vn(), &mut faults);
        assert_eq!(told(faults), Vec::<String>::new());
    }

    #[test]
    fn every_fault_of_a_shape_is_told_not_only_the_first() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Words {
            #[serde(rename = "vi")]
            _vi: String,
            #[serde(rename = "en")]
            _en: String,
        }
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Thing {
            #[serde(rename = "title")]
            _title: Words,
            #[serde(rename = "count")]
            _count: u8,
            #[serde(rename = "items")]
            _items: Vec<Words>,
        }
        let dir = testkit::TempDir::new();
        let text = "color = 1\ntitle = { vi = \"a\" }\ncount = \"x\"\n\n[[items]]\nvi = \"b\"\nen = \"b\"\n\n[[items]]\nvi = 7\nfr = \"c\"\n";
        std::fs::write(dir.path().join("t.toml"), text).expect("written");
        let mut faults = Faults::new();
        assert!(document::document::<Thing>(dir.path(), "t.toml", &mut faults).is_none());
        let told: Vec<(u64, &str)> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        let expected = [
            (1, "key-unknown"),
            (2, "language-missing"),
            (3, "value-wrong"),
            (9, "language-missing"),
            (10, "value-wrong"),
            (11, "key-unknown"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_changed_or_unlisted_file_is_found() {
        let dir = testkit::TempDir::new();
        std::fs::write(dir.path().join("a.csv"), "code\n1\n").expect("written");
        std::fs::write(dir.path().join("b.csv"), "code\n").expect("written");
        let sha256 = Digest::of(b"code\n2\n");
        let list = format!(
            "[[file]]\npath = \"a.csv\"\nsource = \"x\"\nlicence = \"y\"\nsha256 = \"{sha256}\"\nrows = 1\n"
        );
        std::fs::write(dir.path().join("SOURCES.toml"), list).expect("written");
        let mut faults = Faults::new();
        check_rest(dir.path(), &mut faults);
        let told: Vec<(u64, &str)> = faults.sorted().iter().map(|f| (f.line, f.rule)).collect();
        assert_eq!(told, [(1, "source-missing"), (5, "source-differs")]);
    }

    #[test]
    fn a_table_with_another_header_is_refused_and_a_bad_row_is_named() {
        let dir = testkit::TempDir::new();
        std::fs::write(dir.path().join("a.csv"), "code,name\n1,x\n2,y\n").expect("written");
        let other = read_table(dir.path(), "a.csv", &["code"], |_| Ok(()));
        assert!(other.expect_err("refused").to_string().contains("code"));
        let bad = read_table(dir.path(), "a.csv", &["code", "name"], |row| {
            if &row[0] == "2" {
                Err("no".to_owned())
            } else {
                Ok(())
            }
        });
        assert_eq!(bad.expect_err("refused").line, Some(3));
    }

    #[test]
    fn the_root_is_over_the_rows_alone_and_does_not_depend_on_line_ends() {
        let dir = testkit::TempDir::new();
        std::fs::write(dir.path().join("a.csv"), "code\n1\n2\n").expect("written");
        std::fs::write(dir.path().join("b.csv"), "code\r\n1\r\n2").expect("written");
        let read = |file| read_table(dir.path(), file, &["code"], |_| Ok(())).expect("read");
        let (a, b) = (read("a.csv"), read("b.csv"));
        assert_eq!((a.rows, a.root), (2, b.root));
        assert_eq!(a.root, rows_root([&b"1"[..], b"2"]));
    }

    #[tokio::test]
    async fn loading_is_told_once_per_content() {
        let temp = testkit::store(&[crate::MIGRATIONS]).await;
        let tenant: Tenant = "G22".parse().expect("a code");
        let file = |root: &[u8]| PackFile {
            file: "areas/x.csv".to_owned(),
            rows: 1,
            root: Digest::of(root),
        };
        for (content, new) in [(&b"a"[..], 1), (b"a", 0), (b"b", 1), (b"a", 0)] {
            let told = record_loaded(&temp.store, &tenant, &[file(content)]).await;
            assert_eq!(told.expect("written"), new);
        }
        let facts = temp
            .store
            .facts_of(&tenant, "pack/areas/x.csv")
            .await
            .expect("read");
        assert_eq!(facts.len(), 2);
    }
}
