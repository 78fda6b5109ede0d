//! Starting and stopping: prepares the folder, opens and starts the nodes of this process, prints
//! the table, waits for Ctrl-C, drains.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use kernel::World;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::hold::hold;
use super::nation::{PLACES, Place};
use super::node::{self, Country, Node};
use super::prepare::{self, Layout};
use crate::config::Config;

/// How long a drain may take before the rest is cut off.
const DRAIN: Duration = Duration::from_secs(15);

/// What `sen up` was asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The configuration in force.
    pub config: Config,
    /// Begin with an empty folder.
    pub fresh: bool,
    /// Print one JSON line when ready.
    pub json: bool,
    /// Only this node: `sen story` runs one process a node.
    pub only: Option<Place>,
}

/// Runs the nation until it is told to stop.
///
/// # Errors
/// When something cannot be started: the message says what to do.
pub async fn run(wish: Wish, world: &World) -> anyhow::Result<()> {
    let began = world.now();
    let config = &wish.config;
    let layout = Layout::of(&config.data);
    let places: Vec<Place> = PLACES
        .into_iter()
        .filter(|p| wish.only.is_none_or(|only| only == *p))
        .collect();
    let before = hold(&layout, &places)?;
    if wish.fresh {
        wipe(config)?;
    }
    let say = |text: &str| {
        if !wish.json {
            eprintln!("{text}");
        }
    };
    say("Reading the pack …");
    let country = Country::read(&config.pack).with_context(|| {
        format!(
            "the pack {} cannot be used: name one with --pack",
            config.pack.display()
        )
    })?;
    say(&format!("Preparing {} …", config.data.display()));
    if wish.only.is_none() {
        prepare::prepare(&config.data, &config.pack, config.port, world)?;
    }
    // Folders may be new since: what was held is let go, what is there now is held to the end.
    drop(before);
    let _held = hold(&layout, &places)?;
    let (stop, shutdown) = watch::channel(false);
    let (mut running, mut ending) = (Vec::new(), None);
    for place in &places {
        let first = !layout.node(*place).join("logs").exists();
        let people = if first && *place == Place::Ministry {
            format!(", loading {} synthetic people", config.people)
        } else {
            String::new()
        };
        say(&format!("Opening the node {}{people} …", place.id()));
        let opened = Node::open(*place, config, &country, world).await?;
        super::past::load(*place, config, &country, &opened, (world, &say)).await?;
        // What is not ready yet ends at once; whoever sees the last one ready may tell it to end.
        if places.last() == Some(place) {
            ending = Some(Ending::listen()?);
        }
        running.push(opened.start(shutdown.clone(), world).await?);
    }
    announce(&wish, &places, world.now().ms() - began.ms())?;
    if let Some(ending) = ending {
        ending.told().await;
    }
    say("Stopping: requests that have begun are finished …");
    stop.send(true).ok();
    for mut node in running {
        if tokio::time::timeout(DRAIN, async { while node.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
    }
    Ok(())
}

/// Ctrl-C, or the service manager's word: heard from [`Ending::listen`] on, not only once it is waited
/// for.
pub(crate) struct Ending {
    pressed: Signal,
    terminate: Signal,
}

impl Ending {
    /// Begins to listen; from here on neither ends the process by itself.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for Ctrl-C and SIGTERM");
        Ok(Self {
            pressed: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Returns when one of them came.
    pub(crate) async fn told(mut self) {
        tokio::select! {
            _ = self.pressed.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Removes a data folder, if it is one of ours.
fn wipe(config: &Config) -> anyhow::Result<()> {
    let data: &PathBuf = &config.data;
    if !data.exists() {
        return Ok(());
    }
    let ours = data.join("ca.pem").is_file() || data.read_dir().is_ok_and(|mut d| d.next().is_none());
    anyhow::ensure!(
        ours,
        "{} is not a data folder of Sen: --fresh removes nothing else",
        data.display()
    );
    std::fs::remove_dir_all(data).with_context(|| format!("cannot remove {}", data.display()))
}

fn announce(wish: &Wish, places: &[Place], ms: i64) -> anyhow::Result<()> {
    let config = &wish.config;
    let samples = node::samples(config)?;
    if wish.json {
        let nodes: Vec<_> = places
            .iter()
            .map(|p| {
                let ports = p.ports(config.port);
                json!({
                    "id": p.id(), "url": p.url(config.port),
                    "is_url": format!("http://127.0.0.1:{}", ports.face),
                    "peer": format!("127.0.0.1:{}", ports.peer),
                    "health": format!("http://127.0.0.1:{}", ports.health),
                })
            })
            .collect();
        let accounts: Vec<_> = samples
            .iter()
            .map(|s| json!({"role": s.role, "node": s.node, "user": s.user, "password": s.password}))
            .collect();
        let ca = Layout::of(&config.data).ca();
        println!(
            "{}",
            json!({"ready": true, "ms": ms, "ca": ca, "nodes": nodes, "accounts": accounts})
        );
        return Ok(());
    }
    println!(
        "\nReady in {ms} ms. Everything here is a sample: people, accounts and certificates are synthetic.\n"
    );
    println!(
        "{:<10} {:<28} {:<24} {:<18} HEALTH",
        "NODE", "PORTAL", "SYSTEMS", "NODE TO NODE"
    );
    for place in places {
        let ports = place.ports(config.port);
        println!(
            "{:<10} {:<28} {:<24} {:<18} http://127.0.0.1:{}/health/ready",
            place.id(),
            place.url(config.port),
            format!("http://127.0.0.1:{}", ports.face),
            format!("127.0.0.1:{}", ports.peer),
            ports.health
        );
    }
    let (tsa, bank) = (config.port + super::nation::SIMULATORS, super::bank::port(config));
    let messages = super::messages::port(config);
    for (port, what) in [
        (tsa, "timestamp authority"),
        (bank, "bank"),
        (messages, "e-mail and SMS to citizens"),
    ] {
        let url = format!("http://127.0.0.1:{port}");
        println!("{:<10} {url:<28} {what}, SIMULATOR", "simulator");
    }
    println!(
        "\n{:<15} {:<10} {:<14} {:<14} NAME",
        "ROLE", "NODE", "USER", "PASSWORD"
    );
    for s in samples {
        println!(
            "{:<15} {:<10} {:<14} {:<14} {}",
            s.role, s.node, s.user, s.password, s.name
        );
    }
    println!(
        "\nTrust for `sen verify`: {}\nCtrl-C stops.",
        Layout::of(&config.data).ca().display()
    );
    Ok(())
}
