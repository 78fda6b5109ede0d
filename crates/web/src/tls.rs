//! Mutual TLS 1.3 between nodes: a chain to an anchor, and our own directory's word on the
//! certificate. Never resumes a session: a resumed one would skip the check for revocation.

mod outside;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kernel::World;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};
use rustls::{RootCertStore, version::TLS13};

pub use outside::{service_config, systems_config};

/// What is known of a certificate that another node shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It must lead to the anchors.
    Ours,
    /// It must lead to one of these roots (DER), and the anchors count for nothing.
    Under(Vec<Vec<u8>>),
}

/// Says whether a certificate (DER) is registered and not revoked; the text goes to the log.
pub type Accept = Arc<dyn Fn(&[u8]) -> Result<Registered, String> + Send + Sync>;

/// A key and its certificates.
#[derive(Clone)]
pub struct TlsIdentity {
    /// Certificates (DER), own first, then issuers.
    pub chain: Vec<Vec<u8>>,
    /// Private key (PKCS #8 DER).
    pub key_pkcs8: Vec<u8>,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity(…)")
    }
}

/// Why a TLS configuration cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("the TLS identity or anchors cannot be used: {0}")]
pub struct TlsError(pub String);

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self(error.to_string())
    }
}

/// For the accepting side: a client must show a certificate that leads to an anchor, or to the roots that
/// `accept` names for it, and that `accept` takes.
///
/// # Errors
/// When a key or certificate cannot be used.
pub fn server_config(
    world: &World,
    identity: &TlsIdentity,
    client_anchors: &[Vec<u8>],
    accept: Accept,
) -> Result<Arc<ServerConfig>, TlsError> {
    let inner = WebPkiClientVerifier::builder_with_provider(roots(client_anchors)?, provider())
        .build()
        .map_err(|e| TlsError(e.to_string()))?;
    let (chain, key) = parts(identity);
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(WorldTime(world.clone())))
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(RegisteredClient { inner, accept }))
        .with_single_cert(chain, key)?;
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![crate::frames::ALPN.to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// For the calling side: the server's certificate must lead to an anchor, carry the host's name
/// and be taken by `accept`; our own is shown.
///
/// # Errors
/// When a key or certificate cannot be used.
pub fn client_config(
    world: &World,
    identity: &TlsIdentity,
    anchors: &[Vec<u8>],
    accept: Accept,
) -> Result<Arc<ClientConfig>, TlsError> {
    let inner = WebPkiServerVerifier::builder_with_provider(roots(anchors)?, provider())
        .build()
        .map_err(|e| TlsError(e.to_string()))?;
    let (chain, key) = parts(identity);
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(WorldTime(world.clone())))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(RegisteredServer { inner, accept }))
        .with_client_auth_cert(chain, key)?;
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn roots(anchors: &[Vec<u8>]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots.add(CertificateDer::from(anchor.clone()))?;
    }
    Ok(Arc::new(roots))
}

fn parts(identity: &TlsIdentity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = identity.chain.iter().cloned().map(CertificateDer::from).collect();
    (
        chain,
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key_pkcs8.clone())),
    )
}

/// The world's clock, so that a test of expiry needs no waiting.
#[derive(Debug)]
struct WorldTime(World);

impl TimeProvider for WorldTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// What a certificate must lead to. What is refused may still have no path at all, and who shows it is
/// told no more than that.
fn ask(accept: &Accept, leaf: &CertificateDer<'_>) -> Result<Registered, rustls::Error> {
    accept(leaf.as_ref()).map_err(|why| {
        tracing::warn!(why, "the certificate of another node was refused");
        CertificateError::ApplicationVerificationFailure.into()
    })
}

/// Roots that were registered and cannot be used.
fn unusable(why: impl fmt::Display) -> rustls::Error {
    rustls::Error::General(why.to_string())
}

struct RegisteredClient {
    inner: Arc<dyn ClientCertVerifier>,
    accept: Accept,
}

impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegisteredClient")
    }
}

impl ClientCertVerifier for RegisteredClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match ask(&self.accept, leaf)? {
            Registered::Ours => self.inner.verify_client_cert(leaf, issuers, now),
            Registered::Under(theirs) => {
                let roots = roots(&theirs).map_err(unusable)?;
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
                let verifier = verifier.map_err(unusable)?;
                verifier.verify_client_cert(leaf, issuers, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

struct RegisteredServer {
    inner: Arc<WebPkiServerVerifier>,
    accept: Accept,
}

impl fmt::Debug for RegisteredServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegisteredServer")
    }
}

impl ServerCertVerifier for RegisteredServer {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        issuers: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match ask(&self.accept, leaf)? {
            Registered::Ours => self.inner.verify_server_cert(leaf, issuers, name, ocsp, now),
            Registered::Under(theirs) => {
                let roots = roots(&theirs).map_err(unusable)?;
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
                let verifier = verifier.map_err(unusable)?;
                verifier.verify_server_cert(leaf, issuers, name, ocsp, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
