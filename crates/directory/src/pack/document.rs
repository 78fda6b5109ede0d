//! A TOML file of a pack as a value of a type, with the place of everything in it. Every fault of its
//! shape is told: what cannot be read is put right in memory, so that the rest can be looked at. Never
//! gives out a value that was put right.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use kernel::fault::{Fault, Faults, Flaw, Names};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue, Error};

/// Faults of one document's shape that are looked for, count; after that the file is left.
const SHAPE_FAULTS_MAX: usize = 200;

/// Where the parts of a document stand.
#[derive(Clone, Debug)]
pub struct Places {
    file: String,
    /// Pointer → byte.
    bytes: BTreeMap<String, usize>,
    /// The byte at which each line begins.
    lines: Vec<usize>,
    text: String,
}

impl Places {
    fn new(file: &str, text: &str, root: &DeTable<'_>) -> Self {
        let begins = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(at, _)| at + 1);
        let mut places = Self {
            file: file.to_owned(),
            bytes: BTreeMap::new(),
            lines: std::iter::once(0).chain(begins).collect(),
            text: text.to_owned(),
        };
        places.note_table("", root);
        places
    }

    fn note_table(&mut self, at: &str, table: &DeTable<'_>) {
        for (key, value) in table.iter() {
            let at = format!("{at}/{}", key.get_ref());
            self.bytes.insert(at.clone(), key.span().start);
            self.note(&at, value.get_ref());
        }
    }

    fn note(&mut self, at: &str, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.note_table(at, table),
            DeValue::Array(array) => {
                for (index, item) in array.iter().enumerate() {
                    let at = format!("{at}/{index}");
                    self.bytes.insert(at.clone(), item.span().start);
                    self.note(&at, item.get_ref());
                }
            }
            _ => {}
        }
    }

    /// Line and column of a pointer, or of the nearest thing around it.
    #[must_use]
    pub fn of(&self, pointer: &str) -> (u64, u64) {
        let mut at = pointer;
        loop {
            if let Some(byte) = self.bytes.get(at) {
                return self.place(*byte);
            }
            match at.rsplit_once('/') {
                Some((around, _)) => at = around,
                None => return (1, 1),
            }
        }
    }

    fn place(&self, byte: usize) -> (u64, u64) {
        let byte = byte.min(self.text.len());
        let line = self
            .lines
            .partition_point(|begin| *begin <= byte)
            .saturating_sub(1);
        let begin = self.lines.get(line).copied().unwrap_or(0);
        let before = self.text.get(begin..byte).unwrap_or_default();
        (line as u64 + 1, before.chars().count() as u64 + 1)
    }

    /// A fault at a pointer.
    #[must_use]
    pub fn fault(&self, pointer: &str, rule: &'static str, names: Names) -> Fault {
        let (line, column) = self.of(pointer);
        Fault::new(&self.file, line, rule, names).column(column)
    }

    /// A noun's flaw as a fault of this document.
    #[must_use]
    pub fn flaw(&self, flaw: Flaw) -> Fault {
        self.fault(&flaw.at, flaw.rule, flaw.names)
    }

    fn at_byte(&self, byte: usize, rule: &'static str, names: Names) -> Fault {
        let (line, column) = self.place(byte);
        Fault::new(&self.file, line, rule, names).column(column)
    }
}

/// Reads a document; nothing when its shape has a fault.
pub fn document<T: DeserializeOwned>(pack: &Path, file: &str, faults: &mut Faults) -> Option<(T, Places)> {
    document_with(pack, file, faults, |_, _, _| {})
}

/// The same, with a look at the tree before it is read.
pub fn document_with<T: DeserializeOwned>(
    pack: &Path,
    file: &str,
    faults: &mut Faults,
    before: impl FnOnce(&mut DeTable<'_>, &Places, &mut Faults),
) -> Option<(T, Places)> {
    let text = super::files::text(pack, file, faults)?;
    document_of(file, &text, faults, before)
}

/// The same for a text that is in no file; `file` is what it is called in faults.
pub fn document_of<T: DeserializeOwned>(
    file: &str,
    text: &str,
    faults: &mut Faults,
    before: impl FnOnce(&mut DeTable<'_>, &Places, &mut Faults),
) -> Option<(T, Places)> {
    let (root, wrong) = DeTable::parse_recoverable(text);
    let span = root.span();
    let mut root = root.into_inner();
    let places = Places::new(file, text, &root);
    for error in &wrong {
        faults.add(places.at_byte(
            error.span().map_or(0, |s| s.start),
            "toml-syntax",
            vec![("value", error.message().to_owned())],
        ));
    }
    if !wrong.is_empty() {
        return None;
    }
    before(&mut root, &places, faults);
    let mut mending = Mending {
        places: &places,
        beyond: text.len() + 1,
        tries: BTreeMap::new(),
        sound: true,
    };
    for _ in 0..SHAPE_FAULTS_MAX {
        match T::deserialize(toml::Deserializer::from(Spanned::new(span.clone(), root.clone()))) {
            Ok(value) => return mending.sound.then_some((value, places)),
            Err(error) => {
                if !mending.mend(&mut root, &span, &error, faults) {
                    return None;
                }
            }
        }
    }
    None
}

/// The attempts to read on after a fault of the shape.
struct Mending<'a> {
    places: &'a Places,
    /// Where stand-ins say they are: beyond the text, each at its own byte.
    beyond: usize,
    /// How many stand-ins were tried at a byte beyond the text.
    tries: BTreeMap<usize, usize>,
    sound: bool,
}

impl Mending<'_> {
    fn mend(
        &mut self,
        root: &mut DeTable<'_>,
        whole: &Range<usize>,
        error: &Error,
        faults: &mut Faults,
    ) -> bool {
        let span = error.span().unwrap_or_else(|| whole.clone());
        if span.start > self.places.text.len() {
            return self.other_stand_in(root, &span, error.message());
        }
        let fault = fault_of(self.places, span.start, error.message());
        let unknown = fault.rule == "key-unknown";
        let missing = quoted(error.message()).filter(|_| error.message().starts_with("missing field"));
        faults.add(fault);
        self.sound = false;
        if unknown {
            return remove(root, &span);
        }
        let fresh = self.beyond..self.beyond;
        self.beyond += 1;
        self.tries.insert(fresh.start, 0);
        match missing {
            Some(key) => insert(root, whole, &span, &key, &fresh),
            None => replace(root, &span, &stand_in(0, error.message()), &fresh),
        }
    }

    fn other_stand_in(&mut self, root: &mut DeTable<'_>, span: &Range<usize>, message: &str) -> bool {
        let tried = self.tries.entry(span.start).or_insert(0);
        *tried += 1;
        *tried < 8 && replace(root, span, &stand_in(*tried, message), span)
    }
}

