//! One node from its configuration: checked, opened, served, drained, closed. Says to the service
//! manager where it is.

use std::time::Duration;

use anyhow::Context as _;
use kernel::World;
use tokio::sync::watch;

use super::manager;
use super::secrets::Secrets;
use super::settings::Settings;
use super::{check, plan, publish, sockets};
use crate::backup::site::HUB;
use crate::node::{Country, Node, Plan};
use crate::up::hold;
use crate::up::prepare::{private_folder, write};
use crate::up::run::Ending;

/// What the drain may take beyond the longest request: the jobs' end, the last flush.
const CLOSING: Duration = Duration::from_secs(15);

/// Runs the node until it is told to stop.
///
/// # Errors
/// When it cannot be started: the message names the key, the rule and the remedy.
pub async fn run(settings: &Settings, secrets: &Secrets, world: &World) -> anyhow::Result<()> {
    let began = world.now();
    check::settings(settings)?;
    let country = country(settings, world)?;
    private_folder(&settings.data).with_context(|| {
        format!(
            "data: {} cannot be made or written by this user",
            settings.data.display()
        )
    })?;
    let _held = hold::folder(&settings.data, REMEDY)?;
    let plan = plan::plan(settings, secrets, world)?;
    let tls = plan::public_tls(settings, secrets, world)?;
    keep_hub(settings, &plan)?;
    let handed = sockets::Handed::of_environment()?;
    let faces = sockets::faces(handed, &settings.listen, tls).await?;
    let plain = settings.systems.connection == exchange::Connection::Http;
    for (key, addr, open) in [
        ("listen.systems", settings.listen.systems, plain),
        ("listen.administration", settings.listen.administration, true),
    ] {
        if open && !addr.ip().is_loopback() {
            tracing::warn!(%addr, key, "has no TLS and no sign-in, and listens beyond this machine: let a firewall say who may call");
        }
    }
    let node = Node::open(plan, &country, world).await?;
    publish::publish(&node, settings, &country, world.now()).await?;
    let (stop, shutdown) = watch::channel(false);
    // Before anybody can see the node ready and tell it to end.
    let ending = Ending::listen()?;
    let mut running = node.start(faces, &shutdown, world)?;
    let ms = world.now().ms() - began.ms();
    tracing::info!(node = settings.id, ms, public = %settings.listen.public, "ready");
    manager::tell(manager::READY);
    tokio::select! {
        () = ending.told() => {}
        _ = running.join_next() => anyhow::bail!("the node ended by itself: the log says why"),
    }
    tracing::info!(
        node = settings.id,
        "stopping: requests that have begun are finished"
    );
    manager::tell(manager::STOPPING);
    stop.send_replace(true);
    let drain = Duration::from_millis(settings.limits.request_ms_max) + CLOSING;
    let done = tokio::time::timeout(drain, async { while running.join_next().await.is_some() {} });
    if done.await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
    tracing::info!(node = settings.id, "stopped");
    Ok(())
}

/// Keeps the certificate by which the directory is believed beside it: `sen verify`, `sen doctor` and a
/// restore elsewhere check the folder without the configuration's own files.
fn keep_hub(settings: &Settings, plan: &Plan) -> anyhow::Result<()> {
    let (file, pem) = (settings.data.join(HUB), plan.hub_certificate.pem());
    if std::fs::read_to_string(&file).is_ok_and(|kept| kept == pem) {
        return Ok(());
    }
    write(&file, pem.as_bytes(), 0o600)
}

/// What to do when another process has the node's folder.
pub(crate) const REMEDY: &str = "a node is one process; stop it first (`systemctl stop sen.service`)";

/// Reads the pack and looks whether it knows the tenants.
///
/// # Errors
/// When it cannot be used.
pub(crate) fn country(settings: &Settings, world: &World) -> anyhow::Result<Country> {
    let country = Country::read(&settings.pack).with_context(|| {
        format!(
            "pack: {} cannot be used: name the folder that holds pack.toml",
            settings.pack.display()
        )
    })?;
    check::tenants(settings, &country.organisations, world.now())?;
    Ok(country)
}

/// Reads everything that a start reads before it opens the store and listens.
///
/// # Errors
/// The first thing that would keep the node from starting, and what to do.
pub fn check_only(settings: &Settings, secrets: &Secrets, world: &World) -> anyhow::Result<()> {
    check::settings(settings)?;
    country(settings, world)?;
    plan::plan(settings, secrets, world)?;
    plan::public_tls(settings, secrets, world)?;
    Ok(())
}
