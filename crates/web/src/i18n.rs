//! The texts of every crate in both languages. Never decides which text is meant, and never lets a
//! node start with a text that only one language has.

mod lang;

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

pub use lang::Lang;

/// One crate's texts: `Source { name: "cases", vi: include_str!("../i18n/vi.ftl"), en: … }`.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The crate's name, for messages about faults.
    pub name: &'static str,
    /// Vietnamese, Fluent syntax.
    pub vi: &'static str,
    /// English, Fluent syntax.
    pub en: &'static str,
}

/// All texts of a node.
pub struct Texts {
    vi: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Texts")
    }
}

impl Texts {
    /// Reads all sources.
    ///
    /// # Errors
    /// Every fault found: bad syntax, a key twice, a key, attribute or place that only one
    /// language has.
    pub fn new(sources: &[Source]) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut texts = Self {
            vi: bundle("vi"),
            en: bundle("en"),
        };
        for source in sources {
            let name = source.name;
            add(&mut texts.vi, source.vi, &format!("{name}/vi.ftl"), &mut faults);
            add(&mut texts.en, source.en, &format!("{name}/en.ftl"), &mut faults);
            compare(name, &keys(source.vi), &keys(source.en), &mut faults);
        }
        if faults.is_empty() { Ok(texts) } else { Err(faults) }
    }

    /// The text of a key, `cases-title` or `problem-stale.rule`; the key itself when there is none.
    #[must_use]
    pub fn get(&self, lang: Lang, key: &str) -> String {
        self.get_with(lang, key, &[])
    }

    /// The text of a key with its places filled. A whole number also chooses its plural form.
    #[must_use]
    pub fn get_with(&self, lang: Lang, key: &str, args: &[(&str, String)]) -> String {
        match self.find(lang, key, args) {
            Some(text) => text,
            None => {
                tracing::error!(key, "a text is missing");
                key.to_owned()
            }
        }
    }

    /// True when there is such a text.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.find(Lang::Vi, key, &[]).is_some()
    }

    fn find(&self, lang: Lang, key: &str, args: &[(&str, String)]) -> Option<String> {
        let bundle = match lang {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        };
        let (id, attribute) = key.split_once('.').map_or((key, None), |(id, a)| (id, Some(a)));
        let message = bundle.get_message(id)?;
        let pattern = match attribute {
            Some(name) => message.get_attribute(name)?.value(),
            None => message.value()?,
        };
        let args: FluentArgs<'_> = args.iter().map(|(name, v)| (*name, value(v))).collect();
        // A place without a value shows its own name; the page still stands.
        let mut errors = Vec::new();
        Some(
            bundle
                .format_pattern(pattern, Some(&args), &mut errors)
                .into_owned(),
        )
    }
}

/// A number only where it reads back as written: codes keep their leading zeros.
fn value(text: &str) -> FluentValue<'_> {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => FluentValue::from(number),
        _ => FluentValue::from(text),
    }
}

fn bundle(code: &str) -> FluentBundle<FluentResource> {
    let lang = code.parse().expect("vi and en are language codes");
    let mut bundle = FluentBundle::new_concurrent(vec![lang]);
    // The marks around places are for mixed writing directions; both our languages run one way.
    bundle.set_use_isolating(false);
    bundle
}

fn add(bundle: &mut FluentBundle<FluentResource>, text: &str, file: &str, faults: &mut Vec<String>) {
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, errors)| {
        faults.extend(errors.iter().map(|e| format!("{file}: {e}")));
        resource
    });
    if let Err(errors) = bundle.add_resource(resource) {
        faults.extend(errors.iter().map(|e| format!("{file}: {e}")));
    }
}

/// Every key and `key.attribute` of a file with the places its text names.
fn keys(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut message, mut current) = (String::new(), String::new());
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let name = line.split_once('=').map(|(name, _)| name.trim());
        if let Some(name) = name.filter(|n| is_name(n) && !line.starts_with([' ', '.'])) {
            message = name.to_owned();
            current.clone_from(&message);
        } else if let Some(name) = name.and_then(|n| n.strip_prefix('.')).filter(|n| is_name(n)) {
            current = format!("{message}.{name}");
        }
        let places = found.entry(current.clone()).or_default();
        for piece in line.split('$').skip(1) {
            places.insert(
                piece
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || "-_".contains(*c))
                    .collect(),
            );
        }
    }
    found.remove("");
    found
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

type Keys = BTreeMap<String, BTreeSet<String>>;

fn compare(name: &str, vi: &Keys, en: &Keys, faults: &mut Vec<String>) {
    for (lang, one, other) in [("en", vi, en), ("vi", en, vi)] {
        for key in one.keys().filter(|k| !other.contains_key(*k)) {
            faults.push(format!("{name}/{lang}.ftl: {key} is missing"));
        }
    }
    for (key, places) in vi {
        if en.get(key).is_some_and(|p| p != places) {
            faults.push(format!("{name}: {key} names other places in vi than in en"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_one_language_lacks_stops_the_start() {
        let faults = Texts::new(&[Source {
            name: "x",
            vi: "a = A\nb = B\n    .rule = R { $n }\n",
            en: "a = A { $who }\nb = B\nc = C\n",
        }])
        .unwrap_err();
        assert_eq!(
            faults,
            [
                "x/en.ftl: b.rule is missing",
                "x/vi.ftl: c is missing",
                "x: a names other places in vi than in en"
            ]
        );
        let twice = Source {
            name: "y",
            vi: "a = A\na = B\n",
            en: "a = A\n",
        };
        assert_eq!(Texts::new(&[twice]).unwrap_err().len(), 1);
        assert!(
            !Texts::new(&[Source {
                name: "z",
                vi: "a b\n",
                en: ""
            }])
            .unwrap_err()
            .is_empty()
        );
    }

    #[test]
    fn places_are_filled_and_codes_keep_their_zeros() {
        let ftl = "n = { $n ->\n    [one] one\n   *[other] { $n } all\n  }\nc = [{ $c }]\n    .rule = r\n";
        let texts = Texts::new(&[Source {
            name: "x",
            vi: ftl,
            en: ftl,
        }])
        .unwrap();
        let n = |n: &str| texts.get_with(Lang::En, "n", &[("n", n.to_owned())]);
        assert_eq!((n("1"), n("12000")), ("one".to_owned(), "12000 all".to_owned()));
        assert_eq!(texts.get_with(Lang::Vi, "c", &[("c", "038".to_owned())]), "[038]");
        assert_eq!(texts.get(Lang::Vi, "c.rule"), "r");
        assert_eq!(texts.get(Lang::Vi, "no-such"), "no-such");
        assert!(texts.has("c.rule") && !texts.has("c.remedy"));
    }

    #[test]
    fn every_common_problem_has_its_rule_and_its_remedy() {
        let texts = Texts::new(&[crate::TEXTS]).unwrap_or_else(|faults| panic!("{faults:#?}"));
        for code in [
            "not-found",
            "stale",
            "internal",
            "malformed",
            "not-signed-in",
            "role-missing",
            "too-many-fields",
            "upload-too-large",
            "body-too-large",
            "json-too-deep",
            "json-bad",
            "field-missing",
            "wrong-media",
            "cross-site",
            "too-many",
            "timeout",
            "no-room",
            "store-unavailable",
            "already-there",
            "organisation-code",
            "area-code",
            "procedure-code",
            "case-code",
            "personal-number",
            "date-bad",
        ] {
            for part in ["", ".rule", ".remedy"] {
                assert!(
                    texts.has(&format!("problem-{code}{part}")),
                    "problem-{code}{part}"
                );
            }
        }
    }
}
