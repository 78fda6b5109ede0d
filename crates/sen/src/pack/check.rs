//! Puts the checks of all crates together, and the rules between them. Never a rule of one part: each
//! crate has its own in its `pack.rs`, and its loader uses the same.

use std::path::Path;

use kernel::fault::{Fault, Faults, Weight};

use super::{cross, papers};

/// What was found, and what was looked at.
#[derive(Debug)]
pub struct Report {
    /// Faults and warnings by file, line and column.
    pub found: Vec<Fault>,
    /// Files read, count.
    pub files: usize,
    /// Rows of tables, count.
    pub rows: u64,
    /// Procedures, count.
    pub procedures: usize,
    /// Templates, count.
    pub templates: usize,
}

impl Report {
    /// Faults, count; warnings are none.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.found.iter().filter(|f| f.weight == Weight::Fault).count()
    }
}

/// How far a check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything that can be told from the texts.
    Read,
    /// Every template is drawn with made-up data, too.
    Draw,
}

/// Checks a pack.
#[must_use]
pub fn check(pack: &Path, depth: Depth) -> Report {
    let mut faults = Faults::new();
    let known = directory::pack::check(pack, &mut faults);
    let registers = registers::pack::check(pack, &mut faults);
    let agreements = exchange::pack::check(pack, &mut faults);
    let procedures = cases::pack::check(pack, &known, &mut faults);
    cross::check(&known, &registers, &agreements, &procedures, &mut faults);
    let templates = papers::check(pack, &registers, &procedures, depth, &mut faults);
    directory::pack::check_rest(pack, &mut faults);
    let rows = faults.files().values().sum();
    Report {
        files: faults.files().len(),
        rows,
        procedures: procedures.len(),
        templates,
        found: faults.sorted(),
    }
}
