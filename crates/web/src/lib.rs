//! The only crate that names HTTP internals: accept loop with limits, outgoing client, extractors,
//! problems, page shell, forms and languages. Never holds a rule of a procedure, a table or a key.
//!
//! | module | holds |
//! |---|---|
//! | [`listen`] | the one accept loop: deadlines, caps, drain |
//! | [`client`] | calls to others, with a deadline and a size |
//! | [`tls`] | mutual TLS for both, checked against our own directory; TLS with programs it does not know |
//! | [`probe`] | a connection tried step by step |
//! | [`shared`] | what every request may use: texts, world, limits, the node's face, `Authenticate` |
//! | [`problem`] | [`Refusal`] and the `present` middleware that words it |
//! | [`cookie`], [`trace`] | small headers |
//! | [`auth`] | who is signed in |
//! | [`form`], [`json`] | what a person or a program sends, bounded and cleaned |
//! | [`page`] | the shell around every page |
//! | [`chart`] | pictures of numbers |
//! | [`i18n`] | Vietnamese first, English second |
//! | [`assets`], [`body`] | the stylesheet and the one picture; a raw body, bounded |
//! | [`health`], [`openapi`] | what operators and integrators read |
//! | [`canary`] | for tests: what the log carried |

pub mod assets;
pub mod auth;
pub mod body;
pub mod canary;
pub mod chart;
pub mod client;
pub mod cookie;
pub mod form;
pub mod frames;
pub mod health;
pub mod i18n;
pub mod json;
pub mod listen;
pub mod openapi;
pub mod page;
mod present;
pub mod probe;
pub mod problem;
pub mod shared;
#[cfg(test)]
mod testing;
pub mod tls;
pub mod trace;

pub use auth::{Authenticate, MaybeSignedIn, Operator, Principal, SignedIn};
pub use axum::{self, http};
pub use client::{Client, ClientError};
pub use form::{Fields, Upload};
pub use frames::{AnswerFrames, FrameClient};
pub use i18n::{Lang, Source, Texts};
pub use json::{Json, JsonWithFiles};
pub use listen::{ListenError, Listener, Peer, serve, serve_nodes};
pub use page::Page;
pub use problem::{Refusal, present};
pub use shared::{NavItem, NodeFace, Shared};

/// The shell's own texts and those of the common problems; goes first into [`Texts::new`].
pub const TEXTS: Source = Source {
    name: "web",
    vi: include_str!("../i18n/vi.ftl"),
    en: include_str!("../i18n/en.ftl"),
};
