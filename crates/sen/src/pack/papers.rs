//! The templates of a pack against what they are given: every paper has its template, every template
//! its fields. Never a page for a person: what is drawn is thrown away.

use std::collections::BTreeMap;
use std::path::Path;

use cases::pack::ProcedureFile;
use exchange::ServiceId;
use kernel::Time;
use kernel::fault::{Fault, Faults, Names};
use registers::pack::SchemaFile;
use registers::schema::{Field, FieldKind};
use render::Templates;
use serde_json::{Value, json};

use super::check::Depth;

const FOLDER: &str = "templates";

/// Checks every template; gives their number.
pub(crate) fn check(
    pack: &Path,
    registers: &[SchemaFile],
    procedures: &[ProcedureFile],
    depth: Depth,
    faults: &mut Faults,
) -> usize {
    let mut texts = BTreeMap::new();
    let mut sound = true;
    for file in directory::pack::listed(pack, FOLDER, "typ") {
        let Some(text) = directory::pack::files::text(pack, &file, faults) else {
            sound = false;
            continue;
        };
        let name = file.trim_start_matches("templates/").to_owned();
        for mistake in Templates::grammar(&name, &text) {
            sound = false;
            let names = vec![("value", mistake.message)];
            faults.add(Fault::new(&file, mistake.line, "template-syntax", names));
        }
        texts.insert(name, text);
    }
    for always in cases::pack::ALWAYS {
        if !texts.contains_key(&format!("{always}.typ")) {
            let file = format!("{FOLDER}/{always}.typ");
            faults.add(Fault::new(&file, 1, "template-missing", named(always)));
        }
    }
    let mut papers: BTreeMap<String, Value> = BTreeMap::new();
    for read in procedures {
        let template = &read.procedure.result.template;
        if !texts.contains_key(&format!("{template}.typ")) {
            let fault = read
                .places
                .fault("/result/template", "template-missing", named(template));
            faults.add(fault);
        }
        let record = read
            .procedure
            .act
            .as_ref()
            .and_then(|act| record(registers, &act.service));
        papers.insert(
            template.clone(),
            cases::pack::result(&read.procedure, record.as_ref()),
        );
    }
    for always in cases::pack::ALWAYS {
        papers.extend(cases::pack::sample(always).map(|data| (always.to_owned(), data)));
    }
    let count = texts.len();
    let files = texts.into_iter().map(|(name, text)| (name, text.into_bytes()));
    if sound && let Ok(templates) = Templates::new(files) {
        for (template, data) in &papers {
            fields(&templates, template, data, depth, faults);
        }
    }
    count
}

/// A record of the register that a service belongs to, with made-up values.
fn record(registers: &[SchemaFile], service: &str) -> Option<Value> {
    let service: ServiceId = service.parse().ok()?;
    let offers = |file: &&SchemaFile| {
        let schema = &file.schema;
        schema
            .services
            .iter()
            .any(|offer| schema.service_id(&offer.code) == service)
    };
    registers
        .iter()
        .find(offers)
        .map(|file| object(&file.schema.fields))
}

fn object(fields: &[Field]) -> Value {
    let value = |field: &Field| match field.kind {
        FieldKind::Object => object(&field.fields),
        FieldKind::Number => json!(1),
        FieldKind::Flag => json!(true),
        FieldKind::Date => json!("2000-02-29"),
        FieldKind::Text | FieldKind::Code | FieldKind::Person | FieldKind::Business => json!("Mẫu"),
    };
    let fields = fields.iter().map(|field| (field.name.clone(), value(field)));
    Value::Object(fields.collect())
}

fn named(value: &str) -> Names {
    vec![("value", value.to_owned())]
}

/// A template names only fields that it is given, and can be drawn with them.
fn fields(templates: &Templates, template: &str, data: &Value, depth: Depth, faults: &mut Faults) {
    let name = format!("{template}.typ");
    let file = format!("{FOLDER}/{name}");
    let mut missing = false;
    for field in templates.fields(&name) {
        if lacks(data, &field.path) {
            missing = true;
            let names = named(&field.path.join("."));
            faults.add(Fault::new(&file, field.line, "template-field", names));
        }
    }
    if missing || depth == Depth::Read {
        return;
    }
    for mistake in templates.mistakes(&name, data, Time(1_795_226_400_000)) {
        let file = format!("{FOLDER}/{}", mistake.file);
        let names = named(&mistake.message);
        faults.add(Fault::new(&file, mistake.line, "template-fails", names));
    }
}

/// True when the way leads through objects to a field that is not there.
fn lacks(data: &Value, path: &[String]) -> bool {
    let mut at = data;
    for part in path {
        let Some(map) = at.as_object() else { return false };
        let Some(next) = map.get(part) else { return true };
        at = next;
    }
    false
}
