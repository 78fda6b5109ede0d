//! `sen import cases`: running cases of another system's export, shown line by line and then taken over by the desk of a
//! node that does not run. Never a rule of its own: what a line becomes is said in `cases::import`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use cases::import::{Plan, Ready, Table, read};
use cases::{Asker, Cases, Parts, Place};
use exchange::{Ask, Heard, ServiceId, SystemId};
use kernel::{Problem, Time, World};

use crate::account;
use crate::node::Country;
use crate::serve::secrets::Secrets;
use crate::serve::settings::{Face, Settings};
use crate::serve::{check, run};

/// What is to be taken over.
#[derive(Clone, Debug)]
pub struct Order {
    /// The export: CSV with the fields of `DongBoHoSoMC` as columns, or the message as JSON.
    pub file: PathBuf,
    /// How its statuses and units are called here.
    pub table: PathBuf,
    /// False to show it only.
    pub yes: bool,
    /// Whether the other lines are taken when some are faulty.
    pub skip_faulty: bool,
}

/// What a file did or would do, for who reads it.
#[derive(Clone, Debug)]
pub struct Told {
    /// A line for each case and each fault, and the counts.
    pub text: String,
    /// Lines with a fault, count.
    pub faults: usize,
}

/// A node that is not running asks nobody.
struct Alone;

#[async_trait]
impl Asker for Alone {
    async fn ask(&self, _: Ask) -> Result<Heard, Problem> {
        Err(Problem::internal("a node that does not run asks nobody"))
    }

    fn may_ask(&self, _: &SystemId, _: &ServiceId, _: Time) -> bool {
        false
    }
}

/// Reads an export, shows what becomes of each line, and takes the cases over when told to.
///
/// # Errors
/// When a file or the node cannot be read, or nothing could be written; a fault in a line is none, it is told.
pub async fn run(
    settings: &Settings,
    secrets: &Secrets,
    order: &Order,
    world: &World,
) -> anyhow::Result<Told> {
    check::settings(settings)?;
    ensure!(
        settings.faces.contains(&Face::Desk),
        "faces: this node has no desk; running cases are taken over at the node of the agency that owns them"
    );
    let country = run::country(settings, world)?;
    let table = table_of(&order.table)?;
    let lines = read(&text_of(&order.file, settings.limits.case_import_bytes_max)?)
        .map_err(|why| anyhow::anyhow!("{}: {why}", order.file.display()))?;
    let rows_max = settings.limits.case_import_rows_max;
    ensure!(
        lines.len() <= rows_max,
        "{}: {} cases; a file has {rows_max} at most: divide it, or raise limits.case_import_rows_max",
        order.file.display(),
        lines.len()
    );
    let (store, _held) = account::open(settings, secrets, world).await?;
    let done = async {
        let cases = desk(settings, &country, &store)?;
        cases.keep_versions().await?;
        cases.take_up_designs().await?;
        let plan = cases.plan_import(&lines, &table).await?;
        let mut told = told(&plan);
        let blocked = !plan.refused.is_empty() && !order.skip_faulty;
        if blocked {
            told.push_str(
                "Nothing is taken over: correct the lines, or leave them out with --skip-faulty.\n",
            );
        } else if order.yes {
            let done = cases
                .import(&plan, &table, &|done| eprintln!("{done} done"))
                .await?;
            writeln!(
                told,
                "Done: {} taken over, {} had come meanwhile.",
                done.taken, done.there
            )?;
        } else {
            told.push_str("Nothing is taken over yet: the same with --yes does it.\n");
        }
        anyhow::Ok(Told {
            text: told,
            faults: plan.refused.len(),
        })
    };
    let done = done.await;
    store.close().await;
    done
}

/// The desk of a node that does not run: it writes rows, and what it has to say to others waits for the start.
fn desk(settings: &Settings, country: &Country, store: &store::Store) -> anyhow::Result<Cases> {
    let home = settings.tenants.first().context("tenants: name one")?;
    let system = format!("{home}/one-stop").parse();
    Ok(Cases::new(Parts {
        store: store.clone(),
        tenant: home.clone(),
        place: Place::Desk,
        system: system.map_err(|e| anyhow::anyhow!("{e}"))?,
        exchange: Arc::new(Alone),
        documents: None,
        bank: None,
        messengers: cases::telling::Messengers::default(),
        areas: Arc::clone(&country.areas),
        organisations: Arc::clone(&country.organisations),
        calendars: Arc::clone(&country.calendars),
        catalogue: Arc::clone(&country.catalogue),
        base_url: settings.url.clone(),
    }))
}

fn table_of(file: &Path) -> anyhow::Result<Table> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("--table {}: cannot be read", file.display()))?;
    let table: Table =
        toml::from_str(&text).with_context(|| format!("--table {}: cannot be used", file.display()))?;
    if !table.is_named() {
        bail!(
            "--table {}: `from` names the other system by 1 to 40 small letters, digits and hyphens",
            file.display()
        );
    }
    Ok(table)
}

fn text_of(file: &Path, bytes_max: u64) -> anyhow::Result<String> {
    let named = || format!("{}: cannot be read", file.display());
    let size = std::fs::metadata(file).with_context(named)?.len();
    ensure!(
        size <= bytes_max,
        "{}: {size} bytes; a file has {bytes_max} at most: divide it, or raise limits.case_import_bytes_max",
        file.display()
    );
    let bytes = std::fs::read(file).with_context(named)?;
    String::from_utf8(bytes).with_context(|| format!("{}: not UTF-8: save it as UTF-8", file.display()))
}

/// A line for each case and each fault, and the counts. Names no person.
fn told(plan: &Plan) -> String {
    let mut out = String::new();
    for ready in &plan.ready {
        out.push_str(&shown(ready));
    }
    for (number, code) in &plan.there {
        out.push_str(&format!("= line {number}: {code} is here already\n"));
    }
    for (number, code) in &plan.ended {
        out.push_str(&format!(
            "  line {number}: {code} has ended, it stays with the other system\n"
        ));
    }
    for wrong in &plan.refused {
        out.push_str(&format!(
            "! line {}: {}: {}: {}\n",
            wrong.number, wrong.field, wrong.rule, wrong.remedy
        ));
    }
    out.push_str(&format!(
        "{} to take over, {} here already, {} ended, {} with a fault.\n",
        plan.ready.len(),
        plan.there.len(),
        plan.ended.len(),
        plan.refused.len()
    ));
    out
}

fn shown(ready: &Ready) -> String {
    let case = &ready.case;
    let due = ready.promise.due.map_or_else(
        || "not accepted yet".to_owned(),
        |due| format!("owed by {}", due.day_month_year_time()),
    );
    format!(
        "+ line {}: {}: {} goes on at {} in `{}`, {due}\n",
        ready.number, case.code, case.procedure, case.unit, case.state
    )
}
