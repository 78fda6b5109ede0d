//! A node's two TLS configurations: as the caller and as the called. Never a rule of who may do
//! what: the directory says which node a certificate is.

use std::sync::Arc;

use directory::Directory;
use directory::keyring::Keyring;
use kernel::World;
use web::tls::TlsIdentity;

fn identity(keyring: &Keyring) -> TlsIdentity {
    let mut chain = vec![keyring.node.certificate.der().to_vec()];
    chain.extend(keyring.node.chain.iter().map(|c| c.der().to_vec()));
    TlsIdentity {
        chain,
        key_pkcs8: keyring.node.key.to_pkcs8_der(),
    }
}

fn anchors(directory: &Directory) -> Vec<Vec<u8>> {
    directory
        .trust()
        .anchors
        .iter()
        .map(|c| c.der().to_vec())
        .collect()
}

fn accept(directory: &Directory) -> web::tls::Accept {
    let directory = directory.clone();
    Arc::new(move |der| directory.node_certificate_ok(der).map(|_| ()))
}

pub(super) fn client(
    keyring: &Keyring,
    directory: &Directory,
    world: &World,
) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    Ok(web::tls::client_config(
        world,
        &identity(keyring),
        &anchors(directory),
        accept(directory),
    )?)
}

/// The server takes every certificate of the directory's roots and refuses revoked nodes request by
/// request, so that a caller is told `node-revoked` instead of a broken connection.
pub(super) fn server(
    keyring: &Keyring,
    directory: &Directory,
    world: &World,
) -> anyhow::Result<Arc<rustls::ServerConfig>> {
    let any: web::tls::Accept = Arc::new(|_| Ok(()));
    Ok(web::tls::server_config(
        world,
        &identity(keyring),
        &anchors(directory),
        any,
    )?)
}
