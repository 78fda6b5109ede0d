//! What a later revision of a signed document may do: add one signature, its field and its mark,
//! and what proves it. Never takes the document's word: the revision is read by a strict grammar,
//! its cross-reference entries must be its own objects, and nothing that was there may change.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{Dictionary, Lexer, Value, is_blank};
use super::locate::Located;
use super::scan::Scan;

/// The largest mark that a later signature may draw, width and height in points.
pub(super) const MARK_POINTS_MAX: [f64; 2] = [260.0, 100.0];
/// Numbers of a page are written anew by every tool: nearer than this they are the same, in points.
const NEAR: f64 = 0.001;
/// Deepest nesting looked at, as the reader's.
const DEPTH_MAX: usize = 64;

/// What a signature's field may say.
const FIELD_KEYS: [&[u8]; 9] = [b"Type", b"Subtype", b"FT", b"T", b"V", b"F", b"Rect", b"P", b"AP"];

/// Checks the revision `pdf[from..to]`, which a signature ends, against what stood before it.
///
/// # Errors
/// What it did beside signing, in words.
pub(super) fn only_signs(pdf: &[u8], from: usize, signature: &Located) -> Result<(), String> {
    let unreadable = |what: &str| format!("cannot be read: {what}");
    let (earlier, to) = (&pdf[..from], signature.end);
    let before = Scan::read(earlier).ok_or_else(|| unreadable("what was signed before"))?;
    let added = Added::read(pdf, from, to)?;
    let trailer = before.trailer.as_ref().ok_or_else(|| unreadable("trailer"))?;
    let root = trailer
        .reference(b"Root")
        .ok_or_else(|| unreadable("catalogue"))?;
    if added.trailer.reference(b"Root") != Some(root) {
        return Err("another catalogue".to_owned());
    }
    let newest = newest_table(earlier).and_then(|at| i64::try_from(at).ok());
    if newest.is_none() || added.trailer.integer(b"Prev") != newest {
        return Err("does not follow on what was signed".to_owned());
    }
    for key in [&b"Encrypt"[..], b"XRefStm"] {
        if added.trailer.get(key).is_some() {
            return Err(format!("trailer: /{}", String::from_utf8_lossy(key)));
        }
    }
    nothing_waits_for(&before, &added)?;
    Change {
        before: &before,
        added: &added,
        root,
        signature,
    }
    .check()
}

/// The offset after the last `startxref`.
pub(super) fn newest_table(pdf: &[u8]) -> Option<usize> {
    let at = pdf.windows(9).rposition(|w| w == b"startxref")?;
    match Lexer::new(pdf, at + 9).value()? {
        Value::Integer(offset) => usize::try_from(offset).ok(),
        _ => None,
    }
}

/// An object of a revision.
struct Object {
    at: usize,
    value: Value,
    stream: bool,
}

/// A revision: its objects and the dictionary its table ends with.
struct Added {
    objects: BTreeMap<u32, Object>,
    trailer: Dictionary,
}

impl Added {
    /// Objects, then one cross-reference table or stream, then `startxref` and the end mark.
    fn read(pdf: &[u8], from: usize, to: usize) -> Result<Self, String> {
        let strange = |at: usize| format!("byte {at} is part of no object");
        let pdf = pdf.get(..to).ok_or_else(|| strange(to))?;
        let mut objects = BTreeMap::new();
        let mut at = blanks(pdf, from);
        let (table_at, table, trailer) = loop {
            if pdf[at..].starts_with(b"xref") {
                let (table, trailer, end) = plain_table(pdf, at + 4).ok_or_else(|| strange(at))?;
                let table_at = at;
                at = end;
                break (table_at, table, trailer);
            }
            let (number, object, end) = object(pdf, at).ok_or_else(|| strange(at))?;
            let start = object.at;
            let kind = match &object.value {
                Value::Dictionary(d) if object.stream => d.name(b"Type").map(<[u8]>::to_vec),
                _ => None,
            };
            if kind.as_deref() == Some(b"ObjStm") {
                return Err("objects in a compressed stream".to_owned());
            }
            let table = match &object.value {
                Value::Dictionary(d) if kind.as_deref() == Some(b"XRef") => {
                    let table = table_stream(pdf, start, d).ok_or_else(|| strange(start))?;
                    Some((table, d.clone()))
                }
                _ => None,
            };
            if objects.insert(number, object).is_some() {
                return Err(format!("object {number} twice"));
            }
            at = blanks(pdf, end);
            if let Some((table, trailer)) = table {
                break (start, table, trailer);
            }
        };
        ends(pdf, at, table_at).ok_or_else(|| strange(at))?;
        let own: BTreeMap<u32, usize> = objects.iter().map(|(number, o)| (*number, o.at)).collect();
        if own != table {
            return Err("its table names other objects than it holds".to_owned());
        }
        Ok(Self { objects, trailer })
    }

