//! Mutual TLS 1.3 between nodes: a chain to an anchor, and our own directory's word on the
//! certificate. Never resumes a session: a resumed one would skip the check for revocation.

use std::sync::Arc;

use kernel::World;

/// Says whether a certificate (DER) is registered and not revoked; the text goes to the log.
pub type Accept = Arc<dyn Fn(&[u8]) -> Result<(), String> + Send + Sync>;

/// A key and its certificates.
#[derive(Clone)]
pub struct TlsIdentity {
    /// Certificates (DER), own first, then issuers.
    pub chain: Vec<Vec<u8>>,
    /// Private key (PKCS #8 DER).
    pub key_pkcs8: Vec<u8>,
}

/// Why a TLS configuration cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("the TLS identity or anchors cannot be used: {0}")]
pub struct TlsError(pub String);

/// For the accepting side: a client must show a certificate that leads to an anchor and that
/// `accept` takes.
///
/// # Errors
/// When a key or certificate cannot be used.
pub fn server_config(
    _world: &World,
    _identity: &TlsIdentity,
    _client_anchors: &[Vec<u8>],
    _accept: Accept,
) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    unimplemented!()
}

/// For the calling side: the server's certificate must lead to an anchor, carry the host's name
/// and be taken by `accept`; our own is shown.
///
/// # Errors
/// When a key or certificate cannot be used.
pub fn client_config(
    _world: &World,
    _identity: &TlsIdentity,
    _anchors: &[Vec<u8>],
    _accept: Accept,
) -> Result<Arc<rustls::ClientConfig>, TlsError> {
    unimplemented!()
}
