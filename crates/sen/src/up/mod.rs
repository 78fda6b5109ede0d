//! `sen up`: a nation on one machine. Read top to bottom: [`nation`] says who there is, [`prepare`]
//! makes keys and agreements once, [`node`] wires one node (with `identity`, `population`, `face`
//! and `tls` for its parts), [`run`] starts and stops them (`hold`: one process a node), [`openapi`] describes them.

pub mod accounts;
mod face;
mod hold;
mod identity;
pub mod nation;
pub mod node;
pub mod openapi;
pub mod population;
pub mod prepare;
pub mod run;
mod tls;
