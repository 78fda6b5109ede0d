//! A node's keys and certificates, when certificates come from an outside authority: a key is made
//! here, its request is signed there, the certificate is checked and put beside its key. A private key
//! never leaves the folder, and nothing here issues a certificate.
//!
//! | read | for |
//! |---|---|
//! | [`holder`] | whose key it is, and where it stands |
//! | [`ring`] | all keys of a node, read and checked at its start |
//! | [`request`] | a key made, and its certificate request |
//! | [`install`] | a certificate checked and put beside its key |
//! | [`list`] | what there is and until when it holds |

pub mod holder;
pub mod install;
pub mod list;
pub mod request;
pub mod ring;
