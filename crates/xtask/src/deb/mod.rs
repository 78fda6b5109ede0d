//! `cargo xtask deb`: the program, its pack and its units as one Debian package, made with `dpkg-deb`.
//! [`mod@check`] installs it in a root of its own and runs it there. Never touches this machine's packages.

mod check;
mod files;
mod root;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::debian::{self, Need};
use crate::{programs, shell};

pub(crate) use check::{check, units};

/// What building the package calls.
const NEEDS: &[Need] = &[
    ("dpkg-deb", "dpkg"),
    ("strip", "binutils"),
    ("objdump", "binutils"),
    ("gzip", "gzip"),
];

/// Builds the package, and checks it when asked to.
///
/// # Errors
/// As [`build`] and [`fn@check`].
pub(crate) fn run(release: bool, checked: bool) -> Result<()> {
    let package = build(release)?;
    if checked {
        check(&package)?;
    }
    Ok(())
}

/// Builds the package and gives its file; with the release build it is packed as small as it gets.
///
/// # Errors
/// When something cannot be built or packed.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    debian::install(NEEDS)?;
    let program = programs::build(release)?.join("sen");
    let target = shell::root().join("target");
    let out = target.join("deb");
    let stage = out.join("stage");
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    fs::create_dir_all(&stage)?;
    files::lay_out(&stage, &program)?;
    let architecture = shell::output(Command::new("dpkg").arg("--print-architecture"))?;
    let architecture = architecture.trim();
    control(&stage, architecture)?;
    let package = out.join(format!("sen_{}_{architecture}.deb", env!("CARGO_PKG_VERSION")));
    let mut pack = Command::new("dpkg-deb");
    pack.args([
        "--root-owner-group",
        if release { "-Zxz" } else { "-Zzstd" },
        if release { "-z6" } else { "-z1" },
    ]);
    shell::run(pack.arg("--build").arg(&stage).arg(&package))?;
    fs::remove_dir_all(&stage)?;
    println!(
        "{}: {} MB",
        package.display(),
        fs::metadata(&package)?.len() / 1_000_000
    );
    Ok(package)
}

/// What the package says of itself, and its scripts.
fn control(stage: &Path, architecture: &str) -> Result<()> {
    let folder = stage.join("DEBIAN");
    fs::create_dir_all(&folder)?;
    let size = files::kilobytes(stage)?;
    let libc = libc_version(&stage.join("usr/bin/sen"))?;
    let text = format!(
        "Package: sen\nVersion: {}\nArchitecture: {architecture}\nMaintainer: The Sen authors <sen@localhost>\n\
         Installed-Size: {size}\nDepends: libc6 (>= {libc}), libgcc-s1\nPre-Depends: passwd\nSection: net\nPriority: optional\n\
         Description: open digital-government platform in one binary\n \
         Agencies exchange data under signed agreements, citizens file and follow public services,\n \
         officials decide them on time, documents travel signed. This package holds one node.\n",
        env!("CARGO_PKG_VERSION")
    );
    fs::write(folder.join("control"), text)?;
    fs::write(folder.join("conffiles"), "/etc/sen/sen.toml\n")?;
    for script in ["postinst", "prerm", "postrm"] {
        let to = folder.join(script);
        fs::copy(shell::root().join("packaging/debian").join(script), &to)?;
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// The newest version of the C library that the program asks for.
fn libc_version(program: &Path) -> Result<String> {
    let symbols = shell::output(Command::new("objdump").arg("-T").arg(program))?;
    newest(&symbols).context("the program asks for no version of the C library")
}

fn newest(symbols: &str) -> Option<String> {
    let asked = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let text: String = rest
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let numbers: Vec<u32> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        Some((numbers, text))
    });
    asked.max().map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_asked_for_is_found_by_number() {
        let symbols =
            "0 DF *UND* 0 (GLIBC_2.9) pipe2\n0 DF *UND* 0 (GLIBC_2.34) pthread_join\n0 (GLIBC_2.2.5) free";
        assert_eq!(newest(symbols).as_deref(), Some("2.34"));
        assert_eq!(newest("nothing"), None);
    }
}
