//! What must hold after any number of crashes: what was acknowledged is there, once, in order, at
//! both ends, and proves itself. Reads as people and auditors read; never a node's files but through
//! `sen verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use kernel::{Digest, World};
use sen::story::tools;
use sen::up::nation::{PLACES, Place};
use serde_json::{Value, json};

use crate::effects;
use crate::exchanges;
use crate::load::Ledger;
use crate::people::Person;
use crate::site::Site;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// What was looked at, count.
    pub counts: BTreeMap<&'static str, usize>,
    /// What does not hold; empty when all is well.
    pub faults: Vec<String>,
}

impl Found {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Says how many there were of what needs no check.
    pub fn note(&mut self, what: &'static str, count: usize) {
        *self.counts.entry(what).or_default() += count;
    }

    /// Counts what was looked at, and keeps its fault.
    pub fn hold(&mut self, what: &'static str, holds: anyhow::Result<()>) {
        self.count(what);
        if let Err(cause) = holds {
            self.faults.push(format!("{what}: {cause:#}"));
        }
    }
}

/// The nodes of an exchange that fills a citizen's form: the consumer's, then the provider's.
pub const PREFILLED: [Place; 2] = [Place::National, Place::Ministry];

/// Audits a nation that has come to rest against what its people remember, and the exchanges that a system
/// called and saw answered ([`effects`]).
///
/// # Errors
/// When the audit itself cannot be made.
pub async fn audit(
    site: &Site,
    ledger: &Ledger,
    called: BTreeSet<String>,
    program: &Path,
    world: &World,
) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut mother = Person::mother(site).await?;
    let mut desk = Person::official(site, "receptionist", Place::Province).await?;
    let at_portal = codes(&mut mother, "/api/v1/cases?").await?;
    let at_desk = codes(&mut desk, "/api/v1/desk/cases?state=all&").await?;
    found.hold("no case twice at the portal", once(&at_portal));
    found.hold("no case twice at the desk", once(&at_desk));
    let (portal, province): (BTreeSet<_>, BTreeSet<_>) =
        (at_portal.iter().collect(), at_desk.iter().collect());
    found.hold("both ends have the same cases", same(&portal, &province));
    for code in &ledger.filed() {
        let is_there = portal.contains(code) && province.contains(code);
        found.hold(
            "acknowledged filings",
            is_there.then_some(()).with_context(|| format!("{code} is lost")),
        );
    }
    let trust = tools::trust(&site.layout().ca())?;
    let (mut acts, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for code in &at_portal {
        let mine = mother.get(&format!("/api/v1/cases/{code}")).await?.json()?;
        let theirs = desk.get(&format!("/api/v1/desk/cases/{code}")).await?.json()?;
        found.hold("statuses in order at both ends", statuses(code, &mine, &theirs));
        found.hold(
            "acts and personal numbers given once",
            unique(code, &theirs, &mut acts, &mut numbers),
        );
        let document = document(&mut mother, code, &mine, &trust, world).await;
        found.hold("documents", document.with_context(|| code.clone()));
    }
    for code in &ledger.signed() {
        found.hold(
            "acknowledged signatures",
            province
                .contains(code)
                .then_some(())
                .with_context(|| format!("{code} is lost")),
        );
    }
    let seen = ledger.exchanges().into_iter();
    let mut seen: BTreeMap<_, _> = seen.map(|request| (request, PREFILLED)).collect();
    seen.extend(called.into_iter().map(|request| (request, effects::NODES)));
    exchanges::audit(site, &seen, &mut found).await?;
    figures(site, &mut found).await?;
    found.hold("logs of all nodes", logs(site, program));
    Ok(found)
}

/// All codes of a list, page by page.
async fn codes(person: &mut Person, path: &str) -> anyhow::Result<Vec<String>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let query = web::page::query_value(&after);
        let list = person.get(&format!("{path}after={query}")).await?.json()?;
        let items = list["items"].as_array().context("a list of cases")?;
        all.extend(
            items
                .iter()
                .filter_map(|item| item["code"].as_str().map(str::to_owned)),
        );
        match list["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return Ok(all),
        }
    }
}

fn once(codes: &[String]) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = codes.iter().filter(|code| !seen.insert(*code)).collect();
    ensure!(twice.is_empty(), "{twice:?}");
    Ok(())
}

fn same(portal: &BTreeSet<&String>, province: &BTreeSet<&String>) -> anyhow::Result<()> {
    let differ: Vec<_> = portal.symmetric_difference(province).collect();
    ensure!(differ.is_empty(), "only one end has {differ:?}");
    Ok(())
}

