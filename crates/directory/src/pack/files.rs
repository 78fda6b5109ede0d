//! One file of a pack, read with every fault told: size, UTF-8, columns, rows. Never gives a meaning
//! to a row.

use std::collections::HashMap;
use std::path::Path;

use csv::StringRecord;
use kernel::fault::{Fault, Faults, Names};
use kernel::limits::PACK_FILE_BYTES_MAX;

/// A row of a table while it is checked.
pub struct Row<'a> {
    file: &'a str,
    record: &'a StringRecord,
    /// Its first line, from 1.
    pub line: u64,
}

impl Row<'_> {
    /// The value of a column; empty where there is none.
    #[must_use]
    pub fn get(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    /// A fault of this row; the value of a column is named as `value`.
    #[must_use]
    pub fn fault(&self, rule: &'static str, column: usize) -> Fault {
        let names = vec![("value", self.get(column).to_owned())];
        Fault::new(self.file, self.line, rule, names)
    }

    /// A fault of this row with other values.
    #[must_use]
    pub fn fault_with(&self, rule: &'static str, names: Names) -> Fault {
        Fault::new(self.file, self.line, rule, names)
    }

    /// Notes that the code of the first column stands here; a fault, and false, when it stood before.
    pub fn once(&self, lines: &mut HashMap<String, u64>, faults: &mut Faults) -> bool {
        let code = self.get(0).to_owned();
        if let Some(first) = lines.get(&code) {
            let names = vec![("value", code), ("first", first.to_string())];
            faults.add(self.fault_with("code-twice", names));
            return false;
        }
        lines.insert(code, self.line);
        true
    }

    /// The column's value read as `T`; a fault when it cannot be.
    pub fn parse<T: std::str::FromStr>(
        &self,
        column: usize,
        rule: &'static str,
        faults: &mut Faults,
    ) -> Option<T> {
        let value = self.get(column).parse().ok();
        if value.is_none() {
            faults.add(self.fault(rule, column));
        }
        value
    }
}

/// The text of a file: not too large, UTF-8, without a byte-order mark.
pub fn text(pack: &Path, file: &str, faults: &mut Faults) -> Option<String> {
    let path = pack.join(file);
    let whole = |rule, names| Fault::new(file, 1, rule, names);
    faults.note_read(file, 0);
    let size = match std::fs::metadata(&path) {
        Ok(about) if about.is_file() => about.len(),
        _ => {
            faults.add(whole("file-missing", vec![]));
            return None;
        }
    };
    if size > PACK_FILE_BYTES_MAX {
        let names = vec![
            ("value", size.to_string()),
            ("max", PACK_FILE_BYTES_MAX.to_string()),
        ];
        faults.add(whole("file-too-large", names));
        return None;
    }
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) => {
            faults.add(whole("file-unreadable", vec![("value", cause.to_string())]));
            return None;
        }
    };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        faults.add(whole("byte-order-mark", vec![]).column(1));
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(wrong) => {
            let upto = wrong.utf8_error().valid_up_to();
            let before = wrong.as_bytes().get(..upto).unwrap_or_default();
            let line = 1 + before.iter().filter(|b| **b == b'\n').count() as u64;
            faults.add(Fault::new(file, line, "not-utf8", vec![]));
            None
        }
    }
}

/// Reads a table whose header must be exactly `columns`, and gives every whole row to `row`.
pub fn table(
    pack: &Path,
    file: &str,
    columns: &[&str],
    faults: &mut Faults,
    row: impl FnMut(&Row<'_>, &mut Faults),
) {
    rows(pack, file, Some(columns), faults, row);
}

/// The same for any header, which is given back.
pub(crate) fn rows(
    pack: &Path,
    file: &str,
    columns: Option<&[&str]>,
    faults: &mut Faults,
    mut row: impl FnMut(&Row<'_>, &mut Faults),
) -> Option<StringRecord> {
    let text = text(pack, file, faults)?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    if columns.is_some_and(|columns| header.iter().ne(columns.iter().copied())) {
        let wanted = columns.unwrap_or_default().join(",");
        let found = header.iter().collect::<Vec<_>>().join(",");
        let names = vec![("value", found), ("wanted", wanted)];
        faults.add(Fault::new(file, 1, "table-header", names));
        return None;
    }
    let mut record = StringRecord::new();
    let mut count = 0;
    while reader.read_record(&mut record).unwrap_or(false) {
        count += 1;
        let line = record.position().map_or(1, csv::Position::line);
        let here = Row {
            file,
            record: &record,
            line,
        };
        if record.len() == header.len() {
            row(&here, faults);
        } else {
            let names = vec![
                ("value", record.len().to_string()),
                ("wanted", header.len().to_string()),
            ];
            faults.add(here.fault_with("row-columns", names));
        }
    }
    faults.note_read(file, count);
    Some(header)
}
