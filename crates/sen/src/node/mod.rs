//! A node, whoever starts it: `sen up` starts three of the sample nation, `sen serve` one of a
//! configuration file. Says how the crates are put together; never where a value comes from.
//!
//! | read | for |
//! |---|---|
//! | [`plan`] | what a node is told |
//! | [`country`] | what the pack tells all nodes of a process |
//! | [`assemble`] | the crates put together, in their order |
//! | [`faces`] | the four listeners |
//! | [`run`] | listeners and jobs, started and stopped in order |
//! | `checks` | what a ready node needs, and what it says of itself |
//! | `tls` | the node-to-node TLS configurations |

pub mod assemble;
mod checks;
pub mod country;
pub mod faces;
pub mod plan;
pub mod run;
mod tls;

pub use assemble::Node;
pub use country::Country;
pub use faces::Faces;
pub use plan::{Plan, SignIn};
