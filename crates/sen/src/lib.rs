//! Sen ("lotus"): an open digital-government platform in one binary. This crate is the wiring: the
//! configuration, the commands, the simulators of outside parties. No rule of its own.
//!
//! | read | for |
//! |---|---|
//! | [`mod@node`] | how the crates are put together to one node |
//! | [`serve`] | one real node from a configuration file |
//! | [`keys`], [`account`], [`agreement`] | a node's certificates from outside; its first accounts; what it shares |
//! | [`import`] | running cases of another system, taken over by a desk |
//! | [`anchor`] | by what another instance of the exchange knows this one |
//! | [`up`] | a nation on one machine |
//! | [`pack`] | a pack held against every rule |
//! | [`story`] | one birth registration through it, step by step |
//! | [`verify`] | checking a document, a container, a log or a data folder |
//! | [`apply`] | what a file declares, carried to a running node |
//! | [`evidence`] | exchanges found in a node's data, and taken away as containers |
//! | [`backup`] | taking a data folder away while it runs, and bringing it back |
//! | [`doctor`] | what will be trouble, why, and what to do |
//! | [`wiring`] | the lists in which every crate stands once |
//! | [`config`] | every key with its default and unit |
//! | [`mod@bench`] | the parts that the benchmarks measure |

pub mod account;
pub mod agreement;
pub mod anchor;
pub mod apply;
pub mod backup;
pub mod bench;
pub mod config;
pub mod doctor;
pub mod evidence;
pub mod import;
pub mod keys;
mod nav;
pub mod node;
pub mod pack;
mod portal;
pub mod serve;
pub mod simulators;
pub mod story;
pub mod up;
pub mod verify;
pub mod wiring;
