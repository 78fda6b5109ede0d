//! The sample population: synthetic households, the same for the same seed and count, loaded into
//! the ministry's registers once. The first household's mother is the sample citizen.

use anyhow::Context as _;
use directory::people::{self, Person};
use exchange::Exchange;
use kernel::{OrgCode, Tenant};
use registers::Registers;
use store::Store;

use super::node::Country;
use crate::config::Config;

/// The seed of every sample nation: two of the same size have the same people.
pub const SEED: u64 = 56;
/// The province whose desks the sample nation has.
const PROVINCE: &str = "H56";

/// The registers of a node, with the sample population loaded.
///
/// # Errors
/// When the pack or the store cannot be used.
pub(crate) async fn open(
    config: &Config,
    country: &Country,
    store: &Store,
    exchange: &Exchange,
    tenants: &[Tenant],
) -> anyhow::Result<Registers> {
    let province = registers::province_of(country.areas.clone());
    let asks = std::sync::Arc::new(exchange.clone());
    let registers = Registers::load(&config.pack, store.clone(), asks, tenants, province)?;
    let name = format!("synthetic-people-seed-{SEED}-count-{}", config.people);
    registers.load_people(&name, || people::people(&country.areas, SEED, config.people)).await?;
    Ok(registers)
}

/// The sample citizen: the mother of the first household.
///
/// # Errors
/// When the pack's areas cannot be read.
pub(crate) fn sample_mother(config: &Config) -> anyhow::Result<Person> {
    let areas = directory::Areas::load(&config.pack)?;
    let first = people::people(&areas, SEED, config.people.max(4)).next();
    Ok(first.context("the sample population is empty")?.mother)
}

/// The unit whose desk has the sample officials: the commune in which the sample citizen lives.
///
/// # Errors
/// When the pack's areas cannot be read.
pub(crate) fn sample_unit(config: &Config) -> anyhow::Result<OrgCode> {
    let mother = sample_mother(config)?;
    let province: OrgCode = PROVINCE.parse().expect("a code of the sample nation");
    province
        .unit(mother.residence.commune.as_str())
        .map_err(|e| anyhow::anyhow!("{e}"))
}
