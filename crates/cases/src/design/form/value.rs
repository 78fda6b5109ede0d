//! What stands in a field of a part: read from the document's tables and written back, so that what says the same
//! stays as it was written. Pure; never judges what a document says.

use std::collections::BTreeMap;

use kernel::Problem;
use toml_edit::{Array, InlineTable, Item, TableLike, Value};

use super::Part;
use super::field::{AMOUNTS, Field, Input, STEP_AMOUNT, STEP_RULE, amount_key};

/// What stands in a part's fields, by key; of words by `KEY-vi` and `KEY-en`.
pub(crate) type Values = BTreeMap<String, String>;

/// The field that says how long a term is.
const AMOUNT: &str = "amount";
/// The field of a state that is its key.
pub(super) const CODE: &str = "code";
/// The key of a state's own clock.
const TERM: &str = "term";
/// What a tick box says.
const YES: &str = "yes";

/// The tables of a list, however it is written.
pub(super) fn entries(item: &Item) -> Vec<&dyn TableLike> {
    match item {
        Item::ArrayOfTables(all) => all.iter().map(|one| one as &dyn TableLike).collect(),
        Item::Value(Value::Array(all)) => all
            .iter()
            .filter_map(Value::as_inline_table)
            .map(|one| one as &dyn TableLike)
            .collect(),
        _ => Vec::new(),
    }
}

/// A value as it is typed.
fn scalar(item: &Item) -> String {
    match item.as_value() {
        Some(Value::String(text)) => text.value().clone(),
        Some(Value::Integer(number)) => number.value().to_string(),
        Some(Value::Boolean(is)) if *is.value() => YES.to_owned(),
        _ => String::new(),
    }
}

fn scalar_of(table: &dyn TableLike, key: &str) -> String {
    table.get(key).map(scalar).unwrap_or_default()
}

/// Words in one of the languages.
fn words_of(table: &dyn TableLike, key: &str, lang: &str) -> String {
    let words = table.get(key).and_then(Item::as_table_like);
    words.map(|words| scalar_of(words, lang)).unwrap_or_default()
}

/// Writes down what stands in a field.
pub(super) fn tell(table: &dyn TableLike, field: &Field, values: &mut Values) {
    let key = field.key;
    match field.input {
        Input::Words => {
            for lang in ["vi", "en"] {
                values.insert(format!("{key}-{lang}"), words_of(table, key, lang));
            }
        }
        _ => {
            values.insert(key.to_owned(), told(table, field));
        }
    }
}

/// What stands in a field that is one text.
fn told(table: &dyn TableLike, field: &Field) -> String {
    let key = field.key;
    let item = table.get(key);
    let rows = |row: &dyn Fn(&dyn TableLike) -> String| {
        let all = item.map(entries).unwrap_or_default();
        all.into_iter().map(row).collect::<Vec<_>>().join("\n")
    };
    match field.input {
        Input::Lines => {
            let lines = item.and_then(Item::as_array);
            let lines = lines.into_iter().flat_map(Array::iter).filter_map(Value::as_str);
            lines.collect::<Vec<_>>().join("\n")
        }
        Input::Pairs => rows(&|row| format!("{} | {}", scalar_of(row, "vi"), scalar_of(row, "en"))),
        Input::Choices => rows(&|row| {
            let [vi, en] = ["vi", "en"].map(|lang| words_of(row, "label", lang));
            format!("{} | {vi} | {en}", scalar_of(row, "value"))
        }),
        _ if key == STEP_RULE => of_step(table, &["rule"]),
        _ if key == STEP_AMOUNT => of_step(table, &AMOUNTS),
        _ if key == AMOUNT => AMOUNTS
            .into_iter()
            .map(|key| scalar_of(table, key))
            .find(|amount| !amount.is_empty())
            .unwrap_or_default(),
        _ => scalar_of(table, key),
    }
}

/// Writes a part's fields; those that are not named stay.
pub(super) fn write(table: &mut dyn TableLike, part: &Part, values: &Values) -> Result<(), Problem> {
    for field in part.fields() {
        match field.input {
            _ if field.key == CODE && matches!(part, Part::State(_)) => {}
            _ if field.key == AMOUNT => amount(table, values)?,
            _ if field.key == STEP_RULE => step(table, values)?,
            _ if field.key == STEP_AMOUNT => {}
            Input::Words => words(table, field, values)?,
            _ => one(table, field, values)?,
        }
    }
    Ok(())
}

/// What stands under one of some keys of a state's own clock.
fn of_step(table: &dyn TableLike, keys: &[&str]) -> String {
    let Some(term) = table.get(TERM).and_then(Item::as_table_like) else {
        return String::new();
    };
    let mut told = keys.iter().map(|key| scalar_of(term, key));
    told.find(|value| !value.is_empty()).unwrap_or_default()
}

/// The clock of a state: nothing where no rule is chosen.
fn step(table: &mut dyn TableLike, values: &Values) -> Result<(), Problem> {
    if !values.contains_key(STEP_RULE) && !values.contains_key(STEP_AMOUNT) {
        return Ok(());
    }
    let before = [of_step(table, &["rule"]), of_step(table, &AMOUNTS)];
    let said = |key: &str, before: &String| values.get(key).unwrap_or(before).trim().to_owned();
    let [rule_before, amount_before] = &before;
    let (rule, amount) = (said(STEP_RULE, rule_before), said(STEP_AMOUNT, amount_before));
    if rule == *rule_before && amount == *amount_before {
        return Ok(());
    }
    if rule.is_empty() {
        table.remove(TERM);
        return Ok(());
    }
    if amount.is_empty() {
        return Err(Problem::invalid(STEP_AMOUNT, "field-missing"));
    }
    let mut term = InlineTable::new();
    term.insert(amount_key(&rule), number(STEP_AMOUNT, &amount)?);
    term.insert("rule", Value::from(rule));
    put(table, TERM, Value::InlineTable(term));
    Ok(())
}

