//! Reads this crate's part of the pack: `catalogue/procedures.csv` and `procedures/*.toml`. Never
//! lets a document with a fault pass.

use std::path::{Path, PathBuf};

use directory::pack::{PackFault, read_table};
use kernel::{OrgCode, ProcedureCode};
use serde::Serialize;
use toml::Value;

use crate::procedure::Procedure;

const CATALOGUE: &str = "catalogue/procedures.csv";
const COLUMNS: [&str; 27] = [
    "code",
    "name",
    "agency_code",
    "agency",
    "field",
    "levels",
    "legal_type",
    "decision_no",
    "audience",
    "counter",
    "counter_time",
    "counter_time_unit",
    "counter_fee",
    "counter_fee_cur",
    "online",
    "online_time",
    "online_time_unit",
    "online_fee",
    "online_fee_cur",
    "post",
    "post_time",
    "post_time_unit",
    "post_fee",
    "post_fee_cur",
    "result_codes",
    "documents_listed",
    "legal_basis",
];

/// One procedure of the national catalogue, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its code.
    pub code: ProcedureCode,
    /// Its name.
    pub name: String,
    /// The publishing agency's code.
    pub agency_code: Option<OrgCode>,
    /// The publishing agency.
    pub agency: String,
    /// Its field: `Hộ tịch`.
    pub field: String,
    /// Where it is done: `bo`, `tinh`, `xa`, `khac`.
    pub levels: Vec<String>,
    /// The decision that publishes it.
    pub decision: String,
    /// Who may ask for it.
    pub audience: Vec<String>,
    /// Channels with their time and fee.
    pub channels: Vec<Offer>,
    /// What it rests on.
    pub legal_basis: Vec<String>,
}

/// What a channel of an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// `counter`, `online` or `post`.
    pub channel: &'static str,
    /// The time, as the source writes it; empty when it states none.
    pub time: String,
    /// `working_day`, `day`, `hour`, `month`, with `?` when the source is unclear.
    pub unit: String,
    /// The fee, as the source writes it.
    pub fee: String,
    /// Its currency.
    pub currency: String,
}

impl Entry {
    /// True when the catalogue says it may be filed online.
    #[must_use]
    pub fn online(&self) -> bool {
        self.channels.iter().any(|c| c.channel == "online")
    }
}

/// Reads the catalogue.
///
/// # Errors
/// When the file cannot be read or a row has a bad code.
pub fn entries(pack: &Path) -> Result<Vec<Entry>, PackFault> {
    let mut entries = Vec::new();
    read_table(pack, CATALOGUE, &COLUMNS, |row| {
        let text = |at: usize| row.get(at).unwrap_or_default().to_owned();
        let list = |at: usize| {
            text(at)
                .split('|')
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let offers = [("counter", 9), ("online", 14), ("post", 19)];
        entries.push(Entry {
            code: text(0).parse().map_err(|e| format!("{e}: {}", text(0)))?,
            name: text(1),
            agency_code: text(2).parse().ok(),
            agency: text(3),
            field: text(4),
            levels: list(5),
            decision: text(7),
            audience: list(8),
            channels: offers
                .into_iter()
                .filter(|(_, at)| text(*at) == "1")
                .map(|(channel, at)| Offer {
                    channel,
                    time: text(at + 1),
                    unit: text(at + 2),
                    fee: text(at + 3),
                    currency: text(at + 4),
                })
                .collect(),
            legal_basis: list(26),
        });
        Ok(())
    })?;
    Ok(entries)
}

/// Reads every document; a question's `choices_from = "codes/ethnic-groups.csv"` takes its choices from
/// that table of codes and names, so that a version's digest covers them.
///
/// # Errors
/// The first document that cannot be read or has a fault.
pub fn procedures(pack: &Path) -> Result<Vec<(PathBuf, Procedure)>, PackFault> {
    let folder = pack.join("procedures");
    let listed = std::fs::read_dir(&folder).map_err(|e| PackFault::of(&folder, e))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|f| Some(f.ok()?.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|e| PackFault::of(&path, e))?;
        let mut value: Value = toml::from_str(&text).map_err(|e| PackFault::of(&path, e))?;
        choices(pack, &mut value)?;
        let procedure: Procedure = value.try_into().map_err(|e| PackFault::of(&path, e))?;
        let faults = procedure.faults();
        if !faults.is_empty() {
            return Err(PackFault::of(&path, faults.join("; ")));
        }
        all.push((path, procedure));
    }
    Ok(all)
}

fn choices(pack: &Path, document: &mut Value) -> Result<(), PackFault> {
    let pages = document.get_mut("pages").and_then(Value::as_array_mut);
    for page in pages.into_iter().flatten() {
        let questions = page.get_mut("questions").and_then(Value::as_array_mut);
        for question in questions.into_iter().flatten().filter_map(Value::as_table_mut) {
            if let Some(Value::String(list)) = question.remove("choices_from") {
                question.insert("choices".to_owned(), code_list(pack, &list)?);
            }
        }
    }
    Ok(())
}

fn code_list(pack: &Path, list: &str) -> Result<Value, PackFault> {
    let mut choices = Vec::new();
    read_table(pack, list, &["code", "name"], |row| {
        let text = |at: usize| Value::String(row.get(at).unwrap_or_default().to_owned());
        let label = toml::Table::from_iter([("vi".to_owned(), text(1)), ("en".to_owned(), text(1))]);
        let choice = [
            ("value".to_owned(), text(0)),
            ("label".to_owned(), Value::Table(label)),
        ];
        choices.push(Value::Table(toml::Table::from_iter(choice)));
        Ok(())
    })?;
    Ok(Value::Array(choices))
}
