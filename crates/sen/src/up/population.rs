//! The sample population: synthetic households, the same for the same seed and count, loaded into
//! the ministry's registers once. The first household's mother is the sample citizen.

use anyhow::Context as _;
use directory::people::{self, Person};
use kernel::OrgCode;
use registers::Registers;

use super::nation::Place;
use super::node::Country;
use super::prepare::{self, Layout};
use crate::config::Config;

/// The seed of every sample nation: two of the same size have the same people.
pub const SEED: u64 = 56;
/// The file that keeps how many people the folder's nation has.
const COUNT_FILE: &str = "people";
/// The province whose desks the sample nation has.
pub(crate) const PROVINCE: &str = "H56";

/// Loads the sample population into a node's registers, once.
///
/// # Errors
/// When the pack or the store cannot be used.
pub(crate) async fn load(config: &Config, country: &Country, registers: &Registers) -> anyhow::Result<()> {
    let people = count(config)?;
    let name = format!("synthetic-people-seed-{SEED}-count-{people}");
    registers
        .load_people(&name, || people::people(&country.areas, SEED, people))
        .await?;
    Ok(())
}

/// How many people the folder's nation has. The first start decides; a later one that asks for
/// another number keeps them, because people who are in a register do not vanish from it.
pub(crate) fn count(config: &Config) -> anyhow::Result<usize> {
    let file = Layout::of(&config.data).node(Place::Ministry).join(COUNT_FILE);
    let Ok(text) = std::fs::read_to_string(&file) else {
        prepare::write(&file, config.people.to_string().as_bytes(), 0o600)?;
        return Ok(config.people);
    };
    let held = text
        .trim()
        .parse()
        .with_context(|| format!("{} is damaged", file.display()))?;
    if held != config.people {
        tracing::warn!(
            held,
            asked = config.people,
            "the nation keeps its own people; --fresh begins anew"
        );
    }
    Ok(held)
}

/// The mothers of the sample population, by household: the first is the sample citizen.
pub(crate) fn mothers(config: &Config, country: &Country) -> impl Iterator<Item = Person> {
    people::people(&country.areas, SEED, config.people.max(4)).map(|household| household.mother)
}

/// The unit whose desk has the sample officials: the commune in which the sample citizen lives.
///
/// # Errors
/// When the commune's code is none of a unit.
pub(crate) fn unit_of(mother: &Person) -> anyhow::Result<OrgCode> {
    let province: OrgCode = PROVINCE.parse().expect("a code of the sample nation");
    province
        .unit(mother.residence.commune.as_str())
        .map_err(|e| anyhow::anyhow!("{e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nation_keeps_its_people_when_another_number_is_asked_for() {
        let data = std::env::temp_dir().join(format!("sen-people-{}", kernel::World::of_this_machine().id()));
        std::fs::create_dir_all(Layout::of(&data).node(Place::Ministry)).expect("a folder");
        let of = |people| Config {
            data: data.clone(),
            people,
            ..Config::default()
        };
        assert_eq!(count(&of(200)).expect("the first decides"), 200);
        assert_eq!(count(&of(4)).expect("a later one"), 200);
        std::fs::remove_dir_all(&data).expect("the folder goes");
    }
}
