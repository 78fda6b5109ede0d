//! `cargo xtask crash`: the program and the testbed's crash loop, built and run. The loop itself and
//! its audit are `testbed::crash` and `testbed::audit`.

use anyhow::{Context as _, Result};

use crate::{programs, shell};

/// Runs the loop; true when the audit found nothing.
///
/// # Errors
/// When something cannot be built or run.
pub(crate) fn run(rounds: usize, seed: Option<u64>, release: bool) -> Result<bool> {
    let folder = programs::build(release)?;
    let seed = seed.map_or_else(fresh_seed, Ok)?;
    println!("seed {seed}: `cargo xtask crash --rounds {rounds} --seed {seed}` runs the same again");
    let mut command = shell::program(folder.join("testbed"));
    command
        .arg("crash")
        .arg(folder.join("sen"))
        .args([rounds.to_string(), seed.to_string()]);
    if std::env::var_os("SEN_LOG").is_none() {
        // Nodes that lose their neighbours say so all the time; that is not what is looked at here.
        command.env("SEN_LOG", "off");
    }
    Ok(command.status().context("the testbed cannot be run")?.success())
}

fn fresh_seed() -> Result<u64> {
    let mut bytes = [0_u8; 4];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(u64::from(u32::from_le_bytes(bytes)))
}
