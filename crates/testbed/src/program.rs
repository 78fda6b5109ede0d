//! A nation run by the program `sen` itself, its standard error kept: what a test sees of it is what
//! an operator sees.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use kernel::World;
use sen::config::Config;
use sen::up::nation::Place;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::ground::{self, PATIENCE};
use crate::nation::PEOPLE;
use crate::site::Site;

/// Runs the program until its own input ends: a test that is over, however it ended, leaves no process
/// behind, also when what it held was never dropped.
const KEEPER: &str = r#""$@" & echo $! > "$0"; exec >&-; cat > /dev/null; kill -9 $!"#;

/// A nation in a process of its own.
pub struct Program {
    /// Where it is.
    pub site: Site,
    keeper: Child,
    folder: PathBuf,
    pid: u32,
}

impl Program {
    /// Runs `sen up` with everything logged, and waits until it is ready.
    ///
    /// # Errors
    /// When it ends or says nothing within patience.
    pub async fn up(name: &str, world: &World) -> anyhow::Result<Self> {
        let folder = ground::folder(name, world)?;
        let (data, log, pid) = (folder.join("data"), folder.join("log"), folder.join("pid"));
        let port = sen::story::nation::free_ports(world)?;
        let mut command = Command::new("sh");
        command
            .args(["-c", KEEPER])
            .arg(&pid)
            .arg(ground::program()?)
            .args(["up", "--json", "--port", &port.to_string()])
            .args(["--people", &PEOPLE.to_string(), "--data"])
            .arg(&data)
            .arg("--pack")
            .arg(Config::default().pack)
            .env("SEN_LOG", "debug")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        match std::env::var("SEN_TEST_POSTGRES") {
            Ok(url) => command.env("SEN_DATABASE", url),
            Err(_) => command.env_remove("SEN_DATABASE"),
        };
        let mut child = command.spawn()?;
        let out = child.stdout.take().context("a child has an output")?;
        let mut lines = BufReader::new(out).lines();
        match tokio::time::timeout(PATIENCE * 2, lines.next_line()).await {
            Ok(Ok(Some(line))) if line.contains("\"ready\":true") => {}
            _ => bail!(
                "sen up did not become ready: {}",
                std::fs::read_to_string(&log).unwrap_or_default()
            ),
        }
        let pid = std::fs::read_to_string(&pid)?.trim().parse()?;
        Ok(Self {
            site: Site::of(data, port)?,
            keeper: child,
            folder,
            pid,
        })
    }

    /// Everything it logged so far.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.join("log"))?)
    }

    /// What a node's metrics say.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn metrics(&self, place: Place) -> anyhow::Result<String> {
        let url = format!("http://127.0.0.1:{}/metrics", place.ports(self.site.port).health);
        let answer = crate::raw::Asked::default().send("GET", &url).await?;
        anyhow::ensure!(answer.status == 200, "{url} answered {}", answer.status);
        Ok(answer.text())
    }

    /// Memory that the process holds now, in bytes.
    ///
    /// # Errors
    /// When the machine does not say.
    pub fn memory_bytes(&self) -> anyhow::Result<u64> {
        memory_bytes(&format!("/proc/{}/status", self.pid))
    }

    /// Ends it at once and removes what it left.
    ///
    /// # Errors
    /// When it does not end within patience.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.keeper.stdin.take());
        tokio::time::timeout(PATIENCE, self.keeper.wait()).await??;
        std::fs::remove_dir_all(&self.folder).ok();
        Ok(())
    }
}

fn memory_bytes(status: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(status)?;
    let line = text.lines().find(|l| l.starts_with("VmRSS:")).context("VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kib << 10)
}

/// What a call of the program ended with.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output and standard error.
    pub said: String,
}

/// Calls the program and waits for its end.
///
/// # Errors
/// When it does not end within patience.
pub async fn call(args: &[&str], dir: &Path) -> anyhow::Result<Ended> {
    let mut command = Command::new(ground::program()?);
    command
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .env_remove("SEN_DATABASE")
        .kill_on_drop(true);
    let done = tokio::time::timeout(PATIENCE, command.output())
        .await
        .context("sen does not end")??;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(Ended {
        code: done.status.code(),
        said,
    })
}
