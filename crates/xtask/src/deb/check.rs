//! The package as an operator meets it: installed in a root of its own, given a key, a certificate of an
//! outside authority and an account, started, asked, stopped, removed, purged.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::root::Root;
use crate::clock::Watch;
use crate::{postgres, shell};

/// Where the node's configuration is installed.
const CONFIG: &str = "etc/sen/sen.toml";
/// How long the node may take to be ready or to end, in seconds.
const SECONDS: f64 = 60.0;

/// Installs, runs and removes a package.
///
/// # Errors
/// When a step fails: its program's own words are shown.
pub(crate) fn check(package: &Path) -> Result<()> {
    ensure!(
        shell::is_root(),
        "a package is installed by root: run this as root, in a container for instance"
    );
    let root = Root::make()?;
    let before = root.files()?;
    dpkg(&root, &["--install", &package.to_string_lossy()])?;
    root.bring_libraries_of("usr/bin/sen")?;
    let port = configure(&root)?;
    certify(&root, "node", &["--host", "127.0.0.1"])?;
    certify(&root, "seal", &["H56", "--common-name", "Trial"])?;
    account(&root)?;
    serve_once(&root, port)?;
    dpkg(&root, &["--remove", "sen"])?;
    let left = left(&root, &before)?;
    let data = |path: &PathBuf| path.starts_with("var/lib/sen") || path.starts_with("etc/sen");
    let strange: Vec<_> = left.iter().filter(|path| !data(path)).collect();
    ensure!(
        strange.is_empty(),
        "removing leaves more than data and configuration: {strange:?}"
    );
    ensure!(
        left.contains(Path::new("var/lib/sen/sen.db")),
        "removing takes the data away"
    );
    fs::remove_file(root.0.join("etc/sen/root.pem"))?;
    dpkg(&root, &["--purge", "sen"])?;
    let strange = self::left(&root, &before)?;
    ensure!(strange.is_empty(), "purging leaves {strange:?}");
    println!("installed, certified, started, ready, stopped, removed, purged");
    Ok(())
}

/// What is there that was not, but for what the package manager and the libraries' copying leave.
fn left(root: &Root, before: &BTreeSet<PathBuf>) -> Result<BTreeSet<PathBuf>> {
    let mut files = root.files()?;
    files.retain(|f| {
        let known = [
            "var/lib/dpkg",
            "usr/lib",
            "usr/lib64",
            "etc/.pwd.lock",
            "etc/passwd-",
            "etc/group-",
            "etc/shadow-",
            "etc/gshadow-",
            "var/log",
        ];
        let ours = f.to_string_lossy().contains("sen");
        !before.contains(f)
            && (ours || !known.iter().any(|k| f.starts_with(k)))
            && !f.starts_with("var/lib/dpkg")
    });
    Ok(files)
}

fn dpkg(root: &Root, words: &[&str]) -> Result<()> {
    let mut command = Command::new("dpkg");
    command
        .arg(format!("--root={}", root.0.display()))
        .arg("--force-depends")
        .args(words)
        .stdin(Stdio::null());
    shell::output(&mut command).map(drop)
}

/// The installed configuration, filled in as an operator would; gives the administration port.
fn configure(root: &Root) -> Result<u16> {
    let file = root.0.join(CONFIG);
    let mut ports = Vec::new();
    for _ in 0..4 {
        ports.push(postgres::free_port()?);
    }
    let text = fs::read_to_string(&file)?;
    let filled = text
        .replace("id = \"\"", "id = \"trial\"")
        .replace("tenants = []", "tenants = [\"H56\"]")
        .replace("faces = []", "faces = [\"desk\"]");
    ensure!(
        filled != text,
        "the installed configuration has nothing to fill in"
    );
    let listen = format!(
        "\n[listen]\npublic = \"127.0.0.1:{}\"\nsystems = \"127.0.0.1:{}\"\npeer = \"127.0.0.1:{}\"\nadministration = \"127.0.0.1:{}\"\n",
        ports[0], ports[1], ports[2], ports[3]
    );
    fs::write(&file, filled + &listen)?;
    let authority = root.0.join("tmp");
    let mut openssl = Command::new("openssl");
    openssl.current_dir(&authority).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "90",
        "-subj",
        "/CN=Trial root",
        "-keyout",
        "root.key",
        "-out",
        "root.pem",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    ]);
    shell::output(&mut openssl)?;
    fs::copy(authority.join("root.pem"), root.0.join("etc/sen/root.pem"))?;
    Ok(ports[3])
}

