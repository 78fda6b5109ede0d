//! The files of a container's archive, read strictly: known names once each, entries one after the
//! other from the first byte to the directory, both descriptions of an entry alike. Never unpacks
//! more than the bound of a file, whatever its header says.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use zip::{CompressionMethod, ZipArchive};

use super::{
    ASIC_MANIFEST, ATTACHMENT, KNOWN as DIRECTORY, MANIFEST, MESSAGE, MIME_TYPE, MIMETYPE, SIG_CHAIN,
    SIG_RESULT, SIGNATURES, TIMESTAMP, TS_CHAIN, TS_RESULT,
};

/// Size of a head or of a file that describes, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Size of a body, in bytes.
const BODY_BYTES_MAX: u64 = 256 << 20;
/// Size of the signed directory beside a message, in bytes.
const DIRECTORY_BYTES_MAX: u64 = 32 << 20;
/// Size of the whole container, in bytes.
const CONTAINER_BYTES_MAX: usize = 300 << 20;

/// The names a container may have, with their bounds in bytes.
const KNOWN: [(&str, u64); 12] = [
    (MIMETYPE, 64),
    (MESSAGE, FILE_BYTES_MAX),
    (ATTACHMENT, BODY_BYTES_MAX),
    (SIG_RESULT, FILE_BYTES_MAX),
    (SIG_CHAIN, FILE_BYTES_MAX),
    (TS_RESULT, FILE_BYTES_MAX),
    (TS_CHAIN, FILE_BYTES_MAX),
    (SIGNATURES, FILE_BYTES_MAX),
    (TIMESTAMP, FILE_BYTES_MAX),
    (ASIC_MANIFEST, FILE_BYTES_MAX),
    (MANIFEST, FILE_BYTES_MAX),
    (DIRECTORY, DIRECTORY_BYTES_MAX),
];

/// The place of a fault in the archive: a file's name, or the container itself and what is wrong with it.
pub(super) type Place = String;

/// Larger than any that is written.
const TOO_LARGE: &str = "container (too large)";
/// A zip file has its directory at its end; this one ends before.
const CUT_OFF: &str = "container (cut off: the zip directory at its end is missing)";
/// What the directory says is not what stands in front of it.
const DAMAGED: &str = "container (damaged: the zip directory does not fit the files)";

/// The files of a sound archive by name.
pub(super) struct Entries(BTreeMap<&'static str, Vec<u8>>);

impl Entries {
    /// Reads the archive.
    pub(super) fn read(zip: &[u8]) -> Result<Self, Place> {
        let damaged = || DAMAGED.to_owned();
        if zip.len() > CONTAINER_BYTES_MAX {
            return Err(TOO_LARGE.to_owned());
        }
        let Some(names) = layout(zip) else {
            let ends = zip.windows(4).any(|bytes| bytes == b"PK\x05\x06");
            return Err(if ends { DAMAGED } else { CUT_OFF }.to_owned());
        };
        let mut known = Vec::with_capacity(names.len());
        for name in &names {
            let found = KNOWN.iter().find(|(k, _)| k.as_bytes() == *name);
            let (name, most) =
                found.ok_or_else(|| String::from_utf8_lossy(name).chars().take(80).collect::<String>())?;
            if known.iter().any(|(other, _)| other == name) {
                return Err((*name).to_owned());
            }
            known.push((*name, *most));
        }
        let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|_| damaged())?;
        if archive.len() != known.len() {
            return Err(damaged());
        }
        let mut files = BTreeMap::new();
        for (at, (name, most)) in known.into_iter().enumerate() {
            let bytes = unpack(&mut archive, at, name, most).ok_or_else(|| name.to_owned())?;
            if at == 0 && bytes != MIME_TYPE.as_bytes() {
                return Err(MIMETYPE.to_owned());
            }
            files.insert(name, bytes);
        }
        Ok(Self(files))
    }

    /// A file, if the container has it.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// A file that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&[u8], Place> {
        self.get(name).ok_or_else(|| name.to_owned())
    }

    /// A file that must be there and be text.
    pub(super) fn text(&self, name: &str) -> Result<&str, Place> {
        std::str::from_utf8(self.need(name)?).map_err(|_| name.to_owned())
    }
}

fn unpack(archive: &mut ZipArchive<Cursor<&[u8]>>, at: usize, name: &str, most: u64) -> Option<Vec<u8>> {
    let file = archive.by_index(at).ok()?;
    let stored = file.compression() == CompressionMethod::Stored;
    // The type comes first and stored, so that it can be told without unpacking.
    let in_place = (at == 0) == (name == MIMETYPE) && (at != 0 || stored);
    let method_known = stored || file.compression() == CompressionMethod::Deflated;
    if file.name().ok().as_deref() != Some(name)
        || !in_place
        || !method_known
        || file.encrypted()
        || file.size() > most
    {
        return None;
    }
    let told = file.size();
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == told).then_some(bytes)
}

/// The names of the entries in order, if the archive is laid out without gaps, overlaps or second
/// opinions (APPNOTE 6.3, no zip64, no encryption, no data descriptors, no comment).
fn layout(zip: &[u8]) -> Option<Vec<&[u8]>> {
    let end = zip.len().checked_sub(22)?;
    let tail = Fields(zip.get(end..)?);
    let count = usize::from(tail.u16(10)?);
    let sound_tail = tail.is(0, b"PK\x05\x06")
        && tail.is(4, &[0; 4])
        && tail.u16(8)? == tail.u16(10)?
        && tail.u16(20)? == 0
        && count <= KNOWN.len();
    let (size, start) = (tail.u32(12)?, tail.u32(16)?);
    if !sound_tail || start.checked_add(size)? != end {
        return None;
    }
    let (mut central, mut local) = (start, 0);
    let mut names = Vec::with_capacity(count);
    for _ in 0..count {
        let entry = Fields(zip.get(central..end)?);
        let name_length = usize::from(entry.u16(28)?);
        let name = entry.0.get(46..46 + name_length)?;
        let head = Fields(zip.get(local..start)?);
        // Flag bits: 0 encrypted, 3 sizes after the data, 5 patched, 6 and 13 encrypted.
        let alike = entry.is(0, b"PK\x01\x02")
            && head.is(0, b"PK\x03\x04")
            && entry.u32(42)? == local
            && entry.u16(8)? & 0x2069 == 0
            // No extra fields: one of them could hold another name. No comment.
            && entry.is(30, &[0; 4])
            && head.is(28, &[0; 2])
            // Flags, method, time, date, checksum, both sizes, name length.
            && entry.0.get(8..30)? == head.0.get(6..28)?
            && head.0.get(30..30 + name_length)? == name;
        if !alike {
            return None;
        }
        names.push(name);
        local += 30 + name_length + entry.u32(20)?;
        central += 46 + name_length;
    }
    (local == start && central == end).then_some(names)
}

/// Little-endian numbers at their places.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn is(&self, at: usize, expected: &[u8]) -> bool {
        self.0.get(at..at + expected.len()) == Some(expected)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.0.get(at..at + 2)?.try_into().ok()?))
    }

    fn u32(&self, at: usize) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.0.get(at..at + 4)?.try_into().ok()?)).ok()
    }
}
