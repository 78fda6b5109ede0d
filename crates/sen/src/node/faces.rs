//! The four listeners of a node: people, information systems, other nodes, operators. Never decides
//! an address: it is handed sockets.

use std::sync::Arc;

use web::listen::Listener;

/// The sockets of a node, taken and not yet served.
pub struct Faces {
    /// The portal.
    pub public: Listener,
    /// TLS of the portal; plain HTTP when a proxy ends TLS, or on a loopback address.
    pub public_tls: Option<Arc<rustls::ServerConfig>>,
    /// Information systems of the node's tenants.
    pub systems: Listener,
    /// Other nodes, over mutual TLS.
    pub peer: Listener,
    /// Health, figures and what operators' tools ask.
    pub administration: Listener,
}
