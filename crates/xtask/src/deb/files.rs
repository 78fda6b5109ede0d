//! What the package puts where. Only what the repository holds and what is made from it here.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::shell;

/// Files of the repository that go as they are.
const COPIED: &[(&str, &str)] = &[
    ("packaging/sen.service", "usr/lib/systemd/system/sen.service"),
    ("packaging/sen.socket", "usr/lib/systemd/system/sen.socket"),
    ("packaging/sen.sysusers", "usr/lib/sysusers.d/sen.conf"),
    ("packaging/sen.toml", "etc/sen/sen.toml"),
    ("docs/operating.md", "usr/share/doc/sen/operating.md"),
    (
        "docs/sen-serve.example.toml",
        "usr/share/doc/sen/sen-serve.example.toml",
    ),
    ("docs/sen.example.toml", "usr/share/doc/sen/sen.example.toml"),
    ("docs/reliability.md", "usr/share/doc/sen/reliability.md"),
    ("packaging/debian/copyright", "usr/share/doc/sen/copyright"),
];

/// Lays everything out below a folder.
pub(super) fn lay_out(stage: &Path, program: &Path) -> Result<()> {
    for (from, to) in COPIED {
        put(
            stage,
            to,
            &fs::read(shell::root().join(from)).with_context(|| format!("cannot read {from}"))?,
        )?;
    }
    let binary = stage.join("usr/bin/sen");
    fs::create_dir_all(stage.join("usr/bin"))?;
    fs::copy(program, &binary).with_context(|| format!("cannot read {}", program.display()))?;
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755))?;
    let manual = manual(&binary)?;
    shell::run(Command::new("strip").arg(&binary))?;
    put(stage, "usr/share/man/man1/sen.1", manual.as_bytes())?;
    put(
        stage,
        "usr/share/doc/sen/changelog",
        &fs::read(shell::root().join("CHANGELOG.md"))?,
    )?;
    for text in ["usr/share/man/man1/sen.1", "usr/share/doc/sen/changelog"] {
        shell::run(Command::new("gzip").arg("-9n").arg(stage.join(text)))?;
    }
    let listed = shell::output(shell::program("git").args(["ls-files", "packs/vn"]))?;
    for file in listed.lines() {
        put(
            stage,
            &format!("usr/share/sen/{file}"),
            &fs::read(shell::root().join(file))?,
        )?;
    }
    Ok(())
}

fn put(stage: &Path, to: &str, bytes: &[u8]) -> Result<()> {
    let path = stage.join(to);
    let folder = path.parent().context("a file stands in a folder")?;
    fs::create_dir_all(folder)?;
    fs::write(&path, bytes)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
    Ok(())
}

/// The manual page: what the program says of itself and of each command.
fn manual(program: &Path) -> Result<String> {
    let help = |command: &[&str]| shell::output(Command::new(program).args(command).arg("--help"));
    let whole = help(&[])?;
    let mut page = format!(
        ".TH SEN 1 \"\" \"Sen {}\" \"Sen\"\n.SH NAME\nsen \\- open digital-government platform in one binary\n.SH DESCRIPTION\n{}",
        env!("CARGO_PKG_VERSION"),
        verbatim(&whole)
    );
    for command in commands(&whole) {
        page.push_str(&format!(".SH sen {command}\n{}", verbatim(&help(&[&command])?)));
    }
    page.push_str(".SH SEE ALSO\n/usr/share/doc/sen/operating.md\n");
    Ok(page)
}

/// The commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|l| !l.starts_with("Commands:")).skip(1);
    list.take_while(|l| l.starts_with("  "))
        .filter_map(|l| l.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Text as it is, for a manual page.
fn verbatim(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A point or quote that begins a line would be an order to the formatter.
        if line.starts_with(['.', '\'']) {
            format!("\\&{line}\n")
        } else {
            format!("{line}\n")
        }
    });
    format!(".nf\n{}.fi\n", lines.collect::<String>())
}

/// What a folder takes on a disk, in kilobytes.
pub(super) fn kilobytes(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            kilobytes(&entry.path())?
        } else {
            meta.len().div_ceil(1024)
        };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_package_stands_in_the_repository() {
        for (from, _) in COPIED {
            assert!(shell::root().join(from).is_file(), "{from}");
        }
    }

    #[test]
    fn the_manual_names_each_command_once() {
        let help = "Sen\n\nUsage: sen <COMMAND>\n\nCommands:\n  up     Start\n  serve  Run\n  help   Print\n\nOptions:\n  -h";
        assert_eq!(commands(help), ["up", "serve"]);
        assert_eq!(verbatim(".x\na-b"), ".nf\n\\&.x\na\\-b\n.fi\n");
    }
}
