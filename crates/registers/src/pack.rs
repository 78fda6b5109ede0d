//! The rules of the pack's `registers/*.toml`. Never a record: see [`crate::check`].

use std::collections::{HashMap, HashSet};
use std::path::Path;

use directory::pack::document::{Places, document};
use directory::pack::files::table;
use kernel::fault::{Faults, Flaw, Names};

use crate::schema::{Field, FieldKind, Schema, Work};

/// The words of this crate's rules of the pack; not for pages.
pub const TEXTS: web::Source = web::Source {
    name: "registers/pack",
    vi: include_str!("../i18n/pack-vi.ftl"),
    en: include_str!("../i18n/pack-en.ftl"),
};

/// A register's file, read.
#[derive(Debug)]
pub struct SchemaFile {
    /// The file within the pack.
    pub file: String,
    /// Where its parts stand.
    pub places: Places,
    /// The register; its fields' `values` are not filled from elsewhere yet.
    pub schema: Schema,
}

/// Checks every register's file, and gives those whose shape is sound.
pub fn check(pack: &Path, faults: &mut Faults) -> Vec<SchemaFile> {
    let mut all = Vec::new();
    for file in directory::pack::listed(pack, "registers", "toml") {
        if let Some((schema, places)) = document::<Schema>(pack, &file, faults) {
            all.push(SchemaFile { file, places, schema });
        }
    }
    let mut codes: HashMap<&str, &str> = HashMap::new();
    for read in &all {
        if let Some(first) = codes.insert(&read.schema.code, &read.file) {
            let names = vec![("value", read.schema.code.clone()), ("first", first.to_owned())];
            faults.add(read.places.fault("/code", "register-twice", names));
        }
        for flaw in flaws(&read.schema) {
            faults.add(read.places.flaw(flaw));
        }
        let mut borrowed = Vec::new();
        walk(&read.schema.fields, "", &mut |at, field, _| {
            if let Some(list) = &field.values_in {
                borrowed.push((format!("{at}/values_in"), list.clone(), true));
            }
            if let Some(of) = &field.values_of {
                borrowed.push((format!("{at}/values_of"), of.clone(), false));
            }
        });
        for (at, value, list) in borrowed {
            let (known, rule) = if list {
                (list_known(pack, &value, faults), "list-unknown")
            } else {
                (field_known(&all, &value), "field-undeclared")
            };
            if !known {
                faults.add(read.places.fault(&at, rule, named(&value)));
            }
        }
    }
    all
}

/// Reads a list of codes and names, unless it was read; false when there is none.
fn list_known(pack: &Path, list: &str, faults: &mut Faults) -> bool {
    if !pack.join(list).is_file() {
        return false;
    }
    if !faults.has_read(list) {
        let mut lines = HashMap::new();
        table(pack, list, &["code", "name"], faults, |row, faults| {
            row.once(&mut lines, faults);
        });
    }
    true
}

fn field_known(all: &[SchemaFile], of: &str) -> bool {
    of.split_once('.').is_some_and(|(code, path)| {
        all.iter()
            .any(|s| s.schema.code == code && s.schema.field(path).is_some())
    })
}

fn named(value: &str) -> Names {
    vec![("value", value.to_owned())]
}

/// Calls `on` with the pointer of every field, the field and its siblings.
fn walk<'a>(fields: &'a [Field], at: &str, on: &mut dyn FnMut(&str, &'a Field, &'a [Field])) {
    for (index, field) in fields.iter().enumerate() {
        let at = format!("{at}/fields/{index}");
        on(&at, field, fields);
        walk(&field.fields, &at, on);
    }
}

