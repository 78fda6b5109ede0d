//! What stands between two nodes, or between a node and a system: it carries their bytes, or does what
//! a bad network and a bad neighbour do. Never reads what they say.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::nation::Nation;

/// Longer than anything that is waited for here.
const PATIENCE: Duration = Duration::from_secs(20);

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Carries,
    /// Takes connections and bytes, and carries nothing.
    Silent,
    /// Ends every connection as soon as something is sent on it, new ones at once.
    Refuses,
    /// Answers every new connection with what nobody speaks.
    Garbage,
    /// Carries so many bytes a second, on each connection.
    Slow(u64),
    /// Ends the connection on which the next bytes go out, with those bytes; then carries.
    LosesRequest,
    /// Ends the connection on which the next bytes come back, with those bytes; then carries.
    LosesAnswer,
}

/// A place between two.
pub(crate) struct Between {
    pub(crate) address: String,
    mode: Arc<watch::Sender<Mode>>,
    asked: watch::Receiver<usize>,
}

impl Between {
    pub(crate) async fn new(to: String) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").await.expect("a port"), to)
    }

    /// At a port that somebody keeps.
    pub(crate) fn at(listener: TcpListener, to: String) -> Self {
        let address = listener.local_addr().expect("an address").to_string();
        let mode = Arc::new(watch::channel(Mode::Carries).0);
        let told = Arc::clone(&mode);
        let (count, asked) = watch::channel(0);
        let count = Arc::new(count);
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(carry(caller, to.clone(), Arc::clone(&told), Arc::clone(&count)));
            }
        });
        Self { address, mode, asked }
    }

    /// Between the national node and the ministry's, with every connection between them open.
    pub(crate) async fn nodes(nation: &mut Nation) -> Self {
        let between = Self::new(nation.ministry.peer.clone()).await;
        let peer = between.address.clone();
        nation.publish(|s| s.nodes[1].peer = peer).await;
        for _ in 0..4 {
            nation.ask("{}").await.expect("an answer");
        }
        between
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// What callers sent so far, in pieces as they came, count: one of each connection on which something
    /// was sent while nothing is carried.
    pub(crate) fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until callers have sent so many pieces.
    pub(crate) async fn is_asked(&self, pieces: usize) {
        let mut watched = self.asked.clone();
        let came = tokio::time::timeout(PATIENCE, watched.wait_for(|asked| *asked >= pieces)).await;
        assert!(came.is_ok(), "nothing was sent");
    }

    /// Waits until what was to be lost is lost.
    pub(crate) async fn lost(&self) {
        let mut watched = self.mode.subscribe();
        watched.wait_for(|mode| *mode == Mode::Carries).await.ok();
    }
}

async fn carry(
    mut caller: TcpStream,
    to: String,
    mode: Arc<watch::Sender<Mode>>,
    asked: Arc<watch::Sender<usize>>,
) {
    let begun = *mode.borrow();
    match begun {
        Mode::Refuses => return,
        Mode::Garbage => {
            caller.write_all(b"220 mail.example ESMTP\r\n").await.ok();
            return;
        }
        _ => {}
    }
    let Ok(mut called) = TcpStream::connect(&to).await else {
        return;
    };
    let (mut out, mut back) = (vec![0; 16_384], vec![0; 16_384]);
    loop {
        tokio::select! {
            read = caller.read(&mut out) => {
                let Ok(length @ 1..) = read else { return };
                asked.send_modify(|asked| *asked += 1);
                let lost = is_lost(&mode, Mode::LosesRequest).await || *mode.borrow() == Mode::Refuses;
                slowed(&mode, length).await;
                if lost || called.write_all(&out[..length]).await.is_err() {
                    return;
                }
            }
            read = called.read(&mut back) => {
                let Ok(length @ 1..) = read else { return };
                let lost = is_lost(&mode, Mode::LosesAnswer).await;
                slowed(&mode, length).await;
                if lost || caller.write_all(&back[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits as long as these bytes take on a slow way.
async fn slowed(mode: &watch::Sender<Mode>, length: usize) {
    let mode = *mode.borrow();
    if let Mode::Slow(bytes_per_second) = mode {
        let ms = length as u64 * 1_000 / bytes_per_second;
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// Waits as long as nothing is carried; true when these bytes are to be lost.
async fn is_lost(mode: &watch::Sender<Mode>, by: Mode) -> bool {
    let mut watched = mode.subscribe();
    watched.wait_for(|mode| *mode != Mode::Silent).await.ok();
    mode.send_if_modified(|mode| {
        let lost = *mode == by;
        if lost {
            *mode = Mode::Carries;
        }
        lost
    })
}
