//! How much goes through the exchange: calls by second, minute, hour, day and month, by member, service,
//! agreement and result, with the times they took. Counted by the follower of the evidence, so nothing on
//! a call's way, and read from sums, so no page grows with the history. Never a name, a path or a body.
//!
//! | module | holds |
//! |---|---|
//! | `grain` | minute, hour, day, month: where they begin and how long they are kept |
//! | `latency` | the histogram of times, and percentiles from it |
//! | `count` | records to sums |
//! | `seconds` | the last two minutes by second, in memory |
//! | `wanted` | what is asked for |
//! | `seen` | what is told |
//! | `store` | the SQL |

mod count;
mod grain;
mod latency;
mod seconds;
mod seen;
mod store;
mod wanted;

#[cfg(test)]
pub(crate) use count::tests;
pub(crate) use count::{Counted, count};
pub(crate) use grain::Grain;
pub(crate) use seconds::Seconds;
pub(crate) use seen::{TrafficRow, TrafficSeen, TrafficSum};
pub(crate) use store::{add, any, forget};
pub(crate) use wanted::{Asked, By, Sort, Span, Wanted};
