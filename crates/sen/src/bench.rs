//! The parts that `cargo xtask bench exchange` measures: an echo service, and two nodes of the sample
//! nation with one more agreement for it. Hidden commands; nothing here runs in a nation of people.

pub mod clock;
pub mod crowd;
pub mod log;
pub mod past;
pub mod tenants;
pub mod without;
pub mod words;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use directory::keyring::Keyring;
use exchange::behind::Behind;
use exchange::{Agreement, KeptBodies, KeptOf, ServiceId, SignedAgreement};
use kernel::limits::Limits;
use kernel::{OrgCode, World};
use seal::key::{Identity, SigningKey};
use tokio::sync::watch;
use web::client::Client;
use web::listen::{self, Listener};

use crate::config::Config;
use crate::up::nation::Place;
use crate::up::node::{Country, Measured, Node};
use crate::up::prepare::{self, Layout};

/// The services that are measured: the same, and bodies are kept of the second one's exchanges.
const SERVICES: [&str; 2] = ["G01/population/echo", "G01/population/echo-kept"];
/// The agreement about the first.
const AGREEMENT: &str = "00/TT-bench";
/// Days for which bodies are kept.
const KEPT_DAYS: u32 = 1;
/// The system that calls it.
const CONSUMER: &str = "G22/portal";

/// Prepares a data folder whose nodes hold an agreement for each echo service.
///
/// # Errors
/// As [`prepare::prepare`].
pub fn prepare_folder(config: &Config, world: &World) -> anyhow::Result<()> {
    prepare::prepare(&config.data, &config.pack, config.port, world)?;
    let layout = Layout::of(&config.data);
    let plain = agreement(world)?;
    let consumer = seal(&layout, Place::National, &plain.consumer.org)?;
    let kept = Agreement {
        id: "01/TT-bench".to_owned(),
        service: named(SERVICES[1])?,
        bodies: KeptBodies::new(KeptOf::Both, KEPT_DAYS),
        ..plain.clone()
    };
    for agreement in [plain, kept] {
        adopt(&layout, &agreement, &consumer.key, world)?;
    }
    Ok(())
}

/// An organisation's seal, from the keys of its node.
fn seal(layout: &Layout, place: Place, org: &OrgCode) -> anyhow::Result<Identity> {
    let mut ring = Keyring::read_folder(&layout.node(place).join("keys"))?;
    ring.seals
        .remove(org)
        .with_context(|| format!("{} has no seal of {org}", place.id()))
}

/// Signs an agreement for both its parties and gives it to the nodes of both.
fn adopt(layout: &Layout, agreement: &Agreement, consumer: &SigningKey, world: &World) -> anyhow::Result<()> {
    let provider = seal(layout, Place::Ministry, &agreement.provider)?;
    let signed = sign(agreement.clone(), &provider.key, consumer, world);
    for place in [Place::National, Place::Ministry] {
        let file = layout
            .node(place)
            .join("agreements")
            .join(format!("{}.json", agreement.hash()));
        prepare::write(&file, &serde_json::to_vec_pretty(&signed)?, 0o600)?;
    }
    Ok(())
}

fn sign(
    agreement: Agreement,
    provider: &SigningKey,
    consumer: &SigningKey,
    world: &World,
) -> SignedAgreement {
    SignedAgreement {
        provider_acceptance: agreement.accept(&agreement.provider, world.now(), provider),
        consumer_acceptance: agreement.accept(&agreement.consumer.org, world.now(), consumer),
        agreement,
    }
}

fn agreement(world: &World) -> anyhow::Result<Agreement> {
    let words = || "Đo hiệu năng với dữ liệu giả định.".to_owned();
    let code = |text: &str| text.parse::<OrgCode>().map_err(|e| anyhow::anyhow!("{e}"));
    Ok(Agreement {
        id: AGREEMENT.to_owned(),
        provider: code("G01")?,
        consumer: CONSUMER.parse().map_err(|e| anyhow::anyhow!("{e}"))?,
        service: named(SERVICES[0])?,
        fields: Vec::new(),
        endpoints: Vec::new(),
        purpose: words(),
        legal_basis: words(),
        place: words(),
        valid_from: world.now().plus_ms(-86_400_000),
        valid_to: world.now().plus_ms(86_400_000),
        sharing_method: words(),
        handling: words(),
        conditions: words(),
        rate_per_minute: u32::MAX,
        quota: exchange::Quota::default(),
        commitments: words(),
        protection: words(),
        storage: words(),
        deletion: words(),
        other: String::new(),
        bodies: None,
        retention_days: None,
        sub_processing: None,
        group: None,
    })
}

fn named(service: &str) -> anyhow::Result<ServiceId> {
    service.parse().map_err(|e| anyhow::anyhow!("{e}"))
}

/// Runs one node; the ministry's offers the echo services, which stand at one URL. Until it is killed.
///
/// # Errors
/// When the node cannot be started.
pub async fn node(
    place: Place,
    config: &Config,
    echo: &str,
    measured: Measured,
    world: &World,
) -> anyhow::Result<()> {
    let country = Country::read(&config.pack)?;
    let node = Node::open_with(place, config, &country, world, measured).await?;
    let offered = SERVICES.iter().filter(|_| place == Place::Ministry);
    for service in offered {
        node.exchange().provide(Arc::new(Behind {
            id: named(service)?,
            url: echo.to_owned(),
            client: Client::plain(),
            call_ms_max: config.limits.exchange_call_ms_max,
            answer_bytes_max: config.limits.exchange_body_bytes_max,
            endpoints: Vec::new(),
            openapi: None,
        }));
    }
    // Held, because a channel that closes is an end of the node.
    let (_stop, shutdown) = watch::channel(false);
    let mut running = node.start(shutdown, world).await?;
    println!("ready");
    while running.join_next().await.is_some() {}
    Ok(())
}

/// Runs the echo service on a port of this machine, until it is killed.
///
/// # Errors
/// When the port is taken.
pub async fn echo(port: u16) -> anyhow::Result<()> {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    let router = Router::new().route(
        "/",
        post(async |body: Bytes| ([(CONTENT_TYPE, "application/json")], body)),
    );
    let (_stop, shutdown) = watch::channel(false);
    println!("ready");
    listen::serve(listener, None, router, &Limits::default(), shutdown).await;
    Ok(())
}
