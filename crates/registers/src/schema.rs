//! What a register is, as its file in the pack declares it: fields, key, links and services. Never
//! a record: see [`crate::check`] for a record against its schema.

use std::path::Path;

use directory::PackFault;
use exchange::{ServiceId, SystemId};
use kernel::OrgCode;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A text in both languages of the pages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// A register.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// Its code: `population`, `marriage`, `birth`.
    pub code: String,
    /// The organisation that keeps it.
    pub tenant: OrgCode,
    /// The system on the exchange that its services belong to.
    pub system: String,
    /// What people call it.
    pub title: Words,
    /// The laws that let it keep data about persons.
    #[serde(default)]
    pub legal_basis: Vec<String>,
    /// The field that names a record.
    pub key: String,
    /// The date field from which a record holds.
    pub since: String,
    /// The fields that name the persons a record is about: each sees who read it.
    #[serde(default)]
    pub about: Vec<String>,
    /// The fields.
    pub fields: Vec<Field>,
    /// Fields other than the key by which a record is found.
    #[serde(default)]
    pub links: Vec<Link>,
    /// What only one record may have.
    #[serde(default)]
    pub unique: Vec<Unique>,
    /// What the register offers on the exchange.
    #[serde(default)]
    pub services: Vec<Offer>,
}

/// One field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in records and agreements.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// What people call it.
    pub title: Words,
    /// True for data about a person.
    #[serde(default)]
    pub personal: bool,
    /// True when a record handed in must have it.
    #[serde(default)]
    pub required: bool,
    /// True when the register gives it itself; nobody may hand it in.
    #[serde(default)]
    pub assigned: bool,
    /// For a date: it cannot lie after today.
    #[serde(default)]
    pub past: bool,
    /// For a code: the values it can take; empty for any.
    #[serde(default)]
    pub values: Vec<String>,
    /// For a code: the values are the first column of a code list of the pack, `codes/x.csv`.
    #[serde(default)]
    pub values_in: Option<String>,
    /// For a code: the values are those of another register's field, `population.ethnicity`.
    #[serde(default)]
    pub values_of: Option<String>,
    /// For a personal number: the field beside it that it must fit the year of.
    #[serde(default)]
    pub born: Option<String>,
    /// For a personal number: the field beside it that it must fit the sex of.
    #[serde(default)]
    pub sex: Option<String>,
    /// For an object: its fields.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// Words, one line.
    Text,
    /// A whole number.
    Number,
    /// A civil date, `2026-11-21`.
    Date,
    /// A code: letters, digits, `.`, `-`, `/`, `_`.
    Code,
    /// A personal identification number.
    Person,
    /// The tax code of an organisation, which is its business code.
    Business,
    /// Yes or no.
    Flag,
    /// Fields of its own.
    Object,
}

impl FieldKind {
    /// The word that problems name it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Code => "code",
            Self::Person => "person",
            Self::Business => "business",
            Self::Flag => "flag",
            Self::Object => "object",
        }
    }
}

/// A way to find a record other than its key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The link's name in the table of links.
    pub name: String,
    /// The field whose value is the link.
    pub field: String,
}

/// What only one record that stands may have, such as one act a child.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unique {
    /// Its name.
    pub name: String,
    /// The fields that together are the same for one thing alone; where one of them is not known, nothing is said.
    pub fields: Vec<String>,
}

/// A service of a register.
#[derive(Clone, Debug, Deserialize)]
pub struct Offer {
    /// The service's code.
    pub code: String,
    /// What it does.
    #[serde(flatten)]
    pub work: Work,
}

