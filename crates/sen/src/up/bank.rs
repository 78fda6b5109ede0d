//! The bank simulator of the sample nation: its key, the portal's secret, and both ends of the wire.
//! Never in a real node: `sen serve` names a real bank.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use axum::Router;
use cases::payment::HttpBank;
use kernel::World;
use seal::jws::PublicKey;
use seal::key::SigningKey;
use web::client::Client;

use super::nation::SIMULATORS;
use super::prepare::{Layout, private_folder, write};
use crate::config::Config;
use crate::simulators::bank::{Merchant, router};

/// The portal's name at the bank.
const MERCHANT: &str = "G22";

/// The simulator's port.
#[must_use]
pub fn port(config: &Config) -> u16 {
    config.port + SIMULATORS + 1
}

fn folder(layout: &Layout) -> PathBuf {
    layout.simulators().join("bank")
}

/// Makes key and secret of a data folder that has none.
pub(crate) fn prepare(layout: &Layout, world: &World) -> anyhow::Result<()> {
    let folder = folder(layout);
    if folder.join("secret").exists() {
        return Ok(());
    }
    private_folder(&layout.simulators())?;
    private_folder(&folder)?;
    let key = SigningKey::generate().to_pkcs8_pem();
    write(&folder.join("key.pem"), key.as_bytes(), 0o600)?;
    let secret = hex::encode(world.random::<16>());
    write(&folder.join("secret"), secret.as_bytes(), 0o600)
}

fn read(layout: &Layout) -> anyhow::Result<(SigningKey, String)> {
    let text = |name: &str| {
        let file = folder(layout).join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    Ok((SigningKey::from_pkcs8_pem(&text("key.pem")?)?, text("secret")?))
}

/// The simulator's routes.
pub(crate) fn simulator(config: &Config, world: &World) -> anyhow::Result<Router> {
    let (key, secret) = read(&Layout::of(&config.data))?;
    let merchant = Merchant {
        name: MERCHANT.to_owned(),
        secret,
    };
    Ok(router(url(config), merchant, key, world.clone()))
}

/// The portal's end.
pub(crate) fn client(config: &Config, layout: &Layout) -> anyhow::Result<HttpBank> {
    let (key, secret) = read(layout)?;
    let key = PublicKey::of(&key);
    Ok(HttpBank::new(
        Client::plain(),
        url(config),
        MERCHANT.to_owned(),
        secret,
        key,
    ))
}

fn url(config: &Config) -> String {
    format!("http://127.0.0.1:{}", port(config))
}
