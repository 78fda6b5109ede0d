//! The words of the house: ids and codes, time and calendar, money, actors, facts, problems and
//! limits. Pure: never reads a clock, a file, a socket or a random source of its own.
//!
//! | module | holds |
//! |---|---|
//! | [`actor`] | who acts, for which tenant |
//! | [`calendar`] | working hours, holidays, and counting with them |
//! | [`clock`] | time and chance as arguments |
//! | [`codes`] | organisation, area, procedure, case and personal codes |
//! | [`digest`] | SHA-256 values and canonical JSON |
//! | [`fact`] | everything that can happen, as one enum |
//! | [`fault`] | what is wrong with a file of a pack, and where |
//! | [`limits`] | every bound of the platform, with its unit |
//! | [`problem`] | what is told to the outside when something is refused |
//! | [`text`] | folding and cleaning of Vietnamese text |
//! | [`time`] | an instant in milliseconds, and Vietnam's civil dates |

pub mod actor;
pub mod calendar;
pub mod clock;
pub mod codes;
pub mod digest;
pub mod fact;
pub mod fault;
pub mod limits;
pub mod problem;
pub mod text;
pub mod time;

pub use actor::{Actor, Tenant};
pub use clock::{Chance, Clock, World};
pub use codes::{AreaCode, CaseCode, OrgCode, PersonalNumber, ProcedureCode, TaxCode};
pub use digest::Digest;
pub use fact::{Fact, FactRecord};
pub use fault::{Fault, Faults};
pub use problem::{Kind, Problem};
pub use time::{Date, Time};
