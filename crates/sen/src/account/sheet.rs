//! `sen account sheet`: the officials of all units from one sheet. Shown first, line by line; done at once or not at all.
//! Never an operator's or observer's account, and never a password in the sheet: first passwords go to a file of their own.

mod read;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use identity::sheet::{Change, Fault, Held, Plan, Row, Staff};
use kernel::{Actor, Time, World};
use web::auth::{DESIGN_ROLES, DESK_ROLES};

use crate::serve::secrets::Secrets;
use crate::serve::settings::Settings;
use crate::serve::{check, run as serve_run};

use read::{Wrong, read};

/// Letters of a first password, count: 80 bits of chance.
const FIRST_PASSWORD_CHARS: usize = 20;

/// What is to be done with a sheet.
#[derive(Clone, Debug)]
pub struct Order {
    /// The sheet.
    pub file: PathBuf,
    /// False to show it only.
    pub yes: bool,
    /// Whether officials that it does not name have no account any more.
    pub end_missing: bool,
    /// Where first passwords of new accounts go.
    pub passwords: Option<PathBuf>,
}

/// What a sheet did or would do, for who reads it.
#[derive(Clone, Debug)]
pub struct Told {
    /// A line for each change and each fault, and the counts.
    pub text: String,
    /// Lines with a fault, count.
    pub faults: usize,
}

/// Reads a sheet, shows what it changes, and does it when told to.
///
/// # Errors
/// When the sheet or the node cannot be read, or nothing could be written; a fault in a line is none, it is told.
pub async fn run(
    settings: &Settings,
    secrets: &Secrets,
    order: &Order,
    world: &World,
) -> anyhow::Result<Told> {
    check::settings(settings)?;
    let country = serve_run::country(settings, world)?;
    let home = settings.tenants.first().context("tenants: name one")?;
    let text = text_of(&order.file, settings.limits.account_sheet_bytes_max)?;
    let place = read::Place {
        home,
        organisations: &country.organisations,
        today: world.now().date(),
        rows_max: settings.limits.account_sheet_rows_max,
    };
    let (rows, mut wrong) = read(&text, &place);
    let (store, _held) = super::open(settings, secrets, world).await?;
    let staff = Staff::new(store.clone(), home.clone());
    let done = async {
        let plan = staff.plan(rows, order.end_missing).await?;
        wrong.extend(plan.faults.iter().map(|(line, fault)| of_plan(*line, *fault)));
        wrong.sort_by_key(|wrong| wrong.line);
        let mut told = told(&plan, &wrong, world.now());
        if wrong.is_empty() && order.yes {
            told.push_str(&apply(&staff, &plan, order, &text, world).await?);
        } else if wrong.is_empty() {
            told.push_str("Nothing is changed yet: the same with --yes does it.\n");
        } else {
            told.push_str("Nothing is changed: a sheet is taken whole or not at all.\n");
        }
        anyhow::Ok(told)
    };
    let done = done.await;
    store.close().await;
    done.map(|text| Told {
        text,
        faults: wrong.len(),
    })
}

fn text_of(file: &Path, bytes_max: u64) -> anyhow::Result<String> {
    let named = || format!("{}: cannot be read", file.display());
    let size = std::fs::metadata(file).with_context(named)?.len();
    ensure!(
        size <= bytes_max,
        "{}: {size} bytes; a sheet has {bytes_max} at most: divide it, or raise limits.account_sheet_bytes_max",
        file.display()
    );
    let bytes = std::fs::read(file).with_context(named)?;
    String::from_utf8(bytes).with_context(|| format!("{}: not UTF-8: save it as CSV (UTF-8)", file.display()))
}

async fn apply(
    staff: &Staff,
    plan: &Plan,
    order: &Order,
    text: &str,
    world: &World,
) -> anyhow::Result<String> {
    let first = first_passwords(plan, world);
    let kept = match (&order.passwords, first.is_empty()) {
        (_, true) => None,
        (Some(file), false) => {
            keep(file, &first)?;
            Some(file)
        }
        (None, false) => anyhow::bail!(
            "--passwords FILE: the sheet opens {} accounts, whose first passwords have to go somewhere",
            first.len()
        ),
    };
    match staff.apply(&Actor::Platform, plan, &first, text).await {
        Ok(done) => Ok(format!(
            "Done: {} opened, {} changed, {} ended.\n",
            done.opened, done.changed, done.ended
        )),
        Err(problem) => {
            // No account has these passwords.
            if let Some(file) = kept {
                std::fs::remove_file(file).ok();
            }
            Err(anyhow::anyhow!(problem).context("nothing is changed"))
        }
    }
}

