//! The loaded templates and the way from data to PDF. Never caches a page: the same inputs give the
//! same bytes anyway, and a page holds personal data.

use std::collections::BTreeMap;

use kernel::{Digest, Time, digest::canonical_json};
use serde_json::Value;
use typst::World;
use typst::foundations::{Bytes, Datetime, Smart};
use typst::syntax::{DiagSpan, DiagSpanKind, FileId, Source};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::error::{Mistake, RenderError};
use crate::world::{DATA, File, Page, id_of, name_of};

/// What the engine remembers of one page for the next is forgotten after this many pages without
/// use; without a bound it would keep every page ever drawn.
const MEMORY_PAGES: usize = 8;

/// Vietnam's offset from UTC in minutes, for the creation date inside a PDF.
const VIETNAM_OFFSET_MIN: i32 = 7 * 60;

/// The loaded template files of a pack. Cheap to share behind an `Arc`; fonts are read once per
/// process, on the first page.
#[derive(Clone, Debug)]
pub struct Templates {
    files: BTreeMap<String, File>,
}

impl Templates {
    /// Loads template files by plain name (`birth-certificate.typ`), with any picture they show.
    ///
    /// # Errors
    /// [`RenderError::Name`] for a name with a folder in it, one that stands twice, or `data.json`;
    /// [`RenderError::Template`] for a `.typ` file that is not UTF-8 or does not parse.
    pub fn new(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, RenderError> {
        let mut templates = Self {
            files: BTreeMap::new(),
        };
        for (name, bytes) in files {
            let id = id_of(&name)
                .filter(|_| name != DATA)
                .ok_or_else(|| RenderError::Name(name.clone()))?;
            let file = if name.ends_with(".typ") {
                File::Source(parsed(&name, id, bytes)?)
            } else {
                File::Other(Bytes::new(bytes))
            };
            if templates.files.insert(name.clone(), file).is_some() {
                return Err(RenderError::Name(name));
            }
        }
        Ok(templates)
    }

    /// Names of the templates in alphabetical order, without the shared parts (`_…`) and pictures.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.files
            .keys()
            .filter(|name| is_template(name))
            .cloned()
            .collect()
    }

    /// A file by its name.
    pub(crate) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(name)
    }

    /// Fills a template with `data` and lays it out as tagged PDF/A-2u (PDF 1.7), dated `at`.
    /// The same template, data and time give the same bytes. Takes some milliseconds of processor
    /// time, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`RenderError::NoTemplate`], or [`RenderError::Template`] when the template asks for a field
    /// that `data` lacks, fails otherwise, or must show a character that no font has.
    pub fn pdf(&self, template: &str, data: &Value, at: Time) -> Result<Vec<u8>, RenderError> {
        let Some(File::Source(source)) = self.files.get(template).filter(|_| is_template(template)) else {
            return Err(RenderError::NoTemplate(template.to_owned()));
        };
        let json = canonical_json(data).expect("a JSON value can be written as JSON");
        let ident = Digest::of_parts(&[template.as_bytes(), b"\0", json.as_bytes()]).hex();
        let page = Page {
            files: &self.files,
            main: source.id(),
            data: Bytes::from_string(json),
            at,
        };
        let bytes = laid_out(&page, &options(ident, at));
        typst::comemo::evict(MEMORY_PAGES);
        bytes.map_err(|mistakes| {
            let told = mistakes.iter().map(|mistake| {
                let source = mistake.span.id().and_then(|id| page.source(id).ok());
                told(&mistake.message, mistake.span, source.as_ref())
            });
            let message = told.collect::<Vec<_>>().join("; ");
            RenderError::Template {
                template: template.to_owned(),
                message,
            }
        })
    }

    /// What keeps a template from being drawn with `data`, each with its file and line; empty when it
    /// can be drawn.
    #[must_use]
    pub fn mistakes(&self, template: &str, data: &Value, at: Time) -> Vec<Mistake> {
        let Some(File::Source(source)) = self.files.get(template).filter(|_| is_template(template)) else {
            return Vec::new();
        };
        let page = Page {
            files: &self.files,
            main: source.id(),
            data: Bytes::from_string(canonical_json(data).expect("a JSON value can be written as JSON")),
            at,
        };
        let drawn = laid_out(&page, &options(String::new(), at));
        let mistakes = drawn.err().unwrap_or_default();
        let located = mistakes.iter().map(|mistake| {
            let source = mistake.span.id().and_then(|id| page.source(id).ok());
            located(template, &mistake.message, mistake.span, source.as_ref())
        });
        located.collect()
    }

    /// The mistakes of grammar of a template file by itself.
    #[must_use]
    pub fn grammar(name: &str, text: &str) -> Vec<Mistake> {
        let Some(id) = id_of(name) else {
            return Vec::new();
        };
        let source = Source::new(id, text.to_owned());
        let (mistakes, _warnings) = source.root().errors_and_warnings();
        let located = mistakes
            .iter()
            .map(|mistake| located(name, &mistake.message, mistake.span, Some(&source)));
        located.collect()
    }
}

/// A mistake with its file and line.
fn located(template: &str, message: &str, span: DiagSpan, source: Option<&Source>) -> Mistake {
    let at = source.and_then(|source| Some((source, byte_of(source, span)?)));
    Mistake {
        file: at.map_or(template, |(source, _)| name_of(source.id())).to_owned(),
        line: at.map_or(1, |(source, byte)| {
            source.lines().byte_to_line(byte).unwrap_or(0) as u64 + 1
        }),
        message: message.to_owned(),
    }
}

