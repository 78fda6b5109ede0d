//! `sen up`: a nation on one machine. Read top to bottom: [`nation`] says who there is, [`prepare`]
//! makes keys and agreements once, [`node`] says what one node is told (with `identity`,
//! `population`, `past` and `face` for its parts), [`run`] starts and stops them (`hold`: one process a node), [`openapi`] describes them.

pub mod accounts;
pub mod bank;
mod face;
pub(crate) mod hold;
mod identity;
pub mod messages;
pub mod nation;
pub mod node;
pub mod openapi;
mod past;
pub mod population;
pub mod prepare;
pub mod run;

pub use hold::is_held;
