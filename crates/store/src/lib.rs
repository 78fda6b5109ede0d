//! Database, migrations, facts, outbox, blobs and logs: the only crate that names a database
//! driver. Never knows what a case, a register or an agreement is.
//!
//! | module | holds |
//! |---|---|
//! | [`store`] | [`Store`]: opening, writing, reading, closing |
//! | [`tx`] | [`Tx`] and [`Reader`]: what a write and a read can do |
//! | [`value`] | [`Value`] and [`Row`]: what goes into statements and comes out |
//! | [`migrate`] | the schema's steps and the check that none was changed afterwards |
//! | [`facts`] | facts of a subject, the sealed facts in order, the sealer |
//! | [`log`] | append-only record logs with Merkle roots, in files or in rows |
//! | [`outbox`] | lines to deliver, in order per key, at least once |
//! | [`blobs`] | a folder of files by hash |
//! | [`bodies`] | bodies kept encrypted until the end of a day |
//! | [`followers`] | how far a reader of a log has come |
//! | `room` | how much room the disk has, and how rows and memory stand |
//! | [`backup`] | rows and logs at one position, taken while the node runs |
//! | [`check`] | whether the rows of facts are those of their log |
//! | [`fault`] | places where a test lets the process die |
//! | [`error`] | why a store did not open, and how a driver's error becomes a problem |

pub mod backup;
pub mod blobs;
pub mod bodies;
pub mod check;
mod engine;
pub mod error;
pub mod facts;
pub mod fault;
pub mod followers;
pub mod log;
pub mod migrate;
pub mod outbox;
mod room;
mod secret;
pub mod store;
pub mod tx;
pub mod value;

pub use blobs::Blobs;
pub use bodies::Bodies;
pub use error::StoreError;
pub use log::RecordLog;
pub use migrate::Migrations;
pub use outbox::waiting::{OutboxLag, OutboxTopic};
pub use outbox::{Deliver, OutboxLine};
pub use room::{Memory, Room, RowsStanding};
pub use store::{Database, Engine, Store, StoreConfig, node_tenant};
pub use tx::{Pair, Reader, Tx};
pub use value::{Row, Value};
