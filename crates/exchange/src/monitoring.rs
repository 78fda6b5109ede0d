//! The node as X-Road's collectors know a security server: a record for each call, in the fields of the
//! operational monitoring protocol (pr-opmon), made from the evidence when it is asked for; and the health
//! of the services. What this node does not know is left out, and so is who a call was made for.
//!
//! | module | holds |
//! |---|---|
//! | `record` | one record, field by field |
//! | `records` | a page of them by time |
//! | `health` | the last ten minutes of each service, in memory |

pub(crate) mod health;
mod record;
mod records;

pub(crate) use health::Health;
pub(crate) use record::OperationalRecord;
pub(crate) use records::{OperationalData, RecordsWanted};
