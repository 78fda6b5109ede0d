//! Simulators of outside parties: real servers speaking the real protocol over a socket, named as
//! simulators wherever a person meets them. Only `sen up` and `sen story` start them.

pub mod bank;
pub mod messages;
pub mod smtp;
pub mod tsa;
