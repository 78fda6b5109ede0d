//! Who did what about the exchange, and who tried what and was refused. What was done is read from the
//! facts, which are the proof of it; what was refused leaves a row, and a flood of refusals leaves a count.
//! Never what somebody typed: the operation, the object's name, and the problem's key.
//!
//! | module | holds |
//! |---|---|
//! | `acts` | facts to rows, by their position |
//! | `refused` | attempts that were refused, bounded |
//! | `store` | the SQL |

mod acts;
mod refused;
mod store;

pub(crate) use refused::{Refusals, note};
pub(crate) use store::{Act, ActPlace, ActsAsked, forget_refusals, page};