/// What is wrong with a register by itself.
pub(crate) fn flaws(schema: &Schema) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    for (at, name) in names(schema) {
        if schema.field(&name).is_none() {
            flaws.push(Flaw::new(at, "field-undeclared", named(&name)));
        }
    }
    walk(&schema.fields, "", &mut |at, field, beside| {
        let declared = |name: &str| beside.iter().any(|f| f.name == name);
        for (key, name) in [("born", &field.born), ("sex", &field.sex)] {
            if let Some(name) = name.as_ref().filter(|name| !declared(name)) {
                flaws.push(Flaw::new(format!("{at}/{key}"), "field-undeclared", named(name)));
            }
        }
        if beside.iter().filter(|f| f.name == field.name).count() > 1
            && beside
                .iter()
                .position(|f| f.name == field.name)
                .is_some_and(|first| !at.ends_with(&format!("/{first}")))
        {
            flaws.push(Flaw::new(format!("{at}/name"), "field-twice", named(&field.name)));
        }
        if (field.kind == FieldKind::Object) == field.fields.is_empty() {
            flaws.push(Flaw::new(
                format!("{at}/type"),
                "object-fields",
                named(&field.name),
            ));
        }
    });
    if schema.legal_basis.is_empty() {
        let mut first = None;
        walk(&schema.fields, "", &mut |at, field, _| {
            if field.personal && first.is_none() {
                first = Some((at.to_owned(), field.name.clone()));
            }
        });
        if let Some((at, name)) = first {
            flaws.push(Flaw::new(at, "legal-basis-missing", named(&name)));
        }
    }
    flaws.extend(services(schema));
    flaws
}

fn services(schema: &Schema) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut seen = HashSet::new();
    for (at, offer) in schema.services.iter().enumerate() {
        if !seen.insert(&offer.code) {
            flaws.push(Flaw::new(
                format!("/services/{at}/code"),
                "service-twice",
                named(&offer.code),
            ));
        }
        if let Work::Issue { series } = &offer.work
            && schema.link_of(&series.once).is_none()
        {
            flaws.push(Flaw::new(
                format!("/services/{at}/series/once"),
                "once-no-link",
                named(&series.once),
            ));
        }
        if let Work::Withdraw { undoes } | Work::Restore { undoes } = &offer.work
            && !schema.services.iter().any(|s| s.code == *undoes)
        {
            flaws.push(Flaw::new(
                format!("/services/{at}/undoes"),
                "service-unknown",
                named(undoes),
            ));
        }
    }
    flaws
}

/// The fields that a register names outside their declaration, each with its pointer.
fn names(schema: &Schema) -> Vec<(String, String)> {
    let mut names = vec![
        ("/key".to_owned(), schema.key.clone()),
        ("/since".to_owned(), schema.since.clone()),
    ];
    let about = schema.about.iter().enumerate();
    names.extend(about.map(|(at, name)| (format!("/about/{at}"), name.clone())));
    let links = schema.links.iter().enumerate();
    names.extend(links.map(|(at, link)| (format!("/links/{at}/field"), link.field.clone())));
    for (at, unique) in schema.unique.iter().enumerate() {
        let fields = unique.fields.iter().enumerate();
        names.extend(fields.map(|(index, field)| (format!("/unique/{at}/fields/{index}"), field.clone())));
    }
    for (at, offer) in schema.services.iter().enumerate() {
        let here = |part: &str, name: &str| (format!("/services/{at}/{part}"), name.to_owned());
        match &offer.work {
            Work::Lookup { by, whole_for } => {
                let by = by.iter().enumerate();
                names.extend(by.map(|(n, name)| here(&format!("by/{n}"), name)));
                names.extend(whole_for.iter().map(|w| here("whole_for/field", &w.field)));
                let open = whole_for.iter().flat_map(|w| &w.open).enumerate();
                names.extend(open.map(|(n, name)| here(&format!("whole_for/open/{n}"), name)));
            }
            Work::Assign { sex, born, .. } => names.extend([here("sex", sex), here("born", born)]),
            Work::Issue { series } => {
                names.extend([
                    here("series/place", &series.place),
                    here("series/once", &series.once),
                ]);
            }
            Work::Change { change } => {
                let fields = change.fields.iter().enumerate();
                names.extend(fields.map(|(n, name)| here(&format!("change/fields/{n}"), name)));
                names.push(here("change/place", &change.place));
            }
            Work::Release | Work::Withdraw { .. } | Work::Restore { .. } => {}
            Work::Enter {
                numbering: n,
                obtain: o,
            } => names.extend([
                here("numbering/book", &n.book),
                here("numbering/date", &n.date),
                here("numbering/number", &n.number),
                here("numbering/year", &n.year),
                here("numbering/text", &n.text),
                here("obtain/field", &o.field),
                here("obtain/sex", &o.sex),
                here("obtain/born", &o.born),
                here("obtain/place", &o.place),
            ]),
        }
    }
    names
}
