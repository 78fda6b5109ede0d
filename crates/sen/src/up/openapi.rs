//! The OpenAPI description of the platform: every node's operations in one document, made from the
//! code, held against `openapi.json` by the tests.

use std::path::PathBuf;

use kernel::World;
use utoipa::openapi::OpenApi;

use super::nation::PLACES;
use super::node::{Country, Node};
use super::prepare;
use crate::config::Config;

/// Prints the description as JSON.
///
/// # Errors
/// When the nodes cannot be put together.
pub async fn print(pack: Option<PathBuf>, world: &World) -> anyhow::Result<()> {
    println!("{}", describe(pack, world).await?.to_pretty_json()?);
    Ok(())
}

/// The description of all nodes' operations, in the order of their paths.
///
/// # Errors
/// When the nodes cannot be put together.
pub async fn describe(pack: Option<PathBuf>, world: &World) -> anyhow::Result<OpenApi> {
    let data = std::env::temp_dir().join(format!("sen-openapi-{}", world.id()));
    let defaults = Config::default();
    let config = Config {
        data: data.clone(),
        pack: pack.unwrap_or(defaults.pack.clone()),
        people: 4,
        ..defaults
    };
    let described = open_all(&config, world).await;
    std::fs::remove_dir_all(&data).ok();
    described
}

async fn open_all(config: &Config, world: &World) -> anyhow::Result<OpenApi> {
    prepare::prepare(&config.data, &config.pack, config.port, world)?;
    let country = Country::read(&config.pack)?;
    let mut whole = OpenApi::new(
        utoipa::openapi::Info::new("Sen", env!("CARGO_PKG_VERSION")),
        utoipa::openapi::Paths::new(),
    );
    for place in PLACES {
        let node = Node::open(place, config, &country, world).await?;
        whole.merge(node.api().clone());
    }
    Ok(whole)
}