/// A first password for each account that is opened, by its user name as it is compared.
fn first_passwords(plan: &Plan, world: &World) -> BTreeMap<String, String> {
    let opened = plan.changes.iter().filter_map(|change| match change {
        Change::Open(row) => Some(identity::sheet::key(row)),
        Change::Alter { .. } | Change::End(_) => None,
    });
    opened
        .map(|user| (user, world.secret().chars().take(FIRST_PASSWORD_CHARS).collect()))
        .collect()
}

/// Written before the accounts are: an account whose password nobody has could not be used.
fn keep(file: &Path, first: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut out = options.open(file).with_context(|| {
        format!(
            "--passwords {}: cannot be made: name a file that is not there yet",
            file.display()
        )
    })?;
    let mut text = "user,password\n".to_owned();
    for (user, password) in first {
        writeln!(text, "{user},{password}")?;
    }
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    Ok(())
}

fn of_plan(line: u64, fault: Fault) -> Wrong {
    let (rule, remedy) = match fault {
        Fault::Twice(first) => (
            format!("this user name stands in line {first} already"),
            "leave one line for a person",
        ),
        Fault::Anothers => (
            "this user name is that of an operator, an observer or a citizen".to_owned(),
            "give the official another user name",
        ),
        Fault::EndsBefore => (
            "it would end before it begins".to_owned(),
            "let `until` be the day of `from` or a later one",
        ),
    };
    Wrong {
        line,
        rule,
        remedy: remedy.to_owned(),
    }
}

/// A line for each change and each fault, and the counts.
fn told(plan: &Plan, wrong: &[Wrong], now: Time) -> String {
    let mut out = String::new();
    for change in &plan.changes {
        out.push_str(&shown(change, now));
    }
    for held in &plan.missing {
        out.push_str(&format!(
            "  {}: not in the sheet; stays, --end-missing ends it\n",
            held.user
        ));
    }
    for wrong in wrong {
        out.push_str(&format!(
            "! line {}: {}: {}\n",
            wrong.line, wrong.rule, wrong.remedy
        ));
    }
    let count = |which: fn(&Change) -> bool| plan.changes.iter().filter(|change| which(change)).count();
    out.push_str(&format!(
        "{} to open, {} to change, {} to end, {} the same, {} not in the sheet, {} with a fault.\n",
        count(|change| matches!(change, Change::Open(_))),
        count(|change| matches!(change, Change::Alter { .. })),
        count(|change| matches!(change, Change::End(_))),
        plan.same,
        plan.missing.len(),
        wrong.len()
    ));
    out
}

fn shown(change: &Change, now: Time) -> String {
    match change {
        Change::Open(row) => format!(
            "+ line {}: {}: {} at {}{}\n",
            row.line,
            row.user,
            row.roles.join(" "),
            row.unit,
            term(row.begins, row.ends)
        ),
        Change::Alter { held, row } => {
            let parts = altered(held, row, now);
            format!("~ line {}: {}: {}\n", row.line, row.user, parts.join("; "))
        }
        Change::End(held) => format!(
            "- {}: {} at {} ends\n",
            held.user,
            held.account.roles.join(" "),
            held.account.unit
        ),
    }
}

fn altered(held: &Held, row: &Row, now: Time) -> Vec<String> {
    let (account, mut parts) = (&held.account, Vec::new());
    if held.has_ended(now) {
        parts.push("had ended".to_owned());
    }
    if account.name != row.name {
        parts.push(format!("name {} -> {}", account.name, row.name));
    }
    if account.unit != row.unit {
        parts.push(format!("unit {} -> {}", account.unit, row.unit));
    }
    if account.roles != row.roles {
        parts.push(format!(
            "roles {} -> {}",
            account.roles.join(" "),
            row.roles.join(" ")
        ));
    }
    if (held.begins, held.ends) != (row.begins, row.ends) {
        let was = term(held.begins, held.ends);
        parts.push(format!("term{was} ->{}", term(row.begins, row.ends)));
    }
    parts
}

/// ` from 2026-12-01 until 2027-06-30`, the last day named.
fn term(begins: Option<Time>, ends: Option<Time>) -> String {
    let from = begins.map(|at| format!(" from {}", kernel::time::iso(at.date())));
    let until = ends.map(|at| format!(" until {}", kernel::time::iso(at.plus_ms(-1).date())));
    match (from, until) {
        (None, None) => " without end".to_owned(),
        (from, until) => format!("{}{}", from.unwrap_or_default(), until.unwrap_or_default()),
    }
}

/// The roles that a sheet gives.
pub(crate) fn roles() -> Vec<&'static str> {
    DESK_ROLES.iter().chain(&DESIGN_ROLES).copied().collect()
}