fn byte_of(source: &Source, span: DiagSpan) -> Option<usize> {
    match span.get() {
        DiagSpanKind::Detached => None,
        DiagSpanKind::Number { num, sub_range, .. } => source.range(num, sub_range).map(|range| range.start),
        DiagSpanKind::Range { range, .. } => Some(range.start),
    }
}

fn is_template(name: &str) -> bool {
    name.ends_with(".typ") && !name.starts_with('_')
}

/// A Typst file without mistakes of grammar.
fn parsed(name: &str, id: FileId, bytes: Vec<u8>) -> Result<Source, RenderError> {
    let refused = |message| RenderError::Template {
        template: name.to_owned(),
        message,
    };
    let text = String::from_utf8(bytes).map_err(|_| refused("is not UTF-8".to_owned()))?;
    let source = Source::new(id, text);
    let (mistakes, _warnings) = source.root().errors_and_warnings();
    match mistakes.first() {
        None => Ok(source),
        Some(mistake) => Err(refused(told(&mistake.message, mistake.span, Some(&source)))),
    }
}

fn laid_out(page: &Page<'_>, options: &PdfOptions) -> typst::diag::SourceResult<Vec<u8>> {
    let document = typst::compile::<PagedDocument>(page).output?;
    typst_pdf::pdf(&document, options)
}

/// PDF/A-2u: an archive can show it in thirty years, and every letter can be searched and copied.
fn options(ident: String, at: Time) -> PdfOptions {
    PdfOptions {
        ident: Smart::Custom(ident),
        creator: Smart::Custom(Some("Sen".to_owned())),
        timestamp: created(at),
        standards: PdfStandards::new(&[PdfStandard::A_2u]).expect("one standard agrees with itself"),
        ..PdfOptions::default()
    }
}

fn created(at: Time) -> Option<Timestamp> {
    let (date, minute) = (at.date(), at.minute_of_day());
    let second = at.seconds().rem_euclid(60);
    let moment = Datetime::from_ymd_hms(
        date.year(),
        date.month().into(),
        date.day(),
        u8::try_from(minute / 60).ok()?,
        u8::try_from(minute % 60).ok()?,
        u8::try_from(second).ok()?,
    )?;
    Timestamp::new_local(moment, VIETNAM_OFFSET_MIN)
}

/// A mistake with its place and the line that made it, so that a missing field has its full name:
/// the engine says `"name"`, the line says `data.child.name`.
fn told(message: &str, span: DiagSpan, source: Option<&Source>) -> String {
    let byte = source.and_then(|source| byte_of(source, span));
    match source.zip(byte) {
        Some((source, byte)) => format!("{message} ({})", place(source, byte)),
        None => message.to_owned(),
    }
}

/// `birth-certificate.typ:42: the line's text`.
fn place(source: &Source, byte: usize) -> String {
    let line = source.lines().byte_to_line(byte).unwrap_or(0);
    let text = source.text().lines().nth(line).unwrap_or_default();
    format!("{}:{}: {}", name_of(source.id()), line + 1, text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn drawn(template: &str, data: &Value) -> Result<Vec<u8>, RenderError> {
        Templates::new([("t.typ".to_owned(), template.as_bytes().to_vec())])?.pdf("t.typ", data, Time(0))
    }

    fn message(template: &str) -> String {
        match drawn(template, &json!({})) {
            Err(RenderError::Template { template, message }) if template == "t.typ" => message,
            other => panic!("{:?}", other.map(|bytes| bytes.len())),
        }
    }

    #[test]
    fn a_template_cannot_reach_a_file_outside_the_pack_nor_a_package() {
        assert!(message("#read(\"/etc/passwd\")").contains("not found"));
        assert!(message("#read(\"../../Cargo.toml\")").contains("escape"));
        assert!(message("#import \"@preview/cetz:0.3.0\"").contains("not found"));
    }

    #[test]
    fn a_mistake_of_grammar_is_refused_when_the_pack_is_loaded() {
        assert!(message("one\n#let x = (").contains("t.typ:2: #let x = ("));
        let not_text = Templates::new([("t.typ".to_owned(), vec![0xff])]);
        assert!(matches!(not_text, Err(RenderError::Template { .. })));
    }

    #[test]
    fn names_are_plain_and_stand_once() {
        for names in [
            vec!["a/t.typ"],
            vec!["../t.typ"],
            vec![""],
            vec![DATA],
            vec!["t.typ", "t.typ"],
        ] {
            let last = names.last().copied().unwrap_or_default().to_owned();
            let files = names.into_iter().map(|name| (name.to_owned(), Vec::new()));
            assert_eq!(
                Templates::new(files).map(|t| t.names()),
                Err(RenderError::Name(last))
            );
        }
    }

    #[test]
    fn data_is_text_and_never_runs_as_template() {
        let page = drawn("#json(\"data.json\").x", &json!({"x": "#panic(\"run\") *a* $x$"}));
        assert!(page.is_ok(), "{page:?}");
    }

    #[test]
    fn a_letter_that_no_font_has_is_an_error_and_not_an_empty_box() {
        assert!(message("\u{1f16d}\u{12000}").contains("could not be displayed"));
    }
}