/// A value of some kind; after a message that names the words allowed, the first of them.
fn stand_in<'i>(tried: usize, message: &str) -> DeValue<'i> {
    let allowed = message.split_once("expected").and_then(|(_, rest)| quoted(rest));
    match (tried, allowed) {
        (_, Some(word)) => DeValue::String(Cow::Owned(word)),
        (0, None) => DeValue::String(Cow::Borrowed("")),
        (1, None) => DeValue::Integer(DeInteger::default()),
        (2, None) => DeValue::Boolean(false),
        (3, None) => DeValue::Array(toml::de::DeArray::new()),
        _ => DeValue::Table(DeTable::new()),
    }
}

fn fault_of(places: &Places, byte: usize, message: &str) -> Fault {
    let one = |name: &'static str| vec![(name, quoted(message).unwrap_or_default())];
    if message.starts_with("missing field") {
        let key = quoted(message).unwrap_or_default();
        let rule = if key == "vi" || key == "en" {
            "language-missing"
        } else {
            "key-missing"
        };
        places.at_byte(byte, rule, vec![("value", key)])
    } else if message.starts_with("unknown field") {
        places.at_byte(byte, "key-unknown", one("value"))
    } else if message.starts_with("unknown variant") {
        let wanted = message.split_once("expected ").map_or("", |(_, rest)| rest);
        let wanted = wanted.trim_start_matches("one of ").replace('`', "");
        let mut names = one("value");
        names.push(("wanted", wanted));
        places.at_byte(byte, "value-unknown", names)
    } else {
        places.at_byte(byte, "value-wrong", vec![("value", message.trim().to_owned())])
    }
}

/// What stands between the first two backticks.
fn quoted(message: &str) -> Option<String> {
    message.split('`').nth(1).map(str::to_owned)
}

/// Calls `on` for every table of the tree until it has done its work.
fn tables<'i>(table: &mut DeTable<'i>, on: &mut dyn FnMut(&mut DeTable<'i>) -> bool) -> bool {
    on(table) || table.iter_mut().any(|(_, value)| below(value.get_mut(), on))
}

fn below<'i>(value: &mut DeValue<'i>, on: &mut dyn FnMut(&mut DeTable<'i>) -> bool) -> bool {
    match value {
        DeValue::Table(table) => tables(table, on),
        DeValue::Array(array) => array.iter_mut().any(|item| below(item.get_mut(), on)),
        _ => false,
    }
}

fn remove(root: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    tables(root, &mut |table| {
        let key = table.keys().find(|k| k.span() == *span).cloned();
        key.is_some_and(|key| table.remove(&key).is_some())
    })
}

fn replace<'i>(root: &mut DeTable<'i>, span: &Range<usize>, with: &DeValue<'i>, at: &Range<usize>) -> bool {
    values(root, &mut |value| {
        let found = value.span() == *span;
        if found {
            *value = Spanned::new(at.clone(), with.clone());
        }
        found
    })
}

fn values<'i>(root: &mut DeTable<'i>, on: &mut dyn FnMut(&mut Spanned<DeValue<'i>>) -> bool) -> bool {
    root.iter_mut().any(|(_, value)| value_below(value, on))
}

fn value_below<'i>(
    value: &mut Spanned<DeValue<'i>>,
    on: &mut dyn FnMut(&mut Spanned<DeValue<'i>>) -> bool,
) -> bool {
    if on(value) {
        return true;
    }
    match value.get_mut() {
        DeValue::Table(table) => values(table, on),
        DeValue::Array(array) => array.iter_mut().any(|item| value_below(item, on)),
        _ => false,
    }
}

/// Puts a stand-in under a key into the table that lacks it.
fn insert(
    root: &mut DeTable<'_>,
    whole: &Range<usize>,
    span: &Range<usize>,
    key: &str,
    at: &Range<usize>,
) -> bool {
    let entry = || {
        let name = Spanned::new(at.clone(), Cow::Owned(key.to_owned()));
        (name, Spanned::new(at.clone(), stand_in(0, "")))
    };
    if span == whole {
        let (name, value) = entry();
        return root.insert(name, value).is_none();
    }
    values(root, &mut |value| {
        let found = value.span() == *span;
        match value.get_mut() {
            DeValue::Table(table) if found => {
                let (name, value) = entry();
                table.insert(name, value).is_none()
            }
            _ => false,
        }
    })
}
