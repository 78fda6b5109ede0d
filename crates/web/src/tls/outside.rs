//! TLS with programs that no directory knows: services behind a node, by roots that its operator names,
//! and information systems that call it, by certificates that its operator registers. Never decides
//! whose certificate one is: the face that is called does.

use std::sync::Arc;

use kernel::World;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
};

use super::{TlsError, TlsIdentity, WorldTime, parts, provider};

/// Roots of one service, count.
const ROOTS_MAX: usize = 16;

/// For calling a service behind the node: its certificate must lead to one of the roots (PEM) and carry
/// the host's name. `identity` is shown to a service that asks who calls.
///
/// # Errors
/// When the roots are no certificates, none or too many, or the identity cannot be used.
pub fn service_config(
    world: &World,
    roots_pem: &str,
    identity: Option<&TlsIdentity>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots_pem.as_bytes()).take(ROOTS_MAX + 1) {
        roots.add(root.map_err(|e| TlsError(e.to_string()))?)?;
    }
    if roots.is_empty() || roots.len() > ROOTS_MAX {
        return Err(TlsError(format!(
            "{} roots, 1 to {ROOTS_MAX} may be",
            roots.len()
        )));
    }
    let config = ClientConfig::builder_with_details(provider(), Arc::new(WorldTime(world.clone())))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    Ok(Arc::new(match identity {
        Some(identity) => {
            let (chain, key) = parts(identity);
            config.with_client_auth_cert(chain, key)?
        }
        None => config.with_no_client_auth(),
    }))
}

/// For information systems that call the node. With `asks`, a caller may show a certificate of any
/// issuer: it has proven then to hold its key, and who may call with it is asked request by request, so
/// that a caller is told what is wrong instead of meeting a broken connection.
///
/// # Errors
/// When the node's key or certificate cannot be used.
pub fn systems_config(
    world: &World,
    identity: &TlsIdentity,
    asks: bool,
) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = parts(identity);
    let config = ServerConfig::builder_with_details(provider(), Arc::new(WorldTime(world.clone())))
        .with_safe_default_protocol_versions()?;
    let config = if asks {
        config.with_client_cert_verifier(Arc::new(AnyClient(provider())))
    } else {
        config.with_no_client_auth()
    };
    let mut config = config.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Takes any certificate whose key signs the handshake, and none as well.
#[derive(Debug)]
struct AnyClient(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _issuers: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
