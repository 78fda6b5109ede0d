//! A PostgreSQL server for one run: an empty folder, a free port of this machine, gone afterwards.
//! It must never outlive the run, however that ends: a keeper process holds it and stops it as soon
//! as the pipe from us closes.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context as _, Result, bail};

use crate::{debian, shell};

/// Starts the server, says `ready`, waits for the pipe to close, stops it and clears up. Ctrl-C goes to
/// the whole group of the terminal: the keeper stands outside that group. It ignores the broken pipe
/// of a run that ended while the server was starting: it would end before it has cleared up.
const KEEPER: &str = r#"
folder=$1; bin=$2; port=$3; waits=$4
clear_up() { "$bin/pg_ctl" stop -s -w -m fast -D "$folder/data" >/dev/null 2>&1; cd /; rm -rf "$folder"; }
trap '' INT HUP TERM PIPE
cd "$folder" || exit 1
if "$bin/initdb" -D "$folder/data" -U sen -A trust -E UTF8 --locale=C >"$folder/log" 2>&1 &&
   "$bin/pg_ctl" start -s -w -t 60 -D "$folder/data" -l "$folder/log" -o "-p $port -c listen_addresses=127.0.0.1 \
     -c unix_socket_directories='' -c max_connections=400 -c shared_buffers=128MB -c fsync=$waits" >>"$folder/log" 2>&1
then echo ready; cat >/dev/null
else tail -n 20 "$folder/log" >&2
fi
clear_up
"#;

/// A server that runs until this is dropped.
pub(crate) struct Server {
    keeper: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start: its own words are shown before.
    pub(crate) fn start() -> Result<Self> {
        Self::waiting("on")
    }

    /// Starts a server that does not wait for its disk: for tests, none of which cuts its power.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub(crate) fn start_for_tests() -> Result<Self> {
        Self::waiting("off")
    }

    /// `waits`: whether a commit waits for the disk, `on` or `off`.
    fn waiting(waits: &str) -> Result<Self> {
        let bin = binaries()?;
        let folder = std::env::temp_dir().join(format!("sen-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let port = free_port()?;
        let mut command = Command::new("sh");
        command
            .args(["-c", KEEPER, "keeper"])
            .arg(&folder)
            .arg(&bin)
            .arg(port.to_string())
            .arg(waits);
        command
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if shell::is_root() {
            let (user, group) = unprivileged()?;
            std::os::unix::fs::chown(&folder, Some(user), Some(group))?;
            command.uid(user).gid(group);
        }
        let mut keeper = command.spawn().context("sh cannot be run")?;
        let out = keeper.stdout.take().context("the keeper's output is piped")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let server = Self { keeper, folder, port };
        if line.trim() == "ready" {
            Ok(server)
        } else {
            bail!("PostgreSQL did not start")
        }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("postgres://sen@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(cause) = self.keeper.wait() {
            eprintln!(
                "the keeper of {} cannot be waited for: {cause}",
                self.folder.display()
            );
        }
    }
}

fn binaries() -> Result<PathBuf> {
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
    };
    debian::postgres_folder()
        .or_else(on_path)
        .context("PostgreSQL's initdb is not installed")
}

/// A port that nobody listens on, never the same twice: below those that the machine gives to callers, one of which
/// may come before the server that is to have it.
pub(crate) fn free_port() -> Result<u16> {
    const PORTS: std::ops::Range<u16> = 12_000..20_000;
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let width = u32::from(PORTS.end - PORTS.start);
    // Two runs beside each other begin in different places.
    let begin = std::process::id().wrapping_mul(97);
    for _ in PORTS {
        let turn = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed).into());
        let port = PORTS.start + u16::try_from(turn % width)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free between {} and {}", PORTS.start, PORTS.end)
}

/// PostgreSQL refuses to run as root; Debian's package brings a user for it.
fn unprivileged() -> Result<(u32, u32)> {
    let users = std::fs::read_to_string(Path::new("/etc/passwd"))?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| user(&users, name))
        .context("there is no user postgres and no user nobody to run PostgreSQL as")
}

fn user(users: &str, name: &str) -> Option<(u32, u32)> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next() == Some(name);
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        is_it.then_some((user, group))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_gone_when_its_run_is() {
        let server = Server::start_for_tests().expect("PostgreSQL starts");
        let (port, folder) = (server.port, server.folder.clone());
        assert!(
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(),
            "it listens"
        );
        drop(server);
        assert!(
            std::net::TcpStream::connect(("127.0.0.1", port)).is_err(),
            "it has stopped"
        );
        assert!(!folder.exists(), "its folder is removed");
    }

    #[test]
    fn the_server_runs_as_a_user_of_the_machine() {
        let users =
            "root:x:0:0:root:/:/bin/sh\npostgres:x:105:113:PostgreSQL:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(user(users, "postgres"), Some((105, 113)));
        assert_eq!(user(users, "nobody"), None);
    }
}