    fn dictionary(&self, number: u32) -> Option<&Dictionary> {
        match &self.objects.get(&number)?.value {
            Value::Dictionary(found) => Some(found),
            _ => None,
        }
    }
}

fn blanks(pdf: &[u8], mut at: usize) -> usize {
    while pdf.get(at).is_some_and(|b| is_blank(*b)) {
        at += 1;
    }
    at
}

/// `12 0 obj … endobj`, a stream by its stated length.
fn object(pdf: &[u8], at: usize) -> Option<(u32, Object, usize)> {
    let head = &pdf[at..pdf.len().min(at + 40)];
    let word = head.windows(3).position(|w| w == b"obj")?;
    let text = std::str::from_utf8(&head[..word]).ok()?;
    let (number, rest) = text.split_once(' ')?;
    if rest.trim_end() != "0" || number.starts_with('0') {
        return None;
    }
    let mut lexer = Lexer::new(pdf, at + word + 3);
    let value = lexer.value()?;
    let mut end = lexer.position();
    let stream = matches!(&value, Value::Dictionary(_)) && lexer.keyword(b"stream");
    if stream {
        let Value::Dictionary(dictionary) = &value else {
            return None;
        };
        let payload = super::scan::payload(pdf, lexer.position(), dictionary)?;
        if i64::try_from(payload.len()).ok() != dictionary.integer(b"Length") {
            return None;
        }
        end = blanks(pdf, payload.end);
        end += pdf[end..].starts_with(b"endstream").then_some(9)?;
    }
    end = blanks(pdf, end);
    end += pdf[end..].starts_with(b"endobj").then_some(6)?;
    let whole = !lexer.saw_generation();
    whole.then_some((number.parse().ok()?, Object { at, value, stream }, end))
}

/// A table's entries that are in use, and the trailer behind it.
fn plain_table(pdf: &[u8], at: usize) -> Option<(BTreeMap<u32, usize>, Dictionary, usize)> {
    let mut table = BTreeMap::new();
    let mut lexer = Lexer::new(pdf, at);
    while !lexer.keyword(b"trailer") {
        let (Value::Integer(first), Value::Integer(count)) = (lexer.value()?, lexer.value()?) else {
            return None;
        };
        for number in first..first.checked_add(count.min(100_000))? {
            let (Value::Integer(offset), Value::Integer(generation)) = (lexer.value()?, lexer.value()?)
            else {
                return None;
            };
            let number = u32::try_from(number).ok()?;
            if lexer.keyword(b"n") {
                let fresh = table.insert(number, usize::try_from(offset).ok()?).is_none();
                (fresh && generation == 0).then_some(())?;
            } else if !(lexer.keyword(b"f") && number == 0) {
                return None;
            }
        }
    }
    match lexer.value()? {
        Value::Dictionary(trailer) => Some((table, trailer, blanks(pdf, lexer.position()))),
        _ => None,
    }
}

/// The entries of an unpacked cross-reference stream with fields of one, four and two bytes.
fn table_stream(pdf: &[u8], at: usize, dictionary: &Dictionary) -> Option<BTreeMap<u32, usize>> {
    let widths = [Value::Integer(1), Value::Integer(4), Value::Integer(2)];
    let plain = dictionary.get(b"Filter").is_none()
        && matches!(dictionary.get(b"W"), Some(Value::Array(w)) if *w == widths);
    let Some(Value::Array(index)) = dictionary.get(b"Index").filter(|_| plain) else {
        return None;
    };
    let start = at + pdf[at..].windows(6).position(|w| w == b"stream")?;
    let payload = super::scan::payload(pdf, start + 6, dictionary)?;
    let mut entries = pdf[payload].chunks_exact(7);
    let mut table = BTreeMap::new();
    for pair in index.chunks(2) {
        let [Value::Integer(first), Value::Integer(count)] = pair else {
            return None;
        };
        for number in *first..first.checked_add((*count).min(100_000))? {
            let [1, a, b, c, d, 0, 0] = entries.next()? else {
                return None;
            };
            let offset = u32::from_be_bytes([*a, *b, *c, *d]);
            let fresh = table.insert(u32::try_from(number).ok()?, usize::try_from(offset).ok()?);
            fresh.is_none().then_some(())?;
        }
    }
    entries.next().is_none().then_some(table)
}

