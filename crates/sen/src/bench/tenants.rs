//! Many organisations behind one node, each with a seal and an agreement of its own, so that traffic of a
//! whole ministry or province can be measured beside that of one system. All of them are synthetic.

use directory::keyring::Keyring;
use exchange::Agreement;
use kernel::{OrgCode, World};

use crate::config::Config;
use crate::up::nation::Place;
use crate::up::prepare::Layout;

use super::crowd;

/// Adds organisations to a prepared folder as tenants of the national node.
///
/// # Errors
/// When the folder is not prepared, or there are not so many codes.
pub fn fill(config: &Config, count: usize, world: &World) -> anyhow::Result<()> {
    let layout = Layout::of(&config.data);
    let members = crowd::members(count, &layout, world)?;
    crowd::publish(&layout, (&members, Place::National), 0, world)?;
    let keys = layout.node(Place::National).join("keys");
    let mut ring = Keyring::read_folder(&keys)?;
    for (org, seal) in members {
        let agreement = Agreement {
            id: format!("{org}/TT-bench"),
            consumer: format!("{org}/{}", crowd::SYSTEM)
                .parse()
                .map_err(|e| anyhow::anyhow!("{e}"))?,
            ..super::agreement(world)?
        };
        super::adopt(&layout, &agreement, &seal.key, world)?;
        ring.seals.insert(org, seal);
    }
    ring.write_folder(&keys)?;
    Ok(())
}

/// The organisations that [`fill`] adds.
///
/// # Errors
/// When there are not so many codes.
pub fn codes(count: usize) -> anyhow::Result<Vec<OrgCode>> {
    crowd::codes(count).collect()
}
