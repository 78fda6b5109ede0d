//! A portal that is spoken to by the national messages, and an owner that speaks them: to a portal of another make, and
//! to ours.

pub(super) mod line;
mod questions;
pub(super) mod receiving;
pub(super) mod sending;
