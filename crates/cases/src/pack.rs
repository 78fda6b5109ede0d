//! Reads this crate's part of the pack: `catalogue/procedures.csv` and `procedures/*.toml`, and holds
//! it against its rules. Never lets a document with a fault pass.

mod citizens;
mod criteria;
mod dialects;
mod escalations;
mod events;
mod filing;
mod flaws;
mod mandates;
mod messages;
mod moves;
mod own_records;
mod postal;
mod samples;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use directory::pack::document::{Places, document_with};
use directory::pack::files::table;
use directory::pack::{Known, PackFault, read_table};
use kernel::fault::{Faults, Names};
use kernel::{OrgCode, ProcedureCode};
use serde::Serialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

pub(crate) use crate::pack::criteria::read as criteria;
pub(crate) use crate::pack::dialects::read as dialects;
pub(crate) use crate::pack::escalations::read as escalations;
pub use crate::pack::events::Event;
pub(crate) use crate::pack::events::read as events;
pub(crate) use crate::pack::filing::read as filing;
pub use crate::pack::flaws::{ROLES, flaws};
pub(crate) use crate::pack::mandates::read as mandates;
pub(crate) use crate::pack::messages::read as messages;
pub(crate) use crate::pack::moves::{check as moves_check, read as moves};
pub(crate) use crate::pack::own_records::read as own_records;
pub(crate) use crate::pack::postal::read as postal;
pub use crate::pack::samples::{ALWAYS, result, sample};
use crate::procedure::Procedure;

/// The words of this crate's rules of the pack; not for pages.
pub const TEXTS: web::Source = web::Source {
    name: "cases/pack",
    vi: include_str!("../i18n/pack-vi.ftl"),
    en: include_str!("../i18n/pack-en.ftl"),
};

const STATUSES: &str = "codes/case-statuses.csv";
const STATUS_COLUMNS: [&str; 5] = ["code", "name_vi", "key", "portal_key", "class"];

const CATALOGUE: &str = "catalogue/procedures.csv";
/// Services that the national catalogue does not name, in the same form; a pack can be without.
const OWN: &str = "catalogue/own.csv";
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

/// Reads the catalogue: what the national one names, and the pack's own services.
///
/// # Errors
/// When the file cannot be read or a row has a bad code.
pub fn entries(pack: &Path) -> Result<Vec<Entry>, PackFault> {
    let mut entries = entries_of(pack, CATALOGUE)?;
    if pack.join(OWN).is_file() {
        entries.extend(entries_of(pack, OWN)?);
    }
    Ok(entries)
}

