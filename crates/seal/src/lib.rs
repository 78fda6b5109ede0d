//! Keys, signatures, certificate paths, timestamps, containers and proofs: answers a verdict, never
//! a bool about trust. Knows no network, no database and no files: pure functions over bytes.
//!
//! | module | holds |
//! |---|---|
//! | [`asice`] | signed containers: written, and checked from their bytes alone |
//! | [`authority`] | a small certificate authority for trials and tests |
//! | [`batch`] | one signature over many exchanged messages, and its check |
//! | [`certificate`] | certificates, and the path from one to a trusted root |
//! | [`cms`] | detached CMS signatures |
//! | [`error`] | why something could not be made or was not accepted |
//! | [`hashchain`] | the hash steps and XML files of X-Road's hash chains |
//! | [`jws`] | compact signed JSON, ES256 only |
//! | [`key`] | signing keys, and the identity a key and its certificates make |
//! | [`merkle`] | RFC 6962 trees and proofs |
//! | [`pdf`] | signed PDF documents |
//! | [`revocation`] | lists of revoked certificates as authorities sign them |
//! | [`timestamp`] | RFC 3161 timestamps |
//! | [`verdict`] | the answer of every check of a document |

pub mod asice;
pub mod authority;
pub mod batch;
pub mod certificate;
pub mod cms;
pub mod error;
pub mod hashchain;
pub mod jws;
pub mod key;
pub mod merkle;
pub mod pdf;
pub mod revocation;
mod template;
pub mod timestamp;
pub mod verdict;

pub use authority::{Authority, Profile, Subject};
pub use certificate::{Certificate, PathFault, Trust, Usage};
pub use error::{SealError, SealFault};
pub use key::{Identity, SigningKey};
pub use verdict::{Indication, Verdict};
