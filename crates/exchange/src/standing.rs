//! How a node stands, for who looks after it: the directory's age, certificates, timestamps, clocks,
//! circuits, quotas, room, agreements that wait or end; and the way to other nodes, the hub and the
//! timestamp authorities tried step by step. Reads what the node knows already; asks others only when an
//! operator says so.
//!
//! | module | holds |
//! |---|---|
//! | `clocks` | how far others' clocks are from ours, told from the exchanges themselves |
//! | `seen` | everything in one look, each with its light |
//! | `attempt` | the way to somebody, step by step |
//! | `authorities` | what authorities have revoked, as the directory has it |
//! | `whole`, `over_there`, `way` | the whole way to a service: this node's half, the other's, and their steps |
//! | `machine` | rows, outbox, memory, backups |
//! | `samples` | timestamps and directory over the last day |
//! | `peer` | what another node asks of this one |

mod attempt;
mod authorities;
pub(crate) mod clocks;
mod machine;
pub(crate) mod over_there;
pub(crate) mod peer;
mod samples;
mod seen;
mod way;
mod whole;

pub(crate) use attempt::{Target, TriedOut};
pub(crate) use authorities::StandingAuthority;
pub(crate) use clocks::Clocks;
pub(crate) use over_there::Tries;
pub(crate) use samples::{Samples, StandingSample};
pub(crate) use seen::{
    Light, StandingAgreement, StandingCircuit, StandingClock, StandingInstance, StandingQuota, StandingSeen,
};
pub(crate) use way::{Way, WayFault, WayStep, works};
pub(crate) use whole::WholeWay;
