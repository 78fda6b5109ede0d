//! `sen serve`: one real node from a configuration file. No sample people, no simulators and no
//! development authority: keys and certificates come from outside.
//!
//! | read | for |
//! |---|---|
//! | [`settings`] | every key of the file with its default and unit |
//! | [`check`] | what is refused before anything is opened, and what to do |
//! | [`secrets`] | what may not stand in the file: the database's address, keys |
//! | `outside` | who is called outside the exchange: the bank, the identity provider |
//! | [`plan`] | the file made into what a node is told |
//! | [`publish`] | what the hub publishes: itself, and the entries handed to it |
//! | [`sockets`] | the listeners: handed over by the service manager, or taken |
//! | [`manager`] | what the service manager is told |
//! | [`run`] | started, drained, closed |

pub mod check;
pub mod manager;
mod outside;
pub mod plan;
pub mod publish;
pub mod run;
pub mod secrets;
pub mod settings;
pub mod sockets;
