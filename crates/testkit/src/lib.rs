//! For tests of every crate below: seeded clock and chance, temporary folders and databases, a
//! certificate authority. Never in a release build: only ever a dev-dependency.

mod authority;
mod database;
mod lists;
mod world;

pub use authority::authority;
pub use database::{TempDir, TempStore, store, store_with};
pub use lists::{Gives, ListAddress};
pub use world::{ManualClock, START, SeededChance, world};