/// What a service does.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Work {
    /// Reads one record by its key or a link, if the read leaves a trace.
    Lookup {
        /// The fields it can be found by; the caller gives exactly one.
        by: Vec<String>,
        /// Who is told all that is granted; without, whoever may ask.
        #[serde(default)]
        whole_for: Option<WholeFor>,
    },
    /// Gives out a new personal number with a first, short record.
    Assign {
        /// The record's field for the sex.
        sex: String,
        /// The record's field for the date of birth.
        born: String,
        /// Values every first record has.
        #[serde(default)]
        defaults: Map<String, Value>,
    },
    /// Takes a number back that this caller was given.
    Release,
    /// Gives out a record under a number of the register's own, once a holder.
    Issue {
        /// How it is numbered.
        series: Series,
    },
    /// Changes some fields of a record from a day on, once a case.
    Change {
        /// Which, and how it is numbered.
        change: FieldChange,
    },
    /// Takes such a change back.
    Restore {
        /// The service it undoes.
        undoes: String,
    },
    /// Enters an act.
    Enter {
        /// How the act is numbered.
        numbering: Numbering,
        /// What is asked of another register before the act is complete.
        obtain: Box<Obtain>,
    },
    /// Takes an entered act back.
    Withdraw {
        /// The service it undoes.
        undoes: String,
    },
}

/// To whom a lookup tells all that is granted, and what it tells everybody else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WholeFor {
    /// The field with the number of who is told all; the caller says under its name who asks.
    pub field: String,
    /// The fields that everybody else is told, as far as they are granted.
    pub open: Vec<String>,
}

/// Which fields of a record a case changes, and how that is numbered: the next of `series/<place>/<year>`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldChange {
    /// The fields; one that is not given is empty afterwards.
    pub fields: Vec<String>,
    /// The part of the body with the day from which it holds.
    pub from: String,
    /// The field, one of them, with the commune by which it is numbered.
    pub place: String,
    /// The series' first part.
    pub series: String,
}

/// How an issued record is numbered: prefix, province, then the next of `name/<province>`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The series' first part.
    pub name: String,
    /// What every number begins with.
    pub prefix: String,
    /// The field with the area whose province the number carries.
    pub place: String,
    /// Digits of the order, count.
    pub digits: usize,
    /// The field, a link too, whose holder has one record at most.
    pub once: String,
}

/// How an act is numbered: the next of `series/<book>/<year>`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbering {
    /// The series' first part.
    pub series: String,
    /// The field with the organisation whose book it is.
    pub book: String,
    /// The date field whose year it is.
    pub date: String,
    /// The field the order goes to.
    pub number: String,
    /// The field the year goes to.
    pub year: String,
    /// The field `order/year` goes to.
    pub text: String,
}

/// What an act gets from another register, and how that is undone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obtain {
    /// The field it goes to; a dot leads into an object.
    pub field: String,
    /// The service that gives it.
    pub from: ServiceId,
    /// The service that takes it back.
    pub undo: ServiceId,
    /// The field of the answer it is in.
    pub answer: String,
    /// The act's field for the sex.
    pub sex: String,
    /// The act's field for the date of birth.
    pub born: String,
    /// The act's field for the place of birth.
    pub place: String,
}

impl Schema {
    /// Reads one register's file.
    ///
    /// # Errors
    /// When the text is not a register or refers to a field it does not have.
    pub fn parse(file: &Path, text: &str) -> Result<Self, PackFault> {
        let schema: Self = toml::from_str(text).map_err(|e| PackFault::of(file, e))?;
        match crate::pack::flaws(&schema).first() {
            Some(flaw) => Err(PackFault::of(file, flaw)),
            None => Ok(schema),
        }
    }

    /// Reads every register of a pack, in the order of their file names, and resolves `values_of`.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn load_all(pack: &Path) -> Result<Vec<Self>, PackFault> {
        let folder = pack.join("registers");
        let files = directory::pack::sound(pack, &[crate::pack::TEXTS], crate::pack::check)?;
        let mut schemas: Vec<Self> = files.into_iter().map(|f| f.schema).collect();
        for schema in &mut schemas {
            read_values(pack, &mut schema.fields)?;
        }
        resolve_values(&folder, &mut schemas)?;
        Ok(schemas)
    }

    /// A field by its name; a dot leads into an object.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&Field> {
        find(&self.fields, path)
    }

    /// The system its services belong to.
    #[must_use]
    pub fn system_id(&self) -> SystemId {
        SystemId {
            org: self.tenant.clone(),
            system: self.system.clone(),
        }
    }

    /// The full name of one of its services.
    #[must_use]
    pub fn service_id(&self, code: &str) -> ServiceId {
        ServiceId {
            org: self.tenant.clone(),
            system: self.system.clone(),
            service: code.to_owned(),
        }
    }

    /// The link a field is found by, `None` for the key.
    #[must_use]
    pub fn link_of(&self, field: &str) -> Option<&str> {
        self.links
            .iter()
            .find(|l| l.field == field)
            .map(|l| l.name.as_str())
    }
}

