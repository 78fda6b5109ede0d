//! Names of described types: a description keeps one schema under a name, so two types of one name
//! would describe each other. Reads the sources only.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Tree, line_of};

/// Every type that derives `ToSchema` under a name that another has taken.
pub(crate) fn names(tree: &Tree) -> Result<Vec<String>> {
    let (mut taken, mut faults) = (BTreeMap::new(), Vec::new());
    for (path, text) in tree.ending(".rs") {
        for (at, name) in described(text) {
            let here = format!("{path}:{}", line_of(text, at));
            if let Some(first) = taken.get(name) {
                faults.push(format!(
                    "{here}: the schema {name} is also that of {first}; name one of them after what it is"
                ));
            } else {
                taken.insert(name, here);
            }
        }
    }
    Ok(faults)
}

/// The types that derive `ToSchema`, each with where its derive stands.
fn described(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let derives = text.match_indices("#[derive(");
    derives.filter_map(|(at, _)| {
        let (list, rest) = text.get(at..)?.split_once(")]")?;
        if !list.contains("ToSchema") {
            return None;
        }
        let mut words = rest.split_whitespace();
        words.find(|word| matches!(*word, "struct" | "enum"))?;
        let name = words.next()?;
        let end = name.find(|c: char| !c.is_alphanumeric()).unwrap_or(name.len());
        Some((at, name.get(..end)?))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    #[test]
    fn two_described_types_have_two_names() {
        let one = "#[derive(Debug, ToSchema)]\n#[serde(deny_unknown_fields)]\npub struct Why {\n";
        let other = "#[derive(ToSchema)]\nenum Item<'a> {}\n#[derive(Debug)]\nstruct Why;\n";
        let files = [("crates/a/src/one.rs", one), ("crates/a/src/two.rs", other)];
        assert_eq!(names(&tree(&files)).expect("read"), Vec::<String>::new());
        let files = [("crates/a/src/one.rs", one), ("crates/b/src/two.rs", one)];
        let faults = names(&tree(&files)).expect("read");
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].starts_with("crates/b/src/two.rs:1: the schema Why"),
            "{faults:?}"
        );
    }
}
