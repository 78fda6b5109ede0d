//! What goes wrong on an ordinary day: files that are none, forms nobody typed, two people at once, a
//! neighbour that is down, an agreement that ended, a folder that cannot be written. Each ends with
//! an answer that says what to do, and nothing is lost.

mod files;
mod footing;
mod forms;
mod house;
mod neighbours;
mod people_at_once;
mod words;
