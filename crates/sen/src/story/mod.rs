//! `sen story`: one birth registration through three nodes, over HTTP as its people would live it,
//! each step with its proof. Eleven steps, in the order of ARCHITECTURE.md's walk.

mod cast;
mod desk;
mod filing;
pub mod http;
pub mod nation;
mod proofs;
pub mod tools;

use std::path::PathBuf;

use anyhow::Context as _;
use kernel::World;
use serde_json::{Value, json};

use cast::Cast;
use nation::Nation;

/// Lives the story and prints a line a step; the exit code is 1 when any step is not ok.
///
/// # Errors
/// When the story cannot even begin.
pub async fn run(
    url: Option<String>,
    as_json: bool,
    keep: Option<PathBuf>,
    world: &World,
) -> anyhow::Result<u8> {
    let program = std::env::current_exe().context("this program has a path")?;
    let steps = live(&program, url.as_deref(), keep, world, |step| print(step, as_json)).await?;
    Ok(u8::from(
        steps.len() != NAMES.len() || steps.iter().any(|s| s["ok"] != true),
    ))
}

/// The steps' names, in order.
pub const NAMES: [&str; 11] = [
    "The mother signs in through the identity provider of G01",
    "She finds procedure 1.001193 without marks",
    "The form is filled from the registers through the exchange",
    "She answers, attaches, checks and files; H56 has the case once",
    "Statuses come back in order though the portal is killed",
    "Receipt, clock, act in the civil-status register, signature",
    "The certificate is numbered, signed and returned",
    "sen verify on the certificate, whole and altered",
    "Who read her data, for what, by which law",
    "The national figures moved by this case; a rebuild agrees",
    "Every node's logs are whole; the exchange is proved",
];

/// Lives the story with children of `program`, or against a nation that runs.
///
/// # Errors
/// When the story cannot even begin.
pub async fn live(
    program: &std::path::Path,
    url: Option<&str>,
    keep: Option<PathBuf>,
    world: &World,
    tell: impl Fn(&Value),
) -> anyhow::Result<Vec<Value>> {
    let nation = match url {
        Some(url) => Nation::running(url)?,
        None => Nation::start(program, world).await?,
    };
    let mut cast = Cast::of(nation, keep, world.clone());
    let mut told = Vec::new();
    for (index, name) in NAMES.iter().enumerate() {
        let began = world.now();
        let proof = cast.step(index + 1).await;
        let ms = world.now().ms() - began.ms();
        let step = match proof {
            Ok(proof) => json!({"step": index + 1, "name": name, "ok": true, "ms": ms, "proof": proof}),
            Err(cause) => {
                json!({"step": index + 1, "name": name, "ok": false, "ms": ms, "proof": {"error": format!("{cause:#}")}})
            }
        };
        tell(&step);
        let failed = step["ok"] != true;
        told.push(step);
        if failed {
            // What follows needs what went before: its lines would say nothing of their own.
            break;
        }
    }
    cast.nation.stop().await;
    Ok(told)
}

fn print(step: &Value, as_json: bool) {
    if as_json {
        println!("{step}");
        return;
    }
    let mark = if step["ok"] == true { "ok    " } else { "FAILED" };
    println!(
        "{mark} {:>2}. {} ({} ms)",
        step["step"],
        step["name"].as_str().unwrap_or_default(),
        step["ms"]
    );
    if let Some(proof) = step["proof"].as_object() {
        for (key, value) in proof {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            println!("          {key}: {}", value.chars().take(160).collect::<String>());
        }
    }
}