/// The statuses of a case: numbered without a gap from the filing on, ended, and the same at both ends.
fn statuses(code: &str, mine: &Value, theirs: &Value) -> anyhow::Result<()> {
    let pairs = |case: &Value| -> Vec<(u64, u64)> {
        let list = case["statuses"].as_array().into_iter().flatten();
        list.filter_map(|s| Some((s["seq"].as_u64()?, s["status"].as_u64()?)))
            .collect()
    };
    let (here, there) = (pairs(mine), pairs(theirs));
    let numbered = here.iter().enumerate().all(|(at, (seq, _))| *seq == at as u64);
    ensure!(numbered && !here.is_empty(), "{code} has a gap: {here:?}");
    let ended = here.first().is_some_and(|s| s.1 == 1) && here.last().is_some_and(|s| s.1 == 10);
    ensure!(ended, "{code} has not come to its end: {here:?}");
    // The filing's own status is the portal's; the owner's begin after it.
    let owners = |list: &[(u64, u64)]| {
        list.iter()
            .copied()
            .filter(|(seq, _)| *seq > 0)
            .collect::<Vec<_>>()
    };
    ensure!(
        owners(&here) == owners(&there),
        "{code}: the portal has {here:?}, the desk {there:?}"
    );
    Ok(())
}

fn unique(
    code: &str,
    case: &Value,
    acts: &mut BTreeSet<String>,
    numbers: &mut BTreeSet<String>,
) -> anyhow::Result<()> {
    let text = |name: &str| {
        case["act"][name]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("{code} has no {name}"))
    };
    let (act, number) = (text("act_number")?, text("personal_number")?);
    ensure!(
        acts.insert(act.clone()),
        "{code} has the act {act} of another case"
    );
    ensure!(
        numbers.insert(number),
        "{code} has the personal number of another child"
    );
    Ok(())
}

/// The certificate is there, is the one that was announced, and its signature holds.
async fn document(
    mother: &mut Person,
    code: &str,
    case: &Value,
    trust: &seal::certificate::Trust,
    world: &World,
) -> anyhow::Result<()> {
    let results = case["results"].as_array().context("a case has results")?;
    ensure!(results.len() == 1, "{} results", results.len());
    let (document, digest) = (&results[0]["document"], &results[0]["digest"]);
    let id = document.as_str().context("a result names its document")?;
    let pdf = mother.get(&format!("/cases/{code}/results/{id}")).await?;
    pdf.ok()?;
    ensure!(
        digest.as_str() == Some(&Digest::of(&pdf.body).hex()),
        "the document is not the one announced"
    );
    let verdict = seal::pdf::verify(&pdf.body, trust, world.now());
    ensure!(
        verdict.is_passed(),
        "its signature: {} {}",
        verdict.indication.as_str(),
        verdict.reason
    );
    Ok(())
}

/// The figures in use are those that the facts give from the first one on.
async fn figures(site: &Site, found: &mut Found) -> anyhow::Result<()> {
    for place in PLACES {
        let mut operator = Person::official(site, "operator", place).await?;
        let rebuilt = operator
            .post_json("/api/v1/indicators/rebuild", &json!({}))
            .await?;
        let equal = (rebuilt["equal"] == true)
            .then_some(())
            .with_context(|| format!("{}: {rebuilt}", place.id()));
        found.hold("figures rebuilt from facts", equal);
    }
    Ok(())
}

/// `sen verify` of the whole folder passes.
///
/// # Errors
/// What it said.
pub fn logs(site: &Site, program: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command
        .arg("verify")
        .arg(&site.data)
        .arg("--trust")
        .arg(site.layout().ca())
        .arg("--json");
    let said = command.output().context("sen verify cannot be run")?;
    ensure!(
        said.status.code() == Some(0),
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(pairs: &[(u64, u64)]) -> Value {
        json!({"statuses": pairs.iter().map(|(seq, status)| json!({"seq": seq, "status": status})).collect::<Vec<_>>()})
    }

    #[test]
    fn a_gap_a_repetition_or_another_order_is_a_fault() {
        let whole = [(0, 1), (1, 2), (2, 4), (3, 9), (4, 10)];
        let check = |mine: &[(u64, u64)]| statuses("c", &case(mine), &case(&whole)).is_ok();
        assert!(check(&whole));
        assert!(!check(&[(0, 1), (1, 2), (3, 9), (4, 10)]), "a gap");
        assert!(
            !check(&[(0, 1), (1, 2), (1, 2), (2, 4), (3, 9), (4, 10)]),
            "a repetition"
        );
        assert!(!check(&[(0, 1), (1, 2), (2, 4)]), "not at its end");
        assert!(
            !check(&[(0, 1), (1, 2), (2, 5), (3, 9), (4, 10)]),
            "another than the owner's"
        );
        assert!(!check(&[]), "none");
    }

    #[test]
    fn a_case_at_one_end_only_is_a_fault() {
        let (a, b) = ("a".to_owned(), "b".to_owned());
        assert!(same(&BTreeSet::from([&a]), &BTreeSet::from([&a])).is_ok());
        assert!(same(&BTreeSet::from([&a, &b]), &BTreeSet::from([&a])).is_err());
        assert!(once(&[a.clone(), b, a]).is_err());
    }
}
