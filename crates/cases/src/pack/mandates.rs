//! Reads who acts for whom by the law of a day, `codes/mandates.toml`, and holds it against its rules. Never asks a register.

use std::path::Path;

use directory::pack::document::document;
use exchange::ServiceId;
use kernel::fault::{Faults, Flaw};
use kernel::time::parse_iso;
use serde::Deserialize;

use super::named;
use crate::mandate::rules::Rule;
use crate::procedure::Whom;

const FILE: &str = "codes/mandates.toml";

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    #[serde(default)]
    rule: Vec<Rule>,
}

/// The rules of a pack; none when it has no such file.
pub(crate) fn read(pack: &Path, faults: &mut Faults) -> Vec<Rule> {
    if !pack.join(FILE).is_file() {
        return Vec::new();
    }
    let Some((read, places)) = document::<Rules>(pack, FILE, faults) else {
        return Vec::new();
    };
    for flaw in flaws(&read.rule) {
        faults.add(places.flaw(flaw));
    }
    read.rule
}

fn flaws(rules: &[Rule]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let here = |key: &str| format!("/rule/{at}/{key}");
        if parse_iso(&rule.from).is_none() {
            flaws.push(Flaw::new(here("from"), "date-bad", named(&rule.from)));
        }
        let same = |other: &Rule| other.whom == rule.whom && other.from == rule.from;
        if rules.iter().take(at).any(same) {
            flaws.push(Flaw::new(here("from"), "rules-overlap", named(&rule.from)));
        }
        if rule.source.trim().is_empty() {
            flaws.push(Flaw::new(here("source"), "mandate-source", named(&rule.from)));
        }
        let by_age = rule.age_below.is_some();
        if rule.months_max.is_none() && !by_age {
            flaws.push(Flaw::new(
                here("whom"),
                "mandate-endless",
                named(rule.whom.word()),
            ));
        }
        let has = rule.register.is_some();
        let counted = rule
            .register
            .as_ref()
            .is_some_and(|register| register.born.is_some());
        if has == (rule.whom == Whom::Person) || by_age && !counted {
            flaws.push(Flaw::new(
                here("whom"),
                "mandate-register",
                named(rule.whom.word()),
            ));
        }
        let service = rule.register.as_ref().map(|register| &register.service);
        if let Some(service) = service.filter(|service| service.parse::<ServiceId>().is_err()) {
            flaws.push(Flaw::new(
                here("register/service"),
                "record-service",
                named(service),
            ));
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_without_an_end_or_without_its_register_is_told_where_it_stands() {
        let folder = testkit::TempDir::new();
        std::fs::create_dir(folder.path().join("codes")).expect("made");
        let one = |whom: &str, more: &str| {
            format!("[[rule]]\nwhom = \"{whom}\"\nfrom = \"2017-01-01\"\nsource = \"x\"\n{more}\n")
        };
        let register =
            "register = { service = \"G15\", by = \"a\", name = \"b\", representatives = [\"c\"] }";
        let text = one("person", "")
            + &one("child", "age_below = 18")
            + &one("company", &format!("months_max = 1\n{register}"));
        std::fs::write(folder.path().join(FILE), text).expect("written");
        let mut faults = Faults::new();
        read(folder.path(), &mut faults);
        let told: Vec<_> = faults.sorted().iter().map(|f| f.rule).collect();
        assert_eq!(told, ["mandate-endless", "mandate-register", "record-service"]);
        let mut faults = Faults::new();
        assert!(read(testkit::TempDir::new().path(), &mut faults).is_empty());
        assert!(faults.sorted().is_empty());
    }
}