/// `startxref`, the table's place, `%%EOF`, and nothing behind it.
fn ends(pdf: &[u8], at: usize, table_at: usize) -> Option<()> {
    let rest = std::str::from_utf8(pdf.get(at..)?).ok()?;
    let rest = rest.strip_prefix("startxref")?.trim();
    let offset = rest.strip_suffix("%%EOF")?.trim();
    (offset.parse() == Ok(table_at)).then_some(())
}

/// What was signed must not refer to objects that only the revision brings: they would come to life.
fn nothing_waits_for(before: &Scan, added: &Added) -> Result<(), String> {
    let mut named = BTreeSet::new();
    let replaced = before.replaced.iter().map(|(_, value)| value);
    for value in before.objects.values().chain(replaced) {
        references(value, &mut named, 0);
    }
    let awaited = |number: &&u32| !before.objects.contains_key(number) && named.contains(*number);
    match added.objects.keys().find(awaited) {
        Some(number) => Err(format!("object {number} was left open by what was signed")),
        None => Ok(()),
    }
}

fn references(value: &Value, into: &mut BTreeSet<u32>, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Reference(number) => {
            into.insert(*number);
        }
        Value::Array(all) => all.iter().for_each(|v| references(v, into, depth + 1)),
        Value::Dictionary(Dictionary(all)) => all.iter().for_each(|(_, v)| references(v, into, depth + 1)),
        _ => {}
    }
}

/// A revision beside what stood before it.
struct Change<'a> {
    before: &'a Scan,
    added: &'a Added,
    root: u32,
    signature: &'a Located,
}

impl Change<'_> {
    fn check(&self) -> Result<(), String> {
        let field = self.field()?;
        for (number, object) in &self.added.objects {
            let Some(old) = self.before.objects.get(number) else {
                continue;
            };
            let changed = || format!("object {number} was changed");
            let (Value::Dictionary(old), Value::Dictionary(new), false) = (old, &object.value, object.stream)
            else {
                return Err(changed());
            };
            let free: &[&[u8]] = if *number == self.root {
                &[b"AcroForm", b"DSS", b"Extensions"]
            } else if old.name(b"Type") == Some(b"Page") {
                self.annotations(old, new, field)?;
                &[b"Annots"]
            } else {
                return Err(changed());
            };
            if !same_but(old, new, free) || !self.unambiguous(*number, old, free) {
                return Err(changed());
            }
        }
        Ok(())
    }

    /// Every definition that stood before agrees, so that no reader can have seen another one.
    fn unambiguous(&self, number: u32, old: &Dictionary, free: &[&[u8]]) -> bool {
        let mut others = self.before.replaced.iter().filter(|(n, _)| *n == number);
        others.all(|(_, value)| matches!(value, Value::Dictionary(d) if same_but(d, old, free)))
    }

    /// The one field that the form gained; it must be this revision's signature.
    fn field(&self) -> Result<u32, String> {
        let form = |scan: &Scan| {
            let catalogue = scan.objects.get(&self.root)?;
            match catalogue {
                Value::Dictionary(c) => scan.dictionary(c, b"AcroForm").cloned(),
                _ => None,
            }
        };
        let missing = || "adds no signature".to_owned();
        let old = form(self.before).unwrap_or_default();
        let catalogue = self.added.dictionary(self.root).ok_or_else(missing)?;
        let new = match catalogue.get(b"AcroForm") {
            Some(Value::Reference(number)) if !self.before.objects.contains_key(number) => {
                self.added.dictionary(*number)
            }
            Some(Value::Dictionary(direct)) => Some(direct),
            _ => None,
        };
        let new = new.ok_or_else(missing)?;
        if !same_but(&old, new, &[b"Fields", b"SigFlags"]) {
            return Err("the form was changed".to_owned());
        }
        let fields = list(self.before, old.get(b"Fields"));
        let added = gained(&fields, new.get(b"Fields")).ok_or("fields of the form were changed")?;
        self.is_own_signature(added)?;
        Ok(added)
    }

    fn is_own_signature(&self, field: u32) -> Result<(), String> {
        let strange = |what: &str| format!("the added field is no signature: {what}");
        let fresh = |number: &u32| !self.before.objects.contains_key(number);
        let widget = Some(field).filter(fresh).and_then(|n| self.added.dictionary(n));
        let widget = widget.ok_or_else(|| strange("not its own"))?;
        if let Some((key, _)) = widget
            .0
            .iter()
            .find(|(key, _)| !FIELD_KEYS.contains(&key.as_slice()))
        {
            return Err(strange(&String::from_utf8_lossy(key)));
        }
        if widget.name(b"FT") != Some(b"Sig") {
            return Err(strange("FT"));
        }
        let value = widget.reference(b"V").filter(fresh);
        let at = value.and_then(|n| self.added.objects.get(&n)).map(|o| o.at);
        let contents = value.and_then(|n| self.added.dictionary(n));
        let own = at.is_some_and(|at| at < self.signature.gap.start)
            && contents.is_some_and(|d| d.get(b"ByteRange").is_some() && d.get(b"Contents").is_some());
        if !own {
            return Err(strange("V"));
        }
        let size = widget
            .get(b"Rect")
            .and_then(extent)
            .ok_or_else(|| strange("Rect"))?;
        let small = size.iter().zip(MARK_POINTS_MAX).all(|(side, max)| *side <= max);
        small
            .then_some(())
            .ok_or_else(|| strange("its mark is too large"))
    }

    /// A page may gain the field, and nothing else.
    fn annotations(&self, old: &Dictionary, new: &Dictionary, field: u32) -> Result<(), String> {
        let shown = list(self.before, old.get(b"Annots"));
        match gained(&shown, new.get(b"Annots")) {
            Some(added) if added == field => Ok(()),
            _ => Err("what stands on a page was changed".to_owned()),
        }
    }
}