fn find<'a>(fields: &'a [Field], path: &str) -> Option<&'a Field> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let field = fields.iter().find(|f| f.name == first)?;
    rest.map_or(Some(field), |rest| find(&field.fields, rest))
}

fn read_values(pack: &Path, fields: &mut [Field]) -> Result<(), PackFault> {
    for field in fields {
        if let Some(file) = &field.values_in {
            directory::pack::read_table(pack, file, &["code", "name"], |row| {
                field.values.push(row.get(0).unwrap_or_default().to_owned());
                Ok(())
            })?;
        }
        read_values(pack, &mut field.fields)?;
    }
    Ok(())
}

fn resolve_values(folder: &Path, schemas: &mut [Schema]) -> Result<(), PackFault> {
    let before = schemas.to_vec();
    for schema in schemas {
        let of = format!("{}: takes its values from", schema.code);
        fill_values(&mut schema.fields, &before).map_err(|missing| {
            PackFault::of(folder, format!("{of} {missing}, which no register declares"))
        })?;
    }
    Ok(())
}

fn fill_values(fields: &mut [Field], all: &[Schema]) -> Result<(), String> {
    for field in fields {
        if let Some(of) = &field.values_of {
            let found = of
                .split_once('.')
                .and_then(|(code, path)| all.iter().find(|s| s.code == code)?.field(path));
            field.values = found.ok_or_else(|| of.clone())?.values.clone();
        }
        fill_values(&mut field.fields, all)?;
    }
    Ok(())
}

/// The value at a path of a record; a dot leads into an object.
#[must_use]
pub fn at<'a>(body: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let mut value = body.get(parts.next()?)?;
    for part in parts {
        value = value.get(part)?;
    }
    Some(value)
}

/// The text at a path of a record.
#[must_use]
pub fn text_at<'a>(body: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    at(body, path).and_then(Value::as_str)
}

/// Puts a value at a path of a record, making the objects on the way.
pub fn put(body: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            body.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = body.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/vn")
    }

    #[test]
    fn the_pack_declares_the_registers_of_the_nation() {
        let schemas = Schema::load_all(&pack()).expect("the pack");
        let services: Vec<String> = schemas
            .iter()
            .flat_map(|s| s.services.iter().map(|o| s.service_id(&o.code).to_string()))
            .collect();
        assert_eq!(
            services,
            [
                "G15/civil-status/enter-birth",
                "G15/civil-status/withdraw-birth",
                "G15/civil-status/birth-lookup",
                "G12/business/business-lookup",
                "G12/social-insurance/issue-card",
                "G12/social-insurance/card-lookup",
                "G15/civil-status/marriage-lookup",
                "G01/population/person-lookup",
                "G01/population/assign-number",
                "G01/population/release-number",
                "G01/population/register-residence",
                "G01/population/withdraw-residence",
            ]
        );
        let birth = schemas
            .iter()
            .find(|s| s.code == "birth")
            .expect("the birth register");
        assert_eq!(birth.field("child.ethnicity").expect("a field").values.len(), 54);
        assert!(birth.field("child.personal_number").expect("a field").assigned);
    }

    #[test]
    fn a_register_that_names_a_field_it_does_not_declare_is_refused() {
        let text = std::fs::read_to_string(pack().join("registers/marriage.toml")).expect("a file");
        let bad = text.replace("field = \"wife_number\"", "field = \"wives_number\"");
        let fault = Schema::parse(Path::new("marriage.toml"), &bad).expect_err("a fault");
        assert!(fault.to_string().contains("wives_number"), "{fault}");
        assert!(Schema::parse(Path::new("x.toml"), "code = 1").is_err());
    }

    #[test]
    fn a_path_reads_back_what_was_put() {
        let mut body = Map::new();
        put(&mut body, "child.personal_number", "x".into());
        assert_eq!(text_at(&body, "child.personal_number"), Some("x"));
        assert_eq!(text_at(&body, "child.name"), None);
    }
}
