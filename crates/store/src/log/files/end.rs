//! The end of a log of segment files: where the next records are written. Never leaves half a write behind.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::fault;
use crate::log::scan::{HEADER, Segment, name};

/// The last segment, open for writing.
#[derive(Debug)]
pub(super) struct End {
    file: File,
    pub(super) length: u64,
    /// Set when a failed write could not be undone: nothing more is written until the next opening.
    broken: bool,
}

impl End {
    pub(super) fn begin(dir: &Path, first: u64) -> io::Result<(Self, Segment)> {
        let path = dir.join(name(first));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&path)?;
        file.write_all(HEADER)?;
        fault::at("segment-begun");
        file.sync_all()?;
        // The file's name is in the folder: it must be on the disk before the first record counts.
        File::open(dir)?.sync_all()?;
        let length = HEADER.len() as u64;
        Ok((
            Self {
                file,
                length,
                broken: false,
            },
            Segment { path, length },
        ))
    }

    pub(super) fn reopen(last: &mut Segment, torn: bool) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(&last.path)?;
        if torn {
            file.set_len(last.length)?;
            if last.length == 0 {
                file.write_all(HEADER)?;
                last.length = HEADER.len() as u64;
            }
            file.sync_all()?;
        }
        Ok(Self {
            file,
            length: last.length,
            broken: false,
        })
    }

    /// Writes bytes at the end and flushes them; on an error the file is as before.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier failed write could not be undone"));
        }
        fault::at("append-before");
        let done = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| fault::write_all(&mut self.file, bytes, "append-half"));
        fault::at("append-unflushed");
        let done = done.and_then(|()| self.file.sync_data());
        fault::at("append-flushed");
        match done {
            Ok(()) => self.length += bytes.len() as u64,
            Err(_) => {
                self.broken = self
                    .file
                    .set_len(self.length)
                    .and_then(|()| self.file.sync_data())
                    .is_err();
            }
        }
        done
    }
}