/// The length of a term under the key of its rule.
fn amount(table: &mut dyn TableLike, values: &Values) -> Result<(), Problem> {
    let before = AMOUNTS
        .into_iter()
        .map(|key| scalar_of(table, key))
        .find(|amount| !amount.is_empty());
    let typed = values.get(AMOUNT).cloned().or(before).unwrap_or_default();
    if typed.trim().is_empty() {
        return Err(Problem::invalid(AMOUNT, "field-missing"));
    }
    let wanted = amount_key(&scalar_of(table, "rule"));
    for key in AMOUNTS.into_iter().filter(|key| *key != wanted) {
        table.remove(key);
    }
    put(table, wanted, number(AMOUNT, &typed)?);
    Ok(())
}

fn number(field: &str, typed: &str) -> Result<Value, Problem> {
    let digits = typed.trim().replace(['.', ' '], "");
    let number: i64 = digits
        .parse()
        .map_err(|_| Problem::invalid(field, "design-form-number"))?;
    Ok(Value::from(number))
}

/// A sentence in both languages.
fn words(table: &mut dyn TableLike, field: &Field, values: &Values) -> Result<(), Problem> {
    let key = field.key;
    let names = ["vi", "en"].map(|lang| format!("{key}-{lang}"));
    if !names.iter().any(|name| values.contains_key(name)) && !field.needed {
        return Ok(());
    }
    let [vi, en] = ["vi", "en"].map(|lang| {
        let typed = values.get(&format!("{key}-{lang}")).cloned();
        typed.unwrap_or_else(|| words_of(table, key, lang))
    });
    if vi.is_empty() && en.is_empty() && !field.needed {
        table.remove(key);
        return Ok(());
    }
    for (text, name) in [&vi, &en].into_iter().zip(&names) {
        if text.is_empty() {
            return Err(Problem::invalid(name, "field-missing"));
        }
    }
    match table.get_mut(key).and_then(Item::as_table_like_mut) {
        Some(both) => {
            put(both, "vi", Value::from(vi));
            put(both, "en", Value::from(en));
        }
        None => {
            table.insert(key, Item::Value(Value::InlineTable(both(vi, en))));
        }
    }
    Ok(())
}

fn both(vi: String, en: String) -> InlineTable {
    let mut both = InlineTable::new();
    both.insert("vi", Value::from(vi));
    both.insert("en", Value::from(en));
    both
}

/// A field that is one text.
fn one(table: &mut dyn TableLike, field: &Field, values: &Values) -> Result<(), Problem> {
    let key = field.key;
    let before = told(table, field);
    let Some(typed) = values.get(key) else {
        let missing = field.needed && before.is_empty() && !table.contains_key(key);
        return match (missing, field.input) {
            (true, Input::Tick) => {
                put(table, key, Value::from(false));
                Ok(())
            }
            (true, _) => Err(Problem::invalid(key, "field-missing")),
            (false, _) => Ok(()),
        };
    };
    let typed = typed.trim();
    if typed == before && table.contains_key(key) {
        return Ok(());
    }
    let value = match field.input {
        Input::Tick => match (typed == YES, field.needed) {
            (true, _) => Value::from(true),
            (false, true) => Value::from(false),
            (false, false) => {
                table.remove(key);
                return Ok(());
            }
        },
        _ if typed.is_empty() && field.needed => return Err(Problem::invalid(key, "field-missing")),
        _ if typed.is_empty() => {
            table.remove(key);
            return Ok(());
        }
        Input::Number => number(key, typed)?,
        Input::Lines => lined(
            typed
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(Value::from),
        ),
        Input::Pairs => lined(
            rows::<2>(key, typed)?
                .into_iter()
                .map(|[vi, en]| Value::InlineTable(both(vi, en))),
        ),
        Input::Choices => lined(rows::<3>(key, typed)?.into_iter().map(|[value, vi, en]| {
            let mut choice = InlineTable::new();
            choice.insert("value", Value::from(value));
            choice.insert("label", Value::InlineTable(both(vi, en)));
            Value::InlineTable(choice)
        })),
        _ => Value::from(typed),
    };
    put(table, key, value);
    Ok(())
}

/// Lines of so many texts, parted by `|`.
fn rows<const N: usize>(field: &str, typed: &str) -> Result<Vec<[String; N]>, Problem> {
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    let row = |line: &str| {
        let texts: Vec<String> = line.split('|').map(|text| text.trim().to_owned()).collect();
        let whole = texts.iter().all(|text| !text.is_empty());
        let row: Option<[String; N]> = texts.try_into().ok();
        row.filter(|_| whole)
            .ok_or_else(|| Problem::invalid(field, "design-form-line").with("line", line))
    };
    lines.map(row).collect()
}

/// An array with a value a line.
fn lined(values: impl Iterator<Item = Value>) -> Value {
    let mut all = Array::new();
    for value in values {
        all.push_formatted(value.decorated("\n    ", ""));
    }
    all.set_trailing_comma(true);
    all.set_trailing("\n");
    Value::Array(all)
}

/// Puts a value under a key; one that stands there already keeps what is written around it, and how it is written
/// when it says the same.
fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(before) if same(before, &value) => {}
        Some(before) => {
            *value.decor_mut() = before.decor().clone();
            *before = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.value() == other.value(),
        (Value::Integer(one), Value::Integer(other)) => one.value() == other.value(),
        (Value::Boolean(one), Value::Boolean(other)) => one.value() == other.value(),
        _ => false,
    }
}
