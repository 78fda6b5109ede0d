//! A sheet of officials as it is read: its columns, and each line held against the pack. Never looks at an account.

use directory::Organisations;
use identity::sheet::Row;
use kernel::time::parse_iso;
use kernel::{Date, OrgCode, Tenant, Time};

use super::roles;

/// The columns of a sheet, in their order.
const COLUMNS: [&str; 6] = ["user", "name", "unit", "roles", "from", "until"];
/// The longest user name and name, in characters.
const WORDS_MAX: usize = 200;

/// What a sheet is held against.
pub(super) struct Place<'a> {
    pub(super) home: &'a Tenant,
    pub(super) organisations: &'a Organisations,
    pub(super) today: Date,
    pub(super) rows_max: usize,
}

/// A fault of a line, with what holds and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: u64,
    pub(super) rule: String,
    pub(super) remedy: String,
}

impl Wrong {
    fn new(line: u64, rule: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            line,
            rule: rule.into(),
            remedy: remedy.into(),
        }
    }
}

/// The lines of a sheet that can be read, and what is wrong with the others.
pub(super) fn read(text: &str, place: &Place<'_>) -> (Vec<Row>, Vec<Wrong>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    let header = reader.headers().cloned().unwrap_or_default();
    if header.iter().map(str::trim).ne(COLUMNS) {
        let remedy = format!("let the first line be {}, with commas between", COLUMNS.join(","));
        wrong.push(Wrong::new(1, "the columns are others", remedy));
        return (rows, wrong);
    }
    let mut record = csv::StringRecord::new();
    // Text that is UTF-8 is always CSV: a quote that does not end takes the rest of the sheet for one value.
    while reader.read_record(&mut record).unwrap_or(false) {
        let line = record.position().map_or(1, csv::Position::line);
        if rows.len() + wrong.len() >= place.rows_max {
            let rule = format!("a sheet has {} lines at most", place.rows_max);
            wrong.push(Wrong::new(
                line,
                rule,
                "divide it, or raise limits.account_sheet_rows_max",
            ));
            break;
        }
        match row(&record, line, place) {
            Ok(row) => rows.push(row),
            Err(fault) => wrong.push(fault),
        }
    }
    (rows, wrong)
}

fn row(record: &csv::StringRecord, line: u64, place: &Place<'_>) -> Result<Row, Wrong> {
    if record.len() != COLUMNS.len() {
        let rule = format!("{} values, and there are {} columns", record.len(), COLUMNS.len());
        return Err(Wrong::new(
            line,
            rule,
            "put quotes around a value that has a comma in it",
        ));
    }
    let value = |column: usize| record.get(column).unwrap_or_default().trim();
    let begins = day(line, COLUMNS[4], value(4))?.map(|day| Time::at(day, 0));
    let last = day(line, COLUMNS[5], value(5))?;
    let ends = last.and_then(Date::next_day).map(|day| Time::at(day, 0));
    Ok(Row {
        line,
        user: user(line, value(0))?,
        name: name(line, value(1))?,
        unit: unit(line, value(2), place)?,
        roles: roles_of(line, value(3))?,
        begins,
        ends,
    })
}

fn user(line: u64, text: &str) -> Result<String, Wrong> {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    let begins_well = text.chars().next().is_some_and(char::is_alphanumeric);
    if begins_well && text.chars().all(good) && text.chars().count() <= WORDS_MAX {
        return Ok(text.to_owned());
    }
    let rule = "a user name begins with a letter or digit and has letters, digits and . - _ @ only";
    Err(Wrong::new(
        line,
        rule,
        "write what the official will type to sign in",
    ))
}

fn name(line: u64, text: &str) -> Result<String, Wrong> {
    let good = !text.is_empty() && text.chars().count() <= WORDS_MAX && !text.chars().any(char::is_control);
    if good {
        return Ok(text.to_owned());
    }
    let rule = format!("a name has 1 to {WORDS_MAX} characters");
    Err(Wrong::new(line, rule, "write the official's full name"))
}

fn unit(line: u64, text: &str, place: &Place<'_>) -> Result<OrgCode, Wrong> {
    let remedy = "codes stand in the pack's organisations and areas";
    let unit: OrgCode = text
        .parse()
        .map_err(|_| Wrong::new(line, format!("`{text}` is no code of a unit"), remedy))?;
    let is_ours = unit.top() == place.home.top();
    if is_ours && place.organisations.get(&unit, place.today).is_some() {
        return Ok(unit);
    }
    let rule = format!("{unit} is no unit of {} today", place.home);
    Err(Wrong::new(line, rule, remedy))
}

fn roles_of(line: u64, text: &str) -> Result<Vec<String>, Wrong> {
    let remedy = format!("some of {}, with blanks between", roles().join(", "));
    let mut all: Vec<String> = Vec::new();
    for role in text.split([' ', ';']).filter(|role| !role.is_empty()) {
        if !roles().contains(&role) {
            let rule = format!("`{role}` is no role of an official");
            return Err(Wrong::new(line, rule, remedy));
        }
        if !all.iter().any(|known| known == role) {
            all.push(role.to_owned());
        }
    }
    match all.is_empty() {
        true => Err(Wrong::new(line, "an official has a role", remedy)),
        false => Ok(all),
    }
}

fn day(line: u64, column: &str, text: &str) -> Result<Option<Date>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    parse_iso(text).map(Some).ok_or_else(|| {
        let rule = format!("`{text}` in {column} is no day");
        Wrong::new(line, rule, "write it as 2026-12-31, or leave it empty")
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_line_is_held_against_the_pack_and_each_fault_names_its_line() {
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn");
        let country = crate::node::Country::read(&pack).unwrap();
        let home: Tenant = "H56".parse().unwrap();
        let place = Place {
            home: &home,
            organisations: &country.organisations,
            today: parse_iso("2026-11-23").unwrap(),
            rows_max: 100,
        };
        let text = "\u{feff}user,name,unit,roles,from,until\n\
                    tich,Nguyễn Văn Tịch,H56.14797,officer clerk,2026-12-01,2026-12-31\n\
                    =tich,A,H56.14797,officer,,\n\
                    lan,Trần Thị Lan,H56.99999,officer,,\n\
                    lan,Trần Thị Lan,G22,officer,,\n\
                    lan,Trần Thị Lan,H56.14797,operator,,\n\
                    lan,Trần Thị Lan,H56.14797,,,\n\
                    lan,Trần Thị Lan,H56.14797,officer,31/12/2026,\n\
                    lan,,H56.14797,officer,,\n\
                    lan,H56.14797\n";
        let (rows, wrong) = read(text, &place);
        assert_eq!(rows.len(), 1, "{wrong:?}");
        assert_eq!(rows[0].roles, ["officer", "clerk"]);
        let from = parse_iso("2026-12-01").unwrap();
        assert_eq!(rows[0].begins, Some(Time::at(from, 0)));
        let after = parse_iso("2027-01-01").unwrap();
        let ends = Some(Time::at(after, 0));
        assert_eq!(rows[0].ends, ends, "the last day is one of them");
        let lines: Vec<u64> = wrong.iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10]);
        assert!(wrong.iter().all(|wrong| !wrong.remedy.is_empty()));
        let (rows, wrong) = read("name,user\n", &place);
        assert_eq!((rows.len(), wrong[0].line), (0, 1));
    }
}
