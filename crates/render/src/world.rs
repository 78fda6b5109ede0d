//! What the layout engine may see: the pack's template files, the data of one page and the fonts
//! in the binary. Never a package, the file system or the network.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use kernel::Time;
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

/// Name under which a template reads its data.
pub(crate) const DATA: &str = "data.json";

/// What every page shares: read once, on the first page.
struct Shared {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let fonts: Vec<Font> = typst_assets::fonts()
        .flat_map(|file| Font::iter(Bytes::new(file)))
        .collect();
    Shared {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
    }
});

/// A file of the pack, parsed once if it is Typst.
#[derive(Clone, Debug)]
pub(crate) enum File {
    /// A template or a part shared by templates.
    Source(Source),
    /// Anything else: a picture, a table.
    Other(Bytes),
}

/// The world of one page.
pub(crate) struct Page<'a> {
    pub(crate) files: &'a BTreeMap<String, File>,
    pub(crate) main: FileId,
    pub(crate) data: Bytes,
    pub(crate) at: Time,
}

/// The id of a plain file name; `None` when it is no such name. Ids are interned for ever, so only
/// names that a pack holds are given one.
pub(crate) fn id_of(name: &str) -> Option<FileId> {
    let path = VirtualPath::new(name).ok()?;
    (path.get_without_slash() == name && !name.is_empty() && !name.contains('/'))
        .then(|| RootedPath::new(VirtualRoot::Project, path).intern())
}

/// The file name of an id.
pub(crate) fn name_of(id: FileId) -> &'static str {
    id.get().vpath().get_without_slash()
}

impl Page<'_> {
    /// A file of the pack; a package has none of them.
    fn held(&self, id: FileId) -> FileResult<&File> {
        let held = (*id.get().root() == VirtualRoot::Project).then(|| self.files.get(name_of(id)));
        held.flatten()
            .ok_or_else(|| FileError::NotFound(name_of(id).into()))
    }
}

impl World for Page<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &SHARED.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &SHARED.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        match self.held(id)? {
            File::Source(source) => Ok(source.clone()),
            File::Other(_) => Err(FileError::NotSource),
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if *id.get().root() == VirtualRoot::Project && name_of(id) == DATA {
            return Ok(self.data.clone());
        }
        match self.held(id)? {
            File::Source(source) => Ok(Bytes::from_string(source.clone())),
            File::Other(bytes) => Ok(bytes.clone()),
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        SHARED.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        // The page's own day in Vietnam, whatever offset a template asks for: one page, one date.
        let date = self.at.date();
        Datetime::from_ymd(date.year(), date.month().into(), date.day())
    }
}
