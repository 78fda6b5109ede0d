//! Which language a reader reads. Never guesses from an address.

use axum::http::header;
use axum::http::request::Parts;

use crate::cookie;

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
    pub fn of(parts: &Parts) -> Self {
        if let Some(known) = parts.extensions.get::<Self>() {
            return *known;
        }
        Self::asked(parts)
            .or_else(|| cookie::read(&parts.headers, "lang").and_then(Self::read))
            .or_else(|| Self::accepted(parts))
            .unwrap_or_default()
    }

    /// The language of `?lang=`, when the query has one.
    pub(crate) fn asked(parts: &Parts) -> Option<Self> {
        parts
            .uri
            .query()?
            .split('&')
            .find_map(|pair| Self::read(pair.strip_prefix("lang=")?))
    }

    fn read(code: &str) -> Option<Self> {
        match code
            .split(['-', '_'])
            .next()?
            .trim()
            .to_ascii_lowercase()
            .as_str()
        {
            "vi" => Some(Self::Vi),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The best of Accept-Language that we speak; the first of equals.
    fn accepted(parts: &Parts) -> Option<Self> {
        let header = parts.headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        let mut best: Option<(Self, f32)> = None;
        for item in header.split(',').take(20) {
            let mut pieces = item.split(';');
            let Some(lang) = pieces.next().and_then(Self::read) else {
                continue;
            };
            let weight = pieces
                .find_map(|p| p.trim().strip_prefix("q=")?.parse::<f32>().ok())
                .unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(_, w)| weight > w) {
                best = Some((lang, weight));
            }
        }
        best.map(|(lang, _)| lang)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn lang(uri: &str, headers: &[(&str, &str)]) -> Lang {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Lang::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_readers_own_choice_comes_before_the_browsers() {
        let english = [("accept-language", "en-GB,vi;q=0.5")];
        assert_eq!(lang("/", &[]), Lang::Vi);
        assert_eq!(lang("/", &english), Lang::En);
        assert_eq!(
            lang("/", &[("accept-language", "fr, vi;q=0.8, en;q=0.7")]),
            Lang::Vi
        );
        assert_eq!(
            lang("/", &[("accept-language", "en;q=0"), ("cookie", "a=b")]),
            Lang::Vi
        );
        assert_eq!(lang("/?lang=vi", &english), Lang::Vi);
        assert_eq!(lang("/", &[english[0], ("cookie", "x=1; lang=vi")]), Lang::Vi);
        assert_eq!(lang("/?a=1&lang=en", &[("cookie", "lang=vi")]), Lang::En);
        assert_eq!(lang("/?lang=xx", &[]), Lang::Vi);
    }
}
