//! Pictures of figures: those of [`web::chart`], and the grid of provinces. Never a number that does
//! not also stand in a table beside it.

mod tiles;

pub use tiles::{Bins, TileView, tile_map};
pub use web::chart::{Chart, Kind, spark};
