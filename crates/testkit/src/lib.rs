//! For tests of every crate below: seeded clock and chance, temporary folders and databases, a

mod database;
mod world;

pub use database::{TempDir, TempStore, store};
pub use world::{ManualClock, START, SeededChance, world};
