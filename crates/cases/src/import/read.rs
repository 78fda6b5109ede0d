//! A file of cases as another system writes it: CSV whose columns are the fields of `DongBoHoSoMC`, or the message itself
//! as JSON. What it says is judged elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::case::Answers;
use crate::national::case_item::CaseItem;

/// The field, of this platform's own, with the answers of the form; in a table a column for each, `TraLoi.name`.
const ANSWERS: &str = "TraLoi";

/// A case of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its line in a table; its place in a message, from 1.
    pub number: u64,
    /// What it says; `None` when it cannot be read.
    pub item: Option<CaseItem>,
    /// The answers of the form, where the other system has them.
    pub answers: Answers,
}

/// A message, or its items alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Items {
    Message { data: Vec<Value> },
    Alone(Vec<Value>),
}

/// The cases of a file: JSON when it begins like it, else a table.
///
/// # Errors
/// What keeps the whole file from being read, in words.
pub fn read(text: &str) -> Result<Vec<Line>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().starts_with(['{', '[']) {
        true => message(text),
        false => table(text),
    }
}

fn message(text: &str) -> Result<Vec<Line>, String> {
    let items: Items = serde_json::from_str(text)
        .map_err(|e| format!("the JSON has no list of cases in `data`, or cannot be read: {e}"))?;
    let (Items::Message { data } | Items::Alone(data)) = items;
    Ok((1..)
        .zip(data)
        .map(|(number, value)| line(number, value))
        .collect())
}

fn table(text: &str) -> Result<Vec<Line>, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let columns = reader.headers().cloned().map_err(|e| e.to_string())?;
    if !columns.iter().any(|column| column.trim() == "MaHoSo") {
        return Err("the first line names the columns, one of them MaHoSo, with commas between".to_owned());
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let number = record.position().map_or(1, csv::Position::line);
        let (mut item, mut answers) = (Map::new(), Map::new());
        for (column, value) in columns.iter().zip(&record) {
            let (column, value) = (column.trim(), Value::from(value.trim()));
            match column
                .strip_prefix(ANSWERS)
                .and_then(|rest| rest.strip_prefix('.'))
            {
                Some(field) if value != "" => drop(answers.insert(field.to_owned(), value)),
                Some(_) => {}
                None => drop(item.insert(column.to_owned(), value)),
            }
        }
        item.insert(ANSWERS.to_owned(), Value::Object(answers));
        lines.push(line(number, Value::Object(item)));
    }
    Ok(lines)
}

fn line(number: u64, mut value: Value) -> Line {
    let said = value.as_object_mut().and_then(|object| object.remove(ANSWERS));
    let answers = said.map_or(Ok(BTreeMap::new()), serde_json::from_value::<Answers>);
    let item = serde_json::from_value::<CaseItem>(value);
    match (item, answers) {
        (Ok(item), Ok(answers)) => Line {
            number,
            item: Some(item),
            answers,
        },
        _ => Line {
            number,
            item: None,
            answers: Answers::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_and_a_message_of_the_same_cases_read_the_same() {
        let table = "MaHoSo,MaTTHC,ChuHoSo,TraLoi.father_name\nH56-261101-0001,1.001193,\"Lê, Lan\",Nam\n";
        let message = r#"{"service": "DongBoHoSoMC", "data": [{"MaHoSo": "H56-261101-0001", "MaTTHC": "1.001193",
            "ChuHoSo": "Lê, Lan", "TraLoi": {"father_name": "Nam"}}]}"#;
        let (one, two) = (read(table).expect("read"), read(message).expect("read"));
        assert_eq!((one[0].number, two[0].number), (2, 1));
        assert_eq!((&one[0].item, &one[0].answers), (&two[0].item, &two[0].answers));
        assert_eq!(one[0].answers["father_name"], "Nam");
        assert!(read("a,b\n1,2\n").is_err() && read("{}").is_err());
        let odd = read("[3]").expect("a list");
        assert!(odd[0].item.is_none(), "a line that cannot be read is told as one");
    }
}
