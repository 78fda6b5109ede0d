//! Thousands of clients that are slow on purpose, from several addresses, and how long honest ones wait
//! meanwhile: at a page that everybody may open, and at the face where systems call. Never a rule of the
//! platform: the limits are `kernel/limits.rs`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::ensure;
use kernel::World;
use sen::story::nation::Nation;
use sen::up::nation::Place;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::effects::{self, Counter};
use crate::raw::Asked;
use crate::site::Site;

/// Slow clients at once, count.
pub const CLIENTS: usize = 4_000;
/// Addresses that they call from, count, and the first one's last part; honest ones call from 127.0.0.1.
const ADDRESSES: usize = 8;
const FIRST: u8 = 10;
/// Between two bytes of a slow client, and before it comes back when it was ended.
const DRIP: Duration = Duration::from_secs(2);
const BACK: Duration = Duration::from_millis(500);
/// How long all of them may take to come.
const COME: Duration = Duration::from_secs(10);
/// Honest calls of a mode, count, and between two of them.
const HONEST: usize = 200;
const EVERY: Duration = Duration::from_millis(50);

/// How a client is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nobody is.
    None,
    /// Headers that never end.
    Headers,
    /// A body that never ends.
    Body,
    /// Not a byte.
    Silent,
}

impl Way {
    /// All, the quiet first.
    pub const ALL: [Self; 4] = [Self::None, Self::Headers, Self::Body, Self::Silent];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "no attack",
            Self::Headers => "slow headers",
            Self::Body => "slow body",
            Self::Silent => "silent",
        }
    }

    /// What such a client sends at once.
    fn begins(self, path: &str) -> String {
        let head = format!("POST {path} HTTP/1.1\r\nHost: sen\r\nX-Road-Client: VN/GOV/H56/records\r\n");
        match self {
            Self::None | Self::Silent => String::new(),
            Self::Headers => head + "X-A: ",
            Self::Body => head + "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{",
        }
    }
}

/// What honest clients met in one mode.
#[derive(Clone, Debug)]
pub struct Met {
    /// Where: `page` or `face`.
    pub target: &'static str,
    /// How the others were slow.
    pub way: Way,
    /// How long each honest call took, in milliseconds, the shortest first.
    pub waits_ms: Vec<i64>,
    /// Honest calls that got no good answer, count.
    pub refused: usize,
    /// Slow connections that were open when the honest ones had been served, count.
    pub held: usize,
}

impl Met {
    /// The time that so many of a hundred calls did not exceed, in milliseconds.
    #[must_use]
    pub fn at(&self, percent: usize) -> i64 {
        let place = (self.waits_ms.len() * percent).div_ceil(100).saturating_sub(1);
        self.waits_ms.get(place).copied().unwrap_or(i64::MAX)
    }
}

/// Attacks the province's sign-in page, then its face, in every way.
///
/// # Errors
/// When the nation cannot be started, or nobody answers while there is no attack.
pub async fn run(program: &Path, world: &World) -> anyhow::Result<Vec<Met>> {
    let nation = Nation::start(program, world).await?;
    let site = Site::of(nation.data.clone(), nation.port)?;
    let (_service, ends) = watch::channel(false);
    let service = effects::serve(Arc::new(Counter::default()), ends).await?;
    effects::connect(&site, &service, world).await?;
    let ports = Place::Province.ports(nation.port);
    let mut all = Vec::new();
    for (target, port) in [("page", ports.portal), ("face", ports.face)] {
        for way in Way::ALL {
            let met = meet(&site, (target, port), way, world).await;
            ensure!(
                way != Way::None || met.refused == 0,
                "the {target} does not answer by itself"
            );
            all.push(met);
        }
    }
    nation.stop().await;
    Ok(all)
}

async fn meet(site: &Site, (target, port): (&'static str, u16), way: Way, world: &World) -> Met {
    let held = Arc::new(AtomicUsize::new(0));
    let path = match target {
        "page" => "/sign-in".to_owned(),
        _ => format!("/r1/VN/GOV/{}/effects", effects::SERVICE),
    };
    let mut clients = JoinSet::new();
    if way != Way::None {
        for number in 0..CLIENTS {
            clients.spawn(client(number, port, way.begins(&path), Arc::clone(&held)));
        }
        let come = async {
            while held.load(Ordering::Relaxed) < CLIENTS {
                tokio::time::sleep(EVERY).await;
            }
        };
        tokio::time::timeout(COME, come).await.ok();
    }
    let mut met = Met {
        target,
        way,
        waits_ms: Vec::with_capacity(HONEST),
        refused: 0,
        held: 0,
    };
    for number in 0..HONEST {
        let begun = world.now();
        if honest(site, target, number as u64).await {
            met.waits_ms.push(world.now().ms() - begun.ms());
        } else {
            met.refused += 1;
        }
        tokio::time::sleep(EVERY).await;
    }
    met.waits_ms.sort_unstable();
    met.held = held.load(Ordering::Relaxed);
    clients.shutdown().await;
    met
}

/// One honest call on a connection of its own; true when it was answered well.
async fn honest(site: &Site, target: &str, number: u64) -> bool {
    let answer = match target {
        "page" => {
            let url = site.url(Place::Province, "/sign-in?with=password");
            Asked::default().send("GET", &url).await
        }
        _ => effects::send(site, number).await,
    };
    answer.is_ok_and(|answer| answer.status == 200)
}

/// A slow client, which comes back whenever it is ended.
async fn client(number: usize, port: u16, begins: String, held: Arc<AtomicUsize>) {
    let last = FIRST + u8::try_from(number % ADDRESSES).unwrap_or_default();
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    loop {
        hold(from, to, &begins, &held).await.ok();
        tokio::time::sleep(BACK).await;
    }
}

/// Counts a connection as long as it is open.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn hold(from: SocketAddr, to: SocketAddr, begins: &str, held: &AtomicUsize) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(from)?;
    let mut stream = socket.connect(to).await?;
    held.fetch_add(1, Ordering::Relaxed);
    let _counted = Counted(held);
    stream.write_all(begins.as_bytes()).await?;
    let mut answer = [0; 1_024];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => {
                if read? == 0 {
                    return Ok(());
                }
            }
            () = tokio::time::sleep(DRIP), if !begins.is_empty() => stream.write_all(b"x").await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_of_a_hundred_is_its_hundredth() {
        let met = Met {
            target: "face",
            way: Way::Silent,
            waits_ms: (1..=200).collect(),
            refused: 0,
            held: 0,
        };
        assert_eq!((met.at(50), met.at(99), met.at(100)), (100, 198, 200));
    }

    #[test]
    fn a_silent_client_says_nothing_and_no_other_ends_what_it_began() {
        assert_eq!(Way::Silent.begins("/"), "");
        assert!(!Way::Headers.begins("/").contains("\r\n\r\n"));
        assert!(Way::Body.begins("/").ends_with("\r\n\r\n{"));
    }
}