/// A request made by the node, signed by the authority outside, installed.
fn certify(root: &Root, kind: &str, more: &[&str]) -> Result<()> {
    let mut words = vec!["sen", "keys", "csr", kind];
    words.extend(more);
    let request = shell::output(&mut root.command("sen", &words))?;
    let authority = root.0.join("tmp");
    fs::write(authority.join("request.pem"), request)?;
    let mut openssl = Command::new("openssl");
    openssl.current_dir(&authority).args([
        "x509",
        "-req",
        "-in",
        "request.pem",
        "-CA",
        "root.pem",
        "-CAkey",
        "root.key",
        "-days",
        "60",
        "-copy_extensions",
        "copyall",
        "-out",
        "answer.pem",
    ]);
    shell::output(&mut openssl)?;
    shell::output(&mut root.command("sen", &["sen", "keys", "install", "/tmp/answer.pem"]))?;
    for file in ["request.pem", "answer.pem"] {
        fs::remove_file(authority.join(file))?;
    }
    Ok(())
}

fn account(root: &Root) -> Result<()> {
    let mut command = root.command(
        "sen",
        &["sen", "account", "add", "--role", "operator", "--user", "vanhanh"],
    );
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut input = child.stdin.take().context("its input is piped")?;
    input.write_all(b"a long trial password\n")?;
    drop(input);
    ensure!(child.wait()?.success(), "no account was added");
    Ok(())
}

/// Starts the node, waits until it is ready, stops it by SIGTERM.
fn serve_once(root: &Root, port: u16) -> Result<()> {
    for file in ["root.pem", "root.key", "root.srl"] {
        fs::remove_file(root.0.join("tmp").join(file)).ok();
    }
    let mut node = root
        .command("sen", &["sen", "serve"])
        .spawn()
        .context("the node does not start")?;
    let answered = ready(&mut node, port);
    let stop = Command::new("kill")
        .args(["-TERM", &node.id().to_string()])
        .status();
    let ended = node.wait()?;
    answered?;
    ensure!(
        stop.is_ok_and(|s| s.success()) && ended.success(),
        "the node ended with {ended}"
    );
    Ok(())
}

fn ready(node: &mut Child, port: u16) -> Result<()> {
    let watch = Watch::start();
    while watch.seconds() < SECONDS {
        if let Some(ended) = node.try_wait()? {
            bail!("the node ended with {ended} before it was ready");
        }
        if let Ok(answer) = ask(port) {
            if answer.starts_with("HTTP/1.1 200") && answer.contains("\"ready\":true") {
                return Ok(());
            }
            bail!("the node is not ready: {answer}");
        }
        // Waits for a tenth of a second without a thread's sleep: the pipe stays silent.
        shell::run(Command::new("sleep").arg("0.1"))?;
    }
    bail!("the node was not ready within {SECONDS} s")
}

fn ask(port: u16) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The units, read by the service manager's own checker where it is installed.
///
/// # Errors
/// When it finds a fault, or the node would be exposed more than it is today.
pub(crate) fn units() -> Result<()> {
    if !shell::is_installed("systemd-analyze") {
        println!("systemd-analyze is not installed here: the units are not read");
        return Ok(());
    }
    let folder = std::env::temp_dir().join(format!("sen-units-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let checked = analyze(&folder);
    fs::remove_dir_all(&folder)?;
    checked
}

/// The exposure of the unit that is allowed, of 100.
const EXPOSURE_MAX: &str = "15";

fn analyze(folder: &Path) -> Result<()> {
    let packaging = shell::root().join("packaging");
    let (service, socket) = (folder.join("sen.service"), folder.join("sen.socket"));
    // The checker looks for the program, which is not installed on this machine.
    let text = fs::read_to_string(packaging.join("sen.service"))?.replace("/usr/bin/sen", "/bin/true");
    fs::write(&service, text)?;
    fs::copy(packaging.join("sen.socket"), &socket)?;
    shell::run(
        Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(&service)
            .arg(&socket),
    )?;
    let exposure = format!("--threshold={EXPOSURE_MAX}");
    let mut security = Command::new("systemd-analyze");
    security
        .args(["security", "--offline=true", "--no-pager", &exposure])
        .arg(&service);
    shell::output(&mut security).map(drop)
}
