//! `sen directory`: the anchor of this instance, made beside the node from what lies in its folder, and what
//! another instance's anchor says. Never trusts one: the hub's operator does, at the running node.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use directory::anchor::{Anchor, readable};
use kernel::{Time, World};

use crate::serve::secrets::Secrets;
use crate::serve::settings::Settings;
use crate::serve::{check, plan};

/// The anchor of the instance whose hub is configured, signed.
///
/// # Errors
/// When the node is no hub, or its keys or its directory cannot be read.
pub fn own(settings: &Settings, secrets: &Secrets, world: &World) -> anyhow::Result<(Anchor, String)> {
    check::settings(settings)?;
    let plan = plan::plan(settings, secrets, world)?;
    ensure!(
        plan.is_hub,
        "only the hub has an anchor to give: run this at its node"
    );
    let file = plan.folder.join("directory.jws");
    let token = fs::read_to_string(&file).with_context(|| {
        format!(
            "cannot read {}: the hub publishes it when it starts",
            file.display()
        )
    })?;
    let read = directory::snapshot::read(&token, &plan.hub_certificate);
    let snapshot = read.map_err(|p| anyhow::anyhow!("{}: {p}", file.display()))?;
    let seal = plan.keyring.seals.get(&snapshot.hub);
    let seal = seal.with_context(|| format!("the hub needs the seal of {}", snapshot.hub))?;
    let anchor = Anchor::of(&snapshot, seal, vec![plan.base_url.clone()]);
    let token = anchor.sign(seal).map_err(|p| anyhow::anyhow!("{p}"))?;
    Ok((anchor, token))
}

/// Reads an anchor from a file.
///
/// # Errors
/// When it cannot be read or is no anchor.
pub fn given(file: &Path) -> anyhow::Result<Anchor> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Anchor::read(text.trim()).map_err(|p| anyhow::anyhow!("{}: {p}", file.display()))
}

/// What an anchor says, to be compared.
///
/// # Errors
/// When its certificate cannot be read.
pub fn as_text(anchor: &Anchor, now: Time) -> anyhow::Result<String> {
    let told = |p: kernel::Problem| anyhow::anyhow!("{p}");
    let (certificate, hash) = (anchor.certificate().map_err(told)?, anchor.hash().map_err(told)?);
    let until = certificate.not_after();
    let over = if until <= now { " (over)" } else { "" };
    Ok(format!(
        "instance     {}\nhub          {} ({})\ndirectory    {}\nholds until  {until}{over}\nhash         {}",
        anchor.instance,
        anchor.hub,
        certificate.common_name(),
        anchor.urls.join(", "),
        readable(&hash)
    ))
}