/// The elements of an array, direct or referred to.
fn list(scan: &Scan, value: Option<&Value>) -> Vec<Value> {
    match value.and_then(|v| scan.resolve(v)) {
        Some(Value::Array(all)) => all.clone(),
        _ => Vec::new(),
    }
}

/// The one reference by which a direct array is longer than before.
fn gained(old: &[Value], new: Option<&Value>) -> Option<u32> {
    let Some(Value::Array(new)) = new else {
        return None;
    };
    let (last, kept) = new.split_last()?;
    let same = kept.len() == old.len() && kept.iter().zip(old).all(|(a, b)| same(a, b, 0));
    match last {
        Value::Reference(number) if same => Some(*number),
        _ => None,
    }
}

/// Width and height of a rectangle.
fn extent(value: &Value) -> Option<[f64; 2]> {
    let Value::Array(corners) = value else {
        return None;
    };
    let [x0, y0, x1, y1] = corners.as_slice() else {
        return None;
    };
    let [x0, y0, x1, y1] = [number(x0)?, number(y0)?, number(x1)?, number(y1)?];
    Some([(x1 - x0).abs(), (y1 - y0).abs()])
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a coordinate this large is no coordinate"
)]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(whole) => Some(*whole as f64),
        Value::Real(real) => Some(*real),
        _ => None,
    }
}

/// Equal but for some keys; a key given twice is never equal.
fn same_but(old: &Dictionary, new: &Dictionary, free: &[&[u8]]) -> bool {
    let bound = |d: &Dictionary| -> Option<BTreeMap<Vec<u8>, Value>> {
        let rest = d.0.iter().filter(|(key, _)| !free.contains(&key.as_slice()));
        let (count, map) = (rest.clone().count(), rest.cloned().collect::<BTreeMap<_, _>>());
        (map.len() == count).then_some(map)
    };
    let (Some(old), Some(new)) = (bound(old), bound(new)) else {
        return false;
    };
    old.len() == new.len()
        && old
            .iter()
            .zip(&new)
            .all(|((a, x), (b, y))| a == b && same(x, y, 0))
}

fn same(a: &Value, b: &Value, depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y, depth + 1))
        }
        (Value::Dictionary(a), Value::Dictionary(b)) => {
            a.0.len() == b.0.len()
                && a.0
                    .iter()
                    .all(|(key, x)| b.get(key).is_some_and(|y| same(x, y, depth + 1)))
        }
        (Value::Other, Value::Other) => false,
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => (a - b).abs() < NEAR,
            _ => a == b,
        },
    }
}