fn entries_of(pack: &Path, file: &str) -> Result<Vec<Entry>, PackFault> {
    let mut entries = Vec::new();
    read_table(pack, file, &COLUMNS, |row| {
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

/// A procedure's document, read.
#[derive(Debug)]
pub struct ProcedureFile {
    /// The file within the pack.
    pub file: String,
    /// Where its parts stand.
    pub places: Places,
    /// The document; its choices filled from the lists it names.
    pub procedure: Procedure,
}

/// Reads every document; a question's `choices_from = "codes/ethnic-groups.csv"` takes its choices from
/// that table of codes and names, so that a version's digest covers them.
///
/// # Errors
/// The first fault of a document.
pub fn procedures(pack: &Path) -> Result<Vec<(PathBuf, Procedure)>, PackFault> {
    let all = directory::pack::sound(pack, &[TEXTS], documents)?;
    let of_file = |read: ProcedureFile| (pack.join(read.file), read.procedure);
    Ok(all.into_iter().map(of_file).collect())
}

/// Checks this crate's part: the catalogue, the statuses, the criteria of ratings, and every procedure by
/// itself and beside the others; gives the documents whose shape is sound.
pub fn check(pack: &Path, known: &Known, faults: &mut Faults) -> Vec<ProcedureFile> {
    let catalogue = check_catalogue(pack, known, faults);
    events::check(pack, &catalogue, faults);
    criteria::read(pack, faults);
    messages::read(pack, faults);
    filing::check(pack, known, faults);
    dialects::read(pack, faults);
    own_records::read(pack, faults);
    mandates::read(pack, faults);
    escalations::read(pack, faults);
    postal::read(pack, faults);
    let mut statuses = Vec::new();
    let mut lines = HashMap::new();
    table(pack, STATUSES, &STATUS_COLUMNS, faults, |row, faults| {
        row.once(&mut lines, faults);
        statuses.push(row.get(0).to_owned());
    });
    let moves = moves::read(pack, faults);
    let all = documents(pack, faults);
    for read in &all {
        moves::check(&moves, read, faults);
        let (places, procedure) = (&read.places, &read.procedure);
        let code = procedure.code.as_str();
        if !catalogue.is_empty() && !catalogue.contains_key(code) {
            faults.add(places.fault("/code", "not-in-catalogue", named(code)));
        }
        if !known.organisations.has(&procedure.publisher) {
            let names = named(procedure.publisher.as_str());
            faults.add(places.fault("/publisher", "organisation-unknown", names));
        }
        for (state, about) in &procedure.states {
            let status = about.status.to_string();
            if !statuses.is_empty() && !statuses.contains(&status) {
                let at = format!("/states/{state}/status");
                faults.add(places.fault(&at, "status-unknown", named(&status)));
            }
        }
    }
    citizens::check(pack, &all, faults);
    all
}

fn named(value: &str) -> Names {
    vec![("value", value.to_owned())]
}

/// The codes of the catalogue with their lines.
fn check_catalogue(pack: &Path, known: &Known, faults: &mut Faults) -> HashMap<String, u64> {
    let mut codes: HashMap<String, u64> = HashMap::new();
    check_entries(pack, CATALOGUE, known, &mut codes, faults);
    if pack.join(OWN).is_file() {
        check_entries(pack, OWN, known, &mut codes, faults);
    }
    codes
}

fn check_entries(
    pack: &Path,
    file: &str,
    known: &Known,
    codes: &mut HashMap<String, u64>,
    faults: &mut Faults,
) {
    table(pack, file, &COLUMNS, faults, |row, faults| {
        if row.get(0).parse::<ProcedureCode>().is_err() {
            faults.add(row.fault("procedure-code", 0));
        }
        if row.get(1).is_empty() {
            faults.add(row.fault("name-missing", 0));
        }
        let agency = row.get(2);
        if !agency.is_empty()
            && agency
                .parse()
                .is_ok_and(|code: OrgCode| !known.organisations.has(&code))
        {
            faults.add(row.fault("organisation-unknown", 2));
        }
        for column in [9, 14, 19] {
            if !["0", "1"].contains(&row.get(column)) {
                let names = vec![
                    ("value", row.get(column).to_owned()),
                    ("wanted", "0, 1".to_owned()),
                ];
                faults.add(row.fault_with("value-unknown", names));
            }
        }
        row.once(codes, faults);
    });
}

/// Every document by itself, and that no two versions of a code begin on one day.
fn documents(pack: &Path, faults: &mut Faults) -> Vec<ProcedureFile> {
    let mut all: Vec<ProcedureFile> = Vec::new();
    let mut lists: BTreeMap<String, Option<List>> = BTreeMap::new();
    let listed = directory::pack::listed(pack, "procedures", "toml");
    for file in listed
        .into_iter()
        .filter(|file| !file.ends_with(citizens::ENDING))
    {
        let read = document_with::<Procedure>(pack, &file, faults, |root, places, faults| {
            choices(pack, root, places, &mut lists, faults);
        });
        let Some((procedure, places)) = read else { continue };
        for flaw in flaws(&procedure) {
            faults.add(places.flaw(flaw));
        }
        let same = |other: &&ProcedureFile| {
            other.procedure.code == procedure.code && other.procedure.valid_from == procedure.valid_from
        };
        if let Some(other) = all.iter().find(same) {
            let names = vec![
                ("value", procedure.valid_from.clone()),
                ("first", other.file.clone()),
            ];
            faults.add(places.fault("/valid_from", "versions-overlap", names));
        }
        all.push(ProcedureFile {
            file,
            places,
            procedure,
        });
    }
    all
}

/// A document that is in no file of the pack, by itself; `file` is what it is called in faults. Lists that it names
/// are those of the pack.
pub(crate) fn document_of(
    pack: Option<&Path>,
    file: &str,
    text: &str,
    faults: &mut Faults,
) -> Option<(Procedure, Places)> {
    let mut lists = BTreeMap::new();
    let (procedure, places) =
        directory::pack::document::document_of::<Procedure>(file, text, faults, |root, places, faults| {
            if let Some(pack) = pack {
                choices(pack, root, places, &mut lists, faults);
            }
        })?;
    for flaw in flaws(&procedure) {
        faults.add(places.flaw(flaw));
    }
    Some((procedure, places))
}

/// A list of codes and names.
type List = Vec<(String, String)>;

/// Puts the choices of a list where a question names it.
fn choices(
    pack: &Path,
    root: &mut DeTable<'_>,
    places: &Places,
    lists: &mut BTreeMap<String, Option<List>>,
    faults: &mut Faults,
) {
    for (page, page_value) in items(root, "pages").enumerate() {
        let DeValue::Table(page_table) = page_value.get_mut() else {
            continue;
        };
        for (at, question) in items(page_table, "questions").enumerate() {
            let DeValue::Table(question) = question.get_mut() else {
                continue;
            };
            let Some((key, value)) = question.remove_entry("choices_from") else {
                continue;
            };
            let list = value.get_ref().as_str().unwrap_or_default().to_owned();
            let found = lists
                .entry(list.clone())
                .or_insert_with(|| read_list(pack, &list, faults));
            let span = value.span();
            match found {
                Some(found) => {
                    let name = Spanned::new(key.span(), Cow::Borrowed("choices"));
                    question.insert(name, Spanned::new(span.clone(), choices_of(found, &span)));
                }
                None => {
                    let at = format!("/pages/{page}/questions/{at}/choices_from");
                    faults.add(places.fault(&at, "list-unknown", named(&list)));
                    // A stand-in, so that the missing list is the only fault told.
                    let name = Spanned::new(key.span(), Cow::Borrowed("choices"));
                    let one = vec![(list.clone(), list.clone())];
                    question.insert(name, Spanned::new(span.clone(), choices_of(&one, &span)));
                }
            }
        }
    }
}

fn items<'a, 'i>(
    table: &'a mut DeTable<'i>,
    key: &str,
) -> impl Iterator<Item = &'a mut Spanned<DeValue<'i>>> {
    let found = table.get_mut(key).map(Spanned::get_mut);
    let array = match found {
        Some(DeValue::Array(array)) => Some(array),
        _ => None,
    };
    array.into_iter().flat_map(|array| array.iter_mut())
}

fn choices_of<'i>(list: &List, span: &std::ops::Range<usize>) -> DeValue<'i> {
    let put = |text: &str| Spanned::new(span.clone(), DeValue::String(Cow::Owned(text.to_owned())));
    let name = |name: &'static str| Spanned::new(span.clone(), Cow::Borrowed(name));
    let mut choices = DeArray::new();
    for (code, text) in list {
        let mut label = DeTable::new();
        label.insert(name("vi"), put(text));
        label.insert(name("en"), put(text));
        let mut choice = DeTable::new();
        choice.insert(name("value"), put(code));
        choice.insert(name("label"), Spanned::new(span.clone(), DeValue::Table(label)));
        choices.push(Spanned::new(span.clone(), DeValue::Table(choice)));
    }
    DeValue::Array(choices)
}

/// True for what can be a list of the pack: a table below its folder. A document may be somebody's typing, and no other
/// file of the machine is opened by what it names.
fn is_list(list: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let below = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
    list.strip_suffix(".csv").is_some() && list.split('/').all(below)
}

fn read_list(pack: &Path, list: &str, faults: &mut Faults) -> Option<List> {
    if !is_list(list) || !pack.join(list).is_file() {
        return None;
    }
    let mut choices: List = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    table(pack, list, &["code", "name"], faults, |row, faults| {
        if row.once(&mut lines, faults) {
            choices.push((row.get(0).to_owned(), row.get(1).to_owned()));
        }
    });
    if choices.is_empty() {
        // A list that cannot be read is told there, not again at every question.
        choices.push((list.to_owned(), list.to_owned()));
    }
    Some(choices)
}
