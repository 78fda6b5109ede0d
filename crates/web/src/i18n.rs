//! The texts of every crate in both languages. Never decides which text is meant.

use axum::http::request::Parts;

/// A reader's language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Vietnamese, the default.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    /// `vi` or `en`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// From `?lang=`, then the cookie `lang`, then Accept-Language, else Vietnamese.
    #[must_use]
    pub fn of(_parts: &Parts) -> Self {
        Self::Vi
    }
}

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
pub struct Texts;

impl Texts {
    /// Reads all sources.
    ///
    /// # Errors
    /// Every fault found: bad syntax, a key twice, a key or attribute that only one language has.
    pub fn new(_sources: &[Source]) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    /// The text of a key, `cases-title` or `problem-stale.rule`; the key itself when there is none.
    #[must_use]
    pub fn get(&self, lang: Lang, key: &str) -> String {
        self.get_with(lang, key, &[])
    }

    /// The text of a key with its places filled.
    #[must_use]
    pub fn get_with(&self, _lang: Lang, key: &str, _args: &[(&str, String)]) -> String {
        key.to_owned()
    }

    /// True when both languages have the key.
    #[must_use]
    pub fn has(&self, _key: &str) -> bool {
        false
    }
}
