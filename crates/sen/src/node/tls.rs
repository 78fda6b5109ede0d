//! A node's TLS configurations: as the caller and as the called, and for information systems. Never a
//! rule of who may do what: the directory says which node a certificate is, the exchange which system.

use std::sync::Arc;

use directory::Directory;
use directory::keyring::Keyring;
use exchange::Connection;
use kernel::World;
use web::tls::{Registered, TlsIdentity};

use super::plan::Plan;

fn identity(keyring: &Keyring) -> TlsIdentity {
    let mut chain = vec![keyring.node.certificate.der().to_vec()];
    chain.extend(keyring.node.chain.iter().map(|c| c.der().to_vec()));
    TlsIdentity {
        chain,
        key_pkcs8: keyring.node.key.to_pkcs8_der(),
    }
}

/// The roots of the directory and those that the node was told.
fn anchors(plan: &Plan, directory: &Directory) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for root in plan.anchors.iter().chain(&directory.trust().anchors) {
        if !all.iter().any(|known| known == root.der()) {
            all.push(root.der().to_vec());
        }
    }
    all
}

pub(super) fn client(
    plan: &Plan,
    directory: &Directory,
    world: &World,
) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    let registered = directory.clone();
    let accept: web::tls::Accept = Arc::new(move |der| registered.node_roots(der));
    configuration(plan, directory, world, accept)
}

/// As [`client`], but before the first directory every node of the roots may hand it over: what it
/// hands over is signed by the hub.
pub(super) fn hub_client(
    plan: &Plan,
    directory: &Directory,
    world: &World,
) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    let registered = directory.clone();
    let accept: web::tls::Accept = Arc::new(move |der| match registered.snapshot().serial {
        0 => Ok(Registered::Ours),
        _ => registered.node_roots(der),
    });
    configuration(plan, directory, world, accept)
}

/// For what is signed and no secret: any node of the roots, also one whose certificate is revoked or not
/// in the directory yet.
pub(super) fn any_node(
    plan: &Plan,
    directory: &Directory,
    world: &World,
) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    configuration(plan, directory, world, Arc::new(|_| Ok(Registered::Ours)))
}

fn configuration(
    plan: &Plan,
    directory: &Directory,
    world: &World,
    accept: web::tls::Accept,
) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    let (identity, anchors) = (identity(&plan.keyring), anchors(plan, directory));
    Ok(web::tls::client_config(world, &identity, &anchors, accept)?)
}

/// The server takes every certificate of the roots, and of an instance that is trusted those of its nodes;
/// it refuses revoked nodes request by request, so that a caller is told `node-revoked` instead of a broken connection.
pub(super) fn server(
    plan: &Plan,
    directory: &Directory,
    world: &World,
) -> anyhow::Result<Arc<rustls::ServerConfig>> {
    let registered = directory.clone();
    let any: web::tls::Accept =
        Arc::new(move |der| Ok(registered.node_roots(der).unwrap_or(Registered::Ours)));
    let (identity, anchors) = (identity(&plan.keyring), anchors(plan, directory));
    Ok(web::tls::server_config(world, &identity, &anchors, any)?)
}

/// TLS of the information-system face, with the node's own certificate; `None` for plain HTTP.
pub(super) fn systems(plan: &Plan, world: &World) -> anyhow::Result<Option<Arc<rustls::ServerConfig>>> {
    if plan.systems == Connection::Http {
        return Ok(None);
    }
    // With `https` too: of some systems it may be said that they show a certificate.
    let config = web::tls::systems_config(world, &identity(&plan.keyring), true)?;
    Ok(Some(config))
}
