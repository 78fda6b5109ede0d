//! Signed PDF documents: PAdES baseline B-B (ETSI EN 319 142-1); the last signature covers the whole
//! file, each earlier one the revision it ended. Never trusts a file's own structure: what strangers send is read by a small reader
//! whose cost is bounded by the file's length, and only what was signed is called signed.

use kernel::Time;

use crate::key::Identity;

#[cfg(test)]
mod hostile_tests;
mod inspect;
mod lexer;
mod locate;
mod mark;
#[cfg(test)]
mod revision_tests;
mod revisions;
mod scan;
mod sign;
#[cfg(test)]
mod tool_tests;
#[cfg(test)]
mod trial;
mod verify;

pub use inspect::looks_like_pdf;
pub use locate::signature_parts;
pub use mark::Mark;
pub use sign::{countersign, sign};
pub use verify::verify;

/// How a document is signed.
#[derive(Clone, Copy, Debug)]
pub struct PdfSigning<'a> {
    /// The key and its certificates.
    pub identity: &'a Identity,
    /// The time claimed, shown by readers as the time of signing.
    pub at: Time,
    /// Why it is signed.
    pub reason: &'a str,
    /// Where.
    pub location: &'a str,
    /// The name readers show beside the certificate's.
    pub name: &'a str,
}
