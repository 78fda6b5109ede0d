//! The mail server and the SMS gateway of the sample nation, both simulators: their ports, the portal's key, and both ends
//! of the wires. Never in a real node: `sen serve` names real ones, or none.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use cases::telling::Messengers;
use cases::telling::gateway::Gateway;
use cases::telling::smtp::{Smtp, SmtpServer, SmtpTls};
use kernel::World;
use tokio::net::TcpListener;
use web::client::Client;

use super::nation::SIMULATORS;
use super::prepare::{Layout, private_folder, write};
use crate::config::Config;
use crate::simulators::messages::{Kept, router};

/// The address that the portal's messages come from; `.example` belongs to nobody (RFC 2606).
const FROM: &str = "thong-bao@cong-quoc-gia.example";

/// The port of the page and of the SMS gateway.
#[must_use]
pub fn port(config: &Config) -> u16 {
    config.port + SIMULATORS + 2
}

/// The port of the mail server.
#[must_use]
pub fn smtp_port(config: &Config) -> u16 {
    config.port + SIMULATORS + 3
}

fn file(layout: &Layout) -> PathBuf {
    layout.simulators().join("messages").join("key")
}

/// Makes the portal's key of a data folder that has none.
pub(crate) fn prepare(layout: &Layout, world: &World) -> anyhow::Result<()> {
    let file = file(layout);
    if file.exists() {
        return Ok(());
    }
    private_folder(&layout.simulators())?;
    private_folder(&layout.simulators().join("messages"))?;
    let key = hex::encode(world.random::<16>());
    write(&file, key.as_bytes(), 0o600)
}

fn key(layout: &Layout) -> anyhow::Result<String> {
    let file = file(layout);
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// The page and the SMS gateway.
pub(crate) fn simulator(config: &Config, kept: Kept, world: &World) -> anyhow::Result<Router> {
    Ok(router(kept, &key(&Layout::of(&config.data))?, world.clone()))
}

/// Listens for mail.
pub(crate) async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let listening = TcpListener::bind(("127.0.0.1", smtp_port(config))).await;
    listening.with_context(|| format!("the mail simulator cannot listen on port {}", smtp_port(config)))
}

/// The portal's end.
pub(crate) fn client(config: &Config, layout: &Layout) -> anyhow::Result<Messengers> {
    let smtp = Smtp::new(&SmtpServer {
        host: "127.0.0.1".to_owned(),
        port: smtp_port(config),
        tls: SmtpTls::Plain,
        roots: Vec::new(),
        sign_in: None,
        from: FROM.to_owned(),
    });
    let smtp = smtp.map_err(|fault| anyhow::anyhow!("the mail simulator cannot be used: {fault}"))?;
    let url = format!("http://127.0.0.1:{}", port(config));
    let gateway = Gateway::new(Client::plain(), url, key(layout)?);
    Ok(Messengers::new(Some(Arc::new(smtp)), Some(Arc::new(gateway))))
}
