//! What the service manager is told: that the node is ready, that it stops. A datagram to the socket
//! it names (sd_notify's protocol); without one nothing is said. Never a reason to fail.

use std::os::unix::net::UnixDatagram;

/// The environment's name for the service manager's socket.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Everything listens.
pub const READY: &str = "READY=1";
/// Requests that have begun are finished, new ones wait in the sockets.
pub const STOPPING: &str = "STOPPING=1";

/// Tells the service manager a state.
pub fn tell(state: &str) {
    let Some(path) = std::env::var_os(SOCKET) else {
        return;
    };
    if let Err(cause) = send(&path, state) {
        tracing::warn!(%cause, state, "the service manager could not be told");
    }
}

fn send(path: &std::ffi::OsStr, state: &str) -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::SocketAddr;
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_manager_hears_that_the_node_is_ready() {
        let path = std::env::temp_dir().join(format!("sen-notify-{}", kernel::World::of_this_machine().id()));
        let socket = UnixDatagram::bind(&path).expect("a socket");
        send(path.as_os_str(), READY).expect("sent");
        let mut heard = [0; 64];
        let length = socket.recv(&mut heard).expect("heard");
        assert_eq!(&heard[..length], READY.as_bytes());
        std::fs::remove_file(path).expect("removed");
    }
}
