//! What is wrong with a file of a pack: where, by which rule, with which values. Pure: whoever reads
//! the files says where; the words in both languages stand with the rule's crate (`pack-<rule>`).

use std::collections::BTreeMap;

use serde::Serialize;

/// The values a fault's words name, by place.
pub type Names = Vec<(&'static str, String)>;

/// How much a fault weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// The pack cannot be used.
    Fault,
    /// The pack can be used; somebody should look.
    Warning,
}

/// One thing that is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file within the pack, `areas/2025-07.csv`.
    pub file: String,
    /// Its line, from 1; 1 for what is wrong with the whole file.
    pub line: u64,
    /// Its column in characters, from 1, where it is known.
    pub column: Option<u64>,
    /// The rule's stable code: `units-cycle`.
    pub rule: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// The values its words name.
    #[serde(skip)]
    pub names: Names,
}

impl Fault {
    /// A fault at a line.
    #[must_use]
    pub fn new(file: &str, line: u64, rule: &'static str, names: Names) -> Self {
        Self {
            file: file.to_owned(),
            line,
            column: None,
            rule,
            weight: Weight::Fault,
            names,
        }
    }

    /// The same at a column.
    #[must_use]
    pub fn column(mut self, column: u64) -> Self {
        self.column = Some(column);
        self
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.weight = Weight::Warning;
        self
    }
}

/// A fault within a document, told by a pointer (`/states/received/status`): a pure noun knows no lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where: keys and positions, each after a `/`.
    pub at: String,
    /// The rule's stable code.
    pub rule: &'static str,
    /// The values its words name.
    pub names: Names,
}

impl Flaw {
    /// A flaw at a pointer.
    #[must_use]
    pub fn new(at: impl Into<String>, rule: &'static str, names: Names) -> Self {
        Self {
            at: at.into(),
            rule,
            names,
        }
    }
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.at, self.rule)?;
        told(f, &self.names)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.rule)?;
        told(f, &self.names)
    }
}

fn told(f: &mut std::fmt::Formatter<'_>, names: &Names) -> std::fmt::Result {
    names
        .iter()
        .try_for_each(|(name, value)| write!(f, " {name}={value:?}"))
}

/// Everything found while a pack was read, and what was read.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    found: Vec<Fault>,
    read: BTreeMap<String, u64>,
}

impl Faults {
    /// Nothing found yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fault; the same fault is told once, however many readers meet it.
    pub fn add(&mut self, fault: Fault) {
        if !self.found.contains(&fault) {
            self.found.push(fault);
        }
    }

    /// Notes that a file was read, with its rows (0 for what is no table).
    pub fn note_read(&mut self, file: &str, rows: u64) {
        self.read.insert(file.to_owned(), rows);
    }

    /// True when a file was read.
    #[must_use]
    pub fn has_read(&self, file: &str) -> bool {
        self.read.contains_key(file)
    }

    /// The files read with their rows, by name.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, u64> {
        &self.read
    }

    /// True when a file has a fault (a warning is none).
    #[must_use]
    pub fn in_file(&self, file: &str) -> bool {
        self.faults().any(|f| f.file == file)
    }

    /// What makes the pack unusable.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.found.iter().filter(|f| f.weight == Weight::Fault)
    }

    /// Everything found, by file, line and column.
    #[must_use]
    pub fn sorted(mut self) -> Vec<Fault> {
        self.found.sort_by(|a, b| {
            let key = |f: &Fault| (f.line, f.column, f.rule);
            a.file.cmp(&b.file).then_with(|| key(a).cmp(&key(b)))
        });
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_stand_in_the_order_of_the_files_and_each_once() {
        let mut faults = Faults::new();
        for (file, line) in [("b.csv", 1), ("a.csv", 9), ("a.csv", 2), ("a.csv", 9)] {
            faults.add(Fault::new(file, line, "r", vec![]));
        }
        faults.add(Fault::new("c.csv", 1, "r", vec![("value", "x".to_owned())]).warning());
        assert!(faults.in_file("a.csv") && !faults.in_file("c.csv"));
        assert_eq!(faults.faults().count(), 3);
        let told: Vec<String> = faults.sorted().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["a.csv:2: r", "a.csv:9: r", "b.csv:1: r", "c.csv:1: r value=\"x\""]
        );
    }
}
