//! The one order of the crates: each depends only on crates above it. And the boundary crates: some
//! libraries may be named in one crate's manifest only.

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::Tree;

/// The crates in their one order, which is also the reading order.
const ORDER: &[&str] = &[
    "kernel",
    "seal",
    "store",
    "render",
    "web",
    "testkit",
    "directory",
    "identity",
    "obligations",
    "exchange",
    "documents",
    "registers",
    "cases",
    "indicators",
    "sen",
    "testbed",
    "xtask",
];

/// What the order alone does not forbid: `cases` asks registers through the exchange, `indicators`
/// knows of the others by their facts alone.
const NEVER: &[(&str, &[&str])] = &[
    ("cases", &["registers"]),
    (
        "indicators",
        &[
            "identity",
            "obligations",
            "exchange",
            "documents",
            "registers",
            "cases",
        ],
    ),
    ("xtask", &["sen", "testbed"]),
];

/// Libraries and the crates that may name them; a name ending in `*` stands for all that begin so.
const OWNERS: &[(&str, &[&str])] = &[
    ("sea-orm*", &["store"]),
    ("sqlx*", &["store"]),
    ("typst*", &["render"]),
    ("hyper*", &["web"]),
    ("tokio-rustls", &["web"]),
    ("reqwest", &[]),
    ("lopdf", &["seal"]),
    ("x509-cert", &["seal"]),
    ("cms", &["seal"]),
    ("der", &["seal"]),
    ("lettre", &["cases"]),
    // Passwords of people, and the passphrase of a backup.
    ("argon2", &["identity", "sen"]),
];

/// Every crate depends on crates above it only.
pub(crate) fn order(tree: &Tree) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (name, text) in manifests(tree) {
        let Some(place) = ORDER.iter().position(|known| *known == name) else {
            faults.push(format!(
                "crates/{name}: not in the order of the crates (crates/xtask/src/tidy/layers.rs)"
            ));
            continue;
        };
        let manifest = Manifest::parse(name, text)?;
        if !manifest.takes_the_lints {
            faults.push(format!(
                "crates/{name}/Cargo.toml: `[lints] workspace = true` is missing"
            ));
        }
        let never = NEVER
            .iter()
            .find(|(who, _)| *who == name)
            .map_or(&[][..], |(_, list)| list);
        for dependency in manifest.dependencies {
            let on = dependency.name.as_str();
            if !dependency.is_of_the_workspace {
                faults.push(format!("crates/{name}/Cargo.toml: {on} takes its version from elsewhere than [workspace.dependencies]"));
            }
            let Some(above) = ORDER.iter().position(|known| *known == on) else {
                continue;
            };
            if on == "testkit" {
                if !dependency.is_for_tests {
                    faults.push(format!("crates/{name}/Cargo.toml: testkit is for tests only"));
                }
            } else if above >= place {
                faults.push(format!("crates/{name}/Cargo.toml: {on} stands below {name}"));
            } else if never.contains(&on) {
                faults.push(format!("crates/{name}/Cargo.toml: {name} never names {on}"));
            }
        }
    }
    Ok(faults)
}

/// A boundary library is named by its owner alone.
pub(crate) fn owners(tree: &Tree) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (name, text) in manifests(tree) {
        for dependency in Manifest::parse(name, text)?.dependencies {
            let rule = OWNERS
                .iter()
                .find(|(library, _)| is_named(library, &dependency.name));
            // A test may speak the protocol from outside.
            if let Some((_, owners)) = rule.filter(|_| !dependency.is_for_tests)
                && !owners.contains(&name)
            {
                faults.push(format!(
                    "crates/{name}/Cargo.toml: {} belongs to {owners:?}",
                    dependency.name
                ));
            }
        }
    }
    Ok(faults)
}

fn is_named(rule: &str, library: &str) -> bool {
    rule.strip_suffix('*')
        .map_or(rule == library, |begin| library.starts_with(begin))
}

fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.ending("/Cargo.toml")
        .filter_map(|(path, text)| Some((super::crate_of(path)?, text)))
}

struct Dependency {
    name: String,
    is_for_tests: bool,
    is_of_the_workspace: bool,
}

struct Manifest {
    dependencies: Vec<Dependency>,
    takes_the_lints: bool,
}

impl Manifest {
    fn parse(name: &str, text: &str) -> Result<Self> {
        let table: Table = text
            .parse()
            .with_context(|| format!("crates/{name}/Cargo.toml"))?;
        let mut dependencies = Vec::new();
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                dependencies.push(Dependency {
                    name: name.clone(),
                    is_for_tests: kind == "dev-dependencies",
                    is_of_the_workspace: is_true(value.get("workspace")),
                });
            }
        }
        let takes_the_lints = is_true(table.get("lints").and_then(|lints| lints.get("workspace")));
        Ok(Self {
            dependencies,
            takes_the_lints,
        })
    }
}

fn is_true(value: Option<&Value>) -> bool {
    value.and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    fn check(name: &str, dependencies: &str, expect: &[&str]) {
        let text = format!("[lints]\nworkspace = true\n{dependencies}");
        let path = format!("crates/{name}/Cargo.toml");
        let tree = tree(&[(path.as_str(), text.as_str())]);
        let mut faults = order(&tree).expect("a manifest");
        faults.extend(owners(&tree).expect("a manifest"));
        let ends: Vec<&str> = faults
            .iter()
            .map(|fault| fault.rsplit(": ").next().expect("an end"))
            .collect();
        assert_eq!(ends, expect, "{name}");
    }

    #[test]
    fn a_crate_depends_only_on_crates_above_it() {
        check("store", "[dependencies]\nkernel = { workspace = true }", &[]);
        check(
            "kernel",
            "[dependencies]\nstore = { workspace = true }",
            &["store stands below kernel"],
        );
        check(
            "web",
            "[dev-dependencies]\nsen = { workspace = true }",
            &["sen stands below web"],
        );
    }

    #[test]
    fn cases_ask_registers_only_through_the_exchange() {
        check(
            "cases",
            "[dependencies]\nregisters = { workspace = true }",
            &["cases never names registers"],
        );
        check(
            "cases",
            "[dev-dependencies]\nregisters = { workspace = true }",
            &["cases never names registers"],
        );
        check(
            "indicators",
            "[dependencies]\ncases = { workspace = true }",
            &["indicators never names cases"],
        );
    }

    #[test]
    fn the_testkit_is_in_no_release() {
        check("store", "[dev-dependencies]\ntestkit = { workspace = true }", &[]);
        check(
            "sen",
            "[dependencies]\ntestkit = { workspace = true }",
            &["testkit is for tests only"],
        );
    }

    #[test]
    fn a_boundary_library_has_one_owner() {
        check("store", "[dependencies]\nsea-orm = { workspace = true }", &[]);
        check(
            "cases",
            "[dependencies]\nsea-orm = { workspace = true }",
            &["sea-orm belongs to [\"store\"]"],
        );
        check(
            "sen",
            "[dependencies]\nhyper-util = { workspace = true }",
            &["hyper-util belongs to [\"web\"]"],
        );
    }
}
