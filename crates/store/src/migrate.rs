//! The schema's steps and the check that none was changed afterwards. Never goes back: a schema
//! is only ever extended, and a step once applied keeps its text.

/// One crate's migrations, in order.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// The crate.
    pub name: &'static str,
    /// Name (`0001_x`) and SQL text of each, in order; the same text on both engines.
    pub files: &'static [(&'static str, &'static str)],
}
