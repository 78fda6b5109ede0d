//! Running other programs: always with their words shown or kept for the message, never through a
//! shell's own parsing.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The workspace this command was built from.
pub(crate) fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate stands in crates/");
    crates
        .parent()
        .expect("crates/ stands in the workspace")
        .to_owned()
}

/// A program in the workspace's folder.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// The cargo that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// The same, for what has time until everything else has had its turn.
pub(crate) fn cargo_behind(arguments: &[&str]) -> Command {
    let cargo = cargo(arguments);
    let mut command = program("nice");
    command
        .args(["-n", "19"])
        .arg(cargo.get_program())
        .args(cargo.get_args());
    command
}

/// Runs with its words shown.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{command:?} cannot be run"))?;
    if !status.success() {
        bail!("{} ended with {status}", words(command));
    }
    Ok(())
}

/// Runs and gives what it printed; its complaint becomes the error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("{command:?} cannot be run"))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}\n{}",
            words(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", words(command)))
}

/// Runs and hands on every line at once, of either output; true when the program ended well.
pub(crate) fn stream(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool> {
    let (out, said) = std::io::pipe()?;
    let mut child = command
        .stdout(said.try_clone()?)
        .stderr(said)
        .spawn()
        .with_context(|| format!("{command:?} cannot be run"))?;
    // Our own ends: as long as one is open the program has not said its last.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for line in BufReader::new(out).split(b'\n') {
        each(&String::from_utf8_lossy(&line?));
    }
    Ok(child.wait()?.success())
}

/// True when a program of this name is on the path.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// True when this process may do everything.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn words(command: &Command) -> String {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let arguments = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(name)
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
